//! From statements to code for one shell. Pure: the only place that knows how each shell quotes.

mod detect;
mod init;

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use crate::activation::Statement;
use crate::cli::ShellName;

pub use detect::detect;
pub use init::{Options, integration, rc_file, rc_line};

/// Code that fails when it is evaluated, in every shell: `eval "$(false)"` alone is a success.
pub const FAIL: &str = "false;\n";

/// Code that does what the statements say. Each ends with `;` and a newline, so that it survives
/// `eval $(…)` without quotes.
pub fn code(shell: ShellName, statements: &[Statement]) -> Vec<u8> {
    statements
        .iter()
        .flat_map(|statement| line(shell, statement))
        .collect()
}

/// A value as one word of that shell, every character literal.
pub fn quote(shell: ShellName, value: &OsStr) -> Vec<u8> {
    let escaped: Vec<u8> = value
        .as_bytes()
        .iter()
        .flat_map(|byte| match (shell, byte) {
            (ShellName::Fish, b'\\' | b'\'') => vec![b'\\', *byte],
            (ShellName::Fish, _) => vec![*byte],
            (_, b'\'') => b"'\\''".to_vec(),
            (_, byte) => vec![*byte],
        })
        .collect();
    [b"'", escaped.as_slice(), b"'"].concat()
}

fn line(shell: ShellName, statement: &Statement) -> Vec<u8> {
    let (words, name, value) = match (shell, statement) {
        // The backslash keeps a user's alias out, `builtin` a function.
        (ShellName::Bash | ShellName::Zsh, Statement::Export { name, value }) => {
            ("\\builtin export ", name, Some(value))
        }
        (ShellName::Sh, Statement::Export { name, value }) => ("\\export ", name, Some(value)),
        (ShellName::Fish, Statement::Export { name, value }) => ("set -gx ", name, Some(value)),
        (ShellName::Bash | ShellName::Zsh, Statement::Unset { name }) => {
            ("\\builtin unset -v ", name, None)
        }
        (ShellName::Sh, Statement::Unset { name }) => ("\\unset -v ", name, None),
        (ShellName::Fish, Statement::Unset { name }) => ("set -eg ", name, None),
    };
    let mut line = [words.as_bytes(), name.as_bytes()].concat();
    if let Some(value) = value {
        line.push(if shell == ShellName::Fish { b' ' } else { b'=' });
        line.extend(if shell == ShellName::Fish && name.ends_with("PATH") {
            fish_list(value)
        } else {
            quote(shell, value)
        });
    }
    line.extend(b";\n");
    line
}

/// To fish, a variable whose name ends in `PATH` is a list.
fn fish_list(value: &OsStr) -> Vec<u8> {
    value
        .as_bytes()
        .split(|byte| *byte == b':')
        .map(|member| quote(ShellName::Fish, OsStr::from_bytes(member)))
        .collect::<Vec<_>>()
        .join(&b' ')
}

#[cfg(test)]
mod tests {
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
    fn each_shell_is_given_what_it_reads() {
        assert_eq!(
            written(ShellName::Bash, "A", "it's $x"),
            "\\builtin export A='it'\\''s $x';\n\\builtin unset -v A;\n"
        );
        assert_eq!(
            written(ShellName::Sh, "A", ""),
            "\\export A='';\n\\unset -v A;\n"
        );
        assert_eq!(
            written(ShellName::Fish, "A", "it's \\x"),
            "set -gx A 'it\\'s \\\\x';\nset -eg A;\n"
        );
        assert_eq!(
            written(ShellName::Fish, "PATH", "/a:/b c"),
            "set -gx PATH '/a' '/b c';\nset -eg PATH;\n"
        );
    }
}
