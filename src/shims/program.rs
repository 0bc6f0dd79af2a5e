//! The program that shims lead to.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use crate::engine::answers;
use crate::error::{Error, Result};
use crate::host::context::{Context, is_same_file};
use crate::names::PROGRAM;

/// What Linux appends to the path of a program whose file was replaced or removed (`proc(5)`).
const GONE: &[u8] = b" (deleted)";

/// The path for a link to this program: the one on `PATH` rather than the file that this leads to,
/// which may have the version in it and go with the next one.
///
/// # Errors
/// It cannot be found out.
pub fn path(context: &Context) -> Result<PathBuf> {
    let own = std::env::current_exe()
        .map_err(|error| Error::io("cannot find the path of this program", error))?;
    let own = without_mark(&own);
    let on_path = answers::find_program(PROGRAM, context);
    Ok(match on_path.filter(|path| is_same_file(path, own)) {
        Some(path) => path,
        None => own.to_owned(),
    })
}

/// Where a link leads that was made for a shim; `None` for anything else. It may have been made by
/// another version, elsewhere, which is told by its name.
pub fn target(link: &Path) -> Option<PathBuf> {
    let target = fs::read_link(link).ok()?;
    let is_own = without_mark(&target).file_name() == Some(OsStr::new(PROGRAM));
    is_own.then_some(target)
}

fn without_mark(path: &Path) -> &Path {
    let bytes = path.as_os_str().as_bytes();
    Path::new(OsStr::from_bytes(bytes.strip_suffix(GONE).unwrap_or(bytes)))
}
