//! Machines that lack something: shown in mount namespaces in which it is hidden.

use crate::support::{Place, images};

#[test]
fn without_a_range_of_subordinate_ids_fakeroot_is_refused_with_the_line_to_ask_for() {
    for file in ["/etc/subuid", "/etc/subgid"] {
        let place = Place::new();
        place.write("empty", "root:100000:65536\n");
        let hide = format!("mount --bind {} {file}", place.path("empty").display());
        let output = place.ctr_in_world(&hide, &["start", "-f", "bio"]).fails(1);
        let user = place.environment()[std::ffi::OsStr::new("USER")]
            .to_str()
            .unwrap();
        output.says(&[file, user, "usermod --add-subuids"]);
        place.assert_clean_after(&output);

        let shown = place
            .ctr_in_world(&hide, &["doctor", "--json"])
            .fails(1)
            .json();
        let mut checks = shown["checks"].as_array().unwrap().iter();
        let check = checks.find(|check| check["name"] == "fakeroot").unwrap();
        assert_eq!(check["ok"], false, "{check}");
        assert!(check["detail"].as_str().unwrap().contains(file), "{check}");
    }
}

#[test]
fn a_setup_that_was_saved_is_refused_as_well_when_the_range_has_gone() {
    let place = Place::new();
    place.start("bio", &["-f"]);
    let pid = place.record("bio").pid;
    place.write("empty", "");
    let hide = format!("mount --bind {} /etc/subuid", place.path("empty").display());
    place
        .ctr_in_world(&hide, &["restart", "bio"])
        .fails(1)
        .says(&["/etc/subuid"]);
    assert_eq!(
        place.record("bio").pid,
        pid,
        "it was checked before the old one was stopped"
    );
}

#[test]
fn without_fuse_the_error_names_the_device_and_says_what_to_do() {
    let place = Place::new();
    let closed = place.write("closed", "");
    place.mode(&closed, 0);
    let hide = format!("mount --bind {} /dev/fuse", closed.display());
    let output = place.ctr_in_world(&hide, &["start", "bio"]).fails(1);
    output.says(&["error: ", "hint: ", "/dev/fuse"]);
    place.assert_clean_after(&output);
    let shown = place.ctr_in_world(&hide, &["doctor"]).fails(1);
    assert!(
        shown.text().contains("/dev/fuse") && shown.text().contains("modprobe fuse"),
        "{shown}"
    );
}

#[test]
fn a_state_file_of_another_owner_is_refused() {
    let place = Place::new();
    place.start("bio", &[]);
    place.start("other", &[]);
    let file = place.state_file("bio");
    // A file of root's, which belongs to nobody known in that world.
    let foreign = format!("mount --bind /etc/passwd {}", file.display());
    for (command, status) in [
        (&["exec", "bio", "true"][..], 125),
        (&["env", "bio"], 1),
        (&["note", "bio"], 1),
    ] {
        let output = place.ctr_in_world(&foreign, command).fails(status);
        output.says(&[file.to_str().unwrap(), "belongs to"]);
    }
    let list = place.ctr_in_world(&foreign, &["list", "--names"]).ok();
    list.says(&[file.to_str().unwrap(), "belongs to"]);
    assert!(list.lines().contains(&"other"), "{list}");
}

#[test]
fn a_state_folder_of_another_owner_is_refused() {
    let place = Place::new();
    place.start("bio", &[]);
    let folder = place.state_file("bio").parent().unwrap().to_owned();
    let foreign = format!("mount --bind /etc {}", folder.display());
    let output = place.ctr_in_world(&foreign, &["start", "new"]).fails(1);
    output.says(&[folder.to_str().unwrap(), "belongs to"]);
    place.assert_forgotten("new");
}

#[test]
fn the_worlds_of_these_tests_are_otherwise_as_this_one() {
    let place = Place::new();
    let sandbox = images().sandbox.to_str().unwrap();
    place
        .ctr_in_world("", &["start", "-b", sandbox, "bio"])
        .ok();
    place.ctr(["exec", "bio", "true"]).ok();
}

#[test]
fn the_administrators_limits_are_shown_and_named_when_they_forbid_a_start() {
    let place = Place::new();
    let said = place.apptainer(["buildcfg"]).ok();
    let named = |line: &&str| line.starts_with("APPTAINER_CONF_FILE=");
    let conf = said.lines().into_iter().find(named).unwrap();
    let conf = conf.split_once('=').unwrap().1;
    let setting = "allow container sif";
    let limited = std::fs::read_to_string(conf).unwrap();
    let limited = limited.replace(&format!("{setting} = yes"), &format!("{setting} = no"));
    let limited = place.write("limited.conf", limited);
    let world = format!("mount --bind {} {conf}", limited.display());

    let image = images().sif.to_str().unwrap();
    let start = place
        .ctr_in_world(&world, &["start", "-b", image, "bio"])
        .fails(1);
    start.says(&["disallows", "apptainer.conf", "ctr doctor"]);
    place.assert_clean_after(&start);

    let shown = place
        .ctr_in_world(&world, &["doctor", "--json"])
        .fails(1)
        .json();
    let mut checks = shown["checks"].as_array().unwrap().iter();
    let check = checks
        .find(|check| check["name"] == "apptainer.conf")
        .unwrap();
    assert_eq!(check["ok"], false, "{check}");
    let detail = check["detail"].as_str().unwrap();
    assert_eq!(detail, format!("{conf}: {setting} = no"));
    assert!(
        check["fix"].as_str().unwrap().contains("administrator"),
        "{check}"
    );
}
