//! `ctr restart`: starts again with exactly the saved setup.

use std::path::Path;

use super::start::{self, Before, launch};
use super::stop::each;
use crate::cli;
use crate::engine::StopMode;
use crate::error::{Error, Kind, Result};
use crate::instance::session::Session;
use crate::instance::status::{Instance, Status};
use crate::resolve;

/// Runs `ctr restart`.
///
/// # Errors
/// Nothing matched, or one of them could not be started; the others are.
pub fn run(args: &cli::Restart, session: &Session) -> Result<()> {
    let (chosen, missing) = if args.patterns.is_empty() {
        (vec![session.instance(None)?], Vec::new())
    } else {
        session.matching(&args.patterns)?
    };
    each(&chosen, missing, "restarted", session, |instance| {
        restart(instance, session).map(|()| "is running".to_owned())
    })
}

/// Restarts one. Everything it names is checked before the old instance is stopped, and its
/// state stays when the start fails.
///
/// # Errors
/// It was not started by `ctr`, is elsewhere, names what is gone, or cannot be started.
pub fn restart(chosen: &Instance, session: &Session) -> Result<()> {
    let name = chosen.checked_name()?;
    let (_lock, instance) = session.locked(&name)?;
    let instance = instance.ok_or_else(|| session.not_found(name.as_str()))?;
    if instance.status == Status::Elsewhere {
        return Err(session.not_running(&instance));
    }
    session.end_what_is_left(&instance)?;
    let state = instance.state.ok_or_else(|| {
        let message = format!("`{name}` was started without ctr: its setup is not known");
        Error::new(Kind::NotFound, message).hint("stop it, and start it with ctr")
    })?;
    let mut spec = state.spec.clone();
    let base_image = start::resolving(session, Some(&name), false, |around| {
        resolve::again(&mut spec, around)
    })?;
    start::check(&spec, session)?;
    if let Some(folder) = spec.start_folder.as_deref() {
        if !Path::new(folder).is_dir() {
            session.output.warn(&format!(
                "{folder}, where `{name}` was started, is gone: it is started here"
            ));
        }
    }
    let before = Before {
        generation: state.generation,
        shims: state.shims.clone(),
        kept: Some(state),
    };
    launch(spec, &base_image.file, before, session, || {
        match &instance.process {
            Some(process) => {
                let manner = StopMode::default();
                session.engine.stop(name.as_str(), process, &manner)?;
            }
            None => session.engine.forget(name.as_str()),
        }
        Ok(())
    })
}
