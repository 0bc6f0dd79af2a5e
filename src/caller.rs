//! Which shell called, and which file it reads. Looked up on the disk, which `shell` does not do: that is
//! pure.

use std::path::{Path, PathBuf};

use clap::ValueEnum;

use crate::context::Context;
use crate::shell::ShellName;

/// The calling shell: the parent process when that is a shell, else the user's login shell, else
/// `sh`.
pub fn detect(context: &Context) -> ShellName {
    calling()
        .or_else(|| from_name(context.setting("SHELL")?))
        .unwrap_or(ShellName::Sh)
}

/// The parent process, when it is a shell.
pub fn calling() -> Option<ShellName> {
    let parent = std::os::unix::process::parent_id();
    let comm = std::fs::read_to_string(format!("/proc/{parent}/comm")).ok()?;
    from_name(&comm)
}

fn from_name(name: &str) -> Option<ShellName> {
    let base = Path::new(name.trim()).file_name()?.to_str()?;
    match base.trim_start_matches('-') {
        "ash" | "ksh" | "mksh" | "busybox" => Some(ShellName::Sh),
        "csh" => Some(ShellName::Tcsh),
        base => ShellName::from_str(base, true).ok(),
    }
}

/// The rc file of a shell.
pub fn rc_file(shell: ShellName, context: &Context) -> PathBuf {
    match shell {
        ShellName::Bash => context.home.join(".bashrc"),
        ShellName::Zsh => context
            .setting("ZDOTDIR")
            .map_or_else(|| context.home.clone(), PathBuf::from)
            .join(".zshrc"),
        ShellName::Fish => context.config_home().join("fish/config.fish"),
        ShellName::Sh => context.home.join(".profile"),
        // A new `.tcshrc` would keep tcsh from reading a `.cshrc` that is there.
        ShellName::Tcsh => [".tcshrc", ".cshrc"]
            .map(|name| context.home.join(name))
            .into_iter()
            .find(|file| file.is_file())
            .unwrap_or_else(|| context.home.join(".tcshrc")),
        ShellName::Elvish => context.config_home().join("elvish/rc.elv"),
        ShellName::Xonsh => context.home.join(".xonshrc"),
        ShellName::Nushell => context.config_home().join("nushell/config.nu"),
        ShellName::Powershell => context.config_home().join("powershell/profile.ps1"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shells_are_known_by_their_names() {
        assert_eq!(from_name("-bash\n"), Some(ShellName::Bash));
        assert_eq!(from_name("/usr/bin/fish"), Some(ShellName::Fish));
        assert_eq!(from_name("dash"), Some(ShellName::Sh));
        assert_eq!(from_name("-csh"), Some(ShellName::Tcsh));
        assert_eq!(from_name("python3"), None);
    }
}
