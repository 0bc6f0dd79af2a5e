//! The programs of an instance that nobody outside can look into, as one of a setuid installation: a
//! shell of the image is asked, through Apptainer.

use crate::bounds::LOOK_INSIDE;
use crate::engine::local::output;
use crate::engine::{Engine, Run};
use crate::error::{Error, Kind, Result};

/// Prints where each name is that follows the search path, an empty line for one that is nowhere.
const FIND: &str = r#"
search=$1; shift; IFS=:; set -f
for name do
    found=
    for folder in $search; do
        if [ -f "$folder/$name" ] && [ -x "$folder/$name" ]; then found=$folder/$name; break; fi
    done
    printf '%s\n' "$found"
done"#;

/// Prints the names of the programs in the folders of a search path.
const LIST: &str = r#"
search=$1; IFS=:; set -f; set -- $search; set +f
for folder do
    for file in "$folder"/*; do
        if [ -f "$file" ] && [ -x "$file" ]; then printf '%s\n' "${file##*/}"; fi
    done
done"#;

impl Engine<'_> {
    /// The path inside of each program, as one looks for it in the folders of `search`.
    ///
    /// # Errors
    /// Apptainer does not go in, or the image has no shell.
    pub fn ask_for_paths(
        &self,
        run: &Run,
        search: &str,
        names: &[String],
    ) -> Result<Vec<Option<String>>> {
        let words = [search].into_iter().chain(names.iter().map(String::as_str));
        let said = self.ask_a_shell(run, FIND, words)?;
        let mut paths: Vec<Option<String>> = said
            .lines()
            .map(|line| Some(line.to_owned()).filter(|line| !line.is_empty()))
            .collect();
        paths.resize(names.len(), None);
        Ok(paths)
    }

    /// The names of the programs in the folders of `search`, each once, in order.
    ///
    /// # Errors
    /// As for [`Engine::ask_for_paths`].
    pub fn ask_for_programs(&self, run: &Run, search: &str) -> Result<Vec<String>> {
        let said = self.ask_a_shell(run, LIST, [search].into_iter())?;
        let mut names: Vec<String> = said.lines().map(str::to_owned).collect();
        names.sort_unstable();
        names.dedup();
        Ok(names)
    }

    fn ask_a_shell<'w>(
        &self,
        run: &Run,
        script: &str,
        words: impl Iterator<Item = &'w str>,
    ) -> Result<String> {
        let failed = |why: String| {
            let message = format!("cannot look into `{}` through Apptainer: {why}", run.name);
            Error::new(Kind::Engine, message).hint("it takes a shell in the image, /bin/sh")
        };
        let mut command = self.inside_command("exec", run, &[])?;
        command.args(["/bin/sh", "-c", script, "sh"]).args(words);
        let output = output::of(&mut command, LOOK_INSIDE);
        let output = output.map_err(|error| failed(error.to_string()))?;
        match output.status.success() {
            true => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
            false => {
                let words = String::from_utf8_lossy(&output.stderr);
                Err(failed(words.lines().next().unwrap_or_default().to_owned()))
            }
        }
    }
}
