//! `ctr exec`: looks first, then becomes the command inside.

use std::ffi::{OsStr, OsString};
use std::path::Path;

use super::running;
use crate::activation;
use crate::cli;
use crate::engine::{DEFAULT_PATH, Folder, Program, Run};
use crate::error::{Error, Kind, Result};
use crate::names::Target;
use crate::session::Session;
use crate::status::Instance;

/// Exit statuses of a command that cannot be run, and of one that is not there.
const CANNOT_RUN: u8 = 126;
const NOT_THERE: u8 = 127;

/// Runs `ctr exec`; on success it does not return.
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
    look_first(&command[0], &run, &instance, session)?;
    running::become_program(session.engine.exec(&run, command)?)
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
    if let Some(cwd) = &args.cwd {
        let there = running::inside(instance, session)
            .map_or(Folder::Unknown, |inside| inside.folder(Path::new(cwd)));
        if !cwd.starts_with('/') || there == Folder::Missing {
            let message = format!("no folder {cwd} in `{}`", instance.name);
            return Err(Error::new(Kind::Folder, message)
                .hint("--cwd takes the absolute path of a folder inside"));
        }
        return Ok(cwd.clone());
    }
    let (cwd, compared) = running::callers_folder(instance, session)?;
    let what = match compared {
        Folder::Same | Folder::Unknown => return running::as_text(&cwd).map(str::to_owned),
        Folder::Other => "is another folder",
        Folder::Missing => "does not exist",
    };
    let (shown, name) = (cwd.display(), &instance.name);
    Err(
        Error::new(Kind::Folder, format!("{shown} {what} in `{name}`")).hint(format!(
            "choose a folder with --cwd, or start it with --bind {shown}"
        )),
    )
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
    let (word, name) = (word.to_string_lossy(), &instance.name);
    match found {
        Program::Runs | Program::Unknown => Ok(()),
        Program::CannotRun => {
            let message = format!(
                "`{word}` cannot be run in `{name}`: no permission, a folder, or a script whose interpreter is missing"
            );
            Err(Error::new(Kind::Command, message).status(CANNOT_RUN))
        }
        Program::Missing => {
            let message = format!("no command `{word}` in `{name}`");
            Err(Error::new(Kind::Command, message).status(NOT_THERE))
        }
    }
}
