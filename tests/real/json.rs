//! JSON is for programs, and people look at it in terminals.

use serde_json::Value;

use crate::support::{Output, Place};

/// What a terminal acts on, what reorders or hides text, and what does none of that.
const TEXT: &str = "\u{1b}[31m\u{7f}\u{9b}31m\u{202e}\u{2066}\u{200b}\u{2028}\u{e0041}ä\u{1f9ec}";

/// Demands that nothing of that is in a document as it is, and gives the document.
#[track_caller]
fn document(output: &Output) -> Value {
    let is_raw = |c: &char| !c.is_ascii_graphic() && ![' ', '\n', 'ä', '\u{1f9ec}'].contains(c);
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    let raw: Vec<char> = text.chars().filter(is_raw).collect();
    assert!(raw.is_empty(), "{raw:?} in {text}");
    output.json()
}

#[test]
fn no_document_has_what_a_terminal_acts_on_and_each_says_the_same() {
    let place = Place::new();
    let variable = format!("K={TEXT}");
    let image = place.sandbox(TEXT, &[]);
    let image = image.to_str().unwrap();
    let overlay = place.overlay("demo/1.0", &[]);
    std::fs::copy(&overlay, overlay.with_file_name(format!("{TEXT}.sqf"))).unwrap();
    place.start("bio", &["-b", image, "-e", &variable, "--note", &variable]);
    let run = |words: &[&str]| document(&place.ctr(words).ok());

    assert_eq!(
        run(&["list", "--json"])["instances"][0]["base_image"],
        image
    );
    let shown = run(&["show", "--json", "bio"]);
    assert_eq!(shown["notes"]["K"], TEXT);
    assert!(shown["env"].as_array().unwrap().contains(&variable.into()));
    assert_eq!(run(&["env", "--json", "bio"])["set"]["K"], TEXT);
    let overlays = run(&["overlays", "--json"]).to_string();
    assert!(
        overlays.contains("demo/1.0") && overlays.contains('ä'),
        "{overlays}"
    );
    run(&["stats", "--json"]);
    document(&place.ctr(["doctor", "--json"]).run());
    run(&["shim", "list", "--json", "bio"]);
    // Failures, and wrong usage, are documents too.
    let failure = place.ctr(["show", "--json", TEXT]).run();
    assert_ne!(failure.status, 0);
    document(&failure);
    document(&place.ctr(["list", "--json", &format!("--{TEXT}")]).fails(2));
}

#[test]
fn a_configuration_is_shown_so() {
    let place = Place::new();
    // The bare characters, as TOML allows them in a text, but for controls.
    let text: String = TEXT.chars().filter(|c| !c.is_control()).collect();
    place.config(&format!("[env]\nK = \"{text}\"\n"));
    let shown = document(&place.ctr(["config", "--json"]).ok());
    assert!(shown.to_string().contains(&text), "{shown}");
}
