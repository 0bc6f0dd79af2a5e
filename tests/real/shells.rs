//! The shells beside bash, zsh and fish: what `ctr env` and `ctr init` print, in the real ones.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use crate::support::{Place, Script, Shell, get, noted};

/// Those whose `ctr init` works in scripts: that of the others is for the prompt.
const IN_SCRIPTS: [Shell; 2] = [Shell::Sh, Shell::Tcsh];

/// What one shell or another has stumbled over before.
pub const HOSTILE: [&str; 42] = [
    "",
    " two  words ",
    "$(touch PWNED)",
    "`touch PWNED`",
    "it's",
    "''",
    "'; touch PWNED; '",
    "\"q\"",
    "\"; touch PWNED; \"",
    "'\"'\"'",
    "\\",
    "a\\\\b",
    "a\\'b",
    "end\\",
    "\\n\\x41\\u0041\\e",
    "!",
    "!!",
    "a!b",
    "%s%n",
    "%",
    "*",
    "~",
    "~root",
    "{a,b}",
    "a\nb\n",
    "\n",
    "\\\n",
    "\t",
    "\r",
    "\u{1b}[31m\u{1}\u{7f}",
    "#",
    "ä→🧬",
    "$HOME",
    "${HOME}$",
    "-n",
    ";",
    "&|<>",
    "(x)",
    "[x]?",
    "=1",
    "^a^b",
    "@{x} $$ $[1]",
];

/// Starts `bio` with these variables.
pub fn start(place: &Place, values: impl IntoIterator<Item = (String, String)>) {
    let given = values
        .into_iter()
        .map(|(key, value)| format!("{key}={value}"));
    let options: Vec<String> = given.flat_map(|given| ["-e".to_owned(), given]).collect();
    let options: Vec<&str> = options.iter().map(String::as_str).collect();
    place.start("bio", &options);
}

/// Enters `bio` and leaves it in one script, and demands that each variable is what it should be in
/// between, and that the environment is the same after as before.
#[track_caller]
fn assert_exact(place: &Place, shell: Shell, expected: &[(String, String)]) {
    let script = Script::new(place, shell)
        .note("before")
        .eval("ctr env bio")
        .note("active")
        .eval("ctr env --unset")
        .note("after");
    script.ok();
    let active = noted(place, "active");
    for (key, value) in expected {
        assert_eq!(get(&active, key), Some(&**value), "{shell:?}: {key}");
    }
    assert_same(place, shell.name());
    assert!(!place.work().join("PWNED").exists(), "{shell:?}");
}

/// Demands that the environment that was noted after is the one from before.
#[track_caller]
pub fn assert_same(place: &Place, shell: &str) {
    let (before, after) = (noted(place, "before"), noted(place, "after"));
    let changed = before
        .keys()
        .chain(after.keys())
        .filter(|key| before.get(*key) != after.get(*key));
    let show = |value: Option<&Vec<u8>>| value.map(|value| value.escape_ascii().to_string());
    let changed: Vec<_> = changed
        .map(|key| {
            (
                key.escape_ascii().to_string(),
                show(before.get(key)),
                show(after.get(key)),
            )
        })
        .collect();
    assert!(
        changed.is_empty(),
        "{shell}: before and after: {changed:#?}"
    );
}

/// What the shell would read only once is not left behind.
fn assert_no_code_is_left(place: &Place) {
    let left = place.glob("run/ctr/code/*");
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn hostile_values_arrive_and_hostile_old_ones_come_back() {
    let mut place = Place::new();
    let number = |n: usize, value: &&str| (format!("V{n}"), (*value).to_owned());
    let values: Vec<_> = HOSTILE
        .iter()
        .enumerate()
        .map(|(n, value)| number(n, value))
        .collect();
    start(&place, values.clone());
    for shell in Shell::OTHERS {
        assert_exact(&place, shell, &values);
    }
    // Every one of them is now what the user had before, with some that are not UTF-8.
    for (n, value) in HOSTILE.iter().rev().enumerate() {
        place.set(&format!("V{n}"), value);
    }
    for (n, bytes) in [&b"\xff"[..], b"not \xff\xfe' UTF-8\n \xc3", b"\xc2\x80\x80"]
        .iter()
        .enumerate()
    {
        place.set(&format!("V{n}"), OsString::from_vec(bytes.to_vec()));
    }
    for shell in Shell::OTHERS {
        assert_exact(&place, shell, &values);
    }
    assert_no_code_is_left(&place);
}

/// Any text, with what is special to shells far more often than by chance. Left out is what Apptainer
/// would damage, and `ctr start` refuses.
fn value() -> impl Strategy<Value = String> {
    let special = prop::sample::select(
        "\\'\"`$!%\n\t ~=*?[]{}()<>|&;#^@:,/-_a1\u{1b}"
            .chars()
            .collect::<Vec<_>>(),
    );
    let other = any::<char>().prop_filter("damaged on the way in", |char| {
        !"\0\r\u{80}".contains(*char)
    });
    prop::collection::vec(prop_oneof![4 => special, 1 => other], 0..12)
        .prop_map(|chars| chars.into_iter().collect())
}

/// Many variables, each with its value in the instance and what the host had under its name.
pub fn variables() -> impl Strategy<Value = BTreeMap<String, (String, Option<String>)>> {
    prop::collection::btree_map(
        "X[A-Za-z0-9_]{0,8}(PATH|DIRS)?",
        (value(), prop::option::of(value())),
        40,
    )
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
            for shell in Shell::ALL.into_iter().chain(Shell::OTHERS) {
                assert_exact(&place, shell, &values);
            }
            Ok(())
        })
        .unwrap();
}

/// `command`, then the word `yes` when it succeeded and `no` when it did not.
fn yes_or_no(shell: Shell, command: &str) -> String {
    match shell {
        Shell::Tcsh => format!("{command} && echo yes || echo no"),
        Shell::Elvish => format!("try {{ {command}; echo yes }} catch e {{ echo no }}"),
        Shell::Xonsh => {
            // From 0.24 on the failure of `ctr` itself is one.
            let errors = "(RuntimeError, subprocess.CalledProcessError)";
            format!(
                "import subprocess\ntry:\n    {command}\n    print('yes')\nexcept {errors}:\n    print('no')"
            )
        }
        _ => format!("if {command}; then echo yes; else echo no; fi"),
    }
}

#[test]
fn an_evaluation_that_fails_is_false_and_says_why() {
    let place = Place::new();
    for shell in Shell::OTHERS {
        for (command, named) in [("ctr env nosuch", "nosuch"), ("ctr env --wrong", "--wrong")] {
            let script = yes_or_no(shell, &shell.eval(command));
            let output = shell.script(&place, &script).ok();
            assert_eq!(output.text(), "no\n", "{shell:?}");
            output.says(&[named]);
        }
        // Where nothing is to be done, nothing is wrong.
        let script = yes_or_no(shell, &shell.eval("ctr env --if-running nosuch"));
        let output = shell.script(&place, &script).ok();
        assert_eq!(output.text(), "yes\n", "{shell:?}");
        output.quiet();
    }
    assert_no_code_is_left(&place);
}

#[test]
fn use_and_leave_act_on_the_shell() {
    let mut place = Place::new();
    place.set("OLD", "of the host");
    place.start("bio", &["-e", "K=it's", "-e", "OLD=of bio"]);
    for shell in IN_SCRIPTS {
        for (name, options) in [
            ("ctr", ""),
            ("box", "--cmd box --no-prompt --no-completion"),
        ] {
            let init = shell.eval(&format!("ctr init {} {options}", shell.name()));
            let script = Script::new(&place, shell)
                .line(&init)
                .line(&init)
                .note("before")
                .line(&format!("{name} use bio"))
                .note("active")
                .line(&format!("{name} leave"))
                .note("after");
            script.ok();
            let active = noted(&place, "active");
            let seen = ["CTR_INSTANCE", "K", "OLD"].map(|key| get(&active, key));
            assert_eq!(
                seen,
                [Some("bio"), Some("it's"), Some("of bio")],
                "{shell:?}"
            );
            assert_same(&place, shell.name());
        }
    }
}

#[test]
fn use_of_what_is_not_there_fails_with_the_status_of_the_program() {
    let place = Place::new();
    for shell in IN_SCRIPTS {
        let init = shell.eval(&format!("ctr init {}", shell.name()));
        for (command, status) in [("ctr use nosuch", 1), ("ctr use a b", 2)] {
            let script = format!("{init}\n{command}\nexit {}", shell.status());
            shell.script(&place, &script).fails(status);
        }
        let output = shell
            .script(&place, &format!("{init}\nctr use --help"))
            .ok();
        assert!(
            output.text().contains("Usage: ctr use"),
            "{shell:?}: {output}"
        );
    }
}

#[test]
fn everything_else_is_the_program_with_its_words_streams_and_status() {
    let place = Place::new();
    place.start("bio", &[]);
    let inside = r#"cat; echo err >&2; for word; do echo "<$word>"; done; exit 7"#;
    for shell in IN_SCRIPTS {
        let init = shell.eval(&format!("ctr init {}", shell.name()));
        let call =
            format!("echo in | ctr exec bio sh -c '{inside}' sh 'a  b' '' '*' '$x' -d use > out");
        let script = format!("{init}\n{call}\nexit {}", shell.status());
        let output = shell.script(&place, &script).fails(7);
        assert_eq!((output.text(), &*output.stderr), ("", "err\n"), "{shell:?}");
        let out = std::fs::read_to_string(place.work().join("out")).unwrap();
        assert_eq!(out, "in\n<a  b>\n<>\n<*>\n<$x>\n<-d>\n<use>\n", "{shell:?}");
        std::fs::remove_file(place.work().join("out")).unwrap();
    }
}
