//! `ctr prune`: removes the state of instances that are gone on this host, and nothing else; with
//! `--force` also of those that cannot be judged from here.

use std::time::Duration;

use crate::cli;
use crate::error::Result;
use crate::instance::session::Session;
use crate::instance::status::{self, Instance, Status};
use crate::shims;
use crate::state::State;

/// Runs `ctr prune`.
///
/// # Errors
/// A state file cannot be removed.
pub fn run(args: &cli::Prune, session: &Session) -> Result<()> {
    let mut instances = session.instances()?;
    let is_meant = |instance: &Instance| match instance.status {
        Status::Dead => true,
        Status::Elsewhere => args.force && instance.host == session.context.host,
        _ => false,
    };
    instances.retain(is_meant);
    let unfinished = remove_unfinished(args.dry_run, session)?;
    if instances.is_empty() && !unfinished {
        session
            .output
            .note("nothing to remove: no instance is dead");
    }
    for instance in instances {
        let (name, reason) = (&instance.name, &instance.reason);
        if !instance.is_known_here() {
            session.output.note(&format!(
                "`{name}` stays: its file does not say on which host it ran; `ctr stop {name}` removes it"
            ));
            continue;
        }
        if args.dry_run {
            session
                .output
                .note(&format!("`{name}` would be removed: {reason}"));
            continue;
        }
        let checked = instance.checked_name()?;
        let (_lock, now) = session.locked(&checked)?;
        let Some(now) = now.filter(is_meant) else {
            continue;
        };
        session.end_what_is_left(&now)?;
        session.store.remove(name)?;
        if now.status == Status::Dead {
            session.engine.forget(name);
        }
        shims::remove_all(session.context, &checked);
        session
            .output
            .note(&format!("`{name}` is removed: {reason}"));
    }
    Ok(())
}

/// Removes what a start wrote of a state that was killed before it came to be in force; false when there
/// is none. Who lives that has written it, or holds the lock, is at work.
fn remove_unfinished(dry_run: bool, session: &Session) -> Result<bool> {
    let mut found = false;
    for (name, state) in session.store.unfinished() {
        let starter = |state: &State| status::other_starter(state, &session.engine);
        if state.as_ref().and_then(starter).is_some() {
            continue;
        }
        let Some(_lock) = session.store.lock_within(&name, Duration::ZERO)? else {
            continue;
        };
        found = true;
        let what = "what a start of it wrote that was cut off";
        if dry_run {
            session
                .output
                .note(&format!("`{name}`: {what} would be removed"));
            continue;
        }
        session.store.remove_unfinished(&name)?;
        session.output.note(&format!("`{name}`: {what} is removed"));
    }
    Ok(found)
}
