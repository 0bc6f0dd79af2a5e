//! The values that completion offers: names of instances, overlays and images, notes, signals.

use std::collections::BTreeSet;
use std::path::Path;

use clap_complete::CompletionCandidate;
use nix::sys::signal::Signal;

use super::FILES;
use super::files::{self, Kind};
use super::programs;
use super::world::World;
use crate::host::context::is_executable;
use crate::instance::status::Instance;
use crate::names::last_part;
use crate::resolve::overlays;
use crate::spec::HOSTOS;

/// Shells that images have, for `--shell`.
const SHELLS: [&str; 5] = [
    "/bin/bash",
    "/bin/sh",
    "/bin/zsh",
    "/usr/bin/fish",
    "/bin/ash",
];

fn candidate(value: impl Into<String>, help: impl Into<String>) -> CompletionCandidate {
    let help: String = help.into();
    CompletionCandidate::new(value.into()).help(Some(help.into()))
}

/// Names of instances, with how they fare and their image. Those on the line are not repeated.
pub fn names(world: &World, typed: &str) -> Vec<CompletionCandidate> {
    if typed == "." {
        let active = world
            .name(".")
            .map(|name| candidate(".", format!("the active one: {name}")));
        return active.into_iter().collect();
    }
    let given: BTreeSet<&str> = world.given().collect();
    let is_new = |instance: &Instance| !given.contains(instance.name.as_str());
    let shown = |instance: Instance| {
        let image = last_part(&instance.image);
        let help = format!("{}, {image}", instance.status.word());
        candidate(instance.name, help)
    };
    world
        .instances()
        .into_iter()
        .filter(is_new)
        .map(shown)
        .collect()
}

/// Overlays for `-o`: their names, written with the sign that is typed; files; `:ro` and `:rw`.
pub fn overlays(world: &World, typed: &str) -> Vec<CompletionCandidate> {
    if let Some((file, _)) = typed.rsplit_once(':') {
        let mut ways = vec![candidate(format!("{file}:ro"), "read only")];
        if overlays::is_ext3(Path::new(file)) {
            ways.push(candidate(format!("{file}:rw"), "open for writing"));
        }
        return ways;
    }
    let distro = &world.config.default_distro.value;
    let all = overlays::all(&world.context, &world.config);
    let mut found: Vec<CompletionCandidate> = Vec::new();
    for (name, path) in &all {
        let folder = path.parent().unwrap_or(path).display().to_string();
        // `igv` stands for `ubuntu24/igv`; both at once would fill a screen with everything twice.
        let short = name
            .strip_prefix(distro.as_str())
            .and_then(|rest| rest.strip_prefix('/'));
        let short = short
            .filter(|rest| !rest.contains('/') && !typed.is_empty() && !name.starts_with(typed));
        found.push(candidate(spelled(short.unwrap_or(name), typed), folder));
    }
    found.extend(paths(world, typed, Kind::Overlay));
    found
}

/// The names of overlays, for a pattern.
pub fn overlay_names(world: &World, _: &str) -> Vec<CompletionCandidate> {
    let all = overlays::all(&world.context, &world.config);
    all.into_iter()
        .map(|(name, _)| CompletionCandidate::new(name))
        .collect()
}

/// Base images for `-b`.
pub fn images(world: &World, typed: &str) -> Vec<CompletionCandidate> {
    let mut found = vec![candidate(HOSTOS, "this host's operating system")];
    let configured = &world.config.base_image;
    if configured.value != HOSTOS {
        found.push(candidate(
            configured.value.clone(),
            format!("configured: {}", configured.source),
        ));
    }
    for (name, path) in overlays::images(&world.context, &world.config) {
        let folder = path.parent().unwrap_or(&path).display().to_string();
        found.push(candidate(spelled(&name, typed), folder));
    }
    found.extend(paths(world, typed, Kind::Image));
    found
}

/// The variables that an instance has notes on, with the notes.
pub fn notes(world: &World) -> Vec<CompletionCandidate> {
    let state = world.given().next().and_then(|name| world.state(name));
    let notes = state.map(|state| state.spec.notes).unwrap_or_default();
    notes
        .into_iter()
        .map(|(key, text)| candidate(key, text))
        .collect()
}

/// Programs of an instance for `ctr shim add`; those on the line and those that have a shim are left
/// out.
pub fn programs(world: &World, typed: &str) -> Vec<CompletionCandidate> {
    let Some(name) = world.given().next().filter(|_| !typed.contains('/')) else {
        return Vec::new();
    };
    let there = world
        .state(name)
        .map(|state| state.shims)
        .unwrap_or_default();
    let given: BTreeSet<&str> = world.given().skip(1).collect();
    let mut found = programs::inside(world, name, typed).unwrap_or_default();
    found.retain(|one| !there.contains(one) && !given.contains(one.as_str()));
    found.into_iter().map(CompletionCandidate::new).collect()
}

/// Commands on the caller's `PATH`, once their first letter is typed: there are thousands.
pub fn commands(world: &World, typed: &str) -> Vec<CompletionCandidate> {
    let path = world.context.variable("PATH").unwrap_or_default();
    let folders = path.split(':').filter(|_| !typed.is_empty());
    let entries =
        folders.flat_map(|folder| std::fs::read_dir(folder).into_iter().flatten().flatten());
    let names = entries.filter_map(|entry| {
        let name = entry.file_name().into_string().ok()?;
        (name.starts_with(typed) && is_executable(&entry.path())).then_some(name)
    });
    let names: BTreeSet<String> = names.collect();
    names.into_iter().map(CompletionCandidate::new).collect()
}

/// The shims of an instance; those on the line are left out.
pub fn shims(world: &World) -> Vec<CompletionCandidate> {
    let state = world.given().next().and_then(|name| world.state(name));
    let given: BTreeSet<&str> = world.given().skip(1).collect();
    let shims = state.map(|state| state.shims).unwrap_or_default();
    shims
        .into_iter()
        .filter(|shim| !given.contains(shim.as_str()))
        .map(CompletionCandidate::new)
        .collect()
}

/// Names of signals, with their numbers; without `SIG` once something else is typed.
pub fn signals(typed: &str) -> Vec<CompletionCandidate> {
    let upper = typed.to_uppercase();
    let is_whole = "SIG".starts_with(&upper) || upper.starts_with("SIG");
    Signal::iterator()
        .map(|signal| {
            let name = signal.as_str();
            let name = if is_whole { name } else { &name["SIG".len()..] };
            candidate(name, (signal as i32).to_string())
        })
        .collect()
}

/// Paths of shells inside.
pub fn shells() -> Vec<CompletionCandidate> {
    SHELLS.map(CompletionCandidate::new).into()
}

/// Files of the host.
pub fn files(world: &World, typed: &str) -> Vec<CompletionCandidate> {
    paths(world, typed, Kind::Any)
}

/// Folders of the host.
pub fn folders(world: &World, typed: &str) -> Vec<CompletionCandidate> {
    paths(world, typed, Kind::Folder)
}

/// Paths of the host, and the mark that the word may be one.
fn paths(world: &World, typed: &str, kind: Kind) -> Vec<CompletionCandidate> {
    let cwd = world.context.cwd.as_deref();
    let mark = CompletionCandidate::new("").tag(Some(FILES.into()));
    let found = files::paths(typed, cwd, kind)
        .into_iter()
        .map(CompletionCandidate::new);
    std::iter::once(mark).chain(found).collect()
}

/// A name with the sign between its parts that the user writes: `=`, `@`, `--` or `/`.
fn spelled(name: &str, typed: &str) -> String {
    let typed_as = overlays::normalized(typed);
    if let Some(rest) = name.strip_prefix(&typed_as) {
        let sign = ["--", "=", "@"]
            .into_iter()
            .rfind(|sign| typed.contains(sign));
        return format!("{typed}{}", rest.replace('/', sign.unwrap_or("/")));
    }
    name.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_spelled_as_they_are_typed() {
        for (typed, expected) in [
            ("", "ubuntu24/igv/2.1"),
            ("ubu", "ubuntu24/igv/2.1"),
            ("ubuntu24=", "ubuntu24=igv=2.1"),
            ("ubuntu24@ig", "ubuntu24@igv@2.1"),
            ("ubuntu24--igv", "ubuntu24--igv--2.1"),
            ("ubuntu24/igv=2", "ubuntu24/igv=2.1"),
            ("other=", "ubuntu24/igv/2.1"),
        ] {
            assert_eq!(spelled("ubuntu24/igv/2.1", typed), expected, "{typed}");
        }
    }

    #[test]
    fn signals_go_with_and_without_their_first_letters() {
        let all = |typed: &str| -> Vec<String> {
            let values = signals(typed);
            let texts = values
                .iter()
                .map(|one| one.get_value().to_string_lossy().into_owned());
            texts.collect()
        };
        assert!(all("").contains(&"SIGTERM".to_owned()));
        assert!(all("si").contains(&"SIGTERM".to_owned()));
        assert!(all("T").contains(&"TERM".to_owned()));
    }
}
