//! A command that is joined directly, at a terminal: Ctrl-C, job control, and what goes to a whole
//! process group.

use std::fs;
use std::path::PathBuf;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::join_signals::{instance, state, wait_for};
use crate::support::{Place, Session, Shell, eventually, processes};

/// True when its process group is the one in the foreground of its terminal.
fn has_terminal(pid: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let fields: Vec<&str> = stat.rsplit(") ").next().unwrap().split(' ').collect();
    fields.len() > 5 && fields[2] == fields[5]
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
