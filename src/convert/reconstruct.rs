//! From what is known of one member in one channel to their stints. Pure, and the same for all systems.
//!
//! The rules, in the order in which they are applied:
//!
//! 1. Marks are taken in the order of their times. Two at one instant are put a microsecond apart; the very same mark
//!    twice (overlapping exports) counts once.
//! 2. A join begins a stint, a leave ends it.
//! 3. A join of a member: within [`SAME_EVENT`] of the first it is that join, written twice. Later, a leave is missing
//!    between the two.
//! 4. A leave of nobody: within [`SAME_EVENT`] of another it is that leave, written twice. Otherwise a join is missing.
//! 5. A message of nobody, or a roster with them: a join is missing. Within [`SAME_EVENT`] of the join that follows it
//!    belongs to that join.
//! 6. A reply of a member is a message. One of nobody makes nobody a member: where something else shows that a join is
//!    missing, and not when, it is put at the first reply; otherwise the replies came from outside.
//! 7. A join of nobody that is only known to have been by some time: it is missing, and was no later. Of a member it tells
//!    nothing.
//! 8. Whoever is on a roster and is no member has a join missing; who is a member and not on a roster has a leave missing.
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
}

/// Whether nothing is lost without the second of three marks that follow each other. Of signs in a row the first and the
/// last tell everything; of replies before the first sign, too.
pub(super) fn tells_nothing_more(before: Act, between: Act, after: Act) -> bool {
    let no_change = |act: Act| act.is_sign() || act == Act::Replied;
    no_change(before)
        && no_change(between)
        && no_change(after)
        && (before.is_sign() || (between == Act::Replied && after == Act::Replied))
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

/// Sorts marks, and drops those that are there twice or tell nothing more.
pub(super) fn compact(marks: &mut Vec<Mark>) {
    marks.sort_by_key(|mark| mark.time);
    let mut kept: Vec<Mark> = Vec::with_capacity(marks.len());
    for mark in marks.drain(..) {
        if kept.iter().rev().take_while(|other| other.time == mark.time).any(|other| *other == mark) {
            continue;
        }
        match kept.as_mut_slice() {
            [.., before, last] if tells_nothing_more(before.act, last.act, mark.act) => *last = mark,
            _ => kept.push(mark),
        }
    }
    *marks = kept;
}

/// The stints of one member in one channel.
pub fn reconstruct(known: &Known<'_>, guessing: &Guessing) -> Outcome {
    let mut marks = known.marks.to_vec();
    compact(&mut marks);
    walk(known, &marks, guessing)
}

/// The same, of marks in their order.
fn walk(known: &Known<'_>, marks: &[Mark], guessing: &Guessing) -> Outcome {
    let mut walk = Walk {
        known,
        guessing,
        open: None,
        last_end: None,
        last_leave: None,
        replies: None,
        outcome: Outcome::default(),
    };
    let mut before = None;
    for mut mark in marks.iter().copied() {
        if let Some(before) = before
            && mark.time <= before
        {
            mark.time = before.after(STEP);
        }
        before = Some(mark.time);
        walk.mark(mark);
    }
    walk.finish()
}

/// A stint that has not ended yet.
struct Open {
    start: Timestamp,
    from: Start,
    /// The mark that showed it.
    shown: Timestamp,
    /// The last sign of the member within it, and whether that was a message (else a roster).
    sign: Option<(Timestamp, bool)>,
    /// The last mark within it.
    last: Timestamp,
    /// The first reply since the stint before.
    replied: Option<Timestamp>,
}

struct Walk<'a> {
    known: &'a Known<'a>,
    guessing: &'a Guessing,
    open: Option<Open>,
    last_end: Option<Timestamp>,
    /// The last recorded leave, as long as nothing has followed it.
    last_leave: Option<Timestamp>,
    /// The first and the last reply since there was a stint.
    replies: Option<(Timestamp, Timestamp)>,
    outcome: Outcome,
}

impl Walk<'_> {
    fn mark(&mut self, Mark { time, act }: Mark) {
        let left_before = std::mem::take(&mut self.last_leave);
        match act {
            Act::Joined => {
                if let Some(open) = &mut self.open
                    && time <= open.shown.after(SAME_EVENT)
                {
                    if open.from == Start::Recorded {
                        self.outcome.repeated += 1;
                    } else {
                        (open.start, open.from, open.shown) = (time, Start::Recorded, time);
                    }
                    open.last = time;
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
                    open.last = time;
                }
            }
            Act::Replied => match &mut self.open {
                Some(open) => {
                    open.sign = Some((time, true));
                    open.last = time;
                }
                None => {
                    self.replies = Some(self.replies.map_or((time, time), |(first, _)| (first, time)));
                    self.last_leave = left_before;
                }
            },
            Act::Left => {
                if self.open.is_none() {
                    if left_before.is_some_and(|before| time <= before.after(SAME_EVENT)) {
                        self.outcome.repeated += 1;
                        self.last_leave = left_before;
                        return;
                    }
                    self.begin_by_guess(time, None, true);
                }
                self.close(Some(time), End::Recorded);
                self.last_leave = Some(time);
            }
            Act::Unlisted => self.close_by_guess(time, End::NotOnRoster),
        }
    }

    /// Begins a stint whose join is missing, and which is known to have begun by then. `sign`: why, where that is close
    /// enough to the join to stand for it. `ends`: it ends then, too, and has to be there a moment before.
    fn begin_by_guess(&mut self, by: Timestamp, sign: Option<Start>, ends: bool) {
        let (begun, told) = self.known.life.begun;
        let earliest = match self.last_end {
            Some(end) => (end, Start::PreviousLeave),
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
            _ => (by.just_before().max(self.last_end.unwrap_or(by.just_before())), Start::ItsEnd),
        };
        self.begin(start, from, by);
    }

    fn begin(&mut self, start: Timestamp, from: Start, shown: Timestamp) {
        let replies = self.replies.take();
        let within = replies.map(|(_, last)| last).filter(|last| *last >= start);
        self.open = Some(Open {
            start,
            from,
            shown,
            sign: within.map(|last| (last, true)),
            last: within.unwrap_or(start),
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
        self.last_end = end;
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
            let over = match (end, self.last_end) {
                (Some((time, _)), Some(left)) => time <= left,
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
            // Whoever still wrote was still there.
            let still = match open.sign {
                Some((sign, true)) => sign.after(STEP),
                _ => open.last,
            };
            self.close(Some(time.max(still)), why);
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
