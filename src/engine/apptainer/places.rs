//! Folders of the caller's environment that Apptainer looks at: for one that does not answer it would wait
//! without an end, and say nothing.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use crate::engine::apptainer::environment;
use crate::engine::local::answers;
use crate::error::{Error, Kind, Result};
use crate::host::context::{Context, Variables};

/// Where Go puts temporary files, and Apptainer with it.
const TEMPORARY: &str = "TMPDIR";

/// How the names of its own variables end that hold a folder or file.
const OWN: [&str; 5] = ["CACHEDIR", "TMPDIR", "CONFIGDIR", "KEYSDIR", "AUTHFILE"];

/// Refuses a place that is named for Apptainer and does not answer. All are asked by one process.
///
/// # Errors
/// Names the variable.
pub fn check(context: &Context) -> Result<()> {
    let cwd = context.cwd.as_deref().unwrap_or(Path::new("/"));
    let settings = environment::settings(&context.variables);
    let names_a_place = |name: &OsStr| {
        let name = name.to_str().and_then(|name| name.split_once('_'));
        name.is_some_and(|(_, own)| OWN.contains(&own))
    };
    let temporary = context.variables.get_key_value(OsStr::new(TEMPORARY));
    let named = settings.iter().filter(|(name, _)| names_a_place(name));
    let (names, places): (Vec<_>, Vec<PathBuf>) = named
        .chain(temporary)
        .filter(|(_, place)| !place.is_empty())
        .map(|(name, place)| (name.to_string_lossy(), cwd.join(place)))
        .unzip();
    let Some(silent) = answers::silent(&places, context).first().copied() else {
        return Ok(());
    };
    let mut both = names.iter().zip(&places);
    let name = both.find_map(|(name, place)| (place == silent).then_some(name));
    let error = answers::no_answer(silent);
    let message = format!("{}: {}", name.map_or("", |name| &**name), error.message);
    Err(Error {
        message,
        kind: Kind::Engine,
        ..error
    })
}

/// `PATH` without the folders that do not answer, where there are some.
pub fn path_that_answers(variables: &Variables, context: &Context) -> Option<OsString> {
    let path = variables.get(OsStr::new("PATH"))?;
    let folders: Vec<PathBuf> = std::env::split_paths(path).collect();
    let silent = answers::all_passed_over(&folders, context);
    if silent.is_empty() {
        return None;
    }
    let left = folders.iter().filter(|folder| !silent.contains(folder));
    std::env::join_paths(left).ok()
}
