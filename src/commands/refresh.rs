//! `ctr env --refresh`: what the prompt hook evaluates once the process of the active instance is
//! not the one that was made active.

use std::time::Duration;

use super::activate;
use crate::env::activation::{self, Active, Change};
use crate::error::Result;
use crate::instance::session::Session;
use crate::instance::status::Instance;
use crate::names::InstanceName;
use crate::state::Phase;

/// Brings the shell up to date with its active instance: takes over the environment of one that
/// was started again, leaves one that does not run here, and says so.
///
/// # Errors
/// There is no private folder for shims.
pub fn run(session: &Session) -> Result<Change> {
    let variables = &session.context.variables;
    let Some(active) = activation::active(variables, &session.context.pid_scope) else {
        return Ok(activation::leave(variables)); // its name was unset, and the rest is left by that
    };
    let name = &active.name;
    if !active.here {
        return Ok(leave(
            name,
            "it was made active on another host or in a container",
            session,
        ));
    }
    // It is the environment's word, and becomes the name of a file.
    if let Err(why) = name.parse::<InstanceName>() {
        return Ok(leave(name, &why, session));
    }
    match session.find(name) {
        Ok(Some(instance)) if is_in_transition(&instance, session)? => Ok(Change::default()),
        Ok(Some(instance)) if instance.status.is_alive() => take_over(&active, &instance, session)
            .or_else(|error| Ok(leave(name, &error.message, session))),
        Ok(Some(instance)) => Ok(leave(
            name,
            &format!("it is {}", instance.condition()),
            session,
        )),
        Ok(None) => Ok(leave(name, "it was stopped", session)),
        Err(error) => Ok(leave(name, &error.message, session)),
    }
}

/// True while it is being started, stopped or restarted: the next prompt will know.
fn is_in_transition(instance: &Instance, session: &Session) -> Result<bool> {
    let starting = |state: &crate::state::State| state.phase == Phase::Starting;
    Ok(instance.state.as_ref().is_some_and(starting)
        || !instance.status.is_alive()
            && session
                .store
                .lock_within(&instance.name, Duration::ZERO)?
                .is_none())
}

fn take_over(active: &Active, instance: &Instance, session: &Session) -> Result<Change> {
    if active.process != activate::process(instance) {
        let name = &instance.name;
        session.output.note(&format!(
            "`{name}` was started again; its environment is taken over"
        ));
        return activate::enter(instance, session);
    }
    let shims = activate::shims(instance, session)?;
    let entry = session.context.variable(activation::PATH_ENTRY);
    match entry == shims.folder().to_str() {
        true => Ok(Change::default()),
        false => activate::enter(instance, session), // the folder that it was in is gone
    }
}

fn leave(name: &str, why: &str, session: &Session) -> Change {
    session.output.note(&format!("left `{name}`: {why}"));
    activation::leave(&session.context.variables)
}
