//! An overlay under `hostos` lies over what the host has at its top: what it may have there, and what not.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::{Place, images};

/// A place without a base image, and a folder with a program that is to become an overlay.
fn place() -> (Place, PathBuf) {
    let place = Place::bare();
    place.write_program("tree/cnt/demo/1.0/bin/demo", "#!/bin/sh\necho demo\n");
    let tree = place.path("tree");
    (place, tree)
}

fn pack(place: &Place, tree: &Path) {
    let file = place.path("overlays/demo--1.0.sqf");
    let mksquashfs = place.program("mksquashfs").arg(tree).arg(file);
    let plain = ["-all-root", "-noappend", "-quiet", "-no-progress"];
    mksquashfs.args(plain).ok();
}

fn remove(path: &Path) {
    let removed = match path.is_dir() && !path.is_symlink() {
        true => fs::remove_dir_all(path),
        false => fs::remove_file(path),
    };
    removed.unwrap();
}

/// A name at the top of the host that is a link, and what that says.
fn a_link_of_the_host() -> (String, PathBuf) {
    let links = fs::read_dir("/").unwrap().flatten();
    let mut links = links.filter(|entry| entry.path().is_symlink());
    let link = links.next().expect("a host whose /bin is /usr/bin");
    let target = fs::read_link(link.path()).unwrap();
    (link.file_name().into_string().unwrap(), target)
}

#[track_caller]
fn assert_refused(place: &Place, overlay: &str, why: &str) {
    let output = place.ctr(["start", "-o", overlay, "bio"]).fails(1);
    output.says(&[overlay.split('/').next().unwrap(), why, "-b"]);
    place.assert_clean_after(&output);
}

#[track_caller]
fn assert_runs(place: &Place) {
    place.start("bio", &["--replace", "-o", "demo/1.0"]);
    assert_eq!(place.ctr(["exec", "bio", "demo"]).ok().text(), "demo\n");
    place.ctr(["stop", "bio"]).ok();
}

#[test]
fn what_takes_the_place_of_a_link_of_the_host_is_refused() {
    let (mut place, tree) = place();
    let (name, target) = a_link_of_the_host();
    let at = tree.join(&name);
    let why = format!("its /{name} takes the place of the host's link");
    let make: [(&str, &dyn Fn()); 4] = [
        ("an empty folder", &|| fs::create_dir(&at).unwrap()),
        ("a folder", &|| fs::create_dir_all(at.join("x")).unwrap()),
        ("a file", &|| fs::write(&at, "").unwrap()),
        ("another link", &|| symlink("cnt", &at).unwrap()),
    ];
    for (_what, make) in make {
        make();
        pack(&place, &tree);
        assert_refused(&place, "demo/1.0", &why);
        remove(&at);
    }
    // The same link does no harm.
    symlink(&target, &at).unwrap();
    pack(&place, &tree);
    assert_runs(&place);
    // With a base image it is that one's matter.
    remove(&at);
    fs::create_dir(&at).unwrap();
    pack(&place, &tree);
    place.set("CTR_BASE_IMAGE", &images().sif);
    let plan = ["start", "--dry-run", "-o", "demo/1.0", "bio"];
    place.ctr(plan).ok().quiet();
}

#[test]
fn what_is_no_folder_where_the_host_has_one_is_refused() {
    let (place, tree) = place();
    for name in ["usr", "etc", "home", "tmp"] {
        let at = tree.join(name);
        fs::write(&at, "").unwrap();
        pack(&place, &tree);
        assert_refused(&place, "demo/1.0", &format!("its /{name} is no folder"));
        remove(&at);
    }
    let at = tree.join("usr");
    symlink("cnt", &at).unwrap();
    pack(&place, &tree);
    assert_refused(&place, "demo/1.0", "its /usr is no folder");
    remove(&at);
    // A folder is hidden by the host's, and what the host has not is the overlay's alone.
    fs::create_dir(&at).unwrap();
    fs::write(tree.join("of-the-overlay"), "").unwrap();
    pack(&place, &tree);
    assert_runs(&place);
}

#[test]
fn that_goes_for_an_ext3_overlay_too() {
    let place = Place::bare();
    let (name, target) = a_link_of_the_host();
    let image = place.ext3("env.img", nix::unistd::getuid().as_raw());
    let change = |request: &str| {
        let mut debugfs = Command::new("debugfs");
        debugfs.env("PATH", "/usr/sbin:/sbin:/usr/bin:/bin");
        let output = debugfs.args(["-w", "-R", request]).arg(&image).output();
        assert!(output.unwrap().status.success(), "{request}");
    };
    let why = format!("its /{name} takes the place of the host's link");
    change(&format!("mkdir /upper/{name}"));
    assert_refused(&place, "env.img", &why);
    change(&format!("rmdir /upper/{name}"));
    change(&format!("symlink /upper/{name} cnt"));
    assert_refused(&place, "env.img", &why);
    change(&format!("rm /upper/{name}"));
    change(&format!("symlink /upper/{name} {}", target.display()));
    place.start("bio", &["-o", "env.img"]);
    assert_eq!(place.ctr(["exec", "bio", "tool"]).ok().text(), "tool\n");
}
