//! Which part of `ctr`'s grammar the words of a line are. Pure.

use clap::{Arg, Command};

/// What the words before the cursor come to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Parsed {
    /// The command's own name, never an alias: `exec`, `shim add`.
    pub command: Option<String>,
    /// Where its words stand that are neither options nor their values. Of `exec` only the first:
    /// what follows is another command.
    pub places: Vec<usize>,
}

/// Reads the words (the program's name first), the last of which is being typed. `top` must have
/// been built.
pub fn parse(top: &Command, words: &[String]) -> Parsed {
    let mut parsed = Parsed::default();
    let mut command = top;
    let mut options_ended = false;
    let before_the_cursor = words.len().saturating_sub(1);
    let mut at = 1;
    while at < before_the_cursor {
        let word = words[at].as_str();
        if !options_ended && word == "--" {
            options_ended = true;
        } else if !options_ended && word.len() > 1 && word.starts_with('-') {
            at += usize::from(wants_the_next(command, word));
        } else if command.has_subcommands() {
            let Some(found) = command.find_subcommand(word) else {
                return parsed;
            };
            let above = parsed.command.map(|above| above + " ").unwrap_or_default();
            parsed.command = Some(above + found.get_name());
            command = found;
        } else {
            parsed.places.push(at);
            if parsed.is_exec() {
                return parsed;
            }
        }
        at += 1;
    }
    parsed
}

impl Parsed {
    fn is_exec(&self) -> bool {
        self.command.as_deref() == Some("exec")
    }

    /// Where the command of a `ctr exec NAME [--]` begins, once the name is there.
    pub fn command_inside(&self, words: &[String]) -> Option<usize> {
        let name = self.places.first().filter(|_| self.is_exec())?;
        let is_escaped = words.len() > name + 2 && words[name + 1] == "--";
        Some(name + 1 + usize::from(is_escaped))
    }
}

/// True for an option whose value is the next word.
fn wants_the_next(command: &Command, word: &str) -> bool {
    let takes_value = |arg: &Arg| arg.get_action().takes_values();
    if let Some(long) = word.strip_prefix("--") {
        return !long.contains('=')
            && command
                .get_arguments()
                .any(|arg| arg.get_long() == Some(long) && takes_value(arg));
    }
    let letters: Vec<char> = word.chars().skip(1).collect();
    let with_value = letters.iter().position(|letter| {
        command
            .get_arguments()
            .any(|arg| arg.get_short() == Some(*letter) && takes_value(arg))
    });
    with_value == letters.len().checked_sub(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::Cli;
    use clap::CommandFactory;

    fn parsed(line: &str) -> (Parsed, Option<usize>) {
        let mut top = Cli::command();
        top.build();
        let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
        let parsed = parse(&top, &words);
        let inside = parsed.command_inside(&words);
        (parsed, inside)
    }

    #[test]
    fn options_and_their_values_are_passed_over() {
        let (parsed, _) = parsed("ctr --color never note -m text -q bio K");
        assert_eq!(parsed.command.as_deref(), Some("note"));
        assert_eq!(parsed.places, [7]);
    }

    #[test]
    fn an_alias_is_the_command_that_it_stands_for() {
        assert_eq!(parsed("ctr ls ").0.command.as_deref(), Some("list"));
        assert_eq!(parsed("ctr nosuch x ").0, Parsed::default());
        let (nested, _) = parsed("ctr shim ls bio ");
        assert_eq!(nested.command.as_deref(), Some("shim list"));
        assert_eq!(nested.places, [3]);
    }

    #[test]
    fn the_command_inside_begins_after_the_name() {
        for (line, place) in [
            ("ctr exec ", None),
            ("ctr exec bi", None),
            ("ctr exec -e A=b ", None),
            ("ctr exec bio ", Some(3)),
            ("ctr exec bio --", Some(3)),
            ("ctr exec bio -- ", Some(4)),
            ("ctr exec bio -- sort -k", Some(4)),
            ("ctr -v exec -qe A=b --cwd /x --cleanenv bio sort ", Some(9)),
            ("ctr exec -eA=b bio sort -- ", Some(4)),
            ("ctr exec -- bio sort ", Some(4)),
            ("ctr enter bio ", None),
        ] {
            assert_eq!(parsed(line).1, place, "{line}");
        }
    }
}
