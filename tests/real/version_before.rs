//! What was there goes on: shells that loaded the hook of the version before the field faults were
//! mended, its instances, state files and shims serve the program of now, that takes its place.
//! `scripts/test --long` builds that version.

use std::fs;

use crate::prompt::environment;
use crate::support::{Place, Session, Shell, images, long_tool};

/// A place whose `ctr` is the version before.
fn place() -> Place {
    let place = Place::new();
    put(&place, &long_tool("ctr-before"));
    place
}

/// Puts a program in the place of `ctr`, as an installation does.
fn put(place: &Place, program: &std::path::Path) {
    place.copy_program(program, "bin/ctr");
}

/// The program under test takes the place of the version before.
fn upgrade(place: &Place) {
    let now = Place::new(); // whose `ctr` is a link to it
    let now = now.path("bin/ctr").canonicalize().unwrap();
    put(place, &now);
}

/// Starts `bio` by the version before, with something of everything.
fn start(place: &Place) {
    let overlay = place.overlay("demo/1.0", &[("bin/demo", "#!/bin/sh\necho demo $K $1\n")]);
    place.sidecar(
        &overlay,
        "DEMO_HOME=/cnt/demo/1.0\n#ENVNOTE:DEMO_HOME=where\n",
    );
    place.start("bio", &["-o", "demo/1.0", "-e", "K=a 'v' $(x)"]);
    place.ctr(["exec", "bio", "true"]).ok(); // the way in is learned
}

fn open(place: &Place, shell: Shell) -> Session {
    shell.interactive(place, &shell.eval(&format!("ctr init {}", shell.name())))
}

#[test]
fn it_is_another_program() {
    let place = place();
    let before = fs::read(place.path("bin/ctr")).unwrap();
    upgrade(&place);
    assert_ne!(fs::read(place.path("bin/ctr")).unwrap(), before);
}

#[test]
fn its_instances_are_listed_run_in_noted_restarted_and_stopped() {
    let place = place();
    start(&place);
    let pid = place.record("bio").pid;
    upgrade(&place);
    assert_eq!(place.status("bio"), "running");
    let exec = ["exec", "--join", "direct", "bio", "demo", "x"];
    assert_eq!(place.ctr(exec).ok().text(), "demo a 'v' $(x) x\n");
    let exec = ["exec", "--join", "apptainer", "bio", "demo", "x"];
    assert_eq!(place.ctr(exec).ok().text(), "demo a 'v' $(x) x\n");
    let enter = place.ctr(["enter", "bio"]).stdin("demo entered\n").ok();
    assert!(enter.text().contains("demo a 'v' $(x) entered"), "{enter}");
    place.ctr(["note", "bio", "K=noted"]).ok();
    let show = place.ctr(["show", "--json", "bio"]).ok().json();
    assert_eq!(show["notes"]["K"], "noted");
    assert_eq!(show["pid"], pid);
    let again = [
        "start",
        "--if-needed",
        "-o",
        "demo/1.0",
        "-e",
        "K=a 'v' $(x)",
        "bio",
    ];
    place
        .ctr(again)
        .ok()
        .says(&["runs already with this setup"]);
    place.ctr(["stats", "bio"]).ok();
    place.ctr(["restart", "bio"]).ok();
    assert_ne!(place.record("bio").pid, pid);
    assert_eq!(
        place.ctr(["exec", "bio", "demo"]).ok().text(),
        "demo a 'v' $(x)\n"
    );
    place.ctr(["stop", "bio"]).ok();
    assert!(place.records().is_empty() && place.processes().is_empty());
    assert_eq!(place.state_files(), [] as [std::path::PathBuf; 0]);
}

#[test]
fn its_state_of_what_does_not_run_is_known() {
    let place = place();
    start(&place);
    place.ctr(["stop", "--keep", "bio"]).ok();
    let service = images().service.to_str().unwrap();
    place.start("crashed", &["-b", service]);
    place.crash("crashed");
    upgrade(&place);
    assert_eq!(place.status("bio"), "stopped");
    assert_eq!(place.status("crashed"), "dead");
    place.ctr(["restart", "bio", "crashed"]).ok();
    assert_eq!(
        place.ctr(["exec", "bio", "demo"]).ok().text(),
        "demo a 'v' $(x)\n"
    );
    place.ctr(["stop", "-a"]).ok();
    assert!(place.records().is_empty());
}

#[test]
fn flags_that_it_handed_on_are_handed_on() {
    let place = place();
    let home = place.folder("work/hh");
    let spec = format!("{}:/home/t", home.display());
    place
        .ctr(["start", "bio", "--", "-H", &spec, "--cleanenv"])
        .ok();
    upgrade(&place);
    place.ctr(["restart", "bio"]).cwd("/").ok();
    place.ctr(["exec", "bio", "touch", "/home/t/written"]).ok();
    assert!(home.join("written").is_file());
}

#[test]
fn a_shell_with_its_hook_uses_and_leaves_instances() {
    for shell in Shell::ALL {
        let place = place();
        start(&place);
        let mut session = open(&place, shell);
        let before = environment(&mut session);
        upgrade(&place);
        assert_eq!(session.eval("ctr use bio"), "", "{shell:?}");
        assert_eq!(session.prompt(), "(ctr:bio) READY>", "{shell:?}");
        assert_eq!(session.eval("echo $K"), "a 'v' $(x)\n", "{shell:?}");
        assert_eq!(session.eval("ctr exec . demo x"), "demo a 'v' $(x) x\n");
        session.eval("ctr shim add bio demo");
        assert_eq!(session.eval("demo y"), "demo a 'v' $(x) y\n", "{shell:?}");
        assert_eq!(session.eval("ctr leave"), "", "{shell:?}");
        assert_eq!(session.prompt(), "READY>", "{shell:?}");
        assert_eq!(environment(&mut session), before, "{shell:?}");
    }
}

#[test]
fn what_is_active_by_it_stays_so_and_is_left_whole() {
    for shell in Shell::ALL {
        let mut place = place();
        place.set("K", "of the host");
        start(&place);
        place.ctr(["shim", "add", "bio", "demo"]).ok();
        let mut session = open(&place, shell);
        let before = environment(&mut session);
        session.eval("ctr use bio");
        upgrade(&place);
        // The shim is a link to the program, which is another now.
        assert_eq!(session.eval("demo x"), "demo a 'v' $(x) x\n", "{shell:?}");
        assert_eq!(session.prompt(), "(ctr:bio) READY>", "{shell:?}");
        // The hook notices a new process, and takes it over by the new program.
        place.ctr(["restart", "bio"]).ok();
        session.eval(":");
        assert_eq!(session.eval("demo y"), "demo a 'v' $(x) y\n", "{shell:?}");
        assert_eq!(session.prompt(), "(ctr:bio) READY>", "{shell:?}");
        assert_eq!(session.eval("ctr leave"), "", "{shell:?}");
        assert_eq!(session.eval("echo $K"), "of the host\n", "{shell:?}");
        assert_eq!(environment(&mut session), before, "{shell:?}");
    }
}

#[test]
fn what_is_active_by_it_is_left_when_the_new_one_stops_it() {
    for shell in Shell::ALL {
        let place = place();
        start(&place);
        let mut session = open(&place, shell);
        let before = environment(&mut session);
        session.eval("ctr use bio");
        upgrade(&place);
        place.ctr(["stop", "bio"]).ok();
        session.eval(":");
        session.eval(":");
        assert_eq!(session.prompt(), "READY>", "{shell:?}");
        let screen = session.screen().replace('\n', " ");
        assert_eq!(
            screen.matches("left `bio`").count(),
            1,
            "{shell:?}: {screen}"
        );
        assert_eq!(environment(&mut session), before, "{shell:?}");
    }
}

#[test]
fn a_skeleton_that_it_made_with_another_umask_is_made_anew() {
    let mut place = place();
    place.unset("CTR_BASE_IMAGE");
    let first = place.program("sh").args(["-c", "umask 077; ctr start bio"]);
    first.fails(1);
    upgrade(&place);
    place.start("bio", &[]);
    place.ctr(["exec", "bio", "ls", "/var/tmp"]).ok();
}
