//! The image behind the `hostos` base: an empty skeleton, built once and kept in the cache.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use crate::support::Place;

/// A place in which nothing is configured, with `dev` running.
fn place() -> Place {
    let place = Place::bare();
    place.start("dev", &[]);
    place
}

#[test]
fn the_skeleton_is_built_once_and_restarts_use_it() {
    let place = place();
    let skeletons = || -> Vec<_> {
        let files = place.glob("cache/ctr/hostos/*");
        files
            .into_iter()
            .map(|file| (fs::metadata(&file).unwrap().ino(), file))
            .collect()
    };
    let built = skeletons();
    assert_eq!(built.len(), 1, "{built:?}");
    assert!(fs::metadata(&built[0].1).unwrap().len() < 200_000);
    place.ctr(["restart", "dev"]).ok();
    place.start("two", &[]);
    assert_eq!(skeletons(), built);
    place.ctr(["exec", "dev", "true"]).ok();
}

#[test]
fn two_first_starts_at_once_both_work() {
    let place = Place::bare();
    let mut starts = ["one", "two"].map(|name| place.ctr(["start", name]).spawn());
    assert_eq!(
        starts
            .each_mut()
            .map(|start| start.wait().unwrap().success()),
        [true, true]
    );
    assert_eq!(place.glob("cache/ctr/hostos/*").len(), 1);
}

#[test]
fn a_dry_run_builds_nothing() {
    let place = Place::bare();
    let planned = place.ctr(["start", "--dry-run", "dev"]).ok();
    assert!(planned.text().contains("hostos"), "{planned}");
    assert_eq!(
        place.glob("cache/ctr/hostos/*"),
        Vec::<std::path::PathBuf>::new()
    );
    assert!(!place.path("cache/ctr/no-instances").exists());
}

#[test]
fn a_restart_makes_again_what_was_in_the_cache() {
    let place = place();
    fs::remove_dir_all(place.path("cache/ctr")).unwrap();
    place.ctr(["restart", "dev"]).ok();
    assert_eq!(place.status("dev"), "running");
}

#[test]
fn its_image_is_never_one_that_others_could_have_written() {
    let place = Place::bare();
    let start = |name: &str| {
        let script = format!("umask 002; exec ctr start {name}");
        place.program("sh").args(["-c", &script]).ok();
    };
    let mode = |path: &Path| fs::symlink_metadata(path).unwrap().mode() & 0o777;
    start("one");
    let image = place.glob("cache/ctr/hostos/*").pop().unwrap();
    let folders = ["cache/ctr", "cache/ctr/hostos", "cache/ctr/no-instances"];
    for folder in folders {
        assert_eq!(mode(&place.path(folder)), 0o700, "{folder}");
    }
    assert_eq!(mode(&image), 0o600);

    // As an older version has left it: what another member of the group has put there is not run.
    for folder in folders {
        place.mode(&place.path(folder), 0o775);
    }
    fs::write(&image, "not an image").unwrap();
    place.mode(&image, 0o664);
    start("two");
    place.ctr(["exec", "two", "true"]).ok().quiet();
    for folder in folders {
        assert_eq!(mode(&place.path(folder)), 0o700, "{folder}");
    }
    // A link is not what was built.
    let elsewhere = place.write("work/elsewhere.sif", "not an image");
    fs::remove_file(&image).unwrap();
    std::os::unix::fs::symlink(&elsewhere, &image).unwrap();
    start("three");
    assert_eq!(fs::read(&elsewhere).unwrap(), b"not an image");
    assert!(fs::symlink_metadata(&image).unwrap().is_file());
    // What is remembered of files, too.
    let remembered = place.glob("cache/ctr/*.json");
    assert!(!remembered.is_empty());
    for file in remembered {
        assert_eq!(mode(&file), 0o600, "{file:?}");
    }
}

#[test]
fn it_serves_everybody_whatever_umask_it_was_first_made_with() {
    let place = Place::bare();
    let start = |umask: &str, name: &str| {
        let script = format!("umask {umask}; exec ctr start {name}");
        place.program("sh").args(["-c", &script]).ok();
        place.ctr(["exec", name, "ls", "/var/tmp", "/etc"]).ok();
    };
    start("077", "one");
    start("022", "two");
    assert_eq!(place.glob("cache/ctr/hostos/*").len(), 1);
}
