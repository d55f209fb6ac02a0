//! Members of today, in spaces that are not in import mode: without times, and told apart by repeating the call.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::support::{Emulator, Room, STORE, UNPACED, args, until};

/// Two completed spaces that admin@example.com manages; one of them has maria in it already.
fn completed_spaces() -> String {
    let mut store = String::new();
    for space in ["spaces/A", "spaces/B"] {
        let _ = writeln!(
            store,
            r#"{{"space":{{"name":"{space}","displayName":"{space}","spaceType":"SPACE","importMode":true,"createTime":"2020-01-01T00:00:00Z","created":"2026-01-01T00:00:00Z"}}}}
{{"completedSpace":"{space}"}}
{{"membership":{{"name":"{space}/members/1","member":"users/1","role":"ROLE_MANAGER","createTime":"2026-01-01T00:00:00Z"}}}}"#
        );
    }
    store
}

/// A room with these spaces in its emulator's store, and the person who manages them in the place of users/1.
fn room() -> Room {
    let room = Room::new();
    let known = Room::new();
    // Which id an address has, an emulator tells: by what it answers to an import.
    let emulator = Emulator::start(&known, &[]);
    for person in ["admin@example.com", "maria@example.com"] {
        let create = ["members", "create", "X", person, "--delete-time", "2021-01-01T00:00:00Z", "--json"];
        known.tenure(&args(&[&create], &emulator.connection())).expect(0);
    }
    let ids: BTreeMap<String, String> = known
        .read(STORE)
        .lines()
        .filter_map(|line| {
            serde_json::from_str::<serde_json::Value>(line).unwrap().get("membership").cloned()
        })
        .map(|membership| {
            let text = |key: &str| membership[key].as_str().unwrap().to_owned();
            (text("address"), text("member"))
        })
        .collect();
    let admin = ids["admin@example.com"].trim_start_matches("users/");
    let maria = ids["maria@example.com"].trim_start_matches("users/");
    let mut store = completed_spaces()
        .replace("members/1\"", &format!("members/{admin}\""))
        .replace("users/1\"", &format!("users/{admin}\""));
    let _ = writeln!(
        store,
        r#"{{"membership":{{"name":"spaces/A/members/{maria}","member":"users/{maria}","role":"ROLE_MEMBER","createTime":"2026-01-01T00:00:00Z"}}}}"#
    );
    room.write(STORE, store);
    room
}

/// How often each address was made a member of today.
pub(crate) fn added(room: &Room) -> BTreeMap<(String, String), u32> {
    let mut added = BTreeMap::new();
    for line in room.read(STORE).split_inclusive('\n').filter(|line| line.ends_with('\n')) {
        let change: serde_json::Value = serde_json::from_str(line).unwrap();
        let Some(membership) = change.get("membership") else { continue };
        let Some(address) = membership["address"].as_str() else { continue };
        assert!(membership.get("deleteTime").is_none(), "{line}");
        let (space, _) = membership["name"].as_str().unwrap().split_once("/members/").unwrap();
        *added.entry((space.to_owned(), address.to_owned())).or_default() += 1;
    }
    added
}

fn people(count: usize) -> String {
    let mut text = "space,member\n".to_owned();
    for number in 0..count {
        let _ = writeln!(text, "{},person{number}@example.com", if number % 2 == 0 { "A" } else { "B" });
    }
    text
}

const IMPORT: [&str; 5] = ["import", "rows.csv", "--journal", "j.db", "--standard-spaces"];

#[test]
fn everybody_becomes_a_member_once() {
    let room = room();
    room.write("rows.csv", people(30) + "A,maria@example.com\nB,maria@example.com\nB,groups/g1\n");
    let emulator = Emulator::start(&room, &["--writes-per-minute", "0"]);
    let import = args(&[&IMPORT, &UNPACED], &emulator.connection());
    let run = room.tenure(&import).expect(0);
    assert!(run.out.contains("1 of them were there already"), "{}", run.out);
    let added = added(&room);
    assert_eq!(added.len(), 31, "maria was in A already");
    assert!(added.values().all(|times| *times == 1), "{added:?}");
    let status = room.status("j.db");
    assert_eq!((&status["rows"]["done"], &status["rows"]["open"]), (&33.into(), &0.into()));
    room.tenure(&import).expect(0);
    assert_eq!(room.status("j.db")["requests"], status["requests"], "nothing was left to send");
}

#[test]
fn whatever_happens_to_the_answers() {
    let room = room();
    room.write("rows.csv", people(40));
    let faults = ["error-after=0.05", "reset-after=0.05", "error-before=0.03", "html=0.02"];
    let mut options = vec!["--writes-per-minute", "0", "--seed", "11", "--latency", "5ms"];
    options.extend(faults.iter().flat_map(|fault| ["--fault", fault]));
    let emulator = Emulator::start(&room, &options);
    let import = args(&[&IMPORT, &UNPACED, &["--max-in-flight", "4"]], &emulator.connection());
    let running = room.start(&import);
    until("some rows are in Chat", || added(&room).len() > 15);
    running.kill();
    room.tenure(&import).expect(0);
    let added = added(&room);
    assert_eq!(added.len(), 40);
    assert!(added.values().all(|times| *times == 1), "{added:?}");
    assert_eq!(room.status("j.db")["rows"]["done"], 40);
}

#[test]
fn who_may_not_is_a_reject_and_the_rest_goes_on() {
    let room = room();
    room.write("rows.csv", people(4) + "B,users/app\nA,gone@example.invalid\nZ,jo@example.com\n");
    let emulator = Emulator::start_without_spaces(&room, &[]);
    let import = args(&[&IMPORT], &emulator.connection());
    let run = room.tenure(&import).expect(3);
    assert_eq!(room.status("j.db")["rows"]["rejected"], 2, "{}", run.out);
    let rejects = room.tenure(&["rejects", "j.db"]).expect(0).out;
    assert!(
        rejects.contains("gone@example.invalid") && rejects.contains("the whole space spaces/Z"),
        "{rejects}"
    );
    assert_eq!(added(&room).len(), 4);
}

#[test]
fn rows_that_have_ended_do_not_belong_there() {
    let room = Room::new();
    room.write(
        "rows.csv",
        "space,member,deleteTime\nA,a@example.com,2020-01-01T00:00:00Z\nA,b@example.com,\n",
    );
    let run = room.tenure(&["check", "rows.csv", "--standard-spaces"]).expect(4);
    assert!(run.err.contains("deleteTime: it has ended"), "{}", run.err);
    room.tenure(&["check", "rows.csv"]).expect(0);
    room.tenure(&["import", "rows.csv", "--emulator", "--journal-only"]).expect(0);
    let run =
        room.tenure(&["import", "rows.csv", "--emulator", "--standard-spaces", "--skip-invalid"]).expect(1);
    assert!(run.err.contains("this journal is about spaces in import mode"), "{}", run.err);
}

#[test]
fn a_rehearsal_of_it() {
    let room = Room::new();
    room.write("rows.csv", people(20));
    room.tenure(&["import", "rows.csv", "--emulator", "--standard-spaces", "--writes-per-minute", "0"])
        .expect(0);
    let status = room.status("rows.csv.journal.db");
    assert_eq!((&status["rows"]["done"], &status["rows"]["open"]), (&20.into(), &0.into()));
    room.tenure(&["resume", "rows.csv.journal.db"]).expect(0);
}

#[test]
fn what_an_app_cannot_do_costs_no_call() {
    let room = Room::new();
    room.write("rows.csv", "space,member\nA,groups/g\nA,users/app\nA,a@elsewhere.org\nA,a@Example.com\n");
    let app = ["check", "rows.csv", "--as-app", "--domain", "example.com"];
    let run = room.tenure(&app).expect(4);
    for part in ["rows.csv:2:", "rows.csv:3:", "rows.csv:4:", "an app cannot add groups"] {
        assert!(run.err.contains(part), "{}", run.err);
    }
    assert!(run.out.contains("3 problems"), "{}", run.out);
    let administrator = ["check", "rows.csv", "--admin-access", "--domain", "example.com"];
    assert!(room.tenure(&administrator).expect(4).out.contains("2 problems"));
    room.tenure(&["check", "rows.csv", "--standard-spaces", "--domain", "example.com"]).expect(0);
}
