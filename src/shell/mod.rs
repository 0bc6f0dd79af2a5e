//! From statements to code for one shell. Pure: the only place that knows how each shell quotes.

mod elvish;
mod fish;
mod init;
mod name;
mod nushell;
mod posix;
mod tcsh;
mod xonsh;

use std::ffi::OsStr;

use crate::env::activation::Statement;
use crate::names::is_variable_name;

pub use init::{Options, command_file, completion_file, integration};
pub use name::ShellName;
pub use tcsh::{arrives, self_removing, source};

/// What differs from shell to shell. A new one is a file here that implements this, its snippets in
/// `shell/`, and a line in [`ShellName::shell`].
trait Shell {
    /// The code for statements whose names are those of variables.
    fn code(&self, statements: &[Statement]) -> Vec<u8>;

    /// A value as one word, every character literal.
    fn quote(&self, value: &OsStr) -> Vec<u8>;

    /// Code that fails when it is evaluated.
    fn fail(&self) -> &'static str {
        "false;\n"
    }

    /// What the integration is made of.
    fn snippets(&self) -> Snippets;

    /// What the shell evaluates to run `words` of `program`, in the way of its rc line.
    fn evaluation(&self, program: &str, words: &str) -> String;

    /// The line for the rc file, which does `load` where there is such a `program`.
    fn rc_line(&self, program: &str, load: &str) -> String;

    /// A line for the beginning of the integration, that is evaluated without quotes to run `load` where all
    /// lines were joined to one; empty for a shell that joins none.
    fn reload_where_joined(&self, _load: &str) -> String {
        String::new()
    }
}

/// The files in `shell/` for one shell.
struct Snippets {
    /// The `ctr` function.
    function: &'static str,
    /// The prompt and its hook.
    prompt: &'static str,
    /// What TAB does; empty where there is nothing.
    completion: &'static str,
}

/// Code that fails when it is evaluated: `eval "$(false)"` alone is a success.
pub fn fail(shell: ShellName) -> &'static str {
    shell.shell().fail()
}

/// What the shell evaluates to run `words` of `ctr`, in the way of its rc line.
pub fn evaluation(words: &str, shell: ShellName) -> String {
    shell.shell().evaluation("ctr", words)
}

/// The line for the rc file of a shell, in which `program` is a word of it: it says nothing where there
/// is no such program, as inside an image that has the user's home.
pub fn rc_line(shell: ShellName, program: &str) -> String {
    let words = format!("init {}", shell.name());
    let shell = shell.shell();
    shell.rc_line(program, &shell.evaluation(program, &words))
}

/// What a shell variable is called that keeps what only this shell knew of another: this, and the
/// other's name.
const KEPT: &str = "__ctr_was_";

/// What the hook of a shell remembers: the folders that [`Statement::Hold`] told of.
const HELD: &str = "__ctr_held";
/// What it remembers of the last prompt: the active folder and `PATH`, with `:` between them.
const SEEN: &str = "__ctr_seen";

/// Code that does what the statements say. Each ends with `;` and a newline, so that it survives
/// `eval $(…)` without quotes.
///
/// A statement whose name is not that of a variable is left out: no shell could do it, and the name
/// would be code. Names come from environments, state files and sidecars.
pub fn code(shell: ShellName, statements: &[Statement]) -> Vec<u8> {
    let is_named = |statement: &&Statement| statement.name().is_none_or(is_variable_name);
    let statements: Vec<Statement> = statements.iter().filter(is_named).cloned().collect();
    shell.shell().code(&statements)
}

/// True for a shell that must be given its code in a file.
pub fn needs_a_file(shell: ShellName) -> bool {
    shell == ShellName::Tcsh
}

/// A value as one word of that shell, every character literal.
pub fn quote(shell: ShellName, value: &OsStr) -> Vec<u8> {
    shell.shell().quote(value)
}

/// One line of code for each statement that comes to any.
fn code_lines(statements: &[Statement], line: impl Fn(&Statement) -> Vec<u8>) -> Vec<u8> {
    let lines = statements.iter().map(line);
    let lines = lines.filter(|line| !line.is_empty());
    lines
        .flat_map(|line| [line, b";\n".to_vec()].concat())
        .collect()
}

/// Shell code without the lines that only people read, and without indentation.
fn without_comments(code: &str) -> String {
    let lines = code.lines().map(|line| format!("{}\n", line.trim_start()));
    without_comment_lines(&lines.collect::<String>())
}

/// Code without the lines that only people read.
fn without_comment_lines(code: &str) -> String {
    let is_code = |line: &&str| {
        let line = line.trim_start();
        !line.is_empty() && !line.starts_with('#')
    };
    let lines = code.lines().filter(is_code);
    lines.map(|line| format!("{line}\n")).collect()
}

#[cfg(test)]
mod tests {
    use clap::ValueEnum;

    use super::*;

    fn written(shell: ShellName, name: &str, value: &str) -> String {
        let export = Statement::Export {
            name: name.into(),
            value: value.into(),
        };
        let unset = Statement::Unset { name: name.into() };
        String::from_utf8(code(shell, &[export, unset])).unwrap()
    }

    #[test]
    fn a_name_that_is_none_is_printed_for_no_shell() {
        for shell in ShellName::value_variants() {
            let nothing = code(*shell, &[]);
            for name in [
                "A;pwn;#",
                "A=$(pwn)",
                "a[$(pwn)]",
                "A\npwn",
                "pwn-A",
                "",
                "1pwn",
                "pwnä",
            ] {
                let name = || name.to_owned();
                let statements = [
                    Statement::Export {
                        name: name(),
                        value: "v".into(),
                    },
                    Statement::Unset { name: name() },
                    Statement::Override {
                        name: name(),
                        value: "v".into(),
                        exported: false,
                    },
                    Statement::Restore {
                        name: name(),
                        old: Some("v".into()),
                    },
                    Statement::Forget { name: name() },
                ];
                assert_eq!(code(*shell, &statements), nothing, "{shell:?} {:?}", name());
            }
        }
    }

    #[test]
    fn each_shell_is_given_what_it_reads() {
        let bash = written(ShellName::Bash, "A", "it's $x");
        let line = "__ctr_set 'A' 'it'\\''s $x';\n__ctr_restore 'A';\n";
        assert!(bash.contains(line), "{bash}");
        let sh = written(ShellName::Sh, "A", "");
        assert!(
            sh.contains("__ctr_set 'A' '' old;\n__ctr_restore 'A';\n"),
            "{sh}"
        );
        assert_eq!(
            written(ShellName::Fish, "A", "it's \\x"),
            "set -gx A 'it\\'s \\\\x';\nset -eg A;\n"
        );
        assert_eq!(
            written(ShellName::Fish, "PATH", "/a:/b c"),
            "set -gx PATH '/a' '/b c';\nset -eg PATH;\n"
        );
        assert_eq!(
            written(ShellName::Tcsh, "A", "it's $x"),
            "\"\"setenv A 'it'\\''s '\\$'x';\n\"\"unsetenv A;\n"
        );
    }
}
