//! The integration that an rc file loads.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use super::quote;
use crate::cli::ShellName;
use crate::context::Context;

/// What the integration does.
#[derive(Debug, Clone)]
pub struct Options<'a> {
    /// This very program: another `ctr` may come first on the `PATH`.
    pub binary: &'a Path,
    /// Name of the shell function.
    pub function: &'a str,
    pub prompt: bool,
    pub completion: bool,
}

/// Stands for the function's name in the snippets.
const FUNCTION: &str = "__ctr_cmd__";
/// Stands for the binary's path, as one word.
const BINARY: &str = "__ctr_binary__";

/// The code for one shell: the files in `shell/`, with names put in.
pub fn integration(shell: ShellName, options: &Options) -> Vec<u8> {
    let (function, prompt) = match shell {
        ShellName::Bash => (
            include_str!("../../shell/init.bash"),
            include_str!("../../shell/prompt.bash"),
        ),
        ShellName::Zsh => (
            include_str!("../../shell/init.zsh"),
            include_str!("../../shell/prompt.zsh"),
        ),
        ShellName::Fish => (
            include_str!("../../shell/init.fish"),
            include_str!("../../shell/prompt.fish"),
        ),
        ShellName::Sh => (
            include_str!("../../shell/init.sh"),
            include_str!("../../shell/prompt.sh"),
        ),
    };
    let mut text = function.to_owned();
    if options.prompt {
        text.push_str(prompt);
    }
    if options.completion {
        text.push_str(completion(shell).unwrap_or_default());
    }
    with_names(shell, &text, options.function, options.binary)
}

/// The file that packagers install so that completion works without the integration; `ctr` is then
/// the one on the `PATH`. `None` for a shell that has none of this kind.
pub fn completion_file(shell: ShellName) -> Option<Vec<u8>> {
    let head = match shell {
        ShellName::Zsh => "#compdef ctr\n",
        _ => "",
    };
    let text = format!("{head}{}", completion(shell)?);
    Some(with_names(shell, &text, "ctr", Path::new("ctr")))
}

fn completion(shell: ShellName) -> Option<&'static str> {
    match shell {
        ShellName::Bash => Some(include_str!("../../shell/completion.bash")),
        ShellName::Zsh => Some(include_str!("../../shell/completion.zsh")),
        ShellName::Fish => Some(include_str!("../../shell/completion.fish")),
        ShellName::Sh => None,
    }
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

/// The line for the rc file of a shell.
pub fn rc_line(shell: ShellName) -> &'static str {
    match shell {
        ShellName::Bash => "eval \"$(ctr init bash)\"",
        ShellName::Zsh => "eval \"$(ctr init zsh)\"",
        ShellName::Fish => "ctr init fish | source",
        ShellName::Sh => "eval \"$(ctr init sh)\"",
    }
}

/// The rc file of a shell.
pub fn rc_file(shell: ShellName, context: &Context) -> PathBuf {
    match shell {
        ShellName::Bash => context.home.join(".bashrc"),
        ShellName::Zsh => context
            .setting("ZDOTDIR")
            .map_or_else(|| context.home.clone(), PathBuf::from)
            .join(".zshrc"),
        ShellName::Fish => context.config_home().join("fish/config.fish"),
        ShellName::Sh => context.home.join(".profile"),
    }
}
