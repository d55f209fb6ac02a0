//! What a run would send, how long that takes, and how it changes with what can be chosen. Pure: figures from values.

mod json;
#[cfg(test)]
mod tests;
mod text;
mod time;

use std::time::Duration;

use jiff::Zoned;

use crate::engine::Rates;
use crate::model::{Policy, SpaceTitles, Timestamp, told};
use crate::wording::shorten;

pub use time::{Timing, estimate, timing};

/// Rates that Google may be asked for, as they are compared.
const QUOTAS: [u32; 4] = [600, 1200, 3000, 6000];
/// A space is deleted so long after it was created in import mode, unless it is completed (import-data guide).
const WINDOW: Duration = Duration::from_secs(90 * 86_400);
/// Everything should be done so long before it is (import-data guide).
const WINDOW_MARGIN: Duration = Duration::from_secs(1800);
/// How much of a space's title is shown.
const TITLE_CHARS_MAX: usize = 40;
/// Memberships that a page of `members.list` has at most.
const PAGE: u64 = 1000;

/// Everything that a plan is made of.
#[derive(Debug, Clone)]
pub struct Facts<'a> {
    /// Whether rows are history for spaces in import mode, or members of today for others.
    pub history: bool,
    /// Rows read.
    pub read: u64,
    /// Of these, repeating another.
    pub duplicate: u64,
    /// Rows to send, by space.
    pub pending: &'a [u64],
    /// Members who stay, by space.
    pub staying: &'a [u64],
    /// How many of them are to have a role.
    pub staying_with_role: u64,
    /// Rows that wait for the completion of their space.
    pub open: u64,
    /// Members with several stints in one space, and their stints behind the first.
    pub several: (u64, u64),
    /// Rows that were merged into others.
    pub merged: u64,
    /// Open rows that also have their history until today.
    pub bridged: u64,
    /// Different members.
    pub people: u64,
    /// Names of the spaces, in the order of `pending`.
    pub spaces: &'a [String],
    /// What people call them.
    pub titles: &'a SpaceTitles,
    /// When the first of the spaces is deleted unless it is completed, as far as a map tells.
    pub expires: Option<Timestamp>,
    /// What is made of history.
    pub policy: Policy,
    /// What there would be to send by each policy; empty where there is no choice.
    pub policies: Vec<(Policy, &'a [u64])>,
    /// The quotas.
    pub rates: Rates,
    /// Now, where the operator is.
    pub now: &'a Zoned,
}

/// What a run would send.
#[derive(Debug, Clone)]
pub struct Plan<'a> {
    facts: Facts<'a>,
    /// Rows to send.
    to_send: u64,
    /// The space with the most rows to send.
    biggest: Option<Biggest<'a>>,
    calls: Vec<Calls>,
    /// The time that sending takes; `None` without a quota.
    import: Option<Timing>,
    /// The same of adding those who stay.
    complete: Option<Timing>,
    window: Window,
    quotas: Vec<(u32, Timing)>,
}

/// The space with the most rows to send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Biggest<'a> {
    space: &'a str,
    /// What people call it, if that is known.
    title: Option<&'a str>,
    rows: u64,
    /// How long it takes at what one space may take, whatever the project's quota.
    alone: Option<Duration>,
}

impl Biggest<'_> {
    /// Its name for people.
    fn told(&self) -> String {
        told(self.space, self.title.map(|title| shorten(title, TITLE_CHARS_MAX)).as_deref())
    }
}

/// Calls of one method in one step of a migration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Calls {
    step: Step,
    method: &'static str,
    count: u64,
    about: &'static str,
}

/// The commands of a migration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Import,
    Complete,
    Verify,
}

impl Step {
    const fn as_str(self) -> &'static str {
        match self {
            Step::Import => "import",
            Step::Complete => "complete",
            Step::Verify => "verify",
        }
    }
}

/// Whether the import fits into the time that spaces have in import mode.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Window {
    /// There is none: the spaces are not in import mode, or nothing is to be sent.
    None,
    /// When the spaces expire is not known: it begins when the first of them is created. Without a quota nobody can tell
    /// whether it fits.
    Unknown { fits: Option<bool> },
    /// The first of them expires then.
    Until { expires: Zoned, fits: Option<bool> },
    /// The first of them has expired.
    Past { expired: Zoned },
}

impl<'a> Plan<'a> {
    /// Works it out.
    pub fn of(facts: Facts<'a>) -> Self {
        let to_send = facts.pending.iter().sum();
        let import = timing(facts.pending, &facts.rates);
        let complete = if facts.history { timing(facts.staying, &facts.rates) } else { None };
        let quotas: Vec<(u32, Timing)> = QUOTAS
            .into_iter()
            .filter(|quota| import.is_some() && *quota > facts.rates.writes_per_minute)
            .filter_map(|quota| {
                let rates = Rates { writes_per_minute: quota, ..facts.rates };
                Some((quota, timing(facts.pending, &rates)?))
            })
            .collect();
        // Where the biggest space decides already, a larger quota gains nothing more.
        let decided =
            quotas.iter().position(|(_, timing)| timing.by_space).map_or(quotas.len(), |place| place + 1);
        Plan {
            to_send,
            biggest: biggest(&facts),
            calls: calls(&facts, to_send),
            window: if facts.history && to_send > 0 { window(&facts, import) } else { Window::None },
            import,
            complete,
            quotas: quotas[..decided].to_vec(),
            facts,
        }
    }

    /// Rows to send by a policy, and how long that takes.
    fn by_policy(&self) -> impl Iterator<Item = (Policy, u64, Option<Timing>)> {
        let rates = &self.facts.rates;
        let by = move |(policy, pending): &(Policy, &[u64])| {
            (*policy, pending.iter().sum::<u64>(), timing(pending, rates))
        };
        self.facts.policies.iter().map(by)
    }
}

fn biggest<'a>(facts: &Facts<'a>) -> Option<Biggest<'a>> {
    // Of several that are as big, the first.
    let (place, rows) = facts.pending.iter().enumerate().rev().max_by_key(|(_, rows)| **rows)?;
    let each = u64::from(facts.rates.writes_per_minute_per_space);
    let alone = (each > 0).then(|| Duration::from_secs(rows.saturating_mul(60).div_ceil(each)));
    let space = facts.spaces.get(place)?;
    (*rows > 0).then_some(Biggest { space, title: facts.titles.of(space), rows: *rows, alone })
}

fn calls(facts: &Facts<'_>, to_send: u64) -> Vec<Calls> {
    let spaces = facts.spaces.len() as u64;
    let with_rows = facts.pending.iter().filter(|rows| **rows > 0).count() as u64;
    let staying: u64 = facts.staying.iter().sum();
    // What is listed once everything is there: history in import mode, members of today elsewhere.
    let pages = facts.pending.iter().map(|rows| rows.div_ceil(PAGE).max(1)).sum();
    let all = [
        (facts.history, Step::Import, "members.list", with_rows, "what each space holds beforehand"),
        (true, Step::Import, "members.create", to_send, "the rows to send"),
        (true, Step::Verify, "members.list", pages, "what each space holds afterwards"),
        (facts.history, Step::Complete, "spaces.completeImport", spaces, "the end of import mode"),
        (facts.history, Step::Complete, "members.create", staying, "those who are still members"),
        (facts.history, Step::Complete, "members.patch", facts.staying_with_role, "their roles"),
    ];
    all.into_iter()
        .filter(|(applies, _, _, count, _)| *applies && *count > 0)
        .map(|(_, step, method, count, about)| Calls { step, method, count, about })
        .collect()
}

fn window(facts: &Facts<'_>, import: Option<Timing>) -> Window {
    let takes = import.map(|import| import.takes);
    let expires = facts.expires.and_then(|expires| {
        let expires = jiff::Timestamp::from_microsecond(expires.as_micros()).ok()?;
        Some(expires.to_zoned(facts.now.time_zone().clone()))
    });
    match expires {
        Some(expired) if expired <= *facts.now => Window::Past { expired },
        Some(expires) => {
            let fits = takes.map(|takes| {
                let end = time::end(facts.now, takes.saturating_add(WINDOW_MARGIN));
                end.is_some_and(|end| end <= expires)
            });
            Window::Until { expires, fits }
        }
        None => Window::Unknown { fits: takes.map(|takes| takes < time::IMPORT_MODE) },
    }
}
