//! The `hostos` base: a skeleton image with every top-level folder of the host bound at its
//! place, so that overlays can be laid over the user's own operating system.

use std::collections::BTreeMap;
use std::collections::hash_map::DefaultHasher;
use std::fs;
use std::hash::{Hash, Hasher};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::unistd::{AccessFlags, access};

use super::Surroundings;
use crate::bounds::TEXT;
use crate::engine::answers;
use crate::error::{Error, Result};
use crate::host::ownership::OwnUmask;
use crate::host::regular_file;

/// Folders that Apptainer provides itself, or that hold homes, of which it brings the user's.
const GIVEN: [&str; 7] = ["proc", "sys", "dev", "tmp", "home", "root", "lost+found"];

/// What Apptainer puts at the top of each image, and what a host has that was once made of one: the
/// image's own has to be there.
const OF_IMAGES: [&str; 7] = [
    ".singularity.d",
    ".exec",
    ".run",
    ".shell",
    ".test",
    "environment",
    "singularity",
];

/// Folders of the system: bound read-only. Others (`/scratch`, `/data`, …) stay as they are.
const SYSTEM: [&str; 16] = [
    "bin", "boot", "etc", "lib", "lib32", "lib64", "libx32", "opt", "run", "sbin", "srv", "usr",
    "var", "media", "cvmfs", "nix",
];

/// Where the images are, in the user's cache.
const FOLDER: &str = "hostos";

/// Rises when what is built of the same host changes, so that an image of before is not used any more.
const FORMAT: u32 = 2;

/// Empty files that Apptainer binds the host's own over.
const FILES: [&str; 5] = ["passwd", "group", "hosts", "localtime", "resolv.conf"];

/// One top-level entry of the host.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Entry {
    Folder,
    Link(PathBuf),
}

/// The skeleton image of this machine, built when it is not there yet and a start is to be made.
///
/// It is named by machine type, OS release and the names at the top level of the host, since a
/// cache folder on a shared home serves many hosts.
///
/// # Errors
/// The cache folder cannot be written; Apptainer cannot build.
pub fn skeleton(around: &Surroundings) -> Result<PathBuf> {
    let entries = top_level(Path::new("/"))?;
    let name = format!("{}.sif", label(&entries));
    let planned = around.cache.folder(FOLDER).join(&name);
    if around.dry_run {
        return Ok(planned);
    }
    let folder = around.cache.private_folder(FOLDER)?;
    let image = folder.join(name);
    // It is run: one that others could have written is made anew.
    if around.cache.is_own(&image) {
        return Ok(image);
    }
    let failed = |error| Error::io(format!("cannot write in {}", folder.display()), error);
    let _umask = OwnUmask::for_readers();
    // Built beside its place and renamed, so that two starts at once do no harm.
    let workshop = tempfile::tempdir_in(&folder).map_err(failed)?;
    let (tree, built) = (
        workshop.path().join("tree"),
        workshop.path().join("hostos.sif"),
    );
    lay_out(&tree, &entries).map_err(failed)?;
    around.engine.build(&tree, &built)?;
    fs::set_permissions(&built, fs::Permissions::from_mode(0o600)).map_err(failed)?;
    fs::rename(&built, &image).map_err(failed)?;
    Ok(image)
}

/// The binds that fill the skeleton: each top-level folder that can be entered, as
/// `/usr:/usr:ro`, the system's own read-only.
///
/// # Errors
/// The root folder cannot be read.
pub fn binds(around: &Surroundings) -> Result<Vec<String>> {
    let mut binds = Vec::new();
    let mut entries = top_level(Path::new("/"))?;
    entries.retain(|name, entry| *entry == Entry::Folder && !GIVEN.contains(&name.as_str()));
    let paths: Vec<PathBuf> = entries
        .keys()
        .map(|name| Path::new("/").join(name))
        .collect();
    let silent = answers::unanswered(&paths, around.context);
    for name in entries.into_keys() {
        let path = format!("/{name}");
        if let Some((_, why)) = silent.iter().find(|(silent, _)| **silent == *path) {
            (around.verbose)(&format!("{path} is left out: {why}"));
            continue;
        }
        if let Err(error) = enter(&path) {
            (around.verbose)(&format!("{path} is left out: {error}"));
            continue;
        }
        let mode = if SYSTEM.contains(&name.as_str()) {
            ":ro"
        } else {
            ""
        };
        binds.push(format!("{path}:{path}{mode}"));
    }
    binds.push("/var/tmp".to_owned());
    Ok(binds)
}

/// The links at the top of the host, which the skeleton has too, with what they say.
///
/// # Errors
/// The root folder cannot be read.
pub fn links() -> Result<BTreeMap<String, String>> {
    let target = |entry: Entry| match entry {
        Entry::Folder => None,
        Entry::Link(target) => Some(target.to_string_lossy().into_owned()),
    };
    let entries = top_level(Path::new("/"))?.into_iter();
    Ok(entries
        .filter_map(|(name, entry)| Some((name, target(entry)?)))
        .collect())
}

/// Looks at a folder as a start will: an idle automount gives ELOOP here, a server that is down EIO.
/// One that can be entered but not listed, as `/scratch` often, is as good.
fn enter(path: &str) -> nix::Result<()> {
    match fs::read_dir(path).map_err(|error| error.raw_os_error()) {
        Err(Some(nix::libc::EACCES)) => access(path, AccessFlags::X_OK),
        Err(code) => Err(Errno::from_raw(code.unwrap_or(0))),
        Ok(_) => Ok(()),
    }
}

/// The real folders and the links at the top level of the host, by name; hidden ones too.
fn top_level(root: &Path) -> Result<BTreeMap<String, Entry>> {
    let failed = |error| Error::io(format!("cannot read {}", root.display()), error);
    let mut entries = BTreeMap::new();
    for entry in fs::read_dir(root).map_err(failed)?.flatten() {
        let Ok(name) = entry.file_name().into_string() else {
            continue;
        };
        // A comma or colon would be read as Apptainer's own.
        if name.contains([',', ':']) || OF_IMAGES.contains(&name.as_str()) {
            continue;
        }
        match entry.file_type() {
            Ok(kind) if kind.is_symlink() => {
                if let Ok(target) = fs::read_link(entry.path()) {
                    entries.insert(name, Entry::Link(target));
                }
            }
            Ok(kind) if kind.is_dir() => {
                entries.insert(name, Entry::Folder);
            }
            _ => {}
        }
    }
    Ok(entries)
}

fn label(entries: &BTreeMap<String, Entry>) -> String {
    let release =
        regular_file::read_to_string(Path::new("/etc/os-release"), TEXT).unwrap_or_default();
    let field = |key: &str| {
        release
            .lines()
            .find_map(|line| line.strip_prefix(key)?.strip_prefix('='))
            .map(|value| value.trim_matches('"').to_owned())
            .unwrap_or_default()
    };
    let mut hasher = DefaultHasher::new();
    (FORMAT, entries).hash(&mut hasher);
    let distro: String = format!("{}{}", field("ID"), field("VERSION_ID"))
        .chars()
        .filter(|c| c.is_ascii_alphanumeric() || *c == '.')
        .collect();
    format!(
        "{}-{distro}-{:016x}",
        std::env::consts::ARCH,
        hasher.finish()
    )
}

/// Writes the skeleton: empty folders and files for binds, and the host's own top-level links.
fn lay_out(tree: &Path, entries: &BTreeMap<String, Entry>) -> std::io::Result<()> {
    for name in [
        "proc", "sys", "dev", "tmp", "home", "root", "etc", "var/tmp",
    ] {
        fs::create_dir_all(tree.join(name))?;
    }
    for name in FILES {
        fs::write(tree.join("etc").join(name), "")?;
    }
    for (name, entry) in entries {
        let place = tree.join(name);
        match entry {
            Entry::Folder => fs::create_dir_all(place)?,
            Entry::Link(target) => symlink(target, place)?,
        }
    }
    open_to_all(tree)
}

/// Gives all that is below, and the folder itself, the usual rights: under the caller's umask the
/// folders of the image might be closed to Apptainer, which binds into them.
fn open_to_all(folder: &Path) -> std::io::Result<()> {
    fs::set_permissions(folder, fs::Permissions::from_mode(0o755))?;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let kind = entry.file_type()?;
        if kind.is_dir() {
            open_to_all(&entry.path())?;
        } else if kind.is_file() {
            fs::set_permissions(entry.path(), fs::Permissions::from_mode(0o644))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hidden_folders_are_there_and_what_belongs_to_an_image_is_not() {
        let root = tempfile::tempdir().unwrap();
        for folder in ["usr", ".old", ".singularity.d", "a,b", "a:b"] {
            fs::create_dir(root.path().join(folder)).unwrap();
        }
        for (name, target) in [
            ("lib", "usr/lib"),
            (".link", "usr"),
            (".exec", ".singularity.d/actions/exec"),
            ("environment", ".singularity.d/env/90-environment.sh"),
        ] {
            symlink(target, root.path().join(name)).unwrap();
        }
        fs::write(root.path().join(".dockerenv"), "").unwrap();
        let link = |target: &str| Entry::Link(target.into());
        let expected = [
            (".link", link("usr")),
            (".old", Entry::Folder),
            ("lib", link("usr/lib")),
            ("usr", Entry::Folder),
        ];
        let expected = expected.map(|(name, entry)| (name.to_owned(), entry));
        assert_eq!(top_level(root.path()).unwrap(), BTreeMap::from(expected));
    }
}
