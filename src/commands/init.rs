//! `ctr init`: prints the shell integration.

use crate::cli;
use crate::error::{Error, Result};
use crate::output::print;
use crate::shell::{Options, integration};

/// Runs `ctr init`.
///
/// # Errors
/// The path of this program cannot be found out.
pub fn run(args: &cli::Init) -> Result<()> {
    let binary = std::env::current_exe()
        .map_err(|error| Error::io("cannot find the path of this program", error))?;
    print(&integration(
        args.shell,
        &Options {
            binary: &binary,
            function: &args.cmd,
            prompt: !args.no_prompt,
            completion: !args.no_completion,
        },
    ));
    Ok(())
}
