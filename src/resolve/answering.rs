//! Do the paths of the host answer that a start looks at? One whose file server is down would hold it.

use std::ffi::CString;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use nix::errno::Errno;

use super::{Surroundings, binds, image, overlays};
use crate::bounds::HOST_PATH;
use crate::engine::{self, Patience, Unanswered};
use crate::error::{Error, Kind, Result};

/// Refuses a start that would look at what does not answer: its image, overlays and binds, and the folders
/// in which it searches.
///
/// # Errors
/// Names the first.
pub fn check<'a>(
    base_image: &'a str,
    overlays: impl Iterator<Item = &'a str>,
    binds: impl Iterator<Item = &'a str>,
    around: &Surroundings,
) -> Result<()> {
    let context = around.context;
    let mut paths: Vec<PathBuf> = Vec::new();
    paths.extend(
        Some(base_image)
            .filter(|label| image::is_path(label))
            .map(PathBuf::from),
    );
    paths.extend(overlays.map(overlays::without_access).map(PathBuf::from));
    paths.extend(binds.flat_map(binds::sources).map(PathBuf::from));
    paths.extend(context.setting("SCRATCH").map(PathBuf::from));
    paths.extend(overlays::folders(context, around.config));
    let cwd = context.cwd.as_deref().unwrap_or(Path::new("/"));
    let paths: Vec<PathBuf> = paths.iter().map(|path| cwd.join(path)).collect();
    match silent(&paths).into_iter().next() {
        None => Ok(()),
        Some((_, Unanswered::Unasked(error))) => Err(nobody_to_ask(error)),
        Some((path, Unanswered::Late)) => {
            let message = format!("{} does not answer", path.display());
            let hint = "its file server may be down: leave it out, or try again when it is back";
            Err(Error::new(Kind::Io, message).hint(hint))
        }
    }
}

/// The image is as good as it was: it is this user who can do nothing more.
fn nobody_to_ask(error: Errno) -> Error {
    Error::io("cannot look whether the files answer", error.desc())
        .hint("end what you need no more, and try again: a limit is reached (ulimit -a)")
}

/// Those of several paths that do not answer, and why.
pub fn silent(paths: &[PathBuf]) -> Vec<(&PathBuf, Unanswered)> {
    let name = |path: &PathBuf| CString::new(path.as_os_str().as_bytes()).unwrap_or_default();
    let names: Vec<CString> = paths.iter().map(name).collect();
    let said = engine::open_each(&names, &Patience::of(HOST_PATH));
    let paths = paths.iter().zip(said);
    paths
        .filter_map(|(path, said)| Some((path, said.err()?)))
        .collect()
}
