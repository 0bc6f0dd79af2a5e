//! The names that users type, checked where they come in, so that nothing below sees odd bytes.

use std::ffi::OsString;
use std::fmt;
use std::str::FromStr;

/// What this program is called, and no command of an instance may be.
pub const PROGRAM: &str = "ctr";

/// Longest name of an instance, in bytes: it becomes a file name and shows in prompts.
const LONGEST_NAME: usize = 64;

/// The name of an instance: `^[A-Za-z0-9_][A-Za-z0-9._-]{0,63}$`.
///
/// Apptainer itself accepts `..`, and would write outside its folder.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InstanceName(String);

impl InstanceName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for InstanceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for InstanceName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let first_is_fine = text.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
        let rest_is_fine = text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-'));
        if first_is_fine && rest_is_fine && text.len() <= LONGEST_NAME {
            return Ok(InstanceName(text.to_owned()));
        }
        Err(format!(
            "`{}` is not a name for an instance: letters, digits, `.`, `_` and `-`, \
             not first `.` or `-`, {LONGEST_NAME} at most",
            text.escape_debug()
        ))
    }
}

/// The name of a command that can be put on `PATH`: a plain file name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct CommandName(String);

impl CommandName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for CommandName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = |why: &str| Err(format!("`{}` {why}", text.escape_debug()));
        if text == PROGRAM {
            return wrong("would stand in the way of ctr itself");
        }
        let is_plain = !text.contains('/') && !text.contains(char::is_control);
        if text.is_empty() || text.starts_with(['.', '-']) || !is_plain {
            return wrong("is not the name of a command: no `/`, not first `.` or `-`");
        }
        Ok(CommandName(text.to_owned()))
    }
}

/// What stands for an instance on the command line: a name, or `.`, the active one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// The instance that `CTR_INSTANCE` names.
    Active,
    /// The instance of this name.
    Named(InstanceName),
}

impl FromStr for Target {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "." {
            return Ok(Target::Active);
        }
        text.parse().map(Target::Named)
    }
}

/// The name most like a mistyped one, when one is alike enough to be meant.
pub fn nearest<'a>(typed: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    /// Jaro-Winkler similarity above which a name is worth suggesting.
    const NEAR: f64 = 0.8;
    // In a short name two letters in the wrong order are little alike by that measure.
    let similarity = |name: &str| match strsim::osa_distance(name, typed) {
        0 | 1 => 1.0,
        _ => strsim::jaro_winkler(name, typed),
    };
    known
        .into_iter()
        .map(|name| (similarity(name), name))
        .filter(|(score, _)| *score > NEAR)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, name)| name)
}

/// What people call a file by: the last part of its path; a URI whole.
pub fn last_part(path: &str) -> &str {
    if path.starts_with('/') {
        path.rsplit('/').next().unwrap_or(path)
    } else {
        path
    }
}

/// True for the name of an environment variable: `^[A-Za-z_][A-Za-z0-9_]*$`.
pub fn is_variable_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// One `KEY=VALUE`, the key checked, the value literal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assignment {
    /// The name of the variable (or of the note).
    pub key: String,
    /// Its value, taken literally.
    pub value: String,
}

impl Assignment {
    /// Reads what was typed after `-e`, naming the variable when its value is not UTF-8.
    pub fn from_argument(argument: OsString) -> Result<Self, String> {
        match argument.into_string() {
            Ok(text) => text.parse(),
            Err(bytes) => {
                let lossy = bytes.to_string_lossy();
                let key = lossy.split('=').next().unwrap_or_default();
                Err(format!(
                    "the value of `{}` is not UTF-8, and Apptainer would damage it",
                    key.escape_debug()
                ))
            }
        }
    }
}

impl fmt::Display for Assignment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.key, self.value)
    }
}

impl FromStr for Assignment {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let Some((key, value)) = text.split_once('=') else {
            return Err(format!("`{}` is not KEY=VALUE", text.escape_debug()));
        };
        if !is_variable_name(key) {
            return Err(format!(
                "`{}` is not the name of a variable: letters, digits and `_`, not first a digit",
                key.escape_debug()
            ));
        }
        Ok(Assignment {
            key: key.to_owned(),
            value: value.to_owned(),
        })
    }
}

/// A shell pattern (`mysql*`, `node?`, `[ab]*`) over the names of instances.
#[derive(Debug, Clone)]
pub struct Pattern(glob::Pattern);

impl Pattern {
    /// True when the pattern covers `name`.
    pub fn matches(&self, name: &str) -> bool {
        self.0.matches(name)
    }

    /// The pattern as it was typed.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// True when it can only match one name, its own.
    pub fn is_plain(&self) -> bool {
        !self.as_str().contains(['*', '?', '['])
    }
}

impl FromStr for Pattern {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        glob::Pattern::new(text)
            .map(Pattern)
            .map_err(|error| format!("`{}` is not a pattern: {error}", text.escape_debug()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_would_leave_the_folder_are_refused() {
        for bad in [
            "",
            "..",
            ".",
            ".x",
            "-x",
            "a/b",
            "../x",
            "a b",
            "ä",
            "a\n",
            &"x".repeat(65),
        ] {
            assert!(bad.parse::<InstanceName>().is_err(), "{bad:?}");
        }
        for good in ["a", "_", "0", "bio-2.1_x", &"x".repeat(64)] {
            assert!(good.parse::<InstanceName>().is_ok(), "{good:?}");
        }
    }

    #[test]
    fn a_slip_of_the_fingers_is_recognised() {
        let known = || ["bio", "qc", "samtools-1.22"];
        for (typed, meant) in [("boi", "bio"), ("bi", "bio"), ("samtool", "samtools-1.22")] {
            assert_eq!(nearest(typed, known()), Some(meant), "{typed}");
        }
        assert_eq!(nearest("mysql", known()), None);
    }

    #[test]
    fn a_value_keeps_every_byte_after_the_first_equals_sign() {
        let read: Assignment = "OPTS=a=1,b=2 \"x,y\"".parse().unwrap();
        assert_eq!(
            (read.key.as_str(), read.value.as_str()),
            ("OPTS", "a=1,b=2 \"x,y\"")
        );
        assert!("1A=x".parse::<Assignment>().is_err());
        assert!("A".parse::<Assignment>().is_err());
    }
}
