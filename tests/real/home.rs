//! A home that answers nobody, as one whose file server is down: whoever waits is told, and can go.

use crate::support::{Place, Run};

const WHY: &str = "does not answer";

/// `ctr` where its folder of states hangs.
fn on_a_home_that_hangs(place: &Place, args: &[&str]) -> Run {
    let script = format!(
        "{} \"$XDG_STATE_HOME\" > told 2>&1 & until [ -s told ]; do sleep 0.02; done",
        place.hang().display()
    );
    place.ctr_in_world(&script, args)
}

#[test]
fn a_terminal_is_told_what_is_waited_for_and_ctrl_c_ends_it_at_once() {
    for command in [
        &["list"][..],
        &["exec", "bio", "true"],
        &["start", "bio"],
        &["env", "bio"],
    ] {
        let place = Place::new();
        let mut terminal = on_a_home_that_hangs(&place, command).terminal();
        let folder = place.path("state");
        terminal.wait_for(&format!("waiting for {}", folder.display()));
        terminal.wait_for(WHY);
        terminal.ctrl('c');
        assert_ne!(terminal.wait(), 0, "{command:?}: {}", terminal.screen());
    }
}

#[test]
fn a_script_is_told_in_the_end() {
    let place = Place::new();
    let said = on_a_home_that_hangs(&place, &["exec", "bio", "true"]).fails(125);
    said.says(&[place.path("state").to_str().unwrap(), WHY, "hint: "]);
}

#[test]
fn a_line_of_an_rc_file_and_tab_give_up_by_themselves() {
    let place = Place::new();
    let code = on_a_home_that_hangs(&place, &["env", "--if-running", "bio"]).ok();
    assert_eq!(code.text(), "");
    code.says(&[WHY]);
    let place = Place::new();
    let tab = on_a_home_that_hangs(&place, &["--", "ctr stop ", ""]);
    let tab = tab.env("CTR_COMPLETE", "bash").ok();
    assert_eq!(tab.quiet().text(), "");
}

#[test]
fn a_path_of_the_host_that_hangs_is_named_by_a_start() {
    let place = Place::new();
    let folder = place.folder("work/slow");
    let (below, shown) = (folder.join("x.sqf"), folder.to_str().unwrap());
    let script = format!(
        "{} {shown} > told 2>&1 & until [ -s told ]; do sleep 0.02; done",
        place.hang().display()
    );
    for words in [
        &["-b", shown][..],
        &["-o", below.to_str().unwrap()],
        &["--bind", shown],
    ] {
        let start = [&["start"], words, &["bio"]].concat();
        let said = place.ctr_in_world(&script, &start).fails(1);
        said.says(&[shown, WHY, "hint: "]);
        std::fs::remove_file(place.work().join("told")).unwrap();
    }
    assert!(place.state_files().is_empty());
}
