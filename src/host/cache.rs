//! Answers that are slow to get and stay true as long as a file does not change.

use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::bounds::RECORD;
use crate::error::Result;
use crate::host::context::Context;
use crate::host::{ownership, regular_file, stable_hash};

/// A folder of remembered answers, in the user's cache. It can be lost at any time.
#[derive(Debug, Clone)]
pub struct Cache {
    folder: PathBuf,
    home: PathBuf,
    uid: u32,
}

/// One answer and the file that it is true of.
#[derive(Serialize, Deserialize)]
struct Entry<T> {
    path: PathBuf,
    size: u64,
    modified: (i64, i64),
    answer: T,
}

impl Cache {
    /// The memory of this user.
    pub fn new(context: &Context) -> Self {
        Cache {
            folder: context.cache_home().join("ctr"),
            home: context.home.clone(),
            uid: context.uid,
        }
    }

    /// A folder in it for what is kept there as files of their own, there or not.
    pub fn folder(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// The same, made when it is missing, which nobody else can put anything into.
    ///
    /// # Errors
    /// It cannot be made, is a link, belongs to another, or is in the home of another.
    pub fn private_folder(&self, name: &str) -> Result<PathBuf> {
        self.make()?;
        let folder = self.folder(name);
        ownership::make(&folder, self.uid)?;
        Ok(folder)
    }

    fn make(&self) -> Result<()> {
        ownership::check_place(&self.folder, &self.home, self.uid)?;
        ownership::make(&self.folder, self.uid)
    }

    /// True for a file that this user alone can have written.
    pub fn is_own(&self, file: &Path) -> bool {
        ownership::is_own_file(file, self.uid)
    }

    /// The answer to `question` about the file at `path`: remembered while the file's path, size
    /// and time of change are the same, else asked again. A memory that cannot be written is no
    /// failure.
    pub fn get_or_compute<T: Serialize + DeserializeOwned>(
        &self,
        question: &str,
        path: &Path,
        ask: impl FnOnce() -> Result<T>,
    ) -> Result<T> {
        let Ok(metadata) = std::fs::metadata(path) else {
            return ask();
        };
        let (size, modified) = (metadata.size(), (metadata.mtime(), metadata.mtime_nsec()));
        let key = stable_hash::of(&[question.as_bytes(), path.as_os_str().as_bytes()]);
        let file = self.folder.join(format!("{question}-{key}.json"));
        let known = ownership::is_own_file(&file, self.uid)
            .then(|| regular_file::read(&file, RECORD).ok())
            .flatten()
            .and_then(|bytes| serde_json::from_slice::<Entry<T>>(&bytes).ok())
            .filter(|entry| entry.path == path && entry.size == size && entry.modified == modified);
        if let Some(entry) = known {
            return Ok(entry.answer);
        }
        let entry = Entry {
            path: path.to_owned(),
            size,
            modified,
            answer: ask()?,
        };
        self.write(&file, &entry);
        Ok(entry.answer)
    }

    fn write<T: Serialize>(&self, file: &Path, entry: &Entry<T>) {
        if self.make().is_err() {
            return;
        }
        let _umask = ownership::OwnUmask::set();
        let attempt = || -> std::io::Result<()> {
            let mut temporary = tempfile::NamedTempFile::new_in(&self.folder)?;
            serde_json::to_writer(&mut temporary, entry)?;
            temporary.persist(file)?;
            Ok(())
        };
        // Asked again next time; nothing is lost.
        let _ = attempt();
    }
}
