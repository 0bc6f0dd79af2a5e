//! What completion knows of the machine: read when it is asked for, never changed.

use crate::bounds::FILE_SYSTEM;
use crate::config::Config;
use crate::engine::Engine;
use crate::env::activation;
use crate::host::cache::Cache;
use crate::host::context::Context;
use crate::instance::status::Instance;
use crate::state::{State, Store};

use super::grammar::Parsed;

pub struct World {
    pub context: Context,
    pub config: Config,
    /// The words of the line, the last of which is being typed.
    words: Vec<String>,
    parsed: Parsed,
    store: Store,
    cache: Cache,
}

impl World {
    /// Reads the caller's surroundings; a configuration that is wrong counts for none.
    pub fn read(words: &[String], parsed: Parsed) -> Option<Self> {
        let mut context = Context::read().ok()?;
        // There is time for what answers beside it.
        context.waits.most = FILE_SYSTEM;
        let config = Config::load(&context)
            .ok()
            .or_else(|| without_files(&context))?;
        Some(World {
            words: words.to_vec(),
            parsed,
            store: Store::new(&context),
            cache: Cache::new(&context),
            config,
            context,
        })
    }

    /// The words of the line that are neither options nor their values.
    pub fn given(&self) -> impl Iterator<Item = &str> {
        self.parsed
            .places
            .iter()
            .map(|place| self.words[*place].as_str())
    }

    /// What knows Apptainer's records and the processes of instances.
    pub fn engine(&self) -> Engine<'_> {
        Engine::new(&self.context, &self.config, &self.cache)
    }

    /// The name that a word stands for: `.` is the active instance, when it was made active here.
    pub fn name(&self, word: &str) -> Option<String> {
        if word != "." {
            return Some(word.to_owned());
        }
        activation::active(&self.context.variables, &self.context.pid_scope)
            .filter(|active| active.here)
            .map(|active| active.name)
    }

    /// The state of an instance.
    pub fn state(&self, word: &str) -> Option<State> {
        let name: crate::names::InstanceName = self.name(word)?.parse().ok()?;
        self.store.load(name.as_str()).ok()?
    }

    /// One instance, as it is now.
    pub fn instance(&self, word: &str) -> Option<Instance> {
        let engine = self.engine();
        match self.state(word) {
            Some(state) => Some(Instance::tracked(state, &self.context, &engine, &[])),
            None => {
                let record = engine.record(&self.name(word)?).ok()??;
                Some(Instance::untracked(record, &self.context))
            }
        }
    }

    /// Every instance of this host, those that live first. Unlike [`crate::instance::session::Session`] this
    /// mends nothing, and passes over what cannot be read without a word.
    pub fn instances(&self) -> Vec<Instance> {
        let engine = self.engine();
        let records = engine.list().unwrap_or_default();
        let states = self
            .store
            .list()
            .into_iter()
            .filter_map(|entry| entry.state.ok());
        let mut instances: Vec<Instance> = states
            .map(|state| Instance::tracked(state, &self.context, &engine, &records))
            .collect();
        for record in records {
            if !instances.iter().any(|known| known.name == record.name) {
                instances.push(Instance::untracked(record, &self.context));
            }
        }
        instances.sort_by(|a, b| {
            let rank = |one: &Instance| !one.status.is_alive();
            rank(a).cmp(&rank(b)).then_with(|| a.name.cmp(&b.name))
        });
        instances
    }
}

/// The settings that no file makes.
fn without_files(context: &Context) -> Option<Config> {
    let mut context = context.clone();
    context
        .variables
        .insert("CTR_CONFIG".into(), "/dev/null".into());
    Config::load(&context).ok()
}
