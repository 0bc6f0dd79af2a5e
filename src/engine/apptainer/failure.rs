//! What Apptainer's words on a failure mean, and what to do about it.

use std::fs::File;

use crate::engine::apptainer::launch::{Failed, GIVEN_UP};
use crate::error::{Error, Kind};

/// The limits that an administrator sets.
const FORBIDDEN: &str = "apptainer.conf of this machine forbids it: `ctr doctor` shows its limits";

/// Says that an image cannot be read as what it should be.
const DAMAGED: &str = "the image seems to be damaged: make it or fetch it again";

/// What a known text says, and what helps; `…` stands for any words. The first that fits is taken.
const KNOWN: [(&str, &str); 17] = [
    (
        "currently in use",
        "stop what uses the image, or open it read-only",
    ),
    (
        "instance …already exists",
        "stop it with apptainer, or choose another name",
    ),
    (
        "fuse: device not found",
        "load the fuse module, or ask the administrator: `ctr doctor`",
    ),
    ("trying to read the squashfs image", DAMAGED),
    ("squashfs image is corrupt", DAMAGED),
    ("could not open image", DAMAGED),
    ("image format not recognized", DAMAGED),
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
        "Resource temporarily unavailable",
        "end what you need no more, and try again: a limit is reached (ulimit -a)",
    ),
    (
        GIVEN_UP,
        "look whether the file systems of its images and binds answer",
    ),
    ("not allowed", FORBIDDEN),
    ("configuration disallows", FORBIDDEN),
    ("prohibits", FORBIDDEN),
    (
        "unknown flag",
        "flags after `--` are those of `apptainer instance start`",
    ),
];

/// Makes an error of a call that failed, with Apptainer's own words in it.
pub fn explain(what: &str, failed: &Failed) -> Error {
    if let Some(signal) = failed.interrupted_by {
        return interrupted(what, signal);
    }
    let words = telling_words(&failed.words);
    let error = Error::new(Kind::Engine, format!("{what}: {words}"));
    if words.contains("fuse") && !can_open_fuse() {
        return error.hint("ask the administrator to open /dev/fuse to users: `ctr doctor`");
    }
    // The line that failed says more than all that was said on the way.
    let known = known(&words).or_else(|| known(without_usage(&failed.words)));
    error.hint(known.unwrap_or("`ctr doctor` checks what Apptainer needs"))
}

/// What helps, where a text is known.
fn known(words: &str) -> Option<&'static str> {
    let fits = |text: &str| text.split('…').all(|part| words.contains(part));
    let mut known = KNOWN.iter();
    known.find_map(|(text, hint)| fits(text).then_some(*hint))
}

/// What was printed, but for the list of flags that follows on wrong usage: it speaks of everything.
fn without_usage(words: &str) -> &str {
    let starts = ["\nOptions for ", "\nUsage:"].iter();
    let start = starts.filter_map(|start| words.find(start)).min();
    &words[..start.unwrap_or(words.len())]
}

/// What is said when a signal ended what was being done; the status is as a shell counts it.
pub fn interrupted(what: &str, signal: i32) -> Error {
    let status = 128 + u8::try_from(signal).unwrap_or(0);
    Error::new(Kind::Engine, format!("{what}: interrupted")).status(status)
}

fn can_open_fuse() -> bool {
    let device = File::options().read(true).write(true).open("/dev/fuse");
    device.is_ok()
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
        explain("cannot start `x`", &Failed::saying(words.into()))
    }

    #[test]
    fn apptainers_words_are_kept_and_explained() {
        let error = explained("INFO:    one\nFATAL:   x.sif is currently in use\n");
        assert_eq!(error.message, "cannot start `x`: x.sif is currently in use");
        assert!(error.hint.unwrap().contains("read-only"));
        assert!(explained("").message.ends_with("it said nothing"));
        let error = explained("FATAL:   instance bio already exists\n");
        assert!(error.hint.unwrap().contains("another name"));
        let words = "Error for command \"start\": unknown flag: --x\n\nOptions for start command:\n\n  \
                     --userns  run in a new user namespace\n";
        assert!(explained(words).hint.unwrap().contains("after `--`"));
        let words = "ERROR:   no\n\nUsage:\n  start a new user namespace\n";
        assert!(
            explained(words)
                .hint
                .unwrap()
                .contains("ctr doctor` checks")
        );
    }
}
