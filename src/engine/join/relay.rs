//! Stands outside for a command inside: hands on signals, stops when it stops, ends as it ends.

use std::process::exit;

use nix::errno::Errno;
use nix::sys::signal::{SigSet, SigmaskHow, Signal, kill, raise};
use nix::sys::signalfd::{SfdFlags, SignalFd, siginfo};
use nix::unistd::Pid;
use rustix::process::{WaitOptions, WaitStatus, waitpid};

use super::raw::{discard, set_default};
use super::witness::{Witness, take};

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
    witness: Witness,
}

impl Relay {
    /// Holds them back.
    ///
    /// # Errors
    /// The system refuses.
    pub fn begin(witness: Witness) -> nix::Result<Self> {
        // Where the caller ignores it, nothing would be told of the command.
        set_default(Signal::SIGCHLD)?;
        let mut held = SigSet::empty();
        for signal in Signal::iterator().filter(|signal| !NOT_HANDED_ON.contains(signal)) {
            held.add(signal);
        }
        Ok(Relay {
            signals: SignalFd::with_flags(&held, SfdFlags::SFD_CLOEXEC)?,
            before: held.thread_swap_mask(SigmaskHow::SIG_BLOCK)?,
            witness,
        })
    }

    /// In the child: as it was before, and as Rust's own start-up found it, but for a broken pipe,
    /// which ends programs by default.
    ///
    /// # Errors
    /// The system refuses.
    pub fn give_back(&self) -> nix::Result<()> {
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
        drop(self.witness);
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
                    self.go_on(command);
                }
                Ok(Some(info)) if info.ssi_signo == Signal::SIGCONT as u32 => self.go_on(command),
                Ok(Some(info)) => self.hand_on(&info, command),
                Ok(None) | Err(Errno::EINTR) => {}
                Err(_) => return None,
            }
        }
    }

    /// Whoever continued this process may have meant it alone. Where it was all, a second time does no
    /// harm.
    fn go_on(&self, command: Pid) {
        self.witness.go_on();
        let _ = kill(command, Signal::SIGCONT);
    }

    /// What is sent to the whole process group has reached the command as well.
    fn hand_on(&self, info: &siginfo, command: Pid) {
        let Ok(signal) = Signal::try_from(info.ssi_signo as i32) else {
            return;
        };
        let to_all = self.witness.has(signal);
        let by_the_kernel = info.ssi_code > 0; // SI_USER is 0, SI_QUEUE and SI_TKILL are below
        if !to_all && !by_the_kernel {
            let _ = kill(command, signal);
        }
    }
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
