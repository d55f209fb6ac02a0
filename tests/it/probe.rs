//! What Google does not document, found out in a throwaway space: written down, used, and nothing left behind.

use serde_json::{Value, json};
use tenure::emulator::faults::Faults;

use crate::support::{Emulator, Room, Run, STORE, args};

const FINDINGS: &str = "tenure.probe.json";

/// Two stints of one person, and somebody else's only one.
const STINTS: &str = "space,member,createTime,deleteTime
spaces/A,anna@example.com,2020-01-01T00:00:00Z,2020-02-01T00:00:00Z
spaces/A,anna@example.com,2021-01-01T00:00:00Z,2021-02-01T00:00:00Z
spaces/A,bob@example.com,2020-01-01T00:00:00Z,2020-02-01T00:00:00Z
";

fn probe(room: &Room, emulator: &Emulator) -> Run {
    room.tenure(&args(&[&["doctor", "--probe", "--yes"]], &emulator.connection()))
}

fn findings(room: &Room) -> Value {
    serde_json::from_str(&room.read(FINDINGS)).unwrap()
}

/// What the store tells: spaces that were made, and spaces that were deleted, in their order.
fn made_and_deleted(room: &Room) -> (Vec<String>, Vec<String>) {
    let changes: Vec<Value> =
        room.read(STORE).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let texts = |pointer: &str| -> Vec<String> {
        changes.iter().filter_map(|change| Some(change.pointer(pointer)?.as_str()?.to_owned())).collect()
    };
    (texts("/space/name"), texts("/deletedSpace"))
}

#[track_caller]
fn left_nothing(room: &Room) {
    let (made, deleted) = made_and_deleted(room);
    assert_eq!(made.len(), 1, "{made:?}");
    assert_eq!(made, deleted);
    assert!(room.read(STORE).lines().last().unwrap().contains("deletedSpace"));
}

#[test]
fn it_says_what_it_will_do_and_asks() {
    let room = Room::new();
    let emulator = Emulator::start_without_spaces(&room, &[]);
    let doctor = args(&[&["doctor", "--probe"]], &emulator.connection());
    room.tenure(&doctor).expect(2).says(&[
        "as admin@example.com, it will 1. create a space in import mode",
        "4. delete the space Nothing else is touched",
        "error: nobody is there to be asked: say --yes to go on",
    ]);
    room.tenure_fed(&doctor, "y\n").expect(2);
    assert_eq!(room.read(STORE), "", "nothing was made");
    assert!(!room.file(FINDINGS).exists());
    room.tenure(&args(&[&["doctor", "--yes"]], &emulator.connection())).expect(2).says(&["--probe"]);
    room.tenure(&args(&[&["doctor", "--probe", "--yes", "--standard-spaces"]], &emulator.connection()))
        .expect(2)
        .says(&["--probe is about import mode"]);
}

#[test]
fn what_it_finds_out_is_written_down() {
    let usual = json!({
        "secondStint": "kept",
        "repeatedCreate": "refused",
        "repeatedCreateAnswer": "409 ALREADY_EXISTS: The membership already exists.",
        "listShowsHistory": true, "listEchoesTimes": true, "createEchoesTimes": true, "expireTimeTold": true,
    });
    let refused = json!({
        "secondStint": "refused", "secondStintAnswer": "409 ALREADY_EXISTS: The membership already exists.",
    });
    let doubled = json!({ "repeatedCreate": "doubled", "repeatedCreateAnswer": null });
    let no_times = json!({ "listEchoesTimes": false, "createEchoesTimes": false });
    let no_end = json!({ "expireTimeTold": false });
    for (options, differs, said) in [
        (&[][..], json!({}), "✓ a second stint of one member in one space is kept beside the first"),
        (
            &["--refuse-second-stints"],
            refused,
            "a second stint of one member in one space is refused (409 ALREADY_EXISTS",
        ),
        (&["--double-repeated-creates"], doubled, "a repeated create makes a second membership"),
        (&["--hide-times"], no_times, "it does not show their times as they were given"),
        (
            &["--hide-expire-time"],
            no_end,
            "spaces.create does not tell when import mode ends: the 90 days count from the call",
        ),
    ] {
        let room = Room::new();
        let emulator = Emulator::start_without_spaces(&room, options);
        probe(&room, &emulator).expect(0).says(&[said, "Kept in tenure.probe.json"]);
        left_nothing(&room);
        let mut found = findings(&room);
        assert_eq!(found["endpoint"], emulator.endpoint.as_str());
        let found = found.as_object_mut().unwrap();
        found.retain(|name, _| !["endpoint", "probedAt"].contains(&name.as_str()));
        let mut expected = usual.as_object().unwrap().clone();
        expected.extend(differs.as_object().unwrap().clone());
        expected.retain(|_, value| !value.is_null());
        assert_eq!(*found, expected, "{options:?}");
        // Looking again shows it, without another probe.
        room.tenure(&args(&[&["doctor"]], &emulator.connection())).expect(0).says(&[said]);
        assert_eq!(made_and_deleted(&room).0.len(), 1);
    }
}

/// A seed with which just this call of the API gets no answer, although it is applied.
fn losing_the_answer_of(call: usize) -> [String; 4] {
    let fault = "error-after=0.1";
    let only_this_one = |seed: &u64| {
        let mut faults = Faults::new(&[fault.parse().unwrap()], *seed).unwrap();
        (1..20).all(|number| faults.draw().is_some() == (number == call))
    };
    let seed = (0..).find(only_this_one).unwrap();
    ["--fault".to_owned(), fault.to_owned(), "--seed".to_owned(), seed.to_string()]
}

#[test]
fn nothing_is_left_behind_when_an_answer_is_lost() {
    // Looking at the network is the first call, at a space the second; the probe begins with the third.
    for (call, code, story) in [
        (3, 0, "created spaces/"),
        (4, 1, "the probe could not create a historical membership, and has deleted its space again: 503"),
        (6, 1, "the probe could not repeat a create, and has deleted its space again: 503"),
        (8, 1, "the probe could not create a second stint, and has deleted its space again: 503"),
        (10, 0, "deleted spaces/"),
    ] {
        let room = Room::new();
        let options = losing_the_answer_of(call);
        let emulator = Emulator::start_without_spaces(&room, &options.each_ref().map(String::as_str));
        probe(&room, &emulator).expect(code).says(&[story]);
        left_nothing(&room);
        assert_eq!(room.file(FINDINGS).exists(), code == 0, "{call}");
    }
}

#[test]
fn it_waits_until_the_rest_is_mended() {
    let room = Room::new();
    let emulator = Emulator::start_without_spaces(&room, &["--no-chat-app"]);
    probe(&room, &emulator).expect(1).says(&["– the probe: not before the rest is mended"]);
    assert_eq!(room.read(STORE), "");
}

#[test]
fn rows_in_doubt_are_spoken_of_where_they_go() {
    let room = Room::new();
    room.write("rows.csv", STINTS);
    let emulator = Emulator::start(&room, &["--refuse-second-stints"]);
    probe(&room, &emulator).expect(0);
    let doubt = "1 member has several stints in one space (1 row behind the first); this is in doubt: ";
    let refuses = "refuses such rows: they will be rejects";
    room.tenure(&["check", "rows.csv"]).expect(0).says(&[doubt, refuses]);
    let here = args(&[&["import", "rows.csv", "--journal", "here.db"]], &emulator.connection());
    room.tenure(&here).expect(3).says(&[doubt, refuses, &emulator.endpoint]);
    // Elsewhere nobody has found out anything, and nobody speaks of it where one stint is all there is.
    let elsewhere = Room::new();
    elsewhere.write("rows.csv", STINTS);
    elsewhere.write(FINDINGS, room.read(FINDINGS));
    let other = Emulator::start(&elsewhere, &[]);
    let run = elsewhere.tenure(&args(&[&["import", "rows.csv"]], &other.connection())).expect(0);
    assert!(!run.words().contains("in doubt"), "{}", run.said());
    let single: Vec<&str> = STINTS.lines().filter(|line| !line.contains(",2021-01")).collect();
    room.write("single.csv", single.join("\n"));
    let run = room.tenure(&["check", "single.csv"]).expect(0);
    assert!(!run.words().contains("in doubt"), "{}", run.said());
}

#[test]
fn stints_that_are_kept_are_in_no_doubt() {
    let room = Room::new();
    room.write("rows.csv", STINTS);
    let emulator = Emulator::start(&room, &[]);
    probe(&room, &emulator).expect(0);
    let import = args(&[&["import", "rows.csv"]], &emulator.connection());
    for run in [room.tenure(&["check", "rows.csv"]), room.tenure(&import)] {
        assert!(!run.expect(0).words().contains("in doubt"));
    }
}

#[test]
fn findings_that_cannot_be_read() {
    let room = Room::new();
    room.write("rows.csv", STINTS);
    room.write(FINDINGS, "{}");
    let emulator = Emulator::start(&room, &[]);
    let told = "tenure.probe.json: this is not what `tenure doctor --probe` wrote";
    room.tenure(&["check", "rows.csv"]).expect(0).says(&[told, "remove it, and probe again"]);
    let run = room.tenure(&args(&[&["doctor"]], &emulator.connection())).expect(0);
    run.says(&[told, "Ready, with one thing to know."]);
}
