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
const COMPLETERS: [(&str, &str, Values); 20] = [
    ("start", "overlays", values::overlays),
    ("start", "base_image", values::images),
    ("start", "binds", values::files),
    ("exec", "words", values::names),
    ("exec", "cwd", values::folders),
    ("enter", "name", values::names),
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
            command.mut_subcommand(name, |command| {
                command.mut_arg(argument, |argument| argument.add(completer))
            })
        })
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
            let found = command.find_subcommand(name).is_some_and(|command| {
                command
                    .get_arguments()
                    .any(|known| known.get_id() == argument)
            });
            assert!(found, "{name} {argument}");
        }
    }
}
