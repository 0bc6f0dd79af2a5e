//! `ctr prune`: removes the state of instances that are gone on this host, and nothing else; with
//! `--force` also of those that cannot be judged from here.

use crate::cli;
use crate::error::Result;
use crate::instance::session::Session;
use crate::instance::status::{Instance, Status};
use crate::shims;

/// Runs `ctr prune`.
///
/// # Errors
/// A state file cannot be removed.
pub fn run(args: &cli::Prune, session: &Session) -> Result<()> {
    let mut instances = session.instances()?;
    let is_meant = |instance: &Instance| match instance.status {
        Status::Dead => true,
        Status::Elsewhere => args.force && instance.host == session.context.host,
        _ => false,
    };
    instances.retain(is_meant);
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
        let Some(now) = now.filter(is_meant) else {
            continue;
        };
        session.end_what_is_left(&now)?;
        session.store.remove(name)?;
        if now.status == Status::Dead {
            session.engine.forget(name);
        }
        shims::remove_all(session.context, &checked);
        session
            .output
            .note(&format!("`{name}` is removed: {reason}"));
    }
    Ok(())
}
