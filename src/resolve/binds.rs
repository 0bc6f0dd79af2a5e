//! What is bound into an instance: for `hostos` the host itself, then the working folder,
//! `$SCRATCH`, the overlay folders, the configuration's and the user's own.

use std::path::Path;

use super::{Surroundings, hostos, overlays};
use crate::error::{Error, Kind, Result};
use crate::host::ownership;
use crate::host::regular_file::is_absence;

/// Folders that belong to an image. Binding the host's over them would replace what it brings.
const OF_THE_IMAGE: [&str; 14] = [
    "/bin", "/boot", "/dev", "/etc", "/lib", "/lib32", "/lib64", "/opt", "/proc", "/run", "/sbin",
    "/sys", "/usr", "/var",
];

/// The binds of a start.
#[derive(Debug, Default)]
pub struct Binds {
    /// All, as Apptainer takes them; repeats dropped.
    pub all: Vec<String>,
    /// Those that nobody asked for, but for the host's own folders under `hostos`.
    pub implicit: Vec<String>,
    /// The one among these that only comes from where the start is made.
    pub working_folder: Option<String>,
}

/// An argument that asks for binds, divided by commas.
#[derive(Debug)]
pub struct Asked {
    pub argument: String,
    /// The variable that it is the value of.
    variable: Option<String>,
}

/// What asks for binds: the configuration, Apptainer's own variables, then the flags. The variables are
/// read here, since a restart has others.
pub fn asked(flags: &[String], around: &Surroundings) -> Vec<Asked> {
    let plain = |argument: &String| Asked {
        argument: argument.clone(),
        variable: None,
    };
    let configured = around.config.bind.value.iter().map(plain);
    configured
        .chain(of_variables(around))
        .chain(flags.iter().map(plain))
        .collect()
}

fn of_variables(around: &Surroundings) -> impl Iterator<Item = Asked> {
    let variables = around.engine.callers_binds().into_iter();
    variables.map(|(name, argument)| Asked {
        argument,
        variable: Some(name),
    })
}

/// The binds of these variables alone. Apptainer read them itself at each start of an earlier release.
///
/// # Errors
/// A source does not exist.
pub fn asked_by_variables(around: &Surroundings) -> Result<Vec<String>> {
    resolved(&of_variables(around).collect::<Vec<_>>(), around)
}

/// Collects the binds of a start.
///
/// # Errors
/// A source that was asked for does not exist.
pub fn collect(asked: &[Asked], is_hostos: bool, around: &Surroundings) -> Result<Binds> {
    let host = match is_hostos {
        true => hostos::binds(around)?,
        false => Vec::new(),
    };
    let working_folder = around
        .context
        .cwd
        .as_deref()
        .and_then(|folder| own_folder(folder, "", around));
    let mut implicit = shielded_records(around)?;
    implicit.extend(working_folder.clone());
    implicit.extend(own_folders(around));
    let asked = resolved(asked, around)?;
    let all = without_repeats([host, implicit.clone(), asked.clone()].concat());
    implicit.retain(|bind| all.contains(bind) && !asked.iter().any(|other| same(bind, other)));
    Ok(Binds {
        all,
        implicit: without_repeats(implicit),
        working_folder,
    })
}

/// `$SCRATCH` and the overlay folders.
fn own_folders(around: &Surroundings) -> Vec<String> {
    let scratch = around.context.setting("SCRATCH");
    let scratch = scratch.and_then(|scratch| own_folder(Path::new(scratch), "", around));
    let overlays = overlays::base_folders(around.context, around.config);
    let overlays = overlays.iter().filter_map(|folder| {
        let writable = nix::unistd::access(folder, nix::unistd::AccessFlags::W_OK).is_ok();
        own_folder(folder, if writable { "" } else { ":ro" }, around)
    });
    scratch.into_iter().chain(overlays).collect()
}

fn resolved(asked: &[Asked], around: &Surroundings) -> Result<Vec<String>> {
    let mut binds = Vec::new();
    for asked in asked {
        for bind in split(&asked.argument) {
            let bind = users_bind(&bind, around.context.cwd.as_deref());
            binds.extend(bind.map_err(|error| match &asked.variable {
                Some(name) => error.hint(format!("{name} names it: make it first, or unset that")),
                None => error,
            })?);
        }
    }
    Ok(binds)
}

/// The empty folder, in the user's cache.
const NO_INSTANCES: &str = "no-instances";

/// An empty folder over Apptainer's records: an `apptainer instance list` inside, in another pid
/// namespace, would take the live ones for dead and delete them. Inside, Apptainer looks in the
/// usual folder even where another is configured outside.
pub fn shielded_records(around: &Surroundings) -> Result<Vec<String>> {
    let records = around.engine.records_folder();
    let usual = around.context.home.join(".apptainer/instances");
    let empty = around.cache.folder(NO_INSTANCES);
    if !around.dry_run {
        around.cache.private_folder(NO_INSTANCES)?;
        ownership::check_place(&records, &around.context.home, around.context.uid)?;
        let _umask = ownership::OwnUmask::set();
        std::fs::create_dir_all(&records)
            .map_err(|error| Error::io(format!("cannot make {}", records.display()), error))?;
    }
    let usual = Some(usual).filter(|usual| *usual != records && usual.is_dir());
    let folders = [Some(records), usual].into_iter().flatten();
    let bind = |folder: std::path::PathBuf| format!("{}:{}", empty.display(), folder.display());
    Ok(folders.map(bind).collect())
}

/// A bind of a folder that the user did not ask for: left out where it is missing, belongs to
/// the image, or cannot be written as a bind.
fn own_folder(folder: &Path, mode: &str, around: &Surroundings) -> Option<String> {
    let path = folder.canonicalize().ok().filter(|path| path.is_dir())?;
    let text = path.to_str()?;
    // Apptainer brings the user's home and /tmp itself.
    let of_the_image = path == Path::new("/")
        || path == Path::new("/tmp")
        || OF_THE_IMAGE.iter().any(|top| path.starts_with(top))
        || path == around.context.home;
    if of_the_image || text.contains([',', ':']) {
        (around.verbose)(&format!("{text} is not bound"));
        return None;
    }
    Some(if mode.is_empty() {
        text.to_owned()
    } else {
        format!("{text}:{text}{mode}")
    })
}

/// A bind that was asked for: links resolved; the place inside stays as it was written, and the
/// resolved one is there too.
fn users_bind(bind: &str, cwd: Option<&Path>) -> Result<Vec<String>> {
    let (written, rest) = match bind.split_once(':') {
        Some((written, rest)) => (written, Some(rest)),
        None => (bind, None),
    };
    let absolute = cwd.unwrap_or(Path::new("/")).join(written);
    let resolved = absolute
        .canonicalize()
        .map_err(|error| unseen(written, &error))?;
    let (absolute, resolved) = (absolute.display(), resolved.display().to_string());
    Ok(match rest {
        Some(rest) => vec![format!("{resolved}:{rest}")],
        None if absolute.to_string() == resolved => vec![resolved],
        None => vec![format!("{resolved}:{absolute}"), resolved],
    })
}

/// Several binds may stand in one argument, divided by commas, as Apptainer allows; a part that
/// is an option goes on those of the one before it.
fn split(argument: &str) -> Vec<String> {
    let mut binds: Vec<String> = Vec::new();
    for part in argument.split(',') {
        if part.is_empty() {
            continue;
        }
        let goes_on = is_option(part);
        match binds.last_mut() {
            Some(last) if goes_on && last.matches(':').count() == 2 => {
                last.push(',');
                last.push_str(part);
            }
            _ => binds.push(part.to_owned()),
        }
    }
    binds
}

/// True for an option of a bind (Apptainer 1.4.5: `ro`, `rw`, `image-src=…`, `id=…`).
fn is_option(part: &str) -> bool {
    ["ro", "rw"].contains(&part) || (part.contains('=') && !part.starts_with(['/', '.']))
}

fn without_repeats(binds: Vec<String>) -> Vec<String> {
    let mut seen = Vec::new();
    binds
        .into_iter()
        .filter(|bind| {
            let ends = (source(bind).to_owned(), place(bind).to_owned());
            let fresh = !seen.contains(&ends);
            seen.push(ends);
            fresh
        })
        .collect()
}

/// The sources of the binds in an argument.
pub fn sources(argument: &str) -> Vec<String> {
    let binds = split(argument);
    binds.iter().map(|bind| source(bind).to_owned()).collect()
}

/// The names of the folders at the top inside that binds fill.
pub fn at_the_top(binds: &[String]) -> Vec<String> {
    let places = binds.iter().map(|bind| place(bind));
    places
        .filter_map(|place| place.strip_prefix('/').map(str::to_owned))
        .filter(|name| !name.is_empty() && !name.contains('/'))
        .collect()
}

/// Where a bind comes from.
pub fn source(bind: &str) -> &str {
    bind.split(':').next().unwrap_or_default()
}

/// Where it is inside.
pub fn place(bind: &str) -> &str {
    bind.split(':').nth(1).unwrap_or(source(bind))
}

/// True for the same source in the same place, whatever the options.
fn same(one: &str, other: &str) -> bool {
    source(one) == source(other) && place(one) == place(other)
}

/// What is said of a source that cannot be looked at.
pub fn unseen(path: &str, error: &std::io::Error) -> Error {
    match is_absence(error) {
        true => missing(path),
        false => Error::io(format!("cannot bind {}", path.escape_debug()), error),
    }
}

pub fn missing(path: &str) -> Error {
    Error::new(
        Kind::NotFound,
        format!("cannot bind {}: it does not exist", path.escape_debug()),
    )
    .hint("make it first, or leave out that bind")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_source_in_two_places_is_no_repeat() {
        let binds = ["/a", "/a:/b", "/a:/a", "/c:/d:ro", "/c:/d"].map(str::to_owned);
        assert_eq!(without_repeats(binds.to_vec()), ["/a", "/a:/b", "/c:/d:ro"]);
    }

    #[test]
    fn commas_divide_binds_and_options() {
        assert_eq!(split("/a,/b:/c"), ["/a", "/b:/c"]);
        assert_eq!(
            split("/a:/b:ro,image-src=/x,/c"),
            ["/a:/b:ro,image-src=/x", "/c"]
        );
        assert_eq!(split("a:/b:ro,c:/d:rw,e,"), ["a:/b:ro", "c:/d:rw", "e"]);
    }
}
