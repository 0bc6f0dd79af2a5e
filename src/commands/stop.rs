//! `ctr stop`: stops instances, and is done only when nothing of them is left.

use std::str::FromStr;

use nix::sys::signal::Signal;

use crate::cli;
use crate::engine::Manner;
use crate::error::{Error, Kind, Result};
use crate::names::InstanceName;
use crate::session::Session;
use crate::shims;
use crate::state::State;
use crate::status::{Instance, Status};

/// Runs `ctr stop`.
///
/// # Errors
/// Nothing matched, or one of them could not be stopped; the others are.
pub fn run(args: &cli::Stop, session: &Session) -> Result<()> {
    let manner = manner(args)?;
    let (chosen, missing) = choose(args, session)?;
    each(&chosen, missing, "stopped", session, |instance| {
        stop(instance, &manner, args.keep, session)
    })
}

/// Does something to each instance, a line each; what is missing or fails does not keep the
/// others, an interruption does.
///
/// # Errors
/// One was missing or failed; the only one, in its own words. It was interrupted.
pub fn each(
    chosen: &[Instance],
    mut failed: Vec<Error>,
    done: &str,
    session: &Session,
    act: impl Fn(&Instance) -> Result<String>,
) -> Result<()> {
    let all = chosen.len() + failed.len();
    for instance in chosen {
        match act(instance) {
            Ok(what) => session.output.note(&format!("`{}` {what}", instance.name)),
            Err(error) if error.is_interruption() => return Err(error),
            Err(error) => failed.push(error),
        }
    }
    if all == 1 {
        return failed.pop().map_or(Ok(()), Err);
    }
    failed.iter().for_each(|error| session.output.error(error));
    match failed.len() {
        0 => Ok(()),
        several => {
            let message = format!("{several} of {all} could not be {done}");
            Err(Error::new(Kind::Engine, message))
        }
    }
}

fn manner(args: &cli::Stop) -> Result<Manner> {
    if args.force {
        return Ok(Manner::Kill);
    }
    let upper = args.signal.to_uppercase();
    let named = if upper.starts_with("SIG") {
        upper
    } else {
        format!("SIG{upper}")
    };
    let signal = match args.signal.parse::<i32>() {
        Ok(number) => Signal::try_from(number),
        Err(_) => Signal::from_str(&named),
    };
    let signal = signal.map_err(|_| {
        Error::new(Kind::Usage, format!("no such signal: {}", args.signal))
            .hint("for example SIGTERM, HUP or 15")
    })?;
    Ok(Manner::Ask {
        signal,
        seconds: args.timeout,
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
    let mut all = session.instances(false)?;
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

/// Stops one, and says what happened.
fn stop(chosen: &Instance, manner: &Manner, keep: bool, session: &Session) -> Result<String> {
    let name = chosen.checked_name()?;
    // One that ctr does not track needs no lock, but may be tracked a moment later.
    let (_lock, instance) = session.locked(&name)?;
    let Some(instance) = instance else {
        return Ok("is gone already".to_owned());
    };
    if instance.status == Status::Elsewhere {
        // Apptainer's record stays: it is that of an instance which may live.
        let is_of_this_host = instance.host == session.context.host;
        return match (manner, instance.state) {
            (Manner::Kill, Some(state)) if is_of_this_host => forget(&name, state, keep, session),
            (_, state) => Err(session.not_running(&Instance { state, ..instance })),
        };
    }
    let said = match &instance.process {
        Some(process) => {
            let stopped = session.engine.stop(name.as_str(), process, manner)?;
            match stopped.commands {
                0 => "is stopped".to_owned(),
                1 => "is stopped; 1 command was running inside".to_owned(),
                several => format!("is stopped; {several} commands were running inside"),
            }
        }
        None if keep => format!("did not run: {}", instance.reason),
        None => format!("did not run ({}); its state is removed", instance.reason),
    };
    match (keep, instance.state) {
        (true, Some(state)) => {
            session.store.save(&mut state.stopped())?;
            Ok(format!("{said}; its setup is kept"))
        }
        _ => {
            session.store.remove(name.as_str())?;
            shims::remove_all(session.context, &name);
            session.engine.forget(name.as_str());
            if let Some(file) = session.store.of_the_reference(name.as_str()) {
                let file = file.display();
                return Ok(format!(
                    "{said}; {file} stays, which may be of another host"
                ));
            }
            Ok(said)
        }
    }
}
