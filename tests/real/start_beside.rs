//! Starts beside which others are at work: on an instance of the same name, from another network
//! namespace, or in the background of the same script.

use std::fs;

use crate::support::{Place, eventually, images, is_waiting, processes};

#[test]
fn a_start_that_fails_leaves_what_somebody_else_has_started_meanwhile() {
    let mut place = Place::new();
    let (program, gate, waiting) = place.gated_apptainer();
    let start = place.ctr(["start", "bio"]).env("CTR_APPTAINER", program);
    let mut start = start.spawn();
    eventually("the start waits", || waiting.exists().then_some(()));
    let image = images().sif.to_str().unwrap();
    place.apptainer(["instance", "start", image, "bio"]).ok();
    let record = place.record("bio");
    fs::write(gate, "").unwrap();
    assert!(!start.wait().unwrap().success());
    assert_eq!(place.record("bio").pid, record.pid);
    assert!(!processes::has_ended(record.pid));
    assert!(record.log_out.exists());
    assert_eq!(place.status("bio"), "untracked");
    place.ctr(["stop", "bio"]).ok();
    place.assert_clean();
    place.set("CTR_BASE_IMAGE", image);
    place.start("bio", &[]);
}

/// What a script has begun before it becomes `ctr`, and hands on to it.
const BACKGROUND: &str = "
    begin() { sleep 100000 & echo $! > $1.part; mv $1.part $1; }
    hold() { while [ ! -e orphan ]; do sleep 0.02; done; }
    ( begin child; ( begin grandchild; setsid sleep 100001 & echo $! > session; hold ) & hold ) &
    begin own
    while [ ! -e session ] || [ ! -e child ]; do sleep 0.02; done
    exec ctr start bio";

#[test]
fn a_start_that_fails_leaves_what_its_script_has_begun_before() {
    let mut place = Place::new();
    let (gate, waiting) = (place.path("cache/gate"), place.path("cache/waiting"));
    let script = format!(
        "sleep 100002 & echo > {}; while [ ! -e {} ]; do sleep 0.02; done; exit 1",
        waiting.display(),
        gate.display()
    );
    place.set("CTR_APPTAINER", place.apptainer_that(&script));
    let mut start = place.program("bash").args(["-c", BACKGROUND]).spawn();
    eventually("the start waits", || waiting.exists().then_some(()));
    let pids = ["child", "grandchild", "session", "own"].map(|name| {
        let text = fs::read_to_string(place.work().join(name)).unwrap();
        text.trim().parse::<i32>().unwrap()
    });
    place.write("work/orphan", "");
    eventually("they are handed on", || {
        let parent = |pid: &i32| processes::look(*pid).map(|process| process.parent);
        let ctr = start.id() as i32;
        pids.iter()
            .all(|pid| parent(pid) == Some(ctr))
            .then_some(())
    });
    fs::write(gate, "").unwrap();
    assert!(!start.wait().unwrap().success());
    for pid in pids {
        assert!(!processes::has_ended(pid), "{pid}");
    }
    // What the start itself has begun is ended.
    let left = place.processes();
    assert!(
        !left.iter().any(|one| one.title == "sleep 100002"),
        "{left:#?}"
    );
    assert!(place.state_files().is_empty());
}

#[test]
fn a_start_in_another_network_namespace_is_waited_for() {
    for (args, succeeds, status) in [
        (&["stop", "bio"][..], true, None),
        (&["stop", "--keep", "bio"], true, Some("stopped")),
        (&["restart", "bio"], true, Some("running")),
        (&["start", "bio"], false, Some("running")),
        (&["start", "--if-needed", "bio"], true, Some("running")),
        (&["start", "--replace", "bio"], true, Some("running")),
    ] {
        let mut place = Place::new();
        let (program, gate, waiting) = place.gated_apptainer();
        place.set("CTR_APPTAINER", program);
        let words = ["--user", "--map-current-user", "--net"];
        let start = place.program("unshare").args(words);
        let mut start = start
            .arg(place.path("bin/ctr"))
            .args(["start", "bio"])
            .spawn();
        eventually("the start waits", || waiting.exists().then_some(()));
        let mut other = place.ctr(args).spawn();
        is_waiting(&other);
        assert_eq!(place.state("bio")["phase"], "starting", "{args:?}");
        assert!(other.try_wait().unwrap().is_none(), "{args:?}");
        fs::write(gate, "").unwrap();
        assert!(start.wait().unwrap().success(), "{args:?}");
        assert_eq!(other.wait().unwrap().success(), succeeds, "{args:?}");
        match status {
            Some(status) => assert_eq!(place.status("bio"), status, "{args:?}"),
            None => place.assert_clean(),
        }
    }
}
