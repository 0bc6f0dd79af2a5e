//! `ctr completions`: the static completion file of a shell.

use clap::CommandFactory;

use crate::cli::{self, Cli};
use crate::error::Result;
use crate::output::print;

/// Runs `ctr completions`.
///
/// # Errors
/// None yet.
pub fn run(args: &cli::Completions) -> Result<()> {
    let mut text = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "ctr", &mut text);
    print(&text);
    Ok(())
}
