//! From the names of overlays to what is mounted, in which order, and what that puts on the PATH.

use std::fs;
use std::path::Path;

use crate::support::Place;

/// A program that says where it came from.
fn saying(what: &str) -> String {
    format!("#!/bin/sh\necho {what}\n")
}

/// The overlays that the state names, without `:ro` and `:rw`.
fn overlays_of(place: &Place, name: &str) -> Vec<String> {
    let state = place.ctr(["show", "--json", name]).ok().json();
    let overlays = state["overlays"].as_array().unwrap().iter();
    let plain = |overlay: &str| {
        overlay
            .trim_end_matches(":ro")
            .trim_end_matches(":rw")
            .to_owned()
    };
    overlays
        .map(|overlay| plain(overlay.as_str().unwrap()))
        .collect()
}

#[test]
fn equals_at_two_dashes_and_a_slash_name_the_same_overlay() {
    let place = Place::new();
    let overlay = place.overlay("demo/1.0", &[("bin/demo", &saying("demo"))]);
    for name in [
        "demo/1.0",
        "demo=1.0",
        "demo@1.0",
        "demo--1.0",
        "demo/1.0:ro",
    ] {
        place.start("bio", &["--replace", "-o", name]);
        assert_eq!(
            place.ctr(["exec", "bio", "demo"]).ok().text(),
            "demo\n",
            "{name}"
        );
        assert_eq!(overlays_of(&place, "bio"), [overlay.to_str().unwrap()]);
    }
}

#[test]
fn what_ends_in_a_suffix_of_an_overlay_is_a_path() {
    let place = Place::new();
    let overlay = place.overlay_in("elsewhere", "demo/1.0", &[("bin/demo", &saying("demo"))]);
    for suffix in ["sqf", "sqsh", "squashfs"] {
        let whole = overlay.with_file_name(format!("any name.{suffix}"));
        fs::copy(&overlay, &whole).unwrap();
        let relative = format!("../elsewhere/any name.{suffix}");
        for path in [
            whole.to_str().unwrap(),
            &relative,
            &format!("{relative}:ro"),
        ] {
            place.start("bio", &["--replace", "-o", path]);
            let run = place.ctr(["exec", "bio", "/cnt/demo/1.0/bin/demo"]);
            assert_eq!(run.ok().text(), "demo\n", "{path}");
            assert_eq!(overlays_of(&place, "bio"), [whole.to_str().unwrap()]);
        }
    }
}

#[test]
fn the_first_search_folder_that_has_the_overlay_wins() {
    let mut place = Place::new();
    let below = |folder: &str| place.folder(folder).into_os_string().into_string().unwrap();
    let own = format!("{}:{}", below("own1"), below("own2"));
    let extra = format!("{}:{}", below("extra1"), below("extra2"));
    let scratch = below("scratch");
    let images = format!("{}:ro|{}:rw", below("images1"), below("images2"));
    let (lab, cluster) = (below("lab"), below("cluster"));
    place.set("CTR_OVERLAY_PATH", own);
    place.set("CNT_EXTRA_BASE_DIRS", extra);
    place.set("SCRATCH", scratch);
    place.set("CNT_EXTRA_IMAGE_DIRS", images);
    place.set("CNT_EXTRA_ROOT", lab);
    place.set("CNT_ROOT", cluster);
    let folders = [
        "own1",
        "own2",
        "images1",
        "images2",
        "extra1/images",
        "extra2/images",
        "lab/images",
        "cluster/images",
        "home/condatainer/images",
        "scratch/condatainer/images",
        "data/condatainer/images",
    ];
    for folder in folders {
        place.overlay_in(folder, "demo/1.0", &[("bin/demo", &saying(folder))]);
    }
    for folder in folders {
        place.start("bio", &["--replace", "-o", "demo/1.0"]);
        assert_eq!(
            place.ctr(["exec", "bio", "demo"]).ok().text(),
            format!("{folder}\n")
        );
        fs::remove_file(place.path(folder).join("demo--1.0.sqf")).unwrap();
    }
    place
        .ctr(["start", "-o", "demo/1.0", "other"])
        .fails(1)
        .says(&["demo/1.0"]);
}

#[test]
fn the_configuration_names_search_folders_and_the_variable_wins() {
    let mut place = Place::new();
    let configured = place.path("configured");
    place.config(&format!(
        "overlay_path = [{:?}]\n",
        configured.to_str().unwrap()
    ));
    place.overlay_in(
        "configured",
        "demo/1.0",
        &[("bin/demo", &saying("configured"))],
    );
    place.unset("CTR_OVERLAY_PATH");
    place.start("bio", &["-o", "demo/1.0"]);
    assert_eq!(
        place.ctr(["exec", "bio", "demo"]).ok().text(),
        "configured\n"
    );

    place.overlay("demo/1.0", &[("bin/demo", &saying("variable"))]);
    place.set("CTR_OVERLAY_PATH", place.path("overlays"));
    place.start("bio", &["--replace", "-o", "demo/1.0"]);
    assert_eq!(place.ctr(["exec", "bio", "demo"]).ok().text(), "variable\n");
}

#[test]
fn a_bare_name_is_also_looked_for_below_the_default_distribution() {
    let place = Place::new();
    place.overlay("debian12/igv", &[("bin/igv", &saying("igv"))]);
    place
        .ctr(["start", "-o", "igv", "bio"])
        .fails(1)
        .says(&["igv"]);
    place.config("default_distro = \"debian12\"\n");
    place.start("bio", &["-o", "igv"]);
    assert_eq!(place.ctr(["exec", "bio", "igv"]).ok().text(), "igv\n");
}

#[test]
fn an_overlay_that_is_nowhere_is_named_with_the_folders_that_were_searched() {
    let place = Place::new();
    let output = place.ctr(["start", "-o", "nosuch/1.0", "bio"]).fails(1);
    output.says(&["nosuch/1.0", place.path("overlays").to_str().unwrap()]);
    place
        .ctr(["start", "-o", "../nosuch.sqf", "bio"])
        .fails(1)
        .says(&["nosuch.sqf"]);
    assert!(place.records().is_empty());
}

#[test]
fn overlays_lists_what_names_resolve_to() {
    let place = Place::new();
    let demo = place.overlay("demo/1.0", &[]);
    let other = place.overlay("other/2.0", &[]);
    let output = place.ctr(["overlays"]).ok();
    assert!(
        output.text().contains("demo/1.0") && output.text().contains("other/2.0"),
        "{output}"
    );
    assert!(output.text().contains(demo.to_str().unwrap()), "{output}");
    let json = place
        .ctr(["overlays", "--json", "demo*"])
        .ok()
        .json()
        .to_string();
    assert!(json.contains(demo.to_str().unwrap()), "{json}");
    assert!(!json.contains(other.to_str().unwrap()), "{json}");
}

#[test]
fn the_program_of_the_last_overlay_wins() {
    let place = Place::new();
    place.overlay("one/1.0", &[("bin/which-one", &saying("one"))]);
    place.overlay("two/1.0", &[("bin/which-one", &saying("two"))]);
    place.start("bio", &["-o", "one/1.0", "-o", "two/1.0"]);
    assert_eq!(place.ctr(["exec", "bio", "which-one"]).ok().text(), "two\n");
    place.start("bio", &["--replace", "-o", "two/1.0", "-o", "one/1.0"]);
    assert_eq!(place.ctr(["exec", "bio", "which-one"]).ok().text(), "one\n");
}

#[test]
fn only_folders_of_programs_that_exist_inside_are_put_on_the_path() {
    let place = Place::new();
    place.overlay("with/1.0", &[("bin/program", &saying("hi"))]);
    place.overlay("without/1.0", &[("share/file", "text")]);
    // More than one slash: data, whatever it holds.
    place.overlay(
        "grch38/genome/v1",
        &[("bin/program", &saying("data")), ("genome.fa", ">1\n")],
    );
    place.start(
        "bio",
        &[
            "-o",
            "with/1.0",
            "-o",
            "without/1.0",
            "-o",
            "grch38/genome/v1",
        ],
    );
    let path = place.environ("bio")["PATH"].clone();
    assert!(path.starts_with("/cnt/with/1.0/bin:/image/bin:"), "{path}");
    for file in [
        "/cnt/without/1.0/share/file",
        "/cnt/grch38/genome/v1/genome.fa",
    ] {
        place.ctr(["exec", "bio", "test", "-e", file]).ok();
    }
}

#[test]
fn the_ext3_overlay_is_mounted_last_wherever_it_stands() {
    let place = Place::new();
    let demo = place.overlay("demo/1.0", &[("bin/demo", &saying("demo"))]);
    let image = place.ext3("env.img", nix::unistd::getuid().as_raw());
    let expected = [demo.to_str().unwrap(), image.to_str().unwrap()];
    for suffix in ["", ":ro", ":rw"] {
        let image = format!("env.img{suffix}");
        place.start("bio", &["--replace", "-o", &image, "-o", "demo/1.0"]);
        assert_eq!(overlays_of(&place, "bio"), expected, "{suffix}");
        let path = place.environ("bio")["PATH"].clone();
        assert!(
            path.starts_with("/ext3/env/bin:/cnt/demo/1.0/bin:/image/bin:"),
            "{path}"
        );
        assert_eq!(place.ctr(["exec", "bio", "tool"]).ok().text(), "tool\n");
    }
}

#[test]
fn two_ext3_overlays_are_refused_and_suffixes_hide_none() {
    let place = Place::new();
    for name in ["one.img", "two.img"] {
        place.ext3(name, 0);
    }
    for (first, second) in [
        ("one.img", "two.img"),
        ("one.img:rw", "two.img"),
        ("one.img:ro", "two.img:rw"),
    ] {
        let output = place.ctr(["start", "-o", first, "-o", second, "bio"]).run();
        assert!(output.status == 1 || output.status == 2, "{output}");
        output.says(&["only one .img overlay is allowed, found 2"]);
        assert!(place.records().is_empty(), "{output}");
    }
}

#[test]
fn a_squashfs_overlay_cannot_be_writable() {
    let place = Place::new();
    let path = place.overlay("demo/1.0", &[]);
    for overlay in ["demo/1.0:rw", &format!("{}:rw", path.display())] {
        let output = place.ctr(["start", "-o", overlay, "bio"]).run();
        assert!(output.status == 1 || output.status == 2, "{output}");
        output.says(&["demo", ":rw"]);
        assert!(place.records().is_empty(), "{output}");
    }
    // -w is for the ext3 overlay, and leaves the others as they are.
    place.ext3("env.img", nix::unistd::getuid().as_raw());
    place.start("bio", &["-w", "-o", "demo/1.0", "-o", "env.img"]);
}

#[test]
fn a_start_leaves_no_files_of_its_own_in_the_users_folders() {
    let mut place = Place::new();
    let scratch = place.folder("scratch/condatainer/images");
    place.set("SCRATCH", place.path("scratch"));
    place.set("CNT_EXTRA_BASE_DIRS", place.folder("extra"));
    place.overlay("demo/1.0", &[]);
    let folders = ["work", "overlays", "scratch", "extra", "home"].map(|folder| place.path(folder));
    let before = folders.each_ref().map(|folder| files_below(folder));
    // A write test that is made and removed again would still change the time of its folder.
    let changed = |folder: &Path| fs::metadata(folder).unwrap().modified().unwrap();
    let times = [&folders[..], &[scratch]]
        .concat()
        .into_iter()
        .map(|folder| (changed(&folder), folder));
    let times: Vec<_> = times.collect();
    place.start("bio", &["-o", "demo/1.0"]);
    place.record("bio");
    assert_eq!(folders.each_ref().map(|folder| files_below(folder)), before);
    for (time, folder) in times {
        assert_eq!(changed(&folder), time, "{}", folder.display());
    }
}

fn files_below(folder: &Path) -> Vec<String> {
    let pattern = format!("{}/**/*", folder.display());
    let options = glob::MatchOptions {
        require_literal_leading_dot: false,
        ..Default::default()
    };
    let found = glob::glob_with(&pattern, options).unwrap().flatten();
    found
        .map(|path| path.to_str().unwrap().to_owned())
        .collect()
}
