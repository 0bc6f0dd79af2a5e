//! `ctr stop`: what it says, and that nothing is left.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::Child;

use nix::sys::signal::Signal;
use serde_json::json;

use crate::support::{Place, eventually, images, processes};

/// Runs commands inside that go on until they are stopped.
fn busy(place: &Place, name: &str, count: usize) -> Vec<Child> {
    // The first command has others run before it.
    place.ctr(["exec", name, "true"]).ok();
    let run = place.ctr(["exec", name, "sleep", "100000"]);
    let children = (0..count).map(|_| run.spawn()).collect();
    eventually("they run inside", || {
        let stats = place.ctr(["stats", "--json", name]).ok().json();
        let processes = stats["instances"][0]["processes"].as_u64()?;
        (processes as usize > count).then_some(())
    });
    children
}

fn end(children: Vec<Child>) {
    for mut child in children {
        child.wait().unwrap();
    }
}

#[test]
fn nothing_of_the_instance_is_left() {
    let place = Place::new();
    place.overlay("demo/1.0", &[("bin/demo", "#!/bin/sh\necho demo\n")]);
    place.ext3("env.img", nix::unistd::getuid().as_raw());
    place.start("bio", &["-o", "demo/1.0", "-w", "-o", "env.img"]);
    place.ctr(["env", "--shell", "bash", "bio"]).ok();
    assert!(
        place
            .processes()
            .iter()
            .any(|process| process.is_fuse_helper())
    );
    let output = place.ctr(["stop", "bio"]).ok();
    place.assert_clean_after(&output);
    assert_eq!(output.text(), "");
    assert_eq!(place.ctr(["list", "--names"]).ok().text(), "");
}

#[test]
fn each_instance_gets_its_line_with_the_commands_that_ran_inside() {
    let place = Place::new();
    for name in ["none", "one", "three"] {
        place.start(name, &[]);
    }
    let mut children = busy(&place, "one", 1);
    children.extend(busy(&place, "three", 3));
    let output = place.ctr(["stop", "none", "one", "three"]).ok();
    let lines: Vec<&str> = output.stderr.lines().collect();
    assert_eq!(lines.len(), 3, "{output}");
    for (line, name, count) in [
        (lines[0], "none", None),
        (lines[1], "one", Some("1 ")),
        (lines[2], "three", Some("3 ")),
    ] {
        assert!(line.contains(&format!("`{name}`")), "{output}");
        assert!(count.is_none_or(|count| line.contains(count)), "{output}");
    }
    place.assert_clean_after(&output);
    end(children);
}

#[test]
fn patterns_stop_what_they_cover_and_no_more() {
    let place = Place::new();
    for name in ["mysql1", "mysql2", "node1"] {
        place.start(name, &[]);
    }
    place
        .ctr(["stop", "mysql*"])
        .ok()
        .says(&["mysql1", "mysql2"]);
    place.assert_forgotten("mysql1");
    place.assert_forgotten("mysql2");
    place.ctr(["exec", "node1", "true"]).ok();
    place.ctr(["stop", "no?e[0-9]", "node1"]).ok();
    place.assert_clean();
}

#[test]
fn all_stops_what_ctr_tracks_and_untracked_the_others_too() {
    let place = Place::new();
    place.start("one", &[]);
    place.start("two", &[]);
    place
        .apptainer(["-q", "instance", "start"])
        .arg(&images().sif)
        .arg("foreign")
        .ok();
    place.ctr(["stop", "--all"]).ok().says(&["one", "two"]);
    assert_eq!(place.ctr(["list", "--names"]).ok().text(), "foreign\n");
    place.ctr(["stop", "f*"]).fails(1).says(&["--untracked"]);
    place.record("foreign");
    place
        .ctr(["stop", "-a", "--untracked"])
        .ok()
        .says(&["foreign"]);
    place.assert_clean();
}

#[test]
fn the_name_of_one_that_was_started_without_ctr_means_that_one() {
    let place = Place::new();
    place
        .apptainer(["-q", "instance", "start"])
        .arg(&images().sif)
        .arg("foreign")
        .ok();
    place.ctr(["stop", "foreign"]).ok().says(&["foreign"]);
    place.assert_clean();
}

#[test]
fn the_active_one_is_meant_when_it_was_started_without_ctr_too() {
    let place = Place::new();
    let start = place.apptainer(["-q", "instance", "start"]);
    start.arg(&images().sif).arg("foreign").ok();
    let code = place.ctr(["env", "--shell", "bash", "foreign"]).ok();
    let script = format!("{}\nexec ctr stop .", code.text());
    let output = place.program("bash").args(["--norc", "-c", &script]).ok();
    output.says(&["`foreign` is stopped"]);
    place.assert_clean();
}

#[test]
fn nothing_that_matches_is_a_failure_that_names_it() {
    let place = Place::new();
    for pattern in ["nosuch", "nosuch*", "."] {
        let output = place.ctr(["stop", pattern]).fails(1);
        assert!(
            pattern == "." || output.stderr.contains(pattern),
            "{output}"
        );
    }
    place.ctr(["stop", "--all"]).fails(1);
    place.ctr(["stop"]).fails(2);
}

#[test]
fn one_that_is_not_there_is_a_failure_and_the_others_are_stopped() {
    let place = Place::new();
    place.start("one", &[]);
    place.start("two", &[]);
    let output = place.ctr(["stop", "one", "nosuch", "two"]).fails(1);
    output.says(&["nosuch", "one", "two"]);
    place.assert_clean_after(&output);
}

#[test]
fn one_that_cannot_be_stopped_is_a_failure_and_the_others_are_stopped() {
    let place = Place::new();
    for name in ["one", "other", "two"] {
        place.start(name, &[]);
    }
    let namespace = place.state("other")["pid_namespace"].clone();
    // One in which something runs; an empty one would be gone, and all that was in it.
    let mut away = place
        .in_pid_namespace(Path::new("sleep"))
        .arg("100000")
        .spawn();
    let inside = processes::child(away.id() as i32);
    let elsewhere = fs::metadata(format!("/proc/{}/ns/pid", inside.pid)).unwrap();
    place.edit_state("other", |state| {
        state["pid_namespace"] = json!(elsewhere.ino())
    });
    let output = place.ctr(["stop", "one", "other", "two"]).fails(1);
    output.says(&["other", "pid namespace"]);
    place.assert_forgotten("one");
    place.assert_forgotten("two");
    place.start("three", &[]);
    // All means those that are here; what is elsewhere was not asked for.
    let output = place.ctr(["stop", "--all"]).ok();
    output.says(&["`three` is stopped"]);
    assert!(!output.stderr.contains("`other`"), "{output}");
    place.ctr(["stop", "--all"]).fails(1).says(&["no instance"]);
    place.record("other");
    place.edit_state("other", |state| state["pid_namespace"] = namespace);
    inside.signal(Signal::SIGKILL);
    away.wait().unwrap();
    place.ctr(["exec", "other", "true"]).ok();
}

#[test]
fn the_active_one_is_a_dot() {
    let mut place = Place::new();
    place.start("bio", &[]);
    let document = place.ctr(["env", "--json", "bio"]).ok().json();
    for (key, value) in document["set"].as_object().unwrap() {
        place.set(key, value.as_str().unwrap());
    }
    let code = place.ctr(["env", "--shell", "bash", "bio"]).ok();
    let bash = place.program("bash").args(["--norc", "-c"]);
    let script = format!("{}\nexec ctr stop .", code.text());
    bash.arg(script).ok().says(&["bio"]);
    place.assert_clean();
}

#[test]
fn keep_keeps_the_setup_for_restart() {
    let place = Place::new();
    place.overlay("demo/1.0", &[("bin/demo", "#!/bin/sh\necho demo\n")]);
    place.start(
        "bio",
        &["-o", "demo/1.0", "-e", "K=v", "--note", "K=a note"],
    );
    let before = place.state("bio");
    place
        .ctr(["stop", "--keep", "bio"])
        .ok()
        .says(&["bio", "kept"]);
    assert!(place.processes().is_empty() && place.records().is_empty());
    let listed = place.listed("bio").unwrap();
    assert_eq!(
        (&listed["status"], &listed["pid"]),
        (&json!("stopped"), &json!(null))
    );
    let hint = place.ctr(["exec", "bio", "true"]).fails(125);
    hint.says(&["bio", "stopped", "ctr restart bio"]);
    place.ctr(["prune"]).ok();
    place.ctr(["restart", "bio"]).ok();
    assert_eq!(place.ctr(["exec", "bio", "demo"]).ok().text(), "demo\n");
    let after = place.state("bio");
    for field in ["env", "overlays", "bind_paths", "base_image", "notes"] {
        assert_eq!(after[field], before[field], "{field}");
    }
    place.ctr(["stop", "--keep", "bio"]).ok();
    place.ctr(["stop", "bio"]).ok();
    place.assert_clean();
}

/// An image whose start script tells of signals, and goes on; once it was asked to end with SIGINT,
/// it tells at each turn that it is still there.
fn telling(place: &Place) -> String {
    let told = place.path("work/told");
    let script = format!(
        "#!/bin/sh
        for signal in TERM USR1 HUP; do trap \"echo $signal >> {0}\" $signal; done
        asked=
        trap 'asked=yes' INT
        echo ready > {0}
        while :; do sleep 0.1; [ -z \"$asked\" ] || echo 'still here' >> {0}; done\n",
        told.display()
    );
    let image = place.sandbox("telling", &[("/.singularity.d/startscript", &script)]);
    image.to_str().unwrap().to_owned()
}

#[track_caller]
fn told(place: &Place, what: &str) {
    eventually(what, || {
        let text = fs::read_to_string(place.path("work/told")).ok()?;
        text.contains(what).then_some(())
    });
}

#[test]
fn the_signal_that_was_asked_for_reaches_the_start_script() {
    let place = Place::new();
    let image = telling(&place);
    for (given, signal) in [("SIGTERM", "TERM"), ("usr1", "USR1"), ("1", "HUP")] {
        let _ = fs::remove_file(place.path("work/told"));
        place.start("bio", &["-b", &image]);
        told(&place, "ready");
        let output = place.ctr(["stop", "-s", given, "-t", "1", "bio"]).ok();
        told(&place, signal);
        place.assert_clean_after(&output);
    }
    place.start("bio", &["-b", &image]);
    place
        .ctr(["stop", "-s", "SIGNOSUCH", "bio"])
        .fails(2)
        .says(&["SIGNOSUCH"]);
    place.record("bio");
}

#[test]
fn what_does_not_end_by_itself_is_killed_the_later_the_more_time_it_was_given() {
    let place = Place::new();
    let image = telling(&place);
    let turns = |seconds: &str| {
        place.start("bio", &["-b", &image]);
        told(&place, "ready");
        let output = place.ctr(["stop", "-t", seconds, "bio"]).ok();
        place.assert_clean_after(&output);
        let text = fs::read_to_string(place.path("work/told")).unwrap();
        text.matches("still here").count()
    };
    let (few, many) = (turns("1"), turns("4"));
    assert!(0 < few && few < many, "{few} {many}");
}

#[test]
fn force_kills_without_asking_first() {
    let place = Place::new();
    let image = telling(&place);
    place.start("bio", &["-b", &image]);
    told(&place, "ready");
    let children = busy(&place, "bio", 1);
    let output = place.ctr(["stop", "-F", "bio"]).ok();
    place.assert_clean_after(&output);
    let text = fs::read_to_string(place.path("work/told")).unwrap();
    assert_eq!(text, "ready\n", "it was not asked");
    end(children);
}

#[test]
fn a_dead_one_is_forgotten_and_the_line_says_that_it_did_not_run() {
    let place = Place::new();
    place.start("bio", &[]);
    place.crash("bio");
    let output = place.ctr(["stop", "bio"]).ok();
    output.says(&["bio", "did not run"]);
    place.assert_clean_after(&output);
}

#[test]
fn quiet_stops_without_a_word() {
    let place = Place::new();
    place.start("bio", &[]);
    place.ctr(["-q", "stop", "bio"]).ok().quiet();
    place.assert_clean();
}

#[test]
fn an_instance_whose_record_is_lost_is_stopped_all_the_same() {
    let place = Place::new();
    place.start("bio", &[]);
    for record in place.records() {
        fs::remove_file(record).unwrap();
    }
    assert_eq!(place.status("bio"), "running");
    place.ctr(["stop", "bio"]).ok();
    place.assert_clean();
}

#[test]
fn the_record_of_a_live_instance_of_the_same_name_stays() {
    let place = Place::new();
    let image = images().sif.to_str().unwrap();
    for action in [&["prune"][..], &["stop", "dev"], &["stop", "--all"]] {
        place.start("dev", &[]);
        place.apptainer(["instance", "stop", "dev"]).ok();
        place.apptainer(["instance", "start", image, "dev"]).ok();
        place.ctr(action).ok();
        let listed = place.apptainer(["instance", "list"]).ok();
        assert!(listed.text().contains("dev"), "{action:?}: {listed}");
        assert_eq!(place.status("dev"), "untracked", "{action:?}");
        place.apptainer(["instance", "stop", "dev"]).ok();
    }
}

#[test]
fn only_what_was_brought_in_counts_as_a_command() {
    let place = Place::new();
    let script = "#!/bin/sh\nsleep 1000 & sleep 1000\n";
    let image = place.sandbox("busy", &[("/.singularity.d/startscript", script)]);
    place.start("bio", &["-b", image.to_str().unwrap()]);
    let stopped = place.ctr(["stop", "bio"]).ok();
    assert!(!stopped.stderr.contains("running inside"), "{stopped}");

    place.start("bio", &["-b", image.to_str().unwrap()]);
    let shell = "sleep 1000 & echo; sleep 1000";
    let mut child = place.ctr(["exec", "bio", "sh", "-c", shell]).spawn();
    eventually("the command runs", || {
        let sleeps = place.processes().into_iter();
        (sleeps
            .filter(|process| process.title.starts_with("sleep"))
            .count()
            == 4)
            .then_some(())
    });
    place
        .ctr(["stop", "bio"])
        .ok()
        .says(&["1 command was running inside"]);
    child.wait().unwrap();
}
