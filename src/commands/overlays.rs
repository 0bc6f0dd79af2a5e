//! `ctr overlays`: the overlays that names resolve to, and where.

use serde_json::json;

use crate::cli;
use crate::error::Result;
use crate::instance::session::Session;
use crate::resolve::overlays;
use crate::ui::output::{Tone, printable};

/// Runs `ctr overlays`.
///
/// # Errors
/// None yet.
pub fn run(args: &cli::Overlays, session: &Session) -> Result<()> {
    let mut found = overlays::all(session.context, session.config);
    found.retain(|(name, _)| args.pattern.as_ref().is_none_or(|p| p.matches(name)));
    if args.json {
        let documents: Vec<_> = found
            .iter()
            .map(|(name, path)| json!({"name": name, "path": path}))
            .collect();
        session.output.json(&json!({ "overlays": documents }));
    } else if found.is_empty() {
        let folders = overlays::folders(session.context, session.config);
        let folders: Vec<_> = folders.iter().map(|f| f.display().to_string()).collect();
        let what = match &args.pattern {
            Some(pattern) => format!("no overlay matches `{}`", pattern.as_str()),
            None => "no overlays".to_owned(),
        };
        session
            .output
            .note(&format!("{what} in {}", folders.join(", ")));
    } else {
        let cell = |text: String| (printable(&text), Tone::Plain);
        let rows: Vec<_> = found
            .into_iter()
            .map(|(name, path)| vec![cell(name), cell(path.display().to_string())])
            .collect();
        session.output.table(&["NAME", "FILE"], &rows);
    }
    Ok(())
}
