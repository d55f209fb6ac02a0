//! `tenure config`: what holds here, and where each value comes from.

use super::{print, send, table_columns, tell};
use crate::cli::{self, ConfigArgs};
use crate::config::{Found, Remembered, Report};
use crate::exit::Exit;
use crate::journal::Journal;
use crate::settings::{GOOGLE_CREDENTIALS, variable};

pub(super) fn run(args: ConfigArgs, found: &Found) -> anyhow::Result<Exit> {
    let mut remembered = Vec::new();
    if let Some(path) = &args.journal {
        let at = |error: crate::journal::JournalError| error.at(path);
        let journal = Journal::open_read_only(path).map_err(at)?;
        if journal.last_run().map_err(at)?.is_some() {
            let told = send::last_settings(&journal).map_err(at)?.by_option();
            let told =
                told.into_iter().map(|(option, value)| Remembered { option, value, source: "journal" });
            remembered.extend(told);
        }
    }
    if let Some(value) = variable(GOOGLE_CREDENTIALS) {
        remembered.push(Remembered { option: "credentials", value, source: GOOGLE_CREDENTIALS });
    }
    let mut report = Report::new(&cli::command(), found, args.journal, &remembered);
    if !args.all {
        report = report.without_unset();
    }
    if args.json {
        print(&format!("{}\n", report.json()))?;
    } else {
        tell(&report.text(table_columns()))?;
    }
    Ok(Exit::Done)
}
