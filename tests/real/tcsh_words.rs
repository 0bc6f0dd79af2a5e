//! Tcsh: what is a word stays one, whatever is in it. In backquotes within double quotes it would be code.

use std::fs;
use std::path::PathBuf;

use crate::support::{Place, Shell};

const INIT: &str = "eval \"`ctr init tcsh`\"";

/// A tcsh that is told nothing by its terminal, but has a prompt and so a hook.
fn script(lines: &[&str]) -> String {
    format!("set prompt\n{INIT}\n{}\n", lines.join("\n"))
}

#[track_caller]
fn assert_nothing_ran(place: &Place, what: &str) {
    for folder in ["work", "home"] {
        let file = place.path(folder).join("PWNED");
        assert!(!file.exists(), "{what}");
    }
}

/// A folder for the session with another name than is usual.
fn session_folder(place: &Place, name: &str) -> PathBuf {
    let folder = place.folder(name);
    place.mode(&folder, 0o700);
    folder
}

/// Names of folders that are code or patterns, or are split, where they are not one word.
const FOLDERS: [&str; 6] = [
    "r;touch PWNED;",
    "r `touch PWNED`",
    "two  spaces",
    "r{;touch PWNED;,b}",
    "r*$HOME'\"\\!",
    "r\n;touch PWNED;",
];

#[test]
fn what_the_environment_holds_under_the_name_of_the_memory_is_neither_run_nor_kept() {
    let place = Place::new();
    let lines = [
        "__ctr_hook",
        "echo \"[$__ctr_held]\"",
        "printenv __ctr_held",
    ];
    for held in [";touch PWNED;", "`touch PWNED`", "/x/ctr/shims/i"] {
        let run = Shell::Tcsh.script(&place, &script(&lines));
        let output = run.env("__ctr_held", held).run();
        assert_eq!(output.text(), "[]\n", "{held}: {output}");
        output.quiet();
        assert_nothing_ran(&place, held);
    }
}

#[test]
fn a_folder_of_shims_that_is_code_is_taken_off_the_path_and_not_run() {
    let place = Place::new();
    let lines = [
        "ctr leave",
        "setenv PATH ${ENTRY:q}:/q:${PATH:q}",
        "__ctr_hook",
        "echo $PATH:q",
    ];
    for folder in FOLDERS {
        let entry = format!("/tmp/{folder}/ctr/shims/bio");
        let path = place.environment()[std::ffi::OsStr::new("PATH")].clone();
        let path = path.into_string().unwrap();
        let output = Shell::Tcsh
            .script(&place, &script(&lines))
            .env("CTR_INSTANCE", "bio")
            .env("CTR_PATH_ENTRY", &entry)
            .env("ENTRY", &entry)
            .env("PATH", format!("{entry}:{path}"))
            .ok();
        assert_eq!(output.text(), format!("/q:{path}\n"), "{folder}");
        output.quiet();
        assert_nothing_ran(&place, folder);
    }
}

#[test]
fn a_folder_of_the_session_may_have_any_name() {
    let mut place = Place::new();
    for (number, name) in FOLDERS.into_iter().enumerate() {
        let folder = session_folder(&place, name);
        place.set("XDG_RUNTIME_DIR", &folder);
        place.start(&format!("bio{number}"), &["-e", "K=v  w"]);
        let instance = format!("ctr use bio{number}");
        let entry = folder.join("ctr/shims").join(format!("bio{number}"));
        let lines = [
            &*instance,
            "__ctr_hook",
            "echo \"$CTR_INSTANCE $K $status\"",
            "setenv PATH /usr/bin:/bin",
            "__ctr_hook",
            "printenv PATH",
            "ctr leave",
            "setenv PATH ${ENTRY:q}:/usr/bin:/bin",
            "__ctr_hook",
            "printenv PATH",
        ];
        let run = Shell::Tcsh.script(&place, &script(&lines));
        let output = run.env("ENTRY", &entry).ok();
        let shown = format!("bio{number} v  w 0\n");
        let path = "/usr/bin:/bin\n";
        let expected = format!("{shown}{}:{path}{path}", entry.display());
        assert_eq!(output.text(), expected, "{name}");
        output.quiet();
        assert_nothing_ran(&place, name);
        assert!(fs::read_dir(folder.join("ctr/code")).is_err(), "{name}");
    }
}

#[test]
fn no_word_of_use_leave_and_shim_is_run() {
    let place = Place::new();
    for word in [
        "'i;touch PWNED;'",
        "'i`touch PWNED`'",
        "\"i;touch PWNED\"",
        "$y:q",
    ] {
        for command in ["use", "leave", "shim list"] {
            let line = format!("ctr {command} {word}");
            let lines = ["set y = 'i;touch PWNED;`touch PWNED`'", &line];
            let run = Shell::Tcsh.script(&place, &script(&lines));
            run.fails(2).says(&["PWNED"]);
            assert_nothing_ran(&place, &line);
        }
    }
}

#[test]
fn the_program_may_be_in_a_folder_of_any_name() {
    let place = Place::new();
    place.start("bio", &["-e", "K=v"]);
    let version = place.ctr(["--version"]).ok().text().to_owned();
    for folder in ["b d;touch PWNED;", "b `touch PWNED`", "b*$HOME\"{a,b}"] {
        let binary = fs::canonicalize(place.path("bin/ctr")).unwrap();
        let copy = place.copy_program(&binary, format!("{folder}/ctr"));
        let link = place.path("bin/other");
        let _ = fs::remove_file(&link);
        std::os::unix::fs::symlink(copy, &link).unwrap();
        let lines = [
            "ctr --version",
            "ctr use bio",
            "__ctr_hook",
            "echo $CTR_INSTANCE $K",
            "setenv PATH /usr/bin:/bin",
            "__ctr_hook",
            "ctr leave",
            "__ctr_hook",
            "echo $PATH $?CTR_INSTANCE",
        ];
        let script = script(&lines).replace("`ctr", "`other");
        let output = Shell::Tcsh.script(&place, &script).ok();
        let expected = format!("{version}bio v\n/usr/bin:/bin 0\n");
        assert_eq!(output.text(), expected, "{folder}");
        output.quiet();
        assert_nothing_ran(&place, folder);
    }
}

#[test]
fn the_aliases_of_the_user_do_not_bite() {
    let place = Place::new();
    place.start("bio", &["-e", "K=v"]);
    let words = [
        "set", "setenv", "unset", "unsetenv", "eval", "source", "rehash", "rm", "echo", "env",
    ];
    let aliases = words.map(|word| format!("alias {word} 'printf hijacked'\n"));
    let lines = [
        &*aliases.concat(),
        INIT.replace("eval", "\"\"eval").as_str(),
        "ctr use bio",
        "__ctr_hook",
        "printenv K",
        "\"\"setenv PATH /usr/bin:/bin",
        "__ctr_hook",
        "printenv PATH",
        "ctr leave",
        "__ctr_hook",
        "printenv PATH",
    ]
    .join("\n");
    let script = format!("set prompt\n{INIT}\n{lines}\n");
    let output = Shell::Tcsh.script(&place, &script).run();
    let shims = place.shims("bio");
    let expected = format!("v\n{}:/usr/bin:/bin\n/usr/bin:/bin\n", shims.display());
    assert_eq!(output.text(), expected, "{output}");
    output.quiet();
}
