//! What the administrator and the kernel let Apptainer do.

use std::borrow::Cow;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::bounds::{QUESTION, TEXT};
use crate::engine::DEFAULT_PATH;
use crate::engine::local::answers;
use crate::engine::local::output;
use crate::error::{Error, Kind};
use crate::host::context::{Context, Variables};
use crate::host::regular_file;

/// Switches that stand in `ctr`'s way when they are `no`.
const SWITCHES: [&str; 10] = [
    "allow user ns",
    "allow pid ns",
    "user bind control",
    "enable overlay",
    "enable fusemount",
    "mount home",
    "mount tmp",
    "mount proc",
    "allow container sif",
    "allow container squashfs",
];

/// Lists that let only some images be used, when they are set.
const LISTS: [&str; 3] = [
    "limit container owners",
    "limit container groups",
    "limit container paths",
];

/// The variables that name a configuration file.
const CONFIG_FILE: [&str; 2] = ["APPTAINER_CONFIG_FILE", "SINGULARITY_CONFIG_FILE"];

/// A folder that nobody can make, root neither. It is no file that there is: Apptainer closes its folder to
/// others, and as root it can do that to any file, `/dev/null` too.
const NOWHERE: &str = "/proc/self/ctr";

/// The configuration file of an Apptainer, and each limit in it, as it is written there.
///
/// # Errors
/// The file cannot be found or read; in words.
pub fn limits(binary: &Path, callers: &Variables) -> Result<(PathBuf, Vec<String>), String> {
    let (file, text) = configuration(binary, callers)?;
    Ok((file, in_text(&text)))
}

/// True when it gives containers a few devices of their own, the terminal's as `/dev/console`.
///
/// # Errors
/// The file cannot be found or read; in words.
pub fn has_minimal_dev(binary: &Path, callers: &Variables) -> Result<bool, String> {
    let (_, text) = configuration(binary, callers)?;
    Ok(settings(&text).any(|setting| setting == ("mount dev", "minimal")))
}

/// A call of Apptainer that tells of itself alone: it neither reads a configuration nor leaves a folder in
/// the home, which may be another's.
pub fn about_itself(binary: &Path) -> Command {
    let mut command = Command::new(binary);
    for name in CONFIG_FILE.iter().chain(&["SINGULARITY_CONFIGDIR"]) {
        command.env_remove(name);
    }
    command.env("APPTAINER_CONFIGDIR", NOWHERE);
    // The caller's own folder may not answer.
    command.current_dir("/").env("PWD", "/");
    command
}

/// How an Apptainer was built, a `NAME=VALUE` a line.
fn build(binary: &Path) -> Result<String, String> {
    let output = output::of(about_itself(binary).arg("buildcfg"), QUESTION)
        .map_err(|error| format!("{}: {error}", binary.display()))?;
    match output.status.success() {
        true => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
        false => {
            let words = String::from_utf8_lossy(&output.stderr).trim().to_owned();
            Err(format!("{} buildcfg: {words}", binary.display()))
        }
    }
}

/// True for an Apptainer that was built to be installed setuid.
///
/// # Errors
/// It does not run; in words.
pub fn is_setuid(binary: &Path) -> Result<bool, String> {
    let said = build(binary)?;
    Ok(said.lines().any(|line| line == "APPTAINER_SUID_INSTALL=1"))
}

/// The configuration file that a caller names, as Apptainer understands it: the first of the variables
/// that is there, also an empty one.
pub fn named_file(callers: &Variables) -> Option<PathBuf> {
    let mut named = CONFIG_FILE
        .iter()
        .filter_map(|name| callers.get(OsStr::new(name)));
    named
        .next()
        .filter(|file| !file.is_empty())
        .map(PathBuf::from)
}

/// Has Apptainer read the configuration `file`, or that of its installation when it is empty.
pub fn configure(callers: &mut Cow<Variables>, file: &Path) {
    let named = named_file(callers).unwrap_or_default();
    if named == file {
        return;
    }
    let callers = callers.to_mut();
    for name in CONFIG_FILE {
        callers.remove(OsStr::new(name));
    }
    if !file.as_os_str().is_empty() {
        callers.insert(CONFIG_FILE[0].into(), file.into());
    }
}

/// Refuses a configuration that Apptainer could not read: it would end with a status that may as well be
/// that of a command.
///
/// # Errors
/// Names the file.
pub fn check_named_file(callers: &Variables, context: &Context) -> crate::error::Result<()> {
    named_file(callers).map_or(Ok(()), |file| check_file(&file, context))
}

/// The same of a file that is named otherwise.
///
/// # Errors
/// Names the file.
pub fn check_file(file: &Path, context: &Context) -> crate::error::Result<()> {
    let cwd = context.cwd.as_deref().unwrap_or(Path::new("/"));
    answers::check(&cwd.join(file), context).map_err(|error| Error {
        kind: Kind::Engine,
        ..error
    })?;
    regular_file::open(file).map(drop).map_err(|error| {
        let shown = file.display();
        let message = format!("cannot read {shown}, Apptainer's configuration: {error}");
        Error::new(Kind::Engine, message).hint(format!(
            "{} names it, or did at the start: correct or unset that, or put the file back",
            CONFIG_FILE[0]
        ))
    })
}

/// The configuration that is in force: the caller's own, where a variable names one.
fn configuration(binary: &Path, callers: &Variables) -> Result<(PathBuf, String), String> {
    let file = match named_file(callers) {
        Some(named) => named,
        None => installed(binary)?,
    };
    let text = regular_file::read_to_string(&file, TEXT)
        .map_err(|error| format!("cannot read {}: {error}", file.display()))?;
    Ok((file, text))
}

/// The configuration file of an installation.
fn installed(binary: &Path) -> Result<PathBuf, String> {
    let said = build(binary)?;
    let named = said
        .lines()
        .find_map(|line| line.strip_prefix("APPTAINER_CONF_FILE="))
        .ok_or("Apptainer does not say where its configuration is")?;
    Ok(PathBuf::from(named))
}

/// Tries what Apptainer does first where it is not setuid: makes a user namespace.
///
/// # Errors
/// It cannot be made; in words.
pub fn make_user_namespace(context: &Context) -> Result<(), String> {
    // A folder of `PATH` that does not answer would hold whoever looks for it there.
    let program = answers::find_program("unshare", context);
    let program = program.ok_or("unshare, of util-linux, is not there")?;
    let mut command = Command::new(program);
    let command = command.args(["--user", "true"]).env("PATH", DEFAULT_PATH);
    match output::of(command, QUESTION) {
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) => Err(String::from_utf8_lossy(&output.stderr).trim().to_owned()),
        Err(error) => Err(format!("unshare, of util-linux: {error}")),
    }
}

fn settings(text: &str) -> impl Iterator<Item = (&str, &str)> {
    text.lines()
        .filter(|line| !line.trim_start().starts_with('#'))
        .filter_map(|line| line.split_once('='))
        .map(|(key, value)| (key.trim(), value.trim()))
}

fn in_text(text: &str) -> Vec<String> {
    settings(text)
        .filter(|(key, value)| match SWITCHES.contains(key) {
            true => *value == "no",
            false => LISTS.contains(key) && *value != "NULL" && !value.is_empty(),
        })
        .map(|(key, value)| format!("{key} = {value}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_apptainer_is_told_to_be_its_folder_is_nothing_that_it_could_close_or_make() {
        assert!(!Path::new(NOWHERE).exists());
        assert!(std::fs::create_dir(NOWHERE).is_err());
        let command = about_itself(Path::new("/x"));
        let mut variables = command.get_envs();
        let folder = variables.find(|(name, _)| *name == "APPTAINER_CONFIGDIR");
        assert_eq!(
            folder,
            Some((OsStr::new("APPTAINER_CONFIGDIR"), Some(OsStr::new(NOWHERE))))
        );
    }

    #[test]
    fn only_what_stands_in_the_way_is_named() {
        let text = "# enable overlay = no\nenable overlay = try\nuser bind control = no\n\
                    limit container paths = NULL\nlimit container owners = root\n";
        assert_eq!(
            in_text(text),
            ["user bind control = no", "limit container owners = root"]
        );
    }
}
