//! The instances of this host, all of them or those that patterns cover. What cannot be told of them is
//! said: it is not taken for absence.

use super::session::Session;
use super::status::{self, Instance};
use crate::engine::Record;
use crate::error::{Error, Kind, Result};
use crate::names::{InstanceName, Pattern};
use crate::state::State;

/// What is said of an instance that runs and whose state cannot be read.
const UNREAD: &str = "its state cannot be read";

/// Instances, and what kept others from being told.
pub struct Seen {
    pub instances: Vec<Instance>,
    pub faults: Vec<Error>,
}

impl Session<'_> {
    /// Every instance of this host, as its process says, by name, those without `ctr` too. A state file that
    /// cannot be used is reported and passed over.
    ///
    /// # Errors
    /// The states cannot be told: any of them may be there.
    pub fn instances(&self) -> Result<Vec<Instance>> {
        let Seen { instances, faults } = self.see(false);
        match faults.into_iter().next() {
            None => Ok(instances),
            Some(fault) => Err(fault),
        }
    }

    /// The same, as far as they can be told; then, with `all_hosts`, those of the others.
    pub fn see(&self, all_hosts: bool) -> Seen {
        let (mut instances, states, unread) = self.mended();
        // After that: what a start that was cut off left in the records may be gone by now.
        let records = self.records();
        let tracked = |state| Instance::tracked(state, self.context, &self.engine, &records);
        instances.extend(states.into_iter().map(tracked));
        let mut faults: Vec<Error> = self.store.fault().into_iter().collect();
        for record in &records {
            let name = &record.name;
            if instances.iter().any(|instance| instance.name == *name) {
                continue;
            }
            let mut instance = self.recorded_since(record);
            if !faults.is_empty() || unread.contains(name) {
                instance.reason = UNREAD.to_owned();
            }
            instances.push(instance);
        }
        instances.sort_by(|a, b| a.name.cmp(&b.name));
        if all_hosts {
            instances.extend(self.elsewhere());
            faults.extend(self.store.faults_elsewhere());
        }
        Seen { instances, faults }
    }

    /// Apptainer's records. Without them, those that have a state are known all the same.
    fn records(&self) -> Vec<Record> {
        self.engine.list().unwrap_or_else(|error| {
            self.warn(&error);
            Vec::new()
        })
    }

    fn elsewhere(&self) -> Vec<Instance> {
        let mut instances = Vec::new();
        for entry in self.store.list_elsewhere() {
            match entry.state {
                Ok(mut state) => {
                    state.host = entry.host;
                    let elsewhere = Instance::tracked(state, self.context, &self.engine, &[]);
                    instances.push(elsewhere);
                }
                Err(error) => self.output.warn(&error.message),
            }
        }
        instances
    }

    /// The instances that patterns cover, each once, in the order of the patterns; and what is to
    /// be said of each pattern that covers none.
    ///
    /// # Errors
    /// The states cannot be told; `.` is given, and no instance is active.
    pub fn matching(&self, patterns: &[Pattern]) -> Result<(Vec<Instance>, Vec<Error>)> {
        let all = self.instances()?;
        let mut chosen: Vec<Instance> = Vec::new();
        let mut missing = Vec::new();
        for pattern in patterns {
            let pattern = self.active_for_dot(pattern)?;
            let covered: Vec<&Instance> = all
                .iter()
                .filter(|instance| pattern.matches(&instance.name))
                .collect();
            if covered.is_empty() {
                missing.push(self.not_found(pattern.as_str()));
            }
            for instance in covered {
                if !chosen.iter().any(|known| known.name == instance.name) {
                    chosen.push(instance.clone());
                }
            }
        }
        Ok((chosen, missing))
    }

    /// True when one of the patterns is the name of the instance, or `.` and it is active.
    pub fn is_named(&self, instance: &Instance, patterns: &[Pattern]) -> bool {
        let mut meant = patterns.iter().filter_map(|p| self.active_for_dot(p).ok());
        meant.any(|pattern| pattern.is_plain() && pattern.as_str() == instance.name)
    }

    fn active_for_dot(&self, pattern: &Pattern) -> Result<Pattern> {
        if pattern.as_str() != "." {
            return Ok(pattern.clone());
        }
        let name = self.active_name()?;
        name.as_str()
            .parse()
            .map_err(|why: String| Error::new(Kind::Usage, why))
    }

    /// An instance that has a record, and had no state when those were listed. One that has just been
    /// started has both, the state first.
    fn recorded_since(&self, record: &Record) -> Instance {
        let name = record.name.parse::<InstanceName>().ok();
        let state = name.and_then(|name| self.store.load(name.as_str()).ok()?);
        let records = std::slice::from_ref(record);
        match state {
            Some(state) => Instance::tracked(state, self.context, &self.engine, records),
            None => Instance::untracked(record.clone(), self.context),
        }
    }

    /// The instances whose start was cut off, mended; the states of all others; and the names of those
    /// whose state cannot be used.
    fn mended(&self) -> (Vec<Instance>, Vec<State>, Vec<String>) {
        let (mut mended, mut states, mut unread) = (Vec::new(), Vec::new(), Vec::new());
        for entry in self.store.list() {
            let instance = entry.state.and_then(|state| {
                if status::is_cut_off(&state, &self.engine) {
                    return self.find(&entry.name);
                }
                states.push(state);
                Ok(None)
            });
            match instance {
                Ok(instance) => mended.extend(instance),
                Err(error) => {
                    self.warn(&error);
                    unread.push(entry.name);
                }
            }
        }
        (mended, states, unread)
    }

    fn warn(&self, error: &Error) {
        self.output.warn(&error.message);
        if let Some(hint) = &error.hint {
            self.output.note(hint);
        }
    }
}
