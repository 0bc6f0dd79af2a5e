//! The only place that knows Apptainer: start, stop, exec, list, stats. Nothing above it assumes
//! that an instance is a local process.

mod apptainer;
mod join;
mod local;

use self::apptainer::launch::Failed;
use self::apptainer::{
    arguments, enclosing_container, environment, failure, launch, limits, places, records, version,
};
use self::local::{processes, stats, stop};

use std::cell::{OnceCell, RefCell};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use nix::unistd::{AccessFlags, access};
use serde::Serialize;

use crate::bounds::STALLED;
use crate::config::Config;
use crate::env::rules::Folded;
use crate::error::Result;
use crate::host::cache::Cache;
use crate::host::context::{Context, Variables};
use crate::spec::InstanceSpec;

pub use apptainer::arguments::check_flags;
pub use apptainer::enclosing_container::{Surrounding, around};
pub use apptainer::failure::interrupted;
pub use apptainer::flags::{InForce, in_force, take_env_files, whole};
pub use apptainer::installation::{Origin, records_folder, use_installation_of};
pub use apptainer::interruptions::Interruptions;
pub use apptainer::limits::make_user_namespace;
pub use apptainer::records::Record;
pub use join::{Direct, JoinProfile, Probe};
pub use local::answers;
pub use local::namespaces::of_this_process as user_namespace;
pub use local::probe::{Patience, Unanswered, ask, open_in_turn};
pub use local::processes::{Fault, age, is_stopped, start_time};
pub use local::progress::Watch;
pub use local::refusal::{
    NOT_THERE, cannot_run, closed_folder, no_folder, not_there, wrong_folder,
};
pub use local::rootfs::{DEFAULT_PATH, Folder, Inside, Program};
pub use local::stats::{Stats, Usage, uptime_seconds};
pub use local::stop::{StopMode, Stopped, Stopping};

/// Apptainer, as this caller has it.
pub struct Engine<'a> {
    context: &'a Context,
    config: &'a Config,
    cache: &'a Cache,
    /// Of the instance that is at hand.
    origin: RefCell<Origin>,
    binary: RefCell<Option<Binary>>,
    /// What tells the Apptainer that is used from others.
    apptainer: OnceCell<String>,
}

/// The program, and its version.
#[derive(Debug, Clone)]
pub struct Binary {
    pub path: PathBuf,
    /// As `1.4.5`.
    pub version: String,
}

/// The process that is an instance: what tells it from every other, ever.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Process {
    /// The instance's first process, as seen from `pid_namespace`.
    pub pid: i32,
    /// Its start, in clock ticks since boot (field 22 of `/proc/<pid>/stat`).
    pub pid_start_time: u64,
    /// The process that watches over it and its FUSE helpers.
    pub supervisor_pid: i32,
    /// Inode of its user namespace, when that is its own: another than that of whoever started it.
    /// `None` also where that is not known, as of one that was started without `ctr`. Of a `ctr` that is
    /// starting an instance, the one that it is in itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_namespace: Option<u64>,
    pub boot_id: String,
    /// Inode of the pid namespace that the numbers belong to.
    pub pid_namespace: u64,
}

impl Process {
    /// True for the same process, whatever is known of its namespaces.
    fn is(&self, other: &Process) -> bool {
        let identity = |of: &Process| (of.pid, of.pid_start_time, of.pid_namespace);
        identity(self) == identity(other) && self.boot_id == other.boot_id
    }
}

/// How an instance's process fares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Health {
    /// It lives.
    Running,
    /// It has ended.
    Gone(String),
    /// It cannot be judged from here.
    Foreign(String),
    /// It could not be looked at, and may well live.
    Unseen(String),
}

/// A start that succeeded.
#[derive(Debug, Clone)]
pub struct Started {
    pub process: Process,
    pub log_out: String,
    pub log_err: String,
    pub binary: Binary,
    /// What Apptainer warned of.
    pub warnings: Vec<String>,
}

/// What a command is run with.
#[derive(Clone)]
pub struct Run<'a> {
    /// The instance's name.
    pub name: &'a str,
    /// The environment, folded.
    pub environment: Folded,
    /// Folder inside.
    pub cwd: &'a Path,
    /// What the flags of the start mean to it, and whether it starts from an empty environment.
    pub in_force: InForce,
    /// Keep the caller's variables that would break a foreign image.
    pub keep: bool,
    /// The base is the host's own operating system.
    pub hostos: bool,
}

impl<'a> Engine<'a> {
    /// An engine for this caller; Apptainer is looked for when it is first needed.
    pub fn new(context: &'a Context, config: &'a Config, cache: &'a Cache) -> Self {
        Engine {
            context,
            config,
            cache,
            origin: RefCell::default(),
            binary: RefCell::default(),
            apptainer: OnceCell::new(),
        }
    }

    /// The same, where the Apptainer was looked at before, and is taken to be what it was.
    pub fn with_apptainer(self, apptainer: String) -> Self {
        Engine {
            apptainer: apptainer.into(),
            ..self
        }
    }

    /// What tells the Apptainer that is used from others: its path, and when it was changed.
    ///
    /// # Errors
    /// There is none; in words.
    pub fn apptainer(&self) -> std::result::Result<String, String> {
        if let Some(known) = self.apptainer.get() {
            return Ok(known.clone());
        }
        version::identity(&self.program().map_err(|error| error.message)?)
    }

    /// The administrator's configuration file, and each limit in it, as it is written there.
    ///
    /// # Errors
    /// There is no Apptainer; the file cannot be found or read; in words.
    pub fn limits(&self) -> std::result::Result<(PathBuf, Vec<String>), String> {
        let binary = self.binary().map_err(|error| error.message)?;
        limits::limits(&binary.path, &self.callers())
    }

    /// Builds an image from a folder.
    ///
    /// # Errors
    /// Apptainer fails; its words are in the message.
    pub fn build(&self, tree: &Path, image: &Path) -> Result<()> {
        let mut command = self.command(self.variables(&Folded::default(), false, true))?;
        command.arg("build").arg(image).arg(tree);
        let (doing, what) = (
            "building the hostos skeleton",
            "Apptainer cannot build the hostos skeleton",
        );
        let interruptions = self.hold_interruptions(what)?;
        launch::run(command, doing, STALLED, false, &interruptions)
            .map(drop)
            .map_err(|failed| failure::explain(what, &failed))
    }

    /// Keeps the signals that would end this process in the middle of a start, until what it gives is
    /// dropped. `what` is what cannot be done where that fails.
    ///
    /// # Errors
    /// This user may have no more threads.
    pub fn hold_interruptions(&self, what: &str) -> Result<Interruptions> {
        Interruptions::hold()
            .map_err(|error| failure::explain(what, &Failed::saying(error.to_string())))
    }

    /// The binds that variables of Apptainer ask for at a start, each with the variable.
    pub fn callers_binds(&self) -> Vec<(String, String)> {
        environment::binds(&self.context.variables)
    }

    /// What `apptainer` is called with to start a setup.
    pub fn start_arguments(&self, spec: &InstanceSpec, image: &str) -> Vec<String> {
        arguments::start(spec, image, self.is_restricted_root())
    }

    /// The container that this very process is in, where other processes and Apptainer's records
    /// cannot be judged.
    pub fn surrounding(&self) -> Option<Surrounding<'_>> {
        around(self.context)
    }

    /// How many containers this process is in. What a job was handed from inside of one does not count.
    pub fn nesting(&self) -> u32 {
        let is_handed_on = environment::tells_of_a_container(&self.context.variables);
        match self.surrounding() {
            None if is_handed_on => 0,
            _ => self.context.nesting(),
        }
    }

    /// The instance of that name as its own inside sees it, when this is the inside of it.
    pub fn own_process(&self, name: &str) -> Option<Process> {
        match self.surrounding() {
            Some(Surrounding::Instance(own)) if own == name => {
                enclosing_container::process(self.context)
            }
            _ => None,
        }
    }

    /// The command that runs `words` inside. It is made to be exec'ed.
    ///
    /// # Errors
    /// No Apptainer; more environment than it carries.
    pub fn exec(&self, run: &Run, words: &[OsString]) -> Result<Command> {
        let mut command = self.inside_command("exec", run, &[])?;
        command.args(words);
        Ok(command)
    }

    /// The command that is an interactive shell inside. It is made to be exec'ed.
    ///
    /// # Errors
    /// As for [`Engine::exec`].
    pub fn shell(&self, run: &Run, shell: Option<&str>) -> Result<Command> {
        let flags = shell.map_or_else(Vec::new, |path| vec!["--shell", path]);
        self.inside_command("shell", run, &flags)
    }

    /// What is wrong with the file system of each process, `None` for one that works. They are asked
    /// together, each for no longer than `most`.
    pub fn faults(&self, processes: &[&Process], most: Duration) -> Vec<Option<Fault>> {
        processes::faults(processes, most, &self.context.pid_scope)
    }

    /// How the process of an instance fares; its files are not looked at.
    pub fn health(&self, process: &Process) -> Health {
        processes::health(process, &self.context.pid_scope)
    }

    /// How a `ctr` fares that is at work on an instance.
    pub fn health_of_ctr(&self, process: &Process) -> Health {
        processes::health_of_ctr(process, &self.context.pid_scope)
    }

    /// A look into a running instance; `as_root` when the user appears as root there.
    pub fn inside(&self, process: &Process, as_root: bool) -> Inside {
        Inside::new(process.pid, as_root)
    }

    /// What an instance uses: CPU time, memory, I/O.
    ///
    /// # Errors
    /// Its processes cannot be read.
    pub fn usage(&self, name: &str, process: &Process) -> Result<Usage> {
        stats::usage(name, process)
    }

    /// Asks everyone inside an instance to end, and does not wait.
    ///
    /// # Errors
    /// One of them cannot be signalled.
    pub fn ask_to_stop(
        &self,
        name: &str,
        process: &Process,
        manner: &StopMode,
    ) -> Result<Stopping> {
        stop::ask(name, process, manner)
    }

    /// Waits for what was asked to end, kills it when its time is over, and waits until its
    /// processes, its FUSE helpers and its record are gone.
    ///
    /// # Errors
    /// Something of it is left.
    pub fn finish(&self, stopping: Stopping) -> Result<Stopped> {
        stopping.finish(self)
    }

    /// Both.
    ///
    /// # Errors
    /// As for the two.
    pub fn stop(&self, name: &str, process: &Process, manner: &StopMode) -> Result<Stopped> {
        self.finish(self.ask_to_stop(name, process, manner)?)
    }

    /// Ends what an instance that has ended by itself has left running, and gives the names of the
    /// programs. Nothing, where its processes cannot be told from here.
    ///
    /// # Errors
    /// Something of it cannot be ended.
    pub fn end_what_is_left(&self, name: &str, process: &Process) -> Result<Vec<String>> {
        let here = &self.context.pid_scope;
        let is_told_from_here =
            process.boot_id == here.boot_id && process.pid_namespace == here.pid_namespace;
        match is_told_from_here && matches!(self.health(process), Health::Gone(_)) {
            true => stop::end_what_is_left(name, process),
            false => Ok(Vec::new()),
        }
    }

    /// Removes a record whose process has ended, and the log files.
    pub fn forget(&self, name: &str) {
        records::forget(&self.shelf(), name, self.context);
    }

    fn inside_command(&self, action: &str, run: &Run, flags: &[&str]) -> Result<Command> {
        self.check_size(&run.environment)?;
        let mut command = self.command(self.variables(
            &run.environment,
            run.keep,
            run.hostos && !run.in_force.clean,
        ))?;
        self.leave_the_callers_folder(&mut command);
        command.envs(self.bus_for(run.name)?);
        command.args(["--quiet", action, "--no-eval", "--cwd"]);
        command.arg(run.cwd);
        command.args(flags);
        command.args(self.user_namespace_flag(run.name)?);
        command.args(&run.in_force.again);
        if run.in_force.clean {
            command.arg("--cleanenv");
        }
        if run.in_force.usual_umask {
            command.arg("--no-umask");
        }
        command.arg(format!("instance://{}", run.name));
        Ok(command)
    }

    fn command(&self, variables: Variables) -> Result<Command> {
        self.check_place()?;
        places::check(self.context)?;
        limits::check_named_file(&variables, self.context)?;
        let mut command = Command::new(&self.binary()?.path);
        let path = places::path_that_answers(&variables, self.context);
        command.env_clear().envs(variables);
        command.envs(path.map(|path| ("PATH", path)));
        // Where its own folder is gone, or closed, it ignores `--cwd`.
        if self.context.cwd.is_none() || access(".", AccessFlags::X_OK).is_err() {
            command.current_dir("/");
        }
        Ok(command)
    }

    fn variables(&self, folded: &Folded, keep: bool, hostos: bool) -> Variables {
        environment::variables(
            &self.callers(),
            folded,
            &self.config.scrub.value,
            keep,
            hostos,
        )
    }

    /// Root without a capability that Apptainer wants of root (as in a container or a sandbox):
    /// it must be told to do as for everyone else.
    fn is_restricted_root(&self) -> bool {
        self.context.uid == 0 && !processes::has_all_capabilities()
    }
}
