//! From what is known of one member in one channel to their stints. Pure, and the same for all systems.
//!
//! The rules, in the order in which they are applied:
//!
//! 1. Marks are taken in the order of their times. Two at one instant are put a microsecond apart; the very same mark
//!    twice (overlapping exports) counts once.
//! 2. A join begins a stint, a leave ends it.
//! 3. What comes within [`SAME_EVENT`] of a join or leave and only repeats it (`is_echo`) tells nothing: it is written twice, or
//!    stamped late. Every other join begins a stint, and every other leave ends one.
//! 4. A join of a member: a leave is missing between the two. A leave of nobody: a join is missing.
//! 5. A sign of nobody: a join is missing. Within [`SAME_EVENT`] of the join that follows it belongs to that join.
//! 6. A reply of a member is a message. One of nobody makes nobody a member: where something else shows that a join is
//!    missing, and not when, it is put at the first reply; otherwise the replies came from outside.
//! 7. A join of nobody that is only known to have been by some time: it is missing, and was no later. Of a member it tells
//!    nothing.
//! 8. Whoever is on a roster and is no member has a join missing; who is a member and not on a roster has a leave missing.
//!    No missing join is put before a roster that misses the member.
//! 9. A missing join is put where [`InferredStart`] says, a missing leave where [`InferredEnd`] says; but an archived
//!    channel ends all stints at its archiving, and the end of an account ends its stints.
//! 10. What ends nowhere is open.

use std::time::Duration;

use super::fact::Gone;
use crate::model::Timestamp;

/// Systems write one join twice, and stamp creation and the joins in it a second apart (Slack: 1452988821.000002 in a
/// channel created at 1452988822).
pub const SAME_EVENT: Duration = Duration::from_secs(2);

/// The finest step between two times.
const STEP: Duration = Duration::from_micros(1);

/// What is known of one member at one time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Mark {
    /// When.
    pub time: Timestamp,
    /// What.
    pub act: Act,
}

/// What a mark says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Act {
    /// Became a member.
    Joined,
    /// Had become a member by then.
    JoinedBy,
    /// Wrote something.
    Present,
    /// Answered in a thread, as a member or from outside.
    Replied,
    /// Was on a roster.
    Listed,
    /// Stopped being a member.
    Left,
    /// Was not on a roster.
    Unlisted,
}

impl Act {
    /// Whether it tells of a member, and of no change.
    fn is_sign(self) -> bool {
        matches!(self, Act::Present | Act::Listed)
    }

    /// Whether it may end or begin something.
    pub(super) fn is_change(self) -> bool {
        !self.is_sign() && self != Act::Replied
    }
}

/// What is known of when a channel was archived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Archiving {
    /// Then.
    Recorded,
    /// Then or before.
    By,
    /// Then or later: it is the channel's last event.
    NotBefore,
}

/// The life of a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Life {
    /// When it began, and whether the export says so itself (else: its first event).
    pub begun: (Timestamp, bool),
    /// When it was archived for good, as far as that is known.
    pub archived: Option<(Timestamp, Archiving)>,
    /// Whether its members never change.
    pub fixed: bool,
}

/// Whether somebody is on the roster at the time of the export.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Roster {
    /// There is none.
    Unknown,
    /// Yes.
    On,
    /// No.
    Off,
}

/// All that is known of one member in one channel.
#[derive(Debug, Clone, Copy)]
pub struct Known<'a> {
    /// The channel.
    pub life: Life,
    /// The member's marks, in any order.
    pub marks: &'a [Mark],
    /// Whether they are in it now.
    pub roster: Roster,
    /// Whether they created it.
    pub creator: bool,
    /// The end of their account.
    pub gone: Option<Gone>,
    /// Their last message in any channel.
    pub last_seen: Option<Timestamp>,
}

/// Where a missing join is put.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum InferredStart {
    /// At the first message; without one, at the first reply in a thread, or as early as it can have been.
    #[default]
    FirstMessage,
    /// As early as it can have been: the channel's creation, or the leave before.
    ChannelCreated,
}

/// Where a missing leave is put.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum InferredEnd {
    /// Just after the last message; without one, as late as it can have been.
    #[default]
    LastMessage,
    /// As late as it can have been: the next join, the roster that misses them, the end of the export.
    Latest,
}

/// How guesses are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Guessing {
    /// Where stints begin.
    pub start: InferredStart,
    /// Where they end.
    pub end: InferredEnd,
    /// The latest time in the export.
    pub latest: Timestamp,
}

/// Where the beginning of a stint comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Start {
    /// A join.
    Recorded,
    /// Members of this channel never change, and it was created then.
    Founding,
    /// The first message.
    FirstMessage,
    /// The first reply in a thread, of somebody who did not write anything else.
    FirstReply,
    /// A time by which the member had joined.
    JoinedBy,
    /// The channel's creation, by this member.
    Creator,
    /// The channel's creation.
    ChannelCreated,
    /// The channel's first event: its creation is not told.
    ChannelBegun,
    /// The leave before.
    PreviousLeave,
    /// The roster before, which misses the member.
    NotListed,
    /// Nothing but its own end.
    ItsEnd,
    /// The end of the export, where the member is on the roster, and nothing tells since when.
    OnlyRoster,
}

impl Start {
    /// The text in the column `createEvidence`.
    pub fn as_str(self) -> &'static str {
        match self {
            Start::Recorded => "recorded",
            Start::Founding => "roster: members never change",
            Start::FirstMessage => "inferred: first message",
            Start::FirstReply => "inferred: first reply",
            Start::JoinedBy => "inferred: joined by then",
            Start::Creator => "inferred: creator of the channel",
            Start::ChannelCreated => "inferred: channel created",
            Start::ChannelBegun => "inferred: first event of the channel",
            Start::PreviousLeave => "inferred: previous leave",
            Start::NotListed => "inferred: not on the roster before",
            Start::ItsEnd => "inferred: its own end",
            Start::OnlyRoster => "inferred: on the roster by then",
        }
    }

    /// Whether it is a guess.
    pub fn is_guess(self) -> bool {
        !matches!(self, Start::Recorded | Start::Founding)
    }
}

/// Where the end of a stint comes from, or that it has none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum End {
    /// A leave.
    Recorded,
    /// The archiving of the channel.
    Archived,
    /// The last event of a channel that was archived at some time after it.
    LastEvent,
    /// A time by which the channel was archived.
    ArchivedBy,
    /// The end of the account.
    Deactivated,
    /// A time by which the account had ended.
    DeactivatedBy,
    /// The last message in the channel.
    LastMessage,
    /// The last roster with them.
    LastRoster,
    /// The last message in any channel.
    LastSeen,
    /// The join that comes next.
    NextJoin,
    /// The roster that misses them.
    NotOnRoster,
    /// None: on the roster.
    OpenRoster,
    /// None: nothing tells of one.
    OpenUnknown,
}

impl End {
    /// The text in the column `deleteEvidence`.
    pub fn as_str(self) -> &'static str {
        match self {
            End::Recorded => "recorded",
            End::Archived => "archive",
            End::ArchivedBy => "inferred: archived by then",
            End::LastEvent => "inferred: last event of the channel",
            End::Deactivated => "deactivated",
            End::DeactivatedBy => "inferred: deactivated by then",
            End::LastMessage => "inferred: last message",
            End::LastRoster => "inferred: last roster",
            End::LastSeen => "inferred: last message anywhere",
            End::NextJoin => "inferred: joined again",
            End::NotOnRoster => "inferred: not on the roster",
            End::OpenRoster => "roster",
            End::OpenUnknown => "inferred: no end known",
        }
    }

    /// Whether it is a guess.
    pub fn is_guess(self) -> bool {
        !matches!(self, End::Recorded | End::Archived | End::Deactivated | End::OpenRoster)
    }
}

/// One tenure, and how sure it is: from `start` up to, not including, `end`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stint {
    /// When it begins.
    pub start: Timestamp,
    /// When it ends; `None`: it is open.
    pub end: Option<Timestamp>,
    /// Why there.
    pub start_from: Start,
    /// Why there, or why open.
    pub end_from: End,
}

impl Stint {
    /// Whether one of its ends is a guess.
    pub fn is_guess(&self) -> bool {
        self.start_from.is_guess() || self.end_from.is_guess()
    }
}

/// What came of one member's marks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outcome {
    /// In the order of their times, apart from each other.
    pub stints: Vec<Stint>,
    /// Joins and leaves that repeat another.
    pub repeated: u64,
    /// Stretches of time in which somebody who was no member answered in threads.
    pub outside: u64,
}

/// Marks at the end of many that are looked at to tell whether the last is spare.
pub(super) const RUN_MAX: usize = 16;

/// Whether the last of these marks tells nothing more once this follows. Of a run without a change, what counts is the first
/// sign and the first reply, both once more where they are not within [`SAME_EVENT`] of the run's first mark (before that they
/// may be echoes of a leave), and the last mark.
pub(super) fn is_spare(marks: &[Mark], next: Act) -> bool {
    let run = marks.iter().rev().take_while(|mark| !mark.act.is_change()).count();
    let Some((last, before)) = marks[marks.len() - run..].split_last() else { return false };
    let Some(first) = before.first().filter(|_| !next.is_change()) else { return false };
    let is_late = |mark: &Mark| mark.time > first.time.after(SAME_EVENT);
    let enough = |mark: &Mark| mark.act.is_sign() || last.act == Act::Replied;
    match is_late(last) {
        true => before.iter().any(|mark| is_late(mark) && enough(mark)),
        false => next.is_sign() == last.act.is_sign() && before.iter().any(enough),
    }
}

/// Sorts marks, drops those that are there twice, and of a run without a change those that tell nothing more.
pub(super) fn compact(marks: &mut Vec<Mark>) {
    marks.sort_by_key(|mark| mark.time);
    let mut kept: Vec<Mark> = Vec::with_capacity(marks.len());
    for mark in marks.drain(..) {
        if kept.iter().rev().take_while(|other| other.time == mark.time).any(|other| *other == mark) {
            continue;
        }
        let spare = is_spare(&kept, mark.act);
        match kept.last_mut().filter(|_| spare) {
            Some(last) => *last = mark,
            None => kept.push(mark),
        }
    }
    *marks = kept;
}

/// Whether a mark is an echo of the last join or leave: within [`SAME_EVENT`] of it, and the same written twice, or a sign of
/// whoever has left. These are the only joins and leaves that no stint begins or ends with.
fn is_echo(last: Mark, mark: Mark) -> bool {
    let of_leave = last.act == Act::Left && (!mark.act.is_change() || mark.act == Act::JoinedBy);
    mark.time <= last.time.after(SAME_EVENT) && (mark.act == last.act || of_leave)
}

/// The marks that tell something, in the order of their times and no two at one; and how many joins and leaves are echoes.
fn telling(marks: &[Mark]) -> (Vec<Mark>, u64) {
    let mut marks = marks.to_vec();
    compact(&mut marks);
    without_echoes(marks)
}

fn without_echoes(marks: Vec<Mark>) -> (Vec<Mark>, u64) {
    let mut telling: Vec<Mark> = Vec::with_capacity(marks.len());
    let mut repeated = 0;
    let mut before: Option<Timestamp> = None;
    let mut change: Option<Mark> = None;
    for mut mark in marks {
        mark.time = before.map_or(mark.time, |before| mark.time.max(before.after(STEP)));
        before = Some(mark.time);
        match mark.act {
            _ if change.is_some_and(|change| is_echo(change, mark)) => {
                repeated += u64::from(matches!(mark.act, Act::Joined | Act::Left));
                continue;
            }
            Act::Joined | Act::Left => change = Some(mark),
            // After it, a join is another one.
            Act::Unlisted => change = change.filter(|change| change.act == Act::Left),
            Act::JoinedBy | Act::Present | Act::Replied | Act::Listed => {}
        }
        telling.push(mark);
    }
    (telling, repeated)
}

/// The stints of one member in one channel.
pub fn reconstruct(known: &Known<'_>, guessing: &Guessing) -> Outcome {
    walk(known, telling(known.marks), guessing)
}

fn walk(known: &Known<'_>, (marks, repeated): (Vec<Mark>, u64), guessing: &Guessing) -> Outcome {
    let outcome = Outcome { repeated, ..Outcome::default() };
    let mut walk = Walk { known, guessing, open: None, out: None, replies: None, outcome };
    marks.into_iter().for_each(|mark| walk.mark(mark));
    walk.finish()
}

/// A stint that has not ended yet.
struct Open {
    start: Timestamp,
    from: Start,
    /// What a join has to come within [`SAME_EVENT`] of to be the one that is missing.
    told: Timestamp,
    /// The last sign of the member within it, and whether that was a message (else a roster).
    sign: Option<(Timestamp, bool)>,
    /// Up to then it lasts, whatever is told of its end.
    lasts: Timestamp,
    /// The first reply since the stint before.
    replied: Option<Timestamp>,
}

struct Walk<'a> {
    known: &'a Known<'a>,
    guessing: &'a Guessing,
    open: Option<Open>,
    /// When the member is last known to have been none, and by what.
    out: Option<(Timestamp, Start)>,
    /// The first and the last reply since then.
    replies: Option<(Timestamp, Timestamp)>,
    outcome: Outcome,
}

impl Walk<'_> {
    fn mark(&mut self, Mark { time, act }: Mark) {
        match act {
            Act::Joined => {
                let missing = self.open.as_mut().filter(|open| time <= open.told.after(SAME_EVENT));
                if let Some(open) = missing {
                    (open.start, open.from, open.lasts) = (time, Start::Recorded, time);
                    return;
                }
                self.close_by_guess(time, End::NextJoin);
                self.begin(time, Start::Recorded, time);
            }
            Act::JoinedBy => {
                if self.open.is_none() {
                    self.begin_by_guess(time, Some(Start::JoinedBy), false);
                }
            }
            Act::Present | Act::Listed => {
                let wrote = act == Act::Present;
                if self.open.is_none() {
                    self.begin_by_guess(time, wrote.then_some(Start::FirstMessage), false);
                }
                if let Some(open) = &mut self.open {
                    open.sign = Some((time, wrote));
                    // Whoever still wrote was still there.
                    open.lasts = if wrote { time.after(STEP) } else { time };
                }
            }
            Act::Replied => match &mut self.open {
                Some(open) => (open.sign, open.lasts) = (Some((time, true)), time.after(STEP)),
                None => self.replies = Some(self.replies.map_or((time, time), |(first, _)| (first, time))),
            },
            Act::Left => {
                if self.open.is_none() {
                    self.begin_by_guess(time, None, true);
                }
                self.close(Some(time), End::Recorded);
            }
            Act::Unlisted => {
                self.close_by_guess(time, End::NotOnRoster);
                self.out = Some((time, Start::NotListed));
                self.outcome.outside += u64::from(self.replies.take().is_some());
            }
        }
    }

    /// Begins a stint whose join is missing, and which is known to have begun by then. `sign`: why, where that is close
    /// enough to the join to stand for it. `ends`: it ends then, too, and has to be there a moment before.
    fn begin_by_guess(&mut self, by: Timestamp, sign: Option<Start>, ends: bool) {
        let (begun, told) = self.known.life.begun;
        let earliest = match self.out {
            Some(out) => out,
            None if self.known.life.fixed => (begun, Start::Founding),
            None if self.known.creator && told => (begun, Start::Creator),
            None => (begun, if told { Start::ChannelCreated } else { Start::ChannelBegun }),
        };
        let sure = matches!(earliest.1, Start::Founding | Start::Creator);
        let replied = self.replies.filter(|(first, _)| sign.is_none() && *first <= by);
        let told = sign.map(|sign| (by, sign)).or(replied.map(|(first, _)| (first, Start::FirstReply)));
        let (start, from) = match (self.guessing.start, told) {
            (InferredStart::FirstMessage, Some(told)) if !sure => told,
            _ if earliest.0 < by || (earliest.0 == by && !ends) => earliest,
            (_, Some(told)) => told,
            _ => (self.out.map_or(by.just_before(), |(out, _)| out.max(by.just_before())), Start::ItsEnd),
        };
        self.begin(start, from, if sure { start } else { by });
    }

    fn begin(&mut self, start: Timestamp, from: Start, told: Timestamp) {
        let replies = self.replies.take();
        let within = replies.map(|(_, last)| last).filter(|last| *last >= start);
        self.open = Some(Open {
            start,
            from,
            told,
            sign: within.map(|last| (last, true)),
            lasts: within.map_or(start, |last| last.after(STEP)),
            replied: replies.map(|(first, _)| first),
        });
    }

    /// Ends the stint that is open, if any, whose leave is missing; by then it has ended.
    fn close_by_guess(&mut self, by: Timestamp, why: End) {
        let Some(open) = &self.open else { return };
        let (end, from) = match (self.guessing.end, open.sign) {
            (InferredEnd::LastMessage, Some((time, true))) => (time.after(STEP), End::LastMessage),
            (InferredEnd::LastMessage, Some((time, false))) => (time, End::LastRoster),
            _ => (by, why),
        };
        self.close(Some(end), from);
    }

    fn close(&mut self, end: Option<Timestamp>, end_from: End) {
        let Some(Open { start, from, replied, .. }) = self.open.take() else { return };
        self.outcome.outside += u64::from(replied.is_some_and(|first| first.after(SAME_EVENT) < start));
        let end = end.map(|end| end.max(start.after(STEP)));
        self.out = end.map(|end| (end, Start::PreviousLeave));
        self.outcome.stints.push(Stint { start, end, start_from: from, end_from });
    }

    fn finish(mut self) -> Outcome {
        let Known { life, roster, gone, last_seen, .. } = *self.known;
        let archived = life.archived.map(|(time, known)| match known {
            Archiving::Recorded => (time, End::Archived),
            Archiving::By => (time, End::ArchivedBy),
            Archiving::NotBefore => (time, End::LastEvent),
        });
        let gone_at = match gone {
            Some(Gone::At(time)) => Some((time, End::Deactivated)),
            Some(Gone::By(time)) => Some((time, End::DeactivatedBy)),
            Some(Gone::Sometime) | None => None,
        };
        let end = [archived, gone_at].into_iter().flatten().min_by_key(|(time, _)| *time);
        if self.open.is_none() && roster == Roster::On {
            // Rosters go on listing accounts that have ended, and members of archived channels.
            let over = match (end, self.out) {
                (Some((time, _)), Some((out, _))) => time <= out,
                (None, Some(_)) => gone.is_some(),
                (_, None) => false,
            };
            if !over {
                self.begin_by_guess(end.map_or(self.guessing.latest, |(time, _)| time), None, true);
                if let Some(open) =
                    self.open.as_mut().filter(|open| end.is_none() && open.from == Start::ItsEnd)
                {
                    open.from = Start::OnlyRoster;
                }
            }
        }
        self.outcome.outside += u64::from(self.replies.is_some());
        let Some(open) = &self.open else { return self.outcome };
        if let Some((time, why)) = end {
            let lasts = open.lasts;
            self.close(Some(time.max(lasts)), why);
        } else if gone == Some(Gone::Sometime) {
            let seen = last_seen.filter(|seen| *seen > open.start && open.sign.is_none());
            match seen {
                Some(seen) => self.close(Some(seen.after(STEP)), End::LastSeen),
                None => self.close_by_guess(self.guessing.latest, End::DeactivatedBy),
            }
        } else {
            match roster {
                Roster::On => self.close(None, End::OpenRoster),
                Roster::Unknown => self.close(None, End::OpenUnknown),
                Roster::Off => self.close_by_guess(self.guessing.latest, End::NotOnRoster),
            }
        }
        self.outcome
    }
}

#[cfg(test)]
mod tests;
