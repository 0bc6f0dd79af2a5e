//! What `exec` and `enter` have in common: the environment, the working folder, and becoming
//! another program.

use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::bounds::WANTED_FILE_SYSTEM;
use crate::engine::answers;
use crate::engine::{self, Folder, InForce, Inside, Run, in_force};
use crate::env::rules::{self, check_carried};
use crate::error::{Error, Kind, Result};
use crate::host::context::LEVEL;
use crate::instance::session::Session;
use crate::instance::status::{Instance, Status};
use crate::names::Assignment;
use crate::plan::identity;
use crate::resolve::env_file;

/// Shells whose prompt is in `PS1`.
const SHELLS: [&str; 8] = ["sh", "bash", "dash", "zsh", "ash", "ksh", "mksh", "yash"];

/// Exit status of a failure of `ctr` itself, before the command.
pub const OWN_FAILURE: u8 = 125;

/// Gives every failure but wrong usage the status that says: the command was not run.
pub fn before_the_command(error: Error) -> Error {
    match (error.kind, error.status) {
        (Kind::Usage, _) | (_, Some(_)) => error,
        _ => error.status(OWN_FAILURE),
    }
}

/// Refuses an instance in which nothing can run, and says it once of one that `ctr` did not start.
///
/// # Errors
/// It does not run.
pub fn check_running(instance: &Instance, session: &Session) -> Result<()> {
    match instance.status {
        Status::Running if instance.reason.is_empty() => Ok(()),
        // Nothing could be run in it either.
        Status::Running => {
            let message = format!("`{}` runs, but {}", instance.name, instance.reason);
            Err(Error::new(Kind::Engine, message).hint("end what you need no more, and try again"))
        }
        Status::Untracked => {
            let name = &instance.name;
            session.output.note(&format!(
                "`{name}` was started without ctr: it has no saved environment"
            ));
            Ok(())
        }
        _ => Err(session.not_running(instance)),
    }
}

/// The variables of files, and those given by hand, which are stronger.
///
/// # Errors
/// See [`env_file::read`].
pub fn variables(
    files: &[String],
    given: &[Assignment],
    session: &Session,
) -> Result<Vec<Assignment>> {
    let mut all = Vec::new();
    for file in files {
        let read = env_file::read(file, session.context)?;
        read.doubts
            .iter()
            .for_each(|doubt| session.output.warn(doubt));
        all.extend(read.variables);
    }
    all.extend_from_slice(given);
    Ok(all)
}

/// The run of `program` inside `instance`, with more variables, in the folder `cwd` inside.
///
/// # Errors
/// A variable that Apptainer cannot carry.
pub fn prepare<'a>(
    instance: &'a Instance,
    program: &Path,
    more: &[Assignment],
    cwd: &'a Path,
    session: &Session,
) -> Result<Run<'a>> {
    for assignment in more {
        check_carried(&assignment.key, &assignment.value)?;
    }
    let more: Vec<String> = more.iter().map(ToString::to_string).collect();
    let spec = instance.state.as_ref().map(|state| &state.spec);
    let saved = spec.map_or(&[][..], |spec| spec.env.as_slice());
    // One that was started without ctr says where it is all the same.
    let identity = identity::variables(&instance.name, session.engine.nesting() + 1);
    let entries = identity.iter().chain(saved).chain(&more);
    let mut environment = rules::fold(entries.map(String::as_str));
    if let Some(shell) = shell_of(program, instance, session) {
        set_prompt(&mut environment.variables, &instance.name, &shell);
    }
    Ok(Run {
        name: &instance.name,
        environment,
        cwd,
        in_force: spec.map_or_else(InForce::default, |spec| in_force(&spec.apptainer_flags)),
        keep: false,
        hostos: spec.is_some_and(crate::spec::InstanceSpec::is_hostos),
    })
}

/// The shell that a program is, by the name of its file inside, links followed: `sh` is another in
/// every image.
fn shell_of(program: &Path, instance: &Instance, session: &Session) -> Option<String> {
    let name = program.file_name()?.to_str()?;
    if !SHELLS.contains(&name) {
        return None;
    }
    let path = Path::new("/bin").join(program);
    // Nothing has looked at its files yet, which may not answer.
    let process = instance.process.as_ref();
    let is_sound = |process| session.engine.faults(&[process], WANTED_FILE_SYSTEM)[0].is_none();
    let inside = inside(instance, session).filter(|_| process.is_some_and(is_sound));
    let real = inside.and_then(|inside| inside.file_name(&path));
    Some(real.unwrap_or_else(|| name.to_owned()))
}

/// Says the prompt in the words of that shell, unless the user has set another.
fn set_prompt(variables: &mut [(String, String)], name: &str, shell: &str) {
    let value = |variables: &[(String, String)], key: &str| {
        let mut known = variables.iter();
        known.find_map(|(known, value)| (known == key).then(|| value.clone()))
    };
    let level = value(variables, LEVEL).and_then(|level| level.parse().ok());
    let level = level.unwrap_or(1);
    let saved = identity::prompt(name, level, "bash");
    for (key, value) in variables {
        if key == "PS1" && *value == saved {
            *value = identity::prompt(name, level, shell);
        }
    }
}

/// The caller's folder, and what it is inside.
///
/// # Errors
/// The caller's folder was removed, or does not answer.
pub fn callers_folder(instance: &Instance, session: &Session) -> Result<(PathBuf, Folder)> {
    let cwd = session.context.cwd.clone().ok_or_else(|| {
        Error::new(Kind::Folder, "the working folder was removed").hint("go to another folder")
    })?;
    answers::check(&cwd, session.context).map_err(|error| {
        error.hint("go to another folder, or name one of the inside: `ctr exec --cwd`")
    })?;
    let compared = inside(instance, session).map_or(Folder::Unknown, |i| i.compare_folder(&cwd));
    let compared = match (compared, &instance.process) {
        (Folder::Unknown, Some(process)) => session.engine.folder_from_inside(process, &cwd),
        (known, _) => known,
    };
    Ok((cwd, compared))
}

/// What is said of a folder inside that this user may not go to.
pub fn closed_folder(folder: &Path, instance: &Instance) -> Error {
    let denied = std::io::Error::from_raw_os_error(nix::libc::EACCES);
    engine::closed_folder(folder, &instance.name, &denied)
}

/// A look into the instance.
pub fn inside(instance: &Instance, session: &Session) -> Option<Inside> {
    let state = instance.state.as_ref();
    let as_root = state.is_some_and(|state| state.spec.fakeroot);
    instance
        .process
        .as_ref()
        .map(|process| session.engine.inside(process, as_root))
}

/// A path as Apptainer takes it.
///
/// # Errors
/// It is not UTF-8.
pub fn as_text(path: &Path) -> Result<&str> {
    path.to_str().ok_or_else(|| {
        let shown = path.display();
        Error::new(Kind::Folder, format!("the path of {shown} is not UTF-8"))
            .hint("Apptainer cannot carry it: use --cwd")
    })
}

/// Replaces this process.
///
/// # Errors
/// It cannot be replaced; it never returns otherwise.
pub fn become_program(mut command: Command) -> Result<()> {
    let error = command.exec();
    let program = command.get_program().to_string_lossy().into_owned();
    Err(Error::new(Kind::Engine, format!("cannot run {program}: {error}")).status(OWN_FAILURE))
}
