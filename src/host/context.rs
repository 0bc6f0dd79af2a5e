//! What the process was given: environment, folders, user, host, terminals.
//! Read once, before a command runs, passed down, never looked at again on the way.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::io::IsTerminal;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::bounds::HOST_PATH;
use crate::error::{Error, Kind, Result};

/// Counts the containers that a process is in; the name is the reference's.
pub const LEVEL: &str = "IN_CONDATAINER";

/// Environment variables, as bytes: a caller's need not be UTF-8.
pub type Variables = BTreeMap<OsString, OsString>;

/// Where a process identifier means something: one boot of one kernel, one pid namespace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PidScope {
    /// `/proc/sys/kernel/random/boot_id`.
    pub boot_id: String,
    /// Inode of `/proc/self/ns/pid`.
    pub pid_namespace: u64,
}

/// Which of the standard streams are terminals.
#[derive(Debug, Clone, Copy)]
pub struct Terminals {
    pub stdin: bool,
    pub stdout: bool,
    pub stderr: bool,
}

/// Everything that `ctr` knows of its caller.
#[derive(Debug, Clone)]
pub struct Context {
    /// The environment, whole.
    pub variables: Variables,
    /// The working folder, links resolved; `None` when it was removed.
    pub cwd: Option<PathBuf>,
    /// The user's home.
    pub home: PathBuf,
    /// Effective user id.
    pub uid: u32,
    /// The host's name, as the kernel has it (Apptainer files its records under it).
    pub host: String,
    /// The boot and the pid namespace of this process.
    pub pid_scope: PidScope,
    pub terminals: Terminals,
    /// How it waits for what does not answer.
    pub waits: Waits,
    /// What a shim was made with, where it was called.
    pub shim: Option<OfShim>,
}

/// What stands for `ctr`'s own settings in the environment where a shim is called: it belongs to its
/// instance, whatever the program that calls it has done to `HOME` and the like.
#[derive(Debug, Clone)]
pub struct OfShim {
    /// Variables that tell `ctr` where its files are, when that is known; one that is missing counts
    /// as not set.
    pub variables: Option<BTreeMap<String, String>>,
    /// The node-local folder that the shim is in.
    pub private_folder: PathBuf,
}

impl OfShim {
    /// The variables that a shim keeps.
    pub const KEPT: [&str; 5] = [
        "CTR_STATE_DIR",
        "CTR_CONFIG",
        "CTR_APPTAINER",
        "XDG_CONFIG_HOME",
        "XDG_CACHE_HOME",
    ];
}

impl Context {
    /// Reads it from this process.
    pub fn read() -> Result<Self> {
        let variables: Variables = std::env::vars_os().collect();
        let uid = nix::unistd::geteuid();
        let home = match absolute(variables.get(OsStr::new("HOME")).map(OsString::as_os_str)) {
            Some(home) => home,
            None => nix::unistd::User::from_uid(uid)
                .ok()
                .flatten()
                .map(|user| user.dir)
                .ok_or_else(|| {
                    Error::new(Kind::Io, format!("user {uid} has no home"))
                        .hint("set HOME to a folder of yours")
                })?,
        };
        let host = nix::unistd::gethostname()
            .map_err(|error| Error::io("cannot read the host's name", error))?
            .to_string_lossy()
            .into_owned();
        Ok(Context {
            cwd: std::env::current_dir().ok(),
            home,
            uid: uid.as_raw(),
            host,
            pid_scope: PidScope::read()?,
            terminals: Terminals {
                stdin: std::io::stdin().is_terminal(),
                stdout: std::io::stdout().is_terminal(),
                stderr: std::io::stderr().is_terminal(),
            },
            waits: Waits::default(),
            variables,
            shim: None,
        })
    }

    /// A variable's value, when it is set and UTF-8.
    pub fn variable(&self, name: &str) -> Option<&str> {
        self.value(name)?.to_str()
    }

    fn value(&self, name: &str) -> Option<&OsStr> {
        let kept = self.shim.as_ref().and_then(|shim| shim.variables.as_ref());
        match kept {
            Some(kept) if OfShim::KEPT.contains(&name) => kept.get(name).map(OsStr::new),
            _ => self
                .variables
                .get(OsStr::new(name))
                .map(OsString::as_os_str),
        }
    }

    /// A variable's value when it says something: set, UTF-8 and not empty.
    pub fn setting(&self, name: &str) -> Option<&str> {
        self.variable(name).filter(|value| !value.is_empty())
    }

    /// How many containers this process is in, by [`LEVEL`].
    pub fn nesting(&self) -> u32 {
        self.variable(LEVEL)
            .and_then(|level| level.parse().ok())
            .unwrap_or(0)
    }

    /// The user's folder for state: `$XDG_STATE_HOME`, else `~/.local/state`.
    pub fn state_home(&self) -> PathBuf {
        self.xdg("XDG_STATE_HOME", ".local/state")
    }

    /// The user's folder for what can be made again: `$XDG_CACHE_HOME`, else `~/.cache`.
    pub fn cache_home(&self) -> PathBuf {
        self.xdg("XDG_CACHE_HOME", ".cache")
    }

    /// The user's folder for data: `$XDG_DATA_HOME`, else `~/.local/share`.
    pub fn data_home(&self) -> PathBuf {
        self.xdg("XDG_DATA_HOME", ".local/share")
    }

    /// The user's folder for configuration: `$XDG_CONFIG_HOME`, else `~/.config`.
    pub fn config_home(&self) -> PathBuf {
        self.xdg("XDG_CONFIG_HOME", ".config")
    }

    fn xdg(&self, variable: &str, fallback: &str) -> PathBuf {
        absolute(self.value(variable)).unwrap_or_else(|| self.home.join(fallback))
    }

    /// The folders of the caller's `PATH`, in order, as they are written there.
    pub fn path_folders(&self) -> impl Iterator<Item = PathBuf> {
        let path = self.variables.get(OsStr::new("PATH"));
        path.into_iter().flat_map(std::env::split_paths)
    }
}

impl PidScope {
    /// Inode of the first pid namespace of every kernel (`PROC_PID_INIT_INO` in Linux).
    const FIRST_PID_NAMESPACE: u64 = 0xEFFF_FFFC;

    /// True outside of every container and job launcher that has a pid namespace of its own.
    pub fn is_of_the_host(&self) -> bool {
        self.pid_namespace == Self::FIRST_PID_NAMESPACE
    }

    /// The place of this process.
    fn read() -> Result<Self> {
        let boot_id = std::fs::read_to_string("/proc/sys/kernel/random/boot_id")
            .map_err(|error| Error::io("cannot read the boot id", error))?
            .trim()
            .to_owned();
        let pid_namespace = std::fs::metadata("/proc/self/ns/pid")
            .map_err(|error| Error::io("cannot read the pid namespace", error))?
            .ino();
        Ok(PidScope {
            boot_id,
            pid_namespace,
        })
    }
}

/// True when `path` is a file that this user may run.
pub fn is_executable(path: &Path) -> bool {
    path.is_file() && nix::unistd::access(path, nix::unistd::AccessFlags::X_OK).is_ok()
}

/// True for two names of one file, through links of either sort.
pub fn is_same_file(one: &Path, other: &Path) -> bool {
    match (std::fs::metadata(one), std::fs::metadata(other)) {
        (Ok(one), Ok(other)) => (one.dev(), one.ino()) == (other.dev(), other.ino()),
        _ => false,
    }
}

/// XDG asks that a relative path be ignored.
fn absolute(value: Option<&OsStr>) -> Option<PathBuf> {
    value.map(PathBuf::from).filter(|path| path.is_absolute())
}

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

#[cfg(test)]
pub mod tests {
    use super::*;

    /// A context for unit tests: the given environment, nothing else of this machine.
    pub fn context(variables: &[(&str, &str)]) -> Context {
        Context {
            variables: variables
                .iter()
                .map(|(k, v)| (k.into(), v.into()))
                .collect(),
            cwd: Some("/data/run".into()),
            home: "/home/u".into(),
            uid: 1000,
            host: "node1".into(),
            pid_scope: PidScope {
                boot_id: "boot".into(),
                pid_namespace: 1,
            },
            terminals: Terminals {
                stdin: false,
                stdout: false,
                stderr: false,
            },
            waits: Waits::default(),
            shim: None,
        }
    }
}
