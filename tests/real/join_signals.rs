//! `ctr` stands outside for a command that is joined directly: signals, stops and ends pass through.

use std::fs;
use std::io::Read;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{Child, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::support::{Place, Shell, eventually, processes};

/// Says what it gets, and ends with 9 at SIGTERM.
const TELLS: &str = "for s in INT HUP QUIT USR1 USR2 WINCH ALRM; do trap \"echo $s\" $s; done; \
                     trap 'echo TERM; exit 9' TERM; echo ready; while :; do sleep 0.05; done";

pub fn instance(name: &str) -> Place {
    let place = Place::new();
    place.start(name, &[]);
    place.ctr(["exec", "--join", "direct", name, "true"]).ok();
    place
}

/// A command whose output goes into a file, and the file.
fn begin(place: &Place, script: &str) -> (Child, PathBuf) {
    let file = place.path("cache/out");
    let out = fs::File::create(&file).unwrap();
    let mut command = place
        .ctr(["exec", "--join", "direct", "bio", "sh", "-c", script])
        .command();
    let child = command.stdin(Stdio::null()).stdout(out).spawn().unwrap();
    wait_for(&file, "ready");
    (child, file)
}

/// Until the file, which may not be there yet, holds the text.
#[track_caller]
pub fn wait_for(file: &std::path::Path, text: &str) {
    eventually(text, || {
        let held = fs::read_to_string(file).unwrap_or_default();
        held.contains(text).then_some(())
    });
}

fn send(child: &Child, signal: Signal) {
    kill(Pid::from_raw(child.id() as i32), signal).unwrap();
}

/// The state of a process, as a letter.
pub fn state(pid: u32) -> Option<char> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(") ")?.1.chars().next()
}

#[test]
fn signals_to_ctr_reach_the_command_once() {
    let place = instance("bio");
    let (mut child, file) = begin(&place, TELLS);
    let mut expected = String::from("ready\n");
    for signal in [
        "INT", "HUP", "QUIT", "USR1", "USR2", "WINCH", "ALRM", "TERM",
    ] {
        send(&child, format!("SIG{signal}").parse().unwrap());
        expected += &format!("{signal}\n");
        wait_for(&file, &expected);
    }
    assert_eq!(child.wait().unwrap().code(), Some(9));
    assert_eq!(fs::read_to_string(&file).unwrap(), expected);
}

#[test]
fn it_ends_by_the_signal_that_ended_the_command() {
    let place = instance("bio");
    for signal in [
        Signal::SIGTERM,
        Signal::SIGINT,
        Signal::SIGHUP,
        Signal::SIGUSR1,
    ] {
        let (mut child, _) = begin(&place, "echo ready; exec sleep 12345");
        send(&child, signal);
        assert_eq!(child.wait().unwrap().signal(), Some(signal as i32));
    }
    for signal in ["KILL", "SEGV", "ABRT", "PIPE"] {
        let script = format!("ctr exec --join direct bio sh -c 'kill -{signal} $$'; echo $?");
        let output = Shell::Bash.script(&place, &script).ok();
        let number = format!("SIG{signal}").parse::<Signal>().unwrap() as i32;
        assert_eq!(output.text(), format!("{}\n", 128 + number));
    }
    let cores = place.glob("work/core*");
    assert!(cores.is_empty(), "{cores:?}");
}

#[test]
fn it_stops_and_goes_on_with_the_command() {
    let place = instance("bio");
    place.write("work/tells", TELLS);
    // Of a group that no shell looks after, Linux stops nothing.
    let mut bash = Shell::Bash.interactive(&place, "");
    bash.eval("ctr exec --join direct bio sh tells > told & echo $! > pid");
    let file = place.work().join("told");
    wait_for(&file, "ready");
    let pid = fs::read_to_string(place.work().join("pid")).unwrap();
    let pid: i32 = pid.trim().parse().unwrap();
    let send = |signal| kill(Pid::from_raw(pid), signal).unwrap();
    for signal in [Signal::SIGTSTP, Signal::SIGTTIN, Signal::SIGTTOU] {
        send(signal);
        eventually("ctr has stopped", || {
            (state(pid as u32) == Some('T')).then_some(())
        });
        let command = processes::child(pid);
        assert_eq!(state(command.pid as u32), Some('T'));
        send(Signal::SIGCONT);
        eventually("ctr goes on", || {
            (state(pid as u32) == Some('S')).then_some(())
        });
    }
    send(Signal::SIGUSR1);
    wait_for(&file, "USR1");
    send(Signal::SIGTERM);
    assert_eq!(
        bash.eval(&format!("wait {pid}; echo $?")).lines().last(),
        Some("9")
    );
}

#[test]
fn a_command_does_not_outlive_ctr() {
    let place = instance("bio");
    let (mut child, _) = begin(&place, "echo ready; while :; do sleep 0.05; done");
    let command = processes::child(child.id() as i32).pid;
    child.kill().unwrap();
    child.wait().unwrap();
    eventually("the command ends", || {
        processes::look(command).is_none().then_some(())
    });
    // And leaves nothing behind.
    eventually("no process is left of it", || {
        let seen = place.ctr(["exec", "bio", "ps", "-o", "args"]).ok();
        (!seen.text().contains("sleep 0.05")).then_some(())
    });
    for pid in place.processes().iter().map(|process| process.pid as u32) {
        assert_ne!(state(pid), Some('Z'));
    }
}

#[test]
fn what_the_caller_ignores_stays_ignored() {
    let place = instance("bio");
    let script = "trap '' HUP; ctr exec --join direct bio sh -c 'kill -HUP $$; echo lives'";
    assert_eq!(Shell::Bash.script(&place, script).ok().text(), "lives\n");
    // As `nohup` does, for a command that goes on when its terminal is gone.
    let script = "nohup ctr exec --join direct bio sh -c 'kill -HUP $$; echo lives' 2> /dev/null";
    assert_eq!(Shell::Bash.script(&place, script).ok().text(), "lives\n");
}

#[test]
fn a_reader_that_goes_away_ends_a_writer() {
    let place = instance("bio");
    let script = "ctr exec --join direct bio yes | head -1; echo ${PIPESTATUS[0]}";
    let output = Shell::Bash.script(&place, script).ok();
    assert_eq!(output.text(), "y\n141\n");
}

#[test]
fn output_that_the_command_closes_is_closed() {
    let place = instance("bio");
    // What reads sees the end at once, while the command goes on.
    let script = "ctr exec --join direct bio sh -c 'echo one; exec >&-; sleep 12345'";
    let mut child = Shell::Bash
        .script(&place, &format!("exec {script}"))
        .command();
    let mut child = child
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut text = String::new();
    child
        .stdout
        .take()
        .unwrap()
        .read_to_string(&mut text)
        .unwrap();
    assert_eq!(text, "one\n");
    send(&child, Signal::SIGTERM);
    child.wait().unwrap();
}

#[test]
fn a_thousand_commands_leave_nothing_behind() {
    let place = instance("bio");
    let script = "for n in $(seq 1000); do ctr exec --join direct bio true || exit 1; done";
    Shell::Bash.script(&place, script).ok().quiet();
    let script = "seq 400 | xargs -P 8 -I {} ctr exec --join direct bio sh -c 'echo {}' | sort -n | sha1sum; \
                  seq 400 | sha1sum";
    let output = Shell::Bash.script(&place, script).ok();
    assert_eq!(output.lines()[0], output.lines()[1]);
    let seen = place.ctr(["exec", "bio", "ps", "-o", "args"]).ok();
    assert!(seen.lines().len() < 8, "{seen}");
}

#[test]
fn a_real_time_signal_ends_it_as_well() {
    let place = instance("bio");
    let script = "ctr exec --join direct bio sh -c 'kill -40 $$'; echo $?";
    assert_eq!(Shell::Bash.script(&place, script).ok().text(), "168\n");
}

#[test]
fn a_caller_that_minds_no_children_is_served_as_well() {
    let place = Place::new();
    place.start("bio", &[]);
    let script = "import signal, os; signal.signal(signal.SIGCHLD, signal.SIG_IGN); \
                  os.execvp('ctr', ['ctr', 'exec', '--join', 'direct', 'bio', 'echo', 'hi'])";
    for _ in 0..2 {
        let output = place.program("python3").args(["-c", script]).ok();
        assert_eq!(output.text(), "hi\n");
        output.quiet();
    }
}

#[test]
fn the_clock_of_who_became_ctr_ends_the_command() {
    let place = instance("bio");
    let script = "import os, signal; signal.alarm(1); \
                  os.execvp('ctr', 'ctr exec --join direct bio sleep 12345'.split())";
    let mut command = place.program("python3").args(["-c", script]).command();
    let status = command.stdin(Stdio::null()).status().unwrap();
    assert_eq!(status.signal(), Some(Signal::SIGALRM as i32));
}

#[test]
fn ctr_is_closed_to_what_is_inside() {
    use std::os::unix::fs::MetadataExt;
    let place = instance("bio");
    let (mut child, _) = begin(&place, "echo ready; exec sleep 12345");
    // Files of a process that may not be looked into are root's.
    let owner = |pid: u32| fs::metadata(format!("/proc/{pid}/mem")).unwrap().uid();
    assert_eq!(owner(child.id()), 0);
    let command = processes::child(child.id() as i32).pid as u32;
    assert_eq!(owner(command), nix::unistd::getuid().as_raw());
    send(&child, Signal::SIGTERM);
    child.wait().unwrap();
}
