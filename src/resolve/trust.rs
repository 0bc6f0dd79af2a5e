//! Whose word a file is: what it says is exported in the user's shell.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Bit of a folder in which only an entry's owner may rename or remove it.
const STICKY: u32 = 0o1000;
const OTHERS_WRITE: u32 = 0o022;

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

fn is_below(path: &Path, folder: &Path) -> bool {
    folder
        .canonicalize()
        .is_ok_and(|folder| path.starts_with(folder))
}
