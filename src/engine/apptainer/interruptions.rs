//! The signals with which a person or a scheduler ends what is being done.

use std::sync::atomic::{AtomicBool, AtomicI32, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use nix::sys::signal::{Signal, kill, raise};
use nix::unistd::Pid;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use signal_hook::{SigId, flag, low_level};

/// They may also come as the end of a child that a terminal sent them to.
pub const INTERRUPTIONS: [i32; 3] = [SIGINT, SIGTERM, SIGHUP];

/// Takes the signals that would end `ctr` in the middle, hands them on to its child, and remembers that
/// they came, so that what was begun can be undone. Once it is dropped they do what they did before.
pub struct Interruptions {
    /// 0 while there is none.
    child: Arc<AtomicI32>,
    /// 0 until one comes. Written by the handler itself: a thread may be late.
    signal: Arc<AtomicUsize>,
    /// Somebody has asked and was told of it.
    is_known: AtomicBool,
    writers: Vec<SigId>,
    handle: signal_hook::iterator::Handle,
    taken: &'static Taken,
}

impl Interruptions {
    /// Takes them from here on.
    ///
    /// # Errors
    /// This user may have no more threads.
    pub fn hold() -> std::io::Result<Self> {
        let taken = Taken::get()?;
        let mut signals = Signals::new(&taken.signals)?;
        let mut watch = Interruptions {
            child: Arc::default(),
            signal: Arc::default(),
            is_known: AtomicBool::new(false),
            writers: Vec::new(),
            handle: signals.handle(),
            taken,
        };
        for signal in &taken.signals {
            let came = Arc::clone(&watch.signal);
            let writer = flag::register_usize(*signal, came, *signal as usize)?;
            watch.writers.push(writer);
        }
        taken.is_idle.store(false, Ordering::SeqCst);
        let child = Arc::clone(&watch.child);
        std::thread::Builder::new().spawn(move || {
            for signal in &mut signals {
                let pid = child.load(Ordering::SeqCst);
                if pid != 0 {
                    let _ = kill(Pid::from_raw(pid), Signal::try_from(signal).ok());
                }
            }
        })?;
        Ok(watch)
    }

    /// Has the process `pid` get them too, until it is another or 0.
    pub fn hand_on_to(&self, pid: i32) {
        self.child.store(pid, Ordering::SeqCst);
    }

    /// The one that came.
    pub fn came(&self) -> Option<i32> {
        let came = Some(self.signal.load(Ordering::SeqCst) as i32).filter(|signal| *signal != 0);
        if came.is_some() {
            self.is_known.store(true, Ordering::SeqCst);
        }
        came
    }
}

impl Drop for Interruptions {
    fn drop(&mut self) {
        self.taken.is_idle.store(true, Ordering::SeqCst);
        self.writers.drain(..).for_each(|writer| {
            low_level::unregister(writer);
        });
        self.handle.close();
        // One that came when nobody asked any more ends this process now.
        if !self.is_known.load(Ordering::SeqCst) {
            if let Some(Ok(signal)) = self.came().map(Signal::try_from) {
                let _ = raise(signal);
            }
        }
    }
}

/// The signals that are taken. A handler stays for the life of the process: while nothing is watched
/// it does what the signal does by default.
struct Taken {
    signals: Vec<i32>,
    is_idle: Arc<AtomicBool>,
}

impl Taken {
    fn get() -> std::io::Result<&'static Self> {
        static TAKEN: OnceLock<Taken> = OnceLock::new();
        if let Some(taken) = TAKEN.get() {
            return Ok(taken);
        }
        // What the caller has had ignored (`nohup`, a job of a script) stays so.
        let taken = Taken {
            signals: INTERRUPTIONS
                .into_iter()
                .filter(|signal| !is_ignored(*signal))
                .collect(),
            is_idle: Arc::new(AtomicBool::new(true)),
        };
        for signal in &taken.signals {
            flag::register_conditional_default(*signal, Arc::clone(&taken.is_idle))?;
        }
        Ok(TAKEN.get_or_init(|| taken))
    }
}

/// True for a signal that this process ignores.
pub fn is_ignored(signal: i32) -> bool {
    let status = procfs::process::Process::myself().and_then(|own| own.status());
    status.is_ok_and(|status| status.sigign & (1 << (signal - 1)) != 0)
}
