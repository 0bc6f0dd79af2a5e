//! `ctr env`: prints code that makes an instance active, or leaves it.

use std::path::Path;

use serde_json::json;

use super::activate::{enter, shims, variables};
use super::refresh;
use crate::cli::{self, ShellName};
use crate::env::activation::{self, Change, Statement};
use crate::error::Result;
use crate::host::context::Context;
use crate::instance::session::Session;
use crate::instance::status::{Instance, Status};
use crate::private_dir;
use crate::shell;
use crate::ui::calling_shell;
use crate::ui::output::{Output, print};

/// What is said of a variable that is not given back.
const CHANGED: &str = "was changed since, and stays as it is";

/// Runs `ctr env`. What fails prints code that fails too, in `main`.
///
/// # Errors
/// The instance does not run; there is no private folder for its shims.
pub fn run(args: &cli::Env, session: &Session) -> Result<()> {
    let shell = shell_of(args, session.context);
    if args.refresh {
        let change = refresh::run(session)?;
        say_kept(&change, CHANGED, session.output);
        return hand_over(shell, &change, session.context);
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
    say_kept(&change, "stays as it is", session.output);
    hand_over(shell, &change, session.context)
}

/// True for what needs no instance and no file of the home: the shell itself remembers it.
pub fn is_of_the_shell(args: &cli::Env) -> bool {
    args.unset || args.hold.is_some()
}

/// Prints code that gives the shell back what it had, or puts it aside.
///
/// # Errors
/// There is no private folder, for a shell that needs one.
pub fn give_back(args: &cli::Env, context: &Context, output: Output) -> Result<()> {
    let change = match &args.hold {
        Some(held) => Change {
            statements: activation::hold(&context.variables, held)
                .into_iter()
                .collect(),
            kept: Vec::new(),
        },
        None => activation::leave(&context.variables),
    };
    say_kept(&change, CHANGED, output);
    hand_over(shell_of(args, context), &change, context)
}

fn shell_of(args: &cli::Env, context: &Context) -> ShellName {
    let named = args.shell;
    named.unwrap_or_else(|| calling_shell::detect(context))
}

/// Prints what the shell is to evaluate: the code itself, or where it is, for a shell that would
/// damage it on the way.
fn hand_over(shell: ShellName, change: &Change, context: &Context) -> Result<()> {
    let code = shell::code(shell, &change.statements);
    if code.is_empty() || !shell::needs_a_file(shell) {
        print(&code);
        return Ok(());
    }
    let content = |file: &Path| shell::self_removing(file, &code);
    let file = private_dir::code_file(context, shell::arrives, content)?;
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

fn say_kept(change: &Change, how: &str, output: Output) {
    for name in &change.kept {
        output.note(&format!("{name} {how}"));
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
