//! Gives the arguments of the command line their completers.

use std::sync::Arc;

use clap::Command;
use clap_complete::CompletionCandidate;
use clap_complete::engine::ArgValueCompleter;

use super::files::Kind;
use super::values;
use super::world::World;

type Values = fn(&World, &str) -> Vec<CompletionCandidate>;

/// Every argument whose values are known only here: its command, its name, its values. Those of a
/// fixed set (shells, GPUs, colours) the engine takes from the definitions.
const COMPLETERS: [(&str, &str, Values); 20] = [
    ("start", "overlays", values::overlays),
    ("start", "base_image", values::images),
    ("start", "binds", |world, typed| {
        values::paths(world, typed, Kind::Any)
    }),
    ("exec", "words", values::names),
    ("exec", "cwd", |world, typed| {
        values::paths(world, typed, Kind::Folder)
    }),
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
    ("man", "out", |world, typed| {
        values::paths(world, typed, Kind::Folder)
    }),
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
