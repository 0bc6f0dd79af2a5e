//! Whom `ctr stop` ends, and whom it does not.

use std::fs;
use std::path::{Path, PathBuf};

use nix::sys::signal::Signal;
use serde_json::json;

use crate::support::processes::{self, Process};
use crate::support::{Bystander, Output, Place, eventually, images};

/// Has Apptainer give its containers no pid namespace of their own.
pub fn share_pids(place: &mut Place) -> PathBuf {
    let binary = &place.environment()[std::ffi::OsStr::new("CTR_APPTAINER")];
    let said = place.program(binary).arg("buildcfg").ok();
    let file = said
        .text()
        .lines()
        .find_map(|line| line.strip_prefix("APPTAINER_CONF_FILE="));
    let text = fs::read_to_string(file.unwrap()).unwrap();
    let changed = text.replace("allow pid ns = yes", "allow pid ns = no");
    assert_ne!(changed, text);
    let file = place.write("config/shared-pids.conf", changed);
    place.set("APPTAINER_CONFIG_FILE", &file);
    file
}

/// Runs a script that may have every process of its user killed, in a pid namespace where that hurts
/// nobody else. A process that has nothing to do with it is `$bystander`, and must live to its end.
#[track_caller]
fn behind_a_wall(place: &Place, script: &str) -> Output {
    let text = format!(
        "sleep 100000 & bystander=$!\nsleep 100001 & other=$!\n{script}\n\
         kill -0 $bystander && kill -0 $other && echo the bystanders live\n"
    );
    let file = place.write("work/script", text);
    let output = place.in_pid_namespace(Path::new("bash")).arg(file).run();
    assert!(output.text().ends_with("the bystanders live\n"), "{output}");
    output
}

/// An image whose start script goes on until it is stopped.
fn service() -> &'static str {
    images().service.to_str().unwrap()
}

#[test]
fn without_a_pid_namespace_of_its_own_only_the_instance_is_stopped() {
    let mut place = Place::new();
    share_pids(&mut place);
    let image = service();
    let output = behind_a_wall(
        &place,
        &format!(
            "ctr start -b {image} np
            ctr exec np true
            ctr exec np sh -c 'sleep 1001 & setsid sleep 1002 & exec sleep 1003' &
            count() {{ ctr stats --json np | grep -o '\"processes\": *[0-9]*' | grep -o '[0-9]*'; }}
            for try in {{1..20}}; do [ \"$(count)\" = 6 ] && break; sleep 0.2; done
            count
            ctr restart np
            ctr stop np
            ctr list --names
            for one in /proc/[0-9]*; do
                tr '\\0' ' ' < $one/cmdline | grep -E '^(sleep 100[123]|appinit|Apptainer|/usr/bin/squash)'
            done"
        ),
    );
    // Its first process, the start script with a sleep, and what was brought in.
    assert_eq!(output.text(), "6\nthe bystanders live\n", "{output}");
    output.says(&["`np` is running", "`np` is stopped"]);
    place.assert_clean();
}

#[test]
fn a_process_of_the_host_is_no_instance_whatever_a_state_says() {
    let place = Place::new();
    for (pid, supervisor) in [
        ("$bystander", "$bystander"),
        ("$bystander", "$$"),
        ("$other", "1"),
        ("$pid", "$bystander"),
    ] {
        let output = behind_a_wall(
            &place,
            &format!(
                "ctr start bio
                state=$(echo {state}/ctr/instances/*/bio.json)
                pid=$(grep -o '\"pid\": [0-9]*' $state | cut -d' ' -f2)
                wanted={pid}
                start=$(cut -d' ' -f22 /proc/$wanted/stat)
                sed -i \"s/\\\"pid\\\": [0-9]*/\\\"pid\\\": $wanted/
                    s/\\\"pid_start_time\\\": [0-9]*/\\\"pid_start_time\\\": $start/
                    s/\\\"supervisor_pid\\\": [0-9]*/\\\"supervisor_pid\\\": {supervisor}/\" $state
                ctr list --json | grep -o '\"status\": *\"[a-z]*\"'
                ctr stats bio; ctr exec bio true
                ctr stop -F bio
                ctr stop --untracked -a",
                state = place.path("state").display(),
            ),
        );
        assert!(
            output.text().contains("dead"),
            "{pid} {supervisor}: {output}"
        );
        output.says(&["`bio` is dead", "no instance"]);
    }
}

/// Kills the supervisor of an instance, which takes the first process with it and leaves the FUSE
/// helpers, which hold the images. Gives these.
#[track_caller]
fn kill_the_supervisor(place: &Place, name: &str) -> Vec<Process> {
    let keeper = processes::look(place.record(name).keeper).unwrap();
    let helpers = processes::children(keeper.pid);
    keeper.signal(Signal::SIGKILL);
    let pid = place.record(name).pid;
    eventually("the instance ends", || {
        processes::has_ended(pid).then_some(())
    });
    let mut left = helpers;
    left.retain(|helper| !processes::has_ended(helper.pid));
    assert!(!left.is_empty(), "{:#?}", place.processes());
    left
}

#[track_caller]
fn assert_ended(processes: &[Process]) {
    for process in processes {
        assert!(processes::has_ended(process.pid), "lives on: {process:?}");
    }
}

#[test]
fn what_an_instance_leaves_whose_supervisor_is_killed_is_ended_by_whoever_comes_next() {
    for command in ["restart", "start", "stop", "prune"] {
        for is_old in [false, true] {
            let place = Place::new();
            place.ext3("env.img", nix::unistd::getuid().as_raw());
            let options = ["-w", "-o", "env.img"];
            place.start("bio", &options);
            if is_old {
                // As an earlier version wrote it.
                place.edit_state("bio", |state| {
                    state
                        .as_object_mut()
                        .unwrap()
                        .remove("user_namespace")
                        .unwrap();
                });
            }
            let left = kill_the_supervisor(&place, "bio");
            assert_eq!(place.status("bio"), "dead");
            let output = match command {
                "start" => place.start("bio", &options),
                "prune" => place.ctr(["prune"]).ok(),
                _ => place.ctr([command, "bio"]).ok(),
            };
            output.says(&["`bio` had left processes running", "fuse2fs"]);
            assert_ended(&left);
            if ["restart", "start"].contains(&command) {
                let write = ["exec", "bio", "touch", "/ext3/env/new"];
                place.ctr(write).ok();
                place.ctr(["stop", "bio"]).ok();
            }
            place.assert_clean_after(&format!("{command}, {is_old}"));
        }
    }
}

#[test]
fn a_start_under_another_name_frees_the_image_that_a_dead_one_holds() {
    let place = Place::new();
    place.ext3("env.img", nix::unistd::getuid().as_raw());
    place.start("old", &["-w", "-o", "env.img"]);
    let left = kill_the_supervisor(&place, "old");
    // Only looking ends nothing.
    let options = ["start", "-w", "-o", "env.img", "new"];
    place
        .ctr(options)
        .arg("--dry-run")
        .fails(1)
        .says(&["in use"]);
    let output = place.ctr(options).ok();
    output.says(&["`old` had left processes running", "fuse2fs"]);
    assert_ended(&left);
    assert_eq!(place.status("new"), "running");
    // One that lives keeps it.
    place
        .ctr(["start", "-w", "-o", "env.img", "third"])
        .fails(1)
        .says(&["by the instance `new`"]);
    place.ctr(["stop", "new", "old"]).ok();
    place.assert_clean();
}

#[test]
fn what_is_left_inside_without_a_pid_namespace_is_ended_too() {
    let mut place = Place::new();
    share_pids(&mut place);
    place.start("bio", &["-b", service()]);
    place.ctr(["exec", "bio", "true"]).ok();
    let mut command = place
        .ctr(["exec", "bio", "setsid", "sleep", "1001"])
        .spawn();
    let sleeps = || {
        let mut found = place.processes();
        found.retain(|process| process.title == "sleep 1001");
        found
    };
    eventually("it runs inside", || (!sleeps().is_empty()).then_some(()));
    let mut left = kill_the_supervisor(&place, "bio");
    left.extend(sleeps());
    place.ctr(["restart", "bio"]).ok().says(&["squashfuse"]);
    assert_ended(&left);
    command.wait().unwrap();
    place.ctr(["stop", "bio"]).ok();
    place.assert_clean();
}

#[test]
fn what_another_instance_has_is_not_taken_for_what_a_dead_one_left() {
    let place = Place::new();
    place.start("bio", &[]);
    place.start("other", &[]);
    let other = place.state("other");
    place.crash("bio");
    let mut bystander = Bystander::new();
    for supervisor in [other["supervisor_pid"].clone(), json!(bystander.pid())] {
        place.edit_state("bio", |state| {
            state["supervisor_pid"] = supervisor.clone();
            state["user_namespace"] = other["user_namespace"].clone();
            state["pid_start_time"] = json!(0);
        });
        let output = place.ctr(["restart", "bio"]).ok();
        assert!(!output.stderr.contains("had left"), "{output}");
        place.ctr(["exec", "other", "true"]).ok();
        place.crash("bio");
    }
    bystander.assert_alive();
    assert_eq!(place.status("other"), "running");
}

#[test]
fn doctor_reads_the_configuration_that_is_in_force() {
    let mut place = Place::new();
    let file = share_pids(&mut place);
    let output = place.ctr(["doctor"]).run();
    assert!(output.text().contains("allow pid ns = no"), "{output}");
    assert!(output.text().contains(file.to_str().unwrap()), "{output}");
}
