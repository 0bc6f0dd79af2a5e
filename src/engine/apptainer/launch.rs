//! Runs Apptainer to its end while a person waits: its words are kept, a terminal sees that it
//! works, a pipe sees no control characters, and Ctrl-C ends it as a whole.

use std::fs::{DirEntry, File};
use std::io::{Read, Seek, SeekFrom};
use std::os::fd::{AsFd, RawFd};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use nix::libc::STDERR_FILENO;
use nix::sys::memfd::{MFdFlags, memfd_create};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::engine::apptainer::interruptions::{INTERRUPTIONS, Interruptions};
use crate::engine::local::processes::{Identity, start_time};
use crate::engine::local::progress::Watch;
use crate::engine::local::raw::keep_back;
use crate::engine::local::signals::send;

/// How often it is seen how a program gets on.
const POLL_INTERVAL: Duration = Duration::from_millis(100);
/// How long one that is given up has to end.
const GRACE: Duration = Duration::from_secs(2);

/// What is said of one that does nothing.
pub const GIVEN_UP: &str = "and was given up";

/// A call that did not succeed.
pub struct Failed {
    /// What Apptainer wrote, or what kept it from running.
    pub words: String,
    /// The signal that a person or a scheduler sent meanwhile.
    pub interrupted_by: Option<i32>,
}

impl Failed {
    /// A call that failed with these words.
    pub fn saying(words: String) -> Self {
        Failed {
            words,
            interrupted_by: None,
        }
    }
}

/// Runs a command to its end, as long as it does something within the time `most`. What it writes goes into
/// memory, not into a pipe: the instance's own processes inherit it, and a pipe would stay open as long as they live. So would any other
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
    interruptions: &Interruptions,
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

    let child = command.spawn().map_err(|error| {
        failed(format!(
            "{}: {error}",
            command.get_program().to_string_lossy()
        ))
    })?;
    interruptions.hand_on_to(child.id() as i32);
    if let Some(signal) = interruptions.came() {
        // It came before there was anybody to hand it on to.
        let _ = kill(
            Pid::from_raw(child.id() as i32),
            Signal::try_from(signal).ok(),
        );
    }
    let bar = show_progress.then(|| Progress::new(&words, doing));
    let status = wait(child, most, bar.as_ref());
    drop(bar);
    interruptions.hand_on_to(0);

    let words = read_all(words);
    let ended_by = status.as_ref().ok().and_then(ExitStatus::signal);
    // Of one that a terminal sends to both, the child's end may be seen first.
    let interrupted_by = interruptions
        .came()
        .or(ended_by.filter(|signal| INTERRUPTIONS.contains(signal)));
    match status {
        Ok(status) if status.success() && interrupted_by.is_none() => Ok(words),
        Ok(_) => Err(Failed {
            words,
            interrupted_by,
        }),
        Err(error) => Err(failed(error.to_string())),
    }
}

/// Waits for the end of a program, as long as it gets on.
///
/// # Errors
/// Neither it nor what it started does anything for the time `most`, and it is ended.
fn wait(child: Child, most: Duration, bar: Option<&Progress>) -> std::io::Result<ExitStatus> {
    let pid = child.id() as i32;
    let identity = start_time(pid).map(|start_time| Identity { pid, start_time });
    let mut watch = Watch::new(pid);
    let (tell, ended) = channel();
    let child = Arc::new(Mutex::new(child));
    let waits = Arc::clone(&child);
    let wait = move || tell.send(lock(&waits).wait());
    // Where there may be no more threads, it is looked at from time to time.
    let is_awaited = std::thread::Builder::new().spawn(wait).is_ok();
    loop {
        match ended.recv_timeout(POLL_INTERVAL) {
            Ok(status) => return status,
            Err(RecvTimeoutError::Disconnected) if !is_awaited => {
                if let Some(status) = lock(&child).try_wait()? {
                    return Ok(status);
                }
                std::thread::sleep(POLL_INTERVAL);
            }
            Err(_) => {}
        }
        if watch.idle() > most {
            break;
        }
        watch.look();
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

fn lock(child: &Mutex<Child>) -> MutexGuard<'_, Child> {
    child.lock().unwrap_or_else(PoisonError::into_inner)
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

#[cfg(test)]
mod tests {
    use super::*;

    fn said(script: &str, most: Duration) -> Result<String, String> {
        let mut shell = Command::new("/bin/sh");
        shell.args(["-c", script]);
        let interruptions = Interruptions::hold().unwrap();
        run(shell, "testing", most, false, &interruptions).map_err(|failed| failed.words)
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
