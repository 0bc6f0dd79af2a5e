//! The processes of an instance, as `/proc` shows them.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use procfs::process::{Process as Proc, Stat, all_processes};
use procfs::{Current, FromRead};

use super::join::Target;
use super::{Health, Process, aside, foreign};
use crate::bounds;
use crate::context::Place;

/// Why an instance is broken.
pub const NOT_CONNECTED: &str = "a FUSE helper was killed: its file system is not connected";
/// The same, while its helpers live: the server of an image may be down.
const NO_ANSWER: &str = "its file system does not answer";

/// How Apptainer titles the process that watches over an instance.
const SUPERVISOR_TITLE: &str = "Apptainer instance";

/// A process and its start: a number alone is reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Identity {
    pub pid: i32,
    /// Clock ticks since boot.
    pub start_time: u64,
}

impl Identity {
    /// True while this very process lives. A zombie does not.
    pub fn lives(self) -> bool {
        start_time(self.pid) == Some(self.start_time)
    }
}

/// Start of a process in clock ticks since boot; `None` when it has ended.
pub fn start_time(pid: i32) -> Option<u64> {
    let stat = Stat::from_file(format!("/proc/{pid}/stat")).ok()?;
    (stat.state != 'Z' && stat.state != 'X').then_some(stat.starttime)
}

/// The time, in clock ticks since boot, as processes' starts are counted.
pub fn ticks_since_boot() -> u64 {
    let seconds = procfs::Uptime::current().map_or(0.0, |uptime| uptime.uptime);
    (seconds * procfs::ticks_per_second() as f64) as u64
}

/// How an instance's process fares, judged from `here`, without a look at its files.
pub fn health(process: &Process, here: &Place) -> Health {
    if process.boot_id != here.boot_id {
        return Health::Gone("the host was booted since".into());
    }
    if process.pid_namespace != here.pid_namespace {
        return foreign::health(process, here);
    }
    let identity = Identity {
        pid: process.pid,
        start_time: process.pid_start_time,
    };
    if !identity.lives() {
        return Health::Gone("its process has ended".into());
    }
    Health::Running
}

/// Why the file system of each process is broken, `None` for one that works. All are asked at once, and
/// one that does not answer keeps nobody.
pub fn faults(processes: &[&Process], here: &Place) -> Vec<Option<&'static str>> {
    let connected = aside::ask_each(processes.len(), bounds::FILE_SYSTEM, |at| {
        let root = format!("/proc/{}/root", processes[at].pid);
        match fs::symlink_metadata(format!("{root}/.")) {
            // A FUSE file system of its own shows itself to no one outside. Another's, or that of a
            // setuid installation, is not seen at all, which is not held against it.
            Err(error) if error.kind() == ErrorKind::PermissionDenied => {
                Target::open(processes[at], here)
                    .and_then(|target| target.ask_inside(|| is_connected(Path::new("/"))))
                    .unwrap_or(true)
            }
            _ => is_connected(Path::new(&root)),
        }
    });
    let fault = |connected| match connected {
        Some(true) => None,
        Some(false) => Some(NOT_CONNECTED),
        None => Some(NO_ANSWER),
    };
    connected.into_iter().map(fault).collect()
}

/// False when a FUSE helper was killed that has a part in a root. A name that is nowhere is looked
/// for in every layer of it, each a helper of its own; a name of ours alone is none that the kernel
/// remembers.
pub fn is_connected(root: &Path) -> bool {
    let nowhere = root.join(format!(
        ".ctr-{}-{}",
        std::process::id(),
        ticks_since_boot()
    ));
    let found = fs::symlink_metadata(nowhere);
    !found.is_err_and(|error| error.raw_os_error() == Some(nix::libc::ENOTCONN))
}

/// True for the process that watches over an instance.
pub fn is_supervisor(pid: i32) -> bool {
    fs::read(format!("/proc/{pid}/cmdline"))
        .is_ok_and(|title| title.starts_with(SUPERVISOR_TITLE.as_bytes()))
}

/// The processes that share the instance's pid namespace.
pub fn members(pid: i32) -> Vec<Proc> {
    let namespace_of = |pid: i32| fs::metadata(format!("/proc/{pid}/ns/pid")).map(|m| m.ino());
    let Ok(own) = namespace_of(pid) else {
        return Vec::new();
    };
    let Ok(all) = all_processes() else {
        return Vec::new();
    };
    all.flatten()
        .filter(|process| namespace_of(process.pid).is_ok_and(|namespace| namespace == own))
        .collect()
}

/// How many members of the instance's pid namespace have their parent outside of it, beside its
/// first process: what they have started themselves does not count.
pub fn brought_in(pid: i32) -> usize {
    let members = members(pid);
    let is_member = |pid: i32| members.iter().any(|member| member.pid == pid);
    let from_outside = |member: &&Proc| {
        let parent = member.stat().map(|stat| stat.ppid);
        member.pid != pid && parent.is_ok_and(|parent| !is_member(parent))
    };
    members.iter().filter(from_outside).count()
}

/// Everything that must be gone when an instance is: its processes, the one that watches over
/// it, and that one's children, the FUSE helpers.
pub fn inventory(process: &Process) -> Vec<Identity> {
    let helpers = all_processes()
        .into_iter()
        .flatten()
        .flatten()
        .filter(|other| {
            other.pid == process.supervisor_pid
                || other
                    .stat()
                    .is_ok_and(|stat| stat.ppid == process.supervisor_pid)
        });
    let mut found: Vec<Identity> = members(process.pid)
        .into_iter()
        .chain(helpers)
        .filter_map(|other| {
            let stat = other.stat().ok()?;
            Some(Identity {
                pid: other.pid,
                start_time: stat.starttime,
            })
        })
        .collect();
    found.sort_by_key(|identity| identity.pid);
    found.dedup();
    found
}

/// True when this process has every capability that the kernel knows.
pub fn has_all_capabilities() -> bool {
    let effective = Proc::myself()
        .and_then(|own| own.status())
        .map(|status| status.capeff);
    let last = fs::read_to_string("/proc/sys/kernel/cap_last_cap")
        .ok()
        .and_then(|text| text.trim().parse::<u32>().ok());
    match (effective, last) {
        (Ok(effective), Some(last)) => (0..=last).all(|bit| effective & (1 << bit) != 0),
        _ => true,
    }
}
