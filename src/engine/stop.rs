//! Stops an instance, and is done only when nothing of it is left.

use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::processes::{self, Identity};
use super::{Engine, Process};
use crate::error::{Error, Kind, Result};

/// How long what outlives its instance is waited for, before and after it is killed.
const GRACE: Duration = Duration::from_secs(5);
const LOOK: Duration = Duration::from_millis(10);

/// How to stop.
#[derive(Debug, Clone)]
pub enum Manner {
    /// Ask with a signal; kill after so many seconds.
    Ask { signal: Signal, seconds: u64 },
    /// Kill at once.
    Kill,
}

impl Default for Manner {
    /// As `ctr stop` without options: SIGINT, and ten seconds.
    fn default() -> Self {
        Manner::Ask {
            signal: Signal::SIGINT,
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

/// Stops one instance: as `apptainer instance stop` does, which takes seconds for it, and also
/// when Apptainer's record of it is lost.
///
/// # Errors
/// Something of it cannot be signalled, or killed.
pub fn stop(engine: &Engine, name: &str, process: &Process, manner: &Manner) -> Result<Stopped> {
    let commands = engine.commands_inside(process);
    let before = processes::inventory(process);
    let first: Vec<Identity> = before
        .iter()
        .copied()
        .filter(|identity| identity.pid == process.pid)
        .collect();
    if let Manner::Ask { signal, seconds } = manner {
        send(*signal, &first, name)?;
        wait_until_gone(first.clone(), Duration::from_secs(*seconds));
    }
    send(Signal::SIGKILL, &first, name)?;
    let left = wait_until_gone(before, GRACE);
    send(Signal::SIGKILL, &left, name)?;
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
    // Its supervisor has removed the record, unless it was killed.
    engine.forget(name);
    Ok(Stopped { commands })
}

/// Sends a signal to those that live. One that ends meanwhile is none the worse.
fn send(signal: Signal, processes: &[Identity], name: &str) -> Result<()> {
    for identity in processes.iter().filter(|identity| identity.lives()) {
        match kill(Pid::from_raw(identity.pid), signal) {
            Err(error) if error != Errno::ESRCH => {
                let pid = identity.pid;
                return Err(Error::io(
                    format!("cannot send {signal} to process {pid} of `{name}`"),
                    error,
                ));
            }
            _ => {}
        }
    }
    Ok(())
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
