//! `ctr`: background containers of Apptainer that feel like a place in your own shell.

mod activation;
mod cli;
mod commands;
mod config;
mod context;
mod doctor;
mod engine;
mod environment;
mod error;
mod memory;
mod names;
mod output;
mod plan;
mod report;
mod resolve;
mod runtime;
mod session;
mod setup;
mod shell;
mod state;
mod status;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    let cli = match cli::Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return report::wrong_usage(&error),
    };
    let output = report::output(&cli.global);
    commands::run(&cli.command, output).map_or_else(
        |error| report::failure(&error, &cli.command, output),
        |()| ExitCode::SUCCESS,
    )
}
