//! Does another process get on with what it does?

use std::time::{Duration, Instant};

use procfs::process::{Process as Proc, Stat};

use crate::engine::local::processes;

/// Clock ticks of processor time that a program needs which only waits.
const OF_WAITING: u64 = 10;

/// How often it is looked at.
const POLL_INTERVAL: Duration = Duration::from_secs(1);

/// Watches whether a process gets on. The looks are counted, not the time: this process may itself have
/// been stopped meanwhile.
pub struct Watch {
    pid: i32,
    signs: Option<Signs>,
    looked: Instant,
    /// How many looks in a row have found that it did nothing.
    idle: u32,
    /// How many in a row have found it stopped.
    stopped: u32,
}

impl Watch {
    /// Begins to watch the process `pid`, and all that it starts.
    pub fn new(pid: i32) -> Self {
        Watch {
            pid,
            signs: Signs::of(pid),
            looked: Instant::now(),
            idle: 0,
            stopped: 0,
        }
    }

    /// Looks again when it is time, which is for the caller to call often.
    pub fn look(&mut self) {
        if self.looked.elapsed() < POLL_INTERVAL {
            return;
        }
        self.looked = Instant::now();
        let now = Signs::of(self.pid);
        // What it has started may go on all the same.
        self.stopped = match now.as_ref().is_some_and(|signs| signs.is_stopped) {
            true => self.stopped + 1,
            false => 0,
        };
        let gets_on = match (&now, &self.signs) {
            (Some(now), Some(before)) => now.differ_from(before),
            _ => false,
        };
        if gets_on {
            self.signs = now;
            self.idle = 0;
        } else {
            self.idle += 1;
        }
    }

    /// For how long it has done nothing.
    pub fn idle(&self) -> Duration {
        POLL_INTERVAL * self.idle
    }

    /// For how long a signal has held it.
    pub fn stopped(&self) -> Duration {
        POLL_INTERVAL * self.stopped
    }
}

/// What a process and those that it has started have done so far.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Signs {
    pids: Vec<i32>,
    ticks: u64,
    bytes: u64,
    /// A signal stopped it, and it waits to be continued.
    is_stopped: bool,
}

impl Signs {
    /// Those of the process `pid`; `None` when it has ended.
    fn of(pid: i32) -> Option<Self> {
        let own = Proc::new(pid).ok()?;
        let is_stopped = own.stat().ok()?.state == 'T';
        let started = started_by(pid);
        // What waits for others while they work draws how they get on.
        let workers = match started.is_empty() {
            true => vec![own],
            false => started,
        };
        let ticks = |one: &Proc| one.stat().map_or(0, |stat| stat.utime + stat.stime);
        let bytes = |one: &Proc| one.io().map_or(0, |io| io.rchar + io.wchar);
        Some(Signs {
            pids: workers.iter().map(|one| one.pid).collect(),
            ticks: workers.iter().map(ticks).sum(),
            bytes: workers.iter().map(bytes).sum(),
            is_stopped,
        })
    }

    /// True when something was done since `before`.
    fn differ_from(&self, before: &Signs) -> bool {
        self.pids != before.pids
            || self.bytes != before.bytes
            || self.ticks >= before.ticks + OF_WAITING
    }
}

/// The processes that `pid` has started, and those that these have.
fn started_by(pid: i32) -> Vec<Proc> {
    let mut others = processes::all().unwrap_or_default();
    let mut parents = vec![pid];
    let mut found = Vec::new();
    while let Some(parent) = parents.pop() {
        let (children, rest): (Vec<Stat>, _) =
            others.into_iter().partition(|one| one.ppid == parent);
        others = rest;
        parents.extend(children.iter().map(|child| child.pid));
        found.extend(
            children
                .iter()
                .filter_map(|child| Proc::new(child.pid).ok()),
        );
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::{Command, Stdio};
    use std::time::{Duration, Instant};

    #[test]
    fn who_works_is_told_from_who_waits() {
        let run = |script: &str| {
            let mut shell = Command::new("/bin/sh");
            shell.args(["-c", script]).stdin(Stdio::null());
            shell.stdout(Stdio::null()).spawn().unwrap()
        };
        let mut idle = run("sleep 1000; :");
        let mut busy = run("cat /dev/zero; :");
        let signs = |child: &std::process::Child| Signs::of(child.id() as i32).unwrap();
        // Until each has started what it waits for.
        let deadline = Instant::now() + Duration::from_secs(60);
        while [&idle, &busy]
            .iter()
            .any(|one| started_by(one.id() as i32).is_empty())
        {
            assert!(Instant::now() < deadline);
        }
        std::thread::sleep(Duration::from_millis(300));
        let before = (signs(&idle), signs(&busy));
        std::thread::sleep(Duration::from_millis(100));
        let after = (signs(&idle), signs(&busy));
        let workers = [&idle, &busy].map(|one| started_by(one.id() as i32));
        for worker in workers.iter().flatten() {
            let pid = nix::unistd::Pid::from_raw(worker.pid);
            let _ = nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGKILL);
        }
        let pid = idle.id() as i32;
        let _ = (idle.wait(), busy.wait());
        assert!(!after.0.differ_from(&before.0), "{before:?} {after:?}");
        assert!(after.1.differ_from(&before.1), "{before:?} {after:?}");
        assert!(!after.0.is_stopped);
        assert_eq!(Signs::of(pid), None);
    }
}
