//! What an instance uses, summed over the processes inside: no cgroup is needed.

use procfs::Current;

use crate::engine::Process;
use crate::engine::local::membership::Family;
use crate::error::{Error, Kind, Result};

/// What an instance has used until one moment.
#[derive(Debug, Clone, Copy)]
pub struct Usage {
    /// CPU time in clock ticks, of all processes and of children that have ended.
    cpu_ticks: u64,
    /// When it was looked at, in seconds since boot.
    at: f64,
    memory_bytes: u64,
    read_bytes: u64,
    write_bytes: u64,
    processes: usize,
    uptime_seconds: u64,
}

/// What an instance uses.
#[derive(Debug, Clone, Copy, serde::Serialize)]
pub struct Stats {
    /// 100 for one core.
    pub cpu_percent: f64,
    /// Resident memory; what processes share is divided among them where the kernel tells.
    pub memory_bytes: u64,
    /// From storage, since the start.
    pub read_bytes: u64,
    /// To storage, since the start.
    pub write_bytes: u64,
    pub processes: usize,
    pub uptime_seconds: u64,
}

/// Looks at an instance once.
///
/// # Errors
/// It ended meanwhile.
pub fn usage(name: &str, process: &Process) -> Result<Usage> {
    let gone = || Error::new(Kind::NotRunning, "the instance ended meanwhile");
    let family = Family::of(name, process)
        .map_err(|why| Error::new(Kind::Engine, format!("cannot tell its processes: {why}")))?;
    let members = family.inside();
    if members.is_empty() {
        return Err(gone());
    }
    let mut usage = Usage {
        cpu_ticks: 0,
        at: seconds_since_boot().ok_or_else(gone)?,
        memory_bytes: 0,
        read_bytes: 0,
        write_bytes: 0,
        processes: members.len(),
        uptime_seconds: 0,
    };
    for member in members {
        let Ok(stat) = member.proc.stat() else {
            continue;
        };
        let of_children = u64::try_from(stat.cutime + stat.cstime).unwrap_or(0);
        usage.cpu_ticks += stat.utime + stat.stime + of_children;
        usage.memory_bytes += cache(&member.proc).unwrap_or(stat.rss * procfs::page_size());
        if let Ok(io) = member.proc.io() {
            usage.read_bytes += io.read_bytes;
            usage.write_bytes += io.write_bytes;
        }
    }
    usage.uptime_seconds = uptime_seconds(process).unwrap_or(0);
    Ok(usage)
}

impl Usage {
    /// What is used, with the CPU time since `earlier`.
    pub fn since(&self, earlier: &Usage) -> Stats {
        let ticks = self.cpu_ticks.saturating_sub(earlier.cpu_ticks) as f64;
        let seconds = (self.at - earlier.at).max(f64::EPSILON);
        let percent = 100.0 * ticks / procfs::ticks_per_second() as f64 / seconds;
        Stats {
            cpu_percent: (percent * 10.0).round() / 10.0,
            memory_bytes: self.memory_bytes,
            read_bytes: self.read_bytes,
            write_bytes: self.write_bytes,
            processes: self.processes,
            uptime_seconds: self.uptime_seconds,
        }
    }
}

/// Seconds since an instance's process started.
pub fn uptime_seconds(process: &Process) -> Option<u64> {
    let started = process.pid_start_time as f64 / procfs::ticks_per_second() as f64;
    Some((seconds_since_boot()? - started).max(0.0) as u64)
}

/// Proportional set size in bytes (`smaps_rollup`, Linux 4.14).
fn cache(process: &procfs::process::Process) -> Option<u64> {
    let rollup = process.smaps_rollup().ok()?;
    rollup
        .memory_map_rollup
        .into_iter()
        .find_map(|map| map.extension.map.get("Pss").copied())
}

fn seconds_since_boot() -> Option<f64> {
    Some(procfs::Uptime::current().ok()?.uptime)
}
