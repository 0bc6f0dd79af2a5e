//! `ctr stop`: stops instances, and is done only when nothing of them is left.

use std::str::FromStr;

use nix::sys::signal::Signal;

use crate::cli;
use crate::engine::{StopMode, Stopped, Stopping};
use crate::error::{Error, Kind, Result};
use crate::instance::session::Session;
use crate::instance::status::{Instance, Status};
use crate::names::InstanceName;
use crate::shims;
use crate::state::{Lock, Prepared, State};

/// Runs `ctr stop`. All are asked to end before the first is waited for.
///
/// # Errors
/// Nothing matched, or one of them could not be stopped; the others are.
pub fn run(args: &cli::Stop, session: &Session) -> Result<()> {
    let manner = manner(args)?;
    let (chosen, missing) = choose(args, session)?;
    let begin = |instance: &Instance, wait| begin(instance, &manner, args.keep, wait, session);
    let begun: Vec<Begun> = chosen.iter().map(|one| begin(one, false)).collect();
    let mut busy = Vec::new();
    let mut report = Report::new(session, "stopped", missing);
    for (instance, begun) in chosen.iter().zip(begun) {
        match begun {
            Begun::Busy => busy.push(instance),
            begun => report.add(instance, begun.finish(&manner, session))?,
        }
    }
    // Those that another command is at work on keep nobody else.
    for instance in busy {
        report.add(instance, begin(instance, true).finish(&manner, session))?;
    }
    report.result()
}

/// Does something to each instance, a line each; what is missing or fails does not keep the
/// others, an interruption does.
///
/// # Errors
/// One was missing or failed; the only one, in its own words. It was interrupted.
pub fn each(
    chosen: &[Instance],
    missing: Vec<Error>,
    done: &'static str,
    session: &Session,
    act: impl Fn(&Instance) -> Result<String>,
) -> Result<()> {
    let mut report = Report::new(session, done, missing);
    for instance in chosen {
        report.add(instance, act(instance))?;
    }
    report.result()
}

/// A line for each instance, and what failed.
struct Report<'a> {
    session: &'a Session<'a>,
    done: &'static str,
    all: usize,
    failed: Vec<Error>,
}

impl<'a> Report<'a> {
    fn new(session: &'a Session<'a>, done: &'static str, missing: Vec<Error>) -> Self {
        Report {
            session,
            done,
            all: missing.len(),
            failed: missing,
        }
    }

    fn add(&mut self, instance: &Instance, outcome: Result<String>) -> Result<()> {
        self.all += 1;
        match outcome {
            Ok(what) => {
                let line = format!("`{}` {what}", instance.name);
                self.session.output.note(&line);
            }
            Err(error) if error.is_interruption() => return Err(error),
            Err(error) => self.failed.push(error),
        }
        Ok(())
    }

    fn result(mut self) -> Result<()> {
        if self.all == 1 {
            return self.failed.pop().map_or(Ok(()), Err);
        }
        let say = |error| self.session.output.error(error);
        self.failed.iter().for_each(say);
        match self.failed.len() {
            0 => Ok(()),
            several => {
                let message = format!("{several} of {} could not be {}", self.all, self.done);
                Err(Error::new(Kind::Engine, message))
            }
        }
    }
}

fn manner(args: &cli::Stop) -> Result<StopMode> {
    if args.force {
        return Ok(StopMode::Kill);
    }
    Ok(StopMode::Ask {
        signal: args.signal.as_deref().map(signal).transpose()?,
        seconds: args.timeout,
    })
}

/// A signal by its name, with or without `SIG`, or by its number.
fn signal(given: &str) -> Result<Signal> {
    let upper = given.to_uppercase();
    let named = match upper.starts_with("SIG") {
        true => upper,
        false => format!("SIG{upper}"),
    };
    let signal = match given.parse::<i32>() {
        Ok(number) => Signal::try_from(number),
        Err(_) => Signal::from_str(&named),
    };
    signal.map_err(|_| {
        Error::new(Kind::Usage, format!("no such signal: {given}"))
            .hint("for example SIGTERM, HUP or 15")
    })
}

fn choose(args: &cli::Stop, session: &Session) -> Result<(Vec<Instance>, Vec<Error>)> {
    if !args.all {
        let (mut chosen, missing) = session.matching(&args.patterns)?;
        // A pattern means what ctr tracks; the name of another, that one.
        chosen.retain(|instance| {
            instance.status != Status::Untracked
                || args.untracked
                || session.is_named(instance, &args.patterns)
        });
        if chosen.is_empty() && missing.is_empty() {
            return Err(
                Error::new(Kind::NotFound, "nothing matched that ctr has started")
                    .hint("pass --untracked for instances that were started without it"),
            );
        }
        return Ok((chosen, missing));
    }
    let mut all = session.instances()?;
    all.retain(|instance| match instance.status {
        Status::Untracked => args.untracked,
        Status::Elsewhere => false,
        Status::Stopped => !args.keep,
        _ => instance.is_known_here(),
    });
    let unread = unread(&all, session);
    if all.is_empty() && unread.is_empty() {
        return Err(Error::new(Kind::NotFound, "no instance is there to stop"));
    }
    Ok((all, unread))
}

/// What is to be said of those that `--all` means and whose state cannot be read: they may run on.
fn unread(chosen: &[Instance], session: &Session) -> Vec<Error> {
    let mut entries = session.store.list();
    entries.retain(|entry| entry.state.is_err() && !chosen.iter().any(|i| i.name == entry.name));
    let message = |name: &str| format!("`{name}` is left alone: its state cannot be read");
    let errors = entries.iter().map(|entry| message(&entry.name));
    errors
        .map(|message| Error::new(Kind::State, message))
        .collect()
}

/// Forgets one that cannot be judged from here.
fn forget(name: &InstanceName, state: State, keep: bool, session: &Session) -> Result<String> {
    shims::remove_all(session.context, name);
    if keep {
        session.store.save(&mut state.stopped())?;
        return Ok("is not stopped, since it is not seen from here; its setup is kept".to_owned());
    }
    session.store.remove(name.as_str())?;
    Ok("is forgotten; where it runs, it runs on, since it is not seen from here".to_owned())
}

/// A stop that has begun.
enum Begun {
    /// Another command is at work on it.
    Busy,
    /// It is over, with this outcome.
    Over(Result<String>),
    Asked(Box<Asked>),
}

/// An instance that was asked to end, or has no process to be asked.
struct Asked {
    name: InstanceName,
    instance: Instance,
    stopping: Option<Stopping>,
    /// Its state as it is to be kept.
    kept: Option<Prepared>,
    _lock: Lock,
}

/// Asks one to end. With `wait` a command that is at work on it is waited for.
fn begin(chosen: &Instance, manner: &StopMode, keep: bool, wait: bool, session: &Session) -> Begun {
    let begun = || {
        let name = chosen.checked_name()?;
        let locked = match wait {
            true => Some(session.locked(&name)?),
            false => session.locked_now(&name)?,
        };
        // One that ctr does not track needs no lock, but may be tracked a moment later.
        let Some((lock, instance)) = locked else {
            return Ok(Begun::Busy);
        };
        let Some(instance) = instance else {
            return Ok(Begun::Over(Ok("is gone already".to_owned())));
        };
        if instance.status == Status::Elsewhere {
            // Apptainer's record stays: it is that of an instance which may live.
            let is_of_this_host = instance.host == session.context.host;
            let outcome = match (manner, instance.state) {
                (StopMode::Kill, Some(state)) if is_of_this_host => {
                    forget(&name, state, keep, session)
                }
                (_, state) => Err(session.not_running(&Instance { state, ..instance })),
            };
            return Ok(Begun::Over(outcome));
        }
        // What cannot be kept is not stopped.
        let kept = instance.state.clone().filter(|_| keep);
        let kept = kept.map(|state| session.store.prepare(&mut state.stopped()));
        let kept = kept.transpose()?;
        let ask = |process| session.engine.ask_to_stop(name.as_str(), process, manner);
        let stopping = instance.process.as_ref().map(ask).transpose()?;
        Ok(Begun::Asked(Box::new(Asked {
            name,
            instance,
            stopping,
            kept,
            _lock: lock,
        })))
    };
    begun().unwrap_or_else(|error| Begun::Over(Err(error)))
}

impl Begun {
    /// Waits until it has ended, and says what happened.
    fn finish(self, manner: &StopMode, session: &Session) -> Result<String> {
        match self {
            Begun::Busy => Err(Error::new(Kind::InUse, "another command is at work on it")),
            Begun::Over(outcome) => outcome,
            Begun::Asked(asked) => asked.finish(manner, session),
        }
    }
}

impl Asked {
    fn finish(self, manner: &StopMode, session: &Session) -> Result<String> {
        let (name, reason) = (self.name.as_str(), &self.instance.reason);
        session.turn_to(self.instance.state.as_ref());
        let said = match self.stopping {
            Some(stopping) => told(session.engine.finish(stopping)?, manner),
            None => {
                session.end_what_is_left(&self.instance)?;
                match self.kept {
                    Some(_) => format!("did not run: {reason}"),
                    None => format!("did not run ({reason}); its state is removed"),
                }
            }
        };
        if let Some(kept) = self.kept {
            kept.commit()?;
            return Ok(format!("{said}; its setup is kept"));
        }
        shims::remove_all(session.context, &self.name);
        session.engine.forget(name);
        session.store.remove(name).map_err(|error| {
            let message = format!("`{name}` {said}, but its state stays: {}", error.message);
            Error { message, ..error }
        })?;
        if let Some(file) = session.store.of_the_reference(name) {
            let file = file.display();
            return Ok(format!(
                "{said}; {file} stays, which may be of another host"
            ));
        }
        Ok(said)
    }
}

fn told(stopped: Stopped, manner: &StopMode) -> String {
    let mut said = match stopped.commands {
        0 => "is stopped".to_owned(),
        1 => "is stopped; 1 command was running inside".to_owned(),
        several => format!("is stopped; {several} commands were running inside"),
    };
    let seconds = match manner {
        StopMode::Ask { seconds, .. } => *seconds,
        StopMode::Kill => 0,
    };
    match stopped.killed {
        0 => {}
        1 => said += &format!("; 1 process had not ended after {seconds} s, and was killed"),
        several => {
            said +=
                &format!("; {several} processes had not ended after {seconds} s, and were killed");
        }
    }
    said
}
