//! The node-local folder for what shells look at: never on a home, which may be NFS and hang.
//! It can be lost at any time and is made again.

use std::fs::{self, DirBuilder};
use std::io::ErrorKind;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

use crate::context::Context;
use crate::error::{Error, Kind, Result};

/// The folder of an instance's shims, made when it is missing.
///
/// # Errors
/// There is no private folder on this host.
pub fn shim_folder(context: &Context, name: &str) -> Result<PathBuf> {
    let folder = private_folder(context)?.join("shims").join(name);
    make(&folder)?;
    Ok(folder)
}

/// Removes an instance's shims.
pub fn remove_shims(context: &Context, name: &str) {
    if let Ok(folder) = private_folder(context) {
        let _ = fs::remove_dir_all(folder.join("shims").join(name));
    }
}

/// `$XDG_RUNTIME_DIR/ctr`, else `/tmp/ctr-<uid>`, made when it is missing.
///
/// # Errors
/// It is a link, belongs to another, or others may enter it: they could put programs in it.
pub fn private_folder(context: &Context) -> Result<PathBuf> {
    let folder = context
        .setting("XDG_RUNTIME_DIR")
        .map(PathBuf::from)
        .filter(|folder| folder.is_absolute() && folder.is_dir())
        .map_or_else(
            || PathBuf::from(format!("/tmp/ctr-{}", context.uid)),
            |folder| folder.join("ctr"),
        );
    match DirBuilder::new().mode(0o700).create(&folder) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => {
            return Err(unmade(&folder, error));
        }
        _ => {} // whatever is there now is looked at
    }
    let metadata = fs::symlink_metadata(&folder)
        .map_err(|error| Error::io(format!("cannot look at {}", folder.display()), error))?;
    let fault = if !metadata.is_dir() {
        "is not a folder"
    } else if metadata.uid() != context.uid {
        "belongs to another user"
    } else if metadata.mode() & 0o077 != 0 {
        "is open to others"
    } else {
        return Ok(folder);
    };
    Err(
        Error::new(Kind::Io, format!("{} {fault}", folder.display()))
            .hint("remove it, or set XDG_RUNTIME_DIR to a private folder of this host"),
    )
}

fn make(folder: &Path) -> Result<()> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .map_err(|error| unmade(folder, error))
}

fn unmade(folder: &Path, error: std::io::Error) -> Error {
    Error::io(format!("cannot make {}", folder.display()), error)
}
