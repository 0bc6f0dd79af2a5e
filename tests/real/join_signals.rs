//! `ctr` stands outside for a command that is joined directly: signals, stops and ends pass through.

use std::fs;
use std::io::Read;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{Child, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::support::{Place, Session, Shell, eventually, processes};

/// Says what it gets, and ends with 9 at SIGTERM.
const TELLS: &str = "for s in INT HUP QUIT USR1 USR2 WINCH ALRM; do trap \"echo $s\" $s; done; \
                     trap 'echo TERM; exit 9' TERM; echo ready; while :; do sleep 0.05; done";

fn instance(name: &str) -> Place {
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
fn wait_for(file: &std::path::Path, text: &str) {
    eventually(text, || {
        let held = fs::read_to_string(file).unwrap_or_default();
        held.contains(text).then_some(())
    });
}

fn send(child: &Child, signal: Signal) {
    kill(Pid::from_raw(child.id() as i32), signal).unwrap();
}

/// The state of a process, as a letter.
fn state(pid: u32) -> Option<char> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(") ")?.1.chars().next()
}

/// True when its process group is the one in the foreground of its terminal.
fn has_terminal(pid: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let fields: Vec<&str> = stat.rsplit(") ").next().unwrap().split(' ').collect();
    fields.len() > 5 && fields[2] == fields[5]
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
fn ctrl_c_breaks_a_loop_as_for_a_local_command() {
    let place = instance("bio");
    for command in ["sleep 12345", "ctr exec --join direct bio sleep 12345"] {
        let mut bash = Shell::Bash.interactive(&place, "");
        bash.line(&format!(
            "for n in 1 2 3; do echo be\"\"gin $n; {command}; done"
        ));
        bash.wait_for("\nbegin 1");
        eventually("it sleeps", || {
            let all = place.processes();
            all.iter()
                .any(|one| one.title.ends_with("sleep 12345"))
                .then_some(())
        });
        bash.ctrl('c');
        assert_eq!(bash.eval("echo $?"), "130\n", "{command}");
        assert!(!bash.screen().contains("begin 2"), "{}", bash.screen());
        bash.line("exit");
    }
}

#[test]
fn a_program_that_minds_ctrl_c_itself_goes_on() {
    let place = instance("bio");
    let mut bash = Shell::Bash.interactive(&place, "");
    let script = "trap \"echo g\"\"ot it\" INT; echo be\"\"gin; sleep 0.3; sleep 0.3; sleep 0.3; echo e\"\"nd";
    bash.line(&format!("ctr exec --join direct bio sh -c '{script}'"));
    bash.wait_for("\nbegin");
    bash.ctrl('c');
    bash.wait_for("\nend");
    assert_eq!(
        bash.screen().matches("got it").count(),
        1,
        "{}",
        bash.screen()
    );
    assert_eq!(bash.eval("echo $?"), "0\n");
}

#[test]
fn job_control_works_as_for_a_local_command() {
    let place = instance("bio");
    for shell in Shell::ALL {
        let mut session = shell.interactive(&place, "");
        session.line(
            "ctr exec --join direct bio sh -c 'echo be\"\"gin; read word; echo g\"\"ot:$word'",
        );
        session.wait_for("\nbegin");
        let all = place.processes();
        let ctr = all.iter().find(|one| one.title.contains("ctr exec"));
        let ctr = ctr.expect("it runs").pid as u32;
        let waits = |what: &str, is_there: &dyn Fn() -> bool| {
            eventually(what, || is_there().then_some(()));
        };
        session.ctrl('z');
        waits("it has stopped", &|| state(ctr) == Some('T'));
        session.eval("jobs > /dev/null");
        session.line("fg");
        waits("it has the terminal", &|| {
            state(ctr) == Some('S') && has_terminal(ctr)
        });
        session.send("hello\n");
        session.wait_for("got:hello");
        session.line("exit");
    }
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

/// Says each signal that it gets, at once, and ends at SIGTERM.
const COUNTS: &str = "
import signal
kinds = [signal.SIGINT, signal.SIGUSR1, signal.SIGUSR2, signal.SIGTERM]
signal.pthread_sigmask(signal.SIG_BLOCK, kinds)
print('ready', flush=True)
got = None
while got != signal.SIGTERM:
    got = signal.sigwaitinfo(kinds).si_signo
    print(signal.Signals(got).name, flush=True)
";

/// The command that counts, in the background of a shell of its own.
struct Counting {
    bash: Session,
    ctr: Pid,
    file: PathBuf,
    expected: String,
}

impl Counting {
    fn begin(place: &Place, first: &str) -> Counting {
        place.start("bio", &["-b", "hostos"]);
        place.write("work/counts", format!("import os\n{first}\n{COUNTS}"));
        let mut bash = Shell::Bash.interactive(place, "");
        bash.eval("ctr exec --join direct bio python3 counts > told & echo $! > pid");
        let file = place.work().join("told");
        wait_for(&file, "ready");
        let pid = fs::read_to_string(place.work().join("pid")).unwrap();
        let ctr = Pid::from_raw(pid.trim().parse().unwrap());
        let expected = String::from("ready\n");
        Counting {
            bash,
            ctr,
            file,
            expected,
        }
    }

    fn send(&mut self, to: Pid, signal: Signal) {
        kill(to, signal).unwrap();
        self.has_got(signal);
    }

    fn has_got(&mut self, signal: Signal) {
        self.expected += &format!("{signal}\n");
        wait_for(&self.file, &self.expected);
    }

    /// Nothing came that was not sent.
    fn end(mut self) {
        self.send(self.ctr, Signal::SIGTERM);
        self.bash.eval(&format!("wait {}", self.ctr));
        let told = fs::read_to_string(&self.file).unwrap();
        assert_eq!(told, self.expected);
    }
}

#[test]
fn what_a_terminal_sends_arrives_once() {
    // Also at a command that leads a process group of its own, as `timeout` does.
    for first in ["", "os.setpgrp()"] {
        let place = Place::new();
        let mut counting = Counting::begin(&place, first);
        let ctr = counting.ctr;
        counting.send(ctr, Signal::SIGUSR2);
        counting.bash.line("fg");
        eventually("it has the terminal", || {
            has_terminal(ctr.as_raw() as u32).then_some(())
        });
        for _ in 0..3 {
            counting.bash.ctrl('c');
            counting.has_got(Signal::SIGINT);
            counting.send(ctr, Signal::SIGINT);
        }
        counting.bash.ctrl('z');
        eventually("it has stopped", || {
            (state(ctr.as_raw() as u32) == Some('T')).then_some(())
        });
        counting.bash.eval("bg");
        counting.end();
    }
}

#[test]
fn what_stopped_with_the_whole_group_goes_on_with_ctr() {
    let place = Place::new();
    let mut counting = Counting::begin(&place, "");
    let ctr = counting.ctr;
    let command = processes::child(ctr.as_raw());
    kill(Pid::from_raw(-ctr.as_raw()), Signal::SIGSTOP).unwrap();
    for pid in [ctr.as_raw(), command.pid] {
        eventually("it has stopped", || {
            (state(pid as u32) == Some('T')).then_some(())
        });
    }
    kill(ctr, Signal::SIGCONT).unwrap();
    counting.send(ctr, Signal::SIGUSR1);
    counting.end();
}

#[test]
fn a_signal_to_the_whole_group_is_not_lost() {
    let place = Place::new();
    let mut counting = Counting::begin(&place, "os.setpgrp()");
    let ctr = counting.ctr;
    // The command is in another group, and has it from `ctr` alone.
    counting.send(Pid::from_raw(-ctr.as_raw()), Signal::SIGUSR1);
    counting.end();
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

/// Leads the session of a terminal, and the terminal goes away: tells what it ended by.
const CLOSES: &str = "
import os, pty, signal
pid, terminal = pty.fork()
if pid == 0:
    words = ['sh', '-c', 'echo ready; exec sleep 12345']
    os.execvp('ctr', ['ctr', 'exec', '--join', 'direct', 'bio', *words])
while b'ready' not in os.read(terminal, 100):
    pass
os.close(terminal)
signal.alarm(20)
print(signal.Signals(os.WTERMSIG(os.waitpid(pid, 0)[1])).name)
";

#[test]
fn the_end_of_its_terminal_ends_what_leads_the_session() {
    let place = instance("bio");
    let output = place.program("python3").args(["-c", CLOSES]).ok();
    assert_eq!(output.text(), "SIGHUP\n");
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
