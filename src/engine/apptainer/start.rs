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
use crate::engine::apptainer::interruptions::{Interruptions, is_ignored};
use crate::engine::apptainer::{environment, failure, launch, pending_starts};
use crate::engine::local::namespaces;
use crate::engine::local::processes::{self, Identity, ticks_since_boot};
use crate::engine::local::signals::send;
use crate::engine::{Engine, Process, Started, StopMode};
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
    pub fn start(
        &self,
        spec: &InstanceSpec,
        image: &str,
        show_progress: bool,
        interruptions: &Interruptions,
    ) -> Result<Started> {
        let folded = rules::fold(spec.env.iter().map(String::as_str));
        self.check_size(&folded)?;
        self.turn_to_this_host();
        let mut variables = self.variables(&folded, false, spec.is_hostos());
        variables.retain(|name, _| !environment::asks_for_binds(name));
        self.set_bus(&mut variables, &spec.apptainer_flags);
        let mut command = self.command(variables)?;
        command.args(self.start_arguments(spec, image));
        self.go_to_start_folder(&mut command, spec);
        let what = format!("Apptainer cannot start `{}` from {image}", spec.name);
        if let Some(signal) = interruptions.came() {
            return Err(failure::interrupted(&what, signal));
        }
        let offspring = Offspring::watch();
        let doing = format!("starting {}", spec.name);
        let said = launch::run(command, &doing, STALLED, show_progress, interruptions);
        let said = said.map_err(|failed| {
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
        let here = namespaces::of_this_process();
        Ok(Started {
            process: self.with_own_namespace(record.process, here),
            log_out: record.log_out,
            log_err: record.log_err,
            binary: self.binary()?,
            warnings: failure::warnings(&said),
        })
    }

    /// A start that failed or was interrupted goes on without the Apptainer that was called: what it
    /// has begun is ended, at whichever step it is. An instance of that name whose supervisor does not
    /// descend from this process is another's, and stays, however young it is.
    fn undo_start(&self, name: &str, offspring: &Offspring) {
        let begun = Instant::now();
        while begun.elapsed() < TIMEOUT {
            if let Ok(Some(record)) = self.record(name) {
                let ours = offspring.alive();
                let pids = [record.process.pid, record.process.supervisor_pid];
                if ours.iter().any(|identity| pids.contains(&identity.pid)) {
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

    /// A process as it was recorded, with the user namespace that is its own. `starter` is the one in which
    /// it was started; where that is not known, nothing can be said.
    pub fn with_own_namespace(&self, process: Process, starter: Option<u64>) -> Process {
        Process {
            user_namespace: namespaces::own_of_instance(process.supervisor_pid, starter),
            ..process
        }
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
/// so that nothing gets lost that Apptainer leaves in the background. So does what was begun by others
/// before: a script that `exec`s `ctr` hands on all that it has in the background.
struct Offspring {
    /// In clock ticks since boot.
    since: u64,
    /// Who descended from this process by then, children of children too.
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
        for signal in signals.filter(|signal| !is_ignored(*signal)) {
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
        let since = ticks_since_boot();
        Offspring {
            since,
            earlier: descendants(|_| false),
        }
    }

    fn alive(&self) -> Vec<Identity> {
        descendants(|stat| {
            stat.starttime < self.since || self.earlier.contains(&Identity::of(stat))
        })
    }
}

/// Who descends from this process and lives, without those whom `is_left_out` names and all that these
/// have begun.
fn descendants(is_left_out: impl Fn(&Stat) -> bool) -> Vec<Identity> {
    let me = std::process::id() as i32;
    let all = stats();
    let known: HashMap<i32, &Stat> = all.iter().map(|stat| (stat.pid, stat)).collect();
    let is_meant = |stat: &&Stat| {
        let mut at = *stat;
        while !is_left_out(at) && at.ppid != me {
            match known.get(&at.ppid) {
                Some(parent) if parent.pid != at.pid => at = parent,
                _ => return false,
            }
        }
        !is_left_out(at)
    };
    let meant = all.iter().filter(is_meant);
    meant
        .filter(|stat| !processes::is_over(stat))
        .map(Identity::of)
        .collect()
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
