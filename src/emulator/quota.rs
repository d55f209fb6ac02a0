//! Google's quotas. How Google counts is not documented, so it is a setting. Pure; the time is an argument.

use std::collections::{HashMap, VecDeque};
use std::fmt;

use serde_json::json;

use super::world::{Api, Refusal};
use crate::model::Timestamp;

const SECOND: i64 = 1_000_000;
const MINUTE: i64 = 60 * SECOND;

/// How calls are counted: nobody knows how Google does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Counting {
    /// A call is admitted when fewer than the limit were in the span that ends with it.
    #[default]
    Sliding,
    /// When fewer were in the span that has begun last; time is cut into spans.
    Fixed,
    /// When there is a token left; as many as the limit are kept, and so many come in a span.
    Bucket,
}

/// How many calls are admitted. 0 is no limit. The defaults are those of the limits guide.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// members.create and members.delete, per project and 60 s.
    pub writes_per_minute: u32,
    /// members.get and members.list, per project and 60 s.
    pub reads_per_minute: u32,
    /// spaces.create, patch and delete, per project and 60 s.
    pub space_writes_per_minute: u32,
    /// spaces.get and list, per project and 60 s.
    pub space_reads_per_minute: u32,
    /// members.get, members.list and spaces.get, per space and second.
    pub reads_per_space_second: u32,
    /// members.create and members.delete, per space and second: a limit that Google does not publish but says may
    /// be there ("additional rate limit checks on the backend").
    pub hidden_writes_per_space_second: u32,
    /// How they are counted.
    pub counting: Counting,
    /// Whether a refusal carries `google.rpc.RetryInfo`; nobody knows whether Chat's do.
    pub retry_info: bool,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            writes_per_minute: 300,
            reads_per_minute: 3000,
            space_writes_per_minute: 60,
            space_reads_per_minute: 3000,
            reads_per_space_second: 15,
            hidden_writes_per_space_second: 0,
            counting: Counting::Sliding,
            retry_info: false,
        }
    }
}

/// Which limit was hit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Limit {
    Writes,
    Reads,
    SpaceWrites,
    SpaceReads,
    SpaceSecond,
    Hidden,
}

/// A call over a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OverQuota {
    limit: Limit,
    most: u32,
    wait_micros: i64,
    retry_info: bool,
}

impl OverQuota {
    /// Microseconds until the same call would be admitted.
    pub fn wait_micros(&self) -> i64 {
        self.wait_micros
    }

    /// 429, with the details that Google's quota system gives.
    pub fn refusal(&self) -> Refusal {
        if self.limit == Limit::Hidden {
            return Refusal::throttled();
        }
        let (metric, limit) = match self.limit {
            Limit::Writes => ("membership_writes", "MembershipWritesPerMinutePerProject"),
            Limit::Reads => ("membership_reads", "MembershipReadsPerMinutePerProject"),
            Limit::SpaceWrites => ("space_writes", "SpaceWritesPerMinutePerProject"),
            Limit::SpaceReads => ("space_reads", "SpaceReadsPerMinutePerProject"),
            Limit::SpaceSecond | Limit::Hidden => ("reads", "ReadsPerSecondPerSpace"),
        };
        let unit = if self.limit == Limit::SpaceSecond { "second per space" } else { "minute per project" };
        let message = format!(
            "Quota exceeded for quota metric '{metric}' and limit '{limit}' of service 'chat.googleapis.com'."
        );
        let mut refusal = Refusal { message: message.into(), ..Refusal::throttled() }
            .with(json!({
                "@type": "type.googleapis.com/google.rpc.ErrorInfo",
                "reason": "RATE_LIMIT_EXCEEDED",
                "domain": "googleapis.com",
                "metadata": {
                    "service": "chat.googleapis.com",
                    "quota_metric": format!("chat.googleapis.com/{metric}"),
                    "quota_limit": limit,
                    "quota_limit_value": self.most.to_string(),
                },
            }))
            .with(json!({
                "@type": "type.googleapis.com/google.rpc.QuotaFailure",
                "violations": [{"subject": metric, "description": format!("{} per {unit}", self.most)}],
            }));
        if self.retry_info {
            let seconds = self.wait_micros as f64 / SECOND as f64;
            refusal = refusal.with(json!({
                "@type": "type.googleapis.com/google.rpc.RetryInfo",
                "retryDelay": format!("{seconds:.3}s"),
            }));
        }
        refusal
    }
}

impl fmt::Display for OverQuota {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.refusal().message)
    }
}

/// The times of the last admitted calls, as many as the limit, oldest first.
#[derive(Debug, Clone, Default)]
struct Window {
    admitted: VecDeque<i64>,
    /// When a bucket of tokens will be full again.
    full_at: i64,
}

impl Window {
    /// Microseconds until there is room; 0 when there is.
    fn wait(&mut self, counting: Counting, now: i64, most: u32, width: i64) -> i64 {
        if most == 0 {
            return 0;
        }
        if counting == Counting::Bucket {
            return (self.full_at.max(now) + width / i64::from(most) - now - width).max(0);
        }
        while self.admitted.len() > most as usize {
            self.admitted.pop_front();
        }
        match self.admitted.front() {
            Some(oldest) if self.admitted.len() == most as usize => match counting {
                Counting::Fixed if *oldest < now - now.rem_euclid(width) => 0,
                Counting::Fixed => width - now.rem_euclid(width),
                _ => (oldest + width - now).max(0),
            },
            _ => 0,
        }
    }

    /// Counts a call for which there was room.
    fn count(&mut self, now: i64, most: u32, width: i64) {
        if most == 0 {
            return;
        }
        self.full_at = self.full_at.max(now) + width / i64::from(most);
        if self.admitted.len() >= most as usize {
            self.admitted.pop_front();
        }
        self.admitted.push_back(now);
    }
}

/// The counters of one project. Refused calls are not counted.
#[derive(Debug, Clone)]
pub struct Quota {
    limits: Limits,
    /// Limits of membership writes that are to come.
    changes: VecDeque<(Timestamp, u32)>,
    latest: i64,
    project: [Window; 4],
    /// Reads and membership writes of each space.
    spaces: HashMap<String, [Window; 2]>,
    /// How many spaces may be kept before idle ones are dropped.
    spaces_kept: usize,
}

impl Quota {
    /// Nothing used so far.
    pub fn new(limits: Limits) -> Self {
        Quota {
            limits,
            changes: VecDeque::new(),
            latest: i64::MIN,
            project: Default::default(),
            spaces: HashMap::new(),
            spaces_kept: 1024,
        }
    }

    /// Other limits from now on; what was used stays used.
    pub fn set_limits(&mut self, limits: Limits) {
        self.limits = limits;
    }

    /// Other limits of membership writes from then on, per minute, in the order of their times.
    pub fn schedule(&mut self, changes: impl IntoIterator<Item = (Timestamp, u32)>) {
        self.changes.extend(changes);
        self.changes.make_contiguous().sort_by_key(|(at, _)| *at);
    }

    /// The limits in force.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Counts a call on `space` (`spaces/{space}`, empty for none), or says which limit it is over.
    ///
    /// # Errors
    /// Over a limit; the call is not counted then.
    pub fn admit(&mut self, now: Timestamp, api: Api, space: &str) -> Result<(), OverQuota> {
        while let Some((_, writes_per_minute)) = self.changes.pop_front_if(|(at, _)| *at <= now) {
            self.limits.writes_per_minute = writes_per_minute;
        }
        let now = now.as_micros();
        if now < self.latest {
            self.clock_went_back(now);
        }
        self.latest = now;
        let limits = &self.limits;
        let project = match api {
            Api::MembersCreate | Api::MembersDelete => Some((0, limits.writes_per_minute, Limit::Writes)),
            Api::MembersGet | Api::MembersList => Some((1, limits.reads_per_minute, Limit::Reads)),
            Api::SpacesCreate | Api::SpacesPatch | Api::SpacesDelete => {
                Some((2, limits.space_writes_per_minute, Limit::SpaceWrites))
            }
            Api::SpacesGet | Api::SpacesList => Some((3, limits.space_reads_per_minute, Limit::SpaceReads)),
            Api::MembersPatch | Api::CompleteImport => None,
        };
        let per_space = match api {
            Api::MembersGet | Api::MembersList | Api::SpacesGet => {
                Some((0, limits.reads_per_space_second, Limit::SpaceSecond))
            }
            Api::MembersCreate | Api::MembersDelete => {
                Some((1, limits.hidden_writes_per_space_second, Limit::Hidden))
            }
            _ => None,
        }
        .filter(|(_, most, _)| *most > 0);
        let over =
            |limit, most, wait_micros| OverQuota { limit, most, wait_micros, retry_info: limits.retry_info };

        if let Some((index, most, limit)) = project {
            let wait = self.project[index].wait(limits.counting, now, most, MINUTE);
            if wait > 0 {
                return Err(over(limit, most, wait));
            }
        }
        if let Some((index, most, limit)) = per_space {
            if !self.spaces.contains_key(space) {
                if self.spaces.len() >= self.spaces_kept {
                    self.spaces.retain(|_, windows| {
                        windows
                            .iter()
                            .any(|window| window.admitted.back().is_some_and(|last| last + SECOND > now))
                    });
                    self.spaces_kept = (self.spaces.len() * 2).max(1024);
                }
                self.spaces.insert(space.to_owned(), Default::default());
            }
            if let Some(windows) = self.spaces.get_mut(space) {
                let wait = windows[index].wait(limits.counting, now, most, SECOND);
                if wait > 0 {
                    return Err(over(limit, most, wait));
                }
                windows[index].count(now, most, SECOND);
            }
        }
        if let Some((index, most, _)) = project {
            self.project[index].count(now, most, MINUTE);
        }
        Ok(())
    }

    /// What lies in the future now counts as used just now: the caution errs to the full window once, and no more.
    fn clock_went_back(&mut self, now: i64) {
        for window in self.project.iter_mut().chain(self.spaces.values_mut().flatten()) {
            for time in &mut window.admitted {
                *time = now.min(*time);
            }
            window.full_at = window.full_at.min(now + MINUTE);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(micros: i64) -> Timestamp {
        Timestamp::from_micros(micros)
    }

    #[test]
    fn each_method_has_its_row() {
        let limits = Limits {
            writes_per_minute: 1,
            reads_per_minute: 1,
            space_writes_per_minute: 1,
            space_reads_per_minute: 1,
            reads_per_space_second: 0,
            ..Limits::default()
        };
        for (first, second, admitted) in [
            (Api::MembersCreate, Api::MembersDelete, false),
            (Api::MembersCreate, Api::MembersList, true),
            (Api::MembersGet, Api::MembersList, false),
            (Api::SpacesCreate, Api::SpacesDelete, false),
            (Api::SpacesGet, Api::SpacesList, false),
            (Api::SpacesCreate, Api::SpacesGet, true),
            (Api::MembersPatch, Api::MembersPatch, true),
            (Api::CompleteImport, Api::CompleteImport, true),
        ] {
            let mut quota = Quota::new(limits.clone());
            assert_eq!(quota.admit(at(0), first, "spaces/A"), Ok(()));
            assert_eq!(quota.admit(at(1), second, "spaces/A").is_ok(), admitted, "{first:?} {second:?}");
        }
    }

    #[test]
    fn reads_of_one_space_and_hidden_writes() {
        let mut quota = Quota::new(Limits { hidden_writes_per_space_second: 2, ..Limits::default() });
        for _ in 0..15 {
            assert!(quota.admit(at(0), Api::MembersList, "spaces/A").is_ok());
        }
        let over = quota.admit(at(400_000), Api::SpacesGet, "spaces/A").unwrap_err();
        assert_eq!(over.wait_micros(), 600_000);
        assert!(quota.admit(at(400_000), Api::SpacesGet, "spaces/B").is_ok());
        assert!(quota.admit(at(1_000_000), Api::SpacesGet, "spaces/A").is_ok());
        let writes = [0, 1, 2].map(|_| quota.admit(at(2_000_000), Api::MembersCreate, "spaces/A").is_ok());
        assert_eq!(writes, [true, true, false]);
    }

    #[test]
    fn a_refusal_says_why() {
        let mut quota = Quota::new(Limits { writes_per_minute: 1, retry_info: true, ..Limits::default() });
        quota.admit(at(0), Api::MembersCreate, "spaces/A").unwrap();
        let refusal = quota.admit(at(1_500_000), Api::MembersCreate, "spaces/B").unwrap_err().refusal();
        let json = refusal.to_json();
        assert_eq!((refusal.code, refusal.status), (429, "RESOURCE_EXHAUSTED"));
        assert_eq!(json["error"]["details"][0]["reason"], "RATE_LIMIT_EXCEEDED");
        assert_eq!(json["error"]["details"][2]["retryDelay"], "58.500s");
    }

    #[test]
    fn a_clock_set_back_blocks_no_longer_than_a_window() {
        let mut quota = Quota::new(Limits { writes_per_minute: 1, ..Limits::default() });
        quota.admit(at(10 * MINUTE), Api::MembersCreate, "").unwrap();
        assert_eq!(quota.admit(at(0), Api::MembersCreate, "").unwrap_err().wait_micros(), MINUTE);
        assert!(quota.admit(at(MINUTE), Api::MembersCreate, "").is_ok());
    }

    #[test]
    fn every_way_of_counting() {
        // Of three a minute, asked for every ten seconds from the thirtieth on.
        for (counting, admitted) in [
            (Counting::Sliding, [true, true, true, false, false, false, true, true]),
            (Counting::Fixed, [true, true, true, true, true, true, false, false]),
            (Counting::Bucket, [true, true, true, true, true, false, true, false]),
        ] {
            let mut quota = Quota::new(Limits { writes_per_minute: 3, counting, ..Limits::default() });
            let admits = [30, 40, 50, 60, 70, 80, 90, 100]
                .map(|second| quota.admit(at(second * SECOND), Api::MembersCreate, "").is_ok());
            assert_eq!(admits, admitted, "{counting:?}");
        }
    }

    #[test]
    fn a_limit_that_changes() {
        let mut quota = Quota::new(Limits { writes_per_minute: 1, ..Limits::default() });
        quota.schedule([(at(20 * SECOND), 1), (at(10 * SECOND), 3)]);
        let admits =
            [0, 9, 10, 11, 20].map(|second| quota.admit(at(second * SECOND), Api::MembersCreate, "").is_ok());
        assert_eq!(admits, [true, false, true, true, false]);
    }

    #[test]
    fn spaces_are_forgotten() {
        let mut quota = Quota::new(Limits { reads_per_minute: 0, ..Limits::default() });
        for i in 0..10_000 {
            quota.admit(at(i * 10_000), Api::MembersList, &format!("spaces/{i}")).unwrap();
        }
        assert!(quota.spaces.len() <= 1024);
    }

    proptest! {
        #[test]
        fn never_more_than_the_limit_in_any_window(most in 1u32..8, gaps in prop::collection::vec(0i64..30, 1..200)) {
            let mut quota = Quota::new(Limits { writes_per_minute: most, ..Limits::default() });
            let mut now = 0;
            let mut admitted: Vec<i64> = Vec::new();
            for gap in gaps {
                now += gap * SECOND;
                let room = admitted.iter().filter(|time| **time > now - MINUTE).count() < most as usize;
                let answer = quota.admit(at(now), Api::MembersCreate, "spaces/A");
                prop_assert_eq!(answer.is_ok(), room, "and never less either");
                if room { admitted.push(now) }
            }
            for window in admitted.windows(most as usize + 1) {
                prop_assert!(window[most as usize] - window[0] >= MINUTE);
            }
        }
    }
}
