//! The calls whose safety Rust cannot see. The only unsafe code of the program.
#![allow(unsafe_code)]

use std::ffi::{c_int, c_void};
use std::process::exit;
use std::ptr;

use nix::errno::Errno;
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

/// Runs `task` in a process of its own beside this one, on the same memory and open files, which spares
/// the copies. As the two are not to use them at the same time, `task` allocates nothing, and no system
/// call of its own fails (for `errno` is one for both), but while this process waits for it.
///
/// # Errors
/// There are too many processes.
pub fn in_a_companion(task: &'static dyn Fn()) -> nix::Result<Pid> {
    extern "C" fn run(task: *mut c_void) -> c_int {
        // SAFETY: it is the reference to a reference below, which is never freed.
        let task = unsafe { &*task.cast::<&dyn Fn()>() };
        task();
        1
    }
    let task: &mut &dyn Fn() = Box::leak(Box::new(task));
    let stack = Box::leak(vec![0_u128; STACK / size_of::<u128>()].into_boxed_slice());
    let flags = nix::libc::CLONE_VM | nix::libc::CLONE_FILES | nix::libc::SIGCHLD;
    // SAFETY: the stack is never freed and ends where this says, aligned as a `u128`; what is shared
    // is used by one of the two at a time, as said above.
    let process = unsafe {
        let top = stack.as_mut_ptr_range().end;
        nix::libc::clone(run, top.cast(), flags, ptr::from_mut(task).cast())
    };
    Errno::result(process).map(Pid::from_raw)
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
