//! Environments, state files and sidecars of others: no shell runs what they say, and none takes them
//! for something that it remembered itself.

use crate::support::{Place, Script, Shell, get, here, noted};

/// Every shell that evaluates code.
fn shells() -> impl Iterator<Item = Shell> {
    Shell::ALL.into_iter().chain(Shell::OTHERS)
}

/// Names that are code in one shell or another.
const NAMES: [&str; 7] = [
    "A;touch PWNED;#",
    "A\ntouch PWNED\n",
    "A$(touch PWNED)",
    "A`touch PWNED`",
    "A(touch PWNED)",
    "a[$(touch PWNED)]",
    "A');__import__('os').system('touch PWNED');('",
];

#[track_caller]
fn assert_nothing_ran(place: &Place, what: &str) {
    for folder in ["work", "home"] {
        let file = place.path(folder).join("PWNED");
        assert!(!file.exists(), "{what}");
    }
}

#[test]
fn no_name_of_the_environment_is_run() {
    let place = Place::new();
    place.start("bio", &["-e", "K=v"]);
    for shell in shells() {
        for name in NAMES {
            for prefix in ["CTR_OLD_", "CTR_", ""] {
                let forged = format!("{prefix}{name}");
                let list = format!("{name}:cbf29ce484222325:o,K:cbf29ce484222325:o");
                let script = Script::new(&place, shell)
                    .eval("ctr env --unset")
                    .eval("ctr env bio")
                    .eval("ctr env --unset");
                let run = shell.script(&place, &script.text);
                run.env(&forged, "").env("CTR_RESTORE", list).ok();
                assert_nothing_ran(&place, &format!("{shell:?}: {forged}"));
            }
        }
    }
}

#[test]
fn no_name_of_a_state_file_is_run() {
    let place = Place::new();
    place.start("bio", &["-e", "K=v"]);
    place.edit_state("bio", |state| {
        for name in NAMES {
            let entry = format!("{name}=1");
            state["env"].as_array_mut().unwrap().push(entry.into());
            state["host_env"].as_array_mut().unwrap().push(name.into());
        }
    });
    for shell in shells() {
        let script = Script::new(&place, shell)
            .eval("ctr env bio")
            .note("active")
            .eval("ctr env --unset");
        script.output();
        assert_eq!(get(&noted(&place, "active"), "K"), Some("v"), "{shell:?}");
        assert_nothing_ran(&place, shell.name());
    }
}

/// What a shell would evaluate, were it its own memory of the variable `K`.
fn memories() -> [&'static str; 3] {
    [
        "declare -- x=$(touch PWNED)",
        "typeset x=$(touch PWNED)",
        "forged",
    ]
}

#[test]
fn what_the_environment_says_of_a_memory_is_none() {
    let place = Place::new();
    place.start("bio", &["-e", "K=of bio"]);
    for shell in shells() {
        for memory in memories() {
            let script = Script::new(&place, shell)
                .eval("ctr env bio")
                .note("active")
                .eval("ctr env --unset")
                .note("after");
            let run = shell.script(&place, &script.text);
            run.env("__ctr_was_K", memory).ok();
            let what = format!("{shell:?}: {memory}");
            assert_eq!(get(&noted(&place, "active"), "K"), Some("of bio"), "{what}");
            assert_eq!(get(&noted(&place, "after"), "K"), None, "{what}");
            assert_nothing_ran(&place, &what);
        }
    }
}

#[test]
fn a_child_that_leaves_remembers_nothing_that_it_was_told() {
    let place = Place::new();
    place.start("bio", &["-e", "K=of bio"]);
    for shell in shells() {
        for memory in memories() {
            let child = Script::new(&place, shell)
                .note("active")
                .eval("ctr env --unset")
                .note("after");
            let child = place.write("child", &child.text);
            let forge = format!(
                "#!/bin/sh\nexec env '__ctr_was_K={memory}' {} {}\n",
                shell.name(),
                child.display()
            );
            let forge = place.write_program("bin/forge", forge);
            Script::new(&place, shell)
                .eval("ctr env bio")
                .line(&forge.display().to_string())
                .ok();
            let what = format!("{shell:?}: {memory}");
            assert_eq!(get(&noted(&place, "active"), "K"), Some("of bio"), "{what}");
            assert_eq!(get(&noted(&place, "after"), "K"), None, "{what}");
            assert_nothing_ran(&place, &what);
        }
    }
}

#[test]
fn no_variable_of_a_sidecar_becomes_a_memory() {
    let place = Place::new();
    let overlay = place.overlay("demo/1.0", &[]);
    let lines = "__ctr_was_K=declare -- x=$(touch PWNED)\n__ctr_was_L=typeset x=$(touch PWNED)\n\
                 __ctr_held=/x\n#HOST:__ctr_was_K\n#HOST:__ctr_was_L\n#HOST:__ctr_held\n";
    place.sidecar(&overlay, lines);
    place.start(
        "bio",
        &["-o", "demo/1.0", "-e", "K=of bio", "-e", "L=of bio"],
    );
    for shell in shells() {
        let script = Script::new(&place, shell)
            .eval("ctr env bio")
            .note("active")
            .eval("ctr env --unset")
            .note("after");
        script.output();
        let (active, after) = (noted(&place, "active"), noted(&place, "after"));
        assert_eq!(get(&active, "K"), Some("of bio"), "{shell:?}");
        for (environment, key) in [(&active, "__ctr_was_K"), (&after, "K"), (&after, "L")] {
            assert_eq!(get(environment, key), None, "{shell:?}");
        }
        assert_nothing_ran(&place, shell.name());
    }
}

#[test]
fn what_a_shell_remembers_is_given_to_no_child() {
    let place = Place::new();
    place.start("bio", &["-e", "K=of bio"]);
    for (shell, define, all) in here([
        (Shell::Bash, "K=mine", "set -a"),
        (Shell::Zsh, "K=mine", "setopt all_export"),
        (Shell::Sh, "K=mine", "set -a"),
        (Shell::Fish, "set -g K mine", ""),
    ]) {
        let script = Script::new(&place, shell)
            .line(define)
            .line(all)
            .eval("ctr env bio")
            .note("active")
            .eval("ctr env --unset")
            .line("echo \"$K\"");
        let output = script.output();
        assert_eq!(output.text(), "mine\n", "{shell:?}");
        output.quiet();
        let is_ours = |name: &&Vec<u8>| name.starts_with(b"__ctr");
        let active = noted(&place, "active");
        assert_eq!(active.keys().find(is_ours), None, "{shell:?}");
    }
}

#[test]
fn nothing_of_an_activation_is_run_at_a_prompt() {
    let place = Place::new();
    for shell in Shell::ALL.into_iter().chain([Shell::Tcsh]) {
        let init = shell.eval(&format!("ctr init {}", shell.name()));
        for value in [
            "1 ) touch PWNED ; #:1",
            "`touch PWNED`:1",
            "$(touch PWNED):1",
            "'; touch PWNED; ':1",
            "\"; touch PWNED; \":1",
            "a[$(touch PWNED)]:a[$(touch PWNED)]",
            "1\ntouch PWNED\n:1",
        ] {
            for key in ["CTR_PROCESS", "CTR_PATH_ENTRY", "CTR_INSTANCE"] {
                let run = place
                    .program(shell.name())
                    .env("CTR_INSTANCE", "bio")
                    .env(key, value);
                let mut session = shell.session(&place, run, &init);
                session.eval("cd .");
                session.prompt();
                assert_nothing_ran(&place, &format!("{shell:?}: {key}={value}"));
            }
        }
    }
}
