//! `ctr enter`: shows the notes, then becomes a shell inside.

use std::io::{BufRead, Write};
use std::path::{Path, PathBuf};

use super::{restart, running};
use crate::cli;
use crate::engine::answers;
use crate::engine::{Folder, Program};
use crate::error::{Error, Kind, Result};
use crate::instance::session::Session;
use crate::instance::status::{Instance, Status};
use crate::ui::output::printable;

/// Runs `ctr enter`; on success it does not return.
///
/// # Errors
/// It is not running; with status 126 when the shell cannot be run, 127 when it is not there.
pub fn run(args: &cli::Enter, session: &Session) -> Result<()> {
    let mut instance = session.instance(args.name.as_ref())?;
    if can_be_restarted(&instance) && a_person_agrees(&instance, session) {
        restart::restart(&instance, session)?;
        instance = session.instance(args.name.as_ref())?;
    }
    running::check_running(&instance, session)?;
    session.engine.check_record(&instance.name)?;
    let cwd = folder(&instance, session)?;
    check_shell(args.shell.as_deref(), &instance, session)?;
    let shell = shell(args.shell.as_deref(), &instance, session);
    let more = running::variables(&args.env_files, &args.env, session)?;
    let mut run = running::prepare(&instance, Path::new(shell), &more, &cwd, session)?;
    run.in_force.clean |= args.cleanenv;
    let command = session.engine.shell(&run, args.shell.as_deref())?;
    show_notes(&instance, session);
    running::become_program(command)
}

fn can_be_restarted(instance: &Instance) -> bool {
    matches!(
        instance.status,
        Status::Dead | Status::Broken | Status::Stopped
    )
}

/// Asks, when somebody is there to answer.
fn a_person_agrees(instance: &Instance, session: &Session) -> bool {
    let terminals = session.context.terminals;
    if !(terminals.stdin && terminals.stderr) {
        return false;
    }
    let (name, word) = (&instance.name, instance.status.word());
    eprint!(
        "`{name}` is {word} ({}). Start it again? [Y/n] ",
        printable(&instance.reason)
    );
    let _ = std::io::stderr().flush();
    let mut answer = String::new();
    let read = std::io::stdin().lock().read_line(&mut answer);
    read.is_ok_and(|length| length > 0)
        && matches!(answer.trim().to_lowercase().as_str(), "" | "y" | "yes")
}

/// The caller's folder when it is the same inside, else home or `/`, with a word.
fn folder(instance: &Instance, session: &Session) -> Result<PathBuf> {
    let (cwd, compared) = match running::callers_folder(instance, session) {
        Ok((cwd, compared)) => (Some(cwd), compared),
        Err(_) => (None, Folder::Missing),
    };
    if let (Some(cwd), Folder::Same | Folder::Unknown) = (&cwd, compared) {
        return running::as_text(cwd).map(PathBuf::from);
    }
    let name = &instance.name;
    let own = session.context.cwd.as_deref();
    let shown = own.map_or_else(
        || "the working folder".to_owned(),
        |own| own.display().to_string(),
    );
    let what = match compared {
        _ if own.is_some_and(answers::is_silent) => "does not answer".to_owned(),
        Folder::Other => format!("is another folder in `{name}`"),
        Folder::Closed => format!("cannot be gone to in `{name}`"),
        _ => format!("does not exist in `{name}`"),
    };
    let (folder, going) = refuge(instance, session);
    session.output.warn(&format!("{shown} {what}: {going}"));
    running::as_text(folder).map(PathBuf::from)
}

/// Where to go instead: home, which an instance need not have (`--no-home`, `--contain`).
fn refuge<'a>(instance: &Instance, session: &'a Session) -> (&'a Path, &'static str) {
    let home = &session.context.home;
    let inside = running::inside(instance, session);
    let is_none = |folder| matches!(folder, Folder::Missing | Folder::Closed);
    if inside.is_some_and(|inside| is_none(inside.folder(home))) {
        return (Path::new("/"), "there is no home either, going to /");
    }
    (home, "going home")
}

/// The shell that is run inside: Apptainer takes bash where there is one, else `sh`.
fn shell<'a>(asked: Option<&'a str>, instance: &Instance, session: &Session) -> &'a str {
    const BASH: &str = "/bin/bash";
    let is_missing = |inside: crate::engine::Inside| {
        inside.program(Path::new(BASH), Path::new("/"), "") == Program::Missing
    };
    match asked {
        Some(shell) => shell,
        None if running::inside(instance, session).is_some_and(is_missing) => "/bin/sh",
        None => BASH,
    }
}

fn check_shell(shell: Option<&str>, instance: &Instance, session: &Session) -> Result<()> {
    let (Some(shell), Some(inside)) = (shell, running::inside(instance, session)) else {
        return Ok(());
    };
    let found = inside.program(Path::new(shell), Path::new("/"), "");
    match found {
        _ if !shell.starts_with('/') => Err(Error::new(
            Kind::Usage,
            format!("`{shell}` is not the path of a shell inside"),
        )
        .hint("give it whole, as /bin/bash")),
        Program::Missing => {
            let message = format!("no shell {shell} in `{}`", instance.name);
            Err(Error::new(Kind::Command, message).status(127))
        }
        Program::CannotRun => {
            let message = format!("{shell} cannot be run in `{}`", instance.name);
            Err(Error::new(Kind::Command, message).status(126))
        }
        Program::Runs | Program::Unknown => Ok(()),
    }
}

fn show_notes(instance: &Instance, session: &Session) {
    let Some(spec) = instance.state.as_ref().map(|state| &state.spec) else {
        return;
    };
    if let Some(note) = &spec.note {
        session.output.note(note);
    }
    for (key, note) in &spec.notes {
        session.output.note(&format!("{key}: {note}"));
    }
}
