//! The shells there are.

use clap::ValueEnum;

use super::Shell;
use super::elvish::Elvish;
use super::fish::Fish;
use super::nushell::Nushell;
use super::posix::Posix;
use super::tcsh::Tcsh;
use super::xonsh::Xonsh;

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
}

impl ShellName {
    /// What it does in its own way.
    pub(super) fn shell(self) -> &'static dyn Shell {
        match self {
            ShellName::Bash => &Posix::Bash,
            ShellName::Zsh => &Posix::Zsh,
            ShellName::Sh => &Posix::Sh,
            ShellName::Fish => &Fish,
            ShellName::Tcsh => &Tcsh,
            ShellName::Elvish => &Elvish,
            ShellName::Xonsh => &Xonsh,
            ShellName::Nushell => &Nushell,
        }
    }

    /// What it is called on the command line.
    pub fn name(self) -> String {
        let value = self.to_possible_value();
        value.map_or_else(String::new, |value| value.get_name().to_owned())
    }
}
