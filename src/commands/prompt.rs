//! `ctr prompt`: the active instance, for prompts that are drawn by others.

use crate::bounds;
use crate::cli;
use crate::config::Config;
use crate::engine;
use crate::env::activation;
use crate::error::Result;
use crate::host::context::Context;
use crate::instance::home;
use crate::ui::output::{print, printable};

/// Stands for the instance's name in a format.
const NAME: &str = "{name}";

/// Runs `ctr prompt`: prints nothing where no instance is active, or where its process has ended.
///
/// # Errors
/// The configuration is wrong, and no format is given.
pub fn run(args: &cli::Prompt, context: &Context) -> Result<()> {
    let active = activation::active(&context.variables, &context.pid_scope);
    let Some(active) = active.filter(|active| active.here) else {
        return Ok(());
    };
    let has_ended = |(pid, start): (i32, u64)| engine::start_time(pid) != Some(start);
    if active.process.is_some_and(has_ended) {
        return Ok(());
    }
    let format = match &args.format {
        Some(format) => format.clone(),
        None if home::wait(context, bounds::PROMPT, &|_| {}).is_err() => {
            Config::defaults(context).prompt_format.value
        }
        None => Config::load(context)?.prompt_format.value,
    };
    // The name is the environment's word, and goes to a terminal.
    print(format.replace(NAME, &printable(&active.name)).as_bytes());
    Ok(())
}
