//! `ctr env`: prints code that makes an instance active, or leaves it.

use std::path::Path;

use serde_json::json;

use super::activate::{enter, shims, variables};
use super::refresh;
use crate::cli::{self, ShellName};
use crate::env::activation::{self, Change, Statement};
use crate::error::Result;
use crate::host::private_dir;
use crate::instance::session::Session;
use crate::instance::status::{Instance, Status};
use crate::shell;
use crate::ui::calling_shell;
use crate::ui::output::print;

/// Runs `ctr env`. What fails prints code that fails too, in `main`.
///
/// # Errors
/// The instance does not run; there is no private folder for its shims.
pub fn run(args: &cli::Env, session: &Session) -> Result<()> {
    let shell = args
        .shell
        .unwrap_or_else(|| calling_shell::detect(session.context));
    if let Some(held) = &args.hold {
        let statements = activation::hold(&session.context.variables, held);
        let change = Change {
            statements: statements.into_iter().collect(),
            kept: Vec::new(),
        };
        return hand_over(shell, &change, session);
    }
    if args.unset || args.refresh {
        let change = match args.unset {
            true => activation::leave(&session.context.variables),
            false => refresh::run(session)?,
        };
        say_kept(&change, "was changed since, and stays as it is", session);
        return hand_over(shell, &change, session);
    }
    if args.if_running && session.engine.surrounding().is_some() {
        return Ok(());
    }
    let instance = match session.instance(args.name.as_ref()) {
        Ok(instance) if matches!(instance.status, Status::Running | Status::Untracked) => instance,
        _ if args.if_running => return Ok(()),
        Ok(instance) => return Err(session.not_running(&instance)),
        Err(error) => return Err(error),
    };
    if args.json {
        session.output.json(&document(&instance, session)?);
        return Ok(());
    }
    say_withheld(&instance, session);
    let change = enter(&instance, session)?;
    say_kept(&change, "stays as it is", session);
    hand_over(shell, &change, session)
}

/// Prints what the shell is to evaluate: the code itself, or where it is, for a shell that would
/// damage it on the way.
fn hand_over(shell: ShellName, change: &Change, session: &Session) -> Result<()> {
    let code = shell::code(shell, &change.statements);
    if code.is_empty() || !shell::needs_a_file(shell) {
        print(&code);
        return Ok(());
    }
    let content = |file: &Path| shell::self_removing(file, &code);
    let file = private_dir::code_file(session.context, shell::arrives, content)?;
    print(&shell::source(&file));
    Ok(())
}

fn document(instance: &Instance, session: &Session) -> Result<serde_json::Value> {
    let mut set: serde_json::Map<_, _> = variables(instance)
        .into_iter()
        .map(|(key, value)| (key.to_owned(), json!(value)))
        .collect();
    set.insert(activation::INSTANCE.to_owned(), json!(instance.name));
    let left = activation::leave(&session.context.variables);
    let unset: Vec<String> = left
        .statements
        .into_iter()
        .filter_map(|statement| match statement {
            Statement::Unset { name } | Statement::Restore { name, old: None } => Some(name),
            _ => None,
        })
        .filter(|name| !set.contains_key(name))
        .collect();
    let shims = shims(instance, session)?;
    Ok(json!({
        "instance": instance.name,
        "set": set,
        "unset": unset,
        "path_prepend": [shims.folder()],
    }))
}

fn say_kept(change: &Change, how: &str, session: &Session) {
    for name in &change.kept {
        session.output.note(&format!("{name} {how}"));
    }
}

fn say_withheld(instance: &Instance, session: &Session) {
    for withheld in instance.state.iter().flat_map(|state| &state.spec.withheld) {
        let names = withheld.names.join(", ");
        session.output.note(&format!(
            "{names} of {} left out of this shell: {}",
            withheld.file, withheld.reason
        ));
    }
}
