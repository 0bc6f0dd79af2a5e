//! Is an image in use? Asked the way Apptainer's own processes answer.

use std::fs::File;
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use nix::fcntl::{FcntlArg, fcntl};
use nix::libc;

use crate::error::{Error, Kind, Result};
use crate::host::regular_file;

/// What an image is opened for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    Read,
    Write,
}

impl Access {
    /// The access that a flag for writing stands for.
    pub fn of(writable: bool) -> Self {
        if writable {
            Access::Write
        } else {
            Access::Read
        }
    }
}

/// How long the remains of an instance that is replaced are waited for.
const TIMEOUT: Duration = Duration::from_secs(5);
const POLL_INTERVAL: Duration = Duration::from_millis(20);

/// Who may hold an image.
pub struct Holders<'a> {
    /// Names the instances that hold an image, as far as `ctr` knows of them.
    pub find: &'a dyn Fn(&Path) -> Vec<String>,
    /// Ends what dead instances have left that hold an image; false when there is nothing of that kind.
    pub end_what_is_left: &'a dyn Fn(&Path) -> bool,
    /// The instance whose hold does not count, since it is about to be stopped or has ended.
    pub replaced: Option<&'a str>,
}

/// Refuses an image that another process has open in a way that excludes `access`.
///
/// Apptainer holds an open-file-description lock for the instance's life, which `flock` does not
/// see; `F_OFD_GETLK` does, and takes nothing.
///
/// # Errors
/// The image is in use; it cannot be opened for this access.
pub fn probe(path: &Path, access: Access, holders: &Holders) -> Result<()> {
    let shown = path.display();
    let mut options = File::options();
    options.read(true).write(access == Access::Write);
    let file = regular_file::open_with(&mut options, path).map_err(|error| {
        let error = Error::io(format!("cannot open {shown}"), error);
        match access {
            Access::Write => error.hint("use it read-only: leave out -w and `:rw`"),
            Access::Read => error,
        }
    })?;
    if is_free(&file, access, path)? {
        return Ok(());
    }
    let all = (holders.find)(path);
    let is_replaced = |holder: &String| Some(holder.as_str()) == holders.replaced;
    let holder = all.iter().find(|holder| !is_replaced(holder));
    if holder.is_none() && !all.is_empty() {
        return Ok(());
    }
    // Of one that was killed, the FUSE helper may be about to end.
    let ends = || (holders.end_what_is_left)(path) || holders.replaced.is_some();
    if holder.is_none() && ends() {
        let deadline = Instant::now() + TIMEOUT;
        while Instant::now() < deadline {
            sleep(POLL_INTERVAL);
            if is_free(&file, access, path)? {
                return Ok(());
            }
        }
    }
    let (message, remedy) = match access {
        Access::Write => (
            format!("can't open {shown} for writing, currently in use"),
            "use it read-only (`:ro`)",
        ),
        Access::Read => (
            format!("can't open {shown} for reading, currently in use for writing"),
            "wait until it is free",
        ),
    };
    Err(match holder {
        Some(name) => Error::new(Kind::InUse, format!("{message} by the instance `{name}`"))
            .hint(format!("`ctr stop {name}` frees it; or {remedy}")),
        None => Error::new(Kind::InUse, format!("{message} by another process"))
            .hint(format!("`fuser {shown}` names that process; or {remedy}")),
    })
}

fn is_free(file: &File, access: Access, path: &Path) -> Result<bool> {
    let mut question = libc::flock {
        l_type: match access {
            Access::Read => libc::F_RDLCK,
            Access::Write => libc::F_WRLCK,
        } as libc::c_short,
        l_whence: libc::SEEK_SET as libc::c_short,
        l_start: 0,
        l_len: 0,
        l_pid: 0,
    };
    fcntl(file, FcntlArg::F_OFD_GETLK(&mut question)).map_err(|error| {
        let doing = format!("cannot probe the lock of {}", path.display());
        Error::io(doing, error)
    })?;
    Ok(question.l_type == libc::F_UNLCK as libc::c_short)
}
