//! Paths that people and their environment name, on a file system that answers nobody: no command waits for
//! them without an end. Each test would never end otherwise, and `Run` fails one that does not.

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use crate::support::{Place, Run};

const WHY: &str = "does not answer";

/// A place with an instance.
fn place() -> Place {
    let place = Place::new();
    place.start("bio", &[]);
    place
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// `ctr` with `HOME` and all that is below it there.
fn with_home(place: &Place, home: &Path, args: &[&str]) -> Run {
    let mut run = place.ctr(args).env("HOME", home);
    for variable in ["XDG_STATE_HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME"] {
        run = run.env_remove(variable);
    }
    run.env_remove("XDG_DATA_HOME")
        .env_remove("APPTAINER_CONFIGDIR")
}

#[test]
fn a_home_or_a_folder_of_states_that_hangs_is_told_before_anything_looks_at_it() {
    let place = Place::new();
    let hanging = place.hanging("hang");
    let hang = hanging.path("");
    let list = || place.ctr(["list"]);
    for run in [
        with_home(&place, &hang, &["list"]),
        list().env("XDG_STATE_HOME", &hang),
        list().env("CTR_STATE_DIR", &hang),
        list().env("CTR_STATE_DIR", hanging.path("bin")),
    ] {
        let mut terminal = run.terminal();
        terminal.wait_for(&format!("waiting for {}", text(&hang)));
        terminal.wait_for(WHY);
        terminal.ctrl('c');
        assert_ne!(terminal.wait(), 0, "{run}: {}", terminal.screen());
    }
    let line = ["env", "--if-running", "--shell", "bash", "bio"];
    let code = with_home(&place, &hang, &line).ok();
    assert_eq!(code.text(), "");
    code.says(&[text(&hang), WHY]);
}

#[test]
fn what_the_shell_remembers_itself_needs_no_home() {
    let place = place();
    let hanging = place.hanging("hang");
    let unset = ["env", "--unset", "--shell", "bash"];
    let run = with_home(&place, &hanging.path(""), &unset);
    let code = run.env("CTR_INSTANCE", "bio").ok();
    assert!(code.quiet().text().contains("CTR_INSTANCE"), "{code}");
}

#[test]
fn folders_of_overlays_that_hang_are_passed_over() {
    let place = Place::new();
    place.overlay("demo/1.0", &[]);
    let hanging = place.hanging("hang");
    let both = format!(
        "{}:{}",
        text(&hanging.path("")),
        text(&place.path("overlays"))
    );
    let overlays = || place.ctr(["overlays"]);
    for run in [
        overlays().env("CTR_OVERLAY_PATH", &both),
        overlays().env("CNT_ROOT", hanging.path("")),
    ] {
        let listed = run.ok();
        assert!(listed.text().contains("demo/1.0"), "{listed}");
        listed.says(&[text(&hanging.path("")), WHY]);
    }
    let tab = place.ctr(["--", "ctr start -o ", ""]);
    let tab = tab.env("CTR_COMPLETE", "bash");
    let offered = tab.env("CTR_OVERLAY_PATH", &both).ok();
    assert!(offered.quiet().text().contains("demo/1.0"), "{offered}");
}

#[test]
fn an_overlay_that_is_a_link_to_where_it_hangs_is_named_by_a_start() {
    let place = Place::new();
    let hanging = place.hanging("hang");
    let link = place.path("overlays/demo--1.0.sqf");
    symlink(hanging.path("file"), &link).unwrap();
    let said = place.ctr(["start", "-o", "demo/1.0", "bio"]).fails(1);
    said.says(&[text(&link), WHY, "hint: "]);
    std::fs::remove_file(&link).unwrap();
    place.overlay("demo/1.0", &[]);
    let sidecar = place.path("overlays/demo--1.0.sqf.env");
    symlink(hanging.path("file"), &sidecar).unwrap();
    let said = place.ctr(["start", "-o", "demo/1.0", "bio"]).fails(1);
    said.says(&[text(&sidecar), WHY, "hint: "]);
    assert!(place.state_files().is_empty());
}

#[test]
fn an_apptainer_where_it_hangs_is_named() {
    let mut place = place();
    let hanging = place.hanging("hang");
    let program = hanging.path("bin/apptainer");
    place.set("CTR_APPTAINER", &program);
    let said = place.ctr(["exec", "bio", "true"]).fails(125);
    said.says(&[text(&program), WHY, "hint: "]);
    let doctor = place.ctr(["doctor"]).fails(1);
    assert!(doctor.text().contains(text(&program)), "{doctor}");
    assert!(doctor.text().contains(WHY), "{doctor}");
}

#[test]
fn a_folder_of_the_path_that_hangs_is_passed_over() {
    let mut place = place();
    let hanging = place.hanging("hang");
    let apptainer = place.environment()[std::ffi::OsStr::new("CTR_APPTAINER")].clone();
    let apptainer = PathBuf::from(apptainer).parent().unwrap().to_owned();
    place.unset("CTR_APPTAINER");
    place.prepend_path(&apptainer);
    place.prepend_path(&hanging.path("bin"));
    let said = place.ctr(["exec", "bio", "echo", "hi"]).ok();
    assert_eq!(said.text(), "hi\n");
    said.says(&[text(&hanging.path("bin")), WHY]);
    place.ctr(["shim", "add", "bio", "cat"]).ok();
    let shim = place.program(place.shim("bio", "cat")).arg("/dev/null");
    assert_eq!(shim.ok().text(), "");
    let through = ["exec", "--join", "apptainer", "bio", "echo", "hi"];
    assert_eq!(place.ctr(through).ok().text(), "hi\n");
    let doctor = place.ctr(["doctor"]).run();
    assert!(doctor.text().contains("can be made"), "{doctor}");
    // What is behind it may be hidden.
    let said = place.ctr(["why", "cat"]).fails(1);
    said.says(&[text(&hanging.path("bin")), WHY]);
}

#[test]
fn a_configuration_of_apptainer_that_hangs_or_is_no_file_is_refused() {
    let place = place();
    let hanging = place.hanging("hang");
    let fifo = place.work().join("fifo");
    place.program("mkfifo").arg(&fifo).ok();
    for (file, why) in [
        (hanging.path("file"), WHY),
        (fifo, "it is not a regular file"),
    ] {
        let ctr = |args: &[&str]| place.ctr(args).env("APPTAINER_CONFIG_FILE", &file);
        let said = ctr(&["start", "new"]).fails(1);
        said.says(&[text(&file), why, "hint: "]);
        // One that was started without it has nothing to do with it.
        ctr(&["exec", "bio", "true"]).ok().quiet();
        let doctor = ctr(&["doctor"]).fails(1);
        assert!(doctor.text().contains(text(&file)), "{doctor}");
        assert!(doctor.text().contains(why), "{doctor}");
    }
}

#[test]
fn a_folder_for_apptainer_that_hangs_is_refused() {
    let place = place();
    let hanging = place.hanging("hang");
    for (variable, command, status) in [
        ("APPTAINER_CACHEDIR", &["start", "new"][..], 1),
        (
            "TMPDIR",
            &["exec", "--join", "apptainer", "bio", "true"],
            125,
        ),
    ] {
        let said = place.ctr(command).env(variable, hanging.path("bin"));
        let said = said.fails(status);
        said.says(&[variable, text(&hanging.path("bin")), WHY, "hint: "]);
    }
}

#[test]
fn a_file_of_variables_that_hangs_is_refused() {
    let place = place();
    let hanging = place.hanging("hang");
    let file = hanging.path("file");
    let start = ["start", "--env-file", text(&file), "new"];
    place
        .ctr(start)
        .fails(1)
        .says(&[text(&file), WHY, "hint: "]);
    let exec = ["exec", "--env-file", text(&file), "bio", "true"];
    place.ctr(exec).fails(125).says(&[text(&file), WHY]);
    assert!(place.find_record("new").is_none());
}

#[test]
fn what_an_instance_was_started_with_may_hang_later() {
    let place = Place::new();
    let mounted = place.mounted("hang");
    place.overlay("demo/1.0", &[("bin/demo", "#!/bin/sh\n")]);
    place.start("bio", &["-o", "demo/1.0"]);
    place.ctr(["shim", "add", "bio", "demo"]).ok();
    // As if the file server of its overlay, its records and its logs went down.
    let file = mounted.path("file");
    let host = nix::unistd::gethostname().unwrap().into_string().unwrap();
    let records = format!("apptainer/instances/logs/{host}/user/bio.out");
    let records = mounted.path(&records);
    place.edit_state("bio", |state| {
        state["overlays"] = vec![text(&file)].into();
        state["log_out"] = text(&records).into();
    });
    mounted.stop();
    let why = place.ctr(["why", "demo"]).env("PATH", place.shims("bio"));
    assert!(why.ok().text().contains("a shim of `bio`"));
    let logs = place.ctr(["logs", "bio"]).fails(1);
    logs.says(&[text(&records), WHY]);
    let through = ["exec", "--join", "apptainer", "bio", "true"];
    place.ctr(through).fails(125).says(&[WHY]);
    place.ctr(["list"]).ok();
    place.ctr(["stop", "bio"]).ok();
    assert!(place.listed("bio").is_none());
}

#[test]
fn a_runtime_folder_that_hangs_is_passed_over() {
    let mut place = place();
    let hanging = place.hanging("hang");
    place.set("XDG_RUNTIME_DIR", hanging.path(""));
    let shims = format!("/tmp/ctr-{}", nix::unistd::getuid());
    for command in [
        &["env", "--shell", "bash", "bio"][..],
        &["env", "--if-running", "--shell", "bash", "bio"],
    ] {
        let code = place.ctr(command).ok();
        assert!(code.text().contains(&shims), "{code}");
        code.says(&[text(&hanging.path("")), WHY]);
    }
    place.ctr(["shim", "add", "bio", "cat"]).ok();
    place.ctr(["exec", "bio", "true"]).ok();
    place.ctr(["start", "new"]).ok();
    assert_eq!(place.status("new"), "running");
    place.ctr(["stop", "new", "bio"]).ok();
}

#[test]
fn a_working_folder_that_hangs_is_named_and_one_may_go_elsewhere() {
    let place = place();
    let hanging = place.hanging("hang");
    let ctr = |args: &[&str]| place.ctr_in_hanging(&hanging, args);
    let folder = hanging.path("bin");
    let said = ctr(&["exec", "--join", "apptainer", "bio", "true"]).fails(125);
    said.says(&[text(&folder), WHY, "hint: "]);
    // One whose way is not known is learned there all the same.
    let said = ctr(&["exec", "--cwd", "/", "bio", "pwd"]).ok();
    assert_eq!(said.text(), "/\n");
    let through = ["exec", "--join", "apptainer", "--cwd", "/", "bio", "pwd"];
    assert_eq!(ctr(&through).ok().text(), "/\n");
    assert_eq!(place.state("bio")["joins"].as_array().unwrap().len(), 1);
    let said = ctr(&["exec", "bio", "true"]).fails(125);
    said.says(&[text(&folder), WHY, "hint: "]);
    let mut inside = ctr(&["enter", "bio"]).terminal();
    inside.wait_for(WHY);
    inside.line("echo $((40+2)) at $PWD");
    inside.wait_for(&format!("42 at {}", text(&place.path("home"))));
    inside.line("exit");
    assert_eq!(inside.wait(), 0, "{}", inside.screen());
}
