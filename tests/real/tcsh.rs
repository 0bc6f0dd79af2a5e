//! The prompt of tcsh in a terminal, and the rc file around it.

use std::fs;
use std::path::Path;

use crate::support::{Place, Session, Shell, eventually};

/// The line that the README gives for an rc file.
const INIT: &str = "eval \"`ctr init tcsh`\"";

fn session(place: &Place, rc: &str) -> Session {
    Shell::Tcsh.interactive(place, rc)
}

/// Has the shell do something that says nothing, and gives the new prompt.
#[track_caller]
fn prompt_after(session: &mut Session, commands: &str) -> String {
    assert_eq!(session.eval(commands), "");
    session.prompt()
}

#[test]
fn the_prompt_shows_the_active_instance_until_it_is_left() {
    let place = Place::new();
    place.start("one", &[]);
    place.start("two.x-y", &[]);
    let mut session = session(&place, INIT);
    assert_eq!(session.prompt(), "READY>");
    assert_eq!(
        prompt_after(&mut session, "ctr use one"),
        "(ctr:one) READY>"
    );
    assert_eq!(
        prompt_after(&mut session, "ctr use one"),
        "(ctr:one) READY>"
    );
    let by_hand = "eval `ctr env two.x-y`";
    assert_eq!(prompt_after(&mut session, by_hand), "(ctr:two.x-y) READY>");
    // Loading it again, and another prompt of the user's, show it once.
    assert_eq!(prompt_after(&mut session, INIT), "(ctr:two.x-y) READY>");
    let other = "set prompt = 'OTHER READY>'";
    assert_eq!(
        prompt_after(&mut session, other),
        "(ctr:two.x-y) OTHER READY>"
    );
    assert_eq!(prompt_after(&mut session, "ctr leave"), "OTHER READY>");
}

#[test]
fn the_prompt_can_be_switched_off() {
    let place = Place::new();
    place.start("bio", &[]);
    for rc in [
        format!("setenv CTR_PROMPT off\n{INIT}"),
        "eval \"`ctr init tcsh --no-prompt`\"".to_owned(),
    ] {
        let mut session = session(&place, &rc);
        assert_eq!(prompt_after(&mut session, "ctr use bio"), "READY>", "{rc}");
        assert_eq!(
            session.eval("echo $CTR_INSTANCE:q \"$prompt:q\""),
            "bio READY> \n",
            "{rc}"
        );
    }
}

#[test]
fn the_precmd_and_the_aliases_of_the_user_go_on() {
    let place = Place::new();
    place.start("bio", &["-e", "K=v"]);
    let rc = format!(
        "alias precmd 'echo \"their  hook\"'\nalias rm 'rm -i'\nset noclobber\n{INIT}\n{INIT}"
    );
    let mut session = session(&place, &rc);
    assert_eq!(
        prompt_after(&mut session, "ctr use bio"),
        "(ctr:bio) READY>"
    );
    assert_eq!(
        session.screen().matches("their  hook").count(),
        2,
        "{}",
        session.screen()
    );
    session.line("sh -c 'exit 42'");
    session.line("echo status:$status");
    session.wait_for("\nstatus:42");
    assert!(place.glob("run/ctr/code/*").is_empty());
}

#[test]
fn a_stop_from_another_shell_is_noticed_and_said_once() {
    let mut place = Place::new();
    place.set("K", "of the host");
    place.start("bio", &["-e", "K=of bio"]);
    let mut session = session(&place, INIT);
    assert_eq!(
        prompt_after(&mut session, "ctr use bio"),
        "(ctr:bio) READY>"
    );
    place.ctr(["stop", "bio"]).ok();
    // This one still has its old prompt; the next is without, and so are all others.
    session.line("");
    session.wait_for("left `bio`: it was stopped");
    assert_eq!(
        session.eval("echo $K $?CTR_INSTANCE $?CTR_PROCESS"),
        "of the host 0 0\n"
    );
    assert_eq!(session.prompt(), "READY>");
    assert_eq!(session.screen().matches("left `bio`").count(), 1);
}

#[test]
fn the_environment_of_one_that_began_again_is_taken_over() {
    let place = Place::new();
    place.start("bio", &["-e", "K=first"]);
    let mut session = session(&place, INIT);
    assert_eq!(
        prompt_after(&mut session, "ctr use bio"),
        "(ctr:bio) READY>"
    );
    place.start("bio", &["--replace", "-e", "K=second"]);
    session.line("");
    session.wait_for("its environment is taken over");
    assert_eq!(session.eval("echo $K"), "second\n");
    assert_eq!(session.prompt(), "(ctr:bio) READY>");
}

#[test]
fn an_idle_prompt_starts_no_process() {
    let place = Place::new();
    place.start("bio", &[]);
    let trace = place.path("trace");
    let run = place
        .program("strace")
        .args([
            "-f",
            "-e",
            "trace=execve,fork,vfork,clone,clone3",
            "-e",
            "signal=none",
            "-o",
        ])
        .arg(&trace)
        .arg("tcsh");
    let mut session = Shell::Tcsh.session(&place, run, INIT);
    assert_eq!(
        prompt_after(&mut session, "ctr use bio"),
        "(ctr:bio) READY>"
    );
    let before = calls(&trace).len();
    for _ in 0..5 {
        session.line("");
    }
    session.line("/bin/true");
    let new = eventually("the program is seen", || {
        let new = calls(&trace).split_off(before);
        new.iter()
            .any(|call| call.contains("/bin/true"))
            .then_some(new)
    });
    // The one process of the one program.
    assert_eq!(new.len(), 2, "{new:#?}");
}

/// The calls that began a process or a program.
fn calls(trace: &Path) -> Vec<String> {
    let text = fs::read_to_string(trace).unwrap();
    let is_call = |line: &&str| line.contains('(') && !line.contains("+++");
    text.lines().filter(is_call).map(str::to_owned).collect()
}
