//! Which variables the host's shell is given: the user's own, and of those of sidecars what is a path
//! below the overlay's own folder, or what a line of the sidecar names.

use crate::env::rules::{is_kept_from_sidecars, is_never_on_host, is_path_below, needs_a_line};
use crate::names::Assignment;
use crate::spec::Withheld;

use super::{Content, Overlay, Sidecar};

/// The names that the host's shell is given, and what is left out that a sidecar sets. `environment`
/// is what the user sets over it.
pub fn variables(overlays: &[Overlay], environment: &[Assignment]) -> (Vec<String>, Vec<Withheld>) {
    let mut names: Vec<String> = Vec::new();
    let mut withheld = Vec::new();
    let said = overlays
        .iter()
        .flat_map(|overlay| overlay.says().map(move |sidecar| (overlay, sidecar)));
    let said: Vec<(&Overlay, Sidecar)> = said.collect();
    for (at, (overlay, sidecar)) in said.iter().enumerate() {
        // The value is that of the last one who sets it, and so is the word on it.
        let later = said[at + 1..].iter();
        let later = later.flat_map(|(_, sidecar)| &sidecar.variables);
        let over: Vec<&str> = later.chain(environment).map(|a| a.key.as_str()).collect();
        let own = own_folders(overlay);
        let (given, left): (Vec<&str>, Vec<&str>) = last_of_each(&sidecar.variables)
            .filter(|last| !over.contains(&last.key.as_str()) && !is_kept_from_sidecars(&last.key))
            .map(|last| (last.key.as_str(), is_given(last, sidecar, &own)))
            .fold(
                Default::default(),
                |(mut given, mut left), (key, is_given)| {
                    if is_given {
                        given.push(key)
                    } else {
                        left.push(key)
                    }
                    (given, left)
                },
            );
        names.extend(given.into_iter().map(str::to_owned));
        if !left.is_empty() {
            withheld.push(Withheld {
                file: sidecar.path.display().to_string(),
                names: left.into_iter().map(str::to_owned).collect(),
                reason: sidecar.distrust.clone().unwrap_or_else(|| why_not(&own)),
            });
        }
    }
    let users = environment.iter().map(|assignment| &assignment.key);
    names.extend(users.filter(|key| !is_never_on_host(key)).cloned());
    names.sort_unstable();
    names.dedup();
    (names, withheld)
}

fn is_given(variable: &Assignment, sidecar: &Sidecar, own: &[String]) -> bool {
    let is_own = is_path_below(&variable.value, own) && !needs_a_line(&variable.key);
    sidecar.distrust.is_none() && (is_own || sidecar.for_host.contains(&variable.key))
}

fn why_not(own: &[String]) -> String {
    format!(
        "they are no paths below {}, and no line `#HOST:KEY` names them",
        own.join(" or ")
    )
}

/// The assignments that count: of each name the last.
fn last_of_each(variables: &[Assignment]) -> impl Iterator<Item = &Assignment> {
    let is_last = move |at: usize, key: &str| !variables[at + 1..].iter().any(|a| a.key == key);
    let numbered = variables.iter().enumerate();
    numbered
        .filter(move |(at, assignment)| is_last(*at, &assignment.key))
        .map(|(_, assignment)| assignment)
}

/// The folders inside that are an overlay's own: the one that its name says, and those of the programs
/// that it brings.
fn own_folders(overlay: &Overlay) -> Vec<String> {
    let Content::Squashfs { bin_folders, .. } = &overlay.content else {
        return vec!["/ext3".to_owned()];
    };
    let stem = overlay.path.file_stem().unwrap_or_default();
    let stem = stem.to_string_lossy();
    let named = stem.split(['=', '@']).next().unwrap_or_default();
    let named = named.split("--").next().unwrap_or_default();
    let brought = bin_folders
        .iter()
        .filter_map(|folder| folder.split('/').nth(2));
    let mut folders: Vec<String> = std::iter::once(named)
        .chain(brought)
        .filter(|name| !name.is_empty() && !name.starts_with('.'))
        .map(|name| format!("/cnt/{name}"))
        .collect();
    folders.sort_unstable();
    folders.dedup();
    folders
}
