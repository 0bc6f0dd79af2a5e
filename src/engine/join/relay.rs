//! Stands outside for a command inside: hands on signals, stops when it stops, ends as it ends.

use std::os::fd::OwnedFd;
use std::process::exit;

use nix::errno::Errno;
use nix::fcntl::AtFlags;
use nix::sys::signal::{SigSet, SigmaskHow, Signal, kill, raise};
use nix::sys::signalfd::{SfdFlags, SignalFd, siginfo};
use nix::sys::stat::fstatat;
use nix::unistd::Pid;
use rustix::process::{WaitOptions, waitpid};

use super::raw::{discard, set_default};

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
    /// The host's `/proc`, and the pid namespace of the command.
    processes: OwnedFd,
    namespace: u64,
}

impl Relay {
    /// Holds them back. `processes` is the host's `/proc`, `namespace` the inode of the pid namespace
    /// that the command will be in.
    ///
    /// # Errors
    /// The system refuses.
    pub fn begin(processes: OwnedFd, namespace: u64) -> nix::Result<Self> {
        // Where the caller ignores it, nothing would be told of the command.
        set_default(Signal::SIGCHLD)?;
        let mut held = SigSet::empty();
        for signal in Signal::iterator().filter(|signal| !NOT_HANDED_ON.contains(signal)) {
            held.add(signal);
        }
        Ok(Relay {
            signals: SignalFd::with_flags(&held, SfdFlags::SFD_CLOEXEC)?,
            before: held.thread_swap_mask(SigmaskHow::SIG_BLOCK)?,
            processes,
            namespace,
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
        loop {
            match self.signals.read_signal() {
                Ok(Some(info)) if info.ssi_signo == Signal::SIGCHLD as u32 => self.look(command),
                Ok(Some(info)) => self.hand_on(&info, command),
                Ok(None) | Err(Errno::EINTR) => {}
                // It cannot be waited for without: better no command than one that nobody holds.
                Err(_) => exit(1),
            }
        }
    }

    fn look(&self, command: Pid) {
        let flags = WaitOptions::NOHANG | WaitOptions::UNTRACED;
        let status = match waitpid(rustix::process::Pid::from_raw(command.as_raw()), flags) {
            Ok(Some((_, status))) => status,
            Ok(None) => return,
            Err(_) => exit(1), // somebody else has waited for it
        };
        if let Some(status) = status.exit_status() {
            exit(status);
        }
        if let Some(number) = status.terminating_signal() {
            end_by(number);
        }
        if let Some(signal) = status.stopping_signal() {
            stop_by(signal);
            // Continued: whoever did it may have meant this process alone.
            let _ = kill(command, Signal::SIGCONT);
        }
    }

    /// What a terminal sends, it sends to the command as well, which is in the same process group;
    /// and what a process inside sends to that group reaches the command by itself.
    fn hand_on(&self, info: &siginfo, command: Pid) {
        let by_a_process = info.ssi_code <= 0; // SI_USER, SI_QUEUE, SI_TKILL; the kernel's are above
        if by_a_process && !self.is_inside(info.ssi_pid) {
            if let Ok(signal) = Signal::try_from(info.ssi_signo as i32) {
                let _ = kill(command, signal);
            }
        }
    }

    fn is_inside(&self, pid: u32) -> bool {
        let namespace = format!("{pid}/ns/pid");
        let found = fstatat(&self.processes, namespace.as_str(), AtFlags::empty());
        found.is_ok_and(|found| found.st_ino == self.namespace)
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
