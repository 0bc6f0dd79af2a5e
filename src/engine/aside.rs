//! Asks in a process of its own what may never answer. A file system whose server is gone holds whoever
//! looks at it, often so that not even SIGKILL ends it before the server is back: nobody then waits for
//! that process, and it holds nothing of this one's.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::os::fd::{AsFd, AsRawFd};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::prctl::set_pdeathsig;
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, waitpid};
use nix::unistd::{Pid, close, pipe2};
use procfs::FromRead;
use procfs::process::Stat;
use serde::{Serialize, de::DeserializeOwned};

use super::join::in_a_child;
use crate::bounds::{BUSY_MACHINE, NEXT_BESIDE};

/// The answer to a question, `None` when there is none after the time `most`.
pub fn ask<T: Serialize + DeserializeOwned>(
    most: Duration,
    question: impl FnOnce() -> T,
) -> Option<T> {
    let mut question = Some(question);
    let mut asked = Asked::begin(|tell| {
        if let Some(question) = question.take() {
            tell(0, &question());
        }
    })
    .ok()?;
    let answers: Vec<(usize, T)> = asked.answers(Instant::now() + most);
    answers.into_iter().next().map(|(_, answer)| answer)
}

/// The answers to the questions 0 to `count`, each `None` when there is none after the time `most`. One
/// process asks them in turn; when one takes long, another goes on with those behind it.
pub fn ask_each<T: Serialize + DeserializeOwned>(
    count: usize,
    most: Duration,
    question: impl Fn(usize) -> T,
) -> Vec<Option<T>> {
    let mut answers: Vec<Option<T>> = (0..count).map(|_| None).collect();
    let mut late: Vec<(Asked, Instant)> = Vec::new();
    let mut next = 0;
    while next < count {
        let ask_rest = |tell: &mut Tell<T>| (next..count).for_each(|at| tell(at, &question(at)));
        let Ok(mut asked) = Asked::begin(ask_rest) else {
            break; // too many processes: nothing is known of the rest
        };
        let begun = Instant::now();
        loop {
            let told = asked.some_answers(Instant::now() + NEXT_BESIDE.min(most));
            if told.is_empty() {
                break;
            }
            for (at, answer) in told {
                answers[at] = Some(answer);
                next = at + 1;
            }
        }
        if next < count {
            next += 1; // that one is waited for below
            late.push((asked, begun + most));
        }
    }
    for (mut asked, deadline) in late {
        for (at, answer) in asked.answers(deadline) {
            answers[at] = Some(answer);
        }
    }
    answers
}

/// Takes an answer, with the number of its question.
type Tell<'a, T> = dyn FnMut(usize, &T) + 'a;

/// A process that was asked. Dropped, it is told to end, and not waited for.
struct Asked {
    pid: Pid,
    answer: File,
    /// The start of an answer whose end has not come yet.
    text: Vec<u8>,
    has_ended: bool,
}

impl Asked {
    fn begin<T: Serialize>(question: impl FnOnce(&mut Tell<T>)) -> nix::Result<Self> {
        let (answer, tell) = pipe2(OFlag::O_CLOEXEC)?;
        let mut tell = Some(File::from(tell));
        let pid = in_a_child(|| {
            let Some(mut tell) = tell.take() else { return };
            let _ = set_pdeathsig(Signal::SIGKILL);
            let_go_of_all_but(tell.as_raw_fd());
            question(&mut |at, answer| {
                let mut line = serde_json::to_vec(&(at, answer)).unwrap_or_default();
                line.push(b'\n');
                let _ = tell.write_all(&line);
            });
        })?;
        Ok(Asked {
            pid,
            answer: answer.into(),
            text: Vec::new(),
            has_ended: false,
        })
    }

    /// All answers until it has no more, or the deadline.
    fn answers<T: DeserializeOwned>(&mut self, deadline: Instant) -> Vec<(usize, T)> {
        let mut all = Vec::new();
        loop {
            let some = self.some_answers(deadline);
            if some.is_empty() {
                return all;
            }
            all.extend(some);
        }
    }

    /// The next answers; none at its end, or at the deadline.
    fn some_answers<T: DeserializeOwned>(&mut self, deadline: Instant) -> Vec<(usize, T)> {
        while self.waits(deadline) {
            let mut part = [0; 1 << 16];
            match self.answer.read(&mut part) {
                Ok(0) | Err(_) => {
                    self.has_ended = true;
                    return Vec::new();
                }
                Ok(length) => self.text.extend_from_slice(&part[..length]),
            }
            let Some(end) = self.text.iter().rposition(|byte| *byte == b'\n') else {
                continue;
            };
            let rest = self.text.split_off(end + 1);
            let lines = std::mem::replace(&mut self.text, rest);
            let lines = lines.split(|byte| *byte == b'\n');
            return lines
                .filter_map(|line| serde_json::from_slice(line).ok())
                .collect();
        }
        Vec::new()
    }

    /// False when nothing has come before the deadline, or a little later on a machine that did not let
    /// it run.
    fn waits(&self, deadline: Instant) -> bool {
        let last = deadline + BUSY_MACHINE;
        let mut until = deadline;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            let left = u16::try_from(left.as_millis()).unwrap_or(u16::MAX);
            let mut answer = [PollFd::new(self.answer.as_fd(), PollFlags::POLLIN)];
            match poll(&mut answer, PollTimeout::from(left)) {
                Err(Errno::EINTR) => continue,
                Ok(0) if Instant::now() < until => continue,
                Ok(0) if Instant::now() < last && self.wants_to_run() => {
                    until = Instant::now() + NEXT_BESIDE;
                }
                Ok(0) | Err(_) => return false,
                Ok(_) => return true,
            }
        }
    }

    /// True for a process that waits for nothing but the processor.
    fn wants_to_run(&self) -> bool {
        let stat = Stat::from_file(format!("/proc/{}/stat", self.pid));
        stat.is_ok_and(|stat| stat.state == 'R')
    }
}

impl Drop for Asked {
    fn drop(&mut self) {
        let _ = kill(self.pid, Signal::SIGKILL);
        // One that has no more to say ends at once; one that cannot end is left to itself.
        let wait = match self.has_ended {
            true => WaitPidFlag::empty(),
            false => WaitPidFlag::WNOHANG,
        };
        let _ = waitpid(self.pid, Some(wait));
    }
}

/// Closes what was inherited: whoever reads the output of `ctr` would wait for its end, and a lock would
/// be held on.
fn let_go_of_all_but(kept: i32) {
    let entries = fs::read_dir("/proc/self/fd")
        .into_iter()
        .flatten()
        .flatten();
    let numbers: Vec<i32> = entries
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .collect();
    for number in numbers.into_iter().filter(|number| *number != kept) {
        let _ = close(number); // that of the folder itself is closed already
    }
}
