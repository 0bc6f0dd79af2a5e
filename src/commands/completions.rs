//! `ctr completions`: the completion file of a shell, for packagers.

use clap::CommandFactory;
use clap_complete::Shell;

use crate::cli::{self, Cli, ShellName};
use crate::error::Result;
use crate::shell::completion_file;
use crate::ui::output::print;

/// Runs `ctr completions`.
///
/// # Errors
/// None yet.
pub fn run(args: &cli::Completions) -> Result<()> {
    let dynamic = match args.shell {
        Shell::Bash => completion_file(ShellName::Bash),
        Shell::Zsh => completion_file(ShellName::Zsh),
        Shell::Fish => completion_file(ShellName::Fish),
        _ => None,
    };
    // What the definitions alone can say, where there is nothing better.
    let text = dynamic.unwrap_or_else(|| {
        let mut text = Vec::new();
        clap_complete::generate(args.shell, &mut Cli::command(), "ctr", &mut text);
        text
    });
    print(&text);
    Ok(())
}
