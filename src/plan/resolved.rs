//! What resolving a request comes to: everything that a plan is made from.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::{AtTop, Form};

use crate::names::Assignment;
use crate::spec::Withheld;

/// Everything that a start needs to know of the machine, as `resolve` found it.
#[derive(Debug, Clone)]
pub struct Resolved {
    pub name: String,
    pub base_image: BaseImage,
    /// In the order in which they were given.
    pub overlays: Vec<Overlay>,
    /// All binds, repeats dropped.
    pub binds: Vec<String>,
    /// Those of them that nobody asked for.
    pub implicit_binds: Vec<String>,
    /// Of the host, each bound over what an image or overlay has of that name at its top.
    pub host_folders: Vec<String>,
    /// The links at the top of the host, by name, with what they say.
    pub host_links: BTreeMap<String, String>,
    /// The one that only comes from where the start is made.
    pub working_folder: Option<String>,
    /// The folder that the start is made in, whole.
    pub start_folder: Option<String>,
    /// The configuration of Apptainer; empty for that of its installation.
    pub config_file: Option<String>,
    /// From the configuration, from files that were named, then from `-e`; weakest first.
    pub environment: Vec<Assignment>,
    /// Those of them that stay out of the host's shell.
    pub withheld: Vec<Withheld>,
    /// What may not be meant as it is written in those files, a line each.
    pub doubts: Vec<String>,
    /// From `--note`.
    pub notes: Vec<Assignment>,
    /// Apptainer's flags for the GPUs to bring in.
    pub gpu: Vec<String>,
    /// True when `-f` was given.
    pub fakeroot: bool,
    /// True when `-w` was given.
    pub writable: bool,
    pub apptainer_flags: Vec<String>,
    /// How many instances the caller is inside of already.
    pub nesting: u32,
    /// The user's id, to compare with the owner of an ext3 overlay.
    pub uid: u32,
}

/// A base image, as configured and as Apptainer starts it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BaseImage {
    /// What is remembered: a path, a URI, or `hostos`.
    pub label: String,
    /// What Apptainer is given.
    pub file: String,
}

/// One overlay, and what is inside.
#[derive(Debug, Clone)]
pub struct Overlay {
    pub path: PathBuf,
    pub content: Content,
    /// What it says of variables itself; weaker than the sidecar.
    pub embedded: Vec<Sidecar>,
    /// What it has at its top, but for `/cnt`.
    pub at_top: Vec<AtTop>,
    pub sidecar: Option<Sidecar>,
}

impl Overlay {
    /// What it says of variables, weakest first: what is in it, less what its sidecar sets, then that.
    pub fn says(&self) -> impl Iterator<Item = Sidecar> {
        let stronger = self.sidecar.iter().flat_map(|sidecar| &sidecar.variables);
        let stronger: Vec<&str> = stronger.map(|variable| variable.key.as_str()).collect();
        let weaken = move |embedded: &Sidecar| {
            let mut weaker = embedded.clone();
            // Each `PATH` goes before the one so far.
            let stays =
                |one: &Assignment| one.key == "PATH" || !stronger.contains(&one.key.as_str());
            weaker.variables.retain(stays);
            weaker
        };
        let embedded = self.embedded.iter().map(weaken);
        embedded.chain(self.sidecar.iter().cloned())
    }

    /// What of it may not be there inside, a line each; `host_folders` are those that are bound over
    /// what it has at its top.
    pub fn doubts(&self, host_folders: &[String]) -> impl Iterator<Item = String> {
        let path = self.path.display();
        let unread = match &self.content {
            Content::Squashfs {
                unread: Some(why),
                bin_folders,
            } => Some(format!(
                "cannot look into {path} ({why}): its programs are taken to be in {}",
                bin_folders.join(", ")
            )),
            _ => None,
        };
        let hidden = self
            .at_top
            .iter()
            .filter(|at| at.form != Form::EmptyFolder && host_folders.contains(&at.name));
        let hidden: Vec<String> = hidden.map(|at| format!("/{}", at.name)).collect();
        let hidden = (!hidden.is_empty()).then(|| {
            format!(
                "{path} has {}, which the host's own hides under `hostos`: \
                 choose a base image with -b, or pack it with all below /cnt/NAME/VERSION",
                hidden.join(", ")
            )
        });
        unread.into_iter().chain(hidden)
    }
}

/// The two kinds of overlays.
#[derive(Debug, Clone)]
pub enum Content {
    /// Read-only, with the folders of programs that it brings, weakest first.
    Squashfs {
        bin_folders: Vec<String>,
        /// Why it could not be looked into: its programs are where its name says.
        unread: Option<String>,
    },
    /// An image that can be written.
    Ext3 {
        writable: bool,
        /// Owner of `/upper` inside; `None` when there is no such folder yet.
        owner: Option<u32>,
    },
}

/// A file of variables and notes beside an overlay.
#[derive(Debug, Clone, Default)]
pub struct Sidecar {
    pub path: PathBuf,
    pub variables: Vec<Assignment>,
    pub notes: Vec<Assignment>,
    /// The variables that are for the host's shell too, whatever their value.
    pub for_host: Vec<String>,
    /// What of it was left out, a line each.
    pub ignored: Vec<String>,
    /// Why its variables stay out of the host's shell; `None` when it is trusted.
    pub distrust: Option<String>,
}
