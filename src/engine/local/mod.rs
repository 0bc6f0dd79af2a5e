//! An instance as processes of this host: which are its own, how they fare, how they end, what they see.

pub mod answers;
pub mod folder;
pub mod foreign;
pub mod interpreter;
pub mod left_behind;
pub mod membership;
pub mod namespaces;
pub mod output;
pub mod probe;
pub mod processes;
pub mod programs;
pub mod progress;
pub mod raw;
pub mod refusal;
pub mod rootfs;
pub mod signals;
pub mod stats;
pub mod stop;
pub mod target;

/// Why something cannot be done or told without Apptainer, in words that follow on `the instance`.
pub type Unknown = String;
