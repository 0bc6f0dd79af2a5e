//! From statements to code for one shell. Pure: the only place that knows how each shell quotes.

mod detect;
mod init;

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use crate::activation::Statement;
use crate::cli::ShellName;

pub use detect::detect;
pub use init::{Options, completion_file, integration, rc_file, rc_line};

/// Code that fails when it is evaluated, in every shell: `eval "$(false)"` alone is a success.
pub const FAIL: &str = "false;\n";

/// What a shell variable is called that keeps what only this shell knew of another: this, and the
/// other's name.
const KEPT: &str = "__ctr_was_";

/// Code that does what the statements say. Each ends with `;` and a newline, so that it survives
/// `eval $(…)` without quotes.
pub fn code(shell: ShellName, statements: &[Statement]) -> Vec<u8> {
    let lines = statements.iter().map(|statement| line(shell, statement));
    let code: Vec<u8> = lines.flatten().collect();
    let touches_others = |statement: &Statement| {
        matches!(
            statement,
            Statement::Override { .. } | Statement::Restore { .. }
        )
    };
    match functions(shell).filter(|_| statements.iter().any(touches_others)) {
        Some((define, remove)) => [without_comments(define).as_bytes(), &code, remove].concat(),
        None => code,
    }
}

/// The functions that the code calls, and what removes them again.
fn functions(shell: ShellName) -> Option<(&'static str, &'static [u8])> {
    match shell {
        ShellName::Bash => Some((
            include_str!("../../shell/env.bash"),
            b"\\builtin unset -f __ctr_set __ctr_restore;\n",
        )),
        ShellName::Zsh => Some((
            include_str!("../../shell/env.zsh"),
            b"\\builtin unset -f __ctr_set __ctr_restore;\n",
        )),
        ShellName::Sh => Some((
            include_str!("../../shell/env.sh"),
            b"\\unset -f __ctr_set __ctr_restore;\n",
        )),
        ShellName::Fish => None,
    }
}

fn without_comments(code: &str) -> String {
    let is_code = |line: &&str| !line.is_empty() && !line.starts_with('#');
    code.lines()
        .map(str::trim_start)
        .filter(is_code)
        .map(|line| format!("{line}\n"))
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
    let line = match shell {
        ShellName::Fish => fish_line(statement),
        _ => posix_line(shell, statement),
    };
    [line.as_slice(), b";\n"].concat()
}

fn posix_line(shell: ShellName, statement: &Statement) -> Vec<u8> {
    // The backslash keeps a user's alias out, `builtin` a function.
    let (export, unset) = match shell {
        ShellName::Sh => ("\\export ", "\\unset -v "),
        _ => ("\\builtin export ", "\\builtin unset -v "),
    };
    let quoted = |value: &OsStr| quote(shell, value);
    match statement {
        Statement::Export { name, value } => {
            [export.as_bytes(), name.as_bytes(), b"=", &quoted(value)].concat()
        }
        Statement::Unset { name } => format!("{unset}{name}").into_bytes(),
        Statement::Forget { name } => format!("{unset}{KEPT}{name}").into_bytes(),
        Statement::Override {
            name,
            value,
            exported,
        } => {
            // Only a shell that cannot tell for itself has to be told.
            let new = match (shell, exported) {
                (ShellName::Sh, false) => " new",
                (ShellName::Sh, true) => " old",
                _ => "",
            };
            let call = format!("__ctr_set {name} ");
            [call.as_bytes(), &quoted(value), new.as_bytes()].concat()
        }
        Statement::Restore { name, old } => {
            let old = old
                .as_ref()
                .map(|old| [b" ", quoted(old).as_slice()].concat());
            let call = format!("__ctr_restore {name}");
            [call.as_bytes(), &old.unwrap_or_default()].concat()
        }
    }
}

fn fish_line(statement: &Statement) -> Vec<u8> {
    let set = |name: &str, value: &OsStr| {
        let value = match name.ends_with("PATH") {
            true => fish_list(value),
            false => quote(ShellName::Fish, value),
        };
        [format!("set -gx {name} ").as_bytes(), &value].concat()
    };
    match statement {
        Statement::Export { name, value } => set(name, value),
        Statement::Unset { name } => format!("set -eg {name}").into_bytes(),
        Statement::Forget { name } => format!("set -eg {KEPT}{name}").into_bytes(),
        Statement::Override { name, value, .. } => {
            let keep = format!(
                "if set -qg {name}; and not set -qgx {name}; set -g {KEPT}{name} ${name}; end; "
            );
            [keep.as_bytes(), &set(name, value)].concat()
        }
        Statement::Restore { name, old } => {
            let back = match old {
                Some(old) => set(name, old),
                None => format!("set -eg {name}").into_bytes(),
            };
            let kept = format!(
                "; if set -qg {KEPT}{name}; set -gu {name} ${KEPT}{name}; set -eg {KEPT}{name}; end"
            );
            [back.as_slice(), kept.as_bytes()].concat()
        }
    }
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
