//! A start from a URI: Apptainer unpacks it first, without a network here.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::json;

use crate::support::{Place, images};

/// Runs a tool of this machine, and gives what it printed.
#[track_caller]
fn tool(command: &mut Command) -> String {
    let output = command
        .output()
        .unwrap_or_else(|e| panic!("{command:?}: {e}"));
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {stderr}");
    String::from_utf8(output.stdout).expect("text")
}

fn tar<'a>(archive: &Path, folder: &Path, what: impl IntoIterator<Item = &'a str>) {
    let mut tar = Command::new("tar");
    tar.arg("-cf").arg(archive).arg("-C").arg(folder);
    tool(tar.args(what));
}

/// The busybox as `docker save` writes an image, small enough to be unpacked at once.
fn archive(place: &Place) -> PathBuf {
    let folder = place.folder("cache/archive");
    let layer = folder.join("layer.tar");
    // What Apptainer adds to an image, it adds itself.
    let added = [
        "environment",
        "singularity",
        ".exec",
        ".run",
        ".shell",
        ".singularity.d",
        ".test",
    ];
    let excluded = added.map(|name| format!("--exclude=./{name}"));
    let excluded = excluded.iter().map(String::as_str);
    tar(&layer, &images().sandbox, excluded.chain(["."]));
    let digest = tool(Command::new("sha256sum").arg(&layer));
    let digest = digest.split_whitespace().next().expect("a digest");
    let config = json!({
        "architecture": "amd64",
        "os": "linux",
        "config": {"Env": ["PATH=/bin", "FROM_ARCHIVE=yes"]},
        "rootfs": {"type": "layers", "diff_ids": [format!("sha256:{digest}")]},
    });
    let manifest = json!([{"Config": "config.json", "RepoTags": null, "Layers": ["layer.tar"]}]);
    fs::write(folder.join("config.json"), config.to_string()).unwrap();
    fs::write(folder.join("manifest.json"), manifest.to_string()).unwrap();
    let archive = place.work().join("busybox.tar");
    tar(
        &archive,
        &folder,
        ["manifest.json", "config.json", "layer.tar"],
    );
    archive
}

/// A place whose base image is such an archive.
fn with_archive() -> Place {
    let mut place = Place::new();
    let uri = format!("docker-archive:{}", archive(&place).display());
    place.set("CTR_BASE_IMAGE", uri);
    place.set("APPTAINER_TMPDIR", place.folder("cache/tmp"));
    place
}

#[track_caller]
fn assert_runs(place: &Place) {
    let environ = place.environ("bio");
    assert_eq!(environ["FROM_ARCHIVE"], "yes");
    let base = place.state("bio")["base_image"].clone();
    assert_eq!(
        base,
        place.environment()[std::ffi::OsStr::new("CTR_BASE_IMAGE")]
            .to_str()
            .unwrap()
    );
}

#[test]
fn a_terminal_sees_that_it_works_while_an_archive_is_unpacked() {
    let place = with_archive();
    let mut terminal = place.ctr(["start", "bio"]).terminal();
    terminal.wait_for("starting bio: ");
    let screen = terminal.screen();
    assert!(!screen.contains("is running"), "{screen}");
    assert_eq!(terminal.wait(), 0, "{}", terminal.screen());
    terminal.until("it is clean afterwards", |terminal| {
        (terminal.screen().trim() == "ctr: `bio` is running").then_some(())
    });
    // What Apptainer did was told while it did it, on a line that moved.
    let bytes = terminal.bytes();
    let shown = String::from_utf8_lossy(&bytes);
    let drawn = shown
        .split('\r')
        .filter_map(|line| line.split_once(" starting bio: "));
    let (spinners, words): (BTreeSet<&str>, BTreeSet<&str>) = drawn.unzip();
    assert!(spinners.len() > 1 && words.len() > 1, "{shown:?}");
    assert_runs(&place);
}

#[test]
fn a_pipe_sees_no_control_characters_of_it() {
    let place = with_archive();
    let output = place.ctr(["start", "-v", "bio"]).ok();
    let said = [output.text(), &output.stderr].concat();
    assert!(
        !said.contains(|c: char| c.is_control() && c != '\n'),
        "{output}"
    );
    assert_eq!(output.text(), "");
    output.says(&["`bio` is running"]);
    assert_runs(&place);
    place.ctr(["restart", "bio"]).ok();
    assert_runs(&place);
}

#[test]
fn an_archive_that_is_none_is_named_and_leaves_nothing() {
    let mut place = with_archive();
    for (what, bytes) in [("text", &b"no archive\n"[..]), ("empty", b"")] {
        let file = place.write("work/broken.tar", bytes);
        place.set(
            "CTR_BASE_IMAGE",
            format!("docker-archive:{}", file.display()),
        );
        let output = place.ctr(["start", "bio"]).fails(1);
        output.says(&["error: ", "broken.tar"]);
        place.assert_clean_after(&format!("{what}: {output}"));
    }
}
