//! Which states there are. A folder that cannot be read is not an empty one.

use std::ffi::OsString;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::Path;

use super::store::unlisted;
use super::{State, Store};
use crate::error::{Error, Result};
use crate::names::InstanceName;

/// One file of the store: what it says, or why it cannot be used.
#[derive(Debug)]
pub struct Entry {
    pub name: String,
    pub host: String,
    pub state: Result<State>,
}

impl Store {
    /// Every state file of this host, in the order of names.
    pub fn list(&self) -> Vec<Entry> {
        let mut entries = self.list_folder(&self.folder(), &self.host.name);
        for entry in self.list_folder(&self.root, &self.host.name) {
            if !entries.iter().any(|known| known.name == entry.name) {
                entries.push(entry);
            }
        }
        entries.sort_by(|a, b| a.name.cmp(&b.name));
        entries
    }

    /// Every state file of the other hosts that share this folder.
    pub fn list_elsewhere(&self) -> Vec<Entry> {
        self.other_hosts()
            .iter()
            .flat_map(|host| self.list_folder(&self.root.join(host), host))
            .collect()
    }

    /// What keeps the states of this host from being told, when something does: then those that
    /// [`Store::list`] gives need not be all.
    pub fn fault(&self) -> Option<Error> {
        let folders = [self.folder(), self.root.clone()];
        folders.iter().find_map(|folder| {
            let error = files_of(folder).err()?;
            Some(unlisted(folder, &error))
        })
    }

    /// The same of the other hosts.
    pub fn faults_elsewhere(&self) -> Vec<Error> {
        let folders = self.other_hosts().into_iter();
        folders
            .filter_map(|host| {
                let folder = self.root.join(host);
                let error = files_of(&folder).err()?;
                Some(unlisted(&folder, &error))
            })
            .collect()
    }

    fn other_hosts(&self) -> Vec<String> {
        let hosts = fs::read_dir(&self.root).into_iter().flatten().flatten();
        let mut names: Vec<String> = hosts
            .filter(|entry| entry.path().is_dir())
            .filter_map(|entry| entry.file_name().into_string().ok())
            .filter(|host| *host != self.host.folder())
            .collect();
        names.sort();
        names
    }

    /// The other hosts that share this folder and have a file of that name.
    pub fn hosts_with(&self, name: &str) -> Vec<String> {
        let file = format!("{name}.json");
        let mut hosts = self.other_hosts();
        hosts.retain(|host| self.root.join(host).join(&file).is_file());
        hosts
    }

    fn list_folder(&self, folder: &Path, host: &str) -> Vec<Entry> {
        let files = files_of(folder).unwrap_or_default().into_iter();
        let fault = self.check_folder(folder).err();
        let mut entries: Vec<Entry> = files
            .filter_map(|file| {
                let file_name = file.into_string().ok()?;
                let name = file_name.strip_suffix(".json")?;
                name.parse::<InstanceName>().ok()?;
                let state = match &fault {
                    Some(fault) => Err(fault.clone()),
                    None => self.read(folder, name).transpose()?,
                };
                Some(Entry {
                    name: name.to_owned(),
                    host: host.to_owned(),
                    state,
                })
            })
            .collect();
        entries.sort_by(|a, b| a.name.cmp(&b.name));
        entries
    }
}

/// The names in a folder; none where there is no such folder.
fn files_of(folder: &Path) -> io::Result<Vec<OsString>> {
    match fs::read_dir(folder) {
        Ok(entries) => entries.map(|entry| Ok(entry?.file_name())).collect(),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}
