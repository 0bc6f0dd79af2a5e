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

impl ShellName {
    /// What it is called on the command line.
    pub fn name(self) -> String {
        let value = self.to_possible_value();
        value.map_or_else(String::new, |value| value.get_name().to_owned())
    }
}
