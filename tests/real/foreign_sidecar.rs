//! A file that another has put beside an overlay has no say in it, inside or outside.

use std::path::{Path, PathBuf};

use crate::support::{Output, Place};

const EVIL: &str = "PATH=/evil:$PATH\nLD_PRELOAD=/evil/evil.so\n#ENVNOTE:PATH=evil\n";

/// A place with an overlay of the user's in a folder where all may put files.
fn place() -> (Place, PathBuf) {
    let place = Place::new();
    let overlay = place.overlay_in("shared", "demo/1.0", &[]);
    place.mode(&place.path("shared"), 0o1777);
    (place, overlay)
}

/// Gives a file, no link's target, to another user.
fn give_away(place: &Place, file: &Path) {
    let chown = ["--map-root-user", "--map-auto", "chown", "-h", "1:1"];
    place.program("unshare").args(chown).arg(file).ok();
}

#[track_caller]
fn start(place: &Place, overlay: &Path) -> Output {
    let overlay = overlay.to_str().unwrap();
    place.start("bio", &["--replace", "-o", overlay])
}

#[track_caller]
fn assert_no_say(place: &Place, overlay: &Path) {
    let output = start(place, overlay);
    output.says(&["warning: ", "demo--1.0.sqf.env is left out", "`trusted`"]);
    let state = place.state("bio").to_string();
    assert!(!state.to_lowercase().contains("evil"), "{state}");
    let seen = place.environ("bio");
    let is_evil =
        |(name, value): (&String, &String)| name == "LD_PRELOAD" || value.contains("evil");
    assert!(!seen.iter().any(is_evil), "{seen:#?}");
}

#[track_caller]
fn assert_says(place: &Place, overlay: &Path) {
    let output = start(place, overlay);
    assert!(!output.stderr.contains("left out"), "{output}");
    assert_eq!(place.environ("bio")["LD_PRELOAD"], "/evil/evil.so");
}

#[test]
fn that_of_another_user_is_left_out_altogether() {
    let (place, overlay) = place();
    let sidecar = place.sidecar(&overlay, EVIL);
    assert_says(&place, &overlay);
    give_away(&place, &sidecar);
    assert_no_say(&place, &overlay);
    // Who made the overlay could have put it in there.
    give_away(&place, &overlay);
    assert_says(&place, &overlay);
}

#[test]
fn a_folder_that_is_trusted_makes_it_good() {
    let (place, overlay) = place();
    let sidecar = place.sidecar(&overlay, EVIL);
    give_away(&place, &sidecar);
    let folder = place.path("shared");
    place.config(&format!("trusted = [{:?}]\n", folder.to_str().unwrap()));
    assert_says(&place, &overlay);
}

#[test]
fn it_cannot_stand_in_the_way_of_a_start_either() {
    let (place, overlay) = place();
    for (text, mode) in [("PS1=evil\n", 0o644), ("HOME=/evil\n", 0o644), ("", 0o000)] {
        let sidecar = place.sidecar(&overlay, text);
        place.mode(&sidecar, mode);
        give_away(&place, &sidecar);
        assert_no_say(&place, &overlay);
        std::fs::remove_file(sidecar).unwrap();
    }
}

#[test]
fn a_link_is_judged_by_its_own_owner_and_by_that_of_its_target() {
    let (place, overlay) = place();
    let target = place.write("elsewhere/vars", EVIL);
    let link = place.path("shared/demo--1.0.sqf.env");
    std::os::unix::fs::symlink(&target, &link).unwrap();
    assert_says(&place, &overlay);
    give_away(&place, &target);
    assert_no_say(&place, &overlay);
    std::fs::remove_file(&target).unwrap();
    place.write("elsewhere/vars", EVIL);
    assert_says(&place, &overlay);
    give_away(&place, &link);
    assert_no_say(&place, &overlay);
}

#[test]
fn what_all_may_write_is_nobodys() {
    let (place, overlay) = place();
    let sidecar = place.sidecar(&overlay, EVIL);
    place.mode(&sidecar, 0o646);
    assert_no_say(&place, &overlay);
    // Where all may write the overlay too, it is no worse than that.
    place.mode(&overlay, 0o666);
    assert_says(&place, &overlay);
}
