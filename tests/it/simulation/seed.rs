//! What a seed decides beforehand: rows, rules, limits, faults, and the troubles that are to come.

use std::collections::BTreeSet;
use std::ops::Range;
use std::time::Duration;

use rand::RngExt;
use rand::rngs::StdRng;
use tenure::emulator::faults::{Fault, Faults};
use tenure::emulator::quota::Limits;
use tenure::emulator::world::{RepeatedCreate, Rules, SecondStint};
use tenure::model::{MemberName, SpaceName, Tenure, Timestamp};

/// Troubles that come at a certain time, all in virtual time since the beginning.
#[derive(Debug, Clone)]
pub(super) struct Troubles {
    /// The permission for everything is missing, until somebody mends it.
    pub(super) denied: Range<Duration>,
    /// The token endpoint is away.
    pub(super) no_tokens: Range<Duration>,
    /// The key is revoked, until somebody mends it.
    pub(super) revoked: Range<Duration>,
    /// Everything takes thirty times as long.
    pub(super) slow: Range<Duration>,
    /// From then on the quota is this.
    pub(super) quota: Option<(Duration, Limits)>,
    /// From then on this space is gone, for good.
    pub(super) deleted: Option<(Duration, SpaceName)>,
    /// The journal's writes that fail for want of room.
    pub(super) full_at: BTreeSet<u64>,
    /// A life's clock may be wrong by so much, in microseconds.
    pub(super) skew_max: i64,
}

fn some_time(rng: &mut StdRng, most_ms: u64) -> Duration {
    Duration::from_millis(rng.random_range(0..most_ms))
}

/// Sometimes a span of time, else an empty one.
fn sometimes(rng: &mut StdRng, probability: f64, length_ms: u64) -> Range<Duration> {
    if !rng.random_bool(probability) {
        return Duration::ZERO..Duration::ZERO;
    }
    let from = some_time(rng, 4000);
    from..from + some_time(rng, length_ms)
}

pub(super) fn some_troubles(rng: &mut StdRng, spaces: &BTreeSet<SpaceName>) -> Troubles {
    let place = rng.random_range(0..spaces.len());
    let doomed = spaces.iter().nth(place).cloned();
    Troubles {
        denied: sometimes(rng, 0.1, 3000),
        no_tokens: sometimes(rng, 0.1, 20_000),
        revoked: sometimes(rng, 0.1, 20_000),
        slow: sometimes(rng, 0.15, 10_000),
        quota: rng.random_bool(0.15).then(|| (some_time(rng, 4000), some_limits(rng))),
        deleted: doomed.filter(|_| rng.random_bool(0.08)).map(|space| (some_time(rng, 6000), space)),
        full_at: if rng.random_bool(0.1) {
            BTreeSet::from([rng.random_range(0..40)])
        } else {
            BTreeSet::new()
        },
        skew_max: if rng.random_bool(0.3) { 200 * 86_400_000_000 } else { 0 },
    }
}

pub(super) fn some_rules(rng: &mut StdRng) -> Rules {
    let second_stint = if rng.random_bool(0.7) { SecondStint::Accept } else { SecondStint::Refuse };
    Rules {
        second_stint,
        // Where second stints are refused, a list without times could not tell what a 409 is about.
        times_echoed: second_stint == SecondStint::Refuse || rng.random_bool(0.9),
        repeated_create: if rng.random_bool(0.5) { RepeatedCreate::Refuse } else { RepeatedCreate::Double },
        ..Rules::default()
    }
}

pub(super) fn some_limits(rng: &mut StdRng) -> Limits {
    Limits {
        writes_per_minute: if rng.random_bool(0.3) { 60 } else { 0 },
        reads_per_minute: 0,
        reads_per_space_second: 15,
        hidden_writes_per_space_second: if rng.random_bool(0.2) { rng.random_range(1..5) } else { 0 },
        retry_info: rng.random_bool(0.5),
        ..Limits::default()
    }
}

pub(super) fn some_faults(rng: &mut StdRng, seed: u64) -> Faults {
    let kinds = [
        "error-before",
        "error-after",
        "reset-before",
        "reset-after",
        "throttle",
        "html",
        "hang",
        "token-error",
    ];
    let mut faults: Vec<Fault> = Vec::new();
    for kind in kinds {
        if rng.random_bool(0.5) {
            let share = rng.random_range(1..12u32);
            faults.push(format!("{kind}=0.{share:02}").parse().unwrap());
        }
    }
    if rng.random_bool(0.2) {
        faults.push("unauthorized=0.05".parse().unwrap());
    }
    Faults::new(&faults, seed).unwrap()
}

pub(super) fn at_day(day: u64) -> Timestamp {
    Timestamp::from_micros(1_600_000_000_000_000 + day as i64 * 86_400_000_000)
}

/// Out of few, so that many rows share their times: that is what a closed channel looks like.
pub(super) fn a_span(rng: &mut StdRng) -> (Timestamp, Timestamp) {
    let begin = rng.random_range(0..3) * 10;
    (at_day(begin), at_day(begin + 5))
}

/// Somebody, or one of `strangers` in twenty, whom Chat does not know.
fn somebody(rng: &mut StdRng, number: u32, strangers: u32) -> MemberName {
    let draw = rng.random_range(0..20);
    let name = if draw < strangers {
        format!("nobody{number}@nowhere.invalid")
    } else if draw < strangers + 3 {
        format!("users/10{number}")
    } else {
        format!("member{number}@example.com")
    };
    MemberName::parse(&name).unwrap()
}

/// Rows of people's pasts; now and then one of somebody who has not left.
pub(super) fn some_history(rng: &mut StdRng) -> Vec<Tenure> {
    let mut tenures = Vec::new();
    for space in 0..rng.random_range(1..5u32) {
        let space = SpaceName::parse(&format!("S{space}")).unwrap();
        // Accounts that were deleted long ago.
        let strangers = if rng.random_bool(0.4) { 8 } else { 1 };
        // Of a channel that was archived, with everybody in it from the beginning to the end.
        let archived = rng.random_bool(0.3).then(|| a_span(rng));
        for member in 0..rng.random_range(1..14u32) {
            let member = somebody(rng, member, strangers);
            let mut taken = BTreeSet::new();
            for _ in 0..rng.random_range(1..4) {
                let (create, delete) = archived.unwrap_or_else(|| a_span(rng));
                if taken.insert(create) {
                    tenures.push(Tenure {
                        space: space.clone(),
                        member: member.clone(),
                        create_time: Some(create).filter(|_| rng.random_bool(0.9)),
                        delete_time: Some(delete).filter(|_| rng.random_bool(0.95)),
                        role: None,
                    });
                }
            }
        }
    }
    // An absent createTime and a given one may make the same row twice; that is another test's matter.
    let mut seen = BTreeSet::new();
    tenures.retain(|tenure| {
        seen.insert((tenure.space.clone(), tenure.member.clone(), tenure.create_time, tenure.delete_time))
    });
    tenures
}

/// Rows of members of today.
pub(super) fn some_members(rng: &mut StdRng) -> Vec<Tenure> {
    let mut tenures = Vec::new();
    for space in 0..rng.random_range(1..5u32) {
        let space = SpaceName::parse(&format!("S{space}")).unwrap();
        for member in 0..rng.random_range(1..30u32) {
            tenures.push(Tenure {
                space: space.clone(),
                member: somebody(rng, member, 1),
                create_time: Some(at_day(0)).filter(|_| rng.random_bool(0.5)),
                delete_time: None,
                role: None,
            });
        }
    }
    tenures
}
