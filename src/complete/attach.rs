//! Gives the arguments of the command line their completers.

use std::sync::Arc;

use clap::Command;
use clap_complete::CompletionCandidate;
use clap_complete::engine::ArgValueCompleter;

use super::values;
use super::world::World;

type Values = fn(&World, &str) -> Vec<CompletionCandidate>;

/// Every argument whose values are known only here: its command, its name, its values. Those of a
/// fixed set (shells, GPUs, colours) the engine takes from the definitions.
const COMPLETERS: [(&str, &str, Values); 29] = [
    ("start", "overlays", values::overlays),
    ("start", "base_image", values::images),
    ("start", "binds", values::files),
    ("start", "env_files", values::files),
    ("exec", "words", values::names),
    ("exec", "cwd", values::folders),
    ("exec", "env_files", values::files),
    ("enter", "name", values::names),
    ("enter", "env_files", values::files),
    ("enter", "shell", |_, _| values::shells()),
    ("env", "name", values::names),
    ("use", "name", values::names),
    ("stop", "patterns", values::names),
    ("stop", "signal", |_, typed| values::signals(typed)),
    ("restart", "patterns", values::names),
    ("list", "pattern", values::names),
    ("stats", "patterns", values::names),
    ("show", "name", values::names),
    ("note", "name", values::names),
    ("note", "note", |world, _| values::notes(world)),
    ("logs", "name", values::names),
    ("overlays", "pattern", values::overlay_names),
    ("why", "command", values::commands),
    ("shim add", "name", values::names),
    ("shim add", "commands", values::programs),
    ("shim list", "name", values::names),
    ("shim remove", "name", values::names),
    ("shim remove", "commands", |world, _| values::shims(world)),
    ("man", "out", values::folders),
];

/// The command line with completers.
pub fn completers(command: Command, world: &Arc<World>) -> Command {
    COMPLETERS
        .iter()
        .fold(command, |command, (name, argument, values)| {
            let world = Arc::clone(world);
            let completer = ArgValueCompleter::new(move |typed: &std::ffi::OsStr| {
                typed
                    .to_str()
                    .map_or_else(Vec::new, |typed| values(&world, typed))
            });
            within(command, name, move |command| {
                command.mut_arg(argument, |argument| argument.add(completer))
            })
        })
}

/// Changes the command of a name such as `shim add`.
fn within(command: Command, name: &str, change: impl FnOnce(Command) -> Command) -> Command {
    match name.split_once(' ') {
        None => command.mut_subcommand(name, change),
        Some((name, rest)) => {
            command.mut_subcommand(name, |command| command.mut_subcommand(rest, change))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::Cli;
    use clap::CommandFactory;

    #[test]
    fn every_completer_has_an_argument() {
        let command = Cli::command();
        for (name, argument, _) in COMPLETERS {
            let mut parts = name.split(' ');
            let found = parts.try_fold(&command, |command, part| command.find_subcommand(part));
            let mut arguments = found.expect(name).get_arguments();
            let is_there = arguments.any(|known| known.get_id() == argument);
            assert!(is_there, "{name} {argument}");
        }
    }
}
