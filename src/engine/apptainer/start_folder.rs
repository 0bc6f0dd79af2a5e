//! A setup is started where it was started first, wherever `ctr` is called.

use std::path::Path;
use std::process::Command;

use crate::engine::Engine;
use crate::engine::apptainer::environment;
use crate::engine::apptainer::flags::path;
use crate::engine::local::answers;
use crate::spec::InstanceSpec;

impl Engine<'_> {
    /// Has Apptainer run in the folder of the first start, as long as that is there: the start script
    /// runs there, and flags may name what lies there.
    pub(in crate::engine) fn go_to_start_folder(&self, command: &mut Command, spec: &InstanceSpec) {
        let (cwd, folder) = (self.context.cwd.as_deref(), spec.start_folder.as_ref());
        let folder = folder.map(Path::new).filter(|folder| Some(*folder) != cwd);
        let is_there = |folder: &&Path| answers::passes(folder, self.context) && folder.is_dir();
        if let Some(folder) = folder.filter(is_there) {
            self.go(command, folder);
        }
    }

    /// Has Apptainer join from `/`: where it looks at the folder that it is called in, it may wait for ever,
    /// and `--cwd` says where the command is to run.
    pub(in crate::engine) fn leave_the_callers_folder(&self, command: &mut Command) {
        self.go(command, Path::new("/"));
    }

    /// Has Apptainer run in `folder`; the caller's settings go on to mean the files that they meant.
    fn go(&self, command: &mut Command, folder: &Path) {
        command.current_dir(folder).env("PWD", folder);
        let cwd = self.context.cwd.as_deref();
        let settings = environment::settings(&self.context.variables);
        let settings = settings
            .iter()
            .filter_map(|(name, value)| Some((name.to_str()?, value.to_str()?)));
        command.envs(whole_settings(settings, cwd.unwrap_or(Path::new("/"))));
    }
}

/// Variables that tell Apptainer of files are of the folder `cwd`, which is left: those that must be
/// handed in otherwise to go on to mean the same.
fn whole_settings<'a>(
    settings: impl Iterator<Item = (&'a str, &'a str)>,
    cwd: &Path,
) -> Vec<(&'a str, String)> {
    settings
        .filter_map(|(name, value)| {
            let (_, own) = name.split_once('_')?;
            let made = match own {
                "CACHEDIR" | "TMPDIR" | "CONFIGDIR" | "CONFIG_FILE" | "KEYSDIR" | "AUTHFILE"
                | "PULLDIR" | "PULLFOLDER" => path(value, cwd),
                _ => return None,
            };
            (made != value && !value.is_empty()).then_some((name, made))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_go_on_to_mean_the_same_files() {
        let settings = [
            ("SINGULARITY_CONFIGDIR", "c"),
            ("APPTAINER_CACHEDIR", "/whole"),
            ("APPTAINER_DOCKER_HOST", "tcp://x"),
        ];
        let made = whole_settings(settings.into_iter(), Path::new("/here"));
        let expected = [("SINGULARITY_CONFIGDIR", "/here/c".to_owned())];
        assert_eq!(made, expected);
    }
}
