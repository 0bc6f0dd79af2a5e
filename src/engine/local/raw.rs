//! The calls whose safety Rust cannot see. The only unsafe code of the program.
#![allow(unsafe_code)]

use std::ffi::{CStr, CString};
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::sync::atomic::{AtomicI32, AtomicUsize, Ordering};

use nix::errno::Errno;
use nix::libc::{F_SETFD, FD_CLOEXEC, fcntl};
use nix::sched::{CloneFlags, clone};
use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, sigaction};
use nix::sys::wait::waitpid;
use nix::unistd::{ForkResult, Pid, fork};

/// Bytes of stack for what comes between a clone and its program: system calls, and the allocation of
/// a few words.
const STACK: usize = 64 * 1024;

/// Runs `child` in a copy of this process, which ends with status 1 when that comes to an end.
///
/// # Errors
/// There are too many processes.
pub fn fork_child(child: impl FnOnce()) -> nix::Result<Pid> {
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
pub fn vfork_child(mut child: impl FnMut()) -> nix::Result<Pid> {
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

/// What a process looks at that goes on beside this one.
pub struct Looks {
    /// Files and folders, each opened in turn.
    paths: Vec<CString>,
    /// What the system said to each: 0, or the number of the error.
    said: Vec<AtomicI32>,
    /// How many have been looked at.
    done: AtomicUsize,
    stack: Vec<u8>,
    tell: RawFd,
}

/// A process that looks at files beside this one, with this one's memory.
pub struct Looker {
    pub pid: Pid,
    looks: &'static Looks,
}

impl Looker {
    /// Has another process look at `paths`; `tell` is open there for as long as it lives, and nothing
    /// else of this one's. Starting it takes a tenth of the time of a copy of this process.
    ///
    /// # Errors
    /// There are too many processes.
    pub fn begin(paths: Vec<CString>, tell: &OwnedFd) -> nix::Result<Self> {
        let looks: &'static mut Looks = Box::leak(Box::new(Looks {
            said: paths.iter().map(|_| AtomicI32::new(0)).collect(),
            paths,
            done: AtomicUsize::new(0),
            stack: vec![0; STACK],
            tell: tell.as_raw_fd(),
        }));
        let end = looks.stack.as_mut_ptr_range().end;
        let looks: &'static Looks = looks;
        let flags = nix::libc::CLONE_VM | nix::libc::SIGCHLD;
        // SAFETY: the stack, and all that `look` reads, live until `end`, or for ever. It only makes
        // system calls, by way of a library that has no state, and writes atomics: neither memory is
        // allocated there nor is a lock taken. The end of the stack is aligned down.
        let pid = unsafe {
            let end = end.sub(end as usize % 16).cast();
            let looks = std::ptr::from_ref(looks).cast_mut().cast();
            nix::libc::clone(look, end, flags, looks)
        };
        Errno::result(pid).map(|pid| Looker {
            pid: Pid::from_raw(pid),
            looks,
        })
    }

    /// How many of the paths have been looked at.
    pub fn done(&self) -> usize {
        self.looks.done.load(Ordering::Acquire)
    }

    /// What the system said to the path of that number, which has been looked at.
    pub fn said(&self, at: usize) -> i32 {
        self.looks.said[at].load(Ordering::Relaxed)
    }

    /// Waits for its end, which is near, and gives back what it had.
    pub fn end(self) {
        if waitpid(self.pid, None).is_ok() {
            let looks = std::ptr::from_ref(self.looks).cast_mut();
            // SAFETY: it came of a `Box` that was leaked, and its only other user has ended.
            drop(unsafe { Box::from_raw(looks) });
        }
    }
}

/// Runs in a `Looker`.
extern "C" fn look(looks: *mut nix::libc::c_void) -> i32 {
    // SAFETY: see `Looker::begin`.
    let looks = unsafe { &*looks.cast::<Looks>() };
    let tell = looks.tell as u32;
    for (first, last) in [(0, tell.wrapping_sub(1)), (tell + 1, u32::MAX)] {
        if first <= last && (tell > 0 || first > 0) {
            // SAFETY: this process has a table of descriptors of its own, of which it needs no other.
            // Where Linux is older than 5.9, they are held for as long as it is.
            unsafe { nix::libc::syscall(nix::libc::SYS_close_range, first, last, 0) };
        }
    }
    for (path, said) in looks.paths.iter().zip(&looks.said) {
        let error = open(path).err().map_or(0, rustix::io::Errno::raw_os_error);
        said.store(error, Ordering::Relaxed);
        looks.done.fetch_add(1, Ordering::Release);
    }
    0
}

/// Opens a file or folder, and no device: that may do something.
fn open(path: &CStr) -> rustix::io::Result<()> {
    use rustix::fs::{CWD, FileType, Mode, OFlags, openat, statat};
    let kind = statat(CWD, path, rustix::fs::AtFlags::empty())?.st_mode;
    if matches!(
        FileType::from_raw_mode(kind),
        FileType::RegularFile | FileType::Directory
    ) {
        openat(
            CWD,
            path,
            OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC,
            Mode::empty(),
        )?;
    }
    Ok(())
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

/// Keeps open files from a program that is about to be started. One that is closed by then is none.
pub fn keep_back(command: &mut Command, files: Vec<RawFd>) {
    let keep_back = move || {
        for file in &files {
            // SAFETY: the call takes numbers alone; no file of this process is closed by it.
            if unsafe { fcntl(*file, F_SETFD, FD_CLOEXEC) } < 0 && Errno::last() != Errno::EBADF {
                return Err(Errno::last().into());
            }
        }
        Ok(())
    };
    // SAFETY: it runs between fork and exec, where only async-signal-safe functions may be called:
    // `fcntl` is one, and nothing is allocated.
    unsafe { command.pre_exec(keep_back) };
}

/// The namespace above one of a user or of pids (`NS_GET_PARENT`, `linux/nsfs.h`).
///
/// # Errors
/// It is not above, but outside of where this process is.
pub fn parent_of_namespace(namespace: &impl AsFd) -> nix::Result<OwnedFd> {
    ask_namespace(namespace, nix::request_code_none!(0xb7, 2))
}

/// The user namespace that a namespace belongs to (`NS_GET_USERNS`).
///
/// # Errors
/// It is outside of where this process is.
pub fn owner_of_namespace(namespace: &impl AsFd) -> nix::Result<OwnedFd> {
    ask_namespace(namespace, nix::request_code_none!(0xb7, 1))
}

fn ask_namespace(namespace: &impl AsFd, request: nix::libc::Ioctl) -> nix::Result<OwnedFd> {
    // SAFETY: both requests take no argument and give a file descriptor, which nobody else has.
    unsafe {
        let file = nix::libc::ioctl(namespace.as_fd().as_raw_fd(), request);
        Errno::result(file).map(|file| OwnedFd::from_raw_fd(file))
    }
}
