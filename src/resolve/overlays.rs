//! Overlay names and the folders they are looked up in.

use std::path::{Path, PathBuf};

use super::Access;
use crate::config::Config;
use crate::engine::answers;
use crate::error::{Error, Kind, Result};
use crate::host::context::Context;
use crate::host::regular_file;
use crate::names;

const SQUASHFS: [&str; 3] = ["sqf", "sqsh", "squashfs"];
const EXT3: &str = "img";
const SIF: &str = "sif";

/// An overlay that exists.
#[derive(Debug, Clone)]
pub struct Found {
    /// Absolute, links resolved.
    pub path: PathBuf,
    /// Its name with `/` between the parts.
    pub name: String,
    /// From an explicit `:ro` or `:rw`.
    pub access: Option<Access>,
}

/// Finds the overlay that an argument of `-o` means.
///
/// An argument that ends as an image file does is a path, anything else a name, in which `=`,
/// `@` and `--` all mean `/`.
///
/// # Errors
/// Nothing of that name; a squashfs that is to be written.
pub fn find(argument: &str, context: &Context, config: &Config) -> Result<Found> {
    let (word, access) = parts(argument);
    let path = if is_image_file(Path::new(word)) {
        absolute(Path::new(word), context)
    } else {
        look_up(word, context, config)?
    };
    if access == Some(Access::Write) && !is_ext3(&path) {
        return Err(Error::new(
            Kind::Setup,
            format!("{word} is a squashfs overlay, and those are always read-only"),
        )
        .hint("leave out `:rw`, or use an ext3 overlay (.img)"));
    }
    check_file(&path)?;
    let path = path
        .canonicalize()
        .map_err(|error| Error::io(format!("cannot resolve {}", path.display()), error))?;
    Ok(Found {
        access,
        ..Found::at(path)
    })
}

/// An argument of `-o` without its `:ro` or `:rw`.
pub fn without_access(argument: &str) -> &str {
    parts(argument).0
}

fn parts(argument: &str) -> (&str, Option<Access>) {
    match argument.rsplit_once(':') {
        Some((word, "ro")) => (word, Some(Access::Read)),
        Some((word, "rw")) => (word, Some(Access::Write)),
        _ => (argument, None),
    }
}

impl Found {
    /// The overlay that a file is.
    pub fn at(path: PathBuf) -> Self {
        Found {
            name: name_of(&path),
            path,
            access: None,
        }
    }
}

/// Refuses an overlay file that is missing, unreadable, or that Apptainer cannot be told of.
pub fn check_file(path: &Path) -> Result<()> {
    let shown = path.display();
    match regular_file::open(path) {
        Ok(_) => {}
        Err(error) if error.kind() == std::io::ErrorKind::InvalidInput => {
            return Err(Error::new(Kind::NotFound, format!("{shown} is not a file")));
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(
                Error::new(Kind::NotFound, format!("no such overlay: {shown}"))
                    .hint("`ctr overlays` lists the names that resolve"),
            );
        }
        Err(error) => return Err(Error::io(format!("cannot open {shown}"), error)),
    }
    if path.to_str().is_none_or(|text| text.contains([',', ':'])) {
        return Err(Error::new(
            Kind::Setup,
            format!("Apptainer cannot take an overlay with `,` or `:` in its path: {shown}"),
        )
        .hint("rename it, or make a link to it from another folder"));
    }
    Ok(())
}

/// Every overlay that a name resolves to, by name; of two with one name, the first folder's.
pub fn all(context: &Context, config: &Config) -> Vec<(String, PathBuf)> {
    named(&SQUASHFS, context, config)
}

/// Every base image that a name resolves to, in the same way.
pub fn images(context: &Context, config: &Config) -> Vec<(String, PathBuf)> {
    named(&[SIF], context, config)
}

fn named(extensions: &[&str], context: &Context, config: &Config) -> Vec<(String, PathBuf)> {
    let mut found: Vec<(String, PathBuf)> = Vec::new();
    for folder in folders(context, config) {
        if !answers::passes(&absolute(&folder, context), context) {
            continue;
        }
        let Ok(entries) = std::fs::read_dir(&folder) else {
            continue;
        };
        let mut here: Vec<(String, PathBuf)> = entries
            .flatten()
            .map(|entry| entry.path())
            .filter(|path| has_extension(path, extensions))
            .map(|path| (name_of(&path), path))
            .filter(|(name, _)| !found.iter().any(|(known, _)| known == name))
            .collect();
        found.append(&mut here);
    }
    found.sort();
    found
}

/// The folders in which names are looked up, in order: those of `ctr`, then those of the
/// reference, so that overlays made for it are found.
pub fn folders(context: &Context, config: &Config) -> Vec<PathBuf> {
    let images = reference_folders(context)
        .into_iter()
        .map(|base| base.join("images"));
    config
        .overlay_path
        .value
        .iter()
        .cloned()
        .chain(listed("CNT_EXTRA_IMAGE_DIRS", context))
        .chain(images)
        .collect()
}

/// The folders that an instance sees: overlays may lie with data beside them.
pub fn base_folders(context: &Context, config: &Config) -> Vec<PathBuf> {
    [
        config.overlay_path.value.clone(),
        listed("CNT_EXTRA_IMAGE_DIRS", context),
        reference_folders(context),
    ]
    .concat()
}

/// The base folders of the reference, in its order; its overlays are in `images/` of each. The
/// second and third variable are those of today, the first was theirs before.
fn reference_folders(context: &Context) -> Vec<PathBuf> {
    let root = |name: &str| context.setting(name).map(PathBuf::from);
    let mut folders = listed("CNT_EXTRA_BASE_DIRS", context);
    folders.extend(root("CNT_EXTRA_ROOT"));
    folders.extend(root("CNT_ROOT"));
    folders.push(context.home.join("condatainer")); // where it installs itself
    folders.extend(root("SCRATCH").map(|scratch| scratch.join("condatainer")));
    folders.push(context.data_home().join("condatainer"));
    folders
}

/// The folders in a variable of the reference, divided by `|` or `:`, each perhaps with a `:ro` or
/// `:rw` that says whether the reference may write there.
fn listed(name: &str, context: &Context) -> Vec<PathBuf> {
    let value = context.setting(name).unwrap_or_default();
    let parts = value.split(['|', ':']).map(str::trim);
    parts
        .filter(|part| !["", "ro", "rw"].contains(part))
        .map(PathBuf::from)
        .collect()
}

/// True for the path of an ext3 overlay.
pub fn is_ext3(path: &Path) -> bool {
    has_extension(path, &[EXT3])
}

/// Looks up `<name>.sif`, for a base image that is named as overlays are.
pub fn find_image(name: &str, context: &Context, config: &Config) -> Option<PathBuf> {
    let mut files = images_named(name, context, config).into_iter();
    files.find(|path| path.is_file())
}

/// The files that a base image of that name may be, in order.
pub fn images_named(name: &str, context: &Context, config: &Config) -> Vec<PathBuf> {
    let file = format!("{}.{SIF}", file_stem(&normalized(name)));
    let folders = folders(context, config).into_iter();
    folders.map(|folder| folder.join(&file)).collect()
}

/// The files that an argument of `-o` may mean, in order: what ends as an image file does is a path.
pub fn files_named(word: &str, context: &Context, config: &Config) -> Vec<PathBuf> {
    if is_image_file(Path::new(word)) {
        return vec![absolute(Path::new(word), context)];
    }
    let name = normalized(word);
    let mut stems = vec![file_stem(&name)];
    if !name.contains('/') {
        stems.push(format!("{}--{name}", config.default_distro.value));
    }
    let files = stems
        .iter()
        .flat_map(|stem| SQUASHFS.map(|extension| format!("{stem}.{extension}")));
    let files: Vec<String> = files.collect();
    let folders = folders(context, config).into_iter();
    folders
        .flat_map(|folder| files.iter().map(move |file| folder.join(file)))
        .collect()
}

fn look_up(word: &str, context: &Context, config: &Config) -> Result<PathBuf> {
    let mut files = files_named(word, context, config).into_iter();
    files.find(|path| path.is_file()).ok_or_else(|| {
        let folders = folders(context, config);
        not_found(word, &normalized(word), &folders, &all(context, config))
    })
}

fn not_found(word: &str, name: &str, folders: &[PathBuf], known: &[(String, PathBuf)]) -> Error {
    let of_that_name = |known: &&str| {
        known
            .split_once('/')
            .is_some_and(|(first, _)| first == name)
    };
    let names = || known.iter().map(|(known, _)| known.as_str());
    let nearest = names()
        .rfind(of_that_name)
        .or_else(|| names::nearest(name, names()));
    let searched: Vec<_> = folders.iter().map(|f| f.display().to_string()).collect();
    let message = format!("no such overlay: {}", word.escape_debug());
    Error::new(Kind::NotFound, message).hint(match nearest {
        Some(nearest) => format!("did you mean {nearest}? `ctr overlays` lists them all"),
        None => format!("searched {}", searched.join(", ")),
    })
}

/// One form for the four ways to write a name.
pub fn normalized(word: &str) -> String {
    word.replace("--", "/").replace(['=', '@'], "/")
}

fn file_stem(name: &str) -> String {
    name.replace('/', "--")
}

fn name_of(path: &Path) -> String {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    normalized(&stem)
}

fn is_image_file(path: &Path) -> bool {
    is_ext3(path) || has_extension(path, &SQUASHFS)
}

fn has_extension(path: &Path, extensions: &[&str]) -> bool {
    path.extension()
        .and_then(|extension| extension.to_str())
        .is_some_and(|extension| extensions.contains(&extension))
}

fn absolute(path: &Path, context: &Context) -> PathBuf {
    context.cwd.as_deref().unwrap_or(Path::new("/")).join(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn four_ways_to_write_a_name_are_one() {
        for word in [
            "samtools=1.22",
            "samtools@1.22",
            "samtools--1.22",
            "samtools/1.22",
        ] {
            assert_eq!(normalized(word), "samtools/1.22");
        }
    }

    #[test]
    fn folders_of_ctr_come_before_those_of_the_reference() {
        let context = crate::host::context::tests::context(&[
            ("HOME", "/home/u"),
            ("CTR_OVERLAY_PATH", "/one:/two"),
            ("CTR_CONFIG", "/dev/null"),
            ("CNT_EXTRA_BASE_DIRS", "/site"),
            ("CNT_EXTRA_IMAGE_DIRS", "/lab/images:ro|/fast:rw"),
            ("CNT_EXTRA_ROOT", "/lab"),
            ("CNT_ROOT", "/cluster"),
            ("SCRATCH", "/scratch/u"),
        ]);
        let config = Config::load(&context).unwrap();
        let expected = [
            "/one",
            "/two",
            "/lab/images",
            "/fast",
            "/site/images",
            "/lab/images",
            "/cluster/images",
            "/home/u/condatainer/images",
            "/scratch/u/condatainer/images",
            "/home/u/.local/share/condatainer/images",
        ];
        assert_eq!(folders(&context, &config), expected.map(PathBuf::from));
    }
}
