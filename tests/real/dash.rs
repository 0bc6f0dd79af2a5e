//! The plainest shell, `sh`: the integration of `ctr init sh`, as dash reads it.

use std::path::PathBuf;

use crate::support::{Output, Place, Run, Terminal};

/// Has dash run this, with nothing of a user's own before it.
fn dash(place: &Place, script: &str) -> Run {
    place.program("dash").args(["-c", script])
}

/// An interactive dash in a terminal, whose rc file sets the prompt `READY> ` and then does this.
#[track_caller]
fn interactive(place: &Place, rc: &str) -> Terminal {
    let rc: PathBuf = place.write("rc/dashrc", format!("PS1='READY> '\n{rc}\n"));
    let terminal = place.program("dash").env("ENV", rc).arg("-i").terminal();
    assert_prompt(&terminal, "READY>");
    terminal
}

/// Waits until the shell is at this prompt, and nothing else is in its line.
#[track_caller]
fn assert_prompt(terminal: &Terminal, prompt: &str) {
    terminal.until(prompt, |terminal| {
        (terminal.cursor_line().trim_end() == prompt).then_some(())
    });
}

/// What `env -0` printed, sorted, without `_`.
fn environment(output: &Output, separator: &str) -> Vec<Vec<String>> {
    let blocks = output.text().split(separator);
    let sorted = |block: &str| {
        let mut entries: Vec<String> = block.split('\0').map(str::to_owned).collect();
        entries.retain(|entry| !entry.starts_with("_="));
        entries.sort();
        entries
    };
    blocks.map(sorted).collect()
}

#[test]
fn a_strict_script_makes_an_instance_active_and_leaves_it() {
    let place = Place::new();
    place.start("bio", &["-e", "K=it's $(id)\n\\ `id`", "-e", "E=of bio"]);
    let script = r#"set -eu
        K="mine, not exported"; export EMPTY= E="it's of the caller"
        env -0; printf '%s' -----
        eval "$(ctr env --shell sh bio)"
        printf '%s|%s|' "$CTR_INSTANCE, $E" "$K"
        case "$PATH" in */shims/bio:*) ;; *) echo "not on the PATH: $PATH" ;; esac
        ctr exec . sh -c 'printf %s "$K"'
        eval "$(ctr env --shell sh bio)"
        eval "$(ctr env --shell sh --unset)"
        printf '|%s|%s' "${CTR_INSTANCE-none}" "$K"; printf '%s' -----
        env -0"#;
    let output = dash(&place, script).ok();
    output.quiet();
    let value = "it's $(id)\n\\ `id`";
    let said = format!("bio, of bio|{value}|{value}|none|mine, not exported");
    let parts: Vec<&str> = output.text().split("-----").collect();
    assert_eq!(parts.len(), 3, "{output}");
    assert_eq!(parts[1], said);
    let blocks = environment(&output, "-----");
    assert_eq!(blocks[0], blocks[2]);
    assert!(blocks[0].contains(&"EMPTY=".to_owned()), "{output}");
}

#[test]
fn a_failing_evaluation_is_false_and_ends_a_strict_script() {
    let place = Place::new();
    for command in ["ctr env --shell sh nosuch", "ctr env --shell sh --nosuch"] {
        let script = format!("if eval \"$({command})\"; then echo yes; else echo no; fi");
        assert_eq!(dash(&place, &script).ok().text(), "no\n", "{command}");
        let script = format!("set -e; eval \"$({command})\"; echo went on");
        let output = dash(&place, &script).fails(1);
        assert_eq!(output.text(), "", "{command}");
        output.says(&["nosuch"]);
    }
}

#[test]
fn the_function_uses_and_leaves_and_is_the_program_in_all_else() {
    let place = Place::new();
    place.start("one", &["-e", "K=of one"]);
    place.start("two", &["-e", "K=of two"]);
    let script = r#"set -eu
        eval "$(ctr init sh)"; eval "$(ctr init sh)"
        ctr use one; echo "$CTR_INSTANCE $K"
        ctr use two; echo "$CTR_INSTANCE $K"
        ctr use nosuch || echo "failed: $?"
        echo "$CTR_INSTANCE $K"
        ctr leave; echo "${CTR_INSTANCE-none} ${K-none}"
        ctr leave
        ctr exec one sh -c 'exit 7' || echo "status: $?"
        printf 'a b' | ctr exec one cat; echo
        ctr use --help | grep -c '^Usage:'"#;
    let output = dash(&place, script).ok();
    let expected = [
        "one of one",
        "two of two",
        "failed: 1",
        "two of two",
        "none none",
        "status: 7",
        "a b",
        "1",
    ];
    assert_eq!(output.lines(), expected);
    output.says(&["nosuch"]);
    assert_eq!(output.stderr.matches("error:").count(), 1, "{output}");
}

#[test]
fn the_function_calls_ctr_by_its_whole_path_and_can_have_another_name() {
    let place = Place::new();
    place.start("bio", &[]);
    let script = r#"eval "$(ctr init sh --cmd box)"; PATH=/usr/bin:/bin
        box use bio; echo "$CTR_INSTANCE"; box leave; echo "${CTR_INSTANCE-none}"
        command -v ctr || echo no ctr"#;
    let output = dash(&place, script).ok();
    assert_eq!(output.text(), "bio\nnone\nno ctr\n");
}

#[test]
fn the_prompt_shows_the_active_instance_until_it_is_left() {
    let place = Place::new();
    place.start("bio", &[]);
    let mut terminal = interactive(&place, "eval \"$(ctr init sh)\"; eval \"$(ctr init sh)\"");
    let turns = [
        ("ctr use bio", "(ctr:bio) READY>"),
        ("ctr use nosuch", "(ctr:bio) READY>"),
        ("ctr leave", "READY>"),
        ("eval \"$(ctr env bio)\"", "(ctr:bio) READY>"),
        ("dash -i", "(ctr:bio) READY>"),
        ("ctr leave", "READY>"),
        ("exit", "(ctr:bio) READY>"),
    ];
    for (turn, (line, prompt)) in turns.into_iter().enumerate() {
        // Once the mark shows, the prompt before it is gone from the screen.
        terminal.line(&format!("clear; echo turn\"\"-{turn}; {line}"));
        terminal.until(line, |terminal| {
            let begun = terminal.screen().contains(&format!("turn-{turn}"));
            (begun && terminal.cursor_line().trim_end() == prompt).then_some(())
        });
    }
}

#[test]
fn the_prompt_is_left_alone_where_that_was_asked_for() {
    let place = Place::new();
    place.start("bio", &[]);
    for rc in [
        "eval \"$(ctr init sh --no-prompt)\"",
        "CTR_PROMPT=off; eval \"$(ctr init sh)\"",
    ] {
        let mut terminal = interactive(&place, rc);
        terminal.line("ctr use bio; echo \"active: \"\"$CTR_INSTANCE\"");
        terminal.wait_for("active: bio");
        assert_prompt(&terminal, "READY>");
    }
    let script = "PS1='mine '; eval \"$(ctr init sh)\"; echo \"$PS1\"";
    let output = dash(&place, script).ok();
    assert_eq!(
        output.text(),
        "mine \n",
        "without a terminal it is no prompt"
    );
}
