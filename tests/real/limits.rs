//! A user who may have no more processes or open files, as on the login nodes of many sites: what could not
//! be asked is said to be that.

use crate::support::{Place, Run};

/// `ctr` under a limit of the shell.
fn limited(place: &Place, limit: &str, args: &[&str]) -> Run {
    let script = format!("ulimit {limit}; exec ctr \"$@\"");
    place
        .program("bash")
        .args(["-c", &script, "bash"])
        .args(args)
}

#[test]
fn without_another_process_what_runs_is_not_called_broken() {
    let place = Place::new();
    place.start("bio", &["-e", "K=v"]);
    let pid = place.record("bio").pid;
    let list = limited(&place, "-u 1", &["list"]).ok();
    assert!(
        list.text()
            .contains("running (its file system could not be asked"),
        "{list}"
    );
    assert!(list.text().contains("the limit on processes"), "{list}");
    for join in ["auto", "direct", "apptainer"] {
        let exec = limited(&place, "-u 1", &["exec", "--join", join, "bio", "true"]);
        let exec = exec.fails(125);
        exec.says(&["`bio`"]);
        assert!(!exec.stderr.contains("ctr restart"), "{exec}");
    }
    let start = limited(&place, "-u 1", &["start", "new"]).fails(1);
    start.says(&["error: ", "hint: ", "limit"]);
    assert!(!start.stderr.contains("file server"), "{start}");
    place.assert_forgotten("new");
    let env = limited(
        &place,
        "-u 1",
        &["env", "--if-running", "--shell", "sh", "bio"],
    )
    .ok();
    assert!(env.text().contains("'K' 'v'"), "{env}");
    assert_eq!(place.record("bio").pid, pid);
}

#[test]
fn without_another_open_file_what_runs_is_not_called_dead() {
    let place = Place::new();
    place.start("bio", &[]);
    let pid = place.record("bio").pid;
    for files in 3..12 {
        let limit = format!("-n {files}");
        for args in [
            &["exec", "bio", "true"][..],
            &["list"],
            &["prune"],
            &["start", "--if-needed", "bio"],
            &["env", "bio"],
        ] {
            let output = limited(&place, &limit, args).run();
            for word in [
                "is dead:",
                "(process",
                "no such instance",
                "broken",
                "has ended",
                "removed",
            ] {
                assert!(!output.stderr.contains(word), "{files}: {output}");
                assert!(
                    !String::from_utf8_lossy(&output.stdout).contains(word),
                    "{files}: {output}"
                );
            }
        }
    }
    let exec = limited(&place, "-n 4", &["exec", "bio", "true"]).fails(125);
    exec.says(&["open files"]);
    assert_eq!(place.status("bio"), "running");
    assert_eq!(place.record("bio").pid, pid);
}

#[test]
fn a_runtime_folder_that_is_full_is_passed_over() {
    let place = Place::new();
    place.start("bio", &["-e", "K=v"]);
    let run = place.path("run");
    for size in ["size=64k", "size=1m,nr_inodes=2"] {
        let full = format!(
            "mount -t tmpfs -o mode=700,{size} none {0}; dd if=/dev/zero of={0}/fill bs=1k count=80 2>/dev/null || true",
            run.display()
        );
        for args in [
            &["env", "--shell", "sh", "bio"][..],
            &["env", "--shell", "sh", "--if-running", "bio"],
        ] {
            let output = place.ctr_in_world(&full, args).ok();
            assert!(output.text().contains("/tmp/ctr-"), "{output}");
        }
    }
}
