//! What is closed, or named wrongly, ends with a status of ours and the true reason, never with Apptainer's 255 or
//! in another folder.

use std::path::Path;

use crate::support::{Place, images};

#[test]
fn a_folder_that_may_not_be_entered_is_refused_each_way_in() {
    let place = Place::new();
    let closed = place.folder("work/closed");
    for options in [&[][..], &["-f"]] {
        place.start("bio", options);
        for join in ["apptainer", "direct", "auto"] {
            // What is a home with rights over its own is root's way under `-f`.
            let script = format!("chmod 0 ../closed; exec ctr exec --join {join} bio pwd");
            let run = place.program("sh").args(["-c", &script]).cwd(&closed);
            let output = run.run();
            place.mode(&closed, 0o755);
            let shown = String::from_utf8_lossy(&output.stdout).trim().to_owned();
            match options.is_empty() {
                true => {
                    assert_eq!(output.status, 125, "{output}");
                    output.says(&["cannot go to", closed.to_str().unwrap(), "--cwd"]);
                }
                false => assert!(
                    output.status == 125 || Path::new(&shown) == closed,
                    "{output}"
                ),
            }
        }
        let cwd = closed.to_str().unwrap();
        place.mode(&closed, 0);
        if options.is_empty() {
            for join in ["apptainer", "direct"] {
                let run = place.ctr(["exec", "--cwd", cwd, "--join", join, "bio", "pwd"]);
                run.fails(125).says(&["cannot go to"]);
            }
        }
        place.mode(&closed, 0o755);
        place.ctr(["stop", "bio"]).ok();
    }
}

#[test]
fn from_a_folder_that_cannot_be_reached_any_more_nothing_runs_elsewhere() {
    let place = Place::new();
    place.start("bio", &[]);
    let inner = place.folder("work/outer/inner");
    for join in ["apptainer", "direct", "auto"] {
        let script = format!("chmod 0 ..; ctr exec --join {join} bio pwd; s=$?; exit $s");
        let run = place.program("sh").args(["-c", &script]).cwd(&inner);
        let output = run.run();
        place.mode(&place.path("work/outer"), 0o755);
        // Directly it runs where the caller is, as any other command would.
        let shown = output.text().trim();
        let is_there = join != "apptainer" && Path::new(shown) == inner;
        assert!(
            is_there || output.status == 125 && shown.is_empty(),
            "{output}"
        );
    }
}

#[test]
fn a_configuration_of_apptainer_that_cannot_be_read_is_named() {
    let mut place = Place::new();
    place.start("bio", &[]);
    let image = images().sif.to_str().unwrap();
    place
        .apptainer(["instance", "start", image, "by-hand"])
        .ok();
    let folder = place.folder("folder");
    for name in ["APPTAINER_CONFIG_FILE", "SINGULARITY_CONFIG_FILE"] {
        for file in ["/none", folder.to_str().unwrap()] {
            place.set(name, file);
            for args in [
                &["exec", "by-hand", "true"][..],
                &["exec", "--join", "apptainer", "by-hand", "true"],
                &["enter", "by-hand"],
            ] {
                place
                    .ctr(args)
                    .fails(125)
                    .says(&[file, "APPTAINER_CONFIG_FILE"]);
            }
            let start = place.ctr(["start", "new"]).fails(1);
            start.says(&[file, "APPTAINER_CONFIG_FILE"]);
            place.assert_forgotten("new");
            // One that was started without it goes on without it.
            for join in ["auto", "apptainer"] {
                place.ctr(["exec", "--join", join, "bio", "true"]).ok();
            }
        }
        place.unset(name);
    }
}

#[test]
fn a_path_that_is_handed_in_is_where_a_command_is_looked_for() {
    let mut place = Place::new();
    place.start("bio", &[]);
    for name in ["APPTAINERENV_PATH", "SINGULARITYENV_PATH"] {
        place.set(name, "/none");
        for join in ["apptainer", "auto"] {
            let exec = place.ctr(["exec", "--join", join, "bio", "true"]);
            exec.fails(127).says(&["no command `true`"]);
        }
        place.unset(name);
    }
}

#[test]
fn a_program_whose_loader_is_missing_inside_is_126() {
    let place = Place::new();
    let image = place.sandbox("bare", &[("/bin/script", "#!/bin/dynamic\n")]);
    let dynamic = std::fs::read("/bin/ls").unwrap();
    std::fs::write(image.join("bin/dynamic"), dynamic).unwrap();
    place.mode(&image.join("bin/dynamic"), 0o755);
    place.start("bio", &["-b", image.to_str().unwrap()]);
    for command in ["dynamic", "script"] {
        for join in ["apptainer", "direct", "auto"] {
            let exec = place.ctr(["exec", "--join", join, "bio", command]);
            exec.fails(126).says(&[command]);
        }
    }
    place
        .ctr(["exec", "--join", "apptainer", "bio", "sh", "-c", "true"])
        .ok();
}

#[test]
fn what_is_said_to_do_is_about_what_failed() {
    let place = Place::new();
    for flags in [&["--bogus"][..], &["--pwd", "/x"]] {
        let start = place.ctr(["start", "bio", "--"]).args(flags).fails(1);
        start.says(&["unknown flag", "flags after `--`"]);
        assert!(!start.stderr.contains("namespaces"), "{start}");
    }
    let closed = place.folder("closed");
    place.write("closed/x.sif", "");
    place.mode(&closed, 0);
    let image = closed.join("x.sif");
    let start = place
        .ctr(["start", "-b", image.to_str().unwrap(), "bio"])
        .fails(1);
    start.says(&["x.sif", "ermission denied"]);
    assert!(!start.stderr.contains("no such"), "{start}");
    let bind = closed.join("d");
    let start = place
        .ctr(["start", "--bind", bind.to_str().unwrap(), "bio"])
        .fails(1);
    start.says(&["cannot bind", "ermission denied"]);
    place.start("bio", &[]);
    let file = place.state_file("bio");
    place.mode(&file, 0);
    let exec = place.ctr(["exec", "bio", "true"]).fails(125);
    exec.says(&[
        file.to_str().unwrap(),
        "ermission denied",
        "allowed to read",
    ]);
    place.mode(&file, 0o600);
}
