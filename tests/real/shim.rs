//! `ctr shim` and `ctr why`: which commands of an instance are on `PATH`.

use std::fs;
use std::os::unix::fs::symlink;

use serde_json::json;

use crate::support::{Place, Run};

/// A program that says that it is the one inside.
pub const SAYS: &str = "#!/bin/sh\necho of the inside\n";

/// `bio` with the shim `demo`, which says so.
pub fn with_demo() -> Place {
    let place = Place::new();
    place.overlay("demo/1.0", &[("bin/demo", SAYS)]);
    place.start("bio", &["-o", "demo/1.0"]);
    place.ctr(["shim", "add", "bio", "demo"]).ok();
    place
}

pub fn demo(place: &Place) -> Run {
    place.program(place.shim("bio", "demo"))
}

const ECHOES: &str = "#!/bin/sh\necho \"$0\" \"$@\"\n";

/// `bio` with two overlays, which bring `one` and `two`, and what is no program.
fn place() -> Place {
    let place = Place::new();
    let files = |command| {
        [
            (command, ECHOES),
            ("bin/text", "x"),
            ("bin/.hidden", ECHOES),
        ]
    };
    place.overlay("a/1", &files("bin/one"));
    place.overlay("b/1", &files("bin/two"));
    place.start("bio", &["-o", "a/1", "-o", "b/1"]);
    place
}

/// With `bio` active, as far as `PATH` is concerned.
fn active(place: &mut Place) {
    let folder = place.shims("bio");
    place.set("CTR_INSTANCE", "bio");
    place.set("CTR_PATH_ENTRY", &folder);
    place.prepend_path(&folder);
}

fn shims(place: &Place, instance: &str) -> Vec<String> {
    let entries = fs::read_dir(place.shims(instance))
        .into_iter()
        .flatten()
        .flatten();
    let mut names: Vec<String> = entries
        .map(|entry| entry.file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn a_shim_is_a_link_to_ctr_in_a_private_folder() {
    use std::os::unix::fs::PermissionsExt;

    let place = place();
    let output = place.ctr(["shim", "add", "bio", "one"]).ok();
    output.says(&["`bio` has 1 shim more: one", "eval \"$(ctr env bio)\""]);
    assert_eq!(output.text(), "");
    let shim = place.shim("bio", "one");
    // By the name on PATH, which stays when the version behind it is another.
    assert_eq!(fs::read_link(&shim).unwrap(), place.path("bin/ctr"));
    for folder in [
        "run/ctr",
        "run/ctr/shims",
        "run/ctr/shims/bio",
        "run/ctr/states",
    ] {
        let mode = fs::metadata(place.path(folder))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o700, "{folder}");
    }
    assert_eq!(place.state("bio")["shims"], json!(["one"]));
    let output = place.program(shim).args(["x", "y"]).ok();
    assert_eq!(output.text(), "/cnt/a/1/bin/one x y\n");
    output.quiet();
}

#[test]
fn all_is_what_the_overlays_brought_and_not_the_image() {
    let place = place();
    // What the host has of that name is told.
    let hidden = place.write_program("bin/two", ECHOES);
    let output = place.ctr(["shim", "add", "bio", "--all"]).ok();
    output.says(&["`bio` has 2 shims more: one two"]);
    output.says(&[&format!("there they hide {}", hidden.display())]);
    assert_eq!(shims(&place, "bio"), ["one", "two"]);
    let again = place.ctr(["shim", "add", "bio", "--all"]).ok();
    again.says(&["`bio` has them already"]);
    assert_eq!(shims(&place, "bio"), ["one", "two"]);
    // One of the image can be named.
    place
        .ctr(["-q", "shim", "add", "bio", "busybox"])
        .ok()
        .quiet();
    assert_eq!(shims(&place, "bio"), ["busybox", "one", "two"]);

    place.start("none", &[]);
    let output = place.ctr(["shim", "add", "none", "--all"]).fails(1);
    output.says(&[
        "no overlay of `none` brought a command",
        "ctr shim add none COMMAND",
    ]);
}

#[test]
fn the_last_overlay_wins_and_an_ext3_overlay_counts() {
    let place = Place::new();
    place.overlay("a/1", &[("bin/tool", ECHOES)]);
    let ext3 = place.ext3("env.img", nix::unistd::getuid().as_raw());
    let ext3 = ext3.to_str().unwrap();
    for options in [
        &["-o", "a/1", "-o", ext3][..],
        &["-w", "-o", "a/1", "-o", ext3],
    ] {
        place.start("bio", options);
        place.ctr(["shim", "add", "bio", "--all"]).ok();
        assert_eq!(shims(&place, "bio"), ["tool"]);
        let list = place.ctr(["shim", "list", "--json"]).ok().json();
        assert_eq!(list["shims"][0]["inside"], "/ext3/env/bin/tool");
        assert_eq!(list["shims"][0]["overlay"], ext3);
        let output = place.program(place.shim("bio", "tool")).ok();
        assert_eq!(output.text(), "tool\n");
        place.ctr(["stop", "bio"]).ok();
    }
}

#[test]
fn nothing_is_added_when_one_cannot_be() {
    let place = place();
    let output = place.ctr(["shim", "add", "bio", "one", "tow"]).fails(1);
    output.says(&["error: no command `tow` in `bio`", "did you mean two?"]);
    let output = place.ctr(["shim", "add", "bio", "one", "text"]).fails(1);
    output.says(&["error: no command `text` in `bio`"]);
    for (name, why) in [
        ("ctr", "in the way of ctr itself"),
        ("a/b", "is not the name of a command"),
        (".x", "is not the name of a command"),
        ("", "is not the name of a command"),
        ("a\nb", "is not the name of a command"),
    ] {
        place
            .ctr(["shim", "add", "bio", "one", name])
            .fails(2)
            .says(&[why]);
    }
    place.ctr(["shim", "add", "bio"]).fails(2);
    place.ctr(["shim", "add", "bio", "--all", "one"]).fails(2);
    place
        .ctr(["shim", "add", "boi", "one"])
        .fails(1)
        .says(&["no such instance: boi", "bio"]);
    assert_eq!(shims(&place, "bio"), [""; 0]);
    assert_eq!(place.state("bio").get("shims"), None);
}

#[test]
fn what_ctr_did_not_make_stays() {
    let place = place();
    let mine = place.write("run/ctr/shims/bio/one", "mine");
    symlink("/bin/true", place.shim("bio", "two")).unwrap();
    place.mode(&place.path("run/ctr"), 0o700);
    for command in ["one", "two"] {
        let output = place.ctr(["shim", "add", "bio", command]).fails(1);
        output.says(&[
            place.shim("bio", command).to_str().unwrap(),
            "ctr did not make it",
        ]);
    }
    place.ctr(["shim", "add", "bio", "busybox"]).ok();
    place.ctr(["shim", "remove", "bio", "--all"]).ok();
    place.ctr(["stop", "bio"]).ok();
    assert_eq!(shims(&place, "bio"), ["one", "two"]);
    assert_eq!(fs::read_to_string(mine).unwrap(), "mine");
}

#[test]
fn an_instance_that_does_not_run_gets_none() {
    let place = place();
    place
        .apptainer(["instance", "start"])
        .arg(&crate::support::images().sif)
        .arg("other")
        .ok();
    let output = place.ctr(["shim", "add", "other", "ls"]).fails(1);
    output.says(&["`other` was started without ctr"]);
    place.ctr(["stop", "--keep", "bio"]).ok();
    let output = place.ctr(["shim", "add", "bio", "one"]).fails(1);
    output.says(&["`bio` is stopped", "ctr restart bio"]);
    place.ctr(["stop", "bio"]).ok();
    place
        .ctr(["shim", "add", "bio", "one"])
        .fails(1)
        .says(&["no such instance: bio"]);
}

#[test]
fn the_list_says_where_each_leads() {
    let place = place();
    let host = place.write_program("bin/one", ECHOES);
    let none = place.ctr(["shim", "list"]).ok();
    none.says(&["no shims"]);
    assert_eq!(
        place.ctr(["shim", "list", "--json"]).ok().json(),
        json!({"shims": []})
    );

    place.start("other", &[]);
    place.ctr(["shim", "add", "bio", "two", "one"]).ok();
    place.ctr(["shim", "add", "other", "ls"]).ok();
    let one = json!({
        "instance": "bio", "status": "running", "command": "one",
        "path": place.shim("bio", "one"), "inside": "/cnt/a/1/bin/one",
        "overlay": place.path("overlays/a--1.sqf"), "hides": host,
    });
    let list = place.ctr(["shim", "list", "--json"]).ok().json();
    let list = list["shims"].as_array().unwrap().clone();
    assert_eq!(list[0], one);
    let ls = &list[2];
    assert_eq!(
        (&ls["inside"], &ls["overlay"]),
        (&json!("/bin/ls"), &json!(null))
    );
    let only = place.ctr(["shim", "list", "other", "--json"]).ok().json();
    assert_eq!(only["shims"], json!([ls]));
    let table = place.ctr(["shim", "list", "bio"]).ok();
    let rows: Vec<Vec<&str>> = table
        .lines()
        .iter()
        .map(|line| line.split_whitespace().collect())
        .collect();
    assert_eq!(rows[0], ["INSTANCE", "COMMAND", "RUNS", "HIDES"]);
    assert_eq!(
        rows[1],
        ["bio", "one", "/cnt/a/1/bin/one", host.to_str().unwrap()]
    );
    assert_eq!(rows[2], ["bio", "two", "/cnt/b/1/bin/two", "-"]);

    let show = place.ctr(["show", "bio"]).ok();
    let is_shown = show
        .lines()
        .iter()
        .any(|line| line.split_whitespace().eq(["shims", "one", "two"]));
    assert!(is_shown, "{show}");
    let missing = place.ctr(["shim", "list", "--json", "nosuch"]).fails(1);
    assert_eq!(missing.json()["error"]["kind"], "not_found");

    place.crash("bio");
    let list = place.ctr(["shim", "list", "bio", "--json"]).ok().json();
    assert_eq!(list["shims"][0]["status"], "dead");
    assert_eq!(list["shims"][0]["inside"], json!(null));
    let table = place.ctr(["shim", "list", "bio"]).ok();
    assert!(table.lines()[1].contains("dead"), "{table}");
}

#[test]
fn they_are_removed_one_by_one_or_all() {
    let place = place();
    place
        .ctr(["shim", "add", "bio", "one", "two", "busybox"])
        .ok();
    let output = place.ctr(["shim", "remove", "bio", "one", "oen"]).fails(1);
    output.says(&["`bio` has no shim `oen`", "did you mean one?"]);
    assert_eq!(shims(&place, "bio"), ["busybox", "one", "two"]);
    let output = place.ctr(["shim", "remove", "bio", "one"]).ok();
    output.says(&["`bio` has 1 shim less: one"]);
    assert_eq!(shims(&place, "bio"), ["busybox", "two"]);
    assert_eq!(place.state("bio")["shims"], json!(["busybox", "two"]));
    place.ctr(["shim", "remove", "bio"]).fails(2);
    // Also of one that is dead.
    place.crash("bio");
    place
        .ctr(["shim", "remove", "bio", "--all"])
        .ok()
        .says(&["2 shims less"]);
    assert_eq!(shims(&place, "bio"), [""; 0]);
    place
        .ctr(["shim", "remove", "bio", "--all"])
        .ok()
        .says(&["`bio` has no shims"]);
}

#[test]
fn what_comes_before_the_folder_is_not_hidden() {
    let mut place = place();
    let host = place.write_program("first/two", ECHOES);
    place.ctr(["shim", "add", "bio", "one", "two"]).ok();
    active(&mut place);
    place.prepend_path(&place.path("first"));
    let list = place.ctr(["shim", "list", "--json"]).ok().json();
    assert_eq!(list["shims"][1]["hides"], json!(null));
    let why = place.ctr(["why", "two"]).ok();
    assert_eq!(why.text(), format!("{} of this host\n", host.display()));
}

#[test]
fn an_overlay_that_has_changed_on_disk_is_not_taken_for_the_image() {
    let place = place();
    fs::remove_file(place.path("overlays/a--1.sqf")).unwrap();
    place.overlay("b/1", &[("share/text", "x")]);
    place.ctr(["shim", "add", "bio", "--all"]).ok();
    assert_eq!(shims(&place, "bio"), ["one", "two"]);
    let why = |path: &str| place.ctr(["why", path]).ok();
    let changed = "from an overlay that has changed since\n";
    for command in ["one", "two"] {
        let shim = place.shim("bio", command).display().to_string();
        assert!(why(&shim).text().ends_with(changed), "{}", why(&shim));
    }
}

#[test]
fn without_apptainer_the_reason_is_told() {
    let mut place = place();
    place.ctr(["shim", "add", "bio", "one"]).ok();
    // Another Apptainer than the one that the way in was learned from.
    place.set("CTR_APPTAINER", "/nowhere/apptainer");
    let why = place.ctr(["why"]).arg(place.shim("bio", "one")).fails(1);
    why.says(&["cannot look into `bio`", "/nowhere/apptainer", "ctr doctor"]);
    let list = place.ctr(["shim", "list"]).ok();
    list.says(&["cannot look into `bio`", "/nowhere/apptainer"]);
    assert!(list.lines()[1].contains("cannot be seen"), "{list}");
}

#[test]
fn why_says_what_would_run() {
    let mut place = place();
    let host = place.write_program("bin/two", ECHOES);
    let outside = place.ctr(["why", "two"]);
    let off_path = place.ctr(["why", "one"]);
    active(&mut place);
    let why = |command: &str| place.ctr(["why", command]);
    let host_line = format!("{} of this host\n", host.display());
    assert_eq!(why("two").ok().text(), host_line);
    let nothing = why("one").fails(1);
    nothing.says(&[
        "error: no command `one` on your PATH",
        "ctr shim add bio one",
    ]);
    why("nosuch")
        .fails(1)
        .says(&["no command `nosuch` on your PATH"]);
    why("").fails(1);
    let path = why("/nowhere/x").fails(1);
    path.says(&["/nowhere/x is no program that you can run"]);

    place.ctr(["shim", "add", "bio", "one", "two"]).ok();
    let (shim, overlay) = (place.shim("bio", "two"), place.path("overlays/b--1.sqf"));
    let (shim, overlay) = (shim.display(), overlay.display());
    let told = format!("{shim} is a shim of `bio`: /cnt/b/1/bin/two from {overlay}\n");
    let hides = format!("it hides {}\n", host.display());
    assert_eq!(why("two").ok().text(), format!("{told}{hides}"));
    assert!(why(&shim.to_string()).ok().text().starts_with(&told));
    // Where the folder is not on PATH it is the host's.
    assert_eq!(outside.ok().text(), host_line);
    let told = off_path.env("CTR_INSTANCE", "bio").fails(1);
    told.says(&[
        "no command `one`",
        "`bio` has a shim of it: make it active: eval",
    ]);
    // A login shell may have it active, and a PATH of its own.
    let path = place.environment()[std::ffi::OsStr::new("PATH")].clone();
    let path = path.to_str().unwrap().split_once(':').unwrap().1.to_owned();
    let added = place
        .ctr(["shim", "add", "bio", "busybox"])
        .env("PATH", path)
        .ok();
    added.says(&["to have them on PATH, make it active"]);

    place.ctr(["stop", "--keep", "bio"]).ok();
    let told = why("one").ok();
    assert!(
        told.text().contains("is a shim of `bio`, which is stopped"),
        "{told}"
    );
}
