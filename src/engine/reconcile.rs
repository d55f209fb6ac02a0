//! Rows whose answer is unclear, held against what Chat lists.
//!
//! The list names members by canonical id and never by address, so a row whose member's id is not known yet can only be
//! told by its times. The engine therefore never has two such rows with the same times out in one space, and whatever
//! Chat held beforehand was written down before the first call: a listed membership with the row's times that is
//! nobody else's and was not there before is the row's own.

use crate::journal::{Attribution, Held};
use crate::model::{Job, Span};

/// A row whose answer is unclear.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unclear<'a> {
    /// The row.
    pub job: &'a Job,
    /// Whether Chat answered that such a membership exists (409), rather than not at all.
    pub exists: bool,
}

/// What the list says of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// Chat holds it.
    Held {
        /// As listed; `None` when it is not certain which one it is.
        held: Option<Held>,
        /// Whether it was there before the first call.
        beforehand: bool,
    },
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
pub fn relevant(job: &Job, held: &Held) -> bool {
    match known_holder(job) {
        Some(holder) => holder == held.user,
        None => compatible(job.span, held.span),
    }
}

/// Decides.
pub fn reconcile(unclear: &Unclear<'_>, listed: &[Attribution]) -> Finding {
    let job = unclear.job;
    let found = |entry: &Attribution| Finding::Held {
        held: Some(entry.held.clone()),
        beforehand: entry.found_beforehand,
    };
    // The journal may have learned the member's id from another row since this one was read.
    let holder = known_holder(job);
    let is_own =
        |entry: &&Attribution| holder == Some(entry.held.user.as_str()) || entry.owners.contains(&job.member);
    let mut own = listed.iter().filter(is_own);
    let exact = own.clone().find(|entry| compatible(job.span, entry.held.span));
    match (exact, own.next()) {
        (Some(entry), _) => return found(entry),
        (None, Some(entry)) => return Finding::Different { held: entry.held.clone() },
        (None, None) if holder.is_some() => return Finding::NotHeld,
        (None, None) => {}
    }
    let mut candidates = listed.iter().filter(|entry| {
        entry.owners.is_empty()
            && compatible(job.span, entry.held.span)
            // Without an answer, what was there before is not what the lost request did.
            && (unclear.exists || !entry.found_beforehand)
    });
    match (candidates.next(), candidates.next()) {
        (None, _) => Finding::NotHeld,
        // Chat says that the member has one, and there is one that fits; whose it is, is only likely, so nothing more is
        // concluded from it.
        (Some(entry), None) if entry.found_beforehand => Finding::Held { held: None, beforehand: true },
        (Some(entry), None) => found(entry),
        (Some(_), Some(_)) if unclear.exists => Finding::Held { held: None, beforehand: true },
        (Some(_), Some(_)) => Finding::Undecided,
    }
}

/// How the list names the row's member, if that is known.
pub(super) fn known_holder(job: &Job) -> Option<&str> {
    let name = &job.member_name;
    if name.is_group() {
        return Some(name.as_str());
    }
    job.user.as_deref().or_else(|| name.canonical_user())
}

/// Whether a listed membership can be the one that was asked for. What the list does not tell cannot differ.
fn compatible(asked: Span, listed: Span) -> bool {
    let start =
        listed.create_time.is_none() || asked.start().is_none() || listed.create_time == asked.start();
    start && (listed.delete_time.is_none() || listed.delete_time == asked.delete_time)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{MemberId, MemberName, Operation, RowId, SpaceId, SpaceName, Timestamp};

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
            attempts: 1,
        }
    }

    fn entry(user: &str, span: Span) -> Attribution {
        let held = Held { membership: format!("spaces/A/members/{user}"), user: user.to_owned(), span };
        Attribution { held, owners: Vec::new(), found_beforehand: false }
    }

    fn lost(user: Option<&str>, listed: &[Attribution]) -> Finding {
        reconcile(&Unclear { job: &job(user), exists: false }, listed)
    }

    fn exists(user: Option<&str>, listed: &[Attribution]) -> Finding {
        reconcile(&Unclear { job: &job(user), exists: true }, listed)
    }

    fn held(entry: &Attribution) -> Finding {
        Finding::Held { held: Some(entry.held.clone()), beforehand: entry.found_beforehand }
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
        let likely = Finding::Held { held: None, beforehand: true };
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
        assert_eq!(exists(None, &listed), Finding::Held { held: None, beforehand: true });
    }

    #[test]
    fn times_that_are_not_told_do_not_differ() {
        let silent = entry("users/1", Span { create_time: None, delete_time: None });
        assert_eq!(lost(Some("users/1"), std::slice::from_ref(&silent)), held(&silent));
        assert_eq!(lost(None, std::slice::from_ref(&silent)), held(&silent));
    }

    #[test]
    fn an_absent_create_time_is_a_microsecond_before_the_end() {
        let mut job = job(None);
        job.span.create_time = None;
        let own = entry("users/1", span(19, 20));
        assert_eq!(reconcile(&Unclear { job: &job, exists: false }, std::slice::from_ref(&own)), held(&own));
        let other = [entry("users/1", span(18, 20))];
        assert_eq!(reconcile(&Unclear { job: &job, exists: false }, &other), Finding::NotHeld);
    }
}
