//! Asks in a process of its own what may never answer. A file system whose server is gone holds whoever
//! looks at it, often so that not even SIGKILL ends it before the server is back: nobody then waits for
//! that process, and it holds nothing of this one's.

use std::ffi::CString;
use std::fs::{self, File};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::prctl::set_pdeathsig;
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{close, pipe2};
use serde::{Serialize, de::DeserializeOwned};

use crate::bounds::{BUSY_MACHINE, NEXT_BESIDE, TELL};
use crate::engine::local::output::listen;
use crate::engine::local::processes::wants_to_run;
use crate::engine::local::raw::{Looker, fork_child};

/// Why there is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unanswered {
    /// Whoever was asked has not answered in time.
    Late,
    /// Nobody could be asked: this user may have no more processes, or this process no more files open.
    Unasked(Errno),
}

impl std::fmt::Display for Unanswered {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Unanswered::Late => f.write_str("it does not answer"),
            Unanswered::Unasked(error) => f.write_str(&unasked("it", *error)),
        }
    }
}

/// What is said of what could not be asked.
pub fn unasked(what: &str, error: Errno) -> String {
    let limit = match error {
        Errno::EAGAIN => ": the limit on processes is reached (ulimit -u)",
        Errno::EMFILE => ": the limit on open files is reached (ulimit -n)",
        _ => "",
    };
    format!("{what} could not be asked: {}{limit}", error.desc())
}

/// The answer to a question.
///
/// # Errors
/// There is none after the time `most`, or it could not be asked.
pub fn ask<T: Serialize + DeserializeOwned>(
    most: Duration,
    question: impl FnOnce() -> T,
) -> Result<T, Unanswered> {
    let (answer, tell) = pipe2(OFlag::O_CLOEXEC).map_err(Unanswered::Unasked)?;
    let mut tell = Some(File::from(tell));
    let child = fork_child(|| {
        let Some(tell) = tell.take() else { return };
        let _ = set_pdeathsig(Signal::SIGKILL);
        let_go_of_all_but(&[tell.as_raw_fd()]);
        let _ = serde_json::to_writer(tell, &question());
    })
    .map_err(Unanswered::Unasked)?;
    drop(tell);
    let answer = listen([answer].into_iter(), child, most, || {
        let ended = waitpid(child, Some(WaitPidFlag::WNOHANG))?;
        Ok(ended != WaitStatus::StillAlive)
    });
    let answer = answer.inspect_err(|_| {
        let _ = kill(child, Signal::SIGKILL);
        let _ = waitpid(child, Some(WaitPidFlag::WNOHANG));
    });
    let answer = answer.map_err(|_| Unanswered::Late)?;
    serde_json::from_slice(&answer.concat()).map_err(|_| Unanswered::Late)
}

/// What the system says to each of `paths` when it is opened, 0 or the number of an error; or why it has
/// said nothing, as after the time `most`. One process opens them in turn; when one takes long, another
/// goes on with those behind it.
pub fn open_each(paths: &[CString], patience: &Patience) -> Vec<Result<i32, Unanswered>> {
    let mut said = vec![Err(Unanswered::Late); paths.len()];
    let mut late: Vec<(usize, Looking)> = Vec::new();
    let mut next = 0;
    while next < paths.len() {
        let looking = match Looking::begin(&paths[next..]) {
            Ok(looking) => looking,
            Err(error) => {
                said[next..].fill(Err(Unanswered::Unasked(error)));
                break;
            }
        };
        let first = next;
        loop {
            let is_over = looking.is_over_within(NEXT_BESIDE.min(patience.most));
            let done = first + looking.looker.done();
            if is_over || done == next {
                break;
            }
            next = done;
        }
        next = first + looking.looker.done();
        late.push((first, looking));
        next += 1; // one that takes long is waited for below
    }
    for (first, looking) in late {
        looking.wait(first, patience);
        for at in 0..looking.looker.done() {
            said[first + at] = Ok(looking.looker.said(at));
        }
        looking.end();
    }
    said
}

/// Has each of `paths` opened, one after the other.
///
/// # Errors
/// Gives the number of the first that does not answer.
pub fn open_in_turn(paths: &[CString], patience: &Patience) -> Result<(), usize> {
    let Ok(looking) = Looking::begin(paths) else {
        return Ok(()); // too many processes: whoever needs them finds out
    };
    looking.wait(0, patience);
    let done = looking.looker.done();
    looking.end();
    match done == paths.len() {
        true => Ok(()),
        false => Err(done),
    }
}

/// How long to wait for what does not answer.
pub struct Patience<'a> {
    pub most: Duration,
    /// Of whoever is to answer: does it wait for nothing but the processor?
    pub is_busy: &'a dyn Fn(usize) -> bool,
    /// Takes the number of a path that has not answered after the time `bounds::TELL`.
    pub tell: &'a dyn Fn(usize),
}

impl Patience<'_> {
    /// That time, and nobody to be asked or told.
    pub fn of(most: Duration) -> Self {
        Patience {
            most,
            is_busy: &|_| false,
            tell: &|_| {},
        }
    }
}

/// A process that opens paths.
struct Looking {
    looker: Looker,
    line: OwnedFd,
    begun: Instant,
}

impl Looking {
    fn begin(paths: &[CString]) -> nix::Result<Self> {
        let (line, tell) = pipe2(OFlag::O_CLOEXEC)?;
        Ok(Looking {
            looker: Looker::begin(paths.to_vec(), &tell)?,
            line,
            begun: Instant::now(),
        })
    }

    fn is_over_within(&self, most: Duration) -> bool {
        let most = PollTimeout::try_from(most).unwrap_or(PollTimeout::MAX);
        let mut line = [PollFd::new(self.line.as_fd(), PollFlags::empty())];
        poll(&mut line, most).is_ok_and(|ready| ready > 0)
    }

    /// Waits until it is over, as long as there is patience; its first path has the number `first`.
    fn wait(&self, first: usize, patience: &Patience) {
        let mut is_told = false;
        let at = || first + self.looker.done();
        loop {
            let waited = self.begun.elapsed();
            let left = patience.most.saturating_sub(waited);
            let left = match is_told {
                false => left.min(TELL.saturating_sub(waited)),
                true => left,
            };
            if self.is_over_within(left.max(NEXT_BESIDE)) {
                return;
            }
            let waited = self.begun.elapsed();
            let is_late = waited >= patience.most;
            let wants_to_run =
                || wants_to_run(self.looker.pid.as_raw()) || (patience.is_busy)(at());
            if is_late && (waited >= patience.most + BUSY_MACHINE || !wants_to_run()) {
                return;
            }
            if !is_told && waited >= TELL {
                (patience.tell)(at());
                is_told = true;
            }
        }
    }

    fn end(self) {
        match self.is_over_within(Duration::ZERO) {
            true => self.looker.end(),
            // It is left to itself.
            false => {
                let _ = kill(self.looker.pid, Signal::SIGKILL);
                let _ = waitpid(self.looker.pid, Some(WaitPidFlag::WNOHANG));
            }
        }
    }
}

/// Closes what was inherited: whoever reads the output of `ctr` would wait for its end, and a lock would
/// be held on.
pub fn let_go_of_all_but(kept: &[i32]) {
    let entries = fs::read_dir("/proc/self/fd")
        .into_iter()
        .flatten()
        .flatten();
    let numbers: Vec<i32> = entries
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .collect();
    for number in numbers.into_iter().filter(|number| !kept.contains(number)) {
        let _ = close(number); // that of the folder itself is closed already
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_path_says_what_the_system_says() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| {
            let path = folder.path().join(name).into_os_string().into_string();
            CString::new(path.unwrap()).unwrap()
        };
        fs::write(folder.path().join("file"), "").unwrap();
        nix::unistd::mkfifo(&folder.path().join("fifo"), nix::sys::stat::Mode::S_IRWXU).unwrap();
        let paths = ["file", "missing", "fifo", ".", "file/x"].map(path);
        let said = open_each(&paths, &Patience::of(Duration::from_secs(60)));
        let (absent, no_folder) = (nix::libc::ENOENT, nix::libc::ENOTDIR);
        assert_eq!(said, [0, absent, 0, 0, no_folder].map(Ok));
        assert_eq!(open_each(&[], &Patience::of(Duration::ZERO)), []);
    }

    #[test]
    fn a_question_without_an_answer_is_given_up() {
        let long = Duration::from_secs(60);
        assert_eq!(ask(long, || 7), Ok(7));
        let words = "x".repeat(1 << 20);
        assert_eq!(ask(long, || words.clone()), Ok(words));
        let short = Duration::from_millis(50);
        assert_eq!(
            ask(short, || std::thread::sleep(long)),
            Err(Unanswered::Late)
        );
    }
}
