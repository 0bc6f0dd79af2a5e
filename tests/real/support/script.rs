//! Scripts of shells, and the environment that they had.

use std::collections::BTreeMap;
use std::fs;

use super::{Output, Place, Shell};

pub type Environment = BTreeMap<Vec<u8>, Vec<u8>>;

/// A shell script in the words of `shell`, in which `env > FILE` writes the environment.
pub struct Script<'a> {
    place: &'a Place,
    shell: Shell,
    pub text: String,
}

impl<'a> Script<'a> {
    pub fn new(place: &'a Place, shell: Shell) -> Script<'a> {
        // From its first `$(…)` on, whatever that runs, xonsh has a variable more.
        let text = if shell == Shell::Xonsh {
            "$(true)\n"
        } else {
            ""
        };
        Script {
            place,
            shell,
            text: text.to_owned(),
        }
    }

    pub fn line(mut self, line: &str) -> Self {
        self.text += line;
        self.text += "\n";
        self
    }

    /// Evaluates what `ctr …` prints.
    pub fn eval(self, command: &str) -> Self {
        let line = self.shell.eval(command);
        self.line(&line)
    }

    pub fn export(self, key: &str, value: &str) -> Self {
        let line = self.shell.export(key, value);
        self.line(&line)
    }

    /// Remembers the environment as `name`.
    pub fn note(self, name: &str) -> Self {
        let file = self.place.path(name);
        let line = self.shell.environment_to(&file);
        self.line(&line)
    }

    /// Runs it; it must succeed and print nothing.
    #[track_caller]
    pub fn ok(&self) {
        let output = self.output();
        assert_eq!(
            (output.text(), &*output.stderr),
            ("", ""),
            "{:?}: {output}\n{}",
            self.shell,
            self.text
        );
    }

    #[track_caller]
    pub fn output(&self) -> Output {
        self.shell.script(self.place, &self.text).ok()
    }
}

/// An environment that a script has noted, without `_`, which changes with each command.
pub fn noted(place: &Place, name: &str) -> Environment {
    let block = fs::read(place.path(name)).unwrap();
    let entries = block
        .split(|byte| *byte == 0)
        .filter(|entry| !entry.is_empty());
    let pairs = entries.map(|entry| entry.splitn(2, |byte| *byte == b'=').map(<[u8]>::to_vec));
    let pairs = pairs.map(|mut pair| (pair.next().unwrap(), pair.next().unwrap()));
    pairs.filter(|(key, _)| key != b"_").collect()
}

pub fn get<'a>(environment: &'a Environment, key: &str) -> Option<&'a str> {
    environment
        .get(key.as_bytes())
        .map(|value| std::str::from_utf8(value).unwrap())
}
