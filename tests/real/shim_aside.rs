//! Where a shim does not run its command: the instance does not run, the folder is another, it is
//! not the caller's, or this is the inside of an instance.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use serde_json::json;

use crate::shim::{SAYS, demo, with_demo as place};
use crate::support::{Output, Place, eventually};

/// Demands that the shim said in one line what is wrong and what to do, and ran nothing.
#[track_caller]
fn assert_refused(output: &Output, words: &[&str]) {
    assert_eq!((output.status, output.text()), (125, ""), "{output}");
    assert_eq!(output.stderr.lines().count(), 1, "{output}");
    output.says(&["ctr: demo: "]).says(words);
}

#[test]
fn with_its_instance_dead_or_stopped_it_says_so_and_how_to_start_it() {
    let place = place();
    let start = "`ctr restart bio` starts it again";
    place.crash("bio");
    assert_refused(&demo(&place).run(), &["`bio` is dead", start]);
    // Whatever the shells' environment has become.
    let bare = place
        .program("env")
        .arg("-i")
        .arg(place.shim("bio", "demo"))
        .run();
    assert_refused(&bare, &["`bio` is dead", start]);
    place.ctr(["restart", "bio"]).ok();
    assert_eq!(demo(&place).ok().text(), "of the inside\n");

    place.ctr(["stop", "--keep", "bio"]).ok();
    assert_refused(&demo(&place).run(), &["`bio` is stopped", start]);
    place.ctr(["restart", "bio"]).ok();
    assert_eq!(demo(&place).ok().text(), "of the inside\n");
}

#[test]
fn with_its_instance_broken_it_says_so() {
    let place = place();
    place.break_it("bio");
    assert_refused(
        &demo(&place).run(),
        &["`bio` is broken", "`ctr restart bio` starts it again"],
    );
    place.ctr(["restart", "bio"]).ok();
    assert_eq!(demo(&place).ok().text(), "of the inside\n");
}

#[test]
fn from_another_pid_namespace_or_host_it_runs_nothing() {
    let place = place();
    let output = place.in_pid_namespace(&place.shim("bio", "demo")).run();
    assert_refused(&output, &["`bio` is elsewhere", "in another pid namespace"]);

    // Slurm takes the whole environment to other hosts.
    let output = demo(&place)
        .env("CTR_INSTANCE", "bio")
        .env("CTR_PLACE", "another-boot:4026531836")
        .run();
    assert_refused(
        &output,
        &[
            "`bio` was made active on another host",
            "eval \"$(ctr env bio)\"",
        ],
    );
    let other = demo(&place)
        .env("CTR_INSTANCE", "other")
        .env("CTR_PLACE", "another-boot:1");
    assert_eq!(other.ok().text(), "of the inside\n");
}

#[test]
fn a_folder_that_is_not_the_same_inside_is_refused() {
    let place = place();
    let output = demo(&place).cwd("/").run();
    assert_refused(
        &output,
        &["/ is another folder in `bio`", "ctr exec --cwd DIR bio"],
    );
    let output = demo(&place).cwd("/usr/share").run();
    assert_refused(
        &output,
        &["/usr/share does not exist in `bio`", "--bind /usr/share"],
    );
}

#[test]
fn a_command_that_has_gone_is_not_looked_for_outside() {
    let place = place();
    place.write_program("bin/only", "#!/bin/sh\necho of the host\n");
    // Somebody's link, and one to a command that was removed from an overlay.
    symlink(place.path("bin/ctr"), place.shim("bio", "only")).unwrap();
    let output = place.program(place.shim("bio", "only")).fails(125);
    output.says(&["ctr: only: `bio` has no shim of this name any more; `ctr shim add bio only`"]);
    assert_eq!(output.text(), "");
    place.edit_state("bio", |state| state["shims"] = json!(["demo", "only"]));
    place.ctr(["env", "bio"]).ok();
    let output = place.program(place.shim("bio", "only")).fails(127);
    output.says(&["ctr: only: no command `only` in `bio`"]);
    assert_eq!(output.text(), "");
}

#[test]
fn what_it_says_is_one_line_also_where_others_write() {
    let place = place();
    place.crash("bio");
    let trace = place.path("work/trace");
    let words = ["-f", "-e", "trace=write", "-o"];
    place
        .program("strace")
        .args(words)
        .arg(&trace)
        .arg(place.shim("bio", "demo"))
        .fails(125);
    let text = fs::read_to_string(trace).unwrap();
    assert_eq!(text.matches("write(2, ").count(), 1, "{text}");
}

#[test]
fn while_it_is_started_again_nobody_is_told_to_start_it() {
    let mut place = place();
    let (apptainer, gate, waiting) = place.gated_apptainer();
    place.set("CTR_APPTAINER", &apptainer);
    let mut restart = place.ctr(["restart", "bio"]).spawn();
    eventually("Apptainer is called", || waiting.exists().then_some(()));
    assert_refused(
        &demo(&place).run(),
        &["is starting it", "; try again in a moment"],
    );
    place.write(&gate, "");
    assert!(restart.wait().unwrap().success());
    assert_eq!(demo(&place).ok().text(), "of the inside\n");
}

#[test]
fn variables_of_a_container_do_not_make_it_one() {
    let place = place();
    // As in a job that was submitted from inside of one.
    let output = demo(&place)
        .env("APPTAINER_CONTAINER", "/x.sif")
        .env("APPTAINER_NAME", "x.sif")
        .ok();
    assert_eq!(output.text(), "of the inside\n");
}

#[test]
fn a_folder_of_shims_that_others_can_enter_is_refused() {
    let place = place();
    for mode in [0o755, 0o710, 0o702] {
        place.mode(&place.path("run/ctr"), mode);
        assert_refused(&demo(&place).run(), &["run/ctr is open to others"]);
    }
    place.mode(&place.path("run/ctr"), 0o700);
    // What it reads there must be its own too, and is made again from the state when it is not.
    let snapshot = place.path("run/ctr/states/bio.json");
    let own = fs::read(&snapshot).unwrap();
    fs::write(
        &snapshot,
        String::from_utf8(own.clone())
            .unwrap()
            .replace("demo", "evil"),
    )
    .unwrap();
    place.mode(&snapshot, 0o660);
    assert_eq!(demo(&place).ok().text(), "of the inside\n");
    assert_eq!(fs::read(&snapshot).unwrap(), own);
}

#[test]
fn a_shim_of_another_user_runs_nothing() {
    let place = place();
    // To root of a user namespace, who may go anywhere in it.
    let script = format!(
        "mount -t tmpfs none /mnt; cp -a {}/ctr /mnt; chown -hR 1 /mnt/ctr
         exec /mnt/ctr/shims/bio/demo stop --all",
        place.path("run").display()
    );
    let words = ["--map-root-user", "--map-auto", "--mount", "sh", "-ec"];
    let output = place.program("unshare").args(words).arg(script).run();
    assert_refused(
        &output,
        &["/mnt/ctr belongs to another user", "the user who made it"],
    );
    assert_eq!(place.status("bio"), "running");
}

/// Puts folders before all others, for good: one with a link to a shim of `dev`, and that of its shims.
fn with_shims_on_path(place: &mut Place, command: &str) {
    let links = place.folder("links");
    symlink(place.shim("dev", command), links.join(command)).unwrap();
    place.prepend_path(&place.shims("dev"));
    place.prepend_path(&links);
}

/// `dev` and `other` on the host's own system; `dev` has `demo` and a `sort` of its own.
fn host_like() -> Place {
    let place = Place::bare();
    let sort = "#!/bin/sh\necho sorted by demo\n";
    place.overlay("demo/1.0", &[("bin/demo", SAYS), ("bin/sort", sort)]);
    place.start("dev", &["-o", "demo/1.0"]);
    place.start("other", &[]);
    place
        .ctr(["shim", "add", "dev", "demo", "sort", "true"])
        .ok();
    place
}

#[test]
fn inside_an_instance_the_command_is_that_of_the_inside() {
    let mut place = host_like();
    // By its path.
    let shim = |command: &str| place.shim("dev", command);
    let inside = |name: &str, command: &str| place.ctr(["exec", name]).arg(shim(command));
    assert_eq!(inside("dev", "demo").ok().text(), "of the inside\n");
    assert_eq!(inside("dev", "sort").ok().text(), "sorted by demo\n");
    assert_eq!(inside("other", "sort").ok().text(), "");
    let none = inside("other", "demo").fails(127);
    none.says(&["ctr: demo: no command `demo` in `other`"]);

    let why = place
        .ctr(["exec", "dev"])
        .arg(place.path("bin/ctr"))
        .args(["why", "demo"])
        .ok();
    assert_eq!(why.text(), "/cnt/demo/1.0/bin/demo of `dev`\n");

    // With the folder on PATH for good, and a link to a shim before everything.
    with_shims_on_path(&mut place, "sort");
    // By a folder that is a link to that of the shims, where the first word would lead back.
    symlink(place.shims("dev"), place.path("linked")).unwrap();
    let linked = format!(
        "PATH={}:$PATH; exec {}",
        place.path("linked").display(),
        place.shim("dev", "sort").display()
    );
    let output = place
        .ctr(["exec", "dev", "timeout", "20", "sh", "-c", &linked])
        .ok();
    assert_eq!(output.text(), "sorted by demo\n");

    let sorts = |name: &str| {
        place
            .ctr(["exec", name, "sh", "-c", "sort </dev/null; demo"])
            .run()
    };
    let output = sorts("dev");
    assert_eq!(output.text(), "sorted by demo\nof the inside\n", "{output}");
    let output = sorts("other");
    assert_eq!((output.text(), output.status), ("", 127), "{output}");
}

#[test]
fn a_shim_is_never_its_own_target() {
    let mut place = host_like();
    with_shims_on_path(&mut place, "true");
    place.program("true").ok().quiet();
    place.program(place.shim("dev", "true")).ok().quiet();
    let path = place.ctr(["exec", "dev", "sh", "-c", "echo $PATH"]).ok();
    assert!(!path.text().contains("/shims/"), "{path}");
}

#[test]
fn ctr_itself_never_takes_a_shim_for_a_program_of_the_host() {
    let mut place = Place::new();
    let evil = "#!/bin/sh\necho not this one >&2\nexit 9\n";
    place.overlay(
        "demo/1.0",
        &[("bin/apptainer", evil), ("bin/singularity", evil)],
    );
    let real = place.environment()[std::ffi::OsStr::new("CTR_APPTAINER")].clone();
    let real = Path::new(&real);
    place.start("bio", &["-o", "demo/1.0"]);
    place.ctr(["shim", "add", "bio", "--all"]).ok();
    place.prepend_path(real.parent().unwrap());
    place.prepend_path(&place.shims("bio"));
    place.unset("CTR_APPTAINER");
    place.start("two", &[]);
    place
        .ctr(["exec", "--join", "apptainer", "bio", "true"])
        .ok()
        .quiet();
    assert_eq!(place.state("two")["apptainer"], json!(real));
    place.program("apptainer").fails(9).says(&["not this one"]);
}
