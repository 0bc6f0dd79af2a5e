//! From names to what exists: the steps that look at the file system before a start.

mod answering;
mod binds;
mod ext3;
mod fakeroot;
mod gpu;
mod hostos;
mod image;
mod lock;
pub mod overlays;
mod sidecar;
mod squashfs;
mod trust;

use std::path::Path;

use crate::cli;
use crate::config::Config;
use crate::context::Context;
use crate::engine::Engine;
use crate::error::Result;
use crate::memory::Memory;
use crate::names::Assignment;
use crate::plan::{BaseImage, Content, EXT3_PROGRAMS, Overlay, Resolved};
use crate::setup::{HOSTOS, Setup};

pub use fakeroot::check_mapping;
pub use lock::Holders;

use lock::Access;
use overlays::Found;

/// What resolving needs beside the request.
pub struct Surroundings<'a> {
    pub context: &'a Context,
    pub config: &'a Config,
    pub engine: &'a Engine<'a>,
    pub memory: &'a Memory,
    pub holders: Holders<'a>,
    /// Nothing is to be made, the plan is only to be shown.
    pub dry_run: bool,
    /// Takes what only `--verbose` shows.
    pub verbose: &'a dyn Fn(&str),
}

/// Resolves everything that a request for a start names.
///
/// # Errors
/// An image, overlay or bind that does not exist or cannot be read; an image in use.
pub fn start(request: &cli::Start, around: &Surroundings) -> Result<Resolved> {
    let config = around.config;
    let label = request
        .base_image
        .as_deref()
        .unwrap_or(&config.base_image.value);
    answering::check(
        label,
        request.overlays.iter().map(String::as_str),
        config
            .bind
            .value
            .iter()
            .chain(&request.binds)
            .map(String::as_str),
        around,
    )?;
    let base_image = image::find(label, around)?;
    let overlays: Vec<Overlay> = request
        .overlays
        .iter()
        .map(|argument| overlay(argument, request.writable, around))
        .collect::<Result<_>>()?;
    let working_folder = binds::working_folder(around);
    let is_hostos = base_image.label == HOSTOS;
    let binds = binds::collect(&request.binds, is_hostos, working_folder.as_ref(), around)?;
    let configured = config.env.value.iter().map(|(key, value)| Assignment {
        key: key.clone(),
        value: value.clone(),
    });
    let gpu = request
        .gpu
        .map_or_else(|| gpu::from_name(&config.gpu.value), Some);
    let mut apptainer_flags = config.apptainer_flags.value.clone();
    apptainer_flags.extend(request.apptainer_flags.iter().cloned());
    Ok(Resolved {
        name: request.name.to_string(),
        base_image,
        overlays,
        binds,
        working_folder,
        environment: configured.chain(request.env.iter().cloned()).collect(),
        notes: request.notes.clone(),
        gpu: gpu::flags(gpu.unwrap_or(cli::Gpu::Auto)),
        fakeroot: request.fakeroot,
        writable: request.writable,
        apptainer_flags,
        nesting: around.engine.nesting(),
        uid: around.context.uid,
    })
}

/// Checks a saved setup again, for a restart, and gives what Apptainer is to start.
///
/// # Errors
/// What it names is gone, or an image is in use.
pub fn again(setup: &mut Setup, around: &Surroundings) -> Result<BaseImage> {
    let overlays = setup.overlays.iter().map(String::as_str);
    // Under `hostos`, what is missing of the host is left out.
    let binds = setup.bind_paths.iter().map(String::as_str);
    answering::check(&setup.base_image, overlays, binds, around)?;
    let base_image = image::find(&setup.base_image, around)?;
    for overlay in &setup.overlays {
        let path = Path::new(overlay);
        overlays::check_file(path)?;
        if overlays::is_ext3(path) {
            lock::probe(path, Access::of(setup.writable), &around.holders)?;
        }
    }
    binds::check_again(&mut setup.bind_paths, base_image.label == HOSTOS, around)?;
    Ok(base_image)
}

/// The folders of programs that an overlay of a setup brings, as paths inside.
///
/// # Errors
/// Its file is gone, or damaged.
pub fn bin_folders(overlay: &str, memory: &Memory) -> Result<Vec<String>> {
    let found = Found::at(overlay.into());
    match overlays::is_ext3(&found.path) {
        true => Ok(vec![EXT3_PROGRAMS.to_owned()]),
        false => squashfs::bin_folders(&found, memory),
    }
}

fn overlay(argument: &str, writable: bool, around: &Surroundings) -> Result<Overlay> {
    let found = overlays::find(argument, around.context, around.config)?;
    let content = if overlays::is_ext3(&found.path) {
        let writable = found.access.unwrap_or(Access::of(writable)) == Access::Write;
        lock::probe(&found.path, Access::of(writable), &around.holders)?;
        Content::Ext3 {
            writable,
            owner: ext3::upper_owner(&found.path)?,
        }
    } else {
        Content::Squashfs {
            bin_folders: squashfs::bin_folders(&found, around.memory)?,
        }
    };
    let sidecar = sidecar::read(
        &found.path,
        &around.config.trusted.value,
        around.context.uid,
    )?;
    Ok(Overlay {
        path: found.path,
        content,
        sidecar,
    })
}
