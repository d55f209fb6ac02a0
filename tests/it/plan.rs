//! `plan` foretells what an import does, and leaves nothing behind.

use serde_json::Value;

use crate::support::{Room, SAMPLE, UNPACED, args};

const HEADER: &str = "space,member,createTime,deleteTime,role\n";

fn plan(room: &Room, options: &[&str]) -> Value {
    let run = room.tenure(&args(&[&["plan", "--json", "--progress", "none"], options], &[])).expect(0);
    assert_eq!(run.err, "");
    serde_json::from_str(&run.out).unwrap()
}

#[test]
fn it_foretells_the_import() {
    let room = Room::new();
    let rows = [
        "A,a@example.com,2020-01-01T00:00:00Z,2020-06-01T00:00:00Z,",
        "A,a@example.com,2021-01-01T00:00:00Z,2021-06-01T00:00:00Z,",
        "A,a@example.com,2021-01-01T00:00:00Z,2021-06-01T00:00:00Z,",
        "A,b@example.com,2020-01-01T00:00:00Z,,ROLE_MANAGER",
        "A,a@example.com,2022-01-01T00:00:00Z,,",
        "B,c@example.com,,2021-06-01T00:00:00Z,",
        "B,d@example.com,,,",
    ];
    room.write("rows.csv", format!("{HEADER}{}\n", rows.join("\n")));
    let planned = plan(&room, &["rows.csv"]);
    assert_eq!(room.files(), ["rows.csv"]);
    assert_eq!(
        planned["rows"],
        serde_json::json!({
            "read": 7, "to_send": 3, "open": 3, "duplicate": 1, "merged": 0, "bridged": 0,
            "several_stints": { "members": 1, "rows_behind_the_first": 1 },
        })
    );
    assert_eq!((&planned["people"], &planned["spaces"]["total"]), (&4.into(), &2.into()));
    assert_eq!(planned["spaces"]["biggest"]["space"], "spaces/A");
    let calls: Vec<String> = planned["calls"]
        .as_array()
        .unwrap()
        .iter()
        .map(|calls| format!("{} {} {}", calls["step"], calls["method"], calls["calls"]).replace('"', ""))
        .collect();
    assert_eq!(
        calls,
        [
            "import members.list 2",
            "import members.create 3",
            "verify members.list 2",
            "complete spaces.completeImport 2",
            "complete members.create 3",
            "complete members.patch 1",
        ]
    );
    // What each choice says it would send is what an import with it sends.
    for choice in planned["history"]["choices"].as_array().unwrap() {
        let options: Vec<&str> = choice["options"].as_str().unwrap().split(' ').collect();
        let journal = format!("j{}.db", options.concat());
        let import =
            args(&[&["import", "rows.csv", "--emulator", "--journal", &journal], &options, &UNPACED], &[]);
        room.tenure(&import).expect(0);
        let status = room.status(&journal);
        assert_eq!(status["rows"]["done"], choice["to_send"], "{options:?}");
        let own = plan(&room, &[&["rows.csv"], options.as_slice()].concat());
        assert_eq!(own["rows"]["to_send"], choice["to_send"], "{options:?}");
    }
}

#[test]
fn of_the_sample() {
    let room = Room::new();
    let run = room.tenure(&["plan", "--progress", "none", SAMPLE]).expect(0);
    let run = run.says(&[
        "rows 579 read 517 history",
        "spaces 12 the biggest: #ankündigungen (spaces/AAQAlmPEejn) with 114 rows to send",
        "complete 12 spaces.completeImport",
        "1 min 44 s at 300 writes a minute, until",
        "It fits into the 90 days of import mode",
        "quota writes/min time saves until 300 1 min 44 s - ",
        "--stints merge 369 1 min 14 s",
    ]);
    assert!(run.out.lines().all(|line| line.chars().count() <= 80), "{}", run.out);
    // The zone is the operator's.
    let zoned =
        room.tenure_env(&["plan", "--progress", "none", SAMPLE], &[("TZ", "Europe/Zurich")]).expect(0);
    assert!(zoned.out.contains("(Europe/Zurich)"), "{}", zoned.out);
}

#[test]
fn no_plan_of_wrong_input() {
    let room = Room::new();
    room.write("rows.csv", format!("{HEADER}A,b@example.com,,never,\n"));
    let run = room.tenure(&["plan", "--progress", "none", "rows.csv"]).expect(4);
    assert_eq!(run.out, "");
    assert!(run.err.contains("error[bad-time]") && run.err.contains("there is no plan"), "{}", run.err);
    room.tenure(&["plan", "nowhere.csv"]).expect(4);
    room.tenure(&["plan", "--standard-spaces", "--stints", "merge", "rows.csv"]).expect(2);
}

#[test]
fn the_space_that_expires_first_counts() {
    let room = Room::new();
    let map = |expires: &str| format!("name,space,createTime,importModeExpireTime\n#a,spaces/A,,{expires}\n");
    room.write("rows.csv", format!("{HEADER}#a,b@example.com,,2021-01-01T00:00:00Z,\n"));
    for (expires, fits) in [("2020-01-01T00:00:00Z", false), ("2199-01-01T00:00:00Z", true)] {
        room.write("map.csv", map(expires));
        let planned = plan(&room, &["rows.csv", "--spaces", "map.csv"]);
        assert_eq!(planned["import_mode"], serde_json::json!({ "expires": expires, "fits": fits }));
    }
}
