//! One page for those who would rather look than read: what a journal holds, as HTML that needs nothing beside itself.
//! Figures in, text out.
//!
//! The page loads nothing and sends nothing: its policy allows the one style and the one script that stand in it, by their
//! hashes. The script only sorts and searches the table of spaces; without it everything can be read.

mod chart;
mod course;
mod html;
mod page;
mod reasons;
mod sections;
#[cfg(test)]
mod tests;
mod wording;

use std::collections::HashMap;

use crate::journal::{
    ChannelFigures, RejectKind, RejectReason, RolledBack, RowFigures, RunFigures, Sample, SourceFigures,
    SpaceFigures, Stand, Stretch, Tally, Verified,
};
use crate::model::{Policy, Timestamp, Undertaking};
use crate::network::Endpoint;
use crate::settings::Settings;

pub use html::Addresses;
pub use page::{is_page, page};

/// Spaces whose years are shown one by one: those with most rows.
pub const SPACES_BY_YEAR_MAX: usize = 25;
/// Refused rows that are shown of each reason.
pub const SAMPLES_MAX: usize = 20;

/// Everything that a page is made of, all of one moment.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Figures {
    /// The journal as the operator named it.
    pub journal: String,
    /// What its rows are for.
    pub undertaking: Undertaking,
    /// Where they go: `emulator`, or the endpoint's URL.
    pub target: String,
    /// Whether its spaces are not in import mode.
    pub standard: bool,
    /// When all of this was so.
    pub at: Option<Timestamp>,
    /// Whether a run goes on.
    pub running: bool,
    /// Where things stand.
    pub tally: Tally,
    /// What the journal makes of history.
    pub policy: Policy,
    /// Settings of the last run, if there was one that can be read.
    pub settings: Option<Settings>,
    /// Every run.
    pub runs: Vec<RunFigures>,
    /// Their course.
    pub stretches: Vec<Stretch>,
    /// The files that were read.
    pub sources: Vec<SourceFigures>,
    /// What a pass through all rows found.
    pub rows: RowFigures,
    /// Every space.
    pub spaces: Vec<SpaceFigures>,
    /// Every channel, where these are what the journal is about.
    pub channels: Vec<ChannelFigures>,
    /// Why rows were refused.
    pub kinds: Vec<RejectKind>,
    /// What a rollback has done, if it is one.
    pub rolled_back: Option<RolledBack>,
    /// Some of them for each reason.
    pub samples: HashMap<RejectReason, Vec<Sample>>,
    /// How the last looks at Chat's lists came out, the latest last.
    pub verified: Vec<Verified>,
    /// Where the journal stands.
    pub stand: Stand,
}

impl Figures {
    /// Whether it was a rehearsal, of which nothing has left the machine.
    fn is_rehearsal(&self) -> bool {
        self.is_inside() || Endpoint::parse(&self.target).is_ok_and(|endpoint| endpoint.is_loopback())
    }

    /// How many memberships a rollback leaves where they are.
    fn staying(&self) -> u64 {
        self.rolled_back.map_or(0, |rolled_back| rolled_back.stays.count())
    }

    /// Whether the Chat API was inside the program.
    fn is_inside(&self) -> bool {
        self.target == crate::settings::TARGET_EMULATOR
    }

    /// Runs that have made calls.
    fn runs_that_called(&self) -> impl DoubleEndedIterator<Item = &RunFigures> {
        self.runs.iter().filter(|run| run.calls.sent > 0)
    }

    /// When the journal was changed last, as far as its runs and readings tell.
    fn last_change(&self) -> Option<Timestamp> {
        let runs = self.runs_that_called().map(|run| run.ended_at.unwrap_or(run.started_at));
        let readings = self.sources.iter().map(|source| source.read_at);
        let stretches = self.stretches.last().map(|stretch| stretch.begun_at);
        runs.chain(readings).chain(stretches).max()
    }

    /// When the first call was made, about, and the last one.
    fn period(&self) -> Option<(Timestamp, Timestamp)> {
        let begin = self.runs_that_called().next()?.started_at;
        let last = self.runs_that_called().next_back()?;
        let of_course = self.stretches.iter().rev().find(|stretch| stretch.run == last.id);
        let end = match (last.ended_at, of_course) {
            (Some(end), _) => end,
            (None, Some(stretch)) => stretch.begun_at.after(stretch.length).min(self.at?),
            (None, None) => last.started_at,
        };
        Some((begin, end.max(begin)))
    }
}
