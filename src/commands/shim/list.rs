//! `ctr shim list`: the commands of instances that are on the caller's `PATH`.

use serde_json::json;

use super::{Origin, View, hidden, run_of};
use crate::cli;
use crate::error::Result;
use crate::instance::session::Session;
use crate::instance::status::{Instance, Status};
use crate::shims::{self, Shims};
use crate::ui::output::{Tone, printable};

/// One shim, and where it leads while its instance runs.
struct Row {
    instance: String,
    status: Status,
    command: String,
    /// Its path on this host.
    path: String,
    origin: Option<Origin>,
    /// False where it could not be looked for.
    is_seen: bool,
    hides: Option<String>,
}

/// Runs `ctr shim list`.
///
/// # Errors
/// There is no such instance; the states cannot be told.
pub fn run(args: &cli::ShimList, session: &Session) -> Result<()> {
    let instances = match &args.name {
        Some(name) => vec![session.instance(Some(name))?],
        None => {
            let mut all = session.instances()?;
            session.look_into(&mut all);
            all
        }
    };
    let mut rows = Vec::new();
    for instance in &instances {
        rows.extend(rows_of(instance, session)?);
    }
    match args.json {
        true => session.output.json(&json!({
            "shims": rows.iter().map(document).collect::<Vec<_>>(),
        })),
        false if rows.is_empty() => session.output.note("no shims; `ctr shim add` makes some"),
        false => table(&rows, session),
    }
    Ok(())
}

fn rows_of(instance: &Instance, session: &Session) -> Result<Vec<Row>> {
    let Some(state) = &instance.state else {
        return Ok(Vec::new());
    };
    if state.shims.is_empty() {
        return Ok(Vec::new());
    }
    shims::publish(state, session)?;
    let origins = match instance.status {
        Status::Running => {
            let run = run_of(instance, session)?;
            View::of(instance, &run, session).and_then(|view| view.find(&state.shims))
        }
        _ => Ok(Vec::new()),
    };
    let is_seen = origins.is_ok();
    let mut origins = origins
        .inspect_err(|error| session.output.warn(&error.message))
        .unwrap_or_default()
        .into_iter();
    let shims = Shims::of(session.context, &instance.name)?;
    let row = |command: &String| Row {
        instance: instance.name.clone(),
        status: instance.status,
        path: shims.folder().join(command).display().to_string(),
        origin: origins.next().flatten(),
        is_seen,
        hides: hidden(command, shims.folder(), session.context)
            .map(|path| path.display().to_string()),
        command: command.clone(),
    };
    Ok(state.shims.iter().map(row).collect())
}

fn document(row: &Row) -> serde_json::Value {
    json!({
        "instance": row.instance,
        "status": row.status.word(),
        "command": row.command,
        "path": row.path,
        "inside": row.origin.as_ref().map(|origin| &origin.path),
        "overlay": row.origin.as_ref().and_then(|origin| origin.overlay.as_ref()),
        "hides": row.hides,
    })
}

fn table(rows: &[Row], session: &Session) {
    let cells = |row: &Row| {
        let (runs, tone) = match (&row.origin, row.status) {
            (Some(origin), _) => (origin.path.clone(), Tone::Plain),
            (None, Status::Running) if row.is_seen => ("is not there".to_owned(), Tone::Bad),
            (None, Status::Running) => ("cannot be seen".to_owned(), Tone::Unsure),
            (None, status) => (status.word().to_owned(), status.tone()),
        };
        let hides = row.hides.as_deref().unwrap_or("-");
        vec![
            (row.instance.clone(), Tone::Plain),
            (printable(&row.command), Tone::Plain),
            (printable(&runs), tone),
            (printable(hides), Tone::Faint),
        ]
    };
    let rows: Vec<_> = rows.iter().map(cells).collect();
    session
        .output
        .table(&["INSTANCE", "COMMAND", "RUNS", "HIDES"], &rows);
}
