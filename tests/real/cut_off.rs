//! What is left of a start that was cut off, beside its state, goes too.

use std::fs;

use nix::sys::signal::Signal;
use serde_json::json;

use crate::support::{Bystander, Place, eventually, processes};

#[test]
fn the_logs_of_a_start_that_was_cut_off_go_with_its_trace() {
    let place = Place::new();
    place.start("bio", &[]);
    let record = place.record("bio");
    place.ctr(["stop", "bio"]).ok();
    let (program, _, waiting) = place.gated_apptainer();
    for (args, said) in [
        (&["start", "bio"][..], "its trace is removed"),
        (&["restart", "bio"], "its setup is kept"),
    ] {
        if args[0] == "restart" {
            place.start("bio", &[]);
            fs::remove_file(&waiting).unwrap();
        }
        let run = place.ctr(args).env("CTR_APPTAINER", &program);
        let mut start = run.spawn();
        eventually("the start waits", || waiting.exists().then_some(()));
        let apptainer = processes::child(start.id() as i32);
        start.kill().unwrap();
        start.wait().unwrap();
        apptainer.signal(Signal::SIGKILL);
        // As Apptainer leaves them that is killed later.
        for log in [&record.log_out, &record.log_err] {
            fs::create_dir_all(log.parent().unwrap()).unwrap();
            fs::write(log, "").unwrap();
        }
        eventually("nothing starts it any more", || {
            let mut left = place.processes().into_iter();
            left.all(|one| !one.title.contains(" start ")).then_some(())
        });
        place.ctr(["list"]).ok().says(&[said]);
        assert!(
            !record.log_out.exists() && !record.log_err.exists(),
            "{args:?}"
        );
    }
    place.ctr(["stop", "bio"]).ok();
    place.assert_clean();
}

#[test]
fn prune_removes_a_state_that_never_came_to_be_in_force() {
    let mut place = Place::new();
    place.start("bio", &[]);
    let state = place.state("bio");
    let new = place.state_file("bio").with_file_name(".cut.new");
    let starter = Bystander::new();
    let mut written = state.clone();
    written["name"] = json!("cut");
    written["phase"] = json!("starting");
    written["pid"] = json!(starter.pid());
    written["pid_start_time"] = json!(starter.start_time());
    // Its `ctr` lives, in another network namespace: the lock is not seen.
    fs::write(&new, written.to_string()).unwrap();
    place.ctr(["prune"]).ok().says(&["nothing to remove"]);
    assert!(new.exists());
    drop(starter);
    place
        .ctr(["prune", "--dry-run"])
        .ok()
        .says(&["`cut`", "would be removed"]);
    assert!(new.exists());
    place.ctr(["prune"]).ok().says(&["`cut`", "is removed"]);
    assert!(!new.exists());
    // Half of one, while another command is at work on the name, and then not.
    let (program, gate, waiting) = place.gated_apptainer();
    place.set("CTR_APPTAINER", program);
    let mut start = place.ctr(["start", "cut"]).spawn();
    eventually("the start waits", || waiting.exists().then_some(()));
    fs::write(&new, "{\"name\": \"c").unwrap();
    place.ctr(["prune"]).ok();
    assert!(new.exists());
    fs::write(gate, "").unwrap();
    assert!(start.wait().unwrap().success());
    fs::write(&new, "{\"name\": \"c").unwrap();
    place.ctr(["prune"]).ok().says(&["`cut`", "is removed"]);
    assert!(!new.exists());
    assert_eq!(
        (place.status("cut"), place.status("bio")),
        ("running".into(), "running".into())
    );
}
