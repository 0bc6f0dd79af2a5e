//! Argument vectors for Apptainer. Pure.

use crate::engine::apptainer::flags::{LONG_WITHOUT_VALUE, SHORT_WITH_VALUE};
use crate::error::{Error, Kind, Result};
use crate::spec::InstanceSpec;

/// Apptainer's flags for which `ctr` has its own, and that one's name.
const OWN_FLAGS: [(&str, &str); 9] = [
    ("--overlay", "-o"),
    ("--bind", "--bind"),
    ("--fakeroot", "-f"),
    ("--env", "-e"),
    ("--nv", "--gpu nvidia"),
    ("--rocm", "--gpu rocm"),
    ("-B", "--bind"),
    ("-o", "-o"),
    ("-f", "-f"),
];

/// What `apptainer` is to be called with to start a setup from `image`.
pub fn start(spec: &InstanceSpec, image: &str, restricted_root: bool) -> Vec<String> {
    let mut arguments: Vec<String> = ["instance", "start", "--no-eval"].map(Into::into).into();
    let already = |flag: &str| spec.apptainer_flags.iter().any(|known| known == flag);
    if restricted_root {
        let wanted = ["--userns", "--no-privs"]
            .into_iter()
            .filter(|flag| !already(flag));
        arguments.extend(wanted.map(str::to_owned));
    }
    if spec.fakeroot {
        arguments.push("--fakeroot".into());
    }
    arguments.extend(spec.gpu.iter().cloned());
    for overlay in &spec.overlays {
        let mode = if spec.writable && overlay.ends_with(".img") {
            "rw"
        } else {
            "ro"
        };
        arguments.extend(["--overlay".into(), format!("{overlay}:{mode}")]);
    }
    for bind in &spec.bind_paths {
        arguments.extend(["--bind".into(), bind.clone()]);
    }
    arguments.extend(spec.apptainer_flags.iter().cloned());
    arguments.extend([image.to_owned(), spec.name.clone()]);
    arguments
}

/// Refuses flags for Apptainer that would go round what `ctr` remembers.
///
/// # Errors
/// One of them is a flag that `ctr` has itself, or is neither a flag nor the value of one: Apptainer
/// would take it for the image or the name.
pub fn check_flags(flags: &[String]) -> Result<()> {
    let mut is_value = false;
    for word in flags {
        is_value = match word.strip_prefix('-') {
            None | Some("") if is_value => false,
            None | Some("" | "-") => {
                let message = format!("`{}` is no flag of Apptainer", word.escape_debug());
                return Err(Error::new(Kind::Usage, message)
                    .hint("after `--` stand flags for `apptainer instance start`, nothing else"));
            }
            Some(rest) => {
                refuse_own(word)?;
                match rest.strip_prefix('-') {
                    Some(_) => !word.contains('=') && !LONG_WITHOUT_VALUE.contains(&word.as_str()),
                    None => rest
                        .find(takes_value)
                        .is_some_and(|at| at + 1 == rest.len()),
                }
            }
        };
    }
    Ok(())
}

fn takes_value(letter: char) -> bool {
    SHORT_WITH_VALUE.contains(letter)
}

fn refuse_own(word: &str) -> Result<()> {
    let name = word.split('=').next().unwrap_or_default();
    let own = |name: &str| OWN_FLAGS.iter().find(|(theirs, _)| *theirs == name);
    let found = if name.starts_with("--") {
        own(name).map(|(_, ours)| (name.to_owned(), *ours))
    } else {
        // Short ones can be joined; what follows one that takes a value is the value.
        let letters = word.strip_prefix('-').unwrap_or_default();
        let end = letters.find(takes_value).map_or(letters.len(), |at| at + 1);
        letters[..end].chars().find_map(|letter| {
            let name = format!("-{letter}");
            own(&name).map(|(_, ours)| (name.clone(), *ours))
        })
    };
    match found {
        None => Ok(()),
        Some((theirs, ours)) => {
            let message = format!("`{theirs}` after `--` would be forgotten: it is a flag of ctr");
            Err(Error::new(Kind::Usage, message).hint(format!("use `{ours}` before the name")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(flags: &[&str]) -> bool {
        check_flags(&flags.iter().map(|f| (*f).to_owned()).collect::<Vec<_>>()).is_err()
    }

    #[test]
    fn flags_of_ctr_are_refused_after_the_dashes() {
        for flag in [
            "--overlay",
            "--bind=/x",
            "--nv",
            "--rocm",
            "-f",
            "-B",
            "--env",
            "-ef",
            "-o/x.img",
            "image.sif",
            "--",
            "-",
        ] {
            assert!(refused(&[flag]), "{flag}");
        }
        assert!(refused(&["--contain", "image.sif"]));
        assert!(refused(&["--hostname", "x", "name"]));
        assert!(refused(&["-H/home/f", "name"]));
        assert!(!refused(&[
            "--contain",
            "--hostname",
            "x",
            "--no-home",
            "-e",
            "-H/home/f",
            "-cW",
            "/work",
            "--dns=1.1.1.1"
        ]));
    }

    #[test]
    fn only_the_ext3_overlay_is_opened_for_writing() {
        let spec = InstanceSpec {
            name: "bio".into(),
            overlays: vec!["/o/demo.sqf".into(), "/o/env.img".into()],
            writable: true,
            apptainer_flags: vec!["--contain".into()],
            ..InstanceSpec::default()
        };
        let expected = [
            "instance",
            "start",
            "--no-eval",
            "--overlay",
            "/o/demo.sqf:ro",
            "--overlay",
            "/o/env.img:rw",
            "--contain",
            "/b.sif",
            "bio",
        ];
        assert_eq!(start(&spec, "/b.sif", false), expected);
        assert!(start(&spec, "/b.sif", true).contains(&"--no-privs".to_owned()));
    }
}
