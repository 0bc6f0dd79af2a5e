//! Bash, zsh and the plainest sh.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use super::ShellName;
use super::{KEPT, code_lines, without_comments};
use crate::activation::Statement;

/// The code for one of them. Where variables of the instance are set, it defines the functions that
/// do so, and removes them again.
pub fn code(shell: ShellName, statements: &[Statement]) -> Vec<u8> {
    let code = code_lines(statements, |statement| line(shell, statement));
    let touches_others = |statement: &Statement| {
        matches!(
            statement,
            Statement::Override { .. } | Statement::Restore { .. }
        )
    };
    if !statements.iter().any(touches_others) {
        return code;
    }
    let (define, remove) = functions(shell);
    [without_comments(define).as_bytes(), &code, remove].concat()
}

fn functions(shell: ShellName) -> (&'static str, &'static [u8]) {
    match shell {
        ShellName::Bash => (
            include_str!("../../shell/env.bash"),
            b"\\builtin unset -f __ctr_set __ctr_restore;\n",
        ),
        ShellName::Zsh => (
            include_str!("../../shell/env.zsh"),
            b"\\builtin unset -f __ctr_set __ctr_restore;\n",
        ),
        _ => (
            include_str!("../../shell/env.sh"),
            b"\\unset -f __ctr_set __ctr_restore;\n",
        ),
    }
}

/// In single quotes, where only a single quote is special.
pub fn quote(value: &OsStr) -> Vec<u8> {
    let escaped = value.as_bytes().iter().flat_map(|byte| match byte {
        b'\'' => b"'\\''".to_vec(),
        byte => vec![*byte],
    });
    let escaped: Vec<u8> = escaped.collect();
    [b"'", escaped.as_slice(), b"'"].concat()
}

fn line(shell: ShellName, statement: &Statement) -> Vec<u8> {
    // The backslash keeps a user's alias out, `builtin` a function.
    let (export, unset) = match shell {
        ShellName::Sh => ("\\export ", "\\unset -v "),
        _ => ("\\builtin export ", "\\builtin unset -v "),
    };
    match statement {
        Statement::Export { name, value } => {
            [export.as_bytes(), name.as_bytes(), b"=", &quote(value)].concat()
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
            [call.as_bytes(), &quote(value), new.as_bytes()].concat()
        }
        Statement::Restore { name, old } => {
            let old = old
                .as_ref()
                .map(|old| [b" ", quote(old).as_slice()].concat());
            let call = format!("__ctr_restore {name}");
            [call.as_bytes(), &old.unwrap_or_default()].concat()
        }
    }
}
