//! The environment that Apptainer would hand to a command inside. Pure.
//!
//! Apptainer lets the image's scripts run on nothing of the caller's, lays what is handed in over
//! what they made, and takes from the caller what is not set by then (its `action_script.sh` and
//! `env/create.go`, 1.3 to 1.5). So the scripts need not run again: what they made once is enough.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

use serde::{Deserialize, Serialize};

use crate::engine::apptainer::environment::OLD_CARRIER;
use crate::engine::local::Unknown;
use crate::env::rules::CARRIER;
use crate::host::context::Variables;
use crate::names::is_variable_name;

use super::prompt::{COMMAND, before_apptainer, set_prompt};

/// What Apptainer puts behind the caller's `PATH` in `USER_PATH` (its `actions.go`).
const USUAL_FOLDERS: &str = ":/bin:/usr/bin:/sbin:/usr/sbin:/usr/local/bin:/usr/local/sbin";

/// Variables of the caller that come along under `--cleanenv` too.
const ALWAYS_PASSED: [&str; 11] = [
    "TERM",
    "http_proxy",
    "HTTP_PROXY",
    "https_proxy",
    "HTTPS_PROXY",
    "no_proxy",
    "NO_PROXY",
    "all_proxy",
    "ALL_PROXY",
    "ftp_proxy",
    "FTP_PROXY",
];

/// Variables of the caller that never come along.
const NEVER_PASSED: [&str; 5] = ["HOME", "PATH", "LD_LIBRARY_PATH", "PWD", "IMAGE_ARG"];

/// Names that Apptainer drops when they are handed in.
const NOT_HANDED_IN: [&str; 4] = ["HOME", "UID", "GID", "EUID"];

/// Names whose handing in means something to Apptainer itself, in one release or another.
const MEANS_MORE: [&str; 3] = ["PWD", "PREPEND_LD_LIBRARY_PATH", "APPEND_LD_LIBRARY_PATH"];

/// Prefixes of Apptainer's own variables.
const APPTAINERS: [&str; 3] = ["APPTAINER_", "SINGULARITY_", "SING_USER_DEFINED_"];

/// Names that Apptainer's shell may keep for itself (some do in 1.4.5), beside those that it sets.
pub const DOUBTFUL: [&str; 16] = [
    "e",
    "key",
    "IFS",
    "OPTIND",
    "OPTARG",
    "UID",
    "EUID",
    "GID",
    "PPID",
    "LINENO",
    "RANDOM",
    "DIRSTACK",
    "REPLY",
    "PS2",
    "PS4",
    "__script__",
];

/// Variables that each shell makes anew, as one in which Apptainer is wrapped would.
pub const OF_SHELLS: [&str; 3] = ["SHLVL", "OLDPWD", "_"];

/// What is known of an image: what its scripts and Apptainer set, however a command is called.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImageEnvironment {
    /// Set whatever the caller has.
    fixed: BTreeMap<String, String>,
    /// Set where the caller has none of that name.
    fallback: BTreeMap<String, String>,
    /// Variables of the caller that do not arrive.
    dropped: BTreeSet<String>,
    path: String,
}

/// How a command is called.
#[derive(Debug, Clone, Copy)]
pub struct Call<'a> {
    /// The environment in which Apptainer would be called.
    pub variables: &'a Variables,
    /// With `--cleanenv`.
    pub clean: bool,
}

impl ImageEnvironment {
    /// Reads it off two commands: `bare` is what one was given that was called with an empty
    /// environment, `marked` one whose caller had `mark` as the value of each of `names`.
    ///
    /// # Errors
    /// A value is not UTF-8, or `PROMPT_COMMAND` is not what Apptainer makes.
    pub fn observed(
        bare: &Variables,
        marked: &Variables,
        names: &BTreeSet<String>,
        mark: &str,
    ) -> Result<Self, Unknown> {
        let mut image = ImageEnvironment::default();
        for (name, value) in bare {
            let text = || Some((name.to_str()?.to_owned(), value.to_str()?.to_owned()));
            let (name, value) = text().ok_or("a variable of the image is not UTF-8")?;
            match name.as_str() {
                "PATH" => image.path = value,
                "PWD" | "USER_PATH" => {}
                name if OF_SHELLS.contains(&name) => {}
                _ if is_marked(marked, &name, mark) => drop(image.fallback.insert(name, value)),
                _ => drop(image.fixed.insert(name, value)),
            }
        }
        let whole = image.fixed.remove(COMMAND).unwrap_or_default();
        let prompt = image.fixed.get("PS1").or(image.fallback.get("PS1"));
        let before = before_apptainer(&whole, prompt.map_or("", String::as_str))?;
        if !before.is_empty() {
            image.fixed.insert(COMMAND.into(), before);
        }
        image.dropped = names
            .iter()
            .filter(|name| !bare.contains_key(OsStr::new(name)))
            .filter(|name| !is_marked(marked, name, mark))
            .cloned()
            .collect();
        Ok(image)
    }

    /// The environment of a command, all but `PWD`.
    ///
    /// # Errors
    /// A variable is handed in that Apptainer itself acts upon.
    pub fn of_command(&self, call: &Call) -> Result<Variables, Unknown> {
        let mut handed_in = self.handed_in(call.variables)?;
        let mut path = self.path.clone().into();
        change_path(&mut path, &mut handed_in);
        let callers = self.callers(call, &handed_in);

        let mut all: Variables = to_variables(&self.fixed);
        all.extend(handed_in);
        for (name, value) in callers {
            match all.get(&name) {
                None => drop(all.insert(name, value)),
                // Apptainer unsets what is empty by then, when the caller has one too.
                Some(there) if there.is_empty() => drop(all.remove(&name)),
                Some(_) => {}
            }
        }
        for (name, value) in to_variables(&self.fallback) {
            all.entry(name).or_insert(value);
        }
        all.insert("PATH".into(), path);
        set_prompt(&mut all);
        Ok(all)
    }

    /// What is handed in by `APPTAINERENV_NAME`, else by `SINGULARITYENV_NAME`.
    fn handed_in(&self, variables: &Variables) -> Result<Variables, Unknown> {
        let mut handed_in = Variables::new();
        for prefix in [CARRIER, OLD_CARRIER] {
            for (name, value) in variables {
                let Some(name) = name.as_bytes().strip_prefix(prefix.as_bytes()) else {
                    continue;
                };
                let name = OsStr::from_bytes(name);
                let shown = name.to_string_lossy();
                let name = match &*shown {
                    "" => continue,
                    name if NOT_HANDED_IN.contains(&name) => continue,
                    "PATH" | "PREPEND_PATH" | "APPEND_PATH" => {
                        OsString::from(format!("SING_USER_DEFINED_{shown}"))
                    }
                    name if self.means_more(name) => {
                        return Err(format!("`{name}` is handed in, which Apptainer acts upon"));
                    }
                    _ => name.to_owned(),
                };
                handed_in.entry(name).or_insert_with(|| value.clone());
            }
        }
        if let Some(value) = handed_in.get_mut(OsStr::new("LD_LIBRARY_PATH")) {
            if !value.is_empty() {
                value.push(":/.singularity.d/libs");
            }
        }
        Ok(handed_in)
    }

    fn means_more(&self, name: &str) -> bool {
        !is_variable_name(name)
            || MEANS_MORE.contains(&name)
            || self.dropped.contains(name)
            || APPTAINERS.iter().any(|prefix| name.starts_with(prefix))
    }

    /// The caller's variables that come along, where nothing is set by then.
    fn callers(&self, call: &Call, handed_in: &Variables) -> Variables {
        let mut callers: Variables = call
            .variables
            .iter()
            .filter(|(name, _)| self.comes_along(name, call.clean))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        if call.clean {
            callers.insert("LANG".into(), "C".into());
        } else {
            let mut path = call.variables.get(OsStr::new("PATH")).cloned();
            let path = path.get_or_insert_default();
            path.push(USUAL_FOLDERS);
            callers.insert("USER_PATH".into(), path.clone());
        }
        callers.retain(|name, _| !handed_in.contains_key(name));
        callers
    }

    fn comes_along(&self, name: &OsStr, clean: bool) -> bool {
        let shown = name.to_string_lossy();
        let own = [CARRIER, OLD_CARRIER, "APPTAINER_", "SINGULARITY_"];
        !own.iter().any(|prefix| shown.starts_with(prefix))
            && !NEVER_PASSED.contains(&&*shown)
            && !self.dropped.contains(&*shown)
            && (!clean || ALWAYS_PASSED.contains(&&*shown))
    }
}

/// What Apptainer's `runtime_vars.sh` does; empty ones it leaves where they are.
fn change_path(path: &mut OsString, handed_in: &mut Variables) {
    let mut take = |what: &str| {
        let name = OsString::from(format!("SING_USER_DEFINED_{what}"));
        let there = handed_in.get(&name).is_some_and(|value| !value.is_empty());
        there.then(|| handed_in.remove(&name)).flatten()
    };
    let join = |first: &OsStr, second: &OsStr| [first, second].join(OsStr::new(":"));
    if let Some(first) = take("PREPEND_PATH") {
        *path = join(&first, path);
    }
    if let Some(last) = take("APPEND_PATH") {
        *path = join(path, &last);
    }
    if let Some(whole) = take("PATH") {
        *path = whole;
    }
}

fn is_marked(marked: &Variables, name: &str, mark: &str) -> bool {
    marked
        .get(OsStr::new(name))
        .is_some_and(|value| value == mark)
}

fn to_variables(map: &BTreeMap<String, String>) -> Variables {
    map.iter()
        .map(|(name, value)| (name.into(), value.into()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::prompt::PROMPT;
    use super::*;

    fn variables(pairs: &[(&str, &str)]) -> Variables {
        pairs.iter().map(|(k, v)| (k.into(), v.into())).collect()
    }

    const COMMAND_OF_NONE: (&str, &str) = (COMMAND, "PS1=\"Apptainer> \"; unset PROMPT_COMMAND");

    fn image() -> ImageEnvironment {
        let bare = variables(&[
            ("APPTAINER_NAME", "x.sif"),
            ("PATH", "/image:/bin"),
            ("PWD", "/"),
            ("OF_IMAGE", "set"),
            ("EMPTY", ""),
            ("PS1", PROMPT),
            COMMAND_OF_NONE,
        ]);
        let marked = variables(&[("OF_IMAGE", "set"), ("PS1", "mark"), ("OPTARG", "mark")]);
        let names = ["OF_IMAGE", "PS1", "OPTARG", "e"].map(str::to_owned).into();
        ImageEnvironment::observed(&bare, &marked, &names, "mark").unwrap()
    }

    fn given(callers: &[(&str, &str)], clean: bool) -> Result<Variables, Unknown> {
        let variables = variables(callers);
        image().of_command(&Call {
            variables: &variables,
            clean,
        })
    }

    fn value(all: &Variables, name: &str) -> Option<String> {
        Some(all.get(OsStr::new(name))?.to_str()?.to_owned())
    }

    #[test]
    fn what_the_image_sets_stands_over_the_callers_and_under_what_is_handed_in() {
        let callers = [("OF_IMAGE", "host"), ("EMPTY", "host"), ("OWN", "host")];
        let all = given(&callers, false).unwrap();
        assert_eq!(value(&all, "OF_IMAGE").unwrap(), "set");
        assert_eq!(value(&all, "EMPTY"), None);
        assert_eq!(value(&all, "OWN").unwrap(), "host");
        let all = given(
            &[("APPTAINERENV_OF_IMAGE", "in"), ("OPTARG", "1"), ("e", "1")],
            false,
        );
        let all = all.unwrap();
        assert_eq!(value(&all, "OF_IMAGE").unwrap(), "in");
        assert_eq!(value(&all, "OPTARG").unwrap(), "1");
        assert_eq!(value(&all, "e"), None);
    }

    #[test]
    fn a_prompt_is_set_where_nobody_has_one() {
        let all = given(&[], false).unwrap();
        assert_eq!(value(&all, COMMAND).unwrap(), COMMAND_OF_NONE.1);
        let all = given(&[("PS1", "mine"), (COMMAND, "x")], false).unwrap();
        assert_eq!(value(&all, "PS1").unwrap(), "mine");
        assert!(
            value(&all, COMMAND)
                .unwrap()
                .starts_with("x; PROMPT_COMMAND=")
        );
    }

    #[test]
    fn paths_are_put_around_the_images() {
        let path = |callers: &[(&str, &str)]| value(&given(callers, false).unwrap(), "PATH");
        let around = [
            ("APPTAINERENV_PREPEND_PATH", "/a"),
            ("APPTAINERENV_APPEND_PATH", "/z"),
        ];
        assert_eq!(path(&around).unwrap(), "/a:/image:/bin:/z");
        assert_eq!(
            path(&[("SINGULARITYENV_PATH", "/x"), ("PATH", "/host")]).unwrap(),
            "/x"
        );
    }

    #[test]
    fn a_clean_environment_has_little_of_the_caller() {
        let callers = [
            ("TERM", "xterm"),
            ("OWN", "x"),
            ("PATH", "/h"),
            ("LANG", "de"),
        ];
        let all = given(&callers, true).unwrap();
        assert_eq!(value(&all, "TERM").unwrap(), "xterm");
        assert_eq!(value(&all, "LANG").unwrap(), "C");
        assert_eq!(value(&all, "OWN").or(value(&all, "USER_PATH")), None);
    }

    #[test]
    fn what_apptainer_acts_upon_is_left_to_it() {
        for name in [
            "PWD",
            "APPTAINER_SHELL",
            "e",
            "A-B",
            "SING_USER_DEFINED_PATH",
        ] {
            let name = format!("{CARRIER}{name}");
            assert!(given(&[(&name, "x")], false).is_err(), "{name}");
        }
    }
}
