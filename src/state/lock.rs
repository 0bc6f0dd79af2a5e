//! One lock per instance, around start and stop. It is a name among the sockets of this host (an
//! abstract one, `unix(7)`), which is taken as long as the process lives that took it: no cleaner of
//! `/tmp` and no logout takes it away, and neither a home that hangs nor a full disk has a part in it.

use std::io::ErrorKind;
use std::os::fd::{AsFd, OwnedFd};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener};
use std::thread::sleep;
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use rustix::net::sockopt::socket_peercred;
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, connect, socket_with};

use super::lock_owner::own_process_with;
use super::wait::Wait;
use crate::bounds::LOCK_ANSWER;
use crate::engine;
use crate::error::{Error, Kind, Result};

const POLL_INTERVAL: Duration = Duration::from_millis(20);
/// How long who waits sleeps at most.
const NAP: Duration = Duration::from_millis(100);

/// Anybody may take any name. When another user has taken ours, the next of so many is the lock.
const SPARE: usize = 8;

/// A lock that is held; dropping it frees it.
#[derive(Debug)]
pub struct Lock {
    _held: UnixListener,
}

/// What a lock was found to be.
enum Found {
    Free(Lock),
    Held(Holder),
    /// Whoever has it does not answer: it was just changing hands, or another user means to be in the way.
    Silent,
}

/// Who holds a lock.
struct Holder {
    pid: i32,
    /// Hangs up when the lock is free; `None` where nobody more can call.
    line: Option<OwnedFd>,
}

/// Looks for a lock again and again.
struct Search<'a> {
    key: &'a str,
    uid: u32,
    begun: Instant,
    /// Since when whoever has it does not answer.
    silent_since: Option<Instant>,
}

impl Lock {
    /// Waits for the lock `key`, as long as who holds it lives and gets on. `what` is what it is at work
    /// on; after a while `tell` takes what is waited for.
    ///
    /// # Errors
    /// Who holds it does not get on; other users have taken all its names.
    pub fn take(key: &str, uid: u32, what: &str, tell: &dyn Fn(&str)) -> Result<Self> {
        let mut search = Search::of(key, uid);
        let mut wait = Wait::new(what, tell);
        loop {
            match search.look()? {
                Found::Free(lock) => return Ok(lock),
                Found::Silent => sleep(POLL_INTERVAL),
                Found::Held(holder) => loop {
                    let is_free = holder.hangs_up(NAP);
                    wait.go_on(holder.pid)?;
                    if is_free {
                        break;
                    }
                },
            }
        }
    }

    /// The same for no longer than the time `most`; `None` when it is not free by then.
    ///
    /// # Errors
    /// Other users have taken all its names.
    pub fn take_within(key: &str, uid: u32, most: Duration) -> Result<Option<Self>> {
        let mut search = Search::of(key, uid);
        loop {
            let left = most.saturating_sub(search.begun.elapsed());
            match search.look()? {
                Found::Free(lock) => return Ok(Some(lock)),
                Found::Silent if left.is_zero() && search.is_past_silence() => return Ok(None),
                Found::Silent if left.is_zero() => search.pass_over_silence(),
                Found::Silent => sleep(POLL_INTERVAL.min(left)),
                Found::Held(_) if left.is_zero() => return Ok(None),
                Found::Held(holder) => drop(holder.hangs_up(left.min(NAP))),
            }
        }
    }

    /// The same where one may go on without it: `None` as soon as who holds it is stopped, or has lived
    /// for the time `most`. So nobody waits again for one that hangs.
    ///
    /// # Errors
    /// As for [`Lock::take_within`].
    pub fn take_turn(
        key: &str,
        uid: u32,
        most: Duration,
        what: &str,
        tell: &dyn Fn(&str),
    ) -> Result<Option<Self>> {
        let mut search = Search::of(key, uid);
        let mut wait = Wait::new(what, tell);
        loop {
            match search.look()? {
                Found::Free(lock) => return Ok(Some(lock)),
                Found::Silent if search.begun.elapsed() >= most => return Ok(None),
                Found::Silent => sleep(POLL_INTERVAL),
                Found::Held(Holder { pid, .. }) if is_late(pid, most, search.begun) => {
                    return Ok(None);
                }
                Found::Held(holder) => {
                    holder.hangs_up(NAP);
                    wait.say(holder.pid);
                }
            }
        }
    }
}

/// True for the holder of a turn that is not to be waited for.
fn is_late(pid: i32, most: Duration, begun: Instant) -> bool {
    let age = engine::age(pid).unwrap_or_default();
    engine::is_stopped(pid) || age.max(begun.elapsed()) >= most
}

impl<'a> Search<'a> {
    fn of(key: &'a str, uid: u32) -> Self {
        Search {
            key,
            uid,
            begun: Instant::now(),
            silent_since: None,
        }
    }

    /// Takes the lock when it is free. Where somebody has not answered for a while, that name is the lock
    /// no more, unless a process of this user has it.
    fn look(&mut self) -> Result<Found> {
        for spare in 0..SPARE {
            let name = name_of(self.key, spare);
            if let Some(held) = bind(&name)? {
                // Another name may be held since the time when this one was in others' hands.
                return Ok(match self.held_beside(spare) {
                    Some(holder) => Found::Held(holder),
                    None => Found::Free(Lock { _held: held }),
                });
            }
            match call(&name) {
                Some((owner, _)) if owner != self.uid => {}
                Some((_, holder)) => return Ok(Found::Held(holder)),
                None if !self.is_past_silence() => {
                    self.silent_since.get_or_insert_with(Instant::now);
                    return Ok(Found::Silent);
                }
                None => {
                    if let Some(pid) = own_process_with(&name, self.uid) {
                        return Ok(Found::Held(Holder { pid, line: None }));
                    }
                }
            }
        }
        let message = format!("other users have taken every name of the lock {}", self.key);
        let hint = "tell the administrator: `ss -xap` names their processes";
        Err(Error::new(Kind::InUse, message).hint(hint))
    }

    /// Who of this user holds another name of the lock. Each looks when its own is taken: of two at once,
    /// one sees the other.
    fn held_beside(&self, own: usize) -> Option<Holder> {
        let others = (0..SPARE).filter(|spare| *spare != own);
        let mut called = others.filter_map(|spare| call(&name_of(self.key, spare)));
        let found = called.find(|(owner, _)| *owner == self.uid);
        found.map(|(_, holder)| holder)
    }

    fn is_past_silence(&self) -> bool {
        self.silent_since
            .is_some_and(|since| since.elapsed() >= LOCK_ANSWER)
    }

    /// Has who does not answer be passed over from now on.
    fn pass_over_silence(&mut self) {
        self.silent_since = Instant::now().checked_sub(LOCK_ANSWER);
    }
}

fn name_of(key: &str, spare: usize) -> String {
    match spare {
        0 => key.to_owned(),
        more => format!("{key}~{more}"),
    }
}

/// Takes a name; `None` when it is taken.
fn bind(name: &str) -> Result<Option<UnixListener>> {
    let address = SocketAddr::from_abstract_name(name);
    match address.and_then(|address| UnixListener::bind_addr(&address)) {
        Ok(held) => Ok(Some(held)),
        Err(error) if error.kind() == ErrorKind::AddrInUse => Ok(None),
        Err(error) => Err(Error::io(format!("cannot take the lock {name}"), error)),
    }
}

/// Asks whoever holds a name for its user and its process.
fn call(name: &str) -> Option<(u32, Holder)> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let line = socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None).ok()?;
    connect(
        &line,
        &SocketAddrUnix::new_abstract_name(name.as_bytes()).ok()?,
    )
    .ok()?;
    let peer = socket_peercred(&line).ok()?;
    let pid = peer.pid.as_raw_nonzero().get();
    let line = Some(line);
    Some((peer.uid.as_raw(), Holder { pid, line }))
}

impl Holder {
    /// True when it has freed the lock within the time `most`, or may have.
    fn hangs_up(&self, most: Duration) -> bool {
        let Some(line) = &self.line else {
            sleep(most);
            return true;
        };
        let mut line = [PollFd::new(line.as_fd(), PollFlags::POLLIN)];
        let most = PollTimeout::try_from(most).unwrap_or(PollTimeout::MAX);
        poll(&mut line, most).is_ok_and(|ready| ready > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn uid() -> u32 {
        nix::unistd::getuid().as_raw()
    }

    fn key(name: &str) -> String {
        format!("ctr-test/{}/{name}", std::process::id())
    }

    #[test]
    fn a_lock_is_held_by_one_and_free_once_that_one_is_gone() {
        let key = key("one");
        let attempt = |most| Lock::take_within(&key, uid(), most).unwrap();
        let held = attempt(Duration::ZERO).unwrap();
        assert!(attempt(Duration::ZERO).is_none());
        assert!(attempt(Duration::from_millis(50)).is_none());
        let waiter = std::thread::spawn({
            let key = key.clone();
            move || Lock::take(&key, uid(), "x", &|_| {}).is_ok()
        });
        drop(held);
        assert!(waiter.join().unwrap());
        assert!(attempt(Duration::from_secs(60)).is_some());
    }

    #[test]
    fn names_that_another_user_has_taken_are_passed_over() {
        let key = key("squat");
        let squat =
            UnixListener::bind_addr(&SocketAddr::from_abstract_name(&key).unwrap()).unwrap();
        let other = uid() + 1; // to whom this user is another
        let attempt = || Lock::take_within(&key, other, Duration::ZERO);
        let first = attempt().unwrap();
        assert!(first.is_some());
        // Here both are this user's, and so are all the names that are left.
        let more: Vec<_> = (2..SPARE).map(|_| attempt().unwrap().unwrap()).collect();
        assert!(attempt().is_err());
        drop((squat, more));
    }

    #[test]
    fn one_that_does_not_answer_is_passed_over_unless_it_is_this_users() {
        let key = key("silent");
        let flags = SocketFlags::CLOEXEC;
        let silent = socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None).unwrap();
        let name = SocketAddrUnix::new_abstract_name(key.as_bytes()).unwrap();
        rustix::net::bind(&silent, &name).unwrap();
        let attempt = |uid| Lock::take_within(&key, uid, Duration::ZERO).unwrap();
        assert!(attempt(uid()).is_none());
        let other = uid() + 1; // to whom this user is another
        let held = attempt(other).unwrap();
        assert!(Lock::take(&key, other, "x", &|_| {}).is_ok()); // both are another's here
        drop((silent, held));
        assert!(attempt(uid()).is_some());
    }

    #[test]
    fn a_name_that_is_free_again_is_no_second_lock() {
        let key = key("twice");
        let spare = bind(&name_of(&key, 3)).unwrap().unwrap();
        let attempt = || Lock::take_within(&key, uid(), Duration::ZERO).unwrap();
        assert!(attempt().is_none());
        drop(spare);
        assert!(attempt().is_some());
    }

    #[test]
    fn nobody_waits_for_a_turn_of_one_that_has_had_its_time() {
        let key = key("turn");
        let turn = |most| Lock::take_turn(&key, uid(), most, "x", &|_| {}).unwrap();
        let held = turn(Duration::ZERO).unwrap();
        sleep(Duration::from_millis(50)); // the age of this process is known by clock ticks
        assert!(turn(Duration::from_millis(10)).is_none());
        drop(held);
        assert!(turn(Duration::ZERO).is_some());
    }

    #[test]
    fn many_can_wait_for_one() {
        let key = key("many");
        let held = Lock::take_within(&key, uid(), Duration::ZERO).unwrap();
        let waiters: Vec<_> = (0..40)
            .map(|_| {
                let key = key.clone();
                std::thread::spawn(move || Lock::take(&key, uid(), "x", &|_| {}).is_ok())
            })
            .collect();
        drop(held);
        assert!(waiters.into_iter().all(|waiter| waiter.join().unwrap()));
    }
}
