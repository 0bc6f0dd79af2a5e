//! Apptainer's own records of instances, read without its help: listing them through it takes
//! 21 ms, and from another pid namespace deletes those of live instances.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use serde::Deserialize;

use crate::bounds::RECORD;
use crate::engine::apptainer::installation::{Shelf, records_folder};
use crate::engine::local::answers;
use crate::engine::local::membership::NoInstance;
use crate::engine::local::{membership, processes};
use crate::engine::{Engine, Process};
use crate::error::{Error, Result};
use crate::host::context::Context;
use crate::host::regular_file;

/// An instance that lives, as Apptainer has recorded it.
#[derive(Debug, Clone)]
pub struct Record {
    pub name: String,
    pub image: String,
    pub process: Process,
    pub log_out: String,
    pub log_err: String,
    /// Its processes are in a cgroup of its own.
    pub has_cgroup: bool,
    /// It has a user namespace of its own, also where a setuid installation started it.
    pub has_user_namespace: bool,
    /// It is one of several commands that share namespaces (`--sharens`).
    pub shares: bool,
}

/// The fields that are used of `NAME.json`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct File {
    pid: i32,
    ppid: i32,
    name: String,
    #[serde(default)]
    image: String,
    #[serde(default)]
    log_err_path: String,
    #[serde(default)]
    log_out_path: String,
    #[serde(default)]
    cgroup: bool,
    #[serde(default)]
    userns: bool,
    #[serde(default, rename = "sharensMode")]
    shares: bool,
}

/// The instances on this host that live. A record that cannot be understood, that is not the caller's
/// own, or whose process has ended or is something else by now, is passed over.
///
/// # Errors
/// The folder is there and cannot be read, or does not answer.
pub fn list(shelf: &Shelf, context: &Context) -> Result<Vec<Record>> {
    let folder = shelf.folder();
    // That of the caller was asked before any command began.
    if folder != records_folder(context) {
        answers::check(&folder, context)?;
    }
    let users = folder.join("app").join(&shelf.host);
    let mut found = Vec::new();
    for user in entries(&users)? {
        let instances = match entries(&user) {
            // Of another who was here with this home.
            Err(_) if fs::metadata(&user).is_ok_and(|it| it.uid() != context.uid) => continue,
            instances => instances?,
        };
        for instance in instances {
            found.extend(read(&instance, context)?);
        }
    }
    found.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(found)
}

impl Engine<'_> {
    /// True when Apptainer has a record of that name here, of one that can be seen to live or not;
    /// also when that cannot be told.
    pub fn has_record(&self, name: &str) -> bool {
        let shelf = self.shelf();
        if answers::check(&shelf.folder(), self.context).is_err() {
            return true;
        }
        let users = shelf.folder().join("app").join(&shelf.host);
        entries(&users).map_or(true, |users| {
            users.iter().any(|user| user.join(name).exists())
        })
    }
}

/// Removes the record and the logs of an instance that has ended; of one that lives, nothing, and nothing
/// that is not the caller's own: whether that lives is not known.
pub fn forget(shelf: &Shelf, name: &str, context: &Context) {
    let lives = |record: &Record| record.name == name;
    let records = shelf.folder();
    if !list(shelf, context).is_ok_and(|live| !live.iter().any(lives)) {
        return;
    }
    for user in entries(&records.join("app").join(&shelf.host)).unwrap_or_default() {
        let record = user.join(name);
        if is_own(&record, context) {
            let _ = fs::remove_dir_all(record);
        }
    }
    for user in entries(&records.join("logs").join(&shelf.host)).unwrap_or_default() {
        for ending in ["out", "err"] {
            let log = user.join(format!("{name}.{ending}"));
            if is_own(&log, context) {
                let _ = fs::remove_file(log);
            }
        }
    }
}

/// Reads the record in the folder of an instance; `None` where there is none that can be understood and
/// lives. What it names is signalled later, so it must be the caller's own word, and the processes must be
/// those of an instance of that name: a record that was left behind may name numbers that others have been
/// given since.
fn read(folder: &Path, context: &Context) -> Result<Option<Record>> {
    let Some(name) = folder.file_name().and_then(|name| name.to_str()) else {
        return Ok(None);
    };
    let path = folder.join(format!("{name}.json"));
    let unread =
        |error: &dyn std::fmt::Display| Error::io(format!("cannot read {}", path.display()), error);
    if !is_own(folder, context) || !is_own(&path, context) {
        return Ok(None);
    }
    let bytes = match regular_file::read(&path, RECORD) {
        Ok(bytes) => bytes,
        // That this process has too many files open says nothing of the record.
        Err(error) if is_limit(&error) => return Err(unread(&error)),
        Err(_) => return Ok(None),
    };
    let Ok(file) = serde_json::from_slice::<File>(&bytes) else {
        return Ok(None);
    };
    let limited = |error: Errno| unread(&error.desc());
    if file.name != name || !processes::watches_over(file.ppid, name).map_err(limited)? {
        return Ok(None);
    }
    let first = processes::look(file.pid).map_err(limited)?;
    let Some(first) = first.filter(|stat| !processes::is_over(stat)) else {
        return Ok(None);
    };
    let process = Process {
        pid: file.pid,
        pid_start_time: first.starttime,
        supervisor_pid: file.ppid,
        user_namespace: None,
        boot_id: context.pid_scope.boot_id.clone(),
        pid_namespace: context.pid_scope.pid_namespace,
    };
    match membership::check(&process) {
        Ok(()) => {}
        Err(NoInstance::Gone(_)) => return Ok(None),
        Err(unseen) => return Err(unread(&unseen)),
    }
    Ok(Some(Record {
        process,
        name: file.name,
        image: file.image,
        log_out: file.log_out_path,
        log_err: file.log_err_path,
        has_cgroup: file.cgroup,
        has_user_namespace: file.userns,
        shares: file.shares,
    }))
}

fn is_limit(error: &std::io::Error) -> bool {
    matches!(
        error.raw_os_error(),
        Some(nix::libc::EMFILE | nix::libc::ENFILE)
    )
}

/// True for a file or folder of the caller's, not a link. Root may have the home of a user, whose word
/// its records are.
fn is_own(path: &Path, context: &Context) -> bool {
    fs::symlink_metadata(path)
        .is_ok_and(|found| found.uid() == context.uid && !found.file_type().is_symlink())
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>> {
    match fs::read_dir(folder) {
        Ok(entries) => Ok(entries.flatten().map(|entry| entry.path()).collect()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(Error::io(
            format!("cannot read {}", folder.display()),
            error,
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::context::tests::context;

    #[test]
    fn what_another_user_has_recorded_is_left_alone() {
        let root = tempfile::tempdir().unwrap();
        let config = root.path().to_str().unwrap();
        let mut caller = context(&[("APPTAINER_CONFIGDIR", config)]);
        let own = fs::metadata(root.path()).unwrap().uid();
        let (record, log) = (
            root.path().join("instances/app/node1/u/x"),
            root.path().join("instances/logs/node1/u/x.out"),
        );
        fs::create_dir_all(&record).unwrap();
        fs::create_dir_all(log.parent().unwrap()).unwrap();
        fs::write(record.join("x.json"), "{}").unwrap();
        fs::write(&log, "").unwrap();
        for (uid, stays) in [(own + 1, true), (own, false)] {
            caller.uid = uid;
            assert_eq!(is_own(&record, &caller), !stays);
            forget(&Shelf::of_caller(&caller), "x", &caller);
            assert_eq!((record.exists(), log.exists()), (stays, stays));
        }
        // A link is what another may have put there.
        std::os::unix::fs::symlink(root.path(), &record).unwrap();
        assert!(!is_own(&record, &caller));
    }
}
