//! For whom `ctr env` writes: the program that reads it, whatever it is called and whoever started it.

use crate::support::{Place, Run, Script, Shell, get, here, noted};

/// A script that is run by its first line, under a login shell that is another.
fn by_first_line(place: &Place, name: &str, first: &str, text: &str, login: &str) -> Run {
    let file = place.write_program(format!("scripts/{name}"), format!("{first}\n{text}"));
    place.program(file).env("SHELL", login)
}

#[test]
fn a_script_is_given_the_code_of_the_shell_in_its_first_line() {
    let place = Place::new();
    place.start("bio", &["-e", "K=it's  two\nlines"]);
    for (shell, first) in here([
        (Shell::Bash, "#!/bin/bash"),
        (Shell::Bash, "#!/usr/bin/env bash"),
        (Shell::Zsh, "#!/usr/bin/zsh -f"),
        (Shell::Fish, "#!/usr/bin/fish --no-config"),
        (Shell::Sh, "#!/bin/sh"),
        (Shell::Tcsh, "#!/usr/bin/tcsh -f"),
        (Shell::Elvish, "#!/usr/bin/elvish -norc"),
        (Shell::Xonsh, "#!/usr/bin/xonsh --no-rc"),
        (
            Shell::Xonsh,
            "#!/usr/bin/env -S python3 -u -B -m xonsh --no-rc",
        ),
    ]) {
        let script = Script::new(&place, shell)
            .eval("ctr env bio")
            .note("active");
        // A name that is no shell's, and those of others.
        for (name, login) in [
            ("j", "/bin/bash"),
            ("fish", "/usr/bin/zsh"),
            ("sh", "/usr/bin/fish"),
            ("ksh", "/usr/bin/tcsh"),
        ] {
            let run = by_first_line(&place, name, first, &script.text, login);
            let output = run.ok();
            let what = format!("{first} called {name} under {login}: {output}");
            assert_eq!(output.stderr, "", "{what}");
            let active = noted(&place, "active");
            assert_eq!(get(&active, "K"), Some("it's  two\nlines"), "{what}");
        }
    }
}

#[test]
fn what_stands_between_does_not_matter() {
    let place = Place::new();
    place.start("bio", &["-e", "K=v"]);
    for shell in Shell::ALL {
        for between in ["timeout 20", "env -u X timeout 20 nice"] {
            let text = Script::new(&place, shell)
                .eval(&format!("{between} ctr env bio"))
                .note("active")
                .text;
            let first = format!("#!/usr/bin/env {}", shell.name());
            by_first_line(&place, "j", &first, &text, "/usr/bin/tcsh").ok();
            assert_eq!(get(&noted(&place, "active"), "K"), Some("v"), "{shell:?}");
        }
    }
}

#[test]
fn the_line_of_the_readme_says_nothing_where_there_is_no_ctr() {
    let mut place = Place::new();
    place.set("PATH", "/usr/bin:/bin");
    let readme = include_str!("../../README.md");
    for (shell, name) in here([
        (Shell::Bash, "bash"),
        (Shell::Zsh, "zsh"),
        (Shell::Fish, "fish"),
        (Shell::Sh, "dash, ksh"),
        (Shell::Tcsh, "tcsh"),
        (Shell::Elvish, "elvish"),
        (Shell::Xonsh, "xonsh"),
    ]) {
        let row = readme
            .lines()
            .find(|line| line.starts_with(&format!("| {name} | `")))
            .unwrap_or_else(|| panic!("{name} has no row"));
        let cell = row.replace("\\|", "\u{0}");
        let cell = cell.trim_end_matches(" |").rsplit(" | ").next().unwrap();
        let line = cell.replace('\u{0}', "|");
        let line = match line.strip_prefix("``") {
            Some(line) => line.strip_suffix("``").unwrap(),
            None => line.trim_matches('`'),
        };
        assert!(
            line.contains("ctr") && line.contains("init"),
            "{name}: {line}"
        );
        let output = shell.script(&place, &format!("{line}\n")).run();
        assert_eq!(
            (output.text(), &*output.stderr),
            ("", ""),
            "{output}\n{line}"
        );
    }
}
