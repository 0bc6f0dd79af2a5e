//! The working folder: a path can exist inside and be another folder, or not exist. `rm *` must
//! never happen in a folder that the caller did not mean.

use std::fs;

use crate::support::Place;

/// An instance that sees nothing of the home and `/tmp` but the folder that it was started in.
fn contained() -> Place {
    let place = Place::new();
    place.ctr(["start", "bio", "--", "--contain"]).ok();
    place
}

#[test]
fn a_folder_that_does_not_exist_inside_is_refused_and_named() {
    let place = contained();
    let outside = place.folder("outside");
    let output = place.ctr(["exec", "bio", "pwd"]).cwd(&outside).fails(125);
    assert_eq!(output.text(), "");
    output.says(&[outside.to_str().unwrap(), "--cwd", "--bind"]);
}

#[test]
fn cwd_names_another_folder() {
    let place = contained();
    let outside = place.folder("outside");
    let run = place
        .ctr(["exec", "--cwd", "/var/tmp", "bio", "pwd"])
        .cwd(&outside);
    let output = run.ok();
    assert_eq!(output.text(), "/var/tmp\n");
    output.quiet();
}

#[test]
fn cwd_that_does_not_exist_inside_is_refused_too() {
    let place = contained();
    let outside = place.folder("outside");
    for folder in ["/nosuch", outside.to_str().unwrap()] {
        let output = place
            .ctr(["exec", "--cwd", folder, "bio", "pwd"])
            .fails(125);
        assert_eq!(output.text(), "");
        output.says(&[folder]);
    }
}

#[test]
fn a_private_tmp_is_another_folder_under_the_same_path() {
    let place = contained();
    let output = place.ctr(["exec", "bio", "pwd"]).cwd("/tmp").fails(125);
    assert_eq!(output.text(), "");
    output.says(&["/tmp", "--cwd"]);
    // Whoever names it means the one inside.
    assert_eq!(
        place
            .ctr(["exec", "--cwd", "/tmp", "bio", "pwd"])
            .cwd("/tmp")
            .ok()
            .text(),
        "/tmp\n"
    );
}

#[test]
fn a_bind_over_a_folder_makes_it_another() {
    let place = Place::new();
    let (mine, other) = (place.folder("mine"), place.folder("other"));
    fs::write(mine.join("precious"), "").unwrap();
    fs::write(other.join("precious"), "").unwrap();
    let bind = format!("{}:{}", other.display(), mine.display());
    place.start("bio", &["--bind", &bind]);
    let output = place
        .ctr(["exec", "bio", "rm", "precious"])
        .cwd(&mine)
        .fails(125);
    output.says(&[mine.to_str().unwrap()]);
    assert!(mine.join("precious").exists() && other.join("precious").exists());
    // The folder that is bound there can be entered under its own name.
    let run = place.ctr(["exec", "bio", "ls"]).cwd(&other);
    assert_eq!(run.ok().text(), "precious\n");
}

#[test]
fn a_folder_that_was_bound_is_the_same_folder() {
    let place = Place::new();
    let data = place.folder("data set");
    fs::write(data.join("file"), "").unwrap();
    place
        .ctr(["start", "--bind"])
        .arg(&data)
        .args(["bio", "--", "--contain"])
        .ok();
    let output = place.ctr(["exec", "bio", "ls"]).cwd(&data).ok();
    assert_eq!(output.text(), "file\n");
    output.quiet();
}

#[test]
fn a_folder_that_was_removed_meanwhile_is_refused() {
    let place = Place::new();
    place.start("bio", &[]);
    let gone = place.folder("work/gone");
    let script = "rmdir ../gone; ctr exec bio pwd";
    let run = place.program("bash").args(["-c", script]).cwd(&gone);
    let output = run.fails(125);
    assert_eq!(output.text(), "");

    let gone = place.folder("work/gone");
    let script = "rmdir ../gone; ctr exec --cwd /var/tmp bio pwd";
    let run = place.program("bash").args(["-c", script]).cwd(&gone);
    let output = run.ok();
    assert_eq!(output.text(), "/var/tmp\n");
    output.quiet();
}
