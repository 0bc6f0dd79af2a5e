//! The second way into an instance: into the namespaces of its process, without Apptainer. What is
//! joined, what is checked, and when it steps aside is in `docs/join.md`.

mod direct;
mod environ;
mod learn;
mod privileges;
mod program;
mod prompt;
mod relay;
mod scope;
mod seen;

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};

use nix::unistd::{getgid, getgroups, getuid};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::bounds::WANTED_FILE_SYSTEM;
use crate::engine::apptainer::{bus, environment};
use crate::engine::local::Unknown;
use crate::engine::local::target::Target;
use crate::engine::{Engine, Process, Run};
use environ::{Call, ImageEnvironment};
use privileges::Privileges;
use scope::Scope;

pub use direct::Direct;

/// What was learned of an instance, and what it is true of.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Knowledge {
    /// Stands for the process, the Apptainer, the image's scripts, and the caller's settings of
    /// Apptainer: with another of these it is worth nothing.
    pub key: String,
    /// Read when it is needed: many states are read for their names alone.
    verdict: Box<RawValue>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Verdict {
    /// It was joined directly, and nothing differed.
    Direct {
        environment: ImageEnvironment,
        privileges: Privileges,
        /// The scope that holds its limits.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        unit: Option<String>,
    },
    /// Apptainer is needed, and why.
    Aside(Unknown),
}

impl Knowledge {
    fn new(key: String, verdict: &Verdict) -> Option<Self> {
        let verdict = serde_json::value::to_raw_value(verdict).ok()?;
        Some(Knowledge { key, verdict })
    }

    /// `None` for what another version of `ctr` has written.
    fn verdict(&self) -> Option<Verdict> {
        serde_json::from_str(self.verdict.get()).ok()
    }
}

/// When the way into an instance is learned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Learn {
    /// Not at all: what is not known is impossible.
    Never,
    /// When it is not known.
    IfNeeded,
    /// Also when it was found to be impossible.
    Anew,
}

/// How to go in, and what was learned on the way.
pub struct Way<'a> {
    /// Directly, or why not.
    pub direct: Result<Direct<'a>, Unknown>,
    /// To be kept with the state.
    pub learned: Option<Knowledge>,
    /// True when learning would tell.
    pub is_unknown: bool,
}

impl Way<'_> {
    fn aside(why: impl Into<Unknown>) -> Self {
        Way {
            direct: Err(why.into()),
            learned: None,
            is_unknown: false,
        }
    }
}

impl Engine<'_> {
    /// The way for a command into the instance that `process` is, of which `known` was learned
    /// before.
    pub fn way_in<'a>(
        &self,
        run: &Run<'a>,
        process: &Process,
        known: &[Knowledge],
        learn: Learn,
    ) -> Way<'a> {
        if let Some(flag) = run.in_force.again.first() {
            return Way::aside(format!("it was started with `{flag}`"));
        }
        let target = match Target::open(process, &self.context.place) {
            Ok(target) => target,
            Err(why) => return Way::aside(why),
        };
        // All that follows looks at its files.
        if let Some(fault) = self.faults(&[process], WANTED_FILE_SYSTEM)[0] {
            return Way::aside(fault);
        }
        let key = match self.key(process, &target) {
            Ok(key) => key,
            Err(why) => return Way::aside(why),
        };
        let is_known = |one: &&Knowledge| one.key == key;
        let known = known.iter().find(is_known).and_then(Knowledge::verdict);
        let is_good = |verdict: &Verdict| matches!(verdict, Verdict::Direct { .. });
        let known = known.filter(|verdict| learn != Learn::Anew || is_good(verdict));
        let (verdict, learned) = match known {
            Some(verdict) => (verdict, None),
            None if learn == Learn::Never => {
                return Way {
                    is_unknown: true,
                    ..Way::aside("it is not known")
                };
            }
            None => match self.learn(run.name, process, &target) {
                Ok(verdict) => {
                    let learned = Knowledge::new(key, &verdict);
                    (verdict, learned)
                }
                Err(why) => return Way::aside(why),
            },
        };
        let direct = match verdict {
            Verdict::Direct {
                environment,
                privileges,
                unit,
            } => {
                let hostos = run.hostos && !run.in_force.clean;
                let variables = self.variables(&run.environment, run.keep, hostos);
                let call = Call {
                    variables: &variables,
                    clean: run.in_force.clean,
                };
                let environment = environment.of_command(&call);
                let scope = unit.map(|unit| self.scope(unit)).transpose();
                environment.and_then(|environment| {
                    Ok(Direct {
                        name: run.name,
                        target,
                        environment,
                        privileges,
                        scope: scope?,
                        cwd: run.cwd,
                        usual_umask: run.in_force.usual_umask,
                    })
                })
            }
            Verdict::Aside(why) => Err(why),
        };
        Way {
            direct,
            learned,
            is_unknown: false,
        }
    }

    /// The scope of that name, where there is a bus to systemd.
    fn scope(&self, unit: String) -> Result<Scope, Unknown> {
        let socket = bus::socket(self.context);
        let socket = socket.ok_or("has limits, and there is no bus to systemd")?;
        Ok(Scope { unit, socket })
    }

    /// What stands for all that the knowledge depends on.
    fn key(&self, process: &Process, target: &Target) -> Result<String, Unknown> {
        let mut hasher = DefaultHasher::new();
        (process.pid, process.pid_start_time).hash(&mut hasher);
        target.scripts()?.hash(&mut hasher);
        self.apptainer()?.hash(&mut hasher);
        environment::settings(&self.callers()).hash(&mut hasher);
        // `newgrp` changes what a command is given under fakeroot.
        let groups = getgroups().map_err(|error| error.desc())?;
        let groups: Vec<u32> = groups.iter().map(|group| group.as_raw()).collect();
        (getuid().as_raw(), getgid().as_raw(), groups).hash(&mut hasher);
        Ok(format!("{:016x}", hasher.finish()))
    }
}
