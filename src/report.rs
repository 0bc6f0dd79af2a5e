//! How a failure reaches the caller: words on stderr, a document or failing code on stdout, an
//! exit status.

use std::ffi::OsString;
use std::process::ExitCode;

use crate::cli::{Command, Global};
use crate::error::{Error, Kind};
use crate::output::{Output, print};
use crate::shell;

/// The way to speak that the global options ask for.
pub fn output(global: &Global) -> Output {
    let no_color = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    Output::new(global, no_color)
}

/// Reports a command that failed.
pub fn failure(error: &Error, command: &Command, output: Output) -> ExitCode {
    output.error(error);
    if command.wants_json() {
        output.json(&error.to_json());
    } else if matches!(command, Command::Env(_)) {
        print(shell::FAIL.as_bytes());
    }
    ExitCode::from(error.code())
}

/// Reports a command line that clap refuses; `--help` and `--version` come this way too.
pub fn wrong_usage(error: &clap::Error) -> ExitCode {
    // Nobody is left to hear when this cannot be written.
    let _ = error.print();
    if !error.use_stderr() {
        return ExitCode::SUCCESS;
    }
    let words: Vec<OsString> = std::env::args_os().skip(1).collect();
    let has = |word: &str| words.iter().take_while(|w| *w != "--").any(|w| w == word);
    let is_env = words
        .iter()
        .find(|w| !w.as_encoded_bytes().starts_with(b"-"));
    if has("--json") {
        let text = error.to_string();
        let line = text.lines().next().unwrap_or_default();
        let message = line.strip_prefix("error: ").unwrap_or(line);
        let failure = Error::new(Kind::Usage, message).hint("see `ctr --help`");
        print(format!("{:#}\n", failure.to_json()).as_bytes());
    } else if is_env.is_some_and(|word| word == "env") {
        print(shell::FAIL.as_bytes());
    }
    ExitCode::from(2)
}
