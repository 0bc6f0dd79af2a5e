//! The prompt that Apptainer sets inside. Pure.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

use crate::engine::local::Unknown;
use crate::host::context::Variables;

/// What bash runs before each prompt.
pub const COMMAND: &str = "PROMPT_COMMAND";

/// What a `PS1` is when nobody sets one.
pub const PROMPT: &str = "Apptainer> ";

/// Apptainer sets a prompt where there is none, and has bash set it again after its rc files.
pub fn set_prompt(all: &mut Variables) {
    let prompt = all.get(OsStr::new("PS1")).filter(|value| !value.is_empty());
    let prompt = prompt.cloned().unwrap_or_else(|| PROMPT.into());
    let before = all.remove(OsStr::new(COMMAND)).unwrap_or_default();
    let whole = if before.is_empty() {
        sets_prompt(prompt.as_bytes())
    } else {
        [before.as_bytes(), &sets_prompt_again(prompt.as_bytes())].concat()
    };
    all.insert(COMMAND.into(), OsString::from_vec(whole));
    all.insert("PS1".into(), prompt);
}

/// The `PROMPT_COMMAND` where there was none before.
fn sets_prompt(prompt: &[u8]) -> Vec<u8> {
    [b"PS1=\"", prompt, b"\"; unset PROMPT_COMMAND"].concat()
}

/// What comes behind the one that was there before.
fn sets_prompt_again(prompt: &[u8]) -> Vec<u8> {
    let first = b"; PROMPT_COMMAND=\"${PROMPT_COMMAND%%; PROMPT_COMMAND=*}\"; PS1=\"".as_slice();
    [first, prompt, b"\""].concat()
}

/// The `PROMPT_COMMAND` before Apptainer added to it.
///
/// # Errors
/// It is not what Apptainer makes of any.
pub fn before_apptainer(whole: &str, prompt: &str) -> Result<String, Unknown> {
    if whole.as_bytes() == sets_prompt(prompt.as_bytes()) {
        return Ok(String::new());
    }
    let before = whole
        .as_bytes()
        .strip_suffix(&*sets_prompt_again(prompt.as_bytes()));
    let before = before.ok_or("PROMPT_COMMAND is not what Apptainer makes")?;
    Ok(String::from_utf8_lossy(before).into_owned())
}
