//! What a direct join needs is learned once, through Apptainer, and kept as long as it is true.

use std::fs;
use std::path::PathBuf;

use crate::support::{Place, eventually};

/// An Apptainer that notes each of its calls, and the file with the notes.
fn noting_apptainer(place: &mut Place) -> (PathBuf, PathBuf) {
    let notes = place.path("cache/calls");
    fs::write(&notes, "").unwrap();
    let program = place.wrap_apptainer(&format!("echo \"$*\" >> {}", notes.display()));
    (program, notes)
}

/// How often Apptainer was called to run something, since the last time that this was asked.
fn execs(notes: &PathBuf) -> usize {
    let text = fs::read_to_string(notes).unwrap();
    fs::write(notes, "").unwrap();
    text.lines().filter(|line| line.contains(" exec ")).count()
}

#[test]
fn it_is_learned_at_the_first_command_and_kept_with_the_state() {
    let mut place = Place::new();
    let (_, notes) = noting_apptainer(&mut place);
    place.start("bio", &[]);
    assert_eq!(execs(&notes), 0, "a start is as fast as it was");
    assert!(place.state("bio").get("joins").is_none());
    place.ctr(["exec", "bio", "true"]).ok().quiet();
    assert_eq!(execs(&notes), 2);
    let generation = place.state("bio")["generation"].clone();
    for _ in 0..3 {
        place.ctr(["exec", "bio", "true"]).ok().quiet();
    }
    assert_eq!(execs(&notes), 0);
    let state = place.state("bio");
    assert_eq!(state["joins"].as_array().unwrap().len(), 1);
    assert_eq!(state["generation"], generation);
    // Another one of that name is another one.
    place.ctr(["restart", "bio"]).ok();
    assert!(place.state("bio").get("joins").is_none());
    place.ctr(["exec", "--join", "direct", "bio", "true"]).ok();
    assert_eq!(execs(&notes), 2);
}

#[test]
fn apptainer_is_not_called_where_it_is_not_wanted_and_nothing_is_learned() {
    let mut place = Place::new();
    let (_, notes) = noting_apptainer(&mut place);
    place.start("bio", &[]);
    place
        .ctr(["exec", "--join", "apptainer", "bio", "true"])
        .ok()
        .quiet();
    assert_eq!(execs(&notes), 1);
    assert!(place.state("bio").get("joins").is_none());
}

#[test]
fn another_apptainer_is_noticed() {
    let mut place = Place::new();
    let (program, notes) = noting_apptainer(&mut place);
    place.start("bio", &[]);
    place.ctr(["exec", "bio", "true"]).ok();
    assert_eq!(execs(&notes), 2);
    let text = fs::read_to_string(&program).unwrap();
    fs::write(&program, format!("{text}# upgraded\n")).unwrap();
    place.ctr(["exec", "bio", "true"]).ok();
    assert_eq!(execs(&notes), 2);
    place.ctr(["exec", "bio", "true"]).ok();
    assert_eq!(execs(&notes), 0);
}

#[test]
fn a_changed_image_is_noticed() {
    let place = Place::new();
    let script = "/.singularity.d/env/90-environment.sh";
    let image = place.sandbox("own", &[(script, "export VERSION=one\n")]);
    let words = ["-b", image.to_str().unwrap()];
    place
        .ctr(["start"])
        .args(words)
        .args(["own", "--", "--writable"])
        .ok();
    let version = || {
        let output = place.ctr(["exec", "own", "sh", "-c", "echo $VERSION"]).ok();
        output.text().to_owned()
    };
    assert_eq!(version(), "one\n");
    // From outside and from inside.
    fs::write(image.join(&script[1..]), "export VERSION=two\n").unwrap();
    assert_eq!(version(), "two\n");
    let change = format!("echo export VERSION=three > {script}");
    place.ctr(["exec", "own", "sh", "-c", &change]).ok();
    assert_eq!(version(), "three\n");
    let add = "echo export VERSION=four > /.singularity.d/env/92-more.sh";
    place.ctr(["exec", "own", "sh", "-c", add]).ok();
    assert_eq!(version(), "four\n");
}

#[test]
fn callers_with_other_settings_of_apptainer_do_not_share_it() {
    let mut place = Place::new();
    let (_, notes) = noting_apptainer(&mut place);
    place.start("bio", &[]);
    let seen = |binds: &str| {
        let run = place.ctr(["exec", "bio", "sh", "-c", "echo $APPTAINER_BIND"]);
        run.env("APPTAINER_BIND", binds).ok().text().to_owned()
    };
    for _ in 0..2 {
        assert_eq!(seen("/usr/share"), "/usr/share\n");
        assert_eq!(seen("/usr/lib"), "/usr/lib\n");
    }
    assert_eq!(execs(&notes), 4, "each was learned once");
}

#[test]
fn many_first_commands_at_once_all_run() {
    let place = Place::new();
    place.start("bio", &[]);
    let run = place.ctr(["exec", "bio", "sh", "-c", "exit 3"]);
    let mut children: Vec<_> = (0..8).map(|_| run.spawn()).collect();
    for child in &mut children {
        assert_eq!(child.wait().unwrap().code(), Some(3));
    }
    place.ctr(["exec", "--join", "direct", "bio", "true"]).ok();
    assert_eq!(place.status("bio"), "running");
}

#[test]
fn of_many_first_commands_at_once_one_learns_and_the_others_wait() {
    let mut place = Place::new();
    let (_, notes) = noting_apptainer(&mut place);
    place.start("bio", &[]);
    place.ctr(["shim", "add", "bio", "ls"]).ok();
    place.ctr(["restart", "bio"]).ok();
    execs(&notes);
    let by_shim = place.program("sh").args(["-c", "\"$0\" / && exit 3"]);
    let runs = [
        place.ctr(["exec", "bio", "sh", "-c", "exit 3"]),
        by_shim.arg(place.shim("bio", "ls")),
    ];
    let mut children: Vec<_> = (0..12).map(|at| runs[at % 2].spawn()).collect();
    for child in &mut children {
        assert_eq!(child.wait().unwrap().code(), Some(3));
    }
    assert_eq!(execs(&notes), 2, "as for one");
}

#[test]
fn a_state_that_cannot_be_written_is_no_hindrance() {
    let place = Place::new();
    place.start("bio", &[]);
    let file = place.state_file("bio");
    place.mode(file.parent().unwrap(), 0o500);
    place.ctr(["exec", "bio", "echo", "hi"]).ok().quiet();
    place
        .ctr(["exec", "--join", "direct", "bio", "echo", "hi"])
        .ok()
        .quiet();
    place.mode(file.parent().unwrap(), 0o700);
    assert!(place.state("bio").get("joins").is_none());
}

#[test]
fn an_instance_that_is_stopped_meanwhile_ends_its_commands() {
    let place = Place::new();
    place.start("bio", &[]);
    place.ctr(["exec", "bio", "true"]).ok();
    let mut child = place.ctr(["exec", "bio", "sleep", "12345"]).spawn();
    eventually("the command runs", || {
        let seen = place.ctr(["exec", "bio", "ps"]).ok();
        seen.text().contains("sleep 12345").then_some(())
    });
    let output = place.ctr(["stop", "bio"]).ok();
    output.says(&["1 command"]);
    let status = child.wait().unwrap();
    // It is asked to end before anything is killed.
    assert_eq!(crate::support::code(status), -2);
    place.assert_clean();
}

#[test]
fn nobody_waits_for_one_who_learns_and_is_stopped() {
    let mut place = Place::new();
    place.start("bio", &[]);
    let [first, told, gate] = ["first", "told", "gate"].map(|name| place.path("cache").join(name));
    place.wrap_apptainer(&format!(
        "case \" $* \" in *' exec '*) if mkdir {} 2>/dev/null; then
            echo > {}; while [ ! -e {} ]; do sleep 0.02; done; fi ;; esac",
        first.display(),
        told.display(),
        gate.display()
    ));
    let mut learner = place.ctr(["exec", "bio", "true"]).spawn();
    eventually("it learns", || told.exists().then_some(()));
    let pid = nix::unistd::Pid::from_raw(learner.id() as i32);
    nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGSTOP).unwrap();
    // Each would wait for longer than all may take.
    let script = "for i in 1 2 3; do ctr exec -v bio echo hi; done";
    let said = place.program("sh").args(["-ec", script]).ok();
    assert_eq!(said.text(), "hi\nhi\nhi\n");
    said.says(&["goes through Apptainer", "does not get on"]);
    nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGCONT).unwrap();
    fs::write(gate, "").unwrap();
    assert!(learner.wait().unwrap().success());
}
