//! `ctr shim`: which commands of an instance are on the caller's `PATH`.

mod add;
mod list;
mod remove;
mod view;

use std::path::{Path, PathBuf};

use crate::cli::{self, ShimAction};
use crate::engine::answers;
use crate::error::Result;
use crate::host::context::Context;
use crate::instance::session::Session;
use crate::shell;
use crate::ui::calling_shell;

pub use view::{Origin, View, run_of};

/// Runs `ctr shim`.
///
/// # Errors
/// Those of its parts.
pub fn run(args: &cli::Shim, session: &Session) -> Result<()> {
    match &args.action {
        ShimAction::Add(args) => add::run(args, session),
        ShimAction::List(args) => list::run(args, session),
        ShimAction::Remove(args) => remove::run(args, session),
    }
}

/// The program of the host that a shim of this name in `folder` stands before, or would if that was on
/// `PATH`.
pub fn hidden(command: &str, folder: &Path, context: &Context) -> Option<PathBuf> {
    let program = answers::find_program(command, context)?;
    let place = |folder: &Path| context.path_folders().position(|member| member == folder);
    let is_before = place(folder) <= place(program.parent()?); // nowhere counts as before all
    is_before.then_some(program)
}

/// True when commands are looked for in a folder.
pub fn is_on_path(folder: &Path, context: &Context) -> bool {
    context.path_folders().any(|member| member == folder)
}

/// How the caller's shell makes an instance active.
pub fn how_to_activate(name: &str, context: &Context) -> String {
    let shell = calling_shell::detect(context);
    format!(
        "make it active: {}",
        shell::evaluation(&format!("env {name}"), shell)
    )
}

/// `1 shim`, `2 shims`.
fn count(number: usize) -> String {
    match number {
        1 => "1 shim".to_owned(),
        several => format!("{several} shims"),
    }
}
