//! What instances leave behind, state files that a test changes, and an Apptainer that takes its time.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Child;

use nix::sys::signal::Signal;
use serde_json::Value;

use super::{Place, Run, eventually, processes};

impl Place {
    /// Demands that nothing of an instance is left: record, logs, state, lock, shims.
    #[track_caller]
    pub fn assert_forgotten(&self, name: &str) {
        let of_it = |path: &PathBuf| {
            let file = path.file_name().unwrap_or_default().to_string_lossy();
            file == name || file.starts_with(&format!("{name}."))
        };
        let left: Vec<PathBuf> = [
            "state/ctr/instances/*/*",
            "apptainer/instances/app/*/*/*",
            "apptainer/instances/logs/*/*/*",
            "run/ctr/shims/*",
            "run/ctr/states/*",
        ]
        .into_iter()
        .flat_map(|below| self.glob(below))
        .filter(of_it)
        .collect();
        assert!(left.is_empty(), "left of {name}: {left:#?}");
    }

    /// Demands that no instance is left at all: no process, and no file of one.
    #[track_caller]
    pub fn assert_clean(&self) {
        self.assert_clean_after(&"it");
    }

    /// The same, telling after what.
    #[track_caller]
    pub fn assert_clean_after(&self, what: &dyn std::fmt::Display) {
        let processes = self.processes();
        assert!(processes.is_empty(), "left after {what}: {processes:#?}");
        let files: Vec<PathBuf> = [
            "state/ctr/instances/*/*",
            "apptainer/instances/app/*/*/*",
            "apptainer/instances/logs/*/*/*",
            "run/ctr/shims/*",
        ]
        .into_iter()
        .flat_map(|below| self.glob(below))
        .collect();
        assert!(files.is_empty(), "left after {what}: {files:#?}");
    }

    /// What matches a pattern below the folder of this place, files that begin with a dot too.
    pub fn glob(&self, below: &str) -> Vec<PathBuf> {
        let pattern = self.path(below);
        glob::glob(pattern.to_str().expect("UTF-8"))
            .expect("a pattern")
            .flatten()
            .collect()
    }

    /// Kills the FUSE helpers of an instance, which breaks it.
    #[track_caller]
    pub fn break_it(&self, name: &str) {
        let mut helpers = processes::children(self.record(name).keeper);
        helpers.retain(processes::Process::is_fuse_helper);
        assert!(!helpers.is_empty(), "{:#?}", self.processes());
        for helper in &helpers {
            helper.signal(Signal::SIGKILL);
        }
        eventually("the helpers end", || {
            let all = helpers
                .iter()
                .all(|helper| processes::has_ended(helper.pid));
            all.then_some(())
        });
    }

    /// Stops the FUSE helpers of an instance, so that its file system answers nobody: as one whose file
    /// server is down.
    #[track_caller]
    pub fn freeze(&self, name: &str) -> Frozen {
        let mut helpers = processes::children(self.record(name).keeper);
        helpers.retain(processes::Process::is_fuse_helper);
        assert!(!helpers.is_empty(), "{:#?}", self.processes());
        for helper in &helpers {
            helper.signal(Signal::SIGSTOP);
        }
        Frozen(helpers)
    }

    /// A program in a pid namespace of its own, as inside a container or some job launchers.
    pub fn in_pid_namespace(&self, program: &Path) -> Run {
        let words = [
            "--user",
            "--map-current-user",
            "--pid",
            "--fork",
            "--mount-proc",
        ];
        self.program("unshare").args(words).arg(program)
    }

    /// The state of an instance, as its file has it.
    #[track_caller]
    pub fn state(&self, name: &str) -> Value {
        let file = self.state_file(name);
        let bytes = fs::read(&file).unwrap_or_else(|error| panic!("{file:?}: {error}"));
        serde_json::from_slice(&bytes).unwrap_or_else(|error| panic!("{file:?}: {error}"))
    }

    /// Changes the state of an instance behind the back of `ctr`.
    #[track_caller]
    pub fn edit_state(&self, name: &str, edit: impl FnOnce(&mut Value)) {
        let mut state = self.state(name);
        edit(&mut state);
        fs::write(self.state_file(name), state.to_string()).expect("my own file");
    }

    /// An instance as `ctr list --json` shows it.
    #[track_caller]
    pub fn listed(&self, name: &str) -> Option<Value> {
        let list = self.ctr(["list", "--json"]).ok().json();
        let instances = list["instances"].as_array().expect("a list").clone();
        instances.into_iter().find(|one| one["name"] == name)
    }

    /// The status of an instance, as `ctr list --json` shows it.
    #[track_caller]
    pub fn status(&self, name: &str) -> String {
        let listed = self.listed(name);
        let listed = listed.unwrap_or_else(|| panic!("{name} is not listed"));
        listed["status"].as_str().expect("a word").to_owned()
    }

    /// An Apptainer for `CTR_APPTAINER`: at `instance start` it does what `script` says, in which
    /// `real "$@"` is the real one; in all else it is the real one.
    pub fn apptainer_that(&self, script: &str) -> PathBuf {
        let real = self.environment()[std::ffi::OsStr::new("CTR_APPTAINER")].clone();
        let real = real.to_str().expect("UTF-8");
        let text = format!(
            "#!/bin/sh
            real() {{ {real} \"$@\"; }}
            case \" $* \" in *' instance start '*) {script} ;; esac
            exec {real} \"$@\"\n"
        );
        let folder = tempfile::tempdir_in(self.path("cache"))
            .expect("a folder")
            .keep();
        self.write_program(folder.join("apptainer"), text)
    }

    /// Has everything from now on call an Apptainer that does what `script` says before each call.
    pub fn wrap_apptainer(&mut self, script: &str) -> PathBuf {
        let real = self.environment()[std::ffi::OsStr::new("CTR_APPTAINER")].clone();
        let real = real.to_str().expect("UTF-8");
        let text = format!("#!/bin/sh\n{script}\nexec {real} \"$@\"\n");
        let path = self.write_program("cache/wrapped/apptainer", text);
        self.set("CTR_APPTAINER", &path);
        path
    }

    /// An Apptainer whose starts wait at a gate, which opens when the file of the second path is
    /// there; that of the third is there as soon as one waits.
    pub fn gated_apptainer(&self) -> (PathBuf, PathBuf, PathBuf) {
        let (gate, waiting) = (self.path("cache/gate"), self.path("cache/waiting"));
        let (at, told) = (gate.display(), waiting.display());
        let program = self.apptainer_that(&format!(
            "echo > {told}; while [ ! -e {at} ]; do sleep 0.02; done"
        ));
        (program, gate, waiting)
    }

    /// Runs `ctr ARGS` in a world that `script` has changed, as root of a user namespace with
    /// mounts of its own, and then as this user again.
    pub fn ctr_in_world(&self, script: &str, args: &[&str]) -> Run {
        let mine = fs::metadata(self.work()).expect("my own folder");
        let back = format!(
            "exec unshare --user --map-user={} --map-group={} -- \"$@\"",
            mine.uid(),
            mine.gid()
        );
        self.program("unshare")
            .args(["--map-root-user", "--mount", "sh", "-ec"])
            .arg(format!("{script}\n{back}"))
            .arg("sh")
            .arg(self.path("bin/ctr"))
            .args(args)
    }
}

/// FUSE helpers that are stopped; they go on when it is dropped.
pub struct Frozen(Vec<processes::Process>);

impl Drop for Frozen {
    fn drop(&mut self) {
        for helper in &self.0 {
            helper.signal(Signal::SIGCONT);
        }
    }
}

/// A process that does nothing, outside of any place; ended when it is dropped.
pub struct Bystander(Child);

impl Bystander {
    pub fn new() -> Bystander {
        let sleep = std::process::Command::new("sleep").arg("100000").spawn();
        let bystander = Bystander(sleep.expect("sleep"));
        eventually("it has become sleep", || {
            let process = processes::look(bystander.pid())?;
            process.title.starts_with("sleep").then_some(())
        });
        bystander
    }

    pub fn pid(&self) -> i32 {
        self.0.id() as i32
    }

    /// When it started, in clock ticks since boot.
    pub fn start_time(&self) -> u64 {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.pid())).expect("it lives");
        let fields = stat.rsplit_once(')').expect("has a name").1;
        let field = fields.split_whitespace().nth(19).expect("has a start");
        field.parse().expect("a number")
    }

    /// Demands that nobody has ended it.
    #[track_caller]
    pub fn assert_alive(&mut self) {
        let ended = self.0.try_wait().expect("my own child");
        assert!(ended.is_none(), "a process of someone else was ended");
    }
}

impl Drop for Bystander {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Waits until a program that was spawned waits for something itself: it has gone to sleep several
/// times, as one does that looks again and again whether a lock is free.
#[track_caller]
pub fn is_waiting(child: &Child) {
    let status = format!("/proc/{}/status", child.id());
    let naps = || -> Option<u64> {
        let text = fs::read_to_string(&status).ok()?;
        let line = text
            .lines()
            .find(|line| line.starts_with("voluntary_ctxt"))?;
        line.split_whitespace().nth(1)?.parse().ok()
    };
    eventually("it waits", || (naps()? > 10).then_some(()));
}
