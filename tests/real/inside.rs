//! `ctr` and shells inside an instance.

use std::fs;

use crate::support::{Output, Place, Run, Terminal, eventually, images};

/// What `ctr ARGS` is when it is run inside `name`.
fn ctr_inside(place: &Place, name: &str, args: &[&str]) -> Run {
    let binary = place.path("bin/ctr");
    let words = ["exec", name].map(Into::into);
    place.ctr(words.into_iter().chain([binary])).args(args)
}

/// A place with `dev` and `other` on the host's own system, where `ctr` runs inside too.
fn place() -> Place {
    let place = Place::bare();
    place.start("dev", &[]);
    place.start("other", &[]);
    // The first command writes down what it learns.
    place.ctr(["exec", "dev", "true"]).ok();
    place
}

/// Everything on disk that says what runs: Apptainer's records and the state files.
fn memory(place: &Place) -> Vec<(std::path::PathBuf, Vec<u8>)> {
    let mut files = [place.records(), place.state_files()].concat();
    files.sort();
    let content = |file: &std::path::PathBuf| fs::read(file).unwrap();
    files.iter().map(|f| (f.clone(), content(f))).collect()
}

#[track_caller]
fn error_and_hint(output: &Output) -> [&str; 2] {
    let lines: Vec<&str> = output.stderr.lines().collect();
    let [error, hint] = lines[..] else {
        panic!("not one line and a hint: {output}");
    };
    assert!(
        error.starts_with("error: ") && hint.starts_with(" hint: "),
        "{output}"
    );
    [error, hint]
}

#[test]
fn what_cannot_be_done_inside_is_refused_in_a_line_and_a_hint() {
    let place = place();
    let before = memory(&place);
    for (args, status) in [
        (&["start", "new"][..], 1),
        (&["start", "--dry-run", "new"], 1),
        (&["start", "--replace", "other"], 1),
        (&["start", "--if-needed", "dev"], 1),
        (&["stop", "dev"], 1),
        (&["stop", "-F", "other"], 1),
        (&["stop", "--all", "--untracked"], 1),
        (&["restart", "other"], 1),
        (&["restart"], 1),
        (&["prune"], 1),
        (&["shim", "add", "dev", "ls"], 1),
        (&["shim", "list"], 1),
        (&["env", "other"], 1),
        (&["env", "--unset"], 1),
        (&["use", "other"], 1),
        (&["leave"], 1),
        (&["exec", "other", "true"], 125),
        (&["exec", ".", "true"], 125),
        (&["exec", "dev", "true"], 125),
        (&["enter", "other"], 125),
        (&["enter"], 125),
    ] {
        let output = ctr_inside(&place, "dev", args).fails(status);
        let [error, hint] = error_and_hint(&output);
        assert!(error.contains("`dev`"), "{output}");
        assert!(
            hint.contains("exit") || hint.contains("by itself"),
            "{output}"
        );
        assert_eq!(memory(&place), before, "{output}");
    }
    for name in ["dev", "other"] {
        place.ctr(["exec", name, "true"]).ok().quiet();
    }
}

#[test]
fn a_command_for_the_instance_that_one_is_in_is_shown_by_itself() {
    let place = place();
    let args = ["exec", ".", "grep", "-c", "a b", "it's"];
    let output = ctr_inside(&place, "dev", &args).fails(125);
    let [error, hint] = error_and_hint(&output);
    assert!(error.contains("this is `dev` already"), "{output}");
    assert!(hint.ends_with("grep -c 'a b' 'it'\\''s'"), "{output}");
    let output = ctr_inside(&place, "dev", &["exec", "other", "true"]).fails(125);
    assert!(error_and_hint(&output)[0].contains("`other`"), "{output}");
}

#[test]
fn failing_code_is_printed_for_an_evaluation_and_none_for_an_rc_file() {
    let place = place();
    for args in [&["env", "other"][..], &["env", "--unset"]] {
        let output = ctr_inside(&place, "dev", args).fails(1);
        assert_eq!(output.text(), "false;\n", "{output}");
    }
    // The home is there too, and with it the rc files.
    let output = ctr_inside(&place, "dev", &["env", "--if-running", "other"]).ok();
    assert_eq!(output.quiet().text(), "");
    let output = ctr_inside(&place, "dev", &["env", "--json", "other"]).fails(1);
    assert_eq!(output.json()["error"]["kind"], "inside", "{output}");
}

#[test]
fn what_can_be_done_inside_works() {
    let place = place();
    let before = memory(&place);
    let list = ctr_inside(&place, "dev", &["list", "--json"]).ok().json();
    let rows: Vec<_> = list["instances"].as_array().unwrap().iter().collect();
    let shown = |n: usize| ["name", "status"].map(|key| rows[n][key].as_str().unwrap());
    assert_eq!(shown(0), ["dev", "running"], "{list:#}");
    assert_eq!(shown(1), ["other", "elsewhere"], "{list:#}");
    assert_eq!(rows[0]["active"], true, "{list:#}");
    assert_eq!(rows[1]["active"], false, "{list:#}");

    let show = ctr_inside(&place, "dev", &["show"]).ok();
    assert!(show.text().contains("running"), "{show}");
    let show = ctr_inside(&place, "dev", &["show", "other"]).ok();
    assert!(show.text().contains("pid namespace"), "{show}");
    let stats = ctr_inside(&place, "dev", &["stats", "--json"]).ok().json();
    assert_eq!(stats["instances"][0]["name"], "dev", "{stats:#}");

    for args in [
        &["list"][..],
        &["list", "--names"],
        &["config"],
        &["overlays"],
        &["init", "bash"],
        &["init", "zsh"],
        &["completions", "bash"],
        &["man"],
        &["note", "other"],
        &["doctor"],
        &["stop", "--help"],
    ] {
        ctr_inside(&place, "dev", args).ok();
    }
    // Apptainer's records are kept out, and the logs with them.
    let logs = ctr_inside(&place, "dev", &["logs"]).fails(1);
    assert!(error_and_hint(&logs)[1].contains("from outside"), "{logs}");
    let doctor = ctr_inside(&place, "dev", &["doctor"]).ok();
    assert!(doctor.text().contains("inside `dev`"), "{doctor}");
    assert_eq!(memory(&place), before);
}

#[test]
fn a_start_that_was_cut_off_is_not_mended_from_inside() {
    let place = place();
    place.edit_state("other", |state| {
        state["phase"] = "starting".into();
        // Of a boot before this one: outside, it would be gone for good.
        state["boot_id"] = "0f0f0f0f-0000-4000-8000-000000000000".into();
    });
    let before = memory(&place);
    for args in [&["list"][..], &["show", "other"], &["list", "--all-hosts"]] {
        let output = ctr_inside(&place, "dev", args).ok();
        assert_eq!(memory(&place), before, "{output}");
    }
}

#[test]
fn an_instance_is_known_from_inside_when_its_variables_are_lost() {
    let place = place();
    let before = memory(&place);
    let binary = place.path("bin/ctr");
    let home = format!("HOME={}", place.path("home").display());
    let state = format!("XDG_STATE_HOME={}", place.path("state").display());
    for command in ["stop", "restart"] {
        let words = ["exec", "dev", "env", "-i", &home, &state];
        let run = place.ctr(words).arg(&binary).args([command, "other"]);
        let output = run.fails(1);
        assert!(
            error_and_hint(&output)[0].contains("a container"),
            "{output}"
        );
    }
    assert_eq!(memory(&place), before);
}

#[test]
fn nothing_of_an_activation_outside_is_inside() {
    let place = place();
    let set = place.ctr(["env", "other"]).ok();
    let script = format!("{}\nctr exec dev env -0; ctr exec . env -0", set.text());
    let output = crate::support::Shell::Bash.script(&place, &script).ok();
    let names: Vec<&str> = output
        .text()
        .split_terminator('\0')
        .filter_map(|entry| Some(entry.split_once('=')?.0))
        .filter(|name| name.starts_with("CTR_"))
        .collect();
    let expected = ["CTR_APPTAINER", "CTR_INSTANCE", "CTR_OVERLAY_PATH"];
    let mut sorted = names.clone();
    sorted.sort_unstable();
    sorted.dedup();
    assert_eq!(sorted, expected, "{output}");
    assert!(output.text().contains("CTR_INSTANCE=dev\0"), "{output}");
    assert!(output.text().contains("CTR_INSTANCE=other\0"), "{output}");
    assert!(!output.text().contains("run/ctr/shims"), "{output}");
}

#[track_caller]
fn wait_for_prompt(terminal: &Terminal, prompt: &str) {
    terminal.until(&format!("the prompt {prompt}"), |terminal| {
        (terminal.cursor_line().trim_end() == prompt).then_some(())
    });
}

/// Demands that a shell shows its folder between these in its prompt, and that it knows the
/// instance's name. Gives the status that it ends with.
#[track_caller]
fn prompts(mut terminal: Terminal, before: &str, after: &str) -> i32 {
    terminal.until("a prompt", |terminal| {
        let line = terminal.cursor_line();
        let line = line.trim_end();
        (line.starts_with(before) && line.ends_with(after)).then_some(())
    });
    for folder in ["/usr", "/etc"] {
        terminal.line(&format!("cd {folder}"));
        wait_for_prompt(&terminal, &format!("{before}{folder}{after}"));
    }
    terminal.line("echo \"in <$CTR_INSTANCE> at <$IN_CONDATAINER>\"");
    terminal.wait_for("in <dev> at <");
    terminal.line("exit 7");
    terminal.wait()
}

#[test]
fn bash_inside_shows_the_instance() {
    let place = place();
    for args in [
        &["enter", "dev"][..],
        &["enter", "--shell", "/bin/bash", "dev"],
    ] {
        assert_eq!(prompts(place.ctr(args).terminal(), "dev ", ">"), 7);
    }
}

#[test]
fn plain_shells_inside_show_the_instance() {
    let place = place();
    // dash here, and whatever `sh` is a link to. (dash cannot give the terminal back to a process
    // outside of its namespace, complains, and ends with a status of its own.)
    for shell in ["/bin/sh", "/bin/dash"] {
        let run = place.ctr(["enter", "--shell", shell, "dev"]);
        prompts(run.terminal(), "dev ", ">");
    }
    let run = place.ctr(["exec", "dev", "dash", "-i"]);
    prompts(run.terminal(), "dev ", ">");
}

#[test]
fn the_shell_of_an_image_that_has_no_other_shows_the_instance() {
    let place = Place::new();
    place.start("dev", &[]);
    for args in [
        &["enter", "dev"][..],
        &["enter", "--shell", "/bin/ash", "dev"],
    ] {
        assert_eq!(prompts(place.ctr(args).terminal(), "dev ", ">"), 7);
    }
}

/// `ctr enter` with zsh, whose user has this rc file.
fn zsh(place: &Place, rc: &str) -> Terminal {
    let rc = place.write("zsh/.zshrc", rc);
    place
        .ctr(["enter", "--shell", "/bin/zsh", "dev"])
        .env("ZDOTDIR", rc.parent().unwrap())
        .terminal()
}

#[test]
fn zsh_inside_shows_the_instance() {
    let place = place();
    assert_eq!(prompts(zsh(&place, ""), "dev ", ">"), 7);
    // The integration of the user's own rc file shows it as well, and not twice.
    let binary = place.path("bin/ctr");
    let init = format!("eval \"$({} init zsh)\"\n", binary.display());
    assert_eq!(prompts(zsh(&place, &init), "dev ", ">"), 7);
    // A prompt of the user's own stays, with the mark that it has on the host.
    let own = format!("PS1='%~ mine>'\n{init}");
    assert_eq!(prompts(zsh(&place, &own), "(ctr:dev) ", " mine>"), 7);
}

#[test]
fn the_prompt_counts_levels_from_the_second_on() {
    let place = Place::bare();
    place.ctr(["start", "dev"]).env("IN_CONDATAINER", "1").ok();
    for shell in ["/bin/bash", "/bin/sh"] {
        let run = place.ctr(["enter", "--shell", shell, "dev"]);
        prompts(run.terminal(), "dev_2 ", ">");
    }
    prompts(zsh(&place, ""), "dev_2 ", ">");
}

#[test]
fn a_prompt_of_the_users_own_stays() {
    let place = Place::bare();
    place.start("dev", &["-e", "PS1=mine> "]);
    for shell in ["/bin/bash", "/bin/sh"] {
        let run = place.ctr(["enter", "--shell", shell, "dev"]);
        wait_for_prompt(&run.terminal(), "mine>");
        let run = place.ctr(["enter", "-e", "PS1=other> ", "--shell", shell, "dev"]);
        wait_for_prompt(&run.terminal(), "other>");
    }
}

#[test]
fn an_instance_that_was_started_without_ctr_says_where_one_is_as_well() {
    let place = Place::new();
    place
        .apptainer(["-q", "instance", "start"])
        .arg(&images().sif)
        .arg("dev")
        .ok();
    assert_eq!(
        prompts(place.ctr(["enter", "dev"]).terminal(), "dev ", ">"),
        7
    );
    assert_eq!(place.environ("dev")["CTR_INSTANCE"], "dev");
}

#[test]
fn a_start_script_is_inside_as_well() {
    let mut place = Place::bare();
    let sandbox = place.sandbox(
        "service",
        &[(
            "/.singularity.d/startscript",
            "#!/bin/sh\n\"$CTR\" stop other >\"$SAID\" 2>&1\necho \"status $?\" >>\"$SAID\"\nexec sleep 100000\n",
        )],
    );
    place.set("CTR_BASE_IMAGE", sandbox);
    // The program needs the host's libraries, which the image does not have.
    let said = place.path("work/said");
    let binary = fs::canonicalize(place.path("bin/ctr")).unwrap();
    let variables = [
        format!("CTR={}", binary.display()),
        format!("SAID={}", said.display()),
    ];
    let libraries = ["/lib:/lib", "/lib64:/lib64", "/usr/lib:/usr/lib"];
    let binds = libraries.iter().flat_map(|bind| ["--bind", bind]);
    let env = variables.iter().flat_map(|one| ["-e", one.as_str()]);
    let options: Vec<&str> = binds.chain(env).collect();
    place.start("dev", &options);
    let answer = eventually("the script has asked ctr", || {
        let answer = fs::read_to_string(&said).ok()?;
        answer.contains("status").then_some(answer)
    });
    assert!(answer.contains("does not work inside `dev`"), "{answer}");
    assert!(answer.ends_with("status 1\n"), "{answer}");
}
