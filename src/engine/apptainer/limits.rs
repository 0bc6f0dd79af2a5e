//! What the administrator and the kernel let Apptainer do.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::bounds::{QUESTION, TEXT};
use crate::engine::local::output;
use crate::host::context::Context;
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
    let output = output::of(Command::new(binary).arg("buildcfg"), QUESTION)
        .map_err(|error| format!("{}: {error}", binary.display()))?;
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

/// The configuration that is in force: the caller's own, where a variable names one.
fn configuration(binary: &Path, context: &Context) -> Result<(PathBuf, String), String> {
    let named = ["APPTAINER_CONFIG_FILE", "SINGULARITY_CONFIG_FILE"];
    let named = named.iter().find_map(|name| context.setting(name));
    let file = match named {
        Some(named) => PathBuf::from(named),
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
pub fn make_user_namespace() -> Result<(), String> {
    let mut command = Command::new("unshare");
    match output::of(command.args(["--user", "true"]), QUESTION) {
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
