//! What an instance is at this moment: its state and its process, held against each other.

use std::time::Duration;

use crate::engine::{Engine, Fault, Health, Process, Record};
use crate::error::{Error, Kind, Result};
use crate::host::context::Context;
use crate::names::InstanceName;
use crate::state::{Phase, State, Store};
use crate::ui::output::Tone;

/// The condition of an instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// Its process lives; whether its file system does, only [`look_into`] tells.
    Running,
    /// Its setup is kept, for `ctr restart`.
    Stopped,
    /// Its process lives, its file system does not.
    Broken,
    /// Its state is there, its process is not.
    Dead,
    /// It was started without `ctr`.
    Untracked,
    /// It is on another host, or in another pid namespace.
    Elsewhere,
}

impl Status {
    /// The word for people and programs.
    pub fn word(self) -> &'static str {
        match self {
            Status::Running => "running",
            Status::Stopped => "stopped",
            Status::Broken => "broken",
            Status::Dead => "dead",
            Status::Untracked => "untracked",
            Status::Elsewhere => "elsewhere",
        }
    }

    /// How the word is shown.
    pub fn tone(self) -> Tone {
        match self {
            Status::Running => Tone::Good,
            Status::Broken | Status::Dead => Tone::Bad,
            Status::Untracked => Tone::Unsure,
            Status::Stopped | Status::Elsewhere => Tone::Faint,
        }
    }

    /// True while it has a process on this host.
    pub fn is_alive(self) -> bool {
        matches!(self, Status::Running | Status::Broken | Status::Untracked)
    }
}

/// An instance as it is now.
#[derive(Debug, Clone)]
pub struct Instance {
    pub name: String,
    pub host: String,
    pub status: Status,
    /// Why it is not running, or why it could not be asked whether it does; else empty.
    pub reason: String,
    /// `None` for one that was started without `ctr`.
    pub state: Option<State>,
    /// Its process, while it has one here.
    pub process: Option<Process>,
    /// The image, as recorded.
    pub image: String,
    pub log_out: String,
    pub log_err: String,
}

impl Instance {
    /// An instance with a state file. `records` are Apptainer's, for what the file does not say.
    pub fn tracked(state: State, context: &Context, engine: &Engine, records: &[Record]) -> Self {
        let record = records.iter().find(|record| record.name == state.spec.name);
        let (status, reason, process) = judge(&state, context, engine, record);
        let logs = |own: &str, recorded: Option<&str>| match recorded {
            Some(recorded) if own.is_empty() => recorded.to_owned(),
            _ => own.to_owned(),
        };
        Instance {
            name: state.spec.name.clone(),
            host: if state.host.is_empty() {
                context.host.clone()
            } else {
                state.host.clone()
            },
            status,
            reason,
            process,
            image: state.spec.base_image.clone(),
            log_out: logs(&state.log_out, record.map(|record| record.log_out.as_str())),
            log_err: logs(&state.log_err, record.map(|record| record.log_err.as_str())),
            state: Some(state),
        }
    }

    /// An instance as its state has it: running, with a process that is not looked at. `None` when
    /// the state says something else.
    pub fn recorded(state: State, context: &Context) -> Option<Self> {
        let is_here = state.phase == Phase::Running && state.host == context.host;
        let process = state.process.clone().filter(|_| is_here)?;
        Some(Instance {
            name: state.spec.name.clone(),
            host: state.host.clone(),
            status: Status::Running,
            reason: String::new(),
            process: Some(process),
            image: state.spec.base_image.clone(),
            log_out: state.log_out.clone(),
            log_err: state.log_err.clone(),
            state: Some(state),
        })
    }

    /// False for a dead one whose file does not say on which host it ran, as those of the
    /// reference: on a shared home it may live on another.
    pub fn is_known_here(&self) -> bool {
        let says_where = |state: &State| !state.host.is_empty();
        self.status.is_alive() || self.state.as_ref().is_none_or(says_where)
    }

    /// Its status, with the reason when there is one.
    pub fn condition(&self) -> String {
        match self.reason.as_str() {
            "" => self.status.word().to_owned(),
            reason => format!("{} ({reason})", self.status.word()),
        }
    }

    /// Its name, checked: Apptainer takes some that `ctr` does not.
    ///
    /// # Errors
    /// It is not a name that `ctr` would give.
    pub fn checked_name(&self) -> Result<InstanceName> {
        self.name
            .parse()
            .map_err(|why: String| Error::new(Kind::Usage, why).hint("use apptainer itself for it"))
    }

    /// An instance that only Apptainer knows of.
    pub fn untracked(record: Record, context: &Context) -> Self {
        Instance {
            name: record.name,
            host: context.host.clone(),
            status: Status::Untracked,
            reason: "started without ctr".into(),
            state: None,
            process: Some(record.process),
            image: record.image,
            log_out: record.log_out,
            log_err: record.log_err,
        }
    }
}

/// Asks the file systems of those that run, and has those be broken that do not work or do not answer
/// in the time `most`.
/// Of an instance of which this is the inside, that need not be asked.
pub fn look_into(instances: &mut [Instance], most: Duration, engine: &Engine) {
    if engine.surrounding().is_some() {
        return;
    }
    let mut running: Vec<&mut Instance> = instances
        .iter_mut()
        .filter(|instance| instance.status == Status::Running)
        .collect();
    let processes: Vec<&Process> = running
        .iter()
        .filter_map(|instance| instance.process.as_ref())
        .collect();
    let faults = engine.faults(&processes, most);
    let have_process = running.iter_mut().filter(|one| one.process.is_some());
    for (instance, fault) in have_process.zip(faults) {
        let Some(fault) = fault else { continue };
        instance.reason = fault.to_string();
        // What could not be asked is not held against it.
        if matches!(fault, Fault::Broken(_)) {
            instance.status = Status::Broken;
        }
    }
}

fn judge(
    state: &State,
    context: &Context,
    engine: &Engine,
    record: Option<&Record>,
) -> (Status, String, Option<Process>) {
    if !state.host.is_empty() && state.host != context.host {
        return (Status::Elsewhere, format!("on host {}", state.host), None);
    }
    if state.phase == Phase::Stopped {
        return (Status::Stopped, "its setup is kept".into(), None);
    }
    let Some(process) = state
        .process
        .as_ref()
        .or(record.map(|record| &record.process))
    else {
        // A file of the reference says neither which process nor which host. What lives has a record,
        // whose numbers may be those of another pid namespace.
        let is_told = context.pid_scope.is_of_the_host() || !engine.has_record(&state.spec.name);
        return match is_told {
            true => (
                Status::Dead,
                "Apptainer has no record of it here".into(),
                None,
            ),
            false => (
                Status::Elsewhere,
                "it cannot be judged from this pid namespace".into(),
                None,
            ),
        };
    };
    if state.phase == Phase::Starting {
        return match engine.health_of_ctr(process) {
            Health::Foreign(why) => (Status::Elsewhere, why, None),
            Health::Gone(_) if engine.is_starting(&state.spec.name) => {
                (Status::Stopped, "Apptainer is starting it".into(), None)
            }
            Health::Gone(_) => (Status::Dead, "its start was cut off".into(), None),
            _ => (
                Status::Stopped,
                format!("process {} is starting it", process.pid),
                None,
            ),
        };
    }
    match engine.health(process) {
        Health::Running => (Status::Running, String::new(), Some(process.clone())),
        Health::Unseen(why) => (Status::Running, why, Some(process.clone())),
        Health::Gone(why) => (Status::Dead, why, None),
        // It lives, since it runs this.
        Health::Foreign(why) => match engine.own_process(&state.spec.name) {
            Some(process) => (Status::Running, String::new(), Some(process)),
            None => (Status::Elsewhere, why, None),
        },
    }
}

/// True for a state whose start was cut off between Apptainer's start and the save.
pub fn is_cut_off(state: &State, engine: &Engine) -> bool {
    has_lost_its_starter(state, engine) && !engine.is_starting(&state.spec.name)
}

/// True for a start that was begun by a `ctr` that is gone; Apptainer may still be at it. Inside an
/// instance there is no telling, and nothing to be mended.
pub fn has_lost_its_starter(state: &State, engine: &Engine) -> bool {
    let starter = state
        .process
        .as_ref()
        .filter(|_| state.phase == Phase::Starting && engine.surrounding().is_none());
    starter.is_some_and(|starter| matches!(engine.health_of_ctr(starter), Health::Gone(_)))
}

/// The other `ctr` that is starting an instance, as long as it lives.
pub fn other_starter(state: &State, engine: &Engine) -> Option<i32> {
    let starter = state.process.as_ref();
    let starter = starter.filter(|_| state.phase == Phase::Starting)?;
    let is_other = starter.pid != std::process::id() as i32;
    (is_other && engine.health_of_ctr(starter) == Health::Running).then_some(starter.pid)
}

/// Mends a state that is cut off, under the instance's lock: takes over the instance that
/// Apptainer has recorded since, or removes the trace. Gives the message for the user.
///
/// # Errors
/// The state cannot be written.
pub fn mend(state: &State, store: &Store, engine: &Engine) -> Result<String> {
    let name = &state.spec.name;
    // An older one, or one of an earlier boot, is not what that start made.
    let is_of_that_start = |record: &Record| {
        state.process.as_ref().is_some_and(|starter| {
            starter.boot_id == record.process.boot_id
                && record.process.pid_start_time >= starter.pid_start_time
        })
    };
    match engine.record(name)?.filter(is_of_that_start) {
        Some(mut record) => {
            let starter = state.process.as_ref().and_then(|it| it.user_namespace);
            record.process = engine.with_own_namespace(record.process, starter);
            store.save(&mut state.clone().adopted(record))?;
            Ok(format!(
                "the start of `{name}` was cut off; its state is mended"
            ))
        }
        None if state.is_restart => {
            engine.forget(name);
            store.save(&mut state.clone().stopped())?;
            Ok(format!(
                "the restart of `{name}` was cut off; nothing runs, and its setup is kept"
            ))
        }
        None => {
            // Apptainer may have begun its logs, and a record.
            engine.forget(name);
            store.remove(name)?;
            Ok(format!(
                "the start of `{name}` was cut off; nothing runs, and its trace is removed"
            ))
        }
    }
}
