//! Nushell, in the real one: `scripts/test --long` gets it and names it in `CTR_TEST_LONG`.

use crate::shells::{HOSTILE, assert_same, start, variables};
use crate::support::{Place, Run, Terminal, eventually, get, long_tool, noted};

use proptest::test_runner::{Config, TestRunner};

fn nu(place: &Place) -> Run {
    place.program(long_tool("nu"))
}

/// A script that has loaded the integration.
fn script(place: &Place, text: &str) -> Run {
    let init = place.ctr(["init", "nushell"]).ok();
    let init = place.write("session/init.nu", init.text());
    let text = format!("source {}\n{text}\n", init.display());
    let file = place.write("session/script.nu", text);
    nu(place).arg("--no-config-file").arg(file)
}

fn note(place: &Place, name: &str) -> String {
    format!("^env -0 o> {}", place.path(name).display())
}

#[track_caller]
fn assert_exact(place: &Place, expected: &[(String, String)]) {
    let steps = [
        note(place, "before"),
        "ctr use bio".to_owned(),
        note(place, "active"),
        "ctr leave".to_owned(),
        note(place, "after"),
    ];
    let output = script(place, &steps.join("\n")).ok();
    assert_eq!((output.text(), &*output.stderr), ("", ""), "{output}");
    let active = noted(place, "active");
    for (key, value) in expected {
        assert_eq!(get(&active, key), Some(&**value), "{key}");
    }
    assert_same(place, "nushell");
}

#[test]
fn hostile_values_arrive_and_hostile_old_ones_come_back() {
    let mut place = Place::new();
    let values: Vec<_> = (0..)
        .zip(HOSTILE)
        .map(|(n, value)| (format!("V{n}"), value.to_owned()))
        .collect();
    start(&place, values.clone());
    assert_exact(&place, &values);
    for (n, value) in HOSTILE.iter().rev().enumerate() {
        place.set(&format!("V{n}"), value);
    }
    assert_exact(&place, &values);
}

#[test]
fn whatever_is_set_arrives_and_leaving_gives_back_what_was() {
    let config = Config {
        cases: 3,
        max_shrink_iters: 0,
        failure_persistence: None,
        ..Config::default()
    };
    TestRunner::new(config)
        .run(&variables(), |variables| {
            let mut place = Place::new();
            let values: Vec<_> = variables
                .iter()
                .map(|(name, (new, _))| (name.clone(), new.clone()))
                .collect();
            start(&place, values.clone());
            for (name, (_, old)) in &variables {
                if let Some(old) = old {
                    place.set(name, old);
                }
            }
            assert_exact(&place, &values);
            Ok(())
        })
        .unwrap();
}

#[test]
fn use_of_what_is_not_there_fails_and_says_why() {
    let place = Place::new();
    for (command, named) in [("ctr use nosuch", "nosuch"), ("ctr use --wrong", "--wrong")] {
        let output = script(&place, &format!("{command}\nprint went-on")).run();
        assert_ne!(output.status, 0, "{output}");
        assert_eq!(output.text(), "", "{output}");
        output.says(&[named]);
    }
}

#[test]
fn everything_else_is_the_program_with_its_words_streams_and_status() {
    let place = Place::new();
    place.start("bio", &[]);
    let inside = r#"cat; echo err >&2; for word; do echo "<$word>"; done; exit 7"#;
    let call = format!("\"in\\n\" | ctr exec bio sh -c '{inside}' sh 'a  b' '' '*' '$x' -d use");
    let output = script(&place, &call).fails(7);
    assert_eq!(output.text(), "in\n<a  b>\n<>\n<*>\n<$x>\n<-d>\n<use>\n");
    assert!(output.stderr.starts_with("err\n"), "{output}");
    let help = script(&place, "ctr use --help").ok();
    assert!(help.text().contains("Usage: ctr use"), "{help}");
}

/// Waits for a prompt.
#[track_caller]
fn prompt_becomes(terminal: &mut Terminal, command: &str, prompt: &str) {
    terminal.line(command);
    terminal.until(prompt, |terminal| {
        (terminal.cursor_line().trim_end() == prompt).then_some(())
    });
}

/// A session at its prompt, whose rc file has the line that loads the integration.
fn session(place: &Place) -> Terminal {
    place.write(
        "config/nushell/config.nu",
        "$env.config.show_banner = false
        $env.PROMPT_COMMAND = {|| 'READY>' }
        $env.PROMPT_INDICATOR = ' '
        $env.PROMPT_COMMAND_RIGHT = ''
        mkdir ($nu.user-autoload-dirs | last); ctr init nushell | save -f ($nu.user-autoload-dirs | last | path join ctr.nu)",
    );
    let mut terminal = nu(place).terminal();
    prompt_becomes(&mut terminal, "", "READY>");
    terminal
}

/// The `PATH` of the session, as the programs that it starts have it.
#[track_caller]
fn path(place: &Place, terminal: &mut Terminal) -> String {
    let (part, whole) = (place.path("path.part"), place.path("path"));
    let _ = std::fs::remove_file(&whole);
    let note = format!("^env -0 o> {}; ^mv {0} {}", part.display(), whole.display());
    terminal.line(&note);
    eventually("it is noted", || whole.exists().then_some(()));
    let noted = noted(place, "path");
    get(&noted, "PATH").expect("a PATH").to_owned()
}

#[test]
fn the_folder_of_shims_is_on_path_while_the_instance_is_active_and_only_then() {
    let place = Place::new();
    place.start("bio", &[]);
    let mut terminal = session(&place);
    let before = path(&place, &mut terminal);
    let with_shims = format!("{}:{before}", place.shims("bio").display());
    // What `deactivate` of another tool does: it puts back the PATH that it found.
    prompt_becomes(
        &mut terminal,
        "ctr use bio; $env.FOUND = $env.PATH",
        "(ctr:bio) READY>",
    );
    assert_eq!(path(&place, &mut terminal), with_shims);
    prompt_becomes(&mut terminal, "ctr leave; $env.PATH = $env.FOUND", "READY>");
    assert_eq!(path(&place, &mut terminal), before);
    prompt_becomes(
        &mut terminal,
        "$env.FOUND = $env.PATH; ctr use bio; $env.PATH = $env.FOUND",
        "(ctr:bio) READY>",
    );
    assert_eq!(path(&place, &mut terminal), with_shims);
    prompt_becomes(&mut terminal, "ctr leave", "READY>");
    assert_eq!(path(&place, &mut terminal), before);
}

#[test]
fn the_line_for_the_rc_file_makes_the_prompt_show_the_active_instance() {
    let place = Place::new();
    place.start("bio", &["-e", "K=v"]);
    let mut terminal = session(&place);
    prompt_becomes(&mut terminal, "ctr use bio", "(ctr:bio) READY>");
    prompt_becomes(&mut terminal, "ctr leave", "READY>");
    prompt_becomes(&mut terminal, "ctr use bio", "(ctr:bio) READY>");
    place.ctr(["stop", "bio"]).ok();
    prompt_becomes(&mut terminal, "", "READY>");
    terminal.line(&note(&place, "after.part"));
    terminal.line(&format!(
        "^mv {} {}",
        place.path("after.part").display(),
        place.path("after").display()
    ));
    eventually("it is noted", || place.path("after").exists().then_some(()));
    assert_eq!(get(&noted(&place, "after"), "K"), None);
    let screen = terminal.screen();
    assert_eq!(
        screen.matches("left `bio`: it was stopped").count(),
        1,
        "{screen}"
    );
}
