//! The memory of how instances were started: one JSON file each. The only place that reads or
//! writes such files.

mod file;
mod host;
mod listing;
mod lock;
mod lock_owner;
mod prepared;
mod store;
mod wait;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::engine::{JoinProfile, Process, Record, Started};
use crate::host::context::PidScope;
use crate::spec::InstanceSpec;

pub use lock::Lock;
pub use prepared::Prepared;
pub use store::Store;
pub use wait::Wait;

/// The version of the format that this `ctr` writes, and the newest that it reads. A file of the
/// reference has none, which counts as 0.
pub const FORMAT: u32 = 1;

/// What others may not be allowed to do to a file of states.
const OTHERS_WRITE: u32 = 0o022;

/// Where an instance is in its life, as far as the file knows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Written before Apptainer is called; the process is the `ctr` that calls it.
    Starting,
    #[default]
    Running,
    /// Stopped with its setup kept.
    Stopped,
}

/// One state file.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(from = "file::File")]
pub struct State {
    pub format: u32,
    #[serde(flatten)]
    pub spec: InstanceSpec,
    pub phase: Phase,
    /// It is being started again: when that is cut off, the setup is kept.
    #[serde(skip_serializing_if = "is_false")]
    pub is_restart: bool,
    /// Rises with each write.
    pub generation: u64,
    /// The host that it runs on.
    pub host: String,
    /// Absent while stopped, and in a file of the reference.
    #[serde(flatten)]
    pub process: Option<Process>,
    /// RFC 3339, UTC.
    pub started_at: Option<String>,
    pub apptainer: String,
    pub apptainer_version: String,
    pub log_out: String,
    pub log_err: String,
    /// The commands that are on the `PATH` of shells in which it is active.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub shims: Vec<String>,
    /// What direct joins need to know of it, as text: most readers have no use for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    joins: Option<Box<RawValue>>,
}

fn is_false(value: &bool) -> bool {
    !value
}

/// Why a state file cannot be used.
#[derive(Debug, PartialEq, Eq)]
pub enum Unusable {
    /// It was written by a newer `ctr`, in this format.
    Newer(u32),
    /// It is not what `ctr` writes, for this reason.
    Damaged(String),
}

#[derive(Deserialize)]
struct Format {
    #[serde(default)]
    format: u32,
}

fn damaged(error: serde_json::Error) -> Unusable {
    Unusable::Damaged(error.to_string())
}

impl State {
    /// The state of a start that is about to be made by this process, so that a crash on the way
    /// leaves a trace.
    /// `generation` is that of the state it replaces, 0 when there is none.
    pub fn starting(spec: InstanceSpec, generation: u64, host: &str, place: &PidScope) -> Self {
        let pid = std::process::id() as i32;
        State {
            format: FORMAT,
            spec,
            phase: Phase::Starting,
            generation,
            host: host.to_owned(),
            process: Some(Process {
                pid,
                pid_start_time: crate::engine::start_time(pid).unwrap_or(0),
                supervisor_pid: pid,
                user_namespace: crate::engine::user_namespace(),
                boot_id: place.boot_id.clone(),
                pid_namespace: place.pid_namespace,
            }),
            ..State::default()
        }
    }

    /// The state once Apptainer has started it.
    pub fn running(mut self, started: Started) -> Self {
        self.phase = Phase::Running;
        self.is_restart = false;
        self.process = Some(started.process);
        self.started_at = Some(now());
        self.apptainer = started.binary.path.display().to_string();
        self.apptainer_version = started.binary.version;
        self.log_out = started.log_out;
        self.log_err = started.log_err;
        self
    }

    /// The state of a start that was cut off, once Apptainer's record of it is found.
    pub fn adopted(mut self, record: Record) -> Self {
        self.phase = Phase::Running;
        self.is_restart = false;
        self.process = Some(record.process);
        self.started_at = Some(now());
        self.log_out = record.log_out;
        self.log_err = record.log_err;
        self
    }

    /// The state of an instance that was stopped and whose setup is kept.
    pub fn stopped(mut self) -> Self {
        self.phase = Phase::Stopped;
        self.is_restart = false;
        self.process = None;
        self.started_at = None;
        self.joins = None;
        self
    }

    /// True when a command of this name is to be on `PATH`.
    pub fn has_shim(&self, command: &str) -> bool {
        self.shims.iter().any(|shim| shim == command)
    }

    /// What direct joins need to know of it; nothing where another version of `ctr` wrote it, since
    /// it can be learned anew.
    pub fn joins(&self) -> Vec<JoinProfile> {
        let known = self.joins.as_ref();
        known.map_or_else(Vec::new, |text| {
            serde_json::from_str(text.get()).unwrap_or_default()
        })
    }

    /// The state with something more learned of it. Callers may have different settings of
    /// Apptainer; what is true for a few is kept.
    pub fn knowing(mut self, knowledge: JoinProfile) -> Self {
        const MOST: usize = 4;
        let mut joins = self.joins();
        joins.retain(|known| known.key != knowledge.key);
        joins.insert(0, knowledge);
        joins.truncate(MOST);
        self.joins = serde_json::value::to_raw_value(&joins).ok();
        self
    }

    /// Reads a state; one of the reference is brought into the form of today.
    ///
    /// # Errors
    /// It is not JSON of this form, or of a newer format.
    pub fn from_json(bytes: &[u8]) -> Result<Self, Unusable> {
        let read: serde_json::Result<State> = serde_json::from_slice(bytes);
        // What a newer one holds beside its format is not for this version to judge.
        let format = match &read {
            Ok(state) => state.format,
            Err(_) => {
                serde_json::from_slice::<Format>(bytes)
                    .map_err(damaged)?
                    .format
            }
        };
        if format > FORMAT {
            return Err(Unusable::Newer(format));
        }
        let mut state = read.map_err(damaged)?;
        if state.format == 0 {
            // The reference sets them empty, and Python then trusts nobody.
            let emptied = ["CURL_CA_BUNDLE=", "SSL_CERT_FILE="];
            state
                .spec
                .env
                .retain(|entry| !emptied.contains(&entry.as_str()));
        }
        Ok(state)
    }
}

/// The time, as RFC 3339 in UTC with seconds.
fn now() -> String {
    humantime::format_rfc3339_seconds(std::time::SystemTime::now()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::Withheld;

    const OF_THE_REFERENCE: &str = r#"{
        "name": "cnt1",
        "env": ["DEMO_HOME=/cnt/demo/1.0", "PATH=/cnt/demo/1.0/bin:$PATH", "SSL_CERT_FILE=", "K=a"],
        "overlays": ["/home/u/images/demo--1.0.sqf"],
        "bind_paths": ["/home/u"],
        "base_image": "/home/u/base.sif",
        "notes": {"DEMO_HOME": "where demo lives"}
    }"#;

    #[test]
    fn a_file_of_the_reference_is_read() {
        let state = State::from_json(OF_THE_REFERENCE.as_bytes()).unwrap();
        assert_eq!(state.spec.name, "cnt1");
        assert_eq!(state.spec.env.len(), 3, "{:?}", state.spec.env);
        assert_eq!(state.spec.notes["DEMO_HOME"], "where demo lives");
        assert_eq!(state.process, None);
    }

    #[test]
    fn what_is_written_is_read_back() {
        let text = |what: &str| what.to_owned();
        let list = |what: &str| vec![text(what)];
        // Every field with a value of its own, so that none can be lost or taken for another.
        let spec = InstanceSpec {
            name: text("x"),
            env: list("A=$(x)\n"),
            overlays: list("o"),
            bind_paths: list("b"),
            implicit_binds: Some(list("u")),
            working_folder: Some(text("w")),
            start_folder: Some(text("d")),
            config_file: Some(text("c")),
            base_image: text("i"),
            notes: [(text("A"), text("n"))].into(),
            note: Some(text("m")),
            fakeroot: true,
            writable: true,
            gpu: list("g"),
            apptainer_flags: list("f"),
            host_env: list("h"),
            withheld: vec![Withheld {
                file: text("s"),
                names: list("S"),
                reason: text("r"),
            }],
        };
        let place = PidScope {
            boot_id: text("b"),
            pid_namespace: 3,
        };
        let mut state = State::starting(spec, 4, "host", &place);
        state.started_at = Some(now());
        state.is_restart = true;
        state.apptainer = text("a");
        state.apptainer_version = text("v");
        state.log_out = text("out");
        state.log_err = text("err");
        state.shims = list("c");
        state.joins = serde_json::value::to_raw_value(&[1]).ok();
        let written = serde_json::to_vec(&state).unwrap();
        let read = State::from_json(&written).unwrap();
        assert_eq!(serde_json::to_vec(&read).unwrap(), written);
        assert_eq!(read.spec, state.spec);
        let stopped = State::from_json(&serde_json::to_vec(&state.stopped()).unwrap()).unwrap();
        assert_eq!((stopped.phase, stopped.process), (Phase::Stopped, None));
        assert!(stopped.joins.is_none());
    }

    #[test]
    fn what_is_not_understood_of_joins_is_forgotten() {
        for joins in ["7", "[{\"key\": 1}]", "[{\"key\": \"k\"}]", "null", "[]"] {
            let text = format!("{{\"name\": \"x\", \"joins\": {joins}}}");
            let state = State::from_json(text.as_bytes()).unwrap();
            assert!(state.joins().is_empty(), "{joins}");
        }
    }

    #[test]
    fn a_newer_format_is_refused() {
        for newer in [
            br#"{"format": 99, "name": "x"}"#.as_slice(),
            br#"{"format": 99, "name": {"of": "another form"}}"#,
        ] {
            assert_eq!(State::from_json(newer).unwrap_err(), Unusable::Newer(99));
        }
        assert!(State::from_json(br#"{"name": "x""#).is_err());
        assert!(State::from_json(b"[]").is_err());
    }
}
