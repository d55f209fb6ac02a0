//! What one glance is to tell of a run: how fast, until when, why not faster, and what went wrong so far. Text from values.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Zoned;
use jiff::tz::TimeZone;

use super::meter::{Going, Meter, time_left};
use crate::engine::{Event, Now, SPACE_REFUSED, Snapshot};
use crate::journal::RejectKind;
use crate::model::{Pace, PaceReason};
use crate::wording::{NOTHING_MOVES, many, rate, span, when};

/// How many kinds of rejects are told apart.
const KINDS_MAX: usize = 16;
/// How many of them are named on a line.
const KINDS_NAMED_MAX: usize = 3;

/// Rejects by kind. However many kinds a server thinks of, it holds few.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Kinds {
    counts: BTreeMap<String, u64>,
    others: u64,
}

impl Kinds {
    /// As the journal has counted them.
    pub fn of(kinds: &[RejectKind]) -> Self {
        let mut all = Kinds::default();
        for kind in kinds {
            all.add(&kind.kind, kind.count);
        }
        all
    }

    /// Counts what has happened.
    pub fn note(&mut self, event: &Event) {
        match event {
            Event::Rejected { note, .. } => self.add(&note.kind, 1),
            Event::SpaceRefused { rows, .. } => self.add(SPACE_REFUSED, *rows),
            _ => {}
        }
    }

    fn add(&mut self, kind: &str, rows: u64) {
        if let Some(count) = self.counts.get_mut(kind) {
            *count += rows;
        } else if self.counts.len() < KINDS_MAX {
            self.counts.insert(kind.to_owned(), rows);
        } else {
            self.others += rows;
        }
    }

    /// Each kind and its rows, the commonest first, and what is beyond those that are told apart as `others`.
    pub fn most(&self) -> Vec<(&str, u64)> {
        let mut most: Vec<(&str, u64)> =
            self.counts.iter().map(|(kind, rows)| (kind.as_str(), *rows)).collect();
        most.sort_unstable_by_key(|(kind, rows)| (std::cmp::Reverse(*rows), *kind));
        most.extend((self.others > 0).then_some(("others", self.others)));
        most
    }
}

/// The figures, each line with the most important first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Figures {
    /// How fast, and until when.
    pub(super) speed: Vec<String>,
    /// Why not faster.
    pub(super) why: Vec<String>,
    /// What went wrong so far.
    pub(super) trouble: Vec<String>,
}

/// A shorter wait than this is no pause.
const PAUSE_MIN: Duration = Duration::from_secs(1);

/// Notes how far a run is.
pub(super) fn note(meter: &mut Meter, now: Now, snapshot: &Snapshot) {
    meter.note(now.elapsed, snapshot.settled());
    meter.note_answers(now.elapsed, snapshot.calls.ok);
}

/// How fast rows are settled.
pub(super) fn going(meter: &Meter, snapshot: &Snapshot) -> Going {
    meter.going(snapshot.pace.writes_per_minute)
}

/// How long the rest takes; `None` when that cannot be told: in a pause nobody knows how fast it will be after that, and what
/// waits for another try does not come at the rate of others.
pub(super) fn left(going: Going, snapshot: &Snapshot) -> Option<Duration> {
    let Going::At(per_second) = going else { return None };
    let rest = snapshot.goal() - snapshot.settled();
    let is_told = snapshot.paused < PAUSE_MIN && rest > snapshot.waiting as u64;
    if is_told { time_left(rest, per_second) } else { None }
}

/// How long the rest takes at least while Chat's refusals hold the pace down: nobody knows how much of it is waiting.
pub fn least(rest: u64, pace: &Pace) -> Option<String> {
    let is_held_down = pace.why == PaceReason::ProjectQuota && pace.writes_per_minute > 0;
    let per_second = f64::from(pace.writes_per_minute) / 60.0;
    let left = time_left(rest, per_second).filter(|_| is_held_down)?;
    Some(format!("at least {} left at {}", span(left), rate(per_second)))
}

/// The time of day where the operator is.
pub(super) fn local(now: Now, zone: &TimeZone) -> Zoned {
    now.wall.in_zone(zone)
}

pub(super) fn figures(meter: &Meter, now: &Zoned, snapshot: &Snapshot, kinds: &Kinds) -> Figures {
    let mut figures = Figures::default();
    if snapshot.settled() < snapshot.goal() {
        let going = going(meter, snapshot);
        figures.speed.extend(match going {
            Going::At(per_second) => Some(rate(per_second)),
            Going::Still => Some(NOTHING_MOVES.to_owned()),
            Going::Unknown => None,
        });
        if going == Going::Still {
            figures.speed.extend(least(snapshot.goal() - snapshot.settled(), &snapshot.pace));
        }
        if let Some(left) = left(going, snapshot) {
            figures.speed.push(format!("{} left", span(left)));
            figures.speed.extend(when(now, left).map(|when| format!("ends {when}")));
        }
    }
    figures.why = snapshot.why().into_iter().map(|why| why.text).collect();
    let trouble = &mut figures.trouble;
    if snapshot.rejected > 0 {
        trouble.push(rejected(snapshot.rejected, kinds));
    }
    if snapshot.waiting > 0 {
        trouble.push(format!("{} to be retried", snapshot.waiting));
    }
    if snapshot.calls.throttled > 0 {
        trouble.push(format!("{} throttled", snapshot.calls.throttled));
    }
    if snapshot.failures_in_a_row > 1 {
        trouble.push(format!("{} in a row", many(snapshot.failures_in_a_row.into(), "failure")));
    }
    figures
}

/// `12 rejected (10 INVALID_ARGUMENT, 2 NOT_FOUND)`.
fn rejected(rows: u64, kinds: &Kinds) -> String {
    let most = kinds.most();
    let mut named: Vec<String> =
        most.iter().take(KINDS_NAMED_MAX).map(|(kind, rows)| format!("{rows} {kind}")).collect();
    let more: u64 = most.iter().skip(KINDS_NAMED_MAX).map(|(_, rows)| rows).sum();
    named.extend((more > 0).then(|| format!("{more} others")));
    match most.as_slice() {
        [] => format!("{rows} rejected"),
        [(kind, _)] => format!("{rows} rejected ({kind})"),
        _ => format!("{rows} rejected ({})", named.join(", ")),
    }
}

/// As many of the figures as fit, the first ones first; of one that is too long by itself, its beginning.
pub(super) fn fitting(figures: &[String], room: usize) -> String {
    let mut line = String::new();
    for figure in figures {
        let comma = if line.is_empty() { "" } else { ", " };
        if line.chars().count() + comma.len() + figure.chars().count() > room {
            break;
        }
        line += comma;
        line += figure;
    }
    match figures.first() {
        Some(first) if line.is_empty() => crate::wording::shorten(first, room),
        _ => line,
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::journal::Calls;
    use crate::model::{
        Job, MemberId, MemberName, Operation, Origin, Pace, PaceReason, Prior, RowId, SlowedSpace, SpaceId,
        SpaceName, Span, Timestamp,
    };

    /// So many seconds into a run that began on Friday, 20:00 in Berlin.
    pub(in crate::progress) fn at(seconds: u64) -> Now {
        let begin = Timestamp::parse("2026-11-27T19:00:00Z", None).unwrap();
        let elapsed = Duration::from_secs(seconds);
        Now { elapsed, wall: begin.after(elapsed) }
    }

    pub(in crate::progress) fn berlin() -> TimeZone {
        TimeZone::get("Europe/Berlin").unwrap()
    }

    /// A run in which a bit of everything goes wrong.
    pub(in crate::progress) fn troubled() -> (Snapshot, Kinds) {
        let slowest = SlowedSpace { space: "spaces/AAQA7".to_owned(), writes_per_minute: 30 };
        let snapshot = Snapshot {
            total: 400_000,
            done: 168_218,
            rejected: 12,
            under_way: 3,
            under_way_max: 20,
            waiting: 2,
            calls: Calls { sent: 170_000, ok: 168_300, throttled: 31, failed: 40 },
            paused: Duration::from_secs(43),
            throttled: true,
            asked_to_wait: true,
            answer_time: Duration::from_millis(300),
            pace: Pace {
                writes_per_minute: 240,
                configured: 300,
                why: PaceReason::ProjectQuota,
                slowed_spaces: 1,
                slowest: Some(slowest),
            },
            failures_in_a_row: 2,
            ..Snapshot::default()
        };
        let mut kinds = Kinds::default();
        kinds.add("NOT_FOUND", 2);
        kinds.add("INVALID_ARGUMENT", 10);
        (snapshot, kinds)
    }

    /// Some row.
    pub(in crate::progress) fn job() -> Job {
        Job {
            id: RowId(1),
            operation: Operation::Create,
            space: SpaceId(1),
            space_name: SpaceName::parse("A").unwrap(),
            member: MemberId(1),
            member_name: MemberName::parse("a@example.com").unwrap(),
            user: None,
            span: Span { create_time: None, delete_time: Some(Timestamp::from_micros(0)) },
            role: None,
            membership: None,
            attempts: 1,
            origin: Origin { source: 1, line: 2 },
            prior: Prior::No,
        }
    }

    fn metered(seconds: u64, until: u64) -> Meter {
        let mut meter = Meter::default();
        for second in 0..=seconds {
            meter.note(Duration::from_secs(second), until - (seconds - second) * 5);
        }
        meter
    }

    #[test]
    fn one_glance() {
        let (snapshot, kinds) = troubled();
        let meter = metered(60, snapshot.settled());
        let figures = figures(&meter, &local(at(60), &berlin()), &snapshot, &kinds);
        // While Chat wants nothing to come, nobody knows how fast it goes on.
        assert_eq!(figures.speed, ["240/min"], "not what could leave before");
        assert_eq!(
            figures.why,
            [
                "waiting 43 s as Chat asked (Retry-After)",
                "throttled by project quota to 240/min",
                "spaces/AAQA7 slowed to 30/min"
            ]
        );
        assert_eq!(
            figures.trouble,
            [
                "12 rejected (10 INVALID_ARGUMENT, 2 NOT_FOUND)",
                "2 to be retried",
                "31 throttled",
                "2 failures in a row"
            ]
        );
    }

    #[test]
    fn the_end_is_the_rest_at_the_speed_that_is_shown() {
        let (snapshot, kinds) = troubled();
        let told = |snapshot: &Snapshot, meter: &Meter| {
            figures(meter, &local(at(60), &berlin()), snapshot, &kinds).speed
        };
        let sending = Snapshot { paused: Duration::ZERO, ..snapshot };
        let mut meter = metered(60, sending.settled());
        assert_eq!(told(&sending, &meter), ["240/min", "16 h 5 min left", "ends Sat 2026-11-28 12:06"]);
        for second in 61..=70 {
            meter.note(Duration::from_secs(second), sending.settled());
        }
        let least = "at least 16 h 5 min left at 240/min";
        assert_eq!(told(&sending, &meter), ["nothing moves at the moment", least]);
    }

    #[test]
    fn while_spaces_are_listed_nobody_says_that_nothing_moves() {
        let now = local(at(60), &berlin());
        let mut meter = Meter::default();
        let mut told = |second: u64, ok: u64| {
            let calls = Calls { sent: ok, ok, ..Calls::default() };
            let snapshot = Snapshot { total: 10, listing: 3, calls, ..Snapshot::default() };
            note(&mut meter, at(second), &snapshot);
            let Figures { speed, why, .. } = figures(&meter, &now, &snapshot, &Kinds::default());
            (speed, why)
        };
        let why = ["listing 3 spaces", "no limit configured"].map(str::to_owned).to_vec();
        for second in 0..30 {
            assert_eq!(told(second, second), (vec![], why.clone()), "{second}");
        }
        assert_eq!(told(39, 29), (vec!["nothing moves at the moment".to_owned()], why));
    }

    #[test]
    fn an_end_that_nobody_knows_is_not_told() {
        let snapshot = Snapshot { total: 10, done: 8, waiting: 2, ..Snapshot::default() };
        let now = local(at(60), &berlin());
        let figures = figures(&metered(60, 800), &now, &snapshot, &Kinds::default());
        assert_eq!(figures.speed, ["300/min"]);
        let done = Snapshot { total: 10, done: 10, ..Snapshot::default() };
        assert_eq!(super::figures(&metered(60, 800), &now, &done, &Kinds::default()), Figures::default());
    }

    #[test]
    fn what_fits() {
        let figures = ["abc".to_owned(), "defg".to_owned()];
        assert_eq!(fitting(&figures, 9), "abc, defg");
        assert_eq!(fitting(&figures, 8), "abc");
        assert_eq!(fitting(&figures, 2), "a…");
        assert_eq!(fitting(&[], 9), "");
    }

    #[test]
    fn few_kinds_are_told_apart() {
        let mut kinds = Kinds::default();
        for kind in 0..1000 {
            kinds.add(&format!("KIND_{kind}"), 1);
        }
        assert_eq!(kinds.counts.len(), KINDS_MAX);
        assert_eq!(kinds.most().last(), Some(&("others", 984)));
        assert!(rejected(1000, &kinds).ends_with(", 997 others)"), "{}", rejected(1000, &kinds));
    }
}
