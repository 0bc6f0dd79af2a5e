//! What only the whole program, a real Apptainer and real shells can show.
//!
//! `scripts/test` runs these as an unprivileged user with all that they need. Nothing is skipped:
//! what is missing is a panic that names it. How to write one is in `support/mod.rs`.

mod support;

mod activate;
mod at_prompt;
mod attributes;
mod binds;
mod blesh;
mod completion;
mod config;
mod crash;
mod dash;
mod doctor;
mod enter;
mod environment;
mod errors;
mod evaluate;
mod exec;
mod ext3;
mod folder;
mod forged;
mod harness;
mod hook;
mod hostos;
mod identity;
mod inside;
mod join_aside;
mod join_environment;
mod join_equal;
mod join_knowledge;
mod join_signals;
mod listing;
mod literal_env;
mod logs;
mod look_first;
mod namespaces;
mod notes;
mod nushell;
mod others;
mod overlays;
mod progress;
mod prompt;
mod reference;
mod refused_env;
mod restart;
mod runtime;
mod shells;
mod shim;
mod shim_aside;
mod shim_calls;
mod shim_completion;
mod shim_folder;
mod shim_shells;
mod shim_uses;
mod start;
mod state;
mod stats;
mod stop;
mod storage;
mod tcsh;
mod trust;
mod uri;
mod whereabouts;
mod worlds;
