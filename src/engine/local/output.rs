//! What a program says that is asked something, when it comes to an end and says no more than it may.

use std::fs::File;
use std::io::{Error, ErrorKind, Read, Result};
use std::os::fd::{AsFd, OwnedFd};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::unistd::Pid;

use crate::bounds::{ANSWER, BUSY_MACHINE};
use crate::engine::local::processes::wants_to_run;

/// How often it is seen whether the program has ended: what it left behind may hold its output open.
const POLL_INTERVAL: Duration = Duration::from_millis(20);

/// Runs a program to its end, with no input.
///
/// # Errors
/// It cannot be run; it does not end in the time `most`, or says too much, and is killed.
pub fn of(command: &mut Command, most: Duration) -> Result<Output> {
    command.stdin(Stdio::null());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn()?;
    let streams = [
        child.stdout.take().map(OwnedFd::from),
        child.stderr.take().map(OwnedFd::from),
    ];
    let mut status = None;
    let pid = Pid::from_raw(child.id() as i32);
    let said = listen(streams.into_iter().flatten(), pid, most, || {
        status = child.try_wait()?;
        Ok(status.is_some())
    });
    let said = said.inspect_err(|_| {
        let _ = child.kill();
        let _ = child.try_wait();
    })?;
    let [stdout, stderr] = <[Vec<u8>; 2]>::try_from(said).unwrap_or_default();
    match status {
        Some(status) => Ok(Output {
            status,
            stdout,
            stderr,
        }),
        None => Err(late(most)),
    }
}

/// Reads streams until the process `pid` behind them `has_ended`.
///
/// # Errors
/// It does not end in the time `most`, or later on a machine that did not let it run; a stream says too
/// much.
pub fn listen(
    streams: impl Iterator<Item = OwnedFd>,
    pid: Pid,
    most: Duration,
    mut has_ended: impl FnMut() -> Result<bool>,
) -> Result<Vec<Vec<u8>>> {
    let deadline = Instant::now() + most;
    let mut streams: Vec<Stream> = streams.map(Stream::new).collect();
    let mut is_over = false;
    loop {
        is_over = is_over || has_ended()?;
        let open = || streams.iter().filter(|stream| stream.is_open);
        // All that it said before its end is there.
        let wait = match (is_over, open().count()) {
            (true, 0) => return Ok(streams.into_iter().map(|stream| stream.said).collect()),
            (true, _) => Duration::ZERO,
            (false, _) => POLL_INTERVAL,
        };
        let mut watched: Vec<PollFd> = open()
            .map(|stream| PollFd::new(stream.file.as_fd(), PollFlags::POLLIN))
            .collect();
        let wait = PollTimeout::try_from(wait).unwrap_or(PollTimeout::ZERO);
        match poll(&mut watched, wait) {
            Err(Errno::EINTR) => continue,
            Err(error) => return Err(error.into()),
            Ok(_) => {}
        }
        let is_ready: Vec<bool> = watched
            .iter()
            .map(|one| one.revents().is_some_and(|events| !events.is_empty()))
            .collect();
        let open = streams.iter_mut().filter(|stream| stream.is_open);
        for (stream, _) in open.zip(&is_ready).filter(|(_, is_ready)| **is_ready) {
            stream.take()?;
        }
        if is_over && !is_ready.contains(&true) {
            return Ok(streams.into_iter().map(|stream| stream.said).collect());
        }
        let now = Instant::now();
        if !is_over && now >= deadline {
            if now < deadline + BUSY_MACHINE && wants_to_run(pid.as_raw()) {
                continue;
            }
            return Err(late(most));
        }
    }
}

/// True for the failure of a program that does not come to an end.
pub fn is_endless(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::TimedOut | ErrorKind::FileTooLarge)
}

struct Stream {
    file: File,
    said: Vec<u8>,
    is_open: bool,
}

impl Stream {
    fn new(stream: OwnedFd) -> Self {
        Stream {
            file: stream.into(),
            said: Vec::new(),
            is_open: true,
        }
    }

    fn take(&mut self) -> Result<()> {
        let mut part = [0; 1 << 16];
        let length = self.file.read(&mut part)?;
        self.is_open = length > 0;
        self.said.extend_from_slice(&part[..length]);
        if self.said.len() as u64 > ANSWER {
            let why = format!("it says more than {}", indicatif::HumanBytes(ANSWER));
            return Err(Error::new(ErrorKind::FileTooLarge, why));
        }
        Ok(())
    }
}

fn late(most: Duration) -> Error {
    let most = humantime::format_duration(most);
    Error::new(ErrorKind::TimedOut, format!("it did not end in {most}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(script: &str, most: Duration) -> Result<(String, i32)> {
        let output = of(Command::new("/bin/sh").args(["-c", script]), most)?;
        let text = String::from_utf8(output.stdout).unwrap();
        Ok((text, output.status.code().unwrap()))
    }

    #[test]
    fn a_program_that_ends_is_heard_whatever_it_leaves_behind() {
        let long = Duration::from_secs(60);
        assert_eq!(said("echo a; exit 3", long).unwrap(), ("a\n".into(), 3));
        let (text, _) = said("sleep 1000 & echo $!", long).unwrap();
        let left = Pid::from_raw(text.trim().parse().unwrap());
        nix::sys::signal::kill(left, nix::sys::signal::Signal::SIGKILL).unwrap();
        let (text, _) = said("exec 1>&- 2>&-; sleep 0.1; exit 0", long).unwrap();
        assert_eq!(text, "");
        let (text, _) = said("head -c 200000 /dev/zero | tr '\\0' x", long).unwrap();
        assert_eq!(text.len(), 200_000);
    }

    #[test]
    fn one_that_does_not_end_or_says_too_much_is_given_up() {
        for script in ["sleep 1000", "exec 1>&- 2>&-; exec sleep 1000"] {
            let error = said(script, Duration::from_millis(100)).unwrap_err();
            assert_eq!(error.to_string(), "it did not end in 100ms");
            assert!(is_endless(&error));
        }
        let error = said("exec cat /dev/zero", Duration::from_secs(60)).unwrap_err();
        assert_eq!(error.to_string(), "it says more than 16.00 MiB");
        assert!(is_endless(&error));
    }
}
