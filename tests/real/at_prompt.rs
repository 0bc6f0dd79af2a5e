//! Shells whose `ctr init` is for the prompt, in terminals.

use crate::shells::assert_same;
use crate::support::{Place, Session, Shell, eventually, get, noted};

/// Those whose `ctr init` is for the prompt.
const AT_THE_PROMPT: [Shell; 2] = [Shell::Elvish, Shell::Xonsh];

/// A shell in a terminal that has loaded the integration, twice.
#[track_caller]
fn at_the_prompt(place: &Place, shell: Shell, options: &str) -> Session {
    let init = shell.eval(&format!("ctr init {} {options}", shell.name()));
    shell.interactive(place, &format!("{init}\n{init}"))
}

/// Has the shell write the environment of a child, as `noted` reads it.
#[track_caller]
fn note(place: &Place, session: &mut Session, name: &str) {
    let (part, whole) = (place.path("part"), place.path(name));
    let write = session.shell().environment_to(&part);
    // Xonsh 0.24 loses what is typed before its prompt is there.
    session.prompt();
    session.line(&write);
    session.prompt();
    session.line(&format!("mv {} {}", part.display(), whole.display()));
    eventually("it is noted", || whole.exists().then_some(()));
}

/// Types a command and waits for the prompt that it should lead to.
#[track_caller]
fn prompt_becomes(session: &mut Session, command: &str, prompt: &str) {
    session.prompt();
    session.line(command);
    session.until(prompt, |terminal| {
        (terminal.cursor_line().trim_end() == prompt).then_some(())
    });
}

#[test]
fn use_and_leave_act_on_the_shell() {
    for shell in AT_THE_PROMPT {
        let mut place = Place::new();
        place.set("OLD", "of the host");
        place.start("bio", &["-e", "K=it's\n$x", "-e", "OLD=of bio"]);
        let mut session = at_the_prompt(&place, shell, "");
        // Xonsh exports the status of a command, from the first one on.
        note(&place, &mut session, "first");
        note(&place, &mut session, "before");
        prompt_becomes(&mut session, "ctr use bio", "(ctr:bio) READY>");
        note(&place, &mut session, "active");
        prompt_becomes(&mut session, "ctr leave", "READY>");
        note(&place, &mut session, "after");
        let active = noted(&place, "active");
        let seen = ["CTR_INSTANCE", "K", "OLD"].map(|key| get(&active, key));
        assert_eq!(
            seen,
            [Some("bio"), Some("it's\n$x"), Some("of bio")],
            "{shell:?}"
        );
        assert_same(&place, shell.name());
        // One that is not there is left where it was.
        session.prompt();
        session.line("ctr use nosuch");
        session.wait_for("no such instance: nosuch");
        assert_eq!(session.prompt(), "READY>", "{shell:?}");
    }
}

#[test]
fn a_stop_from_another_shell_is_noticed_and_said_once() {
    for shell in AT_THE_PROMPT {
        let place = Place::new();
        place.start("bio", &["-e", "K=v"]);
        let mut session = at_the_prompt(&place, shell, "");
        prompt_becomes(&mut session, "ctr use bio", "(ctr:bio) READY>");
        place.ctr(["stop", "bio"]).ok();
        prompt_becomes(&mut session, "", "READY>");
        note(&place, &mut session, "after");
        assert_eq!(get(&noted(&place, "after"), "K"), None, "{shell:?}");
        let said = session
            .screen()
            .matches("left `bio`: it was stopped")
            .count();
        assert_eq!(said, 1, "{shell:?}: {}", session.screen());
    }
}

#[test]
fn everything_else_is_the_program() {
    for shell in AT_THE_PROMPT {
        let place = Place::new();
        place.start("bio", &[]);
        let mut session = at_the_prompt(&place, shell, "--cmd box --no-prompt");
        let out = place.path("out");
        session.line(&format!(
            "echo in | box exec bio sh -c 'cat; for word; do echo \"<$word>\"; done' sh 'a  b' '' '*' '$x' > {}",
            out.display()
        ));
        let expected = "in\n<a  b>\n<>\n<*>\n<$x>\n";
        eventually("the program has run", || {
            (std::fs::read_to_string(&out).ok()? == expected).then_some(())
        });
        // A program that needs the terminal has it.
        session.line("box exec bio sh -c 'test -t 0 && test -t 1 && echo a ter\"\"minal'");
        session.wait_for("a terminal");
        session.line("box use bio");
        note(&place, &mut session, "active");
        assert_eq!(
            get(&noted(&place, "active"), "CTR_INSTANCE"),
            Some("bio"),
            "{shell:?}"
        );
        assert_eq!(session.prompt(), "READY>", "{shell:?}");
    }
}
