//! What `ctr` can do when it is run inside an instance, and what it says of the rest.
//!
//! Processes there have other numbers, and Apptainer may not be there at all: an instance could be
//! taken for dead, and its record be removed. So nothing is started, stopped or tidied up.

use crate::cli::Command;
use crate::engine::{self, Surrounding};
use crate::error::{Error, Kind, Result};
use crate::host::context::Context;
use crate::names::Target;

const WAY_OUT: &str = "run it outside: `exit` leaves this shell";

/// Refuses what cannot be done inside an instance.
///
/// # Errors
/// This is the inside of one, and the command is for the outside.
pub fn check(command: &Command, context: &Context) -> Result<()> {
    let Some(around) = engine::around(context) else {
        return Ok(());
    };
    match command {
        Command::Start(_) => Err(does_not_work("start", around)),
        Command::Stop(_) => Err(does_not_work("stop", around)),
        Command::Restart(_) => Err(does_not_work("restart", around)),
        Command::Prune(_) => Err(does_not_work("prune", around)),
        Command::Shim(_) => Err(does_not_work("shim", around)),
        // An rc file is read inside too, and says with it: only where it makes sense.
        Command::Env(args) if args.if_running || args.refresh => Ok(()),
        Command::Env(args) if args.unset => Err(nothing_to_leave(around)),
        Command::Env(_) | Command::Use(_) => {
            Err(refused(format!("no instance can be made active inside {around}")).hint(WAY_OUT))
        }
        Command::Leave => Err(nothing_to_leave(around)),
        Command::Exec(args) => {
            let (target, command) = super::exec::split(&args.words)?;
            let words = command.iter().map(|word| word.to_string_lossy());
            let by_itself = format!("run the command by itself: {}", shell_words::join(words));
            Err(reached("exec", Some(&target), &by_itself, around))
        }
        Command::Enter(args) => {
            let here = "this shell is in it; `exit` leaves it";
            Err(reached("enter", args.name.as_ref(), here, around))
        }
        _ => Ok(()),
    }
}

fn does_not_work(command: &str, around: Surrounding) -> Error {
    refused(format!("`ctr {command}` does not work inside {around}")).hint(WAY_OUT)
}

fn nothing_to_leave(around: Surrounding) -> Error {
    refused(format!(
        "there is no active instance to leave inside {around}"
    ))
    .hint("`exit` leaves this shell")
}

/// For a command that goes into an instance: into this one, or into another.
fn reached(command: &str, target: Option<&Target>, at_home: &str, around: Surrounding) -> Error {
    let (Some(Target::Named(name)), Surrounding::Instance(own)) = (target, around) else {
        return match around {
            Surrounding::Instance(_) => refused(format!("this is {around} already")).hint(at_home),
            Surrounding::Container => does_not_work(command, around),
        };
    };
    if name.as_str() == own {
        return refused(format!("this is {around} already")).hint(at_home);
    }
    let message = format!("`ctr {command}` cannot reach `{name}` from inside {around}");
    refused(message).hint(WAY_OUT)
}

fn refused(message: String) -> Error {
    Error::new(Kind::Inside, message)
}
