//! What Chat lists, held against what the journal says: in import mode, after completion, in spaces that never were in
//! it, and where there is something that a list does not tell.

use std::collections::BTreeMap;
use std::fs;

use rusqlite::Connection;
use serde_json::{Value, json};

use crate::script::Script;
use crate::store::{completed, member, space};
use crate::support::{Emulator, Room, Run, SAMPLE, STORE, UNPACED, args, people, until};

const JOURNAL: &str = "rows.csv.journal.db";

/// A room whose rows are in its emulator.
fn imported(rows: &str, options: &[&str]) -> (Room, Emulator) {
    let room = Room::new();
    room.write("rows.csv", rows);
    let options = [&["--writes-per-minute", "0", "--reads-per-minute", "0"], options].concat();
    let emulator = Emulator::start(&room, &options);
    import(&room, &emulator).expect(0);
    (room, emulator)
}

fn import(room: &Room, emulator: &Emulator) -> Run {
    room.tenure(&args(&[&["import", "rows.csv"], &UNPACED], &emulator.connection()))
}

fn verify(room: &Room, emulator: &Emulator, more: &[&str]) -> Run {
    room.tenure(&args(&[&["verify", JOURNAL, "--reads-per-minute", "0"], more], &emulator.connection()))
}

/// The whole of `--json`.
fn report(run: &Run) -> Value {
    serde_json::from_str(&run.out).unwrap_or_else(|error| panic!("{error}: {}", run.out))
}

/// What was found in a report, each by its kind and who.
fn findings(report: &Value, which: &str) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut all = Vec::new();
    for space in report["spaces"].as_array().unwrap() {
        for finding in space[which].as_array().unwrap() {
            let who = if finding["member"].is_null() { &finding["user"] } else { &finding["member"] };
            all.push((text(&finding["finding"]), text(who)));
        }
    }
    all
}

/// Lets the emulator go on from a store that was changed meanwhile.
fn tampered(room: &Room, emulator: Emulator, change: impl FnOnce(&mut Vec<Value>)) -> Emulator {
    let port = emulator.port();
    emulator.kill();
    let mut lines: Vec<Value> =
        room.read(STORE).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    change(&mut lines);
    room.write(STORE, lines.iter().map(|line| format!("{line}\n")).collect::<String>());
    Emulator::start_on(room, port, &["--writes-per-minute", "0", "--reads-per-minute", "0"])
}

/// Where a person's membership stands in a store.
fn place(lines: &[Value], address: &str) -> usize {
    lines.iter().position(|line| line["membership"]["address"] == address).unwrap()
}

/// The ids that the emulator has for addresses.
fn ids(room: &Room) -> BTreeMap<String, String> {
    let memberships = room.read(STORE);
    let memberships =
        memberships.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["membership"].clone());
    let of = |membership: Value| {
        Some((membership["address"].as_str()?.to_owned(), membership["member"].as_str()?.to_owned()))
    };
    memberships.filter_map(of).collect()
}

fn change_journal(room: &Room, sql: &str) {
    Connection::open(room.file(JOURNAL)).unwrap().execute_batch(sql).unwrap();
}

#[test]
fn all_as_the_journal_says() {
    let rows = people(40, 4) + "spaces/AAQA1,still@example.com,2020-01-01T00:00:00Z,\n";
    let (room, emulator) = imported(&rows, &["--refuse-second-stints"]);
    let run = verify(&room, &emulator, &[]).expect(0);
    assert_eq!(run.err, "");
    insta::with_settings!({filters => vec![(r"compared\s+in\s+(under\s+)?\d+\s+\w+", "compared in TIME")]}, {
        insta::assert_snapshot!("as_it_says", run.out);
    });
    let report = report(&verify(&room, &emulator, &["--json"]).expect(0));
    assert_eq!((&report["complete"], &report["differs"]), (&true.into(), &false.into()));
    assert_eq!((&report["rows"]["matching"], &report["rows"]["open"]), (&40.into(), &1.into()));
    assert_eq!(report["spaces"].as_array().unwrap().len(), 4);
}

/// Two spaces of five, of whom one is missing, one has other times, one is there twice, one was there before, and a
/// stranger has come.
fn differing() -> (Room, Emulator) {
    let room = Room::new();
    room.write("rows.csv", people(10, 2));
    let before = json!({"membership": {
        "name": "spaces/AAQA0/members/7", "member": "users/7", "role": "ROLE_MEMBER",
        "createTime": "2019-01-01T00:00:00Z", "deleteTime": "2019-06-01T00:00:00Z",
    }});
    room.write(STORE, space("spaces/AAQA0", 1) + &space("spaces/AAQA1", 1) + &format!("{before}\n"));
    let emulator = Emulator::start_without_spaces(&room, &["--writes-per-minute", "0"]);
    import(&room, &emulator).expect(0);
    let emulator = tampered(&room, emulator, |lines| {
        let mut stranger = lines[place(lines, "person4@example.com")].clone();
        stranger["membership"]["name"] = "spaces/AAQA0/members/9".into();
        stranger["membership"]["member"] = "users/9".into();
        stranger["membership"].as_object_mut().unwrap().remove("address");
        let twice = lines[place(lines, "person3@example.com")].clone();
        let other = place(lines, "person2@example.com");
        lines[other]["membership"]["createTime"] = "2020-01-03T00:00:00.000001Z".into();
        lines.extend([stranger, twice]);
        lines.remove(place(lines, "person1@example.com"));
    });
    (room, emulator)
}

#[test]
fn every_difference_has_a_name() {
    let (room, emulator) = differing();
    let run = verify(&room, &emulator, &["--json"]).expect(3);
    let report = report(&run);
    let named = |kind: &str, who: &str| (kind.to_owned(), who.to_owned());
    assert_eq!(
        findings(&report, "differences"),
        [
            named("unexpected", "users/9"),
            named("different", "users/person2@example.com"),
            named("missing", "users/person1@example.com"),
            named("doubled", "users/person3@example.com"),
        ]
    );
    assert_eq!(findings(&report, "others"), [named("there_before", "users/7")]);
    let different = &report["spaces"][0]["differences"][1];
    assert_eq!(different["createTime"], "2020-01-03T00:00:00Z");
    assert_eq!(different["chat"]["createTime"], "2020-01-03T00:00:00.000001Z");
    assert_eq!((&different["line"], &report["differences_total"]), (&4.into(), &4.into()));
    assert!(different["source"].as_str().unwrap().ends_with("rows.csv"));
    assert_eq!(report["spaces"][1]["differences"][1]["chat"]["copies"], 2);
    let (rows, listed) = (&report["rows"], &report["listed"]);
    assert_eq!(
        (&rows["matching"], &listed["there_before"], &listed["total"]),
        (&8.into(), &1.into(), &12.into())
    );
}

#[test]
fn a_table_for_people() {
    let (room, emulator) = differing();
    let run = verify(&room, &emulator, &[]).expect(3);
    insta::with_settings!({filters => vec![
        (r"compared\s+in\s+(under\s+)?\d+\s+\w+", "compared in TIME"),
        (r"\S+/rows\.csv", "FOLDER/rows.csv"),
    ]}, {
        insta::assert_snapshot!("differences", run.out);
    });
}

#[test]
fn a_csv_for_spreadsheets() {
    let (room, emulator) = differing();
    let run = verify(&room, &emulator, &["--csv", "found.csv"]).expect(3);
    assert!(run.out.starts_with("Chat and the journal differ"), "{}", run.out);
    let mut reader = csv::Reader::from_path(room.file("found.csv")).unwrap();
    let rows: Vec<BTreeMap<String, String>> = reader.deserialize().map(Result::unwrap).collect();
    assert_eq!(rows.iter().filter(|row| row["difference"] == "yes").count(), 4);
    let missing = rows.iter().find(|row| row["finding"] == "missing").unwrap();
    assert_eq!(missing["member"], "users/person1@example.com");
    assert_eq!((missing["createTime"].as_str(), missing["line"].as_str()), ("2020-01-02T00:00:00Z", "3"));
    // It holds addresses, and overwrites nothing.
    let mode =
        std::os::unix::fs::PermissionsExt::mode(&fs::metadata(room.file("found.csv")).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);
    verify(&room, &emulator, &["--csv", "found.csv"]).expect(1).says(&["found.csv is there already"]);
    // On standard output there is nothing else.
    let run = verify(&room, &emulator, &["--csv", "-"]).expect(3);
    assert_eq!(run.out, room.read("found.csv"));
    assert!(run.err.starts_with("Chat and the journal differ"), "{}", run.err);
    verify(&room, &emulator, &["--csv", "-", "--json"]).expect(2).says(&["would both go to standard output"]);
    // What is missing can be fed back.
    let check = room.tenure(&["check", "found.csv"]);
    assert!(!check.said().contains("no column"), "{}", check.said());
}

#[test]
fn formulas_are_disarmed() {
    let (room, emulator) =
        imported("space,member,deleteTime\nA,+sum@example.com,2020-01-01T00:00:00Z\n", &[]);
    let emulator = tampered(&room, emulator, |lines| {
        lines.remove(place(lines, "+sum@example.com"));
    });
    change_journal(&room, "UPDATE sources SET path = '=1+1'");
    let run = verify(&room, &emulator, &["--csv", "-"]).expect(3);
    assert!(run.out.contains(",'=1+1,"), "{}", run.out);
}

#[test]
fn only_some_spaces() {
    let (room, emulator) = differing();
    let run = verify(&room, &emulator, &["--space", "spaces/AAQA1", "--json"]).expect(3);
    let report = report(&run);
    assert_eq!((&report["spaces_total"], &report["differences_total"]), (&1.into(), &2.into()));
    verify(&room, &emulator, &["--space", "AAQA9"])
        .expect(2)
        .says(&["--space AAQA9: the journal has no row of a space with that id or name"]);
}

#[test]
fn a_list_that_tells_no_times() {
    let rows = people(12, 2) + "spaces/AAQA0,person0@example.com,2022-01-01T00:00:00Z,2023-01-01T00:00:00Z\n";
    let (room, emulator) = imported(&rows, &["--hide-times"]);
    let run = verify(&room, &emulator, &[]).expect(0);
    let run =
        run.says(&["13 memberships of 2 spaces without all of their times", "by member and count only"]);
    assert!(run.out.starts_with("Chat lists what the journal says"), "{}", run.out);
    let emulator = tampered(&room, emulator, |lines| {
        lines.remove(place(lines, "person0@example.com"));
    })
    .restart(&room, &["--hide-times", "--reads-per-minute", "0"]);
    let report = report(&verify(&room, &emulator, &["--json"]).expect(3));
    assert_eq!(
        findings(&report, "differences"),
        [("missing".to_owned(), "users/person0@example.com".to_owned())]
    );
}

#[test]
fn rows_that_chat_has_not_got_yet_or_has_refused() {
    let room = Room::new();
    let rows = people(6, 2) + "spaces/AAQA1,gone@example.invalid,,2020-01-01T00:00:00Z\n";
    room.write("rows.csv", rows);
    let emulator = Emulator::start(&room, &["--writes-per-minute", "0"]);
    let import = args(&[&["import", "rows.csv", "--journal-only"]], &emulator.connection());
    room.tenure(&import).expect(0);
    let run =
        verify(&room, &emulator, &[]).expect(0).says(&["7 rows are not sent yet, or without an answer"]);
    assert!(run.out.contains("not sent            7"), "{}", run.out);
    room.tenure(&args(&[&["resume", JOURNAL], &UNPACED], &emulator.connection())).expect(3);
    let report = report(&verify(&room, &emulator, &["--json"]).expect(0));
    assert_eq!((&report["rows"]["rejected"], &report["rows"]["matching"]), (&1.into(), &6.into()));
    // One that Chat holds all the same is worth a word.
    change_journal(&room, "UPDATE rows SET state = 3 WHERE line = 2");
    let found = verify(&room, &emulator, &["--json"]).expect(3);
    let report = self::report(&found);
    let expected = [("rejected_but_held".to_owned(), "users/person0@example.com".to_owned())];
    assert_eq!(findings(&report, "differences"), expected);
}

/// Completes the spaces of the room as `tenure complete` does: members of today are added, and roles are set.
fn completed_import() -> (Room, Emulator) {
    let rows = people(6, 2)
        + "spaces/AAQA0,still@example.com,2020-01-01T00:00:00Z,\n\
           spaces/AAQA0,person0@example.com,2022-01-01T00:00:00Z,\n\
           spaces/AAQA1,still@example.com,2020-01-01T00:00:00Z,\n";
    let rows = rows.replace("member,createTime,deleteTime\n", "member,createTime,deleteTime,role\n");
    let rows: String = rows
        .lines()
        .map(|line| match line.strip_prefix("spaces/AAQA0,still") {
            Some(_) => format!("{line}ROLE_MANAGER\n").replace("Z,ROLE", "Z,,ROLE"),
            None if line.starts_with("space,") => format!("{line}\n"),
            None => format!("{line},\n"),
        })
        .collect();
    let room = Room::new();
    room.write("rows.csv", rows);
    let emulator = Emulator::start(&room, &["--writes-per-minute", "0"]);
    import(&room, &emulator).expect(0);
    let known = ids(&room);
    let emulator = tampered(&room, emulator, |lines| {
        let now = jiff::Timestamp::now().to_string();
        let mut add = |text: String| {
            let text = text.replace("2026-01-01T00:00:00Z", &now);
            lines.extend(text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()));
        };
        for name in ["spaces/AAQA0", "spaces/AAQA1"] {
            // The first line would make the space once more.
            add(completed(name).lines().skip(1).map(|line| format!("{line}\n")).collect());
            add(member(name, &still(&known), "ROLE_MEMBER"));
        }
        add(member("spaces/AAQA0", &known["person0@example.com"], "ROLE_MEMBER"));
    });
    (room, emulator)
}

/// The id of somebody whom no import has told yet.
fn still(_known: &BTreeMap<String, String>) -> String {
    let room = Room::new();
    let emulator = Emulator::start(&room, &[]);
    let create = ["members", "create", "X", "still@example.com", "--delete-time", "2021-01-01T00:00:00Z"];
    room.tenure(&args(&[&create], &emulator.connection())).expect(0);
    ids(&room)["still@example.com"].clone()
}

fn complete_in_journal(room: &Room) {
    change_journal(room, "UPDATE spaces SET completed_at = CAST(unixepoch('subsec') * 1000000 AS INTEGER)");
}

#[test]
fn members_and_roles_after_completion() {
    let (room, emulator) = completed_import();
    // The journal does not know it yet: import mode's scope shows nothing any more.
    verify(&room, &emulator, &[]).expect(5).says(&[
        "Chat refuses every space that was tried (2)",
        "one that is completed takes --standard-spaces",
    ]);
    complete_in_journal(&room);
    let run = verify(&room, &emulator, &["--json"]).expect(3);
    let report = report(&run);
    assert_eq!(
        findings(&report, "differences"),
        [("role".to_owned(), "users/still@example.com".to_owned())],
        "{}",
        run.out
    );
    let role = &report["spaces"][0]["differences"][0];
    assert_eq!((&role["role"], &role["chat"]["role"]), (&"ROLE_MANAGER".into(), &"ROLE_MEMBER".into()));
    assert_eq!((&report["rows"]["past"], &report["rows"]["matching"]), (&6.into(), &2.into()));
    assert_eq!(report["listed"]["apart"], 2, "who has completed them");
    assert!(
        report["cannot_see"].to_string().contains("6 rows have ended, in 2 completed spaces"),
        "{report}"
    );
    // Once they have it, all is well.
    let patch =
        ["members", "patch", "AAQA0", "still@example.com", "--role", "ROLE_MANAGER", "--standard-spaces"];
    room.tenure(&args(&[&patch], &emulator.connection())).expect(0);
    for capacity in [&[][..], &["--standard-spaces"], &["--admin-access"], &["--as-app"]] {
        verify(&room, &emulator, capacity).expect(0).says(&["Chat lists what the journal says"]);
    }
    // Who has left, and who has come.
    room.tenure(&args(
        &[&["members", "delete", "AAQA1", "still@example.com", "--standard-spaces"]],
        &emulator.connection(),
    ))
    .expect(0);
    room.tenure(&args(
        &[&["members", "create", "AAQA1", "new@example.com", "--standard-spaces"]],
        &emulator.connection(),
    ))
    .expect(0);
    let report = self::report(&verify(&room, &emulator, &["--json"]).expect(3));
    let found: Vec<String> = findings(&report, "differences").into_iter().map(|(kind, _)| kind).collect();
    assert_eq!(found, ["missing", "unexpected"]);
    assert_eq!(
        report["spaces"][1]["differences"][0]["note"],
        "still to be added: `tenure complete` does that"
    );
}

#[test]
fn a_migration_from_end_to_end() {
    let room = Room::new();
    let journal = "memberships.csv.journal.db";
    room.tenure(&args(&[&["import", SAMPLE, "--emulator"], &UNPACED], &[])).expect(0);
    room.tenure(&["verify", journal]).expect(0).says(&["517 rows, 12 of 12 spaces"]);
    room.tenure(&["complete", journal, "--yes"]).expect(0);
    let report = report(&room.tenure(&["verify", journal, "--json"]).expect(0));
    let (rows, listed) = (&report["rows"], &report["listed"]);
    assert_eq!((&rows["matching"], &rows["past"], &listed["apart"]), (&57.into(), &517.into(), &12.into()));
}

/// A journal whose account has left what it has completed.
#[test]
fn whoever_has_left_cannot_look() {
    let (room, emulator) = completed_import();
    complete_in_journal(&room);
    change_journal(&room, "UPDATE spaces SET left_at = completed_at WHERE name = 'spaces/AAQA1'");
    let admin = ["members", "delete", "AAQA1", "admin@example.com", "--standard-spaces"];
    let promote =
        ["members", "patch", "AAQA1", "still@example.com", "--role", "ROLE_MANAGER", "--standard-spaces"];
    room.tenure(&args(&[&promote], &emulator.connection())).expect(0);
    room.tenure(&args(&[&admin], &emulator.connection())).expect(0);
    verify(&room, &emulator, &[]).expect(5).says(&[
        "Not all could be seen: 1 of 2 spaces were compared",
        "the account that completed it has left it",
        "look as an administrator, with --admin-access",
    ]);
    let report = report(&verify(&room, &emulator, &["--json", "--admin-access"]).expect(3));
    assert_eq!((&report["spaces_checked"], &report["differences_total"]), (&2.into(), &1.into()), "{report}");
}

#[test]
fn spaces_that_were_never_in_import_mode() {
    let room = Room::new();
    let old = "users/101";
    room.write(STORE, completed("spaces/A") + &member("spaces/A", old, "ROLE_MEMBER"));
    room.write("rows.csv", "space,member\nA,maria@example.com\nA,groups/g1\n");
    let emulator = Emulator::start_without_spaces(&room, &[]);
    room.tenure(&args(&[&["import", "rows.csv", "--standard-spaces"]], &emulator.connection())).expect(0);
    let report = report(&verify(&room, &emulator, &["--json"]).expect(0));
    assert_eq!((&report["rows"]["matching"], &report["listed"]["there_before"]), (&2.into(), &2.into()));
    let delete = ["members", "delete", "A", "maria@example.com", "--standard-spaces"];
    room.tenure(&args(&[&delete], &emulator.connection())).expect(0);
    let run = verify(&room, &emulator, &[]).expect(3);
    assert!(run.out.contains("missing     users/maria@example.com"), "{}", run.out);
}

#[test]
fn whatever_happens_to_the_answers() {
    let (room, emulator) = imported(&people(60, 6), &[]);
    let faults = ["error-before=0.2", "reset-after=0.1", "html=0.05", "throttle=0.1", "unauthorized=0.05"];
    let mut options = vec!["--seed", "5"];
    options.extend(faults.iter().flat_map(|fault| ["--fault", fault]));
    let emulator = emulator.restart(&room, &options);
    let report = report(&verify(&room, &emulator, &["--json"]).expect(0));
    assert_eq!((&report["rows"]["matching"], &report["spaces_checked"]), (&60.into(), &6.into()));
}

#[test]
fn after_a_stormy_import() {
    for options in [&[][..], &["--refuse-second-stints"], &["--hide-times"]] {
        let room = Room::new();
        let stints = people(20, 4).replace("2020-", "2010-").replace("2021-", "2011-");
        let (_, earlier) = stints.split_once('\n').unwrap();
        room.write("rows.csv", people(20, 4) + if options.is_empty() { earlier } else { "" });
        let storm =
            ["--writes-per-minute", "0", "--seed", "3", "--latency", "5ms", "--fault", "error-after=0.1"];
        let emulator = Emulator::start(&room, &[&storm, options, &["--fault", "reset-after=0.05"]].concat());
        let import = args(&[&["import", "rows.csv"], &UNPACED], &emulator.connection());
        let running = room.start(&import);
        until("some rows are in Chat", || room.held(STORE).len() > 8);
        running.kill();
        let imported = room.tenure(&import);
        // Whatever became of the rows, Chat and the journal agree on it.
        let run = verify(&room, &emulator, &["--json"]).expect(0);
        let (report, status) = (report(&run), room.status(JOURNAL));
        assert_eq!(report["rows"]["rejected"], status["rows"]["rejected"], "{}", imported.out);
        let done = status["rows"]["done"].as_u64().unwrap();
        assert_eq!(report["rows"]["matching"].as_u64().unwrap(), done, "{report}");
    }
}

#[test]
fn more_than_one_page() {
    let rows = (0..1203).fold("space,member,createTime,deleteTime\n".to_owned(), |rows, number| {
        rows + &format!("A,person{number}@example.com,2020-01-01T00:00:00Z,2021-01-01T00:00:00Z\n")
    });
    let (room, emulator) = imported(&rows, &[]);
    verify(&room, &emulator, &[]).expect(0).says(&["1203 rows, 1 of 1 space"]);
}

#[test]
fn a_space_that_chat_does_not_show() {
    let (room, emulator) = imported(&people(8, 2), &[]);
    let emulator = tampered(&room, emulator, |lines| lines.push(json!({ "deletedSpace": "spaces/AAQA1" })));
    let run = verify(&room, &emulator, &[]).expect(3).says(&[
        "a space that Chat does not show; 1 of 2 spaces were compared",
        "spaces/AAQA1 could not be listed: 403 PERMISSION_DENIED",
        "were created by this very Chat app",
    ]);
    assert!(run.out.contains("spaces/AAQA1       ?"), "{}", run.out);
    let report = report(&verify(&room, &emulator, &["--json"]).expect(3));
    assert_eq!((&report["complete"], &report["spaces"][1]["outcome"]), (&false.into(), &"refused".into()));
    let typed = verify(&room, &emulator, &["--standard-spaces"]).expect(5);
    typed.says(&["is still in import mode, leave --standard-spaces, --admin-access and --as-app away"]);
}

#[test]
fn what_stops_it() {
    let (room, emulator) = imported(&people(4, 2), &[]);
    let broken = emulator.restart(&room, &["--fault", "error-before=1"]);
    verify(&room, &broken, &["--give-up-after", "1s"]).expect(5).says(&[
        "Stopped: nothing has succeeded for",
        "0 of 2 spaces were compared",
        "check the network",
    ]);
    let other = broken.restart(&room, &["--delegate", "chat.memberships"]);
    let run = verify(&room, &other, &["--json"]).expect(5);
    let report = report(&run);
    assert_eq!((&report["complete"], &report["spaces_checked"]), (&false.into(), &0.into()));
    assert!(report["stopped"].as_str().unwrap().contains("unauthorized_client"), "{report}");
    assert!(report["remedy"].as_str().unwrap().contains("auth/chat.import"), "{report}");
    // Nothing was asked for at all.
    let none = ["verify", JOURNAL, "--credentials", "nowhere.json"];
    room.tenure(&none).expect(5).says(&["nowhere.json", "Nothing was looked at"]);
    let elsewhere = ["verify", JOURNAL, "--endpoint", "http://127.0.0.1:9/", "--credentials", "key.json"];
    room.tenure(&elsewhere).expect(1).says(&["this journal belongs to"]);
    room.tenure(&["verify", "nothing.db"]).expect(1).says(&["there is no such journal"]);
    room.tenure(&["verify"]).expect(2);
}

#[test]
fn members_of_today_take_a_scope_of_their_own() {
    let (room, emulator) = imported(&people(4, 2), &[]);
    let emulator = emulator.restart(&room, &["--delegate", "chat.import", "--reads-per-minute", "0"]);
    change_journal(&room, "UPDATE spaces SET completed_at = 1 WHERE name = 'spaces/AAQA1'");
    let run = verify(&room, &emulator, &["--json"]).expect(5);
    let report = report(&run);
    assert_eq!(report["spaces_checked"], 1, "what could be seen was: {report}");
    assert!(report["remedy"].as_str().unwrap().contains("auth/chat.memberships"), "{report}");
}

#[test]
fn interrupted() {
    let (room, emulator) = imported(&people(30, 30), &[]);
    let emulator = emulator.restart(&room, &["--latency", "300ms"]);
    let arguments =
        args(&[&["verify", JOURNAL, "--reads-per-minute", "120", "--json"]], &emulator.connection());
    let mut running = room.start(&arguments);
    assert!(running.first_line().starts_with("{\"journal\":"));
    std::thread::sleep(std::time::Duration::from_millis(700));
    running.signal("INT");
    let run = running.wait().expect(130);
    assert!(
        run.out.contains("\"stopped\":\"interrupted\"") && run.out.contains("\"complete\":false"),
        "{}",
        run.out
    );
}

#[test]
fn while_a_run_goes_on() {
    let room = Room::new();
    room.write("rows.csv", people(40, 4));
    let emulator = Emulator::start(&room, &["--writes-per-minute", "0", "--latency", "30ms"]);
    let import = args(&[&["import", "rows.csv", "--max-in-flight", "2"]], &emulator.connection());
    let running = room.start(&import);
    until("some rows are done", || {
        room.file(JOURNAL).exists() && room.status(JOURNAL)["rows"]["done"].as_u64() > Some(4)
    });
    let run = verify(&room, &emulator, &[]).expect(0);
    assert!(running.kill(), "it has gone on meanwhile");
    run.says(&["A run is working with this journal: rows move meanwhile"]);
}

#[test]
fn what_a_rehearsal_has_left() {
    let room = Room::new();
    room.write("rows.csv", people(20, 2));
    room.tenure(&args(&[&["import", "rows.csv", "--emulator"], &UNPACED], &[])).expect(0);
    let files = room.files();
    let run = room.tenure(&["verify", JOURNAL]).expect(0);
    run.says(&["Chat lists what the journal says (rehearsal: nothing has left this machine): 20 rows"]);
    let left = room.files();
    assert!(left.iter().all(|file| files.contains(file)), "looking leaves nothing behind: {left:?}");
    room.tenure(&["verify", JOURNAL, "--emulator"]).expect(0);
    fs::remove_file(room.file(&format!("{JOURNAL}.emulator"))).unwrap();
    room.tenure(&["verify", JOURNAL]).expect(3).says(&["20 missing"]);
}

#[test]
fn progress_of_every_kind() {
    let (room, emulator) = imported(&people(8, 4), &[]);
    let run = verify(&room, &emulator, &["--progress", "json"]).expect(0);
    for line in run.err.lines() {
        let event: Value = serde_json::from_str(line).unwrap();
        assert_eq!((&event["event"], &event["spaces_total"]), (&"looking".into(), &4.into()));
    }
    for mode in ["plain", "bar", "none"] {
        assert_eq!(verify(&room, &emulator, &["--progress", mode]).expect(0).err, "", "{mode}");
    }
}

#[test]
fn enums_that_google_adds_and_people_who_are_invited() {
    let room = Room::new();
    let member = r#"{"name":"spaces/A/members/1","state":"INVITED","member":{"name":"users/1","type":"HUMAN"},"createTime":"2999-01-01T00:00:00Z"}"#;
    let jester = r#"{"name":"spaces/A/members/2","state":"ON_LEAVE","member":{"name":"users/2","type":"ANDROID"},"role":"ROLE_JESTER","createTime":"2999-01-01T00:00:00Z"}"#;
    let script = Script::start(&[
        (200, r#"{"nextPageToken":"t"}"#),
        (200, &format!(r#"{{"memberships":[{member},{jester}]}}"#)),
    ]);
    room.write("rows.csv", "space,member,role\nA,users/1,\nA,users/2,ROLE_MANAGER\n");
    let import = ["import", "rows.csv", "--standard-spaces", "--journal-only"];
    room.tenure(&args(&[&import], &script.connection())).expect(0);
    change_journal(
        &room,
        "UPDATE rows SET state = 2, attempts = 1; UPDATE spaces SET done = done + pending, pending = 0",
    );
    let run = room.tenure(&args(&[&["verify", JOURNAL, "--json"]], &script.connection())).expect(3);
    let report = report(&run);
    assert_eq!(findings(&report, "differences"), [("role".to_owned(), "users/2".to_owned())]);
    assert_eq!(report["spaces"][0]["differences"][0]["chat"]["role"], "ROLE_JESTER");
    let asked = script.asked();
    assert!(asked[0].contains("showInvited=true") && asked[0].contains("showGroups=true"), "{asked:?}");
    assert!(asked[1].contains("pageToken=t"), "an empty page is not the last one: {asked:?}");
}
