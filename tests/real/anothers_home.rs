//! Whoever has the home of another, as root after `su` or `sudo -E`: nothing is made there, and nothing that
//! stands there is run.

use std::path::PathBuf;

use crate::support::{Output, Place, images};

/// A place in whose home all is that has no variable of its own.
fn place() -> Place {
    let mut place = Place::new();
    for name in [
        "XDG_STATE_HOME",
        "XDG_CACHE_HOME",
        "XDG_CONFIG_HOME",
        "XDG_DATA_HOME",
        "APPTAINER_CONFIGDIR",
        "APPTAINER_CACHEDIR",
    ] {
        place.unset(name);
    }
    place
}

/// Runs a script as root of a user namespace in which the home belongs to another user.
fn as_root(place: &Place, script: &str) -> Output {
    let home = place.path("home");
    let home = home.display();
    let script = format!(
        "chown -R 5:5 {home}; trap 'chown -R 0:0 {home}' EXIT\n{script}\nfind {home} -user 0 -print >&2"
    );
    let words = ["--map-root-user", "--map-auto", "sh", "-c"];
    place.program("unshare").args(words).arg(script).run()
}

#[test]
fn root_in_the_home_of_a_user_leaves_nothing_there() {
    let place = place();
    let image = images().sif.display().to_string();
    let home = place.path("home").display().to_string();
    for command in [
        "ctr doctor".to_owned(),
        "ctr list".to_owned(),
        format!("ctr start --dry-run -b {image} bio"),
        format!("ctr start -b {image} bio"),
        "ctr start -b hostos bio".to_owned(),
        // Also where only the states are elsewhere.
        format!("CTR_STATE_DIR=$PWD/states ctr start -b {image} bio"),
        "XDG_STATE_HOME=$PWD XDG_CACHE_HOME=$PWD ctr start -b hostos bio".to_owned(),
    ] {
        let output = as_root(&place, &command);
        assert!(!output.stderr.contains(&format!("{home}\n")), "{output}");
        assert!(!output.stderr.contains(&format!("{home}/")), "{output}");
        let left: Vec<PathBuf> = place.glob("home/.[a-z]*");
        assert!(left.is_empty(), "{command}: {left:#?}");
        if command.contains("start") && !command.contains("--dry-run") {
            output.says(&["error: ", "belongs to user 5", "sudo -H"]);
        }
    }
    let output = as_root(&place, "ctr doctor --json");
    let checks = output.json()["checks"].clone();
    let mut checks = checks.as_array().unwrap().iter();
    let state = checks.find(|check| check["name"] == "state folder");
    let detail = state.unwrap()["detail"].as_str().unwrap();
    assert!(detail.contains("belongs to user 5"), "{detail}");
    // The one whose home it is finds it as it was.
    place.start("bio", &[]);
    place.ctr(["exec", "bio", "true"]).ok();
    place.ctr(["stop", "bio"]).ok();
}

#[test]
fn root_runs_no_program_that_the_configuration_of_a_user_names() {
    let place = place();
    let ran = place.path("work/ran");
    let evil = format!("#!/bin/sh\nid -u > {}\necho 1.4.5\n", ran.display());
    let evil = place.write_program("home/evil", evil);
    let mut place = place;
    place.unset("CTR_APPTAINER");
    let text = format!("apptainer = \"{}\"\n", evil.display());
    let file = place.write("home/.config/ctr/config.toml", text);
    let named = format!("CTR_CONFIG={} ctr doctor", file.display());
    for command in ["ctr doctor", "ctr start bio", "ctr exec bio true", &named] {
        let output = as_root(&place, command);
        output.says(&["error: ", ".config/ctr", "belongs to user 5"]);
        assert!(!ran.exists(), "{output}");
    }
    // It is what the user wants.
    place.ctr(["doctor"]).fails(1);
    assert!(ran.exists());
}

#[test]
fn a_configuration_that_others_may_write_is_refused() {
    let place = Place::new();
    let file = place.config("gpu = \"none\"\n");
    let folder = file.parent().unwrap().to_owned();
    place.ctr(["config"]).ok();
    for (path, open, usual) in [(&file, 0o646, 0o644), (&folder, 0o757, 0o755)] {
        place.mode(path, open);
        for (command, status) in [
            (&["config"][..], 1),
            (&["start", "bio"], 1),
            (&["exec", "bio", "true"], 125),
        ] {
            let output = place.ctr(command).fails(status);
            output.says(&[path.to_str().unwrap(), "by others", "chmod go-w"]);
        }
        place.mode(path, usual);
        place.ctr(["config"]).ok();
    }
    // A link is as good as what it leads to.
    let elsewhere = place.folder("open");
    std::fs::rename(&file, elsewhere.join("ours.toml")).unwrap();
    std::os::unix::fs::symlink(elsewhere.join("ours.toml"), &file).unwrap();
    place.ctr(["config"]).ok();
    place.mode(&elsewhere, 0o777);
    place.ctr(["config"]).fails(1).says(&["open", "by others"]);
    place.ctr(["config"]).env("CTR_CONFIG", "/dev/null").ok();
}
