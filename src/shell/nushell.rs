//! Nushell, which evaluates no code: it is given data, as JSON, for `load-env` and `hide-env`.

use std::collections::BTreeMap;
use std::ffi::OsStr;

use serde_json::{Value, json};

use super::{Shell, Snippets};
use crate::env::activation::Statement;

/// Nushell.
pub struct Nushell;

impl Shell for Nushell {
    fn code(&self, statements: &[Statement]) -> Vec<u8> {
        code(statements)
    }

    fn quote(&self, value: &OsStr) -> Vec<u8> {
        quote(value)
    }

    fn snippets(&self) -> Snippets {
        Snippets {
            function: include_str!("../../shell/init.nu"),
            prompt: include_str!("../../shell/prompt.nu"),
            completion: "",
        }
    }

    fn evaluation(&self, program: &str, words: &str) -> String {
        format!("{program} {words} | save -f ($nu.user-autoload-dirs | last | path join ctr.nu)")
    }

    fn rc_line(&self, program: &str, load: &str) -> String {
        // What it reads must be there before it starts; these folders are read after this file.
        format!(
            "mkdir ($nu.user-autoload-dirs | last); if (which {program} | is-not-empty) {{ {load} }}"
        )
    }
}

/// The variables to set and to unset, once all is done. What is not UTF-8 does not come up: nushell
/// cannot start with such a variable, nor make one.
fn code(statements: &[Statement]) -> Vec<u8> {
    let mut after: BTreeMap<&str, Option<&OsStr>> = BTreeMap::new();
    for statement in statements {
        match statement {
            Statement::Export { name, value } | Statement::Override { name, value, .. } => {
                after.insert(name, Some(value));
            }
            Statement::Restore { name, old } => {
                after.insert(name, old.as_deref());
            }
            Statement::Unset { name } => {
                after.insert(name, None);
            }
            Statement::Forget { .. } | Statement::Hold { .. } => {}
        }
    }
    let set: serde_json::Map<String, Value> = after
        .iter()
        .filter_map(|(name, value)| Some(((*name).to_owned(), typed(name, (*value)?))))
        .collect();
    let unset: Vec<&str> = after
        .iter()
        .filter(|(_, value)| value.is_none())
        .map(|(name, _)| *name)
        .collect();
    format!("{}\n", json!({ "set": set, "unset": unset })).into_bytes()
}

/// To nushell, `PATH` is a list.
fn typed(name: &str, value: &OsStr) -> Value {
    let value = value.to_string_lossy();
    match name {
        "PATH" => value.split(':').collect(),
        _ => Value::from(value),
    }
}

/// A string in single quotes, which hold anything but a single quote; else in double quotes, with
/// the escapes of JSON.
pub fn quote(value: &OsStr) -> Vec<u8> {
    let value = value.to_string_lossy();
    match value.contains('\'') {
        true => json!(value).to_string().into_bytes(),
        false => format!("'{value}'").into_bytes(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_word_on_a_variable_counts() {
        let statements = [
            Statement::Unset { name: "A".into() },
            Statement::Export {
                name: "A".into(),
                value: "it's".into(),
            },
            Statement::Unset { name: "B".into() },
            Statement::Export {
                name: "PATH".into(),
                value: "/a:/b".into(),
            },
        ];
        assert_eq!(
            String::from_utf8(code(&statements)).unwrap(),
            "{\"set\":{\"A\":\"it's\",\"PATH\":[\"/a\",\"/b\"]},\"unset\":[\"B\"]}\n"
        );
    }
}
