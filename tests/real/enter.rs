//! `ctr enter`: becomes a shell inside, in this very process.

use std::fs;
use std::path::PathBuf;

use crate::support::{Place, Run, Terminal, processes};

/// Waits for the prompt of the shell inside, then asks it something: what it answers.
#[track_caller]
fn ask(terminal: &mut Terminal, command: &str) {
    // What is typed is not what is shown.
    terminal.line(&format!("echo \"answer\"\"=$({command})=\""));
}

/// Enters without a terminal and runs one line of shell code inside.
fn enter(place: &Place, args: &[&str], code: &str) -> Run {
    let run = place.ctr(["enter"]).args(args);
    run.stdin(format!("{code}\n"))
}

/// The program that a process runs.
fn program(pid: i32) -> Option<PathBuf> {
    fs::read_link(format!("/proc/{pid}/exe")).ok()
}

/// A place with an instance that has died.
fn with_a_dead_one() -> Place {
    let place = Place::new();
    place.start("bio", &["-e", "K=saved"]);
    place.crash("bio");
    place
}

#[test]
fn it_keeps_its_process_and_nothing_of_ctr_is_left() {
    let place = Place::new();
    place.start("bio", &["-e", "K=bio"]);
    let mut terminal = place.ctr(["enter", "bio"]).terminal();
    // The shell is this process or one that it holds.
    ask(&mut terminal, "echo in $K");
    terminal.wait_for("answer=in bio=");
    let itself = program(terminal.pid()).expect("it lives, and is mine");
    let name = itself.file_name().unwrap().to_str().unwrap();
    assert!(["starter", "busybox"].contains(&name), "{itself:?}");
    let ctr = fs::canonicalize(place.path("bin/ctr")).unwrap();
    let running: Vec<_> = place.processes();
    let programs: Vec<_> = running.iter().filter_map(|p| program(p.pid)).collect();
    assert!(programs.contains(&itself), "{running:#?}");
    assert!(!programs.contains(&ctr), "{running:#?}");
    let titles = running.iter().map(|process| &process.title);
    assert!(
        titles.clone().all(|title| !title.contains("ctr enter")),
        "{running:#?}"
    );
    terminal.line("exit 7");
    assert_eq!(terminal.wait(), 7);
    assert!(processes::look(terminal.pid()).is_none());
}

#[test]
fn the_one_that_is_active_is_entered_when_none_is_named() {
    let place = Place::new();
    place.start("one", &["-e", "WHICH=the first"]);
    place.start("two", &["-e", "WHICH=the second"]);
    for args in [&[][..], &["."]] {
        let run = enter(&place, args, "echo $WHICH").env("CTR_INSTANCE", "two");
        assert_eq!(run.ok().text(), "the second\n");
        let output = enter(&place, args, "echo went in").fails(125);
        assert_eq!(output.text(), "");
        output.says(&["no instance is active", "ctr env NAME"]);
    }
    let run = enter(&place, &["one"], "echo $WHICH").env("CTR_INSTANCE", "two");
    assert_eq!(run.ok().text(), "the first\n");
    let run = enter(&place, &[], "true").env("CTR_INSTANCE", "nosuch");
    run.fails(125).says(&["nosuch"]);
}

#[test]
fn in_a_terminal_a_dead_one_is_started_again_when_the_person_agrees() {
    for answer in ["y", "", "YES"] {
        let place = with_a_dead_one();
        let mut terminal = place.ctr(["enter", "bio"]).terminal();
        terminal.wait_for("`bio` is dead (");
        terminal.wait_for("Start it again? [Y/n]");
        terminal.line(answer);
        ask(&mut terminal, "echo inside with $K");
        terminal.wait_for("answer=inside with saved=");
        terminal.line("exit 4");
        assert_eq!(terminal.wait(), 4, "{answer:?}");
        assert_eq!(place.status("bio"), "running", "{answer:?}");
    }
}

#[test]
fn a_stopped_one_is_offered_too() {
    let place = Place::new();
    place.start("bio", &[]);
    place.ctr(["stop", "--keep", "bio"]).ok();
    let mut terminal = place.ctr(["enter", "bio"]).terminal();
    terminal.wait_for("`bio` is stopped (");
    terminal.line("");
    ask(&mut terminal, "echo inside");
    terminal.wait_for("answer=inside=");
    terminal.line("exit");
    assert_eq!(terminal.wait(), 0);
}

#[test]
fn a_person_who_does_not_agree_gets_the_error_and_nothing_is_started() {
    for answer in ["n\r", "no\r", "what\r", "\u{4}"] {
        let place = with_a_dead_one();
        let mut terminal = place.ctr(["enter", "bio"]).terminal();
        terminal.wait_for("Start it again? [Y/n]");
        terminal.send(answer);
        assert_eq!(terminal.wait(), 125, "{answer:?}");
        terminal.wait_for("error: `bio` is dead");
        terminal.wait_for("ctr restart bio");
        assert_eq!(place.status("bio"), "dead", "{answer:?}");
    }
}

#[test]
fn without_a_terminal_nobody_is_asked() {
    let place = with_a_dead_one();
    let output = enter(&place, &["bio"], "y").fails(125);
    output.says(&["`bio` is dead", "ctr restart bio"]);
    assert!(!output.stderr.contains("[Y/n]"), "{output}");
    assert_eq!(output.text(), "");
    assert_eq!(place.status("bio"), "dead");
}

#[test]
fn the_shell_can_be_chosen() {
    let place = Place::new();
    let own = "#!/bin/sh\necho own shell; exec /bin/sh \"$@\"\n";
    let image = place.sandbox("shells", &[("/opt/own", own), ("/opt/data", "text\n")]);
    place.start("bio", &["-b", image.to_str().unwrap()]);
    let run = enter(&place, &["--shell", "/bin/sh", "bio"], "echo $0; exit 6");
    assert_eq!(run.fails(6).text(), "/bin/sh\n");
    let run = enter(&place, &["--shell", "/opt/own", "bio"], "echo hi; exit 5");
    assert_eq!(run.fails(5).text(), "own shell\nhi\n");
    for (shell, status) in [
        ("/no/such", 127),
        ("/opt/data", 126),
        ("/opt", 126),
        ("sh", 2),
        ("bin/sh", 2),
        ("", 2),
    ] {
        let output = enter(&place, &["--shell", shell, "bio"], "echo went in").fails(status);
        assert_eq!(output.text(), "", "{output}");
        output.says(&["error: ", shell]);
    }
}

#[test]
fn it_goes_home_and_says_so_when_the_folder_is_missing_or_another_inside() {
    let place = Place::new();
    let home = place.path("home").display().to_string();
    let start = place.ctr(["start", "--bind", &home, "bio"]);
    start.args(["--", "--contain"]).ok();
    let outside = place.folder("outside");
    for (cwd, what) in [
        (outside.as_path(), "does not exist"),
        ("/tmp".as_ref(), "is another folder"),
    ] {
        let output = enter(&place, &["bio"], "pwd").cwd(cwd).ok();
        assert_eq!(output.text(), format!("{home}\n"), "{output}");
        let said = format!("{} {what} in `bio`: going home", cwd.display());
        output.says(&[&said]);
    }
    let gone = place.folder("work/gone");
    let script = "rmdir ../gone; echo pwd | exec ctr enter bio";
    let run = place.program("bash").args(["-c", script]).cwd(&gone);
    let output = run.ok();
    assert_eq!(output.text(), format!("{home}\n"), "{output}");
    output.says(&["the working folder does not exist in `bio`: going home"]);
    // The folder that it was started in is the same inside.
    let output = enter(&place, &["bio"], "pwd").ok();
    assert_eq!(output.text(), format!("{}\n", place.work().display()));
    assert!(!output.stderr.contains("going home"), "{output}");
}

#[test]
fn without_a_home_inside_it_goes_to_the_root_and_says_so() {
    let place = Place::new();
    place.ctr(["start", "bio", "--", "--contain"]).ok();
    let outside = place.folder("outside");
    let output = enter(&place, &["bio"], "pwd").cwd(outside).ok();
    assert_eq!(output.text(), "/\n", "{output}");
    output.says(&["outside does not exist in `bio`: ", "going to /"]);
}

#[test]
fn variables_that_are_given_arrive_and_are_for_this_shell_alone() {
    let place = Place::new();
    place.start("bio", &["-e", "A=saved", "-e", "B=saved"]);
    let value = "it's $(id) `id` \"x\" \\ ,\n";
    let given = format!("A={value}");
    let code = "cat /proc/self/environ";
    let environ = enter(&place, &["-e", &given, "--env", "C=new", "bio"], code)
        .ok()
        .environ();
    let seen = ["A", "B", "C"].map(|key| &*environ[key]);
    assert_eq!(seen, [value, "saved", "new"]);
    assert_eq!(place.environ("bio")["A"], "saved");
    let run = enter(&place, &["-e", "HOME=/x", "bio"], "echo went in");
    run.fails(125).says(&["HOME"]);
}

#[test]
fn the_notes_are_shown_before_the_shell_begins() {
    let place = Place::new();
    place.start("bio", &["-e", "K=v", "--note", "K=what it is"]);
    place.ctr(["note", "bio", "-m", "until Friday"]).ok();
    let mut terminal = place.ctr(["enter", "bio"]).terminal();
    terminal.wait_for("built-in shell");
    let screen = terminal.screen();
    let at = |text: &str| {
        screen
            .find(text)
            .unwrap_or_else(|| panic!("{text}: {screen}"))
    };
    assert!(at("until Friday") < at("built-in shell"), "{screen}");
    assert!(at("K: what it is") < at("built-in shell"), "{screen}");
    terminal.line("exit");
    assert_eq!(terminal.wait(), 0);
    let quiet = place.ctr(["-q", "enter", "bio"]).stdin("echo in\n").ok();
    assert_eq!(quiet.quiet().text(), "in\n");
}

#[test]
fn one_that_ctr_did_not_start_is_entered_with_a_word() {
    let place = Place::new();
    let image = &crate::support::images().sif;
    let start = place.apptainer(["-q", "instance", "start"]);
    start.arg(image).arg("other").ok();
    let output = enter(&place, &["other"], "echo in; exit 3").fails(3);
    assert_eq!(output.text(), "in\n");
    output.says(&["`other` was started without ctr"]);
}
