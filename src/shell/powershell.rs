//! PowerShell. Experimental: never tried in the real one.

use std::ffi::OsStr;

use super::code_lines;
use crate::activation::Statement;

/// The code for PowerShell. A variable that is set to nothing is unset there, before version 7.5.
pub fn code(statements: &[Statement]) -> Vec<u8> {
    code_lines(statements, |statement| line(statement).into_bytes())
}

fn line(statement: &Statement) -> String {
    match statement {
        Statement::Export { name, value }
        | Statement::Override { name, value, .. }
        | Statement::Restore {
            name,
            old: Some(value),
        } => format!("${{Env:{name}}} = {}", text(value)),
        Statement::Unset { name } | Statement::Restore { name, old: None } => {
            format!("Remove-Item -LiteralPath Env:{name} -ErrorAction SilentlyContinue")
        }
        Statement::Forget { .. } | Statement::Hold { .. } => String::new(),
    }
}

/// In single quotes, doubled inside; the typographic ones end a string too.
pub fn quote(value: &OsStr) -> Vec<u8> {
    text(value).into_bytes()
}

fn text(value: &OsStr) -> String {
    let mut text = String::from("'");
    for char in value.to_string_lossy().chars() {
        text.push(char);
        if matches!(char, '\'' | '\u{2018}'..='\u{201b}') {
            text.push(char);
        }
    }
    text + "'"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_code_is_what_it_was() {
        let name = || "A".to_owned();
        let statements = [
            Statement::Override {
                name: name(),
                value: "it's ‘$x’ `n\n\"".into(),
                exported: false,
            },
            Statement::Restore {
                name: name(),
                old: None,
            },
            Statement::Forget { name: name() },
        ];
        assert_eq!(
            String::from_utf8(code(&statements)).unwrap(),
            "${Env:A} = 'it''s ‘‘$x’’ `n\n\"';\n\
             Remove-Item -LiteralPath Env:A -ErrorAction SilentlyContinue;\n"
        );
    }
}
