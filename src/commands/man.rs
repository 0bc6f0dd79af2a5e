//! `ctr man`: the man pages, from the definitions of the command line.

use clap::CommandFactory;

use crate::cli::{self, Cli};
use crate::error::{Error, Result};
use crate::output::print;

/// Runs `ctr man`.
///
/// # Errors
/// The folder cannot be written.
pub fn run(args: &cli::Man) -> Result<()> {
    let failed = |error| Error::io("cannot write the man pages", error);
    let command = Cli::command().disable_help_subcommand(true);
    match &args.out {
        Some(folder) => {
            std::fs::create_dir_all(folder).map_err(failed)?;
            clap_mangen::generate_to(command, folder).map_err(failed)
        }
        None => {
            let mut page = Vec::new();
            clap_mangen::Man::new(command)
                .render(&mut page)
                .map_err(failed)?;
            print(&page);
            Ok(())
        }
    }
}
