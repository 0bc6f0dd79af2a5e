//! Sidecars are files of others: what the host's shell takes from them, and from whom.

use std::path::PathBuf;

use serde_json::Value;

use crate::support::{Output, Place, Shell};

/// What the host's shell would set, and what was said on the way.
fn set(place: &Place) -> (Value, Output) {
    let output = place.ctr(["env", "--json", "bio"]).ok();
    (output.json()["set"].clone(), output)
}

/// A place with `bio` on an overlay whose sidecar sets `GENOME`.
fn with_sidecar() -> (Place, PathBuf) {
    let place = Place::new();
    let overlay = place.overlay("demo/1.0", &[]);
    let sidecar = place.sidecar(&overlay, "GENOME=/cnt/demo/1.0/genome.fa\n");
    (place, sidecar)
}

const OPTIONS: [&str; 4] = ["-o", "demo/1.0", "-e", "K=v"];

/// Demands that the variable of the sidecar is left out with one line, in every shell.
#[track_caller]
fn assert_left_out(place: &Place) {
    let (set, output) = set(place);
    assert!(set.get("GENOME").is_none(), "{set}");
    assert_eq!(set["K"], "v", "{output}");
    for shell in Shell::ALL {
        let script = format!("{}\necho \"[$GENOME] [$K]\"", shell.eval("ctr env bio"));
        let output = shell.script(place, &script).ok();
        assert_eq!(output.text(), "[] [v]\n", "{shell:?}");
        output.says(&["GENOME", "demo--1.0.sqf.env"]);
        assert_eq!(output.stderr.lines().count(), 1, "{output}");
    }
    // Inside it is as harmless as the overlay itself.
    assert_eq!(place.environ("bio")["GENOME"], "/cnt/demo/1.0/genome.fa");
}

#[track_caller]
fn assert_taken(place: &Place) {
    let (set, output) = set(place);
    assert_eq!(set["GENOME"], "/cnt/demo/1.0/genome.fa");
    output.quiet();
}

#[test]
fn the_sidecar_of_the_user_is_taken() {
    let (place, _) = with_sidecar();
    place.start("bio", &OPTIONS);
    assert_taken(&place);
}

#[test]
fn a_sidecar_that_others_may_write_is_left_out_with_one_line() {
    // That of a group, and that of all beside an overlay which is no better.
    for (mode, of_overlay) in [(0o664, 0o644), (0o646, 0o666)] {
        let (place, sidecar) = with_sidecar();
        place.mode(&sidecar, mode);
        place.mode(&sidecar.with_extension(""), of_overlay);
        place.start("bio", &OPTIONS);
        assert_left_out(&place);
    }
}

#[test]
fn a_sidecar_in_a_folder_that_others_may_write_is_left_out_with_one_line() {
    let (place, sidecar) = with_sidecar();
    place.mode(sidecar.parent().unwrap(), 0o775);
    place.start("bio", &OPTIONS);
    assert_left_out(&place);
}

#[test]
fn a_folder_can_be_trusted_by_the_configuration() {
    let (place, sidecar) = with_sidecar();
    place.mode(&sidecar, 0o664);
    let folder = sidecar.parent().unwrap();
    place.config(&format!("trusted = [{:?}]\n", folder.to_str().unwrap()));
    place.start("bio", &OPTIONS);
    assert_taken(&place);
}

#[test]
fn a_variable_that_was_given_too_is_the_users_own() {
    let (place, sidecar) = with_sidecar();
    place.mode(&sidecar, 0o664);
    place.start("bio", &["-o", "demo/1.0", "-e", "GENOME=mine"]);
    assert_eq!(set(&place).0["GENOME"], "mine");
}

#[test]
fn no_sidecar_sets_what_steers_the_hosts_own_programs() {
    let place = Place::new();
    let overlay = place.overlay("demo/1.0", &[]);
    let steering = [
        "LD_PRELOAD",
        "LD_AUDIT",
        "SHELL",
        "USER",
        "LOGNAME",
        "BASH_ENV",
        "ENV",
        "PYTHONHOME",
        "PYTHONPATH",
        "PERL5LIB",
        "PERL5OPT",
        "LUA_INIT",
        "LUA_PATH",
        "RUBYOPT",
        "NODE_OPTIONS",
        "JAVA_TOOL_OPTIONS",
        "R_HOME",
        "GIT_DIR",
        "GIT_SSH_COMMAND",
        "SSH_ASKPASS",
        "LESSOPEN",
        "PAGER",
        "EDITOR",
        "AWS_PAGER",
        "KUBE_EDITOR",
        "VIMINIT",
        "STARSHIP_CONFIG",
        "MODULE_PATH",
        "USERNAME",
        "umask",
        "version",
    ];
    let lines: String = steering
        .map(|key| format!("{key}=/of/the/sidecar\n"))
        .concat();
    place.sidecar(
        &overlay,
        &format!("{lines}PATH=/of/the/sidecar:$PATH\nGENOME=/cnt/demo/x\n"),
    );
    place.start("bio", &["-o", "demo/1.0"]);
    let (set, _) = set(&place);
    assert_eq!(set["GENOME"], "/cnt/demo/x");
    let taken: Vec<&str> = steering
        .into_iter()
        .chain(["PATH"])
        .filter(|key| set.get(key).is_some())
        .collect();
    assert!(taken.is_empty(), "{taken:?}");
    for shell in Shell::ALL {
        let script = format!("{}\ncommand env", shell.eval("ctr env bio"));
        let output = shell.script(&place, &script).ok();
        assert!(
            !output.text().contains("/of/the/sidecar"),
            "{shell:?}: {output}"
        );
        assert!(
            output.lines().contains(&"GENOME=/cnt/demo/x"),
            "{shell:?}: {output}"
        );
    }
    // Inside it is what the overlay's maker wanted.
    assert_eq!(place.environ("bio")["PYTHONPATH"], "/of/the/sidecar");
}

#[test]
fn of_a_sidecar_the_host_is_given_paths_of_its_own_and_what_a_line_names() {
    let place = Place::new();
    let overlay = place.overlay("demo/1.0", &[]);
    let kept = [
        "RPS1",
        "SPROMPT",
        "POSTEDIT",
        "precmd_functions",
        "TMOUT",
        "TAR_OPTIONS",
        "RSYNC_RSH",
        "MAKEFLAGS",
        "RUSTC_WRAPPER",
        "TMPDIR",
        "LOCPATH",
        "GNUPGHOME",
        "KUBECONFIG",
        "http_proxy",
        "histchars",
        "cwd",
    ];
    let lines = |value: &str| kept.map(|key| format!("{key}={value}\n")).concat();
    let given = "GENOME=/cnt/demo/1.0/g.fa\nTHREADS=4\nSITE=a  b\n#HOST:SITE\n";
    for value in [
        "/of/the/sidecar",
        "$(touch PWNED)",
        "/cnt/demo/1.0/$(touch PWNED)",
        "0815",
    ] {
        place.sidecar(&overlay, &format!("{given}{}", lines(value)));
        place.start("bio", &["--replace", "-o", "demo/1.0", "-e", "TMOUT=0"]);
        let (set, output) = set(&place);
        assert_eq!(set["GENOME"], "/cnt/demo/1.0/g.fa");
        assert_eq!(set["SITE"], "a  b");
        assert_eq!(set["TMOUT"], "0", "the user's own");
        let taken: Vec<&str> = kept
            .into_iter()
            .chain(["THREADS"])
            .filter(|key| *key != "TMOUT" && set.get(key).is_some())
            .collect();
        assert!(taken.is_empty(), "{taken:?}");
        assert_eq!(output.stderr, "", "{output}");
        for shell in Shell::ALL {
            let script = format!("{}\ncommand env", shell.eval("ctr env bio"));
            let output = shell.script(&place, &script).ok();
            assert!(!output.text().contains(&format!("={value}\n")), "{output}");
            assert!(output.lines().contains(&"SITE=a  b"), "{shell:?}: {output}");
            output.says(&["THREADS", "demo--1.0.sqf.env", "#HOST:"]);
            assert_eq!(output.stderr.lines().count(), 1, "{output}");
        }
    }
    // A line does not give what is never given.
    let named = kept.map(|key| format!("#HOST:{key}\n")).concat();
    place.sidecar(&overlay, &format!("{}{named}", lines("/cnt/demo/x")));
    place.start("bio", &["--replace", "-o", "demo/1.0"]);
    let (set, _) = set(&place);
    for (key, is_given) in [
        ("RPS1", false),
        ("TAR_OPTIONS", false),
        ("KUBECONFIG", true),
    ] {
        assert_eq!(set.get(key).is_some(), is_given, "{key} in {set}");
    }
    assert!(!place.work().join("PWNED").exists());
}

#[test]
fn a_sidecar_that_is_a_link_is_judged_by_its_target() {
    let (place, sidecar) = with_sidecar();
    let elsewhere = place.folder("elsewhere").join("vars");
    std::fs::rename(&sidecar, &elsewhere).unwrap();
    std::os::unix::fs::symlink(&elsewhere, &sidecar).unwrap();
    place.mode(&elsewhere, 0o666);
    place.start("bio", &OPTIONS);
    assert!(set(&place).0.get("GENOME").is_none());
}

#[test]
fn a_sidecar_that_is_a_link_is_judged_by_the_folder_that_it_is_in_too() {
    let (place, sidecar) = with_sidecar();
    let elsewhere = place.folder("elsewhere").join("vars");
    std::fs::rename(&sidecar, &elsewhere).unwrap();
    std::os::unix::fs::symlink(&elsewhere, &sidecar).unwrap();
    place.mode(sidecar.parent().unwrap(), 0o777);
    place.start("bio", &OPTIONS);
    assert_left_out(&place);
}
