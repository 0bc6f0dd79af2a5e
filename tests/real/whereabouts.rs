//! Where one is: what was handed on from elsewhere says nothing, and what was set at the start is
//! remembered.

use std::fs;
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::Path;

use serde_json::json;

use crate::support::{Output, Place, images};

/// What a job has that was submitted from inside of an instance.
const HANDED_ON: [(&str, &str); 7] = [
    ("APPTAINER_CONTAINER", "/images/x.sif"),
    ("SINGULARITY_CONTAINER", "/images/x.sif"),
    ("APPTAINER_NAME", "x.sif"),
    ("APPTAINER_INSTANCE", "other"),
    ("APPTAINER_BIND", "/nosuch/folder"),
    ("SINGULARITY_BIND", "/nosuch/folder"),
    ("IN_CONDATAINER", "3"),
];

#[test]
fn variables_of_a_container_mean_nothing_outside_of_it() {
    let mut place = Place::new();
    for (name, value) in HANDED_ON {
        place.set(name, value);
    }
    place.start("bio", &[]).quiet_but_running("bio");
    assert_eq!(place.status("bio"), "running");
    assert_eq!(place.environ("bio")["IN_CONDATAINER"], "1");
    let through_apptainer = [
        "exec",
        "--join",
        "apptainer",
        "bio",
        "cat",
        "/proc/self/environ",
    ];
    let environ = place.ctr(through_apptainer).ok().environ();
    assert_eq!(environ["IN_CONDATAINER"], "1");
    place.ctr(["shim", "add", "bio", "cat"]).ok();
    place.ctr(["env", "--shell", "sh", "bio"]).ok();
    place.ctr(["restart", "bio"]).ok();
    place.crash("bio");
    place.ctr(["prune"]).ok();
    place.assert_forgotten("bio");
}

impl Output {
    /// Demands that a start said nothing but that it runs.
    #[track_caller]
    fn quiet_but_running(&self, name: &str) {
        assert_eq!(self.stderr, format!("ctr: `{name}` is running\n"), "{self}");
    }
}

#[test]
fn a_folder_that_serves_as_image_is_a_container_without_a_mark() {
    let place = Place::new();
    place.start("bio", &[]);
    let image = place.folder("plain");
    for folder in ["usr", "etc", "proc", "sys", "dev", "tmp", "home", "var/tmp"] {
        fs::create_dir_all(image.join(folder)).unwrap();
    }
    for link in ["bin", "sbin", "lib", "lib64"] {
        match fs::read_link(Path::new("/").join(link)) {
            Ok(target) => symlink(target, image.join(link)).unwrap(),
            Err(_) => fs::create_dir_all(image.join(link)).unwrap(),
        }
    }
    for options in [&[][..], &["--writable"], &["--underlay"]] {
        for args in [&["start", "new"][..], &["stop", "bio"], &["prune"]] {
            let run = place.apptainer(["-s", "exec"]).args(options);
            let run = run.args(["--bind", "/usr"]).arg(&image);
            let output = run.arg(place.path("bin/ctr")).args(args).fails(1);
            output.says(&["does not work inside a container", "exit"]);
        }
    }
    assert_eq!(place.status("bio"), "running");
}

#[test]
fn without_an_apptainer_on_the_path_that_of_the_start_serves() {
    let mut place = Place::new();
    place.start("bio", &["-e", "K=v"]);
    place.start("kept", &[]);
    place.ctr(["stop", "--keep", "kept"]).ok();
    place.unset("CTR_APPTAINER");
    place
        .ctr(["start", "new"])
        .fails(1)
        .says(&["no Apptainer on the PATH"]);

    let show = ["sh", "-c", "echo $K"];
    for join in ["direct", "auto", "apptainer"] {
        let run = place.ctr(["exec", "--join", join, "bio"]).args(show);
        let shown = run.ok();
        assert_eq!(shown.quiet().text(), "v\n", "{join}");
    }
    place.ctr(["shim", "add", "bio", "sort"]).ok();
    let sorted = place
        .program(place.shim("bio", "sort"))
        .stdin("b\na\n")
        .ok();
    assert_eq!(sorted.text(), "a\nb\n");
    let mut shell = place.ctr(["enter", "bio"]).terminal();
    shell.line("echo K=$((20+3))$K");
    shell.wait_for("K=23v");
    shell.line("exit");
    assert_eq!(shell.wait(), 0);
    place.ctr(["restart", "bio", "kept"]).ok();
    place.ctr(["start", "--replace", "bio"]).ok();
    assert_eq!(place.status("bio"), "running");

    // One that is named and is not there is a mistake, and not passed over.
    place.set("CTR_APPTAINER", "/nosuch/apptainer");
    let output = place.ctr(["restart", "bio"]).fails(1);
    output.says(&["/nosuch/apptainer", "CTR_APPTAINER"]);
    assert_eq!(place.status("bio"), "running");
}

#[test]
fn where_the_records_are_is_remembered() {
    let mut place = Place::new();
    place.start("bio", &["-e", "K=v"]);
    place.start("old", &[]);
    let logs = place.record("bio");
    for elsewhere in [None, Some(place.folder("other-config"))] {
        match &elsewhere {
            Some(folder) => place.set("APPTAINER_CONFIGDIR", folder),
            None => place.unset("APPTAINER_CONFIGDIR"),
        }
        for join in ["apptainer", "direct", "auto"] {
            let run = place.ctr(["exec", "--join", join, "bio", "sh", "-c", "echo $K"]);
            let shown = run.ok();
            assert_eq!(shown.quiet().text(), "v\n", "{join} {elsewhere:?}");
        }
        place.ctr(["shim", "add", "bio", "sort", "cat"]).ok();
        let mut shell = place.ctr(["enter", "bio"]).terminal();
        shell.line("echo K=$((20+3))$K");
        shell.wait_for("K=23v");
        shell.line("exit");
        assert_eq!(shell.wait(), 0);
        place.ctr(["restart", "bio"]).ok();
        assert_eq!(place.status("bio"), "running");
    }
    // With its record, as it was started; a new one is the caller's.
    assert_eq!(place.record("bio").path, logs.path);
    place.ctr(["start", "--replace", "old"]).ok();
    assert!(place.find_record("old").is_none());
    place.ctr(["stop", "--all"]).ok();
    assert!(!logs.log_out.exists() && !logs.log_err.exists());
    place.assert_clean();
    let left = place.glob("other-config/instances/*/*/*/*");
    assert!(left.is_empty(), "{left:#?}");
}

#[test]
fn what_apptainer_would_not_find_is_said_before_it_is_asked() {
    let place = Place::new();
    place.start("bio", &[]);
    let record = place.record("bio");
    fs::remove_file(&record.path).unwrap();
    for args in [
        &["exec", "bio", "true"][..],
        &["exec", "--join", "apptainer", "bio", "true"],
        &["enter", "bio"],
    ] {
        let output = place.ctr(args).fails(125);
        output.says(&["no record of `bio`", "ctr restart bio"]);
    }
    assert_eq!(place.status("bio"), "running");
    place.ctr(["restart", "bio"]).ok();
    place.ctr(["exec", "bio", "true"]).ok().quiet();
}

#[test]
fn of_an_instance_on_another_host_it_is_said_where_it_is() {
    let place = Place::new();
    place.start("bio", &[]);
    let mut state = place.state("bio");
    state["name"] = json!("only");
    state["host"] = json!("farhost");
    place.write("state/ctr/instances/farhost/only.json", state.to_string());
    for (args, status) in [
        (&["exec", "only", "true"][..], 125),
        (&["enter", "only"], 125),
        (&["env", "only"], 1),
        (&["show", "only"], 1),
        (&["note", "only"], 1),
        (&["logs", "only"], 1),
        (&["stats", "only"], 1),
        (&["stop", "only"], 1),
        (&["stop", "-F", "only"], 1),
        (&["restart", "only"], 1),
        (&["shim", "add", "only", "cat"], 1),
    ] {
        let output = place.ctr(args).fails(status);
        output.says(&["`only`", "farhost", "run ctr there"]);
    }
    let output = place.ctr(["exec", "nosuch", "true"]).fails(125);
    output.says(&["no such instance: nosuch"]);
}

#[test]
fn a_host_that_is_renamed_knows_its_instances() {
    let place = Place::new();
    place.start("bio", &["-e", "K=v"]);
    let me = fs::metadata(place.work()).unwrap();
    let renamed = |script: &str| {
        let again = format!(
            "hostname renamed; exec unshare --user --map-user={} --map-group={} -- sh -ec \"$1\"",
            me.uid(),
            me.gid()
        );
        let words = ["--map-root-user", "--uts", "sh", "-ec", &again, "sh"];
        place.program("unshare").args(words).arg(script)
    };
    // In a container that is a machine of its own, another name is another container's.
    if !crate::namespaces::is_first() {
        renamed("uname -n; ctr exec bio true")
            .fails(125)
            .says(&["`bio`", "run ctr there"]);
        return;
    }
    let list = renamed("uname -n; ctr list --names").ok();
    assert_eq!(list.lines(), ["renamed", "bio"]);
    let listed = renamed("ctr list --json").ok().json()["instances"][0].clone();
    assert_eq!(
        (&listed["status"], &listed["host"]),
        (&json!("running"), &json!("renamed"))
    );
    renamed("ctr start bio").fails(1).says(&["runs already"]);
    // Apptainer looks for it under the new name, and would find nothing.
    let through = renamed("ctr exec --join apptainer bio true").fails(125);
    through.says(&["this host was called", "ctr restart bio"]);
    let restarted = renamed("ctr restart bio; ctr exec bio sh -c 'echo $K'; ctr note bio K=x").ok();
    assert_eq!(restarted.text(), "v\n");
    assert_eq!(place.status("bio"), "running");
    assert_eq!(place.ctr(["note", "bio", "K"]).ok().text(), "x\n");
    renamed("ctr start second; ctr stop --all").ok();
    assert!(place.state_files().is_empty());
    let left = place.glob("state/ctr/instances/.boot-*");
    assert!(left.is_empty(), "{left:#?}");
    assert!(place.processes().is_empty(), "{:#?}", place.processes());
}

#[test]
fn a_file_of_the_reference_that_lies_beside_one_stays() {
    let place = Place::new();
    let of_another = json!({"name": "bio", "env": [], "overlays": [], "bind_paths": [],
        "base_image": images().sif, "notes": {}});
    let file = place.write("state/ctr/instances/bio.json", of_another.to_string());
    fs::remove_file(&file).unwrap();
    place.start("bio", &[]);
    fs::write(&file, of_another.to_string()).unwrap();
    let output = place.ctr(["stop", "bio"]).ok();
    output.says(&["is stopped", file.to_str().unwrap(), "another host"]);
    assert!(file.exists());
    assert!(place.processes().is_empty(), "{:#?}", place.processes());
    // The only one is what a name means.
    place.ctr(["stop", "bio"]).ok();
    assert!(!file.exists());
}
