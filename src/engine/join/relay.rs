//! Stands outside for a command inside: hands on signals, stops when it stops, ends as it ends.

use std::process::exit;

use nix::errno::Errno;
use nix::sys::prctl::set_dumpable;
use nix::sys::signal::{SigSet, SigmaskHow, Signal, kill, raise};
use nix::sys::signalfd::{SfdFlags, SignalFd, siginfo};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

use super::raw::set_default;

/// Those that say that a program is wrong, or that no process can catch.
const NOT_HANDED_ON: [Signal; 9] = [
    Signal::SIGKILL,
    Signal::SIGSTOP,
    Signal::SIGSEGV,
    Signal::SIGBUS,
    Signal::SIGILL,
    Signal::SIGFPE,
    Signal::SIGTRAP,
    Signal::SIGSYS,
    Signal::SIGABRT,
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
    pub fn give_back(&self) -> nix::Result<()> {
        set_default(Signal::SIGPIPE)?;
        self.before.thread_set_mask()
    }

    /// Stays until `command` has ended, and ends in the same way.
    pub fn follow(self, command: Pid) -> ! {
        loop {
            match self.signals.read_signal() {
                Ok(Some(info)) if info.ssi_signo == Signal::SIGCHLD as u32 => self.look(command),
                Ok(Some(info)) => hand_on(&info, command),
                Ok(None) | Err(Errno::EINTR) => {}
                // It cannot be waited for without: better no command than one that nobody holds.
                Err(_) => exit(1),
            }
        }
    }

    fn look(&self, command: Pid) {
        let flags = WaitPidFlag::WNOHANG | WaitPidFlag::WUNTRACED;
        match waitpid(command, Some(flags)) {
            Ok(WaitStatus::Exited(_, status)) => exit(status),
            Ok(WaitStatus::Signaled(_, signal, _)) => end_by(signal),
            Ok(WaitStatus::Stopped(_, signal)) => {
                stop_by(signal);
                // Continued: whoever did it may have meant this process alone.
                let _ = kill(command, Signal::SIGCONT);
            }
            _ => {}
        }
    }
}

/// What a terminal sends, it sends to the command as well, which is in the same process group; and
/// what the command sends to that group, it knows of.
fn hand_on(info: &siginfo, command: Pid) {
    let by_a_process = info.ssi_code <= 0; // SI_USER, SI_QUEUE, SI_TKILL; the kernel's are above
    if by_a_process && info.ssi_pid != command.as_raw() as u32 {
        if let Ok(signal) = Signal::try_from(info.ssi_signo as i32) {
            let _ = kill(command, signal);
        }
    }
}

/// A shell tells by this that a person pressed Ctrl-C, and breaks a loop.
fn end_by(signal: Signal) -> ! {
    let _ = set_dumpable(false); // the core would be that of `ctr`
    let _ = set_default(signal);
    let _ = raise(signal);
    let _ = SigSet::from(signal).thread_unblock();
    exit(128 + signal as i32)
}

fn stop_by(signal: Signal) {
    let set = SigSet::from(signal);
    let _ = set_default(signal);
    let _ = raise(signal);
    let _ = set.thread_unblock();
    let _ = set.thread_block();
}
