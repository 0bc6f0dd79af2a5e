//! The node-local folder for what shells look at: never on a home, which may be NFS and hang.
//! It can be lost at any time and is made again.

use std::ffi::OsString;
use std::fs::{self, DirBuilder};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::sys::statvfs::statvfs;
use nix::unistd::{AccessFlags, access};
use tempfile::NamedTempFile;

use crate::bounds::TEXT;
use crate::engine::answers;
use crate::error::{Error, Kind, Result};
use crate::host::context::Context;
use crate::host::ownership::{self, OwnUmask};
use crate::host::regular_file;

/// How long code may lie before a shell reads it. That happens at once, and it removes the file; what
/// was printed and never evaluated is not kept for good.
const LONGEST_WAIT: Duration = Duration::from_secs(3600);

/// The variable by which a session names its folder.
const SESSION: &str = "XDG_RUNTIME_DIR";
/// Those by which Slurm, PBS and LSF mark the processes of a job.
const JOBS: [&str; 3] = ["SLURM_JOB_ID", "PBS_JOBID", "LSB_JOBID"];

/// Where the folder is when no session gives one.
const TMP: &str = "/tmp";

const NAME_ONE: &str = "set XDG_RUNTIME_DIR to a private folder of this host";

/// A new file, for its owner only, with code for a shell that reads it once. `content` is told where;
/// `arrives` tells whether that shell can be told of a path.
///
/// # Errors
/// There is no private folder on this host, or it is full.
pub fn code_file(
    context: &Context,
    arrives: impl Fn(&Path) -> bool,
    content: impl FnOnce(&Path) -> Vec<u8>,
) -> Result<PathBuf> {
    let folder = folder_that_arrives(context, arrives)?.join("code");
    make(&folder)?;
    remove_old(&folder);
    let mut file = temporary(&folder)?;
    let path = file.path().to_owned();
    let written = file.write_all(&content(&path));
    written.map_err(|error| cannot_write(&path, error))?;
    file.keep()
        .map_err(|error| cannot_write(&path, error.error))?;
    Ok(path)
}

fn remove_old(folder: &Path) {
    let is_old = |path: &PathBuf| {
        let written = fs::metadata(path).and_then(|metadata| metadata.modified());
        written.is_ok_and(|time| time.elapsed().is_ok_and(|age| age > LONGEST_WAIT))
    };
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    for path in entries.map(|entry| entry.path()).filter(is_old) {
        let _ = fs::remove_file(path);
    }
}

/// The file that stands for the `ctr` function where a shell's functions cannot do its work; written
/// when it is missing or another.
///
/// # Errors
/// There is no private folder on this host, or it is full.
pub fn command_file(
    context: &Context,
    arrives: impl Fn(&Path) -> bool,
    content: &[u8],
) -> Result<PathBuf> {
    let path = folder_that_arrives(context, arrives)?.join("command.tcsh");
    if !regular_file::read(&path, TEXT).is_ok_and(|there| there == content) {
        write(&path, content)?;
    }
    Ok(path)
}

/// The private folder, else the one in `/tmp`, whose path is always plain.
fn folder_that_arrives(context: &Context, arrives: impl Fn(&Path) -> bool) -> Result<PathBuf> {
    let folder = private_folder(context)?;
    match arrives(&folder) {
        true => Ok(folder),
        false => private_folder_in_tmp(context),
    }
}

/// Writes a file for its owner only, whole or not at all.
///
/// # Errors
/// The folder cannot be written, or is full.
pub fn write(path: &Path, content: &[u8]) -> Result<()> {
    let mut file = temporary(path.parent().unwrap_or(path))?;
    let written = file.write_all(content);
    written.map_err(|error| cannot_write(path, error))?;
    file.persist(path)
        .map_err(|error| cannot_write(path, error.error))?;
    Ok(())
}

fn temporary(folder: &Path) -> Result<NamedTempFile> {
    let _umask = OwnUmask::set();
    NamedTempFile::new_in(folder).map_err(|error| cannot_write(folder, error))
}

fn cannot_write(path: &Path, error: std::io::Error) -> Error {
    Error::io(format!("cannot write {}", path.display()), error)
}

/// The first of these that nobody else can put programs into; made when it is missing:
/// `$XDG_RUNTIME_DIR/ctr`, where that lasts as long as the caller and is not full; `/tmp/ctr-<uid>`; where that is another's,
/// `/tmp/ctr-<uid>-<six letters>`. For a shim, the one that it is in.
///
/// # Errors
/// None can be made.
pub fn private_folder(context: &Context) -> Result<PathBuf> {
    if let Some(shim) = &context.shim {
        return Ok(shim.private_folder.clone());
    }
    let uid = context.uid;
    if let Some(folder) = in_session(context) {
        let above = folder.parent().unwrap_or(&folder);
        let can_be = ownership::is_safe_above(above, uid)
            && access(above, AccessFlags::W_OK).is_ok()
            && has_room(above);
        if can_be && is_made(&folder, uid) {
            return Ok(folder);
        }
    }
    private_folder_in_tmp(context)
}

fn private_folder_in_tmp(context: &Context) -> Result<PathBuf> {
    let uid = context.uid;
    let tmp = fs::metadata(TMP).map_err(|error| unmade(Path::new(TMP), error))?;
    if !ownership::is_closed(tmp.mode()) {
        let message = format!("in {TMP} anybody may put a folder in the place of another");
        return Err(Error::new(Kind::Io, message).hint(NAME_ONE));
    }
    let usual = in_tmp(context);
    if is_made(&usual, uid) {
        return Ok(usual);
    }
    match others_in_tmp(context).into_iter().next() {
        Some(folder) => Ok(folder),
        None => tempfile::Builder::new()
            .prefix(&format!("ctr-{uid}-"))
            .permissions(fs::Permissions::from_mode(0o700))
            .tempdir_in(TMP)
            .map(tempfile::TempDir::keep)
            .map_err(|error| unmade(&usual, error).hint(NAME_ONE)),
    }
}

/// False for a file system that is as good as full: what is written there is a few small files.
fn has_room(folder: &Path) -> bool {
    const ENOUGH: u64 = 64 << 10;
    // Where it cannot be said, whoever writes finds out.
    statvfs(folder).map_or(true, |room| {
        let files = room.files() == 0 || room.files_available() > 0; // 0 of 0: it has no such limit
        files && room.blocks_available() * room.fragment_size() >= ENOUGH
    })
}

/// What is in the way of a better place than `folder`, when something is.
pub fn passed_over(context: &Context, folder: &Path) -> Option<Error> {
    let places = in_session(context).into_iter().chain([in_tmp(context)]);
    let mut better = places.take_while(|place| place != folder);
    let there = better.find(|place| place.symlink_metadata().is_ok());
    there.and_then(|place| ownership::check(&place, context.uid).err())
}

/// Every such folder that this user has here: other sessions may have had another.
pub fn private_folders(context: &Context) -> Vec<PathBuf> {
    let named = context.setting(SESSION).map(PathBuf::from);
    let sessions = named.into_iter().chain([of_logins(context)]);
    let mut folders: Vec<PathBuf> = sessions
        .filter(|folder| answers::passes(folder, context))
        .map(|folder| folder.join("ctr"))
        .collect();
    let usual = in_tmp(context);
    if is_anothers(&usual, context.uid) {
        folders.extend(others_in_tmp(context));
    }
    folders.push(usual);
    folders.dedup();
    folders.retain(|folder| ownership::check(folder, context.uid).is_ok());
    folders
}

/// The folder that the caller's session gives, where it answers. The one of logins goes with the last of
/// them, also while a job runs that was told of it.
fn in_session(context: &Context) -> Option<PathBuf> {
    let named = PathBuf::from(context.setting(SESSION)?);
    let outlives_it =
        named == of_logins(context) && JOBS.iter().any(|job| context.setting(job).is_some());
    let serves = named.is_absolute() && !outlives_it && answers::passes(&named, context);
    serves.then(|| named.join("ctr"))
}

/// What systemd makes at the first login of a user, and removes after the last logout.
fn of_logins(context: &Context) -> PathBuf {
    format!("/run/user/{}", context.uid).into()
}

fn in_tmp(context: &Context) -> PathBuf {
    format!("{TMP}/ctr-{}", context.uid).into()
}

/// Those with a name that nobody could foresee, in their order.
fn others_in_tmp(context: &Context) -> Vec<PathBuf> {
    let prefix = format!("ctr-{}-", context.uid);
    let is_one = |name: &OsString| name.as_encoded_bytes().starts_with(prefix.as_bytes());
    let entries = fs::read_dir(TMP).into_iter().flatten().flatten();
    let names = entries.map(|entry| entry.file_name()).filter(is_one);
    let folders = names.map(|name| Path::new(TMP).join(name));
    let mut folders: Vec<PathBuf> = folders
        .filter(|folder| ownership::check(folder, context.uid).is_ok())
        .collect();
    folders.sort();
    folders
}

/// True for a folder that is private, made when nothing is there.
fn is_made(folder: &Path, uid: u32) -> bool {
    let _umask = OwnUmask::set();
    let _ = DirBuilder::new().mode(0o700).create(folder); // whatever is there now is looked at
    ownership::check(folder, uid).is_ok()
}

fn is_anothers(folder: &Path, uid: u32) -> bool {
    folder.symlink_metadata().is_ok() && ownership::check(folder, uid).is_err()
}

/// Makes a folder for its owner only, and those above it.
pub fn make(folder: &Path) -> Result<()> {
    let _umask = OwnUmask::set();
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .map_err(|error| unmade(folder, error))
}

fn unmade(folder: &Path, error: std::io::Error) -> Error {
    Error::io(format!("cannot make {}", folder.display()), error)
}
