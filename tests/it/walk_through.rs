//! `docs/migration.md`, run as it is written, and once more on a day on which everything goes wrong.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::process::Command;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::Value;

use crate::document;
use crate::support::{Emulator, Room, Run, STORE};

const DOCUMENT: &str = include_str!("../../docs/migration.md");
const SAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/samples");

fn commands() -> Vec<String> {
    document::commands(DOCUMENT).into_iter().map(|command| command.line).collect()
}

fn shell(room: &Room, emulator: &Emulator, command: &str) -> Command {
    let mut shell = document::unpaced_shell(room, emulator, DOCUMENT, command);
    shell.env("SAMPLES", SAMPLES);
    shell
}

fn run(room: &Room, emulator: &Emulator, command: &str) -> Run {
    document::run(shell(room, emulator, command))
}

/// What Chat holds at last: who is in which space today with which role, and the spaces that are completed.
#[derive(Debug, Default, PartialEq, Eq)]
struct Chat {
    history: BTreeMap<(String, String, String), u32>,
    today: BTreeMap<(String, String), String>,
    completed: BTreeSet<String>,
    spaces: BTreeMap<String, String>,
}

fn chat(room: &Room) -> Chat {
    let mut chat = Chat::default();
    let mut addresses: BTreeMap<String, String> = BTreeMap::new();
    for line in room.read(STORE).split_inclusive('\n').filter(|line| line.ends_with('\n')) {
        let change: Value = serde_json::from_str(line).unwrap();
        let place = |name: &str| {
            let (space, member) = name.split_once("/members/").unwrap();
            (space.to_owned(), format!("users/{member}"))
        };
        if let Some(space) = change.get("space") {
            let text = |key: &str| space[key].as_str().unwrap().to_owned();
            assert_eq!(chat.spaces.insert(text("displayName"), text("name")), None, "two spaces of one name");
        } else if let Some(space) = change.get("completedSpace") {
            assert!(chat.completed.insert(space.as_str().unwrap().to_owned()), "completed twice");
        } else if let Some(membership) = change.get("membership") {
            let (space, user) = place(membership["name"].as_str().unwrap());
            let address = membership["address"].as_str().unwrap().to_owned();
            addresses.insert(user, address.clone());
            match membership["deleteTime"].as_str() {
                Some(end) => *chat.history.entry((space, address, end.to_owned())).or_default() += 1,
                None => {
                    let role = membership["role"].as_str().unwrap().to_owned();
                    assert_eq!(chat.today.insert((space, address), role), None, "added twice");
                }
            }
        } else if let Some(role) = change.get("role") {
            let (space, user) = place(role["name"].as_str().unwrap());
            *chat.today.get_mut(&(space, addresses[&user].clone())).unwrap() =
                role["role"].as_str().unwrap().to_owned();
        } else if let Some(name) = change.get("deletedMembership") {
            let (space, user) = place(name.as_str().unwrap());
            chat.today.remove(&(space, addresses[&user].clone())).expect("somebody who is there");
        } else {
            panic!("a migration does not do this: {line}");
        }
    }
    chat
}

/// What the rows ask for, held against what Chat has.
fn check(room: &Room, rows: &str, names: &BTreeMap<&str, &str>) {
    let chat = chat(room);
    let mut asked = Chat { spaces: chat.spaces.clone(), ..Chat::default() };
    assert_eq!(chat.spaces.len(), names.len());
    asked.completed = chat.spaces.values().cloned().collect();
    let mut reader = csv::Reader::from_reader(rows.as_bytes());
    for row in reader.deserialize::<BTreeMap<String, String>>() {
        let row = row.unwrap();
        let space = chat.spaces[names[row["space"].as_str()]].clone();
        if row["deleteTime"].is_empty() {
            let role = Some(row["role"].clone()).filter(|role| !role.is_empty());
            let role = role.unwrap_or_else(|| "ROLE_MEMBER".to_owned());
            asked.today.insert((space, row["member"].clone()), role);
        } else {
            asked.history.insert((space, row["member"].clone(), row["deleteTime"].clone()), 1);
        }
    }
    // Whoever has completed a space that nobody else manages stays in it.
    let managers = asked.today.iter().filter(|(_, role)| *role == "ROLE_MANAGER");
    let managed: BTreeSet<String> = managers.map(|((space, _), _)| space.clone()).collect();
    for space in asked.completed.difference(&managed) {
        asked.today.insert((space.clone(), "admin@example.com".to_owned()), "ROLE_MANAGER".to_owned());
    }
    assert_eq!(chat, asked);
}

#[test]
fn the_document_runs_as_it_is_written() {
    let room = Room::new();
    let emulator = Emulator::start_without_spaces(&room, &["--writes-per-minute", "0"]);
    for command in commands() {
        let run = run(&room, &emulator, &command);
        assert_eq!(run.code, Some(0), "{command}\n{}{}", run.out, run.err);
    }
    let rows = std::fs::read_to_string(format!("{SAMPLES}/memberships.csv")).unwrap();
    let channels = ["general", "küche", "launch-2018", "sales", "support", "workshop"];
    check(&room, &rows, &channels.map(|channel| (channel, channel)).into());
    let before = room.read(STORE);
    for command in commands() {
        let run = run(&room, &emulator, &command);
        // Whoever has left a space cannot look at it any more.
        let blind = command.starts_with("tenure verify");
        assert!(run.code == Some(0) || blind && run.code == Some(5), "{command}\n{}{}", run.out, run.err);
    }
    assert_eq!(room.read(STORE), before, "a second run of everything changes nothing");
}

/// Runs a command again as long as it stops before its end.
#[track_caller]
fn to_its_end(room: &Room, emulator: &Emulator, command: &str) {
    let mut ended = run(room, emulator, command);
    for _ in 0..7 {
        if ended.code == Some(5) {
            ended = run(room, emulator, command);
        }
    }
    assert_eq!(ended.code, Some(0), "{command}\n{}{}", ended.out, ended.err);
}

/// Channels, and people in them: who left, and who is still there, an owner first.
fn company() -> (String, String) {
    let mut channels = "name,displayName,createTime\n".to_owned();
    let mut rows = "space,member,createTime,deleteTime,role\n".to_owned();
    for space in 0..4 {
        let _ = writeln!(channels, "#{space},Channel {space},2019-01-01T00:00:00Z");
        for person in 0..30 {
            let (who, day) = (format!("person{}@example.com", person + space), 1 + person % 28);
            let (end, role) = match person {
                0 => ("", "ROLE_MANAGER"),
                1 => ("", "ROLE_ASSISTANT_MANAGER"),
                2..10 => ("", ""),
                _ => ("2021-05-05T00:00:00Z", ""),
            };
            let _ = writeln!(rows, "#{space},{who},2020-01-{day:02}T00:00:00Z,{end},{role}");
        }
    }
    (channels, rows)
}

#[test]
fn everything_goes_wrong_and_nothing_is_lost() {
    const FAULTS: [&str; 6] =
        ["--fault", "error-after=0.05", "--fault", "reset-before=0.01", "--fault", "reset-after=0.01"];
    let mut random = StdRng::seed_from_u64(6);
    let room = Room::new();
    let (channels, rows) = company();
    room.write("channels.csv", channels);
    room.write("memberships.csv", &rows);
    let emulator = Emulator::start_without_spaces(&room, &FAULTS);
    let steps: Vec<String> =
        commands().into_iter().filter(|command| command.starts_with("tenure ")).collect();
    let mut killed = 0;
    for command in &steps {
        for _ in 0..3 {
            let mut child = shell(&room, &emulator, command).spawn().unwrap();
            std::thread::sleep(Duration::from_millis(random.random_range(0..400)));
            killed += u32::from(child.try_wait().unwrap().is_none());
            let _ = child.kill();
            child.wait().unwrap();
        }
        to_its_end(&room, &emulator, command);
    }
    assert!(killed > 10, "{killed} were killed");
    let names: BTreeMap<&str, &str> =
        [("#0", "Channel 0"), ("#1", "Channel 1"), ("#2", "Channel 2"), ("#3", "Channel 3")].into();
    check(&room, &rows, &names);
    let before = room.read(STORE);
    for command in steps.iter().filter(|command| !command.starts_with("tenure verify")) {
        to_its_end(&room, &emulator, command);
    }
    assert_eq!(room.read(STORE), before, "a second run of everything changes nothing");
}
