//! The prompt hook holds PATH against what is active, whatever others put back: while an instance is
//! active the folder of its shims is there once, and afterwards it is gone.

use crate::support::{Place, Session, Shell, here};

/// What a virtual environment does: it remembers the whole PATH, and puts it back.
fn virtual_environment(shell: Shell) -> &'static str {
    match shell {
        Shell::Fish => {
            "function activate; set -gx OLD $PATH; set -gx PATH /v/bin $PATH; end
            function deactivate; set -gx PATH $OLD; set -e OLD; end"
        }
        _ => {
            "activate() { OLD=$PATH; export PATH=/v/bin:$PATH; }
            deactivate() { export PATH=$OLD; unset OLD; }"
        }
    }
}

fn session(place: &Place, shell: Shell) -> Session {
    let init = shell.eval(&format!("ctr init {}", shell.name()));
    shell.interactive(place, &format!("{}\n{init}", virtual_environment(shell)))
}

/// `PATH` as a child has it.
#[track_caller]
fn path(session: &mut Session) -> String {
    session.eval("command printenv PATH").trim_end().to_owned()
}

#[test]
fn a_path_that_is_put_back_after_leaving_has_no_shims() {
    for shell in Shell::ALL {
        let place = Place::new();
        place.start("bio", &[]);
        let mut session = session(&place, shell);
        let before = path(&mut session);
        // Each at a prompt of its own, and all in one line.
        for commands in [
            &["ctr use bio", "activate", "ctr leave", "deactivate"][..],
            &["ctr use bio; activate; ctr leave; deactivate"],
        ] {
            for command in commands {
                session.eval(command);
            }
            assert_eq!(path(&mut session), before, "{shell:?}: {commands:?}");
        }
    }
}

#[test]
fn a_path_that_is_put_back_while_active_has_the_shims_again() {
    for shell in Shell::ALL {
        let place = Place::new();
        place.start("bio", &[]);
        let shims = place.shims("bio").display().to_string();
        let mut session = session(&place, shell);
        let before = path(&mut session);
        for command in ["activate", "ctr use bio", "deactivate"] {
            session.eval(command);
        }
        assert_eq!(path(&mut session), format!("{shims}:{before}"), "{shell:?}");
        session.eval("ctr leave");
        assert_eq!(path(&mut session), before, "{shell:?}");
    }
}

#[test]
fn the_folder_stays_where_the_user_has_put_it_and_is_there_once() {
    for shell in Shell::ALL {
        let place = Place::new();
        place.start("bio", &[]);
        let shims = place.shims("bio").display().to_string();
        let mut session = session(&place, shell);
        let before = path(&mut session);
        session.eval("ctr use bio");
        let set = |members: &[&str]| match shell {
            Shell::Fish => format!("set -gx PATH {}", members.join(" ").replace(':', " ")),
            _ => format!("export PATH={}", members.join(":")),
        };
        session.eval(&set(&["/first", &shims, &before, &shims, "/last"]));
        let expected = format!("/first:{shims}:{before}:/last");
        assert_eq!(path(&mut session), expected, "{shell:?}");
        session.eval("ctr leave");
        assert_eq!(
            path(&mut session),
            format!("/first:{before}:/last"),
            "{shell:?}"
        );
    }
}

#[test]
fn of_several_instances_only_the_active_one_is_on_path() {
    for shell in Shell::ALL {
        let place = Place::new();
        place.start("one", &[]);
        place.start("two", &[]);
        let two = place.shims("two").display().to_string();
        let mut session = session(&place, shell);
        let before = path(&mut session);
        for command in ["ctr use one", "activate", "ctr use two", "deactivate"] {
            session.eval(command);
        }
        assert_eq!(path(&mut session), format!("{two}:{before}"), "{shell:?}");
    }
}

#[test]
fn a_folder_that_another_shell_has_put_there_is_left_to_it() {
    let place = Place::new();
    place.start("bio", &[]);
    for shell in Shell::ALL {
        let json = place.ctr(["env", "--json", "bio"]).ok().json();
        let folder = json["path_prepend"][0].as_str().unwrap().to_owned();
        // Forged memories do not make it this shell's own.
        let run = place
            .program(shell.name())
            .env("__ctr_held", format!(":{folder}:"))
            .env("__ctr_seen", "x");
        let init = shell.eval(&format!("ctr init {}", shell.name()));
        let mut session = shell.session(&place, run, &init);
        let set = match shell {
            Shell::Fish => format!("set -gx PATH {folder} $PATH"),
            _ => format!("export PATH={folder}:$PATH"),
        };
        session.eval(&set);
        assert!(path(&mut session).starts_with(&folder), "{shell:?}");
        let ours = session.eval("command env | command grep -c '^__ctr'; true");
        assert_eq!(ours, "0\n", "{shell:?}");
    }
}

#[test]
fn the_other_shells_hold_it_too() {
    for (shell, old, put, back) in here([
        (
            Shell::Tcsh,
            "setenv OLD $PATH",
            "setenv PATH /usr/bin:/bin",
            "setenv PATH $OLD",
        ),
        (
            Shell::Xonsh,
            "old = list($PATH)",
            "$PATH = ['/usr/bin', '/bin']",
            "$PATH = old",
        ),
        (
            Shell::Elvish,
            "var old = (get-env PATH)",
            "set-env PATH /usr/bin:/bin",
            "set-env PATH $old",
        ),
    ]) {
        let place = Place::new();
        place.start("bio", &[]);
        let shims = place.shims("bio").display().to_string();
        let init = shell.eval(&format!("ctr init {}", shell.name()));
        let mut session = shell.interactive(&place, &init);
        let mut number = 0;
        let mut path_after = |command: &str, prompt: &str| {
            session.line(command);
            session.until(prompt, |terminal| {
                (terminal.cursor_line().trim_end() == prompt).then_some(())
            });
            number += 1;
            let (part, whole) = (place.path("part"), place.path(format!("path{number}")));
            session.line(&format!("printenv PATH > {}", part.display()));
            session.line(&format!("mv {} {}", part.display(), whole.display()));
            crate::support::eventually("PATH is noted", || {
                let text = std::fs::read_to_string(&whole).ok()?;
                Some(text.trim_end().to_owned())
            })
        };
        let before = path_after("cd .", "READY>");
        let active = path_after("ctr use bio", "(ctr:bio) READY>");
        assert_eq!(active, format!("{shims}:{before}"), "{shell:?}");
        path_after(old, "(ctr:bio) READY>");
        let put = path_after(put, "(ctr:bio) READY>");
        assert_eq!(put, format!("{shims}:/usr/bin:/bin"), "{shell:?}");
        path_after("ctr leave", "READY>");
        assert_eq!(path_after(back, "READY>"), before, "{shell:?}");
    }
}
