//! Argument vectors for Apptainer. Pure.

use crate::error::{Error, Kind, Result};
use crate::setup::Setup;

/// Apptainer's flags for which `ctr` has its own, and that one's name.
const OWN_FLAGS: [(&str, &str); 8] = [
    ("--overlay", "-o"),
    ("--bind", "--bind"),
    ("--fakeroot", "-f"),
    ("--env", "-e"),
    ("--nv", "--gpu nvidia"),
    ("--rocm", "--gpu rocm"),
    ("-B", "--bind"),
    ("-o", "-o"),
];

/// The short flags of `apptainer instance start` that can be joined (`-fw`), and the one of
/// `ctr` that is meant.
const OWN_SHORT_FLAGS: [(char, &str); 2] = [('f', "-f"), ('B', "--bind")];

/// What `apptainer` is to be called with to start a setup from `image`.
pub fn start(setup: &Setup, image: &str, restricted_root: bool) -> Vec<String> {
    let mut arguments: Vec<String> = ["instance", "start", "--no-eval"].map(Into::into).into();
    let already = |flag: &str| setup.apptainer_flags.iter().any(|known| known == flag);
    if restricted_root {
        let wanted = ["--userns", "--no-privs"]
            .into_iter()
            .filter(|flag| !already(flag));
        arguments.extend(wanted.map(str::to_owned));
    }
    if setup.fakeroot {
        arguments.push("--fakeroot".into());
    }
    arguments.extend(setup.gpu.iter().cloned());
    for overlay in &setup.overlays {
        let mode = if setup.writable && overlay.ends_with(".img") {
            "rw"
        } else {
            "ro"
        };
        arguments.extend(["--overlay".into(), format!("{overlay}:{mode}")]);
    }
    for bind in &setup.bind_paths {
        arguments.extend(["--bind".into(), bind.clone()]);
    }
    arguments.extend(setup.apptainer_flags.iter().cloned());
    arguments.extend([image.to_owned(), setup.name.clone()]);
    arguments
}

/// Refuses flags for Apptainer that would go round what `ctr` remembers.
///
/// # Errors
/// One of them is a flag that `ctr` has itself, or is no flag.
pub fn check_flags(flags: &[String]) -> Result<()> {
    for flag in flags {
        let name = flag.split('=').next().unwrap_or_default();
        let joined = name.strip_prefix('-').filter(|rest| !rest.starts_with('-'));
        let own = OWN_FLAGS
            .iter()
            .find(|(theirs, _)| *theirs == name)
            .map(|(_, ours)| *ours)
            .or_else(|| {
                let letters = joined?;
                let (_, ours) = OWN_SHORT_FLAGS.iter().find(|(c, _)| letters.contains(*c))?;
                Some(ours)
            });
        if let Some(own) = own {
            return Err(Error::new(
                Kind::Usage,
                format!("`{name}` after `--` would be forgotten: it is a flag of ctr"),
            )
            .hint(format!("use `{own}` before the name")));
        }
    }
    Ok(())
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
        ] {
            assert!(refused(&[flag]), "{flag}");
        }
        assert!(!refused(&[
            "--contain",
            "--hostname",
            "x",
            "--no-home",
            "-e"
        ]));
    }

    #[test]
    fn only_the_ext3_overlay_is_opened_for_writing() {
        let setup = Setup {
            name: "bio".into(),
            overlays: vec!["/o/demo.sqf".into(), "/o/env.img".into()],
            writable: true,
            apptainer_flags: vec!["--contain".into()],
            ..Setup::default()
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
        assert_eq!(start(&setup, "/b.sif", false), expected);
        assert!(start(&setup, "/b.sif", true).contains(&"--no-privs".to_owned()));
    }
}
