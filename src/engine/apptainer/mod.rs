//! What is Apptainer's own: its command line, its environment, its records, its words.

pub mod arguments;
pub mod bus;
pub mod enclosing_container;
pub mod environment;
pub mod failure;
pub mod flags;
pub mod installation;
pub mod interruptions;
pub mod launch;
pub mod limits;
pub mod pending_starts;
pub mod places;
pub mod records;
pub mod shell_probe;
pub mod start;
pub mod start_folder;
pub mod version;
