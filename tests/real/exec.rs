//! `ctr exec`: a command inside behaves as the same command outside would.

use std::fs;
use std::os::unix::fs::MetadataExt;

use crate::support::{Place, Shell, eventually};

#[test]
fn the_status_of_the_command_is_the_status_of_exec() {
    let place = Place::new();
    place.start("bio", &[]);
    // 255 is what Apptainer says for its own failures, 125 to 127 what exec says for its own.
    for status in [0, 1, 2, 7, 125, 126, 127, 254, 255] {
        let output = place
            .ctr(["exec", "bio", "sh", "-c", &format!("exit {status}")])
            .fails(status);
        assert_eq!(output.text(), "");
        output.quiet();
    }
}

#[test]
fn a_command_that_a_signal_ended_is_128_and_the_signal() {
    let place = Place::new();
    place.start("bio", &[]);
    for (signal, status) in [("INT", 130), ("KILL", 137), ("SEGV", 139), ("TERM", 143)] {
        // As a shell sees it: whether the status says so, or the same signal ended `ctr` too.
        let script = format!("ctr exec bio sh -c 'kill -{signal} $$'; echo $?");
        let output = Shell::Bash.script(&place, &script).ok();
        assert_eq!(output.text(), format!("{status}\n"));
    }
}

#[test]
fn no_such_instance_is_125_and_named() {
    let place = Place::new();
    let output = place.ctr(["exec", "nosuch", "true"]).fails(125);
    assert_eq!(output.text(), "");
    output.says(&["nosuch"]);
}

#[test]
fn a_dead_instance_is_125_and_the_hint_is_to_restart_it() {
    let place = Place::new();
    place.start("bio", &[]);
    place.crash("bio");
    place
        .ctr(["exec", "bio", "true"])
        .fails(125)
        .says(&["bio", "ctr restart"]);
}

#[test]
fn wrong_usage_is_2() {
    let place = Place::new();
    place.start("bio", &[]);
    place.ctr(["exec"]).fails(2);
    place.ctr(["exec", "bio"]).fails(2);
    place
        .ctr(["exec", "--nosuch", "bio", "true"])
        .fails(2)
        .says(&["--nosuch"]);
}

#[test]
fn a_command_that_begins_with_a_dash_needs_two_dashes_before_it() {
    let place = Place::new();
    place.start("bio", &[]);
    place
        .ctr(["exec", "bio", "-x"])
        .fails(2)
        .says(&["-x", " -- "]);
    place
        .ctr(["exec", "bio", "--", "-x"])
        .fails(127)
        .says(&["-x"]);
    assert_eq!(
        place.ctr(["exec", "bio", "--", "echo", "hi"]).ok().text(),
        "hi\n"
    );
}

#[test]
fn what_follows_the_command_belongs_to_the_command() {
    let place = Place::new();
    place.start("bio", &[]);
    let words = [
        "-e",
        "A=1",
        "--cleanenv",
        "--cwd",
        "/nosuch",
        "-q",
        "--help",
        "--version",
        "--",
        "-",
    ];
    for separator in [&["--"][..], &[]] {
        let run = place
            .ctr(["exec", "bio"])
            .args(separator)
            .args(["printf", "%s\\n"])
            .args(words);
        let output = run.ok();
        assert_eq!(output.lines(), words);
        output.quiet();
    }
}

#[test]
fn arguments_arrive_as_they_were_given() {
    let place = Place::new();
    place.start("bio", &[]);
    let words = [
        "two words",
        "",
        " ",
        "a\nb\n",
        "\t",
        "-n",
        "--",
        "$HOME",
        "$(id)",
        "`id`",
        "'",
        "\"",
        "\\",
        "\\n",
        "*",
        "~",
        "{a,b}",
        "ä→🧬",
        "a;b",
        "#",
        "!",
        "%s",
        "&",
        "a=b",
    ];
    let run = place.ctr(["exec", "bio", "printf", "<%s>\\n"]).args(words);
    let expected: String = words.iter().map(|word| format!("<{word}>\n")).collect();
    let output = run.ok();
    assert_eq!(output.text(), expected);
    output.quiet();
}

#[test]
fn a_megabyte_of_any_bytes_passes_through_both_ways() {
    let place = Place::new();
    place.start("bio", &[]);
    // Every byte and every pair of bytes, and no pattern that a text conversion would survive.
    let mut seed = 1u32;
    let mut byte = |_| {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (seed >> 24) as u8
    };
    let bytes: Vec<u8> = (0..1 << 20).map(&mut byte).collect();
    let output = place.ctr(["exec", "bio", "cat"]).stdin(bytes.clone()).ok();
    assert!(
        output.stdout == bytes,
        "{} bytes of {}",
        output.stdout.len(),
        bytes.len()
    );
    output.quiet();
}

#[test]
fn stdout_and_stderr_stay_apart() {
    let place = Place::new();
    place.start("bio", &[]);
    let output = place
        .ctr(["exec", "bio", "sh", "-c", "echo out; echo err >&2"])
        .ok();
    assert_eq!((output.text(), &*output.stderr), ("out\n", "err\n"));
}

#[test]
fn a_reader_that_leaves_early_makes_no_noise() {
    let place = Place::new();
    place.start("bio", &[]);
    let script = "ctr exec bio yes | head -n 1; echo ${PIPESTATUS[@]}";
    let output = Shell::Bash.script(&place, script).ok();
    assert_eq!(output.text(), "y\n141 0\n"); // 141: ended by SIGPIPE, as outside
    output.quiet();
}

#[test]
fn it_takes_its_part_in_pipes() {
    let place = Place::new();
    place.start("bio", &[]);
    let script = "printf 'b\\na\\n' | ctr exec bio sort | ctr exec bio tr ab xy";
    let output = Shell::Bash.script(&place, script).ok();
    assert_eq!(output.text(), "x\ny\n");
    output.quiet();
}

#[test]
fn it_reads_nothing_that_the_command_does_not_read() {
    let place = Place::new();
    place.start("bio", &[]);
    // A loop over lines is the usual victim of programs that swallow their standard input.
    let script = "printf '1\\n2\\n3\\n' | while read -r n; do ctr exec bio echo got $n; done";
    let output = Shell::Bash.script(&place, script).ok();
    assert_eq!(output.text(), "got 1\ngot 2\ngot 3\n");
    // What the command does read, it takes, byte for byte, and leaves the rest.
    let script = "printf '1\\n2\\n3\\n' | { ctr exec bio sh -c 'read -r n; echo got $n'; cat; }";
    let output = Shell::Bash.script(&place, script).ok();
    assert_eq!(output.text(), "got 1\n2\n3\n");
    output.quiet();
}

#[test]
fn the_umask_is_the_callers() {
    let place = Place::new();
    place.start("bio", &[]);
    for umask in ["0027", "0000", "0077"] {
        let script = format!("umask {umask}; ctr exec bio sh -c umask");
        assert_eq!(
            Shell::Bash.script(&place, &script).ok().text(),
            format!("{umask}\n")
        );
    }
}

#[test]
fn it_runs_in_the_callers_folder() {
    let place = Place::new();
    place.start("bio", &[]);
    let odd = place.folder("work/with space\nand line");
    for folder in [place.work(), odd, "/tmp".into()] {
        let output = place.ctr(["exec", "bio", "pwd"]).cwd(&folder).ok();
        assert_eq!(output.text(), format!("{}\n", folder.display()));
        output.quiet();
    }
}

#[test]
fn files_made_inside_are_the_users_own() {
    let place = Place::new();
    place.start("bio", &[]);
    place.ctr(["exec", "bio", "touch", "made inside"]).ok();
    let made = fs::metadata(place.work().join("made inside")).unwrap();
    assert_eq!(made.uid(), nix::unistd::getuid().as_raw());
}

#[test]
fn the_variables_of_the_caller_come_along_unless_asked_to_stay_out() {
    let place = Place::new();
    place.start("bio", &["-e", "SAVED=at start"]);
    let run = |options: &[&str]| {
        let run = place
            .ctr(["exec"])
            .args(options)
            .args(["bio", "cat", "/proc/self/environ"]);
        run.env("OF_CALLER", "here").ok().environ()
    };
    let environ = run(&[]);
    assert_eq!(environ["OF_CALLER"], "here");
    assert_eq!(environ["SAVED"], "at start");
    let clean = run(&["--cleanenv"]);
    assert!(!clean.contains_key("OF_CALLER"));
    assert_eq!(clean["SAVED"], "at start");
    assert_eq!(clean["FROM_IMAGE"], "yes");
}

#[test]
fn an_instance_that_ctr_did_not_start_gets_one_note() {
    let place = Place::new();
    let image = &crate::support::images().sif;
    place
        .apptainer(["-q", "instance", "start"])
        .arg(image)
        .arg("other")
        .ok();
    let output = place
        .ctr(["exec", "other", "sh", "-c", "echo hi; exit 7"])
        .fails(7);
    assert_eq!(output.text(), "hi\n");
    output.says(&["other"]);
    assert_eq!(output.stderr.lines().count(), 1, "{output}");
}

#[test]
fn ctrl_c_ends_the_command_and_not_the_shell() {
    let place = Place::new();
    place.start("bio", &[]);
    let mut bash = Shell::Bash.interactive(&place, "");
    bash.line("ctr exec bio sleep 12345");
    let sleeps = |place: &Place| {
        place
            .processes()
            .iter()
            .any(|process| process.title.ends_with("sleep 12345"))
    };
    eventually("the command runs", || {
        place
            .ctr(["exec", "bio", "ps"])
            .ok()
            .text()
            .contains("sleep 12345")
            .then_some(())
    });
    bash.ctrl('c');
    assert_eq!(bash.eval("echo $?"), "130\n");
    assert!(!sleeps(&place), "{:#?}", place.processes());
    assert_eq!(
        place.ctr(["exec", "bio", "echo", "still here"]).ok().text(),
        "still here\n"
    );
}

#[test]
fn ctrl_z_stops_the_command_and_fg_takes_it_up_again() {
    let place = Place::new();
    place.start("bio", &[]);
    let mut bash = Shell::Bash.interactive(&place, "");
    bash.line(r#"ctr exec bio sh -c 'echo be""gin; read word; echo "got:$word"; exit 9'"#);
    bash.wait_for("\nbegin");
    bash.ctrl('z');
    bash.wait_for("Stopped");
    assert_eq!(bash.eval("echo $?"), "148\n");
    bash.line("fg");
    bash.send("hello\n"); // also ends a line when the shell has not yet given the terminal back
    bash.wait_for("\ngot:hello");
    assert_eq!(bash.eval("echo $?"), "9\n");
}

#[test]
fn a_terminal_is_a_terminal_inside_and_a_pipe_is_none() {
    let place = Place::new();
    place.start("bio", &[]);
    let test = "for n in 0 1 2; do [ -t $n ] && echo $n: yes || echo $n: no; done; echo end";
    let mut terminal = place.ctr(["exec", "bio", "sh", "-c", test]).terminal();
    assert_eq!(terminal.wait(), 0);
    terminal.wait_for("0: yes\n1: yes\n2: yes\nend");
    let output = place.ctr(["exec", "bio", "sh", "-c", test]).ok();
    assert_eq!(output.text(), "0: no\n1: no\n2: no\nend\n");
}
