//! Files of the host, as the values of arguments.

use std::fs;
use std::path::Path;

/// What a file is wanted for. Folders are always offered: the file may be inside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Overlay,
    Image,
    Any,
    Folder,
}

impl Kind {
    fn is_wanted(self, name: &str) -> bool {
        let extensions: &[&str] = match self {
            Kind::Overlay => &["sqf", "sqsh", "squashfs", "img"],
            Kind::Image => &["sif", "simg", "img", "sqf", "sqsh", "squashfs"],
            Kind::Any => return true,
            Kind::Folder => return false,
        };
        let extension = name.rsplit_once('.').map(|(_, extension)| extension);
        extension.is_some_and(|extension| extensions.contains(&extension))
    }
}

/// The paths that begin as `typed` does, in order; those of folders end in `/`. Names that begin
/// with a dot are offered once the dot is typed.
pub fn paths(typed: &str, cwd: Option<&Path>, kind: Kind) -> Vec<String> {
    let (folder, start) = typed
        .rfind('/')
        .map_or(("", typed), |at| typed.split_at(at + 1));
    let Some(here) = cwd.map(|cwd| cwd.join(folder)) else {
        return Vec::new();
    };
    let entries = fs::read_dir(here).into_iter().flatten().flatten();
    let mut found: Vec<String> = entries
        .filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            if !name.starts_with(start) || name.starts_with('.') && !start.starts_with('.') {
                return None;
            }
            let kind_of = entry.file_type().ok()?;
            // Only a link needs another look.
            let is_folder = kind_of.is_dir() || kind_of.is_symlink() && entry.path().is_dir();
            match is_folder {
                true => Some(format!("{folder}{name}/")),
                false => kind.is_wanted(&name).then(|| format!("{folder}{name}")),
            }
        })
        .collect();
    found.sort();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_and_files_of_the_kind_are_found() {
        let place = tempfile::tempdir().unwrap();
        fs::create_dir(place.path().join("images")).unwrap();
        for name in ["i 1.img", "i.txt", "images/x.sqf", ".img"] {
            fs::write(place.path().join(name), "").unwrap();
        }
        std::os::unix::fs::symlink("images", place.path().join("ilink")).unwrap();
        let look = |typed: &str, kind| paths(typed, Some(place.path()), kind);
        assert_eq!(look("i", Kind::Overlay), ["i 1.img", "ilink/", "images/"]);
        assert_eq!(look("images/", Kind::Overlay), ["images/x.sqf"]);
        assert_eq!(look("i", Kind::Folder), ["ilink/", "images/"]);
        assert_eq!(look(".", Kind::Any), [".img"]);
        assert_eq!(look("nosuch/", Kind::Any), [""; 0]);
        let whole = format!("{}/images/", place.path().display());
        assert_eq!(look(&whole, Kind::Image), [format!("{whole}x.sqf")]);
    }
}
