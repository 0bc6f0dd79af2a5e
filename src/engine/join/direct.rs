//! Runs a command inside without Apptainer: joins, becomes what Apptainer's own would be, and stands
//! outside for it until it ends.

use std::convert::Infallible;
use std::ffi::{CStr, CString, OsStr, OsString};
use std::io::ErrorKind;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::prctl::set_pdeathsig;
use nix::sys::signal::Signal;
use nix::sys::stat::{Mode, umask};
use nix::sys::wait::waitpid;
use nix::unistd::{AccessFlags, access, close, execve, pipe2};
use serde::{Serialize, de::DeserializeOwned};

use super::privileges::Privileges;
use super::program;
use super::relay::Relay;
use super::scope::Scope;
use crate::bounds::LOOK_INSIDE;
use crate::engine::local::raw::vfork_child;
use crate::engine::local::rootfs::is_absence;
use crate::engine::local::target::Target;
use crate::engine::local::{Unknown, processes, refusal};
use crate::engine::{Inside, Program};
use crate::error::{Error, Kind, Result};
use crate::host::context::Variables;

/// What runs a script that names no interpreter, as in Apptainer.
const SHELL: &CStr = c"/bin/sh";

/// What Apptainer sets under `--no-umask`.
const USUAL_UMASK: u32 = 0o022;

/// A command that is about to run inside.
pub struct Direct<'a> {
    /// The instance's name, for messages.
    pub(super) name: &'a str,
    pub(super) target: Target,
    /// All but `PWD`.
    pub(super) environment: Variables,
    pub(super) privileges: Privileges,
    /// What holds its limits, where it has some.
    pub(super) scope: Option<Scope>,
    pub(super) cwd: &'a Path,
    /// It has the usual umask, not that of the caller.
    pub(super) usual_umask: bool,
}

impl Direct<'_> {
    /// The `PATH` that the command is given.
    pub fn path(&self) -> String {
        let path = self.environment.get(OsStr::new("PATH"));
        path.map_or_else(String::new, |path| path.to_string_lossy().into_owned())
    }

    /// What is seen by looking around inside.
    ///
    /// # Errors
    /// It cannot be joined.
    pub fn look<T: Serialize + DeserializeOwned>(
        &self,
        look: impl FnOnce(&Inside) -> T,
    ) -> std::result::Result<T, Unknown> {
        self.target
            .ask_inside(LOOK_INSIDE, || look(&Inside::from_within(true)))
            .map_err(Unknown::from)
    }

    /// Runs it, and ends this process as it ends; `in_own_folder` when the folder inside must be the
    /// one in which this process is.
    ///
    /// # Errors
    /// The instance cannot be joined, or has no such folder; with status 126 when the command cannot
    /// be run, 127 when it is not there.
    pub fn run(mut self, words: &[OsString], in_own_folder: bool) -> Result<Infallible> {
        let (word, name) = (&words[0], self.name);
        let before = in_own_folder.then(here).transpose();
        // What is started from here on is in it, and the bus is not seen from inside.
        let joined = self.scope.as_ref().map_or(Ok(()), Scope::enter);
        joined.and_then(|()| self.target.join()).map_err(|why| {
            let message = format!("cannot join `{name}`: {why}");
            Error::new(Kind::Engine, message).hint("with `--join apptainer` Apptainer does it")
        })?;
        let cwd = match go(self.cwd, before) {
            Ok(Some(cwd)) => cwd,
            _ if !processes::is_connected(Path::new("/")) => return Err(refusal::broken(name)),
            Ok(None) => return Err(refusal::wrong_folder(self.cwd, name, "is another folder")),
            Err(error) if !is_absence(&error) => {
                return Err(refusal::closed_folder(self.cwd, name, &error));
            }
            Err(_) if in_own_folder => {
                return Err(refusal::wrong_folder(self.cwd, name, "does not exist"));
            }
            Err(_) => return Err(refusal::no_folder(self.cwd, name)),
        };
        let path = self.environment.get(OsStr::new("PATH")).cloned();
        let file = program::find(word, &path.unwrap_or_default(), &cwd);
        let file = file.map_err(|found| match found {
            _ if !processes::is_connected(Path::new("/")) => refusal::broken(name),
            Program::Missing => refusal::not_there(word, name),
            _ => refusal::cannot_run(word, name),
        })?;
        self.environment.insert("PWD".into(), cwd.into());
        let call = Call::new(file.into(), &words[1..], self.environment)
            .map_err(|why| refusal::cannot_run_since(word, name, why))?;
        if self.usual_umask {
            umask(Mode::from_bits_truncate(USUAL_UMASK));
        }
        match call.begin(self.privileges) {
            Ok(Errno::EACCES | Errno::ENOENT) => Err(refusal::cannot_run(word, name)),
            Ok(error) => Err(refusal::cannot_run_since(word, name, error.desc())),
            // The kernel calls it a lack of memory.
            Err(_) if !self.target.lives() => Err(refusal::ended(name)),
            Err(error) => Err(Error::io(format!("cannot run in `{name}`"), error)),
        }
    }
}

/// The working folder, by device and inode.
fn here() -> std::io::Result<(u64, u64)> {
    let folder = std::fs::metadata(".")?;
    Ok((folder.dev(), folder.ino()))
}

/// Goes to a folder inside, and gives its whole path; `None` when it is not the one `before`.
fn go(cwd: &Path, before: std::io::Result<Option<(u64, u64)>>) -> std::io::Result<Option<PathBuf>> {
    if cwd.is_relative() {
        return Err(ErrorKind::NotFound.into()); // from where, is not said
    }
    std::env::set_current_dir(cwd)?;
    // Whoever has joined has rights over folders that the command will not have; this asks without them.
    access(".", AccessFlags::X_OK)?;
    match before? {
        Some(before) if here()? != before => Ok(None),
        _ => std::env::current_dir().map(Some),
    }
}

/// What a program is run with, in the form of the system call.
struct Call {
    arguments: Vec<CString>,
    environment: Vec<CString>,
}

impl Call {
    fn new(
        file: OsString,
        arguments: &[OsString],
        environment: Variables,
    ) -> std::result::Result<Self, &'static str> {
        let words = |words: &mut dyn Iterator<Item = OsString>| -> Option<Vec<CString>> {
            words
                .map(|word| CString::new(word.into_vec()).ok())
                .collect()
        };
        let mut entries = environment.into_iter().map(|(mut name, value)| {
            name.push("=");
            name.push(value);
            name
        });
        let all = [file].into_iter().chain(arguments.iter().cloned());
        let made = || {
            Some(Call {
                arguments: words(&mut { all })?,
                environment: words(&mut entries)?,
            })
        };
        made().ok_or("a word holds a NUL byte")
    }

    /// Starts it in a child and follows that. Comes back only when it could not be run, with what
    /// the system said.
    fn begin(self, privileges: Privileges) -> nix::Result<Errno> {
        let relay = Relay::begin()?;
        // The second end is open as long as this process lives.
        let (life, ours) = pipe2(OFlag::O_CLOEXEC)?;
        let mut failure = None;
        let command = vfork_child(|| {
            let _ = close(ours.as_raw_fd());
            let Err(error) = self.exec_in_child(privileges, &relay, &life);
            failure = Some(error);
        })?;
        if let Some(failure) = failure {
            let _ = waitpid(command, None);
            return Ok(failure);
        }
        // The command alone reads and writes these from now on, and may close them.
        for stream in [0, 1] {
            let _ = close(stream);
        }
        relay.follow(command)
    }

    fn exec_in_child(
        &self,
        privileges: Privileges,
        relay: &Relay,
        life: &OwnedFd,
    ) -> nix::Result<Infallible> {
        privileges.take_on()?;
        set_pdeathsig(Signal::SIGKILL)?;
        // The parent may have died before that.
        let mut life = [PollFd::new(life.as_fd(), PollFlags::empty())];
        if poll(&mut life, PollTimeout::ZERO)? > 0 {
            return Err(Errno::ESRCH);
        }
        relay.restore_in_child()?;
        let run = |arguments: &[CString]| execve(&arguments[0], arguments, &self.environment);
        match run(&self.arguments) {
            Err(Errno::ENOEXEC) => {
                let shell = SHELL.to_owned();
                run(&[&[shell], self.arguments.as_slice()].concat())
            }
            other => other,
        }
    }
}
