//! Tells a signal to the whole process group from one to this process alone.
//!
//! Linux says who sent a signal, not to whom, and the number of a sender inside means nothing outside.
//! So a second process stands in the same group: what it got as well, the command got too.

use std::sync::atomic::{AtomicU32, Ordering};

use nix::sys::prctl::set_pdeathsig;
use nix::sys::signal::{SigSet, SigmaskHow, Signal, kill};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::sys::wait::waitpid;
use nix::unistd::{Pid, getpid, getppid};
use rustix::io::Errno;
use rustix::thread::futex::{Flags, Timespec, wait, wake};

use super::raw::in_a_companion;

/// How long an answer may take: of one that somebody else has stopped or ended there is none.
const PATIENCE: Timespec = Timespec {
    tv_sec: 1,
    tv_nsec: 0,
};

/// Added to the number of a signal that was there.
const GOT: u32 = 0x100;

/// The other process. It ends with this value.
pub struct Witness {
    process: Pid,
    desk: &'static Desk,
}

/// What the two share: each holds the number of a signal, or 0.
#[derive(Default)]
struct Desk {
    question: AtomicU32,
    answer: AtomicU32,
}

impl Witness {
    /// Calls it, before the join: inside, it is not to be seen.
    ///
    /// # Errors
    /// There are too many processes.
    pub fn call() -> nix::Result<Self> {
        let this = getpid();
        let desk: &Desk = Box::leak(Box::default());
        let task = Box::leak(Box::new(move || {
            let _ = stand_by(desk, this);
        }));
        let before = SigSet::all().thread_swap_mask(SigmaskHow::SIG_BLOCK)?;
        let process = in_a_companion(task);
        before.thread_set_mask()?;
        process.map(|process| Witness { process, desk })
    }

    /// Lets it go on, should it have been stopped with the whole group.
    pub fn go_on(&self) {
        let _ = kill(self.process, Signal::SIGCONT);
    }

    /// True when it got this signal as well, since it was last asked for it.
    pub fn has(&self, signal: Signal) -> bool {
        let Desk { question, answer } = self.desk;
        answer.store(0, Ordering::Release);
        question.store(signal as u32, Ordering::Release);
        let _ = wake(question, Flags::PRIVATE, 1);
        while answer.load(Ordering::Acquire) == 0 {
            if wait(answer, Flags::PRIVATE, 0, Some(&PATIENCE)) == Err(Errno::TIMEDOUT) {
                break;
            }
        }
        answer.load(Ordering::Acquire) == signal as u32 | GOT
    }
}

impl Drop for Witness {
    fn drop(&mut self) {
        let _ = kill(self.process, Signal::SIGKILL);
        let _ = waitpid(self.process, None);
    }
}

/// Answers whether a signal is there that is asked for, and takes it away.
fn stand_by(Desk { question, answer }: &Desk, parent: Pid) -> nix::Result<()> {
    set_pdeathsig(Signal::SIGKILL)?;
    while getppid() == parent {
        let _ = wait(question, Flags::PRIVATE, 0, None);
        let number = question.swap(0, Ordering::AcqRel);
        let Ok(signal) = Signal::try_from(number as i32) else {
            continue;
        };
        let got = if take(signal)? { GOT } else { 0 };
        answer.store(number | got, Ordering::Release);
        let _ = wake(answer, Flags::PRIVATE, 1);
    }
    Ok(())
}

/// True when a signal that is held back was there, which is taken away.
///
/// # Errors
/// There are too many open files.
pub fn take(signal: Signal) -> nix::Result<bool> {
    let flags = SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC;
    let signals = SignalFd::with_flags(&signal.into(), flags)?;
    signals.read_signal().map(|found| found.is_some())
}
