//! What an environment may hold, going into an instance and coming out of one. Pure.

mod host;

use crate::error::{Error, Kind, Result};

pub use host::{is_kept_from_sidecars, is_never_on_host, is_path_below, needs_a_line};

/// Variables of the host that would break the programs of an image, and do not go in.
/// Documented in the README; `scrub` in the configuration replaces this list and [`CA_FILES`].
pub const STEERING: [&str; 10] = [
    "LD_PRELOAD",
    "BASH_ENV",
    "ENV",
    "PROMPT_COMMAND",
    "LUA_INIT",
    "MODULEPATH",
    "PYTHONHOME",
    "PYTHONPATH",
    "PERL5LIB",
    "PERL5OPT",
];

/// Variables of the host that name its CA files. They do not go into a foreign image, where these
/// files are not; under `hostos` they are.
pub const CA_FILES: [&str; 9] = [
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "CURL_CA_BUNDLE",
    "REQUESTS_CA_BUNDLE",
    "AWS_CA_BUNDLE",
    "NODE_EXTRA_CA_CERTS",
    "GIT_SSL_CAINFO",
    "PIP_CERT",
    "NIX_SSL_CERT_FILE",
];

/// Names that Apptainer 1.4.5 drops or takes for its own (measured).
const NOT_CARRIED: [&str; 7] = [
    "HOME",
    "UID",
    "EUID",
    "GID",
    "PREPEND_PATH",
    "APPEND_PATH",
    "APPTAINER_SHELL",
];

/// Names that a sidecar may not set inside, since a shell there executes their value.
const EXECUTED_INSIDE: [&str; 2] = ["PS1", "PROMPT_COMMAND"];

/// Bytes of configuration that Apptainer hands to its starter: eight chunks in its environment.
const MOST_CONFIGURATION: usize = 1_048_448;

/// What Apptainer's configuration holds beside variables: paths, file settings, binds (measured
/// at 4 to 9 kB; twice that is left free).
const CONFIGURATION_BESIDE_VARIABLES: usize = 20_000;

/// Longest `NAME=VALUE` that Linux hands to a program, with its final NUL (`MAX_ARG_STRLEN`).
pub const LONGEST_STRING: usize = 131_072;

/// How Apptainer is told of a variable: this prefix and the name.
pub const CARRIER: &str = "APPTAINERENV_";

/// What becomes of the image's `PATH`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PathEdit {
    /// The image's own, with folders before and after it.
    Around {
        before: Vec<String>,
        after: Vec<String>,
    },
    /// Another in its place.
    Exactly(String),
}

/// An ordered list of assignments, folded: each name once, `PATH` apart.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Folded {
    /// Every variable but `PATH`, each once, the later assignment having won.
    pub variables: Vec<(String, String)>,
    pub path: PathEdit,
}

impl Default for PathEdit {
    fn default() -> Self {
        PathEdit::Around {
            before: Vec::new(),
            after: Vec::new(),
        }
    }
}

/// Folds `KEY=VALUE` entries, weakest first. Values are literal, save `$PATH` as a member of
/// `PATH`, which stands for the `PATH` so far.
pub fn fold<'a>(entries: impl IntoIterator<Item = &'a str>) -> Folded {
    let mut folded = Folded::default();
    for (key, value) in entries
        .into_iter()
        .filter_map(|entry| entry.split_once('='))
    {
        if key == "PATH" {
            folded.path = folded.path.then(value);
            continue;
        }
        folded.variables.retain(|(known, _)| known != key);
        folded.variables.push((key.to_owned(), value.to_owned()));
    }
    folded
}

impl PathEdit {
    /// The edit that follows from assigning `value` to `PATH` after this one.
    fn then(&self, value: &str) -> PathEdit {
        let members: Vec<&str> = value.split(':').collect();
        let Some(at) = members.iter().position(|member| *member == "$PATH") else {
            return PathEdit::Exactly(value.to_owned());
        };
        let owned = |part: &[&str]| part.iter().map(|s| (*s).to_owned()).collect::<Vec<_>>();
        let (first, last) = (owned(&members[..at]), owned(&members[at + 1..]));
        match self {
            PathEdit::Around { before, after } => PathEdit::Around {
                before: [first, before.clone()].concat(),
                after: [after.clone(), last].concat(),
            },
            PathEdit::Exactly(path) => {
                PathEdit::Exactly([first, vec![path.clone()], last].concat().join(":"))
            }
        }
    }

    /// The whole `PATH`, where `image` is the image's own.
    pub fn applied_to(&self, image: &str) -> String {
        match self {
            PathEdit::Exactly(path) => path.clone(),
            PathEdit::Around { before, after } => {
                let own = [image.to_owned()];
                [before.as_slice(), &own, after.as_slice()]
                    .concat()
                    .join(":")
            }
        }
    }
}

/// Refuses a variable that would not arrive inside as it was written.
pub fn check_carried(key: &str, value: &str) -> Result<()> {
    if NOT_CARRIED.contains(&key) {
        return Err(Error::new(
            Kind::Environment,
            format!("Apptainer does not carry the variable `{key}` into an instance"),
        )
        .hint(match key {
            "PREPEND_PATH" | "APPEND_PATH" => "set PATH=/folder:$PATH instead".to_owned(),
            "HOME" => "pass `--home DIR` to Apptainer, after `--`".to_owned(),
            _ => "use another name".to_owned(),
        }));
    }
    if value.contains('\0') {
        return Err(Error::new(
            Kind::Environment,
            format!("the value of `{key}` holds a NUL byte, which no environment can"),
        ));
    }
    // Measured: U+0080 ends Apptainer's own script, and all variables with it; it drops the
    // carriage return of a line's end.
    for (text, what) in [
        ("\u{80}", "the character U+0080"),
        ("\r\n", "a carriage return and newline"),
    ] {
        if value.contains(text) {
            return Err(Error::new(
                Kind::Environment,
                format!("the value of `{key}` holds {what}, which Apptainer would damage"),
            )
            .hint("put it into a file, and the file's path into the variable"));
        }
    }
    if CARRIER.len() + key.len() + value.len() + 2 > LONGEST_STRING {
        return Err(Error::new(
            Kind::Environment,
            format!(
                "the value of `{key}` has {} bytes, more than Linux hands to a program",
                value.len()
            ),
        )
        .hint("put it into a file, and the file's path into the variable"));
    }
    Ok(())
}

/// Refuses variables that together are more than Apptainer carries, naming the longest.
/// `beside` is what the caller's own environment takes, in bytes.
pub fn check_total(variables: &[(String, String)], beside: usize) -> Result<()> {
    let all: usize = variables
        .iter()
        .map(|(key, value)| encoded_length(key) + encoded_length(value))
        .sum();
    let most = MOST_CONFIGURATION - CONFIGURATION_BESIDE_VARIABLES;
    if all + beside <= most {
        return Ok(());
    }
    let longest = variables.iter().max_by_key(|(_, value)| value.len());
    let (name, length) = longest.map_or(("", 0), |(key, value)| (key, value.len()));
    Err(Error::new(
        Kind::Environment,
        format!(
            "the variables take {} bytes, and Apptainer carries {most} in all; \
             the longest is `{name}`, with {length}",
            all + beside
        ),
    )
    .hint("put long values into files, and the files' paths into the variables"))
}

/// Length of a text in Apptainer's configuration: JSON as Go writes it, `<`, `>` and `&` escaped.
pub fn encoded_length(text: &str) -> usize {
    const QUOTES_AND_COMMA: usize = 4;
    let body: usize = text
        .chars()
        .map(|c| match c {
            '"' | '\\' | '\n' | '\r' | '\t' | '\u{8}' | '\u{c}' => 2,
            '<' | '>' | '&' | '\u{0}'..='\u{1f}' | '\u{2028}' | '\u{2029}' => 6,
            _ => c.len_utf8(),
        })
        .sum();
    body + QUOTES_AND_COMMA
}

/// True for a name that a sidecar may not set, since a shell inside executes its value.
pub fn is_executed_inside(key: &str) -> bool {
    EXECUTED_INSIDE.contains(&key)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path_of(entries: &[&str]) -> String {
        fold(entries.iter().copied()).path.applied_to("/image")
    }

    #[test]
    fn each_path_stands_before_the_earlier_ones() {
        assert_eq!(
            path_of(&["PATH=/a:$PATH", "PATH=/b:$PATH:/z"]),
            "/b:/a:/image:/z"
        );
        assert_eq!(path_of(&[]), "/image");
    }

    #[test]
    fn a_path_without_the_earlier_one_replaces_it() {
        assert_eq!(
            path_of(&["PATH=/a:$PATH", "PATH=/only", "PATH=/b:$PATH"]),
            "/b:/only"
        );
        assert_eq!(path_of(&["PATH=/a:$PATHS"]), "/a:$PATHS");
    }

    #[test]
    fn the_later_value_wins_and_stays_literal() {
        let folded = fold(["A=1", "B=$(id),`x`", "A=a=1,b=2"]);
        assert_eq!(
            folded.variables,
            [
                ("B".into(), "$(id),`x`".into()),
                ("A".into(), "a=1,b=2".into())
            ]
        );
    }

    #[test]
    fn what_apptainer_cannot_carry_is_refused_by_name() {
        for name in NOT_CARRIED {
            assert!(check_carried(name, "x").unwrap_err().message.contains(name));
        }
        assert!(check_carried("LD_LIBRARY_PATH", "/x").is_ok());
        assert!(check_carried("BIG", &"x".repeat(131_072)).is_err());
        let many: Vec<_> = (0..9)
            .map(|n| (format!("V{n}"), "x".repeat(120_000)))
            .collect();
        assert!(check_total(&many[..8], 0).is_ok());
        assert!(check_total(&many, 0).unwrap_err().message.contains("`V"));
    }
}
