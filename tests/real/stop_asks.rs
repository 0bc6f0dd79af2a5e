//! How `ctr stop` asks, and how long it waits.

use std::fs;
use std::path::Path;

use nix::sys::signal::Signal;

use crate::support::{Output, Place, eventually, images, processes};

/// More seconds than a test has: one that waits for their end fails.
const LONG: &str = "100000";

/// An image whose start script is this.
fn image(place: &Place, script: &str) -> String {
    let script = format!("#!/bin/sh\n{script}\n");
    let image = place.sandbox("asked", &[("/.singularity.d/startscript", &script)]);
    image.to_str().unwrap().to_owned()
}

#[track_caller]
fn wait_for(file: &Path) {
    eventually("the file is there", || file.exists().then_some(()));
}

#[track_caller]
fn stop(place: &Place, options: &[&str]) -> Output {
    let output = place.ctr(["stop", "-t", LONG]).args(options).ok();
    assert!(!output.stderr.contains("killed"), "{output}");
    place.assert_clean_after(&output);
    output
}

#[test]
fn it_is_over_when_nobody_but_the_first_process_is_left() {
    let place = Place::new();
    for script in [
        "exec sleep 100000",
        "sleep 100000",
        "true",
        "(sleep 100000; sleep 100000)",
        "setsid sleep 100000 & exec sleep 100000",
    ] {
        let image = image(&place, script);
        for signal in [&[][..], &["-s", "TERM"]] {
            place.start("bio", &["-b", &image]);
            stop(&place, &[signal, &["bio"]].concat());
        }
        place.start("bio", &["-b", &image]);
        place.ctr(["restart", "bio"]).ok();
        stop(&place, &["bio"]);
    }
}

#[test]
fn one_without_anything_inside_and_one_without_a_number_of_seconds_are_stopped() {
    let place = Place::new();
    place.start("bio", &[]);
    place.ctr(["stop", "-t", &u64::MAX.to_string(), "bio"]).ok();
    place.start("bio", &["-b", images().service.to_str().unwrap()]);
    place.ctr(["stop", "-t", "0", "bio"]).ok();
    place.assert_clean();
}

#[test]
fn a_daemon_that_saves_its_data_on_a_signal_has_the_time_for_it() {
    let place = Place::new();
    let saved = place.path("work/saved");
    let ready = place.path("work/ready");
    let save = format!("sleep 0.5; echo data > {}; exit", saved.display());
    let daemon = format!(
        "trap '{save}' INT TERM; echo > {}; while :; do sleep 0.1; done",
        ready.display()
    );
    // One that ignores SIGINT from its birth, as all do that a script begins with `&`, and cannot
    // take that back; one that does not.
    let begun = place.write("work/daemon", &daemon);
    for script in [
        format!("sh {} & exit", begun.display()),
        format!("sh {} & wait", begun.display()),
        format!("setsid sh {} & exec sleep 100000", begun.display()),
        format!("exec sh {}", begun.display()),
    ] {
        for signal in [&[][..], &["-s", "TERM"]] {
            for file in [&saved, &ready] {
                let _ = fs::remove_file(file);
            }
            let image = image(&place, &script);
            place.start("bio", &["-b", &image]);
            wait_for(&ready);
            stop(&place, &[signal, &["bio"]].concat());
            assert!(saved.exists(), "{script} {signal:?}");
        }
    }
}

#[test]
fn who_does_not_end_is_killed_and_the_line_says_so() {
    let place = Place::new();
    let ready = place.path("work/ready");
    let script = format!(
        "trap '' INT TERM; echo > {}; while :; do sleep 0.1; done",
        ready.display()
    );
    let image = image(&place, &script);
    place.start("bio", &["-b", &image]);
    wait_for(&ready);
    let output = place.ctr(["stop", "-t", "1", "bio"]).ok();
    output.says(&["`bio` is stopped", "had not ended after 1 s", "killed"]);
    place.assert_clean();
}

#[test]
fn what_is_begun_to_tidy_up_is_not_asked_to_end() {
    let place = Place::new();
    let (saved, ready) = (place.path("work/saved"), place.path("work/ready"));
    let script = format!(
        "trap 'sh -c \"sleep 1; echo > {}\"; exit' INT; echo > {}; while :; do sleep 0.1; done",
        saved.display(),
        ready.display()
    );
    let image = image(&place, &script);
    place.start("bio", &["-b", &image]);
    wait_for(&ready);
    stop(&place, &["bio"]);
    assert!(saved.exists());
}

#[test]
fn everyone_is_asked_once() {
    let place = Place::new();
    let (told, ready) = (place.path("work/told"), place.path("work/ready"));
    let script = format!(
        "trap 'echo asked >> {0}; sleep 1; exit' INT TERM HUP; echo > {1}; while :; do sleep 0.1; done",
        told.display(),
        ready.display()
    );
    let image = image(&place, &script);
    place.start("bio", &["-b", &image]);
    wait_for(&ready);
    stop(&place, &["bio"]);
    assert_eq!(fs::read_to_string(told).unwrap(), "asked\n");
}

#[test]
fn all_are_asked_before_the_first_is_waited_for() {
    let place = Place::new();
    let work = place.work().display().to_string();
    // Each ends only when all three were asked.
    let script = format!(
        "name=$APPTAINER_INSTANCE
        trap 'echo > {work}/asked-$$-$name' INT
        echo > {work}/ready-$name
        until [ $(ls {work}/asked-* 2>/dev/null | wc -l) -ge 3 ]; do sleep 0.1; done"
    );
    let image = image(&place, &script);
    let names = ["one", "two", "three"];
    for arguments in [&["-a"][..], &names] {
        for file in place
            .glob("work/asked-*")
            .into_iter()
            .chain(place.glob("work/ready-*"))
        {
            fs::remove_file(file).unwrap();
        }
        for name in names {
            place.start(name, &["-b", &image]);
            wait_for(&place.path(format!("work/ready-{name}")));
        }
        let output = stop(&place, arguments);
        assert_eq!(output.stderr.lines().count(), 3, "{output}");
    }
}

#[test]
fn one_that_another_command_is_at_work_on_keeps_no_other() {
    let mut place = Place::new();
    place.start("other", &[]);
    let (program, gate, waiting) = place.gated_apptainer();
    place.set("CTR_APPTAINER", program);
    let mut start = place.ctr(["start", "bio"]).spawn();
    wait_for(&waiting);
    let mut both = place.ctr(["stop", "bio", "other"]).spawn();
    eventually("the other is stopped", || {
        place.find_record("other").is_none().then_some(())
    });
    fs::write(gate, "").unwrap();
    assert!(start.wait().unwrap().success());
    assert!(both.wait().unwrap().success());
    place.assert_clean();
}

#[test]
fn a_shell_at_a_terminal_ends() {
    let place = Place::new();
    place.start("bio", &["-b", images().service.to_str().unwrap()]);
    for shell in [&[][..], &["--shell", "/bin/sh"]] {
        let mut terminal = place.ctr(["enter"]).args(shell).arg("bio").terminal();
        terminal.line("trap : INT TERM; echo in$((1 + 1))side");
        terminal.wait_for("in2side");
        stop(&place, &["bio"]);
        terminal.wait();
        place.start("bio", &["-b", images().service.to_str().unwrap()]);
    }
}

#[test]
fn what_is_halted_is_woken_up_to_end() {
    let place = Place::new();
    let image = image(&place, "exec sleep 100001");
    place.start("bio", &["-b", &image]);
    let sleep = eventually("it runs", || {
        let mut processes = place.processes().into_iter();
        processes.find(|process| process.title == "sleep 100001")
    });
    sleep.signal(Signal::SIGSTOP);
    stop(&place, &["bio"]);
    assert!(processes::has_ended(sleep.pid));
}
