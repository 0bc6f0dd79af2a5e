//! The commands, one file each: every one reads as the list of its steps.

mod activate;
mod completions;
mod config;
mod doctor;
mod enter;
mod env;
mod exec;
mod init;
mod inside;
mod join_plan;
mod list;
mod logs;
mod man;
mod note;
mod overlays;
mod prompt;
mod prune;
mod refresh;
mod restart;
mod run_shim;
mod running;
mod shim;
mod show;
mod start;
mod stats;
mod stop;
mod why;

use crate::bounds;
use crate::cli::Command;
use crate::config::Config;
use crate::error::{Error, Kind, Result};
use crate::host::cache::Cache;
use crate::host::context::Context;
use crate::host::context::Waits;
use crate::instance::home;
use crate::instance::session::Session;
use crate::shell;
use crate::ui::calling_shell;
use crate::ui::output::Output;

pub use run_shim::run as run_shim;

/// Runs a command to its end.
///
/// # Errors
/// Whatever went wrong, in words for the user.
pub fn run(command: &Command, output: Output) -> Result<()> {
    match command {
        Command::Exec(_) | Command::Enter(_) => {
            dispatch(command, output).map_err(running::before_the_command)
        }
        _ => dispatch(command, output),
    }
}

fn dispatch(command: &Command, output: Output) -> Result<()> {
    // These need nothing of this machine, and a configuration that is wrong must not break an rc
    // file.
    match command {
        Command::Completions(args) => return completions::run(args),
        Command::Man(args) => return man::run(args),
        Command::Init(args) => return init::run(args),
        _ => {}
    }
    let mut context = Context::read()?;
    context.waits = waits(command, &context, output);
    // While nothing is active, a prompt reads no configuration: it may be on a home that hangs.
    if let Command::Prompt(args) = command {
        return prompt::run(args, &context);
    }
    inside::check(command, &context)?;
    // What the shell remembers itself is in no file.
    match command {
        Command::Env(args) if env::is_of_the_shell(args) => {
            return env::give_back(args, &context, output);
        }
        _ => {}
    }
    match reach(command, &context, output) {
        Err(why) if may_be_passed_over(command) => {
            output.note(&why.message);
            return Ok(());
        }
        reached => reached?,
    }
    let config = Config::load(&context)?;
    let cache = Cache::new(&context);
    let session = Session::new(&context, &config, &cache, output);
    match command {
        Command::Start(args) => start::run(args, &session),
        Command::Exec(args) => exec::run(args, &session),
        Command::Enter(args) => enter::run(args, &session),
        Command::Env(args) => env::run(args, &session),
        Command::Use(_) | Command::Leave => Err(integration_is_missing(&session)),
        Command::Shim(args) => shim::run(args, &session),
        Command::Why(args) => why::run(args, &session),
        Command::Stop(args) => stop::run(args, &session),
        Command::Restart(args) => restart::run(args, &session),
        Command::List(args) => list::run(args, &session),
        Command::Stats(args) => stats::run(args, &session),
        Command::Show(args) => show::run(args, &session),
        Command::Note(args) => note::run(args, &session),
        Command::Logs(args) => logs::run(args, &session),
        Command::Prune(args) => prune::run(args, &session),
        Command::Overlays(args) => overlays::run(args, &session),
        Command::Config(args) => config::run(args, &session),
        Command::Doctor(args) => doctor::run(args, &session),
        Command::Completions(_) | Command::Man(_) | Command::Init(_) | Command::Prompt(_) => Ok(()),
    }
}

/// Waits for the folders of `ctr`. A terminal is told.
fn reach(command: &Command, context: &Context, output: Output) -> Result<()> {
    let most = match may_be_passed_over(command) {
        true => bounds::PROMPT,
        false => bounds::HOME,
    };
    home::wait(context, most, &|what| {
        if context.terminals.stderr {
            output.note(what);
        }
    })
}

/// How that command waits for other paths that it comes upon.
fn waits(command: &Command, context: &Context, output: Output) -> Waits {
    Waits {
        most: match may_be_passed_over(command) {
            true => bounds::PROMPT,
            false => bounds::HOST_PATH,
        },
        is_told: context.terminals.stderr && output.shows_notes(),
        says: output.shows_notes(),
    }
}

/// True for what no person asked for: a prompt, and a line of an rc file.
fn may_be_passed_over(command: &Command) -> bool {
    matches!(command, Command::Env(args) if args.refresh || args.if_running)
}

/// A program cannot change the shell that called it.
fn integration_is_missing(session: &Session) -> Error {
    let shell = calling_shell::detect(session.context);
    Error::new(
        Kind::Usage,
        "the shell integration is not loaded in this shell",
    )
    .hint(format!(
        "add `{}` to {}, and open a new shell; in a script, evaluate `ctr env NAME`",
        shell::rc_line(shell, "ctr"),
        calling_shell::rc_file(shell, session.context).display()
    ))
}
