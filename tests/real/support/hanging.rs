//! A file system of the host whose helper a signal stops: everybody sees it, also instances that are
//! joined, unlike one of a world of its own.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::place::tool;
use super::{Place, Run, eventually};

/// It answers until it is stopped, and is gone when it is dropped.
pub struct Hanging {
    folder: PathBuf,
    helper: Child,
}

impl Place {
    /// Mounts one at a folder of this place, with the folder `bin` and a file `file` in it.
    pub fn mounted(&self, below: &str) -> Hanging {
        let folder = self.folder(below);
        let files = [("/bin/file", ""), ("/file", "A=1\n")];
        let image = self.overlay_in("cache/mounted", below, &files);
        // What was looked at once is not remembered.
        let options = "attr_timeout=0,entry_timeout=0";
        let mount = self.program(tool("squashfuse"));
        let mount = mount.args(["-f", "-o", options]).arg(image).arg(&folder);
        let helper = mount.spawn();
        let device = |path: &Path| fs::metadata(path).map(|found| found.dev()).ok();
        let above = device(folder.parent().expect("is below the root"));
        eventually("it is mounted", || {
            (device(&folder)? != above?).then_some(())
        });
        Hanging { folder, helper }
    }

    /// The same, stopped.
    pub fn hanging(&self, below: &str) -> Hanging {
        let hanging = self.mounted(below);
        hanging.stop();
        hanging
    }

    /// Runs `ctr ARGS` in a folder of it, which hangs from then on.
    pub fn ctr_in_hanging(&self, hanging: &Hanging, args: &[&str]) -> Run {
        kill(hanging.pid(), Signal::SIGCONT).expect("my own child");
        let script = "cd \"$1\"; kill -STOP $2; shift 2; exec \"$@\"";
        let run = self.program("sh").args(["-ec", script, "sh"]);
        let run = run.arg(hanging.path("bin")).arg(hanging.pid().to_string());
        run.arg(self.path("bin/ctr")).args(args)
    }
}

impl Hanging {
    pub fn path(&self, below: &str) -> PathBuf {
        self.folder.join(below)
    }

    /// Has it answer nobody from now on.
    pub fn stop(&self) {
        kill(self.pid(), Signal::SIGSTOP).expect("my own child");
    }

    fn pid(&self) -> Pid {
        Pid::from_raw(self.helper.id() as i32)
    }
}

impl Drop for Hanging {
    fn drop(&mut self) {
        let _ = self.helper.kill();
        let _ = self.helper.wait();
        let unmount = Command::new(tool("fusermount3"))
            .arg("-uz")
            .arg(&self.folder)
            .status();
        if !std::thread::panicking() {
            assert!(unmount.expect("it runs").success());
        }
    }
}
