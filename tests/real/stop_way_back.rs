//! What there is after a stop, a restart or a start that went wrong.

use std::fs;
use std::os::unix::process::ExitStatusExt;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::support::{Place, Run, eventually, images, processes};

/// A world in which no file can be written to: as on a full disk, files can be made and renamed.
fn on_a_full_disk(place: &Place, args: &[&str]) -> Run {
    let script = "trap '' XFSZ; ulimit -f 0; exec \"$@\"";
    let shell = place.program("bash").args(["-c", script, "bash"]);
    shell.arg(place.path("bin/ctr")).args(args)
}

#[test]
fn what_cannot_be_written_down_is_not_stopped() {
    let place = Place::new();
    place.start("bio", &["-e", "K=v"]);
    assert_eq!(place.environ("bio")["K"], "v"); // what is learned of it then is kept in the state
    let (pid, state) = (place.record("bio").pid, place.state("bio"));
    for args in [
        &["restart", "bio"][..],
        &["stop", "--keep", "bio"],
        &["start", "--replace", "-e", "K=new", "bio"],
    ] {
        on_a_full_disk(&place, args)
            .fails(1)
            .says(&["cannot write"]);
        assert_eq!(place.status("bio"), "running", "{args:?}");
        assert_eq!(
            (place.record("bio").pid, place.state("bio")),
            (pid, state.clone())
        );
        let left = place.glob("state/ctr/instances/*/.*.new");
        assert!(left.is_empty(), "{left:?}");
        assert_eq!(place.environ("bio")["K"], "v");
    }
    on_a_full_disk(&place, &["stop", "bio"])
        .ok()
        .says(&["is stopped"]);
    place.assert_clean();
}

#[test]
fn one_whose_state_cannot_be_removed_is_stopped_all_the_same() {
    let place = Place::new();
    place.start("bio", &[]);
    let folder = place.state_file("bio").parent().unwrap().to_owned();
    place.mode(&folder, 0o500);
    let output = place.ctr(["stop", "bio"]).fails(1);
    output.says(&["`bio` is stopped", "its state stays", "cannot write"]);
    assert!(place.processes().is_empty(), "{:#?}", place.processes());
    assert_eq!(place.status("bio"), "dead");
    // What it cannot write down it does not begin.
    place.ctr(["restart", "bio"]).fails(1).says(&["cannot"]);
    place
        .ctr(["stop", "--keep", "bio"])
        .fails(1)
        .says(&["cannot write"]);
    place.mode(&folder, 0o700);
    place.ctr(["restart", "bio"]).ok();
    place.ctr(["stop", "bio"]).ok();
    place.assert_clean();
}

#[test]
fn a_start_whose_apptainer_is_killed_leaves_nothing() {
    let mut place = Place::new();
    place.ext3("env.img", nix::unistd::getuid().as_raw());
    let real = place.environment()[std::ffi::OsStr::new("CTR_APPTAINER")].clone();
    for round in 0..16 {
        let seconds = f64::from(round) * 0.03;
        let kill = format!(
            "{} \"$@\" & real=$!; sleep {seconds}; kill -9 $real; wait $real 2>/dev/null; exit 1",
            real.to_str().unwrap()
        );
        place.set("CTR_APPTAINER", &real);
        let program = place.apptainer_that(&kill);
        place.set("CTR_APPTAINER", program);
        let output = place.ctr(["start", "-w", "-o", "env.img", "bio"]).fails(1);
        place.assert_clean_after(&format!("{seconds} s: {output}"));
    }
    // Nothing holds the image, and nothing of it is broken.
    place.set("CTR_APPTAINER", real);
    place.start("bio", &["-w", "-o", "env.img"]);
    place.ctr(["exec", "bio", "touch", "/ext3/env/new"]).ok();
}

#[test]
fn a_start_that_goes_on_without_the_apptainer_that_was_called_is_ended() {
    let mut place = Place::new();
    let late = "(sleep 0.3; real \"$@\") & exit 1";
    place.set("CTR_APPTAINER", place.apptainer_that(late));
    place.ctr(["start", "bio"]).fails(1);
    place.assert_clean();
    let hidden = "setsid sh -c 'sleep 0.3; real \"$@\"' & exit 1";
    place.set("CTR_APPTAINER", place.apptainer_that(hidden));
    place.ctr(["start", "bio"]).fails(1);
    place.assert_clean();
}

#[test]
fn an_interrupted_start_leaves_nothing_at_whatever_moment() {
    let place = Place::new();
    place.ext3("env.img", nix::unistd::getuid().as_raw());
    for round in 0..20 {
        let mut terminal = place
            .ctr(["start", "-w", "-o", "env.img", "bio"])
            .terminal();
        // The moment is what is tried here.
        std::thread::sleep(std::time::Duration::from_millis(40 + 25 * round));
        terminal.ctrl('c');
        match terminal.wait() {
            0 => {
                place.ctr(["stop", "bio"]).ok();
            }
            130 => {}
            // By the signal itself, when nothing had begun but what the next command takes up.
            status => {
                assert_eq!(status, -2, "{}", terminal.screen());
                place.start("bio", &[]);
                place.ctr(["stop", "bio"]).ok();
            }
        }
        place.assert_clean_after(&format!("round {round}: {}", terminal.screen()));
    }
}

#[test]
fn what_apptainer_tells_its_parent_ends_no_start() {
    let mut place = Place::new();
    let real = place.environment()[std::ffi::OsStr::new("CTR_APPTAINER")].clone();
    let real = real.to_str().unwrap();
    let script = format!(
        "#!/bin/sh
        case \" $* \" in *' instance start '*) kill -USR1 $PPID; kill -USR2 $PPID ;; esac
        exec {real} \"$@\"
        "
    );
    let apptainer = place.write_program("told/apptainer", script);
    place.set("CTR_APPTAINER", apptainer);
    place.start("bio", &[]);
    assert_eq!(place.status("bio"), "running");
}

/// An image that goes on until it is killed.
fn deaf(place: &Place) -> String {
    let script = "#!/bin/sh\ntrap '' INT TERM HUP\necho > ready\nwhile :; do sleep 0.1; done\n";
    let image = place.sandbox("deaf", &[("/.singularity.d/startscript", script)]);
    image.to_str().unwrap().to_owned()
}

#[test]
fn signals_do_after_a_launch_what_they_did_before() {
    for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP] {
        let place = Place::new();
        let image = deaf(&place);
        place.start("a", &[]);
        place.start("b", &["-b", &image]);
        wait_until_ready(&place);
        let before = place.record("a").pid;
        let mut restart = place.ctr(["restart", "a", "b"]).spawn();
        // It is through with `a` and waits for `b`, which does not end for ten seconds.
        eventually("`a` is started again", || {
            let state = place.state("a");
            let is_new = state["pid"] != before && state["phase"] == "running";
            is_new.then_some(())
        });
        let b = place.record("b").pid;
        kill(Pid::from_raw(restart.id() as i32), signal).unwrap();
        let status = restart.wait().unwrap();
        assert_eq!(status.signal(), Some(signal as i32), "{status:?}");
        assert_eq!(place.record("b").pid, b, "{signal}");
        assert_eq!(place.status("b"), "running");
    }
}

#[track_caller]
fn wait_until_ready(place: &Place) {
    let ready = place.path("work/ready");
    eventually("it is ready", || ready.exists().then_some(()));
}

#[test]
fn a_signal_that_the_caller_ignores_does_not_interrupt_a_start() {
    let mut place = Place::new();
    let (program, gate, waiting) = place.gated_apptainer();
    place.set("CTR_APPTAINER", program);
    let script = "trap '' HUP INT; exec ctr start bio";
    let mut start = place.program("bash").args(["-c", script]).spawn();
    eventually("the start waits", || waiting.exists().then_some(()));
    for signal in [Signal::SIGHUP, Signal::SIGINT] {
        kill(Pid::from_raw(start.id() as i32), signal).unwrap();
    }
    fs::write(gate, "").unwrap();
    assert!(start.wait().unwrap().success());
    assert_eq!(place.status("bio"), "running");
}

#[test]
fn a_restart_that_is_killed_keeps_the_setup() {
    let mut place = Place::new();
    place.start("bio", &["-e", "K=v"]);
    let real = place.environment()[std::ffi::OsStr::new("CTR_APPTAINER")].clone();
    let (program, _, waiting) = place.gated_apptainer();
    place.set("CTR_APPTAINER", program);
    let mut restart = place.ctr(["restart", "bio"]).spawn();
    eventually("the start waits", || waiting.exists().then_some(()));
    let apptainer = processes::child(restart.id() as i32);
    restart.kill().unwrap();
    restart.wait().unwrap();
    apptainer.signal(Signal::SIGKILL);
    eventually("nothing starts it any more", || {
        let mut left = place.processes().into_iter();
        left.all(|one| !one.title.contains(" start ")).then_some(())
    });
    place.ctr(["list"]).ok().says(&["setup is kept"]);
    assert_eq!(place.status("bio"), "stopped");
    place.set("CTR_APPTAINER", real);
    place.ctr(["restart", "bio"]).ok();
    assert_eq!(place.environ("bio")["K"], "v");
    place.start("other", &["-b", images().sandbox.to_str().unwrap()]);
}
