//! What is in an ext3 overlay: who owns it, and what lies at its top.

use std::path::Path;

use ext4_view::{Ext4, Ext4Error};

use crate::error::{Error, Kind, Result};

/// `/upper`, the folder that Apptainer mounts from an ext3 overlay.
#[derive(Debug, Default)]
pub struct Upper {
    /// Its owner; `None` when it is not there yet.
    pub owner: Option<u32>,
    /// The names in it, but for those of empty folders.
    pub names: Vec<String>,
}

/// Looks at `/upper`.
///
/// # Errors
/// The file is not an ext2, ext3 or ext4 image, or is damaged.
pub fn upper(path: &Path) -> Result<Upper> {
    const UPPER: &str = "/upper";
    let damaged = |error: Ext4Error| {
        Error::new(
            Kind::Setup,
            format!("{} is not an ext3 image: {error}", path.display()),
        )
        .hint("make it again with `apptainer overlay create`")
    };
    let image = Ext4::load_from_path(path).map_err(damaged)?;
    let owner = match image.metadata(UPPER) {
        Ok(metadata) => Some(metadata.uid()),
        Err(Ext4Error::NotFound) => return Ok(Upper::default()),
        Err(error) => return Err(damaged(error)),
    };
    let is_empty = |path: &[u8]| {
        let inside = ext4_view::Path::try_from(path).ok();
        let entries = inside.and_then(|path| image.read_dir(path).ok());
        entries.is_some_and(|entries| !entries.flatten().any(|entry| !is_dots(&entry)))
    };
    let entries = image.read_dir(UPPER).map_err(damaged)?.flatten();
    let names = entries
        .filter(|entry| !is_dots(entry) && !is_empty(entry.path().as_ref()))
        .filter_map(|entry| Some(entry.file_name().as_str().ok()?.to_owned()));
    Ok(Upper {
        owner,
        names: names.collect(),
    })
}

fn is_dots(entry: &ext4_view::DirEntry) -> bool {
    let name = entry.file_name();
    name == "." || name == ".."
}
