//! `ctr doctor`: checks what instances need, one line each.

use serde_json::json;

use crate::cli;
use crate::doctor;
use crate::error::{Error, Kind, Result};
use crate::instance::session::Session;
use crate::ui::output::{Tone, print, printable};

/// Runs `ctr doctor`.
///
/// # Errors
/// A check fails.
pub fn run(args: &cli::Doctor, session: &Session) -> Result<()> {
    let checks = doctor::checks(session);
    let failed = checks.iter().filter(|check| !check.ok).count();
    if args.json {
        session.output.json(&json!({ "checks": checks }));
        if failed > 0 {
            // The document has said it all.
            std::process::exit(1);
        }
        return Ok(());
    }
    let width = checks
        .iter()
        .map(|check| check.name.len())
        .max()
        .unwrap_or(0);
    for check in &checks {
        let (word, tone) = if check.ok {
            ("ok  ", Tone::Good)
        } else {
            ("FAIL", Tone::Bad)
        };
        let word = session.output.tinted(word, tone);
        let name = format!("{:<width$}", check.name);
        print(format!("{word} {name}  {}\n", printable(&check.detail)).as_bytes());
        if !check.ok {
            print(format!("     {:<width$}  → {}\n", "", printable(&check.fix)).as_bytes());
        }
    }
    match failed {
        0 => Ok(()),
        1 => Err(Error::new(Kind::Setup, "1 check failed")),
        several => Err(Error::new(Kind::Setup, format!("{several} checks failed"))),
    }
}
