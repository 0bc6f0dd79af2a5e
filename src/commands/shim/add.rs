//! `ctr shim add`: puts commands of an instance on the caller's `PATH`.

use std::path::Path;

use super::{View, count, hidden, how_to_activate, is_on_path, run_of};
use crate::cli;
use crate::engine::not_there;
use crate::error::{Error, Kind, Result};
use crate::instance::session::Session;
use crate::instance::status::{Instance, Status};
use crate::names::{CommandName, nearest};
use crate::shims::{self, Shims};

/// Runs `ctr shim add`. Nothing is added when one of the commands cannot be.
///
/// # Errors
/// It does not run, or was started without `ctr`; it has no such command; something is in the place of
/// a shim; there is no private folder on this host.
pub fn run(args: &cli::ShimAdd, session: &Session) -> Result<()> {
    let instance = session.instance(Some(&args.name))?;
    let name = &instance.name;
    check(&instance, session)?;
    let commands = choose(args, &instance, session)?;
    let shims = Shims::of(session.context, name)?;
    for command in &commands {
        shims.check_place(command)?;
    }

    let (_lock, now) = session.locked(&instance.checked_name()?)?;
    let state = now.and_then(|now| now.state);
    let mut state = state.ok_or_else(|| session.not_found(name))?;
    let new: Vec<String> = commands
        .into_iter()
        .filter(|command| !state.has_shim(command))
        .collect();
    state.shims.extend_from_slice(&new);
    state.shims.sort_unstable();
    session.store.save(&mut state)?;
    shims::publish(&state, session)?;
    say(&new, &instance, shims.folder(), session);
    Ok(())
}

fn check(instance: &Instance, session: &Session) -> Result<()> {
    match instance.status {
        Status::Running => Ok(()),
        Status::Untracked => {
            let message = format!("`{}` was started without ctr", instance.name);
            Err(Error::new(Kind::NotFound, message).hint("stop it, and start it with ctr"))
        }
        _ => Err(session.not_running(instance)),
    }
}

/// The commands that are meant, each of which is there.
fn choose(args: &cli::ShimAdd, instance: &Instance, session: &Session) -> Result<Vec<String>> {
    let name = &instance.name;
    let run = run_of(instance, session)?;
    let view = View::of(instance, &run, session)?;
    if args.all {
        let mut commands = view.of_overlays()?;
        commands.retain(|command| command.parse::<CommandName>().is_ok());
        if commands.is_empty() {
            let message = format!("no overlay of `{name}` brought a command");
            let hint = format!("name those you want: ctr shim add {name} COMMAND");
            return Err(Error::new(Kind::NotFound, message).hint(hint));
        }
        return Ok(commands);
    }
    let mut commands: Vec<String> = args
        .commands
        .iter()
        .map(|command| command.as_str().to_owned())
        .collect();
    commands.sort_unstable();
    commands.dedup();
    let paths = view.paths(&commands)?;
    let missing = commands.iter().zip(&paths).find(|(_, path)| path.is_none());
    let Some((missing, _)) = missing else {
        return Ok(commands);
    };
    let mut error = not_there(missing.as_ref(), name);
    error.status = None;
    let others = view.of_overlays()?;
    let nearest = nearest(missing, others.iter().map(String::as_str));
    Err(match nearest {
        Some(nearest) => error.hint(format!("did you mean {nearest}?")),
        None => error,
    })
}

fn say(new: &[String], instance: &Instance, folder: &Path, session: &Session) {
    let name = &instance.name;
    let (context, output) = (session.context, session.output);
    if new.is_empty() {
        output.note(&format!("`{name}` has them already"));
        return;
    }
    output.note(&format!(
        "`{name}` has {} more: {}",
        count(new.len()),
        shell_words::join(new)
    ));
    let hidden: Vec<String> = new
        .iter()
        .filter_map(|command| hidden(command, folder, context))
        .map(|path| path.display().to_string())
        .collect();
    // A login shell may have an instance active, and a `PATH` of its own.
    let is_on_path = is_on_path(folder, context);
    if !is_on_path {
        let how = how_to_activate(name, context);
        output.note(&format!("to have them on PATH, {how}"));
    }
    if !hidden.is_empty() {
        let hide = if is_on_path { "they" } else { "there they" };
        output.note(&format!("{hide} hide {}", shell_words::join(&hidden)));
    }
}
