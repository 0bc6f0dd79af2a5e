//! The setup of an instance: all that a start needs and a restart repeats. It is what a plan
//! comes to, what the engine starts, and what the state file remembers.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The base that is the user's own operating system.
pub const HOSTOS: &str = "hostos";

/// How an instance is started. The first six fields are those of the reference's state file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct InstanceSpec {
    pub name: String,
    /// `KEY=VALUE`, later wins, values literal but for `$PATH` in `PATH`.
    pub env: Vec<String>,
    /// Paths of the overlays in mount order, the ext3 overlay last.
    pub overlays: Vec<String>,
    /// Binds as Apptainer takes them, `SRC[:DST[:OPTS]]`.
    pub bind_paths: Vec<String>,
    /// Those among the binds that nobody asked for, with those that a restart has left out: none in a state of
    /// an earlier release.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub implicit_binds: Option<Vec<String>>,
    /// The one among the binds that only comes from where the start was made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub working_folder: Option<String>,
    /// The folder that the first start was made in: it is started there again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start_folder: Option<String>,
    /// The configuration of Apptainer that it was started with, when that is known; empty for that of
    /// the installation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub config_file: Option<String>,
    /// A path, a URI, or `hostos`.
    pub base_image: String,
    /// Notes on variables, for people.
    pub notes: BTreeMap<String, String>,
    /// The note on the instance itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// True when it appears as root inside.
    pub fakeroot: bool,
    /// True when the ext3 overlay is open for writing.
    pub writable: bool,
    /// Apptainer's GPU flags, `--nv` and `--rocm`.
    pub gpu: Vec<String>,
    /// Flags that were handed to Apptainer as they are.
    pub apptainer_flags: Vec<String>,
    /// Names of the variables that `ctr env` exports in the host's shell.
    pub host_env: Vec<String>,
    /// Sidecar variables that it does not export, and why.
    pub withheld: Vec<Withheld>,
}

/// A sidecar whose variables stay out of the host's shell.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Withheld {
    /// The sidecar.
    pub file: String,
    /// Its variables.
    pub names: Vec<String>,
    /// Why it is not trusted, in words.
    pub reason: String,
}

impl InstanceSpec {
    /// True when the base is the user's own operating system.
    pub fn is_hostos(&self) -> bool {
        self.base_image == HOSTOS
    }

    /// Names what differs from another setup, or nothing when a start would repeat this one.
    /// Notes do not count: they are for people. Nor do the folders that the starts were made in.
    pub fn difference(&self, other: &InstanceSpec) -> Option<String> {
        let binds_more = |one: &InstanceSpec, than: &InstanceSpec| {
            one.bind_paths.iter().any(|bind| {
                one.working_folder.as_ref() != Some(bind) && !than.bind_paths.contains(bind)
            })
        };
        let known = |one: &InstanceSpec| one.config_file.is_some();
        let rows = [
            ("base image", self.base_image == other.base_image),
            ("overlays", self.overlays == other.overlays),
            ("writable", self.writable == other.writable),
            (
                "binds",
                !binds_more(self, other) && !binds_more(other, self),
            ),
            ("fakeroot", self.fakeroot == other.fakeroot),
            ("GPU", self.gpu == other.gpu),
            (
                "Apptainer's configuration",
                !known(self) || !known(other) || self.config_file == other.config_file,
            ),
            (
                "Apptainer flags",
                self.apptainer_flags == other.apptainer_flags,
            ),
        ];
        let mut differing: Vec<String> = rows
            .iter()
            .filter(|(_, same)| !same)
            .map(|(what, _)| (*what).to_owned())
            .collect();
        let changed = |entry: &String, there: &InstanceSpec| !there.env.contains(entry);
        let mut names: Vec<&str> = self
            .env
            .iter()
            .filter(|entry| changed(entry, other))
            .chain(other.env.iter().filter(|entry| changed(entry, self)))
            .filter_map(|entry| Some(entry.split_once('=')?.0))
            .collect();
        names.sort_unstable();
        names.dedup();
        if !names.is_empty() {
            differing.push(format!("variables ({})", names.join(", ")));
        }
        (!differing.is_empty()).then(|| differing.join(", "))
    }

    /// The value that a variable has in the end, `PATH` aside.
    pub fn value(&self, key: &str) -> Option<&str> {
        self.env
            .iter()
            .rev()
            .filter_map(|entry| entry.split_once('='))
            .find_map(|(known, value)| (known == key).then_some(value))
    }

    /// The variables that make sense in the host's shell, with their values.
    pub fn host_variables(&self) -> impl Iterator<Item = (&str, &str)> {
        self.host_env
            .iter()
            .filter_map(|key| Some((key.as_str(), self.value(key)?)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_is_named() {
        let one = InstanceSpec {
            env: vec!["A=1".into(), "B=2".into()],
            ..InstanceSpec::default()
        };
        let mut other = one.clone();
        assert_eq!(one.difference(&other), None);
        other.notes.insert("A".into(), "note".into());
        assert_eq!(one.difference(&other), None);
        other.bind_paths = vec!["/here".into()];
        assert_eq!(one.difference(&other).unwrap(), "binds");
        other.working_folder = Some("/here".into());
        assert_eq!(one.difference(&other), None);
        other.env[0] = "A=3".into();
        other.fakeroot = true;
        assert_eq!(one.difference(&other).unwrap(), "fakeroot, variables (A)");
    }
}
