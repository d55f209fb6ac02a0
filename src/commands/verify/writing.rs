//! Findings as they come: the spaces of `--json`, the records of `--csv`.

use std::fs::File;
use std::io::{BufWriter, IsTerminal as _, Write};
use std::path::Path;

use anyhow::Context as _;
use serde_json::json;

use super::super::print;
use super::super::rejects::is_broken_pipe;
use super::super::whole;
use crate::cli::VerifyArgs;
use crate::settings::Settings;
use crate::verify::{self, CSV_COLUMNS, CheckedSpace, Ending, Report};
use crate::wording::harmless;

/// Where findings go while they come.
pub(super) struct Writing {
    json: bool,
    first: bool,
    csv: Option<csv::Writer<Box<dyn Write + Send>>>,
    /// Whether the CSV goes to a terminal, which is not to be disturbed.
    shown: bool,
}

impl Writing {
    pub(super) fn begin(args: &VerifyArgs, settings: &Settings, report: &Report) -> anyhow::Result<Writing> {
        let mut shown = false;
        let csv = match &args.csv {
            None => None,
            Some(file) => {
                let out: Box<dyn Write + Send> = if file.as_os_str() == "-" {
                    shown = std::io::stdout().is_terminal();
                    Box::new(std::io::stdout())
                } else {
                    Box::new(BufWriter::new(create(file)?))
                };
                let mut csv = csv::Writer::from_writer(out);
                csv.write_record(CSV_COLUMNS)?;
                Some(csv)
            }
        };
        if args.json {
            let head = json!({
                "journal": report.about.journal, "target": settings.target.as_str(), "running": report.about.running,
            });
            let head = head.to_string();
            // The object goes on until the end: spaces are written as they come.
            print(&format!("{},\"spaces\":[", head.trim_end_matches('}')))?;
        }
        Ok(Writing { json: args.json, first: true, csv, shown })
    }

    pub(super) fn space(&mut self, report: &Report, space: &CheckedSpace) -> anyhow::Result<()> {
        if self.json {
            let comma = if std::mem::replace(&mut self.first, false) { "" } else { "," };
            print(&format!("{comma}\n{}", verify::json_space(report, space)))?;
        }
        if let Some(csv) = &mut self.csv {
            let written = verify::csv_records(report, space)
                .into_iter()
                .try_for_each(|record| match self.shown {
                    true => csv.write_record(record.map(|cell| harmless(&cell).into_owned())),
                    false => csv.write_record(record),
                })
                .map_err(anyhow::Error::from);
            match written {
                Err(error) if is_broken_pipe(&error) => self.csv = None,
                written => written?,
            }
        }
        Ok(())
    }

    pub(super) fn end(&mut self, report: &Report, ending: &Ending) -> anyhow::Result<()> {
        if let Some(csv) = &mut self.csv {
            match csv.flush().map_err(anyhow::Error::from) {
                Err(error) if is_broken_pipe(&error) => {}
                flushed => flushed.context("the CSV cannot be written")?,
            }
        }
        if self.json {
            let end = verify::json_end(report, ending).to_string();
            print(&format!("\n],{}\n", end.trim_start_matches('{')))?;
        }
        Ok(())
    }
}

/// A new file, readable by its owner alone: it holds addresses. An existing one may be the journal or the input, and is
/// left alone.
fn create(path: &Path) -> anyhow::Result<File> {
    let mut options = File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map_err(|error| whole::not_made(path, &error))
}
