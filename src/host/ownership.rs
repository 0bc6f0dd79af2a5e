//! Folders and files that nobody but the user can have written: what is in them is run, or evaluated.

use std::fs::{self, DirBuilder, Permissions};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::Path;

use crate::error::{Error, Kind, Result};

/// Rights of others to anything.
const OTHERS: u32 = 0o077;
const OTHERS_WRITE: u32 = 0o022;
/// In such a folder only the owner of a file renames it.
const STICKY: u32 = 0o1000;

/// Makes a folder for its owner only, and those above it; one that is there is closed to others.
///
/// # Errors
/// It cannot be made, is a link or belongs to another.
pub fn make(folder: &Path, uid: u32) -> Result<()> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .map_err(|error| Error::io(format!("cannot make {}", folder.display()), error))?;
    let metadata = fs::symlink_metadata(folder)
        .map_err(|error| Error::io(format!("cannot look at {}", folder.display()), error))?;
    if metadata.is_dir() && metadata.uid() == uid && metadata.mode() & OTHERS != 0 {
        fs::set_permissions(folder, Permissions::from_mode(0o700))
            .map_err(|error| Error::io(format!("cannot close {}", folder.display()), error))?;
    }
    check(folder, uid)
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
    } else if metadata.mode() & OTHERS != 0 {
        "is open to others"
    } else {
        return Ok(());
    };
    let message = format!("{} {fault}, and is not used", folder.display());
    Err(Error::new(Kind::Io, message).hint("move it to another place"))
}

/// True for a folder in which nobody but the user and root can put another in the place of one that
/// is there.
pub fn is_safe_above(folder: &Path, uid: u32) -> bool {
    fs::metadata(folder).is_ok_and(|metadata| {
        metadata.is_dir() && [uid, 0].contains(&metadata.uid()) && is_closed(metadata.mode())
    })
}

/// True for a folder that others cannot write to, or in which they can only move what is theirs.
pub fn is_closed(mode: u32) -> bool {
    mode & OTHERS_WRITE == 0 || mode & STICKY != 0
}

/// True for a file, no link, that belongs to the user and that others may not write.
pub fn is_own_file(file: &Path, uid: u32) -> bool {
    fs::symlink_metadata(file).is_ok_and(|metadata| {
        metadata.is_file() && metadata.uid() == uid && metadata.mode() & OTHERS_WRITE == 0
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_may_write_to_is_closed_or_not_used() {
        let top = tempfile::tempdir().unwrap();
        let uid = fs::metadata(top.path()).unwrap().uid();
        let mode = |path: &Path, mode| {
            fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
        };
        let folder = top.path().join("ctr");
        make(&folder, uid).unwrap();
        let file = folder.join("file");
        fs::write(&file, "").unwrap();
        for (of_folder, of_file) in [(0o770, 0o664), (0o757, 0o646), (0o2775, 0o660)] {
            mode(&folder, of_folder);
            mode(&file, of_file);
            assert!(check(&folder, uid).is_err() && !is_own_file(&file, uid));
            assert!(!is_safe_above(&folder, uid), "{of_folder:o}");
            make(&folder, uid).unwrap();
            assert!(check(&folder, uid).is_ok());
            assert!(!is_own_file(&file, uid), "nobody knows what is in it");
        }
        mode(&file, 0o644);
        assert!(is_own_file(&file, uid) && !is_own_file(&file, uid + 1));
        assert!(make(&folder, uid + 1).is_err());
        mode(&folder, 0o1777);
        assert!(is_safe_above(&folder, uid));
        let link = top.path().join("link");
        std::os::unix::fs::symlink("ctr/file", &link).unwrap();
        assert!(!is_own_file(&link, uid) && check(&link, uid).is_err());
    }
}
