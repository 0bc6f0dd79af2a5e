//! Which folder of states is this host's: that of the name which it had at the first start since it was
//! booted. A host may be renamed while it runs, and its instances run on.

use std::fs;
use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use crate::host::context::Context;
use crate::host::ownership::OwnUmask;
use crate::host::regular_file;

/// What the file that says so begins with; the boot id follows.
const PREFIX: &str = ".boot-";

/// Longest name of a host (`HOST_NAME_MAX` of Linux).
const LONGEST: u64 = 64;

/// The names of this host.
#[derive(Debug, Clone)]
pub struct Host {
    /// What it is called.
    pub name: String,
    /// Where its first name stands. In a container there is none: others of the same boot have their
    /// own names.
    file: Option<PathBuf>,
    uid: u32,
    /// What it was called first, looked up when it is needed: a shim reads no file of the home.
    first: OnceLock<String>,
}

impl Host {
    /// The host of this caller, whose states are below `root`.
    pub fn new(root: &Path, context: &Context) -> Self {
        let file = root.join(format!("{PREFIX}{}", context.pid_scope.boot_id));
        Host {
            name: context.host.clone(),
            file: Some(file).filter(|_| context.pid_scope.is_of_the_host()),
            uid: context.uid,
            first: OnceLock::new(),
        }
    }

    /// What is looked at on the way to its folder below `root`, and that folder as it usually is called.
    pub fn on_the_way(&self, root: &Path) -> Vec<PathBuf> {
        let mut paths = vec![root.to_owned()];
        paths.extend(self.file.clone());
        paths.push(root.join(&self.name));
        paths
    }

    /// What its folder is called.
    pub fn folder(&self) -> &str {
        self.first.get_or_init(|| {
            let first = self.file.as_deref().and_then(|file| self.read(file));
            first.unwrap_or_else(|| self.name.clone())
        })
    }

    /// Forgets its name: no state is left that lies under it.
    pub fn forget(&self) {
        if let Some(file) = &self.file {
            let _ = fs::remove_file(file);
        }
    }

    fn read(&self, file: &Path) -> Option<String> {
        let metadata = fs::symlink_metadata(file).ok()?;
        let is_own = metadata.uid() == self.uid && metadata.mode() & super::OTHERS_WRITE == 0;
        let said = regular_file::read(file, LONGEST).ok().filter(|_| is_own)?;
        let name = String::from_utf8(said).ok()?;
        let is_name = !name.is_empty() && !name.starts_with('.') && !name.contains('/');
        is_name.then_some(name)
    }

    /// Writes its name down, at the first start since it was booted, and forgets earlier boots.
    pub fn remember(&self) {
        let Some(file) = self.file.as_deref().filter(|file| !file.exists()) else {
            return;
        };
        let Some(root) = file.parent() else { return };
        let _umask = OwnUmask::set();
        let attempt = || -> std::io::Result<()> {
            let mut new = tempfile::NamedTempFile::new_in(root)?;
            new.write_all(self.folder().as_bytes())?;
            new.persist_noclobber(file)?;
            Ok(())
        };
        // Without it, a host that is renamed does not know its instances: nothing else is lost.
        let _ = attempt();
        for entry in fs::read_dir(root).into_iter().flatten().flatten() {
            let path = entry.path();
            let is_earlier = entry
                .file_name()
                .as_encoded_bytes()
                .starts_with(PREFIX.as_bytes())
                && path != file;
            if is_earlier && self.read(&path).as_deref() == Some(self.folder()) {
                let _ = fs::remove_file(path);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::context::tests::context;

    #[test]
    fn a_host_that_is_renamed_keeps_its_folder_until_it_is_booted() {
        let root = tempfile::tempdir().unwrap();
        let mut context = context(&[]);
        context.uid = fs::metadata(root.path()).unwrap().uid();
        context.pid_scope.pid_namespace = 0xEFFF_FFFC;
        let mut host = |name: &str, boot: &str, namespace| {
            context.host = name.to_owned();
            context.pid_scope.boot_id = boot.to_owned();
            context.pid_scope.pid_namespace = namespace;
            Host::new(root.path(), &context)
        };
        let first = 0xEFFF_FFFC;
        assert_eq!(host("old", "one", first).folder(), "old");
        host("old", "one", first).remember();
        assert_eq!(host("new", "one", first).folder(), "old");
        host("new", "one", first).remember();
        assert_eq!(host("newest", "one", first).folder(), "old");
        // A container of this boot has a name of its own, and so has another boot.
        assert_eq!(host("new", "one", 7).folder(), "new");
        assert_eq!(host("new", "two", first).folder(), "new");
        host("old", "two", first).remember();
        let names = || {
            fs::read_dir(root.path())
                .unwrap()
                .flatten()
                .map(|entry| entry.file_name())
        };
        assert_eq!(names().collect::<Vec<_>>(), [".boot-two"]);
        host("old", "two", first).forget();
        assert_eq!(host("new", "two", first).folder(), "new");
        // What leads elsewhere is no name.
        for text in ["../x", "a/b", "", ".."] {
            fs::write(root.path().join(".boot-two"), text).unwrap();
            assert_eq!(host("new", "two", first).folder(), "new", "{text}");
        }
    }
}
