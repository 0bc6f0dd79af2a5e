//! The processes of an instance, as `/proc` shows them.

use std::ffi::CString;
use std::fs;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::errno::Errno;
use procfs::process::{Process as Proc, Stat};
use procfs::{Current, FromRead};

use crate::engine::local::membership::NoInstance;
use crate::engine::local::probe::{self, Patience, Unanswered};
use crate::engine::local::target::{Target, Unseen};
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

    /// True while this very process lives. A zombie does not. One that cannot be looked at is there.
    pub fn lives(self) -> bool {
        look(self.pid).map_or(true, |stat| {
            stat.is_some_and(|stat| !is_over(&stat) && stat.starttime == self.start_time)
        })
    }
}

/// Start of a process in clock ticks since boot; `None` when it has ended, or cannot be looked at.
pub fn start_time(pid: i32) -> Option<u64> {
    let stat = look(pid).ok().flatten()?;
    (!is_over(&stat)).then_some(stat.starttime)
}

/// What the kernel shows of a process; `None` of one that is not there.
///
/// # Errors
/// That cannot be told.
pub fn look(pid: i32) -> Result<Option<Stat>, Errno> {
    let unread = |error| match error {
        Errno::ENOENT | Errno::ESRCH => Ok(None),
        other => Err(other),
    };
    let text = match fs::read(format!("/proc/{pid}/stat")) {
        Ok(text) => text,
        Err(error) => return unread(Errno::from_raw(error.raw_os_error().unwrap_or_default())),
    };
    // A program may give itself a name that is not UTF-8.
    let text = String::from_utf8_lossy(&text);
    Stat::from_read(text.as_bytes())
        .map(Some)
        .map_err(|_| Errno::EIO)
}

/// What the kernel shows of every process. Nothing of them is held open: there may be more of them than
/// files that this process may have open.
///
/// # Errors
/// They cannot all be told.
pub fn all() -> Result<Vec<Stat>, Errno> {
    let failed = |error: std::io::Error| Errno::from_raw(error.raw_os_error().unwrap_or_default());
    let mut all = Vec::new();
    for entry in fs::read_dir("/proc").map_err(failed)? {
        let name = entry.map_err(failed)?.file_name();
        let pid = name.to_str().and_then(|name| name.parse().ok());
        match pid.map(look).transpose() {
            // Some systems show nobody the processes of others (`hidepid`, `proc(5)`).
            Err(Errno::EPERM | Errno::EACCES) => {}
            stat => all.extend(stat?.flatten()),
        }
    }
    Ok(all)
}

/// True for a process that has ended, and only is not forgotten yet.
pub fn is_over(stat: &Stat) -> bool {
    matches!(stat.state, 'Z' | 'X')
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
    is_in_state(pid, 'T')
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
    match membership::check(process) {
        Ok(()) => Health::Running,
        Err(NoInstance::Gone(why)) => Health::Gone(why),
        Err(NoInstance::Unseen(error)) => Health::Unseen(probe::unasked("its process", error)),
    }
}

/// What is wrong with the file system of an instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// It does not work, or does not answer.
    Broken(&'static str),
    /// It could not be asked, and may well work.
    Unasked(String),
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Fault::Broken(why) => why,
            Fault::Unasked(why) => why,
        })
    }
}

/// What is wrong with the file system of each process, `None` for one that works. All are asked at once,
/// and one that does not answer keeps nobody.
pub fn faults(processes: &[&Process], most: Duration, here: &PidScope) -> Vec<Option<Fault>> {
    faults_and_said(processes, &[], most, here).0
}

/// The same of one, and whether the folder in which this process is answers, when that is asked too.
pub fn fault_and_folder(
    process: &Process,
    with_folder: bool,
    most: Duration,
    here: &PidScope,
) -> (Option<Fault>, bool) {
    let own = [c".".to_owned()];
    let own = &own[..usize::from(with_folder)];
    let (mut faults, said) = faults_and_said(&[process], own, most, here);
    (
        faults.pop().flatten(),
        !said.contains(&Err(Unanswered::Late)),
    )
}

/// The same of several, and what was said of `others`, which are asked beside them.
fn faults_and_said(
    processes: &[&Process],
    others: &[CString],
    most: Duration,
    here: &PidScope,
) -> (Vec<Option<Fault>>, Vec<Result<i32, Unanswered>>) {
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
    let both = processes.iter().zip(said);
    let faults = both.map(|(process, said)| match said {
        Ok(nix::libc::ENOTCONN) => Some(Fault::Broken(NOT_CONNECTED)),
        // A FUSE file system of its own shows itself to no one outside.
        Ok(nix::libc::EACCES) => fault_from_inside(process, most, here),
        Ok(_) => None,
        Err(Unanswered::Late) => Some(Fault::Broken(NO_ANSWER)),
        Err(Unanswered::Unasked(error)) => {
            Some(Fault::Unasked(probe::unasked("its file system", error)))
        }
    });
    (faults.collect(), said_of_others)
}

/// The same, asked inside. That of a setuid installation, or another's, is not seen at all, which is not
/// held against it.
fn fault_from_inside(process: &Process, most: Duration, here: &PidScope) -> Option<Fault> {
    let target = Target::open(process, here).ok()?;
    if !target.can_be_joined() {
        return None;
    }
    match target.ask_inside(most, || is_connected(Path::new("/"))) {
        Ok(true) => None,
        Ok(false) => Some(Fault::Broken(NOT_CONNECTED)),
        Err(Unseen::Unasked(error)) => {
            Some(Fault::Unasked(probe::unasked("its file system", error)))
        }
        Err(Unseen::Unknown(_)) => Some(Fault::Broken(NO_ANSWER)),
    }
}

/// True for a process that waits for nothing but the processor.
pub fn wants_to_run(pid: i32) -> bool {
    is_in_state(pid, 'R')
}

fn is_in_state(pid: i32, state: char) -> bool {
    look(pid).is_ok_and(|stat| stat.is_some_and(|stat| stat.state == state))
}

/// True while a helper waits for nothing but the processor.
fn has_busy_helper(supervisor: i32) -> bool {
    let mut stats = all().into_iter().flatten();
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
        true => Health::Running, // or cannot be looked at
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
    supervisor_title(pid).is_ok_and(|title| title.is_some())
}

/// True for the one that watches over the instance `name`.
pub fn is_supervisor_of(pid: i32, name: &str) -> bool {
    watches_over(pid, name).unwrap_or(false)
}

/// The same.
///
/// # Errors
/// That cannot be told.
pub fn watches_over(pid: i32, name: &str) -> Result<bool, Errno> {
    let title = supervisor_title(pid)?;
    Ok(title.is_some_and(|title| title.ends_with(&format!(" [{name}]"))))
}

/// The title of a process that watches over an instance, as `Apptainer instance: USER [NAME]`.
///
/// # Errors
/// That cannot be told.
pub fn supervisor_title(pid: i32) -> Result<Option<String>, Errno> {
    let title = match fs::read(format!("/proc/{pid}/cmdline")) {
        Ok(title) => title,
        Err(error) => match Errno::from_raw(error.raw_os_error().unwrap_or_default()) {
            unseen @ (Errno::EMFILE | Errno::ENFILE | Errno::ENOMEM) => return Err(unseen),
            _ => return Ok(None),
        },
    };
    let title = String::from_utf8_lossy(&title);
    let title = title.trim_end_matches('\0').to_owned();
    Ok(Some(title).filter(|title| title.starts_with(SUPERVISOR_TITLE)))
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
