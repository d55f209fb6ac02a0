//! Rows whose answer is unclear, held against what Chat lists.
//!
//! The list names members by canonical id and never by address, so a row whose member's id is not known yet can only be
//! told by its times. The engine therefore never has two such rows with the same times out in one space, and whatever
//! Chat held beforehand was written down before the first call: a listed membership with the row's times that is
//! nobody else's and was not there before is the row's own.

use crate::journal::{Attribution, Held};
use crate::model::{Job, Span, Timestamp};

/// A row whose answer is unclear.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Unclear<'a> {
    /// The row.
    pub(super) job: &'a Job,
    /// Whether Chat answered that such a membership exists (409), rather than not at all.
    pub(super) exists: bool,
    /// Whether another row with its times may have been sent as well, without the journal knowing.
    pub(super) alike: bool,
}

/// What the list says of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Finding {
    /// Chat holds it.
    Held {
        /// As listed; `None` when it is not certain which one it is.
        held: Option<Held>,
        /// Whether it was there before the first call.
        beforehand: bool,
        /// Whether the list tells its times, and they are the row's.
        exact: bool,
    },
    /// Chat holds it more than once.
    Doubled {
        /// As listed.
        held: Held,
    },
    /// Somebody has one more than beforehand. The list tells no times, so it may be the same once more.
    PerhapsDoubled,
    /// Chat does not hold it.
    NotHeld,
    /// Chat holds another membership of the same member, with other times.
    Different {
        /// As listed.
        held: Held,
    },
    /// Several memberships could be it, and somebody else must have made one of them.
    Undecided,
}

/// Whether a listed membership can matter for a row: all others need not be kept while paging.
pub(super) fn relevant(job: &Job, held: &Held) -> bool {
    match job.holder() {
        Some(holder) => holder == held.user,
        None => fit(job.span, held.span) != Fit::No,
    }
}

/// Decides for all rows of one space whose answers are unclear. A listed membership settles one row at most.
pub(super) fn reconcile(unclear: &[Unclear<'_>], mut listed: Vec<Attribution>) -> Vec<Finding> {
    unclear
        .iter()
        .map(|row| {
            let (finding, taken) = look_up(row, &listed);
            if let Some(taken) = taken {
                listed.remove(taken);
            }
            finding
        })
        .collect()
}

/// Whether a listed membership that was not there beforehand, and is nobody's as far as the journal knows, may be a row's
/// all the same.
pub(super) fn could_be(job: &Job, entry: &Attribution) -> bool {
    entry.owners.is_empty() && !entry.found_beforehand && fit(job.span, entry.held.span) != Fit::No
}

/// What the list says of one row, and which entry settles it.
fn look_up(row: &Unclear<'_>, listed: &[Attribution]) -> (Finding, Option<usize>) {
    let job = row.job;
    let held = |place: usize, exact: bool| {
        let entry: &Attribution = &listed[place];
        let held = Some(entry.held.clone());
        (Finding::Held { held, beforehand: entry.found_beforehand, exact }, Some(place))
    };
    let twice = |entry: &Attribution| (Finding::Doubled { held: entry.held.clone() }, None);
    // The journal may have learned the member's id from another row since this one was read.
    let holder = job.holder();
    let is_own =
        |entry: &Attribution| holder == Some(entry.held.user.as_str()) || entry.owners.contains(&job.member);
    let place = |wanted: Fit, of: &dyn Fn(&Attribution) -> bool| {
        listed.iter().position(|entry| of(entry) && fit(job.span, entry.held.span) == wanted)
    };
    if let Some(place) = place(Fit::Exact, &is_own) {
        let entry = &listed[place];
        return if entry.twice { twice(entry) } else { held(place, true) };
    }
    if let Some(place) = place(Fit::Perhaps, &is_own) {
        let entry = &listed[place];
        // It can only be this row's if the member has no other there. Then 409 says so, or nothing was there before.
        let sure = !entry.owner_has_others && (row.exists || !entry.found_beforehand);
        // Without an answer, one more than beforehand may be the same once more.
        let more = !row.exists && entry.found_beforehand && entry.grown;
        return match sure {
            true => held(place, false),
            false if more => (Finding::PerhapsDoubled, None),
            false => (Finding::Undecided, None),
        };
    }
    if let Some(entry) = listed.iter().find(|entry| is_own(entry)) {
        return (Finding::Different { held: entry.held.clone() }, None);
    }
    if holder.is_some() {
        return (Finding::NotHeld, None);
    }
    let by_times =
        |entry: &&Attribution| entry.owners.is_empty() && fit(job.span, entry.held.span) != Fit::No;
    if row.alike && !row.exists && listed.iter().any(|entry| by_times(&entry) && !entry.found_beforehand) {
        return (Finding::Undecided, None);
    }
    if !row.exists
        && let Some(entry) = listed.iter().filter(by_times).find(|entry| entry.grown)
    {
        return match entry.twice {
            _ if row.alike => (Finding::Undecided, None),
            true => twice(entry),
            false if entry.found_beforehand => (Finding::PerhapsDoubled, None),
            false => (Finding::Undecided, None),
        };
    }
    // Without an answer, what was there before is not what the lost request did.
    let is_free = |entry: &&Attribution| entry.owners.is_empty() && (row.exists || !entry.found_beforehand);
    let fitting = |wanted: Fit| {
        let fits = move |entry: &&Attribution| fit(job.span, entry.held.span) == wanted;
        listed.iter().filter(is_free).filter(fits).count()
    };
    // Chat says that the member has one, and there is one that fits; whose it is, is only likely, so nothing more is
    // concluded from it.
    let mut fits = listed.iter().filter(is_free).filter(|entry| fit(job.span, entry.held.span) == Fit::Exact);
    let exact = fitting(Fit::Exact) > 0 && fits.all(|entry| entry.found_beforehand);
    let likely = (Finding::Held { held: None, beforehand: true, exact }, None);
    match (fitting(Fit::Exact), fitting(Fit::Perhaps)) {
        (0, 0) => (Finding::NotHeld, None),
        (1, _) => match place(Fit::Exact, &|entry| is_free(&entry)) {
            Some(place) if !listed[place].found_beforehand => held(place, true),
            _ => likely,
        },
        _ if row.exists => likely,
        // Whose it is cannot be told by times that are not told, nor by times that two of them have.
        _ => (Finding::Undecided, None),
    }
}

/// How well a listed membership fits what was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fit {
    /// Both times are the same.
    Exact,
    /// Nothing differs, but the list does not tell everything. Whether it does, Google does not document.
    Perhaps,
    /// Something differs.
    No,
}

fn fit(asked: Span, listed: Span) -> Fit {
    let differs = |asked: Option<Timestamp>, listed: Option<Timestamp>| listed.is_some() && asked != listed;
    // Without an end and without a beginning, it began when Chat got it.
    let begins = asked.start().is_some();
    if (begins && differs(asked.start(), listed.create_time))
        || differs(asked.delete_time, listed.delete_time)
    {
        Fit::No
    } else if listed.create_time.is_some() && listed.delete_time == asked.delete_time {
        Fit::Exact
    } else {
        Fit::Perhaps
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{MemberId, MemberName, Operation, Origin, Prior, RowId, SpaceId, SpaceName};

    fn span(create: i64, delete: i64) -> Span {
        Span {
            create_time: Some(Timestamp::from_micros(create)),
            delete_time: Some(Timestamp::from_micros(delete)),
        }
    }

    fn job(user: Option<&str>) -> Job {
        Job {
            id: RowId(1),
            operation: Operation::Create,
            space: SpaceId(1),
            space_name: SpaceName::parse("A").unwrap(),
            member: MemberId(7),
            member_name: MemberName::parse("a@b.cd").unwrap(),
            user: user.map(str::to_owned),
            span: span(10, 20),
            role: None,
            membership: None,
            attempts: 1,
            origin: Origin { source: 1, line: 2 },
            prior: Prior::No,
        }
    }

    fn entry(user: &str, span: Span) -> Attribution {
        let held = Held { membership: format!("spaces/A/members/{user}"), user: user.to_owned(), span };
        Attribution {
            held,
            owners: Vec::new(),
            owner_has_others: false,
            found_beforehand: false,
            twice: false,
            grown: false,
        }
    }

    fn one(job: &Job, exists: bool, listed: &[Attribution]) -> Finding {
        reconcile(&[Unclear { job, exists, alike: false }], listed.to_vec()).remove(0)
    }

    fn lost(user: Option<&str>, listed: &[Attribution]) -> Finding {
        one(&job(user), false, listed)
    }

    fn exists(user: Option<&str>, listed: &[Attribution]) -> Finding {
        one(&job(user), true, listed)
    }

    fn held(entry: &Attribution) -> Finding {
        let exact = entry.held.span.create_time.is_some();
        Finding::Held { held: Some(entry.held.clone()), beforehand: entry.found_beforehand, exact }
    }

    #[test]
    fn a_member_whose_id_is_known() {
        let own = entry("users/1", span(10, 20));
        let other_times = entry("users/1", span(30, 40));
        let somebody = entry("users/2", span(10, 20));
        assert_eq!(lost(Some("users/1"), &[somebody.clone(), other_times.clone(), own.clone()]), held(&own));
        assert_eq!(lost(Some("users/1"), &[somebody]), Finding::NotHeld);
        assert_eq!(
            lost(Some("users/1"), std::slice::from_ref(&other_times)),
            Finding::Different { held: other_times.held }
        );
    }

    #[test]
    fn a_member_whose_id_is_not_known_is_told_by_times() {
        let own = entry("users/1", span(10, 20));
        assert_eq!(lost(None, std::slice::from_ref(&own)), held(&own));
        assert_eq!(lost(None, &[entry("users/1", span(10, 21))]), Finding::NotHeld);
        let known = Attribution { owners: vec![MemberId(8)], ..entry("users/2", span(10, 20)) };
        assert_eq!(lost(None, std::slice::from_ref(&known)), Finding::NotHeld, "it is somebody else's");
        let before = Attribution { found_beforehand: true, ..entry("users/3", span(10, 20)) };
        assert_eq!(lost(None, std::slice::from_ref(&before)), Finding::NotHeld, "it was there before");
        let likely = Finding::Held { held: None, beforehand: true, exact: true };
        assert_eq!(exists(None, std::slice::from_ref(&before)), likely, "and that is what 409 says");
        assert_eq!(lost(None, &[known, before, own.clone()]), held(&own));
        let learned = Attribution { owners: vec![MemberId(7)], ..own };
        assert_eq!(
            lost(None, std::slice::from_ref(&learned)),
            held(&learned),
            "another row has told whose it is"
        );
    }

    #[test]
    fn two_that_could_be_it() {
        let listed = [entry("users/1", span(10, 20)), entry("users/2", span(10, 20))];
        assert_eq!(lost(None, &listed), Finding::Undecided);
        let likely = Finding::Held { held: None, beforehand: true, exact: false };
        assert_eq!(exists(None, &listed), likely, "it may have made one of them just now");
    }

    #[test]
    fn a_list_that_does_not_tell_times() {
        let silent = entry("users/1", Span { create_time: None, delete_time: None });
        let listed = std::slice::from_ref(&silent);
        assert_eq!(lost(Some("users/1"), listed), held(&silent));
        assert_eq!(lost(None, listed), Finding::Undecided);
        assert_eq!(exists(None, listed), Finding::Held { held: None, beforehand: true, exact: false });
        let two_stints = Attribution { owners: vec![MemberId(7)], owner_has_others: true, ..silent.clone() };
        assert_eq!(lost(Some("users/1"), std::slice::from_ref(&two_stints)), Finding::Undecided);
        let before = Attribution { found_beforehand: true, ..silent.clone() };
        assert_eq!(lost(Some("users/1"), std::slice::from_ref(&before)), Finding::Undecided);
    }

    #[test]
    fn one_entry_settles_one_row() {
        let own = entry("users/1", span(10, 20));
        let (one, mut other) = (job(None), job(None));
        (other.id, other.member) = (RowId(2), MemberId(8));
        let rows = [&one, &other].map(|job| Unclear { job, exists: false, alike: false });
        assert_eq!(reconcile(&rows, vec![own.clone()]), [held(&own), Finding::NotHeld]);
    }

    #[test]
    fn an_absent_create_time_is_a_microsecond_before_the_end() {
        let mut job = job(None);
        job.span.create_time = None;
        let own = entry("users/1", span(19, 20));
        assert_eq!(one(&job, false, std::slice::from_ref(&own)), held(&own));
        let other = [entry("users/1", span(18, 20))];
        assert_eq!(one(&job, false, &other), Finding::NotHeld);
    }
}
