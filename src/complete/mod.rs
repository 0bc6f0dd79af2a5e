//! Dynamic completion: what TAB offers in bash, zsh and fish.
//!
//! The code in `shell/completion.*` runs this program with [`VARIABLE`] set to the shell's name and
//! what is typed after `--`. Only state files, Apptainer's own records and local folders are read:
//! TAB never starts Apptainer, goes to the network, or writes. Whatever goes wrong, the answer is
//! empty and nothing is said: the user is in the middle of a line. It is looked for in a process of
//! its own, which is given up when it takes long.

mod attach;
mod files;
mod grammar;
mod line;
mod programs;
mod reply;
mod values;
mod world;

use std::process::ExitCode;
use std::sync::Arc;

use clap::{Command, CommandFactory};
use clap_complete::{CompletionCandidate, engine};

use crate::bounds::COMPLETION;
use crate::cli::{Cli, ShellName};
use crate::engine::ask;
use line::{Dialect, Word};
use reply::{Candidate, Reply};
use world::World;

/// Names the shell that asks.
const VARIABLE: &str = "CTR_COMPLETE";

/// Marks a candidate that is none: the word may also be the path of a file.
const FILES: &str = "files";

/// Answers a shell that asks for completion; `None` when none does.
pub fn answer() -> Option<ExitCode> {
    let shell = std::env::var(VARIABLE).ok()?;
    let arguments = std::env::args_os().skip(1);
    let mut arguments = arguments.map(|word| word.to_string_lossy().into_owned());
    // Someone may have the variable set for a reason of theirs.
    if arguments.next().as_deref() != Some("--") {
        return None;
    }
    let typed: Vec<String> = arguments.collect();
    // A home, or an instance, may not answer.
    let text = ask(COMPLETION, || reply(&shell, &typed)).unwrap_or_default();
    reply::print(&text);
    Some(ExitCode::SUCCESS)
}

/// The answer, in the form that the shell takes.
fn reply(shell: &str, typed: &[String]) -> String {
    let first = typed.first().map_or("", String::as_str);
    match shell {
        "bash" => {
            let words = line::words(first, Dialect::Bash);
            let replaced = typed.get(1).map_or("", String::as_str);
            complete(ShellName::Bash, line::command(&words)).in_bash(&words, first, replaced)
        }
        "fish" => {
            let words = line::words(first, Dialect::Fish);
            complete(ShellName::Fish, line::command(&words)).in_fish()
        }
        "zsh" => complete(ShellName::Zsh, &numbered(typed)).in_zsh(),
        _ => String::new(),
    }
}

/// The words as zsh gives them: each knows its number, where those of a line know their place.
fn numbered(typed: &[String]) -> Vec<Word> {
    typed
        .iter()
        .enumerate()
        .map(|(number, text)| Word {
            text: text.clone(),
            start: number,
            is_expanded: text.starts_with('~') || text.contains('$'),
            ..Word::default()
        })
        .collect()
}

/// What can stand in the place of the last word.
fn complete(shell: ShellName, words: &[Word]) -> Reply {
    let Some((typed, _)) = words.split_last() else {
        return Reply::default();
    };
    if typed.is_redirected {
        return Reply::Files;
    }
    let texts: Vec<String> = words.iter().map(|word| word.text.clone()).collect();
    let command = Cli::command();
    let parsed = grammar::parse(&command, &texts);
    let command_inside = parsed.command_inside(&texts);
    let Some(world) = World::read(&texts, parsed) else {
        return Reply::default();
    };
    match command_inside {
        Some(place) if place + 1 < words.len() => Reply::Command(words[place].start),
        Some(place) => programs::complete(&world, typed, &texts[..place]),
        None => arguments(
            shell,
            attach::completers(command, &Arc::new(world)),
            &texts,
            typed,
        ),
    }
}

/// Completes a word of `ctr`'s own.
fn arguments(shell: ShellName, mut command: Command, texts: &[String], typed: &Word) -> Reply {
    let found = match typed.text.as_str() {
        "-" => options(&mut command, texts),
        _ => found(&mut command, texts),
    };
    let (marks, found): (Vec<_>, Vec<_>) = found
        .into_iter()
        .partition(|one| one.get_tag().is_some_and(|tag| tag.to_string() == FILES));
    let mut candidates: Vec<Candidate> = found.iter().filter_map(Candidate::new).collect();
    // Bash takes all that it is given; the others compare in the ways that their users chose.
    candidates.retain(|one| shell != ShellName::Bash || one.value.starts_with(&typed.text));
    if typed.text.is_empty() && candidates.iter().any(|one| !one.is_option()) {
        candidates.retain(|one| !one.is_option());
    }
    let is_none = !candidates.iter().any(|one| one.is_like(&typed.text));
    if !marks.is_empty() && (is_none || typed.is_expanded) {
        return Reply::Files;
    }
    Reply::Words(candidates)
}

/// What the engine finds for the last word.
fn found(command: &mut Command, texts: &[String]) -> Vec<CompletionCandidate> {
    let words = texts.iter().map(Into::into).collect();
    engine::complete(command, words, texts.len() - 1, None).unwrap_or_default()
}

/// Every option after a single `-`: those with a long name by that, where the engine would have
/// the letter.
fn options(command: &mut Command, texts: &[String]) -> Vec<CompletionCandidate> {
    let mut long = texts.to_vec();
    if let Some(typed) = long.last_mut() {
        typed.push('-');
    }
    let mut all = found(command, &long);
    for short in found(command, texts) {
        if !all.iter().any(|one| one.get_id() == short.get_id()) {
            all.push(short);
        }
    }
    all
}
