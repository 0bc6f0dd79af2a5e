//! A real program with its data, on `PATH` as a shim: what calls it need not know.

use std::os::unix::fs::symlink;

use crate::support::{Output, Place, Run, Shell};

/// `bio` on the host's own system, with the program and its data, whose folder is in `$PRIMER3_CONFIG`.
fn place() -> Place {
    place_with("bio")
}

fn place_with(instance: &str) -> Place {
    let place = Place::bare();
    place.primer3();
    place.start(instance, &["-o", "primer3/2.6"]);
    place.ctr(["shim", "add", instance, "--all"]).ok();
    place
}

/// A script of a shell in which `bio` is active.
#[track_caller]
fn active(place: &Place, script: &str) -> Output {
    let script = format!("set -eu\neval \"$(ctr env bio)\"\n{script}");
    Shell::Bash.script(place, &script).ok()
}

/// The same inside, where there are no shims.
#[track_caller]
fn inside(place: &Place, script: &str) -> Output {
    let file = place.write("work/inside", script);
    place.ctr(["exec", "bio", "bash", "-eu"]).arg(file).ok()
}

/// The temperature of a duplex, which the program finds with its data and not without.
const MELT: &str =
    "ntthal -path \"$PRIMER3_CONFIG\" -s1 ACGTACGTAGCTAGCTAGC -s2 GCTAGCTAGCTACGTACGT -r";

#[test]
fn the_host_has_no_such_program_and_the_instance_has_its_data() {
    let place = place();
    let host = place.program("sh").args(["-c", "command -v ntthal"]).run();
    assert_ne!(host.status, 0, "{host}");
    let melt = inside(&place, MELT);
    assert!(melt.text().trim().parse::<f64>().unwrap() > 40.0, "{melt}");
    assert_eq!(
        active(&place, &format!("{MELT} | head -1")).text(),
        melt.text()
    );
    let without = active(
        &place,
        "ntthal -path /nowhere/ -s1 ACGT -s2 ACGT -r || echo failed",
    );
    assert!(without.text().contains("failed"), "{without}");
}

#[test]
fn make_runs_eight_at_a_time_and_gets_the_same_as_inside() {
    let place = place();
    let makefile = "all: $(addsuffix .tm,$(shell seq 100 199))\n\
                    %.tm:\n\t@ntthal -path $(PRIMER3_CONFIG) -r -s1 ACGTACGTAGC$(subst 1,A,$(subst 0,C,$*))GCTA \
                    -s2 GCTAGCTAGCTACG > $@ 2>/dev/null; echo \"$$?\" >> $@\n";
    let makefile = makefile.replace(
        "$(subst 1,A,$(subst 0,C,$*))",
        "$(shell echo $* | tr 0-9 ACGTACGTAC)",
    );
    let run = "mkdir -p $1 && cd $1 && make -s -j8 -f ../Makefile && for i in *.tm; do echo $i; cat $i; done";
    place.write("work/Makefile", makefile);
    let outside = active(&place, &run.replace("$1", "made-outside"));
    let inside = inside(&place, &run.replace("$1", "made-inside"));
    assert_eq!(outside.lines().len(), 300, "{outside}");
    assert_eq!(outside.text(), inside.text());
}

/// Calls a program 2,000 times from eight threads, and prints what it printed.
const POOL: &str = r#"
import os, subprocess
from concurrent.futures import ThreadPoolExecutor
def melt(n):
    word = "".join("ACGT"[n >> shift & 3] for shift in range(0, 12, 2))
    words = ["ntthal", "-path", os.environ["PRIMER3_CONFIG"], "-r", "-s1", "ACGTACGTAGC" + word, "-s2", "GCTACGTACGT"]
    done = subprocess.run(words, capture_output=True, text=True)
    return f"{n} {done.returncode} {done.stdout} {done.stderr}"
with ThreadPoolExecutor(8) as pool:
    for line in pool.map(melt, range(2000)):
        print(line)
"#;

#[test]
fn a_pool_of_two_thousand_calls_gets_the_same_as_inside() {
    let place = place();
    place.write("work/pool.py", POOL);
    let outside = active(&place, "python3 pool.py");
    let inside = inside(&place, "python3 pool.py");
    assert!(outside.lines().len() >= 2000, "{outside}");
    assert!(outside.text().starts_with("0 0 "), "{outside}");
    assert_eq!(outside.text(), inside.text());
}

#[test]
fn programs_that_look_for_it_or_call_it_find_it() {
    let place = place();
    let shim = place.shim("bio", "oligotm").display().to_string();
    let found = active(
        &place,
        "which oligotm; command -v oligotm; type -P oligotm; hash oligotm; hash -t oligotm",
    );
    assert_eq!(found.lines(), [shim.as_str(); 4]);
    let melt = inside(&place, "oligotm ACGTACGTACGT; oligotm ACGGACGTACGT");
    place.write("work/oligos", "ACGTACGTACGT\nACGGACGTACGT\n");
    place.write("work/each/ACGTACGTACGT", "");
    for calls in [
        "xargs -n1 oligotm < oligos",
        "xargs -P1 -I{} oligotm {} < oligos",
        "while read -r oligo; do oligotm \"$oligo\" </dev/null; done < oligos",
        "for o in $(cat oligos); do env oligotm $o; done",
        "for o in $(cat oligos); do nice timeout 60 nohup oligotm $o 2>/dev/null; done",
        "for o in $(cat oligos); do setsid -w oligotm $o; done",
        "for o in $(cat oligos); do (exec oligotm $o); done",
        "for o in $(cat oligos); do perl -e 'exec @ARGV' oligotm $o; done",
        "for o in $(cat oligos); do hash -r; oligotm $o | cat; done",
        "for o in $(cat oligos); do sh -c \"oligotm $o\"; done",
        "python3 -c \"import os; [os.system('oligotm ' + o) for o in open('oligos').read().split()]\"",
    ] {
        let output = active(&place, calls);
        assert_eq!(output.text(), melt.text(), "{calls}");
    }
    let first = melt.lines()[0];
    let found = active(
        &place,
        "cd each && find . -type f -exec sh -c 'oligotm ${0#./}' {} \\; -exec oligotm ACGTACGTACGT \\;",
    );
    assert_eq!(found.lines(), [first, first]);
    // With nothing but its path.
    let bare = active(&place, &format!("env -i {shim} ACGTACGTACGT"));
    assert_eq!(bare.lines(), [first]);
}

#[test]
fn sudo_runs_it_by_its_path_and_does_not_find_it_by_its_name() {
    let place = place();
    let me = nix::unistd::User::from_uid(nix::unistd::getuid());
    let me = me.unwrap().unwrap().name;
    let shim = place.shim("bio", "oligotm").display().to_string();
    let melt = inside(&place, "oligotm ACGTACGTACGT");
    let sudo = |rest: &str| {
        active(
            &place,
            &format!("sudo -n -u {me} {rest} ACGTACGTACGT || echo $?"),
        )
    };
    assert_eq!(sudo(&shim).text(), melt.text());
    assert_eq!(sudo("env PATH=\"$PATH\" oligotm").text(), melt.text());
    let by_name = sudo("oligotm");
    assert_eq!(by_name.text(), "1\n");
    by_name.says(&["oligotm: command not found"]);
}

#[test]
fn scripts_can_name_it_in_their_first_line() {
    let place = place();
    place.ctr(["shim", "add", "bio", "python3"]).ok();
    let shim = place.shim("bio", "python3");
    let text = "import os, sys; print(sys.argv[1:], os.environ.get('APPTAINER_CONTAINER') and os.environ['CTR_INSTANCE'])\n";
    for first in [
        format!("#!{}\n", shim.display()),
        "#!/usr/bin/env python3\n".to_owned(),
    ] {
        let script = place.write_program("work/script", first.clone() + text);
        symlink(&script, place.path("bin/linked")).unwrap();
        for called in ["./script", "linked", "env -u PATH ./script"] {
            if called.starts_with("env -u") && first.contains("env python3") {
                continue;
            }
            let output = active(&place, &format!("{called} 'a b' c"));
            assert_eq!(output.text(), "['a b', 'c'] bio\n", "{first}{called}");
        }
        std::fs::remove_file(place.path("bin/linked")).unwrap();
    }
}

#[test]
fn a_job_of_cron_has_it_with_one_line() {
    // A name of its own: the folder in /tmp is that of other tests too.
    let place = place_with("cron");
    // All that cron gives a job (crontab(5)).
    let keep = ["HOME", "LOGNAME"];
    let job = |line: String| -> Run {
        let all = place.environment().iter();
        let kept = all.filter(|(name, _)| {
            keep.iter().any(|one| name == one) || name.to_str().unwrap().starts_with("APPTAINER")
        });
        let run = Run::new(
            "/bin/sh",
            kept.map(|(k, v)| (k.clone(), v.clone())).collect(),
            &place.work(),
        );
        run.env("PATH", "/usr/bin:/bin")
            .env("SHELL", "/bin/sh")
            .args(["-c", &line])
    };
    let ctr = place.path("bin/ctr");
    let ctr = ctr.display();
    let state = place.path("state/ctr/instances");
    let told = format!("export CTR_STATE_DIR={};", state.display());
    let melt = place.ctr(["exec", "cron", "oligotm", "ACGTACGTACGT"]).ok();
    let apptainer = place.environment()[std::ffi::OsStr::new("CTR_APPTAINER")].clone();
    let told = format!(
        "{told} export CTR_APPTAINER={};",
        apptainer.to_str().unwrap()
    );
    for line in [
        format!("{} ACGTACGTACGT", place.shim("cron", "oligotm").display()),
        format!("{told} {ctr} exec cron oligotm ACGTACGTACGT"),
        format!("{told} eval \"$({ctr} env cron)\" && oligotm ACGTACGTACGT"),
    ] {
        let output = job(line).ok();
        assert_eq!(output.text(), melt.text(), "{output}");
        output.quiet();
    }
}

/// Speaks the framing of the Language Server Protocol over its standard streams.
const SERVER: &str = r#"#!/usr/bin/env python3
import json, sys
while True:
    length = None
    while (line := sys.stdin.buffer.readline()) not in (b"\r\n", b""):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
    if length is None:
        sys.exit(3)
    asked = json.loads(sys.stdin.buffer.read(length))
    if asked["method"] == "exit":
        sys.exit(0)
    said = json.dumps({"id": asked["id"], "result": asked["params"]}).encode()
    sys.stdout.buffer.write(b"Content-Length: %d\r\n\r\n" % len(said) + said)
    sys.stdout.buffer.flush()
"#;

/// An editor: starts the server, asks, ends it in each of the ways that editors do.
const EDITOR: &str = r#"
import json, os, signal, subprocess, sys, time
def start():
    return subprocess.Popen(["language-server"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True)
def send(server, **message):
    text = json.dumps(message).encode()
    server.stdin.write(b"Content-Length: %d\r\n\r\n" % len(text) + text)
    server.stdin.flush()
def answer(server):
    length = int(server.stdout.readline().split(b":")[1])
    server.stdout.readline()
    return json.loads(server.stdout.read(length))
server = start()
for n in range(300):
    text = "x\u00e4\n" * (n * n)
    send(server, id=n, method="echo", params=text)
    assert answer(server) == {"id": n, "result": text}
send(server, method="exit")
print(server.wait())
server = start()
server.stdin.close()
print(server.wait())
for end in (signal.SIGTERM, signal.SIGKILL):
    server = start()
    send(server, id=1, method="echo", params="")
    answer(server)
    server.send_signal(end)
    print(server.wait(), server.stdout.read())
"#;

#[test]
fn an_editor_speaks_to_a_language_server() {
    let place = Place::bare();
    place.overlay("lsp/1", &[("bin/language-server", SERVER)]);
    place.start("bio", &["-o", "lsp/1"]);
    place.ctr(["shim", "add", "bio", "--all"]).ok();
    place.write("work/editor.py", EDITOR);
    let output = active(&place, "python3 editor.py");
    assert_eq!(output.lines(), ["0", "3", "-15 b''", "-9 b''"]);
    let left = place
        .ctr(["exec", "bio", "pgrep", "-f", "bin/language-server"])
        .run();
    assert_eq!(left.text(), "", "{left}");
}
