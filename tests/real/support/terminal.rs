//! A program in a terminal of its own, with someone at its keyboard.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::num::NonZeroU16;
use std::os::fd::AsFd;
use std::os::unix::fs::OpenOptionsExt;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Instant;

use nix::fcntl::OFlag;
use nix::pty::{grantpt, posix_openpt, ptsname_r, unlockpt};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::run::code;
use super::{PATIENCE, Run};

const ROWS: u16 = 50;
const COLUMNS: u16 = 200;

/// When it is dropped, the terminal hangs up and its program is killed.
pub struct Terminal {
    child: Child,
    keyboard: File,
    seen: Arc<(Mutex<Seen>, Condvar)>,
}

struct Seen {
    screen: vt100::Parser,
    bytes: Vec<u8>,
    hung_up: bool,
}

impl Terminal {
    #[track_caller]
    pub fn open(run: &Run) -> Terminal {
        let master = posix_openpt(OFlag::O_RDWR | OFlag::O_NOCTTY | OFlag::O_CLOEXEC);
        let master = master.expect("a new terminal");
        grantpt(&master)
            .and_then(|()| unlockpt(&master))
            .expect("a new terminal");
        let name = ptsname_r(&master).expect("it has a name");
        let slave = OpenOptions::new()
            .read(true)
            .write(true)
            .custom_flags(OFlag::O_NOCTTY.bits())
            .open(&name)
            .expect("my own terminal");
        let end = || Stdio::from(slave.try_clone().expect("one more"));
        let size =
            [("rows", ROWS), ("cols", COLUMNS)].map(|(what, n)| [what.into(), n.to_string()]);
        let stty = Command::new("stty")
            .args(size.as_flattened())
            .stdin(end())
            .status();
        assert!(stty.expect("stty").success(), "stty cannot set the size");

        // `setsid` makes the terminal the controlling one, and becomes the program.
        let child = run
            .command_under(&["setsid", "--ctty"])
            .stdin(end())
            .stdout(end())
            .stderr(end())
            .spawn()
            .unwrap_or_else(|error| panic!("{error}: {run}"));

        let duplicate = || File::from(master.as_fd().try_clone_to_owned().expect("one more"));
        let rows = NonZeroU16::new(ROWS).expect("not 0");
        let columns = NonZeroU16::new(COLUMNS).expect("not 0");
        let screen = vt100::Parser::new(rows, columns, 0);
        let seen = Seen {
            screen,
            bytes: Vec::new(),
            hung_up: false,
        };
        let seen = Arc::new((Mutex::new(seen), Condvar::new()));
        let (reader, answers) = (duplicate(), duplicate());
        let shared = Arc::clone(&seen);
        thread::spawn(move || watch(reader, answers, &shared));
        Terminal {
            child,
            keyboard: duplicate(),
            seen,
        }
    }

    /// Types this.
    pub fn send(&mut self, text: impl AsRef<[u8]>) {
        self.keyboard
            .write_all(text.as_ref())
            .expect("the terminal is open");
    }

    /// Types this, and Return.
    pub fn line(&mut self, text: &str) {
        self.send(format!("{text}\r"));
    }

    /// Types Ctrl and a letter.
    pub fn ctrl(&mut self, letter: char) {
        self.send([letter.to_ascii_uppercase() as u8 & 0x1f]);
    }

    /// What is on the screen now, line by line, without spaces at the ends.
    pub fn screen(&self) -> String {
        self.seen
            .0
            .lock()
            .expect("no one panics with it")
            .screen
            .screen()
            .contents()
    }

    /// The line that the cursor is in, up to the cursor.
    pub fn cursor_line(&self) -> String {
        let seen = self.seen.0.lock().expect("no one panics with it");
        let screen = seen.screen.screen();
        let (row, column) = screen.cursor_position();
        screen.rows(0, column).nth(row.into()).unwrap_or_default()
    }

    /// Every byte that was shown since the start, control sequences too.
    pub fn bytes(&self) -> Vec<u8> {
        self.seen
            .0
            .lock()
            .expect("no one panics with it")
            .bytes
            .clone()
    }

    /// Waits until the screen shows this. What was typed shows too: wait for what only the answer
    /// says, as in `echo re''ady`.
    #[track_caller]
    pub fn wait_for(&self, text: &str) {
        self.until(text, |terminal| {
            terminal.screen().contains(text).then_some(())
        });
    }

    /// Waits until `ask` gives something, and gives that; asks whenever something new is shown.
    #[track_caller]
    pub fn until<T>(&self, what: &str, mut ask: impl FnMut(&Terminal) -> Option<T>) -> T {
        let deadline = Instant::now() + PATIENCE;
        let (seen, news) = &*self.seen;
        loop {
            let hung_up = seen.lock().expect("no one panics with it").hung_up;
            if let Some(answer) = ask(self) {
                return answer;
            }
            let screen = self.screen();
            assert!(!hung_up, "ended before: {what}; its screen:\n{screen}");
            assert!(
                Instant::now() < deadline,
                "never happened: {what}; its screen:\n{screen}"
            );
            let guard = seen.lock().expect("no one panics with it");
            // What is waited for may also be a file: look now and then.
            drop(news.wait_timeout(guard, std::time::Duration::from_millis(20)));
        }
    }

    pub fn pid(&self) -> i32 {
        self.child.id() as i32
    }

    /// Waits for the end of the program and gives its status; -n when signal n ended it.
    #[track_caller]
    pub fn wait(&mut self) -> i32 {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().expect("no one else waits for it") {
                return code(status);
            }
            assert!(
                Instant::now() < deadline,
                "never ended; its screen:\n{}",
                self.screen()
            );
            thread::sleep(std::time::Duration::from_millis(20));
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // The session's leader: the system hangs up on the rest.
        let _ = kill(Pid::from_raw(self.pid()), Signal::SIGHUP);
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Takes in what the program shows, and answers what programs ask of a terminal at their start.
fn watch(mut reader: File, mut answers: File, shared: &(Mutex<Seen>, Condvar)) {
    let mut buffer = [0; 4096];
    loop {
        // EIO when no one has the other side open any more.
        let count = reader.read(&mut buffer).unwrap_or(0);
        let chunk = &buffer[..count];
        let mut seen = shared.0.lock().expect("no one panics with it");
        seen.screen.process(chunk);
        seen.bytes.extend_from_slice(chunk);
        seen.hung_up = count == 0;
        shared.1.notify_all();
        if seen.hung_up {
            return;
        }
        let asked = |question: &[u8]| chunk.windows(question.len()).any(|bytes| bytes == question);
        if asked(b"\x1b[c") || asked(b"\x1b[0c") {
            let _ = answers.write_all(b"\x1b[?6c");
        }
        if asked(b"\x1b[6n") {
            let (row, column) = seen.screen.screen().cursor_position();
            let _ = write!(answers, "\x1b[{};{}R", row + 1, column + 1);
        }
    }
}
