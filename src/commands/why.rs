//! `ctr why`: tells what runs when a command is typed, as far as `PATH` decides it.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use super::shim::{View, hidden, how_to_activate, run_of};
use crate::cli;
use crate::engine::DEFAULT_PATH;
use crate::engine::answers;
use crate::error::{Error, Kind, Result};
use crate::host::context::is_executable;
use crate::instance::session::Session;
use crate::instance::status::{Instance, Status};
use crate::shim_call::ShimCall;
use crate::ui::output::{print, printable};

/// Runs `ctr why`.
///
/// # Errors
/// There is no such command on `PATH`, or a folder of that does not answer.
pub fn run(args: &cli::Why, session: &Session) -> Result<()> {
    let command = args.command.as_str();
    let found = search(command, session)?.ok_or_else(|| nothing(command, session))?;
    let lines = match ShimCall::by(&found) {
        None => match session.engine.surrounding() {
            Some(around) => vec![format!("{} of {around}", found.display())],
            None => vec![format!("{} of this host", found.display())],
        },
        Some(called) => shim(&found, &called, session)?,
    };
    for line in lines {
        print(format!("{}\n", printable(&line)).as_bytes());
    }
    Ok(())
}

/// The file that runs: the first on `PATH` of that name.
///
/// # Errors
/// A folder does not answer: what is behind it may be hidden.
fn search(command: &str, session: &Session) -> Result<Option<PathBuf>> {
    let context = session.context;
    let cwd = context.cwd.as_deref().unwrap_or(Path::new("/"));
    let path = context.variables.get(OsStr::new("PATH"));
    let path = path.map_or(OsStr::new(DEFAULT_PATH), OsString::as_os_str);
    let candidates: Vec<PathBuf> = match command.contains('/') {
        true => vec![PathBuf::from(command)],
        false => std::env::split_paths(path)
            .map(|folder| folder.join(command))
            .collect(),
    };
    for candidate in candidates {
        answers::check(&cwd.join(&candidate), context)?;
        if is_executable(&candidate) {
            return Ok(Some(candidate));
        }
    }
    Ok(None)
}

fn shim(found: &Path, called: &ShimCall, session: &Session) -> Result<Vec<String>> {
    let (name, command) = (called.instance.as_str(), called.command.as_str());
    let what = format!("{} is a shim of `{name}`", found.display());
    let mut lines = match session.find_and_look(name)? {
        Some(instance) if instance.status == Status::Running => {
            match origin(&instance, command, session)? {
                Some(whence) => vec![format!("{what}: {whence}")],
                None => vec![format!("{what}, which has no such command")],
            }
        }
        Some(instance) => vec![format!("{what}, which is {}", instance.condition())],
        None => vec![format!("{what}, which is not there")],
    };
    let hidden = found
        .parent()
        .and_then(|folder| hidden(command, folder, session.context));
    lines.extend(hidden.map(|path| format!("it hides {}", path.display())));
    Ok(lines)
}

/// Where a command is inside, and what brought it.
fn origin(instance: &Instance, command: &str, session: &Session) -> Result<Option<String>> {
    let run = run_of(instance, session)?;
    let found = View::of(instance, &run, session)?.find(&[command.to_owned()])?;
    let origin = found.into_iter().flatten().next();
    Ok(origin.map(|origin| format!("{} from {}", origin.path, origin.source)))
}

/// What is said of a command that is not there, with the instance that has it.
fn nothing(command: &str, session: &Session) -> Error {
    if command.contains('/') {
        return Error::new(
            Kind::NotFound,
            format!("{command} is no program that you can run"),
        );
    }
    let message = format!("no command `{command}` on your PATH");
    let error = Error::new(Kind::NotFound, message);
    let mut states = session
        .store
        .list()
        .into_iter()
        .filter_map(|entry| entry.state.ok());
    if let Some(state) = states.find(|state| state.has_shim(command)) {
        let name = &state.spec.name;
        let how = how_to_activate(name, session.context);
        return error.hint(format!("`{name}` has a shim of it: {how}"));
    }
    let active = session.active();
    let Some(Ok(Some(instance))) = active.map(|name| session.find_and_look(&name)) else {
        return error;
    };
    let name = &instance.name;
    if instance.status == Status::Broken {
        return error;
    }
    match origin(&instance, command, session) {
        Ok(Some(_)) => error.hint(format!("`{name}` has it: ctr shim add {name} {command}")),
        _ => error,
    }
}
