//! The arguments of `tenure doctor`.

use std::path::PathBuf;

use clap::Args;

use super::{ConnectionArgs, ReadArgs};

/// `tenure doctor`.
#[derive(Debug, Args)]
pub struct DoctorArgs {
    /// Input whose spaces are to be looked at too
    #[arg(value_name = "INPUT")]
    pub inputs: Vec<PathBuf>,
    /// Print one JSON object
    #[arg(long, help_heading = "Output")]
    pub json: bool,
    /// Find out what Google does not document, in a throwaway space that is created and deleted again
    #[arg(long, help_heading = "Probe")]
    pub probe: bool,
    /// Do not ask before a probe
    #[arg(short, long, requires = "probe", help_heading = "Safety")]
    pub yes: bool,
    /// How the input is read.
    #[command(flatten)]
    pub read: ReadArgs,
    /// Where to.
    #[command(flatten)]
    pub connection: ConnectionArgs,
}
