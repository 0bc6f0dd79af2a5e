//! How a failure reaches the caller: words on stderr, a document or failing code on stdout, an
//! exit status.

use std::ffi::OsString;
use std::process::ExitCode;

use clap::error::{ContextKind, ContextValue};

use crate::cli::{Command, Global, ShellName, ShimAction};
use crate::error::{Error, Kind, Result};
use crate::shell;
use crate::ui::calling_shell;
use crate::ui::output::{Output, print, print_json};

/// The way to speak that the global options ask for.
pub fn output(global: &Global) -> Output {
    let no_color = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    Output::new(global, no_color)
}

/// Reports how a command ended.
pub fn outcome(result: Result<()>, command: &Command, output: Output) -> ExitCode {
    let Err(error) = result else {
        return ExitCode::SUCCESS;
    };
    if error.is_reported {
        return ExitCode::from(error.code());
    }
    output.error(&error);
    if wants_json(command) {
        output.json(&error.to_json());
    } else if let Command::Env(args) = command {
        print_failing_code(args.shell);
    }
    ExitCode::from(error.code())
}

/// Flags of a start that Apptainer takes on a join too, and that do nothing there.
const ONLY_AT_START: [&str; 12] = [
    "--bind",
    "--overlay",
    "-o",
    "--nv",
    "--rocm",
    "--gpu",
    "--home",
    "--fakeroot",
    "-f",
    "--writable",
    "-w",
    "--contain",
];

/// Reports a command line that clap refuses; `--help` and `--version` come this way too.
pub fn wrong_usage(error: &clap::Error) -> ExitCode {
    match only_at_start(error) {
        Some(flag) => {
            eprintln!("error: `{flag}` does nothing to an instance that runs");
            eprintln!(" hint: give it to `ctr start`; `ctr start --replace` starts one anew");
        }
        // Nobody is left to hear when this cannot be written.
        None => drop(error.print()),
    }
    if !error.use_stderr() {
        return ExitCode::SUCCESS;
    }
    let words: Vec<OsString> = std::env::args_os().skip(1).collect();
    let has = |word: &str| words.iter().take_while(|w| *w != "--").any(|w| w == word);
    if has("--json") {
        let text = error.to_string();
        let line = text.lines().next().unwrap_or_default();
        let message = line.strip_prefix("error: ").unwrap_or(line);
        let failure = Error::new(Kind::Usage, message).hint("see `ctr --help`");
        print_json(&failure.to_json());
    } else if subcommand(&words).is_some_and(|word| word == "env") {
        print_failing_code(None);
    }
    ExitCode::from(2)
}

/// Prints code that fails, for the shell that was named, else for the one that called.
fn print_failing_code(named: Option<ShellName>) {
    let shell = named
        .or_else(calling_shell::calling)
        .unwrap_or(ShellName::Sh);
    print(shell::fail(shell).as_bytes());
}

/// The flag of a start that was given to a command on a running instance.
fn only_at_start(error: &clap::Error) -> Option<String> {
    let words: Vec<OsString> = std::env::args_os().skip(1).collect();
    let command = subcommand(&words)?;
    let on_a_join = command == "exec" || command == "enter";
    match error.get(ContextKind::InvalidArg) {
        Some(ContextValue::String(flag)) if on_a_join => {
            let flag = flag.split('=').next().unwrap_or_default();
            ONLY_AT_START.contains(&flag).then(|| flag.to_owned())
        }
        _ => None,
    }
}

/// The command's name: the first word that is no option, nor the value of one.
fn subcommand(words: &[OsString]) -> Option<&OsString> {
    let mut words = words.iter();
    loop {
        let word = words.next()?;
        if word == "--color" {
            words.next();
        } else if !word.as_encoded_bytes().starts_with(b"-") {
            return Some(word);
        }
    }
}

/// True when a failure is also due as JSON on stdout.
fn wants_json(command: &Command) -> bool {
    match command {
        Command::Env(args) => args.json,
        Command::List(args) => args.json,
        Command::Stats(args) => args.json,
        Command::Show(args) => args.json,
        Command::Shim(args) => matches!(&args.action, ShimAction::List(list) if list.json),
        Command::Overlays(args) => args.json,
        Command::Config(args) => args.json,
        Command::Doctor(args) => args.json,
        _ => false,
    }
}
