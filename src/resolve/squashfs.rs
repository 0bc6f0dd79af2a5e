//! What a squashfs overlay brings, read from its inode table.

use std::path::{Component, Path};

use backhand::{FilesystemReader, InnerNode};

use super::overlays::Found;
use crate::bounds::CONTENTS;
use crate::engine;
use crate::error::{Error, Kind, Result};
use crate::memory::Memory;
use crate::regular;

/// The folders of programs that an overlay adds to `PATH`, as paths inside.
///
/// `/cnt/<name>/<version>/bin` for an overlay that is named so; when its content is named
/// otherwise, each such folder that it holds. Data overlays (more than one slash in the name)
/// add nothing.
///
/// # Errors
/// The file is not a squashfs, or is damaged.
pub fn bin_folders(overlay: &Found, memory: &Memory) -> Result<Vec<String>> {
    let inside = memory.recall("squashfs", &overlay.path, || {
        // A file that is no squashfs may say that it has more than there is memory.
        engine::ask(CONTENTS, || read_bin_folders(&overlay.path))
            .unwrap_or_else(|| Err("its contents cannot be read".to_owned()))
            .map_err(|why| not_squashfs(&overlay.path, &why))
    })?;
    if overlay.name.matches('/').count() > 1 {
        return Ok(Vec::new());
    }
    let named = format!("/cnt/{}/bin", overlay.name);
    Ok(if inside.contains(&named) {
        vec![named]
    } else {
        inside
    })
}

/// Every `/cnt/<name>/<version>/bin` in the image. The whole inode table is read for it: 11 ms
/// for 20,000 files, hence the memory.
fn read_bin_folders(path: &Path) -> std::result::Result<Vec<String>, String> {
    let file = regular::open(path).map_err(|error| error.to_string())?;
    let image = FilesystemReader::from_reader(std::io::BufReader::new(file))
        .map_err(|error| error.to_string())?;
    Ok(image
        .files()
        .filter(|node| matches!(node.inner, InnerNode::Dir(_)))
        .filter(|node| is_bin_folder(&node.fullpath))
        .filter_map(|node| node.fullpath.to_str().map(str::to_owned))
        .collect())
}

fn not_squashfs(path: &Path, why: &str) -> Error {
    let message = format!("{} is not a squashfs image: {why}", path.display());
    Error::new(Kind::Setup, message).hint("make it again with mksquashfs")
}

fn is_bin_folder(path: &Path) -> bool {
    let parts: Vec<_> = path
        .components()
        .filter(|part| *part != Component::RootDir)
        .map(|part| part.as_os_str())
        .collect();
    parts.len() == 4 && parts[0] == "cnt" && parts[3] == "bin"
}
