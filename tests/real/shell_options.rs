//! Options, functions and variables of the user's that change what a shell makes of code.

use crate::support::{Place, Script, Shell, get, here, noted};

/// A value with all that quotes and options may damage.
const VALUE: &str = " a  b''c\n\td  \n'";

#[test]
fn values_arrive_whatever_quotes_mean() {
    let place = Place::new();
    place.start("bio", &["-e", &format!("K={VALUE}")]);
    for (shell, options) in here([
        (Shell::Zsh, "setopt rcquotes"),
        (Shell::Zsh, "setopt cshjunkiequotes"),
        (Shell::Zsh, "setopt rcquotes cshjunkiequotes ignorebraces"),
        (Shell::Bash, "set -k"),
        (Shell::Bash, "set -k; set -u; set -o posix"),
    ]) {
        for line in ["eval \"$(ctr env bio)\"", "eval $(ctr env bio)"] {
            let script = Script::new(&place, shell)
                .export("K", "of  the user")
                .line(options)
                .eval(&format!("ctr init {}", shell.name()))
                .note("before")
                .line(line)
                .note("active")
                .eval("ctr env --unset")
                .note("after")
                .line("ctr use bio")
                .note("used")
                .line("ctr leave");
            script.ok();
            let what = format!("{shell:?}: {options}: {line}");
            for name in ["active", "used"] {
                assert_eq!(get(&noted(&place, name), "K"), Some(VALUE), "{what}");
            }
            assert_eq!(noted(&place, "after"), noted(&place, "before"), "{what}");
        }
    }
}

#[test]
fn functions_of_the_user_do_not_take_over() {
    let place = Place::new();
    place.start("bio", &["-e", &format!("K={VALUE}")]);
    let version = place.ctr(["--version"]).ok().text().to_owned();
    let posix = "command() { echo \"my $*\"; }\nprintf() { echo \"my $*\"; }\n";
    let more = "local() { echo mine; }\nreturn() { echo mine; }\nread() { echo mine; }\n\
                unset() { echo mine; }\nexport() { echo mine; }\ntest() { echo mine; }\n";
    let fish = ["contains", "source", "functions", "printf", "math"];
    let fish = fish.map(|name| format!("function {name}; echo mine; end\n"));
    for (shell, functions) in here([
        (Shell::Bash, format!("{posix}{more}")),
        (Shell::Zsh, format!("{posix}{more}")),
        (Shell::Sh, posix.to_owned()),
        (Shell::Fish, fish.concat()),
    ]) {
        let read = |command: &str| match shell {
            Shell::Fish => format!("{command} | builtin source"),
            _ => shell.eval(command),
        };
        let environment = |name: &str| format!("env -0 > {}", place.path(name).display());
        let script = [
            functions,
            read(&format!("ctr init {}", shell.name())),
            environment("before"),
            "ctr --version".to_owned(),
            "ctr use bio".to_owned(),
            environment("active"),
            "ctr leave".to_owned(),
            environment("after"),
        ];
        let output = shell.script(&place, &script.join("\n")).ok();
        assert_eq!(output.text(), version, "{shell:?}");
        output.quiet();
        assert_eq!(get(&noted(&place, "active"), "K"), Some(VALUE), "{shell:?}");
        assert_eq!(noted(&place, "after"), noted(&place, "before"), "{shell:?}");
    }
}

#[test]
fn a_function_called_command_does_not_take_over_at_a_prompt() {
    for shell in here([Shell::Bash, Shell::Zsh]) {
        let place = Place::new();
        place.start("bio", &[]);
        let init = shell.eval(&format!("ctr init {}", shell.name()));
        let rc = format!("{init}\nfunction command() {{ echo \"my $*\"; }}");
        let mut session = shell.interactive(&place, &rc);
        session.eval("ctr use bio");
        session.eval("export PATH=/usr/bin:/bin");
        let path = session.eval("printenv PATH");
        let shims = place.shims("bio");
        assert_eq!(path, format!("{}:/usr/bin:/bin\n", shims.display()));
        place.ctr(["stop", "bio"]).ok();
        session.line("");
        session.wait_for("left `bio`: it was stopped");
        assert!(!session.screen().contains("my "), "{}", session.screen());
    }
}

#[test]
fn what_is_another_name_of_a_variable_leaves_that_alone() {
    let place = Place::new();
    place.start("bio", &["-e", "A1=1"]);
    let script = Script::new(&place, Shell::Bash)
        .line("declare -n A1=HOME")
        .note("before")
        .eval("ctr env bio")
        .note("active")
        .eval("ctr env --unset")
        .note("after")
        .line("[ \"$A1\" = \"$HOME\" ] && [ \"${!A1}\" = HOME ] || echo \"A1 is $A1\"");
    script.ok();
    assert_eq!(get(&noted(&place, "active"), "A1"), Some("1"));
    assert_eq!(noted(&place, "after"), noted(&place, "before"));
}

#[test]
fn a_read_only_variable_of_ours_is_named_and_ends_no_shell() {
    let place = Place::new();
    place.start("bio", &["-e", "K=v"]);
    let script = "readonly CTR_INSTANCE=mine\neval \"$(ctr env bio)\"\necho \"$CTR_INSTANCE $K\"\n\
                  eval \"$(ctr env --unset)\"\necho \"$CTR_INSTANCE ${K-none}\"\n";
    let file = place.write("work/script", script);
    for (program, words) in [
        ("dash", &[][..]),
        ("busybox", &["sh"]),
        ("zsh", &["--emulate", "sh", "-f"]),
        ("zsh", &["-f"]),
        ("bash", &["--posix"]),
        ("bash", &[]),
    ] {
        let output = place.program(program).args(words).arg(&file).ok();
        assert_eq!(output.text(), "mine v\nmine none\n", "{program} {words:?}");
        let said = "ctr: CTR_INSTANCE is read-only in this shell, and stays as it is\n";
        assert_eq!(output.stderr, said, "{program} {words:?}");
    }
}

#[test]
fn a_read_only_ifs_is_nothing_to_a_prompt() {
    let place = Place::new();
    place.start("bio", &[]);
    let rc = "eval \"$(ctr init bash)\"\nreadonly IFS";
    let mut session = Shell::Bash.interactive(&place, rc);
    session.eval("ctr use bio");
    assert_eq!(session.prompt(), "(ctr:bio) READY>");
    session.line("ctr exec b\t");
    session.wait_for("ctr exec bio");
    // Not Ctrl-C, after which bash 5.2.37 shows no prompt in some terminals, with or without ctr.
    session.ctrl('u');
    place.ctr(["stop", "bio"]).ok();
    session.line("");
    session.wait_for("left `bio`: it was stopped");
    assert!(!session.screen().contains("IFS"), "{}", session.screen());
}

#[test]
fn what_the_user_shows_in_the_prompt_stays_the_users() {
    let place = Place::new();
    place.start("bio", &[]);
    for (define, shown) in [
        ("psvar=(1 2 3 4 5 6 7 8 nine)", "(ctr:bio) nine READY>"),
        ("PSVAR=:::::::::; psvar[9]=nine", "(ctr:bio) nine READY>"),
        (
            "psvar=(1 2 3 4 5 6 7 8 nine); typeset -ra psvar",
            "nine READY>",
        ),
    ] {
        let mut session =
            Shell::Zsh.interactive(&place, "eval \"$(ctr init zsh)\"\nPS1=\"%9v $PS1\"");
        // The first prompt has taken that place by now.
        session.eval("ctr use bio");
        session.prompt();
        session.eval(define);
        session.until(define, |terminal| {
            (terminal.cursor_line().trim_end() == shown).then_some(())
        });
        assert_eq!(session.eval("print -r -- $psvar[9]"), "nine\n", "{define}");
        assert!(!session.screen().contains("read-only"), "{define}");
    }
}

#[test]
fn who_unsets_the_name_at_a_prompt_leaves() {
    for shell in Shell::ALL.into_iter().chain(here([Shell::Tcsh])) {
        let place = Place::new();
        place.start("bio", &["-e", "K=v"]);
        let init = shell.eval(&format!("ctr init {}", shell.name()));
        let mut session = shell.interactive(&place, &init);
        let before = session.eval("printenv PATH");
        session.eval("ctr use bio");
        assert_eq!(session.prompt(), "(ctr:bio) READY>", "{shell:?}");
        assert_ne!(session.eval("printenv PATH"), before, "{shell:?}");
        session.eval(&shell.unset("CTR_INSTANCE"));
        assert_eq!(session.eval("printenv PATH"), before, "{shell:?}");
        let ours = "env | grep -c -e ^CTR_P -e ^CTR_R -e ^K=; true";
        assert_eq!(session.eval(ours), "0\n", "{shell:?}");
        assert_eq!(session.prompt(), "READY>", "{shell:?}");
    }
}

#[test]
fn no_shell_loads_libraries_from_where_an_instance_says() {
    let place = Place::new();
    let start = ["-e", "MODULE_PATH=/evil", "-e", "module_path=/evil"];
    place.start("bio", &start);
    let script = "eval \"$(ctr env bio)\"\nprint -r -- $CTR_INSTANCE ${(M)module_path:#*evil*}";
    let output = Shell::Zsh.script(&place, script).ok();
    assert_eq!(output.text(), "bio\n");
    output.quiet();
}

#[test]
fn a_name_that_fish_keeps_to_itself_is_said() {
    let place = Place::new();
    place.start("bio", &["-e", "version=3", "-e", "K=v"]);
    let script = "ctr env bio | source\necho $K\nctr env --unset | source\nset -q K; or echo left";
    let output = Shell::Fish.script(&place, script).ok();
    assert_eq!(output.text(), "v\nleft\n");
    let said = "ctr: version is read-only in this shell, and stays as it is\n";
    assert!(output.stderr.starts_with(said), "{output}");
    assert!(!output.stderr.contains("Tried to"), "{output}");
}

#[test]
fn an_alias_that_stands_for_any_word_stands_for_none_of_ours() {
    let place = Place::new();
    place.start("bio", &["-e", "K=v"]);
    let script = "alias -g K='| cat' -- -h='-h | cat' --help='--help | cat' G='| cat'
        eval \"$(ctr init zsh)\"
        eval \"$(ctr env bio)\"
        printenv 'K'
        ctr leave
        ctr use bio
        printenv 'K'
        eval \"$(ctr env --unset)\"
        printenv 'K'; true";
    let output = Shell::Zsh.script(&place, script).ok();
    assert_eq!(output.text(), "v\nv\n");
    output.quiet();
}
