//! A file system of an instance that answers nobody: those that do not need it go on as ever, the
//! others say so. Each test would never end otherwise, and `Run` fails one that does not.

use crate::support::{Place, Shell, eventually, processes};

const WHY: &str = "its file system does not answer";

/// Two instances, the first of which hangs.
fn two() -> Place {
    let place = Place::new();
    place.start("aaa", &[]);
    place.start("bbb", &[]);
    place.ctr(["exec", "bbb", "true"]).ok();
    place
}

#[test]
fn one_that_does_not_answer_is_broken_and_the_others_are_not() {
    let place = two();
    let frozen = place.freeze("aaa");
    let listed = place.listed("aaa").unwrap();
    assert_eq!(
        (&listed["status"], &listed["reason"]),
        (&"broken".into(), &WHY.into())
    );
    assert_eq!(place.status("bbb"), "running");
    let shown = place.ctr(["show", "aaa"]).ok();
    assert!(shown.text().contains(WHY), "{shown}");
    drop(frozen);
    eventually("it runs again", || {
        (place.status("aaa") == "running").then_some(())
    });
}

#[test]
fn of_several_that_do_not_answer_each_is_told_from_its_neighbours() {
    let place = Place::new();
    let names = ["a", "b", "c", "d", "e"];
    names.iter().for_each(|name| drop(place.start(name, &[])));
    let _frozen = ["a", "c", "d"].map(|name| place.freeze(name));
    let list = place.ctr(["list", "--json"]).ok().json();
    let found: Vec<_> = names
        .iter()
        .zip(list["instances"].as_array().unwrap())
        .map(|(name, one)| (one["name"] == *name, one["status"].as_str().unwrap()))
        .collect();
    let expected = ["broken", "running", "broken", "broken", "running"];
    assert_eq!(found, expected.map(|status| (true, status)));
}

#[test]
fn whoever_needs_no_file_of_it_goes_on() {
    let place = two();
    let _frozen = place.freeze("aaa");
    let names = place.ctr(["list", "--names"]).ok();
    assert_eq!(names.lines(), ["aaa", "bbb"]);
    let stats = place.ctr(["stats", "bbb"]).ok();
    assert!(stats.text().contains("bbb"), "{stats}");
    let stats = place.ctr(["stats", "aaa"]).ok();
    assert!(stats.text().contains("aaa"), "{stats}");
    place.ctr(["prune"]).ok();
    place.ctr(["logs", "aaa"]).run();
    place.ctr(["note", "aaa", "-m", "hangs"]).ok();
    place.ctr(["exec", "bbb", "true"]).ok();
    place.ctr(["stop", "bbb"]).ok();
    assert!(place.listed("bbb").is_none());
}

#[test]
fn stop_and_restart_end_it() {
    for command in [
        &["stop", "aaa"][..],
        &["stop", "-F", "aaa"],
        &["stop", "--all"],
    ] {
        let place = two();
        let _frozen = place.freeze("aaa");
        place.ctr(command).ok();
        assert!(place.listed("aaa").is_none(), "{command:?}");
        place.assert_forgotten("aaa");
    }
    let place = two();
    let _frozen = place.freeze("aaa");
    place.ctr(["restart", "aaa"]).ok();
    assert_eq!(place.status("aaa"), "running");
}

#[test]
fn whoever_needs_its_files_says_that_they_do_not_answer() {
    let place = two();
    place.ctr(["exec", "aaa", "true"]).ok();
    place.ctr(["shim", "add", "aaa", "ls"]).ok();
    let _frozen = place.freeze("aaa");
    for (command, status) in [
        (&["exec", "aaa", "ls", "/etc"][..], 125),
        (&["exec", "aaa", "sh", "-c", "true"], 125),
        (&["exec", "--join", "apptainer", "aaa", "ls", "/etc"], 125),
        (&["exec", "--join", "direct", "aaa", "ls", "/etc"], 125),
        (&["enter", "aaa"], 125),
        (&["env", "aaa"], 1),
        (&["shim", "add", "aaa", "cat"], 1),
        (&["start", "--if-needed", "aaa"], 1),
    ] {
        let said = place.ctr(command).fails(status);
        said.says(&["`aaa` is broken", WHY, "`ctr restart aaa`"]);
    }
    let shim = place
        .program(place.shim("aaa", "ls"))
        .arg("/etc")
        .fails(125);
    shim.says(&[WHY]);
    let why = place
        .ctr(["why", "ls"])
        .env("PATH", place.shims("aaa"))
        .ok();
    assert!(why.text().contains(WHY), "{why}");
    place.ctr(["shim", "list"]).ok();
}

#[test]
fn the_line_of_an_rc_file_is_passed_over() {
    let place = two();
    let _frozen = place.freeze("aaa");
    let code = place.ctr(["env", "--if-running", "aaa"]).ok();
    assert_eq!(code.quiet().text(), "");
    for shell in Shell::ALL {
        let line = match shell {
            Shell::Fish => "ctr env --if-running aaa | source; echo on",
            _ => "eval \"$(ctr env --if-running aaa)\"; echo on",
        };
        assert_eq!(shell.script(&place, line).ok().text(), "on\n");
    }
}

#[test]
fn tab_offers_names_and_gives_up_on_programs() {
    let place = two();
    let _frozen = place.freeze("aaa");
    let tab = |line: &str| {
        let run = place.ctr(["--", line]).env("CTR_COMPLETE", "bash");
        run.arg(line.rsplit(' ').next().unwrap())
            .ok()
            .text()
            .to_owned()
    };
    let names = tab("ctr stop ");
    assert!(names.contains("aaa") && names.contains("bbb"), "{names}");
    assert!(tab("ctr exec bbb l").contains("ls"));
    assert!(!tab("ctr exec aaa l").contains("ls"));
}

#[test]
fn whoever_looked_in_vain_leaves_no_process_that_holds_its_output() {
    let place = two();
    let _frozen = place.freeze("aaa");
    // `Run` demands that its pipes are closed once it has ended.
    place.ctr(["list"]).ok();
    eventually("nobody looks any more", || {
        let all = place.processes();
        let is_ctr =
            |one: &processes::Process| one.title.starts_with("ctr ") || one.title.contains("/ctr ");
        (!all.iter().any(is_ctr)).then_some(())
    });
}
