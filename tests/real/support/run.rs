//! Running one program to its end, and looking at what it gave.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::io::{Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::{fmt, thread};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::{PATIENCE, Terminal};

/// A program that is about to run, in the environment of a `Place` and nothing else.
#[must_use = "nothing runs before .run(), .ok() or .fails()"]
#[derive(Clone)]
pub struct Run {
    program: PathBuf,
    args: Vec<OsString>,
    env: BTreeMap<OsString, OsString>,
    cwd: PathBuf,
    stdin: Vec<u8>,
}

impl Run {
    pub fn new(program: impl Into<PathBuf>, env: BTreeMap<OsString, OsString>, cwd: &Path) -> Run {
        Run {
            program: program.into(),
            args: Vec::new(),
            env,
            cwd: cwd.into(),
            stdin: Vec::new(),
        }
    }

    pub fn arg(mut self, arg: impl AsRef<OsStr>) -> Run {
        self.args.push(arg.as_ref().into());
        self
    }

    pub fn args(mut self, args: impl IntoIterator<Item: AsRef<OsStr>>) -> Run {
        self.args
            .extend(args.into_iter().map(|arg| arg.as_ref().into()));
        self
    }

    pub fn env(mut self, key: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Run {
        self.env.insert(key.as_ref().into(), value.as_ref().into());
        self
    }

    pub fn env_remove(mut self, key: impl AsRef<OsStr>) -> Run {
        self.env.remove(key.as_ref());
        self
    }

    pub fn cwd(mut self, folder: impl Into<PathBuf>) -> Run {
        self.cwd = folder.into();
        self
    }

    /// What it reads from standard input; without this it finds the end at once.
    pub fn stdin(mut self, bytes: impl Into<Vec<u8>>) -> Run {
        self.stdin = bytes.into();
        self
    }

    /// Runs it to its end, whatever its status. One that never ends is killed, and the test fails.
    #[track_caller]
    pub fn run(&self) -> Output {
        let mut child = self.start(Stdio::piped(), Stdio::piped());
        let mut stdin = child.stdin.take().expect("was asked for");
        let input = self.stdin.clone();
        // Who does not read it all is free to: the broken pipe is no failure.
        thread::spawn(move || drop(stdin.write_all(&input)));
        let stdout = drain(child.stdout.take().expect("was asked for"));
        let stderr = drain(child.stderr.take().expect("was asked for"));

        let pid = child.id();
        let (sender, ended) = mpsc::channel();
        thread::spawn(move || drop(sender.send(child.wait())));
        let status = ended.recv_timeout(PATIENCE).unwrap_or_else(|_| {
            let _ = kill(Pid::from_raw(pid as i32), Signal::SIGKILL);
            panic!("never ended: {self}");
        });
        let take = |pipe: Receiver<Vec<u8>>, name| {
            pipe.recv_timeout(PATIENCE)
                .unwrap_or_else(|_| panic!("ended, but something still holds its {name}: {self}"))
        };
        Output {
            command: self.to_string(),
            status: code(status.expect("no one else waits for it")),
            stdout: take(stdout, "stdout"),
            stderr: String::from_utf8_lossy(&take(stderr, "stderr")).into_owned(),
        }
    }

    /// Runs it, and fails the test when its status is not 0.
    #[track_caller]
    pub fn ok(&self) -> Output {
        self.fails(0)
    }

    /// Runs it, and fails the test when it ends with another status.
    #[track_caller]
    pub fn fails(&self, status: i32) -> Output {
        let output = self.run();
        assert_eq!(output.status, status, "the status of {output}");
        output
    }

    /// Starts it, and leaves it running: with no input, its output discarded.
    #[track_caller]
    pub fn spawn(&self) -> Child {
        self.start(Stdio::null(), Stdio::null())
    }

    /// Starts it in a terminal of its own.
    #[track_caller]
    pub fn terminal(&self) -> Terminal {
        Terminal::open(self)
    }

    /// As a `Command`, with standard input and output as the caller likes them.
    pub fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command
            .args(&self.args)
            .env_clear()
            .envs(&self.env)
            .current_dir(&self.cwd);
        command
    }

    /// The same, begun by another program: `setsid --ctty PROGRAM ARGS…`.
    pub fn command_under(&self, words: &[&str]) -> Command {
        let mut command = Command::new(words[0]);
        command
            .args(&words[1..])
            .arg(&self.program)
            .args(&self.args);
        command.env_clear().envs(&self.env).current_dir(&self.cwd);
        command
    }

    #[track_caller]
    fn start(&self, stdout: Stdio, stderr: Stdio) -> Child {
        self.command()
            .stdin(Stdio::piped())
            .stdout(stdout)
            .stderr(stderr)
            .spawn()
            .unwrap_or_else(|error| panic!("{error}: {self}"))
    }
}

impl fmt::Display for Run {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{}", self.program.display())?;
        self.args.iter().try_for_each(|arg| {
            let arg = arg.to_string_lossy();
            let start: String = arg.chars().take(200).collect();
            write!(f, " {start:?}")
        })
    }
}

/// Reads a pipe to its end, aside.
fn drain(mut pipe: impl Read + Send + 'static) -> Receiver<Vec<u8>> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = pipe.read_to_end(&mut bytes);
        let _ = sender.send(bytes);
    });
    receiver
}

/// The status, or the signal that ended it as a negative number.
pub fn code(status: ExitStatus) -> i32 {
    status
        .code()
        .or(status.signal().map(|signal| -signal))
        .expect("it ended")
}

/// What a program gave.
#[derive(Clone, Debug)]
pub struct Output {
    command: String,
    /// Its exit status; -n when signal n ended it.
    pub status: i32,
    pub stdout: Vec<u8>,
    pub stderr: String,
}

impl Output {
    /// Its standard output, which must be UTF-8.
    #[track_caller]
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.stdout).unwrap_or_else(|error| panic!("{error} in {self}"))
    }

    #[track_caller]
    pub fn lines(&self) -> Vec<&str> {
        self.text().lines().collect()
    }

    /// Its standard output, which must be one JSON document.
    #[track_caller]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.stdout).unwrap_or_else(|error| panic!("{error} in {self}"))
    }

    /// Its standard output as the variables of an environment block (`…\0…\0`).
    #[track_caller]
    pub fn environ(&self) -> BTreeMap<String, String> {
        let entries = self.text().split_terminator('\0');
        entries
            .map(|entry| {
                entry
                    .split_once('=')
                    .unwrap_or_else(|| panic!("no `=` in {entry:?}"))
            })
            .map(|(key, value)| (key.into(), value.into()))
            .collect()
    }

    /// Demands that it said nothing on stderr.
    #[track_caller]
    pub fn quiet(&self) -> &Output {
        assert!(self.stderr.is_empty(), "not quiet: {self}");
        self
    }

    /// Demands that stderr names each of these.
    #[track_caller]
    pub fn says(&self, words: &[&str]) -> &Output {
        for word in words {
            assert!(
                self.stderr.contains(word),
                "{word:?} is not in the stderr of {self}"
            );
        }
        self
    }
}

impl fmt::Display for Output {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let stdout = &self.stdout[..self.stdout.len().min(4000)];
        write!(
            f,
            "{}\n--- status: {}\n--- stdout: {}\n--- stderr: {}",
            self.command,
            self.status,
            String::from_utf8_lossy(stdout),
            self.stderr
        )
    }
}
