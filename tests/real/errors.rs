//! Failures: what they say, how they end, and that they leave nothing.

use std::fs;

use serde_json::json;

use crate::support::{Output, Place, images};

/// Demands one line that says what is wrong and names `thing`, then one that says what to do.
#[track_caller]
fn assert_explains(output: &Output, thing: &str, remedy: &str) {
    let mut lines = output
        .stderr
        .lines()
        .skip_while(|line| !line.starts_with("error: "));
    let (error, hint) = (
        lines.next().unwrap_or_default(),
        lines.next().unwrap_or_default(),
    );
    assert!(
        error.starts_with("error: ") && error.contains(thing),
        "{thing:?} in the error of {output}"
    );
    assert!(
        hint.starts_with(" hint: ") && hint.contains(remedy),
        "{remedy:?} in the hint of {output}"
    );
    assert_eq!(lines.next(), None, "two lines are enough: {output}");
    assert_eq!(output.text(), "", "{output}");
}

#[test]
fn without_apptainer_the_error_says_how_to_get_one() {
    let mut place = Place::new();
    place.start("bio", &[]);
    place.set("CTR_APPTAINER", "/nonexistent/apptainer");
    let output = place.ctr(["start", "other"]).fails(1);
    assert_explains(&output, "/nonexistent/apptainer", "");
    output.says(&["CTR_APPTAINER"]);
    place.assert_forgotten("other");
    assert_explains(
        &place.ctr(["exec", "bio", "true"]).fails(125),
        "/nonexistent/apptainer",
        "",
    );
    assert_eq!(place.status("bio"), "running", "to look, it is not needed");
    place.unset("CTR_APPTAINER");
    place.set("PATH", place.folder("empty"));
    let run = place
        .program(place.path("bin/ctr"))
        .args(["start", "other"]);
    let output = run.fails(1);
    assert_explains(&output, "no Apptainer on the PATH", "CTR_APPTAINER");
    place.assert_forgotten("other");
    // The one that `scripts/apptainer` got.
    let ours = place.write_program("cache/ctr/apptainer/usr/bin/apptainer", "#!/bin/sh\n");
    let output = run.fails(1);
    assert_explains(&output, "no Apptainer on the PATH", ours.to_str().unwrap());
}

/// An Apptainer that gives another version than its own.
fn apptainer_of_version(place: &Place, said: &str) -> std::path::PathBuf {
    place.write_program("fake/apptainer", format!("#!/bin/sh\necho '{said}'\n"))
}

#[test]
fn an_apptainer_that_is_too_old_is_named_with_the_version_that_is_needed() {
    for said in [
        "apptainer version 1.1.9",
        "singularity version 3.8.7-1.el8",
        "singularity-ce version 4.1.0",
    ] {
        let mut place = Place::new();
        let program = apptainer_of_version(&place, said);
        place.set("CTR_APPTAINER", &program);
        let output = place.ctr(["start", "bio"]).fails(1);
        assert_explains(&output, said, "1.3");
        output.says(&[program.to_str().unwrap()]);
        place.assert_clean_after(&output);
    }
}

#[test]
fn what_is_no_apptainer_is_named() {
    let mut place = Place::new();
    let program = apptainer_of_version(&place, "hello");
    place.set("CTR_APPTAINER", &program);
    let output = place.ctr(["start", "bio"]).fails(1);
    assert_explains(&output, program.to_str().unwrap(), "");
    place.assert_clean_after(&output);
    place.set("CTR_APPTAINER", place.write("fake/closed", "#!/bin/sh\n"));
    let output = place.ctr(["start", "bio"]).fails(1);
    assert_explains(&output, "fake/closed", "");
    place.assert_clean_after(&output);
}

#[test]
fn a_name_that_is_nearly_right_gets_the_right_one_suggested() {
    let place = Place::new();
    place.overlay("samtools/1.22", &[]);
    let output = place.ctr(["start", "-o", "smatools/1.22", "bio"]).fails(1);
    assert_explains(&output, "smatools/1.22", "samtools/1.22");
    let output = place.ctr(["start", "-o", "samtools", "bio"]).fails(1);
    assert_explains(&output, "samtools", "samtools/1.22");
    place.assert_clean_after(&output);

    place.start("genomics", &[]);
    for (command, status) in [
        (&["exec", "genomisc", "true"][..], 125),
        (&["stop", "genomisc"], 1),
        (&["show", "genomisc"], 1),
        (&["note", "genomisc"], 1),
        (&["restart", "genomisc"], 1),
    ] {
        assert_explains(&place.ctr(command).fails(status), "genomisc", "genomics");
    }
    let output = place.ctr(["env", "genomisc"]).fails(1);
    output.says(&["genomisc", "did you mean genomics?"]);
    let output = place.ctr(["start", "-b", "nosuch/image", "bio"]).fails(1);
    assert_explains(&output, "nosuch/image", "hostos");
}

#[test]
fn names_that_are_not_allowed_are_wrong_usage() {
    let place = Place::new();
    let (long, longest) = ("x".repeat(65), "x".repeat(64));
    for name in [
        "", ".", "..", "../x", "a/b", ".hidden", "a b", "ä", "a\n", "$(id)", &long,
    ] {
        let output = place.ctr(["start", "--", name]).run();
        assert_eq!(output.status, 2, "{output}");
        let output = place.ctr(["start", name]).fails(2);
        assert!(output.stderr.contains("not a name"), "{output}");
        assert!(
            !output.stderr.trim_end().contains("a\n`"),
            "control characters are escaped: {output}"
        );
        place.assert_clean_after(&output);
    }
    place.ctr(["start", "-x"]).fails(2).says(&["-x"]);
    place.assert_clean();
    place.start(&longest, &[]);
    place.ctr(["exec", &longest, "true"]).ok();
    for name in ["../x", "a b", &long] {
        place.ctr(["exec", name, "true"]).fails(2);
        place.ctr(["note", name, "-m", "x"]).fails(2);
    }
}

#[test]
fn damaged_images_are_named_and_leave_nothing() {
    let place = Place::new();
    let half = |path: &std::path::Path| {
        let whole = fs::read(path).unwrap();
        whole[..whole.len() / 2].to_vec()
    };
    let overlay = place.overlay(
        "demo/1.0",
        &[
            ("bin/demo", "#!/bin/sh\n"),
            ("data", &"12345678\n".repeat(100_000)),
        ],
    );
    let ext3 = place.ext3("env.img", nix::unistd::getuid().as_raw());
    let bad = [
        ("half.sif", half(&images().sif)),
        ("text.sif", b"no image\n".to_vec()),
        ("empty.sif", Vec::new()),
        ("half.sqf", half(&overlay)),
        ("text.sqf", b"no overlay\n".to_vec()),
        ("empty.sqf", Vec::new()),
        ("text.img", b"no overlay\n".to_vec()),
        ("empty.img", Vec::new()),
        ("zeros.img", vec![0; 1 << 20]),
        ("torn.img", fs::read(&ext3).unwrap()[..3000].to_vec()),
    ];
    let mut unnamed = Vec::new();
    for (name, bytes) in bad {
        place.write(format!("work/{name}"), bytes);
        let flag = if name.ends_with(".sif") { "-b" } else { "-o" };
        for options in [&[][..], &["-w"]] {
            if options.is_empty() || name.ends_with(".img") {
                let start = place.ctr(["start", flag, name]).args(options);
                let output = start.arg("bio").fails(1);
                place.assert_clean_after(&output);
                let first = output.stderr.lines().next().unwrap_or_default();
                if !first.contains(name) || !output.stderr.contains("\n hint: ") {
                    unnamed.push(output.to_string());
                }
            }
        }
    }
    assert!(unnamed.is_empty(), "{}", unnamed.join("\n"));
}

#[test]
fn images_that_cannot_be_read_are_named() {
    let place = Place::new();
    let overlay = place.overlay("demo/1.0", &[]);
    let ext3 = place.ext3("env.img", nix::unistd::getuid().as_raw());
    place.mode(&overlay, 0);
    place
        .ctr(["start", "-o", "demo/1.0", "bio"])
        .fails(1)
        .says(&["demo--1.0.sqf", "ermission denied"]);
    place.mode(&ext3, 0o444);
    let output = place.ctr(["start", "-w", "-o", "env.img", "bio"]).fails(1);
    assert_explains(&output, "env.img", "read-only");
    place.assert_clean_after(&output);
    place.start("bio", &["-o", "env.img"]);
}

#[test]
fn a_flag_that_does_nothing_on_a_join_is_wrong_usage() {
    let place = Place::new();
    place.start("bio", &[]);
    for flag in ["--bind", "--overlay", "--nv", "--home", "--rocm"] {
        for command in ["exec", "enter"] {
            let output = place.ctr([command, flag, "/tmp", "bio", "true"]).fails(2);
            let what = format!("`{flag}` does nothing to an instance that runs");
            assert_explains(&output, &what, "give it to `ctr start`");
        }
    }
    // One that no command has is an error of another kind.
    let output = place.ctr(["exec", "--nosuch", "bio", "true"]).fails(2);
    assert!(!output.stderr.contains("ctr start"), "{output}");
}

#[test]
fn an_unknown_key_of_the_configuration_gets_the_nearest_known_one() {
    let place = Place::new();
    let file = place.config("bse_image = \"x.sif\"\n");
    let output = place.ctr(["list"]).fails(1);
    output.says(&["bse_image", "base_image", file.to_str().unwrap()]);
    assert_eq!(
        place.ctr(["exec", "bio", "true"]).run().status,
        125,
        "ctr itself failed before it"
    );
    place.config("base_image = [1\n");
    place.ctr(["list"]).fails(1).says(&[file.to_str().unwrap()]);
    place.config("base_image = 7\n");
    place
        .ctr(["list"])
        .fails(1)
        .says(&[file.to_str().unwrap(), "base_image"]);
}

#[test]
fn a_failing_env_prints_code_that_fails() {
    let place = Place::new();
    for (args, status) in [
        (&["env", "nosuch"][..], 1),
        (&["env", "--shell", "fish", "nosuch"], 1),
        (&["env", "../x"], 2),
        (&["env", "--nosuch"], 2),
        (&["env", "--unset", "bio"], 2),
        (&["-q", "env", "--shell", "nosuch", "bio"], 2),
        (&["--color", "never", "env", "--nosuch"], 2),
        (&["env"], 1),
    ] {
        let output = place.ctr(args).fails(status);
        assert!(!output.stderr.is_empty(), "{output}");
        let code = output.text();
        assert!(!code.is_empty(), "{output}");
        for shell in ["bash", "dash", "zsh"] {
            place
                .program(shell)
                .args(["-c", "eval \"$1\"", "sh", code])
                .fails(1)
                .quiet();
        }
        place
            .program("fish")
            .args(["--no-config", "-c", "printf %s $argv[1] | source", code])
            .fails(1)
            .quiet();
    }
}

#[test]
fn failures_are_documents_too_where_documents_were_asked_for() {
    let place = Place::new();
    for (args, status, kind, thing) in [
        (&["show", "--json", "nosuch"][..], 1, "not_found", "nosuch"),
        (&["stats", "--json", "nosuch"], 1, "not_found", "nosuch"),
        (&["env", "--json", "nosuch"], 1, "not_found", "nosuch"),
        (&["show", "--json", "../x"], 2, "usage", "../x"),
        (&["list", "--json", "--nosuch"], 2, "usage", "--nosuch"),
        (&["env", "--json", "--nosuch"], 2, "usage", "--nosuch"),
    ] {
        let output = place.ctr(args).fails(status);
        let document = output.json();
        let error = &document["error"];
        assert_eq!(error["kind"], kind, "{output}");
        assert!(
            error["message"].as_str().unwrap().contains(thing),
            "{output}"
        );
        assert!(error["hint"].is_string(), "{output}");
        output.says(&[thing]);
    }
    place.config("nosuch = 1\n");
    for command in ["list", "stats", "config", "doctor", "overlays"] {
        let output = place.ctr([command, "--json"]).fails(1);
        assert_eq!(output.json()["error"]["kind"], "config", "{output}");
    }
}

#[test]
fn a_dead_instance_is_a_document_that_says_so() {
    let place = Place::new();
    place.start("bio", &[]);
    place.crash("bio");
    for command in ["env", "stats"] {
        let document = place.ctr([command, "--json", "bio"]).fails(1).json();
        assert_eq!(document["error"]["kind"], "not_running", "{document}");
        let hint = &document["error"]["hint"];
        assert!(
            hint.as_str().unwrap().contains("ctr restart bio"),
            "{document}"
        );
    }
    assert_eq!(
        place.ctr(["show", "--json", "bio"]).ok().json()["status"],
        json!("dead")
    );
}

#[test]
fn use_and_leave_say_which_line_to_add() {
    let place = Place::new();
    place.start("bio", &[]);
    for command in ["use", "leave"] {
        for (shell, file) in [
            ("bash", ".bashrc"),
            ("zsh", ".zshrc"),
            ("fish", "config.fish"),
        ] {
            let args: &[&str] = if command == "use" {
                &["use", "bio"]
            } else {
                &["leave"]
            };
            let line = format!("ctr {}; exit $status", args.join(" "));
            let line = if shell == "fish" {
                line
            } else {
                line.replace("$status", "$?")
            };
            let run = if shell == "fish" {
                place.program(shell).arg("--no-config")
            } else {
                place.program(shell)
            };
            let output = run.args(["-c", &line]).run();
            assert_ne!(output.status, 0, "{output}");
            output.says(&[&format!("ctr init {shell}"), file]);
            assert_eq!(output.text(), "", "{output}");
        }
    }
}

#[test]
fn no_command_at_all_shows_what_there_is() {
    let place = Place::new();
    place
        .ctr(Vec::<&str>::new())
        .fails(2)
        .says(&["start", "exec", "stop"]);
    place.ctr(["nosuch"]).fails(2).says(&["nosuch"]);
    let near = place.ctr(["strat", "bio"]).fails(2);
    near.says(&["strat", "start"]);
    let version = place.ctr(["--version"]).ok();
    assert_eq!(
        version.text(),
        format!("ctr {}\n", env!("CARGO_PKG_VERSION"))
    );
    let help = place.ctr(["start", "--help"]).ok();
    assert!(help.quiet().text().contains("--if-needed"), "{help}");
}
