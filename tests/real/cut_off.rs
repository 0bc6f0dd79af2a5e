//! What is left of a start that was cut off, beside its state, goes too.

use std::fs;

use nix::sys::signal::Signal;

use crate::support::{Place, eventually, processes};

#[test]
fn the_logs_of_a_start_that_was_cut_off_go_with_its_trace() {
    let place = Place::new();
    place.start("bio", &[]);
    let record = place.record("bio");
    place.ctr(["stop", "bio"]).ok();
    let (program, _, waiting) = place.gated_apptainer();
    for (args, said) in [
        (&["start", "bio"][..], "its trace is removed"),
        (&["restart", "bio"], "its setup is kept"),
    ] {
        if args[0] == "restart" {
            place.start("bio", &[]);
            fs::remove_file(&waiting).unwrap();
        }
        let run = place.ctr(args).env("CTR_APPTAINER", &program);
        let mut start = run.spawn();
        eventually("the start waits", || waiting.exists().then_some(()));
        let apptainer = processes::child(start.id() as i32);
        start.kill().unwrap();
        start.wait().unwrap();
        apptainer.signal(Signal::SIGKILL);
        // As Apptainer leaves them that is killed later.
        for log in [&record.log_out, &record.log_err] {
            fs::create_dir_all(log.parent().unwrap()).unwrap();
            fs::write(log, "").unwrap();
        }
        eventually("nothing starts it any more", || {
            let mut left = place.processes().into_iter();
            left.all(|one| !one.title.contains(" start ")).then_some(())
        });
        place.ctr(["list"]).ok().says(&[said]);
        assert!(
            !record.log_out.exists() && !record.log_err.exists(),
            "{args:?}"
        );
    }
    place.ctr(["stop", "bio"]).ok();
    place.assert_clean();
}
