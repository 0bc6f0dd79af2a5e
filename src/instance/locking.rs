//! Instances while nobody else is at work on them: their locks, and starts that go on without one.

use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::bounds::ORPHANED_START;
use crate::error::{Error, Kind, Result};
use crate::instance::session::Session;
use crate::instance::status::{self, Instance};
use crate::names::InstanceName;
use crate::state::{Lock, State, Wait};

const POLL_INTERVAL: Duration = Duration::from_millis(50);

impl Session<'_> {
    /// Waits for the lock of an instance; the instance as it is then.
    ///
    /// # Errors
    /// The lock is not to be had; the state file cannot be used.
    pub fn locked(&self, name: &InstanceName) -> Result<(Lock, Option<Instance>)> {
        let lock = self.lock(name)?;
        Ok((lock, self.find_locked(name)?))
    }

    /// The instance of that name, whose lock is held.
    fn find_locked(&self, name: &InstanceName) -> Result<Option<Instance>> {
        let mut state = self.load_when_free(name.as_str())?;
        self.turn_to(state.as_ref());
        if let Some(cut_off) = state
            .as_ref()
            .filter(|s| status::has_lost_its_starter(s, &self.engine))
        {
            self.wait_for_apptainer(name.as_str())?;
            self.mend(cut_off)?;
            state = self.store.load(name.as_str())?;
        }
        self.look(name.as_str(), state)
    }

    /// The lock of an instance and the instance, when that needs no waiting.
    ///
    /// # Errors
    /// As for [`Session::locked`].
    pub fn locked_now(&self, name: &InstanceName) -> Result<Option<(Lock, Option<Instance>)>> {
        let Some(lock) = self.store.lock_within(name.as_str(), Duration::ZERO)? else {
            return Ok(None);
        };
        if let Some(state) = self.store.load(name.as_str())? {
            let is_cut_off = status::has_lost_its_starter(&state, &self.engine);
            let is_busy = is_cut_off && self.engine.is_starting(name.as_str());
            if is_busy || status::other_starter(&state, &self.engine).is_some() {
                return Ok(None);
            }
        }
        Ok(Some((lock, self.find_locked(name)?)))
    }

    /// Waits for the lock of an instance. A terminal is told after a while.
    ///
    /// # Errors
    /// Who holds it does not get on.
    pub fn lock(&self, name: &InstanceName) -> Result<Lock> {
        self.store.lock(name, &|what| self.tell_a_terminal(what))
    }

    fn tell_a_terminal(&self, what: &str) {
        if self.context.terminals.stderr {
            self.output.note(what);
        }
    }

    /// The state of an instance whose lock is held, once no other `ctr` is starting it. Locks are names
    /// among the sockets of a network namespace: one that is taken in another is not seen here, and a
    /// state that says who is starting it is.
    fn load_when_free(&self, name: &str) -> Result<Option<State>> {
        let (what, tell) = (format!("`{name}`"), |said: &str| self.tell_a_terminal(said));
        let mut wait = Wait::new(&what, &tell);
        loop {
            let state = self.store.load(name)?;
            let starter = state.as_ref();
            match starter.and_then(|state| status::other_starter(state, &self.engine)) {
                Some(starter) => wait.go_on(starter)?,
                None => return Ok(state),
            }
            sleep(POLL_INTERVAL);
        }
    }

    /// Waits while Apptainer goes on with a start whose `ctr` is gone.
    fn wait_for_apptainer(&self, name: &str) -> Result<()> {
        let deadline = Instant::now() + ORPHANED_START;
        while self.engine.is_starting(name) {
            if Instant::now() > deadline {
                let message = format!("Apptainer is still starting `{name}`");
                return Err(Error::new(Kind::InUse, message).hint("wait until it is done"));
            }
            sleep(POLL_INTERVAL);
        }
        Ok(())
    }
}
