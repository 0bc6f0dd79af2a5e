//! The environment in which Apptainer is called: the caller's, from before an activation, less
//! what does harm, and the instance's variables in the form that Apptainer carries.

use std::ffi::{OsStr, OsString};

use crate::engine::Engine;
use crate::env::activation;
use crate::env::rules::{self, CA_FILES, CARRIER, Folded, PathEdit, encoded_length};
use crate::error::Result;
use crate::host::context::Variables;
use crate::spec::InstanceSpec;

/// The other prefix that Apptainer reads.
pub const OLD_CARRIER: &str = "SINGULARITYENV_";

/// Variables of Apptainer's own that a caller may set: places, registries, site-wide binds.
/// All others (`APPTAINER_JSON`, `APPTAINER_ALL`, `APPTAINER_FORCE` …) switch flags on.
const APPTAINERS_OWN: [&str; 14] = [
    "CACHEDIR",
    "TMPDIR",
    "CONFIGDIR",
    "CONFIG_FILE",
    "KEYSDIR",
    "AUTHFILE",
    "DOCKER_USERNAME",
    "DOCKER_PASSWORD",
    "DOCKER_HOST",
    "PULLDIR",
    "PULLFOLDER",
    "BIND",
    "BINDPATH",
    "NV_CONTAINER_CLI",
];

/// Those of them that ask for binds.
const BINDS: [&str; 2] = ["BIND", "BINDPATH"];

impl Engine<'_> {
    /// Refuses more variables than Apptainer carries.
    ///
    /// # Errors
    /// Names the longest.
    pub fn check_size_of(&self, spec: &InstanceSpec) -> Result<()> {
        self.check_size(&rules::fold(spec.env.iter().map(String::as_str)))
    }

    /// The same of what is folded already.
    pub(in crate::engine) fn check_size(&self, folded: &Folded) -> Result<()> {
        let beside = length_inherited(&self.context.variables);
        rules::check_total(&folded.variables, beside)
    }
}

/// The environment for one call. On the host's own operating system the caller's `PATH` is as good
/// as outside, and takes the place of the image's.
pub fn variables(
    callers: &Variables,
    folded: &Folded,
    scrub: &[String],
    keep: bool,
    hostos: bool,
) -> Variables {
    let mut variables = activation::without(callers);
    let was_inside = tells_of_a_container(callers);
    variables.retain(|name, _| {
        is_kept(name, scrub, keep, hostos) && !(was_inside && is_told_of_binds(name))
    });
    prefer_new_names(&mut variables);
    for (key, value) in &folded.variables {
        variables.remove(OsStr::new(&format!("{OLD_CARRIER}{key}")));
        variables.insert(format!("{CARRIER}{key}").into(), value.into());
    }
    let own = variables
        .get(OsStr::new("PATH"))
        .and_then(|path| path.to_str());
    let path = match own.filter(|_| hostos) {
        Some(own) => PathEdit::Exactly(folded.path.applied_to(own)),
        None => folded.path.clone(),
    };
    set_path(&mut variables, &path);
    variables
}

/// The binds that the caller's variables ask Apptainer for at a start, each with the variable. Of two with
/// both prefixes the old one does not count (1.4.5).
pub fn binds(callers: &Variables) -> Vec<(String, String)> {
    let was_inside = tells_of_a_container(callers);
    let value = |name: String| {
        let value = callers.get(OsStr::new(&name))?;
        let is_wish = !(was_inside && is_told_of_binds(OsStr::new(&name)));
        is_wish.then(|| (name, value.to_string_lossy().into_owned()))
    };
    let either = |own: &str| {
        let old = || value(format!("SINGULARITY_{own}"));
        value(format!("APPTAINER_{own}")).or_else(old)
    };
    BINDS.into_iter().filter_map(either).collect()
}

/// True for a variable of [`binds`], which a start has among its flags.
pub fn asks_for_binds(name: &OsStr) -> bool {
    own_name(name).is_some_and(|own| BINDS.contains(&own))
}

/// The caller's settings of Apptainer itself.
pub fn settings(callers: &Variables) -> Variables {
    let was_inside = tells_of_a_container(callers);
    let is_setting = |name: &OsStr| {
        own_name(name).is_some_and(|own| APPTAINERS_OWN.contains(&own))
            && !(was_inside && is_told_of_binds(name))
    };
    let settings = callers.iter().filter(|(name, _)| is_setting(name));
    let mut settings = settings
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    prefer_new_names(&mut settings);
    settings
}

/// Has settings under their old names be handed on under those that Apptainer prefers, where these say
/// nothing: of an old one it tells at every call, whatever it is told of being quiet. An empty name of a
/// folder says nothing; else an empty value is one.
fn prefer_new_names(variables: &mut Variables) {
    for own in APPTAINERS_OWN {
        let (old, new) = (format!("SINGULARITY_{own}"), format!("APPTAINER_{own}"));
        let says_nothing = |value: &OsString| value.is_empty() && own.ends_with("DIR");
        if variables.get(OsStr::new(&new)).is_none_or(says_nothing) {
            if let Some(value) = variables.remove(OsStr::new(&old)) {
                variables.insert(new.into(), value);
            }
        }
    }
}

/// True for an environment that comes from inside of a container, as that of a job which was submitted
/// there.
pub fn tells_of_a_container(callers: &Variables) -> bool {
    let mut names = ["APPTAINER_CONTAINER", "SINGULARITY_CONTAINER"].iter();
    names.any(|name| callers.contains_key(OsStr::new(name)))
}

/// True for the variable in which Apptainer tells the inside what was bound there: no wish of a caller.
fn is_told_of_binds(name: &OsStr) -> bool {
    own_name(name) == Some("BIND")
}

/// The name of one of Apptainer's own variables, without its prefix.
fn own_name(name: &OsStr) -> Option<&str> {
    let name = name.to_str()?;
    name.strip_prefix("APPTAINER_")
        .or_else(|| name.strip_prefix("SINGULARITY_"))
}

/// Bytes that the caller's own environment takes in Apptainer's configuration, at most.
pub fn length_inherited(callers: &Variables) -> usize {
    callers
        .iter()
        .map(|(key, value)| {
            encoded_length(&key.to_string_lossy()) + encoded_length(&value.to_string_lossy())
        })
        .sum()
}

fn is_kept(name: &OsStr, scrub: &[String], keep: bool, hostos: bool) -> bool {
    if let Some(own) = own_name(name) {
        return APPTAINERS_OWN.contains(&own);
    }
    let Some(name) = name.to_str() else {
        return true;
    };
    let valid_here = hostos && CA_FILES.contains(&name);
    keep || valid_here || !scrub.iter().any(|scrubbed| scrubbed == name)
}

/// `PATH` cannot be carried as a whole beside `PREPEND_PATH`: Apptainer would drop the latter.
fn set_path(variables: &mut Variables, path: &PathEdit) {
    let mut join = |name: &str, folders: &[String], callers_first: bool| {
        if folders.is_empty() {
            return;
        }
        let key = OsString::from(format!("{CARRIER}{name}"));
        let mut parts: Vec<OsString> = folders.iter().map(Into::into).collect();
        if let Some(callers) = variables.get(&key) {
            parts.insert(if callers_first { 0 } else { parts.len() }, callers.clone());
        }
        variables.insert(key, parts.join(OsStr::new(":")));
    };
    match path {
        PathEdit::Around { before, after } => {
            join("PREPEND_PATH", before, false);
            join("APPEND_PATH", after, true);
            if !before.is_empty() || !after.is_empty() {
                variables.remove(OsStr::new(&format!("{CARRIER}PATH")));
                variables.remove(OsStr::new(&format!("{OLD_CARRIER}PATH")));
            }
        }
        PathEdit::Exactly(path) => {
            for name in ["PREPEND_PATH", "APPEND_PATH"] {
                variables.remove(OsStr::new(&format!("{CARRIER}{name}")));
            }
            variables.insert(format!("{CARRIER}PATH").into(), path.into());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::env::rules::fold;

    fn handed(callers: &[(&str, &str)], entries: &[&str], keep: bool) -> Variables {
        let callers = callers.iter().map(|(k, v)| (k.into(), v.into())).collect();
        let scrub = ["PYTHONPATH", "SSL_CERT_FILE"].map(str::to_owned);
        variables(
            &callers,
            &fold(entries.iter().copied()),
            &scrub,
            keep,
            false,
        )
    }

    #[test]
    fn variables_are_carried_and_harmful_ones_left_out() {
        let callers = [
            ("PYTHONPATH", "/p"),
            ("APPTAINER_JSON", "1"),
            ("APPTAINER_CACHEDIR", "/c"),
        ];
        let handed_in = handed(&callers, &["A=x,y", "PATH=/q:$PATH"], false);
        let shown: Vec<_> = handed_in
            .iter()
            .map(|(k, v)| (k.to_str(), v.to_str()))
            .collect();
        let expected = [
            ("APPTAINERENV_A", "x,y"),
            ("APPTAINERENV_PREPEND_PATH", "/q"),
            ("APPTAINER_CACHEDIR", "/c"),
        ];
        assert_eq!(shown, expected.map(|(k, v)| (Some(k), Some(v))));
        assert!(handed(&callers, &[], true).contains_key(OsStr::new("PYTHONPATH")));
    }

    #[test]
    fn the_binds_of_a_container_that_the_environment_comes_from_are_no_setting() {
        let binds = ("APPTAINER_BIND", "/usr:/usr:ro");
        let is_handed = |callers: &[(&str, &str)]| {
            let handed_in = handed(callers, &[], false);
            let callers = callers.iter().map(|(k, v)| (k.into(), v.into())).collect();
            assert_eq!(handed_in, settings(&callers));
            handed_in.contains_key(OsStr::new(binds.0))
        };
        assert!(is_handed(&[binds]));
        assert!(!is_handed(&[binds, ("APPTAINER_CONTAINER", "/b.sif")]));
    }

    #[test]
    fn of_two_variables_with_both_prefixes_the_old_one_does_not_count() {
        let asked = |callers: &[(&str, &str)]| {
            let callers = callers.iter().map(|(k, v)| (k.into(), v.into())).collect();
            let values = binds(&callers).into_iter().map(|(_, value)| value);
            values.collect::<Vec<_>>()
        };
        let (new, old) = (("APPTAINER_BIND", "/n"), ("SINGULARITY_BIND", "/o"));
        let (path, old_path) = (("APPTAINER_BINDPATH", ""), ("SINGULARITY_BINDPATH", "/p"));
        assert_eq!(asked(&[new, old, path, old_path]), ["/n", ""]);
        assert_eq!(asked(&[old, old_path]), ["/o", "/p"]);
        let inside = ("APPTAINER_CONTAINER", "/b.sif");
        assert_eq!(asked(&[new, old, old_path, inside]), ["/p"]);
    }

    #[test]
    fn ours_stand_before_the_callers_own_and_drop_a_whole_path() {
        let callers = [
            ("APPTAINERENV_PREPEND_PATH", "/c"),
            ("APPTAINERENV_PATH", "/w"),
        ];
        let handed_in = handed(&callers, &["PATH=/q:$PATH"], false);
        assert_eq!(handed_in.len(), 1);
        assert_eq!(handed_in[OsStr::new("APPTAINERENV_PREPEND_PATH")], "/q:/c");
    }
}
