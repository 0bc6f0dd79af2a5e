//! Waits for another command, as long as that lives and gets on.

use std::time::Instant;

use crate::bounds::{STALLED, STOPPED, TELL};
use crate::engine::Watch;
use crate::error::{Error, Kind, Result};

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
        self.say(pid);
        Ok(())
    }

    /// Says what is waited for, once it has taken a while.
    pub fn say(&mut self, pid: i32) {
        if self.time_to_tell.is_some_and(|time| Instant::now() >= time) {
            let what = self.what;
            (self.tell)(&format!(
                "waiting for process {pid}, which is at work on {what}"
            ));
            self.time_to_tell = None;
        }
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
