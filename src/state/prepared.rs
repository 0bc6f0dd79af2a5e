//! States that are written beside the file that they are to replace.

use std::fs::{self, File};
use std::path::PathBuf;

use super::store::unwritable;
use super::{State, Store};
use crate::bounds::RECORD;
use crate::error::Result;
use crate::host::regular_file;
use crate::names::InstanceName;

/// A state that is written, and not yet in force; dropping it leaves all as it was.
#[derive(Debug)]
#[must_use = "it is in force only after .commit()"]
pub struct Prepared {
    pub(super) folder: PathBuf,
    pub(super) file: PathBuf,
    pub(super) temporary: PathBuf,
}

impl Prepared {
    /// Puts it in the place of the file that was there.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub fn commit(self) -> Result<()> {
        let replace = || {
            fs::rename(&self.temporary, &self.file)?;
            File::open(&self.folder)?.sync_all()
        };
        replace().map_err(|error| unwritable(&self.file, &error))
    }
}

impl Drop for Prepared {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.temporary); // gone, when it is in force
    }
}

impl Store {
    /// The names of instances of which a state was written and is not in force: another `ctr` is about to
    /// do that, or was killed before. With the state, where it is whole.
    pub fn unfinished(&self) -> Vec<(String, Option<State>)> {
        let files = fs::read_dir(self.folder()).into_iter().flatten().flatten();
        let mut found: Vec<_> = files
            .filter_map(|file| {
                let file_name = file.file_name().into_string().ok()?;
                let name = file_name.strip_prefix('.')?.strip_suffix(".new")?;
                name.parse::<InstanceName>().ok()?;
                let bytes = regular_file::read(&file.path(), RECORD).ok();
                let state = bytes.and_then(|bytes| State::from_json(&bytes).ok());
                Some((name.to_owned(), state))
            })
            .collect();
        found.sort_by(|(a, _), (b, _)| a.cmp(b));
        found
    }

    /// Removes what was written of a state and is not in force, under the lock of its instance.
    ///
    /// # Errors
    /// It cannot be removed.
    pub fn remove_unfinished(&self, name: &str) -> Result<()> {
        let file = self.temporary(name);
        fs::remove_file(&file).map_err(|error| unwritable(&file, &error))
    }
}
