//! The programs inside a running instance, seen from outside, for completion.

use std::collections::BTreeSet;
use std::fs::{self, DirEntry};
use std::path::{Path, PathBuf};

use crate::bounds::{LOOK_INSIDE, TEXT};
use crate::engine::local::output;
use crate::engine::local::rootfs::is_executable_file;
use crate::engine::{Engine, Folder, Inside, Program, Run};
use crate::host::regular_file;

/// Where an image has the scripts that make its environment; Apptainer runs them by name.
pub(in crate::engine) const ENVIRONMENT: &str = "/.singularity.d/env";

impl Inside {
    /// Names of the programs in the folders of `search` that begin with `start`, in order.
    pub fn programs(&self, start: &str, cwd: &Path, search: &str) -> Vec<String> {
        let mut folders: Vec<PathBuf> = Vec::new();
        for folder in search.split(':') {
            // `/bin` is often a link to `/usr/bin`.
            match self.within(&cwd.join(folder)) {
                Ok(folder) if !folders.contains(&folder) => folders.push(folder),
                _ => {}
            }
        }
        let mut names = BTreeSet::new();
        for folder in &folders {
            for (name, entry) in self.entries(folder, start) {
                if !names.contains(&name) && self.is_program(folder, &entry) {
                    names.insert(name);
                }
            }
        }
        names.into_iter().collect()
    }

    /// Paths of programs that begin as `word` does, and of folders, which end in `/`.
    pub fn program_paths(&self, word: &str, cwd: &Path) -> Vec<String> {
        let (above, start) = word.split_at(word.rfind('/').map_or(0, |at| at + 1));
        let Ok(folder) = self.within(&cwd.join(above)) else {
            return Vec::new();
        };
        let mut paths: Vec<String> = self
            .entries(&folder, start)
            .filter(|(name, _)| !name.starts_with('.') || start.starts_with('.'))
            .filter_map(|(name, entry)| {
                if self.folder(&folder.join(&name)) == Folder::Same {
                    return Some(format!("{above}{name}/"));
                }
                self.is_program(&folder, &entry)
                    .then(|| format!("{above}{name}"))
            })
            .collect();
        paths.sort();
        paths
    }

    /// Tells whether what a folder holds can be run. Asked of the folder itself, without the way to
    /// it, this takes a third of the time, and there may be thousands.
    fn is_program(&self, folder: &Path, entry: &DirEntry) -> bool {
        match entry.file_type() {
            Ok(kind) if kind.is_symlink() => {
                self.runs_in(folder, Path::new(&entry.file_name())) == Program::Runs
            }
            Ok(kind) => kind.is_file() && entry.metadata().is_ok_and(|it| is_executable_file(&it)),
            Err(_) => false,
        }
    }

    /// The `PATH` that the image makes of `default`, as far as its scripts say it in plain words:
    /// running them would need Apptainer.
    pub fn image_path(&self, default: &str) -> String {
        let mut scripts: Vec<String> = self
            .within(Path::new(ENVIRONMENT))
            .map(|folder| self.entries(&folder, "").map(|(name, _)| name).collect())
            .unwrap_or_default();
        scripts.sort();
        let mut path = default.to_owned();
        for script in scripts.iter().filter(|name| name.ends_with(".sh")) {
            let file = self.on_host(&Path::new(ENVIRONMENT).join(script));
            let text = file.and_then(|file| regular_file::read_to_string(&file, TEXT));
            let text = text.unwrap_or_default();
            for line in text.lines() {
                path = assigned(line, &path).unwrap_or(path);
            }
        }
        path
    }

    /// What a folder holds whose name begins with `start`.
    fn entries(&self, folder: &Path, start: &str) -> impl Iterator<Item = (String, DirEntry)> {
        let there = self.on_host(folder).and_then(fs::read_dir);
        let start = start.to_owned();
        there
            .into_iter()
            .flatten()
            .flatten()
            .filter_map(move |entry| {
                let name = entry.file_name().into_string().ok()?;
                name.starts_with(&start).then_some((name, entry))
            })
    }
}

impl Engine<'_> {
    /// The `PATH` that the image itself makes, asked from inside.
    pub fn image_path(&self, run: &Run) -> Option<String> {
        let mut command = self.inside_command("exec", run, &[]).ok()?;
        command.args(["/bin/sh", "-c", "printf %s \"$PATH\""]);
        let output = output::of(&mut command, LOOK_INSIDE).ok()?;
        output
            .status
            .success()
            .then(|| String::from_utf8(output.stdout).ok())
            .flatten()
    }
}

/// The `PATH` after a line of a script: `export PATH=/x:$PATH`, with quotes or without. A member
/// that takes more than that to tell is left out, and a line that has no other says nothing.
fn assigned(line: &str, path: &str) -> Option<String> {
    let line = line.trim_start();
    let line = line.strip_prefix("export ").unwrap_or(line).trim_start();
    let value = line.strip_prefix("PATH=")?;
    // The image's own default stands for when there is none before.
    let value = match value.split_once("${PATH:-") {
        Some((before, rest)) => format!("{before}$PATH{}", rest.split_once('}')?.1),
        None => value.replace("${PATH}", "$PATH"),
    };
    let words = shell_words::split(&value).ok()?;
    let first = words.first()?.trim_end_matches(';');
    let known = |member| match member {
        "$PATH" => Some(path),
        other => Some(other).filter(|other: &&str| !other.contains(['$', '`'])),
    };
    let members: Vec<&str> = first.split(':').filter_map(known).collect();
    (!members.is_empty()).then(|| members.join(":"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt, symlink};

    fn inside(files: &[(&str, u32)]) -> (tempfile::TempDir, Inside) {
        let root = tempfile::tempdir().unwrap();
        for (path, mode) in files {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, "").unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(*mode)).unwrap();
        }
        let inside = Inside::at(root.path());
        (root, inside)
    }

    #[test]
    fn programs_are_those_that_can_be_run() {
        let (root, inside) = inside(&[
            ("usr/bin/sort", 0o755),
            ("usr/bin/sox", 0o644),
            ("opt/bin/sort", 0o755),
            ("opt/bin/so me", 0o755),
        ]);
        symlink("usr/bin", root.path().join("bin")).unwrap();
        symlink("/opt/bin/sort", root.path().join("usr/bin/sorted")).unwrap();
        symlink("/nowhere", root.path().join("usr/bin/sogone")).unwrap();
        fs::create_dir(root.path().join("usr/bin/sodir")).unwrap();
        let look = |start| inside.programs(start, Path::new("/"), "/nosuch:/usr/bin:/bin:/opt/bin");
        assert_eq!(look("so"), ["so me", "sort", "sorted"]);
        assert_eq!(look("x"), [""; 0]);
        let paths = |word| inside.program_paths(word, Path::new("/opt"));
        assert_eq!(
            paths("/usr/bin/so"),
            ["/usr/bin/sodir/", "/usr/bin/sort", "/usr/bin/sorted"]
        );
        assert_eq!(paths("bin/"), ["bin/so me", "bin/sort"]);
        assert_eq!(paths("/b"), ["/bin/"]);
    }

    #[test]
    fn the_scripts_of_an_image_say_its_path() {
        let (root, inside) = inside(&[]);
        let folder = root.path().join(".singularity.d/env");
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("90-b.sh"), "export A=1\nexport PATH=/b:$PATH\n").unwrap();
        fs::write(
            folder.join("10-a.sh"),
            "  export PATH=\"/a b:$HOME/x:/z\"; true\n",
        )
        .unwrap();
        fs::write(folder.join("note.txt"), "PATH=/no\n").unwrap();
        assert_eq!(inside.image_path("/default"), "/b:/a b:/z");
    }

    #[test]
    fn a_default_is_for_when_there_is_no_path() {
        assert_eq!(assigned("PATH=${PATH:-\"/x:/y\"}", "/p").unwrap(), "/p");
        assert_eq!(assigned("PATH=/a:${PATH}", "/p").unwrap(), "/a:/p");
        assert_eq!(assigned("MANPATH=/a", "/p"), None);
        assert_eq!(assigned("PATH=${SING_USER_DEFINED_PATH}", "/p"), None);
        assert_eq!(assigned("PATH='/a", "/p"), None);
    }
}
