//! Disks that take no more, and folders that cannot be written.

use std::fs;

use crate::support::Place;

/// A tmpfs of one page over the folder of states, already full.
const FULL: &str = "mount -t tmpfs -o size=4k none \"$XDG_STATE_HOME\"
    mkdir -p -m 700 \"$XDG_STATE_HOME/ctr/instances/$(uname -n)\"
    head -c 4096 /dev/zero > \"$XDG_STATE_HOME/full\"";

#[test]
fn a_full_disk_is_a_failure_that_says_so_and_starts_nothing() {
    let place = Place::new();
    let output = place.ctr_in_world(FULL, &["start", "bio"]).fails(1);
    output.says(&[
        "No space left on device",
        place.path("state").to_str().unwrap(),
        "hint: ",
    ]);
    place.assert_clean_after(&output);
}

#[test]
fn a_disk_that_takes_no_more_leaves_the_old_state_whole() {
    let place = Place::new();
    place.start("bio", &["--note", "K=before", "-e", "K=v"]);
    let before = fs::read(place.state_file("bio")).unwrap();
    // Every write to a file fails, as on a full disk.
    let shell = place
        .program("sh")
        .args(["-c", "trap '' XFSZ; ulimit -f 0; exec \"$@\"", "sh"]);
    let run = shell.arg(place.path("bin/ctr"));
    for command in [
        &["note", "bio", "K=after"][..],
        &["note", "bio", "-m", "mine"],
    ] {
        let output = run.clone().args(command).fails(1);
        output.says(&[place.state_file("bio").to_str().unwrap()]);
        assert_eq!(
            fs::read(place.state_file("bio")).unwrap(),
            before,
            "{output}"
        );
        assert_eq!(place.state_files(), [place.state_file("bio")], "{output}");
    }
    let output = run.args(["start", "other"]).fails(1);
    output.says(&["other"]);
    place.assert_forgotten("other");
    place.ctr(["exec", "bio", "true"]).ok();
}

#[test]
fn a_folder_of_states_that_cannot_be_written_is_named_and_read_all_the_same() {
    let place = Place::new();
    place.start("bio", &["-e", "K=v"]);
    let folder = place.state_file("bio").parent().unwrap().to_owned();
    place.mode(&folder, 0o500);
    let output = place.ctr(["start", "other"]).fails(1);
    output.says(&[folder.to_str().unwrap(), "hint: "]);
    place.assert_forgotten("other");
    place
        .ctr(["note", "bio", "-m", "mine"])
        .fails(1)
        .says(&[folder.to_str().unwrap()]);
    assert_eq!(place.environ("bio")["K"], "v");
    assert_eq!(place.status("bio"), "running");
    place
        .ctr(["stop", "bio"])
        .fails(1)
        .says(&[folder.to_str().unwrap()]);
    assert_eq!(
        place.status("bio"),
        "dead",
        "what cannot be forgotten is stopped all the same"
    );
}

#[test]
fn a_cache_folder_that_cannot_be_written_costs_nothing_but_time() {
    let place = Place::new();
    place.overlay("demo/1.0", &[("bin/demo", "#!/bin/sh\necho demo\n")]);
    place.folder("cache/ctr");
    place.start("first", &[]);
    place.mode(&place.path("cache/ctr"), 0o500);
    place.start("bio", &["-o", "demo/1.0"]);
    assert_eq!(place.ctr(["exec", "bio", "demo"]).ok().text(), "demo\n");
}
