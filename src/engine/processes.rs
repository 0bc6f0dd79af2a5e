//! The processes of an instance, as `/proc` shows them.

use std::ffi::CString;
use std::fs;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use procfs::process::{Process as Proc, Stat, all_processes};
use procfs::{Current, FromRead};

use super::aside::{self, Patience};
use super::join::Target;
use super::{Health, Process, foreign};
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
pub fn faults(processes: &[&Process], most: Duration, here: &Place) -> Vec<Option<&'static str>> {
    let nowhere = |process: &&Process| {
        let root = format!("/proc/{}/root", process.pid);
        CString::new(nowhere_in(Path::new(&root)).into_os_string().into_vec()).unwrap_or_default()
    };
    let paths: Vec<CString> = processes.iter().map(nowhere).collect();
    let patience = Patience {
        is_busy: &|at| has_busy_helper(processes[at].supervisor_pid),
        ..Patience::of(most)
    };
    let said = aside::open_each(&paths, &patience);
    let connected = processes
        .iter()
        .zip(said)
        .map(|(process, said)| match said? {
            nix::libc::ENOTCONN => Some(false),
            // A FUSE file system of its own shows itself to no one outside. Another's, or that of a setuid
            // installation, is not seen at all, which is not held against it.
            nix::libc::EACCES => match Target::open(process, here) {
                Ok(target) if !target.can_be_joined() => Some(true),
                Ok(target) => target
                    .ask_inside(most, || is_connected(Path::new("/")))
                    .ok(),
                Err(_) => Some(true),
            },
            _ => Some(true),
        });
    let fault = |connected| match connected {
        Some(true) => None,
        Some(false) => Some(NOT_CONNECTED),
        None => Some(NO_ANSWER),
    };
    connected.map(fault).collect()
}

/// True for a process that waits for nothing but the processor.
pub fn wants_to_run(pid: i32) -> bool {
    Stat::from_file(format!("/proc/{pid}/stat")).is_ok_and(|stat| stat.state == 'R')
}

/// True while a helper waits for nothing but the processor.
fn has_busy_helper(supervisor: i32) -> bool {
    let all = all_processes().into_iter().flatten().flatten();
    let mut stats = all.filter_map(|one| one.stat().ok());
    stats.any(|stat| stat.ppid == supervisor && stat.state == 'R')
}

fn nowhere_in(root: &Path) -> PathBuf {
    let (own, now) = (std::process::id(), ticks_since_boot());
    root.join(format!(".ctr-{own}-{now}"))
}

/// False when a FUSE helper was killed that has a part in a root. A name that is nowhere is looked
/// for in every layer of it, each a helper of its own; a name of ours alone is none that the kernel
/// remembers.
pub fn is_connected(root: &Path) -> bool {
    let found = fs::symlink_metadata(nowhere_in(root));
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
