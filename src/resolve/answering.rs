//! Do the paths of the host answer that a start looks at? One whose file server is down would hold it.

use std::path::{Path, PathBuf};

use nix::errno::Errno;

use super::{Surroundings, binds, image, overlays, sidecar};
use crate::engine::Unanswered;
use crate::engine::answers;
use crate::error::{Error, Result};

/// Refuses a start that would look at what does not answer: its image, overlays and binds, the folders in
/// which it searches, and the one in which it is made.
///
/// # Errors
/// Names the first.
pub fn check<'a>(
    base_image: &'a str,
    overlays: impl Iterator<Item = &'a str>,
    binds: impl Iterator<Item = &'a str>,
    around: &Surroundings,
) -> Result<()> {
    let (context, config) = (around.context, around.config);
    let mut paths: Vec<PathBuf> = Vec::new();
    if image::is_path(base_image) {
        paths.push(base_image.into());
        paths.extend(overlays::images_named(base_image, context, config));
    }
    for word in overlays.map(overlays::without_access) {
        let files = overlays::files_named(word, context, config);
        paths.extend(files.iter().map(|file| sidecar::beside(file)));
        paths.extend(files);
    }
    paths.extend(binds.flat_map(binds::sources).map(PathBuf::from));
    paths.extend(context.setting("SCRATCH").map(PathBuf::from));
    paths.extend(overlays::folders(context, config));
    let cwd = context.cwd.as_deref().unwrap_or(Path::new("/"));
    let mut paths: Vec<PathBuf> = paths.iter().map(|path| cwd.join(path)).collect();
    paths.push(cwd.to_owned());
    match answers::unanswered(&paths, context).into_iter().next() {
        None => Ok(()),
        Some((_, Unanswered::Unasked(error))) => Err(nobody_to_ask(error)),
        Some((path, Unanswered::Late)) => {
            let hint = "its file server may be down: leave it out, or try again when it is back";
            Err(Error {
                hint: Some(hint.to_owned()),
                ..answers::no_answer(path)
            })
        }
    }
}

/// The image is as good as it was: it is this user who can do nothing more.
fn nobody_to_ask(error: Errno) -> Error {
    Error::io("cannot look whether the files answer", error.desc())
        .hint("end what you need no more, and try again: a limit is reached (ulimit -a)")
}
