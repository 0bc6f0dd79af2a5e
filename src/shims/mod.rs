//! Commands of an instance on the caller's own `PATH`: a node-local folder of links to this program,
//! one for each command. The state file remembers which; the folder is made again from it.

mod called;
mod snapshot;

use std::collections::BTreeSet;
use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use crate::context::Context;
use crate::error::{Error, Kind, Result};
use crate::names::{CommandName, InstanceName};
use crate::runtime;

pub use called::{Called, is_folder};
pub use snapshot::{Snapshot, publish};

/// Below the private folder: a folder of links for each instance.
const LINKS: &str = "shims";
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
        Ok(Self::below(&runtime::private_folder(context)?, name))
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
        runtime::make(&self.folder)
    }

    /// Refuses a command in whose place something is that `ctr` did not make.
    ///
    /// # Errors
    /// Names it.
    pub fn check_place(&self, command: &str) -> Result<()> {
        let path = self.folder.join(command);
        match fs::symlink_metadata(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            Err(error) => Err(Error::io(
                format!("cannot look at {}", path.display()),
                error,
            )),
            Ok(_) if is_own(&path, &program()?) => Ok(()),
            Ok(_) => {
                let message = format!("{} is there, and ctr did not make it", path.display());
                Err(Error::new(Kind::Exists, message).hint("move it to another place"))
            }
        }
    }

    /// Makes the links be those of `commands`, and no others. What `ctr` did not make stays, and has
    /// its place.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub fn bring_in_line(&self, commands: &[String]) -> Result<()> {
        let program = program()?;
        let mut there = self.entries();
        self.make_folder()?;
        // A state may have been written by hand.
        let is_name = |command: &&String| command.parse::<CommandName>().is_ok();
        for command in commands.iter().filter(is_name) {
            let path = self.folder.join(command);
            let is_there = there.remove(command);
            if is_there && (!is_own(&path, &program) || leads_to(&path, &program)) {
                continue;
            }
            self.link(&path, &program)?;
        }
        let superfluous = there.iter().map(|name| self.folder.join(name));
        for path in superfluous.filter(|path| is_own(path, &program)) {
            remove(&path)?;
        }
        Ok(())
    }

    fn link(&self, path: &Path, program: &Path) -> Result<()> {
        // Others may be at it too.
        let new = self.folder.join(format!(".new-{}", std::process::id()));
        let made = remove(&new).and_then(|()| {
            let made = symlink(program, &new).and_then(|()| fs::rename(&new, path));
            made.map_err(|error| Error::io(format!("cannot make {}", path.display()), error))
        });
        made.map_err(|error| error.hint("check the folder and its disk"))
    }

    fn entries(&self) -> BTreeSet<String> {
        let entries = fs::read_dir(&self.folder).into_iter().flatten().flatten();
        entries
            .filter_map(|entry| entry.file_name().into_string().ok())
            .collect()
    }

    fn remove(&self) {
        let _ = fs::remove_file(&self.snapshot);
        if let Ok(program) = program() {
            let links = self
                .entries()
                .into_iter()
                .map(|name| self.folder.join(name));
            for link in links.filter(|path| is_own(path, &program)) {
                let _ = fs::remove_file(link);
            }
        }
        // It stays when there is something in it that `ctr` did not make.
        let _ = fs::remove_dir(&self.folder);
    }
}

/// Removes the shims of an instance, wherever sessions of this user have made them.
pub fn remove_all(context: &Context, name: &InstanceName) {
    for folder in runtime::private_folders(context) {
        Shims::below(&folder, name.as_str()).remove();
    }
}

/// The file that this program is.
fn program() -> Result<PathBuf> {
    std::env::current_exe()
        .map_err(|error| Error::io("cannot find the path of this program", error))
}

/// True for a link to this program, or to one of its name: another version may have made it.
fn is_own(path: &Path, program: &Path) -> bool {
    fs::read_link(path).is_ok_and(|target| target.file_name() == program.file_name())
}

fn leads_to(path: &Path, program: &Path) -> bool {
    fs::read_link(path).is_ok_and(|target| target == program)
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
        let commands = |names: &[&str]| {
            names
                .iter()
                .map(|&name| name.to_owned())
                .collect::<Vec<_>>()
        };
        shims.bring_in_line(&commands(&["a", "b"])).unwrap();
        let own = program().unwrap();
        assert_eq!(fs::read_link(shims.folder.join("a")).unwrap(), own);

        fs::write(shims.folder.join("c"), "mine").unwrap();
        symlink("/bin/sh", shims.folder.join("d")).unwrap();
        let older = Path::new("/nowhere").join(own.file_name().unwrap());
        fs::remove_file(shims.folder.join("b")).unwrap();
        symlink(older, shims.folder.join("b")).unwrap();
        for (command, is_free) in [("a", true), ("b", true), ("c", false), ("d", false)] {
            assert_eq!(shims.check_place(command).is_ok(), is_free, "{command}");
        }
        shims.bring_in_line(&commands(&["b", "c"])).unwrap();
        assert_eq!(fs::read_link(shims.folder.join("b")).unwrap(), own);
        assert_eq!(shims.entries(), ["b", "c", "d"].map(str::to_owned).into());

        shims.remove();
        assert_eq!(shims.entries(), ["c", "d"].map(str::to_owned).into());
        assert_eq!(fs::read_to_string(shims.folder.join("c")).unwrap(), "mine");
    }
}
