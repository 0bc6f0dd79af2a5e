//! Notes: text for people about the variables of an instance, and about the instance itself.

use serde_json::json;

use crate::support::Place;

fn notes(place: &Place) -> serde_json::Value {
    place.ctr(["show", "--json", "bio"]).ok().json()["notes"].clone()
}

#[test]
fn the_notes_of_a_sidecar_are_those_of_its_variables() {
    let place = Place::new();
    let overlay = place.overlay("demo/1.0", &[]);
    let sidecar = "
        # A comment, and no note
        DEMO_HOME=/cnt/demo/1.0
        #ENVNOTE:DEMO_HOME=where demo lives, a=b \"c\"
        WITHOUT_NOTE=its value
        #OFF=/not/set
    ";
    place.sidecar(&overlay, sidecar);
    place.start("bio", &["-o", "demo/1.0"]);
    let environ = place.environ("bio");
    assert_eq!(environ["DEMO_HOME"], "/cnt/demo/1.0");
    assert!(
        !environ.contains_key("OFF") && !environ.contains_key("#OFF"),
        "{environ:#?}"
    );
    assert_eq!(notes(&place)["DEMO_HOME"], "where demo lives, a=b \"c\"");
    let shown = |key: &str| place.ctr(["note", "bio", key]).ok().text().to_owned();
    assert_eq!(shown("DEMO_HOME"), "where demo lives, a=b \"c\"\n");
    assert_eq!(shown("WITHOUT_NOTE"), "its value\n");
}

#[test]
fn the_same_variable_in_two_overlays_is_the_laters_and_a_message_says_so() {
    let place = Place::new();
    for (name, value) in [("one/1.0", "of one"), ("two/1.0", "of two")] {
        let overlay = place.overlay(name, &[]);
        place.sidecar(
            &overlay,
            &format!("SHARED={value}\n#ENVNOTE:SHARED=a note {value}\n"),
        );
    }
    let output = place.start("bio", &["-o", "one/1.0", "-o", "two/1.0"]);
    output.says(&["SHARED", "two--1.0.sqf.env"]);
    assert_eq!(place.environ("bio")["SHARED"], "of two");
    assert_eq!(notes(&place)["SHARED"], "a note of two");
    place.start("bio", &["--replace", "-o", "two/1.0", "-o", "one/1.0"]);
    assert_eq!(place.environ("bio")["SHARED"], "of one");
}

#[test]
fn notes_are_given_at_the_start_and_changed_later() {
    let place = Place::new();
    place.start(
        "bio",
        &[
            "-e",
            "K=v",
            "-e",
            "OTHER=w",
            "--note",
            "K=at the start",
            "--note",
            "OTHER=x",
        ],
    );
    assert_eq!(notes(&place), json!({"K": "at the start", "OTHER": "x"}));
    place.ctr(["note", "bio", "K=later = better"]).ok();
    assert_eq!(notes(&place)["K"], "later = better");
    place.ctr(["note", "--remove", "bio", "OTHER"]).ok();
    assert_eq!(notes(&place), json!({"K": "later = better"}));
    place.ctr(["note", "bio", "-m", "keep until Friday"]).ok();
    let all = place.ctr(["note", "bio"]).ok();
    assert!(all.text().contains("later = better"), "{all}");
    assert!(all.text().contains("keep until Friday"), "{all}");
}

#[test]
fn the_note_of_nothing_is_a_failure_that_names_it() {
    let place = Place::new();
    place.start("bio", &[]);
    place
        .ctr(["note", "bio", "NOSUCH"])
        .fails(1)
        .says(&["NOSUCH"]);
    place
        .ctr(["note", "--remove", "bio", "NOSUCH"])
        .fails(1)
        .says(&["NOSUCH"]);
    place.ctr(["note", "nosuch"]).fails(1).says(&["nosuch"]);
}

#[test]
fn enter_shows_the_notes() {
    let place = Place::new();
    let overlay = place.overlay("demo/1.0", &[]);
    place.sidecar(
        &overlay,
        "DEMO_HOME=/cnt/demo/1.0\n#ENVNOTE:DEMO_HOME=where demo lives\n",
    );
    place.start("bio", &["-o", "demo/1.0"]);
    place.ctr(["note", "bio", "-m", "keep until Friday"]).ok();
    let mut terminal = place.ctr(["enter", "bio"]).terminal();
    terminal.wait_for("DEMO_HOME");
    terminal.wait_for("where demo lives");
    terminal.wait_for("keep until Friday");
    terminal.line("exit 3");
    assert_eq!(terminal.wait(), 3);
}

#[test]
fn a_note_cannot_steer_the_terminal() {
    let place = Place::new();
    let overlay = place.overlay("demo/1.0", &[]);
    place.sidecar(
        &overlay,
        "EVIL=x\n#ENVNOTE:EVIL=\u{1b}]0;title\u{7}\u{1b}[2Jtext\u{9b}31m\n",
    );
    let started = place.start("bio", &["-o", "demo/1.0"]);
    place.ctr(["note", "bio", "-m", "\u{1b}[31mred"]).ok();
    let control = |text: &str| text.chars().any(|c| c.is_control() && c != '\n');
    for output in [
        started,
        place.ctr(["note", "bio"]).ok(),
        place.ctr(["note", "bio", "EVIL"]).ok(),
        place.ctr(["show", "bio"]).ok(),
        place.ctr(["list"]).ok(),
    ] {
        assert!(
            !control(output.text()) && !control(&output.stderr),
            "{output}"
        );
    }
    let mut terminal = place.ctr(["enter", "bio"]).terminal();
    terminal.wait_for("EVIL");
    terminal.line("exit");
    terminal.wait();
    let shown = terminal.bytes();
    assert!(
        !shown
            .windows(4)
            .any(|bytes| bytes == b"\x1b[2J" || bytes == b"\x1b]0;")
    );
    // Programs get it as it is.
    assert_eq!(
        notes(&place)["EVIL"],
        "\u{1b}]0;title\u{7}\u{1b}[2Jtext\u{9b}31m"
    );
}
