//! Stands outside for a command inside: hands on signals, stops when it stops, ends as it ends.

use std::process::exit;

use nix::errno::Errno;
use nix::sys::signal::{SigSet, SigmaskHow, Signal, kill, raise};
use nix::sys::signalfd::{SfdFlags, SignalFd, siginfo};
use nix::unistd::{Pid, getpgid, getpgrp, getpid, getsid};
use rustix::process::{WaitOptions, WaitStatus, waitpid};

use crate::engine::local::raw::{discard, set_default};

/// Those that say that a program is wrong, or that no process can catch.
const NOT_HANDED_ON: [Signal; 8] = [
    Signal::SIGKILL,
    Signal::SIGSTOP,
    Signal::SIGSEGV,
    Signal::SIGBUS,
    Signal::SIGILL,
    Signal::SIGFPE,
    Signal::SIGTRAP,
    Signal::SIGSYS,
];

/// The signals of this process, held back from before the command is there.
pub struct Relay {
    signals: SignalFd,
    before: SigSet,
}

impl Relay {
    /// Holds them back.
    ///
    /// # Errors
    /// The system refuses.
    pub fn begin() -> nix::Result<Self> {
        // Where the caller ignores it, nothing would be told of the command.
        set_default(Signal::SIGCHLD)?;
        let mut held = SigSet::empty();
        for signal in Signal::iterator().filter(|signal| !NOT_HANDED_ON.contains(signal)) {
            held.add(signal);
        }
        Ok(Relay {
            signals: SignalFd::with_flags(&held, SfdFlags::SFD_CLOEXEC)?,
            before: held.thread_swap_mask(SigmaskHow::SIG_BLOCK)?,
        })
    }

    /// In the child: as it was before, and as Rust's own start-up found it, but for a broken pipe,
    /// which ends programs by default.
    ///
    /// # Errors
    /// The system refuses.
    pub fn restore_in_child(&self) -> nix::Result<()> {
        set_default(Signal::SIGPIPE)?;
        // One that came meanwhile would stop this child while its parent can do nothing but wait.
        for signal in [Signal::SIGTSTP, Signal::SIGTTIN, Signal::SIGTTOU] {
            discard(signal)?;
        }
        self.before.thread_set_mask()
    }

    /// Stays until `command` has ended, and ends in the same way.
    pub fn follow(self, command: Pid) -> ! {
        let end = self.until_it_ends(command);
        if let Some(number) = end.and_then(WaitStatus::terminating_signal) {
            end_by(number);
        }
        // Where nothing can be told of the command: better none than one that nobody holds.
        exit(end.and_then(WaitStatus::exit_status).unwrap_or(1))
    }

    fn until_it_ends(&self, command: Pid) -> Option<WaitStatus> {
        loop {
            match self.signals.read_signal() {
                Ok(Some(info)) if info.ssi_signo == Signal::SIGCHLD as u32 => {
                    let flags = WaitOptions::NOHANG | WaitOptions::UNTRACED;
                    let pid = rustix::process::Pid::from_raw(command.as_raw());
                    let Some((_, status)) = waitpid(pid, flags).ok()? else {
                        continue;
                    };
                    let Some(signal) = status.stopping_signal() else {
                        return Some(status);
                    };
                    // Both may have been stopped, and this one alone continued by now.
                    if !take(Signal::SIGCONT).unwrap_or(false) {
                        stop_by(signal);
                    }
                    let _ = kill(command, Signal::SIGCONT);
                }
                Ok(Some(info)) => hand_on(&info, command),
                Ok(None) | Err(Errno::EINTR) => {}
                Err(_) => return None,
            }
        }
    }
}

/// What a process sends is handed on: to whom else it was sent, Linux does not tell. What a terminal
/// sends goes to a whole process group, and its end to the one that leads the session.
fn hand_on(info: &siginfo, command: Pid) {
    let Ok(signal) = Signal::try_from(info.ssi_signo as i32) else {
        return;
    };
    let by_the_kernel = info.ssi_code > 0; // SI_USER is 0, SI_QUEUE and SI_TKILL are below
    let has_it = match signal {
        _ if !by_the_kernel => false,
        Signal::SIGHUP => getsid(None) != Ok(getpid()),
        Signal::SIGALRM => false, // the caller set the clock, and became this process
        Signal::SIGINT | Signal::SIGQUIT | Signal::SIGTSTP | Signal::SIGWINCH => {
            getpgid(Some(command)) == Ok(getpgrp())
        }
        _ => true, // such as a pipe of this process that broke
    };
    if !has_it {
        let _ = kill(command, signal);
    }
}

/// True when a signal that is held back was there, which is taken away.
fn take(signal: Signal) -> nix::Result<bool> {
    let flags = SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC;
    let signals = SignalFd::with_flags(&signal.into(), flags)?;
    signals.read_signal().map(|found| found.is_some())
}

/// A shell tells by this that a person pressed Ctrl-C, and breaks a loop.
fn end_by(number: i32) -> ! {
    if let Ok(signal) = Signal::try_from(number) {
        // No core is written, which would be that of `ctr`: see `Target::join`.
        let _ = set_default(signal);
        let _ = raise(signal);
        let _ = SigSet::from(signal).thread_unblock();
    }
    exit(128 + number) // a real-time signal has no name
}

fn stop_by(number: i32) {
    let Ok(signal) = Signal::try_from(number) else {
        return;
    };
    let set = SigSet::from(signal);
    let _ = set_default(signal);
    let _ = raise(signal);
    let _ = set.thread_unblock();
    let _ = set.thread_block();
}
