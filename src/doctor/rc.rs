//! The line that loads the integration, looked for in the files that a shell reads at its start.

use std::fs::File;
use std::io::Read;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use clap::ValueEnum;

use crate::cli::ShellName;
use crate::engine::answers;
use crate::host::context::Context;
use crate::ui::calling_shell;

/// More than any rc file has, in bytes.
const MOST: u64 = 1 << 20;

/// A line that loads the integration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    pub file: PathBuf,
    /// The program that it calls: a name, or a whole path.
    pub program: PathBuf,
}

/// The first line that loads the integration of a shell.
pub fn find(shell: ShellName, context: &Context) -> Option<Line> {
    let value = shell.to_possible_value()?;
    let mut names: Vec<&str> = value.get_name_and_aliases().collect();
    names.dedup();
    files(shell, value.get_name(), context)
        .into_iter()
        .filter(|file| answers::passes(file, context))
        .find_map(|file| {
            let program = at_home(&program_in(&read(&file)?, &names)?, &context.home);
            Some(Line { file, program })
        })
}

/// What an interactive shell of this name may read at its start: the user's own rc file first.
fn files(shell: ShellName, name: &str, context: &Context) -> Vec<PathBuf> {
    let home = |names: &[&str]| -> Vec<PathBuf> {
        names.iter().map(|name| context.home.join(name)).collect()
    };
    let system = |paths: &[&str]| -> Vec<PathBuf> { paths.iter().map(Into::into).collect() };
    let rc = calling_shell::rc_file(shell, context);
    let (own, systems) = match name {
        "bash" => (
            home(&[".bash_profile", ".bash_login", ".profile"]),
            // As Debian and Fedora have it.
            system(&["/etc/bash.bashrc", "/etc/bashrc", "/etc/profile"]),
        ),
        "zsh" => {
            let folder = rc.parent().unwrap_or(&context.home).to_owned();
            let beside = [".zprofile", ".zlogin", ".zshenv"].map(|name| folder.join(name));
            let systems = [
                "/etc/zsh/zshrc",
                "/etc/zshrc",
                "/etc/zsh/zshenv",
                "/etc/zshenv",
            ];
            (beside.to_vec(), system(&systems))
        }
        "fish" => {
            let folder = context.config_home().join("fish/conf.d");
            let mut systems = system(&["/etc/fish/config.fish"]);
            systems.extend(ending_in(Path::new("/etc/fish/conf.d"), "fish"));
            (ending_in(&folder, "fish"), systems)
        }
        "tcsh" => (home(&[".tcshrc", ".cshrc"]), system(&["/etc/csh.cshrc"])),
        _ => (Vec::new(), Vec::new()),
    };
    let snippets = match name {
        "bash" | "sh" => ending_in(Path::new("/etc/profile.d"), "sh"),
        _ => Vec::new(),
    };
    [vec![rc], own, systems, snippets].concat()
}

/// The files of a folder with that ending, by name.
fn ending_in(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut files: Vec<PathBuf> = entries
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|found| found == ending))
        .collect();
    files.sort();
    files
}

/// A file's text; nothing of a pipe, which nobody may ever write to.
fn read(file: &Path) -> Option<String> {
    let file = File::options()
        .read(true)
        .custom_flags(nix::libc::O_NONBLOCK)
        .open(file)
        .ok()?;
    if !file.metadata().ok()?.is_file() {
        return None;
    }
    let mut bytes = Vec::new();
    file.take(MOST).read_to_end(&mut bytes).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

/// The program of the first line with `PROGRAM init SHELL` that is no comment. Its name begins
/// with `ctr`, since other programs have an `init bash` too.
fn program_in(text: &str, shells: &[&str]) -> Option<String> {
    text.lines()
        .map(str::trim_start)
        .filter(|line| !line.starts_with('#'))
        .find_map(|line| program_of(line, shells))
}

fn program_of(line: &str, shells: &[&str]) -> Option<String> {
    // What parts words in one shell or another; a path with such a character is seen in part.
    let parts = |c: char| c.is_whitespace() || "\"'`()|;&<>".contains(c);
    let words: Vec<&str> = line.split(parts).filter(|word| !word.is_empty()).collect();
    let calls = words.windows(3).find(|three| {
        let name = three[0].rsplit('/').next().unwrap_or_default();
        name.starts_with("ctr") && three[1] == "init" && shells.contains(&three[2])
    });
    calls.map(|three| three[0].to_owned())
}

/// A program as the shell would find it, where it is written as below the home.
fn at_home(program: &str, home: &Path) -> PathBuf {
    ["~/", "$HOME/", "${HOME}/"]
        .iter()
        .find_map(|start| program.strip_prefix(start))
        .map_or_else(|| program.into(), |rest| home.join(rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_is_known_in_every_way_to_write_it() {
        for (line, program) in [
            ("eval \"$(ctr init bash)\"", "ctr"),
            (
                "  eval \"$(/opt/x/bin/ctr init bash --no-prompt)\"",
                "/opt/x/bin/ctr",
            ),
            (
                "[[ -x ~/bin/ctr ]] && eval \"$('/b/ctr' init bash)\"",
                "/b/ctr",
            ),
            (
                "command -v ctr >/dev/null && source <(ctr init bash)",
                "ctr",
            ),
            ("eval `ctr init bash`", "ctr"),
            ("eval \"$($HOME/bin/ctr init bash)\"", "$HOME/bin/ctr"),
            ("ctr init bash | source", "ctr"),
        ] {
            assert_eq!(
                program_in(line, &["bash"]).as_deref(),
                Some(program),
                "{line}"
            );
        }
    }

    #[test]
    fn a_program_below_the_home_is_found_there() {
        let home = Path::new("/home/u");
        for program in ["~/b/ctr", "$HOME/b/ctr", "${HOME}/b/ctr", "/home/u/b/ctr"] {
            assert_eq!(at_home(program, home), Path::new("/home/u/b/ctr"));
        }
        assert_eq!(at_home("ctr", home), Path::new("ctr"));
    }

    #[test]
    fn what_only_looks_like_it_is_none() {
        for line in [
            "# eval \"$(ctr init bash)\"",
            "eval \"$(zoxide init bash)\"",
            "eval \"$(ctr init zsh)\"",
            "echo ctr init",
            "eval \"$(ctr env bio)\" # init bash",
        ] {
            assert_eq!(program_in(line, &["bash"]), None, "{line}");
        }
    }

    #[test]
    fn a_shell_has_several_files_and_its_own_rc_file_is_the_first() {
        let context = crate::host::context::tests::context(&[("ZDOTDIR", "/z")]);
        let of = |shell, name| files(shell, name, &context);
        assert_eq!(of(ShellName::Bash, "bash")[0], Path::new("/home/u/.bashrc"));
        assert!(of(ShellName::Bash, "bash").contains(&"/etc/bash.bashrc".into()));
        assert_eq!(of(ShellName::Zsh, "zsh")[0], Path::new("/z/.zshrc"));
        let fish = Path::new("/home/u/.config/fish/config.fish");
        assert_eq!(of(ShellName::Fish, "fish")[0], fish);
        assert!(of(ShellName::Sh, "tcsh").contains(&"/home/u/.cshrc".into()));
    }

    #[test]
    fn a_pipe_is_not_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("rc");
        nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRWXU).unwrap();
        assert_eq!(read(&pipe), None);
    }
}
