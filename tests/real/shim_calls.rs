//! A shim that is called is the command of the inside.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::process::Stdio;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::support::{Place, Run, code, processes};

/// A place with `bio`, its overlay, and shims for all that this brought.
fn place() -> Place {
    let place = Place::new();
    place.overlay(
        "demo/1.0",
        &[
            (
                "bin/words",
                "#!/bin/sh\nfor word; do printf '<%s>' \"$word\"; done\n",
            ),
            ("bin/ends", "#!/bin/sh\nexit $1\n"),
            ("bin/dies", "#!/bin/sh\nkill -$1 $$\n"),
            ("bin/streams", "#!/bin/sh\ncat; echo aside >&2\n"),
            ("bin/where", "#!/bin/sh\npwd\n"),
            ("bin/around", "#!/bin/sh\nexec cat /proc/self/environ\n"),
            ("bin/waits", "#!/bin/sh\necho ready\nexec sleep 12345\n"),
        ],
    );
    place.start("bio", &["-o", "demo/1.0", "-e", "GIVEN=it's $x"]);
    place.ctr(["shim", "add", "bio", "--all"]).ok();
    place
}

fn call(place: &Place, command: &str) -> Run {
    place.program(place.shim("bio", command))
}

#[test]
fn its_words_arrive_as_they_are() {
    let place = place();
    let odd: Vec<&OsStr> = [
        &b""[..],
        b"a b",
        b"it's",
        b"\"$HOME\" `x` \\",
        b"new\nline",
        b"--help",
        b"-v",
        b"--",
        b"\xff\xfe",
    ]
    .map(OsStr::from_bytes)
    .into();
    let output = call(&place, "words").args(&odd).ok();
    let expected: Vec<u8> = odd
        .iter()
        .flat_map(|word| [b"<", word.as_bytes(), b">"].concat())
        .collect();
    assert_eq!(output.stdout, expected);
    output.quiet();
    // Not one of them is for ctr.
    for word in ["--version", "stop", "exec"] {
        assert_eq!(
            call(&place, "words").arg(word).ok().text(),
            format!("<{word}>")
        );
    }
}

#[test]
fn its_streams_status_and_folder_are_those_of_the_command() {
    let place = place();
    let output = call(&place, "streams").stdin(&b"\0\xff\n"[..]).ok();
    assert_eq!(
        (&*output.stdout, &*output.stderr),
        (&b"\0\xff\n"[..], "aside\n")
    );
    for status in [0, 1, 7, 125, 126, 127, 255] {
        call(&place, "ends")
            .arg(status.to_string())
            .fails(status)
            .quiet();
    }
    for signal in [Signal::SIGTERM, Signal::SIGKILL, Signal::SIGPIPE] {
        let number = (signal as i32).to_string();
        call(&place, "dies")
            .arg(number)
            .fails(-(signal as i32))
            .quiet();
    }
    let folder = place.folder("work/with a space");
    let output = call(&place, "where").cwd(&folder).ok();
    assert_eq!(output.text(), format!("{}\n", folder.display()));
}

#[test]
fn its_environment_is_that_of_exec() {
    let place = place();
    let of = |run: Run| {
        let mut variables = run.env("OWN", "x y").ok().environ();
        for ours in ["_", "CTR_JOIN"] {
            variables.remove(ours);
        }
        variables
    };
    let exec = of(place.ctr(["exec", "bio", "around"]));
    assert_eq!(exec["GIVEN"], "it's $x");
    assert_eq!(of(call(&place, "around")), exec);
    let through = of(place.ctr(["exec", "--join", "apptainer", "bio", "around"]));
    assert_eq!(of(call(&place, "around")), through);
}

#[test]
fn signals_reach_the_command_and_it_does_not_outlive_its_shim() {
    let place = place();
    for (signal, status) in [
        (Signal::SIGTERM, -15),
        (Signal::SIGINT, -2),
        (Signal::SIGKILL, -9),
    ] {
        let mut child = call(&place, "waits").command();
        let mut child = child
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut ready = [0; 6];
        std::io::Read::read_exact(child.stdout.as_mut().unwrap(), &mut ready).unwrap();
        let inside = processes::child(child.id() as i32).pid;
        kill(Pid::from_raw(child.id() as i32), signal).unwrap();
        assert_eq!(code(child.wait().unwrap()), status);
        crate::support::eventually("the command inside has ended", || {
            processes::look(inside).is_none().then_some(())
        });
    }
}

#[test]
fn it_is_known_by_its_file_and_not_by_its_first_word() {
    let place = place();
    let shim = place.shim("bio", "words");
    let script = format!("exec -a other {} x", shim.display());
    let bash = |script: &str| place.program("bash").args(["-c", script]);
    assert_eq!(bash(&script).ok().text(), "<x>");
    assert_eq!(
        bash(&format!("exec -a ctr {} x", shim.display()))
            .ok()
            .text(),
        "<x>"
    );
    // Relative, by a link, by a link to a link, as an interpreter.
    let folder = shim.parent().unwrap();
    let relative = bash(&format!("cd {} && PATH=.:$PATH; words x", folder.display())).fails(0);
    assert_eq!(relative.text(), "<x>");
    symlink(&shim, place.path("bin/other")).unwrap();
    symlink("other", place.path("bin/another")).unwrap();
    for name in ["other", "another"] {
        assert_eq!(
            place
                .program(place.path("bin").join(name))
                .arg("x")
                .ok()
                .text(),
            "<x>"
        );
    }
    // By another way to its folder.
    let by_link = place.path("by-link");
    symlink(folder, &by_link).unwrap();
    for way in [by_link.join("words"), folder.join("../bio/words")] {
        assert_eq!(place.program(&way).arg("list").ok().text(), "<list>");
        let why = place.ctr(["why"]).arg(&way).ok();
        assert!(why.text().contains("is a shim of `bio`"), "{why}");
    }
    let relative = bash("cd .. && PATH=by-link:$PATH words list").ok();
    assert_eq!(relative.text(), "<list>");
    let script = place.write_program("work/script", format!("#!{} -o\n", shim.display()));
    let output = place.program(&script).arg("x y").ok();
    assert_eq!(output.text(), format!("<-o><{}><x y>", script.display()));
    // And `ctr` stays ctr, whatever it is called.
    symlink(place.path("bin/ctr"), place.path("bin/container")).unwrap();
    let version = place
        .program(place.path("bin/container"))
        .arg("--version")
        .ok();
    assert!(version.text().starts_with("ctr "), "{version}");
    let version = bash("exec -a /run/ctr/shims/bio/words ctr --version").ok();
    assert!(version.text().starts_with("ctr "), "{version}");
}

#[test]
fn in_a_terminal_it_has_the_terminal() {
    let place = Place::new();
    place.start("bio", &[]);
    place.ctr(["shim", "add", "bio", "sh"]).ok();
    let mut terminal = place.program(place.shim("bio", "sh")).terminal();
    terminal.line("stty size >/dev/null && echo has-'one'");
    terminal.wait_for("has-one");
    terminal.line("exit 3");
    assert_eq!(terminal.wait(), 3);
}

#[test]
fn where_apptainer_is_needed_it_goes_through_apptainer() {
    let place = place();
    place.config("join = 'apptainer'\n");
    // What a shim reads is brought up to date when ctr comes by.
    place.ctr(["env", "bio"]).ok();
    let output = call(&place, "words").args(["a b", "c"]).ok();
    assert_eq!(output.text(), "<a b><c>");
    call(&place, "ends").arg("9").fails(9).quiet();
}
