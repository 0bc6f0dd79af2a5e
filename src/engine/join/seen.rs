//! What a command inside is given, as it shows itself: through Apptainer or directly.

use std::ffi::OsString;
use std::fs::File;
use std::os::unix::ffi::OsStringExt;

use nix::fcntl::OFlag;
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{dup2_stderr, dup2_stdout, pipe2};

use super::direct::Direct;
use crate::bounds::LOOK_INSIDE;
use crate::engine::local::raw::fork_child;
use crate::engine::local::{Unknown, output};
use crate::host::context::Variables;

/// What is run inside to see what a command is given. The first file is the same on both sides, and
/// shows that nothing was printed before.
pub const SHOW: [&str; 5] = [
    "cat",
    "/proc/sys/kernel/random/boot_id",
    "/proc/self/environ",
    "/proc/self/status",
    "/proc/self/cgroup",
];

/// The lines of `/proc/self/status` that say what a process may do.
const TELLING: [&str; 11] = [
    "Umask",
    "Uid",
    "Gid",
    "Groups",
    "CapInh",
    "CapPrm",
    "CapEff",
    "CapBnd",
    "CapAmb",
    "NoNewPrivs",
    "Seccomp",
];

/// What a command inside was given.
pub struct CommandView {
    pub environment: Variables,
    /// The lines of its status and its cgroup that tell.
    pub process: Vec<String>,
    pub status: String,
}

impl CommandView {
    /// What [`SHOW`] printed.
    ///
    /// # Errors
    /// Something else was printed as well.
    pub fn read(output: &[u8], boot_id: &str) -> Result<Self, Unknown> {
        let start = format!("{boot_id}\n");
        let output = output
            .strip_prefix(start.as_bytes())
            .ok_or("something is printed at each command")?;
        let end = output.iter().rposition(|byte| *byte == 0);
        let (environ, rest) = output.split_at(end.ok_or("a command has no environment")?);
        let status = String::from_utf8_lossy(&rest[1..]).into_owned();
        let tells = |line: &&str| match line.split_once(":\t") {
            Some((name, _)) => TELLING.contains(&name),
            None => line.contains(":/"), // its cgroup
        };
        Ok(CommandView {
            environment: environ
                .split(|byte| *byte == 0)
                .filter_map(|entry| {
                    let at = entry.iter().position(|byte| *byte == b'=')?;
                    let text = |bytes: &[u8]| OsString::from_vec(bytes.to_vec());
                    Some((text(&entry[..at]), text(&entry[at + 1..])))
                })
                .collect(),
            process: status.lines().filter(tells).map(str::to_owned).collect(),
            status,
        })
    }
}

/// What a command is given that is run directly, by a copy of this process.
///
/// # Errors
/// The instance cannot be joined; the command does not come to an end.
pub fn directly(direct: Direct, boot_id: &str) -> Result<CommandView, Unknown> {
    let failed = |error: &dyn std::fmt::Display| format!("a direct join failed: {error}");
    let (said, tell) = pipe2(OFlag::O_CLOEXEC).map_err(|e| failed(&e))?;
    let child = fork_child(|| {
        let silent = File::options().write(true).open("/dev/null");
        let _ = silent.map(dup2_stderr);
        let _ = dup2_stdout(&tell);
        let _ = direct.run(&SHOW.map(OsString::from), false);
    });
    let child = child.map_err(|e| failed(&e))?;
    drop(tell);
    let mut ended = WaitStatus::StillAlive;
    let said = output::listen([said].into_iter(), child, LOOK_INSIDE, || {
        ended = waitpid(child, Some(WaitPidFlag::WNOHANG))?;
        Ok(ended != WaitStatus::StillAlive)
    });
    let said = said.map_err(|error| {
        // The command goes with it.
        let _ = kill(child, Signal::SIGKILL);
        let _ = waitpid(child, Some(WaitPidFlag::WNOHANG));
        endless(&error)
    })?;
    match ended {
        WaitStatus::Exited(_, 0) => CommandView::read(&said.concat(), boot_id),
        other => Err(failed(&format!("{other:?}"))),
    }
}

/// Why nothing is learned of an instance whose `cat` or scripts do not come to an end.
pub fn endless(error: &std::io::Error) -> Unknown {
    format!("a command that looked around inside was given up: {error}")
}
