//! The arguments of what is made from the command line's own definition: completions and manual pages.

use std::path::PathBuf;

use clap::Args;

/// `tenure completions`.
#[derive(Debug, Args)]
pub struct CompletionsArgs {
    /// Which shell
    #[arg(value_name = "SHELL")]
    pub shell: clap_complete::Shell,
}

/// `tenure man`.
#[derive(Debug, Args)]
pub struct ManArgs {
    /// Which command's page, e.g. import, or spaces create [default: the program's]
    #[arg(value_name = "COMMAND", conflicts_with = "output")]
    pub command: Vec<String>,
    /// Write every page to this folder, a file each
    #[arg(short, long, value_name = "FOLDER", help_heading = "Output")]
    pub output: Option<PathBuf>,
}
