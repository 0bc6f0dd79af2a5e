//! From names to what exists: the steps that look at the file system before a start.

mod answering;
mod binds;
mod binds_again;
mod build_script;
pub mod env_file;
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

use std::collections::BTreeMap;
use std::path::Path;

use crate::cli;
use crate::config::Config;
use crate::engine::{self, Engine};
use crate::error::Result;
use crate::host::cache::Cache;
use crate::host::context::Context;
use crate::names::Assignment;
use crate::plan::{BaseImage, Content, EXT3_PROGRAMS, Overlay, Resolved};
use crate::spec::{HOSTOS, InstanceSpec, Withheld};

pub use fakeroot::check_mapping;
pub use lock::Holders;

use env_file::EnvFile;
use lock::Access;
use overlays::Found;

/// Apptainer's flag for an environment that starts empty: it is remembered among the others.
const CLEANENV: &str = "--cleanenv";

/// What resolving needs beside the request.
pub struct Surroundings<'a> {
    pub context: &'a Context,
    pub config: &'a Config,
    pub engine: &'a Engine<'a>,
    pub cache: &'a Cache,
    pub holders: Holders<'a>,
    /// Nothing is to be made, the plan is only to be shown.
    pub dry_run: bool,
    /// Takes what is shown unless `--quiet`.
    pub note: &'a dyn Fn(&str),
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
    let asked = binds::asked(&request.binds, around);
    answering::check(
        label,
        request.overlays.iter().map(String::as_str),
        asked.iter().map(|asked| asked.argument.as_str()),
        around,
    )?;
    let base_image = image::find(label, around)?;
    let overlays: Vec<Overlay> = request
        .overlays
        .iter()
        .map(|argument| overlay(argument, request, around))
        .collect::<Result<_>>()?;
    let is_hostos = base_image.label == HOSTOS;
    let binds = binds::collect(&asked, is_hostos, around)?;
    let configured = config.env.value.iter().map(|(key, value)| Assignment {
        key: key.clone(),
        value: value.clone(),
    });
    let gpu = request
        .gpu
        .map_or_else(|| gpu::from_name(&config.gpu.value), Some);
    let cwd = around.context.cwd.as_deref();
    let (env_files, apptainer_flags) = flags(request, around);
    let env_files: Vec<EnvFile> = env_files
        .iter()
        .map(|file| env_file::read(file, around.context))
        .collect::<Result<_>>()?;
    let of_files = env_files.iter().flat_map(|file| file.variables.clone());
    Ok(Resolved {
        name: request.name.to_string(),
        base_image,
        overlays,
        host_folders: match is_hostos {
            true => binds::at_the_top(&binds.all),
            false => Vec::new(),
        },
        host_links: match is_hostos {
            true => hostos::links()?,
            false => BTreeMap::new(),
        },
        binds: binds.all,
        implicit_binds: binds.implicit,
        working_folder: binds.working_folder,
        start_folder: cwd.and_then(Path::to_str).map(str::to_owned),
        config_file: around.engine.config_file().to_str().map(str::to_owned),
        environment: configured
            .chain(of_files)
            .chain(request.env.iter().cloned())
            .collect(),
        withheld: env_files
            .iter()
            .filter_map(|file| withheld(file, request, around))
            .collect(),
        doubts: env_files.into_iter().flat_map(|file| file.doubts).collect(),
        notes: request.notes.clone(),
        gpu: gpu::flags(gpu.unwrap_or(cli::Gpu::Auto)),
        fakeroot: request.fakeroot,
        writable: request.writable,
        apptainer_flags,
        nesting: around.engine.nesting(),
        uid: around.context.uid,
    })
}

/// The files of `--env-file`, wherever that stands, and the flags for Apptainer, their paths whole.
fn flags(request: &cli::Start, around: &Surroundings) -> (Vec<String>, Vec<String>) {
    let configured = around.config.apptainer_flags.value.iter();
    let given: Vec<String> = configured
        .chain(&request.apptainer_flags)
        .cloned()
        .collect();
    let (mut env_files, mut flags) = engine::take_env_files(&given);
    env_files.extend(request.env_files.iter().cloned());
    if request.cleanenv && !flags.iter().any(|flag| flag == CLEANENV) {
        flags.push(CLEANENV.to_owned());
    }
    let cwd = around.context.cwd.as_deref().unwrap_or(Path::new("/"));
    (env_files, engine::whole(&flags, cwd))
}

/// The variables of a file that others could write, which stay out of the host's shell; those that
/// the user gave by hand too are the user's own.
fn withheld(file: &EnvFile, request: &cli::Start, around: &Surroundings) -> Option<Withheld> {
    let reason = file.distrust(&around.config.trusted.value, around.context.uid)?;
    let is_own = |key: &str| request.env.iter().any(|own| own.key == key);
    let keys = file.variables.iter().map(|variable| variable.key.clone());
    let names: Vec<String> = keys.filter(|key| !is_own(key)).collect();
    (!names.is_empty()).then(|| Withheld {
        file: file.path.display().to_string(),
        names,
        reason,
    })
}

/// Checks a saved setup again, for a restart, and gives what Apptainer is to start.
///
/// # Errors
/// What it names is gone, or an image is in use.
pub fn again(spec: &mut InstanceSpec, around: &Surroundings) -> Result<BaseImage> {
    let overlays = spec.overlays.iter().map(String::as_str);
    let binds = binds_again::asked_for(spec);
    answering::check(&spec.base_image, overlays, binds, around)?;
    let base_image = image::find(&spec.base_image, around)?;
    for overlay in &spec.overlays {
        let path = Path::new(overlay);
        overlays::check_file(path)?;
        if overlays::is_ext3(path) {
            lock::probe(path, Access::of(spec.writable), &around.holders)?;
        }
    }
    binds_again::check(spec, around)?;
    Ok(base_image)
}

/// The folders of programs that an overlay of a setup brings, as paths inside.
///
/// # Errors
/// Its file is gone, or damaged.
pub fn bin_folders(overlay: &str, cache: &Cache) -> Result<Vec<String>> {
    let found = Found::at(overlay.into());
    match overlays::is_ext3(&found.path) {
        true => Ok(vec![EXT3_PROGRAMS.to_owned()]),
        // Nothing is known of one that cannot be read, whatever it is called.
        false => squashfs::look(&found, cache).map(|brought| match brought.unread {
            Some(_) => Vec::new(),
            None => brought.bin_folders,
        }),
    }
}

fn overlay(argument: &str, request: &cli::Start, around: &Surroundings) -> Result<Overlay> {
    let found = overlays::find(argument, around.context, around.config)?;
    let (trusted, uid) = (&around.config.trusted.value, around.context.uid);
    let sidecar = sidecar::read(&found.path, trusted, uid)?;
    if overlays::is_ext3(&found.path) {
        let writable = found.access.unwrap_or(Access::of(request.writable)) == Access::Write;
        lock::probe(&found.path, Access::of(writable), &around.holders)?;
        let upper = ext3::upper(&found.path)?;
        return Ok(Overlay {
            content: Content::Ext3 {
                writable,
                owner: upper.owner,
            },
            embedded: Vec::new(),
            at_top: upper.entries,
            sidecar,
            path: found.path,
        });
    }
    let brought = squashfs::look(&found, around.cache)?;
    let script = |script| {
        let distrust = trust::distrust(&found.path, trusted, uid);
        build_script::parse(&found.path, script, distrust)
    };
    Ok(Overlay {
        embedded: brought.scripts.iter().map(script).collect(),
        at_top: brought.at_top,
        content: Content::Squashfs {
            bin_folders: brought.bin_folders,
            unread: brought.unread,
        },
        sidecar,
        path: found.path,
    })
}
