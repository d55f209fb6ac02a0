//! Several stints of one member in one space, each or merged, and the history of those who are still members.

use serde_json::Value;

use crate::support::{Emulator, Room, STORE, UNPACED, args};

/// Two stints of one person, and somebody else's only one.
const STINTS: &str = "space,member,createTime,deleteTime,note
spaces/A,anna@example.com,2020-01-01T00:00:00Z,2020-02-01T00:00:00Z,first
spaces/A,anna@example.com,2021-01-01T01:00:00+01:00,2021-02-01T00:00:00Z,second
spaces/A,bob@example.com,2020-01-01T00:00:00Z,2020-02-01T00:00:00Z,only
";

/// Two who are still members, one of whom was there before, and one of whom nobody knows since when.
const CURRENT: &str = "space,member,createTime,deleteTime,role
spaces/A,anna@example.com,2020-01-01T00:00:00Z,,ROLE_MANAGER
spaces/A,bob@example.com,2019-01-01T00:00:00Z,2019-06-01T00:00:00Z,
spaces/A,bob@example.com,2020-01-01T00:00:00Z,,
spaces/A,eve@example.com,,,
";

const J: &str = "rows.csv.journal.db";

fn rehearse(room: &Room, input: &str, options: &[&str]) -> crate::support::Run {
    room.tenure(&args(&[&["import", input, "--emulator", "--journal", J], options, &UNPACED], &[]))
}

/// What Chat holds: who, from when, until when.
fn held(room: &Room) -> Vec<(String, String, String)> {
    let time = |micros: i64| jiff::Timestamp::from_microsecond(micros).unwrap().to_string();
    room.held(&format!("{J}.emulator"))
        .into_iter()
        .map(|(_, member, from, to)| (member, time(from), time(to)))
        .collect()
}

fn rows(room: &Room) -> Value {
    room.status(J)["rows"].clone()
}

/// `total`, `done`, `pending`, `open`, `merged`, `bridged`.
fn figures(room: &Room) -> [u64; 6] {
    let rows = rows(room);
    ["total", "done", "pending", "open", "merged", "bridged"].map(|name| rows[name].as_u64().unwrap())
}

#[test]
fn a_second_stint_that_is_refused_says_what_merging_would_do() {
    let room = Room::new();
    room.write("rows.csv", STINTS);
    let emulator = Emulator::start(&room, &["--refuse-second-stints"]);
    room.tenure(&args(&[&["import", "rows.csv"]], &emulator.connection())).expect(3);
    room.tenure(&["rejects", J]).expect(0).says(&[
        "This is one of 2 stints of this member in this space, and Chat refuses a second one beside the first: --stints \
         merge would send one membership for them all, 2020-01-01T00:00:00Z .. 2021-02-01T00:00:00Z (in a new journal,",
    ]);
    // Whoever has one stint alone and is there already is told nothing of stints.
    room.write("other.csv", STINTS.replace("2020-02-01T00:00:00Z,only", "2020-03-01T00:00:00Z,only"));
    room.tenure(&args(&[&["import", "other.csv"]], &emulator.connection())).expect(3);
    let rejects = room.tenure(&["rejects", "other.csv.journal.db"]).expect(0).out;
    let of_bob = rejects.lines().find(|line| line.contains("bob@")).unwrap();
    assert!(!of_bob.contains("--stints"), "{rejects}");
}

#[test]
fn what_is_refused_for_something_else_is_not_put_down_to_stints() {
    let room = Room::new();
    let header = STINTS.lines().next().unwrap();
    let before = "spaces/A,anna@example.com,2018-01-01T00:00:00Z,2018-02-01T00:00:00Z,before";
    room.write("before.csv", format!("{header}\n{before}\n"));
    room.write("rows.csv", STINTS);
    let emulator = Emulator::start(&room, &["--refuse-second-stints"]);
    room.tenure(&args(&[&["import", "before.csv"]], &emulator.connection())).expect(0);
    // Both of hers are refused for one that is not this journal's: merging the two would change nothing about that.
    room.tenure(&args(&[&["import", "rows.csv"]], &emulator.connection())).expect(3);
    let rejects = room.tenure(&["rejects", J]).expect(0).out;
    assert_eq!(rejects.lines().count(), 3, "{rejects}");
    assert!(!rejects.contains("--stints"), "{rejects}");
}

#[test]
fn check_says_how_many_are_concerned() {
    let room = Room::new();
    room.write("rows.csv", STINTS);
    let concerned = "1 member has several stints in one space (1 row behind the first). ";
    room.tenure(&["check", "rows.csv"]).expect(0).says(&[concerned, "`tenure doctor --probe` finds out"]);
    room.tenure(&["import", "rows.csv", "--emulator", "--dry-run"]).expect(0).says(&[concerned]);
    room.tenure(&["check", "rows.csv", "--stints", "merge"]).expect(0).says(&[
        "1 member has several stints in one space: one membership is sent for them all",
        "3 rows read: 2 to send, 1 merged into others; 1 space.",
    ]);
    let emulator = Emulator::start(&room, &[]);
    room.tenure(&args(&[&["doctor", "--probe", "--yes"]], &emulator.connection())).expect(0);
    room.tenure(&["check", "rows.csv"]).expect(0).says(&[concerned, "keeps them (probed "]);
}

#[test]
fn merged_stints_are_one_membership() {
    let room = Room::new();
    room.write("rows.csv", STINTS);
    rehearse(&room, "rows.csv", &["--stints", "merge"]).expect(0).says(&["merged 1 row merged into others"]);
    let anna =
        ("anna@example.com".to_owned(), "2020-01-01T00:00:00Z".to_owned(), "2021-02-01T00:00:00Z".to_owned());
    let bob =
        ("bob@example.com".to_owned(), "2020-01-01T00:00:00Z".to_owned(), "2020-02-01T00:00:00Z".to_owned());
    assert_eq!(held(&room), [anna, bob]);
    assert_eq!(figures(&room), [2, 2, 0, 0, 1, 0]);
    room.tenure(&["status", J]).expect(0).says(&["1 row merged into others"]);
    // Once more, whatever is typed about stints as long as it is no other thing.
    for options in [&["--stints", "merge"][..], &[]] {
        rehearse(&room, "rows.csv", options).expect(0).says(&["Nothing was left to send"]);
        assert_eq!(figures(&room), [2, 2, 0, 0, 1, 0]);
    }
}

#[test]
fn touching_and_overlapping_stints_are_joined_and_open_ones_stay() {
    let room = Room::new();
    let text = "space,member,createTime,deleteTime
spaces/A,anna@example.com,2020-01-01T00:00:00Z,2020-02-01T00:00:00Z
spaces/A,anna@example.com,2020-02-01T00:00:00Z,2020-04-01T00:00:00Z
spaces/A,anna@example.com,2020-03-01T00:00:00Z,2020-05-01T00:00:00Z
spaces/A,anna@example.com,2021-01-01T00:00:00Z,
spaces/A,bob@example.com,,2020-05-01T00:00:00Z
spaces/A,bob@example.com,2021-01-01T00:00:00Z,2021-05-01T00:00:00Z
spaces/A,bob@example.com,2021-01-01T00:00:00Z,2021-05-01T00:00:00Z
";
    room.write("rows.csv", text);
    room.tenure(&["check", "rows.csv"]).expect(4).says(&["overlap"]);
    rehearse(&room, "rows.csv", &["--stints", "merge"]).expect(0);
    let spans: Vec<_> = held(&room).into_iter().map(|(_, from, to)| (from, to)).collect();
    let expected = [
        ("2020-01-01T00:00:00Z", "2020-05-01T00:00:00Z"),
        ("2020-04-30T23:59:59.999999Z", "2021-05-01T00:00:00Z"),
    ];
    assert_eq!(spans, expected.map(|(from, to)| (from.to_owned(), to.to_owned())));
    // 7 lines: 2 histories, 1 open, 3 merged, 1 repeating another.
    assert_eq!(figures(&room), [3, 2, 0, 1, 3, 0]);
    assert_eq!(rows(&room)["duplicate"], 1);
    let complete = room.tenure(&["complete", J, "--yes"]).expect(0);
    assert!(complete.words().contains("1 member of today to add"), "{}", complete.said());
}

#[test]
fn what_is_not_sent_yet_grows_and_what_is_sent_does_not() {
    let room = Room::new();
    let lines: Vec<&str> = STINTS.lines().collect();
    let merge = ["--stints", "merge", "--journal-only"];
    room.write("one.csv", format!("{}\n{}\n", lines[0], lines[2]));
    room.write("two.csv", format!("{}\n{}\n{}\n", lines[0], lines[1], lines[2]));
    let later = lines[2].replace("2021", "2022");
    room.write("three.csv", format!("{}\n{later}\n", lines[0]));
    let within = lines[1].replace("2020-0", "2020-1");
    room.write("within.csv", format!("{}\n{within}\n", lines[0]).replace("2020-12-01", "2020-12-02"));
    for input in ["one.csv", "two.csv", "one.csv", "two.csv"] {
        rehearse(&room, input, &merge).expect(0);
    }
    assert_eq!(figures(&room), [1, 0, 1, 0, 1, 0]);
    room.tenure(&args(&[&["resume", J, "--stints", "merge"], &UNPACED], &[])).expect(0);
    assert_eq!(held(&room)[0].1, "2020-01-01T00:00:00Z");
    assert_eq!(held(&room)[0].2, "2021-02-01T00:00:00Z");
    rehearse(&room, "three.csv", &[]).expect(4).says(&[
        "three.csv:2:",
        "history from 2020-01-01T00:00:00Z to 2021-02-01T00:00:00Z",
        "was sent already, and Chat cannot update history",
        "it must be deleted and created again",
    ]);
    assert_eq!(figures(&room), [1, 1, 0, 0, 1, 0]);
    // What it says already changes nothing in Chat.
    rehearse(&room, "within.csv", &[]).expect(0).says(&["Nothing was left to send"]);
    assert_eq!(figures(&room), [1, 1, 0, 0, 2, 0]);
    for _ in 0..2 {
        rehearse(&room, "three.csv", &["--skip-invalid"]).expect(3);
        assert_eq!(rows(&room)["rejected"], 1);
        let rejects = room.tenure(&["rejects", J]).expect(0).out;
        assert!(rejects.contains(&later) && rejects.contains("history-sent: "), "{rejects}");
    }
}

#[test]
fn a_journal_keeps_to_what_it_was_begun_with() {
    let room = Room::new();
    room.write("rows.csv", STINTS);
    rehearse(&room, "rows.csv", &[]).expect(0);
    let kept = "its rows were journaled with --stints each, and a journal keeps to that";
    rehearse(&room, "rows.csv", &["--stints", "merge"]).expect(2).says(&[kept, "another --journal FILE"]);
    rehearse(&room, "rows.csv", &["--stints", "merge", "--dry-run"]).expect(2).says(&[kept]);
    room.tenure(&["resume", J, "--stints", "merge"]).expect(2).says(&[kept]);
    room.tenure(&["resume", J, "--stints", "each"]).expect(0);
    rehearse(&room, "rows.csv", &["--stints", "each"]).expect(0);
    for option in [&["--stints", "merge"][..], &["--bridge-current"]] {
        let standard = ["check", "rows.csv", "--standard-spaces"];
        room.tenure(&args(&[&standard, option], &[])).expect(2).says(&["is about history"]);
        let standard = ["import", "rows.csv", "--emulator", "--standard-spaces", "--journal", "s.db"];
        room.tenure(&args(&[&standard, option], &[])).expect(2).says(&["is about history"]);
    }
    room.tenure(&["update", "rows.csv", "--emulator", "--stints", "merge"]).expect(2);
}

#[test]
fn roles_that_differ_are_an_error() {
    let room = Room::new();
    let text = "space,member,createTime,deleteTime,role
spaces/A,anna@example.com,2020-01-01T00:00:00Z,2020-02-01T00:00:00Z,ROLE_MANAGER
spaces/A,anna@example.com,2021-01-01T00:00:00Z,2021-02-01T00:00:00Z,ROLE_MEMBER
";
    room.write("rows.csv", text);
    room.tenure(&["check", "rows.csv"]).expect(0);
    rehearse(&room, "rows.csv", &["--stints", "merge"]).expect(4).says(&[
        "rows.csv:3:",
        "with role ROLE_MEMBER, and from 2020-01-01T00:00:00Z to 2020-02-01T00:00:00Z",
        "rows.csv:2 with role ROLE_MANAGER: merged, the two are one membership",
    ]);
    room.write("rows.csv", text.replace("ROLE_MEMBER", "ROLE_MANAGER"));
    rehearse(&room, "rows.csv", &["--stints", "merge"]).expect(0);
    assert_eq!(figures(&room), [1, 1, 0, 0, 1, 0]);
}

#[test]
fn a_merged_reject_is_given_back_as_it_came() {
    let room = Room::new();
    let text = STINTS.replace("anna@example.com", "Anna@example.invalid");
    room.write("rows.csv", &text);
    rehearse(&room, "rows.csv", &["--stints", "merge"]).expect(3);
    assert_eq!(rows(&room)["rejected"], 1);
    let rejects = room.tenure(&["rejects", J]).expect(0).out;
    let lines: Vec<&str> = text.lines().collect();
    for line in &lines[1..3] {
        assert!(rejects.contains(&format!("{line},\"INVALID_ARGUMENT: ")), "{rejects}");
    }
    assert_eq!(rejects.lines().count(), 3);
    // Fed back as they are, they are one row that is refused again; mended, one that is done.
    room.write("again.csv", &rejects);
    rehearse(&room, "again.csv", &[]).expect(3);
    assert_eq!(figures(&room)[0], 2);
    assert_eq!(room.tenure(&["rejects", J]).expect(0).out.lines().count(), 3);
    room.write("mended.csv", rejects.replace("invalid", "com"));
    rehearse(&room, "mended.csv", &[]).expect(3);
    assert_eq!(held(&room)[0].2, "2021-02-01T00:00:00Z");
    assert_eq!(figures(&room), [3, 2, 0, 0, 2, 0]);
    // One of two alone: the other stays refused.
    let one: Vec<&str> = rejects.lines().take(2).collect();
    room.write("one.csv", one.join("\n"));
    rehearse(&room, "one.csv", &[]).expect(3);
    assert_eq!(rows(&room)["rejected"], 2);
    assert_eq!(room.tenure(&["rejects", J]).expect(0).out.lines().count(), 3);
}

#[test]
fn those_who_are_still_members_get_their_history() {
    let room = Room::new();
    room.write("rows.csv", CURRENT);
    room.tenure(&["check", "rows.csv", "--bridge-current"]).expect(0).says(&[
        "1 open row (rows.csv:5) has no createTime, or one of the last 5 seconds: its history until today cannot be sent;",
        "4 rows read: 3 to send, 3 open (still members), 2 open with their history until today; 1 space.",
    ]);
    let before = jiff::Timestamp::now().as_microsecond();
    rehearse(&room, "rows.csv", &["--bridge-current"]).expect(0).says(&[
        "1 open row (",
        "has no createTime",
        "bridged 2 open rows that also have their history until today",
    ]);
    let after = jiff::Timestamp::now().as_microsecond();
    let found = room.held(&format!("{J}.emulator"));
    let ends: Vec<i64> = found.iter().map(|held| held.3).collect();
    assert_eq!(found.len(), 3, "{found:?}");
    assert!(ends[0] == ends[2] && (before..=after).contains(&(ends[0] + 5_000_000)), "{found:?}");
    assert_eq!(figures(&room), [6, 3, 0, 3, 0, 2]);
    // Nothing more comes of reading it again, with or without the option.
    for options in [&["--bridge-current"][..], &[]] {
        rehearse(&room, "rows.csv", options).expect(0).says(&["Nothing was left to send"]);
        assert_eq!(figures(&room), [6, 3, 0, 3, 0, 2]);
    }
    room.tenure(&["complete", J, "--yes"]).expect(0).says(&["3 members of today to add then"]);
    assert_eq!(figures(&room), [6, 6, 0, 0, 0, 2]);
    rehearse(&room, "rows.csv", &["--bridge-current"]).expect(0);
    assert_eq!(figures(&room), [6, 6, 0, 0, 0, 2]);
}

#[test]
fn an_end_that_comes_later_takes_the_place_of_the_one_made_up_unless_that_was_sent() {
    let ended = CURRENT.replace("2020-01-01T00:00:00Z,,\n", "2020-01-01T00:00:00Z,2024-01-01T00:00:00Z,\n");
    for stints in ["each", "merge"] {
        let room = Room::new();
        room.write("rows.csv", CURRENT);
        room.write("ended.csv", &ended);
        let options = ["--bridge-current", "--stints", stints, "--journal-only"];
        rehearse(&room, "rows.csv", &options).expect(0);
        rehearse(&room, "ended.csv", &options).expect(0);
        let is_merged = u64::from(stints == "merge");
        assert_eq!(figures(&room), [5 - is_merged, 0, 3 - is_merged, 2, is_merged, 1], "{stints}");
        let sent = Room::new();
        sent.write("rows.csv", CURRENT);
        sent.write("ended.csv", &ended);
        rehearse(&sent, "rows.csv", &["--bridge-current", "--stints", stints]).expect(0);
        rehearse(&sent, "ended.csv", &[]).expect(4).says(&["ended.csv:4:", "was sent already"]);
    }
}

#[test]
fn bridges_take_part_in_merging() {
    let room = Room::new();
    room.write("rows.csv", CURRENT);
    rehearse(&room, "rows.csv", &["--bridge-current", "--stints", "merge"]).expect(0);
    let found = held(&room);
    assert_eq!(found.len(), 2, "{found:?}");
    assert_eq!(found[1].1, "2019-01-01T00:00:00Z");
    assert_eq!(found[0].2, found[1].2);
    assert_eq!(figures(&room), [5, 2, 0, 3, 1, 2]);
    rehearse(&room, "rows.csv", &[]).expect(0).says(&["Nothing was left to send"]);
    assert_eq!(held(&room), found);
    assert_eq!(figures(&room), [5, 2, 0, 3, 1, 2]);
}

#[test]
fn bridges_are_verified_completed_and_taken_back_like_other_history() {
    for stints in ["each", "merge"] {
        let room = Room::new();
        room.write("rows.csv", CURRENT);
        let emulator = Emulator::start(&room, &[]);
        let tenure = |command: &[&str]| room.tenure(&args(&[command], &emulator.connection()));
        tenure(&["import", "rows.csv", "--bridge-current", "--stints", stints]).expect(0);
        tenure(&["verify", J]).expect(0);
        tenure(&["rollback", J, "--dry-run"]).expect(0);
        tenure(&["complete", J, "--yes"]).expect(0);
        tenure(&["verify", J]).expect(0);
        let rows = rows(&room);
        assert_eq!((rows["done"].as_u64(), rows["open"].as_u64()), (rows["total"].as_u64(), Some(0)));
        let other = Room::new();
        other.write("rows.csv", CURRENT);
        let emulator = Emulator::start(&other, &[]);
        let tenure = |command: &[&str]| other.tenure(&args(&[command], &emulator.connection()));
        tenure(&["import", "rows.csv", "--bridge-current", "--stints", stints]).expect(0);
        tenure(&["rollback", J, "--yes"]).expect(0);
        // Chat deletes by name, so that all of a member go at once.
        let deleted = other.read(STORE).matches("deletedMembership").count();
        assert!(deleted >= 2, "{}", other.read(STORE));
        assert_eq!(other.status(J)["rows"]["pending"], 0);
    }
}

#[test]
fn a_refused_bridge_is_given_back_as_the_open_row_that_it_is_of() {
    let room = Room::new();
    room.write("rows.csv", CURRENT.replace("anna@example.com", "anna@example.invalid"));
    rehearse(&room, "rows.csv", &["--bridge-current"]).expect(3);
    let rejects = room.tenure(&["rejects", J]).expect(0).out;
    assert_eq!(rejects.lines().count(), 2);
    assert!(
        rejects.contains("anna@example.invalid,2020-01-01T00:00:00Z,,ROLE_MANAGER,\"INVALID"),
        "{rejects}"
    );
    room.write("again.csv", &rejects);
    let before = figures(&room);
    rehearse(&room, "again.csv", &["--journal-only"]).expect(0);
    assert_eq!((figures(&room)[0], figures(&room)[2]), (before[0], 1), "it is tried again");
}

#[test]
fn what_was_merged_is_to_be_seen_in_the_journal_of_an_import_over_the_network() {
    let room = Room::new();
    room.write("rows.csv", STINTS);
    let emulator = Emulator::start(&room, &["--refuse-second-stints"]);
    let import = args(&[&["import", "rows.csv", "--stints", "merge"]], &emulator.connection());
    room.tenure(&import).expect(0);
    assert_eq!(room.held(STORE).len(), 2);
    room.tenure(&args(&[&["verify", J]], &emulator.connection())).expect(0);
    room.tenure(&args(&[&["rollback", J, "--yes"]], &emulator.connection())).expect(0);
}
