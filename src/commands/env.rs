//! `ctr env`: prints code that makes an instance active, or leaves it.

use std::ffi::OsStr;

use serde_json::json;

use crate::activation::{self, Change};
use crate::cli;
use crate::error::{Error, Kind, Result};
use crate::output::print;
use crate::runtime;
use crate::session::Session;
use crate::shell;
use crate::status::{Instance, Status};

/// Runs `ctr env`. What fails prints code that fails too, in `main`.
///
/// # Errors
/// The instance does not run; there is no private folder for its shims.
pub fn run(args: &cli::Env, session: &Session) -> Result<()> {
    let shell = args.shell.unwrap_or_else(|| shell::detect(session.context));
    if args.unset {
        let change = activation::leave(&session.context.variables);
        say_kept(&change, "was changed since, and stays as it is", session);
        print(&shell::code(shell, &change.statements));
        return Ok(());
    }
    let instance = match session.instance(args.name.as_ref()) {
        Ok(instance) if matches!(instance.status, Status::Running | Status::Untracked) => instance,
        _ if args.if_running => return Ok(()),
        Ok(instance) => return Err(session.not_running(&instance)),
        Err(error) => return Err(error),
    };
    if session.engine.is_inside_an_instance() {
        return Err(Error::new(
            Kind::Usage,
            "an instance cannot be made active inside another",
        )
        .hint("leave this one first"));
    }
    let set: Vec<(&str, &str)> = variables(&instance);
    let shims = runtime::shim_folder(session.context, &instance.name)?;
    if args.json {
        session
            .output
            .json(&document(&instance, &set, &shims, session));
        return Ok(());
    }
    say_withheld(&instance, session);
    let (callers, place) = (&session.context.variables, &session.context.place);
    let change = activation::enter(callers, &instance.name, place, set, OsStr::new(&shims));
    say_kept(&change, "stays as it is", session);
    print(&shell::code(shell, &change.statements));
    Ok(())
}

/// The instance's variables that make sense on the host.
fn variables(instance: &Instance) -> Vec<(&str, &str)> {
    instance
        .state
        .as_ref()
        .map_or_else(Vec::new, |state| state.setup.host_variables().collect())
}

fn document(
    instance: &Instance,
    set: &[(&str, &str)],
    shims: &std::path::Path,
    session: &Session,
) -> serde_json::Value {
    let mut all: serde_json::Map<_, _> = set
        .iter()
        .map(|(key, value)| ((*key).to_owned(), json!(value)))
        .collect();
    all.insert(activation::INSTANCE.to_owned(), json!(instance.name));
    let left = activation::leave(&session.context.variables);
    let unset: Vec<String> = left
        .statements
        .into_iter()
        .filter_map(|statement| match statement {
            activation::Statement::Unset { name } if !all.contains_key(&name) => Some(name),
            _ => None,
        })
        .collect();
    json!({
        "instance": instance.name,
        "set": all,
        "unset": unset,
        "path_prepend": [shims],
    })
}

fn say_kept(change: &Change, how: &str, session: &Session) {
    for name in &change.kept {
        session.output.note(&format!("{name} {how}"));
    }
}

fn say_withheld(instance: &Instance, session: &Session) {
    for withheld in instance
        .state
        .iter()
        .flat_map(|state| &state.setup.withheld)
    {
        let names = withheld.names.join(", ");
        session.output.note(&format!(
            "{names} of {} left out of this shell: {}",
            withheld.file, withheld.reason
        ));
    }
}
