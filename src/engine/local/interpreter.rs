//! What a file needs to be run: the program that a script names in its first line, or the loader that a
//! program names in its header (`PT_INTERP`, `elf(5)`).

use std::ffi::OsStr;
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use crate::host::regular_file;

/// Longest first line of a script that Linux reads (`BINPRM_BUF_SIZE`).
const LONGEST_LINE: u64 = 256;
/// Longest path, with its NUL (`PATH_MAX`).
const LONGEST_PATH: u64 = 4096;
/// Most entries of a program's table that are looked at; it has about ten.
const MOST_ENTRIES: u64 = 64;
const PT_INTERP: u64 = 3;

/// The file that another needs; `None` when it needs none, or cannot be read.
pub fn of(file: &Path) -> Option<PathBuf> {
    let file = regular_file::open(file).ok()?;
    let mut start = Vec::new();
    (&file).take(LONGEST_LINE).read_to_end(&mut start).ok()?;
    let path = match start.strip_prefix(b"#!") {
        Some(line) => interpreter(line)?.to_owned(),
        None => loader(&start, &file)?,
    };
    Some(PathBuf::from(OsStr::from_bytes(&path)))
}

fn interpreter(line: &[u8]) -> Option<&[u8]> {
    let line = line.split(|byte| *byte == b'\n').next()?;
    let mut words = line.split(|byte| b" \t".contains(byte));
    words.find(|word| !word.is_empty())
}

/// Reads numbers as the header says that they are written.
struct Numbers {
    is_wide: bool,
    is_big_endian: bool,
}

impl Numbers {
    fn number(&self, bytes: &[u8], at: usize, length: usize) -> Option<u64> {
        let bytes = bytes.get(at..at + length)?.iter();
        let join = |all: u64, byte: &u8| all << 8 | u64::from(*byte);
        Some(match self.is_big_endian {
            true => bytes.fold(0, join),
            false => bytes.rev().fold(0, join),
        })
    }

    /// A number that is as wide as an address, at the one place or the other.
    fn address(&self, bytes: &[u8], narrow: usize, wide: usize) -> Option<u64> {
        match self.is_wide {
            true => self.number(bytes, wide, 8),
            false => self.number(bytes, narrow, 4),
        }
    }

    fn half(&self, bytes: &[u8], narrow: usize, wide: usize) -> Option<u64> {
        self.number(bytes, if self.is_wide { wide } else { narrow }, 2)
    }
}

fn loader(header: &[u8], file: &std::fs::File) -> Option<Vec<u8>> {
    let kinds = header.strip_prefix(b"\x7fELF")?;
    let numbers = Numbers {
        is_wide: *kinds.first()? == 2,
        is_big_endian: *kinds.get(1)? == 2,
    };
    let table = numbers.address(header, 28, 32)?;
    let size = numbers.half(header, 42, 54)?;
    let count = numbers.half(header, 44, 56)?.min(MOST_ENTRIES);
    let read = |at: u64, length: u64| {
        let mut bytes = vec![0; usize::try_from(length).ok()?];
        file.read_exact_at(&mut bytes, at).ok()?;
        Some(bytes)
    };
    let mut entries = (0..count).filter_map(|number| read(table.checked_add(number * size)?, size));
    let entry = entries.find(|entry| numbers.number(entry, 0, 4) == Some(PT_INTERP))?;
    let length = numbers.address(&entry, 16, 32)?;
    let path = read(numbers.address(&entry, 4, 8)?, length.min(LONGEST_PATH))?;
    path.split(|byte| *byte == 0).next().map(<[u8]>::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts_and_programs_say_what_they_need() {
        let needed = |content: &[u8]| {
            let folder = tempfile::tempdir().unwrap();
            let file = folder.path().join("file");
            std::fs::write(&file, content).unwrap();
            of(&file)
        };
        assert_eq!(needed(b"#! /bin/x -a\n"), Some("/bin/x".into()));
        assert_eq!(needed(b"text"), None);
        assert_eq!(needed(b"\x7fELF"), None);
        // This very program is one, and what its loader is called depends on the machine.
        let own = of(Path::new("/proc/self/exe"));
        assert!(own.is_none_or(|loader| loader.is_file()));
    }
}
