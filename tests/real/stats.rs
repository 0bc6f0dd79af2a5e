//! `ctr stats`: numbers that a person can believe.

use serde_json::Value;

use crate::support::{Place, eventually, images, processes};

const MB: u64 = 1_000_000;

/// What is said of an instance.
#[track_caller]
fn stats(place: &Place, name: &str) -> Value {
    let document = place.ctr(["stats", "--json", name]).ok().json();
    let instances = document["instances"].as_array().unwrap();
    assert_eq!(instances.len(), 1, "{document:#}");
    instances[0].clone()
}

fn number(stats: &Value, key: &str) -> u64 {
    stats[key]
        .as_u64()
        .unwrap_or_else(|| panic!("{key} is no number in {stats:#}"))
}

#[test]
fn an_idle_instance_uses_next_to_nothing() {
    let place = Place::new();
    place.start("bio", &[]);
    let idle = eventually("it has settled", || {
        let idle = stats(&place, "bio");
        (idle["cpu_percent"].as_f64().unwrap() < 10.0).then_some(idle)
    });
    assert_eq!(idle["name"], "bio");
    assert!(number(&idle, "memory_bytes") < 64 * MB, "{idle:#}");
    assert!((1..=3).contains(&number(&idle, "processes")), "{idle:#}");
    assert!(number(&idle, "uptime_seconds") < 60, "{idle:#}");
    number(&idle, "read_bytes");
    number(&idle, "write_bytes");
}

#[test]
fn a_loop_shows_as_the_time_that_it_takes() {
    let place = Place::new();
    place.start("bio", &[]);
    let mut busy = place
        .ctr(["exec", "bio", "sh", "-c", "while :; do :; done"])
        .spawn();
    eventually("more than half of a core is used", || {
        let percent = stats(&place, "bio")["cpu_percent"].as_f64().unwrap();
        (percent > 50.0 && percent < 150.0).then_some(())
    });
    place.ctr(["stop", "-F", "bio"]).ok();
    busy.wait().unwrap();
}

#[test]
fn memory_that_is_held_shows() {
    let place = Place::new();
    place.start("bio", &[]);
    let idle = number(&stats(&place, "bio"), "memory_bytes");
    let hold = "BEGIN { s = \"x\"; while (length(s) < 67108864) s = s s; system(\"sleep 100000\"); print length(s) }";
    let mut holder = place.ctr(["exec", "bio", "awk", hold]).spawn();
    eventually("64 MB are used", || {
        let held = number(&stats(&place, "bio"), "memory_bytes");
        (held > idle + 60 * MB && held < idle + 400 * MB).then_some(())
    });
    place.ctr(["stop", "-F", "bio"]).ok();
    holder.wait().unwrap();
}

#[test]
fn what_was_written_and_how_many_processes_run_shows() {
    let place = Place::new();
    place.start("bio", &[]);
    let before = stats(&place, "bio");
    let script = "
        text=$(head -c 10000 /dev/zero | tr '\\0' x)
        for round in $(seq 500); do echo $text; done > written
        sleep 100000 & sleep 100000 & wait
    ";
    let mut writer = place.ctr(["exec", "bio", "sh", "-c", script]).spawn();
    eventually("the processes and what they wrote show", || {
        let now = stats(&place, "bio");
        let more = |key| number(&now, key).saturating_sub(number(&before, key));
        (more("processes") == 3 && more("write_bytes") > 4 * MB).then_some(())
    });
    place.ctr(["stop", "-F", "bio"]).ok();
    writer.wait().unwrap();
}

#[test]
fn each_instance_counts_for_itself() {
    let place = Place::new();
    place.start("busy", &[]);
    place.start("idle", &[]);
    let mut busy = place
        .ctr(["exec", "busy", "sh", "-c", "while :; do :; done"])
        .spawn();
    eventually("the busy one is busy", || {
        (stats(&place, "busy")["cpu_percent"].as_f64().unwrap() > 50.0).then_some(())
    });
    assert!(stats(&place, "idle")["cpu_percent"].as_f64().unwrap() < 10.0);
    let all = place.ctr(["stats", "--json"]).ok().json();
    let names: Vec<&Value> = all["instances"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["name"])
        .collect();
    assert_eq!(names, ["busy", "idle"]);
    let some = place.ctr(["stats", "--json", "i*"]).ok().json();
    assert_eq!(some["instances"].as_array().unwrap().len(), 1);
    place.ctr(["stop", "-F", "busy"]).ok();
    busy.wait().unwrap();
}

#[test]
fn the_table_has_a_line_for_each_and_units() {
    let place = Place::new();
    place.start("bio", &[]);
    place
        .apptainer(["-q", "instance", "start"])
        .arg(&images().sif)
        .arg("foreign")
        .ok();
    let table = place.ctr(["stats"]).ok();
    let lines = table.quiet().lines();
    assert_eq!(lines.len(), 3, "{table}");
    for word in ["NAME", "CPU", "MEMORY", "PROCESSES", "UPTIME"] {
        assert!(lines[0].contains(word), "{table}");
    }
    assert!(
        lines[1].starts_with("bio") && lines[1].contains('%') && lines[1].contains("iB"),
        "{table}"
    );
    assert!(lines[2].starts_with("foreign"), "{table}");
}

#[test]
fn what_does_not_run_is_a_failure_that_names_it() {
    let place = Place::new();
    place.ctr(["stats", "nosuch"]).fails(1).says(&["nosuch"]);
    place.start("bio", &[]);
    place.crash("bio");
    place.ctr(["stats", "bio"]).fails(1).says(&["bio", "dead"]);
    let active = place.ctr(["stats", "."]).env("CTR_INSTANCE", "bio");
    let output = active.fails(1);
    output.says(&["`bio` is dead", "ctr restart bio"]);
    assert_eq!(output.text(), "");
    place
        .ctr(["stats", "."])
        .fails(1)
        .says(&["no instance is active"]);
    // A pattern means those that run.
    place
        .ctr(["stats", "b*"])
        .ok()
        .says(&["no instance is running"]);
    let none = place.ctr(["stats", "--json"]).ok().json();
    assert_eq!(none["instances"], serde_json::json!([]));
}

#[test]
fn watch_redraws_until_ctrl_c() {
    let place = Place::new();
    place.start("bio", &[]);
    let mut terminal = place.ctr(["stats", "--watch"]).terminal();
    terminal.wait_for("bio");
    terminal.until("it is drawn again in its place", |terminal| {
        let bytes = terminal.bytes();
        let shown = bytes.windows(4).filter(|bytes| bytes == b"NAME").count();
        (shown >= 2).then_some(())
    });
    assert_eq!(
        terminal.screen().matches("NAME").count(),
        1,
        "{}",
        terminal.screen()
    );
    terminal.ctrl('c');
    assert!(
        [130, -2].contains(&terminal.wait()),
        "{}",
        terminal.screen()
    );
    assert!(processes::look(place.record("bio").pid).is_some());
}
