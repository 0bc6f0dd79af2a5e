//! Starts that are cut off, that cannot be remembered, and that meet other commands.

use std::fs;
use std::thread;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::json;

use crate::support::{Bystander, Place, eventually, is_waiting};

/// Makes the state of a running instance what it is when `ctr start` dies between Apptainer's
/// start and the save. `starter` began before the instance, and ends here.
fn cut_off(place: &Place, starter: Bystander) {
    let (pid, start_time) = (starter.pid(), starter.start_time());
    place.edit_state("bio", |state| {
        state["phase"] = json!("starting");
        state["pid"] = json!(pid);
        state["pid_start_time"] = json!(start_time);
        state["supervisor_pid"] = json!(pid);
        state["started_at"] = json!(null);
        state["log_out"] = json!("");
        state["log_err"] = json!("");
    });
    drop(starter);
}

fn keepers(place: &Place) -> usize {
    let processes = place.processes();
    processes
        .iter()
        .filter(|process| process.is_keeper())
        .count()
}

#[test]
fn a_start_that_was_cut_off_after_the_instance_came_up_is_mended_by_the_next_list() {
    let place = Place::new();
    let starter = Bystander::new();
    place.start("bio", &["-e", "K=v"]);
    let record = place.record("bio");
    cut_off(&place, starter);
    place.ctr(["list"]).ok().says(&["bio"]);
    let state = place.state("bio");
    assert_eq!(
        (&state["phase"], &state["pid"]),
        (&json!("running"), &json!(record.pid))
    );
    assert_eq!(state["log_out"], json!(record.log_out));
    let list = place.ctr(["list", "--json"]).ok();
    assert_eq!(
        list.quiet().json()["instances"][0]["status"],
        "running",
        "said once"
    );
    assert_eq!(place.environ("bio")["K"], "v");
    place.ctr(["stop", "bio"]).ok();
    place.assert_clean();
}

#[test]
fn any_command_mends_the_start_that_was_cut_off() {
    for command in [
        &["exec", "bio", "true"][..],
        &["show", "bio"],
        &["stats", "bio"],
        &["env", "bio"],
    ] {
        let place = Place::new();
        let starter = Bystander::new();
        place.start("bio", &[]);
        cut_off(&place, starter);
        place.ctr(command).ok().says(&["bio"]);
        assert_eq!(place.state("bio")["phase"], "running", "{command:?}");
    }
}

#[test]
fn a_start_that_was_cut_off_before_the_instance_came_up_leaves_no_trace_after_the_next_list() {
    let place = Place::new();
    let starter = Bystander::new();
    place.start("bio", &[]);
    place.crash("bio");
    cut_off(&place, starter);
    let list = place.ctr(["list", "--json"]).ok();
    list.says(&["bio"]);
    assert_eq!(list.json(), json!({"instances": []}));
    assert_eq!(place.state_files(), Vec::<std::path::PathBuf>::new());
    place.start("bio", &[]);
}

#[test]
fn a_start_that_is_under_way_is_not_taken_for_one_that_was_cut_off() {
    let mut place = Place::new();
    let (program, gate, waiting) = place.gated_apptainer();
    place.set("CTR_APPTAINER", program);
    let mut start = place.ctr(["start", "bio"]).spawn();
    eventually("the start waits", || waiting.exists().then_some(()));
    let list = place.ctr(["list", "--json"]).ok();
    list.quiet();
    assert_ne!(list.json()["instances"][0]["status"], "dead", "{list}");
    place.ctr(["prune"]).ok();
    fs::write(gate, "").unwrap();
    assert!(start.wait().unwrap().success());
    assert_eq!(place.status("bio"), "running");
    place.ctr(["exec", "bio", "true"]).ok();
}

#[test]
fn a_stop_that_meets_a_start_stops_what_it_started() {
    let mut place = Place::new();
    let (program, gate, waiting) = place.gated_apptainer();
    place.set("CTR_APPTAINER", program);
    let mut start = place.ctr(["start", "bio"]).spawn();
    eventually("the start waits", || waiting.exists().then_some(()));
    let mut stop = place.ctr(["stop", "bio"]).spawn();
    is_waiting(&stop);
    fs::write(gate, "").unwrap();
    assert!(start.wait().unwrap().success());
    assert!(stop.wait().unwrap().success());
    place.assert_clean();
}

#[test]
fn two_restarts_at_once_leave_one_instance_that_runs() {
    let place = Place::new();
    place.start("bio", &["-e", "K=v"]);
    for _ in 0..3 {
        let run = place.ctr(["restart", "bio"]);
        let mut restarts = [run.spawn(), run.spawn()];
        let won = restarts.each_mut().map(|one| one.wait().unwrap().success());
        assert!(won.contains(&true), "{won:?}");
        let record = place.record("bio");
        assert_eq!(place.listed("bio").unwrap()["pid"], json!(record.pid));
        assert_eq!(place.status("bio"), "running");
        assert_eq!(place.environ("bio")["K"], "v");
        assert_eq!(keepers(&place), 1, "{:#?}", place.processes());
    }
}

#[test]
fn a_stop_and_a_restart_at_once_leave_all_or_nothing() {
    let place = Place::new();
    for _ in 0..3 {
        place.start("bio", &["--if-needed"]);
        let mut both = [
            place.ctr(["restart", "bio"]).spawn(),
            place.ctr(["stop", "bio"]).spawn(),
        ];
        for one in &mut both {
            one.wait().unwrap();
        }
        match place.listed("bio") {
            None => place.assert_clean(),
            Some(listed) => {
                assert_eq!(listed["status"], "running", "{listed:#}");
                assert_eq!(listed["pid"], json!(place.record("bio").pid));
                assert_eq!(keepers(&place), 1, "{:#?}", place.processes());
            }
        }
    }
}

#[test]
fn two_starts_that_replace_at_once_leave_one_instance_that_runs() {
    let place = Place::new();
    place.start("bio", &[]);
    let run = place.ctr(["start", "--replace", "bio"]);
    let mut starts = [run.spawn(), run.spawn()];
    let won = starts.each_mut().map(|one| one.wait().unwrap().success());
    assert!(won.contains(&true), "{won:?}");
    assert_eq!(place.status("bio"), "running");
    assert_eq!(
        place.listed("bio").unwrap()["pid"],
        json!(place.record("bio").pid)
    );
    assert_eq!(keepers(&place), 1, "{:#?}", place.processes());
}

#[test]
fn a_start_that_is_killed_at_any_moment_is_got_over() {
    let place = Place::new();
    place.start("bio", &[]);
    place.ctr(["stop", "bio"]).ok();
    for round in 0..10 {
        let mut start = place.ctr(["start", "bio"]).spawn();
        // The moment is what is tried here: from the first steps to after the end.
        thread::sleep(Duration::from_millis(10 + 45 * round));
        start.kill().unwrap();
        start.wait().unwrap();
        place.ctr(["list"]).ok();
        place.ctr(["start", "--replace", "bio"]).ok();
        assert_eq!(place.status("bio"), "running", "round {round}");
        assert_eq!(
            place.listed("bio").unwrap()["pid"],
            json!(place.record("bio").pid),
            "round {round}"
        );
        place.ctr(["exec", "bio", "true"]).ok().quiet();
        assert_eq!(
            keepers(&place),
            1,
            "round {round}: {:#?}",
            place.processes()
        );
        place.ctr(["stop", "bio"]).ok();
        place.assert_clean_after(&format!("round {round}"));
    }
}

#[test]
fn an_instance_that_comes_up_after_its_start_was_killed_is_tracked_or_gone() {
    let mut place = Place::new();
    let (program, gate, waiting) = place.gated_apptainer();
    place.set("CTR_APPTAINER", program);
    let mut start = place.ctr(["start", "-e", "K=v", "bio"]).spawn();
    eventually("the start waits", || waiting.exists().then_some(()));
    start.kill().unwrap();
    start.wait().unwrap();
    place.ctr(["list"]).ok();
    fs::write(gate, "").unwrap();
    eventually("Apptainer is done", || {
        let mut processes = place.processes().into_iter();
        processes
            .all(|one| !one.title.contains(" instance start "))
            .then_some(())
    });
    match place.listed("bio") {
        None => place.assert_clean(),
        Some(listed) => {
            assert_eq!(listed["status"], "running", "{listed:#}");
            assert_eq!(place.environ("bio")["K"], "v");
        }
    }
}

#[test]
fn a_signal_during_a_start_leaves_nothing() {
    for signal in [Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP] {
        let mut place = Place::new();
        let (program, _, waiting) = place.gated_apptainer();
        place.set("CTR_APPTAINER", program);
        let mut start = place.ctr(["start", "bio"]).spawn();
        eventually("the start waits", || waiting.exists().then_some(()));
        kill(Pid::from_raw(start.id() as i32), signal).unwrap();
        let status = start.wait().unwrap();
        assert!(!status.success(), "{signal}");
        eventually("its helpers end", || {
            place.processes().is_empty().then_some(())
        });
        place.assert_clean_after(&signal);
    }
}

#[test]
fn ctrl_c_when_apptainer_has_started_the_instance_leaves_nothing() {
    let mut place = Place::new();
    let then_waits = "real \"$@\"; echo begun > /dev/tty; exec sleep 1000";
    place.set("CTR_APPTAINER", place.apptainer_that(then_waits));
    let mut terminal = place.ctr(["start", "bio"]).terminal();
    terminal.wait_for("begun");
    place.record("bio");
    terminal.ctrl('c');
    assert_eq!(terminal.wait(), 130, "{}", terminal.screen());
    eventually("its helpers end", || {
        place.processes().is_empty().then_some(())
    });
    place.assert_clean();
}

#[test]
fn ctrl_c_during_a_restart_keeps_the_setup() {
    let mut place = Place::new();
    place.start("bio", &["-e", "K=v"]);
    let (program, gate, waiting) = place.gated_apptainer();
    place.set("CTR_APPTAINER", program);
    let mut terminal = place.ctr(["restart", "bio"]).terminal();
    terminal.until("the start waits", |_| waiting.exists().then_some(()));
    terminal.ctrl('c');
    assert_ne!(terminal.wait(), 0, "{}", terminal.screen());
    assert_eq!(place.status("bio"), "stopped");
    fs::write(gate, "").unwrap();
    place.ctr(["restart", "bio"]).ok();
    assert_eq!(place.environ("bio")["K"], "v");
}
