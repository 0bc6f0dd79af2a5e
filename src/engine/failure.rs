//! What Apptainer's words on a failure mean, and what to do about it.

use super::launch::Failed;
use crate::error::{Error, Kind};

/// What a known text says, and what helps.
const KNOWN: [(&str, &str); 13] = [
    (
        "currently in use",
        "stop what uses the image, or open it read-only",
    ),
    (
        "while running squashfuse",
        "check that /dev/fuse can be opened: `ctr doctor`",
    ),
    (
        "squashfuse_ll",
        "check that /dev/fuse can be opened: `ctr doctor`",
    ),
    (
        "fuse2fs",
        "check that /dev/fuse can be opened and fuse2fs is there: `ctr doctor`",
    ),
    (
        "fuse: device not found",
        "load the fuse module, or ask the administrator: `ctr doctor`",
    ),
    (
        "user namespace",
        "user namespaces seem to be off here: `ctr doctor`",
    ),
    (
        "subuid",
        "ask the administrator for a line in /etc/subuid and /etc/subgid: `ctr doctor`",
    ),
    (
        "Requesting capability set",
        "as root in a container, pass `-- --userns --no-privs`",
    ),
    (
        "no space left on device",
        "free some space, or set APPTAINER_CACHEDIR and APPTAINER_TMPDIR",
    ),
    (
        "not allowed",
        "apptainer.conf of this machine forbids it: `ctr doctor` shows its limits",
    ),
    (
        "configuration disallows",
        "apptainer.conf of this machine forbids it: `ctr doctor` shows its limits",
    ),
    (
        "prohibits",
        "apptainer.conf of this machine forbids it: `ctr doctor` shows its limits",
    ),
    (
        "unknown flag",
        "flags after `--` are those of `apptainer instance start`",
    ),
];

/// Makes an error of a call that failed, with Apptainer's own words in it.
pub fn explain(what: &str, failed: &Failed) -> Error {
    if let Some(signal) = failed.interrupted_by {
        // As a shell counts it.
        let status = 128 + u8::try_from(signal).unwrap_or(0);
        return Error::new(Kind::Engine, format!("{what}: interrupted")).status(status);
    }
    let words = telling_words(&failed.words);
    let known = KNOWN.iter().find(|(text, _)| failed.words.contains(text));
    let error = Error::new(Kind::Engine, format!("{what}: {words}"));
    match known {
        Some((_, hint)) => error.hint(*hint),
        None => error.hint("`ctr doctor` checks what Apptainer needs"),
    }
}

/// The warnings among what Apptainer wrote, which a user should see.
pub fn warnings(words: &str) -> Vec<String> {
    words
        .lines()
        .filter_map(|line| line.strip_prefix("WARNING:"))
        .map(|line| line.trim().to_owned())
        .collect()
}

/// The lines that say why: `FATAL` and `ERROR`, else the last one.
fn telling_words(words: &str) -> String {
    let telling: Vec<&str> = words
        .lines()
        .filter_map(|line| {
            line.strip_prefix("FATAL:")
                .or_else(|| line.strip_prefix("ERROR:"))
                .or_else(|| line.strip_prefix("Error"))
        })
        .map(|line| line.trim_start_matches(':').trim())
        .collect();
    if telling.is_empty() {
        let last = words.lines().rev().find(|line| !line.trim().is_empty());
        return last.unwrap_or("it said nothing").trim().to_owned();
    }
    telling.join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn explained(words: &str) -> Error {
        explain(
            "cannot start `x`",
            &Failed {
                words: words.into(),
                interrupted_by: None,
            },
        )
    }

    #[test]
    fn apptainers_words_are_kept_and_explained() {
        let error =
            explained("INFO:    one\nFATAL:   while running squashfuse: Permission denied\n");
        assert_eq!(
            error.message,
            "cannot start `x`: while running squashfuse: Permission denied"
        );
        assert!(error.hint.unwrap().contains("/dev/fuse"));
        assert!(explained("").message.ends_with("it said nothing"));
    }
}
