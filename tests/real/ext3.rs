//! The ext3 overlay: read-only or writable, whose it is, and who else uses it.

use nix::unistd::getuid;

use crate::support::{Output, Place, images};

fn me() -> u32 {
    getuid().as_raw()
}

/// The user id that commands see themselves with.
fn id_inside(place: &Place, name: &str) -> String {
    place
        .ctr(["exec", name, "id", "-u"])
        .ok()
        .text()
        .trim_end()
        .to_owned()
}

#[test]
fn it_is_read_only_unless_asked_for_and_rw_asks_as_w_does() {
    let place = Place::new();
    place.ext3("env.img", me());
    for read_only in [&["-o", "env.img"][..], &["-o", "env.img:ro"]] {
        place.start("bio", read_only);
        place
            .ctr(["exec", "bio", "touch", "/ext3/env/new"])
            .fails(1);
        place.ctr(["stop", "bio"]).ok();
    }
    for (writable, file) in [
        (&["-w", "-o", "env.img"][..], "one"),
        (&["-o", "env.img:rw"], "two"),
    ] {
        place.start("bio", writable);
        place
            .ctr(["exec", "bio", "touch", &format!("/ext3/env/{file}")])
            .ok();
        place.ctr(["stop", "bio"]).ok();
    }
    place.start("bio", &["-o", "env.img"]);
    place
        .ctr([
            "exec",
            "bio",
            "test",
            "-e",
            "/ext3/env/one",
            "-a",
            "-e",
            "/ext3/env/two",
        ])
        .ok();
}

#[test]
fn an_explicit_ro_is_kept_beside_w() {
    let place = Place::new();
    place.ext3("env.img", me());
    place.start("bio", &["-w", "-o", "env.img:ro"]);
    place
        .ctr(["exec", "bio", "touch", "/ext3/env/new"])
        .fails(1);
}

#[test]
fn its_variables_say_where_conda_is_and_whether_it_can_be_changed() {
    let place = Place::new();
    place.ext3("env.img", me());
    let expected = [
        ("MAMBA_ROOT_PREFIX", "/ext3/env"),
        ("CONDA_PREFIX", "/ext3/env"),
        ("CONDA_DEFAULT_ENV", "env"),
        ("RETICULATE_PYTHON", "/ext3/env/bin/python"),
    ];
    for (options, writable) in [
        (&["-o", "env.img"][..], None),
        (&["-o", "env.img:ro"], None),
        (&["-w", "-o", "env.img"], Some("/ext3/env")),
        (&["-o", "env.img:rw"], Some("/ext3/env")),
    ] {
        place.start("bio", options);
        let environ = place.environ("bio");
        for (key, value) in expected {
            assert_eq!(
                environ.get(key).map(String::as_str),
                Some(value),
                "{key} with {options:?}"
            );
        }
        assert_eq!(
            environ.get("CNT_CONDA_PREFIX").map(String::as_str),
            writable,
            "{options:?}"
        );
        place.ctr(["stop", "bio"]).ok();
    }
    place.start("bio", &[]);
    let environ = place.environ("bio");
    for (key, _) in expected {
        assert!(!environ.contains_key(key), "{key} without an ext3 overlay");
    }
}

#[test]
fn its_variables_win_over_sidecars_and_a_flag_wins_over_them() {
    let place = Place::new();
    let image = place.ext3("env.img", me());
    place.sidecar(
        &image,
        "CONDA_PREFIX=/sidecar\nRETICULATE_PYTHON=/sidecar\n",
    );
    place.start("bio", &["-o", "env.img", "-e", "RETICULATE_PYTHON=/flag"]);
    let environ = place.environ("bio");
    let seen = ["CONDA_PREFIX", "RETICULATE_PYTHON"].map(|key| &*environ[key]);
    assert_eq!(seen, ["/ext3/env", "/flag"]);
}

#[test]
fn its_sidecar_is_read_whatever_its_suffix() {
    let place = Place::new();
    let image = place.ext3("env.img", me());
    place.sidecar(&image, "BESIDE=the image\n#ENVNOTE:BESIDE=a note\n");
    for suffix in ["", ":ro", ":rw"] {
        place.start("bio", &["--replace", "-o", &format!("env.img{suffix}")]);
        assert_eq!(place.environ("bio")["BESIDE"], "the image", "{suffix}");
        let state = place.ctr(["show", "--json", "bio"]).ok().json();
        assert_eq!(state["notes"]["BESIDE"], "a note", "{suffix}");
    }
}

#[test]
fn fakeroot_is_switched_on_to_write_what_belongs_to_root() {
    let place = Place::new();
    place.ext3("env.img", 0);
    for options in [&["-w", "-o", "env.img"][..], &["-o", "env.img:rw"]] {
        place.start("bio", options).says(&["fakeroot"]);
        assert_eq!(id_inside(&place, "bio"), "0", "{options:?}");
        place.ctr(["exec", "bio", "touch", "/ext3/env/new"]).ok();
        place.ctr(["stop", "bio"]).ok();
    }
    // To read it, nothing of the kind is needed.
    place.start("bio", &["-o", "env.img"]);
    assert_eq!(id_inside(&place, "bio"), me().to_string());
}

#[test]
fn fakeroot_is_switched_on_with_a_warning_when_the_owner_is_someone_else() {
    let place = Place::new();
    place.ext3("env.img", me() + 1);
    place.start("bio", &["-w", "-o", "env.img"]).says(&[
        "env.img",
        &(me() + 1).to_string(),
        "fakeroot",
    ]);
    assert_eq!(id_inside(&place, "bio"), "0");
}

#[test]
fn fakeroot_stays_off_when_the_owner_is_the_user() {
    let place = Place::new();
    place.ext3("env.img", me());
    place.start("bio", &["-w", "-o", "env.img"]);
    assert_eq!(id_inside(&place, "bio"), me().to_string());
}

#[test]
fn the_owner_is_found_without_the_tools_of_file_systems() {
    let mut place = Place::new();
    place.ext3("env.img", 0);
    // No folder of the administrator's: debugfs lives there.
    place.set(
        "PATH",
        format!("{}:/usr/bin:/bin", place.path("bin").display()),
    );
    place
        .start("bio", &["-w", "-o", "env.img"])
        .says(&["fakeroot"]);
    assert_eq!(id_inside(&place, "bio"), "0");
}

#[test]
fn f_is_fakeroot_and_short_flags_can_be_joined() {
    let place = Place::new();
    place.overlay("demo/1.0", &[("bin/demo", "#!/bin/sh\necho demo\n")]);
    place.start("bio", &["-fo", "demo/1.0"]);
    assert_eq!(id_inside(&place, "bio"), "0");
    assert_eq!(place.ctr(["exec", "bio", "demo"]).ok().text(), "demo\n");
}

/// Demands that `busy` could not be started for the image, and left nothing.
#[track_caller]
fn assert_in_use(place: &Place, output: &Output, user: &str) {
    output.says(&["env.img", user, "in use"]);
    assert!(place.find_record("busy").is_none(), "{output}");
    assert!(!place.state_file("busy").exists(), "{output}");
    place.ctr(["exec", user, "true"]).ok();
}

#[test]
fn an_image_that_an_instance_writes_to_is_in_use_for_all_others() {
    let place = Place::new();
    place.ext3("env.img", me());
    place.start("writer", &["-w", "-o", "env.img"]);
    for overlay in [
        &["-w", "-o", "env.img"][..],
        &["-o", "env.img"],
        &["-o", "env.img:rw"],
    ] {
        let output = place.ctr(["start"]).args(overlay).arg("busy").fails(1);
        assert_in_use(&place, &output, "writer");
    }
    place.ctr(["stop", "writer"]).ok();
    place.start("busy", &["-w", "-o", "env.img"]);
}

#[test]
fn an_image_that_an_instance_reads_can_be_read_by_others_and_not_written_to() {
    let place = Place::new();
    place.ext3("env.img", me());
    place.start("reader", &["-o", "env.img"]);
    for overlay in [&["-w", "-o", "env.img"][..], &["-o", "env.img:rw"]] {
        let output = place.ctr(["start"]).args(overlay).arg("busy").fails(1);
        assert_in_use(&place, &output, "reader");
    }
    place.start("other", &["-o", "env.img"]);
    assert_eq!(place.ctr(["exec", "other", "tool"]).ok().text(), "tool\n");
}

#[test]
fn an_image_that_an_instance_of_apptainers_own_uses_is_in_use_too() {
    let place = Place::new();
    let image = place.ext3("env.img", me());
    let run = place
        .apptainer(["-q", "instance", "start", "--overlay"])
        .arg(&image);
    run.arg(&images().sif).arg("foreign").ok();
    let output = place.ctr(["start", "-w", "-o", "env.img", "busy"]).fails(1);
    output.says(&["env.img", "in use"]);
    assert!(place.find_record("busy").is_none(), "{output}");
}

#[test]
fn a_link_to_the_image_is_the_image() {
    let place = Place::new();
    let image = place.ext3("env.img", me());
    std::os::unix::fs::symlink(&image, place.work().join("link.img")).unwrap();
    place.start("writer", &["-w", "-o", "env.img"]);
    let output = place
        .ctr(["start", "-w", "-o", "link.img", "busy"])
        .fails(1);
    output.says(&["writer", "in use"]);
}

#[test]
fn a_replacement_minds_every_other_instance_that_holds_the_image() {
    let place = Place::new();
    let image = place.ext3("env.img", me());
    let overlay = image.to_str().unwrap();
    place.start("a", &["-o", overlay]);
    place.start("b", &["-o", overlay]);
    let replace = place
        .ctr(["start", "--replace", "-w", "-o", overlay, "a"])
        .fails(1);
    assert_in_use(&place, &replace, "b");
    assert_eq!(place.status("a"), "running");
}
