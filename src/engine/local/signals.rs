//! Signals to processes that are known by more than a number.

use nix::errno::Errno;
use nix::sys::signal::{Signal, kill};
use rustix::process::{Pid, PidfdFlags, pidfd_open, pidfd_send_signal};

use crate::engine::local::processes::Identity;

/// Sends a signal to a process that may have ended, which is none the worse.
///
/// # Errors
/// It is not the caller's to signal.
pub fn send(signal: Signal, to: Identity) -> nix::Result<()> {
    let sent = match open(to.pid) {
        // Opened first: what is looked at then is what gets the signal.
        Some(process) => match to.lives() {
            true => send_to(&process, signal),
            false => Ok(()),
        },
        // Linux before 5.3, or a filter that does not know it.
        None => match to.lives() {
            true => kill(nix::unistd::Pid::from_raw(to.pid), signal),
            false => Ok(()),
        },
    };
    match sent {
        Err(Errno::ESRCH) => Ok(()),
        sent => sent,
    }
}

fn open(pid: i32) -> Option<std::os::fd::OwnedFd> {
    pidfd_open(Pid::from_raw(pid)?, PidfdFlags::empty()).ok()
}

fn send_to(process: &std::os::fd::OwnedFd, signal: Signal) -> nix::Result<()> {
    let signal = rustix::process::Signal::from_named_raw(signal as i32).ok_or(Errno::EINVAL)?;
    pidfd_send_signal(process, signal).map_err(|error| Errno::from_raw(error.raw_os_error()))
}
