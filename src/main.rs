//! `ctr`: background containers of Apptainer that feel like a place in your own shell. Called under
//! another name, by a link that is a shim, it runs the command of that name inside.

mod activation;
mod bounds;
mod called;
mod caller;
mod cli;
mod commands;
mod complete;
mod config;
mod context;
mod doctor;
mod engine;
mod environment;
mod error;
mod memory;
mod names;
mod output;
mod parse;
mod plan;
mod private;
mod reach;
mod regular;
mod report;
mod resolve;
mod runtime;
mod session;
mod setup;
mod shell;
mod shims;
mod state;
mod status;

use std::process::ExitCode;

fn main() -> ExitCode {
    let words: Vec<_> = std::env::args_os().collect();
    if let Some(shim) = called::Called::read(&words) {
        return commands::call(&shim, words.get(1..).unwrap_or_default());
    }
    complete::answer().unwrap_or_else(|| match parse::parse(&words) {
        Ok(cli) => {
            let output = report::output(&cli.global);
            report::outcome(commands::run(&cli.command, output), &cli.command, output)
        }
        Err(error) => report::wrong_usage(&error),
    })
}
