//! The one error type: what is wrong, what to do about it, and the exit status.

use std::fmt;

/// A failure, in words for a person and in a form for programs.
#[derive(Debug, Clone)]
pub struct Error {
    /// What sort of failure it is; the `kind` of the JSON form.
    pub kind: Kind,
    /// One line that names the thing that is wrong.
    pub message: String,
    /// What to do about it, when there is something to do.
    pub hint: Option<String>,
    /// An exit status that is not the usual one of the kind (`exec`: 126, 127).
    pub status: Option<u8>,
    /// It was said already, beside what could be done all the same.
    pub is_reported: bool,
}

/// The sort of a failure. Its name, in snake case, is part of the JSON contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The command line is wrong.
    Usage,
    /// A configuration file is wrong.
    Config,
    /// Apptainer is missing, too old, or failed.
    Engine,
    /// An image, overlay, instance, or path does not exist.
    NotFound,
    /// The instance is not in the state that the command needs.
    NotRunning,
    /// It exists already, with another setup.
    Exists,
    /// An image is locked by another process.
    InUse,
    /// An overlay, image, or sidecar cannot be used as it is.
    Setup,
    /// A variable cannot be carried into an instance.
    Environment,
    /// A state file is damaged, foreign, or cannot be written.
    State,
    /// The working folder is not the same inside.
    Folder,
    /// It is for the outside of an instance, and this is the inside of one.
    Inside,
    /// The command cannot be run inside.
    Command,
    /// A system call failed.
    Io,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Kind::Usage => "usage",
            Kind::Config => "config",
            Kind::Engine => "engine",
            Kind::NotFound => "not_found",
            Kind::NotRunning => "not_running",
            Kind::Exists => "exists",
            Kind::InUse => "in_use",
            Kind::Setup => "setup",
            Kind::Environment => "environment",
            Kind::State => "state",
            Kind::Folder => "folder",
            Kind::Inside => "inside",
            Kind::Command => "command",
            Kind::Io => "io",
        }
    }
}

/// The result of everything that can fail in `ctr`.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// A failure without advice.
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        Error {
            kind,
            message: message.into(),
            hint: None,
            status: None,
            is_reported: false,
        }
    }

    /// A system call that failed while `doing`.
    pub fn io(doing: impl fmt::Display, error: impl fmt::Display) -> Self {
        Error::new(Kind::Io, format!("{doing}: {error}"))
    }

    /// Adds what to do about it.
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Sets an exit status of its own.
    pub fn status(mut self, status: u8) -> Self {
        self.status = Some(status);
        self
    }

    /// Leaves nothing of it to be said but the exit status.
    pub fn reported(mut self) -> Self {
        self.is_reported = true;
        self
    }

    /// True when a signal ended what was being done: a person or a scheduler wants an end to it.
    pub fn is_interruption(&self) -> bool {
        self.status.is_some_and(|status| status > 128)
    }

    /// The exit status: 2 for wrong usage, 1 for every other failure, unless it has its own.
    pub fn code(&self) -> u8 {
        self.status
            .unwrap_or(if self.kind == Kind::Usage { 2 } else { 1 })
    }

    /// The form for programs: `{"error":{"kind","message","hint"}}`.
    pub fn to_json(&self) -> serde_json::Value {
        serde_json::json!({
            "error": {"kind": self.kind.name(), "message": self.message, "hint": self.hint}
        })
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}
