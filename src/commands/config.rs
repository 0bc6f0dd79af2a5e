//! `ctr config`: every setting in force, and where it came from.

use serde_json::{Value, json};

use crate::cli;
use crate::config::Config;
use crate::error::Result;
use crate::output::{Tone, printable};
use crate::session::Session;

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
                (printable(&value.to_string()), tone),
                (source, tone),
            ]
        })
        .collect();
    session.output.table(&["SETTING", "VALUE", "FROM"], &rows);
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
        (
            "base_image",
            json!(config.base_image.value),
            config.base_image.source.to_string(),
        ),
        (
            "overlay_path",
            json!(config.overlay_path.value),
            config.overlay_path.source.to_string(),
        ),
        (
            "trusted",
            json!(config.trusted.value),
            config.trusted.source.to_string(),
        ),
        (
            "apptainer",
            json!(config.apptainer.value),
            config.apptainer.source.to_string(),
        ),
        (
            "default_distro",
            json!(config.default_distro.value),
            config.default_distro.source.to_string(),
        ),
        (
            "bind",
            json!(config.bind.value),
            config.bind.source.to_string(),
        ),
        ("env", Value::Object(env), config.env.source.to_string()),
        (
            "gpu",
            json!(config.gpu.value),
            config.gpu.source.to_string(),
        ),
        (
            "apptainer_flags",
            json!(config.apptainer_flags.value),
            config.apptainer_flags.source.to_string(),
        ),
        (
            "scrub",
            json!(config.scrub.value),
            config.scrub.source.to_string(),
        ),
        (
            "prompt.format",
            json!(config.prompt_format.value),
            config.prompt_format.source.to_string(),
        ),
    ]
}
