//! Runs Apptainer to its end while a person waits: its words are kept, a terminal sees that it
//! works, a pipe sees no control characters, and Ctrl-C ends it as a whole.

use std::fs::{DirEntry, File};
use std::io::{Read, Seek, SeekFrom};
use std::os::fd::{AsFd, RawFd};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use nix::libc::STDERR_FILENO;
use nix::sys::memfd::{MFdFlags, memfd_create};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use signal_hook::{SigId, flag, low_level};

use crate::engine::local::processes::{Identity, start_time};
use crate::engine::local::progress::Watch;
use crate::engine::local::raw::keep_back;
use crate::engine::local::signals::send;

/// How often it is seen how a program gets on.
const POLL_INTERVAL: Duration = Duration::from_millis(100);
/// How long one that is given up has to end.
const GRACE: Duration = Duration::from_secs(2);

/// The signals with which a person or a scheduler ends what is being done.
const INTERRUPTIONS: [i32; 3] = [SIGINT, SIGTERM, SIGHUP];

/// What is said of one that does nothing.
pub const GIVEN_UP: &str = "and was given up";

/// A call that did not succeed.
pub struct Failed {
    /// What Apptainer wrote, or what kept it from running.
    pub words: String,
    /// The signal that a person or a scheduler sent meanwhile.
    pub interrupted_by: Option<i32>,
    /// Until what was begun is undone, another signal ends nothing.
    _watch: Option<SignalWatch>,
}

impl Failed {
    /// A call that failed with these words.
    pub fn saying(words: String) -> Self {
        Failed {
            words,
            interrupted_by: None,
            _watch: None,
        }
    }
}

/// Runs a command to its end, as long as it does something within the time `most`. What it writes goes into memory, not into a pipe: the instance's
/// own processes inherit it, and a pipe would stay open as long as they live. So would any other
/// file that the caller has open, a lock of `flock` above all: it has the three streams and nothing
/// else.
///
/// # Errors
/// It cannot be run, exits with another status than 0, does nothing for too long, or a signal came.
pub fn run(
    mut command: Command,
    doing: &str,
    most: Duration,
    show_progress: bool,
) -> Result<String, Failed> {
    let failed = Failed::saying;
    let words = memfd_create("apptainer", MFdFlags::MFD_CLOEXEC)
        .map(File::from)
        .map_err(|error| failed(error.to_string()))?;
    let copy = || {
        words
            .try_clone()
            .map(Stdio::from)
            .map_err(|error| failed(error.to_string()))
    };
    command.stdin(Stdio::null()).stdout(copy()?).stderr(copy()?);
    let open = open_files().map_err(|error| failed(format!("/proc/self/fd: {error}")))?;
    keep_back(&mut command, open);

    let watch = SignalWatch::start().map_err(|error| failed(error.to_string()))?;
    let child = command.spawn().map_err(|error| {
        failed(format!(
            "{}: {error}",
            command.get_program().to_string_lossy()
        ))
    })?;
    watch.child.store(child.id() as i32, Ordering::SeqCst);
    let bar = show_progress.then(|| Progress::new(&words, doing));
    let status = wait(child, most, bar.as_ref());
    drop(bar);
    watch.child.store(0, Ordering::SeqCst);

    let words = read_all(words);
    let ended_by = status.as_ref().ok().and_then(ExitStatus::signal);
    // Of one that a terminal sends to both, the child's end may be seen first.
    let interrupted_by = watch
        .came()
        .or(ended_by.filter(|signal| INTERRUPTIONS.contains(signal)));
    match status {
        Ok(status) if status.success() && interrupted_by.is_none() => Ok(words),
        Ok(_) => Err(Failed {
            words,
            interrupted_by,
            _watch: Some(watch),
        }),
        Err(error) => Err(failed(error.to_string())),
    }
}

/// Waits for the end of a program, as long as it gets on.
///
/// # Errors
/// Neither it nor what it started does anything for the time `most`, and it is ended.
fn wait(mut child: Child, most: Duration, bar: Option<&Progress>) -> std::io::Result<ExitStatus> {
    let pid = child.id() as i32;
    let identity = start_time(pid).map(|start_time| Identity { pid, start_time });
    let mut watch = Watch::new(pid);
    let (tell, ended) = channel();
    std::thread::spawn(move || tell.send(child.wait()));
    loop {
        match ended.recv_timeout(POLL_INTERVAL) {
            Ok(status) => return status,
            Err(_) if watch.idle() > most => break,
            Err(_) => watch.look(),
        }
        if let Some(bar) = bar {
            bar.show();
        }
    }
    for signal in [Signal::SIGTERM, Signal::SIGKILL] {
        if let Some(identity) = identity {
            let _ = send(signal, identity);
        }
        // One that waits for a file server may not end even so.
        let _ = ended.recv_timeout(GRACE);
    }
    let most = humantime::format_duration(most);
    Err(std::io::Error::new(
        std::io::ErrorKind::TimedOut,
        format!("it did nothing for {most}, {GIVEN_UP}"),
    ))
}

/// Shows a terminal that something is being done, and the newest words of it.
struct Progress<'a> {
    bar: ProgressBar,
    words: &'a File,
    doing: &'a str,
}

impl<'a> Progress<'a> {
    fn new(words: &'a File, doing: &'a str) -> Self {
        let style = ProgressStyle::with_template("{spinner} {msg}").expect("a constant template");
        let bar = ProgressBar::new_spinner().with_style(style);
        bar.set_message(doing.to_owned());
        Progress { bar, words, doing }
    }

    fn show(&self) {
        if let Some(line) = last_line(self.words) {
            self.bar.set_message(format!("{}: {line}", self.doing));
        }
        self.bar.tick();
    }
}

impl Drop for Progress<'_> {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

/// The newest whole line that Apptainer wrote, without its prefix. Read at an offset of its own:
/// the file's position belongs to the writers.
fn last_line(words: &File) -> Option<String> {
    const MOST: u64 = 4096;
    let length = words.metadata().ok()?.len();
    let mut tail = vec![0; length.min(MOST) as usize];
    let at = length.saturating_sub(MOST) as i64;
    let read = nix::sys::uio::pread(words.as_fd(), &mut tail, at).ok()?;
    let text = String::from_utf8_lossy(&tail[..read]).into_owned();
    let torn = usize::from(at > 0); // the first line, of which only the end was read
    // The unpacker warns of each file whose attributes cannot be kept, which harms nothing.
    let tells = |line: &&str| !line.trim().is_empty() && !line.contains(" warn rootless{");
    let line = text.lines().skip(torn).filter(tells).last()?;
    let words = line.split_once(':').map_or(line, |(_, rest)| rest);
    Some(words.trim().chars().filter(|c| !c.is_control()).collect())
}

/// True for a signal that this process ignores.
pub fn is_ignored(signal: i32) -> bool {
    let status = procfs::process::Process::myself().and_then(|own| own.status());
    status.is_ok_and(|status| status.sigign & (1 << (signal - 1)) != 0)
}

/// What this process has open beside its standard streams.
fn open_files() -> std::io::Result<Vec<RawFd>> {
    let number = |entry: std::io::Result<DirEntry>| Some(entry.ok()?.file_name().to_str()?.parse());
    let numbers = std::fs::read_dir("/proc/self/fd")?.filter_map(number);
    Ok(numbers
        .filter_map(Result::ok)
        .filter(|file| *file > STDERR_FILENO)
        .collect())
}

fn read_all(mut words: File) -> String {
    let mut bytes = Vec::new();
    let _ = words
        .seek(SeekFrom::Start(0))
        .and_then(|_| words.read_to_end(&mut bytes));
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Takes the signals that would end `ctr` in the middle, hands them on to the child, and
/// remembers that they came, so that what was begun can be undone. Afterwards they do what they did
/// before.
struct SignalWatch {
    child: Arc<AtomicI32>,
    /// 0 until one comes. Written by the handler itself: a thread may be late.
    signal: Arc<AtomicUsize>,
    writers: Vec<SigId>,
    handle: signal_hook::iterator::Handle,
    taken: &'static Taken,
}

impl SignalWatch {
    fn start() -> std::io::Result<Self> {
        let taken = Taken::get()?;
        let mut signals = Signals::new(&taken.signals)?;
        let mut watch = SignalWatch {
            child: Arc::default(),
            signal: Arc::default(),
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
        std::thread::spawn(move || {
            for signal in &mut signals {
                let pid = child.load(Ordering::SeqCst);
                if pid != 0 {
                    let _ = kill(Pid::from_raw(pid), Signal::try_from(signal).ok());
                }
            }
        });
        Ok(watch)
    }

    fn came(&self) -> Option<i32> {
        Some(self.signal.load(Ordering::SeqCst) as i32).filter(|signal| *signal != 0)
    }
}

impl Drop for SignalWatch {
    fn drop(&mut self) {
        self.taken.is_idle.store(true, Ordering::SeqCst);
        self.writers.drain(..).for_each(|writer| {
            low_level::unregister(writer);
        });
        self.handle.close();
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

#[cfg(test)]
mod tests {
    use super::*;

    fn said(script: &str, most: Duration) -> Result<String, String> {
        let mut shell = Command::new("/bin/sh");
        shell.args(["-c", script]);
        run(shell, "testing", most, false).map_err(|failed| failed.words)
    }

    #[test]
    fn one_that_does_nothing_for_long_is_given_up() {
        let long = Duration::from_secs(600);
        assert_eq!(said("echo a; sleep 0.2; echo b", long).unwrap(), "a\nb\n");
        for script in ["exec sleep 1000", "trap '' TERM; exec sleep 1000"] {
            let error = said(script, Duration::from_secs(1)).unwrap_err();
            assert_eq!(error, "it did nothing for 1s, and was given up");
        }
    }
}
