//! The `hostos` base: the user's own operating system, with overlays on top.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use crate::support::{Output, Place, images};

/// A place in which nothing is configured, with `dev` running.
fn place() -> Place {
    let place = Place::bare();
    place.start("dev", &[]);
    place
}

#[track_caller]
fn inside(place: &Place, command: &[&str]) -> Output {
    place.ctr(["exec", "dev"]).args(command).ok()
}

/// Demands that a command says the same inside as outside, and gives that.
#[track_caller]
fn assert_same(place: &Place, command: &[&str]) -> String {
    let outside = place.program(command[0]).args(&command[1..]).ok();
    let inside = inside(place, command);
    assert_eq!(inside.text(), outside.text(), "{inside}");
    assert_eq!(inside.stderr, outside.stderr, "{inside}");
    outside.text().to_owned() + &outside.stderr
}

#[test]
fn it_is_the_base_when_nothing_is_configured() {
    let place = place();
    assert_eq!(place.state("dev")["base_image"], "hostos");
    assert_eq!(place.listed("dev").unwrap()["base_image"], "hostos");
    let release = assert_same(&place, &["cat", "/etc/os-release"]);
    assert!(!release.is_empty());
}

#[test]
fn the_user_is_who_they_are_outside() {
    let mut place = Place::bare();
    // Inside, home is what the system says that it is.
    let me = nix::unistd::User::from_uid(nix::unistd::getuid());
    place.set("HOME", me.unwrap().unwrap().dir);
    place.start("dev", &[]);
    let user = assert_same(&place, &["whoami"]);
    assert_same(&place, &["id"]);
    assert_same(&place, &["getent", "passwd", user.trim_end()]);
    assert_same(&place, &["getent", "group", "root"]);
    assert_same(&place, &["sh", "-c", "echo ~"]);
}

#[test]
fn names_are_resolved_as_outside() {
    let place = place();
    let hosts = assert_same(&place, &["getent", "hosts", "localhost"]);
    assert!(hosts.contains("localhost"), "{hosts}");
    for file in ["/etc/hosts", "/etc/resolv.conf", "/etc/nsswitch.conf"] {
        assert_same(&place, &["cat", file]);
    }
    assert_same(&place, &["uname", "-n"]);
}

#[test]
fn the_secure_shell_runs() {
    let place = place();
    let version = assert_same(&place, &["ssh", "-V"]);
    assert!(version.contains("SSH"), "{version}");
}

#[test]
fn the_loader_finds_libraries_as_outside() {
    let place = place();
    let cache = assert_same(&place, &["ldconfig", "-p"]);
    assert!(cache.contains("libc.so.6"), "{cache}");
    let bash = assert_same(&place, &["sh", "-c", "command -v bash"]);
    let needs = |output: Output| -> Vec<String> {
        // The addresses differ with each run.
        let lines = output.text().lines();
        lines
            .map(|line| line.split(" (0x").next().unwrap().to_owned())
            .collect()
    };
    let outside = place.program("ldd").arg(bash.trim_end()).ok();
    assert_eq!(
        needs(inside(&place, &["ldd", bash.trim_end()])),
        needs(outside)
    );
    assert_same(&place, &["bash", "-c", "echo $((6 * 7))"]);
}

#[test]
fn alternatives_lead_where_they_lead_outside() {
    let place = place();
    let list = "for link in /etc/alternatives/*; do echo \"$link $(readlink -f \"$link\")\"; done";
    let links = assert_same(&place, &["sh", "-c", list]);
    assert!(
        links.lines().any(|line| line
            .split(' ')
            .nth(1)
            .is_some_and(|to| Path::new(to).is_file())),
        "{links}"
    );
    assert_same(&place, &["awk", "BEGIN { print 6 * 7 }"]);
}

#[test]
fn commands_from_opt_work() {
    let place = place();
    assert_same(&place, &["ls", "-A", "/opt"]);
    // Where this machine has its Apptainer from is open; where that is /opt, it runs from there.
    let apptainer = place.environment()[std::ffi::OsStr::new("CTR_APPTAINER")]
        .to_str()
        .unwrap()
        .to_owned();
    let version = assert_same(&place, &[&apptainer, "--version"]);
    assert!(version.starts_with("apptainer version"), "{version}");
}

#[test]
fn a_hidden_top_level_folder_of_the_host_is_there() {
    let place = Place::bare();
    let root = place.folder("root");
    let script = format!(
        "mount -t tmpfs none {root}
        for entry in /*; do
            if [ -L $entry ]; then cp -P $entry {root}/
            elif [ -d $entry ]; then mkdir {root}$entry; mount --rbind $entry {root}$entry; fi
        done
        mkdir {root}/.old; echo hidden > {root}/.old/file
        cd {root}; pivot_root . .; umount -l .; cd {work}",
        root = root.display(),
        work = place.work().display(),
    );
    place.ctr_in_world(&script, &["start", "dev"]).ok();
    let shown = inside(&place, &["cat", "/.old/file"]);
    assert_eq!(shown.text(), "hidden\n");
    place.ctr(["stop", "dev"]).ok();
}

#[test]
fn every_top_level_folder_of_the_host_is_there() {
    let place = place();
    let of_apptainer = ["/proc", "/sys", "/dev", "/tmp", "/home", "/root"];
    for entry in fs::read_dir("/").unwrap().flatten() {
        let path = entry.path();
        let Ok(outside) = fs::read_dir(&path) else {
            continue; // not for this user
        };
        if of_apptainer.iter().any(|given| path == Path::new(given))
            || path.file_name().unwrap() == "lost+found"
        {
            continue;
        }
        let mut outside: Vec<_> = outside
            .flatten()
            .map(|entry| entry.file_name().into_string().unwrap())
            .collect();
        outside.sort();
        let listing = inside(&place, &["ls", "-A", "-U", path.to_str().unwrap()]);
        let mut listed = listing.lines();
        listed.sort_unstable();
        assert_eq!(listed, outside, "{path:?}");
    }
}

#[test]
fn python_trusts_whom_it_trusts_outside() {
    let place = place();
    let count = "import ssl; print(len(ssl.create_default_context().get_ca_certs()))";
    let trusted = assert_same(&place, &["python3", "-c", count]);
    assert!(
        trusted.trim_end().parse::<u32>().unwrap() > 0,
        "no CA files on this machine: {trusted}"
    );
}

#[test]
fn the_constants_that_shield_a_foreign_image_are_not_set() {
    let mut place = Place::bare();
    place.set("LANG", "C");
    place.set("SSL_CERT_FILE", "/etc/ssl/certs/mine.pem");
    place.set("CURL_CA_BUNDLE", "/etc/ssl/certs/mine.pem");
    place.start("dev", &[]);
    let environ = place.environ("dev");
    assert_eq!(environ["LANG"], "C");
    assert!(!environ.contains_key("LC_ALL"));
    assert_eq!(environ["SSL_CERT_FILE"], "/etc/ssl/certs/mine.pem");
    assert_eq!(environ["CURL_CA_BUNDLE"], "/etc/ssl/certs/mine.pem");
    place.set("LC_ALL", "C.UTF-8");
    assert_eq!(place.environ("dev")["LC_ALL"], "C.UTF-8");
}

#[test]
fn the_system_is_read_only_and_what_is_the_users_is_not() {
    let place = place();
    for folder in ["/usr", "/etc", "/var", "/opt"] {
        let output = place
            .ctr(["exec", "dev", "touch", &format!("{folder}/new")])
            .fails(1);
        output.says(&["Read-only file system"]);
    }
    let file = |folder: &str| tempfile::NamedTempFile::new_in(folder).unwrap();
    for folder in ["/tmp", "/var/tmp"] {
        let outside = file(folder);
        inside(
            &place,
            &[
                "sh",
                "-c",
                "echo from inside > \"$1\"",
                "sh",
                outside.path().to_str().unwrap(),
            ],
        );
        assert_eq!(fs::read_to_string(outside.path()).unwrap(), "from inside\n");
    }
    inside(&place, &["touch", "made-inside"]);
    let made = place.work().join("made-inside");
    assert_eq!(
        fs::metadata(made).unwrap().uid(),
        nix::unistd::getuid().as_raw()
    );
}

#[test]
fn an_overlay_is_on_the_path() {
    let place = Place::bare();
    let overlay = place.overlay(
        "demo/1.0",
        &[("bin/demo", "#!/bin/sh\necho demo $DEMO_HOME\n")],
    );
    place.sidecar(&overlay, "DEMO_HOME=/cnt/demo/1.0\n");
    place.start("dev", &["-o", "demo/1.0"]);
    assert_eq!(inside(&place, &["demo"]).text(), "demo /cnt/demo/1.0\n");
    let path = inside(&place, &["sh", "-c", "echo \"$PATH\""]);
    assert!(path.text().starts_with("/cnt/demo/1.0/bin:"), "{path}");
    assert_eq!(inside(&place, &["sh", "-c", "command -v ls"]).status, 0);
}

#[test]
fn an_apptainer_inside_takes_no_live_instance_for_dead() {
    let place = place();
    place.start("other", &[]);
    place
        .apptainer(["-q", "instance", "start"])
        .arg(&images().sif)
        .arg("foreign")
        .ok();
    let apptainer = place.environment()[std::ffi::OsStr::new("CTR_APPTAINER")]
        .to_str()
        .unwrap()
        .to_owned();
    inside(&place, &[&apptainer, "instance", "list"]);
    let stop = place
        .ctr(["exec", "dev", &apptainer, "instance", "stop", "--all"])
        .run();
    for name in ["dev", "other", "foreign"] {
        assert!(place.find_record(name).is_some(), "{name}: {stop}");
        place.ctr(["exec", name, "true"]).ok();
    }
}

#[test]
fn an_apptainer_inside_takes_no_live_instance_for_dead_in_the_usual_folder_either() {
    let mut place = Place::bare();
    let home = place.environment()[std::ffi::OsStr::new("HOME")].clone();
    place.unset("APPTAINER_CONFIGDIR");
    place.start("dev", &[]);
    let records = || {
        let pattern = Path::new(&home).join(".apptainer/instances/app/*/*/dev/dev.json");
        glob::glob(pattern.to_str().unwrap())
            .unwrap()
            .flatten()
            .count()
    };
    assert_eq!(records(), 1);
    // Where another folder is configured, one inside looks in the usual one all the same.
    place.set("APPTAINER_CONFIGDIR", place.path("apptainer"));
    place.start("shield", &[]);
    let apptainer = place.environment()[std::ffi::OsStr::new("CTR_APPTAINER")]
        .to_str()
        .unwrap()
        .to_owned();
    place
        .ctr(["exec", "shield", &apptainer, "instance", "list"])
        .ok();
    assert_eq!(records(), 1);
    place.unset("APPTAINER_CONFIGDIR");
    inside(&place, &[&apptainer, "instance", "list"]);
    assert_eq!(records(), 1);
    place.ctr(["stop", "dev"]).ok();
    assert_eq!(records(), 0);
}

#[test]
fn writing_to_it_is_refused_with_the_reason() {
    let place = Place::bare();
    for options in [&["-w"][..], &["-w", "-f"]] {
        let output = place.ctr(["start"]).args(options).arg("dev").fails(1);
        output.says(&["hostos", "/usr", "read-only", "hint: "]);
        place.assert_clean_after(&output);
    }
}

#[test]
fn the_path_is_the_callers_after_the_overlays() {
    let mut place = Place::bare();
    place.overlay("demo/1.0", &[("bin/demo", "#!/bin/sh\necho demo\n")]);
    place.write_program("own/bin/mine", "#!/bin/sh\necho mine\n");
    let mut path = place.path("own/bin").into_os_string();
    path.push(":");
    path.push(&place.environment()[std::ffi::OsStr::new("PATH")]);
    place.set("PATH", &path);
    place.start("dev", &["-o", "demo/1.0"]);
    assert_eq!(inside(&place, &["mine"]).text(), "mine\n");
    assert_eq!(inside(&place, &["demo"]).text(), "demo\n");
    let seen = inside(&place, &["sh", "-c", "echo $PATH"]);
    let expected = format!("/cnt/demo/1.0/bin:{}\n", path.to_str().unwrap());
    assert_eq!(seen.text(), expected);
    // Without the caller's environment it is the usual one.
    let clean = place.ctr(["exec", "--cleanenv", "dev", "mine"]).fails(127);
    clean.says(&["mine"]);
}
