//! The `tenure` program.

use std::process::ExitCode;

fn main() -> ExitCode {
    tenure::commands::run().into()
}
