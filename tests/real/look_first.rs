//! `ctr exec` looks first: what is not there inside is 127, what cannot be run is 126.

use crate::support::Place;

#[test]
fn a_command_that_does_not_exist_inside_is_127_and_named() {
    let place = Place::new();
    place.start("bio", &[]);
    // It exists on the host, but not inside.
    place.write_program("bin/only-outside", "#!/bin/sh\n");
    for command in ["nosuch", "/no/such", "./nosuch", "only-outside", ""] {
        place
            .ctr(["exec", "bio", command])
            .fails(127)
            .says(&[command]);
    }
}

#[test]
fn what_exists_inside_and_is_no_program_is_126_and_named() {
    let place = Place::new();
    place.start("bio", &[]);
    place.write("work/data", "#!/bin/sh\n");
    place.folder("work/folder");
    let whole = place.work().join("data");
    for command in ["./data", whole.to_str().unwrap(), "./folder", "/bin"] {
        place
            .ctr(["exec", "bio", command])
            .fails(126)
            .says(&[command]);
    }
}

#[test]
fn a_program_that_is_not_for_this_user_is_126() {
    let place = Place::new();
    let image = place.sandbox(
        "guarded",
        &[
            ("/bin/script", "#!/no/such/interpreter\n"),
            ("/bin/closed", "#!/bin/sh\n"),
        ],
    );
    // As a file of another owner with mode 0744 would be.
    place.mode(&image.join("bin/closed"), 0o611);
    place.start("bio", &["-b", image.to_str().unwrap()]);
    for program in ["script", "closed"] {
        place
            .ctr(["exec", "bio", program])
            .fails(126)
            .says(&[program]);
    }
}

#[test]
fn what_cannot_be_run_on_the_usual_path_does_not_hide_what_can_on_the_images() {
    let place = Place::new();
    let image = place.sandbox(
        "hidden",
        &[
            ("/bin/tool", "no program"),
            ("/image/bin/tool", "#!/bin/sh\necho tool\n"),
        ],
    );
    place.start("bio", &["-b", image.to_str().unwrap()]);
    assert_eq!(place.ctr(["exec", "bio", "tool"]).ok().text(), "tool\n");
}
