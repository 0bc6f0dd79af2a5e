//! Which process an instance is: by boot, pid namespace and start time, and never by its pid alone.

use std::fs;

use serde_json::json;

use crate::support::{Bystander, Output, Place, Run, images};

/// Everything that acts on an instance which is dead, and must not act on whoever has its pid now.
const ACTIONS: [&[&str]; 11] = [
    &["list"],
    &["show", "bio"],
    &["logs", "bio"],
    &["exec", "bio", "true"],
    &["env", "bio"],
    &["stats", "bio"],
    &["prune", "--dry-run"],
    &["stop", "--keep", "bio"],
    &["stop", "-F", "bio"],
    &["stop", "-a"],
    &["prune"],
];

/// Demands that `bio` is dead for this reason, and that no command does anything to the process
/// whose pid its state has.
#[track_caller]
fn assert_dead(place: &Place, bystander: &mut Bystander, reason: &str) {
    let state = fs::read(place.state_file("bio")).unwrap();
    for action in ACTIONS {
        fs::write(place.state_file("bio"), &state).unwrap();
        let listed = place.listed("bio").unwrap();
        assert_eq!(listed["status"], "dead", "{listed:#}");
        assert_eq!(listed["pid"], json!(null), "{listed:#}");
        let list = place.ctr(["list"]).ok();
        assert!(list.text().contains(reason), "{list}");
        place.ctr(action).run();
        bystander.assert_alive();
    }
    fs::write(place.state_file("bio"), &state).unwrap();
    place
        .ctr(["exec", "bio", "true"])
        .fails(125)
        .says(&["bio", "dead", "ctr restart bio"]);
    place.ctr(["stop", "bio"]).ok().says(&["bio"]);
    place.assert_forgotten("bio");
    fs::write(place.state_file("bio"), &state).unwrap();
    place.ctr(["restart", "bio"]).ok();
    bystander.assert_alive();
    assert_eq!(place.status("bio"), "running");
}

#[test]
fn a_pid_that_another_process_has_now_is_not_the_instance() {
    let place = Place::new();
    place.start("bio", &[]);
    place.crash("bio");
    let mut bystander = Bystander::new();
    place.edit_state("bio", |state| {
        state["pid"] = json!(bystander.pid());
        state["supervisor_pid"] = json!(bystander.pid());
    });
    assert_dead(&place, &mut bystander, "its process has ended");
}

#[test]
fn a_process_of_an_earlier_boot_is_not_the_instance() {
    let place = Place::new();
    place.start("bio", &[]);
    place.crash("bio");
    let mut bystander = Bystander::new();
    place.edit_state("bio", |state| {
        state["pid"] = json!(bystander.pid());
        state["pid_start_time"] = json!(bystander.start_time());
        state["supervisor_pid"] = json!(bystander.pid());
        state["boot_id"] = json!("0f0f0f0f-0000-4000-8000-000000000000");
    });
    assert_dead(&place, &mut bystander, "boot");
}

#[test]
fn an_instance_of_another_host_is_elsewhere_and_left_alone() {
    let place = Place::new();
    place.start("bio", &["-e", "K=here"]);
    let mut state = place.state("bio");
    state["host"] = json!("farhost");
    let far = place.write("state/ctr/instances/farhost/bio.json", state.to_string());
    state["name"] = json!("only");
    let only = place.write("state/ctr/instances/farhost/only.json", state.to_string());
    assert_eq!(place.ctr(["list", "--names"]).ok().text(), "bio\n");

    let list = place.ctr(["list", "--all-hosts", "--json"]).ok().json();
    let rows: Vec<_> = list["instances"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| ["name", "host", "status"].map(|key| one[key].as_str().unwrap()))
        .collect();
    let here = nix::unistd::gethostname().unwrap().into_string().unwrap();
    let expected = [
        ["bio", &here, "running"],
        ["bio", "farhost", "elsewhere"],
        ["only", "farhost", "elsewhere"],
    ];
    assert_eq!(rows, expected, "{list:#}");
    let table = place.ctr(["list", "--all-hosts"]).ok();
    assert!(
        table.text().contains("farhost"),
        "the reason says where: {table}"
    );

    place
        .ctr(["exec", "only", "true"])
        .fails(125)
        .says(&["only"]);
    place.ctr(["prune"]).ok();
    place.ctr(["stop", "only"]).fails(1).says(&["only"]);
    place.ctr(["stop", "--all"]).ok();
    assert!(far.exists() && only.exists());
    assert!(place.find_record("bio").is_none());
}

#[test]
fn the_state_of_another_host_lies_where_the_host_says_and_not_where_the_file_says() {
    let place = Place::new();
    place.start("bio", &[]);
    let mut state = place.state("bio");
    state["name"] = json!("copied");
    place.write("state/ctr/instances/farhost/copied.json", state.to_string());
    let list = place.ctr(["list", "--all-hosts", "--json"]).ok().json();
    let copied = &list["instances"].as_array().unwrap()[1];
    assert_eq!(
        (&copied["name"], &copied["status"]),
        (&json!("copied"), &json!("elsewhere"))
    );
    assert_eq!(copied["pid"], json!(null));
}

/// `ctr` in a pid namespace of its own, as inside a container or some job launchers.
pub fn ctr_in_pid_namespace(place: &Place, args: &[&str]) -> Run {
    place.in_pid_namespace(&place.path("bin/ctr")).args(args)
}

#[test]
fn from_another_pid_namespace_instances_are_elsewhere_and_nothing_is_touched() {
    let place = Place::new();
    place.start("bio", &["-e", "K=v"]);
    place
        .apptainer(["-q", "instance", "start"])
        .arg(&images().sif)
        .arg("foreign")
        .ok();
    let (state, record) = (place.state("bio"), place.record("bio"));
    let run = |args: &[&str]| -> Output {
        let output = ctr_in_pid_namespace(&place, args).run();
        assert_eq!(place.state("bio"), state, "{output}");
        assert_eq!(place.record("bio").pid, record.pid, "{output}");
        place.record("foreign");
        assert_eq!(place.state_files(), [place.state_file("bio")], "{output}");
        output
    };
    let list = run(&["list", "--json"]);
    assert_eq!(list.status, 0, "{list}");
    let listed = list.json()["instances"][0].clone();
    assert_eq!(
        (&listed["name"], &listed["status"]),
        (&json!("bio"), &json!("elsewhere")),
        "{list}"
    );
    let list = run(&["list"]);
    assert!(list.text().contains("pid namespace"), "the reason: {list}");
    for (args, status) in [
        (&["stop", "bio"][..], 1),
        (&["stop", "--all"], 1),
        (&["stop", "--all", "-F"], 1),
        (&["stop", "--all", "--untracked"], 1),
        (&["restart", "bio"], 1),
        (&["start", "bio"], 1),
        (&["start", "--replace", "bio"], 1),
        (&["start", "--if-needed", "bio"], 1),
        (&["exec", "bio", "true"], 125),
        (&["enter", "bio"], 125),
        (&["env", "bio"], 1),
        (&["stats", "bio"], 1),
        (&["prune"], 0),
    ] {
        let output = run(args);
        assert_eq!(output.status, status, "{output}");
    }
    place.ctr(["exec", "bio", "true"]).ok().quiet();
    assert_eq!(place.status("bio"), "running");
}

#[test]
fn a_cut_off_start_is_not_mended_from_another_pid_namespace() {
    let place = Place::new();
    let mut starter = Bystander::new();
    place.start("bio", &[]);
    place.edit_state("bio", |state| {
        state["phase"] = json!("starting");
        state["pid"] = json!(starter.pid());
        state["pid_start_time"] = json!(starter.start_time());
    });
    let before = place.state("bio");
    ctr_in_pid_namespace(&place, &["list"]).ok();
    ctr_in_pid_namespace(&place, &["prune"]).ok();
    assert_eq!(place.state("bio"), before);
    starter.assert_alive();
}
