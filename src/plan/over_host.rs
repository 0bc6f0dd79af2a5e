//! What an overlay has at its top, held against what the host has there: under `hostos` the host's own
//! folders are bound and its links are in the image, and an overlay lies over both.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Overlay;
use crate::error::{Error, Kind, Result};

/// Folders in which Apptainer has to bind, too.
const OF_APPTAINER: [&str; 5] = ["dev", "home", "proc", "sys", "tmp"];

/// What lies at the top of an overlay.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AtTop {
    pub name: String,
    pub form: Form,
}

/// What it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Form {
    Folder,
    EmptyFolder,
    /// With what it says.
    Link(String),
    Other,
}

/// Refuses an overlay with which nothing could be started: one that has something else where the host has
/// a link, or no folder where there has to be one. `links` are the host's, by name; `folders` are bound.
///
/// # Errors
/// Names the first of them.
pub fn check(
    overlay: &Overlay,
    links: &BTreeMap<String, String>,
    folders: &[String],
) -> Result<()> {
    let mut faults = overlay.at_top.iter().filter_map(|at| {
        let fault = fault_of(at, links, folders)?;
        Some((at, fault))
    });
    let Some((at, fault)) = faults.next() else {
        return Ok(());
    };
    let (path, name) = (overlay.path.display(), at.name.escape_debug());
    let message = format!("{path} cannot be laid over `hostos`: its /{name} {fault}");
    Err(Error::new(Kind::Setup, message)
        .hint("choose a base image with -b, or pack it with all below /cnt/NAME/VERSION"))
}

fn fault_of(
    at: &AtTop,
    links: &BTreeMap<String, String>,
    folders: &[String],
) -> Option<&'static str> {
    let is_link = matches!(at.form, Form::Link(_));
    if let Some(target) = links.get(&at.name) {
        let is_same = |own: &str| own.trim_matches('/') == target.trim_matches('/');
        return match &at.form {
            Form::Link(own) if is_same(own) => None,
            _ => Some("takes the place of the host's link"),
        };
    }
    let is_folder = matches!(at.form, Form::Folder | Form::EmptyFolder);
    let name = at.name.as_str();
    // Of Apptainer's own it follows links, but not for homes.
    let is_bound = folders.contains(&at.name) || name == "home";
    let is_in_the_way = !is_folder && (is_bound || (!is_link && OF_APPTAINER.contains(&name)));
    is_in_the_way.then_some("is no folder, and the host's has to be bound there")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_takes_the_place_of_the_hosts_own_is_told_from_what_does_no_harm() {
        let links = [("bin", "usr/bin"), ("lib", "/usr/lib")];
        let links = links.map(|(name, target)| (name.to_owned(), target.to_owned()));
        let folders = ["usr".to_owned()];
        let link = |target: &str| Form::Link(target.into());
        for (name, form, is_fault) in [
            ("bin", Form::Folder, true),
            ("bin", Form::EmptyFolder, true),
            ("bin", Form::Other, true),
            ("bin", link("cnt"), true),
            ("bin", link("/usr/bin/"), false),
            ("lib", link("usr/lib"), false),
            ("usr", Form::Folder, false),
            ("usr", Form::Other, true),
            ("usr", link("cnt"), true),
            ("tmp", Form::Other, true),
            ("tmp", link("var/tmp"), false),
            ("home", link("var/home"), true),
            ("foo", Form::Other, false),
            ("foo", link("cnt"), false),
        ] {
            let at = AtTop {
                name: name.to_owned(),
                form,
            };
            let fault = fault_of(&at, &links.clone().into(), &folders);
            assert_eq!(fault.is_some(), is_fault, "{at:?}");
        }
    }
}
