//! Prompts and hooks of all kinds: the mark is there whatever makes the prompt anew, and the hook is
//! in nobody's way.

use crate::support::{Place, Session, Shell, here};

fn init(shell: Shell) -> String {
    shell.eval(&format!("ctr init {}", shell.name()))
}

/// A shell with this in its rc file, before or after the integration.
#[track_caller]
fn session(place: &Place, shell: Shell, theirs: &str, ours_first: bool) -> Session {
    let rc = match ours_first {
        true => format!("{}\n{theirs}", init(shell)),
        false => format!("{theirs}\n{}", init(shell)),
    };
    shell.interactive(place, &rc)
}

#[test]
fn a_prompt_that_is_made_anew_at_each_prompt_is_marked() {
    let place = Place::new();
    place.start("bio", &[]);
    for (shell, theirs) in here([
        (Shell::Bash, "PROMPT_COMMAND='PS1=\"new READY> \"'"),
        (Shell::Bash, "PROMPT_COMMAND+=('PS1=\"new READY> \"')"),
        (Shell::Bash, "export PROMPT_COMMAND='PS1=\"new READY> \"'"),
        (Shell::Zsh, "precmd() { PS1='new READY> '; }"),
        (
            Shell::Zsh,
            "autoload -Uz add-zsh-hook; theirs() { PS1='new READY> '; }; add-zsh-hook precmd theirs",
        ),
        (
            Shell::Zsh,
            "setopt prompt_subst no_prompt_percent; precmd() { PS1='new READY> '; }",
        ),
    ]) {
        for ours_first in [true, false] {
            let mut session = session(&place, shell, theirs, ours_first);
            session.eval("ctr use bio");
            for _ in 0..2 {
                session.eval(":");
                let prompt = session.prompt();
                assert_eq!(prompt, "(ctr:bio) new READY>", "{theirs}, {ours_first}");
            }
            session.eval("ctr leave");
            assert_eq!(session.prompt(), "new READY>", "{theirs}");
        }
    }
}

#[test]
fn a_prompt_that_is_set_anew_or_put_back_is_marked_once() {
    let place = Place::new();
    place.start("bio", &[]);
    for shell in Shell::ALL {
        let (define, activate, deactivate, other) = match shell {
            Shell::Fish => (
                "",
                "functions -c fish_prompt _old_fish_prompt; function fish_prompt; printf '(v) '; _old_fish_prompt; end",
                "functions -e fish_prompt; functions -c _old_fish_prompt fish_prompt; functions -e _old_fish_prompt",
                "function fish_prompt; printf 'other READY> '; end",
            ),
            _ => (
                "OLD=$PS1",
                "OLD=$PS1; PS1=\"(v) $PS1\"",
                "PS1=$OLD",
                "PS1='other READY> '",
            ),
        };
        let mut session = session(&place, shell, define, false);
        let mut after = |command: &str| {
            assert_eq!(session.eval(command), "", "{shell:?}");
            let prompt = session.prompt();
            assert!(prompt.matches("ctr:bio").count() < 2, "{shell:?}: {prompt}");
            prompt
        };
        after("ctr use bio");
        for _ in 0..2 {
            let prompt = after(activate);
            assert!(
                prompt.contains("(ctr:bio)") && prompt.contains("(v)"),
                "{prompt}"
            );
            assert_eq!(after(deactivate), "(ctr:bio) READY>", "{shell:?}");
        }
        assert_eq!(after(other), "(ctr:bio) other READY>", "{shell:?}");
        assert_eq!(after("ctr leave"), "other READY>", "{shell:?}");
    }
}

#[test]
fn a_prompt_function_of_fish_is_given_its_arguments_and_the_status() {
    let place = Place::new();
    place.start("bio", &[]);
    let theirs = "function fish_prompt; printf '%s READY> ' $status; test (count $argv) -gt 0; and printf '<%s>' $argv; end";
    let mut session = session(&place, Shell::Fish, theirs, false);
    session.eval("ctr use bio");
    let shown = session.eval("fish_prompt --final-rendering 'a b'");
    assert_eq!(shown, "(ctr:bio) 0 READY> <--final-rendering><a b>");
    session.line("sh -c 'exit 42'");
    session.wait_for("(ctr:bio) 42 READY>");
}

#[test]
fn the_hook_is_in_no_childs_environment() {
    let place = Place::new();
    place.start("bio", &[]);
    let theirs = "export PROMPT_COMMAND='echo their hook'";
    for ours_first in [false, true] {
        let mut session = session(&place, Shell::Bash, theirs, ours_first);
        session.eval("ctr use bio");
        assert_eq!(session.prompt(), "(ctr:bio) READY>");
        let exported = session.eval("command env | command grep -c __ctr; true");
        assert_eq!(exported, "0\n");
        session.line("PS1='CHILD> ' bash --noprofile --norc -i");
        session.wait_for("CHILD> ");
        session.line("echo in''side; exit");
        session.wait_for("inside");
        session.eval(":");
        let screen = session.screen();
        assert!(screen.contains("their hook"), "{screen}");
        assert!(!screen.contains("not found"), "{screen}");
    }
    // One that an older hook has put into the environment, too.
    let run = place
        .program("bash")
        .env("PROMPT_COMMAND", "echo their hook\n__ctr_hook");
    let mut session = Shell::Bash.session(&place, run, &init(Shell::Bash));
    assert_eq!(
        session.eval("declare -p PROMPT_COMMAND | command grep -o __ctr_hook"),
        "__ctr_hook\n"
    );
    assert_eq!(
        session.eval("command env | command grep -c __ctr; true"),
        "0\n"
    );
}

#[test]
fn no_prompt_command_goes_inside() {
    let mut place = Place::new();
    place.set("PROMPT_COMMAND", "nosuch_hook");
    place.start("bio", &[]);
    let inside = place.environ("bio");
    let hook = inside.get("PROMPT_COMMAND");
    assert!(hook.is_none_or(|hook| !hook.contains("nosuch")), "{hook:?}");
    let mut terminal = place.ctr(["enter", "bio"]).terminal();
    terminal.wait_for("bio");
    terminal.line("env | grep -c nosuch; echo fin''ished");
    terminal.wait_for("finished");
    let screen = terminal.screen();
    assert!(screen.contains("\n0\nfinished"), "{screen}");
    assert!(!screen.contains("not found"), "{screen}");
}

#[test]
fn a_status_that_is_no_failure_ends_no_shell_and_a_trap_fires_once() {
    let place = Place::new();
    place.start("bio", &[]);
    for (shell, theirs) in here([
        (Shell::Bash, ""),
        (Shell::Bash, "PROMPT_COMMAND='true'"),
        (Shell::Bash, "PROMPT_COMMAND=(true true)"),
        (Shell::Zsh, ""),
    ]) {
        let mut session = session(&place, shell, theirs, false);
        session.eval("ctr use bio");
        session.line("set -e");
        session.line("false && true");
        session.line("echo al''ive:$?");
        session.wait_for("alive:1");
        session.line("set +e");
        let trap = match shell {
            Shell::Zsh => "TRAPZERR() { echo fired; }",
            _ => "set -E; trap 'echo fi''red' ERR",
        };
        session.line(trap);
        session.line("sh -c 'exit 3'");
        session.line("echo st''atus:$?");
        session.wait_for("status:3");
        let screen = session.screen();
        assert_eq!(screen.matches("\nfired").count(), 1, "{shell:?}: {screen}");
    }
}

#[test]
fn what_cannot_be_changed_is_left_without_a_word() {
    let place = Place::new();
    place.start("bio", &[]);
    for (shell, theirs, prompt) in here([
        (Shell::Bash, "readonly PROMPT_COMMAND", "(ctr:bio) READY>"),
        (Shell::Bash, "readonly PROMPT_COMMAND=:", "(ctr:bio) READY>"),
        (
            Shell::Bash,
            "readonly PROMPT_COMMAND=(: :)",
            "(ctr:bio) READY>",
        ),
        (Shell::Bash, "readonly PS1", "READY>"),
        (Shell::Zsh, "typeset -r PS1", "READY>"),
        (
            Shell::Zsh,
            "precmd_functions=(); typeset -r precmd_functions",
            "READY>",
        ),
    ]) {
        let mut session = session(&place, shell, theirs, false);
        assert_eq!(
            session.eval("ctr use bio; echo $CTR_INSTANCE"),
            "bio\n",
            "{theirs}"
        );
        assert_eq!(session.prompt(), prompt, "{theirs}");
        let screen = session.screen();
        assert!(!screen.contains("read"), "{theirs}: {screen}");
    }
}

#[test]
fn an_ifs_of_digits_does_not_split_a_status() {
    let place = Place::new();
    place.start("bio", &[]);
    for (shell, theirs) in here([
        (Shell::Bash, "IFS=0123456789"),
        (Shell::Zsh, "setopt sh_word_split; IFS=0123456789"),
    ]) {
        let mut session = session(&place, shell, theirs, false);
        session.eval("ctr use bio");
        assert_eq!(session.prompt(), "(ctr:bio) READY>", "{shell:?}");
        session.line("sh -c 'exit 127'");
        session.line("echo st''atus:\"$?\"");
        session.wait_for("status:127");
        let screen = session.screen();
        assert!(!screen.contains("numeric"), "{shell:?}: {screen}");
    }
}

#[test]
fn an_alias_of_the_same_name_does_not_shadow_the_function() {
    let place = Place::new();
    place.start("bio", &[]);
    for shell in here([Shell::Bash, Shell::Zsh, Shell::Sh]) {
        let mut session = session(&place, shell, "alias ctr='command ctr'", false);
        assert_eq!(session.eval("ctr use bio"), "", "{shell:?}");
        assert_eq!(session.eval("echo $CTR_INSTANCE"), "bio\n", "{shell:?}");
    }
}

#[test]
fn a_stopped_command_is_listed_with_its_words() {
    let place = Place::new();
    place.start("bio", &[]);
    for shell in here([Shell::Bash, Shell::Fish]) {
        let mut session = session(&place, shell, "", false);
        session.line("ctr exec bio sh -c 'echo up; sleep 1000' 'a b'");
        session.wait_for("\nup");
        session.ctrl('z');
        session.prompt();
        let jobs = session.eval("jobs");
        assert!(jobs.contains("exec bio sh -c"), "{shell:?}: {jobs}");
        assert!(
            !jobs.contains("argv") && !jobs.contains("$@"),
            "{shell:?}: {jobs}"
        );
    }
}
