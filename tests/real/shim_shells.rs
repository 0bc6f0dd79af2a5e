//! Shims in the user's own shell: what it remembers of commands, other shells, TAB.

use crate::support::{Place, Session, Shell, Shells};

const SAYS: &str = "#!/bin/sh\necho of $CTR_INSTANCE\n";

/// Two instances that have `demo` and `tool`; so has the host.
fn place() -> Place {
    let place = Place::new();
    place.overlay("demo/1.0", &[("bin/demo", SAYS), ("bin/tool", SAYS)]);
    for name in ["bio", "two"] {
        place.start(name, &["-o", "demo/1.0"]);
    }
    place.write_program("bin/demo", "#!/bin/sh\necho of the host\n");
    place
}

fn open(shell: Shell, place: &Place) -> Session {
    shell.interactive(place, &shell.eval(&format!("ctr init {}", shell.name())))
}

const SHELLS: Shells = Shells(&[
    Shell::Bash,
    Shell::Zsh,
    Shell::Fish,
    Shell::Sh,
    Shell::Tcsh,
    Shell::Elvish,
    Shell::Xonsh,
]);

/// What `demo` prints, with what comes before it on the same line.
#[track_caller]
fn eval(session: &mut Session, commands: &str) -> String {
    session.eval(commands).trim_end().to_owned()
}

#[test]
fn what_the_shell_remembers_of_a_command_does_not_stay() {
    for shell in SHELLS {
        let place = place();
        let mut session = open(shell, &place);
        assert_eq!(eval(&mut session, "demo"), "of the host", "{shell:?}");
        session.eval("ctr use bio");
        assert_eq!(eval(&mut session, "demo"), "of the host", "{shell:?}");
        session.eval("ctr shim add bio demo tool");
        assert_eq!(eval(&mut session, "demo"), "of bio", "{shell:?}");
        assert_eq!(eval(&mut session, "tool"), "of bio", "{shell:?}");
        session.eval("ctr shim remove bio demo");
        assert_eq!(eval(&mut session, "demo"), "of the host", "{shell:?}");
        session.eval("ctr -q shim add bio demo");
        if shell == Shell::Tcsh {
            session.eval("rehash"); // it knows a command by its first word
        }
        assert_eq!(eval(&mut session, "demo"), "of bio", "{shell:?}");
        session.eval("ctr leave");
        assert_eq!(eval(&mut session, "demo"), "of the host", "{shell:?}");
    }
}

#[test]
fn an_open_shell_finds_the_hosts_command_at_its_next_prompt() {
    for shell in SHELLS {
        if shell == Shell::Sh {
            continue; // its prompt runs nothing
        }
        let place = place();
        place.ctr(["shim", "add", "bio", "demo", "tool"]).ok();
        let mut session = open(shell, &place);
        session.eval("ctr use bio");
        assert_eq!(eval(&mut session, "demo"), "of bio", "{shell:?}");
        assert_eq!(eval(&mut session, "tool"), "of bio", "{shell:?}");
        place.ctr(["stop", "bio"]).ok();
        session.line("");
        session.wait_for("left `bio`: it was stopped");
        assert_eq!(eval(&mut session, "demo"), "of the host", "{shell:?}");
        session.prompt();
        session.line("tool");
        session.until("there is no such command", |terminal| {
            let screen = terminal.screen().to_lowercase();
            let is_said = screen.contains("not found") || screen.contains("unknown command");
            is_said.then_some(())
        });
        assert!(
            !session.screen().contains("of bio"),
            "{shell:?}: {}",
            session.screen()
        );
    }
}

#[test]
fn a_folder_that_was_lost_is_made_again_at_the_next_prompt() {
    let with_a_hook = Shells(&[
        Shell::Bash,
        Shell::Zsh,
        Shell::Fish,
        Shell::Elvish,
        Shell::Xonsh,
    ]);
    for shell in with_a_hook {
        let place = place();
        place.ctr(["shim", "add", "bio", "demo"]).ok();
        let mut session = open(shell, &place);
        session.eval("ctr use bio");
        assert_eq!(eval(&mut session, "demo"), "of bio", "{shell:?}");
        session.prompt(); // whose hook would make it again meanwhile
        std::fs::remove_dir_all(place.path("run/ctr")).unwrap();
        session.line("");
        session.prompt();
        assert_eq!(eval(&mut session, "demo"), "of bio", "{shell:?}");
    }
}

#[test]
fn a_shell_whose_session_is_gone_gets_a_folder_elsewhere() {
    let elsewhere = format!("/tmp/ctr-{}/shims/lost", nix::unistd::getuid());
    for shell in Shell::ALL {
        let place = place();
        place.start("lost", &["-o", "demo/1.0"]);
        place.ctr(["shim", "add", "lost", "demo"]).ok();
        let mut session = open(shell, &place);
        session.eval("ctr use lost");
        assert_eq!(eval(&mut session, "demo"), "of lost", "{shell:?}");
        // As with the end of the user's last login.
        session.prompt();
        std::fs::remove_dir_all(place.path("run")).unwrap();
        session.line("");
        session.prompt();
        assert_eq!(eval(&mut session, "demo"), "of lost", "{shell:?}");
        let path = eval(&mut session, "printenv PATH");
        assert!(
            path.starts_with(&format!("{elsewhere}:")),
            "{shell:?}: {path}"
        );
        assert_eq!(path.matches("/shims/").count(), 1, "{shell:?}: {path}");
        place.ctr(["stop", "lost"]).ok();
        assert!(!std::path::Path::new(&elsewhere).exists());
        place.folder("run");
    }
}

#[test]
fn two_shells_with_two_instances_do_not_see_each_others() {
    let place = place();
    place.ctr(["shim", "add", "bio", "demo"]).ok();
    place.ctr(["shim", "add", "two", "tool", "demo"]).ok();
    for shell in Shell::ALL {
        let mut one = open(shell, &place);
        let mut two = open(shell, &place);
        one.eval("ctr use bio");
        two.eval("ctr use two");
        assert_eq!(eval(&mut one, "demo"), "of bio", "{shell:?}");
        assert_eq!(eval(&mut two, "demo"), "of two", "{shell:?}");
        assert_eq!(eval(&mut two, "tool"), "of two", "{shell:?}");
        let missing = eval(&mut one, "command -v tool; or true || true");
        assert!(!missing.contains("shims"), "{shell:?}: {missing}");
        // The one that is active in a shell is left when another is made active.
        one.eval("ctr use two");
        assert_eq!(eval(&mut one, "demo"), "of two", "{shell:?}");
        let path = eval(&mut one, "printenv PATH");
        assert_eq!(path.matches("/shims/").count(), 1, "{shell:?}: {path}");
    }
}

#[test]
fn it_works_in_a_pipe_with_aliases_and_files_of_the_shell() {
    for shell in Shell::ALL {
        let place = Place::new();
        place.overlay(
            "demo/1.0",
            &[("bin/upper", "#!/bin/sh\ntr a-z A-Z \"$@\"\n")],
        );
        place.start("bio", &["-o", "demo/1.0"]);
        place.ctr(["shim", "add", "bio", "upper"]).ok();
        place.write("work/some text", "one\ntwo\n");
        let mut session = open(shell, &place);
        session.eval("ctr use bio");
        assert_eq!(
            eval(&mut session, "cat 'some text' | upper | head -n 1"),
            "ONE",
            "{shell:?}"
        );
        session.eval("alias up='upper'");
        assert_eq!(
            eval(&mut session, "up < 'some text' | tail -n 1"),
            "TWO",
            "{shell:?}"
        );
        session.eval("upper < 'some text' > out");
        assert_eq!(
            std::fs::read_to_string(place.work().join("out")).unwrap(),
            "ONE\nTWO\n"
        );
    }
}
