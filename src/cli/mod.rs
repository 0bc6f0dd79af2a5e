//! The command line: clap types and nothing else. What is read here is checked here.

pub mod parse;
mod shim;
mod start;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::builder::{OsStringValueParser, TypedValueParser};
use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::config::Join;
use crate::names::{Assignment, InstanceName, Pattern, Target};
pub use crate::shell::ShellName;
pub use shim::{Shim, ShimAction, ShimAdd, ShimList, ShimRemove, Why};
pub use start::{Gpu, Start};

/// Background containers that feel like a place in your own shell.
#[derive(Debug, Parser)]
#[command(name = "ctr", version, propagate_version = true, max_term_width = 100)]
pub struct Cli {
    #[command(flatten)]
    pub global: Global,
    #[command(subcommand)]
    pub command: Command,
}

/// Options that every command takes.
#[derive(Debug, Clone, Args)]
pub struct Global {
    /// Say only what went wrong
    #[arg(
        short,
        long,
        global = true,
        conflicts_with = "verbose",
        display_order = 900
    )]
    pub quiet: bool,
    /// Say what is decided on the way, and why
    #[arg(short, long, global = true, display_order = 901)]
    pub verbose: bool,
    /// When to use colour
    #[arg(
        long,
        global = true,
        value_name = "WHEN",
        default_value = "auto",
        display_order = 902
    )]
    pub color: Color,
}

/// When to use colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal, unless `NO_COLOR` is set.
    Auto,
    Always,
    Never,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Start an instance and remember its setup
    Start(Start),
    /// Run a command inside an instance
    Exec(Exec),
    /// Become an interactive shell inside an instance
    Enter(Enter),
    /// Print shell code that makes an instance active, or leaves it
    Env(Env),
    /// Print the shell integration for an rc file
    Init(Init),
    /// Make an instance active in this shell (needs the integration)
    Use(Use),
    /// Leave the active instance (needs the integration)
    Leave,
    /// Print the active instance for a prompt
    Prompt(Prompt),
    /// Put commands of an instance on your own PATH
    Shim(Shim),
    /// Tell what runs when a command is typed
    ///
    /// As far as `PATH` decides it: aliases and functions of the shell come before.
    Why(Why),
    /// Stop instances and remove what is left of them
    Stop(Stop),
    /// Start instances again with the setup that was saved
    Restart(Restart),
    /// List instances
    #[command(alias = "ls")]
    List(List),
    /// Show what instances use: CPU, memory, I/O
    Stats(Stats),
    /// Show all that is known of an instance
    Show(Show),
    /// Read and write the notes of an instance
    Note(Note),
    /// Show what an instance's start script printed
    Logs(Logs),
    /// Remove the state of instances that are gone
    Prune(Prune),
    /// List the overlays that names resolve to
    Overlays(Overlays),
    /// Show every setting in force, and where it came from
    Config(Config),
    /// Check that this machine can run instances
    Doctor(Doctor),
    /// Print the completion file for a shell
    Completions(Completions),
    /// Print or write the man pages
    Man(Man),
}

#[derive(Debug, Args)]
#[command(override_usage = "ctr exec [OPTIONS] NAME [--] COMMAND [ARG]...")]
pub struct Exec {
    #[command(flatten)]
    pub options: ExecOptions,
    /// The instance (`.` is the active one), then the command and its arguments
    #[arg(
        required = true,
        num_args = 1..,
        trailing_var_arg = true,
        value_names = ["NAME", "COMMAND"],
    )]
    pub words: Vec<OsString>,
}

#[derive(Debug, Default, Args)]
pub struct ExecOptions {
    /// Set a variable for this command; the value is literal
    #[arg(short, long = "env", value_name = "KEY=VALUE", value_parser = assignment())]
    pub env: Vec<Assignment>,
    /// Set the variables of a file, lines `KEY=VALUE`; the values are literal
    #[arg(long = "env-file", value_name = "FILE")]
    pub env_files: Vec<String>,
    /// Start from an empty environment instead of the caller's
    #[arg(long)]
    pub cleanenv: bool,
    /// Keep the caller's variables that would break a foreign image
    #[arg(long)]
    pub keep_env: bool,
    /// Run in this folder of the instance
    #[arg(long, value_name = "DIR")]
    pub cwd: Option<String>,
    /// Which way into the instance to take
    #[arg(long, value_name = "WAY")]
    pub join: Option<Join>,
}

#[derive(Debug, Args)]
pub struct Enter {
    /// Set a variable for this shell; the value is literal
    #[arg(short, long = "env", value_name = "KEY=VALUE", value_parser = assignment())]
    pub env: Vec<Assignment>,
    /// Set the variables of a file, lines `KEY=VALUE`; the values are literal
    #[arg(long = "env-file", value_name = "FILE")]
    pub env_files: Vec<String>,
    /// Start from an empty environment instead of the caller's
    #[arg(long)]
    pub cleanenv: bool,
    /// The shell to run inside
    #[arg(long, value_name = "PATH")]
    pub shell: Option<String>,
    /// The instance; the active one when not given
    pub name: Option<Target>,
}

#[derive(Debug, Args)]
pub struct Env {
    /// The shell to print code for; found from the calling process when not given
    #[arg(long)]
    pub shell: Option<ShellName>,
    /// Print nothing and succeed when the instance does not run
    #[arg(long)]
    pub if_running: bool,
    /// Leave the active instance
    #[arg(long, conflicts_with_all = ["name", "json", "if_running"])]
    pub unset: bool,
    /// Print one JSON document instead of code
    #[arg(long)]
    pub json: bool,
    /// Bring the shell up to date with its active instance: what the prompt hook evaluates
    #[arg(long, hide = true, conflicts_with_all = ["name", "json", "if_running", "unset"])]
    pub refresh: bool,
    /// Hold PATH against what is active, of these folders: what the prompt hook evaluates
    #[arg(long, hide = true, value_name = "FOLDERS", allow_hyphen_values = true,
          conflicts_with_all = ["name", "json", "if_running", "unset", "refresh"])]
    pub hold: Option<OsString>,
    /// The instance; the active one when not given
    pub name: Option<Target>,
}

#[derive(Debug, Args)]
pub struct Use {
    /// The instance
    pub name: Target,
}

#[derive(Debug, Args)]
pub struct Init {
    /// The shell of the rc file
    pub shell: ShellName,
    /// Leave the prompt alone
    #[arg(long)]
    pub no_prompt: bool,
    /// Do not load completion
    #[arg(long)]
    pub no_completion: bool,
    /// Name of the shell function
    #[arg(long, value_name = "NAME", default_value = "ctr", value_parser = function_name)]
    pub cmd: String,
    /// Make the file that is tcsh's function, and print its path: what its alias calls
    #[arg(long, hide = true)]
    pub command_file: bool,
}

#[derive(Debug, Args)]
pub struct Prompt {
    /// What to print, `{name}` standing for the instance
    #[arg(long, value_name = "FORMAT")]
    pub format: Option<String>,
}

#[derive(Debug, Args)]
pub struct Stop {
    /// All that `ctr` tracks on this host
    #[arg(short, long, conflicts_with = "patterns")]
    pub all: bool,
    /// Also instances that were started without `ctr`
    #[arg(long)]
    pub untracked: bool,
    /// Keep the setup, for `ctr restart`
    #[arg(long)]
    pub keep: bool,
    /// Kill at once, without asking the processes to end
    #[arg(short = 'F', long, conflicts_with_all = ["signal", "timeout"])]
    pub force: bool,
    /// The signal that asks all processes to end; without it SIGINT, SIGTERM to those who ignore that,
    /// and SIGHUP too to those at a terminal
    #[arg(short, long, value_name = "SIGNAL")]
    pub signal: Option<String>,
    /// Seconds until they are killed
    #[arg(short, long, value_name = "SECONDS", default_value_t = 10)]
    pub timeout: u64,
    /// Names or shell patterns
    #[arg(value_name = "NAME|PATTERN", required_unless_present = "all")]
    pub patterns: Vec<Pattern>,
}

#[derive(Debug, Args)]
pub struct Restart {
    /// Names or shell patterns; the active one when not given
    #[arg(value_name = "NAME|PATTERN")]
    pub patterns: Vec<Pattern>,
}

#[derive(Debug, Args)]
pub struct List {
    /// Print one JSON document
    #[arg(long)]
    pub json: bool,
    /// Print only the names
    #[arg(long, conflicts_with = "json")]
    pub names: bool,
    /// Also the instances of other hosts that share this home
    #[arg(long)]
    pub all_hosts: bool,
    /// Only names that match
    pub pattern: Option<Pattern>,
}

#[derive(Debug, Args)]
pub struct Stats {
    /// Print one JSON document
    #[arg(long)]
    pub json: bool,
    /// Redraw until interrupted
    #[arg(long, conflicts_with = "json")]
    pub watch: bool,
    /// Names or shell patterns; every running instance when not given
    #[arg(value_name = "NAME|PATTERN")]
    pub patterns: Vec<Pattern>,
}

#[derive(Debug, Args)]
pub struct Show {
    /// Print one JSON document
    #[arg(long)]
    pub json: bool,
    /// The instance; the active one when not given
    pub name: Option<Target>,
}

#[derive(Debug, Args)]
pub struct Note {
    /// The note on the instance itself
    #[arg(short, value_name = "TEXT", conflicts_with_all = ["remove", "note"])]
    pub message: Option<String>,
    /// Remove the note on a variable
    #[arg(long, requires = "note")]
    pub remove: bool,
    /// The instance
    pub name: Target,
    /// A variable, to read its note, or KEY=TEXT, to write it
    #[arg(value_name = "KEY[=TEXT]")]
    pub note: Option<String>,
}

#[derive(Debug, Args)]
pub struct Logs {
    /// Go on as it grows, until the instance ends
    #[arg(long)]
    pub follow: bool,
    /// Only standard error
    #[arg(long, conflicts_with = "stdout")]
    pub stderr: bool,
    /// Only standard output
    #[arg(long)]
    pub stdout: bool,
    /// Byte for byte, control characters too, which are shown escaped otherwise
    #[arg(long)]
    pub raw: bool,
    /// The instance; the active one when not given
    pub name: Option<Target>,
}

#[derive(Debug, Args)]
pub struct Prune {
    /// Print what would be removed, and remove nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Forget those too that cannot be judged from here, as in another pid namespace
    #[arg(long)]
    pub force: bool,
}

#[derive(Debug, Args)]
pub struct Overlays {
    /// Print one JSON document
    #[arg(long)]
    pub json: bool,
    /// Only names that match
    pub pattern: Option<Pattern>,
}

#[derive(Debug, Args)]
pub struct Config {
    /// Print one JSON document
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct Doctor {
    /// Print one JSON document
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct Completions {
    /// The shell
    pub shell: clap_complete::Shell,
}

#[derive(Debug, Args)]
pub struct Man {
    /// Write one file a page into this folder, instead of `ctr(1)` to stdout
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
}

fn assignment() -> impl TypedValueParser<Value = Assignment> {
    OsStringValueParser::new().try_map(Assignment::from_argument)
}

/// The name of a shell function: the same set in every shell.
fn function_name(text: &str) -> Result<String, String> {
    text.parse::<InstanceName>()
        .map(|name| name.to_string())
        .map_err(|_| format!("`{}` is not a name for a function", text.escape_debug()))
}
