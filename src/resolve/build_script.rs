//! Variables that the reference writes into an overlay: the comments `#ENV:KEY=VALUE` of the script
//! that made it, and the notes on them.

use std::path::Path;

use super::squashfs::Script;
use crate::env::rules::{check_carried, is_executed_inside};
use crate::names::{Assignment, is_variable_name};
use crate::plan::Sidecar;

/// The script's name, in the folder of what it made.
pub const NAME: &str = ".cnt-build-script";

const VARIABLE: &str = "#ENV:";
const NOTE: &str = "#ENVNOTE:";

/// Stands in a value for the folder of what was made. All else is literal.
const FOLDER: &str = "$app_root";

/// The lines of a script that are read here.
pub fn that_matters(script: &[u8]) -> String {
    let text = String::from_utf8_lossy(script);
    let lines = text.lines().map(str::trim);
    // A note without a name belongs to the line right before it.
    let mut kept = String::new();
    for line in lines.filter(|line| line.starts_with(VARIABLE) || line.starts_with(NOTE)) {
        kept.push_str(line);
        kept.push('\n');
    }
    kept
}

/// What a script in `overlay` says, in the form of a sidecar. A line that cannot be used is left out
/// with a message: nobody can change it.
pub fn parse(overlay: &Path, script: &Script, distrust: Option<String>) -> Sidecar {
    let path = format!("{}:{}/{NAME}", overlay.display(), script.folder);
    let mut sidecar = Sidecar {
        path: path.into(),
        distrust,
        ..Sidecar::default()
    };
    let leave_out = |sidecar: &mut Sidecar, what: String| {
        let place = sidecar.path.display().to_string();
        sidecar.ignored.push(format!("{place}: {what}"));
    };
    if let Some(fault) = &script.fault {
        leave_out(&mut sidecar, format!("it is left out: {fault}"));
    }
    let mut before: Option<String> = None;
    for line in script.text.lines() {
        let shown = line.escape_debug();
        let read = match line.strip_prefix(VARIABLE) {
            Some(text) => variable(text.trim(), &script.folder).map(|variable| {
                before = Some(variable.key.clone());
                sidecar.variables.push(variable);
            }),
            None => {
                let text = line.strip_prefix(NOTE).unwrap_or_default().trim();
                let note = note(text, before.take(), &sidecar.variables);
                note.map(|note| sidecar.notes.push(note))
            }
        };
        if let Err(why) = read {
            leave_out(&mut sidecar, format!("`{shown}` is left out: {why}"));
        }
    }
    sidecar
}

fn variable(text: &str, folder: &str) -> Result<Assignment, String> {
    let mut variable: Assignment = text.parse()?;
    variable.key = variable.key.trim().to_owned();
    variable.value = variable.value.trim().replace(FOLDER, folder);
    if variable.value.contains(char::REPLACEMENT_CHARACTER) {
        return Err("it is not UTF-8".into());
    }
    if is_executed_inside(&variable.key) {
        return Err("a shell inside would execute it".into());
    }
    check_carried(&variable.key, &variable.value).map_err(|error| error.message)?;
    Ok(variable)
}

/// `KEY=note`, or a note on the variable of the line before.
fn note(text: &str, before: Option<String>, known: &[Assignment]) -> Result<Assignment, String> {
    let named = text
        .split_once('=')
        .map(|(key, note)| (key.trim(), note.trim()))
        .filter(|(key, _)| is_variable_name(key));
    let is_known = |key: &str| known.iter().any(|variable| variable.key == key);
    let (key, value) = match (named, before) {
        (Some((key, note)), None) => (key.to_owned(), note),
        (Some((key, note)), Some(_)) if is_known(key) => (key.to_owned(), note),
        (_, Some(before)) => (before, text),
        (None, None) => return Err("it names no variable".into()),
    };
    Ok(Assignment {
        key,
        value: value.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(script: &str) -> Sidecar {
        let script = Script {
            folder: "/cnt/demo/1.0".into(),
            text: that_matters(script.as_bytes()),
            fault: None,
        };
        parse(Path::new("/o/demo.sqf"), &script, None)
    }

    fn shown(assignments: &[Assignment]) -> Vec<String> {
        assignments.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn variables_are_literal_but_for_the_folder() {
        let sidecar = parsed(
            "#!/bin/bash\n#WHATIS: demo\n#ENV:HOME_OF=$app_root/share:$app_root\n  #ENV:B=$(id) `x` $HOME\n\
             export C=1\n# ENV:D=1\n",
        );
        let expected = [
            "HOME_OF=/cnt/demo/1.0/share:/cnt/demo/1.0",
            "B=$(id) `x` $HOME",
        ];
        assert_eq!(shown(&sidecar.variables), expected);
        assert!(sidecar.ignored.is_empty(), "{:?}", sidecar.ignored);
    }

    #[test]
    fn notes_name_their_variable_or_follow_it() {
        let sidecar = parsed(
            "#ENV:A=1\n#ENVNOTE:a first = one\n#ENV:B=2\n#ENVNOTE:B=the second\n#ENVNOTE:C=a third\n\
             #ENV:D=4\n#ENVNOTE:X=1 is meant\n",
        );
        let expected = [
            "A=a first = one",
            "B=the second",
            "C=a third",
            "D=X=1 is meant",
        ];
        assert_eq!(shown(&sidecar.notes), expected);
    }

    #[test]
    fn what_cannot_be_used_is_left_out_and_named() {
        let sidecar = parsed("#ENV:PS1=x\n#ENV:HOME=/x\n#ENV:nonsense\n#ENVNOTE:lost\n#ENV:A=1\n");
        assert_eq!(shown(&sidecar.variables), ["A=1"]);
        assert_eq!(sidecar.ignored.len(), 4, "{:?}", sidecar.ignored);
        let is_named = |what: &String| what.starts_with("/o/demo.sqf:/cnt/demo/1.0/");
        assert!(
            sidecar.ignored.iter().all(is_named),
            "{:?}",
            sidecar.ignored
        );
    }
}
