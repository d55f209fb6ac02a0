//! Reading what Chat lists, at the pace of the quota; a page that fails for reasons that pass is asked for again.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rand::rngs::StdRng;
use tokio::sync::mpsc::UnboundedSender;
use tokio::time::Instant;

use super::pace::{ReadPace, SpacePace};
use super::{LeftOut, Listed, View};
use crate::chat::{Access, Answer, Call, Cause, Chat, Failure, Listing};
use crate::engine::{Stop, again, stop_for};
use crate::model::{MemberName, MembershipName, SpaceName};

/// How often a page is asked for that fails for reasons that pass, but for the quota and the network, which are waited
/// for.
const TRIES_MAX: u32 = 8;

/// How long nothing but failures is borne.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience(pub Duration);

/// What became of looking at a space.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Its list, whole.
    Listed(Vec<Listed>),
    /// Chat refuses to list it.
    Refused(Box<Failure>),
    /// It could not be listed, for reasons that may pass.
    Failed(Box<Failure>),
    /// Every space would fare the same.
    Stopped(Stop),
}

/// Somebody who looks at spaces, several at a time.
#[derive(Debug)]
pub struct Looker<C> {
    chat: C,
    pace: ReadPace,
    patience: Duration,
    random: Mutex<StdRng>,
    begin: Instant,
    /// When something last succeeded, in milliseconds since the beginning.
    succeeded_ms: AtomicU64,
    listed: AtomicU64,
    say: UnboundedSender<String>,
}

impl<C: Chat> Looker<C> {
    /// `say` is told when something is tried again that is worth a line; `random` is for how long that waits.
    pub fn new(
        chat: C,
        pace: ReadPace,
        patience: Patience,
        random: StdRng,
        say: UnboundedSender<String>,
    ) -> Self {
        Looker {
            chat,
            pace,
            patience: patience.0,
            random: Mutex::new(random),
            begin: Instant::now(),
            succeeded_ms: AtomicU64::new(0),
            listed: AtomicU64::new(0),
            say,
        }
    }

    /// How many memberships were listed so far.
    pub fn listed(&self) -> u64 {
        self.listed.load(Ordering::Relaxed)
    }

    /// Reads the list of a space, to the last page.
    pub async fn list(&self, space: &SpaceName, view: View, access: Access) -> Outcome {
        let invited = view.is_present() && !LeftOut::by(access).invited;
        let listing = Listing { invited, ..Listing::whole() };
        let mut pace = ReadPace::of_space();
        let mut listed = Vec::new();
        let mut page_token = None;
        loop {
            let call = Call::ListMembers { space: space.clone(), listing: listing.clone(), page_token };
            let page = match self.call(call, access, &mut pace).await {
                Ok(Answer::Members(page)) => page,
                Ok(_) => return Outcome::Failed(Box::new(another())),
                Err(outcome) => return outcome,
            };
            self.listed.fetch_add(page.memberships.len() as u64, Ordering::Relaxed);
            listed.extend(page.memberships.iter().map(Listed::read));
            page_token = page.next_page_token;
            if page_token.is_none() {
                return Outcome::Listed(listed);
            }
        }
    }

    /// Asks for the membership of somebody by address: who it is by Chat's name, or `None` for no member. What the input
    /// names without an address is not asked for.
    ///
    /// # Errors
    /// What a list would end in.
    pub async fn ask(
        &self,
        space: &SpaceName,
        members: &[Box<str>],
        access: Access,
    ) -> Result<HashMap<Box<str>, Option<Box<str>>>, Outcome> {
        let mut pace = ReadPace::of_space();
        let mut told = HashMap::new();
        for member in members {
            let Some(name) = MemberName::parse(member).ok().filter(|name| name.address().is_some()) else {
                continue;
            };
            let call = Call::GetMember(MembershipName::of(space.clone(), &name));
            match self.call(call, access, &mut pace).await {
                Ok(Answer::Member(membership)) => {
                    told.insert(member.clone(), membership.holder().map(Box::from));
                }
                Ok(_) => return Err(Outcome::Failed(Box::new(another()))),
                // No account of that name comes as the first, no member as the second.
                Err(Outcome::Refused(failure)) if is(&failure, &[Cause::Invalid, Cause::NotFound]) => {
                    told.insert(member.clone(), None);
                }
                // Who may not ask leaves it open.
                Err(Outcome::Refused(_)) => break,
                Err(outcome) => return Err(outcome),
            }
        }
        Ok(told)
    }

    /// Makes a call until it is answered, or waiting makes no more sense.
    async fn call(&self, call: Call, access: Access, pace: &mut SpacePace) -> Result<Answer, Outcome> {
        let (mut failures, mut tries) = (0, 0);
        let mut failing_since = None;
        loop {
            self.pace.turn(pace).await;
            let failure = match self.chat.call(call.clone(), access).await {
                Ok(answer) => {
                    self.succeeded_ms.fetch_max(self.elapsed_ms(), Ordering::Relaxed);
                    return Ok(answer);
                }
                Err(failure) => failure,
            };
            if let Some(stop) = stop_for(&failure) {
                return Err(Outcome::Stopped(stop));
            }
            failures += 1;
            let since = *failing_since.get_or_insert_with(|| self.elapsed_ms());
            let wait = {
                let mut random = self.random.lock().unwrap_or_else(PoisonError::into_inner);
                again(&failure, call.is_repeatable(), failures, &mut random)
            };
            let Some(wait) = wait else { return Err(Outcome::Refused(Box::new(failure))) };
            let throttled = is(&failure, &[Cause::Quota]);
            let shared = throttled || matches!(failure, Failure::NotSent(_) | Failure::Token(_));
            let calm_since = since.max(self.succeeded_ms.load(Ordering::Relaxed));
            let calm = Duration::from_millis(self.elapsed_ms().saturating_sub(calm_since));
            if calm + wait > self.patience {
                let after = calm.max(Duration::from_secs(1));
                return Err(Outcome::Stopped(Stop::GaveUp { after, last: failure.to_string(), throttled }));
            }
            if shared {
                self.pace.pause(wait);
            } else {
                tries += 1;
                if tries >= TRIES_MAX {
                    return Err(Outcome::Failed(Box::new(failure)));
                }
            }
            if failures == 3 {
                // Nobody listens any more when the looking has ended.
                let _ = self.say.send(format!("{}: {failure}; trying again", call.name()));
            }
            tokio::time::sleep(wait).await;
        }
    }

    fn elapsed_ms(&self) -> u64 {
        u64::try_from(self.begin.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

fn is(failure: &Failure, causes: &[Cause]) -> bool {
    matches!(failure, Failure::Refused(refusal) if causes.contains(&refusal.cause()))
}

fn another() -> Failure {
    Failure::Lost("the answer belongs to another call".to_owned())
}
