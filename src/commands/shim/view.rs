//! The commands of a running instance, as shims need to know them: where each is inside, and which
//! overlay brought it.

use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::commands::{running, way};
use crate::engine::{Direct, Inside, Learn, Run};
use crate::error::{Error, Kind, Result};
use crate::plan;
use crate::resolve;
use crate::session::Session;
use crate::setup::Setup;
use crate::status::Instance;

/// A program that says `PATH` is run from here.
const ROOT: &str = "/";

/// A look at the commands of an instance.
pub struct View<'a> {
    direct: Option<Direct<'a>>,
    inside: Inside,
    search: String,
    /// Each overlay, the last first, and its folders of programs, as its file has them now.
    overlays: Vec<(String, Vec<String>)>,
    /// The folders of programs that overlays brought at the start.
    folders: Vec<String>,
    base: String,
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
    pub fn of(instance: &'a Instance, run: &Run<'a>, session: &Session) -> Result<Self> {
        let name = &instance.name;
        let unseen = |why: &str| {
            Error::new(Kind::Engine, format!("cannot look into `{name}`: {why}"))
                .hint("`ctr doctor` checks what Apptainer needs")
        };
        let inside = running::inside(instance, session);
        let inside = inside.ok_or_else(|| unseen("it has no process"))?;
        let direct = way::direct(run, instance, Learn::IfNeeded, session);
        let search = match &direct {
            Err(why) if !inside.can_be_seen() => return Err(unseen(why)),
            Err(why) => session.engine.image_path(run).ok_or_else(|| unseen(why))?,
            Ok(direct) => direct.path(),
        };
        let state = instance.state.as_ref();
        let setup = state.map(|state| state.setup.clone()).unwrap_or_default();
        let brought = |overlay: &String| {
            // What is gone from the disk is inside all the same, and is not known by its name.
            let folders = resolve::bin_folders(overlay, session.memory);
            (overlay.clone(), folders.unwrap_or_default())
        };
        Ok(View {
            direct: direct.ok(),
            inside,
            search,
            overlays: setup.overlays.iter().rev().map(brought).collect(),
            folders: folders_of_overlays(&setup),
            base: instance.image.clone(),
        })
    }

    /// Where each command is, `None` for one that is not there.
    pub fn find(&self, commands: &[String]) -> Result<Vec<Option<Origin>>> {
        let paths = self.look(|inside| {
            let find = |command: &String| {
                let found = inside.find(Path::new(command), Path::new(ROOT), &self.search);
                found.ok()?.into_os_string().into_string().ok()
            };
            commands.iter().map(find).collect::<Vec<_>>()
        })?;
        Ok(paths
            .into_iter()
            .map(|path| path.map(|path| self.origin(path)))
            .collect())
    }

    /// The names of all the commands that overlays brought, in order.
    pub fn of_overlays(&self) -> Result<Vec<String>> {
        if self.folders.is_empty() {
            return Ok(Vec::new());
        }
        let search = self.folders.join(":");
        let names = self.look(|inside| inside.programs("", Path::new(ROOT), &search))?;
        let found = self.find(&names)?;
        let runs = names
            .into_iter()
            .zip(found)
            .filter(|(_, found)| found.is_some());
        Ok(runs.map(|(name, _)| name).collect())
    }

    fn look<T: Serialize + DeserializeOwned>(&self, look: impl FnOnce(&Inside) -> T) -> Result<T> {
        match &self.direct {
            Some(direct) if !self.inside.can_be_seen() => direct
                .look(look)
                .map_err(|why| Error::new(Kind::Engine, why)),
            _ => Ok(look(&self.inside)),
        }
    }

    fn origin(&self, path: String) -> Origin {
        let folder = Path::new(&path).parent();
        let is_it = |one: &String| Some(Path::new(one)) == folder;
        let overlay = self
            .overlays
            .iter()
            .find(|(_, folders)| folders.iter().any(is_it));
        let overlay = overlay.map(|(overlay, _)| overlay.clone());
        let source = match &overlay {
            Some(overlay) => overlay.clone(),
            None if self.folders.iter().any(is_it) => {
                "an overlay that has changed since".to_owned()
            }
            None => format!("the base image ({})", self.base),
        };
        Origin {
            path,
            overlay,
            source,
        }
    }
}

/// What a start puts on `PATH` for overlays.
fn folders_of_overlays(setup: &Setup) -> Vec<String> {
    let paths = setup
        .env
        .iter()
        .filter_map(|entry| entry.strip_prefix("PATH="));
    let members = paths.flat_map(|path| path.split(':'));
    members
        .filter(|member| plan::is_of_overlay(member))
        .map(str::to_owned)
        .collect()
}
