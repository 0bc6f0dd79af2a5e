//! What of the host an instance sees, and which flags are Apptainer's and which are `ctr`'s.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use crate::support::Place;

/// Starts `bio` so that it sees nothing of the home but what is bound.
#[track_caller]
fn start_contained(place: &Place, options: &[&str]) {
    place
        .ctr(["start"])
        .args(options)
        .args(["bio", "--", "--contain"])
        .ok();
}

#[track_caller]
fn assert_seen(place: &Place, file: &Path, seen: bool) {
    let run = place.ctr(["exec", "bio", "ls", "-d"]).arg(file);
    let output = run.fails(i32::from(!seen));
    let expected = if seen {
        format!("{}\n", file.display())
    } else {
        String::new()
    };
    assert_eq!(output.text(), expected);
}

fn bind_paths(place: &Place) -> Vec<String> {
    let state = place.ctr(["show", "--json", "bio"]).ok().json();
    let paths = state["bind_paths"].as_array().unwrap().iter();
    paths
        .map(|path| path.as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn one_source_can_be_bound_to_two_places() {
    let place = Place::new();
    let source = place.folder("source");
    fs::write(source.join("file"), "").unwrap();
    let binds = ["/one", "/two"].map(|target| format!("{}:{target}", source.display()));
    place.start("bio", &["--bind", &binds[0], "--bind", &binds[1]]);
    assert_seen(&place, Path::new("/one/file"), true);
    assert_seen(&place, Path::new("/two/file"), true);
    let paths = bind_paths(&place);
    assert!(binds.iter().all(|bind| paths.contains(bind)), "{paths:#?}");
}

#[test]
fn a_bind_is_writable_unless_it_says_otherwise() {
    let place = Place::new();
    let source = place.folder("source");
    let read_only = format!("{}:/locked:ro", source.display());
    start_contained(
        &place,
        &["--bind", source.to_str().unwrap(), "--bind", &read_only],
    );
    place.ctr(["exec", "bio", "touch", "/locked/new"]).fails(1);
    place
        .ctr(["exec", "bio", "touch"])
        .arg(source.join("new"))
        .ok();
    assert!(source.join("new").exists());
}

#[test]
fn a_missing_source_is_named_before_anything_starts() {
    let place = Place::new();
    for bind in [
        "/no/such/source",
        "/no/such/source:/inside",
        "nosuch:/inside:ro",
    ] {
        let output = place.ctr(["start", "--bind", bind, "bio"]).fails(1);
        output.says(&[bind.split(':').next().unwrap()]);
        assert!(
            place.records().is_empty() && place.processes().is_empty(),
            "{output}"
        );
    }
}

#[test]
fn the_working_folder_scratch_and_the_base_folders_come_along() {
    let mut place = Place::new();
    let folders =
        ["work", "scratch", "base1", "base2", "unasked"].map(|folder| place.folder(folder));
    for folder in &folders {
        fs::write(folder.join("file"), "").unwrap();
    }
    place.set("SCRATCH", &folders[1]);
    place.set(
        "CNT_EXTRA_BASE_DIRS",
        format!("{}:{}", folders[2].display(), folders[3].display()),
    );
    start_contained(&place, &[]);
    for folder in &folders {
        assert_seen(&place, &folder.join("file"), !folder.ends_with("unasked"));
    }
}

#[test]
fn the_configuration_binds_and_a_flag_adds() {
    let place = Place::new();
    let [site, mine] = ["site", "mine"].map(|folder| place.folder(folder));
    place.config(&format!("bind = [\"{}:/site\"]\n", site.display()));
    place.start("bio", &["--bind", &format!("{}:/mine", mine.display())]);
    assert_seen(&place, Path::new("/site"), true);
    assert_seen(&place, Path::new("/mine"), true);
}

#[test]
fn links_are_resolved_and_repeats_dropped() {
    let place = Place::new();
    let source = place.folder("source");
    fs::write(source.join("file"), "").unwrap();
    let link = place.path("link");
    symlink(&source, &link).unwrap();
    let through = format!("{}:/through", link.display());
    let [source, link] = [&source, &link].map(|path| path.to_str().unwrap());
    let options = [
        "--bind", source, "--bind", source, "--bind", &through, "--bind", &through,
    ];
    start_contained(&place, &options);
    assert_seen(&place, Path::new("/through/file"), true);
    let paths = bind_paths(&place);
    let times = |end: &str| paths.iter().filter(|path| path.ends_with(end)).count();
    assert_eq!([times("/source"), times(":/through")], [1, 1], "{paths:#?}");
    assert!(
        paths.contains(&format!("{source}:/through")),
        "{link} is not resolved: {paths:#?}"
    );
}

#[test]
fn a_path_with_spaces_can_be_bound() {
    let place = Place::new();
    let spaced = place.folder("two words");
    fs::write(spaced.join("file"), "").unwrap();
    start_contained(&place, &["--bind", spaced.to_str().unwrap()]);
    assert_seen(&place, &spaced.join("file"), true);
}

#[test]
fn a_flag_of_apptainer_that_ctr_has_itself_is_refused_with_the_name_of_ctrs() {
    let place = Place::new();
    for (flag, own) in [
        ("--overlay", "-o"),
        ("--bind", "--bind"),
        ("--fakeroot", "--fakeroot"),
        ("--env", "--env"),
        ("--nv", "--gpu nvidia"),
        ("--rocm", "--gpu rocm"),
    ] {
        for words in [
            vec![flag.to_owned()],
            vec![flag.into(), "x".into()],
            vec![format!("{flag}=x")],
        ] {
            let output = place.ctr(["start", "bio", "--"]).args(&words).fails(2);
            output.says(&[flag, own]);
            assert!(place.records().is_empty(), "{output}");
        }
    }
}

#[test]
fn other_flags_of_apptainer_reach_it_and_name_no_instance() {
    let place = Place::new();
    place
        .ctr(["start", "bio", "--", "--hostname", "inside"])
        .ok();
    assert_eq!(place.ctr(["list", "--names"]).ok().text(), "bio\n");
    assert_eq!(
        place.ctr(["exec", "bio", "hostname"]).ok().text(),
        "inside\n"
    );
    // Without the two dashes they are wrong usage, not a name for the instance.
    place
        .ctr(["start", "--home", "/x", "other"])
        .fails(2)
        .says(&["--home"]);
    assert_eq!(place.records().len(), 1);
}

#[test]
fn the_configuration_gives_flags_for_apptainer() {
    let place = Place::new();
    place.config("apptainer_flags = [\"--hostname\", \"configured\"]\n");
    place.start("bio", &[]);
    assert_eq!(
        place.ctr(["exec", "bio", "hostname"]).ok().text(),
        "configured\n"
    );
}

#[test]
fn a_gpu_is_found_by_its_devices_or_asked_for() {
    let place = Place::new();
    let flags = |gpu: &[&str]| {
        let output = place.ctr(["start", "--dry-run"]).args(gpu).arg("bio").ok();
        ["--nv", "--rocm"].map(|flag| output.text().split_whitespace().any(|word| word == flag))
    };
    let devices = || fs::read_dir("/dev").unwrap().flatten();
    let have =
        |name: &str| devices().any(|entry| entry.file_name().to_string_lossy().contains(name));
    let found = [have("nvidia"), have("kfd")];
    assert_eq!(flags(&["--gpu", "nvidia"]), [true, false]);
    assert_eq!(flags(&["--gpu", "rocm"]), [false, true]);
    assert_eq!(flags(&["--gpu", "none"]), [false, false]);
    assert_eq!(flags(&["--gpu", "auto"]), found);
    assert_eq!(flags(&[]), found);
    place.config("gpu = \"nvidia\"\n");
    assert_eq!(flags(&[]), [true, false]);
    place
        .ctr(["start", "--gpu", "nosuch", "bio"])
        .fails(2)
        .says(&["nosuch", "rocm"]);
}

#[test]
fn a_dry_run_prints_what_it_would_do_and_does_nothing() {
    let place = Place::new();
    let overlay = place.overlay("demo/1.0", &[("bin/demo", "#!/bin/sh\n")]);
    let source = place.folder("source");
    let bind = format!("{}:/inside", source.display());
    let run = place.ctr([
        "start",
        "--dry-run",
        "-o",
        "demo/1.0",
        "--bind",
        &bind,
        "-e",
        "K=some value",
        "bio",
    ]);
    let output = run.ok();
    for part in [
        overlay.to_str().unwrap(),
        &bind,
        "some value",
        "instance",
        "start",
        "bio",
        "/cnt/demo/1.0/bin",
    ] {
        assert!(output.text().contains(part), "{part:?} is not in {output}");
    }
    assert!(place.records().is_empty() && place.processes().is_empty());
    assert!(place.state_files().is_empty(), "{:?}", place.state_files());
    // What would fail, fails.
    place
        .ctr(["start", "--dry-run", "-o", "nosuch/1.0", "bio"])
        .fails(1)
        .says(&["nosuch/1.0"]);
}
