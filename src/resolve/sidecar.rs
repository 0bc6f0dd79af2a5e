//! Sidecars: `<overlay>.env`, lines of variables and notes beside an overlay.

use std::path::{Path, PathBuf};

use super::trust;
use crate::bounds::TEXT;
use crate::error::{Error, Kind, Result};
use crate::host::regular_file;
use crate::names::is_variable_name;
use crate::plan::Sidecar;

/// Marks a line that is a note on a variable; other lines with `#` are comments.
const NOTE: &str = "#ENVNOTE:";

/// Marks a line that names a variable for the host's shell.
const HOST: &str = "#HOST:";

/// Reads the sidecar of an overlay, when it has one. Of one that has no say, only the reason is given:
/// what others have put there is not even read.
///
/// # Errors
/// It is there and cannot be read. A line that is not understood is left out, with a message:
/// the file is often another's.
pub fn read(overlay: &Path, trusted: &[PathBuf], uid: u32) -> Result<Option<Sidecar>> {
    let path = beside(overlay);
    // One that comes after this is another's, or too late.
    if is_missing(&path) {
        return Ok(None);
    }
    if let Some(fault) = trust::is_foreign(&path, overlay, trusted, uid) {
        return Ok(Some(left_out(path, &fault)));
    }
    let bytes = match regular_file::read(&path, TEXT) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => {
            let most = indicatif::HumanBytes(TEXT);
            return Err(Error::io(format!("cannot read {}", path.display()), error)
                .hint(format!("a sidecar is a text file of {most} at most")));
        }
    };
    let mut lines = bytes.split(|byte| *byte == b'\n');
    if let Some(key) = lines.find_map(key_of_damaged_value) {
        let message = format!("{}: the value of `{key}` is not UTF-8", path.display());
        return Err(Error::new(Kind::Environment, message)
            .hint("Apptainer would damage it: write it in UTF-8"));
    }
    let mut sidecar = parse(&path, &bytes);
    sidecar.distrust = trust::distrust(&path, trusted, uid);
    Ok(Some(sidecar))
}

/// Where the sidecar of an overlay is, when it has one.
pub fn beside(overlay: &Path) -> PathBuf {
    let mut path = overlay.as_os_str().to_owned();
    path.push(".env");
    path.into()
}

fn is_missing(path: &Path) -> bool {
    std::fs::symlink_metadata(path).is_err_and(|error| error.kind() == std::io::ErrorKind::NotFound)
}

fn left_out(path: PathBuf, fault: &str) -> Sidecar {
    let shown = path.display();
    let message = format!(
        "{shown} is left out: it {fault}; `trusted` in the configuration names folders where that is no matter"
    );
    Sidecar {
        ignored: vec![message],
        path,
        ..Sidecar::default()
    }
}

/// The variable that a line sets to what is not UTF-8. Left out with a message, such a line would
/// change what the overlay's programs do; one that sets nothing would not.
fn key_of_damaged_value(line: &[u8]) -> Option<&str> {
    if std::str::from_utf8(line).is_ok() {
        return None;
    }
    let key = line.split(|byte| *byte == b'=').next()?;
    let key = std::str::from_utf8(key).ok()?.trim_start();
    (key.len() < line.len() && is_variable_name(key)).then_some(key)
}

fn parse(path: &Path, bytes: &[u8]) -> Sidecar {
    let mut sidecar = Sidecar {
        path: path.to_owned(),
        ..Sidecar::default()
    };
    for (number, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
        if let Err(what) = sidecar.take(line) {
            let place = format!("{}, line {}", path.display(), number + 1);
            sidecar.ignored.push(format!("{place} is left out: {what}"));
        }
    }
    sidecar
}

impl Sidecar {
    /// Takes one line of the file.
    fn take(&mut self, line: &[u8]) -> std::result::Result<(), String> {
        let Ok(line) = std::str::from_utf8(line).map(str::trim) else {
            return Err("it is not UTF-8".into());
        };
        if let Some(note) = line.strip_prefix(NOTE) {
            self.notes.push(note.parse()?);
        } else if let Some(key) = line.strip_prefix(HOST).map(str::trim) {
            if !is_variable_name(key) {
                return Err(format!(
                    "`{}` is not the name of a variable",
                    key.escape_debug()
                ));
            }
            self.for_host.push(key.to_owned());
        } else if !line.is_empty() && !line.starts_with('#') {
            self.variables.push(line.parse()?);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &[u8]) -> Sidecar {
        parse(Path::new("/x.sqf.env"), text)
    }

    #[test]
    fn lines_are_trimmed_and_values_literal() {
        let sidecar = parsed(b"  A=$(id) 'x' \n# comment\n\n#ENVNOTE:A=what it is\nB=\n");
        let shown: Vec<_> = sidecar.variables.iter().map(ToString::to_string).collect();
        assert_eq!(shown, ["A=$(id) 'x'", "B="]);
        assert_eq!(sidecar.notes[0].value, "what it is");
        assert!(sidecar.ignored.is_empty());
    }

    #[test]
    fn a_line_names_a_variable_for_the_host() {
        let sidecar = parsed(b"#HOST:A\n#HOST: B \n#HOST:C;x\n# HOST:D\nA=1\n");
        assert_eq!(sidecar.for_host, ["A", "B"]);
        assert_eq!(sidecar.ignored.len(), 1, "{:?}", sidecar.ignored);
        assert!(sidecar.ignored[0].contains("line 3"));
    }

    #[test]
    fn a_bad_line_is_left_out_and_named_by_its_number() {
        let sidecar = parsed(b"A=1\nnonsense\n# caf\xe9\nC=3\n");
        assert_eq!(sidecar.variables.len(), 2);
        assert!(
            sidecar.ignored[0].contains("line 2"),
            "{:?}",
            sidecar.ignored
        );
        assert!(
            sidecar.ignored[1].contains("line 3"),
            "{:?}",
            sidecar.ignored
        );
    }

    #[test]
    fn only_a_line_that_sets_a_variable_can_damage_its_value() {
        for (line, key) in [
            (&b" KEY=caf\xe9"[..], Some("KEY")),
            (b"A==\xff", Some("A")),
            (b"KEY=caf\xc3\xa9", None),
            (b"# KEY=caf\xe9", None),
            (b"#ENVNOTE:KEY=caf\xe9", None),
            (b"caf\xe9=1", None),
            (b"KEY \xe9", None),
            (b"\xe9", None),
        ] {
            assert_eq!(key_of_damaged_value(line), key, "{}", line.escape_ascii());
        }
    }
}
