//! `ctr list`: the instances, and how they fare.

use std::time::Duration;

use serde_json::json;

use crate::cli;
use crate::engine::uptime_seconds;
use crate::error::{Error, Result};
use crate::instance::all::Seen;
use crate::instance::session::Session;
use crate::instance::status::Instance;
use crate::names::{Pattern, last_part};
use crate::ui::output::{Tone, print, printable};

/// Runs `ctr list`.
///
/// # Errors
/// The states cannot be told; what is known without them is shown.
pub fn run(args: &cli::List, session: &Session) -> Result<()> {
    let Seen {
        mut instances,
        faults,
    } = session.see(args.all_hosts);
    let covers = |pattern: &Pattern, name: &str| pattern.matches(name);
    instances.retain(|instance| {
        args.pattern
            .as_ref()
            .is_none_or(|p| covers(p, &instance.name))
    });
    if !args.names {
        session.look_into(&mut instances);
    }
    let active = session.active();
    if args.names {
        let lines: String = instances.iter().map(|i| format!("{}\n", i.name)).collect();
        print(lines.as_bytes());
    } else if args.json {
        let documents: Vec<_> = instances
            .iter()
            .map(|i| document(i, active.as_deref(), session))
            .collect();
        let mut document = json!({ "instances": documents });
        if let Some(fault) = faults.first() {
            document["error"] = fault.to_json()["error"].take();
        }
        session.output.json(&document);
    } else if instances.is_empty() && faults.is_empty() {
        session
            .output
            .note(&match (&args.pattern, session.engine.surrounding()) {
                (Some(pattern), _) => format!("no instance matches `{}`", pattern.as_str()),
                (None, Some(_)) => "no instances can be seen from in here".to_owned(),
                (None, None) => "no instances; `ctr start NAME` starts one".to_owned(),
            });
    } else if !instances.is_empty() {
        let header = ["NAME", "STATUS", "PID", "UPTIME", "IMAGE", "OVERLAYS"];
        let rows: Vec<_> = instances
            .iter()
            .map(|i| row(i, active.as_deref(), session))
            .collect();
        session.output.table(&header, &rows);
    }
    incomplete(faults, session)
}

/// Fails when something kept instances from being told, after all that is known was shown.
fn incomplete(mut faults: Vec<Error>, session: &Session) -> Result<()> {
    let Some(last) = faults.pop() else {
        return Ok(());
    };
    faults.iter().for_each(|fault| session.output.error(fault));
    session.output.error(&last);
    Err(last.reported())
}

/// A span of time in its two largest units, as `2h 5m`.
pub fn span(seconds: u64) -> String {
    let text = humantime::format_duration(Duration::from_secs(seconds)).to_string();
    text.split(' ').take(2).collect::<Vec<_>>().join(" ")
}

/// An instance of another host may have the name of the active one.
fn is_active(instance: &Instance, active: Option<&str>, session: &Session) -> bool {
    instance.host == session.context.host && active == Some(instance.name.as_str())
}

fn document(instance: &Instance, active: Option<&str>, session: &Session) -> serde_json::Value {
    let spec = instance.state.as_ref().map(|state| &state.spec);
    json!({
        "name": instance.name,
        "status": instance.status.word(),
        "reason": instance.reason,
        "pid": instance.process.as_ref().map(|process| process.pid),
        "host": instance.host,
        "started_at": instance.state.as_ref().and_then(|state| state.started_at.clone()),
        "uptime_seconds": instance.process.as_ref().and_then(uptime_seconds),
        "base_image": instance.image,
        "overlays": spec.map_or(&[][..], |spec| spec.overlays.as_slice()),
        "active": is_active(instance, active, session),
        "tracked": instance.state.is_some(),
    })
}

fn row(instance: &Instance, active: Option<&str>, session: &Session) -> Vec<(String, Tone)> {
    let plain = |text: String| (text, Tone::Plain);
    let or_dash = |text: Option<String>| plain(text.unwrap_or_else(|| "-".into()));
    let mark = if is_active(instance, active, session) {
        " *"
    } else {
        ""
    };
    let overlays: Vec<String> = instance
        .state
        .iter()
        .flat_map(|state| &state.spec.overlays)
        .map(|overlay| printable(last_part(overlay)))
        .collect();
    vec![
        plain(format!("{}{mark}", instance.name)),
        (printable(&instance.condition()), instance.status.tone()),
        or_dash(
            instance
                .process
                .as_ref()
                .map(|process| process.pid.to_string()),
        ),
        or_dash(instance.process.as_ref().and_then(uptime_seconds).map(span)),
        plain(printable(last_part(&instance.image))),
        or_dash(Some(overlays.join(" ")).filter(|text| !text.is_empty())),
    ]
}
