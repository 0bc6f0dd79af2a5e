//! `ctr restart`, and instances whose file system was lost.

use std::fs;

use nix::sys::signal::Signal;
use serde_json::json;

use crate::support::{Place, eventually, images, processes};

const SETUP: [&str; 7] = [
    "env",
    "overlays",
    "bind_paths",
    "base_image",
    "notes",
    "fakeroot",
    "writable",
];

#[track_caller]
fn assert_same_setup(place: &Place, before: &serde_json::Value) {
    let after = place.state("bio");
    for field in SETUP {
        assert_eq!(after[field], before[field], "{field}");
    }
}

/// Starts `bio` with something of everything.
fn start(place: &Place) {
    place.overlay("demo/1.0", &[("bin/demo", "#!/bin/sh\necho demo\n")]);
    place.ext3("env.img", nix::unistd::getuid().as_raw());
    let data = place.folder("data/mine");
    let bind = format!("{}:/data", data.display());
    let options = [
        "-o",
        "demo/1.0",
        "-w",
        "-o",
        "env.img",
        "--bind",
        &bind,
        "-e",
        "K=a 'v' $(x)",
        "--note",
        "K=n",
    ];
    place.start("bio", &options);
}

#[track_caller]
fn assert_whole(place: &Place) {
    assert_eq!(place.status("bio"), "running");
    assert_eq!(place.ctr(["exec", "bio", "demo"]).ok().text(), "demo\n");
    assert_eq!(place.ctr(["exec", "bio", "tool"]).ok().text(), "tool\n");
    place
        .ctr(["exec", "bio", "touch", "/data/new", "/ext3/env/new"])
        .ok();
    assert_eq!(place.environ("bio")["K"], "a 'v' $(x)");
}

#[test]
fn after_a_crash_it_is_as_it_was() {
    let place = Place::new();
    start(&place);
    let before = place.state("bio");
    place.crash("bio");
    assert_eq!(place.status("bio"), "dead");
    place.ctr(["restart", "bio"]).ok().says(&["bio"]);
    assert_same_setup(&place, &before);
    assert_whole(&place);
}

#[test]
fn after_its_first_process_was_killed_it_is_as_it_was() {
    let place = Place::new();
    start(&place);
    let first = processes::look(place.record("bio").pid).unwrap();
    first.signal(Signal::SIGKILL);
    eventually("it is dead", || {
        (place.status("bio") == "dead").then_some(())
    });
    place.ctr(["restart", "bio"]).ok();
    assert_whole(&place);
}

#[test]
fn a_running_one_is_started_again_in_its_place() {
    let place = Place::new();
    start(&place);
    let (before, pid) = (place.state("bio"), place.record("bio").pid);
    place.ctr(["restart", "bio"]).ok();
    assert_ne!(place.record("bio").pid, pid);
    assert_same_setup(&place, &before);
    assert_whole(&place);
    let keepers = place
        .processes()
        .into_iter()
        .filter(|process| process.is_keeper());
    assert_eq!(keepers.count(), 1);
}

#[test]
fn it_restarts_from_whatever_folder_it_is_asked() {
    let place = Place::new();
    fs::write(place.work().join("here"), "").unwrap();
    place.start("bio", &[]);
    let other = place.folder("other");
    place.ctr(["restart", "bio"]).cwd(other).ok();
    place.ctr(["exec", "bio", "test", "-e", "here"]).ok();
}

#[test]
fn what_is_gone_is_named_before_the_old_one_is_stopped() {
    let place = Place::new();
    let data = place.folder("data/mine");
    let overlay = place.overlay("demo/1.0", &[]);
    let image = place.sandbox("mine", &[]);
    let (bind, base) = (data.to_str().unwrap(), image.to_str().unwrap());
    place.start("bio", &["-o", "demo/1.0", "--bind", bind, "-b", base]);
    let pid = place.record("bio").pid;
    for gone in [&data, &overlay, &image] {
        let away = place.path("away");
        fs::rename(gone, &away).unwrap();
        let output = place.ctr(["restart", "bio"]).fails(1);
        output.says(&[gone.to_str().unwrap()]);
        fs::rename(&away, gone).unwrap();
        assert_eq!(place.record("bio").pid, pid, "{output}");
        assert_eq!(place.status("bio"), "running", "{output}");
    }
    place.ctr(["exec", "bio", "true"]).ok();
    place.ctr(["restart", "bio"]).ok();
    assert_ne!(place.record("bio").pid, pid);
}

#[test]
fn an_image_that_another_uses_meanwhile_is_named() {
    let place = Place::new();
    start(&place);
    place.crash("bio");
    place.start("user", &["-w", "-o", "env.img"]);
    let output = place.ctr(["restart", "bio"]).fails(1);
    output.says(&["env.img", "in use", "user"]);
    assert_eq!(place.status("bio"), "dead");
    place.ctr(["stop", "user"]).ok();
    place.ctr(["restart", "bio"]).ok();
}

#[test]
fn when_the_start_fails_the_state_stays() {
    let mut place = Place::new();
    start(&place);
    let before = place.state("bio");
    let real = place.environment()[std::ffi::OsStr::new("CTR_APPTAINER")].clone();
    place.set(
        "CTR_APPTAINER",
        place.apptainer_that("echo 'FATAL:   not today' >&2; exit 255"),
    );
    place
        .ctr(["restart", "bio"])
        .fails(1)
        .says(&["bio", "not today"]);
    assert!(place.processes().is_empty() && place.records().is_empty());
    assert_same_setup(&place, &before);
    assert_eq!(place.status("bio"), "stopped");
    place.set("CTR_APPTAINER", real);
    place.ctr(["restart", "bio"]).ok();
    assert_whole(&place);
}

#[test]
fn patterns_and_several_names_are_restarted_and_one_that_fails_stops_no_other() {
    let place = Place::new();
    let gone = place.overlay("gone/1.0", &[]);
    place.start("node1", &[]);
    place.start("node2", &["-o", "gone/1.0"]);
    place.start("node3", &[]);
    let pids = || ["node1", "node2", "node3"].map(|name| place.record(name).pid);
    let before = pids();
    place.ctr(["restart", "node*"]).ok();
    let after = pids();
    assert!(
        before
            .iter()
            .zip(&after)
            .all(|(before, after)| before != after)
    );
    fs::remove_file(gone).unwrap();
    place
        .ctr(["restart", "node1", "node2", "node3"])
        .fails(1)
        .says(&["gone--1.0"]);
    let last = pids();
    assert_eq!([0, 1, 2].map(|n| last[n] == after[n]), [false, true, false]);
}

#[test]
fn what_ctr_has_not_started_cannot_be_restarted() {
    let place = Place::new();
    place
        .apptainer(["-q", "instance", "start"])
        .arg(&images().sif)
        .arg("foreign")
        .ok();
    place
        .ctr(["restart", "foreign"])
        .fails(1)
        .says(&["foreign", "without ctr"]);
    place.record("foreign");
    place.ctr(["restart", "nosuch"]).fails(1).says(&["nosuch"]);
}

#[test]
fn replace_takes_the_place_of_one_that_ctr_has_not_started() {
    let place = Place::new();
    place
        .apptainer(["-q", "instance", "start"])
        .arg(&images().sif)
        .arg("bio")
        .ok();
    place
        .ctr(["start", "bio"])
        .fails(1)
        .says(&["bio", "without ctr", "--replace"]);
    place.start("bio", &["--replace", "-e", "K=v"]);
    assert_eq!(place.environ("bio")["K"], "v");
}

#[test]
fn if_needed_starts_what_was_kept_and_what_died_and_says_so() {
    let place = Place::new();
    place.start("bio", &["-e", "K=v"]);
    place.ctr(["stop", "--keep", "bio"]).ok();
    place
        .ctr(["start", "bio"])
        .fails(1)
        .says(&["bio", "ctr restart bio"]);
    place.start("bio", &["--if-needed", "-e", "K=v"]);
    assert_eq!(place.status("bio"), "running");
    place.crash("bio");
    place
        .start("bio", &["--if-needed", "-e", "K=v"])
        .says(&["bio", "dead"]);
    assert_eq!(place.status("bio"), "running");
}

#[test]
fn with_a_killed_fuse_helper_an_instance_is_broken_until_it_is_restarted() {
    let place = Place::new();
    place.overlay("demo/1.0", &[("bin/demo", "#!/bin/sh\necho demo\n")]);
    place.start("bio", &["-o", "demo/1.0"]);
    place.break_it("bio");

    let listed = place.listed("bio").unwrap();
    assert_eq!(
        (&listed["status"], &listed["tracked"]),
        (&json!("broken"), &json!(true)),
        "{listed:#}"
    );
    let list = place.ctr(["list"]).ok();
    assert!(
        list.text().contains("broken (") && list.text().contains("FUSE"),
        "{list}"
    );
    for command in [&["exec", "bio", "true"][..], &["enter", "bio"]] {
        place
            .ctr(command)
            .fails(125)
            .says(&["bio", "broken", "ctr restart bio"]);
    }
    place.ctr(["env", "bio"]).fails(1).says(&["bio", "broken"]);
    place
        .ctr(["start", "--if-needed", "-o", "demo/1.0", "bio"])
        .fails(1)
        .says(&["broken"]);
    place.ctr(["prune"]).ok();
    assert_eq!(place.status("bio"), "broken");

    place.ctr(["restart", "bio"]).ok();
    assert_eq!(place.status("bio"), "running");
    assert_eq!(place.ctr(["exec", "bio", "demo"]).ok().text(), "demo\n");
    place.ctr(["stop", "bio"]).ok();
    place.assert_clean();
}

#[test]
fn a_broken_instance_can_be_stopped() {
    let place = Place::new();
    place.start("bio", &[]);
    place.break_it("bio");
    assert_eq!(place.status("bio"), "broken");
    place.ctr(["stop", "bio"]).ok();
    place.assert_clean();
}

#[test]
fn ctrl_c_ends_the_restart_of_several() {
    let mut place = Place::new();
    place.start("one", &[]);
    place.start("two", &[]);
    let two = place.record("two").pid;
    let (apptainer, gate, waits) = place.gated_apptainer();
    place.set("CTR_APPTAINER", apptainer);
    let mut restart = place.ctr(["restart", "one", "two"]).spawn();
    eventually("the first start waits", || waits.exists().then_some(()));
    let pid = nix::unistd::Pid::from_raw(restart.id() as i32);
    nix::sys::signal::kill(pid, Signal::SIGINT).unwrap();
    fs::write(gate, "").unwrap();
    assert_eq!(restart.wait().unwrap().code(), Some(130));
    assert_eq!(place.record("two").pid, two);
    assert_eq!(place.status("one"), "stopped");
}
