//! State files of the reference, which people who come from it have.

use std::path::PathBuf;

use serde_json::json;

use crate::support::{Place, images};

/// A place with a folder that holds `cnt1.json`, as the reference writes it: readable by all, at
/// the root of the folder, with what it knows of the instance and no more.
fn place() -> (Place, PathBuf) {
    let mut place = Place::new();
    let overlay = place.overlay("demo/1.0", &[("bin/demo", "#!/bin/sh\necho demo\n")]);
    let state = json!({
        "name": "cnt1",
        "env": [
            "DEMO_HOME=/cnt/demo/1.0", "PATH=/cnt/demo/1.0/bin:$PATH", "PS1=CNT \\[\\e[0;34m\\]\\w\\[\\e[0m\\]> ",
            "IN_CONDATAINER=1", "LC_ALL=C.UTF-8", "LANG=C.UTF-8", "CURL_CA_BUNDLE=", "SSL_CERT_FILE=", "K=a",
        ],
        "overlays": [overlay],
        "bind_paths": [place.work()],
        "base_image": images().sif,
        "notes": {"DEMO_HOME": "where demo lives"},
    });
    let file = place.write("reference/cnt1.json", format!("{state:#}\n"));
    place.set("CTR_STATE_DIR", place.path("reference"));
    (place, file)
}

/// Starts what the file is about, as the reference would.
fn start(place: &Place) {
    let overlay = place.path("overlays/demo--1.0.sqf");
    let run = place.apptainer(["-q", "instance", "start", "--overlay"]);
    run.arg(overlay).arg(&images().sif).arg("cnt1").ok();
}

#[test]
fn it_is_listed_and_shown() {
    let (place, _) = place();
    let listed = place.listed("cnt1").expect("it is listed");
    assert_eq!(listed["status"], "dead", "{listed:#}");
    assert_eq!(listed["tracked"], true, "{listed:#}");
    assert_eq!(
        listed["overlays"],
        json!([place.path("overlays/demo--1.0.sqf")])
    );
    let shown = place.ctr(["show", "--json", "cnt1"]).ok().json();
    assert_eq!(shown["notes"], json!({"DEMO_HOME": "where demo lives"}));
    assert_eq!(shown["bind_paths"], json!([place.work()]));
    assert_eq!(shown["status"], "dead");
    let note = place.ctr(["note", "cnt1", "DEMO_HOME"]).ok();
    assert_eq!(note.text(), "where demo lives\n");
    place.ctr(["show", "cnt1"]).ok().quiet();
}

#[test]
fn its_environment_is_that_of_the_instance_that_runs_under_its_name() {
    let (place, _) = place();
    start(&place);
    assert_eq!(place.status("cnt1"), "running");
    assert_eq!(
        place.listed("cnt1").unwrap()["pid"],
        place.record("cnt1").pid
    );
    let environ = place.environ("cnt1");
    assert_eq!(
        (&*environ["K"], &*environ["DEMO_HOME"]),
        ("a", "/cnt/demo/1.0")
    );
    let demo = place.ctr(["exec", "cnt1", "demo"]).ok();
    assert_eq!(demo.quiet().text(), "demo\n");
}

#[test]
fn the_empty_ca_variables_that_it_holds_stay_unset() {
    let (place, _) = place();
    start(&place);
    let environ = place.environ("cnt1");
    for key in ["SSL_CERT_FILE", "CURL_CA_BUNDLE"] {
        assert!(
            !environ.contains_key(key),
            "{key}: Python would trust nobody"
        );
    }
}

#[test]
fn it_can_be_made_active_and_noted_and_keeps_its_place() {
    let (place, file) = place();
    start(&place);
    let document = place.ctr(["env", "--json", "cnt1"]).ok().json();
    assert_eq!(document["instance"], "cnt1");
    place.ctr(["note", "cnt1", "K=of mine"]).ok();
    assert_eq!(place.ctr(["note", "cnt1", "K"]).ok().text(), "of mine\n");
    assert_eq!(place.listed("cnt1").unwrap()["status"], "running");
    let names = place.ctr(["list", "--names"]).ok();
    assert_eq!(
        names.text(),
        "cnt1\n",
        "not once for the old file and once for the new"
    );
    assert!(file.exists(), "the reference goes on reading it");
}

#[test]
fn stop_ends_the_instance_and_removes_the_file() {
    let (place, file) = place();
    start(&place);
    place.ctr(["stop", "cnt1"]).ok();
    assert!(place.processes().is_empty(), "{:#?}", place.processes());
    assert!(place.records().is_empty());
    assert!(!file.exists());
    assert_eq!(place.ctr(["list", "--names"]).ok().text(), "");
}

#[test]
fn restart_starts_what_it_describes() {
    let (place, _) = place();
    place.ctr(["restart", "cnt1"]).ok();
    assert_eq!(place.status("cnt1"), "running");
    assert_eq!(place.ctr(["exec", "cnt1", "demo"]).ok().text(), "demo\n");
    let environ = place.environ("cnt1");
    assert_eq!(environ["K"], "a");
    assert!(!environ.contains_key("SSL_CERT_FILE"));
}

#[test]
fn one_that_others_may_write_is_refused() {
    let (place, file) = place();
    start(&place);
    place.mode(&file, 0o664);
    let output = place.ctr(["exec", "cnt1", "true"]).fails(125);
    output.says(&[file.to_str().unwrap()]);
    place.mode(&file, 0o644);
    place.ctr(["exec", "cnt1", "true"]).ok();
}

#[test]
fn it_may_live_on_another_host_and_only_stop_removes_it() {
    let (place, file) = place();
    start(&place);
    place.ctr(["prune"]).ok();
    assert!(file.exists());
    place.crash("cnt1");
    // Apptainer removes its record of one that has ended when it lists them.
    place.apptainer(["instance", "list"]).ok();
    assert!(place.records().is_empty());
    place
        .ctr(["prune"])
        .ok()
        .says(&["cnt1", "stays", "ctr stop cnt1"]);
    place.ctr(["stop", "--all"]).fails(1);
    assert!(file.exists());
    place.ctr(["stop", "cnt1"]).ok();
    assert!(!file.exists());
}

#[test]
fn where_apptainer_has_no_record_of_it_it_is_dead_in_any_pid_namespace() {
    let (place, _) = place();
    let list = crate::identity::ctr_in_pid_namespace(&place, &["list", "--json"]).ok();
    let listed = list.json()["instances"][0].clone();
    assert_eq!(listed["status"], "dead", "{listed:#}");
    start(&place);
    let list = crate::identity::ctr_in_pid_namespace(&place, &["list", "--json"]).ok();
    let listed = list.json()["instances"][0].clone();
    assert_eq!(listed["status"], "elsewhere", "{listed:#}");
}

#[test]
fn from_another_pid_namespace_nothing_of_it_is_touched() {
    let (place, file) = place();
    start(&place);
    let record = place.record("cnt1").pid;
    for args in [
        &["prune"][..],
        &["stop", "cnt1"],
        &["stop", "--all"],
        &["restart", "cnt1"],
    ] {
        crate::identity::ctr_in_pid_namespace(&place, args).run();
        assert!(file.exists(), "{args:?}");
        assert_eq!(place.record("cnt1").pid, record, "{args:?}");
    }
    assert_eq!(place.status("cnt1"), "running");
}
