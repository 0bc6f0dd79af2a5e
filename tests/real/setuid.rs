//! A setuid installation of Apptainer, as far as a machine without one can show it: by what it is told.

use std::fs;
use std::path::PathBuf;

use crate::support::Place;

/// A place with an Apptainer that says of itself that it is setuid, and the file with its calls.
fn place() -> (Place, PathBuf) {
    let mut place = Place::new();
    let log = place.path("cache/calls");
    let real = place.environment()[std::ffi::OsStr::new("CTR_APPTAINER")].clone();
    place.wrap_apptainer(&format!(
        "if [ \"$1\" = buildcfg ]; then {} buildcfg | sed s/SUID_INSTALL=0/SUID_INSTALL=1/; exit; fi
        echo \"$@\" >> {}",
        real.to_str().unwrap(),
        log.display()
    ));
    (place, log)
}

#[test]
fn it_is_told_to_join_a_user_namespace() {
    let (place, log) = place();
    place.start("root", &["-f"]);
    let shown = place
        .ctr(["exec", "--join", "apptainer", "root", "id", "-u"])
        .ok();
    assert_eq!(shown.quiet().text(), "0\n");
    let calls = fs::read_to_string(&log).unwrap();
    let call = calls.lines().find(|call| call.contains("id -u")).unwrap();
    assert!(call.contains(" --userns instance://root "), "{call}");
}

#[test]
fn it_does_without_user_namespaces() {
    let (place, _) = place();
    place.write_program(
        "bin/unshare",
        "#!/bin/sh\necho no more of them >&2\nexit 1\n",
    );
    let user_namespaces = |place: &Place| {
        let shown = place.ctr(["doctor", "--json"]).run().json();
        let checks = shown["checks"].as_array().unwrap().clone();
        let mut checks = checks.into_iter();
        checks
            .find(|check| check["name"] == "user namespaces")
            .unwrap()
    };
    let check = user_namespaces(&place);
    assert_eq!(check["ok"], true, "{check}");
    assert!(
        check["detail"].as_str().unwrap().contains("setuid"),
        "{check}"
    );
    // Others need them.
    let other = Place::new();
    other.write_program(
        "bin/unshare",
        "#!/bin/sh\necho no more of them >&2\nexit 1\n",
    );
    let check = user_namespaces(&other);
    assert_eq!(check["ok"], false, "{check}");
    assert_eq!(check["detail"], "no more of them");
}

/// As under a setuid installation, nobody outside sees the files of these, and nothing joins them
/// directly: they are opened for writing through FUSE, and a script of the image looks at the words of
/// the command.
#[test]
fn shims_of_what_cannot_be_looked_into_are_found_through_apptainer() {
    let place = Place::new();
    let script = "[ \"$1\" = never ] && echo never\ntrue\n";
    let base = place.sandbox("words", &[("/.singularity.d/env/95-words.sh", script)]);
    place.overlay(
        "demo/1.0",
        &[
            ("bin/demo", "#!/bin/sh\necho demo $1\n"),
            ("bin/two words", "#!/bin/sh\n"),
        ],
    );
    place.ext3("env.img", nix::unistd::getuid().as_raw());
    let image = base.to_str().unwrap();
    place.start(
        "bio",
        &["-b", image, "-w", "-o", "demo/1.0", "-o", "env.img"],
    );
    let pid = place.record("bio").pid;
    assert!(
        fs::metadata(format!("/proc/{pid}/root/.")).is_err(),
        "its files are not seen"
    );
    place
        .ctr(["exec", "--join", "direct", "bio", "true"])
        .fails(125);

    place
        .ctr(["shim", "add", "bio", "--all"])
        .ok()
        .says(&["demo", "tool"]);
    place.ctr(["shim", "add", "bio", "sort"]).ok();
    place
        .ctr(["shim", "add", "bio", "nosuch"])
        .fails(1)
        .says(&["nosuch"]);
    let shown = place.program(place.shim("bio", "demo")).arg("x").ok();
    assert_eq!(shown.text(), "demo x\n");
    let list = place.ctr(["shim", "list", "--json", "bio"]).ok();
    for path in ["/cnt/demo/1.0/bin/demo", "/ext3/env/bin/tool", "/bin/sort"] {
        assert!(list.text().contains(path), "{list}");
    }
}
