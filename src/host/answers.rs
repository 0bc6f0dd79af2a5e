//! Does a path of the host answer? It may be on a file system whose server is down, which holds whoever
//! looks there, often beyond Ctrl-C. So another process looks first, where that can be.

use std::collections::BTreeSet;
use std::ffi::CString;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustix::fs::{CWD, Mode, OFlags, ResolveFlags, openat2};
use rustix::io::Errno;

use crate::bounds::{HOST_PATH, WANTED_FILE_SYSTEM};
use crate::engine::{Patience, open_each};
use crate::error::{Error, Kind, Result};
use crate::host::context::Context;
use crate::ui::output::Output;

const HINT: &str = "its file server may be down: try again when it is back";

/// How a caller waits for what does not answer.
#[derive(Debug, Clone, Copy)]
pub struct Waits {
    /// For a path that is needed.
    pub most: Duration,
    /// Somebody is at a terminal, and wants to know what is waited for.
    pub is_told: bool,
    /// What is passed over is said.
    pub says: bool,
}

impl Default for Waits {
    fn default() -> Self {
        Waits {
            most: HOST_PATH,
            is_told: false,
            says: true,
        }
    }
}

/// Those that did not answer once: nobody waits for them again.
static SILENT: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

/// Refuses a path that does not answer in the time that the caller has for what is needed.
///
/// # Errors
/// Names it.
pub fn check(path: &Path, context: &Context) -> Result<()> {
    match answers_within(path, context.waits.most, context) {
        true => Ok(()),
        false => Err(no_answer(path)),
    }
}

/// What is said of a path that does not answer.
pub fn no_answer(path: &Path) -> Error {
    let message = format!("{} does not answer", path.display());
    Error::new(Kind::Io, message).hint(HINT)
}

/// True for a path that answers soon; nothing is said of another.
pub fn is_quick(path: &Path, context: &Context) -> bool {
    answers_within(path, context.waits.most.min(WANTED_FILE_SYSTEM), context)
}

/// True for a path that answers soon; of another it is said, once, that it is passed over.
pub fn passes(path: &Path, context: &Context) -> bool {
    all_passed_over(&[path.to_owned()], context).is_empty()
}

/// Those of several paths that do not answer soon; it is said, once, that they are passed over.
pub fn all_passed_over<'a>(paths: &'a [PathBuf], context: &Context) -> Vec<&'a PathBuf> {
    let is_known: Vec<bool> = paths.iter().map(|path| is_silent(path)).collect();
    let silent = silent_within(paths, context.waits.most.min(WANTED_FILE_SYSTEM), context);
    for (path, is_known) in paths.iter().zip(is_known) {
        if !is_known && is_silent(path) && context.waits.says {
            let shown = path.display();
            Output::bare().note(&format!("{shown} does not answer, and is passed over"));
        }
    }
    silent
}

/// True for a path that was asked before, and did not answer.
pub fn is_silent(path: &Path) -> bool {
    lock().contains(path)
}

/// Has nobody wait for a path again that did not answer.
pub fn remember_silent(path: &Path) {
    lock().insert(path.to_owned());
}

/// Those of several paths that do not answer in the time that the caller has for what is needed.
pub fn silent<'a>(paths: &'a [PathBuf], context: &Context) -> Vec<&'a PathBuf> {
    silent_within(paths, context.waits.most, context)
}

fn answers_within(path: &Path, most: Duration, context: &Context) -> bool {
    silent_within(&[path.to_owned()], most, context).is_empty()
}

fn silent_within<'a>(paths: &'a [PathBuf], most: Duration, context: &Context) -> Vec<&'a PathBuf> {
    let is_unknown = |path: &&PathBuf| !is_silent(path) && !is_on_root(path);
    let asked: Vec<&PathBuf> = paths.iter().filter(is_unknown).collect();
    let names: Vec<CString> = asked
        .iter()
        .map(|path| CString::new(path.as_os_str().as_bytes()).unwrap_or_default())
        .collect();
    let tell = |at: usize| {
        if context.waits.is_told {
            let shown = asked[at].display();
            Output::bare().note(&format!("waiting for {shown}, which does not answer"));
        }
    };
    let patience = Patience {
        tell: &tell,
        ..Patience::of(most)
    };
    let said = open_each(&names, &patience);
    let silent = asked.iter().zip(said).filter(|(_, said)| said.is_none());
    silent.for_each(|(path, _)| remember_silent(path));
    paths.iter().filter(|path| is_silent(path)).collect()
}

fn lock() -> MutexGuard<'static, BTreeSet<PathBuf>> {
    SILENT.lock().unwrap_or_else(PoisonError::into_inner)
}

/// True for a path that stays on the file system of `/`, which answers as long as any program runs: to ask
/// there takes a hundredth of the time of another process. The system itself says so, and looks at no other
/// file system for it (`RESOLVE_NO_XDEV`, Linux 5.6).
fn is_on_root(path: &Path) -> bool {
    if path.is_relative() {
        return false;
    }
    let flags = OFlags::PATH | OFlags::CLOEXEC;
    match openat2(CWD, path, flags, Mode::empty(), ResolveFlags::NO_XDEV) {
        Ok(_) => true,
        Err(error) => matches!(
            error,
            Errno::NOENT | Errno::NOTDIR | Errno::ACCESS | Errno::LOOP | Errno::NAMETOOLONG
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_stays_on_the_file_system_of_the_root_is_taken_to_answer() {
        assert!(is_on_root(Path::new("/")));
        assert!(!is_on_root(Path::new("/proc/self")));
        assert!(!is_on_root(Path::new("..")));
        let folder = tempfile::tempdir().unwrap();
        let link = folder.path().join("link");
        std::os::unix::fs::symlink("/proc/self/stat", &link).unwrap();
        assert!(!is_on_root(&link));
    }
}
