//! Instances of another pid namespace: whether it has ended is seen from the kernel's first one alone.

use std::os::unix::fs::MetadataExt;

use crate::identity::ctr_in_pid_namespace;
use crate::support::{Output, Place, eventually};

/// True where these tests see every process of the machine, and false in a container that is a machine
/// of its own.
pub fn is_first() -> bool {
    /// `PROC_PID_INIT_INO` of Linux.
    const FIRST: u64 = 0xEFFF_FFFC;
    std::fs::metadata("/proc/self/ns/pid").unwrap().ino() == FIRST
}

/// A place with the state of `gone`, whose pid namespace ended with the `ctr` that started it.
fn place() -> Place {
    let place = Place::new();
    ctr_in_pid_namespace(&place, &["start", "-e", "K=v", "gone"]).ok();
    eventually("all in there ends", || {
        place.processes().is_empty().then_some(())
    });
    place
}

#[track_caller]
fn says_what_to_do(output: &Output) {
    output.says(&["gone", "pid namespace", "ctr stop -F gone"]);
}

#[test]
fn one_that_has_ended_is_gone_or_can_be_forgotten() {
    let place = place();
    let list = place.ctr(["list"]).ok();
    assert!(list.text().contains("pid namespace"), "{list}");
    let status = if is_first() { "dead" } else { "elsewhere" };
    assert_eq!(place.status("gone"), status);
    let dry = place.ctr(["prune", "--dry-run"]).ok();
    let dry_with_force = place.ctr(["prune", "--dry-run", "--force"]).ok();
    dry_with_force.says(&["`gone` would be removed"]);
    assert_eq!(dry.stderr.contains("would be removed"), is_first(), "{dry}");
    place.ctr(["stop", "-F", "gone"]).ok();
    assert!(place.state_files().is_empty());
}

#[test]
fn prune_removes_it_where_that_can_be_told_and_else_by_force() {
    let place = place();
    place.ctr(["prune"]).ok();
    assert_eq!(place.state_files().is_empty(), is_first());
    place.ctr(["prune", "--force"]).ok();
    assert!(place.state_files().is_empty());
    place.start("gone", &[]);
    place.ctr(["exec", "gone", "true"]).ok().quiet();
}

#[test]
fn it_is_started_again_where_that_can_be_told() {
    for args in [
        &["restart", "gone"][..],
        &["start", "gone"],
        &["start", "--replace", "gone"],
    ] {
        let place = place();
        let run = place.ctr(args);
        if is_first() {
            run.ok();
        } else {
            says_what_to_do(&run.fails(1));
            place.ctr(["stop", "-F", "--keep", "gone"]).ok();
            place.ctr(["restart", "gone"]).ok();
        }
        assert_eq!(place.status("gone"), "running", "{args:?}");
        place.ctr(["exec", "gone", "true"]).ok().quiet();
        place.ctr(["stop", "gone"]).ok();
        place.assert_clean();
    }
}

#[test]
fn one_that_lives_elsewhere_is_only_forgotten_by_force_and_runs_on() {
    let place = Place::new();
    place.start("bio", &[]);
    let record = place.record("bio").pid;
    let run = |args: &[&str]| ctr_in_pid_namespace(&place, args);
    for args in [&["stop", "bio"][..], &["restart", "bio"], &["start", "bio"]] {
        run(args)
            .fails(1)
            .says(&["pid namespace", "ctr stop -F bio"]);
        assert_eq!(place.status("bio"), "running", "{args:?}");
    }
    run(&["prune"]).ok();
    assert_eq!(place.status("bio"), "running");
    run(&["stop", "-F", "bio"])
        .ok()
        .says(&["forgotten", "runs on"]);
    assert_eq!(place.record("bio").pid, record);
    assert_eq!(place.status("bio"), "untracked");
    place.ctr(["exec", "bio", "true"]).ok();
    place.ctr(["stop", "bio"]).ok();

    place.start("bio", &[]);
    run(&["prune", "--force"]).ok().says(&["`bio` is removed"]);
    assert_eq!(place.status("bio"), "untracked");
}

#[test]
fn one_that_lives_in_another_namespace_is_left_alone() {
    let place = Place::new();
    let script = format!(
        "{} start there && touch started && while [ ! -e over ]; do sleep 0.05; done",
        place.path("bin/ctr").display()
    );
    let program = place.write_program("bin/session", format!("#!/bin/sh\n{script}\n"));
    let mut session = place.in_pid_namespace(&program).spawn();
    eventually("it is started", || {
        place.work().join("started").exists().then_some(())
    });
    assert_eq!(place.status("there"), "elsewhere");
    for args in [
        &["stop", "there"][..],
        &["restart", "there"],
        &["start", "there"],
    ] {
        place
            .ctr(args)
            .fails(1)
            .says(&["pid namespace", "ctr stop -F there"]);
    }
    place.ctr(["prune"]).ok();
    assert_eq!(place.status("there"), "elsewhere");
    place.write("work/over", "");
    session.wait().unwrap();
}
