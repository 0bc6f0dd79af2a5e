//! TAB, pressed in real shells.

use std::fs;

use crate::support::{Place, Session, Shell, here};

/// What makes an interactive shell ready: zsh has no completion of its own before `compinit`.
fn prepared(shell: Shell, more: &str) -> String {
    match shell {
        Shell::Zsh => format!("autoload -Uz compinit; compinit -u -D\n{more}"),
        _ => more.to_owned(),
    }
}

pub fn init(shell: Shell, options: &str) -> String {
    let eval = shell.eval(&format!("ctr init {} {options}", shell.name()));
    prepared(shell, &eval)
}

/// Types the start of a line and TAB, and demands that it becomes `expected`.
#[track_caller]
pub fn tab(session: &mut Session, typed: &str, expected: &str) {
    session.prompt();
    session.send(typed);
    session.send("\t");
    let line = format!("READY> {expected}");
    session.until(&format!("{typed:?} becomes {expected:?}"), |terminal| {
        (terminal.cursor_line().trim_end() == line).then_some(())
    });
    session.ctrl('u');
}

/// Types the start of a line and TAB, and demands that nothing happens at all.
#[track_caller]
fn tab_does_nothing(session: &mut Session, typed: &str) {
    session.prompt();
    session.ctrl('l');
    session.prompt();
    session.send(typed);
    session.send("\tX");
    let line = format!("READY> {typed}X");
    session.until(&format!("{typed:?} stays"), |terminal| {
        (terminal.screen().trim_end() == line).then_some(())
    });
    session.ctrl('u');
}

/// A place with two instances, overlays, notes and files.
fn furnished() -> Place {
    let place = Place::new();
    place.overlay(
        "demo/1.0",
        &[("bin/wonderful", "#!/bin/sh\n"), ("bin/wondertext", "x")],
    );
    place.overlay("samtools/1.22", &[]);
    place.overlay("ubuntu24/igv", &[]);
    place.write("work/my overlay.img", "");
    place.write("work/a file.txt", "");
    place.start(
        "bio",
        &[
            "-o",
            "demo/1.0",
            "-e",
            "GENOME=/x",
            "--note",
            "GENOME=which",
        ],
    );
    place.start("two", &[]);
    place
}

#[test]
fn every_kind_of_word_is_completed() {
    let place = furnished();
    for shell in Shell::ALL {
        let mut session = shell.interactive(&place, &init(shell, ""));
        for (typed, expected) in [
            ("ctr sto", "ctr stop"),
            ("ctr stop --untr", "ctr stop --untracked"),
            ("ctr init zs", "ctr init zsh"),
            ("ctr enter bi", "ctr enter bio"),
            ("ctr stop bio tw", "ctr stop bio two"),
            ("true; ctr enter bi", "true; ctr enter bio"),
            ("true | ctr enter bi", "true | ctr enter bio"),
            ("A=1 ctr exec bio wond", "A=1 ctr exec bio wonderful"),
            ("ctr start -o ig", "ctr start -o igv"),
            ("ctr start -b hosto", "ctr start -b hostos"),
            ("ctr start -o samt", "ctr start -o samtools/1.22"),
            ("ctr start -o samtools=1", "ctr start -o samtools=1.22"),
            ("ctr start -o samtools@", "ctr start -o samtools@1.22"),
            ("ctr start -o demo=1.0:", "ctr start -o demo=1.0:ro"),
            (
                "ctr start --overlay=samtools=",
                "ctr start --overlay=samtools=1.22",
            ),
            ("ctr start -o my", "ctr start -o my\\ overlay.img"),
            ("ctr start -o my\\ ov", "ctr start -o my\\ overlay.img"),
            ("ctr note bio GEN", "ctr note bio GENOME"),
            ("ctr stop -s SIGTE", "ctr stop -s SIGTERM"),
            ("ctr exec b", "ctr exec bio"),
            ("ctr exec bio wond", "ctr exec bio wonderful"),
            ("ctr exec bio -- wond", "ctr exec bio -- wonderful"),
            (
                "ctr exec -e A=b:c bio -- wond",
                "ctr exec -e A=b:c bio -- wonderful",
            ),
            (
                "ctr exec bio /cnt/demo/1.0/bin/wo",
                "ctr exec bio /cnt/demo/1.0/bin/wonderful",
            ),
            (
                "ctr exec bio -- wonderful a",
                "ctr exec bio -- wonderful a\\ file.txt",
            ),
        ] {
            tab(&mut session, typed, expected);
        }
    }
}

#[test]
fn candidates_are_listed_with_what_they_are() {
    let place = furnished();
    for shell in Shell::ALL {
        let mut session = shell.interactive(&place, &init(shell, ""));
        session.send("ctr enter \t\t");
        let words: &[&str] = match shell {
            Shell::Bash => &["bio", "two"],
            _ => &["bio", "running, busybox.sif", "two"],
        };
        for word in words {
            session.wait_for(word);
        }
        assert!(
            !session.screen().contains("--shell"),
            "{}",
            session.screen()
        );
    }
}

#[test]
fn the_active_instance_is_meant_by_a_dot() {
    let place = furnished();
    for shell in Shell::ALL {
        let rc = format!(
            "{}\n{}",
            init(shell, ""),
            shell.eval("ctr env --shell SHELL bio")
        );
        let rc = rc.replace("SHELL", shell.name());
        let session = shell.interactive(&place, &rc);
        let mut session = session;
        session.send("ctr exec . wond\t");
        session.wait_for("READY> ctr exec . wonderful");
    }
}

#[test]
fn the_commands_own_completion_goes_on_after_it() {
    let place = furnished();
    let loaded = "source /usr/share/bash-completion/bash_completion\n";
    for (shell, theirs) in here([
        (
            Shell::Bash,
            format!("{loaded}complete -W 'alpha beta' wonderful"),
        ),
        (
            Shell::Zsh,
            "_wonderful() { compadd alpha beta }; compdef _wonderful wonderful".into(),
        ),
        (
            Shell::Fish,
            "complete -c wonderful -f -a 'alpha beta'".into(),
        ),
    ]) {
        let rc = format!("{}\n{theirs}", init(shell, ""));
        let mut session = shell.interactive(&place, &rc);
        for typed in [
            "ctr exec bio -- wonderful al",
            "ctr exec bio wonderful al",
            "ctr exec -e 'A=b c:d' --cwd=/ bio -- wonderful beta al",
        ] {
            tab(&mut session, typed, &format!("{typed}pha"));
        }
    }
}

#[test]
fn the_program_of_the_instance_is_completed_where_the_host_has_none() {
    let place = Place::new();
    let image = place.sandbox(
        "own",
        &[
            ("/opt/own/bin/ownprogram", "#!/bin/sh\n"),
            (
                "/.singularity.d/env/90-environment.sh",
                "#!\nexport PATH=\"/opt/own/bin:${PATH}\"\n",
            ),
        ],
    );
    place.start("bio", &["-b", image.to_str().unwrap()]);
    for shell in Shell::ALL {
        let mut session = shell.interactive(&place, &init(shell, ""));
        tab(&mut session, "ctr exec bio ownp", "ctr exec bio ownprogram");
        tab_does_nothing(&mut session, "ctr exec nosuch ownp");
    }
}

#[test]
fn files_with_the_homes_sign_are_left_to_the_shell() {
    let place = Place::new();
    place.write("home/mine.img", "");
    for shell in Shell::ALL {
        let mut session = shell.interactive(&place, &init(shell, ""));
        tab(&mut session, "ctr start -o ~/mi", "ctr start -o ~/mine.img");
    }
}

#[test]
fn what_is_broken_is_passed_over_without_a_word() {
    let mut place = furnished();
    for (name, text) in [("bad", "{"), ("worse", "[]"), ("newer", "{\"format\": 99}")] {
        fs::write(place.state_file(name), text).unwrap();
    }
    place.write("config/ctr/config.toml", "nosuch = 1\n");
    place.set("CTR_APPTAINER", "/nosuch/apptainer");
    for shell in Shell::ALL {
        let mut session = shell.interactive(&place, &init(shell, ""));
        tab(&mut session, "ctr enter bi", "ctr enter bio");
        tab(&mut session, "ctr exec bio wond", "ctr exec bio wonderful");
        tab_does_nothing(&mut session, "ctr enter qqq");
        tab_does_nothing(&mut session, "ctr nosuch qqq");
        tab_does_nothing(&mut session, "ctr stop -t ");
    }
}

#[test]
fn quotes_that_are_open_stay_so() {
    let place = furnished();
    for (typed, expected) in [
        ("ctr start -o \"my ov", "ctr start -o \"my overlay.img\""),
        ("ctr start -o 'samtools=1", "ctr start -o 'samtools=1.22'"),
    ] {
        for shell in Shell::ALL {
            let mut session = shell.interactive(&place, &init(shell, ""));
            tab(&mut session, typed, expected);
        }
    }
}

#[test]
fn the_users_own_ways_do_not_matter() {
    let place = furnished();
    let strange = [
        (
            Shell::Bash,
            "set -u; shopt -s nullglob failglob nocaseglob; IFS=:; set -f",
        ),
        (
            Shell::Bash,
            "alias local=false command=false builtin=false read=false",
        ),
        (Shell::Bash, "COMP_WORDBREAKS=$' \\t\\n'"),
        (Shell::Bash, "set -o posix"),
        (
            Shell::Zsh,
            "setopt no_unset sh_word_split ksh_arrays null_glob glob_subst; IFS=:",
        ),
        (
            Shell::Zsh,
            "alias local=false command=false builtin=false; alias -g words=x",
        ),
        (Shell::Fish, "function math; end"),
    ];
    for (shell, ways) in here(strange) {
        for rc in [
            format!("{ways}\n{}", init(shell, "")),
            format!("{}\n{ways}", init(shell, "")),
        ] {
            let mut session = shell.interactive(&place, &rc);
            for (typed, expected) in [
                ("ctr enter bi", "ctr enter bio"),
                ("ctr start -o samtools=1", "ctr start -o samtools=1.22"),
                ("ctr start -o my", "ctr start -o my\\ overlay.img"),
                ("ctr exec bio wond", "ctr exec bio wonderful"),
            ] {
                tab(&mut session, typed, expected);
            }
        }
    }
}

#[test]
fn another_name_is_completed_too_and_none_when_it_is_not_wanted() {
    let place = furnished();
    for shell in Shell::ALL {
        let mut session = shell.interactive(&place, &init(shell, "--cmd box"));
        tab(&mut session, "box enter bi", "box enter bio");
        let mut session = shell.interactive(&place, &init(shell, "--no-completion"));
        tab_does_nothing(&mut session, "ctr enter bi");
    }
}

#[test]
fn compinit_may_come_after_the_integration() {
    let place = furnished();
    let rc = format!(
        "{}\n{}",
        Shell::Zsh.eval("ctr init zsh"),
        prepared(Shell::Zsh, "")
    );
    let mut session = Shell::Zsh.interactive(&place, &rc);
    tab(&mut session, "ctr enter bi", "ctr enter bio");
    assert_eq!(
        session.eval("print -r -- $precmd_functions"),
        "__ctr_hook\n"
    );
}

#[test]
fn the_packaged_file_is_as_good() {
    let place = furnished();
    for shell in Shell::ALL {
        let text = place.ctr(["completions", shell.name()]).ok();
        let rc = match shell {
            Shell::Bash => {
                let file = place.write("share/ctr", text.text());
                format!("source {}", file.display())
            }
            Shell::Zsh => {
                let file = place.write("share/zsh/_ctr", text.text());
                let folder = file.parent().unwrap().display();
                prepared(shell, "").replacen("autoload", &format!("fpath+={folder}; autoload"), 1)
            }
            Shell::Fish => {
                place.write("config/fish/completions/ctr.fish", text.text());
                String::new()
            }
            other => panic!("{other:?} is not in Shell::ALL"),
        };
        let mut session = shell.interactive(&place, &rc);
        // Twice: zsh loads it at the first.
        for _ in 0..2 {
            tab(&mut session, "ctr enter bi", "ctr enter bio");
            tab(&mut session, "ctr exec bio wond", "ctr exec bio wonderful");
        }
    }
}

#[test]
fn tab_only_reads() {
    let place = furnished();
    for line in [
        "ctr ",
        "ctr enter ",
        "ctr start -o ",
        "ctr start -b ",
        "ctr note bio ",
        "ctr exec bio ",
        "ctr exec nosuch ",
        "ctr exec bio sort ",
    ] {
        let trace = place.path("trace");
        let run = place
            .program("strace")
            .args(["-f", "-qq", "-e"])
            .arg("trace=%process,%network,openat");
        let run = run
            .arg("-o")
            .arg(&trace)
            .arg(place.path("bin/ctr"))
            .args(["--", line, ""]);
        let output = run.env("CTR_COMPLETE", "bash").ok();
        assert!(output.text().starts_with("ctr:"), "{output}");
        output.quiet();
        let trace = fs::read_to_string(&trace).unwrap();
        let began = |call: &str| trace.matches(&format!(" {call}(")).count();
        let new: usize = ["fork", "vfork", "clone", "clone3"].map(began).iter().sum();
        let network = ["socket", "connect"].map(began);
        // Its own program alone, and one more process of that, which can be given up.
        assert_eq!(
            (began("execve"), new, network),
            (1, 1, [0; 2]),
            "{line}:\n{trace}"
        );
        for flag in ["O_WRONLY", "O_RDWR", "O_CREAT"] {
            assert!(!trace.contains(flag), "{line}: {flag}\n{trace}");
        }
    }
}
