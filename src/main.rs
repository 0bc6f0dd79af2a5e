//! `ctr`: background containers of Apptainer that feel like a place in your own shell. Called under
//! another name, by a link that is a shim, it runs the command of that name inside.

mod bounds;
mod cli;
mod commands;
mod complete;
mod config;
mod doctor;
mod engine;
mod env;
mod error;
mod host;
mod instance;
mod names;
mod plan;
mod private_dir;
mod resolve;
mod shell;
mod shim_call;
mod shims;
mod spec;
mod state;
mod ui;

use std::process::ExitCode;

fn main() -> ExitCode {
    let words: Vec<_> = std::env::args_os().collect();
    if let Some(shim) = shim_call::ShimCall::read(&words) {
        return commands::run_shim(&shim, words.get(1..).unwrap_or_default());
    }
    complete::answer().unwrap_or_else(|| match cli::parse::parse(&words) {
        Ok(cli) => {
            let output = ui::report::output(&cli.global);
            ui::report::outcome(commands::run(&cli.command, output), &cli.command, output)
        }
        Err(error) => ui::report::wrong_usage(&error),
    })
}
