//! `ctr list`, `ctr show` and `ctr prune`.

use std::fs;

use nix::fcntl::OFlag;
use nix::unistd::pipe2;
use serde_json::{Value, json};

use crate::support::{Output, Place, eventually, images};

/// One instance of every kind that can be on this host, and one of another.
fn zoo() -> Place {
    let place = Place::new();
    place.overlay("demo/1.0", &[]);
    place.start("running", &["-o", "demo/1.0"]);
    place.start("kept", &[]);
    place.ctr(["stop", "--keep", "kept"]).ok();
    place.start("dead", &[]);
    place.crash("dead");
    place
        .apptainer(["-q", "instance", "start"])
        .arg(&images().sif)
        .arg("foreign")
        .ok();
    let mut far = place.state("running");
    far["host"] = json!("farhost");
    place.write("state/ctr/instances/farhost/running.json", far.to_string());
    place
}

#[test]
fn the_document_has_these_fields_and_no_surprises() {
    let place = zoo();
    let document = place.ctr(["list", "--json"]).ok();
    let document = document.quiet().json();
    let instances = document["instances"].as_array().unwrap();
    let statuses: Vec<_> = instances
        .iter()
        .map(|one| {
            (
                one["name"].as_str().unwrap(),
                one["status"].as_str().unwrap(),
            )
        })
        .collect();
    let expected = [
        ("dead", "dead"),
        ("foreign", "untracked"),
        ("kept", "stopped"),
        ("running", "running"),
    ];
    assert_eq!(statuses, expected, "{document:#}");
    let host = nix::unistd::gethostname().unwrap().into_string().unwrap();
    for one in instances {
        let runs = ["running", "untracked"].contains(&one["status"].as_str().unwrap());
        assert_eq!(one["pid"].is_i64(), runs, "{one:#}");
        assert_eq!(one["uptime_seconds"].is_u64(), runs, "{one:#}");
        assert_eq!(one["host"], json!(host), "{one:#}");
        assert_eq!(
            one["tracked"],
            json!(one["status"] != "untracked"),
            "{one:#}"
        );
        assert_eq!(one["active"], json!(false), "{one:#}");
        assert_eq!(one["base_image"], json!(images().sif), "{one:#}");
    }
    let running = &instances[3];
    assert_eq!(
        running["overlays"],
        json!([place.path("overlays/demo--1.0.sqf")])
    );
    assert_eq!(running["pid"], json!(place.record("running").pid));
    let started_at = running["started_at"].as_str().unwrap();
    assert!(
        started_at.ends_with('Z') && started_at.contains('T'),
        "{running:#}"
    );
}

#[test]
fn the_table_gives_the_reason_for_each_that_is_not_running() {
    let place = zoo();
    let table = place.ctr(["list"]).ok();
    let lines = table.quiet().lines();
    for (column, word) in ["NAME", "STATUS", "PID", "UPTIME", "IMAGE", "OVERLAYS"]
        .iter()
        .enumerate()
    {
        assert_eq!(
            lines[0].split_whitespace().nth(column),
            Some(*word),
            "{table}"
        );
    }
    let line = |name: &str| *lines.iter().find(|line| line.starts_with(name)).unwrap();
    assert!(
        line("dead").contains("dead (its process has ended)"),
        "{table}"
    );
    assert!(
        line("kept").contains("stopped (") && line("foreign").contains("untracked ("),
        "{table}"
    );
    assert!(line("running").contains("demo--1.0.sqf"), "{table}");
    assert!(
        line("running").contains(&place.record("running").pid.to_string()),
        "{table}"
    );
    assert!(
        !table.text().contains('\u{1b}'),
        "a pipe gets no colours: {table}"
    );
    let ls = place.ctr(["ls"]).ok();
    assert_eq!(ls.lines()[0], lines[0]);
}

#[test]
fn names_and_patterns_choose_what_is_shown() {
    let place = zoo();
    let names = |args: &[&str]| {
        place
            .ctr(["list", "--names"])
            .args(args)
            .ok()
            .text()
            .to_owned()
    };
    assert_eq!(names(&[]), "dead\nforeign\nkept\nrunning\n");
    assert_eq!(names(&["*e*"]), "dead\nforeign\nkept\n");
    assert_eq!(names(&["nosuch*"]), "");
}

#[test]
fn the_active_one_is_marked() {
    let place = Place::new();
    place.start("bio", &[]);
    place.start("other", &[]);
    let code = place
        .ctr(["env", "--shell", "bash", "bio"])
        .ok()
        .text()
        .to_owned();
    let active = |args: &str| {
        place
            .program("bash")
            .args(["--norc", "-c", &format!("{code}\nexec ctr {args}")])
            .ok()
    };
    let document = active("list --json").json();
    let marks: Vec<&Value> = document["instances"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["active"])
        .collect();
    assert_eq!(marks, [&json!(true), &json!(false)]);
    let table = active("list");
    assert!(
        table.lines()[1].starts_with("bio *") && !table.lines()[2].contains('*'),
        "{table}"
    );
    assert!(
        active("show --json").json()["name"] == "bio",
        "without a name the active one"
    );
}

#[test]
fn one_of_another_host_is_not_marked_for_having_the_name_of_the_active_one() {
    let place = zoo();
    let all = |format: &str| {
        let run = place.ctr(["list", "--all-hosts", format]);
        run.env("CTR_INSTANCE", "running").ok()
    };
    let document = all("--json").json();
    let instances = document["instances"].as_array().unwrap();
    let named = instances.iter().filter(|one| one["name"] == "running");
    let marks: Vec<_> = named.map(|one| (&one["status"], &one["active"])).collect();
    let expected = [
        (&json!("running"), &json!(true)),
        (&json!("elsewhere"), &json!(false)),
    ];
    assert_eq!(marks, expected);
    let table = all("--color=never");
    let names: Vec<String> = table.lines()[1..]
        .iter()
        .filter(|line| line.starts_with("running"))
        .map(|line| line.split("  ").next().unwrap().to_owned())
        .collect();
    assert_eq!(names, ["running *", "running"], "{table}");
}

#[test]
fn nothing_to_list_is_no_failure() {
    let place = Place::new();
    let list = place.ctr(["list"]).ok();
    assert_eq!(list.text(), "");
    list.says(&["no instances", "ctr start"]);
    assert_eq!(
        place.ctr(["list", "--json"]).ok().json(),
        json!({"instances": []})
    );
    assert!(place.state_files().is_empty(), "looking makes no files");
}

#[test]
fn an_instance_that_died_is_dead_at_once() {
    let place = Place::new();
    place.start("bio", &[]);
    place.crash("bio");
    let list = place.ctr(["list", "--json"]).ok().json();
    assert_eq!(list["instances"][0]["status"], "dead", "{list:#}");
}

#[test]
fn a_reader_that_is_gone_is_no_complaint() {
    let place = Place::new();
    place.start("bio", &[]);
    for command in [
        &["list"][..],
        &["list", "--json"],
        &["show", "bio"],
        &["completions", "bash"],
        &["man"],
    ] {
        // Else the programs of other tests hold it open.
        let (reader, writer) = pipe2(OFlag::O_CLOEXEC).unwrap();
        drop(reader);
        let output = place
            .ctr(command)
            .command()
            .stdout(writer)
            .output()
            .unwrap();
        assert_eq!(output.stderr.escape_ascii().to_string(), "", "{command:?}");
    }
}

#[test]
fn show_tells_all_that_is_known() {
    let place = Place::new();
    let overlay = place.overlay("demo/1.0", &[]);
    place.start(
        "bio",
        &[
            "-o",
            "demo/1.0",
            "-e",
            "K=its value",
            "--note",
            "K=its note",
        ],
    );
    place.ctr(["note", "bio", "-m", "keep until Friday"]).ok();
    let shown = place.ctr(["show", "bio"]).ok();
    let record = place.record("bio");
    for word in [
        "bio",
        "running",
        &record.pid.to_string(),
        overlay.to_str().unwrap(),
        images().sif.to_str().unwrap(),
        "K=its value",
        "its note",
        "keep until Friday",
        place.state_file("bio").to_str().unwrap(),
        record.log_out.to_str().unwrap(),
        record.log_err.to_str().unwrap(),
        place.work().to_str().unwrap(),
    ] {
        assert!(shown.quiet().text().contains(word), "{word}: {shown}");
    }
    let document = place.ctr(["show", "--json", "bio"]).ok().json();
    for (field, value) in place.state("bio").as_object().unwrap() {
        assert_eq!(&document[field], value, "{field}");
    }
    assert_eq!(document["status"], "running");
}

#[test]
fn show_knows_what_ctr_has_not_started_and_what_died() {
    let place = zoo();
    let status = |name: &str| place.ctr(["show", "--json", name]).ok().json()["status"].clone();
    assert_eq!(
        [status("foreign"), status("dead"), status("kept")],
        ["untracked", "dead", "stopped"]
    );
    place.ctr(["show", "foreign"]).ok();
    place.ctr(["show", "nosuch"]).fails(1).says(&["nosuch"]);
}

#[test]
fn prune_removes_what_is_dead_and_nothing_else() {
    let place = zoo();
    let files = || {
        let mut files = place.glob("state/ctr/instances/*/*");
        files.sort();
        files
    };
    let before = files();
    place.ctr(["prune", "--dry-run"]).ok().says(&["dead"]);
    assert_eq!(files(), before);
    let output = place.ctr(["prune"]).ok();
    assert_eq!(output.stderr.lines().count(), 1, "{output}");
    output.says(&["`dead`"]);
    place.assert_forgotten("dead");
    let expected: Vec<_> = before
        .into_iter()
        .filter(|file| !file.ends_with("dead.json"))
        .collect();
    assert_eq!(files(), expected);
    for name in ["running", "foreign"] {
        place.ctr(["exec", name, "true"]).ok();
    }
    place.ctr(["restart", "kept"]).ok();
    assert_says_once(&place.ctr(["prune"]).ok(), "no instance is dead");
}

/// Demands that it printed nothing, and said this in one line on stderr.
#[track_caller]
fn assert_says_once(output: &Output, what: &str) {
    assert_eq!(output.text(), "", "{output}");
    output.says(&["ctr: ", what]);
    assert_eq!(output.stderr.lines().count(), 1, "{output}");
}

#[test]
fn where_there_is_nothing_to_show_one_line_says_so() {
    let place = Place::new();
    for (args, what) in [
        (&["list"][..], "no instances"),
        (&["stats"], "no instance is running"),
        (&["prune"], "no instance is dead"),
        (&["prune", "--dry-run"], "no instance is dead"),
        (&["overlays"], "no overlays in"),
    ] {
        assert_says_once(&place.ctr(args).ok(), what);
        let quiet = place.ctr(["-q"]).args(args).ok();
        assert_eq!(quiet.quiet().text(), "");
    }
    place.overlay("demo/1.0", &[]);
    place.start("bio", &[]);
    for (args, what) in [
        (&["list", "x*"][..], "no instance matches `x*`"),
        (&["overlays", "x*"], "no overlay matches `x*` in"),
        (&["logs", "--stdout", "bio"], "`bio` has printed nothing"),
        (&["prune"], "no instance is dead"),
    ] {
        assert_says_once(&place.ctr(args).ok(), what);
    }
    for (command, key) in [("list", "instances"), ("overlays", "overlays")] {
        let output = place.ctr([command, "--json", "x*"]).ok();
        assert_eq!(output.quiet().json(), json!({key: []}));
    }
    let overlays = place.ctr(["overlays"]).ok();
    assert!(overlays.quiet().text().contains("demo/1.0"), "{overlays}");
}

#[test]
fn a_record_that_apptainer_cannot_read_breaks_nothing() {
    let place = Place::new();
    place.start("bio", &[]);
    let record = place.record("bio").path;
    let other = record
        .parent()
        .unwrap()
        .with_file_name("odd")
        .join("odd.json");
    fs::create_dir_all(other.parent().unwrap()).unwrap();
    fs::write(&other, "").unwrap();
    place.ctr(["list"]).ok();
    place.ctr(["exec", "bio", "true"]).ok();
    place.start("two", &[]);
    place.ctr(["stop", "--all"]).ok();
    eventually("all is gone", || place.processes().is_empty().then_some(()));
    place.assert_forgotten("bio");
    place.assert_forgotten("two");
}
