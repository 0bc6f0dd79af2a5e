//! Which Apptainer, and is it new enough?

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::bounds::QUESTION;
use crate::config::Config;
use crate::engine::Binary;
use crate::engine::apptainer::limits;
use crate::engine::local::answers;
use crate::engine::local::output;
use crate::error::{Error, Kind, Result};
use crate::host::cache::Cache;
use crate::host::context::{Context, is_executable};

/// The oldest release that serves: `--no-eval` and `--cwd` on a join, overlays through FUSE.
const OLDEST: (u32, u32) = (1, 3);

const HOW_TO_GET: &str = "see apptainer.org for how to install it without root, \
    or name its binary in CTR_APPTAINER";

/// Where the program is: the configured one, else `apptainer`, else `singularity` on the `PATH`.
///
/// # Errors
/// There is none, or the one that is configured does not answer.
pub fn locate(context: &Context, config: &Config) -> Result<PathBuf> {
    match &config.apptainer.value {
        Some(path) => configured(path, context)?.ok_or_else(|| {
            let from = &config.apptainer.source;
            let message = format!("no Apptainer at {} (from {from})", path.display());
            Error::new(Kind::Engine, message).hint("name the binary itself, or leave it out")
        }),
        None => answers::find_program("apptainer", context)
            .or_else(|| answers::find_program("singularity", context))
            .ok_or_else(|| none_found(context)),
    }
}

/// What tells the program from another, or from itself once it is changed.
///
/// # Errors
/// It cannot be looked at; in words.
pub fn identity(path: &Path) -> std::result::Result<String, String> {
    let file = std::fs::metadata(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let (place, size) = ((file.dev(), file.ino()), file.size());
    let changed = (file.mtime(), file.mtime_nsec());
    Ok(format!("{} {place:?} {size} {changed:?}", path.display()))
}

/// Asks the program who it is.
///
/// # Errors
/// It does not run, or it is too old.
pub fn find(path: PathBuf, cache: &Cache) -> Result<Binary> {
    // `apptainer --version` takes 18 ms, more than all else that a start adds.
    let said = cache.get_or_compute("version", &path, || ask(&path))?;
    let version = number(&said).ok_or_else(|| {
        Error::new(
            Kind::Engine,
            format!(
                "{} is no Apptainer: it calls itself `{said}`",
                path.display()
            ),
        )
        .hint(HOW_TO_GET)
    })?;
    if !said.contains("apptainer") || parts(&version) < OLDEST {
        return Err(Error::new(
            Kind::Engine,
            format!("{} is too old: {said}", path.display()),
        )
        .hint(format!(
            "ctr needs Apptainer {}.{} or newer; {HOW_TO_GET}",
            OLDEST.0, OLDEST.1
        )));
    }
    Ok(Binary { path, version })
}

/// What is said where there is none, with the one that `scripts/apptainer` got when there is one.
fn none_found(context: &Context) -> Error {
    let error = Error::new(Kind::Engine, "no Apptainer on the PATH");
    let ours = context.cache_home().join("ctr/apptainer/usr/bin/apptainer");
    if !is_executable(&ours) {
        return error.hint(HOW_TO_GET);
    }
    let file = context.config_home().join("ctr/config.toml");
    error.hint(format!(
        "scripts/apptainer got one: to use it, write `apptainer = \"{}\"` in {}",
        ours.display(),
        file.display()
    ))
}

fn configured(path: &Path, context: &Context) -> Result<Option<PathBuf>> {
    if path.components().count() == 1 {
        return Ok(answers::find_program(path, context));
    }
    let path = context.cwd.as_deref().unwrap_or(Path::new("/")).join(path);
    answers::check(&path, context)?;
    Ok(is_executable(&path).then_some(path))
}

/// What `--version` prints, as `apptainer version 1.4.5`.
fn ask(path: &Path) -> Result<String> {
    let failed = |why: String| {
        Error::new(
            Kind::Engine,
            format!("{} does not run: {why}", path.display()),
        )
        .hint(HOW_TO_GET)
    };
    let output = output::of(limits::about_itself(path).arg("--version"), QUESTION)
        .map_err(|error| failed(error.to_string()))?;
    if !output.status.success() {
        let words = String::from_utf8_lossy(&output.stderr);
        return Err(failed(words.trim().to_owned()));
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

fn number(said: &str) -> Option<String> {
    said.split_whitespace()
        .find(|word| word.starts_with(|c: char| c.is_ascii_digit()) && word.contains('.'))
        .map(str::to_owned)
}

fn parts(version: &str) -> (u32, u32) {
    let mut numbers = version.split('.').map(|part| part.parse().unwrap_or(0));
    (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_from_what_programs_say() {
        assert_eq!(number("apptainer version 1.4.5").unwrap(), "1.4.5");
        assert_eq!(
            number("singularity-ce version 4.1.0-rc.1").unwrap(),
            "4.1.0-rc.1"
        );
        assert_eq!(number("hello"), None);
        assert!(parts("1.2.9") < OLDEST && parts("1.10.0-2.el9") > OLDEST);
    }
}
