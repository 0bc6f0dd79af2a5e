//! The namespaces of processes: which they are, whose, and which lie below another.

use std::collections::HashMap;
use std::fs::{self, File};
use std::os::unix::fs::MetadataExt;

use procfs::process::Process as Proc;

use crate::engine::local::raw;

/// A namespace that is kept open: the number of one that is gone is given to the next.
pub struct Held {
    _file: File,
    pub number: u64,
}

impl Held {
    /// That of the process; `None` where it cannot be seen.
    pub fn open(pid: i32, kind: &str) -> Option<Self> {
        let file = File::open(format!("/proc/{pid}/ns/{kind}")).ok()?;
        let number = file.metadata().ok()?.ino();
        Some(Held {
            _file: file,
            number,
        })
    }
}

/// The number of a namespace; `None` where it cannot be seen.
pub fn namespace(pid: i32, kind: &str) -> Option<u64> {
    let file = fs::metadata(format!("/proc/{pid}/ns/{kind}"));
    file.ok().map(|file| file.ino())
}

/// The same, where it is another than that of this process.
pub fn own(pid: i32, kind: &str) -> Option<u64> {
    let ours = namespace(std::process::id() as i32, kind);
    namespace(pid, kind).filter(|found| Some(*found) != ours)
}

/// The user namespace of this process.
pub fn of_this_process() -> Option<u64> {
    namespace(std::process::id() as i32, "user")
}

/// The user namespace of an instance with that supervisor, when it is its own: another than the one in
/// which it was started. Root starts in its own, and gets none (`unshare -r` makes anyone root): all who
/// are in that with the instance have nothing to do with it.
pub fn own_of_instance(supervisor: i32, starter: Option<u64>) -> Option<u64> {
    namespace(supervisor, "user").filter(|found| starter.is_some_and(|starter| starter != *found))
}

/// True for a process that is number 1 where it is: everyone may see that.
pub fn is_first_of_a_namespace(pid: i32) -> bool {
    let numbers = Proc::new(pid).and_then(|proc| proc.status());
    let numbers = numbers.ok().and_then(|status| status.nspid);
    numbers.is_some_and(|numbers| numbers.last() == Some(&1))
}

/// Which namespaces are another or below it, each asked once.
#[derive(Default)]
pub struct Below {
    known: HashMap<(&'static str, u64), bool>,
}

impl Below {
    /// True where a process is in that namespace or one below.
    pub fn is_in(&mut self, pid: i32, kind: &'static str, own: u64) -> bool {
        let Some(found) = namespace(pid, kind) else {
            return false;
        };
        *self.known.entry((kind, found)).or_insert_with(|| {
            let file = File::open(format!("/proc/{pid}/ns/{kind}"));
            file.is_ok_and(|file| is_or_below(file, own))
        })
    }

    /// True where what a process has mounted belongs to that user namespace or one below.
    pub fn owns_mounts(&mut self, pid: i32, own: u64) -> bool {
        let Some(found) = namespace(pid, "mnt") else {
            return false;
        };
        *self.known.entry(("mnt", found)).or_insert_with(|| {
            File::open(format!("/proc/{pid}/ns/mnt"))
                .ok()
                .and_then(|file| raw::owner_of_namespace(&file).ok())
                .is_some_and(|owner| is_or_below(owner.into(), own))
        })
    }
}

fn is_or_below(mut namespace: File, own: u64) -> bool {
    // The kernel nests them 32 deep at most.
    for _ in 0..=32 {
        if namespace.metadata().is_ok_and(|data| data.ino() == own) {
            return true;
        }
        match raw::parent_of_namespace(&namespace) {
            Ok(parent) => namespace = parent.into(),
            Err(_) => return false,
        }
    }
    false
}
