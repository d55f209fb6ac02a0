//! What the rows of one member in one space are to each other: new, known, the same once more, or overlapping. Pure.
//!
//! Rows come in the order of their times, those that say the same in the order of the input; what earlier readings have
//! left of the member is there before the first.

use super::JournalError;
use super::incoming::{Incoming, Times};
use super::load::claim;
use super::number::STINTS_MAX;
use crate::model::{Origin, Role, RowId, State};

/// What this reading makes of a stint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// It is from an earlier reading, and this one says nothing of it.
    Unmet,
    /// Not in the journal before.
    New,
    /// In the journal from an earlier reading; whether its role is another now.
    Known { corrected: bool },
    /// A refused row of another file: it is to be tried again.
    Again {
        /// What it was.
        was: State,
    },
    /// An open row that has got its end: another row stands for it now.
    Superseded,
    /// A row of earlier readings that is made of other lines now.
    Remade {
        /// Whether it was a reject, and is to be tried again.
        again: bool,
    },
}

/// Why a row is left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// A short stable word.
    pub kind: &'static str,
    /// The reason in full.
    pub error: String,
}

/// One row of the member.
#[derive(Debug)]
pub(super) struct Stint {
    pub(super) times: Times,
    pub(super) origin: Origin,
    pub(super) role: Option<Role>,
    pub(super) state: State,
    pub(super) fate: Fate,
    /// Its number, if an earlier reading has left it.
    pub(super) row: Option<RowId>,
    pub(super) given: Option<Box<str>>,
    pub(super) refusal: Option<Refusal>,
    /// Its place among those of the same times.
    pub(super) arrival: (bool, u64),
    /// Whether it is the history of an open row, made up to the moment of its first reading.
    pub(super) bridge: bool,
    /// Where this reading has met it, if it is of an earlier one.
    pub(super) met: Option<Origin>,
    /// What it is made of, if that is more than its own line.
    pub(super) parts: Vec<Part>,
}

/// A line of the input that went into a row with others, or as the history of an open one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Part {
    /// Of a bridge, with the end that was made up for it.
    pub(super) times: Times,
    pub(super) bridge: bool,
    pub(super) role: Option<Role>,
    pub(super) origin: Origin,
    pub(super) given: Option<Box<str>>,
}

impl Stint {
    pub(super) fn is_met(&self) -> bool {
        self.fate != Fate::Unmet
    }

    /// Whether it was replaced after it had been fed back, and stood in this file before: there it is known, too.
    fn was_replaced_from(&self, path: &str) -> bool {
        let place = self.given.as_deref().filter(|_| self.state == State::Replaced).and_then(claim);
        place.is_some_and(|place| place.rsplit_once(':').is_some_and(|(file, _)| file == path))
    }

    /// Whether no request of it can have been applied.
    pub(super) fn is_unsent(&self) -> bool {
        matches!(self.state, State::Pending | State::Open)
    }
}

/// What a row turned out to be when it came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Added {
    New,
    Known,
    Again,
    Duplicate,
}

/// Why two stints do not go together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClashKind {
    /// They share time.
    Overlap,
    /// They are to be one membership, and have different roles.
    Roles,
    /// What was sent already would have other times with this one. The other is what was sent.
    Sent,
}

/// Two stints that do not go together.
pub(super) struct Clash<'a> {
    pub(super) kind: ClashKind,
    /// The one that is complained of: of this reading, the later if both are.
    pub(super) here: &'a Stint,
    pub(super) other: &'a Stint,
}

/// The rows of one member in one space.
#[derive(Debug, Default)]
pub(super) struct Judge {
    pub(super) stints: Vec<Stint>,
    /// How many of them are from earlier readings.
    earlier: usize,
    /// The one that the last row was.
    last: usize,
    /// Bridges that rows of the input turned out to be, to the microsecond: rows like any other from now on.
    pub(super) claimed: Vec<Times>,
    /// Whether there is anything that earlier readings have not left just so.
    pub(super) is_changed: bool,
}

impl Judge {
    /// Begins with what earlier readings have left.
    pub(super) fn begin(&mut self, mut earlier: Vec<Stint>) {
        earlier.sort_by_key(|stint| stint.times);
        self.earlier = earlier.len();
        self.last = usize::MAX;
        self.claimed.clear();
        self.stints.clear();
        self.stints.append(&mut earlier);
    }

    /// Takes a row of a file in; gives it back, with the stint that says the same, if that has another role. `waits` says
    /// whether somebody who is still a member waits.
    ///
    /// # Errors
    /// When the member has more stints than can be numbered.
    pub(super) fn row(
        &mut self,
        row: Incoming,
        (source, path): (i64, &str),
        waits: bool,
    ) -> Result<Result<Added, (Incoming, &Stint)>, JournalError> {
        let times = row.times();
        let role = row.role();
        if self.stints.get(self.last).is_some_and(|last| last.times == times) {
            let last = &self.stints[self.last];
            return Ok(if last.role == role { Ok(Added::Duplicate) } else { Err((row, last)) });
        }
        let origin = Origin { source, line: row.line() };
        let state = if waits && times.is_open() { State::Open } else { State::Pending };
        if let Ok(place) = self.stints[..self.earlier].binary_search_by_key(&times, |stint| stint.times) {
            self.last = place;
            let stint = &mut self.stints[place];
            if std::mem::take(&mut stint.bridge) {
                self.claimed.push(times);
            }
            if stint.state.is_refused() && stint.origin.source != source && !stint.was_replaced_from(path) {
                (stint.state, stint.fate, stint.origin) = (state, Fate::Again { was: stint.state }, origin);
                (stint.role, stint.given) = (role, row.given);
                return Ok(Ok(Added::Again));
            }
            stint.met = Some(origin);
            stint.fate = Fate::Known { corrected: stint.role != role };
            stint.role = role;
            return Ok(Ok(Added::Known));
        }
        if self.stints.len() >= STINTS_MAX {
            let what = "stints of one member in one space";
            return Err(JournalError::TooMany { what, most: STINTS_MAX as u64 });
        }
        let arrival = (true, (row.source() as u64) << 44 | row.line());
        self.last = self.stints.len();
        self.stints.push(Stint {
            times,
            origin,
            role,
            state,
            fate: Fate::New,
            row: None,
            given: row.given,
            refusal: None,
            arrival,
            bridge: false,
            met: None,
            parts: Vec::new(),
        });
        Ok(Ok(Added::New))
    }

    /// Whether the last row has given another role to a stint that was not refused.
    pub(super) fn has_corrected(&self) -> bool {
        let last = self.stints.get(self.last);
        last.is_some_and(|last| last.fate == Fate::Known { corrected: true } && !last.state.is_refused())
    }

    /// All of them in the order of their times, now that no more come. Tenures that merely touch do not overlap. A refused one
    /// overlaps nothing; where it reaches beyond the others, these are held against it and not against each other. `clash` says whether the one to leave out is left out: the later, unless only the earlier is still to
    /// be sent.
    pub(super) fn end(&mut self, mut clash: impl FnMut(Clash<'_>) -> Option<Refusal>) -> &mut Vec<Stint> {
        if self.stints.len() > 1 {
            self.supersede();
            self.stints.sort_by_key(|stint| (stint.times.start, stint.times.end, stint.arrival));
            self.overlaps(&mut clash);
        }
        &mut self.stints
    }

    /// Somebody has left since an earlier reading: the open row has got its end.
    pub(super) fn supersede(&mut self) {
        let (earlier, new) = self.stints.split_at_mut(self.earlier);
        for open in earlier.iter_mut().filter(|stint| stint.state == State::Open && !stint.is_met()) {
            if new.iter().any(|new| new.state == State::Pending && new.times.begins_with(open.times)) {
                open.fate = Fate::Superseded;
            }
        }
    }

    pub(super) fn overlaps(&mut self, clash: &mut impl FnMut(Clash<'_>) -> Option<Refusal>) {
        // For a bridge its open row speaks.
        let counts = |stint: &Stint| stint.fate != Fate::Superseded && !stint.bridge;
        let Some(mut holder) = self.stints.iter().position(counts) else { return };
        for next in holder + 1..self.stints.len() {
            if !counts(&self.stints[next]) {
                continue;
            }
            let (earlier, later) = (&self.stints[holder], &self.stints[next]);
            let longer = later.times.end > earlier.times.end;
            let shared = later.times.start < earlier.times.end;
            let refused = [earlier, later].iter().any(|stint| stint.state.is_refused());
            if shared && !refused && (earlier.is_met() || later.is_met()) {
                let (here, other) = if later.is_met() { (later, earlier) } else { (earlier, later) };
                let victim = if later.is_unsent() { next } else { holder };
                let refusal = clash(Clash { kind: ClashKind::Overlap, here, other });
                // A row that is left out overlaps nothing any more.
                let gone = refusal.is_some() && victim == next;
                if refusal.is_some() && self.stints[victim].is_unsent() {
                    self.stints[victim].refusal = refusal;
                }
                if !gone && longer {
                    holder = next;
                }
            } else if longer {
                holder = next;
            }
        }
    }
}
