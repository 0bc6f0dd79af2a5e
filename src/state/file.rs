//! A state file as it is read: all fields side by side. Serde's own way to take apart what
//! [`State`] has in parts holds each value twice, which takes half of the time of a long listing.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{Phase, State};
use crate::engine::Process;
use crate::spec::{InstanceSpec, Withheld};

#[derive(Deserialize)]
pub struct File {
    #[serde(default)]
    format: u32,
    name: String,
    #[serde(default)]
    env: Vec<String>,
    #[serde(default)]
    overlays: Vec<String>,
    #[serde(default)]
    bind_paths: Vec<String>,
    #[serde(default)]
    implicit_binds: Option<Vec<String>>,
    #[serde(default)]
    working_folder: Option<String>,
    #[serde(default)]
    start_folder: Option<String>,
    #[serde(default)]
    config_file: Option<String>,
    #[serde(default)]
    base_image: String,
    #[serde(default)]
    notes: BTreeMap<String, String>,
    #[serde(default)]
    note: Option<String>,
    #[serde(default)]
    fakeroot: bool,
    #[serde(default)]
    writable: bool,
    #[serde(default)]
    gpu: Vec<String>,
    #[serde(default)]
    apptainer_flags: Vec<String>,
    #[serde(default)]
    host_env: Vec<String>,
    #[serde(default)]
    withheld: Vec<Withheld>,
    #[serde(default)]
    phase: Phase,
    #[serde(default)]
    is_restart: bool,
    #[serde(default)]
    generation: u64,
    #[serde(default)]
    host: String,
    pid: Option<i32>,
    pid_start_time: Option<u64>,
    supervisor_pid: Option<i32>,
    user_namespace: Option<u64>,
    boot_id: Option<String>,
    pid_namespace: Option<u64>,
    #[serde(default)]
    started_at: Option<String>,
    #[serde(default)]
    apptainer: String,
    #[serde(default)]
    apptainer_version: String,
    #[serde(default)]
    log_out: String,
    #[serde(default)]
    log_err: String,
    #[serde(default)]
    shims: Vec<String>,
    #[serde(default)]
    joins: Option<Box<RawValue>>,
}

impl From<File> for State {
    fn from(file: File) -> Self {
        let process = || {
            Some(Process {
                pid: file.pid?,
                pid_start_time: file.pid_start_time?,
                supervisor_pid: file.supervisor_pid?,
                user_namespace: file.user_namespace,
                boot_id: file.boot_id?,
                pid_namespace: file.pid_namespace?,
            })
        };
        State {
            format: file.format,
            process: process(),
            spec: InstanceSpec {
                name: file.name,
                env: file.env,
                overlays: file.overlays,
                bind_paths: file.bind_paths,
                implicit_binds: file.implicit_binds,
                working_folder: file.working_folder,
                start_folder: file.start_folder,
                config_file: file.config_file,
                base_image: file.base_image,
                notes: file.notes,
                note: file.note,
                fakeroot: file.fakeroot,
                writable: file.writable,
                gpu: file.gpu,
                apptainer_flags: file.apptainer_flags,
                host_env: file.host_env,
                withheld: file.withheld,
            },
            phase: file.phase,
            is_restart: file.is_restart,
            generation: file.generation,
            host: file.host,
            started_at: file.started_at,
            apptainer: file.apptainer,
            apptainer_version: file.apptainer_version,
            log_out: file.log_out,
            log_err: file.log_err,
            shims: file.shims,
            joins: file.joins,
        }
    }
}
