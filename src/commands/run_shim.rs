//! What a shim does: runs the command of its name inside its instance. Neither clap nor a file of the
//! home is on the way, as long as the instance is the one that the shim was made for.

use std::ffi::OsString;
use std::path::Path;
use std::process::{Command, ExitCode};

use super::running::{become_program, before_the_command};
use super::{exec, shim};
use crate::bounds;
use crate::cli::ExecOptions;
use crate::config::Config;
use crate::engine::answers;
use crate::engine::{self, DEFAULT_PATH, Engine, NOT_THERE, Probe};
use crate::env::activation;
use crate::error::{Error, Kind, Result};
use crate::host::cache::Cache;
use crate::host::context::{Context, is_executable};
use crate::host::ownership;
use crate::instance::home;
use crate::instance::session::Session;
use crate::shim_call::ShimCall;
use crate::shims::{self, Snapshot};
use crate::state::Store;
use crate::ui::output::Output;

/// Runs the command of a shim. When the command has run it does not return.
pub fn run(called: &ShimCall, arguments: &[OsString]) -> ExitCode {
    let Err(error) = attempt(called, arguments) else {
        return ExitCode::SUCCESS;
    };
    let error = before_the_command(error);
    // Many a log shows only one line.
    let hint = error.hint.as_ref().map(|hint| format!("; {hint}"));
    let (command, message) = (called.command.as_str(), &error.message);
    Output::bare().note(&format!("{command}: {message}{}", hint.unwrap_or_default()));
    ExitCode::from(error.code())
}

/// # Errors
/// As for `ctr exec`; the shim is another user's, or was made active on another host.
fn attempt(called: &ShimCall, arguments: &[OsString]) -> Result<()> {
    let context = Context::read()?;
    if let Some(around) = engine::around(&context).map(|around| around.to_string()) {
        return step_aside(called, arguments, context, &around);
    }
    ownership::check(&called.private_folder, context.uid)
        .map_err(|error| error.hint("a shim is for the user who made it, and nobody else"))?;
    check_activation(called, &context)?;

    let words = [OsString::from(called.command.as_str())].into_iter();
    let command: Vec<OsString> = words.chain(arguments.iter().cloned()).collect();
    let snapshot = Snapshot::read(called, context.uid);
    let context = called.surroundings(context, snapshot.as_ref());
    if let Some(snapshot) = snapshot.filter(|snapshot| snapshot.serves(called.command.as_str())) {
        let config = snapshot.config(&context);
        let cache = Cache::new(&context);
        let engine = Engine::new(&context, &config, &cache).with_apptainer(snapshot.apptainer);
        let session = Session {
            engine,
            ..Session::new(&context, &config, &cache, Output::bare())
        };
        // What comes back is found out anew.
        let options = ExecOptions::default();
        exec::directly(&options, &command, snapshot.state, Probe::Never, &session)?;
    }
    from_state(called, &command, &context)
}

/// Runs it as `ctr exec` does, from the state and the configuration, which are as they are now.
fn from_state(called: &ShimCall, command: &[OsString], context: &Context) -> Result<()> {
    let name = &called.instance;
    home::wait(context, bounds::HOME, &|what| {
        if context.terminals.stderr {
            Output::bare().note(what);
        }
    })?;
    let state = Store::new(context).load(name.as_str())?;
    let mut config = Config::load(context)?;
    let started_by = state.as_ref().map(|state| Path::new(&state.apptainer));
    // The caller's own `PATH` may be anything.
    let started_by =
        started_by.filter(|path| answers::program(path, context) && is_executable(path));
    config.apptainer.value = config.apptainer.value.or(started_by.map(Path::to_owned));
    let cache = Cache::new(context);
    let session = Session::new(context, &config, &cache, Output::bare());
    let state = state.ok_or_else(|| session.not_found(name.as_str()))?;
    if !state.has_shim(called.command.as_str()) {
        return Err(not_added(called));
    }
    // Where it cannot be written, the next call is as slow as this one.
    let _ = shims::publish(&state, &session);
    exec::inside(&ExecOptions::default(), name, command, &session)
}

/// A link that was left where nobody looked is none: the instance may be another by now.
fn not_added(called: &ShimCall) -> Error {
    let (name, command) = (&called.instance, called.command.as_str());
    let message = format!("`{name}` has no shim of this name any more");
    let hint = format!("`ctr shim add {name} {command}` adds it");
    Error::new(Kind::NotFound, message).hint(hint)
}

/// An activation that came from another host or out of a container is none, and the shim of that
/// name here is not the one that was meant.
fn check_activation(called: &ShimCall, context: &Context) -> Result<()> {
    let name = called.instance.as_str();
    match activation::active(&context.variables, &context.pid_scope) {
        Some(active) if active.name == name && !active.here => {
            let message = format!("`{name}` was made active on another host or in a container");
            Err(Error::new(Kind::NotRunning, message).hint(shim::how_to_activate(name, context)))
        }
        _ => Ok(()),
    }
}

/// Inside an instance the command is that of the inside. Its first word is its path, as that of every
/// command that is run there: by that of the shim it would be taken for one again.
fn step_aside(
    called: &ShimCall,
    arguments: &[OsString],
    mut context: Context,
    around: &str,
) -> Result<()> {
    let command = called.command.as_str();
    let path = context.variables.entry("PATH".into());
    path.or_insert_with(|| DEFAULT_PATH.into());
    let Some(program) = answers::find_program(command, &context) else {
        let message = format!("no command `{command}` in {around}");
        return Err(Error::new(Kind::Command, message).status(NOT_THERE));
    };
    let mut run = Command::new(program);
    run.args(arguments);
    become_program(run)
}
