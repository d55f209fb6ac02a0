//! Input as it comes: the message for each way in which a file can be wrong, and every spelling that is right.

use std::io::Write as _;

use crate::secrets::Secrets;
use crate::support::{Room, UNPACED, a_key, args, asked_for, people};

const HEADER: &str = "space,member,createTime,deleteTime,role\n";
const GOOD: &str = "spaces/A,a@example.com,2020-01-01T00:00:00Z,2021-01-01T00:00:00Z,\n";

/// What `check` says of each file on standard error, under the file's name.
fn checked(files: &[(&str, &[u8])]) -> String {
    let room = Room::new();
    let mut said = String::new();
    for (name, content) in files {
        room.write(name, content);
        let run = room.tenure(&["check", "--progress", "none", name]).expect(4);
        assert!(run.out.contains(" problem"), "{name}: {}", run.out);
        said += &format!("== {name}\n{}", run.err);
    }
    said
}

fn utf16(text: &str) -> Vec<u8> {
    let mut bytes = vec![0xff, 0xfe];
    bytes.extend(text.encode_utf16().flat_map(u16::to_le_bytes));
    bytes
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// A zstd frame of one raw block (RFC 8878): magic number, header of a single segment, block, no checksum.
fn zstd(bytes: &[u8]) -> Vec<u8> {
    let length = u32::try_from(bytes.len()).unwrap();
    let mut frame = vec![0x28, 0xb5, 0x2f, 0xfd, 0b1010_0000];
    frame.extend(length.to_le_bytes());
    frame.extend(&(length << 3 | 1).to_le_bytes()[..3]);
    frame.extend(bytes);
    frame
}

#[test]
fn headers_that_cannot_be_used() {
    let row = "\nspaces/A,a@example.com,2020-01-01T00:00:00Z,2021-01-01T00:00:00Z,\n";
    let header = |header: &str| format!("{header}{row}").into_bytes();
    insta::assert_snapshot!(checked(&[
        ("empty.csv", b""),
        ("bom-alone.csv", b"\xef\xbb\xbf"),
        ("blank.csv", b"\n\n\n"),
        ("header-alone.csv", HEADER.as_bytes()),
        ("no-header.csv", GOOD.as_bytes()),
        ("missing.csv", &header("space,person,createTime,deleteTime,role")),
        ("doubled.csv", &header("space,member,createTime,deleteTime,space")),
        ("two-spellings.csv", &header("space,member,createTime,create_time,role")),
        ("slip.csv", &header("space,member,createTime,deletTime,role")),
        ("unnamed.csv", &header("space,member,createTime,deleteTime,")),
        ("json.csv", b"{\"space\":\"spaces/A\",\"member\":\"a@example.com\"}\n"),
    ]));
}

#[test]
fn bytes_that_are_no_text() {
    let line = |middle: &[u8]| [HEADER.as_bytes(), middle, GOOD.as_bytes()].concat();
    let long = format!("spaces/A,{}@example.com,,,\n", "a".repeat(2 << 20));
    let mut cut = gzip(&line(b""));
    cut.truncate(cut.len() - 12);
    let mut torn = zstd(&line(b""));
    torn.truncate(torn.len() - 12);
    insta::assert_snapshot!(checked(&[
        ("latin-1.csv", &line(b"spaces/A,j\xfcrgen@example.com,,2021-01-01T00:00:00Z,\n")),
        ("nul.csv", &line(b"spaces/A,b\0b@example.com,,2021-01-01T00:00:00Z,\n")),
        ("long.csv", &line(long.as_bytes())),
        ("zip.csv", b"PK\x03\x04\x14\x00\x06\x00\x08\x00\x00\x00!\x00rest of a workbook"),
        ("utf-16-without-bom.csv", &utf16(HEADER)[2..]),
        ("cut.csv.gz", &cut),
        ("torn.csv.zst", &torn),
    ]));
}

#[test]
fn lines_that_are_no_rows() {
    let line = |middle: &str| format!("{HEADER}{middle}\n{GOOD}").into_bytes();
    insta::assert_snapshot!(checked(&[
        ("short.csv", &line("spaces/A,b@example.com")),
        ("long.csv", &line("spaces/A,b@example.com,2020-01-01T00:00:00Z,,,x,y")),
        ("after-quote.csv", &line("spaces/A,\"b\"@example.com,,,")),
        ("unclosed.csv", &line("spaces/A,\"b@example.com,,,")),
        ("no-values.csv", &line(",,,,")),
    ]));
}

#[test]
fn values_that_chat_would_refuse() {
    let line = |middle: &str| format!("{HEADER}{middle}\n").into_bytes();
    insta::assert_snapshot!(checked(&[
        ("bad-time.csv", &line("spaces/A,b@example.com,2021-13-05T00:00:00Z,2021-02-30T00:00:00Z,")),
        ("no-zone.csv", &line("spaces/A,b@example.com,,2021-01-01 10:00:00,")),
        ("epoch.csv", &line("spaces/A,b@example.com,1583400000,1614936000000,")),
        ("same.csv", &line("spaces/A,b@example.com,2021-01-01T00:00:00Z,2021-01-01T01:00:00+01:00,")),
        ("reversed.csv", &line("spaces/A,b@example.com,2021-01-01T00:00:01Z,2021-01-01T00:00:00Z,")),
        ("early.csv", &line("spaces/A,b@example.com,1999-12-31T23:59:59.999999Z,2021-01-01T00:00:00Z,")),
        ("role.csv", &line("spaces/A,b@example.com,,,manager")),
        ("names.csv", &line("#general,bob,,2021-01-01T00:00:00Z,")),
        ("unseen.csv", &line("spaces/A,users/ma\u{200b}ria@example.com,,2021-01-01T00:00:00Z,")),
        ("turned.csv", &line("spaces/A,maria@example.com\u{202e},,2021-01-01T00:00:00Z,")),
        ("link.csv", &line("spaces/A,mailto:maria@example.com,,2021-01-01T00:00:00Z,")),
        ("blanks.csv", &line(" spaces/A,b@example.com ,,2021-01-01T00:00:00Z,")),
        ("several.csv", &line("spaces/A/B,@example.com,yesterday,tomorrow,boss")),
    ]));
}

#[test]
fn the_future_is_refused() {
    let room = Room::new();
    room.write("rows.csv", format!("{HEADER}spaces/A,b@example.com,,2199-12-31T00:00:00Z,\n"));
    let run = room.tenure(&["check", "rows.csv"]).expect(4);
    assert!(run.err.contains("deleteTime: it is 2199-12-31T00:00:00Z, which is"), "{}", run.err);
    assert!(run.err.contains("which is still to come"), "{}", run.err);
    assert!(run.err.contains("help: leave it empty for somebody who is still a member"), "{}", run.err);
}

#[test]
fn jsonl_that_cannot_be_used() {
    let good = r#"{"space":"spaces/A","member":"a@example.com","deleteTime":"2021-01-01T00:00:00Z"}"#;
    let line = |line: &str| format!("{good}\n{line}\n").into_bytes();
    let deep = format!("{{\"space\":{}1{}}}", "[".repeat(200), "]".repeat(200));
    insta::assert_snapshot!(checked(&[
        ("empty.jsonl", b""),
        ("broken.jsonl", &line(r#"{"space":"spaces/A","member":"#)),
        ("array.jsonl", &line(r#"["spaces/A","a@example.com"]"#)),
        ("deep.jsonl", &line(&deep)),
        ("doubled.jsonl", &line(r#"{"space":"spaces/A","space":"spaces/B","member":"b@example.com"}"#)),
        ("type.jsonl", &line(r#"{"space":7,"member":"b@example.com"}"#)),
        ("missing.jsonl", &line(r#"{"space":"spaces/A"}"#)),
        (
            "says-two-things.jsonl",
            &line(r#"{"space":"spaces/B","name":"spaces/A/members/1","member":{"name":"users/1"}}"#)
        ),
    ]));
}

#[test]
fn files_that_are_not_there() {
    let room = Room::new();
    std::fs::create_dir(room.file("folder.csv")).unwrap();
    let run = room.tenure(&["check", "--progress", "none", "nowhere.csv", "folder.csv"]).expect(4);
    insta::assert_snapshot!(run.err);
}

#[test]
fn rows_that_do_not_go_together() {
    let line = |lines: &str| format!("{HEADER}{GOOD}{lines}\n").into_bytes();
    insta::assert_snapshot!(checked(&[
        ("overlap.csv", &line("spaces/A,A@Example.com,2020-12-31T23:59:59Z,2021-06-01T00:00:00Z,")),
        ("open-overlap.csv", &line("spaces/A,users/a@example.com,2020-06-01T00:00:00Z,,")),
        (
            "other-role.csv",
            &line("A,a@example.com,2020-01-01T01:00:00+01:00,2021-01-01T00:00:00Z,ROLE_MANAGER")
        ),
    ]));
    // One after the other, without a gap, is no overlap; the same row again is a duplicate.
    let room = Room::new();
    room.write("next.csv", line("spaces/A,a@example.com,2021-01-01T00:00:00Z,2021-06-01T00:00:00Z,"));
    room.tenure(&["check", "next.csv"]).expect(0);
    room.write(
        "again.csv",
        line("A,users/A@EXAMPLE.com,2020-01-01T02:00:00.000+02:00,2021-01-01T00:00:00Z,"),
    );
    let run = room.tenure(&["check", "again.csv"]).expect(0);
    assert!(run.out.contains("2 rows read: 1 to send, 1 repeating another"), "{}", run.out);
}

#[test]
fn the_same_rows_in_every_spelling() {
    let room = Room::new();
    let rows = people(7, 3);
    let plain = room.write("plain.csv", &rows);
    let wanted = asked_for(&plain);
    let tabs = rows.replace(',', "\t");
    let json: String = rows
        .lines()
        .skip(1)
        .map(|line| {
            let [space, member, create, delete] = line.split(',').collect::<Vec<_>>()[..] else { panic!() };
            format!(
                "{{\"space\":\"{space}\",\"member\":\"{member}\",\"create_time\":\"{create}\",\"deleteTime\":\"{delete}\"}}\n"
            )
        })
        .collect();
    let files: [(&str, Vec<u8>); 11] = [
        ("semicolons.csv", rows.replace(',', ";").into_bytes()),
        ("tabs.csv", tabs.clone().into_bytes()),
        ("tabs.tsv", tabs.into_bytes()),
        ("bom.csv", [b"\xef\xbb\xbf", rows.as_bytes()].concat()),
        ("windows.csv", rows.replace('\n', "\r\n").into_bytes()),
        ("snake.csv", rows.replace("createTime", "create_time").into_bytes()),
        ("utf-16.csv", utf16(&rows)),
        ("packed.csv.gz", gzip(rows.as_bytes())),
        ("packed.csv.zst", zstd(rows.as_bytes())),
        ("lines.jsonl", json.clone().into_bytes()),
        ("lines.jsonl.gz", gzip(json.as_bytes())),
    ];
    for (name, bytes) in files {
        room.write(name, bytes);
    }
    // All of them at once: whatever is read alike is a duplicate.
    let names: Vec<String> = room.files().into_iter().filter(|name| name != "plain.csv").collect();
    let import = args(&[&["import", "plain.csv", "--emulator", "--journal", "j.db"], &UNPACED], &names);
    room.tenure(&import).expect(0);
    assert_eq!(room.held("j.db.emulator"), wanted);
    let status = room.status("j.db");
    assert_eq!((&status["rows"]["total"], &status["rows"]["duplicate"]), (&7.into(), &77.into()));
}

#[test]
fn standard_input() {
    let room = Room::new();
    let rows = people(3, 1);
    let import = args(&[&["import", "-", "--emulator", "--journal", "j.db"], &UNPACED], &[]);
    room.tenure_fed(&import, rows.clone()).expect(0);
    room.write("rows.csv", &rows);
    assert_eq!(room.held("j.db.emulator"), asked_for(&room.file("rows.csv")));
    let json = r#"{"space":"A","member":"x@example.com","deleteTime":"2021-01-01T00:00:00Z"}"#;
    let run = room.tenure_fed(&["check", "--format", "jsonl", "-"], json).expect(0);
    assert!(run.out.starts_with("1 row read: 1 to send"), "{}", run.out);
    let run = room.tenure_fed(&["check", "-"], "space,member\n#x,y\n").expect(4);
    assert!(run.err.contains("--> <stdin>:2:1\n"), "{}", run.err);
}

#[test]
fn names_and_times_of_a_legacy_system() {
    let room = Room::new();
    room.write("spaces.csv", "name,space\n#general,spaces/AAQAoEN0arv\n#küche,spaces/AAQAKSRC7it\n");
    room.write(
        "users.csv",
        "id,member,name\n\
         U16BE86A02,anna.schneider@example.com,Anna Schneider\n\
         U7A9FD493,jürgen.müller@example.com,Jürgen Müller\n",
    );
    room.write(
        "legacy-ids.csv",
        "space;member;createTime;deleteTime;role\n\
         #general;U16BE86A02;2016-01-10 09:00;2018-09-20 17:30;\n\
         #küche;U7A9FD493;2016-07-16 09:06;2018-03-26 17:30;\n\
         #general;U7A9FD493;2020-06-15 09:13;;ROLE_MANAGER\n",
    );
    let (rows, maps) = ("legacy-ids.csv", ["--spaces", "spaces.csv", "--users", "users.csv"]);
    let run = room.tenure(&args(&[&["check", rows, "--timezone", "Europe/Zurich"], &maps], &[])).expect(0);
    assert!(run.out.starts_with("3 rows read: 2 to send, 1 open"), "{}", run.out);
    room.tenure(&args(
        &[&["import", rows, "--timezone", "Europe/Zurich", "--emulator"], &maps, &UNPACED],
        &[],
    ))
    .expect(0);
    let held = room.held("legacy-ids.csv.journal.db.emulator");
    assert_eq!(held.len(), 2);
    // 2016-01-10 09:00 in Zurich.
    assert!(
        held.iter()
            .any(|(_, member, begin, _)| member == "anna.schneider@example.com"
                && *begin == 1_452_412_800_000_000),
        "{held:?}"
    );
    // Without the maps, without the zone: each says what is missing.
    let run = room.tenure(&args(&[&["check", rows], &maps], &[])).expect(4);
    assert!(run.err.contains("or give --timezone"), "{}", run.err);
    let run = room.tenure(&["check", rows, "--timezone", "Europe/Zurich"]).expect(4);
    assert!(
        run.err.contains("give --spaces MAP.csv") && run.err.contains("give --users MAP.csv"),
        "{}",
        run.err
    );
}

#[test]
fn maps_that_cannot_be_used() {
    let room = Room::new();
    room.write("rows.csv", format!("{HEADER}#general,U1,,2021-01-01T00:00:00Z,\n"));
    room.write("empty.csv", "");
    room.write("conflict.csv", "name,space\n#general,spaces/A\n#general,spaces/B\n");
    room.write("wrong.csv", "id,member\nU1,nobody\n");
    room.write("other.csv", "name,space\n#random,spaces/A\n");
    let mut said = String::new();
    for maps in [
        &["--spaces", "nowhere.csv"][..],
        &["--spaces", "empty.csv", "--users", "wrong.csv"],
        &["--spaces", "conflict.csv"],
        &["--users", "other.csv"],
        &["--spaces", "other.csv"],
    ] {
        let run = room.tenure(&args(&[&["check", "--progress", "none", "rows.csv"], maps], &[])).expect(4);
        said += &format!("== {}\n{}", maps.join(" "), run.said());
    }
    insta::assert_snapshot!(said);
}

#[test]
fn epochs() {
    let room = Room::new();
    room.write("s.csv", format!("{HEADER}spaces/A,a@example.com,1583400000.5,1614936000,\n"));
    room.write("ms.csv", format!("{HEADER}spaces/A,a@example.com,1583400000500,1614936000000,\n"));
    for (file, format) in [("s.csv", "epoch-s"), ("ms.csv", "epoch-ms")] {
        let import = ["import", file, "--time-format", format, "--emulator"];
        room.tenure(&args(&[&import, &UNPACED], &[])).expect(0);
        let held = room.held(&format!("{file}.journal.db.emulator"));
        assert_eq!((held[0].2, held[0].3), (1_583_400_000_500_000, 1_614_936_000_000_000));
    }
    // Mixing the two up is noticed.
    room.tenure(&["check", "ms.csv", "--time-format", "epoch-s"]).expect(4);
    room.tenure(&["check", "s.csv", "--time-format", "epoch-ms"]).expect(4);
}

#[test]
fn a_journal_given_as_input_is_told_from_a_table() {
    let room = Room::new();
    room.write("rows.csv", people(2, 1));
    room.tenure(&["import", "rows.csv", "--emulator", "--journal-only", "--journal", "my run.db"]).expect(0);
    for command in [
        &["check", "my run.db"][..],
        &["import", "my run.db", "--emulator"],
        &["spaces", "create", "my run.db"],
    ] {
        room.tenure(command).expect(4).says(&[
            "it is a journal, or another database of SQLite, and no table of rows",
            "`tenure resume 'my run.db'` goes on with them, `tenure status 'my run.db'` says where they stand",
        ]);
    }
    assert_eq!(room.files(), ["my run.db", "rows.csv"]);
}

#[test]
fn a_json_list_is_told_how_to_become_jsonl() {
    let room = Room::new();
    let row = r#"{"space":"A","member":"a@b.cd","deleteTime":"2021-01-01T00:00:00Z"}"#;
    let list = |between: &str| format!("[{between}{row},{between}{row}{between}]\n");
    room.write("a b.json", list(""));
    room.write("pretty.json", list("\n  "));
    room.write("list.csv", list(""));
    room.write("list.jsonl", list("\n"));
    let what = "it is one JSON list, and neither CSV nor JSONL";
    for (args, how) in [
        (&["a b.json"][..], "make JSONL of it, one object a line: jq -c '.[]' 'a b.json' > 'a b.jsonl'"),
        (&["pretty.json"], "jq -c '.[]' pretty.json > pretty.jsonl"),
        (&["pretty.json", "--format", "jsonl"], "jq -c '.[]' pretty.json > pretty.jsonl"),
        (&["list.csv"], "jq -c '.[]' LIST.json > ROWS.jsonl"),
        (&["list.jsonl"], "jq -c '.[]' LIST.json > ROWS.jsonl"),
    ] {
        room.tenure(&[&["check"], args].concat()).expect(4).says(&[what, how]);
    }
    room.tenure_fed(&["check", "-"], list(" "))
        .expect(4)
        .says(&[what, "put jq -c '.[]' before this command"]);
    // A line of JSONL that is a list is one bad line among others.
    room.write("line.jsonl", format!("[{row}]\n{row}\n"));
    room.tenure(&["import", "line.jsonl", "--emulator", "--skip-invalid"])
        .expect(3)
        .says(&["1 invalid row skipped"]);
}

#[test]
fn a_key_file_given_as_input_goes_nowhere() {
    let room = Room::new();
    room.write("key.json", a_key());
    let key: serde_json::Value = serde_json::from_str(a_key()).unwrap();
    room.write("key.pem", key["private_key"].as_str().unwrap());
    let row = |member: &str| serde_json::json!({ "space": "A", "member": member, "deleteTime": "2024-01-01T00:00:00Z" });
    let pem = key["private_key"].as_str().unwrap();
    room.write("rows.jsonl", format!("{}\n{}\n", row("nobody"), row(pem)));
    room.write("rows.csv", format!("space,member,deleteTime\nA,nobody,\nA,\"{pem}\",2024-01-01T00:00:00Z\n"));
    let secrets = Secrets::of(&room, &["key.json"]);
    let mut runs = Vec::new();
    for (file, line) in [("key.json", 0), ("key.pem", 1), ("rows.jsonl", 2), ("rows.csv", 3)] {
        for command in [
            &["check", file][..],
            &["check", "--json", file],
            &["plan", file],
            &["import", file, "--emulator", "--skip-invalid", "--log", "calls.jsonl"],
            &["import", file, "--emulator", "--dry-run", "--skip-invalid"],
        ] {
            let run = room.tenure(command).expect(4);
            let line = if line == 0 {
                "holds a private key".to_owned()
            } else {
                format!("line {line} holds a private key")
            };
            runs.push(run.says(&[&line, "nothing of it was kept", "it is named with --credentials"]));
        }
        assert!(!room.file(&format!("{file}.journal.db")).exists());
    }
    for file in ["key.pem", "rows.jsonl", "rows.csv"] {
        std::fs::remove_file(room.file(file)).unwrap();
    }
    secrets.are_not_shown(&room, &runs.iter().collect::<Vec<_>>());
}
