//! `rollback`, `remove`, `update` and `complete`: what they do, what they leave alone, and what they ask.

use std::fmt::Write as _;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::Value;

use crate::report::report;
use crate::support::{Emulator, Room, STORE, UNPACED, args, people, until};

const ROWS: &str = "\
space,member,createTime,deleteTime,role
A,ada@example.com,2020-01-01T00:00:00Z,2021-01-01T00:00:00Z,
A,ben@example.com,2020-01-01T00:00:00Z,2021-01-01T00:00:00Z,
B,ada@example.com,2020-01-01T00:00:00Z,2021-01-01T00:00:00Z,
B,cem@example.com,2020-01-01T00:00:00Z,,ROLE_MANAGER
B,dot@example.com,2020-01-01T00:00:00Z,,
";
const FAST: [&str; 4] = ["--writes-per-minute", "0", "--writes-per-minute-per-space", "0"];
const FAULTS: [&str; 8] = [
    "--fault",
    "error-after=0.05",
    "--fault",
    "reset-before=0.02",
    "--fault",
    "reset-after=0.02",
    "--fault",
    "throttle=0.02",
];

/// The changes in Chat's log of a kind.
fn log(room: &Room, kind: &str) -> Vec<Value> {
    let text = room.read(STORE);
    let whole = text.split_inclusive('\n').filter(|line| line.ends_with('\n'));
    whole.filter_map(|line| serde_json::from_str::<Value>(line).unwrap().get(kind).cloned()).collect()
}

/// A room, an emulator in it, and an import of these rows.
fn imported(rows: &str, faults: &[&str]) -> (Room, Emulator) {
    let room = Room::new();
    room.write("rows.csv", rows);
    let emulator = Emulator::start(&room, faults);
    room.tenure(&args(&[&["import", "rows.csv", "--journal", "j.db"], &FAST], &emulator.connection()))
        .expect(0);
    (room, emulator)
}

#[test]
fn a_rollback_deletes_what_was_created_and_nothing_else() {
    let room = Room::new();
    room.write("rows.csv", ROWS);
    let emulator = Emulator::start(&room, &[]);
    // Two were there before: one of the rows, and an older stint of somebody whose row is new.
    let held = |space: &str, who: &str, from: &str, to: &str| {
        let create = ["members", "create", space, who, "--create-time", from, "--delete-time", to];
        room.tenure(&args(&[&create], &emulator.connection())).expect(0);
    };
    held("A", "ada@example.com", "2020-01-01T00:00:00Z", "2021-01-01T00:00:00Z");
    held("B", "ada@example.com", "2018-01-01T00:00:00Z", "2019-01-01T00:00:00Z");
    room.tenure(&args(&[&["import", "rows.csv", "--journal", "j.db"]], &emulator.connection())).expect(0);
    room.tenure(&["rollback", "j.db", "--dry-run"]).expect(0).says(&[
        "1 membership that this journal has created to delete, in 1 space",
        "1 membership stay: Chat held them before",
        "1 membership stay: the member had another one there before",
        "Nothing was deleted",
    ]);
    room.tenure(&["rollback", "j.db"]).expect(2).says(&["add --yes"]);
    assert!(log(&room, "deletedMembership").is_empty());
    let stay = [
        "1 stay: Chat held them before",
        "1 stay: the member had another one there before, which would be deleted with it",
    ];
    // What it is about to do it says first, and what it leaves in the end.
    let run = room.tenure(&["rollback", "j.db", "--yes"]).expect(0).says(&stay);
    assert!(
        run.err.contains("1 membership that this journal has created to delete, in 1 space"),
        "{}",
        run.err
    );
    let run = run.says(&["2 memberships stay in Chat."]);
    assert!(
        run.words().contains("done 5 1 deleted 2 never sent, so Chat never held them 1 stay"),
        "{}",
        run.out
    );
    room.tenure(&["status", "j.db"]).expect(0).says(&stay);
    assert_eq!(log(&room, "deletedMembership").len(), 1, "ben alone");
    assert_eq!(room.status("j.db")["operation"], "rollback");
    room.tenure(&["rollback", "j.db", "--yes"]).expect(0).says(&["Nothing was left to delete"]);
    assert_eq!(log(&room, "deletedMembership").len(), 1);
    let again = args(&[&["import", "rows.csv", "--journal", "j.db"]], &emulator.connection());
    room.tenure(&again).expect(1).says(&["was rolled back"]);
    room.tenure(&["complete", "j.db", "--yes"]).expect(1);
}

#[test]
fn a_rollback_after_completion_says_what_stays() {
    let (room, _emulator) = imported(ROWS, &[]);
    room.tenure(&["complete", "j.db", "--yes"]).expect(0);
    let run = room.tenure(&["rollback", "j.db", "--yes"]).expect(0).says(&[
        "3 memberships stay in Chat.",
        "2 deleted",
        "3 stay: their space is completed, so nobody can delete its history",
    ]);
    assert!(run.err.contains("2 memberships that this journal has created to delete"), "{}", run.err);
    room.tenure(&["rollback", "j.db", "--yes"])
        .expect(0)
        .says(&["Nothing was left to delete. 3 memberships stay in Chat."]);
    let told = room.status("j.db")["rolled_back"].take();
    assert_eq!((&told["deleted"], &told["stays_in_completed_spaces"]), (&2.into(), &3.into()), "{told}");
    let page = report(&room, "j.db");
    for told in ["2 of 5 memberships", "3 stay in Chat.", "3 stay: their space is completed"] {
        assert!(page.contains(told), "{told}: {page}");
    }
}

#[test]
fn a_rollback_goes_on_after_whatever_stopped_it() {
    let mut random = StdRng::seed_from_u64(3);
    let (room, emulator) = imported(&people(120, 4), &[]);
    let emulator = emulator.restart(&room, &FAULTS);
    let rollback: Vec<String> = args(&[&["rollback", "j.db", "--yes"], &FAST], &[]);
    for _ in 0..4 {
        let run = room.start(&rollback);
        std::thread::sleep(Duration::from_millis(random.random_range(50..300)));
        run.kill();
    }
    let ended = (0..8)
        .map(|_| room.tenure(&args(&[&["resume", "j.db"], &FAST], &[])))
        .find(|run| run.code != Some(5));
    ended.unwrap().expect(0);
    assert_eq!(log(&room, "deletedMembership").len(), 120, "each once");
    let rows = &room.status("j.db")["rows"];
    assert_eq!((&rows["done"], &rows["rejected"]), (&120.into(), &0.into()));
    drop(emulator);
}

#[test]
fn a_rollback_stops_what_was_not_sent() {
    let room = Room::new();
    room.write("rows.csv", people(400, 4));
    let emulator = Emulator::start(&room, &[]);
    let mut run = room.start(&args(
        &[&["import", "rows.csv", "--journal", "j.db", "--writes-per-minute", "3000"]],
        &emulator.connection(),
    ));
    until("some are there", || room.held(STORE).len() > 40);
    run.signal("INT");
    assert_eq!(run.wait().code, Some(130));
    let made = room.held(STORE).len();
    let go_on = "go on tenure rollback j.db";
    let mut run = room.start(&["rollback", "j.db", "-y", "--writes-per-minute", "1000"]);
    until("one is deleted", || !log(&room, "deletedMembership").is_empty());
    run.signal("INT");
    let run = run.wait().expect(130).says(&["still to be deleted", "with memberships left to delete", go_on]);
    assert!(!run.out.contains("sent and") && !run.out.contains("to be sent"), "{}", run.out);
    room.tenure(&["status", "j.db"]).expect(0).says(&["still to be deleted", go_on]);
    room.tenure(&args(&[&["rollback", "j.db", "-y"], &FAST], &[])).expect(0).says(&[
        &format!("{made} deleted"),
        &format!("{} never sent", 400 - made),
        "rejected 0",
    ]);
    assert_eq!(log(&room, "deletedMembership").len(), made);
    let told = room.status("j.db");
    assert_eq!((&told["rows"]["done"], &told["rows"]["pending"]), (&400.into(), &0.into()));
    assert_eq!((&told["rolled_back"]["deleted"], &told["rolled_back"]["refused"]), (&made.into(), &0.into()));
    assert_eq!(room.tenure(&["rejects", "j.db"]).expect(0).out.lines().count(), 1, "the header");
    assert!(report(&room, "j.db").contains(&format!("{} memberships were never sent", 400 - made)));
}

#[test]
fn what_chat_refused_to_create_is_nothing_to_take_back() {
    let room = Room::new();
    room.write(
        "rows.csv",
        format!("{ROWS}B,gone@example.invalid,2020-01-01T00:00:00Z,2021-01-01T00:00:00Z,\n"),
    );
    room.tenure(&args(&[&["import", "rows.csv", "--journal", "j.db", "--emulator"], &FAST], &[])).expect(3);
    let run = room.tenure(&["rollback", "j.db", "--yes"]).expect(0).says(&[
        "3 deleted",
        "2 never sent",
        "rejected 1",
    ]);
    assert!(!run.out.contains("open"), "{}", run.out);
    room.tenure(&["rejects", "j.db"]).expect(0).says(&["gone@example.invalid"]);
}

#[test]
fn completing_takes_settled_spaces_and_gives_roles() {
    let rows = format!("{ROWS}C,eva@example.com,2019-01-01T00:00:00Z,1999-01-01T00:00:00Z,\n");
    let room = Room::new();
    room.write("rows.csv", ROWS);
    let emulator = Emulator::start(&room, &[]);
    room.write("bad.csv", rows);
    room.tenure(&args(&[&["import", "bad.csv", "--journal", "j.db"]], &emulator.connection())).expect(4);
    room.tenure(&args(
        &[&["import", "rows.csv", "--journal", "j.db", "--journal-only"]],
        &emulator.connection(),
    ))
    .expect(0);
    room.tenure(&["complete", "j.db", "--yes"])
        .expect(3)
        .says(&["0 spaces to complete", "with rows left to send (tenure resume j.db)"]);
    assert!(log(&room, "completedSpace").is_empty());
    room.tenure(&["resume", "j.db"]).expect(0);
    room.tenure(&["complete", "j.db", "--dry-run"]).expect(0).says(&[
        "2 spaces to complete",
        "2 members of today to add then",
        "1 role to set after that",
    ]);
    room.tenure(&["complete", "j.db"]).expect(2).says(&["add --yes"]);
    assert!(log(&room, "completedSpace").is_empty());
    room.tenure(&["complete", "j.db", "--yes"]).expect(0);
    assert_eq!(log(&room, "completedSpace").len(), 2);
    assert_eq!(log(&room, "role").len(), 1);
    assert_eq!(room.status("j.db")["spaces"]["completed"], 2);
    let before = room.read(STORE);
    room.tenure(&["complete", "j.db", "--yes"]).expect(0).says(&["Nothing is left to be done"]);
    assert_eq!(room.read(STORE), before);
    // Somebody who is forgotten in the first place comes later.
    room.write("more.csv", "space,member,createTime,deleteTime\nB,fay@example.com,,\n");
    room.tenure(&args(&[&["import", "more.csv", "--journal", "j.db"]], &emulator.connection())).expect(0);
    room.tenure(&["complete", "j.db"]).expect(0);
    assert!(room.read(STORE).contains("fay@example.com"));
    // History stays, members of today can go.
    room.tenure(&["rollback", "j.db", "--dry-run"])
        .expect(0)
        .says(&["3 memberships that", "3 memberships stay: their space is completed"]);
}

#[test]
fn a_completion_that_stopped_says_how_it_goes_on() {
    let (room, emulator) = imported(ROWS, &[]);
    let port = emulator.port();
    emulator.kill();
    let complete = ["complete", "j.db", "--yes", "--leave", "--give-up-after", "1s"];
    room.tenure(&complete).expect(5).says(&["go on tenure complete j.db --leave"]);
    // No row is left to be sent, but spaces are.
    room.tenure(&["status", "j.db"]).expect(0).says(&[
        "nothing has succeeded for",
        "do check the network and its proxy",
        "go on tenure complete j.db --leave",
    ]);
    let _emulator = Emulator::start_on(&room, port, &[]);
    room.tenure(&["complete", "j.db", "--leave", "--yes"]).expect(0);
    let status = room.tenure(&["status", "j.db"]).expect(0);
    assert!(!status.out.contains("go on"), "{}", status.out);
}

#[test]
fn rejects_keep_a_space_in_import_mode() {
    let room = Room::new();
    let early = ROWS.replace("A,ben@example.com,2020", "A,ben@elsewhere.com,2020");
    room.write("rows.csv", early);
    let emulator = Emulator::start(&room, &["--home-domain", "example.com"]);
    room.tenure(&args(&[&["import", "rows.csv", "--journal", "j.db"]], &emulator.connection())).expect(3);
    room.tenure(&["complete", "j.db", "-y"])
        .expect(3)
        .says(&["1 space not completed, with rows rejected", "spaces/A (1)"]);
    assert_eq!(log(&room, "completedSpace"), ["spaces/B"]);
    room.tenure(&["complete", "j.db", "-y", "--accept-rejects", "--leave"]).expect(3);
    assert_eq!(log(&room, "completedSpace").len(), 2);
}

#[test]
fn removing_makes_managers_first_and_keeps_the_last_one() {
    let (room, emulator) = imported(ROWS, &[]);
    room.tenure(&["complete", "j.db", "-y", "--leave"]).expect(0);
    let standard = ["--standard-spaces", "--admin-access"];
    room.write("gone.csv", "space,member,role\nB,cem@example.com,\nB,nobody@example.com,\n");
    let remove = |journal: &str, more: &[&str]| {
        room.tenure(&args(
            &[&["remove", "gone.csv", "--journal", journal], &standard, more],
            &emulator.connection(),
        ))
    };
    remove("r.db", &[]).expect(2).says(&["2 memberships to delete in 1 space", "add --yes"]);
    remove("r.db", &["--yes"]).expect(3).says(&["1 of them were gone already"]);
    let rejects = room.tenure(&["rejects", "r.db"]).expect(0);
    assert!(
        rejects.out.contains("make somebody else one first, with `tenure update INPUT`"),
        "{}",
        rejects.out
    );
    assert_eq!(log(&room, "deletedMembership").len(), 1, "whoever completed it has left before");
    room.write("gone.csv", "space,member,role\nB,cem@example.com,\nB,dot@example.com,ROLE_MANAGER\n");
    remove("s.db", &["--yes", "--promote"]).expect(0);
    assert_eq!(log(&room, "deletedMembership").len(), 2);
    let before = room.read(STORE);
    remove("s.db", &["--yes", "--promote"]).expect(0);
    assert_eq!(room.read(STORE), before);
    // The journal says what it is for.
    room.tenure(&args(&[&["import", "gone.csv", "--journal", "s.db"], &standard], &emulator.connection()))
        .expect(1)
        .says(&["this journal is of `tenure remove`"]);
}

#[test]
fn roles_change_in_bulk_and_owners_come_first() {
    let (room, emulator) = imported(ROWS, &[]);
    room.tenure(&["complete", "j.db", "-y", "--leave"]).expect(0);
    let emulator = emulator.restart(&room, &FAULTS);
    // In the order of the file the only manager would step down first.
    room.write(
        "roles.csv",
        "space,member,role\nB,cem@example.com,ROLE_MEMBER\nB,dot@example.com,ROLE_MANAGER\n",
    );
    let update = || {
        room.tenure(&args(
            &[&["update", "roles.csv", "--journal", "u.db", "--admin-access"]],
            &emulator.connection(),
        ))
    };
    let ended = (0..8).map(|_| update()).find(|run| run.code != Some(5));
    ended.unwrap().expect(0);
    let roles: Vec<String> =
        log(&room, "role").iter().map(|role| role["role"].as_str().unwrap().to_owned()).collect();
    assert_eq!(roles[1..], ["ROLE_MANAGER", "ROLE_MEMBER"]);
    room.write("roles.csv", "space,member,role\nB,groups/x1,ROLE_MANAGER\nB,eva@example.com,\n");
    update().expect(4).says(&["only people have a role", "role: it is missing"]);
}

/// Channels, of which two have one display name.
fn channels() -> String {
    let mut text = "name,displayName,createTime\n#twice,Channel 0,\n".to_owned();
    for number in 0..30 {
        let _ = writeln!(text, "#{number},Channel {number},2019-01-01T00:00:00Z");
    }
    text
}

#[test]
fn no_lost_answer_makes_a_second_space() {
    let mut random = StdRng::seed_from_u64(9);
    let room = Room::new();
    room.write("channels.csv", channels());
    let emulator = Emulator::start_without_spaces(&room, &FAULTS);
    let create = args(&[&["spaces", "create", "channels.csv"], &FAST[..2]], &emulator.connection());
    for _ in 0..4 {
        let run = room.start(&create);
        std::thread::sleep(Duration::from_millis(random.random_range(50..250)));
        run.kill();
    }
    let ended = (0..8).map(|_| room.tenure(&create)).find(|run| run.code != Some(5));
    ended.unwrap().expect(3).says(&["the display name \"Channel 0\" is taken"]);
    assert_eq!(log(&room, "space").len(), 30, "each once");
    let rejects = room.tenure(&["rejects", "channels.csv.journal.db"]).expect(0);
    assert!(rejects.out.contains("NAME_TAKEN"), "{}", rejects.out);
    let suffix = [create.clone(), vec!["--on-name-clash".to_owned(), "suffix".to_owned()]].concat();
    let ended = (0..8).map(|_| room.tenure(&suffix)).find(|run| run.code != Some(5));
    ended.unwrap().expect(0);
    let spaces = log(&room, "space");
    assert_eq!(spaces.len(), 31);
    assert!(spaces.iter().any(|space| space["displayName"] == "Channel 0 (2)"));
    let map = room.read("channels.spaces.csv");
    assert_eq!(map.lines().count(), 32);
    room.tenure(&suffix).expect(0);
    assert_eq!((room.read("channels.spaces.csv"), log(&room, "space").len()), (map, 31));
    // A channel that was created says something else now.
    room.write("channels.csv", channels().replace("Channel 7,", "Other,"));
    room.tenure(&create).expect(4).says(&["\"#7\" says something else than before"]);
    assert_eq!(
        room.tenure(&["spaces", "list", "channels.csv.journal.db", "--json"]).expect(0).out.lines().count(),
        31
    );
}

#[test]
fn a_space_that_expires_is_warned_of_and_then_left_alone() {
    let room = Room::new();
    room.write("rows.csv", ROWS);
    let emulator = Emulator::start(&room, &[]);
    let soon = jiff::Timestamp::now() + jiff::SignedDuration::from_mins(20);
    let later = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(100);
    room.write(
        "map.csv",
        format!("name,space,createTime,importModeExpireTime\nA,spaces/A,,{soon}\nB,spaces/B,,{later}\n"),
    );
    let import =
        args(&[&["import", "rows.csv", "--spaces", "map.csv", "--journal", "j.db"]], &emulator.connection());
    room.tenure(&import).expect(3).says(&["in less than 14 days", "in the last half hour"]);
    assert_eq!(room.held(STORE).len(), 1, "B alone");
    let rejects = room.tenure(&["rejects", "j.db"]).expect(0);
    assert_eq!(rejects.out.matches("SPACE_EXPIRED").count(), 2, "{}", rejects.out);
    room.tenure(&["complete", "j.db", "-y", "--accept-rejects"])
        .expect(3)
        .says(&["1 space not completed, for Chat deletes them"]);
    assert_eq!(log(&room, "completedSpace"), ["spaces/B"]);
    room.tenure(&["spaces", "list", "j.db"]).expect(0).says(&["0 days left: complete it soon", "completed"]);
}

#[test]
fn no_space_is_completed_while_a_row_that_was_left_out_may_be_its_own() {
    let room = Room::new();
    let header = "space,member,createTime,deleteTime\n";
    let good = "A,a@b.cd,2020-01-01T00:00:00Z,2020-02-01T00:00:00Z\n";
    room.write("rows.csv", format!("{header}{good}A,b@b.cd,yesterday,\nB,a@b.cd,2020-01-01T00:00:00Z,\n"));
    let import = ["import", "rows.csv", "--emulator", "--skip-invalid", "--journal", "j.db"];
    let run = room.tenure(&args(&[&import, &UNPACED], &[])).expect(3);
    assert!(!run.err.contains("tenure complete"), "{}", run.err);
    let kept = "2 spaces not completed, for a row was left out when it was read, and may belong there";
    room.tenure(&["complete", "j.db", "--dry-run"]).expect(0).says(&[
        "0 spaces to complete",
        kept,
        "which it is: tenure rejects j.db)",
    ]);
    room.tenure(&["complete", "j.db", "--yes"]).expect(3).says(&[kept]);

    // Nor is a space left, though it was completed when somebody took the loss into account.
    room.tenure(&["complete", "j.db", "--yes", "--accept-rejects"]).expect(3).says(&["2 spaces completed"]);
    let stays = "the migrating account leaves no space, for a row was left out when it was read";
    room.tenure(&["complete", "j.db", "--yes", "--leave"]).expect(3).says(&[stays]);
    let run = room.tenure(&["complete", "j.db", "--yes", "--leave", "--accept-rejects"]).expect(3);
    run.says(&["the migrating account stays in it: nobody else manages it"]);
}

#[test]
fn a_row_that_was_left_out_and_mended_stands_against_no_space() {
    let room = Room::new();
    room.write(
        "rows.csv",
        "space,member,createTime,deleteTime\n\
         A,a@b.cd,2020-01-01T00:00:00Z,2020-02-01T00:00:00Z\n\
         A,b@b.cd,yesterday,\n\
         B,a@b.cd,2020-01-01T00:00:00Z,\n",
    );
    let import = ["import", "rows.csv", "--emulator", "--skip-invalid", "--journal", "j.db"];
    room.tenure(&args(&[&import, &UNPACED], &[])).expect(3);
    room.tenure(&["rejects", "j.db", "-o", "rejects.csv"]).expect(0);
    let mended = room.read("rejects.csv").replace("yesterday", "2020-01-01T00:00:00Z");
    room.write("rejects.csv", mended);
    room.tenure(&args(&[&["import", "rejects.csv", "--emulator", "--journal", "j.db"], &UNPACED], &[]))
        .expect(0);
    room.tenure(&["complete", "j.db", "--yes"]).expect(0).says(&["2 spaces to complete"]);
}

#[test]
fn a_space_is_not_completed_while_another_journal_has_rows_for_it() {
    let room = Room::new();
    let row = |who: &str| {
        format!(
            "space,member,createTime,deleteTime\nspaces/AAQA,{who}@example.com,2020-01-01T00:00:00Z,2021-01-01T00:00:00Z\n"
        )
    };
    room.write("a.csv", row("ada"));
    room.write("b.csv", row("ben"));
    let emulator = Emulator::start(&room, &[]);
    let import = |words: &[&str]| room.tenure(&args(&[&["import"], words], &emulator.connection())).expect(0);
    import(&["a.csv", "--writes-per-minute", "0"]);
    import(&["b.csv", "--journal-only"]);
    for complete in [
        &["complete", "a.csv.journal.db", "--dry-run"] as &[&str],
        &["complete", "a.csv.journal.db", "--yes"],
    ] {
        room.tenure(complete).expect(if complete[2] == "--yes" { 3 } else { 0 }).says(&[
            "1 of them still wait for rows of b.csv.journal.db",
            "tenure resume b.csv.journal.db",
            "Nothing was done.",
        ]);
    }
    room.tenure(&["resume", "b.csv.journal.db"]).says(&["done 1"]);
    room.tenure(&["complete", "a.csv.journal.db", "--yes"]).expect(0).says(&["1 space to complete."]);
    // Each rehearsal has a Chat of its own.
    room.tenure(&["import", "b.csv", "--emulator", "--journal", "one.db"]).expect(0);
    room.tenure(&["import", "b.csv", "--emulator", "--journal", "other.db", "--journal-only"]).expect(0);
    room.tenure(&["complete", "one.db", "--yes"]).expect(0).says(&["1 space to complete."]);
}
