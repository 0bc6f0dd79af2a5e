//! The whole environment is the same whether a command is joined directly or run by Apptainer.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

use crate::support::Place;

type Environ = BTreeMap<String, String>;

/// What a command is given both ways, in the environment of the place with these changes.
#[track_caller]
fn both(place: &Place, name: &str, options: &[&str], changes: &[(&str, &str)]) -> [Environ; 2] {
    ["direct", "apptainer"].map(|way| {
        let mut run = place.ctr(["exec", "--join", way]).args(options);
        for (key, value) in changes {
            run = run.env(key, value);
        }
        let output = run.args([name, "cat", "/proc/self/environ"]).ok();
        output.environ()
    })
}

#[track_caller]
fn assert_same(place: &Place, name: &str, options: &[&str], changes: &[(&str, &str)]) -> Environ {
    let [direct, apptainers] = both(place, name, options, changes);
    assert_eq!(direct, apptainers, "{name} {options:?} {changes:?}");
    assert!(direct.len() > 20, "{direct:#?}");
    direct
}

#[test]
fn it_is_the_same_in_every_kind_of_instance() {
    let place = Place::new();
    let overlay = place.overlay("demo/1.0", &[("bin/demo", "#!/bin/sh\n")]);
    place.sidecar(&overlay, "DEMO_HOME=/cnt/demo/1.0\nLITERAL=$(id) `x` 'q'\n");
    let image = place.ext3("env.img", nix::unistd::getuid().as_raw());
    let image = image.to_str().unwrap();
    for (name, options) in [
        ("plain", &[][..]),
        ("fakeroot", &["-f"]),
        ("squashfs", &["-o", "demo/1.0", "-e", "K=v"]),
        ("ext3", &["-w", "-o", image]),
        ("hostos", &["-b", "hostos", "-o", "demo/1.0"]),
        ("whole", &["-e", "PATH=/only:/bin"]),
    ] {
        place.start(name, options);
        assert_same(&place, name, &[], &[]);
        assert_same(&place, name, &["--cleanenv"], &[("KEPT", "out")]);
        assert_same(
            &place,
            name,
            &["--keep-env", "-e", "LATER=x,y"],
            &[("PYTHONPATH", "/p")],
        );
        place.ctr(["stop", name]).ok();
    }
}

#[test]
fn variables_of_the_caller_arrive_as_through_apptainer() {
    let place = Place::new();
    place.start("bio", &["-e", "SAVED=at start"]);
    for changes in [
        &[
            ("OF_CALLER", "x"),
            ("EMPTY", ""),
            ("LINES_", "a\nb\n"),
            ("SPACES", "  a  "),
        ][..],
        &[
            ("QUOTES", "'\"`id`$(id)$HOME\\"),
            ("STAR", "*"),
            ("EQUALS", "a=b=c"),
        ],
        // What the image sets wins over the caller's.
        &[("FROM_IMAGE", "no")],
        &[("FROM_IMAGE", "")],
        &[("SAVED", "by the caller")],
        &[("PS1", "mine> "), ("PROMPT_COMMAND", "echo hi")],
        &[
            ("LD_LIBRARY_PATH", "/host/lib"),
            ("SHELL", "/bin/zsh"),
            ("USER", "me"),
        ],
        // Names that the shell of Apptainer has a use for itself.
        &[
            ("e", "1"),
            ("key", "2"),
            ("IFS", ":"),
            ("OPTIND", "9"),
            ("PPID", "1"),
            ("RANDOM", "4"),
        ],
        &[
            ("UID", "7"),
            ("EUID", "7"),
            ("GID", "7"),
            ("OLDPWD", "/old"),
            ("PWD", "/elsewhere"),
        ],
        &[
            ("SHLVL", "5"),
            ("_", "/bin/x"),
            ("LINENO", "3"),
            ("DIRSTACK", "/d"),
            ("REPLY", "r"),
        ],
        // Names that no shell has.
        &[
            ("A.B", "1"),
            ("BASH_FUNC_f%%", "() { :; }"),
            ("ä", "umlaut"),
            ("1A", "digit"),
        ],
        &[
            ("APPTAINER_BIND", "/usr/share"),
            ("APPTAINER_NAME", "x"),
            ("SINGULARITY_X", "y"),
        ],
        &[
            ("LANG", "de_DE.UTF-8"),
            ("LC_ALL", "C"),
            ("TZ", "UTC"),
            ("USER_PATH", "/x"),
        ],
    ] {
        assert_same(&place, "bio", &[], changes);
        assert_same(&place, "bio", &["--cleanenv"], changes);
    }
    let clean = &[
        ("http_proxy", "http://proxy:3128"),
        ("NO_PROXY", "local"),
        ("TERM", "dumb"),
    ];
    let seen = assert_same(&place, "bio", &["--cleanenv"], clean);
    assert_eq!(seen["http_proxy"], "http://proxy:3128");
}

#[test]
fn what_is_handed_in_by_apptainers_own_prefixes_arrives() {
    let place = Place::new();
    place.start(
        "bio",
        &["-e", "SAVED=at start", "-e", "PATH=/first:$PATH:/last"],
    );
    for changes in [
        &[
            ("APPTAINERENV_HANDED", "a,b'\"$x"),
            ("SINGULARITYENV_OLD", "old"),
        ][..],
        &[
            ("APPTAINERENV_BOTH", "new"),
            ("SINGULARITYENV_BOTH", "old"),
            ("BOTH", "host"),
        ],
        &[("APPTAINERENV_EMPTY", ""), ("EMPTY", "host")],
        &[("APPTAINERENV_FROM_IMAGE", "handed in")],
        &[("APPTAINERENV_FROM_IMAGE", "")],
        &[("APPTAINERENV_SAVED", "no")],
        &[
            ("APPTAINERENV_PREPEND_PATH", "/p:/q"),
            ("APPTAINERENV_APPEND_PATH", "/a"),
        ],
        &[("SINGULARITYENV_PREPEND_PATH", "/p")],
        &[
            ("APPTAINERENV_LD_LIBRARY_PATH", "/lib/x"),
            ("LD_LIBRARY_PATH", "/host"),
        ],
        &[("APPTAINERENV_LD_LIBRARY_PATH", "")],
        &[("APPTAINERENV_PS1", "p> ")],
        &[
            ("APPTAINERENV_PS1", ""),
            ("APPTAINERENV_PROMPT_COMMAND", "echo x"),
        ],
        &[
            ("APPTAINERENV_UID", "3"),
            ("APPTAINERENV_HOME", "/nowhere"),
            ("APPTAINERENV_", "none"),
        ],
        &[("APPTAINERENV_LANG", "xx"), ("LANG", "yy")],
        &[("APPTAINERENV_TERM", "handed")],
    ] {
        assert_same(&place, "bio", &[], changes);
        assert_same(&place, "bio", &["--cleanenv"], changes);
    }
    place.start("plain", &[]);
    assert_same(
        &place,
        "plain",
        &[],
        &[("APPTAINERENV_PATH", "/whole:/bin")],
    );
    assert_same(&place, "plain", &[], &[("APPTAINERENV_PREPEND_PATH", "")]);
}

#[test]
fn it_is_the_same_without_the_variables_that_everybody_has() {
    let place = Place::new();
    place.start("bio", &[]);
    let all = ["USER", "LOGNAME", "SHELL", "LANG", "TERM"];
    let [direct, apptainers] = ["direct", "apptainer"].map(|way| {
        let run = place.ctr(["exec", "--join", way, "bio", "cat", "/proc/self/environ"]);
        let run = all.iter().fold(run, |run, name| run.env_remove(name));
        run.ok().environ()
    });
    assert_eq!(direct, apptainers);
}

#[test]
fn images_that_set_odd_things_are_the_same() {
    let place = Place::new();
    let scripts = [
        (
            "/.singularity.d/env/90-environment.sh",
            "export PATH=/a:$PATH:/z\nexport EMPTY_OF_IMAGE=\nexport QUOTED=\"it's \\\"so\\\" \\$x\"\n\
          PLAIN=of-script; for i in a b; do :; done; export FALLBACK=${FALLBACK:-given}\nexport LD_LIBRARY_PATH=/opt/lib:$LD_LIBRARY_PATH\n",
        ),
        (
            "/.singularity.d/env/95-apps.sh",
            "export LINES_OF_IMAGE='one\ntwo'\nexport PROMPT_COMMAND='echo image'\n",
        ),
        ("/.singularity.d/env/91-prompt.sh", "export PS1='image> '\n"),
    ];
    let image = place.sandbox("odd", &scripts);
    place.start("odd", &["-b", image.to_str().unwrap()]);
    for changes in [
        &[][..],
        &[
            ("EMPTY_OF_IMAGE", "host"),
            ("FALLBACK", "host"),
            // Names that the scripts use without exporting them.
            ("PLAIN", "host"),
            ("i", "host"),
            ("IMAGE_ARG", "host"),
            ("QUOTED", "host"),
        ],
        &[
            ("EMPTY_OF_IMAGE", ""),
            ("PROMPT_COMMAND", "echo host"),
            ("PS1", "host> "),
        ],
        &[
            ("APPTAINERENV_PS1", "mine> "),
            ("APPTAINERENV_EMPTY_OF_IMAGE", "mine"),
        ],
        &[
            ("APPTAINERENV_PROMPT_COMMAND", "echo mine"),
            ("APPTAINERENV_PREPEND_PATH", "/p"),
        ],
    ] {
        assert_same(&place, "odd", &[], changes);
    }
}

#[test]
fn bytes_that_are_not_utf_8_arrive_directly() {
    let place = Place::new();
    place.start("bio", &[]);
    let bytes = OsString::from_vec(b"a\xff\xfeb".to_vec());
    let run = place.ctr([
        "exec",
        "bio",
        "sh",
        "-c",
        "printf '%s|%s|%s' \"$1\" \"$BYTES\" \"$NEWLINE\"",
        "sh",
    ]);
    let run = run
        .arg(&bytes)
        .env("BYTES", &bytes)
        .env("NEWLINE", "a\\u000Ab");
    let output = run.ok();
    assert_eq!(
        OsStr::from_bytes(&output.stdout),
        OsStr::from_bytes(b"a\xff\xfeb|a\xff\xfeb|a\\u000Ab")
    );
}

#[test]
fn a_command_may_have_more_variables_than_apptainer_carries() {
    let place = Place::new();
    place.start("bio", &[]);
    let mut run = place.ctr(["exec", "bio", "sh", "-c", "echo ${#V0}"]);
    for number in 0..12 {
        run = run.env(format!("V{number}"), "x".repeat(100_000));
    }
    assert_eq!(run.ok().text(), "100000\n");
}
