//! Elvish.

use std::ffi::OsStr;
use std::fmt::Write;
use std::os::unix::ffi::OsStrExt;

use super::{Shell, Snippets, code_lines};
use crate::env::activation::Statement;

/// Elvish.
pub struct Elvish;

impl Shell for Elvish {
    fn code(&self, statements: &[Statement]) -> Vec<u8> {
        code(statements)
    }

    fn quote(&self, value: &OsStr) -> Vec<u8> {
        quote(value)
    }

    fn snippets(&self) -> Snippets {
        Snippets {
            function: include_str!("../../shell/init.elv"),
            prompt: include_str!("../../shell/prompt.elv"),
            completion: "",
        }
    }

    fn evaluation(&self, program: &str, words: &str) -> String {
        format!("eval ({program} {words} | slurp)")
    }

    fn rc_line(&self, program: &str, load: &str) -> String {
        format!("if (has-external {program}) {{ {load} }}")
    }
}

/// The code for elvish, whose environment is apart from its variables.
fn code(statements: &[Statement]) -> Vec<u8> {
    code_lines(statements, |statement| match statement {
        Statement::Export { name, value }
        | Statement::Override { name, value, .. }
        | Statement::Restore {
            name,
            old: Some(value),
        } => [format!("set-env {name} ").as_bytes(), &quote(value)].concat(),
        Statement::Unset { name } | Statement::Restore { name, old: None } => {
            format!("unset-env {name}").into_bytes()
        }
        // The hook sees by itself what was put on PATH.
        Statement::Forget { .. } | Statement::Hold { .. } => Vec::new(),
    })
}

/// In single quotes, where only a single quote is special. Code must be UTF-8: what is not goes in
/// double quotes, byte for byte.
pub fn quote(value: &OsStr) -> Vec<u8> {
    let quoted = match value.to_str() {
        Some(text) => format!("'{}'", text.replace('\'', "''")),
        None => {
            let mut quoted = String::from("\"");
            for byte in value.as_bytes() {
                let _ = write!(quoted, "\\x{byte:02x}");
            }
            quoted + "\""
        }
    };
    quoted.into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_is_utf_8_whatever_the_value() {
        assert_eq!(quote(OsStr::new("it's\n")), b"'it''s\n'");
        assert_eq!(quote(OsStr::from_bytes(b"a\xff")), b"\"\\x61\\xff\"");
    }
}
