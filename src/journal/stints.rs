//! Rows that are made of more than one line: stints merged into one, and the history of open rows. Pure.
//!
//! The judge is given what each line said, also of earlier readings; this makes the journal's rows of it, anew whenever
//! something of the member is read, so that it does not matter what was read first.

use super::incoming::Times;
use super::judge::{Clash, ClashKind, Fate, Judge, Part, Refusal, Stint};
use crate::model::{Origin, Policy, Role, RowId, State, Stints};

/// A row that earlier readings have left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Held {
    pub(super) row: RowId,
    pub(super) times: Times,
    pub(super) state: State,
    pub(super) role: Option<Role>,
    /// Whether it is made of more than its own line.
    pub(super) has_parts: bool,
}

/// Which lines make a row together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Group {
    /// Those that are still to be refused or sent, and what was sent of them.
    Live { open: bool },
    /// Those of a row that stays as it is.
    Row(RowId),
    /// One that goes with no other.
    Alone(usize),
}

impl Judge {
    /// As [`Judge::end`], by another policy than a row a line: afterwards there is what the journal's rows are made of. Open
    /// rows get their history until `until`. Returns those that cannot.
    pub(super) fn end_by(
        &mut self,
        policy: Policy,
        until: Option<i64>,
        held: &[Held],
        mut clash: impl FnMut(Clash<'_>) -> Option<Refusal>,
    ) -> Vec<Origin> {
        self.supersede();
        self.supersede_by_bridges();
        let unbridged = until.map(|until| self.bridge(until)).unwrap_or_default();
        let orphans = self.orphans();
        for stint in self.stints.iter_mut().filter(|stint| stint.bridge && orphans.contains(&stint.times)) {
            if matches!(stint.state, State::Pending | State::Rejected) {
                stint.fate = Fate::Superseded;
            }
        }
        let as_it_was = |stint: &Stint| matches!(stint.fate, Fate::Unmet | Fate::Known { corrected: false });
        self.is_changed = !self.claimed.is_empty() || !self.stints.iter().all(as_it_was);
        self.stints.sort_by_key(|stint| (stint.times.start, stint.times.end, stint.arrival));
        match policy.stints {
            Stints::Each => {
                self.overlaps(&mut clash);
                self.overtake(&orphans, &mut clash);
                for bridge in self.stints.iter_mut().filter(|stint| stint.bridge) {
                    let given = bridge.given.clone();
                    bridge.parts = vec![part(bridge, given)];
                }
            }
            Stints::Merge => {
                let stints = std::mem::take(&mut self.stints);
                self.stints = merged(stints, &orphans, held, &mut clash);
            }
        }
        self.is_changed |= self.stints.iter().any(|stint| stint.refusal.is_some());
        unbridged
    }

    /// An open row also has got its end when that is the one that was made up for its history.
    fn supersede_by_bridges(&mut self) {
        for open in self.stints.iter_mut().filter(|stint| stint.state == State::Open && !stint.is_met()) {
            if self.claimed.iter().any(|ended| ended.begins_with(open.times)) {
                open.fate = Fate::Superseded;
            }
        }
    }

    /// Gives each open row of this reading its history, if it has none yet; its end stays what it was made first.
    fn bridge(&mut self, until: i64) -> Vec<Origin> {
        let (mut made, mut unbridged) = (Vec::new(), Vec::new());
        for place in 0..self.stints.len() {
            let open = &self.stints[place];
            if open.state != State::Open || !open.is_met() || open.fate == Fate::Superseded {
                continue;
            }
            let start = open.times.start;
            let origin = open.met.unwrap_or(open.origin);
            let theirs = |stint: &&mut Stint| stint.bridge && stint.times.start == start;
            let (begun, role, given) = (open.times.begun, open.role, open.given.clone());
            if let Some(bridge) = self.stints.iter_mut().find(theirs) {
                bridge.role = role;
                if bridge.state == State::Rejected && origin.source != bridge.origin.source {
                    (bridge.state, bridge.fate, bridge.origin) =
                        (State::Pending, Fate::Again { was: bridge.state }, origin);
                }
            } else if !begun || start >= until {
                unbridged.push(origin);
            } else {
                made.push(Stint {
                    times: Times { start, end: until, begun: true },
                    origin,
                    role,
                    state: State::Pending,
                    fate: Fate::New,
                    row: None,
                    given,
                    refusal: None,
                    arrival: (true, u64::MAX),
                    bridge: true,
                    met: None,
                    parts: Vec::new(),
                });
            }
        }
        self.stints.append(&mut made);
        unbridged
    }

    /// Histories whose open row has got its own end.
    fn orphans(&self) -> Vec<Times> {
        let ended = |bridge: &Stint| {
            self.stints.iter().any(|open| {
                open.fate == Fate::Superseded && open.times.is_open() && open.times.begins_with(bridge.times)
            })
        };
        self.stints.iter().filter(|stint| stint.bridge && ended(stint)).map(|stint| stint.times).collect()
    }

    /// Where rows are sent one by one: an end has come for somebody whose history was sent with another.
    fn overtake(&mut self, orphans: &[Times], clash: &mut impl FnMut(Clash<'_>) -> Option<Refusal>) {
        for place in 0..self.stints.len() {
            let here = &self.stints[place];
            if here.bridge || here.times.is_open() || !here.is_unsent() || here.fate != Fate::New {
                continue;
            }
            let sent = self.stints.iter().find(|stint| {
                stint.bridge
                    && stint.fate != Fate::Superseded
                    && orphans.contains(&stint.times)
                    && stint.times.begins_with(here.times)
            });
            if let Some(other) = sent {
                let refusal = clash(Clash { kind: ClashKind::Sent, here, other });
                self.stints[place].refusal = refusal;
            }
        }
    }
}

/// What is kept of a line that goes into a row.
fn part(stint: &Stint, given: Option<Box<str>>) -> Part {
    Part { times: stint.times, bridge: stint.bridge, role: stint.role, origin: stint.origin, given }
}

fn is_sent(state: State) -> bool {
    matches!(state, State::InFlight | State::Done)
}

/// One row for all stints that have ended, and one for those that have not; the rows of earlier readings become these where
/// they can, and go where they cannot. In the order of their times.
fn merged(
    mut stints: Vec<Stint>,
    orphans: &[Times],
    held: &[Held],
    clash: &mut impl FnMut(Clash<'_>) -> Option<Refusal>,
) -> Vec<Stint> {
    let sent = |open: bool| held.iter().find(|held| held.times.is_open() == open && is_sent(held.state));
    for open in [false, true] {
        differ(&mut stints, open, clash);
    }
    if let Some(sent) = sent(false) {
        too_late(&mut stints, orphans, sent, clash);
    }
    let mut groups: Vec<(Group, Vec<Stint>)> = Vec::new();
    for (place, stint) in stints.into_iter().enumerate() {
        let open = stint.times.is_open();
        let group = match (stint.row, stint.state) {
            _ if stint.fate == Fate::Superseded => continue,
            _ if stint.refusal.is_some() => Group::Alone(place),
            (Some(row), state) if state.is_refused() => Group::Row(row),
            (Some(row), state) if is_sent(state) && sent(open).is_some_and(|sent| sent.row != row) => {
                Group::Row(row)
            }
            _ => Group::Live { open },
        };
        match groups.iter_mut().find(|(other, _)| *other == group) {
            Some((_, stints)) => stints.push(stint),
            None => groups.push((group, vec![stint])),
        }
    }
    // Rows that stay take their own; then what is to be sent takes the one that was; what is left goes to single lines.
    groups.sort_by_key(|(group, _)| match group {
        Group::Row(_) => 0,
        Group::Live { .. } => 1,
        Group::Alone(_) => 2,
    });
    let mut left: Vec<Held> = held.to_vec();
    let mut rows: Vec<Stint> = Vec::new();
    for (_, stints) in groups {
        let own = |held: &Held| stints.iter().any(|stint| stint.row == Some(held.row));
        let place = left
            .iter()
            .enumerate()
            .filter(|(_, held)| own(held))
            .min_by_key(|(_, held)| (!is_sent(held.state), held.row))
            .map(|(place, _)| place);
        rows.extend(row_of(stints, place.map(|place| left.remove(place))));
    }
    rows.extend(left.into_iter().map(|gone| Stint {
        times: gone.times,
        origin: Origin { source: 0, line: 0 },
        role: gone.role,
        state: gone.state,
        fate: Fate::Superseded,
        row: Some(gone.row),
        given: None,
        refusal: None,
        arrival: (false, 0),
        bridge: false,
        met: None,
        parts: Vec::new(),
    }));
    rows.sort_by_key(|row| (row.times.start, row.times.end, row.arrival));
    rows
}

fn is_live(stint: &Stint, open: bool) -> bool {
    stint.times.is_open() == open
        && stint.fate != Fate::Superseded
        && !stint.state.is_refused()
        && stint.refusal.is_none()
}

/// Finds those that are to be one membership and have different roles. A bridge has none of its own.
fn differ(stints: &mut [Stint], open: bool, clash: &mut impl FnMut(Clash<'_>) -> Option<Refusal>) {
    let live: Vec<usize> =
        (0..stints.len()).filter(|place| is_live(&stints[*place], open) && !stints[*place].bridge).collect();
    let first = live.iter().find(|place| !stints[**place].is_met()).or(live.first()).copied();
    let Some(first) = first else { return };
    for place in live {
        let (here, other) = (&stints[place], &stints[first]);
        if here.role != other.role && here.is_met() && here.is_unsent() {
            let refusal = clash(Clash { kind: ClashKind::Roles, here, other });
            stints[place].refusal = refusal;
        }
    }
}

/// Finds those that would change what was sent.
fn too_late(
    stints: &mut [Stint],
    orphans: &[Times],
    sent: &Held,
    clash: &mut impl FnMut(Clash<'_>) -> Option<Refusal>,
) {
    let Some(first) = stints.iter().find(|stint| stint.row == Some(sent.row)) else { return };
    let shown = Stint {
        times: sent.times,
        origin: first.origin,
        role: sent.role,
        state: sent.state,
        fate: Fate::Unmet,
        row: first.row,
        given: None,
        refusal: None,
        arrival: first.arrival,
        bridge: first.bridge,
        met: None,
        parts: Vec::new(),
    };
    let counts = |stint: &&Stint| is_live(stint, false) && !(stint.bridge && orphans.contains(&stint.times));
    let would_be = span(stints.iter().filter(counts).map(|stint| stint.times));
    let differs =
        would_be.is_some_and(|times| (times.start, times.end) != (sent.times.start, sent.times.end));
    for stint in stints.iter_mut().filter(|stint| is_live(stint, false) && stint.is_unsent()) {
        let beyond = stint.times.start < sent.times.start || stint.times.end > sent.times.end;
        let overtakes = differs && orphans.iter().any(|bridge| bridge.begins_with(stint.times));
        if beyond || overtakes {
            let refusal = clash(Clash { kind: ClashKind::Sent, here: stint, other: &shown });
            stint.refusal = refusal;
        }
    }
}

/// From the earliest start to the latest end.
fn span(times: impl Iterator<Item = Times>) -> Option<Times> {
    times.reduce(|one, other| Times {
        start: one.start.min(other.start),
        end: one.end.max(other.end),
        // Whose beginning is not known began 1 µs before its end, which the end of another hides.
        begun: one.begun || other.begun || !one.is_open(),
    })
}

/// The times that several ended or several open stints are merged into: what `--stints merge` sends.
pub(super) fn merged_times(times: impl Iterator<Item = Times>) -> Option<Times> {
    span(times)
}

/// The row that these lines make, in the place of one that was there before.
fn row_of(mut stints: Vec<Stint>, held: Option<Held>) -> Option<Stint> {
    let times = span(stints.iter().map(|stint| stint.times))?;
    let own = stints.iter().position(|stint| !stint.bridge).unwrap_or(0);
    let role = stints[own].role;
    // What was refused may be tried again; any other row stays where it was, whatever comes to it.
    let was = held.map(|held| held.state).filter(|state| !state.is_refused());
    let state = was.unwrap_or(stints[0].state);
    // What was sent is what it was.
    let times = held.filter(|held| is_sent(held.state)).map_or(times, |held| held.times);
    let makes_parts = stints.len() > 1 || stints[own].bridge;
    let parts: Vec<Part> = if makes_parts {
        stints
            .iter_mut()
            .map(|stint| {
                let given = stint.given.take();
                part(stint, given)
            })
            .collect()
    } else {
        Vec::new()
    };
    let fate = match held {
        None => Fate::New,
        Some(held)
            if (held.times, held.state, held.role, held.has_parts) == (times, state, role, makes_parts) =>
        {
            Fate::Unmet
        }
        Some(held) => Fate::Remade { again: held.state.is_refused() && !state.is_refused() },
    };
    let first = stints.swap_remove(0);
    Some(Stint { times, role, state, fate, row: held.map(|held| held.row), parts, bridge: false, ..first })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::incoming::Incoming;
    use crate::model::{Tenure, Timestamp};

    const MERGE: Policy = Policy { stints: Stints::Merge, bridges: false };
    const BRIDGE: Policy = Policy { stints: Stints::Each, bridges: true };
    const SOURCE: i64 = 1;

    fn row(line: u64, from: Option<i64>, to: Option<i64>, role: Option<Role>) -> Incoming {
        let time = |time: Option<i64>| time.map(Timestamp::from_micros);
        let (create_time, delete_time) = (time(from), time(to));
        Incoming::new(0, line, &Tenure { space: 1, member: 1, create_time, delete_time, role }, None)
    }

    fn judged(rows: Vec<Incoming>) -> Judge {
        let mut judge = Judge::default();
        judge.begin(Vec::new());
        for row in rows {
            judge.row(row, (SOURCE, "/rows.csv"), true).unwrap().unwrap();
        }
        judge
    }

    fn spans(judge: &Judge) -> Vec<(i64, i64, bool, usize)> {
        judge
            .stints
            .iter()
            .map(|row| (row.times.start, row.times.end, row.times.begun, row.parts.len()))
            .collect()
    }

    #[test]
    fn what_has_ended_is_one_and_what_has_not_another() {
        let rows = vec![
            row(2, Some(10), Some(20), None),
            row(3, Some(40), Some(50), None),
            row(4, Some(60), None, None),
        ];
        let mut judge = judged(rows);
        assert!(judge.end_by(MERGE, None, &[], |_| panic!("nothing clashes")).is_empty());
        assert_eq!(spans(&judge), [(10, 50, true, 2), (60, i64::MAX, true, 0)]);
        assert_eq!(judge.stints[1].state, State::Open);
    }

    #[test]
    fn who_has_no_beginning_keeps_none_until_something_is_merged() {
        let mut judge = judged(vec![row(2, None, Some(20), None)]);
        judge.end_by(MERGE, None, &[], |_| None);
        assert_eq!(spans(&judge), [(19, 20, false, 0)]);
        let mut judge = judged(vec![row(2, None, Some(20), None), row(3, Some(30), Some(40), None)]);
        judge.end_by(MERGE, None, &[], |_| None);
        assert_eq!(spans(&judge), [(19, 40, true, 2)]);
    }

    #[test]
    fn a_role_that_differs_is_left_out_if_so_decided() {
        let manager = Some(Role::Manager);
        let mut judge = judged(vec![row(2, Some(10), Some(20), manager), row(3, Some(30), Some(40), None)]);
        let mut lines = Vec::new();
        judge.end_by(MERGE, None, &[], |clash| {
            lines.push((clash.kind, clash.here.origin.line, clash.other.origin.line));
            Some(Refusal { kind: "roles-differ", error: String::new() })
        });
        assert_eq!(lines, [(ClashKind::Roles, 3, 2)]);
        assert_eq!(spans(&judge), [(10, 20, true, 0), (30, 40, true, 0)]);
        assert!(judge.stints[1].refusal.is_some());
    }

    #[test]
    fn what_was_sent_has_no_other_times() {
        let mut earlier = judged(vec![row(2, Some(10), Some(20), None)]);
        let mut sent = earlier.stints.remove(0);
        (sent.fate, sent.state, sent.row) = (Fate::Unmet, State::Done, Some(RowId(7)));
        let held =
            Held { row: RowId(7), times: sent.times, state: State::Done, role: None, has_parts: false };
        let mut judge = Judge::default();
        judge.begin(vec![sent]);
        for row in [row(2, Some(12), Some(18), None), row(3, Some(15), Some(30), None)] {
            judge.row(row, (SOURCE, "/rows.csv"), true).unwrap().unwrap();
        }
        let mut clashes = Vec::new();
        judge.end_by(MERGE, None, &[held], |clash| {
            clashes.push((clash.kind, clash.here.origin.line));
            Some(Refusal { kind: "history-sent", error: String::new() })
        });
        assert_eq!(clashes, [(ClashKind::Sent, 3)]);
        // What it says already goes into it.
        assert_eq!(spans(&judge), [(10, 20, true, 2), (15, 30, true, 0)]);
        assert_eq!(judge.stints[0].row, Some(RowId(7)));
    }

    #[test]
    fn a_bridge_needs_a_beginning_before_its_end() {
        let rows =
            vec![row(2, Some(10), None, None), row(3, Some(100), None, None), row(4, None, None, None)];
        let mut judge = judged(rows);
        let unbridged = judge.end_by(BRIDGE, Some(100), &[], |_| None);
        assert_eq!(unbridged.iter().map(|origin| origin.line).collect::<Vec<_>>(), [3, 4]);
        let bridges: Vec<_> = spans(&judge).into_iter().filter(|span| span.3 > 0).collect();
        assert_eq!(bridges, [(10, 100, true, 1)]);
    }
}
