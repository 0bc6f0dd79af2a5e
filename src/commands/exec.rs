//! `ctr exec`: goes in directly where that is the same, else looks first and becomes Apptainer.

use std::ffi::{OsStr, OsString};
use std::path::Path;

use super::{running, way};
use crate::activation;
use crate::cli;
use crate::engine::{
    DEFAULT_PATH, Folder, Program, Run, cannot_run, no_folder, not_there, wrong_folder,
};
use crate::error::{Error, Kind, Result};
use crate::names::Target;
use crate::session::Session;
use crate::status::Instance;

/// Runs `ctr exec`; when the command has run it does not return.
///
/// # Errors
/// It is not running, the folder is not the same inside; with status 126 when the command cannot
/// be run, 127 when it is not there.
pub fn run(args: &cli::Exec, session: &Session) -> Result<()> {
    let (target, command) = split(&args.words)?;
    let instance = session.instance(Some(&target))?;
    running::check_running(&instance, session)?;
    let cwd = folder(args, &instance, session)?;
    let run = Run {
        clean: args.cleanenv,
        keep: args.keep_env,
        ..running::prepare(&instance, Path::new(&command[0]), &args.env, &cwd, session)?
    };
    match way::choose(&run, &instance, args.join, session)? {
        Some(direct) => match direct.run(command, args.cwd.is_none())? {},
        None => {
            look_first(&command[0], &run, &instance, session)?;
            running::become_program(session.engine.exec(&run, command)?)
        }
    }
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

/// The folder inside in which the command runs.
fn folder(args: &cli::Exec, instance: &Instance, session: &Session) -> Result<String> {
    let name = &instance.name;
    if let Some(cwd) = &args.cwd {
        let there = running::inside(instance, session)
            .map_or(Folder::Unknown, |inside| inside.folder(Path::new(cwd)));
        if !cwd.starts_with('/') || there == Folder::Missing {
            return Err(no_folder(Path::new(cwd), name));
        }
        return Ok(cwd.clone());
    }
    let (cwd, compared) = running::callers_folder(instance, session)?;
    match compared {
        Folder::Same | Folder::Unknown => running::as_text(&cwd).map(str::to_owned),
        Folder::Other => Err(wrong_folder(&cwd, name, "is another folder")),
        Folder::Missing => Err(wrong_folder(&cwd, name, "does not exist")),
    }
}

/// Apptainer says 255 for a command that is not there, and so may the command itself.
fn look_first(word: &OsStr, run: &Run, instance: &Instance, session: &Session) -> Result<()> {
    let Some(inside) = running::inside(instance, session) else {
        return Ok(());
    };
    let own_path = activation::callers_path(&session.context.variables);
    let own_path = own_path.filter(|_| run.hostos && !run.clean);
    let look = |image_path: &str| {
        let search = run.environment.path.applied_to(image_path);
        inside.program(Path::new(word), Path::new(run.cwd), &search)
    };
    let mut found = look(own_path.as_deref().unwrap_or(DEFAULT_PATH));
    if matches!(found, Program::Missing | Program::CannotRun) {
        // The image may have a PATH of its own.
        if let Some(path) = session.engine.image_path(run) {
            found = inside.program(Path::new(word), Path::new(run.cwd), &path);
        }
    }
    match found {
        Program::Runs | Program::Unknown => Ok(()),
        Program::CannotRun => Err(cannot_run(word, &instance.name)),
        Program::Missing => Err(not_there(word, &instance.name)),
    }
}
