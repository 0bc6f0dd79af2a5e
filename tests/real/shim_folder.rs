//! The folder of an instance's shims: what comes and goes with what, and what is read of it.

use std::fs;
use std::path::Path;
use std::process::Stdio;

use serde_json::json;

use crate::shim::{SAYS, demo, with_demo as place};
use crate::support::{Place, Run, Shell, noted};

#[track_caller]
fn assert_runs(place: &Place) {
    let output = demo(place).ok();
    assert_eq!(output.text(), "of the inside\n");
    output.quiet();
}

/// Everything of `bio` in the private folder.
fn left(place: &Place) -> Vec<std::path::PathBuf> {
    [
        place.glob("run/ctr/shims/*"),
        place.glob("run/ctr/shims/*/*"),
        place.glob("run/ctr/states/*"),
    ]
    .concat()
}

#[test]
fn stopping_removes_the_shims_with_the_state() {
    let ways = [
        &["stop", "bio"][..],
        &["stop", "-F", "bio"],
        &["stop", "--all"],
    ];
    for way in ways {
        let place = place();
        assert_eq!(left(&place).len(), 3);
        place.ctr(way).ok();
        assert!(left(&place).is_empty(), "{way:?}");
    }
    let place = place();
    place.crash("bio");
    place.ctr(["prune"]).ok();
    assert!(left(&place).is_empty());
}

#[test]
fn those_that_other_sessions_have_made_go_too() {
    let mut place = Place::new();
    place.overlay("demo/1.0", &[("bin/demo", SAYS)]);
    // In that folder of the user's there is one of each name, whatever the place.
    place.start("sessions", &["-o", "demo/1.0"]);
    place.ctr(["shim", "add", "sessions", "demo"]).ok();
    // A session with another runtime folder, as a job of `cron` is.
    let first = place.environment()[std::ffi::OsStr::new("XDG_RUNTIME_DIR")].clone();
    let tmp = format!("/tmp/ctr-{}/shims/sessions", nix::unistd::getuid());
    let tmp = Path::new(&tmp);
    place.unset("XDG_RUNTIME_DIR");
    let code = place.ctr(["env", "--shell", "sh", "sessions"]).ok();
    assert!(code.text().contains(tmp.to_str().unwrap()), "{code}");
    assert_eq!(
        place.program(tmp.join("demo")).ok().text(),
        "of the inside\n"
    );
    place.set("XDG_RUNTIME_DIR", first);
    place.ctr(["stop", "sessions"]).ok();
    assert!(!tmp.exists());
    assert!(left(&place).is_empty());
}

#[test]
fn they_stay_with_a_setup_that_stays() {
    let place = place();
    place.ctr(["restart", "bio"]).ok();
    assert_runs(&place);
    place.ctr(["stop", "--keep", "bio"]).ok();
    assert_eq!(place.state("bio")["shims"], json!(["demo"]));
    let start = |options: &[&str]| place.ctr(["start"]).args(options).arg("bio").ok();
    start(&["--if-needed", "-o", "demo/1.0"]);
    assert_runs(&place);
    start(&["--replace", "-o", "demo/1.0"]);
    assert_runs(&place);
    // With another setup it is another instance.
    start(&["--replace"]);
    assert!(left(&place).is_empty());
    assert_eq!(place.state("bio").get("shims"), None);
}

#[test]
fn what_was_lost_is_made_again() {
    let place = place();
    let env = || place.ctr(["env", "--shell", "sh", "bio"]).ok();
    fs::remove_dir_all(place.path("run/ctr")).unwrap();
    env();
    assert_runs(&place);
    fs::remove_dir_all(place.path("run/ctr")).unwrap();
    place.ctr(["shim", "list"]).ok();
    assert_runs(&place);
    // One without what it reads goes to the state, and leaves it there.
    let snapshot = place.path("run/ctr/states/bio.json");
    for damage in [None, Some(""), Some("{"), Some("{}")] {
        match damage {
            None => fs::remove_file(&snapshot).unwrap(),
            Some(text) => fs::write(&snapshot, text).unwrap(),
        }
        assert_runs(&place);
        assert!(fs::metadata(&snapshot).unwrap().len() > 100);
    }
    // So does one of a process that is gone.
    let old = fs::read(&snapshot).unwrap();
    place.ctr(["restart", "bio"]).ok();
    fs::write(&snapshot, &old).unwrap();
    assert_runs(&place);
    assert_ne!(fs::read(&snapshot).unwrap(), old);
}

#[test]
fn a_shim_that_another_session_has_kept_is_none() {
    let mut place = place();
    let own = place.environment()[std::ffi::OsStr::new("XDG_RUNTIME_DIR")].clone();
    let other = place.folder("other");
    place.mode(&other, 0o700);
    place.set("XDG_RUNTIME_DIR", &other);
    place.ctr(["env", "--shell", "sh", "bio"]).ok();
    let kept = place.program(other.join("ctr/shims/bio/demo"));
    assert_eq!(kept.ok().text(), "of the inside\n");
    place.set("XDG_RUNTIME_DIR", own);
    // The first session knows nothing of that folder.
    place.ctr(["stop", "bio"]).ok();
    place.start("bio", &["-o", "demo/1.0", "-e", "OTHER=1"]);
    let refused = kept.fails(125);
    refused.says(&["ctr: demo: `bio` has no shim of this name any more; `ctr shim add bio demo`"]);
    assert_eq!(refused.text(), "");
}

#[test]
fn the_version_behind_ctr_may_change() {
    let place = place();
    let program = fs::canonicalize(place.path("bin/ctr")).unwrap();
    let versions = place.path("versions");
    for version in ["one", "two"] {
        let copy = place.copy_program(&program, versions.join(version).join("ctr"));
        let _ = fs::remove_file(place.path("bin/ctr"));
        std::os::unix::fs::symlink(copy, place.path("bin/ctr")).unwrap();
        assert_runs(&place);
        place.ctr(["env", "--shell", "sh", "bio"]).ok();
        assert_runs(&place);
    }
    fs::remove_dir_all(versions.join("one")).unwrap();
    assert_runs(&place);
    // Links that lead nowhere are made again, and taken off.
    let gone = versions.join("one/ctr (deleted)");
    fs::remove_file(place.shim("bio", "demo")).unwrap();
    std::os::unix::fs::symlink(&gone, place.shim("bio", "demo")).unwrap();
    place.ctr(["env", "--shell", "sh", "bio"]).ok();
    assert_runs(&place);
    fs::remove_file(place.shim("bio", "demo")).unwrap();
    std::os::unix::fs::symlink(&gone, place.shim("bio", "demo")).unwrap();
    place.ctr(["stop", "bio"]).ok();
    assert!(left(&place).is_empty(), "{:?}", left(&place));
}

#[test]
fn many_can_be_at_it_at_once() {
    let place = place();
    place.ctr(["shim", "add", "bio", "ls", "cat", "sort"]).ok();
    for round in 0..5 {
        fs::remove_dir_all(place.path("run/ctr")).unwrap();
        let env = || place.ctr(["env", "--shell", "sh", "bio"]).command();
        let children: Vec<_> = (0..8)
            .map(|_| env().stdout(Stdio::null()).spawn().unwrap())
            .collect();
        for mut child in children {
            assert!(child.wait().unwrap().success(), "{round}");
        }
        assert_eq!(left(&place).len(), 6, "{:?}", left(&place));
    }
    // Beside a stop, nothing is left.
    let env = || place.ctr(["env", "--shell", "sh", "bio"]).command();
    let quiet = |mut command: std::process::Command| {
        let command = command.stdout(Stdio::null()).stderr(Stdio::null());
        command.spawn().unwrap()
    };
    let mut children: Vec<_> = (0..4).map(|_| quiet(env())).collect();
    let stop = quiet(place.ctr(["stop", "bio"]).command());
    children.extend((0..8).map(|_| quiet(env())));
    children.push(stop);
    for mut child in children {
        child.wait().unwrap();
    }
    let left = [
        place.glob("run/ctr/shims/bio/*"),
        place.glob("run/ctr/states/*"),
    ]
    .concat();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn where_nothing_can_be_written_it_runs_all_the_same() {
    let place = place();
    fs::remove_dir_all(place.path("run/ctr/states")).unwrap();
    place.mode(&place.path("run/ctr"), 0o500);
    assert_runs(&place);
    place.mode(&place.path("run/ctr"), 0o700);
}

#[test]
fn other_settings_of_apptainer_pass_with_the_call() {
    let place = place();
    let elsewhere = place.folder("work/elsewhere");
    let other = || demo(&place).env("APPTAINER_CONFIGDIR", &elsewhere);
    assert_eq!(other().ok().text(), "of the inside\n");
    assert_runs(&place);
    place
        .ctr(["env", "--shell", "sh", "bio"])
        .env("APPTAINER_CONFIGDIR", &elsewhere)
        .ok();
    assert_eq!(other().ok().text(), "of the inside\n");
    assert_runs(&place);
    let bare = place
        .program("env")
        .arg("-i")
        .arg(place.shim("bio", "demo"))
        .ok();
    assert_eq!(bare.text(), "of the inside\n");
}

#[test]
fn one_that_saw_an_older_state_changes_nothing() {
    let place = place();
    // As if a slow `ctr env` had read the state before another shim was added.
    let old = fs::read(place.state_file("bio")).unwrap();
    place.ctr(["shim", "add", "bio", "busybox"]).ok();
    fs::write(place.state_file("bio"), old).unwrap();
    place.ctr(["env", "--shell", "sh", "bio"]).ok();
    assert!(place.shim("bio", "busybox").is_symlink());
    assert_runs(&place);
}

#[test]
fn names_that_lead_elsewhere_are_passed_over() {
    let place = place();
    let odd = json!(["../../evil", "ctr", "", ".x", "demo"]);
    place.edit_state("bio", |state| state["shims"] = odd);
    fs::remove_dir_all(place.path("run/ctr")).unwrap();
    place.ctr(["env", "--shell", "sh", "bio"]).ok();
    assert_runs(&place);
    assert_eq!(left(&place).len(), 3, "{:?}", left(&place));
    assert!(!place.path("run/ctr/evil").exists());
}

#[test]
fn what_is_left_of_a_lost_instance_is_not_taken_for_another_s() {
    let place = place();
    place.crash("bio");
    fs::remove_file(place.state_file("bio")).unwrap();
    let output = demo(&place).fails(125);
    output.says(&["ctr: demo: no such instance: bio"]);
    place.start("bio", &[]);
    assert!(left(&place).is_empty());
}

/// The folders of a home, none of which a shim needs.
const HOME: [&str; 6] = ["home", "state", "config", "cache", "data", "apptainer"];

#[test]
fn no_file_of_the_home_is_read() {
    let place = place();
    assert_runs(&place);
    let trace = place.path("bin/trace");
    let strace = ["-f", "-e", "trace=%file", "-o"];
    place
        .program("strace")
        .args(strace)
        .arg(&trace)
        .arg(place.shim("bio", "demo"))
        .ok();
    let text = fs::read_to_string(&trace).unwrap();
    let outside: Vec<&str> = text
        .lines()
        .take_while(|line| !line.contains("setns("))
        .collect();
    let touched = |folder: &str| {
        let path = place.path(folder).display().to_string() + "/";
        outside.iter().any(|line| line.contains(&path))
    };
    for folder in HOME {
        assert!(!touched(folder), "{folder}: {text}");
    }
    let reads = text.matches("run/ctr/states/bio.json").count();
    assert_eq!(reads, 1, "{text}");

    for folder in HOME {
        place.mode(&place.path(folder), 0);
    }
    assert_runs(&place);
    for folder in HOME {
        place.mode(&place.path(folder), 0o755);
    }
}

#[test]
fn it_belongs_to_its_instance_wherever_it_is_called_from() {
    let place = place();
    let nowhere = place.folder("work/nowhere");
    let bare = |words: &[&str]| {
        let env = place.program("env").arg("-i").args(words);
        env.arg(place.shim("bio", "demo")).ok()
    };
    assert_eq!(bare(&[]).text(), "of the inside\n");
    assert_eq!(bare(&["PATH=/nowhere"]).text(), "of the inside\n");
    let elsewhere = |run: Run| {
        [
            "HOME",
            "XDG_STATE_HOME",
            "XDG_CONFIG_HOME",
            "XDG_CACHE_HOME",
            "XDG_RUNTIME_DIR",
            "CTR_STATE_DIR",
        ]
        .iter()
        .fold(run, |run, name| run.env(name, &nowhere))
    };
    let output = elsewhere(demo(&place)).ok();
    assert_eq!(output.text(), "of the inside\n");
    // Also where it has to go to the state, which is where it was.
    fs::write(place.path("run/ctr/states/bio.json"), "{}").unwrap();
    elsewhere(demo(&place))
        .fails(125)
        .says(&["no such instance: bio"]);
    assert_runs(&place);
    place.crash("bio");
    elsewhere(demo(&place)).fails(125).says(&["`bio` is dead"]);
    assert_eq!(fs::read_dir(&nowhere).unwrap().count(), 0);
}

#[test]
fn leaving_takes_the_folder_off_path_and_leaves_nothing() {
    let place = place();
    for shell in Shell::ALL {
        let script = crate::support::Script::new(&place, shell)
            .note("before")
            .eval("ctr env bio")
            .note("inside")
            .eval("ctr env --unset")
            .note("after");
        script.ok();
        assert_eq!(noted(&place, "after"), noted(&place, "before"), "{shell:?}");
        let inside = noted(&place, "inside");
        let path = crate::support::get(&inside, "PATH").unwrap().to_owned();
        let folder = place.shims("bio").display().to_string();
        assert!(path.starts_with(&format!("{folder}:")), "{shell:?}: {path}");
    }
}
