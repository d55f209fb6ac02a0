//! The arguments of `tenure report`.

use std::path::PathBuf;

use clap::Args;

/// `tenure report`.
#[derive(Debug, Args)]
pub struct ReportArgs {
    /// The journal of the run; a run may go on meanwhile
    #[arg(value_name = "JOURNAL")]
    pub journal: PathBuf,
    /// Write to this file, new or an earlier page; - is standard output [default: <journal's name>.report.html in the current folder]
    #[arg(short, long, value_name = "FILE", help_heading = "Output")]
    pub output: Option<PathBuf>,
    /// Leave people's addresses out
    #[arg(long, help_heading = "Output")]
    pub no_addresses: bool,
}
