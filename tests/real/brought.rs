//! What an overlay brings is found in every form that such images have, and what of it cannot be
//! there is spoken of.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::{Output, Place};

/// A program that says a word.
fn saying(what: &str) -> String {
    format!("#!/bin/sh\necho {what}\n")
}

/// A folder of the place that is to become an overlay, with a program `demo` in that folder.
fn tree(place: &Place, below: &str) -> PathBuf {
    place.write_program(format!("tree/{below}/demo"), saying("demo"));
    place.path("tree")
}

/// Makes an overlay of a folder, compressed in that way.
fn pack(place: &Place, tree: &Path, name: &str, options: &[&str]) -> PathBuf {
    let file = place.path("overlays").join(name);
    let mksquashfs = place.program("mksquashfs").arg(tree).arg(&file);
    let plain = ["-all-root", "-noappend", "-quiet", "-no-progress"];
    mksquashfs.args(plain).args(options).ok();
    file
}

/// The plan of a start with an overlay.
#[track_caller]
fn plan(place: &Place, overlay: &str) -> Output {
    place.ctr(["start", "--dry-run", "-o", overlay, "bio"]).ok()
}

#[track_caller]
fn assert_on_path(place: &Place, overlay: &str, folder: &str) {
    let output = plan(place, overlay);
    let entry = format!("PATH={folder}:$PATH");
    assert!(output.text().contains(&entry), "{overlay}: {output}");
    output.quiet();
}

#[test]
fn the_programs_of_a_bundle_without_a_version_are_found() {
    let place = Place::new();
    let files = [
        ("bin/nvim", &*saying("nvim")),
        ("lib/bin/helper", &saying("helper")),
    ];
    let overlay = place.overlay("nvim", &files);
    // Under another name too.
    fs::copy(&overlay, place.path("overlays/editor--0.10.sqf")).unwrap();
    for name in ["nvim", "editor/0.10"] {
        place.start("bio", &["--replace", "-o", name]);
        assert_eq!(place.ctr(["exec", "bio", "nvim"]).ok().text(), "nvim\n");
        place.ctr(["exec", "bio", "helper"]).fails(127);
        place
            .ctr(["shim", "add", "bio", "--all"])
            .ok()
            .says(&["1 shim more: nvim"]);
        let list = place.ctr(["shim", "list", "--json", "bio"]).ok();
        assert!(list.text().contains("/cnt/nvim/bin/nvim"), "{list}");
        place.ctr(["shim", "remove", "bio", "nvim"]).ok();
    }
}

#[test]
fn a_folder_of_programs_may_be_a_link_and_lie_beside_versions() {
    let place = Place::new();
    let top = tree(&place, "cnt/demo/1.0/real");
    symlink("real", top.join("cnt/demo/1.0/bin")).unwrap();
    pack(&place, &top, "demo--1.0.sqf", &[]);
    assert_on_path(&place, "demo/1.0", "/cnt/demo/1.0/bin");
    place.start("bio", &["-o", "demo/1.0"]);
    assert_eq!(place.ctr(["exec", "bio", "demo"]).ok().text(), "demo\n");
    let top = tree(&place, "cnt/demo/bin");
    pack(&place, &top, "other--2.0.sqf", &[]);
    assert_on_path(&place, "other/2.0", "/cnt/demo/bin");
    pack(&place, &top, "demo--1.0.sqf", &[]);
    assert_on_path(&place, "demo/1.0", "/cnt/demo/1.0/bin");
}

#[test]
fn links_of_any_length_and_all_else_that_a_file_system_has_do_no_harm() {
    let place = Place::new();
    let top = tree(&place, "cnt/demo/1.0/bin");
    let other = top.join("cnt/demo/1.0/other");
    fs::create_dir(&other).unwrap();
    for length in [255, 256, 4000] {
        symlink("x".repeat(length), other.join(format!("link{length}"))).unwrap();
    }
    nix::unistd::mkfifo(&other.join("fifo"), nix::sys::stat::Mode::S_IRWXU).unwrap();
    fs::hard_link(top.join("cnt/demo/1.0/bin/demo"), other.join("twice")).unwrap();
    for number in 0..2000 {
        fs::write(other.join(format!("file{number:0>200}")), "").unwrap();
    }
    pack(&place, &top, "demo--1.0.sqf", &[]);
    assert_on_path(&place, "demo/1.0", "/cnt/demo/1.0/bin");
    place.start("bio", &["-o", "demo/1.0"]);
    assert_eq!(place.ctr(["exec", "bio", "demo"]).ok().text(), "demo\n");
    place.ctr(["why", "cat"]).ok();
}

#[test]
fn every_compression_is_read() {
    let place = Place::new();
    let top = tree(&place, "cnt/demo/1.0/bin");
    let script = format!("#{}\n#ENV:LAST=of a long script\n", "x".repeat(200_000));
    place.write("tree/cnt/demo/1.0/.cnt-build-script", script);
    for compression in ["gzip", "xz", "zstd", "lz4", "lzo", "lzma"] {
        let name = format!("{compression}--1.0.sqf");
        let options = ["-comp", compression, "-b", "64K"];
        pack(&place, &top, &name, &options);
        let output = plan(&place, &format!("{compression}/1.0"));
        let text = output.text();
        assert!(
            text.contains("PATH=/cnt/demo/1.0/bin:"),
            "{compression}: {output}"
        );
        assert!(
            text.contains("LAST=of a long script"),
            "{compression}: {output}"
        );
        output.quiet();
    }
    for options in [
        &["-noI", "-noD", "-noF"][..],
        &["-no-fragments"],
        &["-always-use-fragments"],
    ] {
        let name = format!("x--{}.sqf", options.len() + options[0].len());
        pack(&place, &top, &name, options);
        let output = plan(&place, place.path("overlays").join(&name).to_str().unwrap());
        assert!(
            output.text().contains("LAST=of a long script"),
            "{options:?}: {output}"
        );
    }
}

#[test]
fn an_image_that_cannot_be_looked_into_is_a_reason_for_a_warning_and_other_files_are_refused() {
    let place = Place::new();
    let overlay = place.overlay("demo/1.0", &[("bin/demo", &saying("demo"))]);
    let mut bytes = fs::read(&overlay).unwrap();
    let whole = bytes.clone();
    bytes[64..72].fill(0xff); // where the inodes are
    fs::write(&overlay, &bytes).unwrap();
    let output = plan(&place, "demo/1.0");
    output.says(&["cannot look into", "demo--1.0.sqf", "/cnt/demo/1.0/bin"]);
    assert!(
        output.text().contains("PATH=/cnt/demo/1.0/bin:"),
        "{output}"
    );
    let mut bytes = whole;
    bytes[96..].fill(0x5a); // all but what says where things are
    fs::write(&overlay, &bytes).unwrap();
    plan(&place, "demo/1.0").says(&["cannot look into"]);
    for content in [&b""[..], b"#!/bin/sh\n", &[0; 4096]] {
        fs::write(&overlay, content).unwrap();
        let output = place.ctr(["start", "-o", "demo/1.0", "bio"]).fails(1);
        output.says(&["demo--1.0.sqf is not a squashfs image"]);
    }
}

#[test]
fn what_the_host_hides_of_an_overlay_is_said_in_one_line() {
    let mut place = Place::bare();
    place.overlay("demo/1.0", &[("bin/demo", &saying("demo"))]);
    let files = [
        ("bin/demo", &*saying("demo")),
        ("/usr/bin/samtools", &saying("samtools")),
        ("/opt/tool/file", "x"),
    ];
    place.overlay("samtools/1.22", &files);
    place
        .start("plain", &["-o", "demo/1.0"])
        .says(&["is running"]);
    let plain = plan(&place, "demo/1.0");
    plain.quiet();
    let output = place.start("bio", &["-o", "samtools/1.22"]);
    output.says(&["samtools--1.22.sqf", "/usr", "/opt", "hostos", "-b"]);
    let lines = output
        .stderr
        .lines()
        .filter(|line| line.contains("samtools"));
    assert_eq!(lines.count(), 1, "{output}");
    assert_eq!(place.ctr(["exec", "bio", "demo"]).ok().text(), "demo\n");
    place.ctr(["exec", "bio", "samtools"]).fails(127);
    // With a base image nothing hides it.
    place.set("CTR_BASE_IMAGE", &crate::support::images().sif);
    plan(&place, "samtools/1.22").quiet();
}

#[test]
fn what_the_host_hides_of_an_ext3_overlay_is_said_too() {
    let place = Place::bare();
    let image = place.ext3("env.img", nix::unistd::getuid().as_raw());
    plan(&place, "env.img").quiet();
    for request in [
        "mkdir /upper/usr",
        "mkdir /upper/opt",
        "mkdir /upper/usr/bin",
    ] {
        let mut debugfs = Command::new("debugfs");
        debugfs.env("PATH", "/usr/sbin:/sbin:/usr/bin:/bin");
        let output = debugfs.args(["-w", "-R", request]).arg(&image).output();
        assert!(output.unwrap().status.success(), "{request}");
    }
    let output = plan(&place, "env.img");
    output.says(&["env.img has /usr,"]);
    assert!(!output.stderr.contains("/opt"), "{output}"); // it is empty
}

const SCRIPT: &str = "#!/usr/bin/env bash\n#WHATIS: a demo\n#ENV:DEMO_HOME=$app_root/share\n\
                      #ENVNOTE:DEMO_HOME=where it lives\n#ENV:LITERAL=$(touch pwned) `id` $HOME, \"x\"\n\
                      #ENVNOTE:a note that names nothing\n#ENV:PATH=$app_root/more:$PATH\n\
                      #ENV:PS1=evil\n#ENV:BOTH=script\nexport NOT_READ=1\n";

#[test]
fn the_variables_that_the_reference_writes_into_an_overlay_are_read() {
    let place = Place::new();
    let overlay = place.overlay(
        "demo/1.0",
        &[("bin/demo", &saying("demo")), (".cnt-build-script", SCRIPT)],
    );
    place.sidecar(&overlay, "BOTH=sidecar\n");
    let output = place.start("bio", &["-o", "demo/1.0"]);
    output.says(&["PS1", "demo--1.0.sqf"]);
    assert!(!output.stderr.contains("BOTH"), "{output}");
    let environment = place.environ("bio");
    assert_eq!(environment["DEMO_HOME"], "/cnt/demo/1.0/share");
    assert_eq!(environment["LITERAL"], "$(touch pwned) `id` $HOME, \"x\"");
    assert_eq!(environment["BOTH"], "sidecar");
    assert!(
        environment["PATH"].contains("/cnt/demo/1.0/more:"),
        "{environment:?}"
    );
    assert_eq!(environment.get("NOT_READ"), None);
    assert!(!place.work().join("pwned").exists());
    let notes = place.state("bio")["notes"].clone();
    assert_eq!(notes["DEMO_HOME"], "where it lives");
    assert_eq!(notes["LITERAL"], "a note that names nothing");
    let host = place.ctr(["env", "--json", "bio"]).ok().json();
    assert_eq!(host["set"]["DEMO_HOME"], "/cnt/demo/1.0/share");
    // What others could have written stays out of the host's shell.
    place.mode(&overlay, 0o666);
    place.start("bio", &["--replace", "-o", "demo/1.0"]);
    let host = place.ctr(["env", "--json", "bio"]).ok().json();
    assert!(host["set"].get("DEMO_HOME").is_none(), "{host}");
    assert_eq!(place.environ("bio")["DEMO_HOME"], "/cnt/demo/1.0/share");
}

#[test]
fn data_and_bundles_have_variables_too_and_what_is_no_small_file_has_none() {
    let place = Place::new();
    let script = "#ENV:GENOME=$app_root/genome.fa\n";
    place.overlay("grch38/genome/v1", &[(".cnt-build-script", script)]);
    place.overlay("nvim", &[(".cnt-build-script", "#ENV:NVIM=$app_root\n")]);
    let output = place.start("bio", &["-o", "grch38/genome/v1", "-o", "nvim"]);
    output.says(&["is running"]);
    let environment = place.environ("bio");
    assert_eq!(environment["GENOME"], "/cnt/grch38/genome/v1/genome.fa");
    assert_eq!(environment["NVIM"], "/cnt/nvim");

    let top = tree(&place, "cnt/demo/1.0/bin");
    let at = top.join("cnt/demo/1.0/.cnt-build-script");
    symlink("/dev/zero", &at).unwrap();
    pack(&place, &top, "demo--1.0.sqf", &[]);
    assert_on_path(&place, "demo/1.0", "/cnt/demo/1.0/bin");
    fs::remove_file(&at).unwrap();
    nix::unistd::mkfifo(&at, nix::sys::stat::Mode::S_IRWXU).unwrap();
    pack(&place, &top, "demo--1.0.sqf", &[]);
    assert_on_path(&place, "demo/1.0", "/cnt/demo/1.0/bin");
    fs::remove_file(&at).unwrap();
    fs::File::create(&at).unwrap().set_len(1 << 20).unwrap();
    pack(&place, &top, "demo--1.0.sqf", &[]);
    let output = plan(&place, "demo/1.0");
    output.says(&[".cnt-build-script", "longer than"]);
    assert!(
        output.text().contains("PATH=/cnt/demo/1.0/bin:"),
        "{output}"
    );
}

#[test]
fn an_overlay_that_is_named_for_one_of_its_folders_brings_the_others_too() {
    let place = Place::new();
    let script = |name: &str| format!("#ENV:LAST={name}\n#ENV:OF_{name}=$app_root\n");
    for (folder, name) in [("demo/1.0", "DEMO"), ("two/2.0", "TWO"), ("three", "THREE")] {
        let top = format!("tree/cnt/{folder}");
        let own = name.to_lowercase();
        place.write_program(format!("{top}/bin/{own}"), saying(&own));
        place.write_program(format!("{top}/bin/which-one"), saying(&own));
        place.write(format!("{top}/.cnt-build-script"), script(name));
    }
    for (name, first) in [
        ("demo--1.0.sqf", "demo"),
        ("two--2.0.sqf", "two"),
        ("three.sqf", "three"),
        ("other.sqf", "two"),
    ] {
        let file = pack(&place, &place.path("tree"), name, &[]);
        place.start("bio", &["--replace", "-o", file.to_str().unwrap()]);
        for program in ["demo", "two", "three"] {
            let output = place.ctr(["exec", "bio", program]).ok();
            assert_eq!(output.text(), format!("{program}\n"), "{name}");
        }
        let found = place.ctr(["exec", "bio", "which-one"]).ok();
        assert_eq!(found.text(), format!("{first}\n"), "{name}");
        let environment = place.environ("bio");
        assert_eq!(environment["LAST"], first.to_uppercase(), "{name}");
        assert_eq!(environment["OF_DEMO"], "/cnt/demo/1.0", "{name}");
        assert_eq!(environment["OF_TWO"], "/cnt/two/2.0", "{name}");
        assert_eq!(environment["OF_THREE"], "/cnt/three", "{name}");
    }
}
