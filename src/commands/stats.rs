//! `ctr stats`: what instances use.

use std::thread::sleep;
use std::time::Duration;

use serde_json::json;

use super::list::span;
use crate::cli;
use crate::engine::{Process, Stats};
use crate::error::Result;
use crate::instance::session::Session;
use crate::instance::status::Instance;
use crate::ui::output::{Tone, print};

/// Time over which CPU use is measured.
const SAMPLE: Duration = Duration::from_millis(200);
/// Time between two tables of `--watch`.
const REDRAW: Duration = Duration::from_secs(2);
/// Puts the cursor home and clears what is below it.
const CLEAR: &[u8] = b"\x1b[H\x1b[J";

/// Runs `ctr stats`.
///
/// # Errors
/// A name that is not there or does not run.
pub fn run(args: &cli::Stats, session: &Session) -> Result<()> {
    if !args.watch {
        show(&measure(args, SAMPLE, session)?, args.json, session);
        return Ok(());
    }
    let mut wait = SAMPLE;
    loop {
        let measured = measure(args, wait, session)?;
        if session.context.terminals.stdout {
            print(CLEAR);
        }
        show(&measured, false, session);
        wait = REDRAW;
    }
}

/// What each chosen instance uses, its CPU over the time `over`. One that ends meanwhile drops out.
fn measure(args: &cli::Stats, over: Duration, session: &Session) -> Result<Vec<(String, Stats)>> {
    let processes: Vec<(String, Process)> = choose(args, session)?
        .into_iter()
        .filter_map(|instance| Some((instance.name, instance.process?)))
        .collect();
    let before: Vec<_> = processes
        .iter()
        .map(|(name, process)| session.engine.usage(name, process))
        .collect();
    sleep(over);
    Ok(processes
        .into_iter()
        .zip(before)
        .filter_map(|((name, process), before)| {
            let after = session.engine.usage(&name, &process).ok()?;
            Some((name, after.since(&before.ok()?)))
        })
        .collect())
}

fn choose(args: &cli::Stats, session: &Session) -> Result<Vec<Instance>> {
    if args.patterns.is_empty() {
        let mut all = session.instances()?;
        all.retain(|instance| instance.status.is_alive());
        return Ok(all);
    }
    let (chosen, missing) = session.matching(&args.patterns)?;
    if let Some(missing) = missing.into_iter().next() {
        return Err(missing);
    }
    let ended = |instance: &&Instance| {
        !instance.status.is_alive() && session.is_named(instance, &args.patterns)
    };
    match chosen.iter().find(ended) {
        Some(ended) => Err(session.not_running(ended)),
        None => Ok(chosen),
    }
}

fn show(measured: &[(String, Stats)], as_json: bool, session: &Session) {
    if as_json {
        let documents: Vec<_> = measured
            .iter()
            .map(|(name, stats)| {
                let mut document = json!({ "name": name });
                if let (Some(map), Ok(serde_json::Value::Object(fields))) =
                    (document.as_object_mut(), serde_json::to_value(stats))
                {
                    map.extend(fields);
                }
                document
            })
            .collect();
        session.output.json(&json!({ "instances": documents }));
        return;
    }
    let header = [
        "NAME",
        "CPU",
        "MEMORY",
        "READ",
        "WRITTEN",
        "PROCESSES",
        "UPTIME",
    ];
    let rows: Vec<Vec<(String, Tone)>> = measured
        .iter()
        .map(|(name, stats)| {
            [
                name.clone(),
                format!("{:.1}%", stats.cpu_percent),
                bytes(stats.memory_bytes),
                bytes(stats.read_bytes),
                bytes(stats.write_bytes),
                stats.processes.to_string(),
                span(stats.uptime_seconds),
            ]
            .map(|text| (text, Tone::Plain))
            .to_vec()
        })
        .collect();
    if rows.is_empty() {
        session.output.note("no instance is running");
    } else {
        session.output.table(&header, &rows);
    }
}

/// As `3.4 MiB`.
fn bytes(count: u64) -> String {
    indicatif::HumanBytes(count).to_string()
}
