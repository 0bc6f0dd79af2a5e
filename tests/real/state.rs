//! The state files: what is in them, who may touch them, and what a bad one does.

use std::fs;
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::Path;

use nix::unistd::gethostname;
use serde_json::{Value, json};

use crate::support::{Place, images};

fn mode(path: &Path) -> u32 {
    fs::symlink_metadata(path).unwrap().mode() & 0o7777
}

fn host() -> String {
    gethostname().unwrap().into_string().unwrap()
}

#[test]
fn the_file_is_private_in_a_private_folder_of_its_host() {
    let place = Place::new();
    place.start("bio", &[]);
    let file = place
        .path("state/ctr/instances")
        .join(host())
        .join("bio.json");
    assert_eq!(mode(&file), 0o600);
    assert_eq!(mode(file.parent().unwrap()), 0o700);
    let beside = place.state_files();
    assert_eq!(beside, [file], "no lock and no temporary file");
}

#[test]
fn the_file_holds_the_fields_of_the_reference_and_what_tells_the_process_from_all_others() {
    let place = Place::new();
    let overlay = place.overlay("demo/1.0", &[("bin/demo", "#!/bin/sh\n")]);
    let options = ["-o", "demo/1.0", "-e", "K=v", "--note", "K=a note"];
    place.start("bio", &options);
    let state = place.state("bio");
    assert_eq!(state["name"], "bio");
    assert_eq!(state["overlays"], json!([overlay]));
    assert_eq!(state["base_image"], json!(images().sif));
    assert_eq!(state["notes"], json!({"K": "a note"}));
    let entries: Vec<&str> = state["env"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry.as_str().unwrap())
        .collect();
    assert!(entries.contains(&"K=v"), "{state:#}");
    assert!(
        entries.contains(&"PATH=/cnt/demo/1.0/bin:$PATH"),
        "{state:#}"
    );
    let binds = state["bind_paths"].as_array().unwrap();
    assert!(binds.contains(&json!(place.work())), "{state:#}");

    let record = place.record("bio");
    let boot_id = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap();
    let pid_namespace = fs::metadata("/proc/self/ns/pid").unwrap().ino();
    let stat = fs::read_to_string(format!("/proc/{}/stat", record.pid)).unwrap();
    let after_name = stat.rsplit_once(')').unwrap().1;
    let started: u64 = after_name
        .split_whitespace()
        .nth(19)
        .unwrap()
        .parse()
        .unwrap();
    assert_eq!(state["format"], 1);
    assert_eq!(state["host"], json!(host()));
    assert_eq!(state["boot_id"], json!(boot_id.trim()));
    assert_eq!(state["pid"], json!(record.pid));
    assert_eq!(state["pid_start_time"], json!(started));
    assert_eq!(state["pid_namespace"], json!(pid_namespace));
    assert_eq!(
        (&state["fakeroot"], &state["writable"]),
        (&json!(false), &json!(false))
    );
    assert!(
        state["apptainer_version"].as_str().unwrap().contains('.'),
        "{state:#}"
    );
    assert!(
        state["started_at"].as_str().unwrap().ends_with('Z'),
        "{state:#}"
    );
}

#[test]
fn the_generation_rises_with_each_write_and_never_falls() {
    let place = Place::new();
    let generation = || place.state("bio")["generation"].as_u64().unwrap();
    place.start("bio", &[]);
    let mut before = generation();
    let writes: [&[&str]; 5] = [
        &["note", "bio", "-m", "mine"],
        &["note", "bio", "K=text"],
        &["start", "--replace", "bio"],
        &["restart", "bio"],
        &["stop", "--keep", "bio"],
    ];
    for write in writes {
        place.ctr(write).ok();
        let now = generation();
        assert!(now > before, "{now} after {before}: {write:?}");
        before = now;
    }
    place.ctr(["list"]).ok();
    place.ctr(["show", "bio"]).ok();
    assert_eq!(generation(), before, "looking writes nothing");
}

#[test]
fn another_folder_for_states_can_be_named() {
    let mut place = Place::new();
    let folder = place.folder("elsewhere/states");
    place.set("CTR_STATE_DIR", &folder);
    place.start("bio", &[]);
    assert!(folder.join(host()).join("bio.json").exists());
    assert_eq!(place.state_files(), Vec::<std::path::PathBuf>::new());
    place.ctr(["exec", "bio", "true"]).ok();
    place.ctr(["stop", "bio"]).ok();
    assert!(!folder.join(host()).join("bio.json").exists());
}

/// Demands that `bio` is refused by whatever uses it, with `thing` named, and that `other` is as
/// good as ever.
#[track_caller]
fn assert_refused(place: &Place, thing: &str) {
    place.ctr(["exec", "bio", "true"]).fails(125).says(&[thing]);
    let code = place.ctr(["env", "--shell", "bash", "bio"]).fails(1);
    code.says(&[thing]);
    assert_eq!(
        code.text().trim_end().trim_end_matches(';'),
        "false",
        "{code}"
    );
    for command in ["show", "note", "logs"] {
        place.ctr([command, "bio"]).fails(1).says(&[thing]);
    }
    let document = place.ctr(["show", "--json", "bio"]).fails(1).json();
    assert_eq!(document["error"]["kind"], "state", "{document}");
    assert!(
        document["error"]["message"]
            .as_str()
            .unwrap()
            .contains(thing),
        "{document}"
    );

    let list = place.ctr(["list", "--json"]).ok();
    list.says(&[thing]);
    let instances = list.json()["instances"].clone();
    let status = |name: &str| {
        let mut all = instances.as_array().unwrap().iter();
        all.find(|one| one["name"] == name)
            .map(|one| one["status"].clone())
    };
    assert_eq!(status("other"), Some(json!("running")), "{list}");
    assert_ne!(status("bio"), Some(json!("running")), "{list}");
    place.ctr(["exec", "other", "true"]).ok().quiet();
    place.ctr(["prune"]).ok();
    assert!(
        place.state_file("bio").symlink_metadata().is_ok(),
        "prune leaves it alone"
    );
}

#[test]
fn a_file_that_others_may_write_is_refused() {
    let place = Place::new();
    place.start("bio", &[]);
    place.start("other", &[]);
    let file = place.state_file("bio");
    for open in [0o620, 0o602, 0o666] {
        place.mode(&file, open);
        assert_refused(&place, file.to_str().unwrap());
    }
    place.mode(&file, 0o600);
    place.ctr(["exec", "bio", "true"]).ok();
}

#[test]
fn a_link_in_place_of_the_file_is_refused() {
    let place = Place::new();
    place.start("bio", &[]);
    place.start("other", &[]);
    let (file, moved) = (place.state_file("bio"), place.path("moved.json"));
    fs::rename(&file, &moved).unwrap();
    symlink(&moved, &file).unwrap();
    assert_refused(&place, file.to_str().unwrap());
}

#[test]
fn a_folder_that_others_may_write_is_refused() {
    let place = Place::new();
    place.start("bio", &[]);
    let file = place.state_file("bio");
    let folder = file.parent().unwrap();
    for open in [0o770, 0o707, 0o777] {
        place.mode(folder, open);
        let thing = folder.to_str().unwrap();
        place.ctr(["exec", "bio", "true"]).fails(125).says(&[thing]);
        place.ctr(["env", "bio"]).fails(1).says(&[thing]);
        place.ctr(["list"]).ok().says(&[thing]);
        place.ctr(["start", "new"]).fails(1).says(&[thing]);
        assert!(place.find_record("new").is_none());
    }
    place.mode(folder, 0o700);
    place.ctr(["exec", "bio", "true"]).ok();
}

#[test]
fn a_damaged_file_is_named_and_breaks_no_other_instance() {
    let place = Place::new();
    place.start("bio", &[]);
    place.start("other", &[]);
    let file = place.state_file("bio");
    let whole = fs::read(&file).unwrap();
    let mut binary = whole.clone();
    binary[10..20].copy_from_slice(&[0, 255, 254, 0, 1, 2, 3, 200, 0, 0]);
    let damages: [(&str, Vec<u8>); 6] = [
        ("empty", Vec::new()),
        ("truncated", whole[..whole.len() / 2].to_vec()),
        ("binary", binary),
        ("a list", b"[]".to_vec()),
        ("text", b"name: bio\n".to_vec()),
        ("of another", br#"{"name": "other", "env": []}"#.to_vec()),
    ];
    for (what, bytes) in damages {
        fs::write(&file, bytes).unwrap();
        println!("{what}");
        assert_refused(&place, file.to_str().unwrap());
    }
}

#[test]
fn a_file_of_a_newer_format_is_named_with_its_format() {
    let place = Place::new();
    place.start("bio", &[]);
    place.start("other", &[]);
    place.edit_state("bio", |state| state["format"] = json!(99));
    assert_refused(&place, place.state_file("bio").to_str().unwrap());
    let output = place.ctr(["exec", "bio", "true"]).fails(125);
    output.says(&["99", "a newer ctr wrote it"]);
    assert!(!output.stderr.contains("rm "), "{output}");
}

#[test]
fn what_is_no_file_at_all_is_named_and_waited_for_by_nobody() {
    let place = Place::new();
    place.start("bio", &[]);
    place.start("other", &[]);
    let file = place.state_file("bio");
    fs::remove_file(&file).unwrap();
    fs::create_dir(&file).unwrap();
    assert_refused(&place, file.to_str().unwrap());
    fs::remove_dir(&file).unwrap();
    let pipe = nix::sys::stat::Mode::from_bits_truncate(0o600);
    nix::unistd::mkfifo(&file, pipe).unwrap();
    assert_refused(&place, file.to_str().unwrap());
}

#[test]
fn all_that_can_be_stopped_are_stopped_beside_a_damaged_file() {
    let place = Place::new();
    place.start("bio", &[]);
    place.start("other", &[]);
    fs::write(place.state_file("bio"), "{").unwrap();
    let file = place.state_file("bio");
    place
        .ctr(["stop", "--all"])
        .fails(1) // it may run on
        .says(&[
            file.to_str().unwrap(),
            "`other` is stopped",
            "`bio` is left alone",
            "1 of 2",
        ]);
    place.assert_forgotten("other");
    assert!(
        place.find_record("bio").is_some(),
        "what cannot be read is not guessed at"
    );
    let output = place.ctr(["stop", "--all"]).fails(1);
    output.says(&["error: `bio` is left alone"]);
}

#[test]
fn text_from_a_state_file_cannot_steer_the_terminal() {
    let place = Place::new();
    place.start("bio", &[]);
    let evil = "\u{1b}[2J\u{9b}31m\u{7}";
    place.edit_state("bio", |state| {
        state["base_image"] = json!(format!("/x/{evil}.sif"));
        state["overlays"] = json!([format!("/x/{evil}.sqf")]);
        state["env"] = json!([format!("K={evil}")]);
        state["log_out"] = json!(evil);
        state["started_at"] = json!(evil);
        state["apptainer_version"] = json!(evil);
    });
    for command in [
        &["list"][..],
        &["show", "bio"],
        &["restart", "bio"],
        &["start", "--if-needed", "bio"],
    ] {
        let output = place.ctr(command).run();
        let control = |text: &str| text.chars().any(|c| c.is_control() && c != '\n');
        assert!(
            !control(output.text()) && !control(&output.stderr),
            "{output}"
        );
    }
    let shown: Value = place.ctr(["show", "--json", "bio"]).ok().json();
    assert_eq!(
        shown["overlays"],
        json!([format!("/x/{evil}.sqf")]),
        "programs get it as it is"
    );
}
