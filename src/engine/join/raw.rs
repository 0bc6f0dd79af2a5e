//! The calls whose safety Rust cannot see. The only unsafe code of the program.
#![allow(unsafe_code)]

use nix::sched::{CloneFlags, clone};
use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, sigaction};
use nix::unistd::{ForkResult, Pid, fork};

/// Bytes of stack for what comes between a clone and its program: system calls, and the allocation of
/// a few words.
const STACK: usize = 64 * 1024;

/// Runs `child` in a copy of this process, which ends with status 1 when that comes to an end.
///
/// # Errors
/// There are too many processes.
pub fn in_a_child(child: impl FnOnce()) -> nix::Result<Pid> {
    // SAFETY: after a fork from one of several threads only async-signal-safe functions may be
    // called. `ctr` has one thread when it comes here, but for what is left of `engine::launch` when
    // several are started: it holds no lock then, and the allocator of glibc is made for it.
    match unsafe { fork() }? {
        ForkResult::Parent { child } => Ok(child),
        ForkResult::Child => {
            child();
            // SAFETY: it ends this process and does nothing else; what is buffered is the parent's.
            unsafe { nix::libc::_exit(1) }
        }
    }
}

/// Runs `child` in a process of its own that borrows this one's memory, while this one waits until it
/// has become another program or has ended; what it writes is seen here then. That spares the copy of
/// the memory, which takes as long as joining.
///
/// # Errors
/// There are too many processes.
pub fn in_a_borrower(mut child: impl FnMut()) -> nix::Result<Pid> {
    let mut stack = vec![0; STACK];
    let run = Box::new(|| {
        child();
        1
    });
    let flags = CloneFlags::CLONE_VM | CloneFlags::CLONE_VFORK;
    // SAFETY: the stack and all that `child` refers to outlive the call, which comes back only when
    // the child needs them no more; no other thread is there to see the memory meanwhile, as in
    // `in_a_child`. It leaves by `execve`, or by `_exit` when it comes to its end.
    unsafe { clone(run, &mut stack, flags, Some(nix::libc::SIGCHLD)) }
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

/// Forgets a signal that is held back. What the caller has it do stays.
///
/// # Errors
/// It is one that cannot be set.
pub fn discard(signal: Signal) -> nix::Result<()> {
    let ignore = SigAction::new(SigHandler::SigIgn, SaFlags::empty(), SigSet::empty());
    // SAFETY: no handler is installed but the one that was there.
    unsafe {
        let before = sigaction(signal, &ignore)?;
        sigaction(signal, &before).map(drop)
    }
}
