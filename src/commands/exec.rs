//! `ctr exec`: goes in directly where that is the same, else looks first and becomes Apptainer.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use super::{join_plan, running};
use crate::cli::{self, ExecOptions};
use crate::config::Join;
use crate::engine::{
    DEFAULT_PATH, Folder, Probe, Program, Run, cannot_run, no_folder, not_there, wrong_folder,
};
use crate::env::activation;
use crate::error::{Error, Kind, Result};
use crate::instance::session::Session;
use crate::instance::status::Instance;
use crate::names::{InstanceName, Target};
use crate::state::State;

/// Runs `ctr exec`; when the command has run it does not return.
///
/// # Errors
/// It is not running, the folder is not the same inside; with status 126 when the command cannot
/// be run, 127 when it is not there.
pub fn run(args: &cli::Exec, session: &Session) -> Result<()> {
    let (target, command) = split(&args.words)?;
    let name = session.name(Some(&target))?;
    inside(&args.options, &name, command, session)
}

/// Runs a command inside the instance `name`; when the command has run it does not return.
///
/// # Errors
/// As for [`run`].
pub fn inside(
    options: &ExecOptions,
    name: &InstanceName,
    command: &[OsString],
    session: &Session,
) -> Result<()> {
    let join = options.join.unwrap_or(session.config.join.value);
    let why = match join {
        Join::Apptainer => "as asked for".to_owned(),
        Join::Auto | Join::Direct => {
            // Who insists has it looked at again.
            let learn = match join {
                Join::Direct => Probe::Force,
                _ => Probe::IfNeeded,
            };
            match session.store.load(name.as_str())? {
                Some(state) => {
                    session.turn_to(Some(&state));
                    directly(options, command, state, learn, session)?
                }
                None => "it was started without ctr".to_owned(),
            }
        }
    };

    let instance = session.instance(Some(&Target::Named(name.clone())))?;
    running::check_running(&instance, session)?;
    if join == Join::Direct {
        let message = format!("`{}` cannot be joined directly: {why}", instance.name);
        return Err(Error::new(Kind::Engine, message).hint("with `--join auto` Apptainer does it"));
    }
    let detail = format!("goes through Apptainer: {why}");
    session.output.detail(&detail);
    session.engine.check_record(&instance.name)?;
    let cwd = folder(options, &instance, session)?;
    let run = prepare(options, &command[0], &instance, &cwd, session)?;
    look_first(&command[0], &run, &instance, session)?;
    running::become_program(session.engine.exec(&run, command)?)
}

/// Runs the command without Apptainer; comes back when that cannot be, and says why. Whether the
/// instance runs is seen by joining it, and not looked at before.
///
/// # Errors
/// As for [`run`].
pub fn directly(
    options: &ExecOptions,
    command: &[OsString],
    state: State,
    learn: Probe,
    session: &Session,
) -> Result<String> {
    let Some(instance) = Instance::recorded(state, session.context) else {
        return Ok("its state does not say which process it is".to_owned());
    };
    let asked = options.cwd.as_ref().map(PathBuf::from);
    let Some(cwd) = asked.or(session.context.cwd.clone()) else {
        return Ok("the working folder was removed".to_owned());
    };
    let run = prepare(options, &command[0], &instance, &cwd, session)?;
    match join_plan::direct(&run, &instance, learn, session) {
        Ok(direct) => {
            session.output.detail("joins directly");
            match direct.run(command, options.cwd.is_none())? {}
        }
        Err(why) => Ok(why),
    }
}

fn prepare<'a>(
    options: &ExecOptions,
    program: &OsStr,
    instance: &'a Instance,
    cwd: &'a Path,
    session: &Session,
) -> Result<Run<'a>> {
    let more = running::variables(&options.env_files, &options.env, session)?;
    let mut run = running::prepare(instance, Path::new(program), &more, cwd, session)?;
    run.in_force.clean |= options.cleanenv;
    run.keep = options.keep_env;
    Ok(run)
}

/// `NAME [--] COMMAND [ARG]…`: the instance and the command.
pub fn split(words: &[OsString]) -> Result<(Target, &[OsString])> {
    let wrong = |message: String| Error::new(Kind::Usage, message);
    let (name, rest) = words
        .split_first()
        .ok_or_else(|| wrong("no instance is named".into()))?;
    let target = name
        .to_str()
        .ok_or_else(|| wrong(format!("`{}` is not a name", name.to_string_lossy())))?
        .parse()
        .map_err(wrong)?;
    let command = match rest.split_first() {
        Some((first, command)) if first == "--" => command,
        Some((first, _)) if first.as_encoded_bytes().starts_with(b"-") => {
            let first = first.to_string_lossy();
            return Err(wrong(format!("`{first}` stands where the command does"))
                .hint("options of ctr stand before NAME; for a command that begins with a dash: ctr exec NAME -- COMMAND"));
        }
        _ => rest,
    };
    if command.is_empty() {
        return Err(wrong("no command is given".into())
            .hint("`ctr exec NAME COMMAND`; for a shell, `ctr enter NAME`"));
    }
    Ok((target, command))
}

/// The folder inside in which Apptainer runs the command.
fn folder(options: &ExecOptions, instance: &Instance, session: &Session) -> Result<PathBuf> {
    let name = &instance.name;
    if let Some(cwd) = &options.cwd {
        let cwd = Path::new(cwd);
        let there = running::inside(instance, session);
        let there = there.map_or(Folder::Unknown, |inside| inside.folder(cwd));
        let there = match (there, &instance.process) {
            (Folder::Unknown, Some(process)) => session.engine.folder_from_inside(process, cwd),
            (known, _) => known,
        };
        if cwd.is_relative() || there == Folder::Missing {
            return Err(no_folder(cwd, name));
        }
        if there == Folder::Closed {
            return Err(running::closed_folder(cwd, instance));
        }
        return Ok(cwd.to_owned());
    }
    let (cwd, compared) = running::callers_folder(instance, session)?;
    match compared {
        Folder::Same | Folder::Unknown => running::as_text(&cwd).map(PathBuf::from),
        Folder::Other => Err(wrong_folder(&cwd, name, "is another folder")),
        Folder::Closed => Err(running::closed_folder(&cwd, instance)),
        Folder::Missing => Err(wrong_folder(&cwd, name, "does not exist")),
    }
}

/// True when the caller tells Apptainer of a `PATH` to be had inside.
fn sets_path(session: &Session) -> bool {
    const SETTINGS: [&str; 6] = [
        "APPTAINERENV_PATH",
        "APPTAINERENV_PREPEND_PATH",
        "APPTAINERENV_APPEND_PATH",
        "SINGULARITYENV_PATH",
        "SINGULARITYENV_PREPEND_PATH",
        "SINGULARITYENV_APPEND_PATH",
    ];
    let variables = &session.context.variables;
    SETTINGS
        .iter()
        .any(|name| variables.contains_key(OsStr::new(name)))
}

/// Apptainer says 255 for a command that is not there, and so may the command itself.
fn look_first(word: &OsStr, run: &Run, instance: &Instance, session: &Session) -> Result<()> {
    let Some(inside) = running::inside(instance, session) else {
        return Ok(());
    };
    let own_path = activation::callers_path(&session.context.variables);
    let own_path = own_path.filter(|_| run.hostos && !run.in_force.clean);
    let look = |image_path: &str| {
        let search = run.environment.path.applied_to(image_path);
        inside.program(Path::new(word), run.cwd, &search)
    };
    let mut found = look(own_path.as_deref().unwrap_or(DEFAULT_PATH));
    if matches!(found, Program::Missing | Program::CannotRun) || sets_path(session) {
        // The image may have a PATH of its own, and the caller's settings may make another of it.
        if let Some(path) = session.engine.image_path(run) {
            found = inside.program(Path::new(word), run.cwd, &path);
        }
    }
    match found {
        Program::Runs | Program::Unknown => Ok(()),
        Program::CannotRun => Err(cannot_run(word, &instance.name)),
        Program::Missing => Err(not_there(word, &instance.name)),
    }
}
