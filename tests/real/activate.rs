//! `ctr env` in scripts of real shells: making an instance active, and leaving without a trace.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;

use crate::support::{Place, Script, Shell, get, noted};

#[test]
fn an_active_instance_shows_in_the_environment() {
    let place = Place::new();
    let overlay = place.overlay("demo/1.0", &[("bin/demo", "#!/bin/sh\n")]);
    place.sidecar(&overlay, "GENOME=/cnt/demo/1.0/genome.fa");
    place.start("bio", &["-o", "demo/1.0", "-e", "K=of bio"]);
    for shell in Shell::ALL {
        Script::new(&place, shell)
            .note("before")
            .eval("ctr env bio")
            .note("active")
            .ok();
        let (before, active) = (noted(&place, "before"), noted(&place, "active"));
        assert_eq!(get(&active, "CTR_INSTANCE"), Some("bio"), "{shell:?}");
        assert_eq!(get(&active, "K"), Some("of bio"), "{shell:?}");
        assert_eq!(
            get(&active, "GENOME"),
            Some("/cnt/demo/1.0/genome.fa"),
            "{shell:?}"
        );
        // One folder at the head of PATH, and nothing of the container's own.
        let (old, new) = (get(&before, "PATH").unwrap(), get(&active, "PATH").unwrap());
        let head = new
            .strip_suffix(old)
            .and_then(|head| head.strip_suffix(':'));
        assert!(
            head.is_some_and(|head| head.starts_with('/') && !head.contains(':')),
            "{shell:?}: {new}"
        );
        assert_eq!(get(&active, "LANG"), get(&before, "LANG"), "{shell:?}");
    }
}

#[test]
fn after_entering_and_leaving_the_environment_is_byte_for_byte_what_it_was() {
    let mut place = Place::new();
    let values = [
        "K1=1",
        "K2=2",
        "K3=3",
        "K4=4",
        "K5=5",
        "K6=6",
        "K7PATH=7",
        "SAME=same",
    ];
    let options: Vec<&str> = values.iter().flat_map(|value| ["-e", value]).collect();
    place.start("bio", &options);
    // K1 is not set on the host.
    place.set("K2", "");
    place.set(
        "K3",
        OsString::from_vec(b"not \xff\xfe UTF-8 \xc3".to_vec()),
    );
    place.set("K4", "two\nlines\n\n'q' \"q\" `id` $(id) \\ \\\\ ! % *\t");
    place.set("K5", " spaces ");
    place.set("K6", "ä→🧬");
    place.set("K7PATH", "/a:/b c:/d");
    place.set("SAME", "same");
    for shell in Shell::ALL {
        for init in [true, false] {
            let mut script = Script::new(&place, shell);
            if init {
                script = script.eval(&format!("ctr init {}", shell.name()));
            }
            let script = script
                .note("before")
                .eval("ctr env bio")
                .note("active")
                .eval("ctr env --unset")
                .note("after");
            script.ok();
            let (before, after) = (noted(&place, "before"), noted(&place, "after"));
            assert_eq!(get(&noted(&place, "active"), "K4"), Some("4"), "{shell:?}");
            assert_eq!(after, before, "{shell:?}, init: {init}");
        }
    }
}

#[test]
fn leaving_tells_unset_from_empty() {
    let mut place = Place::new();
    place.start("bio", &["-e", "UNSET=x", "-e", "EMPTY=x"]);
    place.set("EMPTY", "");
    for shell in Shell::ALL {
        Script::new(&place, shell)
            .eval("ctr env bio")
            .eval("ctr env --unset")
            .note("after")
            .ok();
        let after = noted(&place, "after");
        assert_eq!(
            (get(&after, "UNSET"), get(&after, "EMPTY")),
            (None, Some("")),
            "{shell:?}"
        );
    }
}

#[test]
fn what_the_user_changed_meanwhile_stays() {
    let mut place = Place::new();
    place.start(
        "bio",
        &["-e", "CHANGED=x", "-e", "REMOVED=x", "-e", "LEFT=x"],
    );
    for key in ["CHANGED", "REMOVED", "LEFT"] {
        place.set(key, "before");
    }
    for shell in Shell::ALL {
        let prepend = match shell {
            Shell::Fish => "set -gx PATH /mine $PATH",
            _ => "export PATH=/mine:$PATH",
        };
        let script = Script::new(&place, shell)
            .eval("ctr env bio")
            .note("active")
            .export("CHANGED", "by the user");
        let script = script.line(&shell.unset("REMOVED")).line(prepend);
        // It may say what it kept.
        script.eval("ctr env --unset").note("after").output();
        assert_eq!(
            get(&noted(&place, "active"), "LEFT"),
            Some("x"),
            "{shell:?}"
        );
        let after = noted(&place, "after");
        let seen = ["CHANGED", "REMOVED", "LEFT"].map(|key| get(&after, key));
        assert_eq!(
            seen,
            [Some("by the user"), None, Some("before")],
            "{shell:?}"
        );
        let path = place.environment()[&OsString::from("PATH")]
            .to_str()
            .unwrap();
        assert_eq!(
            get(&after, "PATH"),
            Some(&*format!("/mine:{path}")),
            "{shell:?}"
        );
    }
}

#[test]
fn another_instance_first_leaves_the_first() {
    let mut place = Place::new();
    place.set("SHARED", "of the host");
    place.start("one", &["-e", "ONLY_ONE=1", "-e", "SHARED=of one"]);
    place.start("two", &["-e", "ONLY_TWO=2", "-e", "SHARED=of two"]);
    for shell in Shell::ALL {
        let script = Script::new(&place, shell)
            .note("before")
            .eval("ctr env two")
            .note("direct")
            .eval("ctr env --unset");
        let script = script
            .eval("ctr env one")
            .eval("ctr env two")
            .note("switched")
            .eval("ctr env --unset")
            .note("after");
        script.ok();
        let switched = noted(&place, "switched");
        assert_eq!(get(&switched, "CTR_INSTANCE"), Some("two"), "{shell:?}");
        assert_eq!(get(&switched, "ONLY_ONE"), None, "{shell:?}");
        assert_eq!(get(&switched, "SHARED"), Some("of two"), "{shell:?}");
        assert_eq!(switched, noted(&place, "direct"), "{shell:?}");
        assert_eq!(noted(&place, "after"), noted(&place, "before"), "{shell:?}");
    }
}

#[test]
fn activating_twice_is_the_same_as_once() {
    let place = Place::new();
    place.start("bio", &["-e", "K=v"]);
    for shell in Shell::ALL {
        let script = Script::new(&place, shell)
            .note("before")
            .eval("ctr env bio")
            .note("once");
        let script = script
            .eval("ctr env bio")
            .note("twice")
            .eval("ctr env --unset")
            .note("after");
        script.ok();
        assert_eq!(noted(&place, "twice"), noted(&place, "once"), "{shell:?}");
        assert_eq!(noted(&place, "after"), noted(&place, "before"), "{shell:?}");
    }
}

#[test]
fn a_child_shell_has_the_active_instance_and_does_not_stack_on_it() {
    let mut place = Place::new();
    place.set("K", "of the host");
    place.start("bio", &["-e", "K=of bio"]);
    for shell in Shell::ALL {
        let child = Script::new(&place, shell)
            .note("inherited")
            .eval("ctr env bio")
            .note("again");
        let child = child.eval("ctr env --unset").note("left");
        place.write("child", &child.text);
        let call = format!("{} {}", shell.name(), place.path("child").display());
        let script = Script::new(&place, shell)
            .note("before")
            .eval("ctr env bio")
            .line(&call);
        script.eval("ctr env --unset").note("after").ok();
        let plain = |name: &str| {
            let mut environment = noted(&place, name);
            environment.remove(&b"SHLVL"[..]);
            environment
        };
        assert_eq!(plain("again"), plain("inherited"), "{shell:?}");
        assert_eq!(plain("left"), plain("before"), "{shell:?}");
        assert_eq!(plain("after"), plain("before"), "{shell:?}");
    }
}

#[test]
fn any_value_arrives_in_the_shell_and_none_is_evaluated() {
    let place = Place::new();
    let values = [
        "",
        " two  words ",
        "$(touch PWNED)",
        "`touch PWNED`",
        "it's",
        "'; touch PWNED; '",
        "\"q\"",
        "\\",
        "a\\\\b",
        "a\\'b",
        "end\\",
        "!",
        "!!",
        "%s%n",
        "*",
        "~",
        "{a,b}",
        "a\nb\n",
        "\t",
        "#",
        "ä→🧬",
        "$HOME",
        "-n",
        ";",
        "&",
        "(x)",
        "[x]",
    ];
    let given: Vec<String> = values
        .iter()
        .enumerate()
        .map(|(n, value)| format!("V{n}={value}"))
        .collect();
    let options: Vec<&str> = given.iter().flat_map(|given| ["-e", given]).collect();
    place.start("bio", &options);
    for shell in Shell::ALL {
        Script::new(&place, shell)
            .eval("ctr env bio")
            .note("active")
            .ok();
        let active = noted(&place, "active");
        for (n, value) in values.iter().enumerate() {
            assert_eq!(get(&active, &format!("V{n}")), Some(*value), "{shell:?}");
        }
    }
    assert!(!place.work().join("PWNED").exists());
}

#[test]
fn a_variable_for_inside_is_kept_from_the_host_when_it_would_steer_the_hosts_programs() {
    let place = Place::new();
    let steering = [
        "PYTHONPATH",
        "PERL5LIB",
        "LD_PRELOAD",
        "GIT_DIR",
        "EDITOR",
        "NODE_OPTIONS",
        "BASH_ENV",
    ];
    let given = steering.map(|key| format!("{key}=/x"));
    let options: Vec<&str> = given.iter().flat_map(|given| ["-e", given]).collect();
    place.start(
        "bio",
        &[&options[..], &["-e", "PATH=/x:$PATH", "-e", "GOOD=y"]].concat(),
    );
    let set = place.ctr(["env", "--json", "bio"]).ok().json()["set"].clone();
    assert_eq!(set["GOOD"], "y");
    for key in steering.iter().chain(&["PATH"]) {
        assert!(set.get(key).is_none(), "{key} is in {set}");
    }
    for shell in Shell::ALL {
        Script::new(&place, shell)
            .note("before")
            .eval("ctr env bio")
            .note("active")
            .output();
        let (before, active) = (noted(&place, "before"), noted(&place, "active"));
        for key in steering {
            assert_eq!(get(&active, key), get(&before, key), "{shell:?}");
        }
        assert!(
            !get(&active, "PATH")
                .unwrap()
                .split(':')
                .any(|entry| entry == "/x"),
            "{shell:?}"
        );
    }
}

#[test]
fn the_commands_of_another_instance_see_nothing_of_the_active_one() {
    let mut place = Place::new();
    place.set("SHARED", "of the host");
    place.overlay("demo/1.0", &[("bin/demo", "#!/bin/sh\n")]);
    place.start(
        "active",
        &["-o", "demo/1.0", "-e", "ONLY=1", "-e", "SHARED=of active"],
    );
    place.start("other", &["-e", "OTHER=2"]);
    let read = |name: &str| format!("ctr exec {name} cat /proc/self/environ > ../{name}");
    for shell in Shell::ALL {
        Script::new(&place, shell)
            .line(&read("other"))
            .line(&read("active"))
            .ok();
        let without = ["other", "active"].map(|name| noted(&place, name));
        Script::new(&place, shell)
            .eval("ctr env active")
            .line(&read("other"))
            .line(&read("active"))
            .ok();
        let with = ["other", "active"].map(|name| noted(&place, name));
        assert_eq!(with, without, "{shell:?}");
        assert_eq!(get(&with[0], "SHARED"), Some("of the host"), "{shell:?}");
        assert_eq!(get(&with[0], "ONLY"), None, "{shell:?}");
    }
}
