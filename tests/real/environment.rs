//! Which variables a command inside sees, and who wins.

use std::collections::BTreeMap;
use std::fs;

use crate::support::{Place, eventually, images};

/// Host variables that would break a foreign image.
const SCRUBBED: [&str; 18] = [
    "LD_PRELOAD",
    "BASH_ENV",
    "ENV",
    "LUA_INIT",
    "MODULEPATH",
    "PYTHONHOME",
    "PYTHONPATH",
    "PERL5LIB",
    "PERL5OPT",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "CURL_CA_BUNDLE",
    "REQUESTS_CA_BUNDLE",
    "AWS_CA_BUNDLE",
    "NODE_EXTRA_CA_CERTS",
    "GIT_SSL_CAINFO",
    "PIP_CERT",
    "NIX_SSL_CERT_FILE",
];

/// Those of them that an environment block has.
fn scrubbed_in(environ: &BTreeMap<String, String>) -> Vec<&'static str> {
    let mut found = SCRUBBED.to_vec();
    found.retain(|key| environ.contains_key(*key));
    found
}

#[test]
fn exec_wins_over_start_and_start_over_the_sidecar_and_that_over_the_image() {
    let place = Place::new();
    let overlay = place.overlay("demo/1.0", &[]);
    place.sidecar(
        &overlay,
        "FROM_IMAGE=sidecar\nB=sidecar\nC=sidecar\nD=sidecar\n",
    );
    place.start("bio", &["-o", "demo/1.0", "-e", "C=start", "-e", "D=start"]);
    let run = place.ctr(["exec", "-e", "D=exec", "bio", "cat", "/proc/self/environ"]);
    let environ = run
        .env("B", "host")
        .env("C", "host")
        .env("D", "host")
        .ok()
        .environ();
    let seen = ["FROM_IMAGE", "B", "C", "D"].map(|key| &*environ[key]);
    assert_eq!(seen, ["sidecar", "sidecar", "start", "exec"]);
    // What exec was given is for that command alone.
    assert_eq!(place.environ("bio")["D"], "start");
}

#[test]
fn each_path_is_put_before_the_path_so_far() {
    let place = Place::new();
    let demo = place.overlay("demo/1.0", &[("bin/demo", "#!/bin/sh\n")]);
    place.overlay("extra/2.0", &[("bin/extra", "#!/bin/sh\n")]);
    place.sidecar(&demo, "PATH=/side:$PATH");
    place.start(
        "bio",
        &[
            "-o",
            "demo/1.0",
            "-o",
            "extra/2.0",
            "-e",
            "PATH=/user:$PATH",
        ],
    );
    let path = "/user:/cnt/extra/2.0/bin:/cnt/demo/1.0/bin:/side:/image/bin:";
    assert!(
        place.environ("bio")["PATH"].starts_with(path),
        "{}",
        place.environ("bio")["PATH"]
    );
    let run = place.ctr([
        "exec",
        "-e",
        "PATH=/exec:$PATH",
        "bio",
        "cat",
        "/proc/self/environ",
    ]);
    let now = &run.ok().environ()["PATH"];
    assert_eq!(*now, format!("/exec:{}", place.environ("bio")["PATH"]));
}

#[test]
fn a_path_can_be_put_behind_or_replace_all() {
    let place = Place::new();
    place.start("bio", &[]);
    let before = place.environ("bio")["PATH"].clone();
    let path = |given: &str| {
        let run = place.ctr([
            "exec",
            "-e",
            &format!("PATH={given}"),
            "bio",
            "/bin/cat",
            "/proc/self/environ",
        ]);
        run.ok().environ()["PATH"].clone()
    };
    assert_eq!(path("$PATH:/after"), format!("{before}:/after"));
    assert_eq!(path("/a:$PATH:/b"), format!("/a:{before}:/b"));
    assert_eq!(path("/only:/bin"), "/only:/bin");
}

#[test]
fn a_path_in_another_variable_stays_as_it_is_written() {
    let place = Place::new();
    place.start("bio", &["-e", "MANPATH=/x:$PATH"]);
    assert_eq!(place.environ("bio")["MANPATH"], "/x:$PATH");
}

#[test]
fn start_scripts_see_the_environment_from_the_first() {
    let mut place = Place::new();
    place.set("CTR_BASE_IMAGE", &images().service);
    let demo = place.overlay("demo/1.0", &[("bin/demo", "#!/bin/sh\n")]);
    place.sidecar(&demo, "DEMO_HOME=/cnt/demo/1.0\nTRAP=$(id)");
    let dump = place.work().join("dump");
    let tell = format!("SERVICE_DUMP={}", dump.display());
    let run = place.ctr([
        "start",
        "-o",
        "demo/1.0",
        "-e",
        &tell,
        "-e",
        "K=a,b `id`\n\"→",
        "bio",
    ]);
    run.env("PYTHONPATH", "/of/the/host")
        .env("SSL_CERT_FILE", "/of/the/host")
        .ok();
    let block = eventually("the start script writes its environment", || {
        fs::read_to_string(&dump).ok()
    });
    let environ: Vec<&str> = block.split_terminator('\0').collect();
    for expected in [
        "DEMO_HOME=/cnt/demo/1.0",
        "TRAP=$(id)",
        "K=a,b `id`\n\"→",
        "LANG=C.UTF-8",
        "FROM_IMAGE=yes",
    ] {
        assert!(
            environ.contains(&expected),
            "{expected:?} is not in {environ:#?}"
        );
    }
    let path = environ
        .iter()
        .find_map(|entry| entry.strip_prefix("PATH="))
        .unwrap();
    assert!(path.starts_with("/cnt/demo/1.0/bin:/image/bin:"), "{path}");
    for key in ["PYTHONPATH=", "SSL_CERT_FILE="] {
        assert!(
            !environ.iter().any(|entry| entry.starts_with(key)),
            "{key} is in {environ:#?}"
        );
    }
}

#[test]
fn variables_that_would_break_a_foreign_image_are_unset_inside() {
    let mut place = Place::new();
    place.start("bio", &[]);
    for key in SCRUBBED {
        place.set(key, "/of/the/host");
    }
    // Unset and not empty: Python takes an empty SSL_CERT_FILE for "trust nobody".
    let none: [&str; 0] = [];
    assert_eq!(scrubbed_in(&place.environ("bio")), none, "exec");
    let enter = place.ctr(["enter", "bio"]);
    let environ = enter.stdin("cat /proc/self/environ\n").ok().environ();
    assert_eq!(scrubbed_in(&environ), none, "enter");

    let run = place.ctr(["exec", "--keep-env", "bio", "cat", "/proc/self/environ"]);
    let environ = run.ok().environ();
    for key in SCRUBBED {
        let value = environ.get(key).map(String::as_str);
        assert_eq!(value, Some("/of/the/host"), "{key}");
    }
}

#[test]
fn start_scripts_do_not_see_variables_that_would_break_a_foreign_image() {
    let mut place = Place::new();
    place.set("CTR_BASE_IMAGE", &images().service);
    for key in SCRUBBED {
        place.set(key, "/of/the/host");
    }
    place.set("OF_CALLER", "here");
    let dump = place.work().join("dump");
    let tell = format!("SERVICE_DUMP={}", dump.display());
    place.start("bio", &["-e", &tell]);
    let block = eventually("the start script writes its environment", || {
        fs::read_to_string(&dump).ok()
    });
    let entries = block.split_terminator('\0');
    let environ: BTreeMap<String, String> = entries
        .filter_map(|entry| entry.split_once('='))
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .collect();
    assert_eq!(environ["OF_CALLER"], "here", "the others come along");
    let none: [&str; 0] = [];
    assert_eq!(scrubbed_in(&environ), none);
}

#[test]
fn variables_that_were_asked_for_are_not_scrubbed() {
    let place = Place::new();
    let overlay = place.overlay("demo/1.0", &[]);
    place.sidecar(&overlay, "PERL5LIB=/cnt/demo/1.0/lib");
    place.start("bio", &["-o", "demo/1.0", "-e", "PYTHONPATH=/asked/for"]);
    let run = place.ctr([
        "exec",
        "-e",
        "SSL_CERT_FILE=/inside",
        "bio",
        "cat",
        "/proc/self/environ",
    ]);
    let environ = run
        .env("PYTHONPATH", "/of/the/host")
        .env("SSL_CERT_FILE", "/of/the/host")
        .ok()
        .environ();
    let seen = ["PERL5LIB", "PYTHONPATH", "SSL_CERT_FILE"].map(|key| &*environ[key]);
    assert_eq!(seen, ["/cnt/demo/1.0/lib", "/asked/for", "/inside"]);
}

#[test]
fn the_list_of_what_is_taken_out_is_configurable() {
    let place = Place::new();
    place.config("scrub = [\"SITE_SETTING\"]\n");
    place.start("bio", &[]);
    let run = place.ctr(["exec", "bio", "cat", "/proc/self/environ"]);
    let environ = run
        .env("SITE_SETTING", "x")
        .env("OTHER", "y")
        .ok()
        .environ();
    assert!(!environ.contains_key("SITE_SETTING"));
    assert_eq!(environ["OTHER"], "y");
}

#[test]
fn enter_takes_out_the_same_variables() {
    let place = Place::new();
    place.start("bio", &["-e", "SAVED=at start"]);
    let run = place
        .ctr(["enter", "bio"])
        .env("PYTHONPATH", "/of/the/host");
    let mut terminal = run.terminal();
    terminal.line("echo \"python:${PYTHONPATH-unset} saved:$SAVED\"; exit 5");
    terminal.wait_for("python:unset saved:at start");
    assert_eq!(terminal.wait(), 5);
}

#[test]
fn the_locale_inside_is_one_that_every_image_has() {
    let place = Place::new();
    place.start("bio", &[]);
    let run = place.ctr(["exec", "bio", "cat", "/proc/self/environ"]);
    let environ = run
        .env("LANG", "de_DE.UTF-8")
        .env("LC_ALL", "de_DE.UTF-8")
        .ok()
        .environ();
    assert_eq!(
        [&*environ["LANG"], &*environ["LC_ALL"]],
        ["C.UTF-8", "C.UTF-8"]
    );
    let run = place.ctr([
        "exec",
        "-e",
        "LC_ALL=POSIX",
        "bio",
        "cat",
        "/proc/self/environ",
    ]);
    assert_eq!(run.ok().environ()["LC_ALL"], "POSIX");
}

#[test]
fn instances_inside_instances_count_their_depth() {
    let place = Place::new();
    place.start("bio", &[]);
    assert_eq!(place.environ("bio")["IN_CONDATAINER"], "1");
    place
        .ctr(["start", "inner"])
        .env("IN_CONDATAINER", "1")
        .ok();
    assert_eq!(place.environ("inner")["IN_CONDATAINER"], "2");
}

#[test]
fn the_configuration_gives_variables_that_a_flag_overrides() {
    let place = Place::new();
    place.config("env = { A = \"configured\", B = \"$(id)\" }\n");
    place.start("bio", &["-e", "A=flag"]);
    let environ = place.environ("bio");
    assert_eq!([&*environ["A"], &*environ["B"]], ["flag", "$(id)"]);
}

#[test]
fn variables_that_are_flags_to_apptainer_switch_nothing_on() {
    let mut place = Place::new();
    for flag in ["JSON", "ALL", "FORCE"] {
        place.set(&format!("APPTAINER_{flag}"), "1");
        place.set(&format!("SINGULARITY_{flag}"), "1");
    }
    place.set("APPTAINER_SIGNAL", "9");
    place.start("one", &[]);
    place.start("two", &[]);
    assert_eq!(place.ctr(["list", "--names"]).ok().lines(), ["one", "two"]);
    place.ctr(["stop", "one"]).ok();
    assert!(place.find_record("one").is_none());
    assert_eq!(
        place.ctr(["exec", "two", "echo", "still here"]).ok().text(),
        "still here\n"
    );
}
