//! What is generated from the program and kept in the repository is what it generates today.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// Runs `ctr` and gives what it prints.
fn ctr(args: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_ctr")).args(args).output();
    let output = output.expect("it can be run");
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success() && complaint.is_empty(),
        "{args:?}: {complaint}"
    );
    String::from_utf8(output.stdout).expect("UTF-8")
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The files of a folder, by name.
fn files(folder: &Path) -> BTreeMap<String, String> {
    let entries =
        fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let paths = entries.map(|entry| entry.expect("can be read").path());
    paths
        .map(|path| {
            let name = path
                .file_name()
                .expect("has a name")
                .to_string_lossy()
                .into_owned();
            (name, read(&path))
        })
        .collect()
}

#[test]
fn the_completions_are_fresh() {
    for shell in ["bash", "zsh", "fish"] {
        let file = Path::new(ROOT)
            .join("completions")
            .join(format!("ctr.{shell}"));
        assert!(
            read(&file) == ctr(&["completions", shell]),
            "make it anew: ctr completions {shell} > completions/ctr.{shell}"
        );
    }
}

#[test]
fn the_man_pages_are_fresh() {
    let folder = tempfile::tempdir().expect("a folder");
    ctr(&["man", "--out", folder.path().to_str().expect("UTF-8")]);
    let (made, kept) = (files(folder.path()), files(&Path::new(ROOT).join("man")));
    let names = |files: &BTreeMap<String, String>| files.keys().cloned().collect::<Vec<_>>();
    assert_eq!(
        names(&kept),
        names(&made),
        "make them anew: ctr man --out man"
    );
    for (name, text) in &made {
        assert!(
            kept[name] == *text,
            "man/{name}: make it anew: ctr man --out man"
        );
    }
}

#[test]
fn the_man_pages_refer_to_pages_that_are_there() {
    let pages = files(&Path::new(ROOT).join("man"));
    for (name, text) in &pages {
        // `.Xr ctr-show 1 ,` in a page that is written, `.BR ctr\-shell (7) ,` in one that is made.
        let references = text.lines().filter(|line| {
            let starts = [".Xr ctr", ".BR ctr"];
            starts.iter().any(|start| line.starts_with(start))
        });
        for line in references {
            let line = line.replace('\\', "");
            let words: Vec<&str> = line.split(' ').collect();
            let section = words[2].trim_matches(['(', ')']);
            let page = format!("{}.{section}", words[1]);
            assert!(pages.contains_key(&page), "man/{name}: {line}");
        }
    }
}

#[test]
fn the_main_man_page_is_what_man_prints() {
    assert!(read(&Path::new(ROOT).join("man/ctr.1")) == ctr(&["man"]));
}

#[test]
fn the_newest_version_of_the_changelog_is_that_of_the_program() {
    let text = read(&Path::new(ROOT).join("CHANGELOG.md"));
    let headings = text.lines().filter_map(|line| line.strip_prefix("## "));
    let versions = headings.map(|heading| {
        heading
            .trim_start_matches('[')
            .split([']', ' '])
            .next()
            .unwrap_or_default()
    });
    let newest = versions
        .into_iter()
        .find(|version| version.starts_with(|c: char| c.is_ascii_digit()));
    assert_eq!(newest, Some(env!("CARGO_PKG_VERSION")));
}

#[test]
fn the_tests_that_the_page_on_reliability_names_are_there() {
    let text = read(&Path::new(ROOT).join("docs/reliability.md"));
    let names: Vec<&str> = text.split('`').filter(|word| word.contains("::")).collect();
    assert!(!names.is_empty());
    for name in names {
        let (module, function) = name.split_once("::").expect("has been found by it");
        let test = format!("#[test]\nfn {function}() {{");
        let is_in = |folder: &str| {
            let file = Path::new(ROOT).join(format!("tests/{folder}/{module}.rs"));
            file.exists() && read(&file).contains(&test)
        };
        assert!(is_in("real") || is_in("vm"), "there is no test {name}");
    }
}
