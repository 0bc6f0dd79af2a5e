//! The node-local folder for what shells look at: never on a home, which may be NFS and hang.
//! It can be lost at any time and is made again.

use std::fs::{self, DirBuilder};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::unistd::{AccessFlags, access};
use tempfile::NamedTempFile;

use crate::context::Context;
use crate::error::{Error, Kind, Result};

/// How long code may lie before a shell reads it. That happens at once, and it removes the file; what
/// was printed and never evaluated is not kept for good.
const LONGEST_WAIT: Duration = Duration::from_secs(3600);

/// A new file, for its owner only, with code for a shell that reads it once. `content` is told where.
///
/// # Errors
/// There is no private folder on this host, or it is full.
pub fn code_file(context: &Context, content: impl FnOnce(&Path) -> Vec<u8>) -> Result<PathBuf> {
    let folder = private_folder(context)?.join("code");
    make(&folder)?;
    remove_old(&folder);
    let mut file = temporary(&folder)?;
    let path = file.path().to_owned();
    let written = file.write_all(&content(&path));
    written.map_err(|error| cannot_write(&path, error))?;
    file.keep()
        .map_err(|error| cannot_write(&path, error.error))?;
    Ok(path)
}

fn remove_old(folder: &Path) {
    let is_old = |path: &PathBuf| {
        let written = fs::metadata(path).and_then(|metadata| metadata.modified());
        written.is_ok_and(|time| time.elapsed().is_ok_and(|age| age > LONGEST_WAIT))
    };
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    for path in entries.map(|entry| entry.path()).filter(is_old) {
        let _ = fs::remove_file(path);
    }
}

/// The file that stands for the `ctr` function where a shell's functions cannot do its work; written
/// when it is missing or another.
///
/// # Errors
/// There is no private folder on this host, or it is full.
pub fn command_file(context: &Context, content: &[u8]) -> Result<PathBuf> {
    let path = private_folder(context)?.join("command.tcsh");
    if !fs::read(&path).is_ok_and(|there| there == content) {
        write(&path, content)?;
    }
    Ok(path)
}

/// Writes a file for its owner only, whole or not at all.
///
/// # Errors
/// The folder cannot be written, or is full.
pub fn write(path: &Path, content: &[u8]) -> Result<()> {
    let mut file = temporary(path.parent().unwrap_or(path))?;
    let written = file.write_all(content);
    written.map_err(|error| cannot_write(path, error))?;
    file.persist(path)
        .map_err(|error| cannot_write(path, error.error))?;
    Ok(())
}

fn temporary(folder: &Path) -> Result<NamedTempFile> {
    NamedTempFile::new_in(folder).map_err(|error| cannot_write(folder, error))
}

fn cannot_write(path: &Path, error: std::io::Error) -> Error {
    Error::io(format!("cannot write {}", path.display()), error)
}

/// `$XDG_RUNTIME_DIR/ctr`, else `/run/user/<uid>/ctr` where there is such a folder (jobs of `cron` are
/// not told of it), else `/tmp/ctr-<uid>`; made when it is missing. For a shim, the one that it is in.
///
/// # Errors
/// It is a link, belongs to another, or others may enter it: they could put programs in it.
pub fn private_folder(context: &Context) -> Result<PathBuf> {
    if let Some(shim) = &context.shim {
        return Ok(shim.private_folder.clone());
    }
    let folder = candidates(context).into_iter().find(|folder| {
        let above = folder.parent().unwrap_or(folder);
        above.is_dir() && access(above, AccessFlags::W_OK).is_ok()
    });
    let folder = folder.unwrap_or_else(|| in_tmp(context));
    match DirBuilder::new().mode(0o700).create(&folder) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => {
            return Err(unmade(&folder, error));
        }
        _ => {} // whatever is there now is looked at
    }
    check(&folder, context.uid)?;
    Ok(folder)
}

/// Every such folder that this user has here: other sessions may have had another.
pub fn private_folders(context: &Context) -> Vec<PathBuf> {
    let mut folders = candidates(context);
    folders.push(in_tmp(context));
    folders.dedup();
    folders.retain(|folder| check(folder, context.uid).is_ok());
    folders
}

fn candidates(context: &Context) -> Vec<PathBuf> {
    let named = context.setting("XDG_RUNTIME_DIR").map(PathBuf::from);
    let usual = PathBuf::from(format!("/run/user/{}", context.uid));
    let folders = named.into_iter().filter(|named| named.is_absolute());
    folders
        .chain([usual])
        .map(|folder| folder.join("ctr"))
        .collect()
}

fn in_tmp(context: &Context) -> PathBuf {
    format!("/tmp/ctr-{}", context.uid).into()
}

/// Refuses a folder in which others could put programs.
///
/// # Errors
/// It is not there, is a link, belongs to another, or others may enter it.
pub fn check(folder: &Path, uid: u32) -> Result<()> {
    let metadata = fs::symlink_metadata(folder)
        .map_err(|error| Error::io(format!("cannot look at {}", folder.display()), error))?;
    let fault = if !metadata.is_dir() {
        "is not a folder"
    } else if metadata.uid() != uid {
        "belongs to another user"
    } else if metadata.mode() & 0o077 != 0 {
        "is open to others"
    } else {
        return Ok(());
    };
    Err(
        Error::new(Kind::Io, format!("{} {fault}", folder.display()))
            .hint("remove it, or set XDG_RUNTIME_DIR to a private folder of this host"),
    )
}

/// Makes a folder for its owner only, and those above it.
pub fn make(folder: &Path) -> Result<()> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .map_err(|error| unmade(folder, error))
}

fn unmade(folder: &Path, error: std::io::Error) -> Error {
    Error::io(format!("cannot make {}", folder.display()), error)
}
