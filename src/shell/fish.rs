//! Fish.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use super::{HELD, KEPT, SEEN, Shell, Snippets, code_lines};
use crate::env::activation::Statement;

/// Fish.
pub struct Fish;

impl Shell for Fish {
    fn code(&self, statements: &[Statement]) -> Vec<u8> {
        code(statements)
    }

    fn quote(&self, value: &OsStr) -> Vec<u8> {
        quote(value)
    }

    fn snippets(&self) -> Snippets {
        Snippets {
            function: include_str!("../../shell/init.fish"),
            prompt: include_str!("../../shell/prompt.fish"),
            completion: include_str!("../../shell/completion.fish"),
        }
    }

    fn evaluation(&self, program: &str, words: &str) -> String {
        format!("{program} {words} | source")
    }

    fn rc_line(&self, program: &str, load: &str) -> String {
        format!("if command -q {program}; {load}; end")
    }

    fn reload_where_joined(&self, load: &str) -> String {
        format!("switch '\n'; case ' '; {load}; end #\n")
    }
}

/// The code for fish.
fn code(statements: &[Statement]) -> Vec<u8> {
    code_lines(statements, line)
}

/// In single quotes, where `\` and `'` are special.
pub fn quote(value: &OsStr) -> Vec<u8> {
    let escaped = value.as_bytes().iter().flat_map(|byte| match byte {
        b'\\' | b'\'' => vec![b'\\', *byte],
        _ => vec![*byte],
    });
    let escaped: Vec<u8> = escaped.collect();
    [b"'", escaped.as_slice(), b"'"].concat()
}

fn line(statement: &Statement) -> Vec<u8> {
    match statement {
        Statement::Export { name, value } => set(name, value),
        Statement::Unset { name } => format!("set -eg {name}").into_bytes(),
        Statement::Forget { name } => format!("set -eg {KEPT}{name}").into_bytes(),
        Statement::Hold { folder } => hold(folder),
        Statement::Override { name, value, .. } => {
            // Not exported, so that it is not taken for a child's own.
            let keep = format!(
                "set -eg {KEPT}{name}; \
                 if set -qg {name}; and not set -qgx {name}; set -gu {KEPT}{name} ${name}; end; "
            );
            // Some names are read-only, others from one release to the next.
            let else_said = format!(
                " 2>/dev/null; or builtin echo \
                 'ctr: {name} is read-only in this shell, and stays as it is' >&2"
            );
            [keep.as_bytes(), &set(name, value), else_said.as_bytes()].concat()
        }
        Statement::Restore { name, old } => {
            let back = match old {
                Some(old) => set(name, old),
                None => format!("set -eg {name}").into_bytes(),
            };
            let kept = format!(
                "; if set -qgu {KEPT}{name}; set -gu {name} ${KEPT}{name}; end; set -eg {KEPT}{name}"
            );
            [back.as_slice(), kept.as_bytes()].concat()
        }
    }
}

/// Where there is a hook, there is what it remembers.
fn hold(folder: &OsStr) -> Vec<u8> {
    let folder = quote(folder);
    [
        format!("if set -qgu {HELD}; if not builtin contains -- ").as_bytes(),
        &folder,
        format!(" ${HELD}; set -gua {HELD} ").as_bytes(),
        &folder,
        format!("; end; set -gu {SEEN} \"$CTR_PATH_ENTRY:$PATH\"; end").as_bytes(),
    ]
    .concat()
}

fn set(name: &str, value: &OsStr) -> Vec<u8> {
    let value = match name.ends_with("PATH") {
        true => list(value),
        false => quote(value),
    };
    [format!("set -gx {name} ").as_bytes(), &value].concat()
}

/// To fish, a variable whose name ends in `PATH` is a list.
fn list(value: &OsStr) -> Vec<u8> {
    value
        .as_bytes()
        .split(|byte| *byte == b':')
        .map(|member| quote(OsStr::from_bytes(member)))
        .collect::<Vec<_>>()
        .join(&b' ')
}
