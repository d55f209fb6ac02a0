//! The arguments of `tenure verify`.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::parse::{duration, quota};
use super::{ConnectionArgs, OutputArgs};

/// `tenure verify`.
#[derive(Debug, Args)]
pub struct VerifyArgs {
    /// The journal of the run; a run may go on meanwhile
    #[arg(value_name = "JOURNAL")]
    pub journal: PathBuf,
    /// Only this space, by id or name; may be given several times
    #[arg(long = "space", value_name = "NAME", help_heading = "Selection")]
    pub spaces: Vec<String>,
    /// Print one JSON object
    #[arg(long, help_heading = "Output")]
    pub json: bool,
    /// Write every finding to this new file as CSV; - is standard output
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub csv: Option<PathBuf>,
    /// Where to.
    #[command(flatten)]
    pub connection: ConnectionArgs,
    /// Look at what a rehearsal has left
    #[arg(long, conflicts_with = "endpoint", help_heading = "Connection")]
    pub emulator: bool,
    /// Membership reads per minute, 0 = no limit; of one space never more than 15 a second [default: 3000]
    #[arg(long, value_name = "N", value_parser = quota, help_heading = "Pace")]
    pub reads_per_minute: Option<u32>,
    /// Stop after nothing but failures for this long [default: 10m]
    #[arg(long, value_name = "TIME", value_parser = duration, help_heading = "Pace")]
    pub give_up_after: Option<Duration>,
    /// What to show.
    #[command(flatten)]
    pub output: OutputArgs,
}
