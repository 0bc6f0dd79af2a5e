//! The arguments of `ctr shim` and `ctr why`.

use clap::{Args, Subcommand};

use crate::names::{CommandName, Target};

#[derive(Debug, Args)]
#[command(disable_help_subcommand = true)]
pub struct Shim {
    #[command(subcommand)]
    pub action: ShimAction,
}

#[derive(Debug, Subcommand)]
pub enum ShimAction {
    /// Put commands on PATH
    Add(ShimAdd),
    /// List the commands that are on PATH
    #[command(alias = "ls")]
    List(ShimList),
    /// Take commands off PATH
    Remove(ShimRemove),
}

#[derive(Debug, Args)]
#[command(
    override_usage = "ctr shim add [OPTIONS] NAME COMMAND...\n       ctr shim add [OPTIONS] --all NAME"
)]
pub struct ShimAdd {
    /// All that the overlays brought (what is in their `bin` folders)
    #[arg(long, conflicts_with = "commands")]
    pub all: bool,
    /// The instance
    pub name: Target,
    /// Commands of the instance
    #[arg(value_name = "COMMAND", required_unless_present = "all")]
    pub commands: Vec<CommandName>,
}

#[derive(Debug, Args)]
pub struct ShimList {
    /// Print one JSON document
    #[arg(long)]
    pub json: bool,
    /// The instance; all of this host when not given
    pub name: Option<Target>,
}

#[derive(Debug, Args)]
#[command(
    override_usage = "ctr shim remove [OPTIONS] NAME COMMAND...\n       ctr shim remove [OPTIONS] --all NAME"
)]
pub struct ShimRemove {
    /// All of the instance
    #[arg(long, conflicts_with = "commands")]
    pub all: bool,
    /// The instance
    pub name: Target,
    /// Commands that are on PATH
    #[arg(value_name = "COMMAND", required_unless_present = "all")]
    pub commands: Vec<CommandName>,
}

#[derive(Debug, Args)]
pub struct Why {
    /// A command's name, or the path of a program
    pub command: String,
}
