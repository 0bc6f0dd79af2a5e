//! Variables that cannot arrive as they are written are refused by name, before anything starts.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;

use crate::literal_env::give;
use crate::support::{Place, Run};

/// Demands that a start is refused with a reason that names these, and that nothing is left of it.
#[track_caller]
fn assert_refused(place: &Place, run: &Run, words: &[&str]) {
    let output = run.run();
    assert!(output.status == 1 || output.status == 2, "{output}");
    output.says(words);
    assert!(place.records().is_empty(), "it was started: {output}");
    assert!(place.processes().is_empty(), "something was left: {output}");
}

#[test]
fn a_name_that_apptainer_cannot_carry_is_refused_before_anything_starts() {
    let place = Place::new();
    let overlay = place.overlay("demo/1.0", &[]);
    for name in [
        "HOME",
        "UID",
        "EUID",
        "GID",
        "PREPEND_PATH",
        "APPEND_PATH",
        "APPTAINER_SHELL",
    ] {
        let given = format!("{name}=x");
        assert_refused(&place, &place.ctr(["start", "-e", &given, "bio"]), &[name]);
        let sidecar = place.sidecar(&overlay, &given);
        let file = sidecar.file_name().unwrap().to_str().unwrap();
        assert_refused(
            &place,
            &place.ctr(["start", "-o", "demo/1.0", "bio"]),
            &[name, file],
        );
    }
}

#[test]
fn exec_refuses_the_same_names() {
    let place = Place::new();
    place.start("bio", &[]);
    for name in [
        "HOME",
        "UID",
        "EUID",
        "GID",
        "PREPEND_PATH",
        "APPEND_PATH",
        "APPTAINER_SHELL",
    ] {
        let output = place
            .ctr(["exec", "-e", &format!("{name}=x"), "bio", "echo", "ran"])
            .run();
        assert!(output.status == 2 || output.status == 125, "{output}");
        assert_eq!(output.text(), "");
        output.says(&[name]);
    }
}

#[test]
fn what_is_no_variable_is_refused_by_name() {
    let place = Place::new();
    for given in ["1A=x", "A-B=x", "A B=x", "=x", "ä=x", "NO_VALUE", "$(id)=x"] {
        let name = given.split('=').next().unwrap();
        assert_refused(&place, &place.ctr(["start", "-e", given, "bio"]), &[name]);
    }
}

#[test]
fn a_value_that_is_not_utf_8_is_refused_by_name() {
    let place = Place::new();
    let given = OsString::from_vec(b"LATIN1=caf\xe9".to_vec());
    assert_refused(
        &place,
        &place.ctr(["start", "-e"]).arg(&given).arg("bio"),
        &["LATIN1", "UTF-8"],
    );
    let overlay = place.overlay("demo/1.0", &[]);
    let mut sidecar = overlay.into_os_string();
    sidecar.push(".env");
    place.write(sidecar, b"GOOD=x\nLATIN1=caf\xe9\n");
    let run = place.ctr(["start", "-o", "demo/1.0", "bio"]);
    assert_refused(&place, &run, &["demo--1.0.sqf.env", "`LATIN1`", "UTF-8"]);
}

#[test]
fn a_line_of_a_sidecar_that_is_not_utf_8_and_sets_nothing_is_left_out_with_a_warning() {
    let place = Place::new();
    let mut sidecar = place.overlay("demo/1.0", &[]).into_os_string();
    sidecar.push(".env");
    place.write(
        sidecar,
        b"A=1\n# A=caf\xe9\n#ENVNOTE:A=caf\xe9\ncaf\xe9=2\nB=3\n",
    );
    let output = place.start("bio", &["-o", "demo/1.0"]);
    let warnings = output
        .stderr
        .lines()
        .filter(|line| line.starts_with("warning: "));
    let warnings: Vec<&str> = warnings.collect();
    assert_eq!(warnings.len(), 3, "{output}");
    for (warning, line) in warnings.iter().zip(["line 2", "line 3", "line 4"]) {
        for word in ["demo--1.0.sqf.env", line, "UTF-8"] {
            assert!(warning.contains(word), "{word}: {output}");
        }
    }
    let environ = place.environ("bio");
    assert_eq!([&*environ["A"], &*environ["B"]], ["1", "3"]);
    // One without a note has its value for one.
    let notes = serde_json::json!({"A": "1", "B": "3"});
    assert_eq!(place.state("bio")["notes"], notes);
}

#[test]
fn more_than_apptainer_carries_is_refused_before_anything_starts() {
    let place = Place::new();
    let large = "x".repeat(110_000);
    let values: BTreeMap<_, _> = (0..10).map(|n| (format!("V{n}"), large.clone())).collect();
    let run = give(place.ctr(["start"]), &values).arg("bio");
    assert_refused(&place, &run, &["bytes", "V"]);
}

#[test]
fn a_sidecar_sets_no_prompt_since_a_shell_would_run_it() {
    let place = Place::new();
    let overlay = place.overlay("demo/1.0", &[]);
    for name in ["PS1", "PROMPT_COMMAND"] {
        place.sidecar(&overlay, &format!("{name}=$(touch PWNED)"));
        let run = place.ctr(["start", "-o", "demo/1.0", "bio"]);
        assert_refused(&place, &run, &[name, "demo--1.0.sqf.env"]);
    }
}
