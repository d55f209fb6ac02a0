//! Servers that count in every way, and a world around the pacer, in virtual time: five minutes cost milliseconds.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::super::window::MINUTE;
use super::super::*;

/// How a server counts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Counts {
    /// Fewer than the limit in the 60 s before.
    Sliding,
    /// Fewer than the limit since the minute began.
    Fixed,
    /// Tokens come at the limit's rate, and so many seconds' worth of them are kept.
    Bucket(f64),
}

pub(super) const KINDS: [(&str, Counts); 4] = [
    ("sliding window", Counts::Sliding),
    ("fixed window", Counts::Fixed),
    ("bucket of a minute", Counts::Bucket(60.0)),
    ("bucket of 2 s", Counts::Bucket(2.0)),
];

#[derive(Debug, Clone)]
pub(super) struct Server {
    counts: Counts,
    limit: f64,
    admitted: VecDeque<Duration>,
    /// The current minute, and how many it has.
    minute: (u64, f64),
    /// At which second of ours its minutes begin.
    minute_begins: u64,
    pub(super) tokens: f64,
    filled_at: Duration,
}

impl Server {
    pub(super) fn new(counts: Counts, limit: f64) -> Self {
        let tokens = if let Counts::Bucket(seconds) = counts { limit / 60.0 * seconds } else { 0.0 };
        Server {
            counts,
            limit,
            admitted: VecDeque::new(),
            minute: (0, 0.0),
            minute_begins: 37,
            tokens,
            filled_at: Duration::ZERO,
        }
    }

    fn admits(&mut self, now: Duration) -> bool {
        match self.counts {
            Counts::Sliding => {
                while self.admitted.front().is_some_and(|at| *at + MINUTE <= now) {
                    self.admitted.pop_front();
                }
                let room = (self.admitted.len() as f64) < self.limit;
                if room {
                    self.admitted.push_back(now);
                }
                room
            }
            Counts::Fixed => {
                let minute = (now.as_secs() + 60 - self.minute_begins) / 60;
                if self.minute.0 != minute {
                    self.minute = (minute, 0.0);
                }
                let room = self.minute.1 < self.limit;
                self.minute.1 += f64::from(u8::from(room));
                room
            }
            Counts::Bucket(seconds) => {
                let rate = self.limit / 60.0;
                let since = (now - self.filled_at).as_secs_f64();
                self.filled_at = now;
                self.tokens = (self.tokens + since * rate).min((rate * seconds).max(1.0));
                let room = self.tokens >= 1.0;
                self.tokens -= f64::from(u8::from(room));
                room
            }
        }
    }
}

/// Another program that lives on the same quota. It calls evenly, whatever it is answered.
#[derive(Debug, Clone, Copy)]
pub(super) struct Other {
    pub(super) per_minute: f64,
    /// So many seconds of every so many.
    pub(super) busy: (f64, f64),
}

impl Other {
    /// When it calls next.
    fn after(&self, now: Duration) -> Duration {
        let (busy, every) = self.busy;
        let next = now.as_secs_f64() + 60.0 / self.per_minute;
        let is_idle = next % every >= busy;
        Duration::from_secs_f64(if is_idle { (next / every).floor() * every + every } else { next })
    }
}

/// What happens to a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    Arrives { space: i64, asked: Duration },
    Answered { space: i64, asked: Duration, refused: bool },
    OtherArrives,
}

pub(super) struct World {
    pub(super) pacer: Pacer,
    server: Server,
    spaces: Vec<SpaceBuckets>,
    /// A limit of its own.
    pub(super) hidden: Vec<(i64, Server)>,
    latency: Duration,
    in_flight_max: usize,
    pub(super) named: bool,
    rng: StdRng,
    /// From when on the server's limit is this.
    limits: Vec<(Duration, f64)>,
    pub(super) other: Option<Other>,
    /// Nobody runs then: a laptop that sleeps.
    pub(super) asleep: Option<(Duration, Duration)>,
    pub(super) left: Vec<Duration>,
    pub(super) through: Vec<(Duration, i64)>,
    pub(super) refused: Vec<(Duration, i64)>,
    taken_by_other: Vec<Duration>,
}

impl World {
    /// The limits of a minute, each from a second on, the first from the beginning.
    pub(super) fn new(configured: u32, counts: Counts, limits: &[(u64, f64)], latency: Duration) -> Self {
        let rates =
            Rates { writes_per_minute: configured, writes_per_minute_per_space: 0, ..Rates::default() };
        let pacer = Pacer::new(rates);
        World {
            spaces: (0..8).map(|_| pacer.space()).collect(),
            pacer,
            server: Server::new(counts, limits[0].1),
            hidden: Vec::new(),
            latency,
            in_flight_max: InFlight::Auto.limit(configured),
            named: false,
            rng: StdRng::seed_from_u64(7),
            limits: limits.iter().map(|(at, limit)| (Duration::from_secs(*at), *limit)).collect(),
            other: None,
            asleep: None,
            left: Vec::new(),
            through: Vec::new(),
            refused: Vec::new(),
            taken_by_other: Vec::new(),
        }
    }

    /// Another course of chance, and other minutes of a server with a fixed window.
    pub(super) fn varied(mut self, seed: u64) -> Self {
        self.rng = StdRng::seed_from_u64(7 + seed);
        self.server.minute_begins = (37 + seed * 13) % 60;
        self
    }

    fn way(&mut self) -> Duration {
        (self.latency / 2).mul_f64(1.0 + 0.4 * self.rng.random::<f64>())
    }

    pub(super) fn run(mut self, length: Duration) -> Self {
        let mut coming: BinaryHeap<Reverse<(Duration, Event)>> = BinaryHeap::new();
        let (mut now, mut out, mut turn) = (Duration::ZERO, 0, 0);
        if self.other.is_some() {
            coming.push(Reverse((now, Event::OtherArrives)));
        }
        let mut changes = VecDeque::from(self.limits.clone());
        while now < length {
            if let Some((from, to)) = self.asleep
                && now >= from
                && now < to
            {
                now = to;
            }
            while let Some((_, limit)) = changes.pop_front_if(|(at, _)| *at <= now) {
                self.server.limit = limit;
            }
            while let Some(Reverse((at, event))) = coming.peek().copied()
                && at <= now
            {
                coming.pop();
                match event {
                    Event::OtherArrives => {
                        if self.server.admits(at) {
                            self.taken_by_other.push(at);
                        }
                        if let Some(other) = self.other {
                            coming.push(Reverse((other.after(at), Event::OtherArrives)));
                        }
                    }
                    Event::Arrives { space, asked } => {
                        let own = self.hidden.iter_mut().find(|(hidden, _)| *hidden == space);
                        let refused =
                            own.is_some_and(|(_, server)| !server.admits(at)) || !self.server.admits(at);
                        if refused {
                            self.refused.push((at, space))
                        } else {
                            self.through.push((at, space))
                        }
                        let back = at + self.way();
                        coming.push(Reverse((back, Event::Answered { space, asked, refused })));
                    }
                    Event::Answered { space, asked, refused } => {
                        out -= 1;
                        let asked = Asked { kind: Kind::Write, space: SpaceId(space), at: asked };
                        let buckets = Some(&mut self.spaces[space as usize]);
                        if refused {
                            let limit = self.named.then(|| "WritesPerMinutePerProject".to_owned());
                            let limit_value = self.named.then_some(self.server.limit as u32);
                            let refusal =
                                Refusal { http_status: 429, limit, limit_value, ..Refusal::default() };
                            let share = self.rng.random();
                            self.pacer.refused(asked, buckets, &refusal, Duration::ZERO, share, now);
                        } else {
                            self.pacer.let_through(asked, buckets, now);
                        }
                    }
                }
            }
            self.pacer.tell(now);
            let mut wake = Duration::MAX;
            'now: while out < self.in_flight_max {
                if let Err(until) = self.pacer.ready(Kind::Write, now) {
                    wake = wake.min(until);
                    break;
                }
                for _ in 0..self.spaces.len() {
                    turn = (turn + 1) % self.spaces.len();
                    match self.pacer.take(Kind::Write, &mut self.spaces[turn], now) {
                        Ok(()) => {
                            self.pacer.leave(Kind::Write, now);
                            self.left.push(now);
                            out += 1;
                            let arrives = now + self.way();
                            coming
                                .push(Reverse((arrives, Event::Arrives { space: turn as i64, asked: now })));
                            continue 'now;
                        }
                        Err(until) => wake = wake.min(until),
                    }
                }
                break;
            }
            let next = coming.peek().map_or(Duration::MAX, |Reverse((at, _))| *at);
            // A timer is late by up to a millisecond, and a change is not to be slept over.
            let late = Duration::from_micros(self.rng.random_range(0..1000));
            now = next
                .min(wake.saturating_add(late))
                .min(now + Duration::from_secs(1))
                .max(now + Duration::from_nanos(1));
        }
        self
    }

    /// Of a span of seconds: the calls let through, as a share of what the limit allows and the other program does not
    /// take; and the share of refusals.
    pub(super) fn share(&self, from: u64, to: u64) -> (f64, f64) {
        let span = Duration::from_secs(from)..Duration::from_secs(to);
        let through = self.through.iter().filter(|(at, _)| span.contains(at)).count() as f64;
        let refused = self.refused.iter().filter(|(at, _)| span.contains(at)).count() as f64;
        let others = self.taken_by_other.iter().filter(|at| span.contains(*at)).count() as f64;
        let limit =
            self.limits.iter().rev().find(|(at, _)| *at <= span.start).map_or(0.0, |(_, limit)| *limit);
        let allowed = limit / 60.0 * (to - from) as f64 - others;
        (through / allowed, refused / (through + refused).max(1.0))
    }

    /// No minute has more than the configured rate, seen from here.
    pub(super) fn assert_within(&self, configured: usize) {
        let too_many = self.left.windows(configured + 1).any(|calls| calls[configured] - calls[0] < MINUTE);
        assert!(!too_many, "more than {configured} in a minute");
    }
}
