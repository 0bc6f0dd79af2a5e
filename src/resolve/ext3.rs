//! What is in an ext3 overlay: who owns it, and what lies at its top.

use std::path::Path;

use ext4_view::{Ext4, Ext4Error};

use crate::error::{Error, Kind, Result};
use crate::plan::{AtTop, Form};

/// `/upper`, the folder that Apptainer mounts from an ext3 overlay.
#[derive(Debug, Default)]
pub struct Upper {
    /// Its owner; `None` when it is not there yet.
    pub owner: Option<u32>,
    /// What is in it.
    pub entries: Vec<AtTop>,
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
    let entries = image.read_dir(UPPER).map_err(damaged)?.flatten();
    let at_top = |entry: ext4_view::DirEntry| {
        let name = entry.file_name().as_str().ok()?.to_owned();
        let form = form(&image, &entry).unwrap_or(Form::Other);
        Some(AtTop { name, form })
    };
    let entries = entries.filter(|entry| !is_dots(entry));
    Ok(Upper {
        owner,
        entries: entries.filter_map(at_top).collect(),
    })
}

fn form(image: &Ext4, entry: &ext4_view::DirEntry) -> std::result::Result<Form, Ext4Error> {
    let (kind, path) = (entry.file_type()?, entry.path());
    if kind.is_symlink() {
        let target = image.read_link(&path)?;
        return Ok(Form::Link(target.display().to_string()));
    }
    if !kind.is_dir() {
        return Ok(Form::Other);
    }
    let mut within = image.read_dir(&path)?.flatten();
    Ok(match within.all(|entry| is_dots(&entry)) {
        true => Form::EmptyFolder,
        false => Form::Folder,
    })
}

fn is_dots(entry: &ext4_view::DirEntry) -> bool {
    let name = entry.file_name();
    name == "." || name == ".."
}
