//! What this process was given, and the files of this host that are its own.

pub mod answers;
pub mod cache;
pub mod context;
pub mod ownership;
pub mod private_dir;
pub mod regular_file;
