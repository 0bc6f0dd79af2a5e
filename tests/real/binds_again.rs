//! Binds at a restart: what was asked for is there again or refused, what came by itself may be gone.

use std::fs;
use std::path::Path;

use serde_json::json;

use crate::support::{Output, Place};

/// Starts `bio` in a folder, and has it die.
fn start_in(place: &Place, folder: &Path, options: &[&str]) {
    let start = place.ctr(["start"]).args(options).arg("bio");
    start.cwd(folder).ok();
    place.crash("bio");
}

fn restart(place: &Place) -> Output {
    place.ctr(["restart", "bio"]).cwd("/").run()
}

#[track_caller]
fn assert_restarts_without(place: &Place, gone: &Path) {
    let output = restart(place);
    assert_eq!(output.status, 0, "{output}");
    let said = format!("{} is not bound: it is gone", gone.display());
    assert_eq!(output.stderr.matches(&said).count(), 1, "{output}");
    assert_eq!(place.status("bio"), "running");
    assert!(!is_bound(place, gone));
}

fn is_bound(place: &Place, folder: &Path) -> bool {
    let binds = place.state("bio")["bind_paths"].clone();
    let binds = binds.as_array().unwrap().iter();
    let source =
        |bind: &serde_json::Value| bind.as_str().unwrap().split(':').next().map(Into::into);
    binds
        .filter_map(source)
        .any(|source: std::path::PathBuf| source == folder)
}

#[test]
fn the_folder_of_the_start_may_be_gone() {
    let place = Place::new();
    let job = place.folder("job");
    start_in(&place, &job, &[]);
    fs::remove_dir(&job).unwrap();
    assert_restarts_without(&place, &job);
    // It is there again when it is there again.
    place.crash("bio");
    place.write("job/file", "");
    let output = restart(&place);
    assert!(!output.stderr.contains("not bound"), "{output}");
    let list = ["exec", "--cwd", "/", "bio", "ls"];
    assert_eq!(place.ctr(list).arg(&job).ok().text(), "file\n");
}

#[test]
fn scratch_and_the_overlay_folders_may_be_gone() {
    let mut place = Place::new();
    let [scratch, base] = ["scratch", "base"].map(|folder| place.folder(folder));
    place.set("SCRATCH", &scratch);
    place.set("CNT_EXTRA_BASE_DIRS", &base);
    start_in(&place, &place.work(), &[]);
    for gone in [scratch, base] {
        fs::remove_dir(&gone).unwrap();
        assert_restarts_without(&place, &gone);
        place.crash("bio");
    }
}

#[test]
fn what_was_asked_for_is_asked_for_wherever_else_it_comes_from() {
    let mut place = Place::new();
    let job = place.folder("job");
    let shown = job.to_str().unwrap().to_owned();
    place.set("SCRATCH", &job);
    start_in(&place, &job, &["--bind", &shown]);
    fs::remove_dir(&job).unwrap();
    let output = restart(&place);
    assert_eq!(output.status, 1, "{output}");
    output.says(&["cannot bind", &shown, "it does not exist"]);
}

#[test]
fn a_state_of_an_earlier_release_tells_of_the_working_folder_alone() {
    let place = Place::new();
    let (job, asked) = (place.folder("job"), place.folder("asked"));
    start_in(&place, &job, &["--bind", asked.to_str().unwrap()]);
    place.edit_state("bio", |state| {
        state
            .as_object_mut()
            .unwrap()
            .remove("implicit_binds")
            .unwrap();
    });
    fs::remove_dir(&job).unwrap();
    assert_restarts_without(&place, &job);
    assert!(place.state("bio")["implicit_binds"].is_array());
    fs::remove_dir(&asked).unwrap();
    assert_eq!(restart(&place).status, 1);
}

#[test]
fn the_records_are_shielded_when_the_cache_has_moved() {
    let mut place = Place::new();
    start_in(&place, &place.work(), &[]);
    let cache = place.path("cache/ctr");
    fs::remove_dir_all(&cache).unwrap();
    place.set("XDG_CACHE_HOME", place.folder("cache2"));
    assert_eq!(restart(&place).status, 0);
    let shield = place.path("cache2/ctr/no-instances");
    assert!(
        is_bound(&place, &shield),
        "{}",
        place.state("bio")["bind_paths"]
    );
}

#[test]
fn the_binds_that_variables_ask_for_are_remembered() {
    for (name, other) in [
        ("APPTAINER_BIND", "APPTAINER_BINDPATH"),
        ("SINGULARITY_BINDPATH", "SINGULARITY_BIND"),
    ] {
        let place = Place::new();
        place.write("work/w/d/file", "");
        let e = place.folder("e");
        let start = place.ctr(["start", "bio"]).cwd(place.path("work/w"));
        let also = format!("{}:/e:ro,", e.display());
        start.env(name, "d:/d").env(other, also).ok();
        let list = ["exec", "--cwd", "/", "bio", "ls", "-d", "/d/file", "/e"];
        assert_eq!(place.ctr(list).ok().text(), "/d/file\n/e\n", "{name}");
        // Other variables are for other starts.
        let restart = place.ctr(["restart", "bio"]).cwd("/");
        restart.env(name, "/usr/share:/other").ok();
        assert_eq!(place.ctr(list).ok().text(), "/d/file\n/e\n", "{name}");
        let list = ["exec", "--cwd", "/", "bio", "ls", "/other"];
        place.ctr(list).fails(1);
        let again = place.ctr(["start", "--if-needed", "bio"]);
        again.fails(1).says(&["another setup: binds"]);
    }
}

#[test]
fn a_variable_that_asks_for_what_is_not_there_is_named() {
    let place = Place::new();
    let start = place
        .ctr(["start", "bio"])
        .env("APPTAINER_BINDPATH", "/nosuch:/x");
    let output = start.fails(1);
    output.says(&[
        "cannot bind /nosuch: it does not exist",
        "APPTAINER_BINDPATH",
    ]);
    place.assert_clean_after(&output);
}

#[test]
fn what_variables_asked_for_at_an_earlier_release_is_asked_for_again() {
    let place = Place::new();
    place.start("bio", &[]);
    place.edit_state("bio", |state| {
        state
            .as_object_mut()
            .unwrap()
            .remove("implicit_binds")
            .unwrap();
    });
    let restart = place.ctr(["restart", "bio"]);
    restart.env("APPTAINER_BIND", "/usr/share:/share").ok();
    place.ctr(["exec", "bio", "ls", "/share"]).ok();
    place.ctr(["restart", "bio"]).ok();
    place.ctr(["exec", "bio", "ls", "/share"]).ok();
}

/// All of them are flags of `apptainer instance start` too, and would not be in force after a restart.
#[test]
fn variables_that_stand_for_other_flags_are_for_neither_a_start_nor_a_restart() {
    let place = Place::new();
    let other = place.folder("other");
    let bind = format!("type=bind,src={},dst=/mounted", other.display());
    let flags = [
        ("HOSTNAME", "evil"),
        ("CONTAIN", "1"),
        ("CONTAINALL", "1"),
        ("CLEANENV", "1"),
        ("ENV_FILE", "/nosuch"),
        ("HOME", "/nosuch:/h"),
        ("WORKDIR", "/nosuch"),
        ("SCRATCH", "/scratched"),
        ("OVERLAY", "/nosuch.img"),
        ("MOUNT", &bind),
        ("DNS", "1.1.1.1"),
        ("NETWORK", "none"),
        ("NO_HOME", "1"),
        ("NO_MOUNT", "tmp"),
        ("FAKEROOT", "1"),
        ("WRITABLE_TMPFS", "1"),
        ("PID_FILE", "/nosuch/pid"),
        ("SECURITY", "uid:0"),
        ("MEMORY", "1"),
    ];
    for prefix in ["APPTAINER", "SINGULARITY"] {
        let with = |command: &str| {
            let run = place.ctr([command, "bio"]);
            let set = |run: crate::support::Run, (name, value): &(&str, &str)| {
                run.env(format!("{prefix}_{name}"), value)
            };
            flags.iter().fold(run, set).ok()
        };
        for command in ["start", "restart"] {
            with(command);
            let script = "hostname; id -u; ls -d / /mounted /scratched 2>/dev/null; echo $KEPT";
            let run = place.ctr(["exec", "bio", "sh", "-c", script]);
            let host = nix::unistd::gethostname().unwrap().into_string().unwrap();
            let expected = format!("{host}\n{}\n/\nyes\n", nix::unistd::getuid());
            assert_eq!(
                run.env("KEPT", "yes").ok().text(),
                expected,
                "{prefix} {command}"
            );
        }
        assert_eq!(place.state("bio")["apptainer_flags"], json!([]));
        place.ctr(["stop", "bio"]).ok();
    }
}
