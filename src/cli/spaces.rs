//! `tenure spaces`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::{ConnectionArgs, SendArgs, examples};

/// What to do with spaces.
#[derive(Debug, Subcommand)]
pub enum SpacesCommand {
    /// Create a space in import mode for each channel, journaled: run it again to go on
    #[command(after_long_help = examples::SPACES_CREATE)]
    Create(SpacesCreateArgs),
    /// Show the spaces of a journal, and how many days Chat leaves them
    #[command(after_long_help = examples::SPACES_LIST)]
    List(SpacesListArgs),
    /// Complete single spaces, one call each, without a journal; `tenure complete` does it for a whole import
    #[command(after_long_help = examples::SPACES_COMPLETE)]
    Complete(SpacesCompleteArgs),
}

/// What to do when a display name is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum NameClash {
    /// The channel is rejected, and says so
    Reject,
    /// The space gets a number: Sales (2)
    Suffix,
}

/// `tenure spaces create`.
#[derive(Debug, Args)]
pub struct SpacesCreateArgs {
    /// CSV or JSONL files of channels
    #[arg(required = true, value_name = "CHANNELS")]
    pub inputs: Vec<PathBuf>,
    /// Journal of the run [default: <input name>.journal.db in the current folder]
    #[arg(long, value_name = "FILE", help_heading = "Journal")]
    pub journal: Option<PathBuf>,
    /// Where to write the map [default: <input name without its ending>.spaces.csv in the current folder]
    #[arg(long, value_name = "MAP.csv", help_heading = "Journal")]
    pub map: Option<PathBuf>,
    /// When a display name is taken
    #[arg(long, value_name = "HOW", default_value = "reject", help_heading = "Channels")]
    pub on_name_clash: NameClash,
    /// Read and check the channels; create nothing
    #[arg(long, help_heading = "Safety")]
    pub dry_run: bool,
    /// Where to, how fast, and what to show.
    #[command(flatten)]
    pub send: SendArgs,
}

/// `tenure spaces list`.
#[derive(Debug, Args)]
pub struct SpacesListArgs {
    /// The journal of `spaces create` or of an import
    #[arg(value_name = "JOURNAL")]
    pub journal: PathBuf,
    /// Print one JSON object a line
    #[arg(long, help_heading = "Output")]
    pub json: bool,
}

/// `tenure spaces complete`.
#[derive(Debug, Args)]
pub struct SpacesCompleteArgs {
    /// The spaces: spaces/AAAA, or bare ids
    #[arg(required = true, value_name = "SPACE")]
    pub spaces: Vec<String>,
    /// Complete without asking
    #[arg(short, long, help_heading = "Safety")]
    pub yes: bool,
    /// Where to.
    #[command(flatten)]
    pub connection: ConnectionArgs,
}
