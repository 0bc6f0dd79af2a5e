//! The settings in force: which file, variable or flag gave them, and who wins.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::support::{Output, Place, Run};

/// Every setting that `ctr` has, in the order of the table.
const SETTINGS: [&str; 12] = [
    "base_image",
    "overlay_path",
    "trusted",
    "apptainer",
    "default_distro",
    "bind",
    "env",
    "gpu",
    "apptainer_flags",
    "scrub",
    "join",
    "prompt.format",
];

/// A configuration that sets everything to something that no default is.
const EVERYTHING: &str = r#"
base_image = "/images/site.sif"
overlay_path = ["/overlays/site", "~/overlays"]
trusted = ["~/trusted"]
apptainer = "/opt/site/apptainer"
default_distro = "rocky9"
bind = ["~/data:/data:ro", "/scratch"]
env = { A = "$(id)", N = 7 }
gpu = "none"
apptainer_flags = ["--no-mount", "tmp"]
scrub = ["SITE"]
join = "apptainer"
[prompt]
format = "<{name}>"
"#;

/// A place in which no variable sets anything.
fn unset() -> Place {
    let mut place = Place::bare();
    for key in ["CTR_APPTAINER", "CTR_BASE_IMAGE", "CTR_OVERLAY_PATH"] {
        place.unset(key);
    }
    place
}

/// Runs `ctr ARGS` where `/etc/ctr/config.toml` holds this text.
fn with_system_file(place: &Place, text: &str, args: &[&str]) -> Run {
    place.write("etc/ctr/config.toml", text);
    let folder = place.path("etc").display().to_string();
    // An overlay needs no folder `/etc/ctr` on this machine.
    let script = format!("mount -t overlay -o lowerdir={folder}:/etc overlay /etc");
    place.ctr_in_world(&script, args)
}

/// The value and the source of a setting.
#[track_caller]
fn setting(output: &Output, name: &str) -> (Value, String) {
    let one = &output.json()[name];
    let source = one["source"].as_str();
    let source = source.unwrap_or_else(|| panic!("{name} in {output}"));
    (one["value"].clone(), source.to_owned())
}

#[test]
fn the_document_has_every_setting_with_its_default() {
    let place = unset();
    let output = place.ctr(["config", "--json"]).ok();
    output.quiet();
    let document = output.json();
    let names: BTreeSet<&str> = document.as_object().unwrap().keys().map(|k| &**k).collect();
    assert_eq!(names, BTreeSet::from(SETTINGS));
    for name in SETTINGS {
        assert_eq!(setting(&output, name).1, "default", "{name}");
    }
    let overlays = place.path("data/ctr/overlays");
    for (name, value) in [
        ("base_image", json!("hostos")),
        ("overlay_path", json!([overlays])),
        ("trusted", json!([])),
        ("apptainer", json!(null)),
        ("bind", json!([])),
        ("env", json!({})),
        ("gpu", json!("auto")),
        ("apptainer_flags", json!([])),
    ] {
        assert_eq!(setting(&output, name).0, value, "{name}");
    }
    let scrubbed = setting(&output, "scrub").0;
    assert!(
        scrubbed
            .as_array()
            .unwrap()
            .contains(&json!("SSL_CERT_FILE"))
    );
}

#[test]
fn the_document_has_every_setting_as_the_file_gives_it() {
    let place = unset();
    let file = place.config(EVERYTHING);
    let home = place.path("home");
    let output = place.ctr(["config", "--json"]).ok();
    let bind = format!("{}:/data:ro", home.join("data").display());
    let expected = json!({
        "base_image": "/images/site.sif",
        "overlay_path": ["/overlays/site", home.join("overlays")],
        "trusted": [home.join("trusted")],
        "apptainer": "/opt/site/apptainer",
        "default_distro": "rocky9",
        "bind": [bind, "/scratch"],
        "env": {"A": "$(id)", "N": "7"},
        "gpu": "none",
        "apptainer_flags": ["--no-mount", "tmp"],
        "scrub": ["SITE"],
        "join": "apptainer",
        "prompt.format": "<{name}>",
    });
    for name in SETTINGS {
        let source = file.to_str().unwrap().to_owned();
        let of_the_file = (expected[name].clone(), source);
        assert_eq!(setting(&output, name), of_the_file, "{name}");
    }
}

#[test]
fn the_table_has_a_line_for_each_and_pads_no_line_to_the_longest_value() {
    let place = unset();
    let file = place.config("gpu = \"none\"\nenv = { EVIL = \"\\u001b[31m\" }\n");
    let output = place.ctr(["config"]).ok();
    output.quiet();
    let lines = output.lines();
    let words = |line: &str| -> Vec<String> {
        line.split_whitespace().take(3).map(str::to_owned).collect()
    };
    assert_eq!(words(lines[0]), ["SETTING", "FROM", "VALUE"]);
    let first: Vec<String> = lines[1..]
        .iter()
        .map(|line| words(line).remove(0))
        .collect();
    assert_eq!(first, SETTINGS);
    let line = |name: &str| *lines.iter().find(|line| line.starts_with(name)).unwrap();
    let source = file.to_str().unwrap();
    assert_eq!(words(line("gpu")), ["gpu", source, "\"none\""]);
    assert_eq!(words(line("trusted")), ["trusted", "default", "[]"]);
    assert!(
        line("scrub").ends_with("\"NIX_SSL_CERT_FILE\"]"),
        "{output}"
    );
    let longest = line("scrub").len();
    for line in &lines {
        assert_eq!(*line, line.trim_end(), "{output}");
        assert!(line.starts_with("scrub") || line.len() < longest, "{line}");
    }
    assert!(!output.text().contains('\u{1b}'), "{output}");
}

#[test]
fn ctr_config_names_the_one_file_that_is_read() {
    let place = unset();
    place.config("gpu = \"none\"\ndefault_distro = \"of the user\"\n");
    let own = place.write("own.toml", "gpu = \"rocm\"\n");
    let run = with_system_file(
        &place,
        "default_distro = \"of the system\"\n",
        &["config", "--json"],
    );
    let output = run.env("CTR_CONFIG", &own).ok();
    let of_own = own.to_str().unwrap().to_owned();
    assert_eq!(setting(&output, "gpu"), (json!("rocm"), of_own));
    let (_, source) = setting(&output, "default_distro");
    assert_eq!(source, "default", "neither file is read: {output}");
    let missing = place.path("nosuch.toml");
    let output = place.ctr(["config"]).env("CTR_CONFIG", &missing).fails(1);
    output.says(&[missing.to_str().unwrap(), "CTR_CONFIG"]);
}

#[test]
fn the_users_file_wins_over_the_systems() {
    let place = unset();
    let own = place.config("gpu = \"rocm\"\n");
    let system = "gpu = \"none\"\ndefault_distro = \"of the system\"\nbind = [\"~/x\"]\n";
    let output = with_system_file(&place, system, &["config", "--json"]).ok();
    let of_the_user = own.to_str().unwrap().to_owned();
    assert_eq!(setting(&output, "gpu"), (json!("rocm"), of_the_user));
    let of_the_system = "/etc/ctr/config.toml".to_owned();
    assert_eq!(
        setting(&output, "default_distro"),
        (json!("of the system"), of_the_system.clone())
    );
    let bind = json!([place.path("home/x")]);
    assert_eq!(setting(&output, "bind"), (bind, of_the_system));
    let output = with_system_file(&place, "nosuch = 1\n", &["config"]).fails(1);
    output.says(&["/etc/ctr/config.toml", "nosuch"]);
}

#[test]
fn a_variable_wins_over_the_files() {
    let place = unset();
    place.config(EVERYTHING);
    let run = place
        .ctr(["config", "--json"])
        .env("CTR_BASE_IMAGE", "/of/the/variable.sif")
        .env("CTR_OVERLAY_PATH", "/one:/two")
        .env("CTR_APPTAINER", "/of/the/variable");
    let output = run.ok();
    for (name, value, variable) in [
        (
            "base_image",
            json!("/of/the/variable.sif"),
            "CTR_BASE_IMAGE",
        ),
        ("overlay_path", json!(["/one", "/two"]), "CTR_OVERLAY_PATH"),
        ("apptainer", json!("/of/the/variable"), "CTR_APPTAINER"),
    ] {
        let of_the_variable = (value, variable.to_owned());
        assert_eq!(setting(&output, name), of_the_variable, "{name}");
    }
    let run = place.ctr(["config", "--json"]).env("CTR_BASE_IMAGE", "");
    let (value, _) = setting(&run.ok(), "base_image");
    assert_eq!(value, "/images/site.sif", "an empty one says nothing");
}

#[test]
fn a_flag_wins_over_variables_and_files() {
    let mut place = Place::new();
    let image = |name: &str| place.sandbox(name, &[]).display().to_string();
    let (of_file, of_variable, of_flag) = (image("file"), image("variable"), image("flag"));
    place.config(&format!(
        "base_image = {of_file:?}\ngpu = \"rocm\"\nenv = {{ A = \"file\", B = \"file\" }}\nbind = [\"~/data\"]\n"
    ));
    let data = place.folder("home/data");
    let planned = |place: &Place, options: &[&str]| {
        let run = place.ctr(["start", "--dry-run"]).args(options);
        run.arg("bio").ok().text().to_owned()
    };
    place.unset("CTR_BASE_IMAGE");
    let plan = planned(&place, &[]);
    for expected in [
        &*of_file,
        "A=file",
        "B=file",
        data.to_str().unwrap(),
        "--rocm",
    ] {
        assert!(plan.contains(expected), "{expected}: {plan}");
    }
    place.set("CTR_BASE_IMAGE", &of_variable);
    let plan = planned(&place, &[]);
    assert!(
        plan.contains(&of_variable) && !plan.contains(&of_file),
        "{plan}"
    );
    let plan = planned(&place, &["-b", &of_flag, "-e", "A=flag", "--gpu", "none"]);
    assert!(
        plan.contains(&of_flag) && !plan.contains(&of_variable),
        "{plan}"
    );
    assert!(plan.contains("A=flag") && plan.contains("B=file"), "{plan}");
    assert!(!plan.contains("--rocm"), "{plan}");
    assert!(place.state_files().is_empty(), "nothing was started");
}

#[test]
fn a_home_in_a_bind_of_the_configuration_is_the_users() {
    let place = Place::new();
    place.write("home/data/file", "of my home\n");
    place.config("bind = [\"~/data:/mnt/data:ro\"]\n");
    place.start("bio", &[]);
    let output = place.ctr(["exec", "bio", "cat", "/mnt/data/file"]).ok();
    assert_eq!(output.text(), "of my home\n");
}
