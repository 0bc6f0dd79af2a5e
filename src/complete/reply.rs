//! Answers, in the words of each shell. Pure but for [`print`].
//!
//! The first line says what the answer is, so that the words of another program of that name are
//! never taken for one: `ctr:words` with a candidate on each of the next lines, `ctr:files` for the
//! shell's own completion of files, `ctr:command N` for that of the command that begins at N.

use std::io::Write;

use clap_complete::CompletionCandidate;

use super::line::{self, Dialect, Word};
use crate::ui::output::{is_unprintable, printable};

/// Longest description, in characters: about a line; a note may be a page.
const LONGEST_HELP: usize = 78;

/// What can be done with the word that is typed.
#[derive(Debug, PartialEq, Eq)]
pub enum Reply {
    Words(Vec<Candidate>),
    /// The shell knows best: a path in which something is yet to be expanded.
    Files,
    /// A command of its own begins there.
    Command(usize),
}

impl Default for Reply {
    fn default() -> Self {
        Reply::Words(Vec::new())
    }
}

/// A word that fits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// The whole word, without quotes.
    pub value: String,
    /// In one line, for those shells that show it.
    pub help: String,
}

impl Candidate {
    /// A candidate as the engine has it; `None` for one that cannot be in a line.
    pub fn new(candidate: &CompletionCandidate) -> Option<Self> {
        let value = candidate.get_value().to_str()?;
        let help = candidate.get_help().map(ToString::to_string);
        let help = help.unwrap_or_default();
        let line = printable(help.lines().next().unwrap_or_default());
        let help = line.chars().take(LONGEST_HELP).collect();
        let value = Some(value).filter(|value| !value.contains(is_unprintable))?;
        Some(Candidate {
            value: value.to_owned(),
            help,
        })
    }

    /// A candidate that is only a word.
    pub fn plain(value: String) -> Option<Self> {
        Candidate::new(&CompletionCandidate::new(value))
    }

    pub fn is_option(&self) -> bool {
        self.value.starts_with('-')
    }

    /// True when a shell might take it for what is typed.
    pub fn is_like(&self, typed: &str) -> bool {
        self.value.to_lowercase().contains(&typed.to_lowercase())
    }
}

impl Reply {
    /// For bash, which puts what it is given in the place of `replaced`, the end of the line that
    /// its own rules say, as it is: so it is quoted here, as the word that is typed is.
    pub fn in_bash(&self, words: &[Word], line: &str, replaced: &str) -> String {
        let typed = words.last().cloned().unwrap_or_default();
        let before = before(&typed, line, replaced);
        self.lines(|candidate| {
            let rest = candidate.value.strip_prefix(&before)?;
            Some(quoted(rest, typed.open))
        })
    }

    /// For zsh's `_describe`.
    pub fn in_zsh(&self) -> String {
        self.lines(|candidate| {
            let value = candidate.value.replace('\\', "\\\\").replace(':', "\\:");
            let help = candidate.help.replace('\\', "\\\\");
            Some(if help.is_empty() {
                value
            } else {
                format!("{value}:{help}")
            })
        })
    }

    pub fn in_fish(&self) -> String {
        self.lines(|candidate| {
            Some(if candidate.help.is_empty() {
                candidate.value.clone()
            } else {
                format!("{}\t{}", candidate.value, candidate.help)
            })
        })
    }

    fn lines(&self, line: impl Fn(&Candidate) -> Option<String>) -> String {
        match self {
            Reply::Words(candidates) => {
                let head = std::iter::once("ctr:words".to_owned());
                let lines: Vec<String> = head.chain(candidates.iter().filter_map(line)).collect();
                format!("{}\n", lines.join("\n"))
            }
            Reply::Files => "ctr:files\n".to_owned(),
            Reply::Command(place) => format!("ctr:command {place}\n"),
        }
    }
}

/// Writes an answer. Nobody is left to hear when it cannot be written.
pub fn print(text: &str) {
    let mut stdout = std::io::stdout().lock();
    let _ = stdout
        .write_all(text.as_bytes())
        .and_then(|()| stdout.flush());
}

/// What stands of the typed word before the part that bash replaces, without quotes: bash breaks
/// words at `=`, `:` and `@`.
fn before(typed: &Word, line: &str, replaced: &str) -> String {
    // `_command_offset` of bash-completion hands such a sign over as a word of its own.
    let is_sign = replaced.chars().all(|c| "=:".contains(c));
    let replaced = if is_sign { "" } else { replaced };
    let Some(kept) = line.strip_suffix(replaced) else {
        return String::new();
    };
    // Of the signs only `@` belongs to what is replaced.
    let kept = kept.strip_suffix('@').unwrap_or(kept);
    let kept: String = kept.chars().skip(typed.start).collect();
    line::words(&kept, Dialect::Bash)
        .pop()
        .unwrap_or_default()
        .text
}

/// Text as bash reads it after what stands before: in the quote that is open, or with backslashes.
fn quoted(text: &str, open: Option<char>) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "_-./:=@%+,^".contains(c) || !c.is_ascii();
    text.chars()
        .map(|c| match open {
            Some('\'') if c == '\'' => "'\\''".to_owned(),
            Some('"') if "\\\"$`".contains(c) => format!("\\{c}"),
            None if !is_plain(c) => format!("\\{c}"),
            _ => c.to_string(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(values: &[&str]) -> Reply {
        let candidates = values.iter().map(|value| Candidate::plain((*value).into()));
        Reply::Words(candidates.map(Option::unwrap).collect())
    }

    fn in_bash(line: &str, replaced: &str, value: &str) -> String {
        let typed = line::words(line, Dialect::Bash);
        let text = words(&[value]).in_bash(&typed, line, replaced);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!((lines[0], lines.len()), ("ctr:words", 2), "{lines:?}");
        lines[1].to_owned()
    }

    #[test]
    fn bash_is_given_what_stands_after_its_own_break() {
        for (line, replaced, expected) in [
            ("ctr start -o samtools=1.", "1.", "1.22"),
            ("ctr start -o samtools=", "", "1.22"),
            ("ctr start -o samtools=", "=", "1.22"),
            ("ctr start -o samtools=1.", "samtools=1.", "samtools=1.22"),
            ("ctr start -o \"samtools=1.", "samtools=1.", "samtools=1.22"),
            ("ctr start -o 'samtools'=1.", "1.", "1.22"),
        ] {
            let given = in_bash(line, replaced, "samtools=1.22");
            assert_eq!(given, expected, "{line} {replaced}");
        }
        assert_eq!(in_bash("x -o a@", "@", "a@1"), "@1");
        assert_eq!(in_bash("x -o a@1", "1", "a@1.2"), "@1.2");
        assert_eq!(in_bash("x --o=a", "a", "--o=abc"), "abc");
    }

    #[test]
    fn bash_is_given_quoted_words() {
        for (line, replaced, expected) in [
            ("x my\\ f", "my\\ f", "my\\ file\\ \\(1\\)\\ \\$x.img"),
            ("x \"my f", "my f", "my file (1) \\$x.img"),
            ("x 'my f", "my f", "my file (1) $x.img"),
        ] {
            assert_eq!(in_bash(line, replaced, "my file (1) $x.img"), expected);
        }
        assert_eq!(quoted("it's", Some('\'')), "it'\\''s");
    }

    #[test]
    fn descriptions_are_one_line_and_signs_are_kept() {
        let candidate = CompletionCandidate::new("x:y").help(Some("one: \x1b[1m\ntwo".into()));
        let reply = Reply::Words(vec![Candidate::new(&candidate).unwrap()]);
        assert_eq!(reply.in_zsh().lines().nth(1), Some("x\\:y:one: "));
        assert_eq!(reply.in_fish().lines().nth(1), Some("x:y\tone: "));
        for value in ["a\nb", "a\u{1b}b", "a\u{202e}b"] {
            assert_eq!(Candidate::plain(value.into()), None);
        }
    }

    #[test]
    fn other_answers_are_one_line() {
        assert_eq!(Reply::Command(4).in_zsh(), "ctr:command 4\n");
        assert_eq!(Reply::Files.in_fish(), "ctr:files\n");
        assert_eq!(Reply::default().in_bash(&[], "", ""), "ctr:words\n");
    }
}
