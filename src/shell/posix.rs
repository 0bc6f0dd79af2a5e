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
            Statement::Override { .. } | Statement::Restore { .. } | Statement::Hold { .. }
        )
    };
    let (mut first, mut last) = match statements.iter().any(touches_others) {
        true => functions(shell),
        false => (Vec::new(), Vec::new()),
    };
    if shell == ShellName::Sh && contains(&code, BLANK) {
        first.extend_from_slice(DEFINE_BLANKS);
        last.extend_from_slice(b"\\unset -v __ctr_newline __ctr_tab;\n");
    }
    [first, code, last].concat()
}

/// The code that defines them, and the code that removes them.
fn functions(shell: ShellName) -> (Vec<u8>, Vec<u8>) {
    let remove = match shell {
        ShellName::Sh => "\\unset -f __ctr_set __ctr_restore;\n",
        _ => "\\builtin unset -f __ctr_set __ctr_restore __ctr_tell;\n",
    };
    let define = without_comments(match shell {
        ShellName::Bash => include_str!("../../shell/env.bash"),
        ShellName::Zsh => include_str!("../../shell/env.zsh"),
        _ => include_str!("../../shell/env.sh"),
    });
    let define = match shell {
        ShellName::Zsh => in_the_manner_of_zsh(define.as_bytes()),
        _ => define.into_bytes(),
    };
    (define, remove.as_bytes().to_vec())
}

/// Code of zsh for a shell that may be emulating another, which would not read it.
pub fn in_the_manner_of_zsh(code: &[u8]) -> Vec<u8> {
    let code = quote(OsStr::from_bytes(code));
    [b"\\builtin emulate zsh -c ", code.as_slice(), b";\n"].concat()
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

/// How the variables begin that stand for a newline and a tab in the plainest sh.
const BLANK: &[u8] = b"\"$__ctr_";
const DEFINE_BLANKS: &[u8] = b"__ctr_newline=\"$(\\printf '\\nx')\"; \
    __ctr_newline=\"${__ctr_newline%x}\"; __ctr_tab=\"$(\\printf '\\t')\";\n";

/// As [`quote`] does, and so that no blank is lost where the code is split into words, as it is by
/// `eval $(…)` without quotes: each is a single space between words, or has a name.
fn quote_blanks(shell: ShellName, value: &OsStr) -> Vec<u8> {
    let (newline, tab): (&[u8], &[u8]) = match shell {
        ShellName::Sh => (b"'\"$__ctr_newline\"'", b"'\"$__ctr_tab\"'"),
        _ => (b"'$'\\n''", b"'$'\\t''"),
    };
    let mut words = Vec::new();
    for byte in quote(value) {
        match byte {
            b'\n' => words.extend_from_slice(newline),
            b'\t' => words.extend_from_slice(tab),
            b' ' if words.ends_with(b" ") => words.extend_from_slice(b"'' "),
            byte => words.push(byte),
        }
    }
    words
}

fn contains(code: &[u8], part: &[u8]) -> bool {
    code.windows(part.len()).any(|window| window == part)
}

fn line(shell: ShellName, statement: &Statement) -> Vec<u8> {
    // The backslash keeps a user's alias out, `builtin` a function.
    let (export, unset) = match shell {
        ShellName::Sh => ("\\export ", "\\unset -v "),
        _ => ("\\builtin export ", "\\builtin unset -v "),
    };
    match statement {
        Statement::Export { name, value } => [
            export.as_bytes(),
            name.as_bytes(),
            b"=",
            &quote_blanks(shell, value),
        ]
        .concat(),
        Statement::Unset { name } => format!("{unset}{name}").into_bytes(),
        Statement::Forget { name } => format!("{unset}{KEPT}{name}").into_bytes(),
        // It has no hook.
        Statement::Hold { .. } if shell == ShellName::Sh => Vec::new(),
        Statement::Hold { folder } => {
            [b"__ctr_tell ", quote_blanks(shell, folder).as_slice()].concat()
        }
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
            [call.as_bytes(), &quote_blanks(shell, value), new.as_bytes()].concat()
        }
        Statement::Restore { name, old } => {
            let old = old
                .as_ref()
                .map(|old| [b" ", quote_blanks(shell, old).as_slice()].concat());
            let call = format!("__ctr_restore {name}");
            [call.as_bytes(), &old.unwrap_or_default()].concat()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_blank_is_lost_between_words() {
        let value = OsStr::new(" a  b\tc\n");
        let quoted = |shell| String::from_utf8(quote_blanks(shell, value)).unwrap();
        let (tab, newline) = (r"'$'\t''", r"'$'\n''");
        assert_eq!(quoted(ShellName::Bash), format!("' a '' b{tab}c{newline}'"));
        assert_eq!(quoted(ShellName::Zsh), quoted(ShellName::Bash));
        let (tab, newline) = ("'\"$__ctr_tab\"'", "'\"$__ctr_newline\"'");
        assert_eq!(quoted(ShellName::Sh), format!("' a '' b{tab}c{newline}'"));
    }
}
