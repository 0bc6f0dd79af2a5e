//! The harness itself: a wrong one would make every other test worthless.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::support::{Place, Shell, eventually, images, processes};

#[test]
fn a_place_ends_its_instances_even_when_its_test_panics() {
    let mut family = Vec::new();
    let mut root = None;
    let panic = catch_unwind(AssertUnwindSafe(|| {
        let place = Place::new();
        root = Some(place.path(""));
        let overlay = place.overlay("demo/1.0", &[("bin/demo", "#!/bin/sh\n")]);
        place
            .apptainer(["instance", "start", "--overlay"])
            .arg(overlay)
            .arg(&images().service)
            .arg("one")
            .ok();
        let record = place.record("one");
        family = processes::children(record.keeper);
        family.push(processes::look(record.keeper).expect("it runs"));
        // The first process inside, two overlays' helpers, the keeper.
        assert!(family.len() >= 4, "{family:#?}");
        assert!(family.iter().any(|process| process.pid == record.pid));
        let ours = place.processes();
        assert!(
            family
                .iter()
                .all(|one| ours.iter().any(|other| other.pid == one.pid)),
            "{ours:#?}"
        );
        panic!("as tests do");
    }));
    assert_eq!(panic.unwrap_err().downcast_ref(), Some(&"as tests do"));
    assert!(
        family
            .iter()
            .all(|process| processes::look(process.pid).is_none())
    );
    assert!(!root.expect("was set").exists());
}

#[test]
fn a_crash_leaves_the_record_and_nothing_else() {
    let place = Place::new();
    place
        .apptainer(["instance", "start"])
        .arg(&images().sif)
        .arg("one")
        .ok();
    place.crash("one");
    assert!(place.record("one").path.exists());
    assert!(place.processes().is_empty());
}

#[test]
fn the_images_are_what_the_tests_rely_on() {
    let place = Place::new();
    let dump = place.work().join("dump");
    place
        .apptainer(["instance", "start", "--no-eval"])
        .env("APPTAINERENV_SERVICE_DUMP", &dump)
        .arg(&images().service)
        .arg("one")
        .ok();
    let environ = eventually("the start script writes its environment", || {
        fs::read(&dump).ok()
    });
    assert!(
        environ
            .split(|byte| *byte == 0)
            .any(|entry| entry == b"FROM_IMAGE=yes")
    );
    let record = place.record("one");
    eventually("the start script prints", || {
        let read = |path| fs::read_to_string(path).unwrap_or_default();
        let (out, err) = (read(&record.log_out), read(&record.log_err));
        (out == "service: out\n" && err.contains("service: err\n")).then_some(())
    });
    let environ = place
        .apptainer(["exec", "instance://one", "cat", "/proc/self/environ"])
        .ok();
    assert!(
        environ.environ()["PATH"].starts_with("/image/bin:"),
        "{environ}"
    );
}

#[test]
fn an_ext3_overlay_belongs_to_whom_the_test_says() {
    let place = Place::new();
    for owner in [0, 1234] {
        let image = place.ext3("env.img", owner);
        let stat = place
            .program("debugfs")
            .args(["-R", "stat /upper"])
            .arg(image)
            .ok();
        let words: Vec<&str> = stat.text().split_whitespace().collect();
        let user = words
            .iter()
            .position(|word| *word == "User:")
            .expect("has an owner");
        assert_eq!(words[user + 1], owner.to_string());
    }
}

#[test]
fn sessions_show_the_prompt_and_give_what_commands_print() {
    let place = Place::new();
    for shell in Shell::ALL {
        let mut session = shell.interactive(&place, "echo from the rc file");
        session.wait_for("from the rc file");
        assert_eq!(
            session.eval("echo one; echo two >&2"),
            "one\ntwo\n",
            "{shell:?}"
        );
        session.eval(&shell.export("KEY", "a value"));
        assert_eq!(session.eval("printenv KEY"), "a value\n", "{shell:?}");
        session.eval(&shell.unset("KEY"));
        assert_eq!(
            session.eval("printenv KEY; or_not 2>/dev/null; true"),
            "",
            "{shell:?}"
        );
        assert_eq!(session.prompt(), "READY>", "{shell:?}");
        session.line("exit 3");
        assert_eq!(session.wait(), 3, "{shell:?}");
        let script = shell.script(&place, "echo scripted\nexit 4\n").fails(4);
        assert_eq!(script.text(), "scripted\n", "{shell:?}");
    }
}
