//! The prompt of interactive shells in terminals.

use std::fmt::Debug;

use crate::support::{Place, Session, Shell, here};

fn init(shell: Shell, options: &str) -> String {
    shell.eval(&format!("ctr init {} {options}", shell.name()))
}

/// Has the shell do something that changes the prompt, and gives the new prompt.
#[track_caller]
fn prompt_after(session: &mut Session, commands: &str) -> String {
    assert_eq!(session.eval(commands), "");
    session.prompt()
}

/// The sorted environment, without `_`, which changes with each command.
#[track_caller]
pub fn environment(session: &mut Session) -> Vec<Vec<u8>> {
    let bytes = session.eval_bytes("command env -0");
    let mut entries: Vec<Vec<u8>> = bytes.split(|byte| *byte == 0).map(<[u8]>::to_vec).collect();
    entries.retain(|entry| !entry.starts_with(b"_="));
    entries.sort();
    entries
}

/// Demands that a prompt names the instance once, before what the user's own prompt shows.
#[track_caller]
fn assert_marked(prompt: &str, name: &str, what: &dyn Debug) {
    let marker = prompt
        .strip_suffix("READY>")
        .unwrap_or_else(|| panic!("{what:?}: {prompt}"));
    assert_eq!(marker.matches(name).count(), 1, "{what:?}: {prompt}");
}

#[test]
fn the_prompt_shows_the_active_instance_until_it_is_left() {
    let place = Place::new();
    place.start("one", &[]);
    place.start("two", &[]);
    for shell in Shell::ALL {
        let mut session = shell.interactive(&place, &init(shell, ""));
        assert_eq!(session.prompt(), "READY>", "{shell:?}");
        let mut after = |command: &str| prompt_after(&mut session, &shell.eval(command));
        assert_marked(&after("ctr env one"), "one", &shell);
        assert_marked(&after("ctr env one"), "one", &shell);
        assert_marked(&after("ctr env two"), "two", &shell);
        assert_eq!(after("ctr env --unset"), "READY>", "{shell:?}");
    }
}

#[test]
fn the_variables_are_those_of_the_shell_at_the_prompt() {
    let place = Place::new();
    place.start("bio", &["-e", "K=it's $(id)\n\\"]);
    for shell in Shell::ALL {
        let mut session = shell.interactive(&place, &init(shell, ""));
        prompt_after(&mut session, &shell.eval("ctr env bio"));
        let inside = session.eval("command env -0");
        assert!(
            inside.split('\0').any(|entry| entry == "K=it's $(id)\n\\"),
            "{shell:?}: {inside}"
        );
        prompt_after(&mut session, &shell.eval("ctr env --unset"));
        let inside = session.eval("command env -0");
        assert!(
            !inside.split('\0').any(|entry| entry.starts_with("K=")),
            "{shell:?}: {inside}"
        );
    }
}

#[test]
fn after_leaving_the_environment_of_the_shell_is_what_it_was() {
    let place = Place::new();
    place.start("bio", &["-e", "K=v"]);
    for shell in Shell::ALL {
        let mut session = shell.interactive(&place, &init(shell, ""));
        let before = environment(&mut session);
        prompt_after(&mut session, &shell.eval("ctr env bio"));
        prompt_after(&mut session, &shell.eval("ctr env --unset"));
        assert_eq!(environment(&mut session), before, "{shell:?}");
    }
}

#[test]
fn the_prompt_can_be_switched_off() {
    let place = Place::new();
    place.start("bio", &[]);
    for shell in Shell::ALL {
        for (rc, what) in [
            (
                format!("{}\n{}", shell.export("CTR_PROMPT", "off"), init(shell, "")),
                "CTR_PROMPT=off",
            ),
            (init(shell, "--no-prompt"), "--no-prompt"),
        ] {
            let mut session = shell.interactive(&place, &rc);
            let prompt = prompt_after(&mut session, &shell.eval("ctr env bio"));
            assert_eq!(prompt, "READY>", "{shell:?}, {what}");
            assert_eq!(
                session.eval("echo $CTR_INSTANCE"),
                "bio\n",
                "{shell:?}, {what}"
            );
        }
    }
}

#[test]
fn the_integration_can_be_loaded_twice() {
    let place = Place::new();
    place.start("bio", &[]);
    for shell in Shell::ALL {
        let rc = [init(shell, ""), init(shell, "")].join("\n");
        let mut session = shell.interactive(&place, &rc);
        let prompt = prompt_after(&mut session, &shell.eval("ctr env bio"));
        assert_marked(&prompt, "bio", &shell);
        let prompt = prompt_after(&mut session, &init(shell, ""));
        assert_marked(&prompt, "bio", &shell);
    }
}

#[test]
fn a_child_shell_shows_the_instance_that_it_inherited() {
    let place = Place::new();
    place.start("bio", &[]);
    for shell in Shell::ALL {
        let json = place.ctr(["env", "--json", "bio"]).ok().json();
        let set = json["set"].as_object().unwrap().iter();
        let run = set.fold(place.program(shell.name()), |run, (key, value)| {
            run.env(key, value.as_str().unwrap())
        });
        let session = shell.session(&place, run, &init(shell, ""));
        assert_marked(&session.prompt(), "bio", &shell);
    }
}

#[test]
fn the_status_of_the_last_command_is_kept() {
    let place = Place::new();
    place.start("bio", &[]);
    for shell in Shell::ALL {
        let rc = [init(shell, ""), shell.eval("ctr env bio")].join("\n");
        let mut session = shell.interactive(&place, &rc);
        assert_marked(&session.prompt(), "bio", &shell);
        let status = if shell == Shell::Fish {
            "$status"
        } else {
            "$?"
        };
        // Two prompts apart: what was the status before a hook ran is the status after it.
        session.line("sh -c 'exit 42'");
        session.line(&format!("echo status:{status}"));
        session.wait_for("\nstatus:42");
    }
}

#[test]
fn the_hooks_of_others_go_on() {
    let place = Place::new();
    place.start("bio", &[]);
    let others = [
        (Shell::Bash, "PROMPT_COMMAND='echo their hook;'"),
        (Shell::Bash, "PROMPT_COMMAND=('echo their' 'echo hook')"),
        (Shell::Zsh, "precmd() { echo their hook; }"),
        (
            Shell::Zsh,
            "theirs() { echo their hook; }; precmd_functions=(theirs)",
        ),
        (
            Shell::Fish,
            "function theirs --on-event fish_prompt; echo their hook; end",
        ),
    ];
    for (shell, hook) in here(others) {
        let mut session = shell.interactive(&place, &format!("{hook}\n{}", init(shell, "")));
        prompt_after(&mut session, &shell.eval("ctr env bio"));
        assert_marked(&session.prompt(), "bio", &hook);
        let shown = session.screen();
        // One at each of the two prompts, and none twice.
        assert_eq!(
            shown.matches("\nhook").count() + shown.matches("their hook").count(),
            2,
            "{hook}:\n{shown}"
        );
    }
}

#[test]
fn the_hook_works_where_unset_variables_are_errors() {
    let place = Place::new();
    place.start("bio", &[]);
    for (shell, strict) in here([(Shell::Bash, "set -u"), (Shell::Zsh, "setopt no_unset")]) {
        let mut session = shell.interactive(&place, &format!("{strict}\n{}", init(shell, "")));
        for _ in 0..2 {
            let prompt = prompt_after(&mut session, &shell.eval("ctr env bio"));
            assert_marked(&prompt, "bio", &shell);
            let prompt = prompt_after(&mut session, &shell.eval("ctr env --unset"));
            assert_eq!(prompt, "READY>", "{shell:?}");
        }
        assert!(!session.screen().contains("unbound") && !session.screen().contains("not set"));
    }
}

#[test]
fn prompts_drawn_by_others_are_told_of_the_active_instance() {
    let place = Place::new();
    place.start("bio", &[]);
    let nothing = place.ctr(["prompt"]).ok();
    assert_eq!(nothing.text(), "");
    nothing.quiet();
    for shell in Shell::ALL {
        let told = |command: &str| {
            let script = format!("{}\n{command}", shell.eval("ctr env bio"));
            let output = shell.script(&place, &script).ok();
            output.quiet();
            output.text().to_owned()
        };
        assert_eq!(told("ctr prompt"), "(ctr:bio) ", "{shell:?}");
        assert_eq!(
            told("ctr prompt --format '[{name}] %'"),
            "[bio] %",
            "{shell:?}"
        );
        let elsewhere = shell.export("CTR_PLACE", "another-boot:1");
        assert_eq!(told(&format!("{elsewhere}\nctr prompt")), "", "{shell:?}");
        assert_eq!(
            told("ctr stop --keep bio 2> /dev/null; ctr prompt"),
            "",
            "{shell:?}"
        );
        place.ctr(["restart", "bio"]).ok();
    }
    place.config("[prompt]\nformat = '<{name}>'");
    let active = place.ctr(["prompt"]).env("CTR_INSTANCE", "bio");
    assert_eq!(active.ok().text(), "<bio>");
}

#[test]
fn a_name_of_the_environment_is_not_sent_to_the_terminal() {
    let place = Place::new();
    let prompt = place.ctr(["prompt", "--format", "<{name}>"]);
    let output = prompt.env("CTR_INSTANCE", "\u{1b}[31m\u{202e}x").ok();
    assert_eq!(output.text(), "<\\u{1b}[31m\\u{202e}x>");
    let refresh = place.ctr(["env", "--shell", "bash", "--refresh"]);
    let output = refresh.env("CTR_INSTANCE", "../\u{1b}[31m").ok();
    assert!(!output.stderr.contains('\u{1b}'), "{output}");
    output.says(&["left"]);
}
