//! Learns of an instance what a direct join needs, from Apptainer itself, and proves it: nothing is
//! joined directly before the same command gave the same both ways.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::path::Path;

use nix::sys::signal::Signal;
use nix::sys::stat::{Mode, umask};

use super::Outcome;
use super::direct::Direct;
use super::environ::{Call, DOUBTFUL, ImageEnvironment, OF_SHELLS};
use super::privileges::Privileges;
use super::scope;
use super::seen::{self, CommandView, SHOW, directly};
use crate::bounds::LOOK_INSIDE;
use crate::engine::apptainer::{environment, limits};
use crate::engine::local::raw::set_default;
use crate::engine::local::target::Target;
use crate::engine::local::{Unknown, output};
use crate::engine::{Engine, Process, Record};
use crate::host::context::Variables;
use crate::names::is_variable_name;

use Failure::{Lasting, Passing};

/// The releases whose way into an instance is known: their sources were read.
const KNOWN_RELEASES: [&str; 3] = ["1.3.", "1.4.", "1.5."];

/// Apptainer's sign of a root that `fakeroot(1)` imitates, which needs a process beside each command.
const FAKEROOT: &str = "/.singularity.d/libs/fakeroot";

/// The working folders of what is run, which are there in every instance.
const FOLDERS: [&str; 2] = ["/", "/proc"];

/// A umask that nobody has: a script that sets one is found out by it.
const UMASK: u32 = 0o135;

/// A value that no variable has, and that does no harm where a number is wanted.
const MARK: &str = "271828182";

/// A value that must arrive as it is.
const LITERAL: &str = "a, 'b' \"c\" $d `e` \\f\ng";

/// Why there is nothing to go by.
enum Failure {
    /// Apptainer could not be asked, which may be another time.
    Passing(Unknown),
    /// This instance needs Apptainer.
    Lasting(Unknown),
}

/// What was found by looking.
struct Found {
    /// Those that the image's scripts may use.
    names: BTreeSet<String>,
    /// The scope that holds its limits.
    unit: Option<String>,
}

impl Engine<'_> {
    /// Learns the way into the instance `name`.
    ///
    /// # Errors
    /// Apptainer could not be asked.
    pub(super) fn learn(
        &self,
        name: &str,
        process: &Process,
        target: &Target,
    ) -> Result<Outcome, Unknown> {
        // Where the caller ignores it, the end of a child is not told.
        let _ = set_default(Signal::SIGCHLD);
        let learned = self.look(name, process, target).and_then(|found| {
            let before = umask(Mode::from_bits_truncate(UMASK));
            let learned = self.prove(name, process, found);
            umask(before);
            learned
        });
        match learned {
            Ok(outcome) => Ok(outcome),
            Err(Lasting(why)) => Ok(Outcome::Aside(why)),
            Err(Passing(why)) => Err(why),
        }
    }

    /// Refuses what can be told by looking; gives what is to be proved.
    fn look(&self, name: &str, process: &Process, target: &Target) -> Result<Found, Failure> {
        let passing = |error: crate::error::Error| Passing(error.message);
        let binary = self.binary().map_err(passing)?;
        let record = self.record(name).map_err(passing)?;
        let own_label = std::fs::read("/proc/self/attr/current").ok();
        let is_known = |release: &&str| binary.version.starts_with(*release);
        let is_this = |record: &Record| record.process.is(process);
        let texts = target.script_texts().map_err(Passing)?;
        let has_cgroup = record.as_ref().is_some_and(|record| record.has_cgroup);
        let cgroup = target.read("cgroup").unwrap_or_default();
        let unit = scope::unit_of(&String::from_utf8_lossy(&cgroup));
        let why = if !KNOWN_RELEASES.iter().any(is_known) {
            format!("Apptainer {} is not known to ctr", binary.version)
        } else if !record.as_ref().is_some_and(is_this) {
            "Apptainer has no record of it".into()
        } else if record.as_ref().is_some_and(|record| record.shares) {
            "it shares its namespaces".into()
        } else if mentions_words(&texts) {
            "its scripts look at the words of the command".into()
        } else if has_cgroup && unit.is_none() {
            "it has a cgroup of its own, which is no scope of your systemd".into()
        } else if target.read("attr/current").ok() != own_label {
            "it has a security label of its own".into()
        } else if target.has(FAKEROOT) {
            "its commands run under fakeroot(1)".into()
        } else if limits::has_minimal_dev(&binary.path, &self.callers()).map_err(Passing)? {
            "apptainer.conf has `mount dev = minimal`".into()
        } else {
            return Ok(Found {
                names: names_in(&texts),
                unit: unit.filter(|_| has_cgroup),
            });
        };
        Err(Lasting(why))
    }

    /// Sees what commands are given through Apptainer and directly, and holds it together.
    fn prove(
        &self,
        name: &str,
        process: &Process,
        Found { mut names, unit }: Found,
    ) -> Result<Outcome, Failure> {
        let passing = |error: crate::error::Error| Passing(error.message);
        let bus = Variables::from_iter(self.bus_for(name).map_err(passing)?);
        let mut bare = environment::settings(&self.callers());
        for name in ["HOME", "PATH"].map(OsStr::new) {
            let value = self.context.variables.get(name);
            bare.extend(value.map(|value| (name.to_owned(), value.clone())));
        }
        bare.extend(bus.clone());
        let mut first = self.see(name, &bare, FOLDERS[0])?;
        // They come from here, not from the image.
        first
            .environment
            .retain(|name, value| bus.get(name) != Some(value));
        let image = first.environment.keys().filter_map(|name| name.to_str());
        names.extend(image.chain(DOUBTFUL).map(str::to_owned));
        names.retain(|name| !is_steering(name) && !bare.contains_key(OsStr::new(name)));
        let marked = marked(bare, &names);
        let second = self.see(name, &marked, FOLDERS[1]);
        let second = second.map_err(|failure| match failure {
            Lasting(why) | Passing(why) => Lasting(why), // the first one came through
        })?;

        let environment =
            ImageEnvironment::observed(&first.environment, &second.environment, &names, MARK)
                .map_err(Lasting)?;
        let call = Call {
            variables: &marked,
            clean: false,
        };
        let mut told = environment.of_command(&call).map_err(Lasting)?;
        told.insert("PWD".into(), FOLDERS[1].into());
        if let Some(name) = differing(&told, &second.environment) {
            return Err(Lasting(format!(
                "its scripts make something else of `{name}` each time"
            )));
        }
        let privileges = Privileges::read(&second.status)
            .ok_or_else(|| Lasting("Linux shows no capabilities".into()))?;
        let direct = Direct {
            name,
            target: Target::open(process, &self.context.pid_scope).map_err(Passing)?,
            environment: told,
            privileges,
            scope: unit
                .clone()
                .map(|unit| self.scope(unit))
                .transpose()
                .map_err(Passing)?,
            cwd: Path::new(FOLDERS[1]),
            usual_umask: false,
        };
        let third = directly(direct, &self.context.pid_scope.boot_id).map_err(Lasting)?;
        if let Some(name) = differing(&third.environment, &second.environment) {
            return Err(Lasting(format!(
                "`{name}` differs when it is joined directly"
            )));
        }
        let both = [&third.process, &second.process];
        let differs = |line: &&String| !both.iter().all(|lines| lines.contains(line));
        match both.into_iter().flatten().find(differs) {
            Some(line) => Err(Lasting(format!(
                "joined directly, a command differs in `{}`",
                line.replace('\t', " ")
            ))),
            None => Ok(Outcome::Direct {
                environment,
                privileges,
                unit,
            }),
        }
    }

    /// What a command is given that Apptainer is called for in the environment `variables`.
    fn see(&self, name: &str, variables: &Variables, folder: &str) -> Result<CommandView, Failure> {
        let passing = |error: &dyn std::fmt::Display| Passing(error.to_string());
        let mut command = self
            .command(variables.clone())
            .map_err(|error| passing(&error))?;
        self.leave_the_callers_folder(&mut command);
        command
            .args(["--quiet", "exec", "--no-eval", "--cwd", folder])
            .arg(format!("instance://{name}"))
            .args(SHOW);
        let output = output::of(&mut command, LOOK_INSIDE);
        let output = output.map_err(|error| match output::is_endless(&error) {
            true => Lasting(seen::endless(&error)),
            false => passing(&error),
        })?;
        let words = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        if output.status.success() {
            // Apptainer's own warnings are for its own calls.
            let is_own = |line: &str| line.starts_with("WARNING:") || line.starts_with("INFO:");
            if let Some(line) = words.lines().find(|line| !is_own(line)) {
                return Err(Lasting(format!(
                    "something is printed at each command: {line}"
                )));
            }
            return CommandView::read(&output.stdout, &self.context.pid_scope.boot_id)
                .map_err(Lasting);
        }
        Err(match words.contains("executable file not found") {
            true => Lasting(format!("no `{}` inside to look with", SHOW[0])),
            false => Passing(words),
        })
    }
}

/// Names that would make Apptainer itself do something else, or the loader of its program.
fn is_steering(name: &str) -> bool {
    const STARTS: [&str; 9] = [
        "APPTAINER",
        "SINGULARITY",
        "SING_USER",
        "LD_",
        "GO",
        "TMP",
        "XDG_",
        "DBUS_",
        "BASH",
    ];
    const NAMES: [&str; 4] = ["PWD", "USER_PATH", "IMAGE_ARG", "SHELLOPTS"];
    STARTS.iter().any(|start| name.starts_with(start)) || NAMES.contains(&name)
}

/// Every word of a text that could be a variable's name.
fn names_in(text: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    let names = words.filter(|word| is_variable_name(word));
    names.map(str::to_owned).collect()
}

/// True for scripts that use what they inherit of the command line: `$1`, `$@`, `$#`, `set --`.
/// What Apptainer has in each image for its apps does nothing where none is asked for.
fn mentions_words(text: &str) -> bool {
    let lines = text.lines().map(str::trim_start);
    let mut lines = lines.filter(|line| !line.starts_with('#') && !line.contains("/scif/apps/"));
    lines.any(|line| {
        let mut pieces = line.split('$').skip(1);
        line.contains("set --")
            || pieces.any(|piece| {
                let name = piece.strip_prefix('{').unwrap_or(piece);
                name.starts_with(|c: char| ('1'..='9').contains(&c) || c == '@' || c == '*')
                    || piece.starts_with('#')
            })
    })
}

/// An environment that shows which of the caller's variables come along, and how others are laid
/// over those of the image.
fn marked(bare: Variables, names: &BTreeSet<String>) -> Variables {
    let mut marked = bare;
    marked.extend(names.iter().map(|name| (name.into(), MARK.into())));
    for (name, value) in [
        ("CTR_SEEN", LITERAL),
        ("CTR_EMPTY", ""),
        ("APPTAINERENV_CTR_HANDED", LITERAL),
        ("APPTAINERENV_PREPEND_PATH", "/ctr/first"),
        ("APPTAINERENV_APPEND_PATH", "/ctr/last"),
        ("APPTAINERENV_LD_LIBRARY_PATH", "/ctr/lib"),
    ] {
        marked.insert(name.into(), value.into());
    }
    marked
}

/// The first variable that is not the same in both.
fn differing(one: &Variables, other: &Variables) -> Option<String> {
    let names = one.keys().chain(other.keys());
    let is_of_shells = |name: &OsString| OF_SHELLS.iter().any(|known| name == known);
    let mut differing =
        names.filter(|name| one.get(*name) != other.get(*name) && !is_of_shells(name));
    differing
        .next()
        .map(|name| name.to_string_lossy().into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts_that_look_at_the_words_of_a_command_are_told_from_others() {
        for script in [
            "[ $# -gt 0 ]",
            "x=\"${1-}\"",
            "set -- \"$@\"",
            "for i in \"${@}\"; do :; done",
        ] {
            assert!(mentions_words(script), "{script}");
        }
        for script in [
            "export A=${#PATH}$B",
            "# $1",
            ". \"/scif/apps/x\" \"$@\"",
            "A=$$",
            "$A1",
        ] {
            assert!(!mentions_words(script), "{script}");
        }
    }

    #[test]
    fn every_name_in_a_script_is_looked_at() {
        let names = names_in("for i in a; do export X_1=\"$Y\" 2z; done");
        for name in ["i", "X_1", "Y"] {
            assert!(names.contains(name), "{name}");
        }
        assert!(!names.contains("2z"));
    }
}
