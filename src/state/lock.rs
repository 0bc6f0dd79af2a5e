//! One lock per instance, around start and stop.

use std::fs::{self, File};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};

use crate::error::{Error, Kind, Result};

/// How long another command on the same instance is waited for: a start may pull an image, so
/// this is no limit on work, only on waiting.
const PATIENCE: Duration = Duration::from_secs(30);
const LOOK: Duration = Duration::from_millis(20);

/// A lock that is held; dropping it frees it and leaves no file.
#[derive(Debug)]
pub struct Lock {
    path: PathBuf,
    _held: Flock<File>,
}

impl Lock {
    /// Waits for the lock at `path`, a file of its own: a rename replaces the state file's inode.
    ///
    /// # Errors
    /// The folder cannot be written; another command holds the lock for long.
    pub fn take(path: &Path, name: &str) -> Result<Self> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(lock) = Lock::attempt(path)? {
                return Ok(lock);
            }
            if Instant::now() > deadline {
                let message = format!("another ctr command is at work on `{name}`");
                return Err(Error::new(Kind::InUse, message).hint("wait until it is done"));
            }
            std::thread::sleep(LOOK);
        }
    }

    /// Takes the lock when it is free.
    ///
    /// # Errors
    /// The lock's file cannot be made.
    pub fn attempt(path: &Path) -> Result<Option<Self>> {
        let failed = |error: &dyn std::fmt::Display| {
            let message = format!("cannot lock {}: {error}", path.display());
            Error::new(Kind::State, message)
                .hint("check the folder and its disk, or name another in CTR_STATE_DIR")
        };
        let file = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o600)
            .custom_flags(nix::libc::O_NOFOLLOW)
            .open(path)
            .map_err(|error| failed(&error))?;
        let held = match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
            Ok(held) => held,
            Err((_, Errno::EWOULDBLOCK)) => return Ok(None),
            Err((_, error)) => return Err(failed(&error)),
        };
        // The holder before may have removed the file meanwhile; then this lock guards nothing.
        let same = match (held.metadata(), fs::metadata(path)) {
            (Ok(own), Ok(there)) => (own.dev(), own.ino()) == (there.dev(), there.ino()),
            _ => false,
        };
        Ok(same.then(|| Lock {
            path: path.to_owned(),
            _held: held,
        }))
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Before it is freed, so that whoever waits for it sees another file, or none.
        let _ = fs::remove_file(&self.path);
    }
}
