//! One command at a time is at work on an instance, whatever becomes of folders meanwhile; the others
//! wait as long as it lives and gets on.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::process::Child;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::support::{Place, eventually, is_waiting};

/// A start that waits at a gate, and the gate.
fn slow_start(place: &mut Place) -> (Child, PathBuf) {
    let (program, gate, waiting) = place.gated_apptainer();
    place.set("CTR_APPTAINER", program);
    let start = place.ctr(["start", "bio"]).spawn();
    eventually("the start waits", || waiting.exists().then_some(()));
    (start, gate)
}

#[test]
fn a_lock_outlives_every_folder_that_a_cleaner_or_a_logout_empties() {
    let mut place = Place::new();
    let (mut start, gate) = slow_start(&mut place);
    fs::remove_dir_all(place.path("run")).unwrap();
    place.folder("run");
    place.mode(&place.path("run"), 0o700);
    for file in place.state_files() {
        if file.extension().is_none_or(|ending| ending != "json") {
            fs::remove_file(file).unwrap();
        }
    }
    let stop = place.ctr(["stop", "--keep", "bio"]);
    // From another session, and from `cron`, which have other folders.
    let mut stops = [
        stop.spawn(),
        stop.clone().env_remove("XDG_RUNTIME_DIR").spawn(),
        stop.env("TMPDIR", place.folder("tmp")).spawn(),
    ];
    stops.iter().for_each(is_waiting);
    assert!(start.try_wait().unwrap().is_none());
    fs::write(gate, "").unwrap();
    assert!(start.wait().unwrap().success());
    for stop in &mut stops {
        assert!(stop.wait().unwrap().success());
    }
    assert_eq!(place.status("bio"), "stopped");
}

#[test]
fn a_folder_of_states_that_is_named_in_another_way_has_the_same_locks() {
    let mut place = Place::new();
    let (mut start, gate) = slow_start(&mut place);
    let link = place.path("cache/link");
    std::os::unix::fs::symlink(place.path("state"), &link).unwrap();
    let mut stop = place
        .ctr(["stop", "bio"])
        .env("XDG_STATE_HOME", link)
        .spawn();
    is_waiting(&stop);
    fs::write(gate, "").unwrap();
    assert!(start.wait().unwrap().success());
    assert!(stop.wait().unwrap().success());
    place.assert_clean();
}

#[test]
fn a_terminal_is_told_what_is_waited_for_and_ctrl_c_ends_it() {
    let mut place = Place::new();
    let (mut start, gate) = slow_start(&mut place);
    let mut terminal = place.ctr(["stop", "bio"]).terminal();
    let told = format!(
        "waiting for process {}, which is at work on `bio`",
        start.id()
    );
    terminal.wait_for(&told);
    terminal.ctrl('c');
    assert_ne!(terminal.wait(), 0);
    fs::write(gate, "").unwrap();
    assert!(start.wait().unwrap().success());
    assert_eq!(place.status("bio"), "running");
}

#[test]
fn one_that_is_stopped_is_not_waited_for() {
    let mut place = Place::new();
    let (mut start, gate) = slow_start(&mut place);
    let pid = Pid::from_raw(start.id() as i32);
    kill(pid, Signal::SIGSTOP).unwrap();
    let said = place.ctr(["stop", "bio"]).fails(1);
    said.says(&["`bio`", "is stopped", &format!("kill -CONT {pid}")]);
    kill(pid, Signal::SIGCONT).unwrap();
    fs::write(gate, "").unwrap();
    assert!(start.wait().unwrap().success());
}

#[test]
fn the_lock_of_one_that_was_killed_is_free() {
    let mut place = Place::new();
    let (mut start, gate) = slow_start(&mut place);
    start.kill().unwrap();
    start.wait().unwrap();
    fs::write(gate, "").unwrap();
    place.ctr(["start", "--replace", "bio"]).ok();
    assert_eq!(place.status("bio"), "running");
}

/// Whoever sees the name of a lock can have it as soon as it is free, and need not say whose it is.
#[test]
fn another_user_who_has_the_name_of_a_lock_and_does_not_answer_is_passed_over() {
    let place = Place::new();
    place.start("bio", &[]);
    let folder = place.state_file("bio").parent().unwrap().to_owned();
    place.ctr(["stop", "bio"]).ok();
    let (uid, inode) = (nix::unistd::getuid(), fs::metadata(folder).unwrap().ino());
    let name = format!("ctr/{uid}/{inode:x}/bio");
    for manner in ["bound", "datagram", "full"] {
        let unshare = place
            .program("unshare")
            .args(["--map-root-user", "--map-auto"]);
        let squat = unshare.arg(place.squat()).args([&*name, manner]);
        let mut squat = squat.spawn();
        eventually("the name is taken", || {
            let table = fs::read_to_string("/proc/net/unix").unwrap();
            table.contains(&format!("@{name}\n")).then_some(())
        });
        place.start("bio", &[]);
        place.ctr(["exec", "bio", "true"]).ok();
        // Of the next name it is the lock, and nobody takes two.
        place.ctr(["stop", "bio"]).ok();
        squat.kill().unwrap();
        squat.wait().unwrap();
    }
    place.assert_clean();
}
