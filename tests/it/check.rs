//! What `check` says: where a problem is, how to mend it, and what stops nothing; on a screen, to a script, to a review.

use std::io::Write as _;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::support::{Room, args};

const HEADER: &str = "space,member,createTime,deleteTime,role\n";

fn json(room: &Room, options: &[&str], code: i32) -> Value {
    let run = room.tenure(&args(&[&["check", "--json", "--progress", "none"], options], &[])).expect(code);
    assert_eq!(run.err, "");
    serde_json::from_str(&run.out).unwrap()
}

/// Kind, line, column and end of the first of each kind.
fn places(object: &Value) -> Vec<(String, u64, u64, u64)> {
    let number = |value: &Value| value.as_u64().unwrap_or(0);
    object["kinds"]
        .as_array()
        .unwrap()
        .iter()
        .map(|kind| {
            let first = &kind["first"][0];
            let name = kind["kind"].as_str().unwrap().to_owned();
            (name, number(&first["line"]), number(&first["column"]), number(&first["end_column"]))
        })
        .collect()
}

#[test]
fn every_problem_has_its_place() {
    let room = Room::new();
    let place = |kind: &str, line, column, end| (kind.to_owned(), line, column, end);
    let good = "spaces/A,a@example.com,2020-01-01T00:00:00Z,2021-01-01T00:00:00Z,\n";
    let row = |row: &str| format!("{HEADER}{good}{row}\n");
    let utf16 = |text: &str| {
        [&[0xff, 0xfe][..], &text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>()].concat()
    };
    let gzip = |text: &str| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(text.as_bytes()).unwrap();
        encoder.finish().unwrap()
    };
    let late = row("spaces/A,jörg@example.com,2021-13-05T00:00:00Z,2021-01-01T00:00:00Z,");
    let broken = "{\"space\":\"spaces/A\",\"member\":\"ü@example.com\",\"deleteTime\": \"never\"}\n";
    for (name, content, expected) in [
        ("time.csv", late.clone().into_bytes(), place("bad-time", 3, 27, 47)),
        ("utf-16.csv", utf16(&late), place("bad-time", 3, 27, 47)),
        ("packed.csv.gz", gzip(&late), place("bad-time", 3, 27, 47)),
        ("crlf.csv", late.replace('\n', "\r\n").into_bytes(), place("bad-time", 3, 27, 47)),
        (
            "quoted.csv",
            row("spaces/A,\"a@example.com\",,\"now\",").into_bytes(),
            place("bad-time", 3, 27, 32),
        ),
        ("missing.csv", row("spaces/A,,,,").into_bytes(), place("missing-value", 3, 10, 10)),
        ("short.csv", row("spaces/A,b@example.com").into_bytes(), place("ragged-line", 3, 23, 23)),
        (
            "long.csv",
            row("A,b@example.com,,2021-01-01T00:00:00Z,,x,y").into_bytes(),
            place("ragged-line", 3, 40, 43),
        ),
        ("latin.csv", [HEADER.as_bytes(), b"A,j\xfcrgen@b.cd,,,\n"].concat(), place("not-utf-8", 2, 4, 5)),
        ("header.csv", b"space,Membr,deleteTime\nA,b,\n".to_vec(), place("missing-column", 1, 7, 12)),
        ("slip.csv", b"space,member,deletTime\nA,b,\n".to_vec(), place("similar-column", 1, 14, 23)),
        ("unclosed.csv", row("A,\"b@example.com,,,").into_bytes(), place("unclosed-quote", 3, 3, 20)),
        ("rows.jsonl", broken.as_bytes().to_vec(), place("bad-time", 1, 60, 67)),
        ("cut.jsonl", b"{\"space\":\"spaces/A\"\n".to_vec(), place("broken-json", 1, 19, 20)),
        (
            "overlap.csv",
            row("A,a@example.com,2020-06-01T00:00:00Z,2022-01-01T00:00:00Z,").into_bytes(),
            place("overlap", 3, 17, 37),
        ),
    ] {
        room.write(name, content);
        let found = places(&json(&room, &[name], 4));
        assert_eq!(found.first(), Some(&expected), "{name}");
    }
    // What comes through a pipe has its line, too, but for what only shows when all of it is read.
    let run = room.tenure_fed(&["check", "--progress", "none", "-"], late).expect(4);
    assert!(
        run.err.contains("--> <stdin>:3:27\n  |\n3 | spaces/A,jörg@example.com,2021-13-05"),
        "{}",
        run.err
    );
    assert!(run.err.contains("\n  |                           ^^^^^^^^^^^^^^^^^^^^\n"), "{}", run.err);
}

#[test]
fn likely_meanings() {
    let room = Room::new();
    let rows = [
        "A,a@example.com,,1614936600,",
        "A,b@example.com,,1614936600000,",
        "A,c@example.com,,44260.395833,",
        "A,d@example.com,,2021-03-05 09:30:00,",
        "A,e@example.com,,05.03.2021 09:30,",
    ];
    room.write("rows.csv", format!("{HEADER}{}\n", rows.join("\n")));
    room.tenure(&["check", "rows.csv"]).expect(4).says(&[
        "is it seconds since 1970, 2021-03-05T09:30:00Z? if all times are so, give --time-format epoch-s",
        "is it milliseconds since 1970, 2021-03-05T09:30:00Z? if all times are so, give --time-format epoch-ms",
        "is it a spreadsheet's day number, 2021-03-05T09:29:59Z?",
        "or give --timezone",
        "write year, month and day in this order",
    ]);
    room.write("slip.csv", "space,Member Id,delete_tme\nA,b,\n");
    room.tenure(&["check", "slip.csv"])
        .expect(4)
        .says(&["did you mean the column \"Member Id\"? rename it to member"]);
}

#[test]
fn many_problems_are_folded() {
    let room = Room::new();
    let rows: String = (0..500).map(|number| format!("#general,p{number}@example.com,,,\n")).collect();
    room.write("rows.csv", format!("{HEADER}{rows}"));
    let run = room.tenure(&["check", "--progress", "none", "rows.csv"]).expect(4);
    assert_eq!(run.err.matches("error[bad-space]").count(), 3, "{}", run.err);
    let note = "= note: and 497 more like it: lines 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, …\n";
    assert!(run.err.contains(note), "{}", run.err);
    assert_eq!(run.out.lines().last(), Some("500 problems; nothing may be sent before they are mended."));
    let object = json(&room, &["rows.csv"], 4);
    assert_eq!((&object["errors"], &object["kinds"][0]["count"]), (&500.into(), &500.into()));
    assert_eq!(object["kinds"][0]["more"].as_array().unwrap().len(), 10);
}

#[test]
fn warnings_stop_nothing() {
    let room = Room::new();
    room.write("map.csv", "name,space,createTime\n#a,spaces/A,2020-01-01T00:00:00Z\n");
    let rows = [
        "#a,a@example.com,2020-01-01T00:00:00Z,2020-06-01T00:00:00Z,",
        "#a,a@example.com,2021-01-01T00:00:00Z,2021-06-01T00:00:00Z,",
        "#a,b@example.com,2019-01-01T00:00:00Z,2021-01-01T00:00:00Z,",
        "#a,c@elsewhere.org,2020-02-01T00:00:00Z,2021-01-01T00:00:00Z,",
        "#a,d@elsewhere.org,2020-02-01T00:00:00Z,,",
        "#a,e@example.com,2020-02-01T00:00:00Z,,",
    ];
    room.write("rows.csv", format!("{HEADER}{}\n", rows.join("\n")));
    let options = ["rows.csv", "--spaces", "map.csv", "--domain", "example.com"];
    let run = room.tenure(&args(&[&["check", "--progress", "none"], &options], &[])).expect(0);
    insta::assert_snapshot!(run.said());
    let object = json(&room, &options, 0);
    assert_eq!((&object["errors"], &object["warnings"]), (&0.into(), &5.into()));
    let mut kinds = places(&object);
    kinds.sort();
    let place = |kind: &str, line, column, end| (kind.to_owned(), line, column, end);
    assert_eq!(
        kinds,
        [
            place("before-space", 4, 18, 38),
            place("open-row", 6, 41, 41),
            place("outside-domain", 5, 4, 19),
            place("several-stints", 3, 18, 38),
        ]
    );
    let import = ["import", "rows.csv", "--spaces", "map.csv", "--domain", "example.com", "--dry-run"];
    room.tenure(&import).expect(0).says(&["warning[outside-domain]", "5 warnings, which stop nothing"]);
}

#[test]
fn annotations_of_a_workflow() {
    let room = Room::new();
    room.write("rows.csv", format!("{HEADER}A,\"b@example.com\",,\"100 %, never\",\nA,c@example.com,,,\n"));
    let run = room.tenure(&["check", "--github", "--progress", "none", "rows.csv"]).expect(4);
    insta::assert_snapshot!(run.out);
    assert!(run.err.contains("1 problem; nothing may be sent"), "{}", run.err);
    room.tenure(&["check", "--github", "--json", "rows.csv"]).expect(2);
}

#[test]
fn on_a_terminal_it_is_coloured_and_fits() {
    let room = Room::new();
    let long = "x".repeat(300);
    room.write("rows.csv", format!("note,{HEADER}{long},A,b@example.com,,05.03.2021 09:30,\n"));
    for (columns, no_color) in [(60, ""), (80, "NO_COLOR=1"), (120, "")] {
        let binary = env!("CARGO_BIN_EXE_tenure");
        let line =
            format!("stty rows 40 cols {columns}; {no_color} {binary} check --progress none rows.csv; true");
        let pty = Command::new("script")
            .args(["-q", "-e", "-c", &line, "/dev/null"])
            .current_dir(room.path())
            .env("TERM", "xterm")
            .env_remove("NO_COLOR")
            .stdin(Stdio::null())
            .output();
        // Not every machine has script(1).
        let Ok(output) = pty else { return };
        let shown = String::from_utf8(output.stdout).unwrap().replace("\r\n", "\n");
        assert_eq!(shown.contains("\u{1b}[31m"), no_color.is_empty(), "{shown:?}");
        let plain = console::strip_ansi_codes(&shown);
        for line in plain.lines() {
            assert!(line.chars().count() <= columns, "{columns}: {line:?}");
        }
        assert!(plain.contains("A,b@example.com,,05.03.2021 09:30,"), "{plain}");
    }
}

#[test]
fn a_key_that_tells_the_end_under_another_name_is_warned_of() {
    let room = Room::new();
    let row = r#"{"space":"A","member":"a@b.cd","createTime":"2020-01-01T00:00:00Z","left":"2021-01-01T00:00:00Z"}"#;
    room.write("rows.jsonl", format!("{row}\n"));
    let warning =
        "left: it is not read, and beside it there is no deleteTime: the row counts as a member to this day";
    let run = room.tenure(&["check", "rows.jsonl"]).expect(0);
    let underlined = format!("{}^^^^^^^^^^^^^^^^^^^^^^\n", " ".repeat(74));
    assert!(run.err.contains(warning) && run.err.contains(&underlined), "{}", run.err);
    let run = room.tenure(&["import", "rows.jsonl", "--emulator", "--dry-run"]).expect(0);
    assert!(run.err.contains(warning), "{}", run.err);
}

#[test]
fn keys_of_which_nothing_is_made_are_named_as_columns_are() {
    let room = Room::new();
    let rows = [
        r#"{"space":"A","member":"a@b.cd","deleteTime":"2021-01-01T00:00:00Z","team":7}"#,
        r#"{"name":"spaces/A/members/1","member":{"name":"users/1"},"state":"JOINED","deleteTime":"2021-01-01T00:00:00Z"}"#,
        r#"{"space":"A","member":"b@b.cd","left":"2021-01-01T00:00:00Z","team":8}"#,
    ];
    room.write("rows.jsonl", rows.join("\n"));
    // Of `left` more is said already.
    let said = "rows.jsonl: keys kept, but not used: state, team warning";
    for command in [&["check", "rows.jsonl"][..], &["import", "rows.jsonl", "--emulator", "--dry-run"]] {
        room.tenure(command).expect(0).says(&[said]);
    }
    room.write("one.jsonl", rows[0]);
    room.tenure(&["check", "one.jsonl"]).expect(0).says(&["one.jsonl: key kept, but not used: team"]);
}

#[test]
fn a_dry_run_that_leaves_rows_out_says_so() {
    let room = Room::new();
    room.write("rows.csv", "space,member,deleteTime\nA,a@example.com,2021-01-01T00:00:00Z\n#b,b,c\n");
    let dry = ["import", "rows.csv", "--emulator", "--dry-run"];
    room.tenure(&dry).expect(4).says(&["nothing may be sent before they are mended."]);
    let run = room.tenure(&[&dry[..], &["--skip-invalid"]].concat()).expect(3);
    let run = run.says(&["problems; their rows are left out, as --skip-invalid says."]);
    assert!(!run.said().contains("nothing may be sent"), "{}", run.said());
}

#[test]
fn a_space_whose_time_is_over_is_told() {
    let room = Room::new();
    let row = "A,a@example.com,2020-01-01T00:00:00Z,2021-01-01T00:00:00Z\n";
    room.write("rows.csv", format!("space,member,createTime,deleteTime\n{row}"));
    room.write("map.csv", "name,space,importModeExpireTime\nA,spaces/A,2021-06-01T00:00:00Z\n");
    let report = json(&room, &["rows.csv", "--spaces", "map.csv"], 0);
    assert_eq!(report["kinds"][0]["kind"], "expired-space", "{report}");
    for pace in [&[][..], &["--writes-per-minute", "0"]] {
        let plan = room.tenure(&[&["plan", "rows.csv", "--spaces", "map.csv"], pace].concat()).expect(0);
        plan.says(&["90 days It is too late: the first space was deleted on"]);
    }
}

#[test]
fn standard_input_has_one_name() {
    let room = Room::new();
    let stints = "space,member,createTime,deleteTime\n\
                  A,a@example.com,2018-01-01T00:00:00Z,2019-01-01T00:00:00Z\n\
                  A,a@example.com,2020-01-01T00:00:00Z,2021-01-01T00:00:00Z\n";
    for command in [&["check", "-"][..], &["check", "-", "--github"]] {
        let run = room.tenure_fed(command, stints).expect(0);
        assert!(run.said().contains("<stdin>") && !run.said().contains("(reading"), "{}", run.said());
    }
}
