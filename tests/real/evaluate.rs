//! What `ctr env` and `ctr init` print, as code: in strict scripts, on failure, and for whom.

use crate::support::{Place, Script, Shell, get, here, noted};

#[test]
fn a_strict_script_goes_through_without_a_word() {
    let place = Place::new();
    place.start("bio", &["-e", "K=v"]);
    for (shell, strict) in here([
        (Shell::Bash, "set -euo pipefail"),
        (Shell::Zsh, "setopt err_exit no_unset pipe_fail"),
    ]) {
        let name = shell.name();
        let script = format!(
            "{strict}
            eval \"$(ctr init {name})\"
            eval \"$(ctr init {name})\"
            eval \"$(ctr env bio)\"
            echo \"$CTR_INSTANCE $K\"
            eval \"$(ctr env --unset)\"
            echo \"${{CTR_INSTANCE-none}} ${{K-none}}\""
        );
        let output = shell.script(&place, &script).ok();
        assert_eq!(output.text(), "bio v\nnone none\n", "{shell:?}");
        output.quiet();
    }
}

#[test]
fn a_strict_script_ends_where_the_evaluation_fails() {
    let place = Place::new();
    for (shell, strict) in here([
        (Shell::Bash, "set -euo pipefail"),
        (Shell::Zsh, "setopt err_exit no_unset pipe_fail"),
    ]) {
        for (command, named) in [
            ("ctr env nosuch", "nosuch"),
            ("ctr env --wrong", "--wrong"),
            ("ctr env a/b", "a/b"),
        ] {
            let script = format!("{strict}\neval \"$({command})\"\necho went on");
            let output = shell.script(&place, &script).run();
            assert_ne!(output.status, 0, "{shell:?}: {output}");
            assert_eq!(output.text(), "", "{shell:?}");
            output.says(&[named]);
        }
    }
}

#[test]
fn a_failing_evaluation_is_false_and_says_why_on_stderr() {
    let place = Place::new();
    for shell in Shell::ALL {
        let eval = shell.eval("ctr env nosuch");
        let script = match shell {
            Shell::Fish => format!("if {eval}; echo yes; else; echo no; end"),
            _ => format!("if {eval}; then echo yes; else echo no; fi"),
        };
        let output = shell.script(&place, &script).ok();
        assert_eq!(output.text(), "no\n", "{shell:?}");
        output.says(&["nosuch"]);
    }
    // The code is for the shell, the reason is for people.
    let output = place.ctr(["env", "--shell", "bash", "nosuch"]).fails(1);
    assert!(!output.text().contains("nosuch"), "{output}");
}

#[test]
fn an_instance_that_is_dead_cannot_be_made_active() {
    let place = Place::new();
    place.start("bio", &["-e", "K=v"]);
    place.crash("bio");
    for shell in Shell::ALL {
        let eval = shell.eval("ctr env bio");
        let script = shell.script(&place, &format!("{eval}\necho \"[$CTR_INSTANCE$K]\""));
        let output = script.ok();
        assert_eq!(output.text(), "[]\n", "{shell:?}");
        output.says(&["bio", "ctr restart"]);
    }
}

#[test]
fn if_running_is_silent_when_there_is_nothing_to_make_active() {
    let place = Place::new();
    place.start("dead", &[]);
    place.crash("dead");
    place.start("bio", &["-e", "K=v"]);
    for shell in Shell::ALL {
        for (name, expected) in [("nosuch", "[]\n"), ("dead", "[]\n"), ("bio", "[biov]\n")] {
            let eval = shell.eval(&format!("ctr env --if-running {name}"));
            let script = match shell {
                Shell::Fish => format!("{eval}; or echo failed\necho \"[$CTR_INSTANCE$K]\""),
                _ => format!("{eval} || echo failed\necho \"[$CTR_INSTANCE$K]\""),
            };
            let output = shell.script(&place, &script).ok();
            assert_eq!(output.text(), expected, "{shell:?}");
            output.quiet();
        }
    }
}

#[test]
fn leaving_when_nothing_is_active_changes_nothing() {
    let place = Place::new();
    for shell in Shell::ALL {
        let script = format!(
            "command env > before\n{}\ncommand env > after",
            shell.eval("ctr env --unset")
        );
        shell.script(&place, &script).ok();
        let read = |name: &str| {
            let text = std::fs::read_to_string(place.work().join(name)).unwrap();
            let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
            lines.retain(|line| !line.starts_with("_="));
            lines.sort();
            lines
        };
        assert_eq!(read("after"), read("before"), "{shell:?}");
    }
}

#[test]
fn code_for_another_shell_can_be_asked_for() {
    let place = Place::new();
    place.start("bio", &["-e", "K=it's"]);
    for shell in Shell::ALL {
        let code = place.ctr(["env", "--shell", shell.name(), "bio"]).ok();
        let run = shell.script(
            &place,
            &format!("{}\necho \"$CTR_INSTANCE $K\"", code.text()),
        );
        assert_eq!(run.ok().text(), "bio it's\n", "{shell:?}");
    }
    place
        .ctr(["env", "--shell", "nosuch", "bio"])
        .fails(2)
        .says(&["nosuch"]);
}

#[test]
fn json_says_what_the_code_would_do() {
    let place = Place::new();
    place.start("bio", &["-e", "K=v $(id)"]);
    let json = place.ctr(["env", "--json", "bio"]).ok().json();
    assert_eq!(json["instance"], "bio");
    assert_eq!(json["set"]["K"], "v $(id)");
    assert_eq!(json["set"]["CTR_INSTANCE"], "bio");
    assert!(json["unset"].is_array(), "{json}");
    let shims = json["path_prepend"].as_array().unwrap();
    assert_eq!(shims.len(), 1, "{json}");
    let Some(fields) = json.as_object() else {
        panic!("{json}")
    };
    assert_eq!(fields.len(), 4, "{json}");
}

#[test]
fn the_code_can_be_taken_without_quotes_and_no_blank_is_lost() {
    let place = Place::new();
    let value = " two  blanks \t\ttabs\n\nlines 'q' ";
    place.start("bio", &["-e", &format!("K={value}"), "-e", "OLD=of bio"]);
    for (shell, first) in here([
        (Shell::Bash, ""),
        (Shell::Bash, "set -o posix"),
        (Shell::Zsh, ""),
        (Shell::Zsh, "emulate sh"),
        (Shell::Zsh, "emulate ksh"),
        (Shell::Sh, ""),
    ]) {
        let script = Script::new(&place, shell)
            .line(first)
            .export("OLD", value_of_old())
            .line("MINE=\"a  b\"")
            .note("before")
            .line("eval $(ctr env bio)")
            .note("active")
            .line("eval $(ctr env --unset)")
            .note("after");
        script.ok();
        let what = format!("{shell:?} {first}");
        assert_eq!(get(&noted(&place, "active"), "K"), Some(value), "{what}");
        assert_eq!(noted(&place, "after"), noted(&place, "before"), "{what}");
    }
}

#[test]
fn the_integration_can_be_taken_without_quotes() {
    let place = Place::new();
    place.start("bio", &["-e", "K=v"]);
    for (shell, line) in here([
        (Shell::Bash, "eval $(ctr init bash --cmd box --no-prompt)"),
        (Shell::Zsh, "eval $(ctr init zsh --cmd box --no-prompt)"),
        (Shell::Zsh, "emulate sh; eval $(ctr init zsh --cmd box)"),
        (Shell::Sh, "eval $(ctr init sh --cmd box)"),
        (
            Shell::Fish,
            "eval (ctr init fish --cmd box --no-completion)",
        ),
    ]) {
        let script = format!("{line}\nbox use bio\necho \"$K\"\nbox leave");
        let output = shell.script(&place, &script).ok();
        assert_eq!(
            (output.text(), &*output.stderr),
            ("v\n", ""),
            "{line}: {output}"
        );
    }
}

fn value_of_old() -> &'static str {
    "  old\n\tvalue  "
}

#[test]
fn zsh_takes_the_code_while_it_emulates_another_shell() {
    let place = Place::new();
    place.start("bio", &["-e", "K=a  b", "-e", "LIST=of bio"]);
    for emulated in ["sh", "ksh"] {
        let script = Script::new(&place, Shell::Zsh)
            .line("typeset -a LIST; LIST=(1 'b c')")
            .line(&format!("emulate {emulated}"))
            .note("before")
            .eval("ctr env bio")
            .note("active")
            .eval("ctr env --unset")
            .note("after")
            .line("typeset -p LIST")
            .eval("ctr init zsh")
            .line("ctr use bio")
            .note("used")
            .line("ctr leave")
            .note("left");
        let output = script.output();
        output.quiet();
        assert!(
            output.text().contains("LIST=( 1 'b c' )"),
            "{emulated}: {output}"
        );
        for name in ["active", "used"] {
            assert_eq!(get(&noted(&place, name), "K"), Some("a  b"), "{emulated}");
        }
        for name in ["after", "left"] {
            assert_eq!(noted(&place, name), noted(&place, "before"), "{emulated}");
        }
    }
}

#[test]
fn the_aliases_of_the_user_do_not_bite() {
    let place = Place::new();
    place.start("bio", &["-e", "K=v"]);
    let words = [
        "export", "unset", "eval", "cat", "printf", "echo", "test", "return", "local", "command",
    ];
    let aliases: String = words
        .map(|word| format!("alias {word}='hijacked'\n"))
        .concat();
    // `\\eval` here, since these are the user's own lines.
    let script = format!(
        "shopt -s expand_aliases 2> /dev/null
        {aliases}
        \\eval \"$(ctr init $0)\"
        \\eval \"$(ctr env bio)\"
        \\echo $CTR_INSTANCE $K
        \\eval \"$(ctr env --unset)\"
        \\echo \"[$K]\""
    );
    for shell in here([Shell::Bash, Shell::Zsh]) {
        let script = script.replace("$0", shell.name());
        let output = shell.script(&place, &script).ok();
        assert_eq!(output.text(), "bio v\n[]\n", "{shell:?}");
        output.quiet();
    }
}

#[test]
fn the_function_calls_ctr_by_its_whole_path() {
    let place = Place::new();
    let version = place.ctr(["--version"]).ok().text().to_owned();
    for shell in Shell::ALL {
        let init = shell.eval(&format!("ctr init {}", shell.name()));
        let path = shell.export("PATH", "/nowhere");
        let output = shell
            .script(&place, &format!("{init}\n{path}\nctr --version"))
            .ok();
        assert_eq!(output.text(), version, "{shell:?}");
        output.quiet();
    }
}

#[test]
fn the_function_can_have_another_name() {
    let place = Place::new();
    let version = place.ctr(["--version"]).ok().text().to_owned();
    for shell in Shell::ALL {
        let init = shell.eval(&format!("ctr init {} --cmd box", shell.name()));
        let script = format!("{init}\nbox --version\ntype ctr");
        let output = shell.script(&place, &script).ok();
        let (first, rest) = output.text().split_once('\n').unwrap();
        assert_eq!(format!("{first}\n"), version, "{shell:?}");
        // The name `ctr` is left to whoever has it: here the program on PATH.
        assert!(!rest.contains("function"), "{shell:?}: {output}");
    }
}

#[test]
fn the_function_keeps_the_status_and_the_streams() {
    let place = Place::new();
    place.start("bio", &[]);
    for shell in Shell::ALL {
        let init = shell.eval(&format!("ctr init {}", shell.name()));
        let call = "echo in | ctr exec bio sh -c 'cat; echo err >&2; exit 7'";
        let status = if shell == Shell::Fish {
            "$status"
        } else {
            "$?"
        };
        let output = shell
            .script(&place, &format!("{init}\n{call}\nexit {status}"))
            .fails(7);
        assert_eq!(
            (output.text(), &*output.stderr),
            ("in\n", "err\n"),
            "{shell:?}"
        );
    }
}

#[test]
fn init_for_a_shell_that_it_does_not_know_is_wrong_usage() {
    let place = Place::new();
    place
        .ctr(["init", "nosuch"])
        .fails(2)
        .says(&["nosuch", "bash", "zsh", "fish"]);
    place.ctr(["init"]).fails(2);
}

#[test]
fn the_options_of_the_user_do_not_matter() {
    for (shell, options) in here([
        (
            Shell::Bash,
            "set -euo pipefail; set -o noclobber; shopt -s nullglob failglob extglob; IFS=:/",
        ),
        (
            Shell::Zsh,
            "setopt err_exit no_unset pipe_fail no_clobber null_glob ksh_arrays posix_identifiers \
             sh_word_split glob_subst ksh_glob posix_builtins; IFS=:/",
        ),
    ]) {
        // Each its own: the second could not write over what the first has noted.
        let place = Place::new();
        place.start("bio", &["-e", "K=a  b*"]);
        let script = Script::new(&place, shell).line("touch a1 a2").line(options);
        let init = format!("ctr init {}", shell.name());
        let script = script
            .eval(&init)
            .note("before")
            .eval("ctr env bio")
            .note("active");
        let script = script.eval("ctr env --unset").note("after");
        script
            .line("ctr use bio")
            .line("ctr leave")
            .note("again")
            .ok();
        let active = noted(&place, "active");
        assert_eq!(get(&active, "K"), Some("a  b*"), "{shell:?}");
        let before = noted(&place, "before");
        assert_eq!(noted(&place, "after"), before, "{shell:?}");
        assert_eq!(noted(&place, "again"), before, "{shell:?}");
    }
}

#[test]
fn a_subshell_changes_only_itself() {
    let place = Place::new();
    place.start("bio", &["-e", "K=v"]);
    for shell in here([Shell::Bash, Shell::Zsh]) {
        let init = shell.eval(&format!("ctr init {}", shell.name()));
        let script = format!(
            "{init}\n(ctr use bio; echo $CTR_INSTANCE$K)\necho \"[${{CTR_INSTANCE-}}${{K-}}]\"
            ctr use bio\n(ctr leave; echo \"[${{CTR_INSTANCE-}}${{K-}}]\")\necho $CTR_INSTANCE$K"
        );
        let output = shell.script(&place, &script).ok();
        assert_eq!(output.text(), "biov\n[]\n[]\nbiov\n", "{shell:?}");
        output.quiet();
    }
}
