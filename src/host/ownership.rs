//! Folders and files that nobody but the user can have written: what is in them is run, or evaluated.

use std::fs::{self, DirBuilder, Metadata, Permissions};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use nix::sys::stat::{Mode, umask};
use nix::unistd::{Gid, Group, Uid, User};

use crate::error::{Error, Kind, Result};

/// Rights of others to anything.
const OTHERS: u32 = 0o077;
const OTHERS_WRITE: u32 = 0o022;
/// In such a folder only the owner of a file renames it.
const STICKY: u32 = 0o1000;

/// What is to be done by whoever has another's home.
pub const OWN_HOME: &str = "run it as that user, or with a HOME of your own (`sudo -H`, `su -`)";

/// While it is there, what is made is for its owner, and whole: a caller's umask may take from the owner
/// too, and what `ctr` cannot read again it could not use.
pub struct OwnUmask(Mode);

impl OwnUmask {
    /// Sets it, until it is dropped.
    pub fn set() -> Self {
        OwnUmask(umask(Mode::from_bits_truncate(OTHERS)))
    }

    /// The same for what others may read, as the files of an image.
    pub fn for_readers() -> Self {
        OwnUmask(umask(Mode::from_bits_truncate(OTHERS_WRITE)))
    }
}

impl Drop for OwnUmask {
    fn drop(&mut self) {
        umask(self.0);
    }
}

/// Refuses a place in the home of another, there or not: whoever makes a folder there that is not the
/// owner, root above all, locks the owner out.
///
/// # Errors
/// Names the user.
pub fn check_place(folder: &Path, home: &Path, uid: u32) -> Result<()> {
    let known = folder
        .ancestors()
        .find_map(|part| Some((part, fs::metadata(part).ok()?)));
    let Some((part, metadata)) = known else {
        return Ok(()); // whoever makes something there finds out
    };
    let owner = metadata.uid();
    // Others have folders that several may write to, which are as good a place as any.
    let is_for_several = uid != 0 && !folder.starts_with(home);
    if is_for_several || [uid, 0].contains(&owner) {
        return Ok(());
    }
    let message = format!(
        "{} belongs to user {owner}, and nothing is made there for another",
        part.display()
    );
    Err(Error::new(Kind::Io, message).hint(OWN_HOME))
}

/// Why a file that leads to programs is not taken at its word; `None` where only the user or root can
/// have written it. Of a link, that goes for the folder that it is in and for what it stands for. What
/// is not there, or no file, says nothing.
pub fn fault_of_file(path: &Path, uid: u32) -> Option<Error> {
    let target = path.canonicalize().ok().filter(|target| target.is_file())?;
    let folders = [path.parent(), target.parent()].into_iter().flatten();
    let mut parts = folders.map(Path::to_owned).chain([target.clone()]);
    parts.find_map(|part: PathBuf| {
        let metadata = fs::metadata(&part).ok()?;
        let owner = metadata.uid();
        let shown = part.display();
        let error = |fault: String, hint: String| {
            let message = format!("{shown} {fault}, and is not trusted");
            Some(Error::new(Kind::Config, message).hint(hint))
        };
        if ![uid, 0].contains(&owner) {
            return error(format!("belongs to user {owner}"), OWN_HOME.to_owned());
        }
        let is_open = match metadata.is_dir() {
            true => !is_closed(metadata.mode()),
            false => metadata.mode() & OTHERS_WRITE != 0,
        };
        match is_open && !is_open_to_its_owner_alone(&metadata) {
            true => error(
                "can be written by others".to_owned(),
                format!("chmod go-w '{shown}'"),
            ),
            false => None,
        }
    })
}

/// True where the group that may write has nobody in it but the owner: many systems give each user such
/// a group, and a umask that lets it write.
fn is_open_to_its_owner_alone(metadata: &Metadata) -> bool {
    const ANYBODY_WRITES: u32 = 0o002;
    let owner = || User::from_uid(Uid::from_raw(metadata.uid())).ok().flatten();
    let group = || {
        Group::from_gid(Gid::from_raw(metadata.gid()))
            .ok()
            .flatten()
    };
    metadata.mode() & ANYBODY_WRITES == 0
        && owner().zip(group()).is_some_and(|(owner, group)| {
            let is_other = |member: &String| *member != owner.name;
            owner.gid == group.gid && owner.name == group.name && !group.mem.iter().any(is_other)
        })
}

/// Makes a folder for its owner only, and those above it; one that is there is closed to others.
///
/// # Errors
/// It cannot be made, is a link or belongs to another.
pub fn make(folder: &Path, uid: u32) -> Result<()> {
    let _umask = OwnUmask::set();
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
