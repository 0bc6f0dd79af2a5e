//! The processes of an instance, as `/proc` shows them.

use std::ffi::CString;
use std::fs;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use procfs::process::{Process as Proc, Stat, all_processes};
use procfs::{Current, FromRead};

use crate::engine::local::probe::{self, Patience};
use crate::engine::local::target::Target;
use crate::engine::local::{foreign, membership};
use crate::engine::{Health, Process};
use crate::host::context::PidScope;

/// Why an instance is broken.
pub const NOT_CONNECTED: &str = "a FUSE helper was killed: its file system is not connected";
/// The same, while its helpers live: the server of an image may be down.
const NO_ANSWER: &str = "its file system does not answer";

/// How Apptainer titles the process that watches over an instance.
const SUPERVISOR_TITLE: &str = "Apptainer instance";

/// A process and its start: a number alone is reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Identity {
    pub pid: i32,
    /// Clock ticks since boot.
    pub start_time: u64,
}

impl Identity {
    /// That of the process that was looked at.
    pub fn of(stat: &Stat) -> Self {
        Identity {
            pid: stat.pid,
            start_time: stat.starttime,
        }
    }

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

/// For how long a process has lived; `None` when it has ended, or is not seen from here.
pub fn age(pid: i32) -> Option<Duration> {
    let ticks = ticks_since_boot().saturating_sub(start_time(pid)?);
    Some(Duration::from_secs_f64(
        ticks as f64 / procfs::ticks_per_second() as f64,
    ))
}

/// True for a process that a signal holds.
pub fn is_stopped(pid: i32) -> bool {
    Stat::from_file(format!("/proc/{pid}/stat")).is_ok_and(|stat| stat.state == 'T')
}

/// The time, in clock ticks since boot, as processes' starts are counted.
pub fn ticks_since_boot() -> u64 {
    let seconds = procfs::Uptime::current().map_or(0.0, |uptime| uptime.uptime);
    (seconds * procfs::ticks_per_second() as f64) as u64
}

/// How an instance's process fares, judged from `here`, without a look at its files.
pub fn health(process: &Process, here: &PidScope) -> Health {
    if let Some(gone_or_foreign) = out_of_sight(process, here) {
        return gone_or_foreign;
    }
    if let Err(why) = membership::check(process) {
        return Health::Gone(why);
    }
    Health::Running
}

/// Why the file system of each process is broken, `None` for one that works. All are asked at once, and
/// one that does not answer keeps nobody.
pub fn faults(
    processes: &[&Process],
    most: Duration,
    here: &PidScope,
) -> Vec<Option<&'static str>> {
    faults_and_said(processes, &[], most, here).0
}

/// The same of one, and whether the folder in which this process is answers, when that is asked too.
pub fn fault_and_folder(
    process: &Process,
    with_folder: bool,
    most: Duration,
    here: &PidScope,
) -> (Option<&'static str>, bool) {
    let own = [c".".to_owned()];
    let own = &own[..usize::from(with_folder)];
    let (faults, said) = faults_and_said(&[process], own, most, here);
    (faults[0], said.iter().all(Option::is_some))
}

/// The same of several, and what was said of `others`, which are asked beside them.
fn faults_and_said(
    processes: &[&Process],
    others: &[CString],
    most: Duration,
    here: &PidScope,
) -> (Vec<Option<&'static str>>, Vec<Option<i32>>) {
    let nowhere = |process: &&Process| {
        let root = format!("/proc/{}/root", process.pid);
        CString::new(nowhere_in(Path::new(&root)).into_os_string().into_vec()).unwrap_or_default()
    };
    let mut paths: Vec<CString> = processes.iter().map(nowhere).collect();
    paths.extend_from_slice(others);
    let is_busy = |at: usize| {
        let process = processes.get(at);
        process.is_some_and(|process| has_busy_helper(process.supervisor_pid))
    };
    let patience = Patience {
        is_busy: &is_busy,
        ..Patience::of(most)
    };
    let mut said = probe::open_each(&paths, &patience);
    let said_of_others = said.split_off(processes.len());
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
    (connected.map(fault).collect(), said_of_others)
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

/// How a process fares that is no instance, but a `ctr` at work.
pub fn health_of_ctr(process: &Process, here: &PidScope) -> Health {
    let identity = Identity {
        pid: process.pid,
        start_time: process.pid_start_time,
    };
    out_of_sight(process, here).unwrap_or_else(|| match identity.lives() {
        true => Health::Running,
        false => Health::Gone("it has ended".into()),
    })
}

/// What is to be said of a process whose number means nothing here.
fn out_of_sight(process: &Process, here: &PidScope) -> Option<Health> {
    if process.boot_id != here.boot_id {
        return Some(Health::Gone("the host was booted since".into()));
    }
    let is_foreign = process.pid_namespace != here.pid_namespace;
    is_foreign.then(|| foreign::health(process, here))
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
