//! Commands of an instance on the caller's own `PATH`: a node-local folder of links to this program,
//! one for each command. The state file remembers which; the folder is made again from it.

mod program;
mod snapshot;

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use crate::error::{Error, Kind, Result};
use crate::host::context::Context;
use crate::names::{CommandName, InstanceName};
use crate::private_dir;
use crate::shim_call::{LINKS, ShimCall};

pub use snapshot::{Snapshot, publish, withdraw};

/// Below the private folder: what the links of an instance read.
const SNAPSHOTS: &str = "states";

/// The shims of one instance, in one private folder of this host.
#[derive(Debug, Clone)]
pub struct Shims {
    folder: PathBuf,
    snapshot: PathBuf,
}

impl Shims {
    /// Those of the instance `name`.
    ///
    /// # Errors
    /// There is no private folder on this host.
    pub fn of(context: &Context, name: &str) -> Result<Self> {
        Ok(Self::below(&private_dir::private_folder(context)?, name))
    }

    /// Those that a shim is one of.
    pub fn around(called: &ShimCall) -> Self {
        Self::below(&called.private_folder, called.instance.as_str())
    }

    fn below(private_folder: &Path, name: &str) -> Self {
        Shims {
            folder: private_folder.join(LINKS).join(name),
            snapshot: private_folder.join(SNAPSHOTS).join(format!("{name}.json")),
        }
    }

    /// The folder for `PATH`.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Makes the folder when it is missing.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn make_folder(&self) -> Result<()> {
        private_dir::make(&self.folder)
    }

    /// Refuses a command in whose place something is that `ctr` did not make.
    ///
    /// # Errors
    /// Names it.
    pub fn check_place(&self, command: &str) -> Result<()> {
        let path = self.folder.join(command);
        match fs::symlink_metadata(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            Ok(_) if program::target(&path).is_some() => Ok(()),
            _ => {
                let message = format!("{} is there, and ctr did not make it", path.display());
                Err(Error::new(Kind::Exists, message).hint("move it to another place"))
            }
        }
    }

    /// Makes the links be those of `commands`, and no others; true when something was to do. What
    /// `ctr` did not make stays, and has its place. `program` gives what new links lead to.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub fn sync(
        &self,
        commands: &[String],
        program: impl FnOnce() -> Result<PathBuf>,
    ) -> Result<bool> {
        self.make_folder()?;
        let mut links = self.links();
        // A state may have been written by hand.
        let is_name = |command: &&String| command.parse::<CommandName>().is_ok();
        let mut missing: Vec<&String> = Vec::new();
        for command in commands.iter().filter(is_name) {
            if !links.remove(command).unwrap_or(false) && self.check_place(command).is_ok() {
                missing.push(command);
            }
        }
        // Those that another is just making have no names of commands.
        links.retain(|name, _| name.parse::<CommandName>().is_ok());
        let is_changed = !missing.is_empty() || !links.is_empty();
        if !missing.is_empty() {
            let program = program()?;
            for command in missing {
                self.link(&self.folder.join(command), &program)?;
            }
        }
        for name in links.keys() {
            remove(&self.folder.join(name))?;
        }
        Ok(is_changed)
    }

    fn link(&self, path: &Path, program: &Path) -> Result<()> {
        let new = self.folder.join(format!(".new-{}", std::process::id()));
        let made = remove(&new).and_then(|()| {
            let made = symlink(program, &new).and_then(|()| fs::rename(&new, path));
            made.map_err(|error| Error::io(format!("cannot make {}", path.display()), error))
        });
        made.map_err(|error| error.hint("check the folder and its disk"))
    }

    /// The links that `ctr` has made, by name; false for one that leads nowhere.
    fn links(&self) -> BTreeMap<String, bool> {
        // Most lead to one file.
        let mut seen: BTreeMap<PathBuf, bool> = BTreeMap::new();
        let entries = fs::read_dir(&self.folder).into_iter().flatten().flatten();
        entries
            .filter_map(|entry| {
                let target = program::target(&entry.path())?;
                let leads = seen.entry(target);
                let leads = *leads.or_insert_with_key(|target| target.is_file());
                Some((entry.file_name().into_string().ok()?, leads))
            })
            .collect()
    }

    /// Removes all that `ctr` has made of them, but not the folder: it may be on a `PATH`.
    fn clear(&self) {
        let _ = fs::remove_file(&self.snapshot);
        for name in self.links().keys() {
            let _ = fs::remove_file(self.folder.join(name));
        }
    }

    /// The same, and the folder, when nothing else is in it.
    fn remove(&self) {
        self.clear();
        let _ = fs::remove_dir(&self.folder);
    }
}

/// The shims of an instance, wherever sessions of this user have made them.
fn everywhere(context: &Context, name: &str) -> impl Iterator<Item = Shims> {
    let folders = private_dir::private_folders(context).into_iter();
    folders.map(move |folder| Shims::below(&folder, name))
}

/// Removes the shims of an instance.
pub fn remove_all(context: &Context, name: &InstanceName) {
    for shims in everywhere(context, name.as_str()) {
        shims.remove();
    }
}

fn remove(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            let doing = format!("cannot remove {}", path.display());
            Err(Error::io(doing, error))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_made_and_removed_and_what_is_another_s_stays() {
        let private = tempfile::tempdir().unwrap();
        let shims = Shims::below(private.path(), "bio");
        let own = private.path().join("ctr");
        fs::write(&own, "").unwrap();
        let sync = |names: &[&str]| {
            let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
            shims.sync(&names, || Ok(own.clone())).unwrap()
        };
        assert!(sync(&["a", "b"]));
        assert!(!sync(&["a", "b"]));
        assert_eq!(fs::read_link(shims.folder.join("a")).unwrap(), own);

        fs::write(shims.folder.join("c"), "mine").unwrap();
        symlink("/bin/sh", shims.folder.join("d")).unwrap();
        fs::remove_file(shims.folder.join("b")).unwrap();
        symlink("/nowhere/ctr (deleted)", shims.folder.join("b")).unwrap();
        for (command, is_free) in [("a", true), ("b", true), ("c", false), ("d", false)] {
            assert_eq!(shims.check_place(command).is_ok(), is_free, "{command}");
        }
        // One that is just being made is left alone.
        symlink(&own, shims.folder.join(".new-1")).unwrap();
        assert!(sync(&["b", "c", "../e", "ctr"]));
        assert_eq!(fs::read_link(shims.folder.join("b")).unwrap(), own);
        assert_eq!(names(&shims), [".new-1", "b", "c", "d"]);

        shims.remove();
        assert_eq!(names(&shims), ["c", "d"]);
        assert_eq!(fs::read_to_string(shims.folder.join("c")).unwrap(), "mine");
    }

    fn names(shims: &Shims) -> Vec<String> {
        let entries = fs::read_dir(&shims.folder).unwrap().flatten();
        let mut names: Vec<String> = entries
            .map(|entry| entry.file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }
}
