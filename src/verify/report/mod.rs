//! What came out, gathered space by space, and what the lists could not tell. `text` writes it for people, `csv` for
//! spreadsheets, `json` for programs. All of it is text from values.

mod csv;
mod json;
mod kept;
mod next;
mod text;

use std::collections::HashMap;

use super::{Compared, Counts, Finding, View};
use crate::model::{SpaceName, SpaceTitles};
use crate::wording::many;

pub use csv::{CSV_COLUMNS, csv_records};
pub use json::{json_end, json_space};
pub use kept::{in_short, kept};
pub use next::next_command;
pub use text::text;

/// How many differences a person is shown.
const SHOWN_MAX: usize = 20;

/// How looking at a space ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SpaceOutcome {
    /// Its list was held against the journal.
    Checked,
    /// Chat refuses to list it: why.
    Refused(String),
    /// It could not be listed, for reasons that may pass: why.
    Failed(String),
}

impl SpaceOutcome {
    fn as_str(&self) -> &'static str {
        match self {
            SpaceOutcome::Checked => "checked",
            SpaceOutcome::Refused(_) => "refused",
            SpaceOutcome::Failed(_) => "failed",
        }
    }

    fn why(&self) -> Option<&str> {
        match self {
            SpaceOutcome::Checked => None,
            SpaceOutcome::Refused(why) | SpaceOutcome::Failed(why) => Some(why),
        }
    }
}

/// A space that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckedSpace {
    /// Which.
    pub name: SpaceName,
    /// What its list shows.
    pub view: View,
    /// How looking at it ended.
    pub outcome: SpaceOutcome,
    /// What came out.
    pub compared: Compared,
    /// Whether what Chat held beforehand is written in the journal, or does not matter.
    pub surveyed: bool,
    /// Whether its list leaves somebody out.
    pub leaves_out: bool,
}

/// How the looking ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// Every space was looked at.
    Whole,
    /// Somebody has interrupted it.
    Interrupted,
    /// It makes no sense to go on: why.
    Stopped(String),
}

/// What a report is about.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct About {
    /// The journal as the operator named it.
    pub journal: String,
    /// Whether it was a rehearsal.
    pub rehearsal: bool,
    /// Whether a run is working with the journal meanwhile.
    pub running: bool,
    /// How many rows of the journal are rejected, those among them that were left out when they were read.
    pub rejected: u64,
    /// How many spaces were to be looked at.
    pub spaces_total: u64,
    /// What people call the spaces.
    pub titles: SpaceTitles,
    /// The journal's files, by their numbers in it.
    pub sources: HashMap<i64, String>,
    /// Whether all findings are written somewhere.
    pub csv: bool,
    /// What has to be typed again behind a command for the journal; `None` where only some of its spaces are looked at.
    pub needs: Option<&'static str>,
}

/// What came out for all spaces.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// What it is about.
    pub about: About,
    /// What to do about what could not be seen.
    pub remedy: Option<String>,
    totals: Counts,
    lines: Vec<Line>,
    shown: Vec<(SpaceName, Finding)>,
    hidden: u64,
    past_spaces: u64,
    silent_spaces: u64,
    unended: Vec<SpaceName>,
    missing: Vec<(SpaceName, u64)>,
    present_spaces: u64,
    standard_spaces: u64,
    unsurveyed: u64,
    leaves_out: u64,
}

/// A space's line of the table.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Line {
    name: SpaceName,
    outcome: SpaceOutcome,
    counts: Counts,
}

impl Report {
    /// Without any space yet.
    pub fn new(about: About) -> Report {
        Report { about, ..Report::default() }
    }

    /// Adds a space.
    pub fn add(&mut self, space: &CheckedSpace) {
        let counts = space.compared.counts;
        self.totals += counts;
        self.lines.push(Line { name: space.name.clone(), outcome: space.outcome.clone(), counts });
        for finding in space.compared.findings.iter().filter(|finding| finding.kind.is_difference()) {
            if self.shown.len() < SHOWN_MAX {
                self.shown.push((space.name.clone(), finding.clone()));
            } else {
                self.hidden += 1;
            }
        }
        if space.outcome != SpaceOutcome::Checked {
            return;
        }
        self.past_spaces += u64::from(counts.past > 0);
        self.silent_spaces += u64::from(counts.silent > 0);
        self.present_spaces += u64::from(space.view.is_present());
        self.standard_spaces += u64::from(space.view == View::Standard);
        self.unsurveyed += u64::from(!space.surveyed);
        self.leaves_out += u64::from(space.leaves_out);
        if space.view == View::History {
            self.missing.push((space.name.clone(), counts.missing + counts.different));
        }
        if counts.unended > 0 {
            self.unended.push(space.name.clone());
        }
    }

    /// How many of what, in all spaces.
    pub fn totals(&self) -> &Counts {
        &self.totals
    }

    /// The spaces whose history was seen, and how many of their rows are not in it as the journal says.
    pub fn missing(&self) -> &[(SpaceName, u64)] {
        &self.missing
    }

    /// How many spaces ended like this.
    fn spaces(&self, ended: impl Fn(&SpaceOutcome) -> bool) -> u64 {
        self.lines.iter().filter(|line| ended(&line.outcome)).count() as u64
    }

    /// Spaces whose list was held against the journal.
    pub fn checked(&self) -> u64 {
        self.spaces(|outcome| *outcome == SpaceOutcome::Checked)
    }

    /// Whether Chat has refused some spaces, and none was seen: that is about the set-up, not about the spaces.
    pub fn all_refused(&self) -> bool {
        self.checked() == 0 && self.spaces(|outcome| matches!(outcome, SpaceOutcome::Refused(_))) > 0
    }

    /// Of [`Report::all_refused`], in words.
    pub fn refusal(&self) -> String {
        let refused = self.lines.iter().find_map(|line| Some((self.told(&line.name), line.outcome.why()?)));
        let tried = self.lines.len();
        match refused {
            Some((space, why)) if tried == 1 => {
                format!("Chat refuses {space}, and no other space was reached: {why}")
            }
            Some((space, why)) => {
                format!("Chat refuses every space that was tried ({tried}), such as {space}: {why}")
            }
            None => String::new(),
        }
    }

    /// Whether some spaces could not be listed for reasons that may pass.
    pub fn any_failed(&self) -> bool {
        self.spaces(|outcome| matches!(outcome, SpaceOutcome::Failed(_))) > 0
    }

    /// A space for people.
    fn told(&self, space: &SpaceName) -> String {
        self.about.titles.tell(space.as_str())
    }

    /// Spaces of which the journal says that Chat holds rows there, and which Chat does not show.
    fn hidden(&self) -> u64 {
        let hidden =
            |line: &&Line| matches!(line.outcome, SpaceOutcome::Refused(_)) && line.counts.row_untold > 0;
        self.lines.iter().filter(hidden).count() as u64
    }

    /// Whether Chat and the journal disagree: a space of which the journal says that Chat holds rows there, and which Chat
    /// does not show, is a difference, too.
    pub fn differs(&self) -> bool {
        self.totals.differences() > 0 || self.hidden() > 0
    }

    /// What the lists could not tell, each a sentence.
    pub fn blind_spots(&self) -> Vec<String> {
        let totals = &self.totals;
        let mut spots = Vec::new();
        if self.about.running {
            spots.push(
                "A run is working with this journal: rows move meanwhile, so look again when it has ended."
                    .to_owned(),
            );
        }
        if totals.unsettled > 0 {
            spots.push(format!(
                "{} not sent yet, or without an answer: they are not expected, and no difference.",
                are(totals.unsettled, "row")
            ));
        }
        if totals.open > 0 {
            spots.push(format!(
                "{} of people who are still members: Chat takes those once their space is completed, so they are not \
                 expected yet.",
                are(totals.open, "row")
            ));
        }
        if totals.past > 0 {
            spots.push(format!(
                "{} ended, in {}: once a space is completed, its list no longer shows who was there before.",
                have(totals.past, "row"),
                many(self.past_spaces, "completed space")
            ));
        }
        if totals.silent > 0 {
            spots.push(format!(
                "Chat lists {} of {} without all of their times: these were compared by member and count only.",
                many(totals.silent, "membership"),
                many(self.silent_spaces, "space")
            ));
        }
        if let Some(space) = self.unended.first() {
            let space = self.told(space);
            spots.push(format!(
                "{space} lists members who have a createTime and no deleteTime: if it was completed by other means, say \
                 --standard-spaces."
            ));
        }
        if totals.row_untold > 0 && self.checked() > 0 {
            spots.push(format!(
                "Of {} the lists do not tell whether Chat holds them: --csv and --json say why.",
                many(totals.row_untold, "row")
            ));
        }
        if self.present_spaces > 0 {
            spots.push(
                "Times of members of today are Chat's own: rows and members were compared by who it is, and by role."
                    .to_owned(),
            );
        }
        if self.standard_spaces > 0 {
            spots.push(
                "Who was a member before the journal was begun is told by the createTime that Chat lists."
                    .to_owned(),
            );
        }
        if totals.roles_later > 0 {
            spots.push(format!(
                "{} for a role: in import mode nobody has one, so roles were not compared there.",
                if totals.roles_later == 1 {
                    "1 row asks".to_owned()
                } else {
                    format!("{} rows ask", totals.roles_later)
                }
            ));
        }
        if totals.role_untold > 0 {
            spots.push(format!("Of {} the list does not tell the role.", many(totals.role_untold, "member")));
        }
        if self.leaves_out > 0 {
            spots.push(
                "In this capacity Chat lists no apps, and with --as-app nobody who has yet to accept an invitation."
                    .to_owned(),
            );
        }
        if self.unsurveyed > 0 {
            spots.push(format!(
                "What {} held beforehand is not known for certain: a run was cut off there, and `tenure resume JOURNAL` looks anew.",
                many(self.unsurveyed, "space")
            ));
        }
        spots
    }
}

fn are(count: u64, noun: &str) -> String {
    format!("{} {}", many(count, noun), if count == 1 { "is" } else { "are" })
}

fn have(count: u64, noun: &str) -> String {
    format!("{} {}", many(count, noun), if count == 1 { "has" } else { "have" })
}
