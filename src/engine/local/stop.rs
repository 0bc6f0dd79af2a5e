//! Stops instances, and is done only when nothing of them is left.

use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

use crate::engine::local::membership::{Family, Member, Part};
use crate::engine::local::processes::{Identity, ticks_since_boot};
use crate::engine::local::signals::send;
use crate::engine::{Engine, Process};
use crate::error::{Error, Kind, Result};

/// How long what outlives its instance is waited for, before and after it is killed.
const GRACE: Duration = Duration::from_secs(5);
const POLL_INTERVAL: Duration = Duration::from_millis(10);
/// As good as for ever.
const LONGEST: Duration = Duration::from_secs(100 * 365 * 24 * 3600);

/// How to stop.
#[derive(Debug, Clone)]
pub enum StopMode {
    /// Ask everyone inside; kill who is left after so many seconds.
    Ask {
        /// The signal for all; without one, each gets that on which it ends.
        signal: Option<Signal>,
        seconds: u64,
    },
    /// Kill at once.
    Kill,
}

impl Default for StopMode {
    /// As `ctr stop` without options.
    fn default() -> Self {
        StopMode::Ask {
            signal: None,
            seconds: 10,
        }
    }
}

/// What a stop did.
#[derive(Debug, Clone, Copy)]
pub struct Stopped {
    /// How many commands ran inside, beside the instance's own first process.
    pub commands: usize,
    /// How many had to be killed when their time was over.
    pub killed: usize,
}

/// An instance whose processes were asked to end.
pub struct Stopping {
    name: String,
    first: Identity,
    family: Family,
    /// Who was of it when it was asked.
    before: Vec<Member>,
    /// When who is left is killed.
    deadline: Option<Instant>,
}

/// Asks everyone inside to end. Apptainer's first process is not asked: it would hand the signal on
/// to some of them a second time, and lives on itself.
///
/// # Errors
/// One of them cannot be signalled.
pub fn ask(name: &str, process: &Process, manner: &StopMode) -> Result<Stopping> {
    let family = Family::of(name, process).map_err(|why| {
        Error::new(
            Kind::Engine,
            format!("cannot tell the processes of `{name}`: {why}"),
        )
    })?;
    let mut stopping = Stopping {
        name: name.to_owned(),
        first: Identity {
            pid: process.pid,
            start_time: process.pid_start_time,
        },
        before: family.members(),
        family,
        deadline: None,
    };
    if let StopMode::Ask { signal, seconds } = manner {
        let patience = Duration::from_secs(*seconds).min(LONGEST);
        stopping.deadline = Some(Instant::now() + patience);
        stopping.ask_all(*signal)?;
    }
    Ok(stopping)
}

impl Stopping {
    fn ask_all(&mut self, signal: Option<Signal>) -> Result<()> {
        let begun = ticks_since_boot();
        for member in &self.before {
            self.ask_one(member, signal)?;
        }
        // Who was begun while the others were asked. Who is begun later tidies up for one of them.
        let is_new = |member: &Member| {
            let is_known = |known: &Member| known.identity() == member.identity();
            member.stat.starttime < begun && !self.before.iter().any(is_known)
        };
        let mut late = self.family.inside();
        late.retain(is_new);
        for member in &late {
            self.ask_one(member, signal)?;
        }
        self.before.extend(late);
        Ok(())
    }

    fn ask_one(&self, member: &Member, signal: Option<Signal>) -> Result<()> {
        if member.part != Part::Inside {
            return Ok(());
        }
        let signals = signal.map_or_else(|| signals_that_end(member), |signal| vec![signal]);
        for signal in signals {
            self.send(signal, member.identity())?;
        }
        // One that is halted gets them when it goes on.
        if member.stat.state == 'T' {
            self.send(Signal::SIGCONT, member.identity())?;
        }
        Ok(())
    }

    /// Waits until nobody but the first process is left inside or their time is over; then kills,
    /// and waits until the processes, the FUSE helpers and the record are gone.
    ///
    /// # Errors
    /// Something of it cannot be signalled, or killed.
    pub fn finish(self, engine: &Engine) -> Result<Stopped> {
        let commands = Family::commands(&self.before);
        let killed = match self.deadline {
            Some(deadline) => self.wait_for_inside(deadline),
            None => 0,
        };
        self.kill_inside()?;
        let before = self.before.iter().map(Member::identity).collect();
        let left = wait_until_gone(before, GRACE);
        let members = self.before.iter();
        let left: Vec<&Member> = members
            .filter(|one| left.contains(&one.identity()))
            .collect();
        self.end(&left)?;
        // Its supervisor has removed the record, unless it was killed.
        engine.forget(&self.name);
        Ok(Stopped { commands, killed })
    }

    /// How many are left inside when the time is over.
    fn wait_for_inside(&self, deadline: Instant) -> usize {
        let mut left: Vec<Identity> = Vec::new();
        loop {
            left.retain(|identity| identity.lives());
            if left.is_empty() {
                left = self.others_inside();
            }
            if left.is_empty() || !self.first.lives() {
                return 0;
            }
            if Instant::now() >= deadline {
                return self.others_inside().len();
            }
            std::thread::sleep(POLL_INTERVAL);
        }
    }

    fn others_inside(&self) -> Vec<Identity> {
        let inside = self.family.inside().into_iter();
        let others = inside.filter(|member| member.part == Part::Inside);
        others.map(|member| member.identity()).collect()
    }

    /// The first process goes last where its end is not that of the others: as long as it lives, they
    /// can be told from all else.
    fn kill_inside(&self) -> Result<()> {
        let deadline = Instant::now() + GRACE;
        while !self.family.ends_as_one() && Instant::now() < deadline {
            let others = self.others_inside();
            if others.is_empty() {
                break;
            }
            for identity in others {
                self.send(Signal::SIGKILL, identity)?;
            }
            std::thread::sleep(POLL_INTERVAL);
        }
        // A number alone, that of a record or of a state, proves nothing.
        match self.family.lives() {
            true => self.send(Signal::SIGKILL, self.first),
            false => Ok(()),
        }
    }

    /// Ends what has not ended by itself with its instance. A helper that is asked writes what it
    /// still holds into its image.
    fn end(&self, left: &[&Member]) -> Result<()> {
        for member in left {
            let signal = match member.part {
                Part::Helper => Signal::SIGTERM,
                _ => Signal::SIGKILL,
            };
            self.send(signal, member.identity())?;
            self.send(Signal::SIGCONT, member.identity())?;
        }
        let left = left.iter().map(|member| member.identity()).collect();
        let left = wait_until_gone(left, GRACE);
        for identity in &left {
            self.send(Signal::SIGKILL, *identity)?;
        }
        let left = wait_until_gone(left, GRACE);
        if left.is_empty() {
            return Ok(());
        }
        let pids: Vec<String> = left.iter().map(|one| one.pid.to_string()).collect();
        let (name, pids) = (&self.name, pids.join(", "));
        let message = format!("`{name}` is stopped, but processes of it live on: {pids}");
        Err(Error::new(Kind::Engine, message)
            .hint("they wait for a device or a server; look with `ps`, and stop it again later"))
    }

    fn send(&self, signal: Signal, identity: Identity) -> Result<()> {
        send(signal, identity).map_err(|error| {
            let (pid, name) = (identity.pid, &self.name);
            let message = format!("cannot send {signal} to process {pid} of `{name}`");
            Error::io(message, error)
        })
    }
}

/// Ends what an instance that has ended by itself has left behind, and gives the programs' names.
///
/// # Errors
/// Something of it cannot be signalled, or killed.
pub fn end_what_is_left(name: &str, process: &Process) -> Result<Vec<String>> {
    let stopping = ask(name, process, &StopMode::Kill)?;
    if stopping.before.is_empty() {
        return Ok(Vec::new());
    }
    let is_watched = |member: &Member| member.part == Part::Supervisor;
    if stopping.before.iter().any(is_watched) {
        // It is tidying up.
        wait_until_gone(
            stopping.before.iter().map(Member::identity).collect(),
            GRACE,
        );
    }
    let left = stopping.before.iter();
    let left: Vec<&Member> = left.filter(|member| member.identity().lives()).collect();
    stopping.end(&left)?;
    Ok(left.iter().map(|member| member.stat.comm.clone()).collect())
}

/// The signals on which a process ends that knows nothing of `ctr`. What a script has begun with `&`
/// ignores SIGINT; a shell at a terminal ends on nothing but SIGHUP.
fn signals_that_end(member: &Member) -> Vec<Signal> {
    let ignored = member.proc.status().map_or(0, |status| status.sigign);
    let ignores = |signal: Signal| ignored & (1 << (signal as i32 - 1)) != 0;
    let mut signals = vec![match ignores(Signal::SIGINT) {
        true => Signal::SIGTERM,
        false => Signal::SIGINT,
    }];
    if member.stat.tty_nr != 0 {
        signals.push(Signal::SIGHUP);
    }
    signals
}

fn wait_until_gone(mut left: Vec<Identity>, most: Duration) -> Vec<Identity> {
    let deadline = Instant::now() + most;
    loop {
        left.retain(|identity| identity.lives());
        if left.is_empty() || Instant::now() > deadline {
            return left;
        }
        std::thread::sleep(POLL_INTERVAL);
    }
}
