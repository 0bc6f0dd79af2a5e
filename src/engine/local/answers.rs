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

use crate::bounds::WANTED_FILE_SYSTEM;
use crate::engine::local::probe::{Patience, Unanswered, open_each};
use crate::error::{Error, Kind, Result};
use crate::host::context::{Context, is_executable};
use crate::shim_call::ShimCall;
use crate::ui::output::Output;

const HINT: &str = "its file server may be down: try again when it is back";

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

/// The same, and those that could not be asked.
pub fn unanswered<'a>(paths: &'a [PathBuf], context: &Context) -> Vec<(&'a PathBuf, Unanswered)> {
    unanswered_within(paths, context.waits.most, context)
}

/// Looks a program of the host up on the caller's `PATH`: shims are none, and a folder that does not
/// answer is passed over.
pub fn find_program(name: impl AsRef<Path>, context: &Context) -> Option<PathBuf> {
    let folders = context.path_folders().filter(|folder| folder.is_absolute());
    let mut candidates = folders.map(|folder| folder.join(&name));
    candidates.find(|candidate| {
        program(candidate, context) && is_executable(candidate) && ShimCall::by(candidate).is_none()
    })
}

/// True for a program that answers, or is not there.
pub fn program(candidate: &Path, context: &Context) -> bool {
    let folder = candidate.parent().unwrap_or(candidate);
    // Of a folder that does not answer that is said once, whatever is looked for in it.
    !is_silent(folder)
        && (is_quick(candidate, context) || passes(folder, context) && passes(candidate, context))
}

fn answers_within(path: &Path, most: Duration, context: &Context) -> bool {
    silent_within(&[path.to_owned()], most, context).is_empty()
}

fn silent_within<'a>(paths: &'a [PathBuf], most: Duration, context: &Context) -> Vec<&'a PathBuf> {
    // Who may have no more processes finds out in another place.
    let all = unanswered_within(paths, most, context).into_iter();
    let silent = all.filter(|(_, why)| *why == Unanswered::Late);
    silent.map(|(path, _)| path).collect()
}

fn unanswered_within<'a>(
    paths: &'a [PathBuf],
    most: Duration,
    context: &Context,
) -> Vec<(&'a PathBuf, Unanswered)> {
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
    let mut unanswered: Vec<(&PathBuf, Unanswered)> = Vec::new();
    for (path, said) in asked.into_iter().zip(said) {
        match said {
            Ok(_) => {}
            Err(Unanswered::Late) => remember_silent(path),
            Err(why) => unanswered.push((path, why)),
        }
    }
    let late = paths.iter().filter(|path| is_silent(path));
    unanswered.extend(late.map(|path| (path, Unanswered::Late)));
    unanswered
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
