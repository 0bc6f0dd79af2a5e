//! Instances as commands see them: what was saved of each, held against what runs.

pub mod all;
pub mod home;
mod locking;
pub mod session;
pub mod status;
