//! Xonsh, whose code is Python, in ASCII throughout.

use std::ffi::OsStr;
use std::fmt::Write;
use std::os::unix::ffi::OsStrExt;

use super::{Shell, Snippets, code_lines, without_comment_lines};
use crate::env::activation::Statement;

/// Xonsh.
pub struct Xonsh;

impl Shell for Xonsh {
    fn code(&self, statements: &[Statement]) -> Vec<u8> {
        code(statements)
    }

    fn quote(&self, value: &OsStr) -> Vec<u8> {
        quote(value)
    }

    fn fail(&self) -> &'static str {
        "raise RuntimeError('ctr env failed');\n"
    }

    fn snippets(&self) -> Snippets {
        Snippets {
            function: include_str!("../../shell/init.xsh"),
            prompt: include_str!("../../shell/prompt.xsh"),
            completion: "",
        }
    }

    fn evaluation(&self, program: &str, words: &str) -> String {
        format!("execx($({program} {words}))")
    }

    /// At a prompt, `$(…)` of xonsh 0.13 loses what is printed on a machine that is busy: it is not used.
    fn rc_line(&self, program: &str, _load: &str) -> String {
        let program = program.trim_matches('\'');
        format!(
            "if (__ctr_path := __import__('shutil').which('{program}', path=':'.join($PATH))): \
             execx(__import__('subprocess').check_output([__ctr_path, 'init', 'xonsh'], text=True))"
        )
    }
}

const REMOVE: &[u8] = b"del __ctr_put, __ctr_set, __ctr_restore;\n";

/// The code for xonsh, which removes its functions again.
fn code(statements: &[Statement]) -> Vec<u8> {
    if statements.is_empty() {
        return Vec::new();
    }
    let define = without_comment_lines(include_str!("../../shell/env.xsh"));
    let code = code_lines(statements, |statement| line(statement).into_bytes());
    [define.as_bytes(), &code, REMOVE].concat()
}

fn line(statement: &Statement) -> String {
    match statement {
        Statement::Export { name, value } => format!("__ctr_put('{name}', {})", literal(value)),
        Statement::Unset { name } => format!("__xonsh__.env.pop('{name}', None)"),
        Statement::Override { name, value, .. } => {
            format!("__ctr_set('{name}', {})", literal(value))
        }
        Statement::Restore {
            name,
            old: Some(old),
        } => format!("__ctr_restore('{name}', {})", literal(old)),
        Statement::Restore { name, old: None } => format!("__ctr_restore('{name}')"),
        Statement::Forget { name } => {
            format!("getattr(__xonsh__, 'ctr_was', {{}}).pop('{name}', None)")
        }
        // Where there is no hook, nobody remembers it.
        Statement::Hold { folder } => {
            format!(
                "getattr(__xonsh__, 'ctr_held', set()).add({})",
                literal(folder)
            )
        }
    }
}

/// A string of Python.
pub fn quote(value: &OsStr) -> Vec<u8> {
    literal(value).into_bytes()
}

fn literal(value: &OsStr) -> String {
    let mut literal = String::from("'");
    for chunk in value.as_bytes().utf8_chunks() {
        for char in chunk.valid().chars() {
            push_char(&mut literal, char);
        }
        // What Python makes of a byte that is not UTF-8, and makes that byte of again.
        for byte in chunk.invalid() {
            let _ = write!(literal, "\\udc{byte:02x}");
        }
    }
    literal + "'"
}

fn push_char(literal: &mut String, char: char) {
    let _ = match char {
        '\'' | '\\' => write!(literal, "\\{char}"),
        ' '..='~' => write!(literal, "{char}"),
        char => write!(literal, "\\U{:08x}", u32::from(char)),
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_literal_is_ascii() {
        let value = OsStr::from_bytes(b"it's\\\n\xc3\xa4\xff");
        assert_eq!(literal(value), r"'it\'s\\\U0000000a\U000000e4\udcff'");
    }
}
