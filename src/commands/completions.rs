//! `tenure completions`: a script for the shell.

use super::print;
use crate::cli::{self, CompletionsArgs};
use crate::exit::Exit;

pub(super) fn run(args: &CompletionsArgs) -> anyhow::Result<Exit> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut cli::command(), "tenure", &mut script);
    print(&String::from_utf8_lossy(&script))?;
    Ok(Exit::Done)
}
