//! The folder of state files: private, by host, written whole or not at all.

use std::fs::{self, DirBuilder, File};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::host::Host;
use super::{FORMAT, Lock, OTHERS_WRITE, Prepared, State, Unusable};
use crate::bounds::RECORD;
use crate::error::{Error, Kind, Result};
use crate::host::context::Context;
use crate::host::ownership::{self, OWN_HOME, OwnUmask};
use crate::host::regular_file;
use crate::names::InstanceName;

type Tell<'a> = &'a dyn Fn(&str);

/// The state files of this user.
#[derive(Debug, Clone)]
pub struct Store {
    pub(super) root: PathBuf,
    pub(super) host: Host,
    home: PathBuf,
    uid: u32,
}

impl Store {
    /// The store of this caller: `CTR_STATE_DIR`, else `ctr/instances` below the folder for state.
    pub fn new(context: &Context) -> Self {
        let root = context
            .setting("CTR_STATE_DIR")
            .map_or_else(|| context.state_home().join("ctr/instances"), PathBuf::from);
        Store {
            host: Host::new(&root, context),
            root,
            home: context.home.clone(),
            uid: context.uid,
        }
    }

    /// The folder of all hosts.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// What is looked at on the way to the folder of this host, and that as it is usually called.
    pub fn on_the_way(&self) -> Vec<PathBuf> {
        self.host.on_the_way(&self.root)
    }

    /// The folder of this host.
    pub fn folder(&self) -> PathBuf {
        self.root.join(self.host.folder())
    }

    /// The file of an instance on this host.
    pub fn file(&self, name: &str) -> PathBuf {
        self.folder().join(format!("{name}.json"))
    }

    /// The state of an instance on this host; `None` when there is none. A file that lies at the
    /// root itself, as the reference wrote them, counts for this host.
    ///
    /// # Errors
    /// The file is not the user's own, others may write it, or it is damaged or too new.
    pub fn load(&self, name: &str) -> Result<Option<State>> {
        for folder in [self.folder(), self.root.clone()] {
            if let Some(state) = self.read(&folder, name)? {
                self.check_folder(&folder)?;
                return Ok(Some(state));
            }
        }
        Ok(None)
    }

    /// What becomes the file of an instance once it is whole: one name, written under the
    /// instance's lock, so that one left by a crash is taken up or removed.
    pub(super) fn temporary(&self, name: &str) -> PathBuf {
        self.folder().join(format!(".{name}.new"))
    }

    /// Writes a state, with a generation above that of the file it replaces, under its lock.
    ///
    /// # Errors
    /// The folder cannot be written, or is not private to the user.
    pub fn save(&self, state: &mut State) -> Result<()> {
        self.prepare(state)?.commit()
    }

    /// Writes a state as for [`Store::save`] beside the file that it is to replace: what may fail for
    /// want of space is over before anything is done that cannot be undone.
    ///
    /// # Errors
    /// As for [`Store::save`].
    pub fn prepare(&self, state: &mut State) -> Result<Prepared> {
        let folder = self.private_folder()?;
        state.generation += 1;
        let prepared = Prepared {
            file: self.file(&state.spec.name),
            temporary: self.temporary(&state.spec.name),
            folder,
        };
        let _umask = OwnUmask::set();
        let write = || -> std::io::Result<()> {
            // The file is known by the name of its folder, whatever the host is called now.
            let is_here = state.host == self.host.name;
            let called = is_here.then(|| self.host.folder().to_owned());
            let stored = State {
                host: called.unwrap_or_else(|| state.host.clone()),
                ..state.clone()
            };
            let mut bytes = serde_json::to_vec_pretty(&stored)?;
            bytes.push(b'\n');
            let mut new = File::options()
                .write(true)
                .create(true)
                .truncate(true)
                .mode(0o600)
                .custom_flags(nix::libc::O_NOFOLLOW)
                .open(&prepared.temporary)?;
            new.write_all(&bytes)?;
            new.sync_all()
        };
        write().map_err(|error| unwritable(&prepared.file, &error))?;
        self.host.remember();
        Ok(prepared)
    }

    /// Removes the state of an instance. A file of the reference that lies beside it may be of another
    /// host, and stays; the only one is removed.
    ///
    /// # Errors
    /// The file is there and cannot be removed.
    pub fn remove(&self, name: &str) -> Result<()> {
        let _ = fs::remove_file(self.temporary(name));
        for file in [self.file(name), self.root.join(format!("{name}.json"))] {
            match fs::remove_file(&file) {
                Ok(()) => break,
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => return Err(unwritable(&file, &error)),
            }
        }
        let mut left = fs::read_dir(self.folder()).into_iter().flatten().flatten();
        if !left.any(|entry| entry.path().extension() == Some("json".as_ref())) {
            self.host.forget();
        }
        Ok(())
    }

    /// The file of the reference of that name, when there is one.
    pub fn of_the_reference(&self, name: &str) -> Option<PathBuf> {
        Some(self.root.join(format!("{name}.json"))).filter(|file| file.exists())
    }

    /// Waits for the lock of an instance, as long as who holds it lives and gets on; `tell` takes what
    /// is waited for, after a while.
    ///
    /// # Errors
    /// Who holds it does not get on.
    pub fn lock(&self, name: &InstanceName, tell: Tell) -> Result<Lock> {
        let name = name.as_str();
        Lock::take(&self.lock_key(name), self.uid, &format!("`{name}`"), tell)
    }

    /// The lock of an instance, when it is free within the time `most`.
    ///
    /// # Errors
    /// Other users stand in the way of all locks.
    pub fn lock_within(&self, name: &str, most: Duration) -> Result<Option<Lock>> {
        Lock::take_within(&self.lock_key(name), self.uid, most)
    }

    /// The turn to learn of an instance what a direct join needs; `None` when another that has it is
    /// stopped, or has lived for the time `most`. `tell` takes who is waited for, after a while.
    ///
    /// # Errors
    /// As for [`Store::lock_within`].
    pub fn turn_to_learn(&self, name: &str, most: Duration, tell: Tell) -> Result<Option<Lock>> {
        let key = format!("{}/join", self.lock_key(name));
        let what = format!("the direct way into `{name}`");
        Lock::take_turn(&key, self.uid, most, &what, tell)
    }

    /// What the lock of an instance is called: by the folder of states, whatever the way to it. A name
    /// of a socket has 107 bytes at most.
    fn lock_key(&self, name: &str) -> String {
        let folder = self.private_folder().unwrap_or_else(|_| self.folder());
        let inode = fs::metadata(folder).map_or(0, |metadata| metadata.ino());
        format!("ctr/{}/{inode:x}/{name}", self.uid)
    }

    /// Writes a file into the folder of states, and removes it.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub fn try_writing(&self) -> Result<()> {
        let folder = self.private_folder()?;
        match tempfile::tempfile_in(&folder) {
            Ok(_) => Ok(()),
            Err(error) => Err(unwritable(&folder, &error)),
        }
    }

    /// The folder of this host, made when it is missing.
    fn private_folder(&self) -> Result<PathBuf> {
        let folder = self.folder();
        ownership::check_place(&folder, &self.home, self.uid)?;
        let _umask = OwnUmask::set();
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&folder)
            .map_err(|error| unwritable(&folder, &error))?;
        let metadata = fs::symlink_metadata(&folder).map_err(|e| unwritable(&folder, &e))?;
        self.check_owner(&folder, &metadata)?;
        if metadata.mode() & 0o077 != 0 {
            fs::set_permissions(&folder, fs::Permissions::from_mode(0o700))
                .map_err(|error| unwritable(&folder, &error))?;
        }
        Ok(folder)
    }

    pub(super) fn read(&self, folder: &Path, name: &str) -> Result<Option<State>> {
        let path = folder.join(format!("{name}.json"));
        let unreadable = |why: &dyn std::fmt::Display| {
            let message = format!("cannot read the state file {}: {why}", path.display());
            Error::new(Kind::State, message)
        };
        let hinted = |error: &std::io::Error| unreadable(error).hint(way_to_read(error));
        let file = File::options()
            .read(true)
            .custom_flags(nix::libc::O_NOFOLLOW | nix::libc::O_NONBLOCK)
            .open(&path);
        let file = match file {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(hinted(&error)),
        };
        let metadata = file.metadata().map_err(|error| hinted(&error))?;
        self.check_owner(&path, &metadata)?;
        let bytes = regular_file::whole(file, RECORD).map_err(|error| unreadable(&error))?;
        let damaged = |why: String| {
            let message = format!("the state file {} is damaged: {why}", path.display());
            let hint = format!("look at it, then remove it: rm '{}'", path.display());
            Error::new(Kind::State, message).hint(hint)
        };
        let mut state = State::from_json(&bytes).map_err(|unusable| match unusable {
            Unusable::Damaged(why) => damaged(why),
            Unusable::Newer(format) => {
                let shown = path.display();
                let message = format!(
                    "the state file {shown} has format {format}, and this ctr knows up to {FORMAT}"
                );
                Error::new(Kind::State, message).hint("a newer ctr wrote it: use that one")
            }
        })?;
        if state.spec.name != name {
            return Err(damaged(format!(
                "it is of `{}`",
                state.spec.name.escape_debug()
            )));
        }
        if state.host == self.host.folder() && *folder == self.folder() {
            state.host.clone_from(&self.host.name);
        }
        Ok(Some(state))
    }

    pub(super) fn check_folder(&self, folder: &Path) -> Result<()> {
        let metadata = fs::metadata(folder).map_err(|error| unlisted(folder, &error))?;
        self.check_owner(folder, &metadata)
    }

    /// What a state says ends in `eval`: it must be the user's own word.
    fn check_owner(&self, path: &Path, metadata: &fs::Metadata) -> Result<()> {
        let fault = if metadata.uid() != self.uid {
            format!("belongs to user {}", metadata.uid())
        } else if metadata.mode() & OTHERS_WRITE != 0 {
            "can be written by others".to_owned()
        } else {
            return Ok(());
        };
        let message = format!("{} {fault}, and is not trusted", path.display());
        let shown = path.display();
        let hint = match metadata.uid() {
            owner if owner == self.uid => format!("if it is yours: chmod go-w '{shown}'"),
            0 => format!(
                "root has made it: `sudo chown -R {} '{shown}'` makes it yours",
                self.uid
            ),
            _ => OWN_HOME.to_owned(),
        };
        Err(Error::new(Kind::State, message).hint(hint))
    }
}

pub(super) fn unwritable(path: &Path, error: &std::io::Error) -> Error {
    Error::new(
        Kind::State,
        format!("cannot write {}: {error}", path.display()),
    )
    .hint("check the folder and its disk, or name another in CTR_STATE_DIR")
}

/// A folder of states that is there, and whose files cannot be told.
pub(super) fn unlisted(folder: &Path, error: &std::io::Error) -> Error {
    let message = format!("cannot read {}: {error}", folder.display());
    Error::new(Kind::State, message).hint(way_to_read(error))
}

/// What is to be done where a file or folder of states cannot be read.
fn way_to_read(error: &std::io::Error) -> &'static str {
    match error.raw_os_error() {
        // Also where the ticket for a home on another machine has expired.
        Some(nix::libc::EACCES | nix::libc::EPERM) => {
            "you must be allowed to read it and the folders above; on a home that wants a ticket: kinit"
        }
        Some(nix::libc::ENOTDIR) => "CTR_STATE_DIR is to name a folder",
        Some(nix::libc::EMFILE | nix::libc::ENFILE) => "raise the limit on open files: ulimit -n",
        Some(nix::libc::ELOOP) => "it must be a file of your own, and no link",
        _ => "check the folder and its disk, or name another in CTR_STATE_DIR",
    }
}
