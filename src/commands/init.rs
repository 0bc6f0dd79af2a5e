//! `ctr init`: prints the shell integration.

use std::os::unix::ffi::OsStrExt;

use clap::CommandFactory;

use crate::cli::{self, Cli, ShellName};
use crate::error::{Error, Result};
use crate::host::context::Context;
use crate::private_dir;
use crate::shell::{self, Options, integration};
use crate::ui::output::print;

/// Runs `ctr init`.
///
/// # Errors
/// The path of this program cannot be found out; there is no private folder for the command file.
pub fn run(args: &cli::Init) -> Result<()> {
    let binary = std::env::current_exe()
        .map_err(|error| Error::io("cannot find the path of this program", error))?;
    let first_words = match args.shell {
        ShellName::Tcsh => first_words(),
        _ => Vec::new(),
    };
    let options = Options {
        binary: &binary,
        function: &args.cmd,
        prompt: !args.no_prompt,
        completion: !args.no_completion,
        first_words: &first_words,
    };
    if args.command_file {
        let content = shell::command_file(&options);
        let file = private_dir::command_file(&Context::read()?, shell::arrives, &content)?;
        print(file.as_os_str().as_bytes());
        return Ok(());
    }
    print(&integration(args.shell, &options));
    Ok(())
}

/// The names of all commands but those that act on the shell, and the options before a command.
fn first_words() -> Vec<String> {
    let mut command = Cli::command();
    command.build();
    let names = command
        .get_subcommands()
        .flat_map(|command| std::iter::once(command.get_name()).chain(command.get_all_aliases()));
    let names = names.filter(|name| !["use", "leave", "shim"].contains(name));
    let mut words: Vec<String> = names.map(str::to_owned).collect();
    for option in command.get_arguments() {
        words.extend(option.get_short().map(|short| format!("-{short}")));
        let Some(long) = option.get_long() else {
            continue;
        };
        words.push(format!("--{long}"));
        let values = option.get_possible_values().into_iter();
        let values = values.filter(|_| option.get_action().takes_values());
        words.extend(values.map(|value| format!("--{long}={}", value.get_name())));
    }
    words
}
