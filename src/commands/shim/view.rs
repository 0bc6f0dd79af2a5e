//! The commands of a running instance, as shims need to know them: where each is inside, and which
//! overlay brought it.

use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::commands::{running, way};
use crate::engine::{Direct, Inside, Learn, Run};
use crate::error::{Error, Kind, Result};
use crate::resolve;
use crate::session::Session;
use crate::status::Instance;

/// A program that says `PATH` is run from here.
const ROOT: &str = "/";

/// A look at the commands of an instance.
pub struct View<'a> {
    direct: Option<Direct<'a>>,
    inside: Inside,
    search: String,
    /// Each overlay, the last first, and its folders of programs.
    overlays: Vec<(String, Vec<String>)>,
    base: String,
}

/// Where a command is inside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// Its path inside.
    pub path: String,
    /// The file of the overlay that brought it; `None` for one of the base image.
    pub overlay: Option<String>,
    pub base: String,
}

impl Origin {
    /// What it came from, in words.
    pub fn source(&self) -> String {
        match &self.overlay {
            Some(overlay) => overlay.clone(),
            None => format!("the base image ({})", self.base),
        }
    }
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
        let unseen = || Error::new(Kind::Engine, format!("cannot look into `{name}`"));
        let inside = running::inside(instance, session).ok_or_else(unseen)?;
        let direct = way::direct(run, instance, Learn::IfNeeded, session).ok();
        if direct.is_none() && !inside.can_be_seen() {
            return Err(unseen());
        }
        let search = match &direct {
            Some(direct) => direct.path(),
            None => session.engine.image_path(run).ok_or_else(unseen)?,
        };
        let setup = instance.state.as_ref().map(|state| &state.setup);
        let overlays = setup.map_or(&[][..], |setup| setup.overlays.as_slice());
        let brought = |overlay: &String| {
            // What is gone from the disk is inside all the same, and is not known by its name.
            let folders = resolve::bin_folders(overlay, session.memory);
            (overlay.clone(), folders.unwrap_or_default())
        };
        Ok(View {
            direct,
            inside,
            search,
            overlays: overlays.iter().rev().map(brought).collect(),
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

    /// The names of all the programs that overlays brought, in order.
    pub fn brought(&self) -> Result<Vec<String>> {
        let folders = self.overlays.iter().flat_map(|(_, folders)| folders);
        let search = folders.map(String::as_str).collect::<Vec<_>>().join(":");
        if search.is_empty() {
            return Ok(Vec::new());
        }
        self.look(|inside| inside.programs("", Path::new(ROOT), &search))
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
        let holds = |folders: &[String]| folders.iter().any(|one| Some(Path::new(one)) == folder);
        let overlay = self.overlays.iter().find(|(_, folders)| holds(folders));
        Origin {
            overlay: overlay.map(|(overlay, _)| overlay.clone()),
            base: self.base.clone(),
            path,
        }
    }
}
