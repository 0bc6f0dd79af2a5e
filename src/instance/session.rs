//! What every command works with, and how names on the command line become instances.

use std::time::Duration;

use crate::bounds::{FILE_SYSTEM, WANTED_FILE_SYSTEM};
use crate::config::Config;
use crate::engine::{Engine, Origin};
use crate::env::activation;
use crate::error::{Error, Kind, Result};
use crate::host::cache::Cache;
use crate::host::context::Context;
use crate::instance::status::{self, Instance, Status};
use crate::names::{InstanceName, Target, nearest};
use crate::state::{Phase, State, Store};
use crate::ui::output::Output;

/// The caller's surroundings, settings, engine and state.
pub struct Session<'a> {
    pub context: &'a Context,
    pub config: &'a Config,
    pub cache: &'a Cache,
    pub engine: Engine<'a>,
    pub store: Store,
    pub output: Output,
}

impl<'a> Session<'a> {
    /// A session for this caller.
    pub fn new(context: &'a Context, config: &'a Config, cache: &'a Cache, output: Output) -> Self {
        Session {
            context,
            config,
            cache,
            engine: Engine::new(context, config, cache),
            store: Store::new(context),
            output,
        }
    }

    /// The name that a target stands for.
    ///
    /// # Errors
    /// It is the active one, and there is none here.
    pub fn name(&self, target: Option<&Target>) -> Result<InstanceName> {
        match target {
            Some(Target::Named(name)) => Ok(name.clone()),
            Some(Target::Active) | None => self.active_name(),
        }
    }

    /// The instance that a target stands for, as it is now; its file system is asked too.
    ///
    /// # Errors
    /// There is none of that name; its state file cannot be used.
    pub fn instance(&self, target: Option<&Target>) -> Result<Instance> {
        let name = self.name(target)?;
        let instance = self.find_and_look(name.as_str())?;
        let instance = instance.ok_or_else(|| self.not_found(name.as_str()))?;
        self.turn_to(instance.state.as_ref());
        Ok(instance)
    }

    /// Has the engine act as the instance of that state was started.
    pub fn turn_to(&self, state: Option<&State>) {
        let origin = state.map(|state| {
            let config_file = state.spec.config_file.as_deref();
            Origin::new(&state.apptainer, &state.log_out, config_file)
        });
        self.engine.turn_to(origin.unwrap_or_default());
    }

    /// The instance of that name, as it is now; its file system is asked too.
    ///
    /// # Errors
    /// Its state file cannot be used.
    pub fn find_and_look(&self, name: &str) -> Result<Option<Instance>> {
        let mut found = self.find(name)?;
        status::look_into(found.as_mut_slice(), WANTED_FILE_SYSTEM, &self.engine);
        Ok(found)
    }

    /// Asks the file systems of those that run, and has those be broken that do not work or do not
    /// answer.
    pub fn look_into(&self, instances: &mut [Instance]) {
        status::look_into(instances, FILE_SYSTEM, &self.engine);
    }

    /// The instance of that name, as its process says.
    ///
    /// # Errors
    /// Its state file cannot be used.
    pub fn find(&self, name: &str) -> Result<Option<Instance>> {
        match self.store.load(name)? {
            Some(state) if status::is_cut_off(&state, &self.engine) => {
                // Whoever holds the lock is mending it, or starting it again.
                if let Some(_lock) = self.store.lock_within(name, Duration::ZERO)? {
                    let now = self.store.load(name)?;
                    // Another may have mended it, and more, before the lock was had.
                    if now
                        .as_ref()
                        .is_some_and(|now| now.generation == state.generation)
                    {
                        self.mend(&state)?;
                    }
                }
                self.look(name, self.store.load(name)?)
            }
            state => self.look(name, state),
        }
    }

    pub(super) fn look(&self, name: &str, state: Option<State>) -> Result<Option<Instance>> {
        // A state that knows its process needs no word of Apptainer's.
        let records = match &state {
            Some(State {
                process: Some(_), ..
            }) => Vec::new(),
            _ => self.engine.list()?,
        };
        Ok(match state {
            Some(state) => Some(Instance::tracked(
                state,
                self.context,
                &self.engine,
                &records,
            )),
            None => records
                .into_iter()
                .find(|record| record.name == name)
                .map(|record| Instance::untracked(record, self.context)),
        })
    }

    /// The active instance's name, when the activation was made here.
    pub fn active(&self) -> Option<String> {
        activation::active(&self.context.variables, &self.context.pid_scope)
            .filter(|active| active.here)
            .map(|active| active.name)
    }

    /// Ends what a dead instance has left running (its FUSE helpers hold its images), and says so. False
    /// when nothing of it ran.
    ///
    /// # Errors
    /// It cannot be ended.
    pub fn end_what_is_left(&self, instance: &Instance) -> Result<bool> {
        let state = instance.state.as_ref();
        let Some(process) = state.and_then(|state| state.process.as_ref()) else {
            return Ok(false);
        };
        if instance.status != Status::Dead {
            return Ok(false);
        }
        let name = &instance.name;
        let ended = self.engine.end_what_is_left(name, process)?;
        if !ended.is_empty() {
            let programs = ended.join(", ");
            let what = format!("`{name}` had left processes running, which are ended: {programs}");
            self.output.note(&what);
        }
        Ok(!ended.is_empty())
    }

    /// What is said of an instance that is needed running and is not.
    pub fn not_running(&self, instance: &Instance) -> Error {
        let name = &instance.name;
        let message = format!(
            "`{name}` is {}: {}",
            instance.status.word(),
            instance.reason
        );
        let is_starting = |state: &State| state.phase == Phase::Starting;
        Error::new(Kind::NotRunning, message).hint(match instance.status {
            Status::Stopped if instance.state.as_ref().is_some_and(is_starting) => {
                "try again in a moment".to_owned()
            }
            Status::Broken => format!("`ctr restart {name}` starts it again"),
            Status::Elsewhere if instance.host == self.context.host => {
                format!("run ctr there; `ctr stop -F {name}` forgets it, whether it runs or not")
            }
            Status::Elsewhere => "run ctr there".to_owned(),
            _ => format!("`ctr restart {name}` starts it again, `ctr stop {name}` forgets it"),
        })
    }

    /// What is said of a name that stands for nothing, with the nearest that does.
    pub fn not_found(&self, name: &str) -> Error {
        let hosts = self.store.hosts_with(name);
        if !hosts.is_empty() {
            let message = format!(
                "`{name}` is not on this host: it is on {}",
                hosts.join(", ")
            );
            return Error::new(Kind::NotFound, message).hint("run ctr there");
        }
        let entries = self.store.list();
        let known = entries.iter().map(|entry| entry.name.as_str());
        Error::new(Kind::NotFound, format!("no such instance: {name}")).hint(
            match nearest(name, known) {
                Some(nearest) => format!("did you mean {nearest}?"),
                None => "`ctr list` shows those there are".to_owned(),
            },
        )
    }

    pub(super) fn active_name(&self) -> Result<InstanceName> {
        let none = || {
            Error::new(Kind::NotFound, "no instance is active in this shell")
                .hint("name one, or make one active: eval \"$(ctr env NAME)\"")
        };
        let active = activation::active(&self.context.variables, &self.context.pid_scope)
            .ok_or_else(none)?;
        if !active.here {
            let message = format!(
                "`{}` was made active on another host or in a container",
                active.name
            );
            return Err(Error::new(Kind::NotFound, message).hint("name an instance of this host"));
        }
        active.name.parse().map_err(|why: String| {
            Error::new(Kind::Usage, format!("CTR_INSTANCE: {why}")).hint("unset CTR_INSTANCE")
        })
    }

    pub(super) fn mend(&self, state: &State) -> Result<()> {
        let said = status::mend(state, &self.store, &self.engine)?;
        self.output.warn(&said);
        Ok(())
    }
}
