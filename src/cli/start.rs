//! The arguments of `ctr start`.

use clap::{Args, ValueEnum};

use super::assignment;
use crate::names::{Assignment, InstanceName};

#[derive(Debug, Args)]
pub struct Start {
    /// Overlay: a name (`samtools/1.22`) or a file; later ones win
    #[arg(short, long = "overlay", value_name = "OVERLAY[:ro|:rw]")]
    pub overlays: Vec<String>,
    /// Open the ext3 overlay for writing
    #[arg(short, long)]
    pub writable: bool,
    /// Base image: a SIF, a sandbox folder, a URI, or `hostos`
    #[arg(short, long = "base-image", value_name = "IMAGE")]
    pub base_image: Option<String>,
    /// Bind a path of the host into the instance
    #[arg(long = "bind", value_name = "SRC[:DST[:OPTS]]")]
    pub binds: Vec<String>,
    /// Set a variable inside; the value is literal
    #[arg(short, long = "env", value_name = "KEY=VALUE", value_parser = assignment())]
    pub env: Vec<Assignment>,
    /// Set the variables of a file, lines `KEY=VALUE`; the values are literal
    #[arg(long = "env-file", value_name = "FILE")]
    pub env_files: Vec<String>,
    /// Start from an empty environment instead of the caller's, here and in every command inside
    #[arg(long)]
    pub cleanenv: bool,
    /// Attach a note to a variable
    #[arg(long = "note", value_name = "KEY=TEXT", value_parser = assignment())]
    pub notes: Vec<Assignment>,
    /// Appear as root inside
    #[arg(short, long)]
    pub fakeroot: bool,
    /// Which GPUs to bring in
    #[arg(long, value_name = "GPU")]
    pub gpu: Option<Gpu>,
    /// Print what would be done, and do nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Succeed when it runs already with this setup
    #[arg(long, conflicts_with = "replace")]
    pub if_needed: bool,
    /// Stop it first when it runs
    #[arg(long)]
    pub replace: bool,
    /// Name of the instance
    pub name: InstanceName,
    /// Flags for `apptainer instance start`
    #[arg(last = true, value_name = "APPTAINER FLAGS")]
    pub apptainer_flags: Vec<String>,
}

/// Which GPUs to bring in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Gpu {
    /// Those that `/dev` shows.
    Auto,
    None,
    Nvidia,
    Rocm,
}
