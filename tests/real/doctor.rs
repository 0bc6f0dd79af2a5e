//! `ctr doctor` on the shell that calls it.

use std::fs;
use std::path::{Path, PathBuf};

use crate::support::{Output, Place, Shell, here};

/// The line for the rc file, and that file.
fn line_and_file(shell: Shell, place: &Place) -> (String, PathBuf) {
    let file = match shell {
        Shell::Bash => place.path("home/.bashrc"),
        Shell::Zsh => place.path("home/.zshrc"),
        Shell::Fish => place.path("config/fish/config.fish"),
        other => panic!("{other:?} is not in Shell::ALL"),
    };
    let load = shell.eval(&format!("ctr init {}", shell.name()));
    let line = match shell {
        Shell::Fish => format!("if command -q ctr; {load}; end"),
        _ => format!("if command -v ctr >/dev/null; then {load}; fi"),
    };
    (line, file)
}

/// What `ctr doctor` says when this shell calls it, which must end with `status`.
#[track_caller]
fn doctor(shell: Shell, place: &Place, before: &str, status: i32) -> Output {
    // Not the last command: a shell might become it, and would not be the caller then.
    let last = if shell == Shell::Fish {
        "$status"
    } else {
        "$?"
    };
    let script = format!(
        "{before}\n{} doctor\nexit {last}\n",
        binary(place).display()
    );
    shell.script(place, &script).fails(status)
}

fn binary(place: &Place) -> PathBuf {
    place.path("bin/ctr")
}

/// The line of a check, and the one below it when it failed.
#[track_caller]
fn check(output: &Output, name: &str) -> (bool, String) {
    check_in(output.text(), name)
}

#[track_caller]
fn check_in(output: &str, name: &str) -> (bool, String) {
    let lines: Vec<&str> = output.lines().collect();
    let at = lines.iter().position(|line| {
        line.get(4..)
            .is_some_and(|rest| rest.trim_start().starts_with(name))
    });
    let at = at.unwrap_or_else(|| panic!("no check of {name}: {output}"));
    match lines[at].starts_with("ok") {
        true => (true, lines[at].to_owned()),
        false => (false, format!("{}\n{}", lines[at], lines[at + 1])),
    }
}

#[test]
fn without_its_line_the_integration_fails_and_the_line_and_its_file_are_named() {
    for shell in Shell::ALL {
        let place = Place::new();
        let (line, file) = line_and_file(shell, &place);
        let output = doctor(shell, &place, "", 1);
        let (ok, said) = check(&output, "shell integration");
        assert!(!ok, "{shell:?}: {output}");
        assert!(said.contains(file.to_str().unwrap()), "{shell:?}: {said}");
        assert!(said.ends_with(&format!(": {line}")), "{shell:?}: {said}");
        output.says(&["1 check failed"]);

        // A comment, and the line of another shell, load nothing.
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        let other = if shell == Shell::Bash { "zsh" } else { "bash" };
        fs::write(&file, format!("# {line}\neval \"$(ctr init {other})\"\n")).unwrap();
        let (ok, said) = check(&doctor(shell, &place, "", 1), "shell integration");
        assert!(!ok, "{shell:?}: {said}");
    }
}

#[test]
fn with_the_line_that_it_names_all_is_well() {
    for shell in Shell::ALL {
        let place = Place::new();
        let (_, file) = line_and_file(shell, &place);
        let (_, said) = check(&doctor(shell, &place, "", 1), "shell integration");
        let line = said.rsplit_once("to it: ").unwrap().1;
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(&file, format!("set -o vi\n{line}\n")).unwrap();
        let output = doctor(shell, &place, "", 0);
        let (_, said) = check(&output, "shell integration");
        assert!(said.contains(file.to_str().unwrap()), "{shell:?}: {said}");
        let (_, said) = check(&output, "ctr on the PATH");
        assert!(said.contains(binary(&place).to_str().unwrap()), "{said}");
        let (_, said) = check(&output, "active instance");
        assert!(said.ends_with("none"), "{said}");
        output.quiet();
    }
}

#[test]
fn from_an_interactive_shell_that_loads_the_integration_all_is_well() {
    for shell in Shell::ALL {
        let place = Place::new();
        place.start("bio", &[]);
        let (line, file) = line_and_file(shell, &place);
        if shell == Shell::Bash {
            fs::write(file, format!("{line}\n")).unwrap();
        }
        let mut session = shell.interactive(&place, &line);
        let said = session.eval("ctr doctor");
        let (ok, integration) = check_in(&said, "shell integration");
        assert!(ok && integration.contains(shell.name()), "{integration}");
        assert!(!said.contains("FAIL"), "{shell:?}: {said}");
        assert_eq!(session.eval("ctr use bio"), "");
        let (ok, active) = check_in(&session.eval("ctr doctor"), "active instance");
        assert!(ok && active.ends_with("`bio`"), "{shell:?}: {active}");
    }
}

#[test]
fn the_other_files_that_a_shell_reads_count_as_well() {
    for (shell, below) in here([
        (Shell::Bash, "home/.bash_profile"),
        (Shell::Bash, "home/.profile"),
        (Shell::Zsh, "dots/.zshrc"),
        (Shell::Fish, "config/fish/conf.d/ctr.fish"),
    ]) {
        let mut place = Place::new();
        place.set("ZDOTDIR", place.path("dots"));
        let file = place.write(below, line_and_file(shell, &place).0);
        let output = doctor(shell, &place, "", 0);
        let (_, said) = check(&output, "shell integration");
        assert!(said.contains(file.to_str().unwrap()), "{below}: {said}");
    }
}

#[test]
fn an_rc_file_that_is_a_pipe_is_not_waited_for() {
    let place = Place::new();
    let pipe = place.path("home/.bashrc");
    place.program("mkfifo").arg(&pipe).ok();
    let output = doctor(Shell::Bash, &place, "", 1);
    let (ok, said) = check(&output, "shell integration");
    assert!(!ok && said.contains(pipe.to_str().unwrap()), "{said}");
}

/// Puts another program called `ctr` first on the `PATH`.
fn another_first(place: &mut Place) -> PathBuf {
    // As containerd's is called; it leaves a trace when it is run.
    let ran = place.path("ran");
    let script = format!("#!/bin/sh\ntouch {}\n", ran.display());
    let another = place.write_program("containerd/ctr", script);
    let folders = [
        another.parent().unwrap(),
        Path::new("/usr/bin"),
        Path::new("/bin"),
    ];
    place.set("PATH", std::env::join_paths(folders).unwrap());
    another
}

#[test]
fn another_ctr_that_comes_first_on_the_path_is_named_and_not_run() {
    for shell in Shell::ALL {
        let mut place = Place::new();
        let (line, file) = line_and_file(shell, &place);
        let another = another_first(&mut place);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(&file, &line).unwrap();
        let output = doctor(shell, &place, "", 1);
        let (ok, said) = check(&output, "ctr on the PATH");
        assert!(!ok && said.contains(another.to_str().unwrap()), "{said}");
        assert!(said.contains("--cmd"), "{said}");
        assert!(!place.path("ran").exists());

        // The line that it says to put there settles it.
        let (_, fix) = said.split_once("in the rc file: ").unwrap();
        let line = fix.split("; `--cmd").next().unwrap();
        fs::write(&file, format!("{line}\n")).unwrap();
        let output = doctor(shell, &place, "", 0);
        let (_, said) = check(&output, "ctr on the PATH");
        assert!(said.contains(another.to_str().unwrap()), "{said}");
        let rc = shell
            .script(&place, &format!("{line}\nctr list --names"))
            .ok();
        rc.quiet();
        assert!(!place.path("ran").exists());
    }
}

#[test]
fn a_missing_line_names_the_whole_path_where_another_ctr_comes_first() {
    let mut place = Place::new();
    another_first(&mut place);
    let output = doctor(Shell::Bash, &place, "", 1);
    let (ok, said) = check(&output, "shell integration");
    // The program's own path, links resolved.
    let own = fs::canonicalize(binary(&place)).unwrap();
    let own = own.display();
    let line = format!("if command -v {own} >/dev/null; then eval \"$({own} init bash)\"; fi");
    assert!(!ok && said.ends_with(&line), "{said}");
}

#[test]
fn an_activation_that_does_not_hold_here_is_named() {
    for shell in Shell::ALL {
        let place = Place::new();
        place.start("bio", &[]);
        let active = shell.eval("ctr env bio");
        let output = doctor(shell, &place, &active, 1);
        assert!(check(&output, "active instance").0, "{output}");

        let elsewhere = format!("{active}\n{}", shell.export("CTR_PLACE", "other-boot:1"));
        let (ok, said) = check(&doctor(shell, &place, &elsewhere, 1), "active instance");
        assert!(!ok && said.contains("`bio`"), "{shell:?}: {said}");
        assert!(said.contains("another host"), "{shell:?}: {said}");
        let leave = shell.eval("ctr env --unset");
        assert!(said.ends_with(&leave), "{shell:?}: {said}");
        let left = format!("{elsewhere}\n{leave}");
        let (ok, said) = check(&doctor(shell, &place, &left, 1), "active instance");
        assert!(ok, "{shell:?}: {said}");

        let half = format!("{active}\n{}", shell.unset("CTR_INSTANCE"));
        let (ok, said) = check(&doctor(shell, &place, &half, 1), "active instance");
        assert!(!ok && said.contains("CTR_INSTANCE"), "{shell:?}: {said}");
    }
}

#[test]
fn shims_that_are_gone_from_the_path_are_told() {
    for shell in Shell::ALL {
        let place = Place::new();
        place.start("bio", &[]);
        let anew = match shell {
            Shell::Fish => "set -gx PATH /usr/bin /bin".to_owned(),
            _ => shell.export("PATH", "/usr/bin:/bin"),
        };
        let before = format!("{}\n{anew}", shell.eval("ctr env bio"));
        let (ok, said) = check(&doctor(shell, &place, &before, 1), "active instance");
        assert!(!ok && said.contains("run/ctr/shims/bio"), "{said}");
        assert!(said.ends_with(&shell.eval("ctr env bio")), "{said}");
    }
}
