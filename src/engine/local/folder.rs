//! A folder that shows itself to no one outside, seen by going there.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

use crate::bounds::LOOK_INSIDE;
use crate::engine::local::target::Target;
use crate::engine::{Engine, Folder, Process};

impl Engine<'_> {
    /// What a folder of the host is inside, seen by going there: for files that show themselves to no one
    /// outside. [`Folder::Unknown`] where that cannot be told either.
    pub fn folder_from_inside(&self, process: &Process, path: &Path) -> Folder {
        let own = identity_of(path);
        let look = || std::env::set_current_dir(path).map(|()| identity_of(Path::new(".")));
        let target = Target::open(process, &self.context.pid_scope).ok();
        let seen = target.and_then(|target| {
            let look = || look().map_err(|error| error.raw_os_error());
            target.ask_inside(LOOK_INSIDE, look).ok()
        });
        match seen {
            Some(Ok(seen)) if seen == own => Folder::Same,
            Some(Ok(_)) => Folder::Other,
            Some(Err(Some(nix::libc::ENOENT | nix::libc::ENOTDIR))) => Folder::Missing,
            Some(Err(Some(nix::libc::EACCES))) => Folder::Closed,
            _ => Folder::Unknown,
        }
    }
}

/// What tells a folder from every other, as long as it is there.
fn identity_of(path: &Path) -> Option<(u64, u64)> {
    let metadata = std::fs::metadata(path).ok()?;
    Some((metadata.dev(), metadata.ino()))
}
