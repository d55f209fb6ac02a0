//! A journal and a Chat that are made up as they are asked, so that nothing grows but what is under test.

use std::collections::BTreeMap;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tenure::chat::{Answer, Call, Failure, Membership, Page, Refusal};
use tenure::journal::{Change, Reply, Request, SpaceWork, Tally, Work};
use tenure::model::{
    Job, MemberId, MemberName, Operation, Origin, Prior, RowId, SpaceId, SpaceName, Span, State, Timestamp,
};

/// Rows of one space, at most.
const ROWS_MAX: i64 = 100_000;
/// How many people there are.
const PEOPLE: i64 = 20_000;

fn space_name(space: SpaceId) -> SpaceName {
    SpaceName::parse(&format!("AAQA{space}")).unwrap()
}

/// A journal that knows of a row only as long as its space is worked on.
pub(super) struct Journal {
    spaces: i64,
    rows_per_space: i64,
    begun: BTreeMap<SpaceId, Vec<State>>,
}

impl Journal {
    /// So many spaces, with so many rows on average.
    pub(super) fn new(spaces: i64, rows_per_space: i64) -> Self {
        Journal { spaces, rows_per_space, begun: BTreeMap::new() }
    }

    /// Half to one and a half times as many as on average, so that spaces do not end together.
    fn rows_of(&self, space: SpaceId) -> i64 {
        self.rows_per_space / 2 + space.0 * 7919 % (self.rows_per_space + 1)
    }

    pub(super) fn work(&self) -> (Work, Tally) {
        let spaces: Vec<SpaceWork> = (1..=self.spaces)
            .map(SpaceId)
            .map(|id| SpaceWork {
                id,
                name: space_name(id),
                pending: self.rows_of(id) as u64,
                in_flight: 0,
                surveyed: false,
                completed: false,
                open: 0,
                rejected: 0,
                left: false,
                channel: None,
            })
            .collect();
        let total = spaces.iter().map(|space| space.pending).sum();
        (Work { spaces, ..Work::default() }, Tally { total, pending: total, ..Tally::default() })
    }

    pub(super) fn answer(&mut self, request: Request) -> Reply {
        match request {
            Request::Write { batch, changes } => {
                changes.iter().for_each(|change| self.apply(change));
                Reply::Written { batch }
            }
            Request::Pending { space, after, limit } => {
                let rows = self.rows_of(space) as usize;
                let states = self.begun.entry(space).or_insert_with(|| vec![State::Pending; rows]);
                let first = after.map_or(0, |job| (job.id.0 % ROWS_MAX) as usize + 1);
                let pending = (first..rows).filter(|row| states[*row] == State::Pending).take(limit);
                Reply::Pending { space, jobs: pending.map(|row| job(space, row as i64)).collect() }
            }
            Request::InFlight { space, .. } => Reply::InFlight { space, jobs: Vec::new(), alike: Vec::new() },
            Request::Attribute { space, listed } => {
                assert!(listed.is_empty(), "this Chat lists nothing");
                Reply::Attributed { space, attributions: Vec::new() }
            }
            Request::Prior { row, made, .. } => Reply::Prior { row, made, prior: Prior::No },
        }
    }

    fn apply(&mut self, change: &Change) {
        let (row, state) = match change {
            Change::Mark { row, .. } => (row, State::InFlight),
            Change::Release { row, .. } => (row, State::Pending),
            Change::Done { row, .. } => (row, State::Done),
            Change::Rejected { row, .. } => (row, State::Rejected),
            _ => return,
        };
        let space = SpaceId(row.0 / ROWS_MAX);
        let states = self.begun.get_mut(&space).expect("a row that was given");
        states[(row.0 % ROWS_MAX) as usize] = state;
        if states.iter().all(|state| matches!(state, State::Done | State::Rejected)) {
            self.begun.remove(&space);
        }
    }
}

fn job(space: SpaceId, row: i64) -> Job {
    let id = RowId(space.0 * ROWS_MAX + row);
    let member = MemberId((space.0 * 7919 + row) % PEOPLE);
    let begin = Timestamp::from_micros(1_400_000_000_000_000 + id.0 * 60_000_000);
    Job {
        id,
        operation: Operation::Create,
        space,
        space_name: space_name(space),
        member,
        member_name: MemberName::parse(&format!("person{member}@example.com")).unwrap(),
        user: None,
        span: Span {
            create_time: Some(begin),
            delete_time: Some(Timestamp::from_micros(begin.as_micros() + 1_000_000)),
        },
        role: None,
        membership: None,
        attempts: 0,
        origin: Origin { source: 1, line: id.0 as u64 },
        prior: Prior::No,
    }
}

/// A Chat that has trouble now and then, and remembers nothing: what gets no answer was not applied.
pub(super) struct Chat {
    random: StdRng,
    answered: u64,
}

impl Chat {
    pub(super) fn new() -> Self {
        Chat { random: StdRng::seed_from_u64(8), answered: 0 }
    }

    pub(super) fn answer(&mut self, call: &Call) -> Result<Answer, Failure> {
        self.answered += 1;
        let refused = |http_status, status: String| {
            let message = format!("no {}", self.answered);
            Err(Failure::Refused(Box::new(Refusal { http_status, status, message, ..Refusal::default() })))
        };
        match (call, self.random.random_range(0..1000)) {
            (Call::ListMembers { .. }, 2..) => Ok(Answer::Members(Page::default())),
            (_, 0) => Err(Failure::Lost(format!("connection reset at {}", self.answered))),
            (_, 1) => Err(Failure::NotSent("connection refused".to_owned())),
            (_, 2..4) => refused(429, "RESOURCE_EXHAUSTED".to_owned()),
            (_, 4) => refused(503, "UNAVAILABLE".to_owned()),
            // It thinks of a new kind each time.
            (_, 5) => refused(400, format!("KIND_{}", self.answered)),
            (Call::CreateMember { space, member, span }, _) => {
                let number: String = member.as_str().chars().filter(char::is_ascii_digit).collect();
                Ok(Answer::Member(Membership {
                    name: format!("{space}/members/1000{number}"),
                    user: Some(format!("users/1000{number}")),
                    group: None,
                    span: *span,
                    ..Membership::default()
                }))
            }
            (other, _) => panic!("an import does not ask for this: {other:?}"),
        }
    }
}
