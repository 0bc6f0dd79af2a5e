//! A number is no proof: neither that of a process in a record, nor that of a namespace.

use std::fs;
use std::path::Path;
use std::process::Child;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};

use crate::stop_whom::share_pids;
use crate::support::{Bystander, Place, eventually, images, processes};

/// A record of Apptainer's by the name of `z`, which is that of `bio` with this changed.
#[track_caller]
fn forge_record(place: &Place, change: impl FnOnce(&mut Value)) {
    let path = place.record("bio").path;
    let mut record: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    record["name"] = json!("z");
    change(&mut record);
    let folder = path.parent().unwrap().with_file_name("z");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("z.json"), record.to_string()).unwrap();
}

#[test]
fn what_a_record_names_is_no_instance_unless_it_can_be_told_to_be_the_one() {
    let place = Place::new();
    place.start("bio", &[]);
    let mut bystander = Bystander::new();
    let pid = bystander.pid();
    type Change<'a> = &'a dyn Fn(&mut Value);
    let changes: [Change; 4] = [
        &|record| record["pid"] = json!(pid),
        &|record| {
            record["pid"] = json!(pid);
            record["ppid"] = json!(pid);
        },
        // Left behind, when all of its numbers have been given away again.
        &|_| {},
        &|record| record["name"] = json!("bio"),
    ];
    for change in changes {
        forge_record(&place, change);
        assert_eq!(place.listed("z"), None);
        place
            .ctr(["stop", "z"])
            .fails(1)
            .says(&["no such instance"]);
        place.ctr(["stop", "-F", "z"]).fails(1);
        place.ctr(["stop", "--untracked", "-F", "z*"]).fails(1);
        bystander.assert_alive();
        assert_eq!(place.status("bio"), "running");
        let forged = place
            .record("bio")
            .path
            .parent()
            .unwrap()
            .with_file_name("z");
        fs::remove_dir_all(forged).unwrap();
    }
    place.ctr(["exec", "bio", "true"]).ok();
}

#[test]
fn a_start_under_the_name_of_a_stale_record_leaves_what_that_names_alone() {
    let place = Place::new();
    place.start("bio", &[]);
    let mut bystander = Bystander::new();
    forge_record(&place, |record| record["pid"] = json!(bystander.pid()));
    let said = place.ctr(["start", "--replace", "z"]).run();
    bystander.assert_alive();
    assert_eq!(place.status("bio"), "running", "{said}");
}

/// A session in a user namespace in which everyone is root, which starts the instance `inu` by `start`
/// and has other work there.
struct Session {
    shell: Child,
    work: i32,
}

impl Session {
    #[track_caller]
    fn begin(place: &Place, start: &str) -> Session {
        let script = format!(
            "{start} || exit\nsleep 100000 &\necho $! > work.part; mv work.part work\nwait"
        );
        let words = ["--user", "--map-root-user", "--mount", "bash", "-c"];
        let shell = place.program("unshare").args(words).arg(script).spawn();
        let file = place.work().join("work");
        let work = eventually("it has begun", || fs::read_to_string(&file).ok());
        Session {
            shell,
            work: work.trim().parse().unwrap(),
        }
    }

    #[track_caller]
    fn assert_alive(&mut self, what: &str) {
        assert!(!processes::has_ended(self.work), "{what}");
        assert!(self.shell.try_wait().unwrap().is_none(), "{what}");
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let _ = kill(Pid::from_raw(self.work), Signal::SIGKILL);
        let _ = self.shell.wait();
    }
}

fn ctr_start(place: &Place) -> String {
    format!("{} start inu", place.path("bin/ctr").display())
}

#[test]
fn work_in_the_user_namespace_of_its_starter_is_not_what_a_dead_one_left() {
    let place = Place::new();
    let mut session = Session::begin(&place, &ctr_start(&place));
    assert_eq!(place.state("inu").get("user_namespace"), None);
    let keeper = processes::look(place.record("inu").keeper).unwrap();
    let helpers = processes::children(keeper.pid);
    keeper.signal(Signal::SIGKILL);
    eventually("it is dead", || {
        (place.status("inu") == "dead").then_some(())
    });
    let output = place.ctr(["prune"]).ok();
    session.assert_alive(&output.stderr);
    // What is in the session of its supervisor is its own all the same.
    output.says(&["`inu` had left processes running", "squashfuse"]);
    assert!(!output.stderr.contains("sleep"), "{output}");
    assert!(helpers.iter().all(|one| processes::has_ended(one.pid)));
    drop(session);
    place.assert_clean();
}

#[test]
fn work_in_the_user_namespace_of_its_starter_is_not_stopped_with_it() {
    let mut place = Place::new();
    share_pids(&mut place);
    let apptainer = place.environment()[std::ffi::OsStr::new("CTR_APPTAINER")].clone();
    let untracked = format!(
        "{} --quiet instance start {} inu",
        apptainer.display(),
        images().service.display()
    );
    let tracked = ctr_start(&place) + " -b " + images().service.to_str().unwrap();
    for start in [tracked, untracked] {
        let mut session = Session::begin(&place, &start);
        let output = place.ctr(["stop", "inu"]).ok();
        session.assert_alive(&output.stderr);
        drop(session);
        fs::remove_file(place.work().join("work")).unwrap();
        place.assert_clean_after(&output);
    }
}

#[test]
fn what_left_the_session_and_lives_on_without_a_supervisor_is_ended() {
    let mut place = Place::new();
    share_pids(&mut place);
    let script = "#!/bin/sh\nsetsid sleep 100777 &\nexit 0\n";
    // A folder has no FUSE helper.
    let image = place.sandbox("daemon", &[("/.singularity.d/startscript", script)]);
    let options = ["-b", image.to_str().unwrap()];
    let daemon = || {
        let mut found = place.processes().into_iter();
        found.find(|process| process.title == "sleep 100777")
    };
    for args in [
        &["start", options[0], options[1], "bio"][..],
        &["restart", "bio"],
        &["stop", "bio"],
        &["prune"],
    ] {
        place.start("bio", &options);
        let left = eventually("the daemon runs", daemon);
        let keeper = processes::look(place.record("bio").keeper).unwrap();
        keeper.signal(Signal::SIGKILL);
        eventually("it is dead", || {
            (place.status("bio") == "dead").then_some(())
        });
        assert!(!processes::has_ended(left.pid));
        let output = place.ctr(args).ok();
        output.says(&["`bio` had left processes running", "sleep"]);
        assert!(processes::has_ended(left.pid), "{args:?}: {output}");
        if place.listed("bio").is_some() {
            place.ctr(["stop", "bio"]).ok();
        }
        place.assert_clean_after(&output);
    }
}

/// True where an ext3 image says that nothing is left to be written into it: `s_state`, at byte 58 of the
/// superblock, which begins at 1024.
fn is_in_order(image: &Path) -> bool {
    let bytes = fs::read(image).unwrap();
    bytes[1024 + 58] & 1 == 1
}

#[test]
fn a_helper_that_is_left_puts_its_image_in_order() {
    for is_known in [true, false] {
        let place = Place::new();
        let image = place.ext3("env.img", nix::unistd::getuid().as_raw());
        place.start("bio", &["-w", "-o", "env.img"]);
        let write = ["exec", "bio", "touch", "/ext3/env/new"];
        place.ctr(write).ok();
        if !is_known {
            place.edit_state("bio", |state| state["user_namespace"] = Value::Null);
        }
        let keeper = processes::look(place.record("bio").keeper).unwrap();
        keeper.signal(Signal::SIGKILL);
        eventually("it is dead", || {
            (place.status("bio") == "dead").then_some(())
        });
        assert!(!is_in_order(&image));
        place.ctr(["prune"]).ok().says(&["fuse2fs"]);
        assert!(is_in_order(&image), "{is_known}");
    }
}

#[test]
fn a_namespace_that_was_given_the_number_of_one_that_is_gone_is_not_the_instances() {
    let place = Place::new();
    place.start("bio", &[]);
    place.crash("bio");
    for name in [None, Some("other")] {
        let run = place.program("unshare").args(["--user", "sleep", "100000"]);
        let run = match name {
            Some(name) => run.env("APPTAINER_INSTANCE", name),
            None => run,
        };
        let mut other = run.spawn();
        let pid = other.id() as i32;
        eventually("it is sleep", || {
            let title = processes::look(pid)?.title;
            title.starts_with("sleep").then_some(())
        });
        let link = fs::read_link(format!("/proc/{pid}/ns/user")).unwrap();
        let number = link
            .to_str()
            .unwrap()
            .replace(|c: char| !c.is_ascii_digit(), "");
        place.edit_state("bio", |state| {
            state["user_namespace"] = json!(number.parse::<u64>().unwrap());
        });
        let output = place.ctr(["restart", "bio"]).ok();
        assert!(!output.stderr.contains("had left"), "{output}");
        assert!(other.try_wait().unwrap().is_none());
        other.kill().unwrap();
        other.wait().unwrap();
        place.crash("bio");
    }
}
