//! A look into a running instance, through `/proc/<pid>/root`, without a process inside.

use std::fs::{self, Metadata};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Component, Path, PathBuf};

use nix::unistd::{AccessFlags, access};

use crate::engine::local::interpreter;
pub use crate::host::regular_file::is_absence;

/// The `PATH` that Apptainer gives an image that sets none.
pub const DEFAULT_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Most links that are followed on one path, as the kernel does.
const MOST_LINKS: usize = 40;
const EXECUTABLE: u32 = 0o111;

/// The file system of a running instance.
#[derive(Debug, Clone)]
pub struct Inside {
    root: PathBuf,
    /// The user appears as root there, with all rights over files.
    as_root: bool,
}

/// What a folder of the host is inside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Folder {
    /// The same folder, under the same path.
    Same,
    /// Another folder has that path.
    Other,
    /// There is no such folder.
    Missing,
    /// It is there, and this user may not go there.
    Closed,
    /// It cannot be seen from here.
    Unknown,
}

/// What a command's name stands for inside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Program {
    Runs,
    /// It is there and cannot be run: a folder, or without the permission.
    CannotRun,
    Missing,
    /// It cannot be seen from here.
    Unknown,
}

impl Inside {
    /// The file system of the process `pid`; `as_root` when the user appears as root there.
    pub fn new(pid: i32, as_root: bool) -> Self {
        Inside {
            root: format!("/proc/{pid}/root").into(),
            as_root,
        }
    }

    /// The same as a process in it sees it.
    pub(in crate::engine) fn from_within(as_root: bool) -> Self {
        Inside {
            root: "/".into(),
            as_root,
        }
    }

    /// A tree of files that stands for one.
    #[cfg(test)]
    pub fn at(root: &Path) -> Self {
        Inside {
            root: root.to_owned(),
            as_root: false,
        }
    }

    /// Compares a folder of the host with the one of the same path inside, by device and inode.
    pub fn compare_folder(&self, path: &Path) -> Folder {
        let own = match fs::metadata(path) {
            Ok(own) => own,
            Err(error) if is_absence(&error) => return Folder::Missing,
            Err(_) => return Folder::Closed,
        };
        match self.metadata(path) {
            Ok(inside) if !inside.is_dir() => Folder::Missing,
            Ok(inside) if (inside.dev(), inside.ino()) != (own.dev(), own.ino()) => Folder::Other,
            found => self.entered(path, found),
        }
    }

    /// Tells whether a folder exists inside, and may be gone to.
    pub fn folder(&self, path: &Path) -> Folder {
        match self.metadata(path) {
            Ok(metadata) if !metadata.is_dir() => Folder::Missing,
            found => self.entered(path, found),
        }
    }

    fn entered(&self, path: &Path, found: io::Result<Metadata>) -> Folder {
        match found {
            Ok(_) if self.may_enter(path) => Folder::Same,
            Ok(_) => Folder::Closed,
            Err(error) if is_absence(&error) => Folder::Missing,
            // Root of a user namespace may go where the user may not; and of what is hidden as a whole,
            // nothing can be said.
            Err(_) if self.as_root || !self.can_be_seen() => Folder::Unknown,
            Err(_) => Folder::Closed,
        }
    }

    fn may_enter(&self, path: &Path) -> bool {
        let may = |folder: PathBuf| access(&folder, AccessFlags::X_OK).is_ok();
        self.as_root || self.on_host(path).is_ok_and(may)
    }

    /// Looks a command up as `execvp` does, in the folders of `search`, relative to `cwd`.
    pub fn program(&self, name: &Path, cwd: &Path, search: &str) -> Program {
        self.find(name, cwd, search).err().unwrap_or(Program::Runs)
    }

    /// The same; the path that it is found under.
    ///
    /// # Errors
    /// What stands in the way.
    pub fn find(&self, name: &Path, cwd: &Path, search: &str) -> Result<PathBuf, Program> {
        let check = |path: PathBuf| match self.runs(&path) {
            Program::Runs => Ok(path),
            other => Err(other),
        };
        if name.components().count() > 1 || name.has_root() || ends_in_slash(name) {
            return check(cwd.join(name));
        }
        if name.as_os_str().is_empty() {
            return Err(Program::Missing);
        }
        let mut best = Program::Missing;
        for folder in search.split(':') {
            match check(cwd.join(folder).join(name)) {
                Err(Program::Missing) => {}
                Err(other) => best = other,
                found => return found,
            }
        }
        Err(best)
    }

    /// False when its files show themselves to no one outside, as those of a FUSE file system of its
    /// own.
    pub fn can_be_seen(&self) -> bool {
        fs::metadata(self.root.join(".")).is_ok()
    }

    /// The file's name that an absolute path leads to inside, links followed; `None` when nothing
    /// is there.
    pub fn file_name(&self, path: &Path) -> Option<String> {
        let resolved = self.within(path).ok()?;
        Some(resolved.file_name()?.to_str()?.to_owned())
    }

    fn runs(&self, path: &Path) -> Program {
        match as_program(self.metadata(path)) {
            Program::Runs if !self.may_run(path) => Program::CannotRun,
            found => found,
        }
    }

    /// What a name in a folder that is [`Inside::within`] stands for when it is run, as far as can
    /// be said without opening it.
    pub(super) fn runs_in(&self, folder: &Path, name: &Path) -> Program {
        let found = self.follow(folder, name);
        as_program(found.and_then(|path| fs::symlink_metadata(self.host_path(&path))))
    }

    /// True for a program that this user may run inside, whose interpreter is there when it names
    /// one. Who appears as root inside may run whatever anybody may.
    fn may_run(&self, path: &Path) -> bool {
        let Ok(file) = self.on_host(path) else {
            return false;
        };
        (self.as_root || access(&file, AccessFlags::X_OK).is_ok()) && self.has_interpreters(&file)
    }

    /// False where a file needs another to be run, which is not there: a script its interpreter, a program
    /// its loader.
    fn has_interpreters(&self, file: &Path) -> bool {
        /// How many the kernel follows (`linux/exec.c`), and one more.
        const MOST: usize = 6;
        let mut file = file.to_owned();
        for _ in 0..MOST {
            let Some(needed) = interpreter::of(&file) else {
                return true;
            };
            match self.on_host(&needed) {
                Ok(found) => file = found,
                Err(error) => return !is_absence(&error),
            }
        }
        true
    }

    fn metadata(&self, path: &Path) -> io::Result<Metadata> {
        fs::symlink_metadata(self.on_host(path)?)
    }

    /// The host's way to an absolute path inside.
    pub(super) fn on_host(&self, path: &Path) -> io::Result<PathBuf> {
        Ok(self.host_path(&self.within(path)?))
    }

    fn host_path(&self, within: &Path) -> PathBuf {
        self.root.join(within.strip_prefix("/").unwrap_or(within))
    }

    /// An absolute path inside, every link resolved inside: the kernel would resolve an absolute
    /// one (`/etc/alternatives/…`) in the host's own root.
    pub(super) fn within(&self, path: &Path) -> io::Result<PathBuf> {
        self.follow(Path::new("/"), path)
    }

    /// The same, from a folder that is resolved.
    fn follow(&self, folder: &Path, path: &Path) -> io::Result<PathBuf> {
        let mut todo: Vec<PathBuf> = parts(path);
        let mut done = folder.to_owned();
        let mut links = 0;
        while let Some(part) = todo.pop() {
            if part == Path::new("..") {
                done.pop();
                continue;
            }
            let here = self.host_path(&done).join(&part);
            let metadata = fs::symlink_metadata(&here)?;
            if !metadata.is_symlink() {
                if !todo.is_empty() && !metadata.is_dir() {
                    return Err(ErrorKind::NotADirectory.into());
                }
                done.push(part);
                continue;
            }
            links += 1;
            if links > MOST_LINKS {
                return Err(io::Error::from_raw_os_error(nix::libc::ELOOP));
            }
            let target = fs::read_link(&here)?;
            if target.is_absolute() {
                done = PathBuf::from("/");
            }
            todo.extend(parts(&target));
        }
        Ok(done)
    }
}

fn as_program(found: io::Result<Metadata>) -> Program {
    match found {
        Ok(metadata) if is_executable_file(&metadata) => Program::Runs,
        Ok(_) => Program::CannotRun,
        Err(error) if is_absence(&error) => Program::Missing,
        Err(_) => Program::Unknown,
    }
}

/// True for a file that someone may run.
pub fn is_executable_file(metadata: &Metadata) -> bool {
    metadata.is_file() && metadata.permissions().mode() & EXECUTABLE != 0
}

/// The parts of a path, last first.
fn parts(path: &Path) -> Vec<PathBuf> {
    path.components()
        .filter(|part| matches!(part, Component::Normal(_) | Component::ParentDir))
        .map(|part| PathBuf::from(part.as_os_str()))
        .rev()
        .collect()
}

fn ends_in_slash(path: &Path) -> bool {
    path.as_os_str().as_encoded_bytes().ends_with(b"/")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn links_are_resolved_inside_and_programs_found() {
        let root = tempfile::tempdir().unwrap();
        let inside = Inside::at(root.path());
        fs::create_dir_all(root.path().join("opt/tool/bin")).unwrap();
        let program = root.path().join("opt/tool/bin/run");
        fs::write(&program, "").unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        fs::write(root.path().join("opt/text"), "").unwrap();
        symlink("/opt/tool", root.path().join("current")).unwrap();
        symlink("/round", root.path().join("round")).unwrap();
        let look =
            |name: &str| inside.program(Path::new(name), Path::new("/opt"), "/x:/current/bin");
        assert_eq!(look("run"), Program::Runs);
        assert_eq!(look("tool/bin/run"), Program::Runs);
        assert_eq!(look("/current/../tool/bin/run"), Program::Runs);
        assert_eq!(look("text"), Program::Missing);
        assert_eq!(look("./text"), Program::CannotRun);
        assert_eq!(look("/opt"), Program::CannotRun);
        assert_eq!(look("nosuch"), Program::Missing);
        assert_eq!(look(""), Program::Missing);
        assert_eq!(look("/round"), Program::Unknown);
    }
}
