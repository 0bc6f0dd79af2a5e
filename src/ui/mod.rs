//! What people read, and what a shell is told of how it went.

pub mod calling_shell;
pub mod output;
pub mod report;
