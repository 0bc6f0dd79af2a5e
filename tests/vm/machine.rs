//! The machine that the tests run in. A test looks like this:
//!
//! ```text
//! #[test]
//! fn a_login_sees_what_another_started() {
//!     let machine = Machine::new();                        // no other test uses it meanwhile
//!     machine.login("ctr start bio").ok();                 // a line of shell, in a login session
//!     let output = machine.login("ctr exec bio pwd").ok(); // in another; the first has logged out
//!     assert_eq!(output.lines(), ["/home/user"]);
//! }                                                        // its instances end here
//! ```

use std::fmt;
use std::process::{Command, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

/// What a script begins with: it ends at a command that fails, and `bare` runs one as `cron` would.
const PRELUDE: &str = "set -eu; bare() { env -i HOME=\"$HOME\" PATH=\"$PATH\" \"$@\"; }\n";

/// Prints whatever is of an instance: processes, mounted images, cgroups, and files.
const TRACES: &str = r"
ps -U user -o args= | grep -E 'Apptainer|appinit|squashfuse|fuse2fs|fuse-overlayfs' || true
find /sys/fs/cgroup -type d -name 'apptainer-*'
cd /home/user
find .local/state/ctr/instances .apptainer/instances /run/user/1000/ctr /tmp/ctr-1000 \
    ! -type d ! -name '*.lock' 2>/dev/null || true
";

/// Ends every instance, however it fares, without `ctr`.
const CLEAN: &str = r"
pkill -KILL -U user -f 'Apptainer|appinit|squashfuse|fuse2fs|fuse-overlayfs' || true
rm -rf /home/user/.local/state/ctr /home/user/.apptainer /run/user/1000/ctr /tmp/ctr-1000
";

/// Longer than a machine without acceleration takes for anything but a boot.
const PATIENCE: Duration = Duration::from_secs(180);

/// The one machine, of which a user is in `/home/user`, with the uid 1000.
pub struct Machine(#[expect(dead_code, reason = "is held")] MutexGuard<'static, ()>);

impl Machine {
    /// Waits until no other test uses it.
    pub fn new() -> Machine {
        static ALONE: Mutex<()> = Mutex::new(());
        Machine(ALONE.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Runs a script as the user in a login session of its own, which is logged out of at its end.
    pub fn login(&self, script: &str) -> Output {
        vm(&["run", &format!("{PRELUDE}{script}")])
    }

    /// Runs a script as root.
    pub fn root(&self, script: &str) -> Output {
        vm(&["root", &format!("{PRELUDE}{script}")])
    }

    /// Runs a script as the user, outside of any session of theirs, as `cron` would.
    pub fn job(&self, script: &str) -> Output {
        let user = "env -i -C /home/user HOME=/home/user PATH=/usr/local/bin:/usr/bin:/bin \
             setpriv --reuid=user --regid=user --init-groups --inh-caps=-all bash -c";
        self.root(&format!("{user} {}", quoted(&format!("{PRELUDE}{script}"))))
    }

    /// Runs a script as the user in a system unit, with which all ends that it leaves.
    pub fn unit(&self, script: &str) -> Output {
        let unit = "systemd-run --quiet --wait --pipe --collect -p User=user \
             -p WorkingDirectory=/home/user bash -c";
        self.root(&format!("{unit} {}", quoted(&format!("{PRELUDE}{script}"))))
    }

    pub fn reboot(&self) {
        vm(&["reboot"]).ok();
    }

    /// Ends every session of the user, and what runs in them, and waits until `/run/user/UID` is gone.
    #[track_caller]
    pub fn end_sessions(&self) {
        self.root("systemctl stop user-1000.slice user@1000.service")
            .ok();
        eventually("the user's runtime folder goes", || {
            let gone = self.root("[ ! -e /run/user/1000 ]");
            (gone.status == 0).then_some(())
        });
    }

    /// An instance as `ctr list --json` shows it in a new login session.
    #[track_caller]
    pub fn listed(&self, name: &str) -> Value {
        self.login("ctr list --json").ok().listed(name)
    }

    /// What is there of any instance, a line each.
    #[track_caller]
    pub fn traces(&self) -> Vec<String> {
        let traces = self.root(TRACES).ok();
        traces.lines().into_iter().map(str::to_owned).collect()
    }

    /// Demands that nothing of any instance is left.
    #[track_caller]
    pub fn assert_clean(&self) {
        assert_eq!(self.traces(), [""; 0], "left of an instance");
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        let cleaned = self.root(CLEAN);
        if !thread::panicking() {
            cleaned.ok();
        }
    }
}

/// Runs `scripts/vm`, which bounds how long each thing takes.
fn vm(args: &[&str]) -> Output {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/vm");
    let run = Command::new(script)
        .args(args)
        .stdin(Stdio::null())
        .output();
    let run = run.unwrap_or_else(|error| panic!("{script}: {error}"));
    Output {
        command: args.join(" "),
        status: run.status.code().expect("scripts/vm ends by itself"),
        stdout: String::from_utf8(run.stdout).expect("UTF-8"),
        stderr: String::from_utf8(run.stderr).expect("UTF-8"),
    }
}

/// A text as one word of a shell.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// Asks again until `ask` gives something, and gives that. Panics with `what` when it never does.
#[track_caller]
pub fn eventually<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(Instant::now() < deadline, "never happened: {what}");
        thread::sleep(Duration::from_millis(500));
    }
}

/// What a script gave.
pub struct Output {
    command: String,
    pub status: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Output {
    /// Fails the test when its status is not 0.
    #[track_caller]
    pub fn ok(self) -> Output {
        assert_eq!(self.status, 0, "the status of {self}");
        self
    }

    pub fn lines(&self) -> Vec<&str> {
        self.stdout.lines().collect()
    }

    /// Demands that it printed these lines, and that it had nothing to say on stderr.
    #[track_caller]
    pub fn prints(&self, lines: &[&str]) {
        assert_eq!(self.lines(), lines, "{self}");
        assert_eq!(self.stderr, "", "{self}");
    }

    /// One instance of `ctr list --json`.
    #[track_caller]
    pub fn listed(&self, name: &str) -> Value {
        let document: Value =
            serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self}"));
        let instances = document["instances"].as_array().expect("a list");
        let found = instances.iter().find(|one| one["name"] == name);
        found.unwrap_or_else(|| panic!("no {name}: {self}")).clone()
    }
}

impl fmt::Display for Output {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let Output {
            command,
            status,
            stdout,
            stderr,
        } = self;
        write!(
            f,
            "{command}\n--- status: {status}\n--- stdout: {stdout}\n--- stderr: {stderr}"
        )
    }
}
