//! What a person sees while something takes its time.

use std::fs;

use crate::support::Place;

#[test]
fn a_terminal_sees_that_a_start_goes_on_and_is_clean_afterwards() {
    let mut place = Place::new();
    let (program, gate, _) = place.gated_apptainer();
    place.set("CTR_APPTAINER", program);
    let mut terminal = place.ctr(["start", "bio"]).terminal();
    terminal.wait_for("starting bio");
    let shown = terminal.bytes().len();
    terminal.until("it moves", |terminal| {
        (terminal.bytes().len() > shown).then_some(())
    });
    fs::write(gate, "").unwrap();
    assert_eq!(terminal.wait(), 0, "{}", terminal.screen());
    terminal.until("the spinner is gone", |terminal| {
        let screen = terminal.screen();
        (!screen.contains("starting bio") && screen.contains("`bio` is running")).then_some(())
    });
}

#[test]
fn a_terminal_sees_what_apptainer_says_meanwhile() {
    let mut place = Place::new();
    let gate = place.path("cache/gate");
    let script = format!(
        "echo 'INFO:    Converting layers' >&2; while [ ! -e {} ]; do sleep 0.02; done",
        gate.display()
    );
    place.set("CTR_APPTAINER", place.apptainer_that(&script));
    let mut terminal = place.ctr(["start", "bio"]).terminal();
    terminal.wait_for("Converting layers");
    fs::write(gate, "").unwrap();
    assert_eq!(terminal.wait(), 0, "{}", terminal.screen());
}

#[test]
fn a_terminal_sees_whole_lines_of_it_and_no_warnings_of_what_harms_nothing() {
    let mut place = Place::new();
    let warning = "2026/11/24 04:01:07  warn rootless{bin/x} ignoring (usually) harmless EPERM";
    // More than is looked at, so that what is looked at begins within a line.
    let long = format!("{warning}{}!", " harmless".repeat(1000));
    let (go, told) = (place.path("cache/go"), place.path("cache/told"));
    let text = place.write(
        "cache/text",
        format!("INFO:    Creating SIF file\n{warning}\n"),
    );
    let more = place.write("cache/more", format!("{long}\n"));
    let script = format!(
        "cat {text} >&2; while [ ! -e {go} ]; do sleep 0.02; done; rm {go}
        cat {more} >&2; echo > {told}; while [ ! -e {go} ]; do sleep 0.02; done",
        text = text.display(),
        more = more.display(),
        go = go.display(),
        told = told.display()
    );
    place.set("CTR_APPTAINER", place.apptainer_that(&script));
    let mut terminal = place.ctr(["start", "bio"]).terminal();
    terminal.wait_for("starting bio: Creating SIF file");
    fs::write(&go, "").unwrap();
    terminal.until("it was told", |_| told.exists().then_some(()));
    let shown = terminal.bytes().len();
    terminal.until("it is drawn several times", |terminal| {
        (terminal.bytes().len() > shown + 1000).then_some(())
    });
    terminal.wait_for("starting bio: Creating SIF file");
    fs::write(&go, "").unwrap();
    assert_eq!(terminal.wait(), 0, "{}", terminal.screen());
    let bytes = terminal.bytes().escape_ascii().to_string();
    assert!(!bytes.contains("harmless"), "{bytes}");
}

#[test]
fn a_quiet_start_shows_nothing_in_a_terminal() {
    let mut place = Place::new();
    let (program, gate, waiting) = place.gated_apptainer();
    place.set("CTR_APPTAINER", program);
    let mut terminal = place.ctr(["-q", "start", "bio"]).terminal();
    terminal.until("it waits", |_| waiting.exists().then_some(()));
    fs::write(gate, "").unwrap();
    assert_eq!(terminal.wait(), 0);
    assert_eq!(terminal.bytes().escape_ascii().to_string(), "");
}

#[test]
fn a_failure_in_a_terminal_is_whole_lines() {
    let mut place = Place::new();
    place.set(
        "CTR_APPTAINER",
        place.apptainer_that("echo 'FATAL:   not today' >&2; exit 255"),
    );
    let mut terminal = place.ctr(["start", "bio"]).terminal();
    assert_eq!(terminal.wait(), 1);
    terminal.until("the error shows", |terminal| {
        let screen = terminal.screen();
        let mut lines = screen.lines();
        lines.next()?.starts_with("error: ").then_some(())?;
        lines.next()?.starts_with(" hint: ").then_some(())
    });
}

#[test]
fn colours_are_for_terminals_that_want_them() {
    let place = Place::new();
    place.start("bio", &[]);
    let colored = |bytes: &[u8]| bytes.windows(2).any(|pair| pair == b"\x1b[");
    let mut terminal = place.ctr(["list"]).terminal();
    assert_eq!(terminal.wait(), 0);
    terminal.until("the table shows", |terminal| {
        colored(&terminal.bytes()).then_some(())
    });
    for run in [
        place.ctr(["list"]).env("NO_COLOR", "1"),
        place.ctr(["list", "--color", "never"]),
    ] {
        let mut terminal = run.terminal();
        assert_eq!(terminal.wait(), 0);
        terminal.wait_for("running");
        assert!(
            !colored(&terminal.bytes()),
            "{}",
            terminal.bytes().escape_ascii()
        );
    }
    assert!(colored(
        &place.ctr(["list", "--color", "always"]).ok().stdout
    ));
    assert!(!colored(&place.ctr(["list"]).ok().stdout));
}
