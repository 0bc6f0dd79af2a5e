//! The shells there are.

use clap::ValueEnum;

/// A shell that `ctr` writes code for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ShellName {
    Bash,
    Zsh,
    Fish,
    /// POSIX: dash, ash, ksh.
    #[value(alias = "dash", alias = "posix")]
    Sh,
    Tcsh,
    Elvish,
    Xonsh,
    #[value(alias = "nu")]
    Nushell,
    /// Experimental.
    #[value(alias = "pwsh")]
    Powershell,
}
