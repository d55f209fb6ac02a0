//! The second half of a reading: rows in order, each told what it is and written down.

mod parts;

use rusqlite::Connection;

use super::replacing::{Claim, claim};
use super::{Finding, Loader, Outlook, Overlap, SEVERAL_AT_MAX, SeveralAt, Taken, Verdict};
use crate::journal::JournalError;
use crate::journal::bulk::Bulk;
use crate::journal::incoming::{Incoming, Times};
use crate::journal::judge::{Added, Clash, ClashKind, Fate, Judge, Stint};
use crate::journal::number::Numbers;
use crate::journal::stints::Held;
use crate::model::{
    MemberId, MemberName, NameError, Operation, Origin, Role, RowId, SpaceId, SpaceName, Span, State, Tenure,
    Timestamp,
};

/// Rows in order become what they are, member by member.
pub(super) struct Settling<'j> {
    bulk: Option<Bulk<'j>>,
    judge: Judge,
    /// The member's rows of earlier readings, where rows may be made of several lines.
    held: Vec<Held>,
    /// How many lines of them went into others, and how many bridges they have.
    parts_before: (i64, i64),
    /// What its rows of this reading say that they replace.
    claims: Vec<Claim>,
    /// The first number of the member whose rows come.
    member: i64,
    /// Members with several stints among those of earlier readings, and those behind the first.
    before: (i64, i64),
    space: SpaceId,
    /// How the counters of the space change, by state.
    moved: [i64; 5],
    /// Members of it that stay.
    staying: u64,
    taken: Taken,
}

impl<'j> Settling<'j> {
    pub(super) fn begin(loader: &Loader<'j>) -> Result<Self, JournalError> {
        let conn = loader.journal.filter(|_| loader.writes);
        let makes_parts = loader.policy.makes_parts();
        let bulk = conn.map(|conn| Bulk::new(conn, loader.operation, makes_parts, loader.now)).transpose()?;
        if let Some(bulk) = &bulk {
            let (names, (spaces, members)) = (&loader.names, loader.earlier);
            bulk.names("spaces", spaces + 1..=names.spaces(), |number| names.space_name(number))?;
            bulk.names("members", members + 1..=names.members(), |number| names.member_name(number))?;
        }
        Ok(Settling {
            bulk,
            judge: Judge::default(),
            held: Vec::new(),
            claims: Vec::new(),
            parts_before: (0, 0),
            member: 0,
            before: (0, 0),
            space: SpaceId(0),
            moved: [0; 5],
            staying: 0,
            taken: Taken::default(),
        })
    }

    pub(super) fn row(
        &mut self,
        loader: &mut Loader<'j>,
        row: Incoming,
        judge: &mut impl FnMut(Finding<'_>) -> Verdict,
    ) -> Result<(), JournalError> {
        if row.member() != self.member {
            self.end_member(loader, judge)?;
            self.begin_member(loader, row.member())?;
        }
        let index = row.source();
        let Some(source) = loader.sources.get_mut(index) else { return Ok(()) };
        source.rows += 1;
        let waits = loader.operation == Operation::Create;
        let (times, origin) = (row.times(), Origin { source: source.id, line: row.line() });
        let claim = row.given.as_deref().filter(|_| loader.writes).and_then(claim);
        match self.judge.row(row, (source.id, &source.path), waits)? {
            Ok(added) => {
                let overrules = claim.is_some() && self.judge.has_corrected();
                let fresh = matches!(added, Added::New).then_some(origin);
                self.claims.extend(claim.map(|claim| Claim { times, claim, fresh }));
                match added {
                    Added::New => self.taken.new += 1,
                    Added::Known => self.taken.known += 1,
                    Added::Again => self.taken.again += 1,
                    Added::Duplicate => {
                        source.duplicates += 1;
                        self.taken.duplicates += 1;
                    }
                }
                if overrules {
                    if loader.outlook.overruled == 0 {
                        loader.outlook.overruled_at = Some(loader.origin(origin)?);
                    }
                    loader.outlook.overruled += 1;
                }
            }
            Err((row, first)) => {
                source.rows -= 1;
                let (origin, role) = (first.origin, first.role.map(|role| role.as_str()));
                let finding = Finding::OtherRole {
                    source: index,
                    line: row.line(),
                    tenure: named(loader, &row)?,
                    given: row.given.as_deref(),
                    origin: loader.origin(origin)?,
                    role,
                };
                match judge(finding) {
                    Verdict::Stands => loader.stands = true,
                    Verdict::PassedOver => {}
                    Verdict::LeftOut(refusal, given) => {
                        loader.invalid(index, row.line(), &refusal, given.as_deref())?;
                    }
                }
            }
        }
        Ok(())
    }

    fn begin_member(&mut self, loader: &mut Loader<'j>, first: i64) -> Result<(), JournalError> {
        self.member = first;
        let (space, member) = Numbers::parts(first);
        let old = space.0 <= loader.earlier.0.into() && member.0 <= loader.earlier.1.into();
        let makes_parts = loader.policy.makes_parts();
        let mut earlier = match loader.journal.filter(|_| old) {
            Some(conn) => stints(conn, Numbers::of_member(space, member), makes_parts)?,
            None => Vec::new(),
        };
        self.before = several(&earlier);
        if makes_parts {
            (earlier, self.held) = match loader.journal.filter(|_| !earlier.is_empty()) {
                Some(conn) => parts::apart(conn, Numbers::of_member(space, member), earlier)?,
                None => (earlier, Vec::new()),
            };
            self.parts_before = parts::count_apart(&earlier);
        }
        self.judge.begin(earlier);
        if space != self.space {
            self.end_space(loader)?;
            self.space = space;
        }
        Ok(())
    }

    fn end_member(
        &mut self,
        loader: &mut Loader<'j>,
        judge: &mut impl FnMut(Finding<'_>) -> Verdict,
    ) -> Result<(), JournalError> {
        if self.member == 0 {
            return Ok(());
        }
        let (space, member) = Numbers::parts(self.member);
        let mut failed = None;
        // Rows that are wrong beside others: nothing is written then, and they are not among what there is to send.
        let mut wrong: Vec<Times> = Vec::new();
        let policy = loader.policy;
        let is_completed = policy.bridges && loader.completed.contains(&space.0);
        let until = parts::bridges_until(policy, is_completed, loader.now);
        if let Some(compared) = &mut loader.outlook.compared {
            let lines = self.judge.stints.iter().map(|stint| stint.times);
            compared.add(space.0 as usize, lines, parts::bridges_end(loader.now));
        }
        let clash = |clash: Clash<'_>| {
            let overlap = match overlap(loader, space, member, &clash) {
                Ok(overlap) => overlap,
                Err(error) => {
                    failed = Some(error);
                    return None;
                }
            };
            let finding = match clash.kind {
                ClashKind::Overlap => Finding::Overlap(overlap),
                ClashKind::Roles => Finding::OtherRoles(overlap),
                ClashKind::Sent => Finding::Sent(overlap),
            };
            match judge(finding) {
                Verdict::Stands => {
                    loader.stands = true;
                    wrong.push(clash.here.times);
                    None
                }
                Verdict::PassedOver => None,
                Verdict::LeftOut(refusal, _) => Some(refusal),
            }
        };
        let unbridged = if policy.makes_parts() {
            self.judge.end_by(policy, until, &self.held, clash)
        } else {
            self.judge.end(clash);
            Vec::new()
        };
        if let Some(error) = failed {
            return Err(error);
        }
        if let Some(first) = unbridged.first() {
            if loader.outlook.unbridged == 0 {
                loader.outlook.unbridged_at = Some(loader.origin(*first)?);
            }
            loader.outlook.unbridged += unbridged.len() as u64;
        }
        let stints = &mut self.judge.stints;
        if policy.makes_parts() {
            parts::count(stints, self.parts_before, &mut loader.outlook);
        }
        let held = &self.held;
        let state_before = |stint: &Stint| {
            let held = held.iter().find(|held| Some(held.row) == stint.row);
            held.map_or(stint.state, |held| held.state)
        };
        for stint in stints.iter_mut() {
            // What it was before this reading, if it was, and what it is now.
            let (was, is) = match stint.fate {
                Fate::New => (None, Some(stint.state)),
                Fate::Again { was } => (Some(was), Some(stint.state)),
                Fate::Superseded => (Some(stint.state), None),
                Fate::Remade { .. } => (Some(state_before(stint)), Some(stint.state)),
                Fate::Unmet | Fate::Known { .. } => (Some(stint.state), Some(stint.state)),
            };
            let is_wrong = stint.refusal.is_some() || wrong.contains(&stint.times);
            let is = is.map(|state| if is_wrong { State::Rejected } else { state });
            stint.state = is.unwrap_or(stint.state);
            if was != is {
                for (state, change) in was.map(|was| (was, -1)).into_iter().chain(is.map(|is| (is, 1))) {
                    // What was replaced is not counted.
                    self.moved.get_mut(state as usize).into_iter().for_each(|count| *count += change);
                }
            }
        }
        if !self.claims.is_empty() || loader.has_rejects {
            loader.replacing.member(&mut self.claims, stints);
        }
        let after = several(stints);
        loader.outlook.several_more += after.0 - self.before.0;
        loader.outlook.stints_more += after.1 - self.before.1;
        if after.0 > 0 && loader.outlook.several_at.len() < SEVERAL_AT_MAX {
            let second =
                stints.iter().filter(counts).filter(|stint| stint.is_met()).nth(1).map(|stint| stint.origin);
            note_second(loader, space, member, second)?;
        }
        if let Some(staying) = stints.iter().find(|stint| stays(stint)) {
            let outlook = &mut loader.outlook;
            outlook.staying_with_role += u64::from(staying.role.is_some());
            self.staying += 1;
        }
        if policy.makes_parts() && !self.judge.is_changed {
            return Ok(());
        }
        if let (Some(bulk), false) = (&mut self.bulk, loader.stands) {
            bulk.member(Numbers::of_member(space, member), stints)?;
        }
        Ok(())
    }

    fn end_space(&mut self, loader: &mut Loader<'j>) -> Result<(), JournalError> {
        let moved = std::mem::take(&mut self.moved);
        let staying = std::mem::take(&mut self.staying);
        if let (Some(bulk), false) = (&mut self.bulk, moved == [0; 5]) {
            bulk.space(self.space, moved)?;
        }
        let outlook = &mut loader.outlook;
        outlook.open = outlook.open.saturating_add_signed(moved[State::Open.code() as usize]);
        outlook.spaces = loader.names.spaces().into();
        let spaces = outlook.pending.len().max(self.space.0 as usize);
        outlook.pending.resize(spaces, 0);
        outlook.staying.resize(spaces, 0);
        if let Some(place) =
            (self.space.0 as usize).checked_sub(1).and_then(|place| outlook.staying.get_mut(place))
        {
            *place += staying;
        }
        if let Some(pending) =
            (self.space.0 as usize).checked_sub(1).and_then(|place| outlook.pending.get_mut(place))
        {
            *pending = pending.saturating_add_signed(moved[State::Pending.code() as usize]);
        }
        Ok(())
    }

    pub(super) fn end(
        mut self,
        loader: &mut Loader<'j>,
        judge: &mut impl FnMut(Finding<'_>) -> Verdict,
    ) -> Result<Taken, JournalError> {
        self.end_member(loader, judge)?;
        self.end_space(loader)?;
        if let (Some(bulk), false) = (&mut self.bulk, loader.stands) {
            bulk.flush()?;
            if let Some(conn) = loader.journal {
                let mut unplaced = Vec::new();
                self.taken.replaced = loader.replacing.finish(conn, &mut unplaced)?;
                let first = unplaced.iter().min_by_key(|origin| (origin.source, origin.line));
                loader.outlook.unplaced_at = first.map(|first| loader.origin(*first)).transpose()?;
                loader.outlook.unplaced = unplaced.len() as u64;
            }
        }
        Ok(self.taken)
    }
}

/// What earlier readings have left of a member in a space.
fn stints(conn: &Connection, numbers: Numbers, with_given: bool) -> Result<Vec<Stint>, JournalError> {
    // Of one that was replaced it says where that stood before.
    let given = if with_given { "given" } else { "iif(state = 5, given, NULL)" };
    let mut statement = conn.prepare_cached(&format!(
        "SELECT id, create_time, delete_time, role, source, line, state, {given} FROM rows WHERE id BETWEEN ?1 AND ?2",
    ))?;
    let mut rows = statement.query((numbers.first, numbers.last))?;
    let mut stints = Vec::new();
    while let Some(row) = rows.next()? {
        let time = |column| row.get::<_, Option<i64>>(column).map(|time| time.map(Timestamp::from_micros));
        let (id, state): (i64, i64) = (row.get(0)?, row.get(6)?);
        let role: Option<String> = row.get(3)?;
        stints.push(Stint {
            times: Times::of(time(1)?, time(2)?),
            origin: Origin { source: row.get(4)?, line: row.get::<_, i64>(5)?.cast_unsigned() },
            role: role.and_then(|role| role.parse::<Role>().ok()),
            state: State::of_code(state)
                .ok_or_else(|| JournalError::Content(format!("a row in state {state}")))?,
            fate: Fate::Unmet,
            row: Some(RowId(id)),
            given: row.get::<_, Option<String>>(7)?.map(String::into),
            refusal: None,
            arrival: (false, id.cast_unsigned()),
            bridge: false,
            met: None,
            parts: Vec::new(),
        });
    }
    Ok(stints)
}

/// Whether a stint is one of those that a member may have several of; refused and open rows are not.
fn counts(stint: &&Stint) -> bool {
    matches!(stint.state, State::Pending | State::InFlight | State::Done)
        && !stint.times.is_open()
        && stint.fate != Fate::Superseded
}

/// Whether a row says that its member is one to this day.
fn stays(stint: &Stint) -> bool {
    stint.times.is_open()
        && stint.fate != Fate::Superseded
        && matches!(stint.state, State::Pending | State::Open)
}

/// Remembers where a member's second stint stands.
fn note_second(
    loader: &mut Loader<'_>,
    space: SpaceId,
    member: MemberId,
    second: Option<Origin>,
) -> Result<(), JournalError> {
    let Some(Origin { source, line }) = second else { return Ok(()) };
    let at = SeveralAt {
        path: loader.path(source)?.into_owned(),
        line,
        space: loader.names.space_name(space.0 as u32),
        member: loader.names.member_name(member.0 as u32),
    };
    loader.outlook.several_at.push(at);
    Ok(())
}

/// Whether a member has several stints, and how many are behind the first.
fn several(stints: &[Stint]) -> (i64, i64) {
    match stints.iter().filter(counts).count() as i64 {
        0 | 1 => (0, 0),
        count => (1, count - 1),
    }
}

/// The row with its names.
fn named(loader: &Loader<'_>, row: &Incoming) -> Result<Tenure, JournalError> {
    let (SpaceId(space), MemberId(member)) = Numbers::parts(row.member());
    let (space, member) = (loader.names.space_name(space as u32), loader.names.member_name(member as u32));
    let Span { create_time, delete_time } = row.times().span();
    let unreadable = |error: NameError| JournalError::Content(error.to_string());
    Ok(Tenure {
        space: SpaceName::parse(&space).map_err(unreadable)?,
        member: MemberName::parse(&member).map_err(unreadable)?,
        create_time,
        delete_time,
        role: row.role(),
    })
}

fn overlap(
    loader: &mut Loader<'_>,
    space: SpaceId,
    member: MemberId,
    clash: &Clash<'_>,
) -> Result<Overlap, JournalError> {
    let (here, other) = (clash.here, clash.other);
    let before = if other.fate == Fate::Unmet { ", read before" } else { "" };
    Ok(Overlap {
        space: loader.names.space_name(space.0 as u32),
        member: loader.names.member_name(member.0 as u32),
        path: loader.path(here.origin.source)?.into_owned(),
        line: here.origin.line,
        span: here.times.span(),
        other_origin: format!("{}{before}", loader.origin(other.origin)?),
        other_span: other.times.span(),
        role: here.role,
        other_role: other.role,
    })
}
