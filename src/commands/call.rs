//! What a shim does: runs the command of its name inside its instance. Neither clap nor a file of the
//! home is on the way, as long as the instance is the one that the shim was made for.

use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, ExitCode};

use super::running::{become_program, before_the_command};
use super::{exec, shim};
use crate::activation;
use crate::cli;
use crate::config::{Config, Join};
use crate::context::{Context, is_executable};
use crate::engine::{self, DEFAULT_PATH, Engine, Learn, NOT_THERE, Surrounding};
use crate::error::{Error, Kind, Result};
use crate::memory::Memory;
use crate::output::Output;
use crate::runtime;
use crate::session::Session;
use crate::shims::{self, Called, Snapshot};
use crate::state::Store;

/// Runs the command of a shim; `words` are its arguments, the program's name first. When the command
/// has run it does not return.
pub fn run(called: &Called, words: &[OsString]) -> ExitCode {
    let Err(error) = attempt(called, words) else {
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
fn attempt(called: &Called, words: &[OsString]) -> Result<()> {
    let context = Context::read()?;
    if let Some(around) = engine::surrounding(&context) {
        return step_aside(called, words, &context, around);
    }
    runtime::check(&called.private_folder, context.uid)
        .map_err(|error| error.hint("a shim is for the user who made it, and nobody else"))?;
    check_activation(called, &context)?;

    let own = [called.instance.as_str(), called.command.as_str()];
    let own = own.map(OsString::from).into_iter();
    let args = cli::Exec {
        env: Vec::new(),
        cleanenv: false,
        keep_env: false,
        cwd: None,
        join: None,
        words: own.chain(words.iter().skip(1).cloned()).collect(),
    };
    let Some(snapshot) = Snapshot::read(called, context.uid) else {
        return afresh(called, &args, &context);
    };
    let context = snapshot.surroundings(called, context);
    let config = snapshot.config(&context);
    if config.join.value != Join::Apptainer {
        let memory = Memory::new(&context);
        let engine = Engine::new(&context, &config, &memory).with_apptainer(snapshot.apptainer);
        let session = Session {
            engine,
            ..Session::new(&context, &config, &memory, Output::bare())
        };
        let command = &args.words[1..];
        // What comes back is found out anew.
        exec::directly(&args, command, snapshot.state, Learn::Never, &session)?;
    }
    afresh(called, &args, &context)
}

/// Runs it as `ctr exec` does, from the state and the configuration, which are as they are now.
fn afresh(called: &Called, args: &cli::Exec, context: &Context) -> Result<()> {
    let store = Store::new(context);
    let state = store.load(called.instance.as_str())?;
    let mut config = Config::load(context)?;
    let started_by = state.as_ref().map(|state| Path::new(&state.apptainer));
    // The caller's own `PATH` may be anything.
    let started_by = started_by.filter(|path| is_executable(path));
    config.apptainer.value = config.apptainer.value.or(started_by.map(Path::to_owned));
    let memory = Memory::new(context);
    let session = Session::new(context, &config, &memory, Output::bare());
    let Some(state) = state else {
        return Err(session.not_found(called.instance.as_str()));
    };
    shims::publish(&state, &session)?;
    exec::run(args, &session)
}

/// An activation that came from another host or out of a container is none, and the shim of that
/// name here is not the one that was meant.
fn check_activation(called: &Called, context: &Context) -> Result<()> {
    let name = called.instance.as_str();
    match activation::active(&context.variables, &context.place) {
        Some(active) if active.name == name && !active.here => {
            let message = format!("`{name}` was made active on another host or in a container");
            Err(Error::new(Kind::NotRunning, message).hint(shim::how_to_activate(name, context)))
        }
        _ => Ok(()),
    }
}

/// Inside an instance the command is that of the inside.
fn step_aside(
    called: &Called,
    words: &[OsString],
    context: &Context,
    around: Surrounding,
) -> Result<()> {
    let command = called.command.as_str();
    let mut context = context.clone();
    let path = context.variables.entry("PATH".into());
    path.or_insert_with(|| DEFAULT_PATH.into());
    let Some(program) = context.find_program(command) else {
        let message = format!("no command `{command}` in {around}");
        return Err(Error::new(Kind::Command, message).status(NOT_THERE));
    };
    let mut run = Command::new(program);
    run.args(&words[1..]);
    if let Some(first) = words.first() {
        run.arg0(first);
    }
    become_program(run)
}
