//! Apptainer's own records of instances, read without its help: listing them through it takes
//! 21 ms, and from another pid namespace deletes those of live instances.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::bounds::RECORD;
use crate::engine::apptainer::installation::{Shelf, records_folder};
use crate::engine::local::{membership, processes};
use crate::engine::{Engine, Process};
use crate::error::{Error, Result};
use crate::host::context::Context;
use crate::host::{answers, regular_file};

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

/// The instances on this host that live. A record that cannot be understood, or whose process has
/// ended, is passed over.
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
        for instance in entries(&user)? {
            let Some(name) = instance.file_name() else {
                continue;
            };
            let mut file = instance.join(name).into_os_string();
            file.push(".json");
            if let Some(record) = read(Path::new(&file), context) {
                found.push(record);
            }
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

/// Removes the record and the logs of an instance that has ended; of one that lives, nothing.
pub fn forget(shelf: &Shelf, name: &str, context: &Context) {
    let lives = |record: &Record| record.name == name;
    let records = shelf.folder();
    if !list(shelf, context).is_ok_and(|live| !live.iter().any(lives)) {
        return;
    }
    for user in entries(&records.join("app").join(&shelf.host)).unwrap_or_default() {
        let _ = fs::remove_dir_all(user.join(name));
    }
    for user in entries(&records.join("logs").join(&shelf.host)).unwrap_or_default() {
        for ending in ["out", "err"] {
            let _ = fs::remove_file(user.join(format!("{name}.{ending}")));
        }
    }
}

fn read(file: &Path, context: &Context) -> Option<Record> {
    let file: File = serde_json::from_slice(&regular_file::read(file, RECORD).ok()?).ok()?;
    if !processes::is_supervisor(file.ppid) {
        return None;
    }
    Some(Record {
        process: Process {
            pid: file.pid,
            pid_start_time: processes::start_time(file.pid)?,
            supervisor_pid: file.ppid,
            user_namespace: membership::own(file.ppid, "user"),
            boot_id: context.pid_scope.boot_id.clone(),
            pid_namespace: context.pid_scope.pid_namespace,
        },
        name: file.name,
        image: file.image,
        log_out: file.log_out_path,
        log_err: file.log_err_path,
        has_cgroup: file.cgroup,
        has_user_namespace: file.userns,
        shares: file.shares,
    })
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
