//! The integration that an rc file loads.

use std::ffi::OsStr;
use std::path::Path;

use super::ShellName;
use super::{quote, without_comments};

/// What the integration does.
#[derive(Debug, Clone)]
pub struct Options<'a> {
    /// This very program: another `ctr` may come first on the `PATH`.
    pub binary: &'a Path,
    /// Name of the shell function.
    pub function: &'a str,
    pub prompt: bool,
    pub completion: bool,
    /// What may come first after `ctr`, commands and options; only tcsh has to know.
    pub first_words: &'a [String],
}

/// Stands for the function's name in the snippets.
const FUNCTION: &str = "__ctr_cmd__";
/// Stands for the binary's path, as one word.
const BINARY: &str = "__ctr_binary__";
/// A line with this is there once for each word that may come first.
const FIRST_WORD: &str = "__ctr_word__";

/// The code for one shell: the files in `shell/`, with names put in.
pub fn integration(shell: ShellName, options: &Options) -> Vec<u8> {
    let snippets = shell.shell().snippets();
    let mut text = snippets.function.to_owned();
    if options.prompt {
        text.push_str(snippets.prompt);
    }
    if options.completion {
        text.push_str(snippets.completion);
    }
    let text = match shell {
        // It is evaluated as one line.
        ShellName::Tcsh => without_comments(&for_each_word(&text, options.first_words)),
        _ => text,
    };
    let text = again_where_joined(shell, options) + &text;
    with_names(shell, &text, options.function, options.binary)
}

/// A beginning for code that was meant to be evaluated in quotes. Without them (`eval $(ctr init bash)`) the
/// shell joins all lines to one, which a comment would end: then this asks for the code again.
fn again_where_joined(shell: ShellName, options: &Options) -> String {
    let mut words = format!("init {}", shell.name());
    if options.function != "ctr" {
        words += &format!(" --cmd {}", options.function);
    }
    for (is_there, option) in [
        (options.prompt, " --no-prompt"),
        (options.completion, " --no-completion"),
    ] {
        words += if is_there { "" } else { option };
    }
    let shell = shell.shell();
    shell.reload_where_joined(&shell.evaluation(BINARY, &words))
}

fn for_each_word(text: &str, words: &[String]) -> String {
    text.split_inclusive('\n')
        .flat_map(|line| match line.contains(FIRST_WORD) {
            true => words
                .iter()
                .map(|word| line.replace(FIRST_WORD, word))
                .collect(),
            false => vec![line.to_owned()],
        })
        .collect()
}

/// The file that `ctr use` and `ctr leave` read in tcsh, whose aliases hold one command only.
pub fn command_file(options: &Options) -> Vec<u8> {
    let text = include_str!("../../shell/command.tcsh");
    with_names(ShellName::Tcsh, text, options.function, options.binary)
}

/// The file that packagers install so that completion works without the integration; `ctr` is then
/// the one on the `PATH`. `None` for a shell that has none of this kind.
pub fn completion_file(shell: ShellName) -> Option<Vec<u8>> {
    let head = match shell {
        ShellName::Zsh => "#compdef ctr\n",
        _ => "",
    };
    let completion = shell.shell().snippets().completion;
    let text = format!("{head}{completion}");
    (!completion.is_empty()).then(|| with_names(shell, &text, "ctr", Path::new("ctr")))
}

/// A snippet with the names put in that it leaves open.
fn with_names(shell: ShellName, text: &str, function: &str, binary: &Path) -> Vec<u8> {
    let binary = quote(shell, OsStr::new(binary));
    // In quotes it is one word to the linters of shells; those of fish take the quotes off.
    let text = text
        .replace(&format!("'{BINARY}'"), BINARY)
        .replace(FUNCTION, function);
    let parts: Vec<&[u8]> = text.split(BINARY).map(str::as_bytes).collect();
    parts.join(binary.as_slice())
}

#[cfg(test)]
mod tests {
    use clap::ValueEnum;

    use super::*;

    #[test]
    fn names_are_put_in_for_every_shell() {
        let options = Options {
            binary: Path::new("/opt/it's here/ctr"),
            function: "box",
            prompt: true,
            completion: true,
            first_words: &["list".to_owned()],
        };
        for shell in ShellName::value_variants() {
            let text = String::from_utf8(integration(*shell, &options)).unwrap();
            for placeholder in [FUNCTION, BINARY, FIRST_WORD] {
                let is_left = text.contains(placeholder);
                assert!(!is_left, "{placeholder} in the code for {shell:?}");
            }
            let binary = String::from_utf8(quote(*shell, OsStr::new(options.binary))).unwrap();
            assert!(text.contains(&binary) && text.contains("box"), "{shell:?}");
        }
    }
}
