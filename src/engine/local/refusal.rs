//! What is said of a command that does not run inside, and the exit status that says it: those of
//! a shell.

use std::ffi::OsStr;
use std::path::Path;

use crate::engine::local::processes::NOT_CONNECTED;
use crate::error::{Error, Kind};

const CANNOT_RUN: u8 = 126;
/// Exit status where there is no such command.
pub const NOT_THERE: u8 = 127;

/// There is no such command in the instance `name`.
pub fn not_there(command: &OsStr, name: &str) -> Error {
    let message = format!("no command `{}` in `{name}`", command.to_string_lossy());
    Error::new(Kind::Command, message).status(NOT_THERE)
}

/// It is there, and not for running.
pub fn cannot_run(command: &OsStr, name: &str) -> Error {
    let why = "no permission, a folder, or a script whose interpreter is missing";
    cannot_run_since(command, name, why)
}

/// The system refuses to run it, and says why.
pub fn cannot_run_since(command: &OsStr, name: &str, why: &str) -> Error {
    let command = command.to_string_lossy();
    let message = format!("`{command}` cannot be run in `{name}`: {why}");
    Error::new(Kind::Command, message).status(CANNOT_RUN)
}

/// The folder that a command is to run in is not the same inside; `what` says how.
pub fn wrong_folder(folder: &Path, name: &str, what: &str) -> Error {
    let shown = folder.display();
    let other = format!("`ctr exec --cwd DIR {name} …` runs in another");
    let hint = match folder.parent() {
        Some(_) => format!("{other}; `ctr start --bind {shown} …` brings it in"),
        None => other, // the root is always another
    };
    Error::new(Kind::Folder, format!("{shown} {what} in `{name}`")).hint(hint)
}

/// The folder that a command is to run in is there, and cannot be gone to.
pub fn closed_folder(folder: &Path, name: &str, error: &std::io::Error) -> Error {
    let message = format!("cannot go to {} in `{name}`: {error}", folder.display());
    Error::new(Kind::Folder, message).hint("choose another with `ctr exec --cwd`")
}

/// There is no folder inside to run in that was asked for.
pub fn no_folder(folder: &Path, name: &str) -> Error {
    let message = format!("no folder {} in `{name}`", folder.display());
    Error::new(Kind::Folder, message).hint("--cwd takes the absolute path of a folder inside")
}

/// The file system inside is gone.
pub fn broken(name: &str) -> Error {
    let message = format!("`{name}` is broken: {NOT_CONNECTED}");
    let hint = format!("`ctr restart {name}` starts it again");
    Error::new(Kind::NotRunning, message).hint(hint)
}

/// It has ended since it was looked at.
pub fn ended(name: &str) -> Error {
    let hint = format!("`ctr restart {name}` starts it again");
    Error::new(Kind::NotRunning, format!("`{name}` has ended")).hint(hint)
}
