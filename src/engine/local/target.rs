//! The process of an instance, opened once, and the namespaces that it is in.

use std::ffi::CString;
use std::fs::{self, File};
use std::io::{self, Read};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::dir::Dir;
use nix::errno::Errno;
use nix::fcntl::{AT_FDCWD, AtFlags, OFlag, openat, readlinkat};
use nix::sched::{CloneFlags, setns};
use nix::sys::prctl::{set_dumpable, set_pdeathsig};
use nix::sys::signal::{Signal, kill};
use nix::sys::stat::{FileStat, Mode, SFlag, fstatat};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{geteuid, pipe2};
use procfs::FromRead;
use procfs::process::Stat;
use serde::{Serialize, de::DeserializeOwned};

use crate::bounds::{LOOK_INSIDE, TEXT};
use crate::engine::Process;
use crate::engine::local::programs::ENVIRONMENT;
use crate::engine::local::raw::fork_child;
use crate::engine::local::{Unknown, membership, output, probe};
use crate::host::context::PidScope;
use crate::host::regular_file;

/// The namespaces in the order in which Apptainer joins them: that of the user gives the rights to
/// join the others, and the one of mounts would hide `/proc`.
const NAMESPACES: [(&str, CloneFlags); 7] = [
    ("user", CloneFlags::CLONE_NEWUSER),
    ("pid", CloneFlags::CLONE_NEWPID),
    ("net", CloneFlags::CLONE_NEWNET),
    ("uts", CloneFlags::CLONE_NEWUTS),
    ("ipc", CloneFlags::CLONE_NEWIPC),
    ("cgroup", CloneFlags::CLONE_NEWCGROUP),
    ("mnt", CloneFlags::CLONE_NEWNS),
];

/// The script after which Apptainer lays in what is handed in, and the only one that it knows to
/// come later.
const LAST_SCRIPTS: [&str; 2] = ["99-base.sh", "99-runtimevars.sh"];

/// Why the namespaces of the user's own process may not be looked at.
const NOT_TO_BE_SEEN: &str = "its namespaces show themselves to nobody but root, as those of a setuid \
     installation, or of another user namespace";

/// Why nothing is seen from inside.
#[derive(Debug)]
pub enum Unseen {
    /// It cannot be joined, or gives no answer.
    Unknown(Unknown),
    /// Nobody could be asked.
    Unasked(Errno),
}

impl From<Unknown> for Unseen {
    fn from(why: Unknown) -> Self {
        Unseen::Unknown(why)
    }
}

impl From<Unseen> for Unknown {
    fn from(unseen: Unseen) -> Self {
        match unseen {
            Unseen::Unknown(why) => why,
            Unseen::Unasked(error) => probe::unasked("its inside", error),
        }
    }
}

/// `/proc/<pid>`, opened: whatever becomes of the number, this stays that process or nothing. A pidfd
/// would do the same from Linux 5.8 on.
pub struct Target {
    folder: OwnedFd,
}

impl Target {
    /// Opens the process, and makes sure that it is the one that was recorded.
    ///
    /// # Errors
    /// It is another one, or not the caller's own.
    pub fn open(process: &Process, here: &PidScope) -> Result<Self, Unknown> {
        if process.boot_id != here.boot_id || process.pid_namespace != here.pid_namespace {
            return Err("its process cannot be told from here".into());
        }
        let flags = OFlag::O_PATH | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
        let path = PathBuf::from(format!("/proc/{}", process.pid));
        let folder = nix::fcntl::open(&path, flags, Mode::empty());
        let target = Target {
            folder: folder.map_err(|error| format!("{}: {error}", path.display()))?,
        };
        let stat = target.read("stat").map_err(|error| error.to_string())?;
        let stat = Stat::from_read(stat.as_slice()).map_err(|error| error.to_string())?;
        if stat.starttime != process.pid_start_time {
            return Err(format!("process {} is another one by now", process.pid));
        }
        membership::check(process).map_err(|why| why.to_string())?;
        let owner = target.stat("").map(|stat| stat.st_uid);
        if owner != Ok(geteuid().as_raw()) {
            return Err("its process is not yours, as under a setuid installation".into());
        }
        Ok(target)
    }

    /// What a file below `/proc/<pid>` says.
    pub fn read(&self, file: &str) -> io::Result<Vec<u8>> {
        let flags = OFlag::O_RDONLY | OFlag::O_CLOEXEC;
        let mut bytes = Vec::new();
        File::from(openat(&self.folder, file, flags, Mode::empty())?).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    fn stat(&self, below: impl AsRef<Path>) -> nix::Result<FileStat> {
        let flags = match below.as_ref().as_os_str().is_empty() {
            true => AtFlags::AT_EMPTY_PATH,
            false => AtFlags::empty(),
        };
        fstatat(&self.folder, below.as_ref(), flags)
    }

    /// True for a path that is there inside; links on the way are not for this.
    pub fn has(&self, path: &str) -> bool {
        self.stat(format!("root{path}")).is_ok()
    }

    /// What the image's scripts are at this moment, file by file, as text to compare.
    ///
    /// # Errors
    /// They cannot be listed, or one runs after what is handed in, and may act upon it.
    pub fn scripts(&self) -> Result<String, Unknown> {
        self.see_scripts(list)
    }

    /// What the image's scripts say.
    ///
    /// # Errors
    /// They cannot be read.
    pub fn script_texts(&self) -> Result<String, Unknown> {
        self.see_scripts(read_all)
    }

    fn see_scripts(&self, see: fn(OwnedFd) -> Result<String, Unknown>) -> Result<String, Unknown> {
        match open_folder(&self.folder, &format!("root{ENVIRONMENT}")) {
            // A FUSE file system of the instance's own shows itself to no one outside.
            Err(Errno::EACCES) => self.see_from_inside(see),
            folder => see(folder.map_err(unseen)?),
        }
    }

    fn see_from_inside(
        &self,
        see: fn(OwnedFd) -> Result<String, Unknown>,
    ) -> Result<String, Unknown> {
        let answer = self.ask_inside(LOOK_INSIDE, || {
            let folder = open_folder(AT_FDCWD, ENVIRONMENT).map_err(unseen)?;
            see(folder)
        });
        answer?
    }

    /// What a look around gives once this process's copy has joined, in the time `most`.
    ///
    /// # Errors
    /// It cannot be joined.
    pub fn ask_inside<T: Serialize + DeserializeOwned>(
        &self,
        most: Duration,
        look: impl FnOnce() -> T,
    ) -> Result<T, Unseen> {
        let (answer, tell) = pipe2(OFlag::O_CLOEXEC).map_err(Unseen::Unasked)?;
        let mut tell = Some(File::from(tell));
        let looker = fork_child(|| {
            let Some(tell) = tell.take() else { return };
            let _ = set_pdeathsig(Signal::SIGKILL);
            probe::let_go_of_all_but(&[tell.as_raw_fd(), self.folder.as_raw_fd()]);
            let _ = serde_json::to_writer(tell, &self.join().map(|()| look()));
        });
        let looker = looker.map_err(Unseen::Unasked)?;
        drop(tell);
        let told = output::listen([answer].into_iter(), looker, most, || {
            let ended = waitpid(looker, Some(WaitPidFlag::WNOHANG))?;
            Ok(ended != WaitStatus::StillAlive)
        });
        let told = told.map_err(|error| {
            let _ = kill(looker, Signal::SIGKILL);
            let _ = waitpid(looker, Some(WaitPidFlag::WNOHANG));
            format!("a look at its files was given up: {error}")
        })?;
        let answer: Result<T, Unknown> = serde_json::from_slice(&told.concat())
            .map_err(|_| "it cannot be looked at from inside".to_owned())?;
        answer.map_err(Unseen::Unknown)
    }

    /// False once the process has ended.
    pub fn lives(&self) -> bool {
        self.read("stat").is_ok()
    }

    /// False where nobody but root can, as under a setuid installation.
    pub fn can_be_joined(&self) -> bool {
        self.foreign().is_ok()
    }

    /// The namespaces that are not this process's own, in the order to join them.
    ///
    /// # Errors
    /// They cannot be looked at, or that of the user is not among them.
    fn foreign(&self) -> Result<Vec<(OwnedFd, CloneFlags)>, Unknown> {
        let mut foreign = Vec::new();
        for (name, kind) in NAMESPACES {
            let file = format!("ns/{name}");
            let shown = |error: &dyn std::fmt::Display| format!("{file}: {error}");
            let theirs = readlinkat(&self.folder, file.as_str()).map_err(|error| match error {
                Errno::EACCES => NOT_TO_BE_SEEN.to_owned(),
                other => shown(&other),
            })?;
            let own = fs::read_link(format!("/proc/self/{file}")).map_err(|e| shown(&e))?;
            if own.as_os_str() == theirs {
                continue;
            }
            let flags = OFlag::O_RDONLY | OFlag::O_CLOEXEC;
            let namespace = openat(&self.folder, file.as_str(), flags, Mode::empty());
            foreign.push((namespace.map_err(|e| shown(&e))?, kind));
        }
        match foreign.first() {
            Some((_, CloneFlags::CLONE_NEWUSER)) => Ok(foreign),
            _ => Err("it has no user namespace of its own, as under a setuid installation".into()),
        }
    }

    /// Joins them. Children are in the pid namespace then, this process is in all others.
    ///
    /// # Errors
    /// One cannot be joined. As long as that is the first, nothing is changed.
    pub fn join(&self) -> Result<(), Unknown> {
        // Whoever is inside could write into this process otherwise, which is outside with rights
        // over all of the instance. A program that is run is as open as ever.
        set_dumpable(false).map_err(|error| error.desc())?;
        for (namespace, kind) in self.foreign()? {
            setns(namespace, kind).map_err(|error| format!("{kind:?}: {error}"))?;
        }
        Ok(())
    }
}

fn unseen(error: Errno) -> Unknown {
    format!("its environment scripts: {}", error.desc())
}

fn open_folder(at: impl AsFd, path: &str) -> nix::Result<OwnedFd> {
    let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
    openat(at, path, flags, Mode::empty())
}

/// The names of the scripts in a folder, in the order in which Apptainer runs them.
fn names(folder: &mut Dir) -> Result<Vec<CString>, Unknown> {
    let mut names = Vec::new();
    for entry in folder.iter() {
        names.push(entry.map_err(unseen)?.file_name().to_owned());
    }
    names.retain(|name| name.to_bytes().ends_with(b".sh"));
    names.sort();
    Ok(names)
}

fn list(folder: OwnedFd) -> Result<String, Unknown> {
    let mut folder = Dir::from_fd(folder).map_err(unseen)?;
    let mut all = String::new();
    for name in names(&mut folder)? {
        let shown = name.to_string_lossy();
        if *shown > *LAST_SCRIPTS[0] && !LAST_SCRIPTS.contains(&&*shown) {
            return Err(format!("its script {shown} runs after what is handed in"));
        }
        let stat = fstatat(&folder, &*name, AtFlags::AT_SYMLINK_NOFOLLOW).map_err(unseen)?;
        if SFlag::from_bits_truncate(stat.st_mode) & SFlag::S_IFMT != SFlag::S_IFREG {
            return Err(format!("its script {shown} is no file of its own"));
        }
        let (size, seconds, nanoseconds) = (stat.st_size, stat.st_mtime, stat.st_mtime_nsec);
        all += &format!("{shown} {} {size} {seconds}.{nanoseconds}\n", stat.st_ino);
    }
    Ok(all)
}

fn read_all(folder: OwnedFd) -> Result<String, Unknown> {
    let mut folder = Dir::from_fd(folder).map_err(unseen)?;
    let mut all = Vec::new();
    for name in names(&mut folder)? {
        // A FIFO would hold on to whoever opens it.
        let flags = OFlag::O_RDONLY | OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK | OFlag::O_CLOEXEC;
        let file = openat(&folder, &*name, flags, Mode::empty()).map_err(unseen)?;
        let text = regular_file::whole(file.into(), TEXT);
        let shown = name.to_string_lossy();
        all.extend(text.map_err(|error| format!("its script {shown}: {error}"))?);
        all.push(b'\n');
    }
    Ok(String::from_utf8_lossy(&all).into_owned())
}
