//! Elvish.

use std::ffi::OsStr;
use std::fmt::Write;
use std::os::unix::ffi::OsStrExt;

use super::code_lines;
use crate::activation::Statement;

/// The code for elvish, whose environment is apart from its variables.
pub fn code(statements: &[Statement]) -> Vec<u8> {
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
