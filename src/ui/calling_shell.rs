//! Which shell called, and which file it reads. Looked up on the disk, which `shell` does not do: that is
//! pure.

use std::path::{Path, PathBuf};

use clap::ValueEnum;

use crate::host::context::Context;
use crate::shell::ShellName;

/// Ancestors that are asked at most: `timeout`, `nice` and their like stand between.
const ANCESTORS: usize = 8;

/// Words of a process that are looked at: options of Python stand before what it runs.
const WORDS: usize = 8;

/// The calling shell: the program that reads what is printed, else the user's login shell, else `sh`.
pub fn detect(context: &Context) -> ShellName {
    calling()
        .or_else(|| from_name(context.setting("SHELL")?))
        .unwrap_or(ShellName::Sh)
}

/// The nearest ancestor that is a shell.
pub fn calling() -> Option<ShellName> {
    let parent = std::os::unix::process::parent_id();
    let ancestors = std::iter::successors(Some(parent), |pid| parent_of(*pid));
    ancestors
        .take(ANCESTORS)
        .find_map(|pid| Process::read(pid).shell())
}

fn parent_of(pid: u32) -> Option<u32> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("PPid:"))?;
    line.trim().parse().ok().filter(|parent| *parent > 1)
}

/// What tells that a process is a shell.
#[derive(Debug, Default)]
struct Process {
    /// Its name: that of a script, when it runs one that names its shell in the first line.
    name: String,
    /// The file that it runs; unknown for processes of others.
    executable: Option<PathBuf>,
    /// Its words, as far as they are needed.
    words: Vec<String>,
}

impl Process {
    fn read(pid: u32) -> Self {
        let text = |file: &str| std::fs::read(format!("/proc/{pid}/{file}")).unwrap_or_default();
        let text = |file: &str| String::from_utf8_lossy(&text(file)).into_owned();
        Process {
            name: text("comm"),
            executable: std::fs::read_link(format!("/proc/{pid}/exe")).ok(),
            words: text("cmdline")
                .split('\0')
                .take(WORDS)
                .map(str::to_owned)
                .collect(),
        }
    }

    /// The shell that it is. Bash may go by the name of `sh`, and then reads as that one does, and so
    /// may what is many programs in one file; a script may have any name, so all else is judged by its
    /// file.
    fn shell(&self) -> Option<ShellName> {
        let by_name = from_name(&self.name);
        let by_file = self.executable.as_deref().and_then(|file| {
            let file = file.to_str()?;
            from_file(file.strip_suffix(" (deleted)").unwrap_or(file))
        });
        let is_python = |file: &Path| {
            let name = file.file_name().and_then(|name| name.to_str());
            name.is_some_and(|name| name.starts_with("python") || name.starts_with("pypy"))
        };
        match (by_name, by_file) {
            (Some(ShellName::Sh), Some(ShellName::Sh | ShellName::Bash)) => by_name,
            (_, Some(_)) => by_file,
            (_, None) if self.executable.as_deref().is_some_and(is_python) => {
                let script = run_by_python(&self.words).and_then(from_name);
                let mut shells = script.into_iter().chain(by_name);
                shells.find(|shell| *shell == ShellName::Xonsh)
            }
            (_, None) => by_name,
        }
    }
}

/// The file or module that Python runs, by the words of its process.
fn run_by_python(words: &[String]) -> Option<&str> {
    let mut words = words.iter().skip(1).map(String::as_str);
    loop {
        let word = words.next()?;
        let is_options = word.starts_with('-') && !word.starts_with("--");
        match word.chars().next_back().filter(|_| is_options) {
            Some('c') => return None,
            Some('m') => return words.next(),
            Some('W' | 'X') => drop(words.next()),
            None if !word.starts_with('-') => return Some(word),
            _ => {}
        }
    }
}

/// The shell that a program is, by the name of its file, in which a version may stand: `zsh-5.9`.
fn from_file(path: &str) -> Option<ShellName> {
    let name = Path::new(path).file_name()?.to_str()?;
    let plain = name.split('.').next().unwrap_or(name);
    let plain = plain.trim_end_matches(|c: char| c.is_ascii_digit() || c == '-' || c == '_');
    from_name(name).or_else(|| from_name(plain))
}

fn from_name(name: &str) -> Option<ShellName> {
    let base = Path::new(name.trim()).file_name()?.to_str()?;
    match base.trim_start_matches('-') {
        "ash" | "ksh" | "ksh93" | "mksh" | "lksh" | "pdksh" | "oksh" | "yash" | "busybox" => {
            Some(ShellName::Sh)
        }
        "rbash" => Some(ShellName::Bash),
        "rzsh" => Some(ShellName::Zsh),
        "csh" | "bsd-csh" => Some(ShellName::Tcsh),
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
        assert_eq!(from_file("/opt/zsh-5.9"), Some(ShellName::Zsh));
        assert_eq!(from_file("/usr/bin/bash5.2"), Some(ShellName::Bash));
        assert_eq!(from_file("/usr/bin/python3.11"), None);
    }

    #[test]
    fn the_program_that_reads_decides_and_not_the_name_of_a_script() {
        for (name, executable, words, shell) in [
            ("bash", "/usr/bin/bash", "", Some(ShellName::Bash)),
            ("job.sh", "/usr/bin/bash", "", Some(ShellName::Bash)),
            ("j", "/usr/bin/fish (deleted)", "", Some(ShellName::Fish)),
            ("fish", "/usr/bin/bash", "", Some(ShellName::Bash)),
            ("sh", "/usr/bin/bash", "", Some(ShellName::Sh)),
            ("ash", "/usr/bin/busybox", "", Some(ShellName::Sh)),
            ("j", "/usr/bin/busybox", "", Some(ShellName::Sh)),
            ("csh", "/usr/bin/tcsh", "", Some(ShellName::Tcsh)),
            ("sh", "/usr/bin/fish", "", Some(ShellName::Fish)),
            ("ash", "/usr/bin/zsh", "", Some(ShellName::Zsh)),
            ("ksh", "/usr/bin/tcsh", "", Some(ShellName::Tcsh)),
            ("xonsh", "/usr/bin/python3.11", "", Some(ShellName::Xonsh)),
            (
                "j",
                "/usr/bin/python3",
                "python3 /usr/bin/xonsh ./j",
                Some(ShellName::Xonsh),
            ),
            (
                "python3",
                "/usr/bin/python3",
                "python3 -m xonsh",
                Some(ShellName::Xonsh),
            ),
            (
                "python3",
                "/usr/bin/python3",
                "python3 -u -B -W ignore -Im xonsh",
                Some(ShellName::Xonsh),
            ),
            ("j", "/usr/bin/python3", "python3 -u ./j xonsh", None),
            ("bash", "/usr/bin/python3", "python3 ./bash", None),
            ("zsh", "", "", Some(ShellName::Zsh)),
            ("make", "/usr/bin/make", "", None),
            ("sudo", "", "", None),
        ] {
            let process = Process {
                name: format!("{name}\n"),
                executable: Some(PathBuf::from(executable)).filter(|_| !executable.is_empty()),
                words: words.split(' ').map(str::to_owned).collect(),
            };
            assert_eq!(process.shell(), shell, "{process:?}");
        }
    }
}
