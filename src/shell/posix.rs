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
        quote(*self, value)
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
        // A newline that is kept joins the two letters, and in no quotes offends zsh. Linters would
        // call a bare string that never matches a mistake.
        format!("case ${{IFS+x}}\\\ny in 'x y') \\{load} ;; esac #\n")
    }
}

/// The code for one of them: it defines the functions that set and unset variables, and removes them again.
fn code(shell: Posix, statements: &[Statement]) -> Vec<u8> {
    let code = code_lines(statements, |statement| line(shell, statement));
    let (mut first, mut last) = match code.is_empty() {
        true => (Vec::new(), Vec::new()),
        false => functions(shell),
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
        Posix::Bash => "\\builtin unset -f __ctr_set __ctr_restore __ctr_tell __ctr_unset;\n",
        Posix::Zsh => "\\builtin unset -f __ctr_set __ctr_restore __ctr_tell;\n",
        Posix::Sh => "\\unset -f __ctr_set __ctr_restore __ctr_can;\n",
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
    let code = quote_blanks(Posix::Zsh, OsStr::from_bytes(code));
    [
        b"\\builtin emulate zsh -o no_aliases -c ",
        code.as_slice(),
        b";\n",
    ]
    .concat()
}

/// In single quotes, where only a single quote is special; and where zsh does as csh does
/// (`cshjunkiequotes`) a newline, so that it has a name.
fn quote(shell: Posix, value: &OsStr) -> Vec<u8> {
    let escaped = value.as_bytes().iter().flat_map(|byte| match byte {
        b'\'' => b"'\\''".to_vec(),
        b'\n' if shell != Posix::Sh => b"'$'\\n''".to_vec(),
        byte => vec![*byte],
    });
    let escaped: Vec<u8> = escaped.collect();
    [b"'", escaped.as_slice(), b"'"].concat()
}

/// How the variables begin that stand for a newline and a tab in the plainest sh.
const BLANK: &[u8] = b"\"$__ctr_";
const DEFINE_BLANKS: &[u8] = b"__ctr_newline=\"$(\\unset -f printf 2>/dev/null; \
    \\printf '\\nx')\"; __ctr_newline=\"${__ctr_newline%x}\"; \
    __ctr_tab=\"$(\\unset -f printf 2>/dev/null; \\printf '\\t')\";\n";

/// As [`quote`] does, and so that no blank is lost where the code is split into words, as it is by
/// `eval $(…)` without quotes: each is a single space between words, or has a name. Two single quotes
/// side by side would be one to zsh's `rcquotes`.
fn quote_blanks(shell: Posix, value: &OsStr) -> Vec<u8> {
    let tab: &[u8] = match shell {
        Posix::Sh => b"'\"$__ctr_tab\"'",
        _ => b"'$'\\t''",
    };
    let mut words = Vec::new();
    for byte in quote(shell, value) {
        match byte {
            b'\n' => words.extend_from_slice(b"'\"$__ctr_newline\"'"),
            b'\t' => words.extend_from_slice(tab),
            b' ' if words.ends_with(b" ") => words.extend_from_slice(b"'\"\"' "),
            byte => words.push(byte),
        }
    }
    words
}

fn contains(code: &[u8], part: &[u8]) -> bool {
    code.windows(part.len()).any(|window| window == part)
}

fn line(shell: Posix, statement: &Statement) -> Vec<u8> {
    // A name is in quotes, since zsh has aliases that stand for any word.
    // Only a shell that cannot tell for itself has to be told what the environment has.
    let is_exported = |exported: bool| match (shell, exported) {
        (Posix::Sh, false) => " new",
        (Posix::Sh, true) => " old",
        _ => "",
    };
    let call = |what: &str, value: Option<&OsStr>, rest: &str| {
        let value = value.map(|value| [b" ", quote_blanks(shell, value).as_slice()].concat());
        [what.as_bytes(), &value.unwrap_or_default(), rest.as_bytes()].concat()
    };
    match statement {
        Statement::Export { name, value } => {
            let end = is_exported(true);
            call(&format!("__ctr_set '{name}'"), Some(value), end)
        }
        Statement::Override {
            name,
            value,
            exported,
        } => {
            let end = is_exported(*exported);
            call(&format!("__ctr_set '{name}'"), Some(value), end)
        }
        Statement::Unset { name } => call(&format!("__ctr_restore '{name}'"), None, ""),
        Statement::Restore { name, old } => {
            call(&format!("__ctr_restore '{name}'"), old.as_deref(), "")
        }
        // The backslash keeps a user's alias out, `builtin` a function.
        Statement::Forget { name } => match shell {
            Posix::Sh => format!("\\unset -v {KEPT}{name}").into_bytes(),
            _ => format!("\\builtin unset -v {KEPT}{name}").into_bytes(),
        },
        // It has no hook.
        Statement::Hold { .. } if shell == Posix::Sh => Vec::new(),
        Statement::Hold { folder } => call("__ctr_tell", Some(folder), ""),
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
        assert_eq!(quoted(Posix::Bash), format!("' a '\"\"' b{tab}c{newline}'"));
        assert_eq!(quoted(Posix::Zsh), quoted(Posix::Bash));
        let (tab, newline) = ("'\"$__ctr_tab\"'", "'\"$__ctr_newline\"'");
        assert_eq!(quoted(Posix::Sh), format!("' a '\"\"' b{tab}c{newline}'"));
    }
}
