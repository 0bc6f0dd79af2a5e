//! `ctr logs`: what start scripts printed.

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::Stdio;

use crate::support::{Place, eventually, images};

#[track_caller]
fn assert_shows(place: &Place, args: &[&str], text: &str) {
    eventually(text, || (place.ctr(args).ok().text() == text).then_some(()));
}

#[test]
fn both_streams_show_and_each_can_be_asked_for() {
    let place = Place::new();
    place.start("bio", &["-b", images().service.to_str().unwrap()]);
    assert_shows(&place, &["logs", "--stdout", "bio"], "service: out\n");
    eventually("the error shows", || {
        let text = place
            .ctr(["logs", "--stderr", "bio"])
            .ok()
            .text()
            .to_owned();
        (text.contains("service: err\n") && !text.contains("service: out")).then_some(())
    });
    let both = place.ctr(["logs", "bio"]).ok();
    assert!(
        both.text().contains("service: out\n") && both.text().contains("service: err\n"),
        "{both}"
    );
    place.ctr(["logs", "--stdout", "--stderr", "bio"]).fails(2);
}

#[test]
fn follow_goes_on_as_it_grows_until_the_instance_ends() {
    let place = Place::new();
    let script = format!(
        "#!/bin/sh\necho begun\nwhile [ ! -e {}/go ]; do sleep 0.1; done\necho later\nwhile :; do sleep 0.1; done\n",
        place.work().display()
    );
    let image = place.sandbox("slow", &[("/.singularity.d/startscript", &script)]);
    place.start("bio", &["-b", image.to_str().unwrap()]);
    let mut command = place.ctr(["logs", "--follow", "--stdout", "bio"]).command();
    let mut follow = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(follow.stdout.take().unwrap()).lines();
    assert_eq!(lines.next().unwrap().unwrap(), "begun");
    assert!(follow.try_wait().unwrap().is_none(), "it goes on");
    fs::write(place.work().join("go"), "").unwrap();
    assert_eq!(lines.next().unwrap().unwrap(), "later");
    place.ctr(["stop", "bio"]).ok();
    assert!(lines.next().is_none());
    assert!(follow.wait().unwrap().success());
}

#[test]
fn the_log_of_one_that_died_can_still_be_read() {
    let place = Place::new();
    let script = "#!/bin/sh\necho last words\nexit 3\n";
    let image = place.sandbox("failing", &[("/.singularity.d/startscript", script)]);
    place.start("bio", &["-b", image.to_str().unwrap()]);
    assert_shows(&place, &["logs", "--stdout", "bio"], "last words\n");
    place.crash("bio");
    assert_eq!(
        place.ctr(["logs", "--stdout", "bio"]).ok().text(),
        "last words\n"
    );
    let followed = place.ctr(["logs", "--follow", "--stdout", "bio"]).ok();
    assert_eq!(
        followed.text(),
        "last words\n",
        "there is nothing to wait for"
    );
}

#[test]
fn show_says_where_the_logs_are() {
    let place = Place::new();
    place.start("bio", &[]);
    let record = place.record("bio");
    let shown = place.ctr(["show", "--json", "bio"]).ok().json();
    assert_eq!(shown["log_out"], record.log_out.to_str().unwrap());
    assert_eq!(shown["log_err"], record.log_err.to_str().unwrap());
}

#[test]
fn no_such_instance_is_a_failure_that_names_it() {
    let place = Place::new();
    place.ctr(["logs", "nosuch"]).fails(1).says(&["nosuch"]);
    place.ctr(["logs"]).fails(1).says(&["active"]);
}

#[test]
fn control_characters_in_a_log_are_shown_and_not_sent() {
    let place = Place::new();
    let script = "#!/bin/sh\nprintf 'a\\tb\\033]0;title\\007\\342\\200\\256\\377\\n'\n";
    let image = place.sandbox("colours", &[("/.singularity.d/startscript", script)]);
    place.start("bio", &["-b", image.to_str().unwrap()]);
    assert_shows(
        &place,
        &["logs", "bio"],
        "a\tb\\u{1b}]0;title\\u{7}\\u{202e}\\xff\n",
    );
    let raw = place.ctr(["logs", "--raw", "bio"]).ok();
    assert_eq!(raw.stdout, b"a\tb\x1b]0;title\x07\xe2\x80\xae\xff\n");
}
