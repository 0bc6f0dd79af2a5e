//! The commands of a running instance, as shims need to know them: where each is inside, and which
//! overlay brought it.

use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::commands::{join_plan, running};
use crate::engine::answers;
use crate::engine::{Direct, Engine, Inside, Probe, Run};
use crate::error::{Error, Kind, Result};
use crate::host::cache::Cache;
use crate::host::context::Context;
use crate::instance::session::Session;
use crate::instance::status::Instance;
use crate::plan;
use crate::resolve;
use crate::spec::InstanceSpec;

/// A program that says `PATH` is run from here.
const ROOT: &str = "/";

/// A look at the commands of an instance.
pub struct View<'a> {
    inside: Inside,
    /// The way in, where its files show themselves to no one outside.
    from_within: Option<Direct<'a>>,
    /// Who is asked where there is no such way either.
    by_apptainer: Option<(&'a Engine<'a>, Run<'a>)>,
    /// The `PATH` of its commands.
    search: String,
    /// The folders of programs that overlays brought at the start.
    folders: Vec<String>,
    instance: &'a Instance,
    cache: &'a Cache,
    context: &'a Context,
}

/// Where a command is inside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// Its path inside.
    pub path: String,
    /// The file of the overlay that brought it, when that is known.
    pub overlay: Option<String>,
    /// What it came from, in words.
    pub source: String,
}

/// What a command is run with to be looked for.
pub fn run_of<'a>(instance: &'a Instance, session: &Session) -> Result<Run<'a>> {
    running::prepare(instance, Path::new(""), &[], Path::new(ROOT), session)
}

impl<'a> View<'a> {
    /// Looks into a running instance. The direct way in is learned here, so that the first shim does
    /// not wait for it.
    ///
    /// # Errors
    /// It cannot be looked into.
    pub fn of(instance: &'a Instance, run: &Run<'a>, session: &'a Session<'a>) -> Result<Self> {
        let name = &instance.name;
        let unseen = |why: &str| {
            Error::new(Kind::Engine, format!("cannot look into `{name}`: {why}"))
                .hint("`ctr doctor` checks what Apptainer needs")
        };
        let inside = running::inside(instance, session);
        let inside = inside.ok_or_else(|| unseen("it has no process"))?;
        let is_seen = inside.can_be_seen();
        let direct = join_plan::direct(run, instance, Probe::IfNeeded, session);
        let search = match &direct {
            Err(why) => session.engine.image_path(run).ok_or_else(|| unseen(why))?,
            Ok(direct) => direct.path(),
        };
        let is_asked_for = direct.is_err() && !is_seen;
        Ok(View {
            inside,
            by_apptainer: is_asked_for.then(|| (&session.engine, run.clone())),
            from_within: direct.ok().filter(|_| !is_seen),
            search,
            folders: spec(instance).map_or_else(Vec::new, folders_of_overlays),
            instance,
            cache: session.cache,
            context: session.context,
        })
    }

    /// Where each command is, and what brought it; `None` for one that is not there.
    pub fn find(&self, commands: &[String]) -> Result<Vec<Option<Origin>>> {
        let paths = self.paths(commands)?.into_iter();
        let overlays = self.overlays();
        Ok(paths
            .map(|path| path.map(|path| self.origin(path, &overlays)))
            .collect())
    }

    /// The path inside of each command, `None` for one that is not there.
    pub fn paths(&self, commands: &[String]) -> Result<Vec<Option<String>>> {
        if let Some((engine, run)) = &self.by_apptainer {
            return engine.ask_for_paths(run, &self.search, commands);
        }
        self.look(|inside| {
            let find = |command: &String| {
                let found = inside.find(Path::new(command), Path::new(ROOT), &self.search);
                found.ok()?.into_os_string().into_string().ok()
            };
            commands.iter().map(find).collect()
        })
    }

    /// The names of all the commands that overlays brought, in order.
    pub fn of_overlays(&self) -> Result<Vec<String>> {
        if self.folders.is_empty() {
            return Ok(Vec::new());
        }
        let search = self.folders.join(":");
        let names = match &self.by_apptainer {
            Some((engine, run)) => engine.ask_for_programs(run, &search)?,
            None => self.look(|inside| inside.programs("", Path::new(ROOT), &search))?,
        };
        let paths = self.paths(&names)?;
        let runs = names
            .into_iter()
            .zip(paths)
            .filter(|(_, path)| path.is_some());
        Ok(runs.map(|(name, _)| name).collect())
    }

    fn look<T: Serialize + DeserializeOwned>(&self, look: impl FnOnce(&Inside) -> T) -> Result<T> {
        match &self.from_within {
            Some(direct) => direct
                .look(look)
                .map_err(|why| Error::new(Kind::Engine, why)),
            None => Ok(look(&self.inside)),
        }
    }

    /// Each overlay, the last first, and its folders of programs, as its file has them now.
    fn overlays(&self) -> Vec<(&'a String, Vec<String>)> {
        let overlays = spec(self.instance).map_or(&[][..], |spec| &spec.overlays);
        let brought = |overlay: &'a String| {
            // What is gone from the disk is inside all the same, and is not known by its name.
            let answers = answers::passes(Path::new(overlay), self.context);
            let folders = answers.then(|| resolve::bin_folders(overlay, self.cache).ok());
            (overlay, folders.flatten().unwrap_or_default())
        };
        overlays.iter().rev().map(brought).collect()
    }

    fn origin(&self, path: String, overlays: &[(&String, Vec<String>)]) -> Origin {
        let folder = Path::new(&path).parent();
        let is_it = |one: &String| Some(Path::new(one)) == folder;
        let mut overlays = overlays.iter();
        let overlay = overlays.find(|(_, folders)| folders.iter().any(is_it));
        let overlay = overlay.map(|(overlay, _)| (*overlay).clone());
        let source = match &overlay {
            Some(overlay) => overlay.clone(),
            None if self.folders.iter().any(is_it) => {
                "an overlay that has changed since".to_owned()
            }
            None => format!("the base image ({})", self.instance.image),
        };
        Origin {
            path,
            overlay,
            source,
        }
    }
}

fn spec(instance: &Instance) -> Option<&InstanceSpec> {
    instance.state.as_ref().map(|state| &state.spec)
}

/// What a start puts on `PATH` for overlays.
fn folders_of_overlays(spec: &InstanceSpec) -> Vec<String> {
    let paths = spec
        .env
        .iter()
        .filter_map(|entry| entry.strip_prefix("PATH="));
    let members = paths.flat_map(|path| path.split(':'));
    members
        .filter(|member| plan::is_of_overlay(member))
        .map(str::to_owned)
        .collect()
}
