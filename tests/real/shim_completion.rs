//! TAB and shims: what `ctr shim` takes, and the arguments of a command that is one.

use crate::completion::{init, tab};
use crate::support::{Place, Session, Shell, here};

const PROGRAM: &str = "#!/bin/sh\n";

/// `bio` with `wonderful`, a shim, and `wondrous`, which is none.
fn place() -> Place {
    let place = Place::new();
    let files = [("bin/wonderful", PROGRAM), ("bin/wondrous", PROGRAM)];
    place.overlay("demo/1.0", &files);
    place.start("bio", &["-o", "demo/1.0"]);
    place.ctr(["shim", "add", "bio", "wonderful"]).ok();
    place.write("work/a file.txt", "");
    place
}

fn active(shell: Shell, place: &Place, more: &str) -> Session {
    let mut session = shell.interactive(place, &format!("{}\n{more}", init(shell, "")));
    session.eval("ctr use bio");
    session
}

/// The same in a shell whose prompt has the instance in it.
#[track_caller]
fn tab_at(session: &mut Session, typed: &str, expected: &str) {
    session.prompt();
    session.send(typed);
    session.send("\t");
    let line = format!("(ctr:bio) READY> {expected}");
    session.until(&format!("{typed:?} becomes {expected:?}"), |terminal| {
        (terminal.cursor_line().trim_end() == line).then_some(())
    });
    session.ctrl('u');
}

#[test]
fn its_arguments_are_completed_as_those_of_the_command_and_files_always() {
    let place = place();
    place.ctr(["shim", "add", "bio", "wondrous"]).ok();
    let loaded = "source /usr/share/bash-completion/bash_completion\n";
    for (shell, theirs) in here([
        (Shell::Bash, "complete -W 'alpha beta' wonderful".to_owned()),
        (
            Shell::Bash,
            format!("{loaded}complete -W 'alpha beta' wonderful"),
        ),
        (
            Shell::Zsh,
            "_wonderful() { compadd alpha beta }; compdef _wonderful wonderful".to_owned(),
        ),
        (
            Shell::Fish,
            "complete -c wonderful -f -a 'alpha beta'".to_owned(),
        ),
    ]) {
        let mut session = active(shell, &place, &theirs);
        tab_at(&mut session, "wonderful al", "wonderful alpha");
        tab_at(
            &mut session,
            "true | wonderful beta al",
            "true | wonderful beta alpha",
        );
        tab_at(&mut session, "wondrous a", "wondrous a\\ file.txt");
        tab_at(&mut session, "wondrous -x a", "wondrous -x a\\ file.txt");
        tab_at(&mut session, "wondr", "wondrous");
    }
}

#[test]
fn the_completion_that_bash_loads_by_name_is_that_of_the_command() {
    let place = place();
    // As bash-completion looks it up, and where it would look for that of `ctr`.
    let folder = "data/bash-completion/completions";
    place.write(
        format!("{folder}/wonderful"),
        "complete -W 'alpha beta' wonderful\n",
    );
    place.write(
        format!("{folder}/ctr"),
        "complete -W 'wrong' ctr wonderful\n",
    );
    let loaded = "source /usr/share/bash-completion/bash_completion\n";
    let mut session = active(Shell::Bash, &place, loaded);
    tab_at(&mut session, "wonderful al", "wonderful alpha");
}

#[test]
fn what_can_be_added_and_removed_is_offered() {
    let place = place();
    for shell in Shell::ALL {
        let mut session = shell.interactive(&place, &init(shell, ""));
        for (typed, expected) in [
            ("ctr shi", "ctr shim"),
            ("ctr shim rem", "ctr shim remove"),
            ("ctr shim add bi", "ctr shim add bio"),
            // `wonderful` is there already.
            ("ctr shim add bio won", "ctr shim add bio wondrous"),
            ("ctr shim add bio cat busyb", "ctr shim add bio cat busybox"),
            ("ctr shim add --al", "ctr shim add --all"),
            ("ctr shim remove bio w", "ctr shim remove bio wonderful"),
            ("ctr shim list --js", "ctr shim list --json"),
            ("ctr shim ls bi", "ctr shim ls bio"),
        ] {
            tab(&mut session, typed, expected);
        }
        let mut session = active(shell, &place, "");
        tab_at(&mut session, "ctr why wonderf", "ctr why wonderful");
        tab_at(
            &mut session,
            "ctr shim remove . w",
            "ctr shim remove . wonderful",
        );
    }
}
