//! The arguments of `tenure config`, and where every command finds its settings.

use std::path::PathBuf;

use clap::Args;

/// Where settings are that are not typed.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Configuration")]
pub struct ConfigFileArgs {
    /// Settings from this file [default: tenure.toml beside the journal, else in the current folder]
    #[arg(long, value_name = "FILE", global = true, hide_short_help = true, conflicts_with = "no_config")]
    pub config: Option<PathBuf>,
    /// No settings from any file
    #[arg(long, global = true, hide_short_help = true)]
    pub no_config: bool,
}

/// `tenure config`.
#[derive(Debug, Args)]
pub struct ConfigArgs {
    /// A journal: shows what it remembers, and the tenure.toml beside it
    #[arg(value_name = "JOURNAL")]
    pub journal: Option<PathBuf>,
    /// Show the options too that belong to one command alone and are set nowhere
    #[arg(long, help_heading = "Output")]
    pub all: bool,
    /// Print one JSON object
    #[arg(long, help_heading = "Output")]
    pub json: bool,
}
