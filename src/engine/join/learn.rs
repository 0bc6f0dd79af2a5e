//! Learns of an instance what a direct join needs, from Apptainer itself, and proves it: nothing is
//! joined directly before the same command gave the same both ways.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{Read, Seek};
use std::os::unix::ffi::OsStringExt;
use std::path::Path;
use std::process::Stdio;

use nix::sys::memfd::{MFdFlags, memfd_create};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{dup2_stderr, dup2_stdout};

use super::direct::Direct;
use super::environ::{Call, DOUBTFUL, ImageEnvironment, OF_SHELLS};
use super::privileges::Privileges;
use super::raw::in_a_child;
use super::target::Target;
use super::{Unknown, Verdict};
use crate::context::Variables;
use crate::engine::{Engine, Process, hand_in, limits};

use Failure::{Lasting, Passing};

/// The releases whose way into an instance is known: their sources were read.
const KNOWN_RELEASES: [&str; 3] = ["1.3.", "1.4.", "1.5."];

/// Apptainer's sign of a root that `fakeroot(1)` imitates, which needs a process beside each command.
const FAKEROOT: &str = "/.singularity.d/libs/fakeroot";

/// What is run inside to see what a command is given.
const SHOW: [&str; 4] = [
    "cat",
    "/proc/self/environ",
    "/proc/self/status",
    "/proc/self/cgroup",
];

/// The lines of `/proc/self/status` that say what a process may do.
const TELLING: [&str; 11] = [
    "Umask",
    "Uid",
    "Gid",
    "Groups",
    "CapInh",
    "CapPrm",
    "CapEff",
    "CapBnd",
    "CapAmb",
    "NoNewPrivs",
    "Seccomp",
];

/// The working folders of what is run, which are there in every instance.
const FOLDERS: [&str; 2] = ["/", "/proc"];

/// A value that no variable has, and that does no harm where a number is wanted.
const MARK: &str = "271828182";

/// A value that must arrive as it is.
const LITERAL: &str = "a, 'b' \"c\" $d `e` \\f\ng";

/// What a command inside was given.
struct Seen {
    environment: Variables,
    /// The lines of its status and its cgroup that tell.
    process: Vec<String>,
    status: String,
}

/// Why there is nothing to go by.
enum Failure {
    /// Apptainer could not be asked, which may be another time.
    Passing(Unknown),
    /// This instance needs Apptainer.
    Lasting(Unknown),
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
    ) -> Result<Verdict, Unknown> {
        let learned = self
            .look(name, target)
            .and_then(|()| self.prove(name, process));
        match learned {
            Ok(verdict) => Ok(verdict),
            Err(Lasting(why)) => Ok(Verdict::Aside(why)),
            Err(Passing(why)) => Err(why),
        }
    }

    /// Refuses what can be told by looking.
    fn look(&self, name: &str, target: &Target) -> Result<(), Failure> {
        let passing = |error: crate::error::Error| Passing(error.message);
        let binary = self.binary().map_err(passing)?;
        let record = self.record(name).map_err(passing)?;
        let own_label = std::fs::read("/proc/self/attr/current").ok();
        let is_known = |release: &&str| binary.version.starts_with(*release);
        let why = if !KNOWN_RELEASES.iter().any(is_known) {
            format!("Apptainer {} is not known to ctr", binary.version)
        } else if record.as_ref().is_none_or(|record| record.shares) {
            "it shares its namespaces, or Apptainer has no record of it".into()
        } else if record.is_some_and(|record| record.has_cgroup) {
            "it has a cgroup of its own".into()
        } else if target.read("attr/current").ok() != own_label {
            "it has a security label of its own".into()
        } else if target.has(FAKEROOT) {
            "its commands run under fakeroot(1)".into()
        } else if limits::has_minimal_dev(&binary.path).map_err(Passing)? {
            "apptainer.conf has `mount dev = minimal`".into()
        } else {
            return Ok(());
        };
        Err(Lasting(why))
    }

    /// Sees what commands are given through Apptainer and directly, and holds it together.
    fn prove(&self, name: &str, process: &Process) -> Result<Verdict, Failure> {
        let mut bare = hand_in::settings(&self.context.variables);
        for name in ["HOME", "PATH"].map(OsStr::new) {
            let value = self.context.variables.get(name);
            bare.extend(value.map(|value| (name.to_owned(), value.clone())));
        }
        let first = self.see(name, &bare, FOLDERS[0])?;
        let marked = marked(bare, &first.environment);
        let second = self.see(name, &marked, FOLDERS[1])?;

        let environment = ImageEnvironment::observed(&first.environment, &second.environment, MARK)
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
            target: Target::open(process, &self.context.place).map_err(Passing)?,
            environment: told,
            privileges,
            cwd: Path::new(FOLDERS[1]),
        };
        let third = directly(direct).map_err(Passing)?;
        if let Some(name) = differing(&third.environment, &second.environment) {
            return Err(Lasting(format!(
                "`{name}` differs when it is joined directly"
            )));
        }
        let differs = |(one, other): &(&String, &String)| one != other;
        match third.process.iter().zip(&second.process).find(differs) {
            Some((line, _)) => Err(Lasting(format!(
                "joined directly, a command has `{}`",
                line.replace('\t', " ")
            ))),
            None => Ok(Verdict::Direct {
                environment,
                privileges,
            }),
        }
    }

    /// What a command is given that Apptainer is called for in the environment `variables`.
    fn see(&self, name: &str, variables: &Variables, folder: &str) -> Result<Seen, Failure> {
        let passing = |error: &dyn std::fmt::Display| Passing(error.to_string());
        let output = self
            .command(variables.clone())
            .map_err(|error| passing(&error))?
            .args(["--quiet", "exec", "--no-eval", "--cwd", folder])
            .arg(format!("instance://{name}"))
            .args(SHOW)
            .stdin(Stdio::null())
            .output()
            .map_err(|error| passing(&error))?;
        if output.status.success() {
            return Seen::read(&output.stdout).map_err(Lasting);
        }
        let words = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        Err(match words.contains("executable file not found") {
            true => Lasting(format!("no `{}` inside to look with", SHOW[0])),
            false => Passing(words),
        })
    }
}

impl Seen {
    fn read(output: &[u8]) -> Result<Self, Unknown> {
        let end = output.iter().rposition(|byte| *byte == 0);
        let (environ, rest) = output.split_at(end.ok_or("a command has no environment")?);
        let status = String::from_utf8_lossy(&rest[1..]).into_owned();
        let tells = |line: &&str| match line.split_once(":\t") {
            Some((name, _)) => TELLING.contains(&name),
            None => line.contains(":/"), // its cgroup
        };
        Ok(Seen {
            environment: environ
                .split(|byte| *byte == 0)
                .filter_map(|entry| {
                    let at = entry.iter().position(|byte| *byte == b'=')?;
                    let text = |bytes: &[u8]| OsString::from_vec(bytes.to_vec());
                    Some((text(&entry[..at]), text(&entry[at + 1..])))
                })
                .collect(),
            process: status.lines().filter(tells).map(str::to_owned).collect(),
            status,
        })
    }
}

/// An environment that shows which of the caller's variables come along, and how others are laid
/// over those of the image.
fn marked(bare: Variables, image: &Variables) -> Variables {
    let image = image.keys().filter_map(|name| name.to_str());
    let mut marked = bare.clone();
    for name in image.chain(DOUBTFUL) {
        let steers = ["APPTAINER", "SINGULARITY", "LD_", "GO"]; // Apptainer itself
        if !steers.iter().any(|start| name.starts_with(start)) {
            marked.entry(name.into()).or_insert_with(|| MARK.into());
        }
    }
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

/// What a command is given that is run directly, by a copy of this process.
fn directly(direct: Direct) -> Result<Seen, Unknown> {
    let failed = |error: &dyn std::fmt::Display| format!("a direct join failed: {error}");
    let output = memfd_create(c"join", MFdFlags::MFD_CLOEXEC).map_err(|e| failed(&e))?;
    let child = in_a_child(|| {
        let silent = File::options().write(true).open("/dev/null");
        let _ = silent.map(dup2_stderr);
        let _ = dup2_stdout(&output);
        let _ = direct.run(&SHOW.map(OsString::from), false);
    });
    let ended = waitpid(child.map_err(|e| failed(&e))?, None).map_err(|e| failed(&e))?;
    if !matches!(ended, WaitStatus::Exited(_, 0)) {
        return Err(failed(&format!("{ended:?}")));
    }
    let mut output = File::from(output);
    let mut bytes = Vec::new();
    output.rewind().map_err(|e| failed(&e))?;
    output.read_to_end(&mut bytes).map_err(|e| failed(&e))?;
    Seen::read(&bytes)
}
