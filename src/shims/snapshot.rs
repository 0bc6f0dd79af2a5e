//! What a shim reads instead of the state and the configuration, which are on a home that may hang: a
//! copy of both on this host, made anew whenever `ctr` has seen the originals. It holds for one
//! process of the instance; with another it is worth nothing.

use std::collections::BTreeMap;
use std::fs::File;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{Shims, everywhere, program};
use crate::bounds::RECORD;
use crate::config::{Config, Join};
use crate::engine;
use crate::error::Result;
use crate::host::context::{Context, OfShim};
use crate::host::regular_file;
use crate::instance::session::Session;
use crate::private_dir;
use crate::shim_call::ShimCall;
use crate::state::State;

/// The copy.
#[derive(Debug, Serialize, Deserialize)]
pub struct Snapshot {
    pub state: State,
    /// What tells the Apptainer that was there from others.
    pub apptainer: String,
    join: Join,
    scrub: Vec<String>,
    /// What tells `ctr` where its files are, as variables.
    variables: BTreeMap<String, String>,
}

impl Snapshot {
    /// The snapshot that a shim finds; `None` when there is none, or it is not this user's own.
    pub fn read(called: &ShimCall, uid: u32) -> Option<Self> {
        serde_json::from_slice(&own_file(&Shims::around(called).snapshot, uid)?).ok()
    }

    /// True when all that a command of this name needs may be in it.
    pub fn serves(&self, command: &str) -> bool {
        self.join != Join::Apptainer && self.state.has_shim(command)
    }

    /// The settings that matter to a command, as they were.
    pub fn config(&self, context: &Context) -> Config {
        let mut config = Config::defaults(context);
        config.join.value = self.join;
        config.scrub.value.clone_from(&self.scrub);
        config.apptainer.value = Some(PathBuf::from(&self.state.apptainer));
        config
    }
}

impl ShimCall {
    /// The caller's surroundings, with `ctr`'s own settings as they were when the snapshot was made, and
    /// Apptainer's records where they are.
    pub fn surroundings(&self, context: Context, snapshot: Option<&Snapshot>) -> Context {
        let shim = OfShim {
            variables: snapshot.map(|snapshot| snapshot.variables.clone()),
            private_folder: self.private_folder.clone(),
        };
        let mut context = Context {
            shim: Some(shim),
            ..context
        };
        if let Some(snapshot) = snapshot {
            let state = &snapshot.state;
            let config_file = state.spec.config_file.as_deref();
            engine::use_installation_of(&mut context, Path::new(&state.log_out), config_file);
        }
        context
    }
}

/// Brings the shims of an instance, and what they read, in line with its state, unless one that saw a
/// newer state was here.
///
/// # Errors
/// There is no private folder on this host, or it cannot be written.
pub fn publish(state: &State, session: &Session) -> Result<()> {
    let (context, name) = (session.context, state.spec.name.as_str());
    if state.shims.is_empty() {
        everywhere(context, name).for_each(|shims| shims.clear());
        return Ok(());
    }
    let shims = Shims::of(context, name)?;
    let snapshot = Snapshot {
        apptainer: session.engine.apptainer().unwrap_or_default(),
        join: session.config.join.value,
        scrub: session.config.scrub.value.clone(),
        variables: variables(session),
        state: state.clone(),
    };
    let bytes = serde_json::to_vec(&snapshot).unwrap_or_default();
    let there = own_file(&shims.snapshot, context.uid);
    let is_there = there.as_ref() == Some(&bytes);
    if !is_there && there.is_some_and(|there| is_newer(&there, state)) {
        return Ok(());
    }
    let is_changed = shims.sync(&state.shims, || program::path(context))?;
    if !is_there {
        private_dir::make(shims.snapshot.parent().unwrap_or(&shims.snapshot))?;
        private_dir::write(&shims.snapshot, &bytes)?;
    }
    // Whoever stops it removes the state first, and then these.
    if (is_changed || !is_there) && matches!(session.store.load(name), Ok(None)) {
        shims.remove();
    }
    Ok(())
}

/// Takes shims off `PATH` everywhere: shells of other sessions may have theirs in another folder.
///
/// # Errors
/// A folder cannot be written.
pub fn withdraw(state: &State, session: &Session) -> Result<()> {
    for shims in everywhere(session.context, &state.spec.name) {
        if shims.folder().is_dir() {
            shims.sync(&state.shims, || program::path(session.context))?;
        }
    }
    publish(state, session)
}

/// True for a snapshot of the same process that was made of a later state.
fn is_newer(snapshot: &[u8], than: &State) -> bool {
    let read: Option<Snapshot> = serde_json::from_slice(snapshot).ok();
    read.is_some_and(|snapshot| {
        let there = snapshot.state;
        there.process == than.process && there.generation > than.generation
    })
}

/// The variables of [`OfShim::KEPT`] that say where `ctr` finds its files now, defaults included.
fn variables(session: &Session) -> BTreeMap<String, String> {
    let context = session.context;
    let folders = [
        ("CTR_STATE_DIR", session.store.root().to_owned()),
        ("XDG_CONFIG_HOME", context.config_home()),
        ("XDG_CACHE_HOME", context.cache_home()),
    ];
    let folders = folders
        .into_iter()
        .filter_map(|(name, folder)| Some((name, folder.into_os_string().into_string().ok()?)));
    let set = ["CTR_CONFIG", "CTR_APPTAINER"]
        .into_iter()
        .filter_map(|name| Some((name, context.setting(name)?.to_owned())));
    folders
        .chain(set)
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

/// What a private file of this user says.
fn own_file(path: &Path, uid: u32) -> Option<Vec<u8>> {
    let flags = nix::libc::O_NOFOLLOW | nix::libc::O_NONBLOCK;
    let file = File::options().read(true).custom_flags(flags).open(path);
    let file = file.ok()?;
    let metadata = file.metadata().ok()?;
    if metadata.uid() != uid || metadata.mode() & 0o077 != 0 {
        return None;
    }
    regular_file::whole(file, RECORD).ok()
}
