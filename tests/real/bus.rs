//! The bus of a login session, as far as a machine without one can show it: by what Apptainer and the
//! inside are given.

use std::fs;
use std::os::unix::net::UnixListener;
use std::path::PathBuf;

use serde_json::json;

use crate::support::{Output, Place, eventually, images};

const BUS: &str = "DBUS_SESSION_BUS_ADDRESS";

/// A bus where nobody listens, as that of a session that is half dead.
const DEAD: &str = "unix:path=/nosuch/bus";

/// An Apptainer that writes down with which variables it is called to start, and the file.
fn telling_apptainer(place: &mut Place) -> PathBuf {
    let told = place.path("cache/told");
    let program = place.apptainer_that(&format!("env > {}", told.display()));
    place.set("CTR_APPTAINER", program);
    told
}

/// The lines on the bus in that file.
fn on_the_bus(told: &PathBuf) -> Vec<String> {
    let text = fs::read_to_string(told).unwrap();
    let lines = text.lines().filter(|line| line.contains(BUS));
    lines.map(str::to_owned).collect()
}

#[test]
fn apptainer_starts_without_the_bus_and_the_inside_has_it() {
    let mut place = Place::new();
    let told = telling_apptainer(&mut place);
    place.set(BUS, DEAD);
    let dump = place.path("work/dump");
    let dump_to = format!("SERVICE_DUMP={}", dump.display());
    let service = images().service.to_str().unwrap();
    place.start("bio", &["-b", service, "-e", &dump_to]);
    assert_eq!(on_the_bus(&told), [format!("APPTAINERENV_{BUS}={DEAD}")]);
    eventually("the start script has begun", || dump.exists().then_some(()));
    let of_service = fs::read(&dump).unwrap();
    let line = format!("{BUS}={DEAD}").into_bytes();
    assert!(of_service.split(|byte| *byte == 0).any(|one| one == line));
    for join in ["direct", "apptainer"] {
        let run = ["exec", "--join", join, "bio", "cat", "/proc/self/environ"];
        assert_eq!(place.ctr(run).ok().environ()[BUS], DEAD, "{join}");
    }
    place.ctr(["restart", "bio"]).ok();
    assert_eq!(place.status("bio"), "running");
}

#[test]
fn where_the_inside_has_none_of_the_callers_variables_it_has_no_bus() {
    let mut place = Place::new();
    let told = telling_apptainer(&mut place);
    place.set(BUS, DEAD);
    for flags in [&["--cleanenv"][..], &["-C"], &["-ce"]] {
        place.ctr(["start", "bio", "--"]).args(flags).ok();
        assert!(on_the_bus(&told).is_empty(), "{flags:?}");
        place.ctr(["stop", "bio"]).ok();
    }
    let own = format!("{BUS}=mine");
    place.start("bio", &["-e", &own]);
    assert_eq!(on_the_bus(&told), [format!("APPTAINERENV_{own}")]);
}

#[test]
fn limits_take_the_bus_which_is_looked_for_in_the_session() {
    let mut place = Place::new();
    let told = telling_apptainer(&mut place);
    let limited = ["start", "bio", "--", "--memory", "64M"];
    for bus in [None, Some(DEAD)] {
        match bus {
            Some(bus) => place.set(BUS, bus),
            None => place.unset(BUS),
        }
        let output = place.ctr(limited).fails(1);
        output.says(&["`bio`", "systemd", "no bus", "login session"]);
        assert!(!told.exists(), "nothing is asked of Apptainer");
    }
    // Nobody answers there: whether limits hold is for a machine with systemd to show.
    let socket = place.path("run/bus");
    let _listener = UnixListener::bind(&socket).unwrap();
    place.ctr(limited).run();
    let address = format!("{BUS}=unix:path={}", socket.display());
    assert_eq!(on_the_bus(&told), [address]);
}

#[test]
fn a_restart_without_the_bus_that_its_limits_take_stops_nothing() {
    let place = Place::new();
    place.start("bio", &[]);
    let pid = place.record("bio").pid;
    place.edit_state("bio", |state| {
        state["apptainer_flags"] = json!(["--pids-limit", "50"]);
    });
    place.ctr(["restart", "bio"]).fails(1).says(&["no bus"]);
    assert_eq!(place.status("bio"), "running");
    assert_eq!(place.record("bio").pid, pid);
}

#[test]
fn what_has_a_cgroup_and_no_bus_is_refused_and_not_left_to_apptainer() {
    let place = Place::new();
    place.start("bio", &[]);
    let record = place.record("bio").path;
    let mut text: serde_json::Value = serde_json::from_slice(&fs::read(&record).unwrap()).unwrap();
    text["cgroup"] = json!(true);
    fs::write(&record, text.to_string()).unwrap();
    let refused = |output: &Output| {
        output.says(&["`bio` has a cgroup of its own", "no bus", "ctr restart bio"]);
    };
    refused(&place.ctr(["exec", "bio", "true"]).fails(125));
    refused(&place.ctr(["enter", "bio"]).fails(125));
    place.ctr(["restart", "bio"]).ok();
    place.ctr(["exec", "bio", "true"]).ok().quiet();
}
