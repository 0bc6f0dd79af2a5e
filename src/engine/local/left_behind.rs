//! What an instance leaves behind that has ended: whose supervisor was killed, above all. Numbers of
//! processes and of namespaces are given away again, soon those of namespaces, so none of them is taken
//! for the instance's own by itself.

use std::ffi::OsStr;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use nix::unistd::geteuid;
use procfs::process::{FDTarget, Process as Proc, Stat, all_processes};

use crate::engine::Process;
use crate::engine::local::namespaces::{Held, own};
use crate::engine::local::processes::{Identity, is_over, is_supervisor, start_time};

/// How Apptainer tells processes which instance they are in.
const NAME: &str = "APPTAINER_INSTANCE";

/// True while the session of the supervisor can be told. While somebody is in a session, its leader's
/// number is given to nobody else: it is the supervisor, or nobody.
pub fn has_session(process: &Process, supervisor: Option<Identity>) -> bool {
    supervisor.is_some() || start_time(process.supervisor_pid).is_none()
}

/// True for a process of the supervisor's session, whose leader has ended, that serves the instance: it
/// shares the mounts of the supervisor, which are not those of the host.
pub fn is_helper(stat: &Stat) -> bool {
    own(stat.pid, "mnt").is_some()
}

/// True for a process that serves a file system by FUSE.
pub fn serves_files(pid: i32) -> bool {
    let files = Proc::new(pid).and_then(|proc| proc.fd());
    files.is_ok_and(|files| {
        let is_device = |target: FDTarget| {
            matches!(target, FDTarget::Path(path) if path == Path::new("/dev/fuse"))
        };
        files.flatten().any(|file| is_device(file.target))
    })
}

/// The user namespace that was the instance's own, as long as somebody in it can be told to be of the
/// instance.
pub fn user_namespace(name: &str, process: &Process, has_session: bool) -> Option<Held> {
    let recorded = process.user_namespace?;
    let all: Vec<(Proc, Stat)> = all_processes()
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|proc| proc.stat().ok().map(|stat| (proc, stat)))
        .filter(|(_, stat)| !is_over(stat) && own(stat.pid, "user") == Some(recorded))
        .collect();
    // Another instance has got the number.
    let is_watched =
        |(_, stat): &(Proc, Stat)| stat.pid != process.supervisor_pid && is_supervisor(stat.pid);
    if all.iter().any(is_watched) {
        return None;
    }
    let is_of_it = |(proc, stat): &&(Proc, Stat)| {
        let is_in_session = has_session && stat.session == process.supervisor_pid;
        stat.starttime >= process.pid_start_time && (is_in_session || is_told_so(proc, name))
    };
    all.iter().filter(is_of_it).find_map(|(_, stat)| {
        let held = Held::open(stat.pid, "user")?;
        (held.number == recorded && Identity::of(stat).lives()).then_some(held)
    })
}

/// True for a process of the caller's that Apptainer has begun inside an instance of that name, or that
/// descends from one.
fn is_told_so(proc: &Proc, name: &str) -> bool {
    let folder = std::fs::metadata(format!("/proc/{}", proc.pid));
    folder.is_ok_and(|folder| folder.uid() == geteuid().as_raw())
        && proc.environ().is_ok_and(|environment| {
            let told = environment.get(OsStr::new(NAME));
            told.is_some_and(|told| told == name)
        })
}
