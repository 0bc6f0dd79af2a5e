//! From what was found to what is done: a pure function from [`Resolved`] to a [`InstanceSpec`].

mod host;
pub mod identity;
mod over_host;
mod resolved;
#[cfg(test)]
mod tests;

use crate::env::rules::{check_carried, is_executed_inside};
use crate::error::{Error, Kind, Result};
use crate::spec::{HOSTOS, InstanceSpec};

pub use over_host::{AtTop, Form};
pub use resolved::{BaseImage, Content, Overlay, Resolved, Sidecar};

/// What a squashfs overlay's content is found under, inside.
const SQUASHFS_PREFIX: &str = "/cnt/";
/// What an ext3 overlay's content is found under, inside.
const EXT3_PREFIX: &str = "/ext3/env";
/// Where its programs are.
pub const EXT3_PROGRAMS: &str = "/ext3/env/bin";

/// A plan: the setup, what to give Apptainer as image, and what to tell the user.
#[derive(Debug, Clone)]
pub struct Plan {
    pub spec: InstanceSpec,
    /// The file or URI that Apptainer starts.
    pub image: String,
    /// What the user should know, a line each.
    pub messages: Vec<Message>,
}

/// A line for the user, with its weight.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message {
    Warning(String),
    /// Shown unless `--quiet`.
    Note(String),
}

/// Makes the plan of a start.
///
/// # Errors
/// More than one ext3 overlay; a variable that Apptainer cannot carry; a writable `hostos`, or an overlay
/// that takes the place of what the host has at its top.
pub fn start(resolved: Resolved) -> Result<Plan> {
    let mut messages: Vec<Message> = resolved.doubts.into_iter().map(Message::Warning).collect();
    let overlays = in_mount_order(resolved.overlays)?;
    let hostos = resolved.base_image.label == HOSTOS;
    let ext3 = overlays.iter().find_map(|overlay| match overlay.content {
        Content::Ext3 { writable, owner } => Some((overlay, writable, owner)),
        Content::Squashfs { .. } => None,
    });
    if resolved.writable && ext3.is_none() {
        return Err(nothing_to_write(hostos));
    }
    let writable = ext3.is_some_and(|(_, writable, _)| writable);
    let fakeroot = resolved.fakeroot
        || ext3.is_some_and(|(overlay, writable, owner)| {
            writable && needs_fakeroot(overlay, owner, resolved.uid, &mut messages)
        });
    if hostos && fakeroot && writable {
        return Err(Error::new(
            Kind::Setup,
            "package managers cannot work in a writable `hostos`: its /usr is the host's, read-only",
        )
        .hint("choose a base image with -b, or leave out -f and -w"));
    }

    let mut env = Vec::new();
    let mut notes = std::collections::BTreeMap::new();
    for overlay in &overlays {
        if hostos {
            over_host::check(overlay, &resolved.host_links, &resolved.host_folders)?;
        }
        messages.extend(overlay.doubts(&resolved.host_folders).map(Message::Warning));
        for sidecar in overlay.says() {
            collect_sidecar(&sidecar, &mut env, &mut notes, &mut messages)?;
        }
    }
    env.extend(overlays.iter().flat_map(path_entries));
    env.extend(identity::variables(&resolved.name, resolved.nesting + 1));
    if !hostos {
        env.extend(["LC_ALL=C.UTF-8".into(), "LANG=C.UTF-8".into()]);
    }
    if ext3.is_some() {
        env.extend(ext3_variables(writable));
    }
    for assignment in &resolved.environment {
        check_carried(&assignment.key, &assignment.value)?;
        env.push(assignment.to_string());
    }
    let (mut host_env, mut withheld) = host::variables(&overlays, &resolved.environment);
    let kept_in = |name: &String| {
        let mut files = resolved.withheld.iter();
        files.any(|file| file.names.contains(name))
    };
    host_env.retain(|name| !kept_in(name));
    withheld.extend(resolved.withheld.iter().cloned());
    notes.extend(
        resolved
            .notes
            .into_iter()
            .map(|note| (note.key, note.value)),
    );

    Ok(Plan {
        spec: InstanceSpec {
            name: resolved.name,
            env,
            overlays: overlays
                .iter()
                .map(|o| o.path.display().to_string())
                .collect(),
            bind_paths: resolved.binds,
            implicit_binds: Some(resolved.implicit_binds),
            working_folder: resolved.working_folder,
            start_folder: resolved.start_folder,
            config_file: resolved.config_file,
            base_image: resolved.base_image.label,
            notes,
            note: None,
            fakeroot,
            writable,
            gpu: resolved.gpu,
            apptainer_flags: resolved.apptainer_flags,
            host_env,
            withheld,
        },
        image: resolved.base_image.file,
        messages,
    })
}

fn nothing_to_write(hostos: bool) -> Error {
    let (reason, hint) = if hostos {
        (
            "the `hostos` base is the host's own /usr, read-only",
            "choose a base image with -b and",
        )
    } else {
        ("the base image is read-only", "")
    };
    Error::new(
        Kind::Setup,
        format!("-w has nothing to write to: {reason}, and no .img overlay is given"),
    )
    .hint(
        format!("{hint} add an ext3 overlay with -o FILE.img")
            .trim_start()
            .to_owned(),
    )
}

/// The ext3 overlay goes last: what is written must lie on top.
fn in_mount_order(overlays: Vec<Overlay>) -> Result<Vec<Overlay>> {
    let (mut images, mut ordered): (Vec<_>, Vec<_>) = overlays
        .into_iter()
        .partition(|overlay| matches!(overlay.content, Content::Ext3 { .. }));
    if images.len() > 1 {
        let names: Vec<_> = images
            .iter()
            .map(|o| o.path.display().to_string())
            .collect();
        return Err(Error::new(
            Kind::Setup,
            format!("only one .img overlay is allowed, found {}", images.len()),
        )
        .hint(format!("keep one of {}", names.join(", "))));
    }
    ordered.append(&mut images);
    Ok(ordered)
}

/// Files in an ext3 overlay belong to root when it was made with fakeroot, and can only be
/// written so.
fn needs_fakeroot(
    overlay: &Overlay,
    owner: Option<u32>,
    uid: u32,
    messages: &mut Vec<Message>,
) -> bool {
    let path = overlay.path.display();
    match owner {
        None => false,
        Some(owner) if owner == uid => false,
        Some(0) => {
            messages.push(Message::Note(format!(
                "{path} belongs to root inside: --fakeroot is switched on"
            )));
            true
        }
        Some(owner) => {
            messages.push(Message::Warning(format!(
                "{path} belongs to user {owner} inside, not to you: --fakeroot is switched on"
            )));
            true
        }
    }
}

fn collect_sidecar(
    sidecar: &Sidecar,
    env: &mut Vec<String>,
    notes: &mut std::collections::BTreeMap<String, String>,
    messages: &mut Vec<Message>,
) -> Result<()> {
    let file = sidecar.path.display();
    messages.extend(sidecar.ignored.iter().cloned().map(Message::Warning));
    for assignment in &sidecar.variables {
        let key = &assignment.key;
        if is_executed_inside(key) {
            return Err(Error::new(
                Kind::Environment,
                format!("{file} sets {key}, which a shell inside would execute"),
            )
            .hint(format!("remove the line `{key}=…` from it")));
        }
        check_carried(key, &assignment.value).map_err(|error| Error {
            message: format!("{file}: {}", error.message),
            ..error
        })?;
        let start = format!("{key}=");
        if key != "PATH" && env.iter().any(|entry| entry.starts_with(&start)) {
            messages.push(Message::Note(format!("{file} sets {key} again, and wins")));
        }
        env.push(assignment.to_string());
        notes.insert(key.clone(), assignment.value.clone());
    }
    for note in &sidecar.notes {
        notes.insert(note.key.clone(), note.value.clone());
    }
    Ok(())
}

/// Each overlay's programs stand before those of the earlier ones.
fn path_entries(overlay: &Overlay) -> Vec<String> {
    let folders = match &overlay.content {
        Content::Squashfs { bin_folders, .. } => bin_folders.clone(),
        Content::Ext3 { .. } => vec![EXT3_PROGRAMS.to_owned()],
    };
    folders
        .iter()
        .map(|folder| format!("PATH={folder}:$PATH"))
        .collect()
}

/// True for a folder inside that only an overlay brings.
pub fn is_of_overlay(folder: &str) -> bool {
    folder.starts_with(SQUASHFS_PREFIX) || folder == EXT3_PROGRAMS
}

/// What conda, mamba and reticulate look for.
fn ext3_variables(writable: bool) -> Vec<String> {
    let mut variables = vec![
        format!("MAMBA_ROOT_PREFIX={EXT3_PREFIX}"),
        format!("CONDA_PREFIX={EXT3_PREFIX}"),
        "CONDA_DEFAULT_ENV=env".to_owned(),
        format!("RETICULATE_PYTHON={EXT3_PREFIX}/bin/python"),
    ];
    if writable {
        variables.push(format!("CNT_CONDA_PREFIX={EXT3_PREFIX}"));
    }
    variables
}
