//! Instances as commands see them: what was saved of each, held against what runs.

pub mod all;
pub mod home;
pub mod session;
pub mod status;
