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
