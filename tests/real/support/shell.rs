//! The shells of users, with and without a terminal.

use std::fs;
use std::ops::{Deref, DerefMut};
use std::path::{Path, PathBuf};

use super::place::tool;
use super::{Place, Run, Terminal};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shell {
    Bash,
    Zsh,
    Fish,
    Sh,
    Tcsh,
    Elvish,
    Xonsh,
}

/// Shells, of which a test goes through those that are supported here.
#[derive(Clone, Copy)]
pub struct Shells(pub &'static [Shell]);

impl IntoIterator for Shells {
    type Item = Shell;
    type IntoIter = std::vec::IntoIter<Shell>;

    fn into_iter(self) -> Self::IntoIter {
        let shells: Vec<Shell> = here(self.0.iter().copied()).collect();
        shells.into_iter()
    }
}

/// What a test does in a shell.
pub trait Case {
    fn shell(&self) -> Shell;
}

impl Case for Shell {
    fn shell(&self) -> Shell {
        *self
    }
}

impl<A> Case for (Shell, A) {
    fn shell(&self) -> Shell {
        self.0
    }
}

impl<A, B> Case for (Shell, A, B) {
    fn shell(&self) -> Shell {
        self.0
    }
}

impl<A, B, C> Case for (Shell, A, B, C) {
    fn shell(&self) -> Shell {
        self.0
    }
}

/// The cases of a test whose shell is supported here.
pub fn here<C: Case>(cases: impl IntoIterator<Item = C>) -> impl Iterator<Item = C> {
    let cases = cases.into_iter();
    cases.filter(|case| case.shell().is_supported())
}

/// What the prompt of every interactive shell here ends with.
const PROMPT: &str = "READY>";

impl Shell {
    /// Those that most tests run in.
    pub const ALL: Shells = Shells(&[Shell::Bash, Shell::Zsh, Shell::Fish]);
    /// Those with tests of their own, in `shells.rs`.
    pub const OTHERS: Shells = Shells(&[Shell::Sh, Shell::Tcsh, Shell::Elvish, Shell::Xonsh]);

    pub fn name(self) -> &'static str {
        match self {
            Shell::Bash => "bash",
            Shell::Zsh => "zsh",
            Shell::Fish => "fish",
            Shell::Sh => "sh",
            Shell::Tcsh => "tcsh",
            Shell::Elvish => "elvish",
            Shell::Xonsh => "xonsh",
        }
    }

    /// True unless `scripts/test --shells` names others in `CTR_TEST_SHELLS`, on a Debian whose
    /// release of this shell is too old.
    fn is_supported(self) -> bool {
        let named = |names: String| names.split(' ').any(|name| name == self.name());
        std::env::var("CTR_TEST_SHELLS").map_or(true, named)
    }

    fn program(self) -> PathBuf {
        tool(match self {
            Shell::Sh => "dash",
            _ => self.name(),
        })
    }

    /// The shell with no rc files, which will read `script` from a file: `bash FILE`.
    pub fn script(self, place: &Place, script: &str) -> Run {
        let file = fresh(place, "script");
        fs::write(&file, script).expect("a new file");
        self.bare(place).arg(file)
    }

    /// The shell with no rc files, to be given arguments: `["-c", "…"]`.
    pub fn bare(self, place: &Place) -> Run {
        let options: &[&str] = match self {
            Shell::Bash => &["--noprofile", "--norc"],
            Shell::Zsh => &["-f"],
            Shell::Fish => &["--no-config"],
            Shell::Sh => &[],
            Shell::Tcsh => &["-f"],
            Shell::Elvish => &["-norc"],
            Shell::Xonsh => &["--no-rc"],
        };
        place.program(self.program()).args(options)
    }

    /// An interactive shell in a terminal, whose rc file sets the prompt `READY> ` and then does
    /// what `rc` says; waits until it is at its prompt.
    #[track_caller]
    pub fn interactive(self, place: &Place, rc: &str) -> Session {
        self.session(place, place.program(self.program()), rc)
    }

    /// The same, from a run that a test has prepared: `place.program("zsh").env(…)`.
    #[track_caller]
    pub fn session(self, place: &Place, run: Run, rc: &str) -> Session {
        let run = match self {
            Shell::Bash => {
                let rc = place.write("rc/bashrc", format!("PS1='{PROMPT} '\n{rc}\n"));
                run.args(["--noprofile", "--rcfile"]).arg(rc).arg("-i")
            }
            Shell::Zsh => {
                let rc = place.write("rc/.zshrc", format!("PS1='{PROMPT} '\n{rc}\n"));
                run.env("ZDOTDIR", rc.parent().expect("is in a folder"))
                    .args(["-d", "-i"])
            }
            Shell::Fish => {
                let prompt = format!("function fish_prompt; printf '{PROMPT} '; end");
                let rc = format!("set -g fish_greeting\n{prompt}\n{rc}\n");
                place.write("config/fish/config.fish", rc);
                // Else it sets out to read every man page of the machine.
                place.folder("data/fish/generated_completions");
                run.args(["--private", "-i"])
            }
            Shell::Sh => {
                let rc = place.write("rc/shrc", format!("PS1='{PROMPT} '\n{rc}\n"));
                run.env("ENV", rc).arg("-i")
            }
            Shell::Tcsh => {
                place.write("home/.tcshrc", format!("set prompt='{PROMPT} '\n{rc}\n"));
                run
            }
            Shell::Elvish => {
                let prompt =
                    format!("set edit:prompt = {{ put '{PROMPT} ' }}; set edit:rprompt = {{ }}");
                place.write("config/elvish/rc.elv", format!("{prompt}\n{rc}\n"));
                run
            }
            Shell::Xonsh => {
                let rc = place.write("rc/xonshrc", format!("$PROMPT = '{PROMPT} '\n{rc}\n"));
                run.args(["--shell-type", "readline", "--rc"])
                    .arg(rc)
                    .arg("-i")
            }
        };
        let session = Session {
            shell: self,
            terminal: run.terminal(),
            folder: place.folder("session"),
            evaluations: 0,
        };
        session.prompt();
        session
    }

    /// `KEY=VALUE` exported, in this shell's words; VALUE must need no quotes but single ones.
    pub fn export(self, key: &str, value: &str) -> String {
        match self {
            Shell::Fish => format!("set -gx {key} '{value}'"),
            Shell::Tcsh => format!("setenv {key} '{value}'"),
            Shell::Elvish => format!("set-env {key} '{value}'"),
            Shell::Xonsh => format!("${key} = '{value}'"),
            _ => format!("export {key}='{value}'"),
        }
    }

    /// A variable taken away, in this shell's words.
    pub fn unset(self, key: &str) -> String {
        match self {
            Shell::Fish => format!("set -e {key}"),
            Shell::Tcsh => format!("unsetenv {key}"),
            Shell::Elvish => format!("unset-env {key}"),
            Shell::Xonsh => format!("del ${key}"),
            _ => format!("unset {key}"),
        }
    }

    /// The evaluation of what a command prints, as users write it.
    pub fn eval(self, command: &str) -> String {
        match self {
            Shell::Fish => format!("{command} | source"),
            Shell::Tcsh => format!("eval \"`{command}`\""),
            Shell::Elvish => format!("eval ({command} | slurp)"),
            // As in its rc file, where `$(…)` loses output when the machine is busy.
            Shell::Xonsh if command.starts_with("ctr init ") => format!(
                "execx(__import__('subprocess').check_output('{command}', shell=True, text=True))"
            ),
            Shell::Xonsh => format!("execx($({command}))"),
            _ => format!("eval \"$({command})\""),
        }
    }

    /// The environment of a child, written to a file.
    pub fn environment_to(self, file: &Path) -> String {
        let command = match self {
            Shell::Tcsh | Shell::Elvish | Shell::Xonsh => "env",
            _ => "command env",
        };
        format!("{command} -0 > {}", file.display())
    }

    /// What the last command ended with, as a word.
    pub fn status(self) -> &'static str {
        match self {
            Shell::Fish | Shell::Tcsh => "$status",
            _ => "$?",
        }
    }
}

/// A file that is not there yet.
fn fresh(place: &Place, kind: &str) -> PathBuf {
    let file = tempfile::NamedTempFile::with_prefix_in(kind, place.folder("session"));
    file.expect("a new file").keep().expect("stays").1
}

/// An interactive shell at its prompt; also a `Terminal`.
pub struct Session {
    shell: Shell,
    terminal: Terminal,
    folder: PathBuf,
    evaluations: usize,
}

impl Session {
    pub fn shell(&self) -> Shell {
        self.shell
    }

    /// Types a line. Xonsh 0.24 asks the terminal where the cursor is before each prompt, and loses
    /// what was typed ahead: its prompt is waited for, and the line until it is seen.
    #[track_caller]
    pub fn line(&mut self, text: &str) {
        if self.shell != Shell::Xonsh {
            return self.terminal.line(text);
        }
        self.prompt();
        let before = self.terminal.screen();
        self.terminal.line(text);
        self.terminal.until("the line is taken", |terminal| {
            (terminal.screen() != before).then_some(())
        });
    }

    /// Has the shell itself run these commands, and gives exactly what they printed, stderr too.
    #[track_caller]
    pub fn eval(&mut self, commands: &str) -> String {
        String::from_utf8(self.eval_bytes(commands)).expect("UTF-8")
    }

    #[track_caller]
    pub fn eval_bytes(&mut self, commands: &str) -> Vec<u8> {
        self.prompt();
        self.evaluations += 1;
        let n = self.evaluations;
        let file = |end: &str| self.folder.join(format!("eval.{end}"));
        let (source, output) = (file("source"), file("output"));
        fs::write(&source, format!("{commands}\n")).expect("a new file");
        // The mark reaches the screen after all that was shown before, and not by being typed.
        let (source_path, output_path) = (source.display(), output.display());
        let run = match self.shell {
            Shell::Sh => format!(". {source_path} > {output_path} 2>&1"),
            Shell::Tcsh => format!("source {source_path} >& {output_path}"),
            Shell::Elvish => format!("eval (slurp < {source_path}) > {output_path} 2>&1"),
            // A function of Python whose output it redirects may find that closed.
            Shell::Xonsh
                if commands.starts_with("ctr use") || commands.starts_with("ctr leave") =>
            {
                fs::write(&output, "").expect("a new file");
                format!("{commands} ") // it looks at whole words
            }
            // Of what it reads from a file it redirects nothing: one command at a time.
            Shell::Xonsh => format!("{commands} > {output_path} 2>&1"),
            _ => format!("source {source_path} > {output_path} 2>&1"),
        };
        let mark = match self.shell {
            Shell::Xonsh => format!("@('evaluated-' + '{n}.')"),
            _ => format!("evaluated''-{n}."),
        };
        let line = format!(" {run}; echo {mark}");
        self.terminal.line(&line);
        let mark = format!("evaluated-{n}.");
        self.terminal.until(commands, |terminal| {
            terminal.screen().contains(&mark).then_some(())
        });
        fs::read(&output).expect("the shell has written it")
    }

    /// Waits until the shell is at its prompt, and gives the whole line of it, without the space at
    /// its end: `READY>`, or what was put before.
    #[track_caller]
    pub fn prompt(&self) -> String {
        self.terminal.until("a prompt", |terminal| {
            let line = terminal.cursor_line();
            let line = line.trim_end();
            line.ends_with(PROMPT).then(|| line.to_owned())
        })
    }
}

impl Deref for Session {
    type Target = Terminal;

    fn deref(&self) -> &Terminal {
        &self.terminal
    }
}

impl DerefMut for Session {
    fn deref_mut(&mut self) -> &mut Terminal {
        &mut self.terminal
    }
}
