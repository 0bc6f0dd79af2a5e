//! Which processes are those of an instance. `stop`, `stats`, `list`, the direct join and whoever
//! ends what an instance has left ask here, and nowhere else.

use std::collections::HashMap;
use std::fs::{self, File};
use std::os::unix::fs::MetadataExt;

use nix::errno::Errno;
use procfs::process::{Process as Proc, Stat};

use crate::engine::Process;
use crate::engine::local::probe::unasked;
use crate::engine::local::processes::{
    self, Identity, has_title, is_over, is_supervisor, look, start_time,
};
use crate::engine::local::raw;

/// How Apptainer names the first process of an instance.
const FIRST_NAME: &str = "appinit";

/// What a process is to its instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Apptainer's own first process inside, which hands on signals and lives on.
    First,
    /// Any other that runs inside, whoever began it.
    Inside,
    /// It watches over the instance from outside.
    Supervisor,
    /// It serves a file system of the instance from outside.
    Helper,
}

/// One process of an instance.
#[derive(Debug)]
pub struct Member {
    pub part: Part,
    pub stat: Stat,
    pub proc: Proc,
}

impl Member {
    /// What tells it from every other.
    pub fn identity(&self) -> Identity {
        Identity::of(&self.stat)
    }

    /// True for one that runs inside.
    pub fn is_inside(&self) -> bool {
        matches!(self.part, Part::First | Part::Inside)
    }
}

/// What tells the processes of one instance from all others.
///
/// Inside is who is in its pid namespace or one below. Where it has none of its own (`allow pid ns = no`),
/// inside is who is in its user namespace or one below, with mounts that belong to that: whoever brings
/// a command in is in the former too, and sees the mounts of the host. Where it has neither (a setuid
/// installation, root), inside is who sees its mounts or descends from its first process. A setuid
/// installation lets nobody look at the namespaces of the first process: its pid namespace is then
/// that of what it started.
///
/// The supervisor and its helpers are outside: they have its user namespace, and the supervisor's
/// session. Nobody is of it who was there before it.
pub struct Family {
    process: Process,
    /// The first process has not ended.
    lives: bool,
    supervisor: Option<Identity>,
    pid_namespace: Option<Held>,
    user_namespace: Option<Held>,
    /// The mounts that are seen inside, and by its helpers.
    mounts: Option<u64>,
    mounts_of_helpers: Option<u64>,
}

/// A namespace of the instance's own, kept open: the number of one that is gone is given to the next.
struct Held {
    _file: File,
    number: u64,
}

impl Held {
    fn open(pid: i32, kind: &str) -> Option<Self> {
        let file = File::open(format!("/proc/{pid}/ns/{kind}")).ok()?;
        let number = file.metadata().ok()?.ino();
        Some(Held {
            _file: file,
            number,
        })
    }
}

/// Why a process is not known to be the first of an instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoInstance {
    /// It has ended, or is something else; in words.
    Gone(String),
    /// It cannot be looked at.
    Unseen(Errno),
}

impl std::fmt::Display for NoInstance {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            NoInstance::Gone(why) => f.write_str(why),
            NoInstance::Unseen(error) => f.write_str(&unasked("its process", *error)),
        }
    }
}

/// Makes sure that a process is the first of an instance: one whose supervisor lives.
///
/// # Errors
/// It is not, or that cannot be told.
pub fn check(process: &Process) -> Result<(), NoInstance> {
    let gone = |why: String| Err(NoInstance::Gone(why));
    let look = |pid| look(pid).map_err(NoInstance::Unseen);
    match look(process.pid)? {
        Some(stat) if !is_over(&stat) && stat.starttime == process.pid_start_time => {}
        _ => return gone("its process has ended".into()),
    }
    // Between the two, an installation may have processes of its own.
    const MOST: usize = 4;
    let mut pid = process.pid;
    for _ in 0..MOST {
        pid = match look(pid)? {
            // Its own inside does not see who is outside.
            Some(stat) if stat.ppid == 0 && stat.comm == FIRST_NAME => return Ok(()),
            Some(stat) => stat.ppid,
            None => break,
        };
        if pid == process.supervisor_pid && has_title(pid).map_err(NoInstance::Unseen)? {
            return Ok(());
        }
    }
    gone(format!("process {} is no instance", process.pid))
}

impl Family {
    /// The family of an instance that lives, or of what one that has ended has left behind.
    ///
    /// # Errors
    /// Which of the two it is cannot be told.
    pub fn of(process: &Process) -> Result<Self, NoInstance> {
        let lives = || match check(process) {
            Ok(()) => Ok(true),
            Err(NoInstance::Gone(_)) => Ok(false),
            Err(unseen) => Err(unseen),
        };
        let was_there = lives()?;
        let is_recorded = |pid: i32| {
            let recorded = process.user_namespace;
            recorded.is_some() && recorded == namespace(pid, "user")
        };
        // Of one that has ended, another's may have the number.
        let watcher = stat(process.supervisor_pid).filter(|stat| {
            stat.starttime <= process.pid_start_time
                && is_supervisor(stat.pid)
                && (was_there || is_recorded(stat.pid))
        });
        let first = was_there.then_some(process.pid);
        let has_own = |pid: &i32, kind: &str| own(*pid, kind).is_some();
        let mut family = Family {
            process: process.clone(),
            lives: was_there,
            supervisor: watcher.map(|stat| Identity::of(&stat)),
            pid_namespace: first
                .filter(|pid| is_first_of_a_namespace(*pid))
                .and_then(|pid| {
                    let of_a_child = || {
                        let mut children = children(pid).into_iter();
                        children.find_map(|child| Held::open(child, "pid"))
                    };
                    Held::open(pid, "pid").or_else(of_a_child)
                }),
            user_namespace: first
                .filter(|pid| has_own(pid, "user"))
                .and_then(|pid| Held::open(pid, "user")),
            mounts: first.and_then(|pid| own(pid, "mnt")),
            mounts_of_helpers: first.and_then(|_| namespace(process.supervisor_pid, "mnt")),
        };
        // Only what was opened while it lived is its own.
        family.lives = was_there && lives()?;
        if !family.lives {
            family.forget_namespaces();
            family.look_for_what_is_left();
        }
        Ok(family)
    }

    /// Every process of the family, as it is now.
    pub fn members(&self) -> Vec<Member> {
        let all = processes::all().unwrap_or_default();
        let parents: HashMap<i32, i32> = all.iter().map(|stat| (stat.pid, stat.ppid)).collect();
        let mut below = Below::default();
        all.into_iter()
            .filter_map(|stat| {
                let part = self.part(&stat, &parents, &mut below)?;
                // Only these are held open: there may be more processes than a program may have files.
                let proc = Proc::new(stat.pid).ok()?;
                let is_same = Identity::of(&stat).lives();
                is_same.then_some(Member { part, stat, proc })
            })
            .collect()
    }

    /// True when the kernel ends everyone inside together with the first process.
    pub fn ends_as_one(&self) -> bool {
        self.pid_namespace.is_some()
    }

    /// Those that run inside.
    pub fn inside(&self) -> Vec<Member> {
        let mut members = self.members();
        members.retain(Member::is_inside);
        members
    }

    /// How many run inside and have their parent outside, beside the first process: what they have
    /// started themselves does not count.
    pub fn commands(members: &[Member]) -> usize {
        let inside: Vec<&Member> = members.iter().filter(|one| one.is_inside()).collect();
        let is_inside = |pid: i32| inside.iter().any(|member| member.stat.pid == pid);
        let from_outside =
            |member: &&&Member| member.part == Part::Inside && !is_inside(member.stat.ppid);
        inside.iter().filter(from_outside).count()
    }

    /// Is this process of the instance, and as what?
    fn part(&self, stat: &Stat, parents: &HashMap<i32, i32>, below: &mut Below) -> Option<Part> {
        if is_over(stat) {
            return None;
        }
        if self.supervisor == Some(Identity::of(stat)) {
            return Some(Part::Supervisor);
        }
        if stat.starttime < self.process.pid_start_time {
            return None;
        }
        if stat.pid == self.process.pid {
            return self.lives.then_some(Part::First);
        }
        if self.is_inside(stat.pid, parents, below) {
            return Some(Part::Inside);
        }
        self.is_helper(stat).then_some(Part::Helper)
    }

    fn is_inside(&self, pid: i32, parents: &HashMap<i32, i32>, below: &mut Below) -> bool {
        let descends = || {
            let mut parent = parents.get(&pid);
            while let Some(pid) = parent {
                if *pid == self.process.pid {
                    return true;
                }
                parent = parents.get(pid).filter(|next| *next != pid);
            }
            false
        };
        match (&self.pid_namespace, &self.user_namespace) {
            (Some(own), _) if self.lives => below.is_in(pid, "pid", own.number),
            (_, Some(own)) => {
                let own = own.number;
                let mounts = namespace(pid, "mnt");
                let is_outside = mounts.is_some() && mounts == self.mounts_of_helpers;
                !is_outside && below.is_in(pid, "user", own) && below.owns_mounts(pid, own)
                    || self.lives && descends()
            }
            (_, None) if self.lives => {
                descends() || self.mounts.is_some() && namespace(pid, "mnt") == self.mounts
            }
            _ => false,
        }
    }

    /// A session is as good as its leader's number: while somebody is in it, the number is not
    /// given to another process.
    fn is_helper(&self, stat: &Stat) -> bool {
        if stat.session != self.process.supervisor_pid {
            return false;
        }
        match &self.user_namespace {
            Some(own) => namespace(stat.pid, "user") == Some(own.number),
            None => self
                .supervisor
                .is_some_and(|supervisor| stat.ppid == supervisor.pid),
        }
    }

    fn forget_namespaces(&mut self) {
        (self.pid_namespace, self.user_namespace) = (None, None);
        (self.mounts, self.mounts_of_helpers) = (None, None);
    }

    /// Of an instance that has ended, the session of its supervisor is what is known to be its own.
    /// Whoever is in that shows which user namespace it had.
    fn look_for_what_is_left(&mut self) {
        let leader = self.process.supervisor_pid;
        if self.supervisor.is_none() && start_time(leader).is_some() {
            return; // the session of another process by now
        }
        let is_of_it = |stat: &Stat| {
            stat.session == leader
                && stat.starttime >= self.process.pid_start_time
                && !is_over(stat)
                && own(stat.pid, "user").is_some()
        };
        let recorded = self.process.user_namespace;
        let all = processes::all().unwrap_or_default().into_iter();
        self.user_namespace = all.filter(is_of_it).find_map(|stat| {
            let held = Held::open(stat.pid, "user")?;
            let is_the_same = recorded.is_none_or(|own| own == held.number);
            (is_the_same && Identity::of(&stat).lives()).then_some(held)
        });
    }
}

fn stat(pid: i32) -> Option<Stat> {
    look(pid).ok().flatten()
}

fn children(pid: i32) -> Vec<i32> {
    let all = processes::all().unwrap_or_default().into_iter();
    all.filter(|stat| stat.ppid == pid)
        .map(|stat| stat.pid)
        .collect()
}

/// The number of a namespace; `None` where it cannot be seen.
fn namespace(pid: i32, kind: &str) -> Option<u64> {
    let file = fs::metadata(format!("/proc/{pid}/ns/{kind}"));
    file.ok().map(|file| file.ino())
}

/// The same, where it is another than that of this process.
pub fn own(pid: i32, kind: &str) -> Option<u64> {
    let ours = namespace(std::process::id() as i32, kind);
    namespace(pid, kind).filter(|found| Some(*found) != ours)
}

/// True for a process that is number 1 where it is: everyone may see that.
fn is_first_of_a_namespace(pid: i32) -> bool {
    let numbers = Proc::new(pid).and_then(|proc| proc.status());
    let numbers = numbers.ok().and_then(|status| status.nspid);
    numbers.is_some_and(|numbers| numbers.last() == Some(&1))
}

/// Which namespaces are another or below it, each asked once.
#[derive(Default)]
struct Below {
    known: HashMap<(&'static str, u64), bool>,
}

impl Below {
    fn is_in(&mut self, pid: i32, kind: &'static str, own: u64) -> bool {
        let Some(found) = namespace(pid, kind) else {
            return false;
        };
        *self.known.entry((kind, found)).or_insert_with(|| {
            let file = File::open(format!("/proc/{pid}/ns/{kind}"));
            file.is_ok_and(|file| is_or_below(file, own))
        })
    }

    /// True where what a process has mounted belongs to that user namespace or one below.
    fn owns_mounts(&mut self, pid: i32, own: u64) -> bool {
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
