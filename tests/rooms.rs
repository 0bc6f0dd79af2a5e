//! No module reaches back up: what `docs/architecture.md` draws is what the imports say.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// The line of each room in the drawing that is marked by `mark`, counted from the top.
fn drawn(mark: &str) -> BTreeMap<String, usize> {
    let page = fs::read_to_string(Path::new(ROOT).join("docs/architecture.md")).expect("the page");
    let start = format!("```{mark}\n");
    let (_, rest) = page.split_once(&start).expect("a drawing");
    let (drawing, _) = rest.split_once("```").expect("its end");
    let mut rooms = BTreeMap::new();
    for (height, line) in drawing.lines().enumerate() {
        // What stands behind two blanks says what the rooms are for.
        let names = line.split("  ").next().unwrap_or(line);
        for name in names.split(' ').filter(|name| !name.is_empty()) {
            let before = rooms.insert(name.to_owned(), height);
            assert_eq!(before, None, "{name} is drawn twice");
        }
    }
    rooms
}

/// The rooms in a folder: its files and folders.
fn built(folder: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(folder).expect("a folder");
    let paths = entries.map(|entry| entry.expect("an entry").path());
    let name = |path: PathBuf| {
        path.file_stem()
            .expect("a name")
            .to_str()
            .map(str::to_owned)
    };
    paths.filter_map(name).collect()
}

/// Every file of a room.
fn files(folder: &Path, room: &str) -> Vec<PathBuf> {
    let mut found = Vec::from([folder.join(format!("{room}.rs"))]);
    let mut folders = Vec::from([folder.join(room)]);
    while let Some(folder) = folders.pop() {
        let entries = fs::read_dir(&folder).into_iter().flatten();
        for path in entries.map(|entry| entry.expect("an entry").path()) {
            match path.is_dir() {
                true => folders.push(path),
                false => found.push(path),
            }
        }
    }
    // Tests may look at whatever they hold a room against.
    found.retain(|file| file.is_file() && !file.ends_with("tests.rs"));
    found
}

/// The rooms below `crate::PATH` that the code of a file names.
fn imported(file: &Path, path: &str) -> BTreeSet<String> {
    let text = fs::read_to_string(file).expect("a source file");
    let code = text
        .split("#[cfg(test)]\nmod tests {")
        .next()
        .unwrap_or(&text);
    let lines = code
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"));
    let code: String = lines.collect::<Vec<_>>().join("\n");
    let after = format!("crate::{path}");
    let mut names = BTreeSet::new();
    for rest in code.split(&after).skip(1) {
        match rest.strip_prefix('{') {
            Some(group) => names.extend(members(group).iter().map(|member| first_name(member))),
            None => drop(names.insert(first_name(rest))),
        }
    }
    names
}

/// The members of a group of imports, from behind its opening brace.
fn members(group: &str) -> Vec<String> {
    let (mut members, mut depth) = (vec![String::new()], 0);
    for c in group.chars() {
        match c {
            '}' if depth == 0 => break,
            ',' if depth == 0 => members.push(String::new()),
            _ => {
                depth += i32::from(c == '{') - i32::from(c == '}');
                members.last_mut().expect("one at least").push(c);
            }
        }
    }
    members
}

fn first_name(path: &str) -> String {
    let is_of_name = |c: &char| c.is_ascii_alphanumeric() || *c == '_';
    path.trim_start().chars().take_while(is_of_name).collect()
}

#[track_caller]
fn assert_in_keeping(folder: &str, mark: &str, path: &str, others: &[&str]) {
    let folder = Path::new(ROOT).join(folder);
    let drawn = drawn(mark);
    let mut built = built(&folder);
    built.retain(|room| !others.contains(&room.as_str()));
    let named: BTreeSet<String> = drawn.keys().cloned().collect();
    assert_eq!(
        named, built,
        "the rooms that are drawn, and those there are"
    );
    let mut arrows = 0;
    for (room, height) in &drawn {
        for file in files(&folder, room) {
            for other in imported(&file, path) {
                let Some(its) = drawn.get(&other) else {
                    continue; // an item of `main.rs` or `mod.rs`
                };
                arrows += usize::from(other != *room);
                let is_below = its > height || other == *room;
                assert!(
                    is_below,
                    "{} imports {other}, which is not below {room}",
                    file.display()
                );
            }
        }
    }
    assert!(arrows > drawn.len() / 2, "hardly an import was found");
}

#[test]
fn rooms_import_rooms_below_them() {
    assert_in_keeping("src", "rooms", "", &[]);
}

#[test]
fn so_they_do_in_the_engine() {
    assert_in_keeping("src/engine", "rooms engine", "engine::", &["mod"]);
}
