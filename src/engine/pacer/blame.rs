//! Whose limit a 429 is about: the project's, or one space's.
//!
//! Where the answer names the limit, that is believed. Where it does not, the space is to blame as long as others are
//! let through, and the project once several spaces are refused at about the same time. To take the one for the other
//! costs little: a project that is refused in space after space slows them all, and the other way round the project is
//! slowed to what has got through.

use std::collections::HashMap;
use std::time::Duration;

use crate::chat::Refusal;
use crate::model::SpaceId;

/// What lies further back says nothing about now.
const RECENT: Duration = Duration::from_secs(5);
/// Hardly any answer comes so long after its call has left.
const LONG_AGO: Duration = Duration::from_secs(120);
/// So many spaces are remembered at least before those of long ago are forgotten.
const ROOM_MIN: usize = 256;
/// So many spaces at once are refused for want of the project's quota: so many that were not slowed before, or so many at
/// all if they are half of those that are asked.
const SPACES_MIN: usize = 3;
/// So many refusals in a row, all in one space while others are let through, are its own even where the project is near its
/// limit.
const IN_A_ROW: u32 = 3;

/// Whose limit it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Whose {
    Project,
    Space,
}

/// Who was let through and who was refused of late: by space, when the last such call left.
#[derive(Debug, Clone, Default)]
pub(super) struct Blame {
    through: HashMap<SpaceId, Duration>,
    /// How many of these there may be until some are forgotten.
    room: usize,
    refused: HashMap<SpaceId, Refused>,
    /// Which space was refused last, how often in a row, and when that call left.
    last: Option<(SpaceId, u32, Duration)>,
    /// Refusals of this time were the project's after all.
    void: Option<(Duration, Duration)>,
}

#[derive(Debug, Clone, Copy)]
struct Refused {
    at: Duration,
    /// The space was slowed already.
    slowed: bool,
}

/// What a limit's name says about whose it is, as Google names those of other APIs:
/// `...PerMinutePerProject`. Nobody documents it for Chat, so a name that says nothing of the kind is no surprise.
fn named(refusal: &Refusal) -> Option<Whose> {
    let name = refusal.limit.as_ref()?;
    if name.contains("PerSpace") {
        Some(Whose::Space)
    } else if name.contains("PerProject") {
        Some(Whose::Project)
    } else {
        None
    }
}

/// What the project may do in a minute, if the refusal says so.
pub(super) fn told(refusal: &Refusal) -> Option<u32> {
    let name = refusal.limit.as_ref()?;
    refusal.limit_value.filter(|_| name.contains("PerMinute") && name.contains("PerProject"))
}

impl Blame {
    /// A call was let through.
    pub(super) fn let_through(&mut self, space: SpaceId, asked_at: Duration) {
        let at = self.through.entry(space).or_insert(asked_at);
        *at = (*at).max(asked_at);
        // Where nothing is ever refused, nobody else forgets any.
        if self.through.len() > self.room {
            self.through.retain(|_, at| *at + LONG_AGO >= asked_at);
            self.room = ROOM_MIN.max(self.through.len() * 2);
        }
    }

    /// Whose limit has refused a call that left at `asked_at`. `is_slowed` says whether the space is slowed already, and
    /// `expected` whether the project is near what it is known to have.
    pub(super) fn find(
        &mut self,
        now: Duration,
        asked_at: Duration,
        space: SpaceId,
        refusal: &Refusal,
        is_slowed: bool,
        expected: bool,
    ) -> Whose {
        if let Some(whose) = named(refusal) {
            return whose;
        }
        self.through.retain(|_, at| *at + RECENT >= asked_at);
        self.refused.retain(|_, refused| refused.at + RECENT >= asked_at);
        let others_pass = self.through.keys().any(|other| *other != space);
        self.refused.insert(space, Refused { at: asked_at, slowed: is_slowed });
        let before = self.last.filter(|(last, _, at)| *last == space && *at + RECENT >= asked_at);
        let in_a_row = before.map_or(0, |(_, times, _)| times) + 1;
        self.last = Some((space, in_a_row, asked_at));
        let fresh = self.refused.values().filter(|refused| !refused.slowed).count();
        let active = self.through.len().max(self.refused.len());
        let many = self.refused.len() >= SPACES_MIN && self.refused.len() * 2 >= active;
        let is_its_own = is_slowed || in_a_row >= IN_A_ROW || !expected && fresh < SPACES_MIN;
        if others_pass && !many && is_its_own {
            return Whose::Space;
        }
        let fresh = self.refused.values().filter(|refused| !refused.slowed).map(|refused| refused.at);
        if let Some(first) = fresh.min() {
            self.void = Some((first, now));
        }
        self.refused.clear();
        Whose::Project
    }

    /// The time whose refusals were the project's after all.
    pub(super) fn void(&self) -> Option<(Duration, Duration)> {
        self.void
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: SpaceId = SpaceId(1);

    fn second(second: u64) -> Duration {
        Duration::from_secs(second)
    }

    fn unnamed() -> Refusal {
        Refusal { http_status: 429, ..Refusal::default() }
    }

    #[test]
    fn spaces_of_long_ago_are_forgotten() {
        let mut blame = Blame::default();
        for space in 1..10_000 {
            blame.let_through(SpaceId(space), second(space as u64));
        }
        assert!(blame.through.len() <= ROOM_MIN, "{}", blame.through.len());
        assert_eq!(blame.find(second(9999), second(9999), A, &unnamed(), false, false), Whose::Space);
    }

    #[test]
    fn a_name_decides() {
        let mut blame = Blame::default();
        let name = |limit: &str| Refusal { limit: Some(limit.to_owned()), limit_value: Some(7), ..unnamed() };
        let mut find = |limit| blame.find(second(1), second(1), A, &name(limit), false, false);
        assert_eq!(find("ReadsPerSecondPerSpace"), Whose::Space);
        assert_eq!(find("MembershipWritesPerMinutePerProject"), Whose::Project);
        assert_eq!(told(&name("MembershipWritesPerMinutePerProject")), Some(7));
        assert_eq!(told(&name("ReadsPerSecondPerSpace")), None);
    }

    #[test]
    fn one_space_among_others_that_pass() {
        let mut blame = Blame::default();
        assert_eq!(blame.find(second(1), second(1), A, &unnamed(), false, false), Whose::Project, "alone");
        blame.let_through(SpaceId(2), second(1));
        assert_eq!(blame.find(second(2), second(2), A, &unnamed(), false, false), Whose::Space);
        assert_eq!(blame.find(second(9), second(9), A, &unnamed(), true, false), Whose::Project, "long ago");
    }

    #[test]
    fn one_space_again_and_again_while_the_project_is_near_its_limit() {
        let mut blame = Blame::default();
        blame.let_through(SpaceId(2), second(1));
        let mut find = |space| blame.find(second(2), second(2), SpaceId(space), &unnamed(), false, true);
        assert_eq!([find(1), find(1), find(3)], [Whose::Project; 3]);
        assert_eq!([find(1), find(1), find(1)], [Whose::Project, Whose::Project, Whose::Space]);
    }

    #[test]
    fn several_spaces_at_once() {
        let mut blame = Blame::default();
        blame.let_through(SpaceId(9), second(1));
        let mut find =
            |space, at| blame.find(second(at), second(at), SpaceId(space), &unnamed(), false, false);
        assert_eq!((find(1, 2), find(2, 2), find(1, 3)), (Whose::Space, Whose::Space, Whose::Space));
        assert_eq!(find(3, 3), Whose::Project);
        assert_eq!(blame.void(), Some((second(2), second(3))));
    }
}
