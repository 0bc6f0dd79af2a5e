//! Finds the program that a word stands for, as the process that is about to run it sees it.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

use crate::engine::Program;
use crate::engine::local::rootfs::is_executable_file;

/// The whole path of the program, which Apptainer makes its `argv[0]`: relative paths are made
/// absolute, and `..` in them is taken back word for word, as Go's `filepath.Join` does.
///
/// # Errors
/// What stands in the way: [`Program::Missing`] or [`Program::CannotRun`].
pub fn find(word: &OsStr, path: &OsStr, cwd: &Path) -> Result<PathBuf, Program> {
    if word.as_bytes().contains(&b'/') {
        return check(whole(Path::new(word), cwd));
    }
    if word.is_empty() {
        return Err(Program::Missing);
    }
    let mut worst = Program::Missing;
    for folder in std::env::split_paths(path) {
        match check(clean(&cwd.join(folder).join(word))) {
            Err(Program::CannotRun) => worst = Program::CannotRun,
            Err(_) => {}
            found => return found,
        }
    }
    Err(worst)
}

fn whole(path: &Path, cwd: &Path) -> PathBuf {
    if path.is_absolute() {
        return path.to_owned();
    }
    clean(&cwd.join(path))
}

/// Without `.` and `//`, and `..` with what is before it.
fn clean(path: &Path) -> PathBuf {
    let mut clean = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => drop(clean.pop()),
            Component::CurDir => {}
            other => clean.push(other),
        }
    }
    if path.as_os_str().as_bytes().ends_with(b"/") {
        clean.push(""); // a folder is meant
    }
    clean
}

fn check(path: PathBuf) -> Result<PathBuf, Program> {
    match std::fs::metadata(&path) {
        Ok(found) if is_executable_file(&found) => Ok(path),
        Ok(_) => Err(Program::CannotRun),
        Err(_) => Err(Program::Missing),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_made_whole() {
        assert_eq!(clean(Path::new("/usr/..//bin/./sh")), Path::new("/bin/sh"));
        let whole = |path: &str| whole(Path::new(path), Path::new("/data/run")).into_os_string();
        assert_eq!(whole("/bin/../x"), "/bin/../x");
        assert_eq!(whole("./a/../b"), "/data/run/b");
        assert_eq!(whole("../../../b"), "/b");
        assert_eq!(whole("b/"), "/data/run/b/");
    }

    #[test]
    fn a_word_is_looked_up_in_each_folder() {
        let bin = |word: &str| {
            find(
                OsStr::new(word),
                OsStr::new("/nosuch::/bin"),
                Path::new("/"),
            )
        };
        assert_eq!(bin("sh").unwrap(), Path::new("/bin/sh"));
        assert_eq!(bin("nosuch"), Err(Program::Missing));
        assert_eq!(bin("tmp"), Err(Program::CannotRun)); // a folder, where the search begins
        assert_eq!(bin(""), Err(Program::Missing));
    }
}
