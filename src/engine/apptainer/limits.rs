//! What the administrator and the kernel let Apptainer do.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::bounds::{QUESTION, TEXT};
use crate::engine::DEFAULT_PATH;
use crate::engine::local::output;
use crate::error::{Error, Kind};
use crate::host::context::Context;
use crate::host::{answers, regular_file};

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

/// The configuration file of an Apptainer, and each limit in it, as it is written there.
///
/// # Errors
/// The file cannot be found or read; in words.
pub fn limits(binary: &Path, context: &Context) -> Result<(PathBuf, Vec<String>), String> {
    let (file, text) = configuration(binary, context)?;
    Ok((file, in_text(&text)))
}

/// True when it gives containers a few devices of their own, the terminal's as `/dev/console`.
///
/// # Errors
/// The file cannot be found or read; in words.
pub fn has_minimal_dev(binary: &Path, context: &Context) -> Result<bool, String> {
    let (_, text) = configuration(binary, context)?;
    Ok(settings(&text).any(|setting| setting == ("mount dev", "minimal")))
}

/// How an Apptainer was built, a `NAME=VALUE` a line.
fn build(binary: &Path) -> Result<String, String> {
    let mut command = Command::new(binary);
    let command = command.arg("buildcfg").current_dir("/").env("PWD", "/");
    let output =
        output::of(command, QUESTION).map_err(|error| format!("{}: {error}", binary.display()))?;
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// True for an Apptainer that was built to be installed setuid.
///
/// # Errors
/// It does not run; in words.
pub fn is_setuid(binary: &Path) -> Result<bool, String> {
    let said = build(binary)?;
    Ok(said.lines().any(|line| line == "APPTAINER_SUID_INSTALL=1"))
}

/// Refuses a configuration file that Apptainer would wait for: one that does not answer, or is no file.
///
/// # Errors
/// Names the variable and the file.
pub fn check_named(context: &Context) -> crate::error::Result<()> {
    let Some((variable, file)) = named(context) else {
        return Ok(());
    };
    let of_variable = |error: Error| Error {
        message: format!("{variable}: {}", error.message),
        kind: Kind::Engine,
        ..error
    };
    answers::check(&file, context).map_err(of_variable)?;
    match regular_file::read(&file, TEXT) {
        // Apptainer has words of its own for one that is not there.
        Err(error) if error.kind() == ErrorKind::InvalidInput => {
            let error = Error::io(format!("cannot read {}", file.display()), error);
            Err(of_variable(error).hint("name a configuration file of Apptainer, or unset it"))
        }
        _ => Ok(()),
    }
}

/// The caller's own configuration file of Apptainer, and the variable that names it.
fn named(context: &Context) -> Option<(&'static str, PathBuf)> {
    let names = ["APPTAINER_CONFIG_FILE", "SINGULARITY_CONFIG_FILE"];
    let mut named = names
        .iter()
        .filter_map(|name| Some((*name, context.setting(name)?)));
    let (name, file) = named.next()?;
    let cwd = context.cwd.as_deref().unwrap_or(Path::new("/"));
    Some((name, cwd.join(file)))
}

/// The configuration that is in force: the caller's own, where a variable names one.
fn configuration(binary: &Path, context: &Context) -> Result<(PathBuf, String), String> {
    let file = match named(context) {
        Some((_, file)) => file,
        None => installed(binary)?,
    };
    answers::check(&file, context).map_err(|error| error.message)?;
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
    let program = context.find_program("unshare");
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
    fn only_what_stands_in_the_way_is_named() {
        let text = "# enable overlay = no\nenable overlay = try\nuser bind control = no\n\
                    limit container paths = NULL\nlimit container owners = root\n";
        assert_eq!(
            in_text(text),
            ["user bind control = no", "limit container owners = root"]
        );
    }
}
