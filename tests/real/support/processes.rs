//! Who runs on this machine, as /proc tells it.

use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, getuid};

use super::eventually;

#[derive(Clone, Debug)]
pub struct Process {
    pub pid: i32,
    pub parent: i32,
    /// Its arguments, joined with spaces: `Apptainer instance: me [bio]`, `appinit`, `/usr/bin/squashfuse_ll -f …`.
    pub title: String,
}

impl Process {
    /// A program that serves a file system of an instance.
    pub fn is_fuse_helper(&self) -> bool {
        let program = self.title.split(' ').next().unwrap_or_default();
        let name = program.rsplit('/').next().unwrap_or_default();
        ["squashfuse", "squashfuse_ll", "fuse2fs", "fuse-overlayfs"].contains(&name)
    }

    /// The process outside an instance that holds it together.
    pub fn is_keeper(&self) -> bool {
        self.title.starts_with("Apptainer instance")
    }

    pub fn signal(&self, signal: Signal) {
        let _ = kill(Pid::from_raw(self.pid), signal);
    }
}

/// All processes of this user that live: zombies have no title, and do not count.
pub fn mine() -> Vec<Process> {
    let me = getuid().as_raw();
    let folders = fs::read_dir("/proc").expect("/proc").flatten();
    let mine = folders.filter(|entry| entry.metadata().is_ok_and(|data| data.uid() == me));
    mine.filter_map(|entry| look(entry.file_name().to_str()?.parse().ok()?))
        .collect()
}

/// One process, when it lives.
pub fn look(pid: i32) -> Option<Process> {
    let arguments = fs::read(format!("/proc/{pid}/cmdline")).ok()?;
    let title = String::from_utf8_lossy(&arguments)
        .replace('\0', " ")
        .trim_end()
        .to_owned();
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name in parentheses can hold anything, parentheses too.
    let parent = stat
        .rsplit_once(')')?
        .1
        .split_whitespace()
        .nth(1)?
        .parse()
        .ok()?;
    (!title.is_empty()).then_some(Process { pid, parent, title })
}

/// True once a process is gone, or a zombie. On its way there it has no title any more, and runs.
pub fn has_ended(pid: i32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let state = stat.rsplit_once(") ").map(|(_, rest)| &rest[..1]);
    matches!(state, None | Some("Z" | "X"))
}

/// Those of this user that were started with `folder` in their environment or arguments, and all
/// that they started. The processes of an instance carry Apptainer's folder in theirs.
pub fn with(folder: &Path) -> Vec<Process> {
    let folder = folder.as_os_str().as_bytes();
    let names_it = |pid: i32| {
        ["environ", "cmdline"].iter().any(|file| {
            let bytes = fs::read(format!("/proc/{pid}/{file}")).unwrap_or_default();
            bytes.windows(folder.len()).any(|window| window == folder)
        })
    };
    let (mut found, mut others): (Vec<_>, Vec<_>) = mine()
        .into_iter()
        .partition(|process| names_it(process.pid));
    loop {
        let (children, rest): (Vec<_>, Vec<_>) = others.into_iter().partition(|process| {
            found
                .iter()
                .any(|parent: &Process| parent.pid == process.parent)
        });
        if children.is_empty() {
            return found;
        }
        found.extend(children);
        others = rest;
    }
}

/// The one process that `pid` started. It has no title at the moment in which it becomes another
/// program.
#[track_caller]
pub fn child(pid: i32) -> Process {
    eventually("it has a child", || children(pid).into_iter().next())
}

/// What `pid` started, not what those started.
pub fn children(pid: i32) -> Vec<Process> {
    mine()
        .into_iter()
        .filter(|process| process.parent == pid)
        .collect()
}
