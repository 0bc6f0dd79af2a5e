//! `ctr shim remove`: takes commands of an instance off the caller's `PATH`.

use super::count;
use crate::cli;
use crate::error::{Error, Kind, Result};
use crate::instance::session::Session;
use crate::names::nearest;
use crate::shims;

/// Runs `ctr shim remove`. Nothing is removed when one of them is not there.
///
/// # Errors
/// There is no such instance, or no such shim.
pub fn run(args: &cli::ShimRemove, session: &Session) -> Result<()> {
    let name = session.name(Some(&args.name))?;
    let (_lock, instance) = session.locked(&name)?;
    let instance = instance.ok_or_else(|| session.not_found(name.as_str()))?;
    let mut state = instance.state.unwrap_or_default();
    let (gone, left): (Vec<String>, Vec<String>) =
        state.shims.iter().cloned().partition(|shim| {
            args.all || args.commands.iter().any(|command| command.as_str() == shim)
        });
    let mut named = args.commands.iter().map(|command| command.as_str());
    if let Some(missing) = named.find(|command| !gone.iter().any(|gone| gone == command)) {
        let error = Error::new(Kind::NotFound, format!("`{name}` has no shim `{missing}`"));
        return Err(
            match nearest(missing, state.shims.iter().map(String::as_str)) {
                Some(nearest) => error.hint(format!("did you mean {nearest}?")),
                None => error.hint(format!("`ctr shim list {name}` shows those there are")),
            },
        );
    }
    if gone.is_empty() {
        session.output.note(&format!("`{name}` has no shims"));
        return Ok(());
    }
    state.shims = left;
    session.store.save(&mut state)?;
    shims::withdraw(&state, session)?;
    session.output.note(&format!(
        "`{name}` has {} less: {}",
        count(gone.len()),
        shell_words::join(&gone)
    ));
    Ok(())
}
