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

use std::path::Path;

use nix::unistd::{getgid, getgroups, getuid};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::bounds::WANTED_FILE_SYSTEM;
use crate::engine::apptainer::{bus, environment};
use crate::engine::local::answers;
use crate::engine::local::target::Target;
use crate::engine::local::{Unknown, processes};
use crate::engine::{Engine, Process, Run};
use crate::host::stable_hash;
use environ::{Call, ImageEnvironment};
use privileges::Privileges;
use scope::Scope;

pub use direct::Direct;

/// What was learned of an instance, and what it is true of.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct JoinProfile {
    /// Stands for the process, the Apptainer, the image's scripts, and the caller's settings of
    /// Apptainer: with another of these it is worth nothing.
    pub key: String,
    /// Read when it is needed: many states are read for their names alone.
    #[serde(rename = "verdict")] // as earlier releases wrote it
    outcome: Box<RawValue>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Outcome {
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

impl JoinProfile {
    fn new(key: String, outcome: &Outcome) -> Option<Self> {
        let outcome = serde_json::value::to_raw_value(outcome).ok()?;
        Some(JoinProfile { key, outcome })
    }

    /// `None` for what another version of `ctr` has written.
    fn outcome(&self) -> Option<Outcome> {
        serde_json::from_str(self.outcome.get()).ok()
    }
}

/// When the way into an instance is learned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Probe {
    /// Not at all: what is not known is impossible.
    Never,
    /// When it is not known.
    IfNeeded,
    /// Also when it was found to be impossible.
    Force,
}

/// How to go in, and what was learned on the way.
pub struct JoinPlan<'a> {
    /// Directly, or why not.
    pub direct: Result<Direct<'a>, Unknown>,
    /// To be kept with the state.
    pub learned: Option<JoinProfile>,
    /// True when learning would tell.
    pub is_unknown: bool,
}

impl JoinPlan<'_> {
    fn aside(why: impl Into<Unknown>) -> Self {
        JoinPlan {
            direct: Err(why.into()),
            learned: None,
            is_unknown: false,
        }
    }
}

impl Engine<'_> {
    /// The way for a command into the instance that `process` is, of which `known` was learned
    /// before.
    pub fn plan_join<'a>(
        &self,
        run: &Run<'a>,
        process: &Process,
        known: &[JoinProfile],
        learn: Probe,
    ) -> JoinPlan<'a> {
        if let Some(flag) = run.in_force.again.first() {
            return JoinPlan::aside(format!("it was started with `{flag}`"));
        }
        let target = match Target::open(process, &self.context.pid_scope) {
            Ok(target) => target,
            Err(why) => return JoinPlan::aside(why),
        };
        // All that follows looks at its files, and a command may go to the caller's folder.
        let own = self.context.cwd.as_deref().filter(|cwd| *cwd == run.cwd);
        if let Some(fault) = self.fault_on_the_way(process, own) {
            return JoinPlan::aside(fault);
        }
        let key = match self.key(process, &target) {
            Ok(key) => key,
            Err(why) => return JoinPlan::aside(why),
        };
        let is_known = |one: &&JoinProfile| one.key == key;
        let known = known.iter().find(is_known).and_then(JoinProfile::outcome);
        let is_good = |outcome: &Outcome| matches!(outcome, Outcome::Direct { .. });
        let known = known.filter(|outcome| learn != Probe::Force || is_good(outcome));
        let (outcome, learned) = match known {
            Some(outcome) => (outcome, None),
            None if learn == Probe::Never => {
                return JoinPlan {
                    is_unknown: true,
                    ..JoinPlan::aside("it is not known")
                };
            }
            None => match self.learn(run.name, process, &target) {
                Ok(outcome) => {
                    let learned = JoinProfile::new(key, &outcome);
                    (outcome, learned)
                }
                Err(why) => return JoinPlan::aside(why),
            },
        };
        let direct = match outcome {
            Outcome::Direct {
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
            Outcome::Aside(why) => Err(why),
        };
        JoinPlan {
            direct,
            learned,
            is_unknown: false,
        }
    }

    /// Why it cannot be gone into, or not to the caller's folder `own`. Both are asked by one process.
    fn fault_on_the_way(&self, process: &Process, own: Option<&Path>) -> Option<Unknown> {
        const NO_ANSWER: &str = "the working folder does not answer";
        if own.is_some_and(answers::is_silent) {
            return Some(NO_ANSWER.into());
        }
        let here = &self.context.pid_scope;
        let (fault, answers_here) =
            processes::fault_and_folder(process, own.is_some(), WANTED_FILE_SYSTEM, here);
        if let (Some(own), false) = (own, answers_here) {
            answers::remember_silent(own);
            return Some(NO_ANSWER.into());
        }
        fault.map(|fault| fault.to_string())
    }

    /// The scope of that name, where there is a bus to systemd.
    fn scope(&self, unit: String) -> Result<Scope, Unknown> {
        let socket = bus::socket(self.context);
        let socket = socket.ok_or("has limits, and there is no bus to systemd")?;
        Ok(Scope { unit, socket })
    }

    /// What stands for all that the knowledge depends on.
    fn key(&self, process: &Process, target: &Target) -> Result<String, Unknown> {
        let mut parts = vec![
            format!("{} {}", process.pid, process.pid_start_time).into_bytes(),
            target.scripts()?.into_bytes(),
            self.apptainer()?.as_bytes().to_vec(),
        ];
        for (name, value) in environment::settings(&self.callers()) {
            parts.extend([name.into_encoded_bytes(), value.into_encoded_bytes()]);
        }
        // `newgrp` changes what a command is given under fakeroot.
        let groups = getgroups().map_err(|error| error.desc())?;
        parts.push(format!("{} {} {groups:?}", getuid(), getgid()).into_bytes());
        let parts: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
        Ok(stable_hash::of(&parts))
    }
}
