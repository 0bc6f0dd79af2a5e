//! What can be said of a process whose number belongs to another pid namespace.

use procfs::process::{Process as Proc, Stat};

use crate::engine::local::processes;
use crate::engine::{Health, Process};
use crate::host::context::PidScope;

/// A process as it is seen from here.
#[derive(Debug, Clone, PartialEq, Eq)]
struct ProcessView {
    /// Clock ticks since boot.
    start_time: u64,
    /// Its numbers, from the pid namespace of this process to the innermost.
    pids: Vec<i32>,
    /// The pid namespace that it is in; `None` where that may not be looked at.
    namespace: Option<u64>,
}

/// How a process of another pid namespace fares.
pub fn health(process: &Process, here: &PidScope) -> Health {
    // From a namespace that is itself within another, most are not to be seen at all.
    let all = here.is_of_the_host().then(processes::all);
    let seen = all.and_then(|all| Some(all.ok()?.iter().filter_map(look).collect::<Vec<_>>()));
    judge(process, seen.as_deref())
}

/// The judgement on all that is seen from the kernel's first pid namespace; `None` from another. A
/// namespace in which nothing runs is gone, and all that was in it.
fn judge(process: &Process, seen: Option<&[ProcessView]>) -> Health {
    let is_of_it = |one: &ProcessView| {
        let is_itself =
            one.start_time == process.pid_start_time && one.pids[1..].contains(&process.pid);
        is_itself || one.namespace == Some(process.pid_namespace)
    };
    match seen {
        Some(seen) if !seen.iter().any(is_of_it) => {
            Health::Gone("its pid namespace has ended".into())
        }
        _ => Health::Foreign("in another pid namespace".into()),
    }
}

fn look(stat: &Stat) -> Option<ProcessView> {
    let status = Proc::new(stat.pid).ok()?.status().ok()?;
    let pids = status.nspid.unwrap_or_default();
    let namespace = std::fs::metadata(format!("/proc/{}/ns/pid", stat.pid));
    (!pids.is_empty() && !processes::is_over(stat)).then(|| ProcessView {
        start_time: stat.starttime,
        pids,
        namespace: namespace
            .ok()
            .map(|file| std::os::unix::fs::MetadataExt::ino(&file)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(start_time: u64, pids: &[i32], namespace: Option<u64>) -> ProcessView {
        ProcessView {
            start_time,
            pids: pids.to_vec(),
            namespace,
        }
    }

    #[test]
    fn only_a_namespace_that_is_seen_to_be_empty_is_gone() {
        let process = Process {
            pid: 7,
            pid_start_time: 500,
            supervisor_pid: 6,
            user_namespace: None,
            boot_id: "boot".into(),
            pid_namespace: 30,
        };
        let is_gone = |seen: Option<&[ProcessView]>| match judge(&process, seen) {
            Health::Gone(_) => true,
            Health::Foreign(_) | Health::Unseen(_) => false,
            other => panic!("{other:?}"),
        };
        let of_the_host = seen(500, &[7], Some(10));
        assert!(is_gone(Some(&[])));
        assert!(is_gone(Some(std::slice::from_ref(&of_the_host))));
        // Another namespace, in which the same number is another process.
        assert!(is_gone(Some(&[
            of_the_host.clone(),
            seen(600, &[90, 7], Some(31))
        ])));
        // It lives, in a namespace of its own within that one, and may not be looked at.
        assert!(!is_gone(Some(&[seen(500, &[90, 7, 1], None)])));
        // Others live on where it was.
        assert!(!is_gone(Some(&[
            of_the_host,
            seen(400, &[80, 1], Some(30))
        ])));
        // Seen from within another namespace, nothing can be said.
        assert!(!is_gone(None));
    }
}
