//! What makes an instance active in the caller's shell: `ctr env` and the prompt hook share it.

use crate::env::activation::{self, Activation, Change};
use crate::error::Result;
use crate::instance::session::Session;
use crate::instance::status::Instance;
use crate::shims::{self, Shims};

/// What makes an instance active in the caller's shell.
///
/// # Errors
/// There is no private folder for its shims.
pub fn enter(instance: &Instance, session: &Session) -> Result<Change> {
    let shims = shims(instance, session)?;
    let activation = Activation {
        instance: &instance.name,
        process: process(instance).unwrap_or_default(),
        path_entry: shims.folder().as_os_str(),
        here: &session.context.pid_scope,
    };
    let callers = &session.context.variables;
    Ok(activation::enter(callers, &activation, variables(instance)))
}

/// The instance's shims, made the way they are to be.
///
/// # Errors
/// There is no private folder for them.
pub fn shims(instance: &Instance, session: &Session) -> Result<Shims> {
    let shims = Shims::of(session.context, &instance.name)?;
    shims.make_folder()?;
    if let Some(state) = &instance.state {
        shims::publish(state, session)?;
    }
    Ok(shims)
}

/// The instance's process, and the start of that.
pub fn process(instance: &Instance) -> Option<(i32, u64)> {
    let process = instance.process.as_ref()?;
    Some((process.pid, process.pid_start_time))
}

/// The instance's variables that make sense on the host.
pub fn variables(instance: &Instance) -> Vec<(&str, &str)> {
    instance
        .state
        .as_ref()
        .map_or_else(Vec::new, |state| state.spec.host_variables().collect())
}
