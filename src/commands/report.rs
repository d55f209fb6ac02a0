//! `tenure report`: one page for those who would rather look than read.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use super::{neighbours, note, print, whole};
use crate::cli::ReportArgs;
use crate::exit::Exit;
use crate::journal::{ChannelFigures, Journal, JournalError, Lock, RejectKind, SpaceFigures};
use crate::model::{SpaceId, Timestamp, Undertaking};
use crate::report::{self, Addresses, Figures, SAMPLES_MAX, SPACES_BY_YEAR_MAX};
use crate::wording::{many, quoted, trouble_making};

pub(super) fn run(args: &ReportArgs) -> anyhow::Result<Exit> {
    let path = &args.journal;
    let figures = gather(path, Timestamp::now()).map_err(|error| error.at(path))?;
    let addresses = if args.no_addresses { Addresses::LeftOut } else { Addresses::Shown };
    let page = report::page(&figures, addresses);
    let output = args.output.clone().unwrap_or_else(|| beside(path));
    if output.as_os_str() == "-" {
        // As it is: what a page holds for a browser is harmless there.
        let mut out = std::io::stdout().lock();
        return match out.write_all(page.as_bytes()).and_then(|()| out.flush()) {
            Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
                Err(error).context("standard output cannot be written")
            }
            _ => Ok(Exit::Done),
        };
    }
    if is_own(&output) {
        let failed = |error| anyhow::anyhow!("{}: {}", output.display(), trouble_making(&error));
        whole::replace(&output, page.as_bytes()).map_err(failed)?;
    } else {
        let signal = whole::write_new(&output, |out| Ok(out.write_all(page.as_bytes())?))?;
        if let Some(signal) = signal {
            return Ok(Exit::Signal(signal));
        }
    }
    print(&format!("{}\n", output.display()))?;
    note(&format!(
        "{} in {} KB; open it with a browser{}",
        many(figures.tally.total, figures.undertaking.noun()),
        page.len().div_ceil(1000),
        if args.no_addresses { "" } else { ". It may name people, so only you can read it" }
    ));
    if figures.running {
        note(&format!(
            "a run goes on; for a later moment: tenure report {}",
            quoted(&path.display().to_string())
        ));
    }
    Ok(Exit::Done)
}

/// How much of a file is looked at to tell a page.
const BEGINNING_BYTES: u64 = 1024;

/// Whether there is a page that this command has written, which the new one may take the place of: both come from journals,
/// so nothing is lost by it.
fn is_own(output: &Path) -> bool {
    let mut beginning = Vec::new();
    // A pipe would wait for whoever writes to it.
    let is_file = std::fs::metadata(output).is_ok_and(|metadata| metadata.is_file());
    is_file
        && File::open(output).and_then(|file| file.take(BEGINNING_BYTES).read_to_end(&mut beginning)).is_ok()
        && report::is_page(&String::from_utf8_lossy(&beginning))
}

/// Where the page goes unless said otherwise: in the current folder, named after the journal.
fn beside(journal: &Path) -> PathBuf {
    let name = journal.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let stem = name.strip_suffix(".db").unwrap_or(&name);
    PathBuf::from(format!("{}.report.html", stem.strip_suffix(".journal").unwrap_or(stem)))
}

/// Everything that the page shows, as of one moment, whatever a run writes meanwhile.
fn gather(path: &Path, now: Timestamp) -> Result<Figures, JournalError> {
    let journal = Journal::open_read_only(path)?;
    journal.hold_still()?;
    let undertaking = journal.undertaking()?;
    let spaces = journal.space_figures()?;
    let of_channels = undertaking == Undertaking::Spaces;
    Ok(Figures {
        journal: path.display().to_string(),
        undertaking,
        target: journal.target()?,
        standard: journal.is_standard()?,
        at: Some(now),
        running: Lock::holder(path).is_some(),
        tally: journal.tally()?,
        policy: journal.policy()?,
        settings: journal.last_settings()?.and_then(|json| serde_json::from_str(&json).ok()),
        runs: journal.runs()?,
        stretches: journal.stretches()?,
        sources: journal.sources()?,
        rows: journal.row_figures(&largest(&spaces), now)?,
        channels: if of_channels { channels(&journal, path)? } else { Vec::new() },
        kinds: kinds(&journal)?,
        rolled_back: (undertaking == Undertaking::Rollback).then(|| journal.rolled_back()).transpose()?,
        samples: journal.reject_samples(SAMPLES_MAX)?,
        verified: journal.verified()?,
        stand: journal.stand()?,
        spaces,
    })
}

/// Why rows were refused; what all of a reason's rows are too late for is known of it.
fn kinds(journal: &Journal) -> Result<Vec<RejectKind>, JournalError> {
    let (mut kinds, messages) = (journal.reject_kinds()?, journal.reject_messages()?);
    for kind in &mut kinds {
        let is_its =
            |reason: &&RejectKind| (&reason.kind, reason.http_status) == (&kind.kind, kind.http_status);
        kind.too_late = messages.iter().filter(is_its).all(|reason| reason.too_late);
    }
    Ok(kinds)
}

/// The channels of the journal, with what other journals know of their spaces.
fn channels(journal: &Journal, path: &Path) -> Result<Vec<ChannelFigures>, JournalError> {
    let mut channels = journal.channel_figures()?;
    let completed = neighbours::completed(path, &journal.target()?);
    for channel in &mut channels {
        channel.completed = channel.space.as_ref().is_some_and(|space| completed.contains(space.as_str()));
    }
    Ok(channels)
}

fn largest(spaces: &[SpaceFigures]) -> Vec<SpaceId> {
    let mut spaces: Vec<&SpaceFigures> = spaces.iter().collect();
    spaces.sort_by_key(|space| std::cmp::Reverse(space.rows()));
    spaces.iter().take(SPACES_BY_YEAR_MAX).map(|space| space.id).collect()
}
