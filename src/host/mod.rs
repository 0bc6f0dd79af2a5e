//! What this process was given, and the files of this host that are its own.

pub mod cache;
pub mod context;
pub mod ownership;
pub mod regular_file;
pub mod stable_hash;
