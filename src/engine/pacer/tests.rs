//! The pacer against servers that count in every way, in virtual time: five minutes cost milliseconds.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::window::MINUTE;
use super::*;

/// How a server counts.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Counts {
    /// Fewer than the limit in the 60 s before.
    Sliding,
    /// Fewer than the limit since the minute began.
    Fixed,
    /// Tokens come at the limit's rate, and so many seconds' worth of them are kept.
    Bucket(f64),
}

const KINDS: [(&str, Counts); 4] = [
    ("sliding window", Counts::Sliding),
    ("fixed window", Counts::Fixed),
    ("bucket of a minute", Counts::Bucket(60.0)),
    ("bucket of 2 s", Counts::Bucket(2.0)),
];

struct Server {
    counts: Counts,
    limit: f64,
    admitted: VecDeque<Duration>,
    /// The current minute, and how many it has.
    minute: (u64, f64),
    tokens: f64,
    filled_at: Duration,
}

impl Server {
    fn new(counts: Counts, limit: f64) -> Self {
        let tokens = if let Counts::Bucket(seconds) = counts { limit / 60.0 * seconds } else { 0.0 };
        Server {
            counts,
            limit,
            admitted: VecDeque::new(),
            minute: (0, 0.0),
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
                // Its minutes are not ours.
                let minute = (now.as_secs() + 23) / 60;
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

/// What happens to a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    Arrives { space: i64, asked: Duration },
    Answered { space: i64, asked: Duration, refused: bool },
}

struct World {
    pacer: Pacer,
    server: Server,
    spaces: Vec<SpaceBuckets>,
    /// A limit of its own: how many in any second.
    hidden: Vec<(i64, Server)>,
    latency: Duration,
    in_flight_max: usize,
    named: bool,
    rng: StdRng,
    /// From when on the server's limit is this.
    changes: VecDeque<(Duration, f64)>,
    /// Nobody runs then: a laptop that sleeps.
    asleep: Option<(Duration, Duration)>,
    left: Vec<Duration>,
    through: Vec<(Duration, i64)>,
    refused: Vec<(Duration, i64)>,
}

impl World {
    fn new(configured: u32, counts: Counts, limit: f64, latency: Duration) -> Self {
        let rates =
            Rates { writes_per_minute: configured, writes_per_minute_per_space: 0, ..Rates::default() };
        let pacer = Pacer::new(rates);
        World {
            spaces: (0..8).map(|_| pacer.space()).collect(),
            pacer,
            server: Server::new(counts, limit),
            hidden: Vec::new(),
            latency,
            in_flight_max: InFlight::Auto.limit(configured),
            named: false,
            rng: StdRng::seed_from_u64(7),
            changes: VecDeque::new(),
            asleep: None,
            left: Vec::new(),
            through: Vec::new(),
            refused: Vec::new(),
        }
    }

    fn way(&mut self) -> Duration {
        (self.latency / 2).mul_f64(1.0 + 0.4 * self.rng.random::<f64>())
    }

    fn run(mut self, length: Duration) -> Self {
        let mut coming: BinaryHeap<Reverse<(Duration, Event)>> = BinaryHeap::new();
        let (mut now, mut out, mut turn) = (Duration::ZERO, 0, 0);
        while now < length {
            if let Some((from, to)) = self.asleep
                && now >= from
                && now < to
            {
                now = to;
            }
            if self.changes.front().is_some_and(|(at, _)| *at <= now) {
                self.server.limit = self.changes.pop_front().unwrap().1;
            }
            while let Some(Reverse((at, event))) = coming.peek().copied()
                && at <= now
            {
                coming.pop();
                match event {
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

    /// Calls let through in a span, as a share of what the limit allows, and the share of refusals.
    fn share(&self, from: u64, to: u64, limit: f64) -> (f64, f64) {
        let span = Duration::from_secs(from)..Duration::from_secs(to);
        let through = self.through.iter().filter(|(at, _)| span.contains(at)).count() as f64;
        let refused = self.refused.iter().filter(|(at, _)| span.contains(at)).count() as f64;
        (through / (limit / 60.0 * (to - from) as f64), refused / (through + refused).max(1.0))
    }

    /// No minute has more than the configured rate, seen from here.
    fn assert_within(&self, configured: usize) {
        let too_many = self.left.windows(configured + 1).any(|calls| calls[configured] - calls[0] < MINUTE);
        assert!(!too_many, "more than {configured} in a minute");
    }
}

const LATENCIES: [u64; 3] = [5, 200, 2000];

fn five_minutes(counts: Counts, limit: u32, latency: u64) -> (f64, f64) {
    let world = World::new(limit, counts, f64::from(limit), Duration::from_millis(latency))
        .run(Duration::from_secs(310));
    world.assert_within(limit as usize);
    world.share(5, 305, f64::from(limit))
}

/// Prints the table of docs/performance.md.
fn table(limits: &[u32]) {
    for (name, counts) in KINDS {
        for limit in limits {
            let mut line = format!("| {name} | {limit} |");
            for latency in LATENCIES {
                let (share, refused) = five_minutes(counts, *limit, latency);
                line += &format!(" {:.2} % / {:.2} % |", share * 100.0, refused * 100.0);
                assert!(share >= 0.99, "{line}");
                assert!(refused < 0.005, "{line}");
            }
            println!("{line}");
        }
    }
}

#[test]
fn at_the_configured_rate_99_percent_get_through() {
    table(&[60, 300, 6000]);
}

#[test]
#[ignore = "takes a minute without optimisation: cargo test --release --lib pacer -- --ignored --nocapture"]
fn at_every_configured_rate_99_percent_get_through() {
    table(&[60, 120, 300, 1000, 3000, 6000, 20_000, 60_000]);
}

/// Limits, from which second on.
type Limits = [(u64, f64)];

/// A server that gives less than configured, and then other limits. Of each, from a minute after it came until the next:
/// what of it got through, and what share was refused.
fn found(counts: Counts, configured: u32, limits: &Limits, latency: u64, named: bool) -> Vec<(f64, f64)> {
    let mut world = World::new(configured, counts, limits[0].1, Duration::from_millis(latency));
    world.named = named;
    world.changes = limits[1..].iter().map(|(at, limit)| (Duration::from_secs(*at), *limit)).collect();
    let ends: Vec<u64> =
        limits[1..].iter().map(|(at, _)| *at).chain([limits.last().unwrap().0 + 360]).collect();
    let world = world.run(Duration::from_secs(*ends.last().unwrap()));
    world.assert_within(configured as usize);
    let shares = limits.iter().zip(ends).map(|((at, limit), to)| world.share(at + 60, to, *limit));
    shares.collect()
}

const FEWER: [(u32, &Limits, bool); 3] = [
    (6000, &[(0, 3000.0), (360, 1500.0), (720, 3000.0), (1080, 6000.0)], false),
    (600, &[(0, 300.0), (360, 450.0)], false),
    (6000, &[(0, 600.0), (360, 3000.0), (720, 300.0)], true),
];

#[test]
fn a_limit_below_the_configured_one_is_found_and_held() {
    let mut missed = Vec::new();
    for (name, counts) in KINDS {
        for latency in LATENCIES {
            for (configured, limits, named) in FEWER {
                let found = found(counts, configured, limits, latency, named);
                for ((at, limit), (share, refused)) in limits.iter().zip(found) {
                    let line = format!(
                        "| {name} | {latency} ms | {} | {limit} of {configured} from {at} s on | {:.1} % / {:.2} % |",
                        if named { "named" } else { "not named" },
                        share * 100.0,
                        refused * 100.0
                    );
                    println!("{line}");
                    // What is not reached everywhere stands in docs/performance.md; this keeps it from growing worse.
                    let (least, most) = match (counts, latency) {
                        (Counts::Bucket(seconds), _) if seconds < 10.0 => (0.40, 0.12),
                        (_, 2000) => (0.75, 0.06),
                        _ => (0.88, 0.03),
                    };
                    if share < least || refused > most {
                        missed.push(line);
                    }
                }
            }
        }
    }
    assert!(missed.is_empty(), "\n{}", missed.join("\n"));
}

#[test]
fn a_space_with_a_limit_of_its_own_slows_only_itself() {
    let mut world = World::new(6000, Counts::Sliding, 6000.0, Duration::from_millis(100));
    // A call a second, where its turn would be twelve.
    let mut hidden = Server::new(Counts::Bucket(1.0), 60.0);
    hidden.tokens = 1.0;
    world.hidden = vec![(3, hidden)];
    let world = world.run(Duration::from_secs(300));
    let (share, refused) = world.share(60, 300, 6000.0);
    assert!(share > 0.985 && refused < 0.002, "{share} {refused}");
    assert!(world.refused.iter().all(|(_, space)| *space == 3));
    let own = world.through.iter().filter(|(at, space)| *space == 3 && at.as_secs() >= 60).count();
    assert!((170..=240).contains(&own), "{own} of 240");
    assert!(world.pacer.writes.adaptive.is_free());
}

#[test]
fn after_a_standstill_nothing_leaves_faster_than_configured() {
    let mut world = World::new(6000, Counts::Bucket(0.5), 6000.0, Duration::from_millis(50));
    world.asleep = Some((Duration::from_secs(20), Duration::from_secs(3600)));
    let world = world.run(Duration::from_secs(3660));
    world.assert_within(6000);
    assert_eq!(world.refused.len(), 0);
    let second = world.left.windows(110).any(|calls| calls[109] - calls[0] < Duration::from_secs(1));
    assert!(!second, "a hundred a second and a small burst");
}

#[test]
fn what_an_answer_asks_to_wait_is_waited() {
    let mut pacer = Pacer::new(Rates::default());
    let asked = Asked { kind: Kind::Write, space: SpaceId(1), at: Duration::ZERO };
    let refusal = Refusal { http_status: 429, ..Refusal::default() };
    let second = Duration::from_secs(1);
    pacer.leave(Kind::Write, Duration::ZERO);
    let refused = pacer.refused(asked, None, &refusal, second * 40, 0.5, second);
    assert_eq!(refused, Refused { wait: second * 40, only_space: false, is_news: true });
    assert_eq!(pacer.ready(Kind::Write, second * 2), Err(second * 41));
    assert_eq!(pacer.ready(Kind::Read, second * 2), Ok(()), "reads have a quota of their own");
    pacer.tell(second * 41);
    assert_eq!(pacer.ready(Kind::Write, second * 41), Ok(()));
    pacer.leave(Kind::Write, second * 41);
    assert!(pacer.ready(Kind::Write, second * 42).is_err(), "one goes ahead alone");
}

#[test]
fn a_lost_network_lets_everything_wait() {
    let mut pacer = Pacer::new(Rates::default());
    let second = Duration::from_secs(1);
    let asked = Asked { kind: Kind::Write, space: SpaceId(1), at: Duration::ZERO };
    assert_eq!(pacer.unreachable(asked, Duration::ZERO), Err(1));
    pacer.pause(Kind::Write, second);
    assert_eq!(pacer.unreachable(asked, second / 2), Ok(second), "it left before");
    pacer.let_through(asked, None, second / 2);
    assert_eq!(pacer.unreachable(asked, second), Err(2), "an answer during the pause did not count");
    pacer.let_through(asked, None, second);
    assert_eq!(pacer.unreachable(asked, second), Err(1));
}
