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

use crate::bounds::{STALLED, STOPPED, TELL};
use crate::engine::Watch;
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
    /// `None` where it was just changing hands.
    Held(Option<Holder>),
}

/// Who holds a lock.
struct Holder {
    pid: i32,
    /// Hangs up when the lock is free.
    line: OwnedFd,
}

impl Lock {
    /// Waits for the lock `key`, as long as who holds it lives and gets on. `what` is what it is at work
    /// on; after a while `tell` takes what is waited for.
    ///
    /// # Errors
    /// Who holds it does not get on; other users have taken all its names.
    pub fn take(key: &str, uid: u32, what: &str, tell: &dyn Fn(&str)) -> Result<Self> {
        let mut wait = Wait::new(what, tell);
        loop {
            let holder = match look(key, uid)? {
                Found::Free(lock) => return Ok(lock),
                Found::Held(Some(holder)) => holder,
                Found::Held(None) => {
                    sleep(POLL_INTERVAL);
                    continue;
                }
            };
            while !holder.hangs_up(NAP) {
                wait.go_on(holder.pid)?;
            }
        }
    }

    /// The same for no longer than the time `most`; `None` when it is not free by then.
    ///
    /// # Errors
    /// Other users have taken all its names.
    pub fn take_within(key: &str, uid: u32, most: Duration) -> Result<Option<Self>> {
        let deadline = Instant::now() + most;
        loop {
            let found = look(key, uid)?;
            let left = deadline.saturating_duration_since(Instant::now());
            match found {
                Found::Free(lock) => return Ok(Some(lock)),
                Found::Held(_) if left.is_zero() => return Ok(None),
                Found::Held(Some(holder)) => drop(holder.hangs_up(left)),
                Found::Held(None) => sleep(POLL_INTERVAL.min(left)),
            }
        }
    }
}

/// The wait for another process that is at work on something, as long as it lives and gets on.
pub struct Wait<'a> {
    what: &'a str,
    tell: &'a dyn Fn(&str),
    time_to_tell: Option<Instant>,
    watch: Option<(i32, Watch)>,
}

impl<'a> Wait<'a> {
    /// Begins to wait. `what` is what is worked on; after a while `tell` takes what is waited for.
    pub fn new(what: &'a str, tell: &'a dyn Fn(&str)) -> Self {
        Wait {
            what,
            tell,
            time_to_tell: Some(Instant::now() + TELL),
            watch: None,
        }
    }

    /// Looks how the process `pid` gets on, which is for the caller to ask often.
    ///
    /// # Errors
    /// It does not get on.
    pub fn go_on(&mut self, pid: i32) -> Result<()> {
        let known = self.watch.take().filter(|(known, _)| *known == pid);
        let (_, watch) = self
            .watch
            .insert(known.unwrap_or_else(|| (pid, Watch::new(pid))));
        watch.look();
        if let Some(why) = fault(watch) {
            return Err(given_up(self.what, pid, why));
        }
        if self.time_to_tell.is_some_and(|time| Instant::now() >= time) {
            let what = self.what;
            (self.tell)(&format!(
                "waiting for process {pid}, which is at work on {what}"
            ));
            self.time_to_tell = None;
        }
        Ok(())
    }
}

/// Takes the lock when it is free.
fn look(key: &str, uid: u32) -> Result<Found> {
    for spare in 0..SPARE {
        let name = match spare {
            0 => key.to_owned(),
            more => format!("{key}~{more}"),
        };
        let address = SocketAddr::from_abstract_name(&name);
        match address.and_then(|address| UnixListener::bind_addr(&address)) {
            Ok(held) => return Ok(Found::Free(Lock { _held: held })),
            Err(error) if error.kind() == ErrorKind::AddrInUse => {}
            Err(error) => return Err(Error::io(format!("cannot take the lock {name}"), error)),
        }
        match call(&name) {
            Some((owner, _)) if owner != uid => {}
            Some((_, holder)) => return Ok(Found::Held(Some(holder))),
            None => return Ok(Found::Held(None)),
        }
    }
    let message = format!("other users have taken every name of the lock {key}");
    let hint = "tell the administrator: `ss -xlp` names their processes";
    Err(Error::new(Kind::InUse, message).hint(hint))
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
    Some((peer.uid.as_raw(), Holder { pid, line }))
}

impl Holder {
    /// True when it has freed the lock within the time `most`.
    fn hangs_up(&self, most: Duration) -> bool {
        let mut line = [PollFd::new(self.line.as_fd(), PollFlags::POLLIN)];
        let most = PollTimeout::try_from(most).unwrap_or(PollTimeout::MAX);
        poll(&mut line, most).is_ok_and(|ready| ready > 0)
    }
}

/// Why who holds a lock need not be waited for any longer.
fn fault(watch: &Watch) -> Option<&'static str> {
    if watch.stopped() > STOPPED {
        return Some("is stopped");
    }
    (watch.idle() > STALLED).then_some("has done nothing for long")
}

fn given_up(what: &str, pid: i32, why: &str) -> Error {
    let message = format!("another ctr command is at work on {what}, and {why}: process {pid}");
    let hint = match why {
        "is stopped" => {
            format!("`kill -CONT {pid}` has it go on, `kill {pid} && kill -CONT {pid}` ends it")
        }
        _ => format!("look at it with `ps -f {pid}`; `kill {pid}` ends it"),
    };
    Error::new(Kind::InUse, message).hint(hint)
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
