//! Stops an instance, and is done only when nothing of it is left.

use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::processes::{self, Identity};
use super::{Engine, Process, failure, launch, records};
use crate::environment::Folded;
use crate::error::{Error, Kind, Result};

/// How long what outlives its instance is waited for, before and after it is killed.
const GRACE: Duration = Duration::from_secs(5);
const LOOK: Duration = Duration::from_millis(10);

/// How to stop.
#[derive(Debug, Clone)]
pub enum Manner {
    /// Ask with a signal; kill after so many seconds.
    Ask { signal: String, seconds: u64 },
    /// Kill at once.
    Kill,
}

impl Default for Manner {
    /// As `ctr stop` without options: SIGINT, and ten seconds.
    fn default() -> Self {
        Manner::Ask {
            signal: "SIGINT".into(),
            seconds: 10,
        }
    }
}

/// What a stop did.
#[derive(Debug, Clone, Copy)]
pub struct Stopped {
    /// How many commands ran inside, beside the instance's own first process.
    pub commands: usize,
}

/// Stops one instance.
///
/// # Errors
/// Apptainer fails and the instance lives on; something of it cannot be killed.
pub fn stop(engine: &Engine, name: &str, process: &Process, manner: &Manner) -> Result<Stopped> {
    let commands = engine.commands_inside(process);
    let before = processes::inventory(process);
    let mut command = engine.command(engine.variables(&Folded::default(), false, false))?;
    command.args(["instance", "stop"]);
    match manner {
        Manner::Ask { signal, seconds } => {
            command.args(["--signal", signal, "--timeout", &seconds.to_string()]);
        }
        Manner::Kill => {
            command.arg("--force");
        }
    }
    command.arg(name);
    let outcome = launch::run(command, &format!("stopping {name}"), false);
    if let Err(failed) = &outcome {
        // It may have ended by itself between the look and the call.
        if before
            .iter()
            .any(|identity| identity.pid == process.pid && identity.lives())
        {
            return Err(failure::explain(
                &format!("Apptainer cannot stop `{name}`"),
                failed,
            ));
        }
    }
    let left = wait_until_gone(before, GRACE);
    for identity in &left {
        let _ = kill(Pid::from_raw(identity.pid), Signal::SIGKILL);
    }
    let left = wait_until_gone(left, GRACE);
    if !left.is_empty() {
        let pids: Vec<String> = left
            .iter()
            .map(|identity| identity.pid.to_string())
            .collect();
        return Err(Error::new(
            Kind::Engine,
            format!(
                "`{name}` is stopped, but processes of it live on: {}",
                pids.join(", ")
            ),
        )
        .hint("they wait for a device or a server; look with `ps`, and stop it again later"));
    }
    let folder = engine.records_folder();
    if records::exists(&folder, name, engine.context) {
        records::forget(&folder, name, engine.context);
    }
    Ok(Stopped { commands })
}

fn wait_until_gone(mut left: Vec<Identity>, most: Duration) -> Vec<Identity> {
    let deadline = Instant::now() + most;
    loop {
        left.retain(|identity| identity.lives());
        if left.is_empty() || Instant::now() > deadline {
            return left;
        }
        std::thread::sleep(LOOK);
    }
}
