//! The arguments of `tenure report`.

use std::path::PathBuf;

use clap::Args;

/// `tenure report`.
#[derive(Debug, Args)]
#[command(after_help = "\
For the people who ordered the migration, at its end or while it goes on:
  tenure report memberships.csv.journal.db -o report.html
  tenure report memberships.csv.journal.db -o for-everybody.html --no-addresses

The page is complete in itself: it loads nothing, sends nothing, and can be printed. It holds no
secrets, but it names people whose rows were refused, so only you can read it; --no-addresses makes
one for everybody.")]
pub struct ReportArgs {
    /// The journal of the run; a run may go on meanwhile
    #[arg(value_name = "JOURNAL")]
    pub journal: PathBuf,
    /// Write to this new file; - is standard output [default: <journal's name>.report.html in the current folder]
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Leave people's addresses out
    #[arg(long)]
    pub no_addresses: bool,
}
