//! `ctr show`: all that is known of an instance.

use serde_json::json;

use super::list::span;
use crate::cli;
use crate::engine::uptime_seconds;
use crate::error::Result;
use crate::instance::session::Session;
use crate::instance::status::Instance;
use crate::spec::InstanceSpec;
use crate::ui::output::{print, printable};

/// Runs `ctr show`.
///
/// # Errors
/// There is no such instance.
pub fn run(args: &cli::Show, session: &Session) -> Result<()> {
    let instance = session.instance(args.name.as_ref())?;
    if args.json {
        session.output.json(&document(&instance));
        return Ok(());
    }
    for (label, text) in rows(&instance, session) {
        let label = session.output.heading(&format!("{label:<12}"));
        print(format!("{label} {}\n", printable(&text)).as_bytes());
    }
    Ok(())
}

/// The fields of the state file, and how the instance fares.
fn document(instance: &Instance) -> serde_json::Value {
    let mut document = match &instance.state {
        Some(state) => serde_json::to_value(state).unwrap_or_default(),
        None => json!({"name": instance.name, "host": instance.host, "base_image": instance.image}),
    };
    document["status"] = json!(instance.status.word());
    document["reason"] = json!(instance.reason);
    document["pid"] = json!(instance.process.as_ref().map(|process| process.pid));
    document["log_out"] = json!(instance.log_out);
    document["log_err"] = json!(instance.log_err);
    document
}

fn rows(instance: &Instance, session: &Session) -> Vec<(&'static str, String)> {
    let mut rows = vec![("name", instance.name.clone())];
    rows.push(("status", instance.condition()));
    rows.push(("host", instance.host.clone()));
    if let Some(process) = &instance.process {
        rows.push(("pid", process.pid.to_string()));
        if let Some(seconds) = uptime_seconds(process) {
            rows.push(("uptime", span(seconds)));
        }
    }
    rows.push(("base image", instance.image.clone()));
    if let Some(state) = &instance.state {
        if let Some(started_at) = &state.started_at {
            rows.push(("started at", started_at.clone()));
        }
        rows.extend(of_setup(&state.spec));
        if !state.shims.is_empty() {
            rows.push(("shims", state.shims.join(" ")));
        }
        rows.push((
            "apptainer",
            format!("{} ({})", state.apptainer, state.apptainer_version),
        ));
        rows.push((
            "state file",
            session.store.file(&instance.name).display().to_string(),
        ));
    }
    rows.push(("output log", instance.log_out.clone()));
    rows.push(("error log", instance.log_err.clone()));
    rows
}

fn of_setup(spec: &InstanceSpec) -> Vec<(&'static str, String)> {
    let mut rows = Vec::new();
    let of = |label: &'static str, list: &[String]| -> Vec<(&'static str, String)> {
        list.iter().map(|text| (label, text.clone())).collect()
    };
    rows.extend(of("overlay", &spec.overlays));
    let switches = [(spec.writable, "writable"), (spec.fakeroot, "fakeroot")];
    let on: Vec<&str> = switches
        .iter()
        .filter(|(on, _)| *on)
        .map(|(_, name)| *name)
        .collect();
    if !on.is_empty() {
        rows.push(("mode", on.join(", ")));
    }
    rows.extend(of("flag", &spec.gpu));
    rows.extend(of("flag", &spec.apptainer_flags));
    rows.extend(of("bind", &spec.bind_paths));
    rows.extend(of("env", &spec.env));
    rows.extend(of("host env", &spec.host_env));
    for withheld in &spec.withheld {
        rows.push((
            "withheld",
            format!("{}: {}", withheld.names.join(" "), withheld.reason),
        ));
    }
    rows.extend(spec.note.iter().map(|note| ("note", note.clone())));
    rows.extend(
        spec.notes
            .iter()
            .map(|(key, note)| ("note", format!("{key}: {note}"))),
    );
    rows
}
