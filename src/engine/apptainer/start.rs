//! Starts an instance, or leaves nothing of it.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread::sleep;
use std::time::{Duration, Instant};

use nix::sys::prctl::set_child_subreaper;
use nix::sys::signal::Signal;
use procfs::process::Stat;
use signal_hook::consts::{SIGUSR1, SIGUSR2};
use signal_hook::flag;

use crate::bounds::STALLED;
use crate::engine::apptainer::{failure, launch, pending_starts};
use crate::engine::local::processes::{self, Identity, ticks_since_boot};
use crate::engine::local::signals::send;
use crate::engine::{Engine, Started, StopMode};
use crate::env::rules;
use crate::error::{Error, Kind, Result};
use crate::spec::InstanceSpec;

/// How long a start that failed may take until it is gone.
const TIMEOUT: Duration = Duration::from_secs(30);
/// How long its processes have to end by themselves.
const GRACE: Duration = Duration::from_millis(500);
const POLL_INTERVAL: Duration = Duration::from_millis(20);

impl Engine<'_> {
    /// Starts an instance from a setup. A terminal sees that it works.
    ///
    /// # Errors
    /// Apptainer fails, or its instance is gone at once; then nothing is left of it.
    pub fn start(&self, spec: &InstanceSpec, image: &str, show_progress: bool) -> Result<Started> {
        let folded = rules::fold(spec.env.iter().map(String::as_str));
        self.check_size(&folded)?;
        self.turn_to_this_host();
        let mut variables = self.variables(&folded, false, spec.is_hostos());
        self.set_bus(&mut variables, &spec.apptainer_flags);
        let mut command = self.command(variables)?;
        command.args(self.start_arguments(spec, image));
        self.go_to_start_folder(&mut command, spec);
        let what = format!("Apptainer cannot start `{}` from {image}", spec.name);
        let offspring = Offspring::watch();
        let doing = format!("starting {}", spec.name);
        let said = launch::run(command, &doing, STALLED, show_progress).map_err(|failed| {
            self.undo_start(&spec.name, &offspring);
            failure::explain(&what, &failed)
        })?;
        let record = self.record(&spec.name)?.ok_or_else(|| {
            self.undo_start(&spec.name, &offspring);
            Error::new(
                Kind::Engine,
                format!("`{}` ended as soon as it had started", spec.name),
            )
            .hint("`ctr doctor` checks what Apptainer needs")
        })?;
        Ok(Started {
            process: record.process,
            log_out: record.log_out,
            log_err: record.log_err,
            binary: self.binary()?,
            warnings: failure::warnings(&said),
        })
    }

    /// A start that failed or was interrupted goes on without the Apptainer that was called: what it
    /// has begun is ended, at whichever step it is. An older instance of that name is another's, and
    /// stays.
    fn undo_start(&self, name: &str, offspring: &Offspring) {
        let begun = Instant::now();
        while begun.elapsed() < TIMEOUT {
            if let Ok(Some(record)) = self.record(name) {
                if record.process.pid_start_time >= offspring.since {
                    let _ = self.stop(name, &record.process, &StopMode::Kill);
                }
            }
            let left = offspring.alive();
            if left.is_empty() {
                break;
            }
            let signal = match begun.elapsed() < GRACE {
                true => Signal::SIGTERM, // a helper that is asked leaves its image in order
                false => Signal::SIGKILL,
            };
            for identity in left {
                let _ = send(signal, identity);
            }
            sleep(POLL_INTERVAL);
        }
        self.forget(name);
    }

    /// True while Apptainer is at the start of an instance that it has not recorded yet, which it
    /// goes on with when the `ctr` that asked for it is gone.
    pub fn is_starting(&self, name: &str) -> bool {
        let records = self.shelf().folder();
        let config = records.parent().unwrap_or(&records);
        matches!(self.record(name), Ok(None)) && pending_starts::is_starting(name, config)
    }
}

/// What this process begets from a moment on. What loses its parent becomes a child of this process,
/// so that nothing gets lost that Apptainer leaves in the background.
struct Offspring {
    /// In clock ticks since boot.
    since: u64,
    /// Children of earlier starts.
    earlier: Vec<Identity>,
}

/// Apptainer tells its parent how a start goes by these signals. Once its own is gone, that is this
/// process, which they would end.
const TO_THE_PARENT: [i32; 2] = [SIGUSR1, SIGUSR2];

/// Has those signals do nothing, or again what they do by default. One that the caller has had ignored
/// stays so.
fn pass_over_signals_to_the_parent(pass_over: bool) {
    static IS_IDLE: OnceLock<Arc<AtomicBool>> = OnceLock::new();
    let is_idle = IS_IDLE.get_or_init(|| {
        let is_idle = Arc::new(AtomicBool::new(true));
        let signals = TO_THE_PARENT.into_iter();
        for signal in signals.filter(|signal| !launch::is_ignored(*signal)) {
            let _ = flag::register_conditional_default(signal, Arc::clone(&is_idle));
        }
        is_idle
    });
    is_idle.store(!pass_over, Ordering::SeqCst);
}

impl Offspring {
    fn watch() -> Self {
        pass_over_signals_to_the_parent(true);
        let _ = set_child_subreaper(true); // Linux has known it since 3.4
        let me = std::process::id() as i32;
        let all = stats().into_iter();
        let earlier = all.filter(|stat| stat.ppid == me);
        Offspring {
            since: ticks_since_boot(),
            earlier: earlier.map(|stat| Identity::of(&stat)).collect(),
        }
    }

    fn alive(&self) -> Vec<Identity> {
        let me = std::process::id() as i32;
        let all = stats();
        let known: HashMap<i32, &Stat> = all.iter().map(|stat| (stat.pid, stat)).collect();
        let is_new = |stat: &Stat| {
            let mut at = stat;
            while at.ppid != me {
                match known.get(&at.ppid) {
                    Some(parent) if parent.pid != at.pid => at = parent,
                    _ => return false,
                }
            }
            !self.earlier.contains(&Identity::of(at))
        };
        let new = all.iter().filter(|stat| is_new(stat));
        new.filter(|stat| !matches!(stat.state, 'Z' | 'X'))
            .map(Identity::of)
            .collect()
    }
}

impl Drop for Offspring {
    fn drop(&mut self) {
        let _ = set_child_subreaper(false);
        pass_over_signals_to_the_parent(false);
    }
}

fn stats() -> Vec<Stat> {
    processes::all().unwrap_or_default()
}
