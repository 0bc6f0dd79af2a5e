//! Bash, zsh and the plainest sh.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use super::{KEPT, Shell, Snippets, code_lines, without_comments};
use crate::env::activation::Statement;

/// The shells that read much the same code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Posix {
    Bash,
    Zsh,
    /// What all of them read: dash, ash, ksh.
    Sh,
}

impl Shell for Posix {
    fn code(&self, statements: &[Statement]) -> Vec<u8> {
        code(*self, statements)
    }

    fn quote(&self, value: &OsStr) -> Vec<u8> {
        quote(value)
    }

    fn snippets(&self) -> Snippets {
        match self {
            Posix::Bash => Snippets {
                function: include_str!("../../shell/init.bash"),
                prompt: include_str!("../../shell/prompt.bash"),
                completion: include_str!("../../shell/completion.bash"),
            },
            Posix::Zsh => Snippets {
                function: include_str!("../../shell/init.zsh"),
                prompt: include_str!("../../shell/prompt.zsh"),
                completion: include_str!("../../shell/completion.zsh"),
            },
            Posix::Sh => Snippets {
                function: include_str!("../../shell/init.sh"),
                prompt: include_str!("../../shell/prompt.sh"),
                completion: "",
            },
        }
    }

    fn evaluation(&self, program: &str, words: &str) -> String {
        format!("eval \"$({program} {words})\"")
    }

    fn rc_line(&self, program: &str, load: &str) -> String {
        format!("if command -v {program} >/dev/null; then {load}; fi")
    }

    fn reload_where_joined(&self, load: &str) -> String {
        // Linters would call a bare string that never matches a mistake.
        format!("case ${{IFS+'\n'}} in ' ') \\{load} ;; esac #\n")
    }
}

/// The code for one of them. Where variables of the instance are set, it defines the functions that
/// do so, and removes them again.
fn code(shell: Posix, statements: &[Statement]) -> Vec<u8> {
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
    if shell == Posix::Sh && contains(&code, BLANK) {
        first.extend_from_slice(DEFINE_BLANKS);
        last.extend_from_slice(b"\\unset -v __ctr_newline __ctr_tab;\n");
    }
    [first, code, last].concat()
}

/// The code that defines them, and the code that removes them.
fn functions(shell: Posix) -> (Vec<u8>, Vec<u8>) {
    let remove = match shell {
        Posix::Sh => "\\unset -f __ctr_set __ctr_restore;\n",
        _ => "\\builtin unset -f __ctr_set __ctr_restore __ctr_tell;\n",
    };
    let define = without_comments(match shell {
        Posix::Bash => include_str!("../../shell/env.bash"),
        Posix::Zsh => include_str!("../../shell/env.zsh"),
        _ => include_str!("../../shell/env.sh"),
    });
    let define = match shell {
        Posix::Zsh => in_the_manner_of_zsh(define.as_bytes()),
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
fn quote_blanks(shell: Posix, value: &OsStr) -> Vec<u8> {
    let (newline, tab): (&[u8], &[u8]) = match shell {
        Posix::Sh => (b"'\"$__ctr_newline\"'", b"'\"$__ctr_tab\"'"),
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

fn line(shell: Posix, statement: &Statement) -> Vec<u8> {
    // The backslash keeps a user's alias out, `builtin` a function.
    let (export, unset) = match shell {
        Posix::Sh => ("\\export ", "\\unset -v "),
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
        Statement::Hold { .. } if shell == Posix::Sh => Vec::new(),
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
                (Posix::Sh, false) => " new",
                (Posix::Sh, true) => " old",
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
        assert_eq!(quoted(Posix::Bash), format!("' a '' b{tab}c{newline}'"));
        assert_eq!(quoted(Posix::Zsh), quoted(Posix::Bash));
        let (tab, newline) = ("'\"$__ctr_tab\"'", "'\"$__ctr_newline\"'");
        assert_eq!(quoted(Posix::Sh), format!("' a '' b{tab}c{newline}'"));
    }
}
