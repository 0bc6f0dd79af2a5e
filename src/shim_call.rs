//! Is this process a shim, and which?

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::ErrorKind;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use crate::names::{CommandName, InstanceName, PROGRAM};

/// Below a private folder of a host: a folder of shims for each instance.
pub const LINKS: &str = "shims";

/// Most links that are followed from one to a shim, as the kernel does.
const MOST_LINKS: usize = 40;

/// A shim that was called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShimCall {
    /// The private folder that it lies in, which is not checked here.
    pub private_folder: PathBuf,
    pub instance: InstanceName,
    pub command: CommandName,
}

impl ShimCall {
    /// The shim that this process was called as, `None` for `ctr` itself. `words` are its arguments,
    /// the program's name first.
    ///
    /// The kernel says which file it ran (`AT_EXECFN` of `getauxval(3)`), whatever the caller
    /// has made the first word. Of a script whose first line names a shim, that is the script, and
    /// the first word is the shim.
    pub fn read(words: &[OsString]) -> Option<Self> {
        let run = Path::new(OsStr::from_bytes(rustix::param::linux_execfn().to_bytes()));
        let first = words.first().filter(|word| word.as_bytes().contains(&b'/'));
        Self::by(run)
            .or_else(|| Self::taken_away(run))
            .or_else(|| Self::by(Path::new(first?)))
    }

    /// The shim that a path was that has just been run, and is not there any more.
    fn taken_away(path: &Path) -> Option<Self> {
        Self::at(path).filter(|_| {
            let there = fs::symlink_metadata(path);
            there.is_err_and(|error| error.kind() == ErrorKind::NotFound)
        })
    }

    /// The shim that a path leads to: its own, or that of a link to it.
    pub fn by(path: &Path) -> Option<Self> {
        let mut path = std::path::absolute(path).ok()?;
        for _ in 0..MOST_LINKS {
            if path.file_name() == Some(OsStr::new(PROGRAM)) {
                return None;
            }
            let target = fs::read_link(&path).ok()?;
            if let Some(shim) = Self::at(&path) {
                return Some(shim);
            }
            // The folder may be one of shims under another name.
            let folder = path.parent()?.canonicalize().ok()?;
            if let Some(shim) = Self::at(&folder.join(path.file_name()?)) {
                return Some(shim);
            }
            path = folder.join(target);
        }
        None
    }

    /// What a path says: `<private folder>/shims/<instance>/<command>`.
    fn at(path: &Path) -> Option<Self> {
        let folder = path.parent()?;
        if !is_shim_folder(folder) {
            return None;
        }
        let name = |path: &Path| path.file_name()?.to_str().map(str::to_owned);
        Some(ShimCall {
            private_folder: folder.parent()?.parent()?.to_owned(),
            instance: name(folder)?.parse().ok()?,
            command: name(path)?.parse().ok()?,
        })
    }
}

/// True for the path of a folder of shims, by its form: anybody's, whether it is there or not.
pub fn is_shim_folder(path: &Path) -> bool {
    let Some(links) = path.parent().filter(|links| links.ends_with(LINKS)) else {
        return false;
    };
    let private = links.parent().and_then(Path::file_name);
    let is_private = |name: &OsStr| name == "ctr" || name.as_bytes().starts_with(b"ctr-");
    private.is_some_and(is_private)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn folders_of_shims_are_known_by_their_form() {
        for (path, is_one) in [
            ("/run/user/1000/ctr/shims/bio", true),
            ("/tmp/ctr-1000/shims/bio", true),
            ("/tmp/ctr-1000/shims", false),
            ("/tmp/ctr-1000/shims/bio/x", false),
            ("/tmp/other/shims/bio", false),
            ("/home/u/.pyenv/shims", false),
            ("", false),
        ] {
            assert_eq!(is_shim_folder(Path::new(path)), is_one, "{path}");
        }
    }

    #[test]
    fn a_shim_is_a_link_in_such_a_folder_or_leads_to_one() {
        let top = tempfile::tempdir().unwrap();
        let shims = top.path().join("ctr/shims/bio");
        fs::create_dir_all(&shims).unwrap();
        let shim = shims.join("sort");
        symlink("/usr/bin/ctr", &shim).unwrap();
        let other = top.path().join("other");
        symlink(&shim, &other).unwrap();
        let folder = top.path().join("folder");
        symlink(&shims, &folder).unwrap();
        let by_folder = folder.join("sort");
        let around = shims.join("../bio/sort");
        for path in [&shim, &other, &by_folder, &around] {
            let called = ShimCall::by(path).unwrap();
            assert_eq!(called.instance.as_str(), "bio");
            assert_eq!(called.command.as_str(), "sort");
            let private = called.private_folder.canonicalize().unwrap();
            assert_eq!(private, top.path().join("ctr").canonicalize().unwrap());
        }
        assert_eq!(ShimCall::taken_away(&shim), None);
        fs::remove_file(&shim).unwrap();
        assert_eq!(ShimCall::by(&shim), None);
        assert!(ShimCall::taken_away(&shim).is_some());
        let file = shims.join("file");
        fs::write(&file, "").unwrap();
        let round = top.path().join("round");
        symlink("round", &round).unwrap();
        for path in [&file, &round, &top.path().join("nosuch"), Path::new("ctr")] {
            assert_eq!(ShimCall::by(path), None, "{}", path.display());
        }
    }
}
