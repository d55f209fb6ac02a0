//! `tenure reference`: the command line as a page of the documentation.

use super::print;
use crate::cli;
use crate::exit::Exit;

pub(super) fn run() -> anyhow::Result<Exit> {
    print(&cli::reference())?;
    Ok(Exit::Done)
}
