//! A command that is joined directly is the same to itself as one that Apptainer runs.

use crate::support::{Place, Run, Shell, images};

/// Each kind of instance, by name, with the options that start it.
fn kinds(place: &Place) -> Vec<(&'static str, Vec<String>)> {
    let overlay = place.overlay("demo/1.0", &[("bin/demo", "#!/bin/sh\n")]);
    let me = nix::unistd::getuid().as_raw();
    let image = place.ext3("env.img", me);
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    vec![
        ("plain", words(&[])),
        ("fakeroot", words(&["-f"])),
        ("squashfs", words(&["-o", overlay.to_str().unwrap()])),
        ("ext3", words(&["-w", "-o", image.to_str().unwrap()])),
        ("hostos", words(&["-b", "hostos"])),
        (
            "sandbox",
            words(&["-b", images().sandbox.to_str().unwrap()]),
        ),
        ("contained", words(&["--", "--contain"])),
        ("writable", words(&["--", "--writable-tmpfs"])),
        (
            "namespaces",
            words(&["--", "--ipc", "--uts", "--hostname", "other"]),
        ),
    ]
}

fn start(place: &Place, name: &str, options: &[String]) {
    let at = options.iter().position(|word| word == "--");
    let (own, apptainers) = options.split_at(at.unwrap_or(options.len()));
    place
        .ctr(["start"])
        .args(own)
        .arg(name)
        .args(apptainers)
        .ok();
}

/// `ctr exec --join WAY …` for both ways.
fn both(place: &Place, name: &str, options: &[&str], command: &[&str]) -> [Run; 2] {
    ["direct", "apptainer"].map(|way| {
        let run = place.ctr(["exec", "--join", way]).args(options);
        run.arg(name).args(command)
    })
}

/// Two signals that the C library keeps for itself; Go sets them back where the caller ignores them.
const OF_THE_LIBRARY: u64 = 0b11 << 31;

/// Without the numbers of what each command has for itself.
fn general(text: &str) -> String {
    let mut text = text.replace('\r', "");
    for (own, end) in [("pipe:[", ']'), ("socket:[", ']'), ("/dev/pts/", '\n')] {
        let mut from = 0;
        while let Some(at) = text[from..].find(own) {
            from += at + own.len();
            let end = text[from..]
                .find(end)
                .map_or(text.len(), |length| from + length);
            text.replace_range(from..end, "its own");
        }
    }
    let ignored = "/proc/self/status: SigIgn:\t";
    if let Some(at) = text.find(ignored).map(|at| at + ignored.len()) {
        let set = u64::from_str_radix(&text[at..at + 16], 16).unwrap() & !OF_THE_LIBRARY;
        text.replace_range(at..at + 16, &format!("{set:016x}"));
    }
    text
}

#[track_caller]
fn assert_same(direct: &str, apptainers: &str, what: &str) {
    let (direct, apptainers) = (general(direct), general(apptainers));
    for (ours, theirs) in direct.lines().zip(apptainers.lines()) {
        assert_eq!(ours, theirs, "{what}: direct, and through Apptainer");
    }
    assert_eq!(direct.lines().count(), apptainers.lines().count(), "{what}");
    assert!(
        direct.lines().count() > 60,
        "{what}: the probe saw little: {direct}"
    );
}

#[test]
fn a_program_sees_the_same_process_in_every_kind_of_instance() {
    let place = Place::new();
    for (name, options) in kinds(&place) {
        start(&place, name, &options);
        // In the hostos, home is where the program is.
        let own = place.copy_program(&images().probe, "work/probe");
        let probe = if name == "hostos" {
            own.to_str().unwrap()
        } else {
            "probe"
        };
        let folder: &[&str] = if name == "contained" {
            &["--cwd", "/tmp"]
        } else {
            &[]
        };
        for arguments in [&[][..], &["a", "", "b c"]] {
            let command: Vec<&str> = [&[probe], arguments].concat();
            let [direct, apptainers] = both(&place, name, folder, &command).map(|run| run.ok());
            direct.quiet();
            assert_same(direct.text(), apptainers.text(), name);
        }
        place.ctr(["stop", name]).ok();
    }
}

#[test]
fn what_a_caller_has_set_up_is_the_same_inside() {
    let place = Place::new();
    place.start("bio", &[]);
    let mut seen = Vec::new();
    for setup in [
        "umask 0",
        "umask 077",
        "ulimit -n 333; ulimit -c 5; ulimit -s 4096; ulimit -u 4000; ulimit -v 4000000",
        "exec 7< /etc/passwd 9>> /dev/null",
        "exec < /dev/null",
        "exec < /etc/passwd",
        "renice -n 7 $$ > /dev/null",
        "echo 300 > /proc/self/oom_score_adj",
        "echo 0x3f > /proc/self/coredump_filter",
        "taskset -p 1 $$ > /dev/null",
        "cd /tmp",
        "cd /",
        "ionice -c 3 -p $$",
    ] {
        let at = |way: &str| {
            let folder = if setup == "cd /" { "--cwd /" } else { "" };
            let script = format!("{setup}; ctr exec --join {way} {folder} bio probe");
            Shell::Bash.script(&place, &script).ok().text().to_owned()
        };
        let direct = at("direct");
        assert_same(&direct, &at("apptainer"), setup);
        seen.push(direct);
    }
    seen.sort();
    let all = seen.len();
    seen.dedup();
    assert!(
        seen.len() >= all - 1,
        "a setup that changes nothing shows nothing"
    );
}

#[test]
fn a_program_in_a_terminal_sees_the_same() {
    let place = Place::new();
    for (name, options) in [("plain", vec![]), ("contained", vec!["--", "--contain"])] {
        let options: Vec<String> = options.into_iter().map(str::to_owned).collect();
        start(&place, name, &options);
        // Output goes into a file; the rest is the terminal's.
        let mut bash = Shell::Bash.interactive(&place, "");
        let [direct, apptainers] = ["direct", "apptainer"]
            .map(|way| bash.eval(&format!("ctr exec --join {way} --cwd /tmp {name} probe")));
        assert!(
            direct.contains("fd 0: flags 0 mode 8002 terminal 1"),
            "{direct}"
        );
        assert!(direct.contains("controlling terminal 1"), "{direct}");
        assert_same(&direct, &apptainers, name);
    }
}

#[test]
fn a_program_is_found_in_the_same_way() {
    let place = Place::new();
    place.start("bio", &["-e", "PATH=bin:.:$PATH"]);
    for (file, text) in [
        (
            "work/bin/probing",
            "#!/bin/sh\ncat /proc/$$/cmdline | tr '\\0' '|'\n",
        ),
        ("work/bin/plain", "cat /proc/$$/cmdline | tr '\\0' '|'\n"),
        (
            "work/here",
            "#!/bin/sh\ncat /proc/$$/cmdline | tr '\\0' '|'\n",
        ),
        ("work/bin/sub/file", ""),
    ] {
        place.write_program(file, text);
    }
    let whole = place.work().join("bin/../here");
    for word in [
        "probing",
        "plain",
        "here",
        "./here",
        "bin/probing",
        "bin/../here",
        "./bin/.././bin/plain",
        whole.to_str().unwrap(),
    ] {
        let [direct, apptainers] = both(&place, "bio", &[], &[word, "x y"]).map(|run| run.ok());
        assert_eq!(direct.text(), apptainers.text(), "{word}");
        assert!(direct.text().contains("x y"), "{direct}");
    }
    for word in ["nosuch", "./nosuch", "bin", "sub", "./bin", "/bin", ""] {
        let [direct, apptainers] = both(&place, "bio", &[], &[word]).map(|run| run.run());
        assert_eq!(direct.status, apptainers.status, "{direct}");
        assert_eq!(direct.stderr, apptainers.stderr, "{word}");
        assert!(direct.status == 127 || direct.status == 126, "{direct}");
    }
}

#[test]
fn standard_input_and_output_that_are_closed_stay_harmless() {
    let place = Place::new();
    place.start("bio", &[]);
    let at = |way: &str| {
        let script = format!("ctr exec --join {way} bio probe <&- 2>&-");
        Shell::Bash.script(&place, &script).ok().text().to_owned()
    };
    assert_same(&at("direct"), &at("apptainer"), "closed");
}
