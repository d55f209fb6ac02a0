//! Rows that Chat may hold since before this journal's first call to their space.

use super::super::repeats::{DOUBLED, PERHAPS_THERE};
use super::{Engine, Now};
use crate::chat::Membership;
use crate::journal::{Change, Held, Note, Request};
use crate::model::{Job, Prior, RowId, SpaceId, Span, Timestamp};

impl Engine {
    /// Settles a row that is not going to be sent. Says whether it is.
    pub(super) fn settle_unsent(&mut self, now: Now, row: RowId) -> bool {
        let Some(job) = self.rows.get(&row).map(|active| active.job.clone()) else { return true };
        let note = match job.prior {
            Prior::Held => None,
            Prior::HeldTwice => Some(doubled(&job, "lists a membership of", None)),
            Prior::Perhaps if self.repeats.holds_back(&job) => Some(perhaps_there(&job)),
            Prior::Perhaps | Prior::No => return false,
        };
        self.changes.push(Change::Mark { row, space: job.space, at: now.wall });
        self.changes.push(Change::Uncalled { row });
        match note {
            None => self.settle_done(now, row, None, None, None, true),
            Some(note) => {
                let twice = note.kind == DOUBLED;
                self.settle_rejected(now, row, note);
                if twice {
                    self.hold_back(now);
                }
            }
        }
        true
    }

    /// A row is to be sent, first of its space, unless it is not to be sent any more.
    pub(super) fn queue_first(&mut self, now: Now, space: SpaceId, row: RowId) {
        if !self.settle_unsent(now, row)
            && let Some(lane) = self.lanes.get_mut(&space)
        {
            lane.queue.push_front(row);
        }
    }

    /// A row that is durably in flight does not leave after all.
    pub(super) fn call_back(&mut self, now: Now, row: RowId) {
        let Some(active) = self.rows.get_mut(&row) else { return };
        active.job.attempts -= 1;
        let space = active.job.space;
        self.changes.push(Change::Release { row, space, sent: false, note: None });
        if let Some(lane) = self.lanes.get_mut(&space) {
            lane.out -= 1;
        }
        self.queue_first(now, space, row);
    }

    /// Chat has made a membership that it may have held already: the journal knows whether it did. Until it has said so,
    /// the row stays in flight.
    pub(super) fn ask_whether_made_twice(&mut self, row: RowId, job: &Job, membership: &Membership) {
        // A name's last part is the member's id (Chat API, Membership.name).
        let user = membership.holder().map(str::to_owned).or_else(|| {
            membership.name.rsplit_once("/members/").map(|(_, member)| format!("users/{member}"))
        });
        let made =
            Held { membership: membership.name.clone(), user: user.unwrap_or_default(), span: job.span };
        self.checking += 1;
        if let Some(lane) = self.lanes.get_mut(&job.space) {
            // It counts as out until then.
            lane.out += 1;
        }
        self.ask_journal(Request::Prior { row, space: job.space, made });
    }

    /// Whether Chat held already what it has made.
    pub(super) fn on_prior(&mut self, now: Now, row: RowId, made: Held, prior: Prior) {
        self.checking -= 1;
        let Some(active) = self.rows.get(&row) else { return };
        let job = active.job.clone();
        if let Some(lane) = self.lanes.get_mut(&job.space) {
            lane.out -= 1;
        }
        let user = Some(made.user).filter(|user| user.starts_with("users/"));
        match prior {
            Prior::No => self.settle_done(now, row, Some(200), Some(made.membership), user, false),
            Prior::Held | Prior::HeldTwice => {
                let note = doubled(&job, "held before and has made once more a membership of", Some(200));
                self.settle_doubled(now, row, user, note);
            }
            Prior::Perhaps => {
                self.settle_doubled(now, row, user, perhaps_doubled(&job, Some(200)));
            }
        }
    }

    /// A row ends as held twice, for certain or perhaps; so nothing more is sent that may be there.
    pub(super) fn settle_doubled(&mut self, now: Now, row: RowId, user: Option<String>, note: Note) {
        if let Some(active) = self.rows.get(&row)
            && let Some(user) = user
        {
            let member = active.job.member;
            self.learn(member, &user);
            self.changes.push(Change::Told { member, user });
        }
        self.settle_rejected(now, row, note);
        self.hold_back(now);
    }

    /// The list has a row's membership twice.
    pub(super) fn conclude_doubled(&mut self, now: Now, row: RowId, held: Held, http_status: Option<u16>) {
        let Some(active) = self.rows.get(&row) else { return };
        let note = doubled(&active.job, "lists more than once a membership of", http_status);
        let user = Some(held.user).filter(|user| user.starts_with("users/"));
        self.settle_doubled(now, row, user, note);
    }

    /// The list has one more than beforehand, and does not tell whether it is the same once more.
    pub(super) fn conclude_perhaps_doubled(&mut self, now: Now, row: RowId, http_status: Option<u16>) {
        let Some(active) = self.rows.get(&row) else { return };
        let note = perhaps_doubled(&active.job, http_status);
        self.settle_doubled(now, row, None, note);
    }

    /// This Chat makes two: every row that waits and may be there is settled without being sent.
    pub(super) fn hold_back(&mut self, now: Now) {
        self.repeats.doubled();
        self.changes.push(Change::Doubles);
        let lanes: Vec<SpaceId> = self.lanes.keys().copied().collect();
        for space in lanes {
            let Some(lane) = self.lanes.get_mut(&space) else { continue };
            let queue = std::mem::take(&mut lane.queue);
            let left = queue.into_iter().filter(|row| !self.settle_unsent(now, *row)).collect();
            if let Some(lane) = self.lanes.get_mut(&space) {
                lane.queue = left;
            }
        }
    }
}

fn doubled(job: &Job, what: &str, http_status: Option<u16>) -> Note {
    let error = format!(
        "Chat {what} {} in {} with the times {}, so it is there twice. Look at the space (tenure members list {}) and \
         leave one: both may have one name, and then deleting it deletes both, and it has to be created again",
        job.member_name, job.space_name, job.span, job.space_name
    );
    Note { http_status, kind: DOUBLED.to_owned(), error }
}

fn perhaps_doubled(job: &Job, http_status: Option<u16>) -> Note {
    let error = format!(
        "{}, and Chat held a membership in {} before of which it does not tell the times: if it was this one, it is \
         there twice now. Look at the space (tenure members list {}) for {}, and leave one",
        if http_status == Some(200) {
            "Chat has made it"
        } else {
            "its answer was lost, Chat may have made it"
        },
        job.space_name,
        job.space_name,
        job.member_name
    );
    Note { http_status, kind: "UNDECIDED".to_owned(), error }
}

fn perhaps_there(job: &Job) -> Note {
    let error = format!(
        "not sent: Chat held a membership with these times or without times in {} before this journal's first call \
         there, whether it is this one cannot be told, and this Chat would hold it twice. Look at the space (tenure \
         members list {}): if it lacks {} with the times {}, create it (tenure members create \
         {} {}{})",
        job.space_name,
        job.space_name,
        job.member_name,
        job.span,
        job.space_name,
        job.member_name,
        options(job.span)
    );
    Note { http_status: None, kind: PERHAPS_THERE.to_owned(), error }
}

/// As `members create` takes the times.
fn options(span: Span) -> String {
    let option = |name, time: Option<Timestamp>| time.map(|time| format!(" --{name} {time}"));
    let options = [option("create-time", span.create_time), option("delete-time", span.delete_time)];
    options.into_iter().flatten().collect()
}
