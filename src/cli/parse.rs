//! Reads a command line. Those of the commands that run thousands of times are read without the
//! definitions of all the others, which would take a third of the time.

use std::ffi::OsString;

use clap::{Args, Parser};

use crate::cli::{Cli, Command, Global};

/// Reads a command line, the program's name first.
///
/// # Errors
/// It is wrong, or asks for help or the version; clap's words say which.
pub fn parse(words: &[OsString]) -> Result<Cli, clap::Error> {
    let rest = words.get(1..).unwrap_or_default();
    let one = match rest.first().and_then(|word| word.to_str()) {
        Some("exec") => One::read(rest, Command::Exec),
        Some("env") => One::read(rest, Command::Env),
        Some("list" | "ls") => One::read(rest, Command::List),
        Some("prompt") => One::read(rest, Command::Prompt),
        _ => None,
    };
    // What is not plain is for the whole to answer: an error, help, options before the command.
    one.map_or_else(|| Cli::try_parse_from(words), Ok)
}

/// The line of one command, its name first.
#[derive(Debug, Parser)]
struct One<A: Args> {
    #[command(flatten)]
    global: Global,
    #[command(flatten)]
    args: A,
}

impl<A: Args> One<A> {
    fn read(words: &[OsString], command: impl FnOnce(A) -> Command) -> Option<Cli> {
        let one = Self::try_parse_from(words).ok()?;
        Some(Cli {
            global: one.global,
            command: command(one.args),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lines of the commands that are read by themselves, and some that are not plain.
    const LINES: [&str; 24] = [
        "exec bio true",
        "exec -v bio true -v --json",
        "exec -qe A=1 --env B=x,y --cwd /x --join direct bio -- -x",
        "exec --cleanenv --color never --keep-env bio sh -c x",
        "exec bio",
        "exec",
        "exec --nosuch bio true",
        "exec --bind /x bio true",
        "exec -e A bio true",
        "exec -qv bio true",
        "exec --help",
        "exec --version",
        "exec bio --help",
        "env bio",
        "env --unset",
        "env --unset bio",
        "env --shell zsh --if-running .",
        "env --json bio -q",
        "list",
        "ls --json b*",
        "list --json --names",
        "prompt --format x",
        "-q exec bio true",
        "--color never env bio",
    ];

    #[test]
    fn a_line_means_the_same_whether_it_is_read_alone_or_by_the_whole() {
        for line in LINES {
            let words: Vec<OsString> = ["ctr"]
                .into_iter()
                .chain(line.split(' '))
                .map(OsString::from)
                .collect();
            let show = |read: Result<Cli, clap::Error>| match read {
                Ok(cli) => format!("{cli:?}"),
                Err(error) => format!("{:?} {error}", error.kind()),
            };
            let (alone, whole) = (show(parse(&words)), show(Cli::try_parse_from(&words)));
            assert_eq!(alone, whole, "{line}");
        }
    }
}
