//! What is made of the history that the input holds: a matter of imports alone.

use clap::{Args, ValueEnum};

use super::{ImportArgs, RetryArgs};
use crate::model::Stints;

/// `tenure import`.
#[derive(Debug, Args)]
pub struct ImportOnlyArgs {
    /// What it shares with `tenure update`.
    #[command(flatten)]
    pub bulk: ImportArgs,
    /// What is made of the history.
    #[command(flatten)]
    pub stints: StintArgs,
    /// What is to be tried again.
    #[command(flatten)]
    pub retry: RetryArgs,
}

/// What is made of the history that the input holds.
#[derive(Debug, Default, Clone, Copy, Args)]
#[command(next_help_heading = "History")]
pub struct StintArgs {
    /// Several stints of one member in one space: each a membership, or merged into one from the earliest start to the
    /// latest end; a journal keeps to it [default: each]
    #[arg(long, value_name = "WHAT")]
    pub stints: Option<StintsMode>,
    /// Send those who are still members as history until now, too, as other migrators do; they are added once their
    /// space is completed, as without it
    #[arg(long)]
    pub bridge_current: bool,
}

/// What is made of several stints.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum StintsMode {
    /// Each is a membership
    Each,
    /// One membership for them all
    Merge,
}

impl From<StintsMode> for Stints {
    fn from(mode: StintsMode) -> Self {
        match mode {
            StintsMode::Each => Stints::Each,
            StintsMode::Merge => Stints::Merge,
        }
    }
}
