//! A small migration on a day on which everything goes wrong, drawn from a seed.

use std::fmt::Write as _;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::standard_spaces::added;
use crate::store::completed;
use crate::support::{Emulator, Held, Room, Run, Running, STORE, UNPACED, args, asked_for};

/// What is asked for, and how Chat behaves where nobody knows how Google's does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Chat makes two of a create that is repeated: nothing but care keeps a row from being doubled.
    Doubling,
    /// Chat refuses a second stint.
    OneStint,
    /// Members of today, in spaces that are not in import mode.
    Standard,
}

/// How often a run is killed before it may end.
const KILLS: usize = 5;
/// Runs that may end early: a token that is refused twice running, or an emulator that is away for too long.
const STOPS_MAX: usize = 5;
const SPACES: usize = 3;
const PEOPLE: usize = 24;
/// Every kind of fault, each in this share of the requests.
const FAULTS: [&str; 9] = [
    "error-before=0.01",
    "error-after=0.02",
    "reset-before=0.01",
    "reset-after=0.02",
    "throttle=0.01",
    "unauthorized=0.01",
    "html=0.01",
    "hang=0.01",
    "token-error=0.1",
];

pub(crate) struct Migration {
    kind: Kind,
    seed: u64,
    random: StdRng,
    room: Room,
    emulator: Option<Emulator>,
    /// What Chat is to hold in the end; with [`Kind::OneStint`] one stint of each.
    asked: Vec<Held>,
    /// What it held when it was last looked at.
    held: Vec<Held>,
}

/// What failed can be played again.
impl Drop for Migration {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("this was Migration::begin(Kind::{:?}, {})", self.kind, self.seed);
        }
    }
}

impl Migration {
    pub(crate) fn begin(kind: Kind, seed: u64) -> Migration {
        let room = Room::new();
        let csv = room.write("rows.csv", rows(kind));
        let asked = if kind == Kind::Standard { everybody() } else { asked_for(&csv) };
        if kind == Kind::Standard {
            room.write(
                STORE,
                (0..SPACES).map(|space| completed(&format!("spaces/AAQA{space}"))).collect::<String>(),
            );
        }
        let mut migration = Migration {
            kind,
            seed,
            random: StdRng::seed_from_u64(seed),
            room,
            emulator: None,
            asked,
            held: Vec::new(),
        };
        migration.start_emulator();
        migration
    }

    /// Kills runs until it is enough, then lets one end. Returns how many were killed.
    pub(crate) fn killed_until_done(mut self) -> usize {
        let mut kills = 0;
        while kills < KILLS {
            let mut running = self.room.start(&self.import());
            if self.random.random_bool(0.5) {
                // Not before it has got something done.
                let before = self.log_len();
                while running.is_running() && self.log_len() == before {
                    std::thread::sleep(Duration::from_millis(1));
                }
            }
            if running.ends_within(Duration::from_millis(self.random.random_range(0..60))) {
                if self.is_over(running.wait()) {
                    break;
                }
                continue;
            }
            if self.random.random_bool(0.3) {
                self.kill_emulator(&mut running);
            }
            kills += usize::from(running.kill());
            self.look();
        }
        let mut stops = 0;
        while !self.is_over(self.room.tenure(&self.import())) {
            stops += 1;
            assert!(stops < STOPS_MAX, "it does not come to its end");
        }
        self.is_complete();
        kills
    }

    fn import(&self) -> Vec<String> {
        let import =
            ["import", "rows.csv", "--journal", "j.db", "--request-timeout", "400ms", "--progress", "none"];
        let standard: &[&str] = if self.kind == Kind::Standard { &["--standard-spaces"] } else { &[] };
        let connection = self.emulator.as_ref().unwrap().connection();
        args(&[&import, &UNPACED, &["--max-in-flight", "8"], standard], &connection)
    }

    /// Starts the emulator, or kills it and starts it again where it was.
    fn start_emulator(&mut self) {
        let seed = self.random.random_range(0..1_000_000).to_string();
        let mut weather = vec!["--writes-per-minute", "0", "--latency", "4ms", "--seed", &seed];
        weather.extend(FAULTS.iter().flat_map(|fault| ["--fault", fault]));
        weather.extend(match self.kind {
            Kind::Doubling => Some("--double-repeated-creates"),
            Kind::OneStint => Some("--refuse-second-stints"),
            Kind::Standard => None,
        });
        self.emulator = Some(match self.emulator.take() {
            Some(emulator) => emulator.restart(&self.room, &weather),
            None => Emulator::start(&self.room, &weather),
        });
    }

    /// It is away for a moment, and knows none of its tokens when it is back. The run may go on meanwhile.
    fn kill_emulator(&mut self, running: &mut Running) {
        self.start_emulator();
        running.ends_within(Duration::from_millis(self.random.random_range(0..60)));
    }

    fn log_len(&self) -> u64 {
        std::fs::metadata(self.room.file(STORE)).map_or(0, |log| log.len())
    }

    /// Nothing is there twice, nothing that nobody asked for, nothing is gone, and all that the journal calls done is
    /// there.
    fn look(&mut self) {
        let held = self.held();
        assert!(held.windows(2).all(|pair| pair[0] != pair[1]), "a membership is there twice");
        assert!(held.iter().all(|held| self.asked.binary_search(held).is_ok()), "nobody asked for this");
        assert!(self.held.iter().all(|known| held.binary_search(known).is_ok()), "a membership is gone");
        if self.room.file("j.db").exists() {
            let rows = &self.room.status("j.db")["rows"];
            let count = |state: &str| rows[state].as_u64().unwrap() as usize;
            assert!(count("done") <= held.len(), "{rows}, {} held", held.len());
            // A member of today whose answer was lost is asked for again, without looking.
            let perhaps = if self.kind == Kind::Standard { count("pending") } else { 0 } + count("in_flight");
            assert!(held.len() <= count("done") + perhaps, "{rows}, {} held", held.len());
        }
        self.held = held;
    }

    fn held(&self) -> Vec<Held> {
        if self.kind != Kind::Standard {
            return self.room.held(STORE);
        }
        let times = added(&self.room).into_iter();
        times.flat_map(|((space, member), times)| (0..times).map(move |_| today(&space, &member))).collect()
    }

    /// Whether a run is through; what stopped it early can be resumed.
    fn is_over(&self, run: Run) -> bool {
        match run.code {
            Some(5) => {
                run.says(&["go on tenure resume j.db"]);
                false
            }
            _ => {
                run.expect(if self.kind == Kind::OneStint { 3 } else { 0 }).says(&["total"]);
                true
            }
        }
    }

    /// All is settled, and doing it again does nothing.
    fn is_complete(&mut self) {
        self.look();
        let status = self.room.standing("j.db");
        let (done, rejected) = match self.kind {
            Kind::OneStint => (self.asked.len() / 2, self.asked.len() / 2),
            _ => (self.asked.len(), 0),
        };
        let rows = serde_json::json!({
            "total": self.asked.len(), "done": done, "rejected": rejected, "pending": 0, "in_flight": 0, "open": 0,
            "duplicate": 0, "merged": 0, "bridged": 0,
        });
        assert_eq!(status["rows"], rows);
        assert_eq!(self.held.len(), done);
        let rejects = self.room.tenure(&["rejects", "j.db"]).expect(0).out;
        assert_eq!(rejects.matches("with other times").count(), rejected, "{rejects}");
        let log = self.log_len();
        assert!(self.is_over(self.room.tenure(&self.import())));
        assert_eq!((self.log_len(), self.room.standing("j.db")), (log, status));
    }
}

/// Everybody twice, in import mode.
fn rows(kind: Kind) -> String {
    if kind == Kind::Standard {
        return everybody().iter().fold("space,member\n".to_owned(), |text, (space, member, ..)| {
            text + &format!("{space},{member}\n")
        });
    }
    let mut text = "space,member,createTime,deleteTime\n".to_owned();
    for number in 0..PEOPLE {
        for year in [2018, 2020] {
            let _ = writeln!(
                text,
                "spaces/AAQA{},person{number}@example.com,{year}-01-{:02}T00:00:00Z,{year}-06-01T00:00:00Z",
                number % SPACES,
                1 + number
            );
        }
    }
    text
}

fn everybody() -> Vec<Held> {
    let mut everybody: Vec<Held> = (0..2 * PEOPLE)
        .map(|number| {
            today(&format!("spaces/AAQA{}", number % SPACES), &format!("person{number}@example.com"))
        })
        .collect();
    everybody.sort();
    everybody
}

/// A membership of today has no times that anybody asked for.
fn today(space: &str, member: &str) -> Held {
    (space.to_owned(), member.to_owned(), 0, 0)
}
