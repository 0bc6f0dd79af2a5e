//! What a start was given is in force for all that comes later: commands, shims, restarts from
//! elsewhere. And nothing of the caller's stays in the instance that was not given.

use std::fs;

use crate::support::{Place, eventually, images};

/// A base whose start script says where it runs, in the file that `STARTED` names.
fn telling(place: &Place) -> String {
    let script = "#!/bin/sh\npwd > \"$STARTED.part\"\nmv \"$STARTED.part\" \"$STARTED\"\n\
                  while :; do sleep 1; done\n";
    let base = place.sandbox("telling", &[("/.singularity.d/startscript", script)]);
    base.into_os_string().into_string().unwrap()
}

#[test]
fn a_home_that_is_named_from_the_folder_of_the_start_is_the_same_after_a_restart_elsewhere() {
    for flags in [
        &["-H", "hh:/home/t"][..],
        &["--home=hh:/home/t"],
        &["-cHhh:/home/t"],
    ] {
        let place = Place::new();
        let folder = place.folder("work/w");
        place.folder("work/w/hh");
        let start = place.ctr(["start", "bio", "--"]).args(flags);
        start.cwd(&folder).ok();
        let touch = ["exec", "--cwd", "/", "bio", "touch", "/home/t/written"];
        place.ctr(touch).ok();
        place.ctr(["restart", "bio"]).cwd("/").ok();
        let read = ["exec", "--cwd", "/", "bio", "ls", "/home/t"];
        assert_eq!(place.ctr(read).ok().text(), "written\n", "{flags:?}");
        assert!(folder.join("hh/written").is_file());
    }
}

#[test]
fn other_paths_in_flags_are_made_whole_and_shown_so() {
    let place = Place::new();
    let folder = place.folder("work/w");
    place.folder("work/w/scratch");
    place.write("work/w/mounted/file", "mounted\n");
    let flags = [
        "--contain",
        "--workdir",
        "scratch",
        "--mount=type=bind,src=mounted,dst=/mnt",
        "--pid-file=pid",
    ];
    let start = place.ctr(["start", "bio", "--"]).args(flags);
    start.cwd(&folder).ok();
    place.ctr(["restart", "bio"]).cwd("/").ok();
    let read = ["exec", "--cwd", "/", "bio", "cat", "/mnt/file"];
    assert_eq!(place.ctr(read).ok().text(), "mounted\n");
    let write = ["exec", "--cwd", "/", "bio", "touch", "/tmp/in-scratch"];
    place.ctr(write).ok();
    assert!(folder.join("scratch/tmp/in-scratch").is_file());
    let pid = fs::read_to_string(folder.join("pid")).unwrap();
    assert_eq!(pid.trim(), place.record("bio").pid.to_string());
}

#[test]
fn the_same_flags_from_another_folder_are_another_setup() {
    let place = Place::new();
    let (one, other) = (place.folder("work/one"), place.folder("work/other"));
    for folder in [&one, &other] {
        fs::create_dir(folder.join("hh")).unwrap();
    }
    let start = ["start", "--if-needed", "bio", "--", "-H", "hh:/home/t"];
    place.ctr(start).cwd(&one).ok();
    place.ctr(start).cwd(&one).ok().says(&["runs already"]);
    place
        .ctr(start)
        .cwd(&other)
        .fails(1)
        .says(&["Apptainer flags"]);
}

#[test]
fn the_start_script_runs_where_the_first_start_was_made() {
    let place = Place::new();
    let base = telling(&place);
    let folder = place.folder("work/w");
    let started = place.path("home/started");
    let variable = format!("STARTED={}", started.display());
    let expected = format!("{}\n", folder.display());
    let says = || {
        let text = fs::read_to_string(&started).ok()?;
        fs::remove_file(&started).unwrap();
        Some(text)
    };
    let start = place.ctr(["start", "-b", &base, "-e", &variable, "bio"]);
    start.cwd(&folder).ok();
    assert_eq!(eventually("the script says where", says), expected);
    place.ctr(["restart", "bio"]).cwd("/").ok();
    assert_eq!(eventually("the script says where", says), expected);
}

#[test]
fn an_archive_is_found_again_from_another_folder() {
    let place = Place::new();
    let plan = place.ctr(["start", "-b", "docker-archive:app.tar", "--dry-run", "bio"]);
    let text = plan.ok().text().to_owned();
    let whole = format!("docker-archive:{}/app.tar", place.work().display());
    assert!(text.contains(&whole), "{text}");
}

#[test]
fn an_environment_that_starts_empty_does_so_for_every_command() {
    for (options, flags) in [
        (&["--cleanenv"][..], &[][..]),
        (&[], &["--", "--cleanenv"]),
        (&[], &["--", "-e"]),
        (&[], &["--", "--containall"]),
    ] {
        let place = Place::new();
        let start = place.ctr(["start", "-e", "GIVEN=yes"]).args(options);
        start.arg("bio").args(flags).ok();
        let run = |words: &[&str]| place.ctr(words).env("OF_THE_CALLER", "x");
        for way in ["auto", "apptainer"] {
            let words = ["exec", "--join", way, "bio", "cat", "/proc/self/environ"];
            let environment = run(&words).ok().environ();
            assert_eq!(
                environment.get("OF_THE_CALLER"),
                None,
                "{options:?} {flags:?}"
            );
            assert_eq!(environment["GIVEN"], "yes", "{options:?} {flags:?}");
            assert_eq!(environment["FROM_IMAGE"], "yes");
        }
        place.ctr(["shim", "add", "bio", "env"]).ok();
        let shim = place.program(place.shim("bio", "env"));
        let seen = shim.env("OF_THE_CALLER", "x").ok();
        assert!(!seen.text().contains("OF_THE_CALLER"), "{flags:?}: {seen}");
        let enter = run(&["enter", "bio"]).stdin("echo ${OF_THE_CALLER-none}\n");
        assert!(enter.ok().text().contains("none"), "{flags:?}");
    }
}

#[test]
fn it_is_still_so_after_a_restart_and_the_start_script_has_it_too() {
    let mut place = Place::new();
    place.set("SERVICE_DUMP", place.path("home/dump"));
    let service = images().service.to_str().unwrap().to_owned();
    let dump = format!("SERVICE_DUMP={}", place.path("home/dump").display());
    let options = ["--cleanenv", "-b", &service, "-e", "GIVEN=yes", "-e", &dump];
    let start = place.ctr(["start"]).args(options).arg("bio");
    start.env("OF_THE_CALLER", "x").ok();
    let file = place.path("home/dump");
    let read = || fs::read(&file).ok();
    let block = eventually("the service writes its environment", read);
    let block = String::from_utf8(block).unwrap();
    assert!(
        block.contains("GIVEN=yes") && !block.contains("OF_THE_CALLER"),
        "{block}"
    );
    place.ctr(["restart", "bio"]).ok();
    let run = place.ctr(["exec", "bio", "cat", "/proc/self/environ"]);
    let environment = run.env("OF_THE_CALLER", "x").ok().environ();
    assert_eq!(environment.get("OF_THE_CALLER"), None);
}

#[test]
fn enter_can_start_from_an_empty_environment_alone() {
    let place = Place::new();
    place.start("bio", &["-e", "GIVEN=yes"]);
    let enter = |options: &[&str]| {
        let enter = place.ctr(["enter"]).args(options).arg("bio");
        let enter = enter.env("OF_THE_CALLER", "x");
        enter.stdin("echo ${OF_THE_CALLER-none} $GIVEN\n").ok()
    };
    assert!(enter(&[]).text().contains("x yes"));
    assert!(enter(&["--cleanenv"]).text().contains("none yes"));
}

const FILE: &str = "# variables\nONE=of the file\nTWO=$(touch pwned) `id` a,b\nTHREE=\n\n\
                    export FOUR=4\nPATH=/of/file:$PATH\n";

#[test]
fn the_variables_of_a_file_are_remembered_and_in_force() {
    for after_dashes in [false, true] {
        let place = Place::new();
        place.write("work/vars", FILE);
        let start = place.ctr(["start", "-e", "ONE=by hand"]);
        let start = match after_dashes {
            false => start.args(["--env-file", "vars", "bio"]),
            true => start.args(["bio", "--", "--env-file=vars"]),
        };
        start.ok();
        // It is read once: a restart repeats what was started.
        fs::remove_file(place.work().join("vars")).unwrap();
        for again in [false, true] {
            if again {
                place.ctr(["restart", "bio"]).cwd("/").ok();
            }
            let environment = place.environ("bio");
            assert_eq!(environment["ONE"], "by hand");
            assert_eq!(environment["TWO"], "$(touch pwned) `id` a,b");
            assert_eq!(environment["THREE"], "");
            assert_eq!(environment["FOUR"], "4");
            assert!(
                environment["PATH"].starts_with("/of/file:"),
                "{environment:?}"
            );
        }
        assert!(!place.work().join("pwned").exists());
        place.ctr(["shim", "add", "bio", "env"]).ok();
        let shim = place.program(place.shim("bio", "env")).ok();
        assert!(shim.lines().contains(&"FOUR=4"), "{shim}");
    }
}

#[test]
fn a_file_of_variables_goes_with_one_command() {
    let place = Place::new();
    place.write("work/vars", "ONE=file\nTWO=file\n");
    place.start("bio", &["-e", "ONE=start", "-e", "TWO=start"]);
    for way in ["auto", "apptainer"] {
        let run = [
            "exec",
            "--join",
            way,
            "--env-file",
            "vars",
            "-e",
            "TWO=hand",
            "bio",
        ];
        let run = place.ctr(run).args(["sh", "-c", "echo $ONE $TWO"]);
        assert_eq!(run.ok().text(), "file hand\n", "{way}");
    }
    let enter = place.ctr(["enter", "--env-file", "vars", "bio"]);
    assert!(
        enter
            .stdin("echo $ONE $TWO\n")
            .ok()
            .text()
            .contains("file file")
    );
    place
        .ctr(["exec", "--env-file", "nosuch", "bio", "true"])
        .fails(125)
        .says(&["nosuch"]);
}

#[test]
fn a_file_that_cannot_be_used_is_refused_by_its_line_and_nothing_starts() {
    let place = Place::new();
    place.write("work/bad", "A=1\nnot a variable\n");
    let output = place.ctr(["start", "--env-file", "bad", "bio"]).fails(1);
    output.says(&["bad, line 2", "KEY=VALUE"]);
    nix::unistd::mkfifo(&place.work().join("fifo"), nix::sys::stat::Mode::S_IRWXU).unwrap();
    for (file, what) in [
        ("fifo", "not a regular file"),
        ("/dev/zero", "not a regular file"),
    ] {
        let output = place.ctr(["start", "--env-file", file, "bio"]).fails(1);
        output.says(&[file, what]);
    }
    assert!(place.records().is_empty());
    place.write("work/quoted", "A=\"a b\"\n");
    let output = place.ctr(["start", "--env-file", "quoted", "bio"]).ok();
    output.says(&["quotes", "`A`"]);
    assert_eq!(place.environ("bio")["A"], "\"a b\"");
}

#[test]
fn a_file_that_others_may_write_sets_nothing_in_the_hosts_shell() {
    let place = Place::new();
    let own = place.write("work/own", "OWN=1\n");
    let shared = place.write("work/shared", "SHARED=1\n");
    place.mode(&shared, 0o666);
    let files = [
        "--env-file",
        own.to_str().unwrap(),
        "--env-file",
        shared.to_str().unwrap(),
    ];
    place.start("bio", &files);
    let host = place.ctr(["env", "--json", "bio"]).ok().json();
    assert_eq!(host["set"]["OWN"], "1");
    assert!(host["set"].get("SHARED").is_none(), "{host}");
    assert_eq!(place.environ("bio")["SHARED"], "1");
}

#[test]
fn a_umask_that_is_not_handed_on_is_not_for_commands_either() {
    for flag in ["--no-umask", "--compat"] {
        let place = Place::new();
        place.ctr(["start", "bio", "--", flag]).ok();
        for way in ["auto", "apptainer"] {
            let script = format!("umask 077; exec ctr exec --join {way} bio sh -c umask");
            let output = place.program("sh").args(["-c", &script]).ok();
            assert_eq!(output.text(), "0022\n", "{flag} {way}");
        }
    }
}

#[test]
fn capabilities_that_were_dropped_at_the_start_are_dropped_for_commands() {
    let place = Place::new();
    let flags = ["start", "-f", "bio", "--", "--drop-caps", "CAP_KILL"];
    place.ctr(flags).ok();
    let output = place.ctr(["exec", "bio", "cat", "/proc/self/status"]).ok();
    let line = output
        .lines()
        .into_iter()
        .find(|line| line.starts_with("CapEff:"));
    let effective = line
        .and_then(|line| line.split_whitespace().nth(1))
        .unwrap();
    let effective = u64::from_str_radix(effective, 16).unwrap();
    assert_eq!(effective & 1 << 5, 0, "{effective:x}"); // CAP_KILL
    assert_ne!(effective & 1, 0, "{effective:x}"); // CAP_CHOWN
    let verbose = place.ctr(["-v", "exec", "bio", "true"]).ok();
    verbose.says(&["goes through Apptainer", "--drop-caps"]);
}

/// The files that the processes of an instance have open, beside their standard streams.
fn open_files(place: &Place) -> Vec<String> {
    let mut open = Vec::new();
    for process in place.processes() {
        let folder = format!("/proc/{}/fd", process.pid);
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let target = fs::read_link(entry.path()).unwrap_or_default();
            open.push(target.display().to_string());
        }
    }
    open
}

#[test]
fn an_instance_holds_no_file_that_its_starter_had_open() {
    let place = Place::new();
    place.overlay("demo/1.0", &[]);
    let script = "exec 9>lock 15<held 200>>log; flock 9; \
                  ctr start -o demo/1.0 bio; ctr start --if-needed other; ctr restart bio";
    place.write("work/held", "");
    place.program("bash").args(["-c", script]).ok();
    let ours = |file: &String| file.starts_with(place.work().to_str().unwrap());
    let held: Vec<String> = open_files(&place).into_iter().filter(ours).collect();
    assert!(held.is_empty(), "{held:?}");
    place.program("flock").args(["-n", "lock", "true"]).ok();
}

#[test]
fn who_waits_for_the_end_of_a_start_by_a_pipe_is_told_of_it() {
    let place = Place::new();
    // As direnv does: it reads from a pipe of its own until nobody holds the other end.
    let script = "(ctr start bio; echo done) 3>&1 1>/dev/null 2>&1 | cat";
    place.program("bash").args(["-c", script]).ok();
    assert_eq!(place.status("bio"), "running");
}

#[test]
fn a_command_inside_has_the_files_of_its_caller_as_before() {
    let place = Place::new();
    place.write("work/in", "read\n");
    place.start("bio", &[]);
    for way in ["direct", "apptainer"] {
        let script = format!("exec 7<in; ctr exec --join {way} bio sh -c 'cat <&7'");
        let output = place.program("bash").args(["-c", &script]).ok();
        assert_eq!(output.text(), "read\n", "{way}");
    }
}
