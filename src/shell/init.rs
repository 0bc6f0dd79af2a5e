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
        ShellName::Tcsh => (
            include_str!("../../shell/init.tcsh"),
            include_str!("../../shell/prompt.tcsh"),
        ),
        ShellName::Elvish => (
            include_str!("../../shell/init.elv"),
            include_str!("../../shell/prompt.elv"),
        ),
        ShellName::Xonsh => (
            include_str!("../../shell/init.xsh"),
            include_str!("../../shell/prompt.xsh"),
        ),
        ShellName::Nushell => (
            include_str!("../../shell/init.nu"),
            include_str!("../../shell/prompt.nu"),
        ),
        ShellName::Powershell => (
            include_str!("../../shell/init.ps1"),
            include_str!("../../shell/prompt.ps1"),
        ),
    };
    let mut text = function.to_owned();
    if options.prompt {
        text.push_str(prompt);
    }
    if options.completion {
        text.push_str(completion(shell).unwrap_or_default());
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
    let mut words = format!("__ctr_binary__ init {}", shell.name());
    if options.function != "ctr" {
        words += &format!(" --cmd {}", options.function);
    }
    for (is_there, option) in [
        (options.prompt, " --no-prompt"),
        (options.completion, " --no-completion"),
    ] {
        words += if is_there { "" } else { option };
    }
    match shell {
        ShellName::Bash | ShellName::Zsh | ShellName::Sh => {
            // Linters would call a bare string that never matches a mistake.
            format!("case ${{IFS+'\n'}} in ' ') \\eval \"$({words})\" ;; esac #\n")
        }
        ShellName::Fish => format!("switch '\n'; case ' '; {words} | source; end #\n"),
        _ => String::new(),
    }
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
    let text = format!("{head}{}", completion(shell)?);
    Some(with_names(shell, &text, "ctr", Path::new("ctr")))
}

fn completion(shell: ShellName) -> Option<&'static str> {
    match shell {
        ShellName::Bash => Some(include_str!("../../shell/completion.bash")),
        ShellName::Zsh => Some(include_str!("../../shell/completion.zsh")),
        ShellName::Fish => Some(include_str!("../../shell/completion.fish")),
        _ => None,
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

/// The line for the rc file of a shell, in which `program` is a word of it: it says nothing where there
/// is no such program, as inside an image that has the user's home.
pub fn rc_line(shell: ShellName, program: &str) -> String {
    let words = format!("init {}", shell.name());
    let load = evaluation_by(program, &words, shell);
    match shell {
        ShellName::Bash | ShellName::Zsh | ShellName::Sh => {
            format!("if command -v {program} >/dev/null; then {load}; fi")
        }
        ShellName::Fish => format!("if command -q {program}; {load}; end"),
        ShellName::Tcsh => format!("which {program} >& /dev/null && {load}"),
        ShellName::Elvish => format!("if (has-external {program}) {{ {load} }}"),
        ShellName::Xonsh => {
            let program = program.trim_matches('\'');
            format!("if __import__('shutil').which('{program}', path=':'.join($PATH)): {load}")
        }
        // What it reads must be there before it starts; these folders are read after this file.
        ShellName::Nushell => format!(
            "mkdir ($nu.user-autoload-dirs | last); if (which {program} | is-not-empty) {{ {load} }}"
        ),
        ShellName::Powershell => {
            format!("if (Get-Command {program} -ErrorAction Ignore) {{ {load} }}")
        }
    }
}

/// What the shell evaluates to run `words` of `ctr`, in the way of its rc line.
pub fn evaluation(words: &str, shell: ShellName) -> String {
    evaluation_by("ctr", words, shell)
}

fn evaluation_by(program: &str, words: &str, shell: ShellName) -> String {
    match shell {
        ShellName::Bash | ShellName::Zsh | ShellName::Sh => {
            format!("eval \"$({program} {words})\"")
        }
        ShellName::Fish => format!("{program} {words} | source"),
        ShellName::Tcsh => format!("eval \"`{program} {words}`\""),
        ShellName::Elvish => format!("eval ({program} {words} | slurp)"),
        ShellName::Xonsh => format!("execx($({program} {words}))"),
        ShellName::Nushell => {
            format!(
                "{program} {words} | save -f ($nu.user-autoload-dirs | last | path join ctr.nu)"
            )
        }
        ShellName::Powershell => format!("{program} {words} | Out-String | Invoke-Expression"),
    }
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
