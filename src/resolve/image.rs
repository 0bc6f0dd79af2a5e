//! Base images: a path, a URI that Apptainer starts, a name, or `hostos`.

use std::path::Path;

use super::{Surroundings, hostos, overlays};
use crate::error::{Error, Kind, Result};
use crate::host::regular_file::{self, is_absence};
use crate::plan::BaseImage;
use crate::spec::HOSTOS;

/// Finds the base image of that label.
///
/// # Errors
/// It is no file, folder, URI, or name that resolves; the `hostos` skeleton cannot be built.
pub fn find(label: &str, around: &Surroundings) -> Result<BaseImage> {
    if label == HOSTOS {
        return Ok(BaseImage {
            label: HOSTOS.to_owned(),
            file: hostos::skeleton(around)?.display().to_string(),
        });
    }
    if is_uri(label) {
        let cwd = around.context.cwd.as_deref();
        return Ok(same(&whole(label, cwd.unwrap_or(Path::new("/")))));
    }
    let cwd = around.context.cwd.as_deref().unwrap_or(Path::new("/"));
    match cwd.join(label).canonicalize() {
        Ok(path) if path == Path::new("/") => Err(Error::new(
            Kind::Setup,
            "Apptainer does not take `/` as an image",
        )
        .hint("`-b hostos` is the operating system of this host")),
        Ok(path) => {
            std::fs::metadata(&path)
                .and_then(|metadata| {
                    if metadata.is_dir() {
                        std::fs::read_dir(&path).map(drop)
                    } else {
                        regular_file::open(&path).map(drop)
                    }
                })
                .map_err(|error| Error::io(format!("cannot open {}", path.display()), error))?;
            Ok(same(&path.to_string_lossy()))
        }
        Err(error) => overlays::find_image(label, around.context, around.config)
            .map(|path| same(&path.to_string_lossy()))
            .ok_or_else(|| not_found(label, &error)),
    }
}

/// What is said of an image that is not found: it may be there, behind a folder that is closed.
fn not_found(label: &str, error: &std::io::Error) -> Error {
    let shown = label.escape_debug();
    if !is_absence(error) {
        return Error::io(format!("cannot look for the image {shown}"), error);
    }
    Error::new(Kind::NotFound, format!("no such image: {shown}"))
        .hint("give a SIF, a sandbox folder, a URI such as docker://ubuntu, or hostos")
}

fn same(label: &str) -> BaseImage {
    BaseImage {
        label: label.to_owned(),
        file: label.to_owned(),
    }
}

/// True for a label that may be the path of a file or folder.
pub fn is_path(label: &str) -> bool {
    label != HOSTOS && !is_uri(label)
}

/// A URI that names a file of this host, as `docker-archive:app.tar`, with its path whole: it is
/// remembered, and may be started from another folder.
fn whole(uri: &str, cwd: &Path) -> String {
    match uri.split_once(':') {
        Some((scheme @ ("docker-archive" | "oci-archive"), path)) => {
            let path = path.strip_prefix("//").unwrap_or(path);
            format!("{scheme}:{}", cwd.join(path).display())
        }
        _ => uri.to_owned(),
    }
}

/// True for `docker://…`, `oras://…`, `docker-archive:…` and their like.
fn is_uri(label: &str) -> bool {
    let Some((scheme, rest)) = label.split_once(':') else {
        return false;
    };
    let scheme_is_fine = scheme.starts_with(|c: char| c.is_ascii_lowercase())
        && scheme
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
    scheme_is_fine && !rest.is_empty() && (rest.starts_with("//") || scheme.contains('-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn archives_are_named_by_whole_paths() {
        for (uri, expected) in [
            ("docker-archive:app.tar", "docker-archive:/here/app.tar"),
            (
                "docker-archive:app.tar:v1",
                "docker-archive:/here/app.tar:v1",
            ),
            ("oci-archive:/a/app.tar", "oci-archive:/a/app.tar"),
            ("docker://ubuntu", "docker://ubuntu"),
            ("docker-daemon:app:latest", "docker-daemon:app:latest"),
        ] {
            assert_eq!(whole(uri, Path::new("/here")), expected);
        }
    }

    #[test]
    fn uris_are_told_from_paths() {
        for uri in [
            "docker://ubuntu:24.04",
            "oras://x/y",
            "docker-archive:x.tar",
        ] {
            assert!(is_uri(uri), "{uri}");
        }
        for path in ["x.sif", "./docker:", "/a:b", "a:b", "hostos"] {
            assert!(!is_uri(path), "{path}");
        }
    }
}
