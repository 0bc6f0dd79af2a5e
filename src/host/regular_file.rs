//! Reads files that others made: regular ones alone, and no more than a stated size. A FIFO would never
//! come to an end, and a link to a device may not either.

use std::fs::File;
use std::io::{Error, ErrorKind, Read, Result};
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::Path;

use nix::libc::{O_NOCTTY, O_NONBLOCK};

/// Device number of `/dev/null`, which people name to say that there is nothing (`null(4)`).
const NULL: u64 = nix::libc::makedev(1, 3);

/// True for the error of a path that leads to nothing.
pub fn is_absence(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory)
}

/// Opens a regular file for reading.
///
/// # Errors
/// It is something else, or cannot be opened.
pub fn open(path: &Path) -> Result<File> {
    open_with(File::options().read(true), path)
}

/// The same in another way than for reading.
///
/// # Errors
/// As for [`open`].
pub fn open_with(options: &mut std::fs::OpenOptions, path: &Path) -> Result<File> {
    let file = options
        .custom_flags(O_NONBLOCK | O_NOCTTY)
        .open(path)
        .map_err(|error| match error.raw_os_error() {
            Some(nix::libc::ENXIO) => irregular(), // a socket, or a FIFO that is opened for writing
            _ => error,
        })?;
    match file.metadata()?.is_file() {
        true => Ok(file),
        false => Err(irregular()),
    }
}

/// What a regular file says, when that is no more than `most` bytes. `/dev/null` says nothing.
///
/// # Errors
/// It is no regular file, larger, or cannot be read.
pub fn read(path: &Path, most: u64) -> Result<Vec<u8>> {
    match open(path) {
        Ok(file) => whole(file, most),
        Err(error) => match std::fs::metadata(path) {
            Ok(it) if it.file_type().is_char_device() && it.rdev() == NULL => Ok(Vec::new()),
            _ => Err(error),
        },
    }
}

/// The same as text.
///
/// # Errors
/// As for [`read`]; it is not UTF-8.
pub fn read_to_string(path: &Path, most: u64) -> Result<String> {
    let not_utf8 = |_| Error::new(ErrorKind::InvalidData, "it is not UTF-8");
    String::from_utf8(read(path, most)?).map_err(not_utf8)
}

/// What an open file says, when it is a regular one and that is no more than `most` bytes.
///
/// # Errors
/// As for [`read`].
pub fn whole(mut file: File, most: u64) -> Result<Vec<u8>> {
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(irregular());
    }
    // Files of `/proc` have no size, and others may grow while they are read.
    let mut bytes = Vec::with_capacity(metadata.len().min(most) as usize);
    file.by_ref().take(most + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most {
        let why = format!("it is larger than {}", indicatif::HumanBytes(most));
        return Err(Error::new(ErrorKind::FileTooLarge, why));
    }
    Ok(bytes)
}

fn irregular() -> Error {
    Error::new(ErrorKind::InvalidInput, "it is not a regular file")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn only_regular_files_of_a_stated_size_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        std::fs::write(path("four"), "1234").unwrap();
        symlink("four", path("link")).unwrap();
        nix::unistd::mkfifo(&path("fifo"), nix::sys::stat::Mode::S_IRWXU).unwrap();
        symlink("fifo", path("link-to-fifo")).unwrap();
        symlink("/dev/zero", path("zero")).unwrap();
        symlink("/dev/null", path("null")).unwrap();
        let _socket = std::os::unix::net::UnixListener::bind(path("socket")).unwrap();
        let sparse = File::create(path("sparse")).unwrap();
        sparse.set_len(1 << 40).unwrap();

        assert_eq!(read(&path("four"), 4).unwrap(), b"1234");
        assert_eq!(read(&path("link"), 4).unwrap(), b"1234");
        assert_eq!(read(&path("null"), 4).unwrap(), b"");
        for (name, why) in [
            ("four", "it is larger than 3 B"),
            ("sparse", "it is larger than 3 B"),
            ("fifo", "it is not a regular file"),
            ("link-to-fifo", "it is not a regular file"),
            ("zero", "it is not a regular file"),
            ("socket", "it is not a regular file"),
            (".", "it is not a regular file"),
        ] {
            assert_eq!(read(&path(name), 3).unwrap_err().to_string(), why, "{name}");
        }
        let missing = read(&path("missing"), 3).unwrap_err();
        assert_eq!(missing.kind(), ErrorKind::NotFound);
        let to_write = open_with(File::options().write(true), &path("fifo")).unwrap_err();
        assert_eq!(to_write.to_string(), "it is not a regular file");
    }
}
