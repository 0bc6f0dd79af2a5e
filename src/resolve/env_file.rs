//! Files of variables that the user names: `--env-file`.

use std::path::{Path, PathBuf};

use super::trust;
use crate::bounds::TEXT;
use crate::engine::answers;
use crate::env::rules::check_carried;
use crate::error::{Error, Kind, Result};
use crate::host::context::Context;
use crate::host::regular_file;
use crate::names::Assignment;

/// What such a file says.
#[derive(Debug, Clone)]
pub struct EnvFile {
    pub path: PathBuf,
    pub variables: Vec<Assignment>,
    /// What may not be meant as it is written, a line each.
    pub doubts: Vec<String>,
}

impl EnvFile {
    /// Why its variables stay out of the host's shell; `None` when it is trusted.
    pub fn distrust(&self, trusted: &[PathBuf], uid: u32) -> Option<String> {
        trust::distrust(&self.path, trusted, uid)
    }
}

/// Reads a file of lines `KEY=VALUE`, values literal; empty lines and those with `#` say nothing.
/// A path that is not whole begins in the caller's folder.
///
/// # Errors
/// It is not there, does not answer, is no regular file, or is too long; a line is not understood, or sets a variable
/// that Apptainer cannot carry.
pub fn read(file: &str, context: &Context) -> Result<EnvFile> {
    let cwd = context.cwd.as_deref();
    let path = cwd.unwrap_or(Path::new("/")).join(file);
    answers::check(&path, context)?;
    let text = text_of(&path)?;
    let mut read = EnvFile {
        variables: Vec::new(),
        doubts: Vec::new(),
        path,
    };
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let place = format!("{}, line {}", read.path.display(), number + 1);
        // The files that Apptainer reads may have it.
        let assignment = line.strip_prefix("export ").unwrap_or(line).trim_start();
        let assignment: Assignment = assignment.parse().map_err(|why: String| {
            Error::new(Kind::Environment, format!("{place}: {why}"))
                .hint("lines are KEY=VALUE, and the values are taken as they are written")
        })?;
        check_carried(&assignment.key, &assignment.value).map_err(|error| Error {
            message: format!("{place}: {}", error.message),
            ..error
        })?;
        if is_quoted(&assignment.value) {
            let key = &assignment.key;
            let doubt = format!("{place}: the quotes are part of the value of `{key}`");
            read.doubts.push(doubt);
        }
        read.variables.push(assignment);
    }
    Ok(read)
}

fn text_of(path: &Path) -> Result<String> {
    let shown = path.display();
    let read = regular_file::read(path, TEXT);
    let bytes = read.map_err(|error| {
        Error::io(format!("cannot read {shown}"), error)
            .hint("--env-file takes a file of lines KEY=VALUE")
    })?;
    String::from_utf8(bytes).map_err(|error| {
        let valid = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let number = valid.iter().filter(|byte| **byte == b'\n').count() + 1;
        let message = format!("{shown}, line {number}: it is not UTF-8");
        Error::new(Kind::Environment, message).hint("Apptainer would damage it: write it in UTF-8")
    })
}

/// True for a value that a shell would take the quotes from.
fn is_quoted(value: &str) -> bool {
    ['"', '\'']
        .iter()
        .any(|quote| value.len() > 1 && value.starts_with(*quote) && value.ends_with(*quote))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_in(folder: &Path, file: &str) -> Result<EnvFile> {
        let mut context = crate::host::context::tests::context(&[]);
        context.cwd = Some(folder.to_owned());
        read(file, &context)
    }

    fn read_text(text: &[u8]) -> Result<EnvFile> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("f"), text).unwrap();
        read_in(folder.path(), "f")
    }

    #[test]
    fn values_are_literal_and_quotes_are_spoken_of() {
        let file = read_text(b"# c\n\nA=$(id) `x`, \"y\"\n export B=\"b c\" \r\nC=\n").unwrap();
        let shown: Vec<_> = file.variables.iter().map(ToString::to_string).collect();
        assert_eq!(shown, ["A=$(id) `x`, \"y\"", "B=\"b c\"", "C="]);
        assert_eq!(file.doubts.len(), 1);
        assert!(file.doubts[0].contains("line 4") && file.doubts[0].contains("`B`"));
    }

    #[test]
    fn what_is_not_understood_is_refused_by_its_line() {
        for text in [
            &b"A=1\nnonsense\n"[..],
            b"A=1\nB-C=2\n",
            b"\nHOME=/x\n",
            b"\nA=\xe9\n",
        ] {
            let error = read_text(text).unwrap_err();
            assert!(error.message.contains("line 2"), "{}", error.message);
        }
        let long = vec![b'x'; TEXT as usize + 1];
        assert!(read_text(&long).unwrap_err().message.contains("larger"));
        let folder = tempfile::tempdir().unwrap();
        let fifo = folder.path().join("fifo");
        nix::unistd::mkfifo(&fifo, nix::sys::stat::Mode::S_IRWXU).unwrap();
        for (file, why) in [("fifo", "not a regular file"), ("nosuch", "No such file")] {
            let error = read_in(folder.path(), file).unwrap_err();
            assert!(error.message.contains(why), "{}", error.message);
        }
    }
}
