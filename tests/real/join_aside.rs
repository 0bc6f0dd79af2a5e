//! Where a direct join would not be the same, Apptainer does it: silently, unless asked.

use std::fs;
use std::path::Path;

use crate::support::Place;

/// Changes Apptainer's own record of an instance.
fn edit_record(place: &Place, name: &str, from: &str, to: &str) {
    let path = place.record(name).path;
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains(from), "{text}");
    fs::write(&path, text.replace(from, to)).unwrap();
}

/// Demands that a command runs through Apptainer, for that reason.
#[track_caller]
fn assert_aside(place: &Place, name: &str, why: &str) {
    let silent = place.ctr(["exec", name, "echo", "hi"]).ok();
    assert_eq!(silent.text(), "hi\n");
    silent.quiet();
    let spoken = place.ctr(["exec", "-v", name, "echo", "hi"]).ok();
    spoken.says(&["goes through Apptainer", why]);
    let output = place
        .ctr(["exec", "--join", "direct", name, "echo", "hi"])
        .fails(125);
    output.says(&[name, "cannot be joined directly", why, "hint"]);
    assert_eq!(output.text(), "");
}

#[test]
fn which_way_is_said_when_asked() {
    let place = Place::new();
    place.start("bio", &[]);
    let output = place.ctr(["exec", "-v", "bio", "true"]).ok();
    output.says(&["joins directly"]);
    let output = place
        .ctr(["exec", "-v", "--join", "apptainer", "bio", "true"])
        .ok();
    output.says(&["goes through Apptainer", "as asked for"]);
    place
        .ctr(["exec", "--join", "sideways", "bio", "true"])
        .fails(2)
        .says(&["sideways"]);
}

#[test]
fn the_configuration_chooses_and_the_flag_wins() {
    let place = Place::new();
    place.start("bio", &[]);
    let way = |flags: &[&str]| {
        let output = place
            .ctr(["exec", "-v"])
            .args(flags)
            .args(["bio", "true"])
            .ok();
        output.stderr.contains("joins directly")
    };
    for (setting, direct) in [("auto", true), ("direct", true), ("apptainer", false)] {
        place.config(&format!("join = \"{setting}\"\n"));
        assert_eq!(way(&[]), direct, "{setting}");
        assert!(!way(&["--join", "apptainer"]));
        assert!(way(&["--join", "direct"]));
    }
    place.config("join = \"sideways\"\n");
    place
        .ctr(["exec", "bio", "true"])
        .fails(125)
        .says(&["config.toml", "sideways"]);
}

#[test]
fn one_that_ctr_has_not_started_goes_through_apptainer() {
    let place = Place::new();
    let image = &crate::support::images().sif;
    place
        .apptainer(["-q", "instance", "start"])
        .arg(image)
        .arg("other")
        .ok();
    let output = place.ctr(["exec", "-v", "other", "echo", "hi"]).ok();
    output.says(&["goes through Apptainer", "without ctr"]);
    place
        .ctr(["exec", "--join", "direct", "other", "true"])
        .fails(125)
        .says(&["without ctr"]);
}

#[test]
fn a_cgroup_or_shared_namespaces_need_apptainer() {
    let place = Place::new();
    // Looked at before the first command; Apptainer itself cannot join a cgroup here.
    place.start("grouped", &[]);
    edit_record(&place, "grouped", "\"cgroup\":false", "\"cgroup\":true");
    let output = place
        .ctr(["exec", "--join", "direct", "grouped", "true"])
        .fails(125);
    output.says(&["cgroup of its own"]);
    place.start("sharing", &[]);
    edit_record(
        &place,
        "sharing",
        "\"sharensMode\":false",
        "\"sharensMode\":true",
    );
    assert_aside(&place, "sharing", "shares its namespaces");
    place.start("unrecorded", &[]);
    fs::remove_file(place.record("unrecorded").path).unwrap();
    let output = place
        .ctr(["exec", "--join", "direct", "unrecorded", "true"])
        .fails(125);
    output.says(&["no record"]);
}

#[test]
fn an_unknown_apptainer_is_left_to_itself() {
    let mut place = Place::new();
    place.wrap_apptainer("[ \"$1\" != --version ] || { echo apptainer version 9.9.9; exit; }");
    place.start("bio", &[]);
    assert_aside(&place, "bio", "9.9.9");
}

#[test]
fn an_apptainer_that_hands_in_something_else_is_found_out() {
    let mut place = Place::new();
    place.wrap_apptainer("export APPTAINERENV_NEW=$$");
    place.start("bio", &[]);
    assert_aside(&place, "bio", "`NEW`");
}

#[test]
fn an_image_whose_scripts_are_not_the_same_each_time_needs_apptainer() {
    let place = Place::new();
    for (name, script, text, why) in [
        (
            "volatile",
            "91-id.sh",
            "export ID=$(cat /proc/sys/kernel/random/uuid)\n",
            "`ID`",
        ),
        (
            "late",
            "99-later.sh",
            "export LATER=\"$HANDED\"\n",
            "99-later.sh",
        ),
        (
            "folder",
            "91-folder.sh",
            "export WHERE=\"$PWD\"\n",
            "`WHERE`",
        ),
        (
            "words",
            "91-words.sh",
            "[ \"$1\" != x ] || :\n",
            "words of the command",
        ),
        ("umask", "91-umask.sh", "umask 022\n", "Umask"),
    ] {
        let file = format!("/.singularity.d/env/{script}");
        let image = place.sandbox(name, &[(&file, text)]);
        place.start(name, &["-b", image.to_str().unwrap()]);
        assert_aside(&place, name, why);
    }
    let handed = place
        .ctr(["exec", "-e", "HANDED=in", "late", "sh", "-c", "echo $LATER"])
        .ok();
    assert_eq!(handed.text(), "in\n");
}

#[test]
fn an_image_without_cat_needs_apptainer() {
    let place = Place::new();
    let image = place.sandbox("bare", &[]);
    fs::remove_file(image.join("bin/cat")).unwrap();
    place.start("bare", &["-b", image.to_str().unwrap()]);
    assert_aside(&place, "bare", "no `cat`");
}

#[test]
fn what_apptainer_itself_acts_upon_is_left_to_it() {
    let place = Place::new();
    place.start("bio", &[]);
    place.ctr(["exec", "bio", "true"]).ok();
    for name in [
        "APPTAINER_ENVIRONMENT",
        "APPEND_LD_LIBRARY_PATH",
        "PWD",
        "key",
    ] {
        let key = format!("APPTAINERENV_{name}");
        let run = |way: &str| {
            place
                .ctr([
                    "exec",
                    "--join",
                    way,
                    "-v",
                    "bio",
                    "cat",
                    "/proc/self/environ",
                ])
                .env(&key, "/x")
        };
        run("direct").fails(125).says(&[name]);
        let output = run("auto").ok();
        output.says(&["goes through Apptainer", name]);
    }
}

#[test]
fn a_process_that_is_not_the_recorded_one_is_not_joined() {
    let place = Place::new();
    place.start("bio", &[]);
    place.start("other", &[]);
    place.ctr(["exec", "bio", "true"]).ok();
    let other = place.state("other")["pid"].clone();
    // Its number is another's by now: the start time tells.
    place.edit_state("bio", |state| state["pid"] = other);
    place
        .ctr(["exec", "--join", "direct", "bio", "true"])
        .fails(125)
        .says(&["bio"]);
    let output = place.ctr(["exec", "-v", "bio", "true"]).fails(125);
    output.says(&["`bio` is dead"]);
}

#[test]
fn a_state_of_the_reference_is_left_to_apptainer() {
    let place = Place::new();
    place.start("bio", &[]);
    place.edit_state("bio", |state| {
        for key in [
            "pid",
            "pid_start_time",
            "supervisor_pid",
            "boot_id",
            "pid_namespace",
            "format",
        ] {
            state.as_object_mut().unwrap().remove(key);
        }
    });
    assert_aside(&place, "bio", "does not say which process");
    assert!(Path::new(&place.state_file("bio")).exists());
}

#[test]
fn an_image_whose_scripts_print_something_needs_apptainer() {
    let place = Place::new();
    for (name, text) in [("out", "echo Welcome\n"), ("err", "echo Welcome >&2\n")] {
        let image = place.sandbox(name, &[("/.singularity.d/env/91-hi.sh", text)]);
        place.start(name, &["-b", image.to_str().unwrap()]);
        let output = place.ctr(["exec", name, "echo", "hi"]).ok();
        assert!(output.stdout.ends_with(b"hi\n"), "{output}");
        let all = format!("{}{}", output.text(), output.stderr);
        assert!(all.contains("Welcome"), "{output}");
        place
            .ctr(["exec", "--join", "direct", name, "true"])
            .fails(125)
            .says(&["printed at each command"]);
    }
}

#[test]
fn commands_that_run_under_fakeroot_need_apptainer() {
    let place = Place::new();
    let fake = "#!/bin/sh\nshift 4\nexec \"$@\"\n";
    let image = place.sandbox("fake", &[("/.singularity.d/libs/fakeroot", fake)]);
    place.start("fake", &["-b", image.to_str().unwrap()]);
    assert_aside(&place, "fake", "fakeroot(1)");
}

#[test]
fn a_container_with_a_few_devices_of_its_own_needs_apptainer() {
    let mut place = Place::new();
    let file = place.write("cache/apptainer.conf", "mount dev = minimal\n");
    let file = file.display();
    place.wrap_apptainer(&format!(
        "[ \"$1\" != buildcfg ] || {{ echo APPTAINER_CONF_FILE={file}; exit; }}"
    ));
    place.start("bio", &[]);
    assert_aside(&place, "bio", "mount dev = minimal");
}

#[test]
fn what_is_learned_is_of_this_process_and_no_other_of_its_name() {
    let place = Place::new();
    place.start("bio", &[]);
    fs::remove_file(place.record("bio").path).unwrap();
    let image = &crate::support::images().sif;
    place
        .apptainer(["-q", "instance", "start"])
        .arg(image)
        .arg("bio")
        .ok();
    let output = place
        .ctr(["exec", "--join", "direct", "bio", "true"])
        .fails(125);
    output.says(&["no record"]);
}
