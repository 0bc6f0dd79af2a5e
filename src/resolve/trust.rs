//! Whose word a file is: what it says is exported in the user's shell.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Bit of a folder in which only an entry's owner may rename or remove it.
const STICKY: u32 = 0o1000;
const OTHERS_WRITE: u32 = 0o022;
const ALL_WRITE: u32 = 0o002;

/// Why the file at `path` is not to be trusted; `None` when it is.
///
/// It is when it lies in a folder of `trusted`, or when it and all folders above belong to the
/// user or root, and nobody else may write them. Of a link, that goes for the folder that it is in
/// and for what it stands for.
pub fn distrust(path: &Path, trusted: &[PathBuf], uid: u32) -> Option<String> {
    [path.parent().unwrap_or(path), path]
        .into_iter()
        .find_map(|path| fault_of(path, trusted, uid))
}

fn fault_of(path: &Path, trusted: &[PathBuf], uid: u32) -> Option<String> {
    let path = match path.canonicalize() {
        Ok(path) => path,
        Err(error) => return Some(format!("cannot resolve {}: {error}", path.display())),
    };
    if trusted.iter().any(|folder| is_below(&path, folder)) {
        return None;
    }
    path.ancestors()
        .find_map(|part| match std::fs::metadata(part) {
            Ok(metadata) => {
                fault(&metadata, uid).map(|fault| format!("{} {fault}", part.display()))
            }
            Err(error) => Some(format!("cannot look at {}: {error}", part.display())),
        })
}

fn fault(metadata: &Metadata, uid: u32) -> Option<String> {
    if metadata.uid() != 0 && metadata.uid() != uid {
        return Some(format!("belongs to user {}", metadata.uid()));
    }
    let shared = metadata.is_dir() && metadata.mode() & STICKY != 0;
    (metadata.mode() & OTHERS_WRITE != 0 && !shared).then(|| "can be written by others".to_owned())
}

/// Why a file beside an overlay has no say in what the overlay is inside, either; `None` when it has.
///
/// It has when it lies in a folder of `trusted`, or when its owner is the user, root or the overlay's: that
/// one could as well have put it into the overlay. What all may write is nobody's, unless the overlay is so
/// too. Rights of a group are given by the owner, who means those people. Of a link, all that goes for the
/// link and for what it stands for.
pub fn is_foreign(path: &Path, overlay: &Path, trusted: &[PathBuf], uid: u32) -> Option<String> {
    let looked_at = std::fs::metadata(overlay)
        .and_then(|overlay| Ok((overlay, std::fs::symlink_metadata(path)?)));
    let (of_overlay, own) = match looked_at {
        Ok(both) => both,
        Err(error) => return Some(format!("cannot be looked at ({error})")),
    };
    let place = path.parent().unwrap_or(path);
    let link = fault_beside(&own, &of_overlay, uid).filter(|_| !is_trusted(place, trusted));
    // The target of another's link is not even looked at.
    link.or_else(|| {
        let target = std::fs::metadata(path).ok()?;
        fault_beside(&target, &of_overlay, uid).filter(|_| !is_trusted(path, trusted))
    })
}

fn fault_beside(file: &Metadata, overlay: &Metadata, uid: u32) -> Option<String> {
    let owner = file.uid();
    if ![0, uid, overlay.uid()].contains(&owner) {
        return Some(format!("belongs to user {owner}, and the overlay does not"));
    }
    let open = |metadata: &Metadata| metadata.is_file() && metadata.mode() & ALL_WRITE != 0;
    (open(file) && !open(overlay)).then(|| "can be written by all, and the overlay cannot".into())
}

fn is_trusted(path: &Path, trusted: &[PathBuf]) -> bool {
    path.canonicalize()
        .is_ok_and(|path| trusted.iter().any(|folder| is_below(&path, folder)))
}

fn is_below(path: &Path, folder: &Path) -> bool {
    folder
        .canonicalize()
        .is_ok_and(|folder| path.starts_with(folder))
}
