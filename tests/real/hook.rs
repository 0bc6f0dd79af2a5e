//! The prompt hook: it notices what became of the active instance, and costs nothing while nothing
//! did.

use std::fs;

use crate::prompt::environment;
use crate::support::{Place, Session, Shell, eventually, here};

fn init(shell: Shell) -> String {
    shell.eval(&format!("ctr init {}", shell.name()))
}

/// A shell at its prompt, with the integration loaded and `bio` active.
fn active(place: &Place, shell: Shell) -> Session {
    let mut session = shell.interactive(place, &init(shell));
    assert_eq!(session.eval(&shell.eval("ctr env bio")), "", "{shell:?}");
    assert_eq!(session.prompt(), "(ctr:bio) READY>", "{shell:?}");
    session
}

/// Presses Enter at the prompt until it is this one.
#[track_caller]
fn prompt_becomes(session: &mut Session, prompt: &str) {
    // One whose process is about to end still runs, as far as anybody can see.
    eventually(prompt, || {
        session.line("");
        std::thread::sleep(std::time::Duration::from_millis(50));
        (session.cursor_line().trim_end() == prompt).then_some(())
    });
}

#[track_caller]
fn says_once(session: &mut Session, words: &str) {
    // Two more prompts, at which it could be said again.
    session.eval(":");
    session.eval(":");
    let screen = session.screen().replace('\n', " ");
    assert_eq!(screen.matches(words).count(), 1, "{words}: {screen}");
}

#[test]
fn an_instance_that_was_stopped_elsewhere_is_left() {
    for shell in Shell::ALL {
        let place = Place::new();
        place.start("bio", &["-e", "K=of bio"]);
        let mut session = shell.interactive(&place, &init(shell));
        let before = environment(&mut session);
        session.eval(&shell.eval("ctr env bio"));
        assert_eq!(session.eval("echo $K"), "of bio\n", "{shell:?}");
        place.ctr(["stop", "bio"]).ok();
        prompt_becomes(&mut session, "READY>");
        says_once(&mut session, "left `bio`: it was stopped");
        assert_eq!(environment(&mut session), before, "{shell:?}");
    }
}

#[test]
fn an_instance_that_died_is_left_with_the_reason() {
    for shell in Shell::ALL {
        let place = Place::new();
        place.start("bio", &[]);
        let mut session = active(&place, shell);
        place.crash("bio");
        prompt_becomes(&mut session, "READY>");
        says_once(&mut session, "left `bio`: it is dead (");
    }
}

#[test]
fn an_instance_that_was_kept_stopped_is_left() {
    let place = Place::new();
    place.start("bio", &[]);
    let mut session = active(&place, Shell::Bash);
    place.ctr(["stop", "--keep", "bio"]).ok();
    prompt_becomes(&mut session, "READY>");
    says_once(&mut session, "left `bio`: it is stopped (");
}

#[test]
fn a_new_environment_is_taken_over() {
    for shell in Shell::ALL {
        let mut place = Place::new();
        place.set("OLD", "of the host");
        place.start("bio", &["-e", "K=1", "-e", "OLD=of bio"]);
        let mut session = active(&place, shell);
        place.ctr(["restart", "bio"]).ok();
        session.eval(":");
        assert_eq!(session.eval("echo $K $OLD"), "1 of bio\n", "{shell:?}");
        let start = ["start", "--replace", "-e", "K=2", "-e", "NEW=n", "bio"];
        place.ctr(start).ok();
        session.eval(":");
        assert_eq!(
            session.eval("echo $K $OLD $NEW"),
            "2 of the host n\n",
            "{shell:?}"
        );
        assert_eq!(session.prompt(), "(ctr:bio) READY>", "{shell:?}");
        assert_eq!(
            session.eval(&shell.eval("ctr env --unset")),
            "",
            "{shell:?}"
        );
        assert_eq!(
            session.eval("echo $K $OLD $NEW"),
            "of the host\n",
            "{shell:?}"
        );
    }
}

#[test]
fn an_activation_from_another_host_is_left() {
    let place = Place::new();
    place.start("bio", &["-e", "K=v"]);
    for shell in Shell::ALL {
        let run = place
            .program(shell.name())
            .env("CTR_INSTANCE", "bio")
            .env("CTR_PLACE", "another-boot:1")
            .env("CTR_PROCESS", "1:1");
        let mut session = shell.session(&place, run, &init(shell));
        assert_eq!(session.prompt(), "READY>", "{shell:?}");
        says_once(
            &mut session,
            "left `bio`: it was made active on another host",
        );
        assert_eq!(
            session.eval("echo \"[$CTR_INSTANCE]\""),
            "[]\n",
            "{shell:?}"
        );
    }
}

#[test]
fn a_start_that_is_under_way_is_waited_for() {
    let mut place = Place::new();
    place.start("bio", &[]);
    let mut session = active(&place, Shell::Bash);
    // Apptainer starts it again, and takes its time.
    let (apptainer, gate, waits) = place.gated_apptainer();
    place.set("CTR_APPTAINER", &apptainer);
    let mut restart = place.ctr(["restart", "bio"]).spawn();
    eventually("the restart", || waits.exists().then_some(()));
    session.eval(":");
    assert_eq!(session.prompt(), "(ctr:bio) READY>");
    fs::write(&gate, "").unwrap();
    assert!(restart.wait().unwrap().success());
    session.eval(":");
    assert_eq!(session.prompt(), "(ctr:bio) READY>");
    says_once(&mut session, "`bio` was started again");
}

#[test]
fn an_idle_prompt_runs_nothing_and_reads_nothing_on_the_home() {
    for shell in Shell::ALL {
        let place = Place::new();
        place.start("bio", &["-e", "K=v"]);
        let trace = place.path("trace");
        let calls =
            "trace=clone,clone3,fork,vfork,execve,openat,open,stat,newfstatat,access,readlink";
        let run = place
            .program("/usr/bin/strace")
            .args(["-f", "-qq", "-o"])
            .arg(&trace)
            .args(["-e", calls, shell.name()]);
        let mut session = shell.session(&place, run, &init(shell));
        session.eval(&shell.eval("ctr env bio"));
        // Whatever is loaded lazily is loaded by now.
        for _ in 0..2 {
            session.line("");
            session.eval(":");
        }
        let lines = || fs::read_to_string(&trace).unwrap();
        let before = lines().len();
        for _ in 0..5 {
            session.line("");
        }
        session.eval(":");
        // A note is not the hook's business.
        place.ctr(["note", "bio", "K=something else"]).ok();
        session.eval(":");
        let traced = lines();
        let idle = &traced[before..];
        assert!(
            idle.contains("/proc/"),
            "{shell:?} looked at nothing:\n{idle}"
        );
        // A thread of fish's sends no SIGCHLD when it ends, a process does.
        let starts = |line: &&str| {
            let calls = ["SIGCHLD", "vfork(", "execve("];
            calls.iter().any(|call| line.contains(call))
        };
        assert_eq!(idle.lines().find(starts), None, "{shell:?}");
        let state = place.path("state");
        let config = place.path("config/ctr");
        for folder in [state, config] {
            assert!(
                !idle.contains(folder.to_str().unwrap()),
                "{shell:?}\n{idle}"
            );
        }
    }
}

#[test]
fn the_statuses_of_a_pipe_are_kept() {
    let place = Place::new();
    place.start("bio", &[]);
    for (shell, hook, statuses) in here([
        (Shell::Bash, "", "${PIPESTATUS[*]}"),
        (Shell::Bash, "PROMPT_COMMAND='true'", "${PIPESTATUS[*]}"),
        (
            Shell::Bash,
            "PROMPT_COMMAND=(true true)",
            "${PIPESTATUS[*]}",
        ),
        (Shell::Zsh, "", "$pipestatus"),
        (Shell::Fish, "", "$pipestatus"),
    ]) {
        let rc = [hook, &init(shell), &shell.eval("ctr env bio")].join("\n");
        let mut session = shell.interactive(&place, &rc);
        session.line("sh -c 'exit 3' | true | sh -c 'exit 5'");
        session.line(&format!("echo statuses: {statuses}"));
        session.wait_for("\nstatuses: 3 0 5");
    }
}

#[test]
fn a_prompt_of_the_user_sees_the_status_of_the_last_command() {
    let place = Place::new();
    place.start("bio", &[]);
    for (shell, prompt) in here([
        (Shell::Bash, "PS1='[$?] READY> '"),
        (Shell::Bash, "PROMPT_COMMAND='PS1=\"[$?] READY> \"'"),
        (Shell::Zsh, "PS1='[%?] READY> '"),
        (Shell::Zsh, "setopt prompt_subst; PS1='[$?] READY> '"),
        (
            Shell::Fish,
            "function fish_prompt; printf '[%s] READY> ' \"$pipestatus\"; end",
        ),
    ]) {
        for ours_first in [false, true] {
            let active = format!("{}\n{}", init(shell), shell.eval("ctr env bio"));
            let rc = match ours_first {
                true => format!("{active}\n{prompt}"),
                false => format!("{prompt}\n{active}"),
            };
            let mut session = shell.interactive(&place, &rc);
            session.line("sh -c 'exit 42'");
            session.wait_for("[42] READY>");
        }
    }
}

#[test]
fn prompts_that_are_set_after_the_integration_are_marked_too() {
    let place = Place::new();
    place.start("bio", &[]);
    for (shell, prompt) in here([
        (Shell::Bash, "PS1='later READY> '"),
        (Shell::Zsh, "PS1='later READY> '"),
        (
            Shell::Fish,
            "function fish_prompt; printf 'later READY> '; end",
        ),
    ]) {
        let rc = [&init(shell), prompt, &shell.eval("ctr env bio")].join("\n");
        let session = shell.interactive(&place, &rc);
        assert_eq!(session.prompt(), "(ctr:bio) later READY>", "{shell:?}");
    }
}

#[test]
fn the_options_of_the_user_do_not_matter() {
    let place = Place::new();
    place.start("bio", &["-e", "K=a b"]);
    for (shell, options) in here([
        (
            Shell::Bash,
            "set -uo pipefail; shopt -s nullglob failglob; IFS=:; alias export=false read=false local=false",
        ),
        (
            Shell::Zsh,
            "setopt no_unset pipe_fail null_glob ksh_arrays posix_identifiers sh_word_split glob_subst; alias export=false read=false local=false",
        ),
        (
            Shell::Zsh,
            "setopt ksh_glob no_bare_glob_qual err_return warn_create_global; IFS=:",
        ),
    ]) {
        let rc = [options, &init(shell), &shell.eval("ctr env bio")].join("\n");
        let mut session = shell.interactive(&place, &rc);
        assert_eq!(session.prompt(), "(ctr:bio) READY>", "{options}");
        assert_eq!(session.eval("echo \"$K\""), "a b\n", "{options}");
        assert_eq!(
            session.eval("ctr leave; echo \"[${K-none}]\""),
            "[none]\n",
            "{options}"
        );
        assert_eq!(session.prompt(), "READY>", "{options}");
        let screen = session.screen();
        for complaint in ["not set", "unbound", "found", "rror", "scalar parameter"] {
            assert!(!screen.contains(complaint), "{options}:\n{screen}");
        }
    }
}

#[test]
fn direnv_and_ctr_go_on_beside_each_other() {
    let place = Place::new();
    place.start("bio", &["-e", "K=v"]);
    let project = place.folder("work/project");
    let file = place.write("work/project/.envrc", "export OF_DIRENV=yes\n");
    place
        .program("/usr/bin/direnv")
        .arg("allow")
        .arg(&file)
        .ok();
    for shell in Shell::ALL {
        let theirs = shell.eval(&format!("direnv hook {}", shell.name()));
        for order in [[&theirs, &init(shell)], [&init(shell), &theirs]] {
            // Twice, as when an rc file is loaded again.
            let rc = [order[0], order[1], order[0], order[1]]
                .map(String::as_str)
                .join("\n");
            let mut session = shell.interactive(&place, &rc);
            session.eval(&shell.eval("ctr env bio"));
            session.line(&format!("cd {}", project.display()));
            let variables = "echo \"$OF_DIRENV,$K\"";
            session.eval(":");
            assert_eq!(session.eval(variables), "yes,v\n", "{order:?}");
            session.line("sh -c 'exit 42'");
            let status = if shell == Shell::Fish {
                "$status"
            } else {
                "$?"
            };
            session.line(&format!("echo status:{status}"));
            session.wait_for("\nstatus:42");
            session.eval(&shell.eval("ctr env --unset"));
            session.line("cd ..");
            session.eval(":");
            assert_eq!(session.eval(variables), ",\n", "{order:?}");
        }
    }
}

#[test]
fn a_window_of_tmux_has_the_instance_and_notices_its_end() {
    let place = Place::new();
    place.start("bio", &["-e", "K=v"]);
    let socket = place.path("tmux");
    let tmux = |words: &[&str]| {
        let run = place.program("/usr/bin/tmux").arg("-S").arg(&socket);
        run.args(["-f", "/dev/null"]).args(words)
    };
    for shell in Shell::ALL {
        place.start("bio", &["--if-needed", "-e", "K=v"]);
        let mut session = active(&place, shell);
        let window = match shell {
            Shell::Bash => format!(
                "bash --noprofile --rcfile {}",
                place.path("rc/bashrc").display()
            ),
            Shell::Zsh => "zsh -d".to_owned(),
            _ => "fish --private".to_owned(),
        };
        let start = format!(
            "tmux -S {} -f /dev/null new-session -d -x 80 -y 20 '{window}'",
            socket.display()
        );
        assert_eq!(session.eval(&start), "", "{shell:?}");
        let screen = || tmux(&["capture-pane", "-p"]).ok().text().to_owned();
        eventually("the prompt in the window", || {
            screen().contains("(ctr:bio) READY>").then_some(())
        });
        tmux(&["send-keys", "echo in:$K", "Enter"]).ok();
        eventually("its variable", || {
            screen().contains("\nin:v\n").then_some(())
        });
        place.ctr(["stop", "bio"]).ok();
        tmux(&["send-keys", "", "Enter"]).ok();
        eventually("the end", || screen().contains("left `bio`").then_some(()));
        tmux(&["kill-server"]).ok();
    }
}
