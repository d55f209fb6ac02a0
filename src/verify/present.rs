//! A space that is completed, or was never in import mode: its list shows who is a member today. Each has one membership
//! there, whose times are Chat's own, so rows and members are held against each other by who it is, and by role.

use std::collections::{BTreeMap, HashSet};

use super::{Compared, Finding, Kind, Known, Listed, ListedRole, View, ordered};
use crate::journal::Holding;
use crate::model::{Role, State, Timestamp};

/// How far apart two clocks may say that an import was completed.
const CLOCKS_MICROS: u64 = 600_000_000;

const TO_BE_ADDED: &str = "still to be added: `tenure complete` does that";
const THROUGH_A_GROUP: &str =
    "Chat said that they were a member already: perhaps through a Google Group of the space";
const APPS_LEFT_OUT: &str = "this list leaves apps out";
const INVITED_LEFT_OUT: &str = "this list leaves out who has not accepted an invitation yet";
const NOT_BY_ID: &str = "their id is not known, and others are listed of whom the journal knows nothing";
const HAS_LEFT: &str = "the journal says that they have left";
const SINCE: &str = "a member since the journal was begun";
const SINCE_WHEN: &str = "the list does not tell since when";
const COMPLETED_IT: &str = "whoever completes an import becomes a manager";
const ONE_COMPLETED_IT: &str = "one of several managers, one of whom completed the import";
const AN_APP: &str = "a Chat app";

/// What is listed of one holder.
struct Member<'a> {
    listed: &'a Listed,
    copies: u64,
    /// What the input calls them.
    name: Option<&'a str>,
    /// Whether rows of theirs have ended, and none goes on.
    has_left: bool,
}

impl<'a> Member<'a> {
    fn holder(&self) -> &'a str {
        &self.listed.holder
    }

    fn since(&self) -> Option<Timestamp> {
        self.listed.span.create_time
    }

    /// Whether the journal knows nothing of them.
    fn is_stranger(&self) -> bool {
        self.name.is_none() && !self.listed.app && !self.holder().starts_with("groups/")
    }

    fn finding(&self, kind: Kind) -> Finding {
        let mut finding = Finding::new(kind).of_listed(self.listed, self.copies);
        finding.member = self.name.map(Box::from);
        finding
    }
}

/// What rows say of one holder.
#[derive(Default)]
struct Wanted<'a> {
    /// They are to be a member.
    current: Vec<&'a Holding>,
    unsettled: bool,
    rejected: Option<&'a Holding>,
    name: &'a str,
}

/// Rows of somebody whose id is not known, who is to be a member today.
fn is_nameless(row: &Holding) -> bool {
    row.span.delete_time.is_none() && matches!(row.state, State::Done | State::Open) && row.holder().is_none()
}

/// Whose membership has to be asked for by address, since the list does not tell who is who.
pub(super) fn to_ask_for(known: &Known, listed: &[Listed]) -> Vec<Box<str>> {
    let rowed: HashSet<&str> = known.rows.iter().filter_map(Holding::holder).collect();
    let is_stranger = |listed: &&Listed| {
        !rowed.contains(&*listed.holder)
            && !known.names.contains_key(&*listed.holder)
            && listed.holder.starts_with("users/")
            && !listed.app
    };
    if !known.view.is_present() || !listed.iter().any(|listed| is_stranger(&listed)) {
        return Vec::new();
    }
    known.rows.iter().filter(|row| is_nameless(row)).map(|row| row.member.clone()).collect()
}

pub(super) fn compare(known: &Known, listed: &[Listed]) -> Compared {
    let mut out = Compared::default();
    out.counts.rows = known.rows.len() as u64;
    out.counts.listed = listed.len() as u64;
    let mut members: BTreeMap<&str, Member<'_>> = BTreeMap::new();
    for listed in ordered(listed) {
        let name = known.names.get(&*listed.holder).map(String::as_str);
        let new = Member { listed, copies: 0, name, has_left: false };
        members.entry(&listed.holder).or_insert(new).copies += 1;
    }
    let has_groups = members.keys().any(|holder| holder.starts_with("groups/"));
    let mut wanted: BTreeMap<&str, Wanted<'_>> = BTreeMap::new();
    let mut nameless: Vec<&Holding> = Vec::new();
    let mut nameless_unsettled = 0;
    for row in &known.rows {
        let is_current = row.span.delete_time.is_none();
        match row.state {
            State::Pending | State::InFlight => out.counts.unsettled += 1,
            State::Rejected | State::Replaced => out.counts.rejected += 1,
            State::Done | State::Open if !is_current => out.counts.past += 1,
            State::Done | State::Open => {}
        }
        let Some(holder) = row.holder() else {
            if is_nameless(row) && !known.not_members.contains(&row.member) {
                nameless.push(row);
            } else if is_nameless(row) {
                out.absent(known, row, has_groups);
            } else if is_current && row.state != State::Rejected {
                nameless_unsettled += 1;
            }
            continue;
        };
        let wanted = wanted.entry(holder).or_default();
        wanted.name = &row.member;
        match row.state {
            _ if !is_current => {}
            State::Done | State::Open => wanted.current.push(row),
            State::Rejected | State::Replaced => wanted.rejected = Some(row),
            State::Pending | State::InFlight => wanted.unsettled = true,
        }
    }
    let mut others: Vec<Member<'_>> = Vec::new();
    for (holder, wanted) in wanted {
        let Some(member) = members.remove(holder) else {
            for row in &wanted.current {
                out.absent(known, row, has_groups);
            }
            continue;
        };
        if !wanted.current.is_empty() {
            out.counts.held += 1;
            for row in &wanted.current {
                out.present(row, member.listed);
            }
        } else if wanted.unsettled {
            out.counts.unsettled_held += 1;
        } else if let Some(row) = wanted.rejected {
            out.counts.rejected_held += 1;
            out.push(Finding::new(Kind::Rejected).of_listed(member.listed, member.copies).of_row(row));
        } else {
            others.push(Member { name: Some(wanted.name), has_left: true, ..member });
            continue;
        }
        if member.copies > 1 {
            out.counts.doubled += member.copies - 1;
            let finding = Member { name: Some(wanted.name), ..member }.finding(Kind::Doubled);
            out.push(match wanted.current.first() {
                Some(row) => finding.of_row(row),
                None => finding,
            });
        }
    }
    others.extend(members.into_values());
    let completer = completer(known, &others);
    let found: HashSet<&str> = known.found.iter().map(|found| &*found.user).collect();
    let mut others: Vec<(Option<Reason>, Member<'_>)> = others
        .into_iter()
        .map(|member| (reason(known, &member, found.contains(member.holder()), completer), member))
        .collect();
    // Rows of unknown ids, and members of unknown names: these may be those, and sooner where nothing else explains them.
    others.sort_by_key(|(reason, _)| *reason);
    let (strangers, rest): (Vec<_>, Vec<_>) =
        others.into_iter().partition(|(_, member)| member.is_stranger());
    let told = strangers.len().min(nameless.len());
    for (place, row) in nameless.into_iter().enumerate() {
        if place < told {
            out.counts.row_untold += 1;
            out.push(Finding::new(Kind::Untold).of_row(row).noted(NOT_BY_ID));
        } else {
            out.absent(known, row, has_groups);
        }
    }
    let mut strangers = strangers.into_iter();
    out.counts.listed_untold += strangers.by_ref().take(told).map(|(_, member)| member.copies).sum::<u64>();
    let unexplained = strangers.as_slice().iter().filter(|(reason, _)| reason.is_none()).count();
    let unsettled = strangers.by_ref().take(nameless_unsettled.min(unexplained));
    out.counts.unsettled_held += unsettled.map(|(_, member)| member.copies).sum::<u64>();
    for (reason, member) in strangers.chain(rest) {
        if let Some(reason) = reason {
            out.apart(&member, reason);
            continue;
        }
        out.counts.unexpected += member.copies;
        let is_manager = member.listed.role == ListedRole::Known(Role::Manager);
        let mut finding = member.finding(Kind::Unexpected);
        finding.note = match known.view {
            _ if member.has_left => Some(HAS_LEFT),
            View::Standard => Some(SINCE),
            View::Completed(_) if completer.is_none() && is_manager && !known.completer_left => {
                Some(ONE_COMPLETED_IT)
            }
            _ => None,
        };
        out.push(finding);
    }
    out.sorted()
}

impl Compared {
    /// A row whose member is listed.
    fn present(&mut self, row: &Holding, listed: &Listed) {
        match (row.role.as_deref(), &listed.role) {
            // A group has no role of its own, and who is invited has none yet.
            (Some(_), ListedRole::Untold) => {
                self.counts.role_untold += u64::from(!listed.holder.starts_with("groups/"));
            }
            (Some(asked), role) if asked != role.as_str() => {
                self.counts.role += 1;
                self.push(Finding::new(Kind::Role).of_listed(listed, 1).of_row(row));
                return;
            }
            _ => {}
        }
        self.counts.matching += 1;
        self.counts.invited += u64::from(listed.invited);
    }

    /// Somebody who is there for a reason that is known.
    fn apart(&mut self, member: &Member<'_>, reason: Reason) {
        let finding = match reason {
            Reason::Before => {
                self.counts.before += member.copies;
                self.push(member.finding(Kind::Before));
                return;
            }
            Reason::App => member.finding(Kind::Apart).noted(AN_APP),
            Reason::CompletedIt => member.finding(Kind::Apart).noted(COMPLETED_IT),
            Reason::SinceWhen => member.finding(Kind::Apart).noted(SINCE_WHEN),
        };
        self.counts.apart += member.copies;
        self.push(finding);
    }

    /// A row whose member is not listed.
    fn absent(&mut self, known: &Known, row: &Holding, has_groups: bool) {
        let is_done = row.state == State::Done;
        let untold = match () {
            () if known.left_out.apps && &*row.member == "users/app" => Some(APPS_LEFT_OUT),
            () if is_done && row.existed && has_groups => Some(THROUGH_A_GROUP),
            () if is_done && known.left_out.invited => Some(INVITED_LEFT_OUT),
            () => None,
        };
        if let Some(note) = untold {
            self.counts.row_untold += 1;
            self.push(Finding::new(Kind::Untold).of_row(row).noted(note));
            return;
        }
        self.counts.missing += 1;
        let finding = Finding::new(Kind::Missing).of_row(row);
        self.push(if is_done { finding } else { finding.noted(TO_BE_ADDED) });
    }
}

/// Why somebody is there whom no row asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Reason {
    App,
    SinceWhen,
    Before,
    CompletedIt,
}

fn reason(known: &Known, member: &Member<'_>, found: bool, completer: Option<&str>) -> Option<Reason> {
    let is_standard = known.view == View::Standard;
    let began = member.since().is_some_and(|since| since < known.begun_at);
    match () {
        () if is_standard && (began || found) => Some(Reason::Before),
        () if member.listed.app => Some(Reason::App),
        () if completer == Some(member.holder()) => Some(Reason::CompletedIt),
        () if is_standard && member.since().is_none() => Some(Reason::SinceWhen),
        () => None,
    }
}

/// Whoever completed the import, among those whom no row asks for: the API makes them a manager, and a list does not tell
/// who they are. `None` where nobody could be it, or several.
fn completer<'a>(known: &Known, others: &[Member<'a>]) -> Option<&'a str> {
    let View::Completed(completed_at) = known.view else { return None };
    if known.completer_left {
        return None;
    }
    let manages = |member: &&Member<'a>| member.listed.role == ListedRole::Known(Role::Manager);
    let managers: Vec<&Member<'a>> = others.iter().filter(manages).collect();
    if let [only] = managers[..]
        && only.since().is_none()
    {
        return Some(only.holder());
    }
    // Nobody is in an imported space before it is completed, so they were the first.
    let since = |member: &&Member<'a>| Some((member.since()?, member.holder()));
    let all: Option<Vec<_>> = managers.iter().map(since).collect();
    let (since, holder) = all?.into_iter().min()?;
    let apart = |at: Timestamp| at.as_micros().abs_diff(since.as_micros());
    completed_at.is_none_or(|at| apart(at) <= CLOCKS_MICROS).then_some(holder)
}
