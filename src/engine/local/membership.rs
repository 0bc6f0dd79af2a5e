//! Which processes are those of an instance. `stop`, `stats`, `list`, the direct join and whoever
//! ends what an instance has left ask here, and nowhere else.

use std::collections::HashMap;

use nix::errno::Errno;
use procfs::process::{Process as Proc, Stat};

use crate::engine::Process;
use crate::engine::local::left_behind;
use crate::engine::local::namespaces::{Below, Held, is_first_of_a_namespace, namespace, own};
use crate::engine::local::probe::unasked;
use crate::engine::local::processes::{
    self, Identity, is_over, is_supervisor_of, look, supervisor_title,
};

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
/// installation, root), or it is not known whether the user namespace is its own, inside is who sees its
/// mounts or descends from its first process. A setuid installation lets nobody look at the namespaces
/// of the first process: its pid namespace is then that of what it started.
///
/// The supervisor and its helpers are outside: they have its user namespace, and the supervisor's
/// session. Nobody is of it who was there before it. Of one that has ended, see [`left_behind`].
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
    /// It has ended, and whoever is in the session of its supervisor is its own.
    left_session: bool,
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
        if pid == process.supervisor_pid
            && supervisor_title(pid).map_err(NoInstance::Unseen)?.is_some()
        {
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
    pub fn of(name: &str, process: &Process) -> Result<Self, NoInstance> {
        let lives = || match check(process) {
            Ok(()) => Ok(true),
            Err(NoInstance::Gone(_)) => Ok(false),
            Err(unseen) => Err(unseen),
        };
        let was_there = lives()?;
        // Who was there before the first process, and is still, is the one that was recorded.
        let watcher = stat(process.supervisor_pid).filter(|stat| {
            stat.starttime <= process.pid_start_time && is_supervisor_of(stat.pid, name)
        });
        let first = was_there.then_some(process.pid);
        let is_own = |pid: &i32| {
            process.user_namespace.is_some() && own(*pid, "user") == process.user_namespace
        };
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
            user_namespace: first.filter(is_own).and_then(|pid| Held::open(pid, "user")),
            mounts: first.and_then(|pid| own(pid, "mnt")),
            mounts_of_helpers: first.and_then(|_| namespace(process.supervisor_pid, "mnt")),
            left_session: false,
        };
        // Only what was opened while it lived is its own.
        family.lives = was_there && lives()?;
        if !family.lives {
            family.forget_namespaces();
            family.left_session = left_behind::has_session(process, family.supervisor);
            family.user_namespace = left_behind::user_namespace(name, process, family.left_session);
        }
        Ok(family)
    }

    /// True when it had not ended when it was looked at.
    pub fn lives(&self) -> bool {
        self.lives
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
        // Who still holds what belongs into an image is asked, not killed, though it cannot be told by its
        // mounts any more.
        if !self.lives && self.is_helper(stat) && left_behind::serves_files(stat.pid) {
            return Some(Part::Helper);
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

    fn is_helper(&self, stat: &Stat) -> bool {
        if stat.session != self.process.supervisor_pid {
            return false;
        }
        match (&self.user_namespace, self.supervisor) {
            (Some(own), _) => namespace(stat.pid, "user") == Some(own.number),
            (None, Some(supervisor)) => stat.ppid == supervisor.pid || self.left_session,
            (None, None) => self.left_session && left_behind::is_helper(stat),
        }
    }

    fn forget_namespaces(&mut self) {
        (self.pid_namespace, self.user_namespace) = (None, None);
        (self.mounts, self.mounts_of_helpers) = (None, None);
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
