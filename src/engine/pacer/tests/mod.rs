//! The pacer against servers that count in every way.

mod lab;

use super::*;
use lab::{Counts, KINDS, Other, Server, World};

const LATENCIES: [u64; 3] = [5, 200, 2000];

fn five_minutes(counts: Counts, limit: u32, latency: u64) -> (f64, f64) {
    let world = World::new(limit, counts, &[(0, f64::from(limit))], Duration::from_millis(latency))
        .run(Duration::from_secs(310));
    world.assert_within(limit as usize);
    world.share(5, 305)
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
fn found(configured: u32, limits: &Limits, world: World) -> Vec<(f64, f64)> {
    let ends: Vec<u64> =
        limits[1..].iter().map(|(at, _)| *at).chain([limits.last().unwrap().0 + 360]).collect();
    let world = world.run(Duration::from_secs(*ends.last().unwrap()));
    world.assert_within(configured as usize);
    limits.iter().zip(ends).map(|((at, _), to)| world.share(at + 60, to)).collect()
}

const FEWER: [(u32, &Limits, bool); 3] = [
    (6000, &[(0, 3000.0), (360, 1500.0), (720, 3000.0), (1080, 6000.0)], false),
    (600, &[(0, 300.0), (360, 450.0)], false),
    (6000, &[(0, 600.0), (360, 3000.0), (720, 300.0)], true),
];

/// The same limits, each a little later: so the changes lie otherwise to the minutes. With seed 0 they are those of the
/// table in docs/performance.md.
fn varied(limits: &Limits, seed: u64) -> Vec<(u64, f64)> {
    limits.iter().map(|(at, limit)| (if *at == 0 { 0 } else { at + seed * 7 }, *limit)).collect()
}

/// The aim: from a minute after a change on, so much of the limit at least, and so many refusals at most.
const AIM: (f64, f64) = (0.95, 0.02);

/// Runs all of it, prints the table of docs/performance.md, and says how many fields miss the aim.
fn fewer(seed: u64) -> (usize, Vec<String>) {
    let (mut missed, mut worse) = (0, Vec::new());
    for (name, counts) in KINDS {
        for (configured, limits, named) in FEWER {
            let mut lines: Vec<String> = limits
                .iter()
                .map(|(at, limit)| {
                    let named = if named { "named" } else { "not named" };
                    format!("| {name} | {limit} of {configured} from {at} s | {named} |")
                })
                .collect();
            for latency in LATENCIES {
                let limits = varied(limits, seed);
                let mut world =
                    World::new(configured, counts, &limits, Duration::from_millis(latency)).varied(seed);
                world.named = named;
                for (line, (share, refused)) in lines.iter_mut().zip(found(configured, &limits, world)) {
                    *line += &format!(" {:.1} % / {:.2} % |", share * 100.0, refused * 100.0);
                    missed += usize::from(share < AIM.0 || refused > AIM.1);
                    // What is not reached everywhere stands in docs/performance.md; this keeps it from growing worse.
                    let (least, most) = match (counts, latency) {
                        (Counts::Bucket(seconds), 2000) if seconds > 10.0 => (0.88, 0.07),
                        (Counts::Bucket(seconds), _) if seconds > 10.0 => (0.88, 0.045),
                        (_, 2000) => (0.80, 0.06),
                        _ => (0.88, 0.03),
                    };
                    if share < least || refused > most {
                        worse.push(line.clone());
                    }
                }
            }
            lines.iter().for_each(|line| println!("{line}"));
        }
    }
    (missed, worse)
}

#[test]
fn a_limit_below_the_configured_one_is_found_and_held() {
    let (missed, worse) = fewer(0);
    println!("{missed} of 108 fields miss the aim");
    assert!(missed <= 23 && worse.is_empty(), "{missed} missed\n{}", worse.join("\n"));
}

#[test]
#[ignore = "takes minutes without optimisation: cargo test --release --lib pacer -- --ignored --nocapture"]
fn at_other_times_it_is_found_as_well() {
    let missed: usize = (1..8).map(|seed| fewer(seed).0).sum();
    println!("{missed} of {} fields miss the aim", 7 * 108);
    assert!(missed <= 190, "{missed} missed");
}

/// Another program on the same quota: how much it asks for, in so many seconds of every so many.
const OTHERS: [(&str, Other); 3] = [
    ("a quarter, all the time", Other { per_minute: 1500.0, busy: (60.0, 60.0) }),
    ("half, 60 s of every 180 s", Other { per_minute: 3000.0, busy: (60.0, 180.0) }),
    ("all, 10 s of every 120 s", Other { per_minute: 6000.0, busy: (10.0, 120.0) }),
];

#[test]
fn another_program_on_the_same_quota_leaves_us_the_rest() {
    for (name, counts) in KINDS {
        for (what, other) in OTHERS {
            let mut line = format!("| {name} | {what} |");
            for latency in LATENCIES {
                let mut world = World::new(6000, counts, &[(0, 6000.0)], Duration::from_millis(latency));
                world.other = Some(other);
                let world = world.run(Duration::from_secs(660));
                world.assert_within(6000);
                let (share, refused) = world.share(60, 660);
                line += &format!(" {:.1} % / {:.2} % |", share * 100.0, refused * 100.0);
                // The figures stand in docs/performance.md; this keeps them from growing worse.
                let least = if other.busy.0 == other.busy.1 { 0.91 } else { 0.65 };
                assert!(share >= least && refused < 0.05, "{line}");
            }
            println!("{line}");
        }
    }
}

#[test]
fn a_space_with_a_limit_of_its_own_slows_only_itself() {
    let mut world = World::new(6000, Counts::Sliding, &[(0, 6000.0)], Duration::from_millis(100));
    // A call a second, where its turn would be twelve.
    let mut hidden = Server::new(Counts::Bucket(1.0), 60.0);
    hidden.tokens = 1.0;
    world.hidden = vec![(3, hidden)];
    let world = world.run(Duration::from_secs(300));
    let (share, refused) = world.share(60, 300);
    assert!(share > 0.985 && refused < 0.002, "{share} {refused}");
    assert!(world.refused.iter().all(|(_, space)| *space == 3));
    let own = world.through.iter().filter(|(at, space)| *space == 3 && at.as_secs() >= 60).count();
    assert!((170..=240).contains(&own), "{own} of 240");
    assert!(world.pacer.writes.adaptive.is_free());
}

#[test]
fn a_space_with_a_limit_of_its_own_slows_only_itself_where_the_project_has_less_too() {
    for (name, counts) in KINDS {
        let mut world = World::new(6000, counts, &[(0, 3000.0)], Duration::from_millis(100));
        let mut hidden = Server::new(Counts::Bucket(1.0), 60.0);
        hidden.tokens = 1.0;
        world.hidden = vec![(3, hidden)];
        let world = world.run(Duration::from_secs(360));
        let (share, refused) = world.share(60, 360);
        let own = world.through.iter().filter(|(at, space)| *space == 3 && at.as_secs() >= 60).count();
        println!("{name}: {share:.3} {refused:.4}, {own} of 300 in the space");
        assert!(share > 0.95 && refused < 0.02, "{name}: {share} {refused}");
        assert!((170..=300).contains(&own), "{name}: {own} of 300");
    }
}

#[test]
fn where_nothing_is_configured_a_limit_is_found_and_forgotten() {
    let limits = [(0, 30_000.0), (180, 1e9)];
    let world = World::new(0, Counts::Bucket(2.0), &limits, Duration::from_millis(50));
    let mut world = world.run(Duration::from_secs(600));
    let (share, refused) = world.share(60, 180);
    assert!(share > 0.9 && refused < 0.05, "{share} {refused}");
    assert!(world.pacer.writes.adaptive.is_free());
    assert_eq!(world.pacer.writes_ahead(Duration::from_secs(600)), None);
}

#[test]
fn after_a_standstill_nothing_leaves_faster_than_configured() {
    let mut world = World::new(6000, Counts::Bucket(0.5), &[(0, 6000.0)], Duration::from_millis(50));
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
