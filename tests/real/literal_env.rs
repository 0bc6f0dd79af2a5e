//! Values arrive inside byte for byte. Nothing on the way evaluates, splits or converts them.

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::test_runner::TestRunner;

use crate::support::{Output, Place, Run};

/// What some shell, CSV reader or JSON writer has stumbled over before, and any other character.
fn value() -> impl Strategy<Value = String> {
    let nasty = prop::sample::select(vec![
        "$(touch PWNED)",
        "`touch PWNED`",
        "$HOME",
        "${HOME}",
        "$PATH",
        "$",
        "$$",
        "\\",
        "\\n",
        "\\\\",
        "'",
        "\"",
        "','",
        "\",\"",
        ",",
        "a=1,b=2",
        "=",
        "\n",
        "\n\n",
        "\r",
        "\t",
        " ",
        "  ",
        ";",
        "&",
        "|",
        "#",
        "!",
        "%s",
        "*",
        "~",
        "{a,b}",
        "[x]",
        "<",
        ">",
        "(",
        ")",
        "ä",
        "→",
        "🧬",
        "e\u{301}",
        "\u{1b}[31m",
        "\u{1}",
        "\u{7f}",
        "\u{feff}",
        "\u{fffd}",
        "\u{2028}",
        "EOF",
        "-e",
        "--",
        "/x:$PATH",
    ]);
    let any = any::<char>()
        .prop_filter("an end of the string", |c| *c != '\0')
        .prop_map(String::from);
    let part = prop_oneof![4 => nasty.prop_map(String::from), 1 => any, 1 => "[a-z]{1,8}"];
    // Two things that Apptainer changes have tests of their own.
    let carried = |parts: Vec<String>| parts.concat().replace('\r', "\r.").replace('\u{80}', "");
    prop::collection::vec(part, 0..12).prop_map(carried)
}

/// Runs `property` on `cases` sets of values, and on smaller ones once it has failed.
fn with_values(cases: u32, mut property: impl FnMut(&BTreeMap<String, String>)) {
    let config = ProptestConfig {
        cases,
        max_shrink_iters: 40,
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    let values = prop::collection::vec(value(), 1..8);
    let property = std::cell::RefCell::new(&mut property);
    let result = TestRunner::new(config).run(&values, |values| {
        let named = values
            .into_iter()
            .enumerate()
            .map(|(n, value)| (format!("V{n}"), value));
        property.borrow_mut()(&named.collect());
        Ok(())
    });
    result.unwrap_or_else(|error| panic!("{error}"));
}

/// The values as `-e` options.
pub fn give(run: Run, values: &BTreeMap<String, String>) -> Run {
    values.iter().fold(run, |run, (key, value)| {
        run.arg("-e").arg(format!("{key}={value}"))
    })
}

#[track_caller]
fn assert_inside(place: &Place, output: &Output, values: &BTreeMap<String, String>) {
    let environ = output.environ();
    for (key, value) in values {
        assert_eq!(environ.get(key), Some(value), "{key}");
    }
    assert!(
        !place.work().join("PWNED").exists(),
        "a value was evaluated"
    );
}

fn read_back(place: &Place, name: &str) -> Output {
    place.ctr(["exec", name, "cat", "/proc/self/environ"]).ok()
}

#[test]
fn any_value_arrives_through_exec() {
    let place = Place::new();
    place.start("bio", &[]);
    with_values(32, |values| {
        let run = give(place.ctr(["exec"]), values).args(["bio", "cat", "/proc/self/environ"]);
        assert_inside(&place, &run.ok(), values);
    });
}

#[test]
fn any_value_arrives_through_start() {
    let place = Place::new();
    with_values(12, |values| {
        give(place.ctr(["start", "--replace"]), values)
            .arg("bio")
            .ok();
        assert_inside(&place, &read_back(&place, "bio"), values);
    });
}

#[test]
fn any_value_arrives_through_a_sidecar() {
    let place = Place::new();
    let overlay = place.overlay("demo/1.0", &[]);
    with_values(12, |values| {
        // A sidecar's lines are trimmed, and end where lines end.
        let trimmed = |value: &String| value.replace(['\n', '\r'], "").trim().to_owned();
        let values = values
            .iter()
            .map(|(key, value)| (key.clone(), trimmed(value)))
            .collect();
        let lines = |(key, value): (&String, &String)| format!("{key}={value}\n");
        place.sidecar(
            &overlay,
            &BTreeMap::iter(&values).map(lines).collect::<String>(),
        );
        place.start("bio", &["--replace", "-o", "demo/1.0"]);
        assert_inside(&place, &read_back(&place, "bio"), &values);
    });
}

#[test]
fn a_comma_splits_nothing() {
    let place = Place::new();
    let given = [
        ("A", "1,2"),
        ("OPTS", "a=1,b=2"),
        ("QUOTED", "\"x,y\""),
        ("HALF", "\"x,y"),
        ("LAST", ","),
    ];
    let values = given
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .into();
    give(place.ctr(["start"]), &values).arg("bio").ok();
    assert_inside(&place, &read_back(&place, "bio"), &values);
    let run = give(place.ctr(["exec"]), &values).args(["bio", "cat", "/proc/self/environ"]);
    assert_inside(&place, &run.ok(), &values);
}

#[test]
fn a_sidecar_with_a_command_in_it_does_not_run_the_command() {
    let place = Place::new();
    let overlay = place.overlay("demo/1.0", &[]);
    let values: BTreeMap<String, String> = [
        ("DOLLAR", "$(touch PWNED)"),
        ("BACKQUOTE", "`touch PWNED`"),
        ("QUOTED", "\"; touch PWNED; \""),
        ("HALF", "'"),
    ]
    .map(|(key, value)| (key.into(), value.into()))
    .into();
    let lines: String = values
        .iter()
        .map(|(key, value)| format!("{key}={value}\n"))
        .collect();
    place.sidecar(&overlay, &lines);
    place.start("bio", &["-o", "demo/1.0"]);
    assert_inside(&place, &read_back(&place, "bio"), &values);
}

#[test]
fn large_values_arrive_whole() {
    let place = Place::new();
    let large: String = "0123456789 $(id) 'ä\" "
        .chars()
        .cycle()
        .take(30_000)
        .collect();
    let values: BTreeMap<_, _> = (0..10).map(|n| (format!("V{n}"), large.clone())).collect();
    give(place.ctr(["start"]), &values).arg("bio").ok();
    assert_inside(&place, &read_back(&place, "bio"), &values);
    let run = give(place.ctr(["exec"]), &values).args(["bio", "cat", "/proc/self/environ"]);
    assert_inside(&place, &run.ok(), &values);
}

/// What Apptainer would change on the way arrives whole or is refused by name, in either case with
/// the variable beside it unharmed.
#[track_caller]
fn assert_whole_or_refused(values: &BTreeMap<String, String>) {
    let place = Place::new();
    let started = give(place.ctr(["start"]), values).arg("bio").run();
    if started.status == 0 {
        assert_inside(&place, &read_back(&place, "bio"), values);
    } else {
        assert!(started.status == 1 || started.status == 2, "{started}");
        started.says(&["V"]);
        assert!(place.records().is_empty(), "{started}");
        place.start("bio", &[]);
    }
    let run = give(place.ctr(["exec"]), values).args(["bio", "cat", "/proc/self/environ"]);
    let output = run.run();
    if output.status == 0 {
        assert_inside(&place, &output, values);
    } else {
        assert!(output.status == 2 || output.status == 125, "{output}");
        output.says(&["V"]);
    }
}

#[test]
fn a_carriage_return_before_a_newline_is_not_lost_in_silence() {
    let value = "dos\r\nlines\r\n".to_owned();
    assert_whole_or_refused(&BTreeMap::from([("V".to_owned(), value)]));
}

/// Apptainer's shell takes this character for the end of its script, and then sets no variable at all.
#[test]
fn the_character_that_ends_apptainers_script_is_not_lost_in_silence() {
    let values = [("OTHER", "x"), ("V", "a\u{80}b")];
    let values = values.map(|(key, value)| (key.to_owned(), value.to_owned()));
    assert_whole_or_refused(&values.into());
}

#[test]
fn values_that_grow_where_they_are_quoted_are_not_lost_in_silence() {
    let large = "\"\n\\\u{1}".repeat(25_000);
    for count in [1, 3, 5, 7] {
        let values = (0..count)
            .map(|n| (format!("V{n}"), large.clone()))
            .collect();
        assert_whole_or_refused(&values);
    }
}

#[test]
fn an_empty_value_is_set_and_empty() {
    let place = Place::new();
    place.start("bio", &["-e", "EMPTY="]);
    assert_eq!(place.environ("bio")["EMPTY"], "");
    assert!(!place.environ("bio").contains_key("UNSET"));
}

#[test]
fn the_later_of_two_values_wins() {
    let place = Place::new();
    place.start("bio", &["-e", "K=first", "-e", "K=second"]);
    assert_eq!(place.environ("bio")["K"], "second");
}

#[test]
fn the_state_holds_values_as_they_were_written() {
    let place = Place::new();
    let given = "K=$(id) `id` \"q\" 'q' \\ a,b\n→";
    place.start("bio", &["-e", given]);
    let state = place.ctr(["show", "--json", "bio"]).ok().json();
    let env = state["env"].as_array().unwrap();
    assert!(env.iter().any(|entry| entry == given), "{env:#?}");
}

#[test]
fn no_value_shows_in_a_list_of_processes() {
    let place = Place::new();
    place.start("bio", &["-e", "TOKEN=sesame-opens"]);
    assert_eq!(place.environ("bio")["TOKEN"], "sesame-opens");
    let titles = place.processes();
    assert!(
        titles
            .iter()
            .all(|process| !process.title.contains("sesame-opens")),
        "{titles:#?}"
    );
}
