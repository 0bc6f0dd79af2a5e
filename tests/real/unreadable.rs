//! What cannot be read is not taken for what is not there.

use std::fs;

use nix::sys::stat::Mode;
use serde_json::json;

use crate::support::{Place, images};

#[test]
fn states_that_cannot_be_read_are_not_taken_for_none() {
    let place = Place::new();
    place.start("bio", &[]);
    let folder = place.state_file("bio").parent().unwrap().to_owned();
    let shown = folder.to_str().unwrap();
    place.mode(&folder, 0);
    let list = place.ctr(["list"]).fails(1);
    list.says(&["error: ", shown, "ermission denied"]);
    assert!(list.text().contains("its state cannot be read"), "{list}");
    let document = place.ctr(["list", "--json"]).fails(1).json();
    assert_eq!(document["instances"][0]["name"], "bio");
    assert_eq!(document["error"]["kind"], "state");
    for (command, status) in [
        (&["stop", "--all"][..], 1),
        (&["stop", "bio"], 1),
        (&["prune"], 1),
        (&["stats"], 1),
        (&["exec", "bio", "true"], 125),
        (&["env", "bio"], 1),
    ] {
        let output = place.ctr(command).fails(status);
        output.says(&[shown, "ermission denied"]);
        assert!(!output.stderr.contains("file of your own"), "{output}");
    }
    place.mode(&folder, 0o700);
    assert_eq!(place.status("bio"), "running");
}

#[test]
fn a_folder_of_states_that_is_no_folder_is_named() {
    let mut place = Place::new();
    place.start("bio", &[]);
    let fifo = place.path("fifo");
    nix::unistd::mkfifo(&fifo, Mode::S_IRWXU).unwrap();
    place.set("CTR_STATE_DIR", &fifo);
    for (command, status) in [
        (&["list"][..], 1),
        (&["stop", "--all"], 1),
        (&["prune"], 1),
        (&["exec", "bio", "true"], 125),
    ] {
        let output = place.ctr(command).fails(status);
        output.says(&[fifo.to_str().unwrap(), "CTR_STATE_DIR"]);
    }
    assert!(place.record("bio").path.exists());
}

#[test]
fn without_the_records_of_apptainer_a_state_is_enough() {
    let place = Place::new();
    place.start("bio", &["-e", "K=v"]);
    place.ctr(["exec", "bio", "true"]).ok();
    let records = place.path("apptainer");
    place.mode(&records, 0);
    let list = place.ctr(["list"]).ok();
    list.says(&["warning: ", records.to_str().unwrap()]);
    assert!(list.text().contains("running"), "{list}");
    let shown = place.ctr(["exec", "bio", "sh", "-c", "echo $K"]).ok();
    assert_eq!(shown.text(), "v\n");
    place.ctr(["stop", "bio"]).ok().says(&["is stopped"]);
    place.mode(&records, 0o700);
    assert!(place.processes().is_empty(), "{:#?}", place.processes());
}

#[test]
fn the_old_name_of_the_folder_of_records_is_understood() {
    let mut place = Place::new();
    place.unset("APPTAINER_CONFIGDIR");
    place.set("SINGULARITY_CONFIGDIR", place.folder("sc"));
    place.start("bio", &["-e", "K=v"]);
    for join in ["direct", "apptainer"] {
        let run = place.ctr(["exec", "--join", join, "bio", "sh", "-c", "echo $K"]);
        assert_eq!(run.ok().text(), "v\n");
    }
    let image = images().sif.to_str().unwrap();
    place
        .apptainer(["instance", "start", image, "by-hand"])
        .ok();
    assert_eq!(place.status("by-hand"), "untracked");
    place.ctr(["restart", "bio"]).ok();
    // The new name wins where both are set, as with Apptainer.
    place.set("APPTAINER_CONFIGDIR", place.folder("ac"));
    assert!(place.listed("by-hand").is_none());
    place.start("second", &[]);
    assert!(!place.glob("ac/instances/app/*/*/second").is_empty());
    place.set("APPTAINER_CONFIGDIR", "");
    assert_eq!(place.status("by-hand"), "untracked");
    place.set("APPTAINER_CONFIGDIR", "../ac"); // from the working folder
    place.start("third", &[]);
    place
        .ctr(["exec", "third", "true"])
        .cwd(place.path("home"))
        .ok();
    place.ctr(["stop", "--all"]).ok();
}

#[test]
fn what_ctr_writes_for_itself_it_can_read_whatever_the_umask() {
    let place = Place::new();
    let script = "umask 777; ctr start bio && ctr exec bio true; ctr doctor > /dev/null
        ctr start -b hostos here && ctr exec here true && ctr stop here &&
        eval \"$(ctr env --shell sh bio)\" && ctr shim add bio sort && ctr exec bio true && ctr stop bio";
    place.program("sh").args(["-c", script]).ok();
    let mode = |path: &std::path::Path| {
        use std::os::unix::fs::PermissionsExt;
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    };
    for path in place
        .glob("cache/ctr/*")
        .iter()
        .chain(&place.glob("run/ctr/*"))
    {
        assert_ne!(mode(path) & 0o600, 0, "{path:?}");
    }
    place.assert_clean();
}

#[test]
fn the_configuration_of_apptainer_is_that_of_the_start() {
    let mut place = Place::new();
    let said = place.apptainer(["buildcfg"]).ok();
    let named = |line: &&str| line.starts_with("APPTAINER_CONF_FILE=");
    let usual = said.lines().into_iter().find(named).unwrap();
    let usual = fs::read_to_string(usual.split_once('=').unwrap().1).unwrap();
    let changed = usual.replace("allow pid ns = yes", "allow pid ns = no");
    let file = place.write("np.conf", changed);
    place.set("APPTAINER_CONFIG_FILE", &file);
    place.start("shared", &[]);
    place.unset("APPTAINER_CONFIG_FILE");
    place.start("own", &[]);
    let here = fs::read_link("/proc/self/ns/pid").unwrap();
    let is_here = |place: &Place, name: &str| {
        let shown = place
            .ctr(["exec", name, "readlink", "/proc/self/ns/pid"])
            .ok();
        shown.text().trim() == here.to_str().unwrap()
    };
    assert!(is_here(&place, "shared") && !is_here(&place, "own"));
    place.ctr(["restart", "shared"]).ok();
    assert!(is_here(&place, "shared"));
    let needed = place.ctr(["start", "--if-needed", "shared"]).fails(1);
    needed.says(&["another setup", "Apptainer's configuration"]);
    place.set("APPTAINER_CONFIG_FILE", &file);
    place.ctr(["restart", "own"]).ok();
    assert!(is_here(&place, "shared") && !is_here(&place, "own"));
    place.unset("APPTAINER_CONFIG_FILE");
    fs::remove_file(&file).unwrap();
    let restart = place.ctr(["restart", "shared"]).fails(1);
    restart.says(&[file.to_str().unwrap(), "APPTAINER_CONFIG_FILE"]);
    assert_eq!(place.listed("shared").unwrap()["status"], json!("running"));
}
