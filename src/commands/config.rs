//! `ctr config`: every setting in force, and where it came from.

use serde::Serialize;
use serde_json::{Value, json};

use crate::cli;
use crate::config::{Config, Setting};
use crate::error::Result;
use crate::instance::session::Session;
use crate::ui::output::{Tone, printable};

/// Runs `ctr config`.
///
/// # Errors
/// None yet: a configuration that is wrong was refused before.
pub fn run(args: &cli::Config, session: &Session) -> Result<()> {
    let settings = settings(session.config);
    if args.json {
        let fields: serde_json::Map<_, _> = settings
            .into_iter()
            .map(|(name, value, source)| {
                (name.to_owned(), json!({"value": value, "source": source}))
            })
            .collect();
        session.output.json(&Value::Object(fields));
        return Ok(());
    }
    let rows: Vec<_> = settings
        .into_iter()
        .map(|(name, value, source)| {
            let tone = if source == "default" {
                Tone::Faint
            } else {
                Tone::Plain
            };
            vec![
                (name.to_owned(), Tone::Plain),
                (printable(&source), tone),
                (printable(&value.to_string()), tone),
            ]
        })
        .collect();
    // The last column is not padded, and a value can be long.
    session.output.table(&["SETTING", "FROM", "VALUE"], &rows);
    Ok(())
}

fn settings(config: &Config) -> Vec<(&'static str, Value, String)> {
    let env: serde_json::Map<_, _> = config
        .env
        .value
        .iter()
        .map(|(key, value)| (key.clone(), json!(value)))
        .collect();
    vec![
        row("base_image", &config.base_image),
        row("overlay_path", &config.overlay_path),
        row("trusted", &config.trusted),
        row("apptainer", &config.apptainer),
        row("default_distro", &config.default_distro),
        row("bind", &config.bind),
        ("env", Value::Object(env), config.env.source.to_string()),
        row("gpu", &config.gpu),
        row("apptainer_flags", &config.apptainer_flags),
        row("scrub", &config.scrub),
        row("join", &config.join),
        row("prompt.format", &config.prompt_format),
    ]
}

fn row<T: Serialize>(name: &'static str, setting: &Setting<T>) -> (&'static str, Value, String) {
    (name, json!(setting.value), setting.source.to_string())
}
