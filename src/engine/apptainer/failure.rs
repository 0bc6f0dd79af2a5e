//! What Apptainer's words on a failure mean, and what to do about it.

use std::fs::File;

use crate::engine::apptainer::launch::{Failed, GIVEN_UP};
use crate::error::{Error, Kind};

/// The limits that an administrator sets.
const FORBIDDEN: &str = "apptainer.conf of this machine forbids it: `ctr doctor` shows its limits";

/// Says that an image cannot be read as what it should be.
const DAMAGED: &str = "the image seems to be damaged: make it or fetch it again";

/// What a known text says, and what helps. The first that fits is taken.
const KNOWN: [(&str, &str); 16] = [
    (
        "currently in use",
        "stop what uses the image, or open it read-only",
    ),
    (
        "instance already exists",
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
        // As a shell counts it.
        let status = 128 + u8::try_from(signal).unwrap_or(0);
        return Error::new(Kind::Engine, format!("{what}: interrupted")).status(status);
    }
    let words = telling_words(&failed.words);
    let error = Error::new(Kind::Engine, format!("{what}: {words}"));
    if words.contains("fuse") && !can_open_fuse() {
        return error.hint("ask the administrator to open /dev/fuse to users: `ctr doctor`");
    }
    match KNOWN.iter().find(|(text, _)| failed.words.contains(text)) {
        Some((_, hint)) => error.hint(*hint),
        None => error.hint("`ctr doctor` checks what Apptainer needs"),
    }
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
    }
}
