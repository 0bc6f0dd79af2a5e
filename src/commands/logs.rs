//! `ctr logs`: what an instance's start script printed.

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::thread::sleep;
use std::time::Duration;

use crate::cli;
use crate::engine::answers;
use crate::error::{Error, Kind, Result};
use crate::host::regular_file;
use crate::instance::session::Session;
use crate::instance::status::Instance;
use crate::ui::output::{Escaped, print};

/// Time between two looks of `--follow`.
const POLL_INTERVAL: Duration = Duration::from_millis(200);
/// What is read at a time.
const PART: usize = 1 << 16;

/// Runs `ctr logs`.
///
/// # Errors
/// There is no such instance, or it has no log files.
pub fn run(args: &cli::Logs, session: &Session) -> Result<()> {
    let mut instance = session.instance(args.name.as_ref())?;
    let mut logs: Vec<(File, Escaped)> = open(args, &instance, session)?
        .into_iter()
        .map(|log| (log, Escaped::default()))
        .collect();
    let mut shown = 0;
    loop {
        // Looked at before the logs: what was written until its end is shown.
        let goes_on = args.follow && instance.status.is_alive();
        for (log, escaped) in &mut logs {
            let mut escaped = (!args.raw).then_some(escaped);
            shown += show(log, escaped.as_deref_mut())?;
            if let Some(escaped) = escaped.filter(|_| !goes_on) {
                print(escaped.more(&[], true).as_bytes());
            }
        }
        if !goes_on {
            if shown == 0 {
                let name = &instance.name;
                session
                    .output
                    .note(&format!("`{name}` has printed nothing"));
            }
            return Ok(());
        }
        sleep(POLL_INTERVAL);
        match session.find(&instance.name)? {
            Some(now) => instance = now,
            None => instance.status = crate::instance::status::Status::Dead,
        }
    }
}

/// Prints what has come since, a part at a time: a log may be larger than the memory. Gives its length.
fn show(log: &mut File, mut escaped: Option<&mut Escaped>) -> Result<usize> {
    let mut shown = 0;
    loop {
        let mut part = vec![0; PART];
        let length = log
            .read(&mut part)
            .map_err(|error| Error::io("cannot read the log", error))?;
        if length == 0 {
            return Ok(shown);
        }
        let part = &part[..length];
        match escaped.as_deref_mut() {
            Some(escaped) => print(escaped.more(part, false).as_bytes()),
            None => print(part),
        }
        shown += length;
    }
}

fn open(args: &cli::Logs, instance: &Instance, session: &Session) -> Result<Vec<File>> {
    let chosen = [
        (!args.stderr, &instance.log_out),
        (!args.stdout, &instance.log_err),
    ];
    let wanted = chosen
        .into_iter()
        .filter(|(wanted, path)| *wanted && !path.is_empty());
    let mut files = Vec::new();
    for path in wanted.map(|(_, path)| Path::new(path)) {
        answers::check(path, session.context)?;
        files.extend(regular_file::open(path).ok());
    }
    if files.is_empty() {
        let message = format!("`{}` has no log files", instance.name);
        return Err(
            Error::new(Kind::NotFound, message).hint(match session.engine.surrounding() {
                // Apptainer's records, and the logs beside them, are kept out of `hostos`.
                Some(_) => "they may be out of sight in here: look from outside",
                None => "they go with the instance, when it is stopped",
            }),
        );
    }
    Ok(files)
}
