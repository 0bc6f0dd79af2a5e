//! The two calls whose safety Rust cannot see. The only unsafe code of the program.
#![allow(unsafe_code)]

use std::process::exit;

use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, sigaction};
use nix::unistd::{ForkResult, Pid, fork};

/// Runs `child` in a copy of this process, which ends with status 1 when that comes to an end.
///
/// # Errors
/// There are too many processes.
pub fn in_a_child(child: impl FnOnce()) -> nix::Result<Pid> {
    // SAFETY: after a fork from one of several threads only async-signal-safe functions may be
    // called. `ctr` has one thread when it comes here: those of `engine::launch` and of `stats`
    // belong to other commands.
    match unsafe { fork() }? {
        ForkResult::Parent { child } => Ok(child),
        ForkResult::Child => {
            child();
            exit(1)
        }
    }
}

/// Lets a signal do what it does by default.
///
/// # Errors
/// It is one that cannot be set.
pub fn set_default(signal: Signal) -> nix::Result<()> {
    let default = SigAction::new(SigHandler::SigDfl, SaFlags::empty(), SigSet::empty());
    // SAFETY: no handler is installed, so none can do anything unsafe.
    unsafe { sigaction(signal, &default) }.map(drop)
}
