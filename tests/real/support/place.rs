//! A world for one test: its own folders, environment and instances.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::{env, fs, thread};

use nix::sys::signal::Signal;
use nix::sys::stat::{Mode, umask};
use nix::unistd::{Uid, User, getuid};

use super::processes::{self, Process};
use super::{Output, Run, eventually, images};

/// Where commands are looked for, after the `ctr` under test.
const USUAL: &str = "/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin";

/// When it is dropped, also by a failing test, its instances are stopped and its folder removed.
pub struct Place {
    root: PathBuf,
    env: BTreeMap<OsString, OsString>,
}

/// Apptainer's own record of an instance.
#[derive(Clone, Debug)]
pub struct Record {
    pub path: PathBuf,
    /// The first process inside.
    pub pid: i32,
    /// The process outside that holds it, parent of its FUSE helpers.
    pub keeper: i32,
    pub log_out: PathBuf,
    pub log_err: PathBuf,
}

impl Place {
    pub fn new() -> Place {
        let mut place = Place::bare();
        place.set("CTR_BASE_IMAGE", &images().sif);
        place
    }

    /// Without a base image, as on a machine where nothing is configured.
    pub fn bare() -> Place {
        let folder = tempfile::Builder::new()
            .prefix("p")
            .tempdir_in(run_folder());
        let root = folder.expect("a folder for the test").keep();
        for folder in [
            "home",
            "work",
            "state",
            "cache",
            "config",
            "data",
            "run",
            "apptainer",
            "overlays",
            "bin",
        ] {
            fs::create_dir(root.join(folder)).expect("a new folder");
        }
        let private = fs::Permissions::from_mode(0o700);
        fs::set_permissions(root.join("run"), private).expect("my own folder");
        symlink(ctr_binary(), root.join("bin/ctr")).expect("a link to ctr");

        let mut place = Place {
            root,
            env: BTreeMap::new(),
        };
        let me = user().name;
        for (key, value) in [
            ("USER", &*me),
            ("LOGNAME", &*me),
            ("SHELL", "/bin/bash"),
            ("LANG", "C.UTF-8"),
            ("TERM", "xterm"),
            ("PATH", &format!("{}:{USUAL}", place.path("bin").display())),
        ] {
            place.set(key, value);
        }
        for (key, folder) in [
            ("HOME", "home"),
            ("XDG_STATE_HOME", "state"),
            ("XDG_CACHE_HOME", "cache"),
            ("XDG_CONFIG_HOME", "config"),
            ("XDG_DATA_HOME", "data"),
            ("XDG_RUNTIME_DIR", "run"),
            ("APPTAINER_CONFIGDIR", "apptainer"),
            ("APPTAINER_CACHEDIR", "cache/apptainer"),
            ("CTR_OVERLAY_PATH", "overlays"),
        ] {
            place.set(key, place.path(folder));
        }
        place.set("CTR_APPTAINER", apptainer_binary());
        place
    }

    /// Changes a variable for everything that is started here from now on.
    pub fn set(&mut self, key: &str, value: impl AsRef<OsStr>) {
        self.env.insert(key.into(), value.as_ref().into());
    }

    pub fn unset(&mut self, key: &str) {
        self.env.remove(OsStr::new(key));
    }

    /// What everything here starts with.
    pub fn environment(&self) -> &BTreeMap<OsString, OsString> {
        &self.env
    }

    /// A path below the folder of this place: `home work state cache config data run apptainer overlays bin`.
    pub fn path(&self, below: impl AsRef<Path>) -> PathBuf {
        self.root.join(below)
    }

    /// The folder that programs run in. It is inside the user's home, so instances see it too.
    pub fn work(&self) -> PathBuf {
        self.path("work")
    }

    /// Makes a folder, with those above it.
    pub fn folder(&self, below: impl AsRef<Path>) -> PathBuf {
        let path = self.path(below);
        fs::create_dir_all(&path).expect("a new folder");
        path
    }

    /// Writes a file, readable by all and writable by its owner, with the folders above it.
    pub fn write(&self, below: impl AsRef<Path>, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(below);
        fs::create_dir_all(path.parent().expect("is below the root")).expect("a new folder");
        fs::write(&path, content).expect("a new file");
        self.mode(&path, 0o644);
        path
    }

    /// Writes a program. Another process does it: one that a test beside this is just starting would
    /// hold the file open for writing a little longer, and nothing runs such a file ("Text file busy").
    pub fn write_program(&self, below: impl AsRef<Path>, script: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(below);
        let install = self
            .program(tool("install"))
            .args(["-D", "-m", "755", "/dev/stdin"]);
        install.arg(&path).stdin(script.as_ref()).ok();
        path
    }

    /// Copies a program, in the same way.
    pub fn copy_program(&self, from: &Path, below: impl AsRef<Path>) -> PathBuf {
        let path = self.path(below);
        let install = self.program(tool("install")).args(["-D", "-m", "755"]);
        install.arg(from).arg(&path).ok();
        path
    }

    pub fn mode(&self, path: &Path, mode: u32) {
        let mode = fs::Permissions::from_mode(mode);
        fs::set_permissions(path, mode).unwrap_or_else(|error| panic!("{path:?}: {error}"));
    }

    /// Writes `config.toml`.
    pub fn config(&self, text: &str) -> PathBuf {
        self.write("config/ctr/config.toml", text)
    }

    pub fn program(&self, name: impl Into<PathBuf>) -> Run {
        Run::new(name, self.env.clone(), &self.work())
    }

    pub fn ctr(&self, args: impl IntoIterator<Item: AsRef<OsStr>>) -> Run {
        self.program(self.path("bin/ctr")).args(args)
    }

    /// Apptainer itself, for instances that `ctr` does not know of.
    pub fn apptainer(&self, args: impl IntoIterator<Item: AsRef<OsStr>>) -> Run {
        self.program(apptainer_binary()).args(args)
    }

    /// `ctr start OPTIONS NAME`, which must succeed.
    #[track_caller]
    pub fn start(&self, name: &str, options: &[&str]) -> Output {
        self.ctr(["start"]).args(options).arg(name).ok()
    }

    /// Puts a folder at the head of `PATH`, from now on.
    pub fn prepend_path(&mut self, folder: &Path) {
        let path = self.env[OsStr::new("PATH")].clone();
        let folders = [folder.to_owned()]
            .into_iter()
            .chain(env::split_paths(&path));
        let path = env::join_paths(folders).expect("no colon in a path");
        self.set("PATH", path);
    }

    /// The folder of an instance's shims, there or not.
    pub fn shims(&self, instance: &str) -> PathBuf {
        self.path("run/ctr/shims").join(instance)
    }

    pub fn shim(&self, instance: &str, command: &str) -> PathBuf {
        self.shims(instance).join(command)
    }

    /// The environment that a command sees inside.
    #[track_caller]
    pub fn environ(&self, name: &str) -> BTreeMap<String, String> {
        self.ctr(["exec", name, "cat", "/proc/self/environ"])
            .ok()
            .environ()
    }

    /// Apptainer's record of an instance, while there is one.
    pub fn find_record(&self, name: &str) -> Option<Record> {
        let path = self
            .records()
            .into_iter()
            .find(|path| path.file_stem() == Some(name.as_ref()))?;
        let record: serde_json::Value = serde_json::from_slice(&fs::read(&path).ok()?).ok()?;
        let pid = |key: &str| i32::try_from(record[key].as_i64()?).ok();
        Some(Record {
            pid: pid("pid")?,
            keeper: pid("ppid")?,
            log_out: record["logOutPath"].as_str()?.into(),
            log_err: record["logErrPath"].as_str()?.into(),
            path,
        })
    }

    #[track_caller]
    pub fn record(&self, name: &str) -> Record {
        self.find_record(name)
            .unwrap_or_else(|| panic!("Apptainer has no record of {name}"))
    }

    /// The files of all records: `instances/app/HOST/USER/NAME/NAME.json`.
    pub fn records(&self) -> Vec<PathBuf> {
        let pattern = self.path("apptainer/instances/app/*/*/*/*.json");
        glob::glob(pattern.to_str().expect("UTF-8"))
            .expect("a pattern")
            .flatten()
            .collect()
    }

    /// The state files of all hosts, with what else lies in their folder.
    pub fn state_files(&self) -> Vec<PathBuf> {
        let pattern = self.path("state/ctr/instances/*/*");
        glob::glob(pattern.to_str().expect("UTF-8"))
            .expect("a pattern")
            .flatten()
            .collect()
    }

    /// The state file of an instance, there or not, on the one host that has any.
    #[track_caller]
    pub fn state_file(&self, name: &str) -> PathBuf {
        let host = nix::unistd::gethostname().expect("a host has a name");
        self.path("state/ctr/instances")
            .join(host)
            .join(format!("{name}.json"))
    }

    /// Everything that runs on behalf of this place: instances, their FUSE helpers, and strays.
    pub fn processes(&self) -> Vec<Process> {
        processes::with(&self.root)
    }

    /// Ends an instance as a crash would: everything is killed at once, Apptainer's record stays.
    /// (It does not when only the first process inside is killed: then the keeper tidies up.)
    #[track_caller]
    pub fn crash(&self, name: &str) {
        let keeper = processes::look(self.record(name).keeper).expect("the instance runs");
        let mut family = vec![keeper.clone()]; // the keeper first, before it can notice anything
        family.extend(processes::children(keeper.pid));
        family
            .iter()
            .for_each(|process| process.signal(Signal::SIGKILL));
        eventually("the instance and its FUSE helpers end", || {
            family
                .iter()
                .all(|process| processes::has_ended(process.pid))
                .then_some(())
        });
    }

    /// Kills what an instance's first process and strays are, and waits until all is gone. The
    /// keeper and its FUSE helpers go by themselves, which unmounts everything.
    fn end_everything(&self) -> Vec<Process> {
        let mut left = self.processes();
        for patience in 0..1000 {
            let hopeless = patience >= 500;
            for process in &left {
                if hopeless || !process.is_keeper() && !process.is_fuse_helper() {
                    process.signal(Signal::SIGKILL);
                }
            }
            left = self.processes();
            if left.is_empty() {
                break;
            }
            thread::sleep(std::time::Duration::from_millis(20));
        }
        left
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let left = self.end_everything();
        // A test may have taken rights away from folders.
        let _ = Command::new("chmod")
            .args(["-R", "u+rwX"])
            .arg(&self.root)
            .status();
        let removed = fs::remove_dir_all(&self.root);
        if !thread::panicking() {
            assert!(left.is_empty(), "could not be ended: {left:#?}");
            removed.expect("the folder of the test is its own");
        }
    }
}

/// The binary under test.
fn ctr_binary() -> PathBuf {
    env::var_os("CTR_TEST_BIN").map_or_else(|| env!("CARGO_BIN_EXE_ctr").into(), PathBuf::from)
}

fn apptainer_binary() -> PathBuf {
    let binary = env::var_os("CTR_APPTAINER").map(PathBuf::from);
    let binary = binary.or_else(|| find_program("apptainer"));
    binary.expect("no Apptainer: scripts/apptainer gets one; name its binary in CTR_APPTAINER")
}

fn find_program(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let folders: Vec<PathBuf> = env::split_paths(&path)
        .chain(env::split_paths(USUAL))
        .collect();
    folders
        .iter()
        .map(|folder| folder.join(name))
        .find(|path| path.is_file())
}

/// A program of this machine that the tests cannot do without.
#[track_caller]
pub fn tool(name: &str) -> PathBuf {
    find_program(name).unwrap_or_else(|| panic!("{name} is missing: scripts/test installs it"))
}

fn user() -> User {
    User::from_uid(getuid())
        .expect("/etc/passwd")
        .expect("I have an account")
}

/// The folder of this run, in the user's home, since instances see that. A shell outside of the
/// run removes it when the run has ended, in whatever way.
pub fn run_folder() -> &'static Path {
    static FOLDER: OnceLock<(PathBuf, Child)> = OnceLock::new();
    let (folder, _) = FOLDER.get_or_init(|| {
        assert_ne!(
            getuid(),
            Uid::from_raw(0),
            "users are not root: scripts/test runs this as one"
        );
        umask(Mode::from_bits_truncate(0o022)); // what others may write to is not trusted
        let folder = tempfile::Builder::new()
            .prefix("ctr-test-")
            .tempdir_in(user().dir);
        let folder = folder.expect("a folder in the home of the user").keep();
        let script = "trap '' INT TERM HUP; cat; chmod -R u+rwX \"$1\"; rm -rf \"$1\"";
        let remover = Command::new("/bin/sh")
            .args(["-c", script, "remover"])
            .arg(&folder)
            .stdin(Stdio::piped()) // at its end, all of this process's ends of it are closed
            .stdout(Stdio::null())
            .process_group(0)
            .spawn();
        (folder, remover.expect("/bin/sh"))
    });
    folder
}

/// A program or file that `scripts/test --long` gets.
pub fn long_tool(name: &str) -> PathBuf {
    let folder = env::var_os("CTR_TEST_LONG").expect("scripts/test --long sets it");
    let file = PathBuf::from(folder).join(name);
    assert!(
        file.is_file(),
        "{} is not here: scripts/test --long gets it",
        file.display()
    );
    file
}
