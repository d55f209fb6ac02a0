//! What a comparison has found.

use crate::journal::Holding;
use crate::model::{Span, State};

use super::{Listed, ListedRole};

/// What somebody should know of a row or of a membership.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// The journal says that Chat holds it, and Chat does not list it.
    Missing,
    /// Chat lists it, no row asks for it, and it was not there before.
    Unexpected,
    /// Chat lists a membership of the row's member with other times.
    Different,
    /// Chat lists the same membership more than once.
    Doubled,
    /// Chat lists it with another role than the row asks for.
    Role,
    /// Chat refused the row, and lists its membership all the same.
    Rejected,
    /// The list does not tell whether Chat holds it.
    Untold,
    /// It was there before the journal's first call to the space.
    Before,
    /// Chat lists it for reasons of its own: who completed the import, and apps.
    Apart,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Kind; 9] = [
        Kind::Missing,
        Kind::Unexpected,
        Kind::Different,
        Kind::Doubled,
        Kind::Role,
        Kind::Rejected,
        Kind::Untold,
        Kind::Before,
        Kind::Apart,
    ];

    /// A stable word for scripts.
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Missing => "missing",
            Kind::Unexpected => "unexpected",
            Kind::Different => "different",
            Kind::Doubled => "doubled",
            Kind::Role => "role",
            Kind::Rejected => "rejected_but_held",
            Kind::Untold => "untold",
            Kind::Before => "there_before",
            Kind::Apart => "apart",
        }
    }

    /// Whether Chat and the journal disagree.
    pub fn is_difference(self) -> bool {
        self <= Kind::Rejected
    }
}

/// One thing that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What.
    pub kind: Kind,
    /// Who, as the input names them; `None` where no row of the journal does.
    pub member: Option<Box<str>>,
    /// Who, as Chat lists them: `users/{id}` or `groups/{id}`; `None` where that is not known.
    pub user: Option<Box<str>>,
    /// The row's times.
    pub asked: Option<Span>,
    /// The listed times.
    pub listed: Option<Span>,
    /// The role that the row asks for.
    pub role: Option<Box<str>>,
    /// The listed role; empty where there is none or it is not told.
    pub listed_role: Box<str>,
    /// How often Chat lists it.
    pub copies: u64,
    /// The row's file and line: the file by its number in the journal.
    pub origin: Option<(i64, u64)>,
    /// What else is to be known of it.
    pub note: Option<&'static str>,
}

impl Finding {
    pub(super) fn new(kind: Kind) -> Finding {
        Finding {
            kind,
            member: None,
            user: None,
            asked: None,
            listed: None,
            role: None,
            listed_role: "".into(),
            copies: 0,
            origin: None,
            note: None,
        }
    }

    /// About a row.
    pub(super) fn of_row(mut self, row: &Holding) -> Finding {
        self.member = Some(row.member.clone());
        self.user = self.user.or_else(|| row.holder().map(Box::from));
        self.asked = Some(row.span);
        self.role.clone_from(&row.role);
        self.origin = Some((row.source, row.line));
        self
    }

    /// About a membership that is listed so often.
    pub(super) fn of_listed(mut self, listed: &Listed, copies: u64) -> Finding {
        self.user = Some(listed.holder.clone());
        self.listed = Some(listed.span);
        if listed.role != ListedRole::Untold {
            self.listed_role = listed.role.as_str().into();
        }
        self.copies = copies;
        self
    }

    pub(super) fn called(mut self, name: Option<&String>) -> Finding {
        self.member = self.member.or_else(|| name.map(|name| name.as_str().into()));
        self
    }

    pub(super) fn noted(mut self, note: &'static str) -> Finding {
        self.note = Some(note);
        self
    }
}

macro_rules! counts {
    ($($(#[$doc:meta])* $name:ident,)+) => {
        /// How many of what. Each row is counted once: `rows` is `matching + missing + different + role + rejected +
        /// unsettled + open + past + row_untold`. And each listed membership is: `listed` is `held + unexpected +
        /// different + doubled + rejected_held + unsettled_held + before + apart + listed_untold`.
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
        pub struct Counts {
            $($(#[$doc])* pub $name: u64,)+
        }

        impl std::ops::AddAssign for Counts {
            fn add_assign(&mut self, other: Counts) {
                $(self.$name += other.$name;)+
            }
        }
    };
}

counts! {
    /// Rows of the journal.
    rows,
    /// Memberships that Chat lists.
    listed,
    /// Rows that Chat lists just as the journal says.
    matching,
    /// Rows that Chat should list and does not.
    missing,
    /// Listed memberships that nothing accounts for.
    unexpected,
    /// Rows that Chat lists with other times.
    different,
    /// Listed memberships that repeat another.
    doubled,
    /// Rows whose member has another role.
    role,
    /// Rows that Chat has refused.
    rejected,
    /// Listed memberships of refused rows.
    rejected_held,
    /// Rows that are not settled yet: not sent, or without an answer.
    unsettled,
    /// Listed memberships of rows that are not settled yet.
    unsettled_held,
    /// Rows without an end, in a space that is not completed yet.
    open,
    /// Rows that have ended, in a space whose list no longer shows those.
    past,
    /// Rows of which the list does not tell whether Chat holds them.
    row_untold,
    /// Listed memberships that may be one of these rows'.
    listed_untold,
    /// Listed memberships that were there before.
    before,
    /// Listed memberships that are there for Chat's own reasons.
    apart,
    /// Listed memberships that rows which are as they should be, or differ in their role alone, account for.
    held,
    /// Of the members that match, those who have not accepted yet.
    invited,
    /// Listed memberships of import mode that do not tell both of their times.
    silent,
    /// Listed memberships of import mode that tell when they began and not when they ended.
    unended,
    /// Rows in import mode that ask for a role, which nobody has there.
    roles_later,
    /// Rows whose member's role is not told.
    role_untold,
}

impl Counts {
    /// How many differences there are.
    pub fn differences(&self) -> u64 {
        Kind::ALL.iter().filter(|kind| kind.is_difference()).map(|kind| self.of(*kind)).sum()
    }

    /// How many of one kind.
    pub fn of(&self, kind: Kind) -> u64 {
        match kind {
            Kind::Missing => self.missing,
            Kind::Unexpected => self.unexpected,
            Kind::Different => self.different,
            Kind::Doubled => self.doubled,
            Kind::Role => self.role,
            Kind::Rejected => self.rejected_held,
            Kind::Untold => self.row_untold,
            Kind::Before => self.before,
            Kind::Apart => self.apart,
        }
    }
}

/// What came out for one space.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Compared {
    /// How many of what.
    pub counts: Counts,
    /// All but what is as it should be: differences first, then what cannot be told and what is there for other reasons.
    pub findings: Vec<Finding>,
}

impl Compared {
    /// Of so many rows, in these states, nothing was seen: for a space whose list Chat refuses.
    pub fn unseen(rows: &[Holding]) -> Compared {
        let mut counts = Counts { rows: rows.len() as u64, ..Counts::default() };
        for row in rows {
            match (row.state, row.span.delete_time) {
                (State::Rejected | State::Replaced, _) => counts.rejected += 1,
                (State::Pending | State::InFlight, _) => counts.unsettled += 1,
                (State::Open, _) => counts.open += 1,
                (State::Done, _) => counts.row_untold += 1,
            }
        }
        Compared { counts, findings: Vec::new() }
    }

    pub(super) fn push(&mut self, finding: Finding) {
        self.findings.push(finding);
    }

    pub(super) fn sorted(mut self) -> Compared {
        let time = |span: Option<Span>| span.map(|span| (span.start(), span.delete_time));
        self.findings.sort_by(|one, other| {
            let key = |finding: &Finding| (finding.kind, time(finding.asked), time(finding.listed));
            (one.kind, &one.member, &one.user)
                .cmp(&(other.kind, &other.member, &other.user))
                .then_with(|| key(one).cmp(&key(other)))
        });
        self
    }
}
