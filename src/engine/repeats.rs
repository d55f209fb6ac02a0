//! What this Chat does with a create of what it holds already: nobody documents it. So as long as it is not known, rows
//! that Chat may hold since before this journal's first call are sent one at a time, over all spaces.

use std::collections::BTreeSet;

use crate::model::{Job, Prior, RowId};

/// The kind of a reject that Chat was seen to hold twice.
pub(super) const DOUBLED: &str = "DOUBLED";
/// The kind of a reject that is not sent, because Chat may hold it and would hold it twice.
pub(super) const PERHAPS_THERE: &str = "PERHAPS_THERE";

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Known {
    #[default]
    Nothing,
    /// It refuses them.
    Refused,
    /// It makes two.
    Doubled,
}

/// What is known, and which rows may be about to tell.
#[derive(Debug, Default)]
pub(super) struct Repeats {
    known: Known,
    /// Rows that Chat may hold and that were sent, in this run or in one before, without it being known what came of it.
    out: BTreeSet<RowId>,
    /// Spaces of which the journal has not said yet which of their rows an earlier run has left so.
    recovering: usize,
}

impl Repeats {
    pub(super) fn new(doubles: bool) -> Self {
        Repeats { known: if doubles { Known::Doubled } else { Known::Nothing }, ..Repeats::default() }
    }

    /// Whether a row may be sent, as far as this goes.
    pub(super) fn may_leave(&self, job: &Job) -> bool {
        job.prior == Prior::No
            || match self.known {
                Known::Nothing => self.recovering == 0 && self.out.iter().all(|row| *row == job.id),
                Known::Refused => true,
                Known::Doubled => false,
            }
    }

    /// Whether a row is not going to be sent at all.
    pub(super) fn holds_back(&self, job: &Job) -> bool {
        job.prior != Prior::No && self.known == Known::Doubled
    }

    /// The journal is asked for rows of a space that an earlier run has left in flight.
    pub(super) fn recovers(&mut self) {
        self.recovering += 1;
    }

    /// It has given them; each of them has left.
    pub(super) fn recovered(&mut self) {
        self.recovering -= 1;
    }

    /// A row leaves, or has left in an earlier run.
    pub(super) fn leaves(&mut self, job: &Job) {
        if job.prior != Prior::No {
            self.out.insert(job.id);
        }
    }

    /// A row is settled, or waits to be sent again.
    pub(super) fn is_back(&mut self, row: RowId) {
        self.out.remove(&row);
    }

    /// Whether a list that has a membership twice would tell something.
    pub(super) fn is_open(&self) -> bool {
        self.known == Known::Nothing
    }

    /// A row was refused that Chat held already.
    pub(super) fn refused(&mut self) {
        if self.known == Known::Nothing {
            self.known = Known::Refused;
        }
    }

    /// A membership is held twice.
    pub(super) fn doubled(&mut self) {
        self.known = Known::Doubled;
    }
}
