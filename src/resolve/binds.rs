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

/// Every bind of a start, as Apptainer takes them; repeats dropped.
///
/// # Errors
/// A source that the configuration or the user names does not exist.
pub fn collect(
    given: &[String],
    is_hostos: bool,
    working_folder: Option<&String>,
    around: &Surroundings,
) -> Result<Vec<String>> {
    let context = around.context;
    let mut binds = if is_hostos {
        hostos::binds(around)?
    } else {
        Vec::new()
    };
    binds.extend(shielded_records(around)?);
    binds.extend(working_folder.cloned());
    if let Some(scratch) = context.setting("SCRATCH") {
        binds.extend(own_folder(Path::new(scratch), "", around));
    }
    for folder in overlays::base_folders(context, around.config) {
        let writable = nix::unistd::access(&folder, nix::unistd::AccessFlags::W_OK).is_ok();
        binds.extend(own_folder(
            &folder,
            if writable { "" } else { ":ro" },
            around,
        ));
    }
    for argument in around.config.bind.value.iter().chain(given) {
        for bind in split(argument) {
            binds.extend(users_bind(&bind, context.cwd.as_deref())?);
        }
    }
    Ok(without_repeats(binds))
}

/// The bind of the folder in which the start is made.
pub fn working_folder(around: &Surroundings) -> Option<String> {
    own_folder(around.context.cwd.as_deref()?, "", around)
}

/// Checks the binds of a saved setup. Under `hostos`, a folder of the host that has gone is left
/// out, as at the first start.
///
/// # Errors
/// Another source that does not exist any more.
pub fn check_again(binds: &mut Vec<String>, is_hostos: bool, around: &Surroundings) -> Result<()> {
    shielded_records(around)?;
    let gone: Vec<String> = binds
        .iter()
        .filter(|bind| !Path::new(source(bind)).exists())
        .cloned()
        .collect();
    for bind in gone {
        let path = source(&bind);
        let of_the_host =
            path.matches('/').count() == 1 && bind.starts_with(&format!("{path}:{path}"));
        if !(is_hostos && of_the_host) {
            let looked_at = Path::new(path).metadata();
            return Err(looked_at.map_or_else(|error| unseen(path, &error), |_| missing(path)));
        }
        (around.verbose)(&format!("{path} is left out: it is gone"));
        binds.retain(|known| *known != bind);
    }
    Ok(())
}

/// The empty folder, in the user's cache.
const NO_INSTANCES: &str = "no-instances";

/// An empty folder over Apptainer's records: an `apptainer instance list` inside, in another pid
/// namespace, would take the live ones for dead and delete them. Inside, Apptainer looks in the
/// usual folder even where another is configured outside.
fn shielded_records(around: &Surroundings) -> Result<Vec<String>> {
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
/// is no path goes on the options of the one before it.
fn split(argument: &str) -> Vec<String> {
    let mut binds: Vec<String> = Vec::new();
    for part in argument.split(',') {
        let goes_on = !part.starts_with(['/', '.']);
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

fn without_repeats(binds: Vec<String>) -> Vec<String> {
    let mut seen = Vec::new();
    binds
        .into_iter()
        .filter(|bind| {
            let mut parts = bind.split(':');
            let from = parts.next().unwrap_or_default().to_owned();
            let to = parts.next().unwrap_or(&from).to_owned();
            let fresh = !seen.contains(&(from.clone(), to.clone()));
            seen.push((from, to));
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
    let place = |bind: &String| {
        let mut parts = bind.split(':');
        let source = parts.next().unwrap_or_default().to_owned();
        parts.next().map_or(source, str::to_owned)
    };
    let places = binds.iter().map(place);
    places
        .filter_map(|place| place.strip_prefix('/').map(str::to_owned))
        .filter(|name| !name.is_empty() && !name.contains('/'))
        .collect()
}

fn source(bind: &str) -> &str {
    bind.split(':').next().unwrap_or_default()
}

/// What is said of a source that cannot be looked at.
fn unseen(path: &str, error: &std::io::Error) -> Error {
    match is_absence(error) {
        true => missing(path),
        false => Error::io(format!("cannot bind {}", path.escape_debug()), error),
    }
}

fn missing(path: &str) -> Error {
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
    }
}
