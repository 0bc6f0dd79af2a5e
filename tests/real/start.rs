//! `ctr start` as a whole: what it leaves when it succeeds, and that it leaves nothing when it fails.

use std::fs;
use std::path::PathBuf;

use crate::support::{Place, eventually, images};

/// An Apptainer that does as the real one, but for one command.
fn apptainer_but(place: &Place, command: &str, instead: &str) -> PathBuf {
    let real = place.environment()[std::ffi::OsStr::new("CTR_APPTAINER")]
        .to_str()
        .unwrap()
        .to_owned();
    let script = format!(
        "#!/bin/sh
        case \" $* \" in *' {command} '*) {instead};; esac
        exec {real} \"$@\"\n"
    );
    place.write_program("fake/apptainer", script)
}

#[track_caller]
fn assert_nothing_left(place: &Place, what: &dyn std::fmt::Display) {
    assert!(place.records().is_empty(), "{what}: {:?}", place.records());
    eventually(&format!("everything ends: {what}"), || {
        place.processes().is_empty().then_some(())
    });
    let state = place.state_files();
    assert!(
        state
            .iter()
            .all(|file| file.extension() != Some("json".as_ref())),
        "{what}: {state:?}"
    );
}

#[test]
fn what_was_started_runs_and_is_remembered() {
    let place = Place::new();
    place.overlay("demo/1.0", &[("bin/demo", "#!/bin/sh\necho demo\n")]);
    place.start("bio", &["-o", "demo/1.0", "-e", "K=v"]);
    assert_eq!(place.ctr(["exec", "bio", "demo"]).ok().text(), "demo\n");
    let state: serde_json::Value =
        serde_json::from_slice(&fs::read(place.state_file("bio")).unwrap()).unwrap();
    assert_eq!(state["name"], "bio");
    assert_eq!(state["base_image"], images().sif.to_str().unwrap());
    assert!(
        state["env"]
            .as_array()
            .unwrap()
            .iter()
            .any(|entry| entry == "K=v"),
        "{state}"
    );
    assert_eq!(place.ctr(["list", "--names"]).ok().text(), "bio\n");
}

#[test]
fn a_folder_serves_as_a_base_image() {
    let place = Place::new();
    let sandbox = place.sandbox("mine", &[("/bin/mine", "#!/bin/sh\necho mine\n")]);
    place.start("bio", &["-b", sandbox.to_str().unwrap()]);
    assert_eq!(place.ctr(["exec", "bio", "mine"]).ok().text(), "mine\n");
    place.start("plain", &["-b", images().sandbox.to_str().unwrap()]);
    assert_eq!(
        place.ctr(["exec", "plain", "echo", "hi"]).ok().text(),
        "hi\n"
    );
}

#[test]
fn the_base_image_is_the_flags_else_the_variables_else_the_configured_one() {
    let mut place = Place::new();
    let images = ["flag", "variable", "configured"].map(|name| {
        place.sandbox(
            name,
            &[("/bin/which-one", &format!("#!/bin/sh\necho {name}\n"))],
        )
    });
    place.config(&format!("base_image = {:?}\n", images[2].to_str().unwrap()));
    place.set("CTR_BASE_IMAGE", &images[1]);
    place.start("bio", &["-b", images[0].to_str().unwrap()]);
    assert_eq!(
        place.ctr(["exec", "bio", "which-one"]).ok().text(),
        "flag\n"
    );
    place.start("bio", &["--replace"]);
    assert_eq!(
        place.ctr(["exec", "bio", "which-one"]).ok().text(),
        "variable\n"
    );
    let run = place.ctr(["start", "--replace", "bio"]);
    run.env_remove("CTR_BASE_IMAGE").ok();
    assert_eq!(
        place.ctr(["exec", "bio", "which-one"]).ok().text(),
        "configured\n"
    );
}

#[test]
fn a_name_that_already_runs_is_left_alone() {
    let place = Place::new();
    place.start("bio", &["-e", "K=first"]);
    let before = place.record("bio").pid;
    place
        .ctr(["start", "-e", "K=second", "bio"])
        .fails(1)
        .says(&["bio", "--replace"]);
    assert_eq!(place.record("bio").pid, before);
    assert_eq!(place.environ("bio")["K"], "first");
}

#[test]
fn replace_starts_anew_in_its_place() {
    let place = Place::new();
    place.start("bio", &["-e", "K=first"]);
    let before = place.record("bio");
    place.start("bio", &["--replace", "-e", "OTHER=second"]);
    assert_ne!(place.record("bio").pid, before.pid);
    let environ = place.environ("bio");
    assert_eq!((environ.get("K"), &*environ["OTHER"]), (None, "second"));
}

#[test]
fn a_replacement_that_is_refused_leaves_the_old_instance_running() {
    let place = Place::new();
    place.start("bio", &["-e", "K=first"]);
    let before = place.record("bio").pid;
    let large: Vec<String> = (0..11)
        .map(|n| format!("V{n}={}", "x".repeat(100_000)))
        .collect();
    let too_much: Vec<&str> = large.iter().flat_map(|given| ["-e", given]).collect();
    for refused in [
        &["-e", "HOME=/x"][..],
        &["-o", "nosuch/1.0"],
        &["-b", "nosuch.sif"],
        &["--bind", "/no/such/source"],
        &too_much,
    ] {
        let run = place.ctr(["start", "--replace"]).args(refused).arg("bio");
        let output = run.run();
        assert!(output.status == 1 || output.status == 2, "{output}");
        let now = place.find_record("bio").map(|record| record.pid);
        assert_eq!(now, Some(before), "{output}");
    }
    assert_eq!(place.environ("bio")["K"], "first");
}

#[test]
fn if_needed_starts_only_what_does_not_run() {
    let place = Place::new();
    place.start("bio", &["--if-needed", "-e", "K=v"]);
    let before = place.record("bio").pid;
    place.start("bio", &["--if-needed", "-e", "K=v"]);
    assert_eq!(place.record("bio").pid, before);
    let output = place
        .ctr(["start", "--if-needed", "-e", "K=other", "bio"])
        .fails(1);
    output.says(&["K", "--replace"]);
    assert_eq!(place.record("bio").pid, before);
    place.crash("bio");
    place
        .start("bio", &["--if-needed", "-e", "K=v"])
        .says(&["bio"]);
    assert_ne!(place.record("bio").pid, before);
    assert_eq!(place.environ("bio")["K"], "v");
}

#[test]
fn of_two_starts_of_one_name_at_once_one_wins_and_nothing_is_lost() {
    let place = Place::new();
    let run = place.ctr(["start", "bio"]);
    let mut starts = [run.spawn(), run.spawn()];
    let won = starts
        .each_mut()
        .map(|start| start.wait().unwrap().success());
    assert_eq!(won.iter().filter(|won| **won).count(), 1, "{won:?}");
    place.record("bio");
    assert_eq!(place.ctr(["exec", "bio", "echo", "hi"]).ok().text(), "hi\n");
    let keepers = place
        .processes()
        .into_iter()
        .filter(|process| process.is_keeper())
        .count();
    assert_eq!(keepers, 1, "{:#?}", place.processes());
}

#[test]
fn what_apptainer_said_is_kept_when_it_fails() {
    let place = Place::new();
    let image = place.write("work/text.sif", "this is no image\n");
    let output = place
        .ctr(["start", "-b", image.to_str().unwrap(), "bio"])
        .fails(1);
    output.says(&["text.sif", "image format not recognized"]);
    assert_nothing_left(&place, &output);
}

#[test]
fn an_image_that_is_nowhere_is_named() {
    let place = Place::new();
    let output = place.ctr(["start", "-b", "nosuch.sif", "bio"]).fails(1);
    output.says(&["nosuch.sif"]);
    assert_nothing_left(&place, &output);
}

#[test]
fn a_state_that_cannot_be_saved_is_a_failure_and_leaves_no_instance_without_memory() {
    let place = Place::new();
    place.mode(&place.path("state"), 0o555);
    let output = place.ctr(["start", "bio"]).fails(1);
    output.says(&[place.path("state").to_str().unwrap()]);
    assert_nothing_left(&place, &output);
}

#[test]
fn a_state_that_fails_to_be_saved_after_the_start_is_undone() {
    let mut place = Place::new();
    // The folder is there and fine until Apptainer has started the instance.
    place.start("first", &[]);
    place.ctr(["stop", "first"]).ok();
    let folder = place.state_file("bio").parent().unwrap().to_owned();
    let folder = folder.display();
    let instead = format!("rm -r {folder}; : > {folder}");
    place.set(
        "CTR_APPTAINER",
        apptainer_but(&place, "instance start", &instead),
    );
    let output = place.ctr(["start", "bio"]).fails(1);
    assert_nothing_left(&place, &output);
}

#[test]
fn ctrl_c_during_a_start_is_a_failure_and_leaves_nothing() {
    let mut place = Place::new();
    let instead = "echo begun > /dev/tty; exec sleep 1000";
    place.set(
        "CTR_APPTAINER",
        apptainer_but(&place, "instance start", instead),
    );
    let mut terminal = place.ctr(["start", "bio"]).terminal();
    terminal.wait_for("begun");
    terminal.ctrl('c');
    let status = terminal.wait();
    assert!(
        status == 130 || status == -2,
        "{status}: {}",
        terminal.screen()
    );
    assert_nothing_left(&place, &terminal.screen());
}

#[test]
fn a_pipe_sees_no_control_characters() {
    let place = Place::new();
    place.overlay("demo/1.0", &[]);
    let output = place.start("bio", &["-v", "-o", "demo/1.0"]);
    place.record("bio");
    for text in [output.text(), &output.stderr] {
        assert!(
            !text.contains(|c: char| c.is_control() && c != '\n'),
            "{output}"
        );
    }
}

#[test]
fn quiet_is_quiet() {
    let place = Place::new();
    let output = place.ctr(["-q", "start", "bio"]).ok();
    assert_eq!((output.text(), &*output.stderr), ("", ""));
}

#[test]
fn if_needed_does_not_mind_another_working_folder() {
    let place = Place::new();
    let (one, two) = (place.folder("outside/one"), place.folder("outside/two"));
    let start = place.ctr(["start", "--if-needed", "bio"]);
    start.cwd(&one).ok();
    let again = place.ctr(["start", "--if-needed", "bio"]).cwd(&two).ok();
    again.says(&["runs already"]);
    let bound = two.to_str().unwrap();
    let other = place.ctr(["start", "--if-needed", "--bind", bound, "bio"]);
    other.cwd(&one).fails(1).says(&["binds"]);
}

#[test]
fn a_word_after_the_dashes_that_is_no_flag_is_refused() {
    let place = Place::new();
    let image = images().sif.to_str().unwrap();
    for words in [&[image, "other"][..], &["--contain", "other"]] {
        let run = place.ctr(["start", "bio", "--"]).args(words);
        run.fails(2).says(&["is no flag"]);
        assert!(place.records().is_empty(), "{words:?}");
    }
    place.config("apptainer_flags = ['--overlay', '/x.img']");
    place
        .ctr(["start", "bio"])
        .fails(1)
        .says(&["apptainer_flags", "--overlay"]);
}
