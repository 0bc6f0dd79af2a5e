//! Who owns the files in an ext3 overlay.

use std::path::Path;

use ext4_view::{Ext4, Ext4Error};

use crate::error::{Error, Kind, Result};

/// The owner of `/upper`, the folder that Apptainer mounts from an ext3 overlay; `None` when it
/// is not there yet.
///
/// # Errors
/// The file is not an ext2, ext3 or ext4 image, or is damaged.
pub fn upper_owner(path: &Path) -> Result<Option<u32>> {
    let damaged = |error: Ext4Error| {
        Error::new(
            Kind::Setup,
            format!("{} is not an ext3 image: {error}", path.display()),
        )
        .hint("make it again with `apptainer overlay create`")
    };
    let image = Ext4::load_from_path(path).map_err(damaged)?;
    match image.metadata("/upper") {
        Ok(metadata) => Ok(Some(metadata.uid())),
        Err(Ext4Error::NotFound) => Ok(None),
        Err(error) => Err(damaged(error)),
    }
}
