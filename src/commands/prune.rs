//! `ctr prune`: removes the state of instances that are gone on this host, and nothing else.

use crate::cli;
use crate::error::Result;
use crate::session::Session;
use crate::shims;
use crate::status::Status;

/// Runs `ctr prune`.
///
/// # Errors
/// A state file cannot be removed.
pub fn run(args: &cli::Prune, session: &Session) -> Result<()> {
    let mut instances = session.instances(false)?;
    instances.retain(|instance| instance.status == Status::Dead);
    if instances.is_empty() {
        session
            .output
            .note("nothing to remove: no instance is dead");
    }
    for instance in instances {
        let (name, reason) = (&instance.name, &instance.reason);
        if !instance.is_known_here() {
            session.output.note(&format!(
                "`{name}` stays: its file does not say on which host it ran; `ctr stop {name}` removes it"
            ));
            continue;
        }
        if args.dry_run {
            session
                .output
                .note(&format!("`{name}` would be removed: {reason}"));
            continue;
        }
        let checked = instance.checked_name()?;
        let (_lock, now) = session.locked(&checked)?;
        if now.is_none_or(|now| now.status != Status::Dead) {
            continue;
        }
        session.store.remove(name)?;
        session.engine.forget(name);
        shims::remove_all(session.context, &checked);
        session
            .output
            .note(&format!("`{name}` is removed: {reason}"));
    }
    Ok(())
}
