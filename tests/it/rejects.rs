//! Rows that were refused come back in the input's own columns, and mended ones can be fed back.

use crate::report::report;
use crate::support::{Emulator, Room, Run, SAMPLES, STORE, UNPACED, args};

/// Rejects as CSV: the header, and the rows by column.
fn table(text: &str, delimiter: u8) -> (Vec<String>, Vec<Vec<String>>) {
    let mut reader = csv::ReaderBuilder::new().delimiter(delimiter).from_reader(text.as_bytes());
    let list = |record: &csv::StringRecord| record.iter().map(str::to_owned).collect::<Vec<_>>();
    let header = list(reader.headers().unwrap());
    (header, reader.records().map(|record| list(&record.unwrap())).collect())
}

#[test]
fn invalid_rows_are_left_out_and_given_back() {
    let room = Room::new();
    let (broken, spaces) = (format!("{SAMPLES}/broken.csv"), format!("{SAMPLES}/spaces.csv"));
    let import = ["import", &broken, "--spaces", &spaces, "--emulator", "--skip-invalid"];
    let run = room.tenure(&args(&[&import, &UNPACED], &[])).expect(3);
    assert!(
        run.err.contains("14 invalid rows skipped; `tenure rejects broken.csv.journal.db` shows why"),
        "{}",
        run.err
    );
    let rows = room.status("broken.csv.journal.db")["rows"].clone();
    assert_eq!((&rows["done"], &rows["rejected"], &rows["open"]), (&23.into(), &14.into(), &18.into()));
    assert_eq!(room.held("broken.csv.journal.db.emulator").len(), 23);

    let run = room.tenure(&["rejects", "broken.csv.journal.db"]).expect(0);
    let (header, rejects) = table(&run.out, b',');
    assert_eq!(
        header,
        [
            "space",
            "member",
            "createTime",
            "deleteTime",
            "role",
            "note",
            "raw",
            "error",
            "status",
            "attempts",
            "replaces"
        ]
    );
    assert_eq!(rejects.len(), 14);
    // As they were typed, not as they were read.
    let named = |note: &str| rejects.iter().find(|row| row[5] == note).unwrap_or_else(|| panic!("{note}"));
    let time = named("a time as people write it");
    assert_eq!(time[1..4], ["bo@example.com", "01.03.2019 09:00", "2019-08-30T16:00:00.000219Z"]);
    assert_eq!(
        time[7..10],
        [
            "bad-time: createTime \"01.03.2019 09:00\": it is not an RFC 3339 time such as 2021-03-05T09:30:00Z",
            "",
            "0"
        ]
    );
    // With where the line stands, whatever becomes of this table.
    let place = time[10].strip_prefix(std::fs::canonicalize(&broken).unwrap().to_str().unwrap()).unwrap();
    let line = std::fs::read_to_string(&broken)
        .unwrap()
        .lines()
        .position(|line| line.contains("01.03.2019"))
        .unwrap();
    assert_eq!(place, format!(":{}", line + 1));
    assert_eq!(named("a channel that is called otherwise")[0], "kueche");
    assert!(named("which overlap")[7].starts_with("overlap: "));
    // A line that could not be taken apart stands whole in a column of its own.
    let ragged = rejects.iter().find(|row| row[7].starts_with("ragged-line")).unwrap();
    assert_eq!(ragged[..6], [""; 6]);
    assert!(ragged[6].ends_with(",2018-06-29T17:00:00.000555Z,a delimiter is missing"));
}

#[test]
fn a_line_that_could_not_be_taken_apart_is_no_row_before_it_is_mended() {
    let room = Room::new();
    room.write("rows.csv", "space,member,deleteTime\nA,a@b.cd,2021-01-01T00:00:00Z\nA,b@b.cd\n");
    let import = |file| {
        let import = ["import", file, "--emulator", "--skip-invalid", "--journal", "j.db"];
        room.tenure(&args(&[&import, &UNPACED], &[]))
    };
    import("rows.csv").expect(3);
    room.tenure(&["rejects", "j.db", "-o", "rejects.csv"]).expect(0);
    let text = room.read("rejects.csv");
    assert!(text.contains("\n,,,\"A,b@b.cd\",\"ragged-line: "), "{text}");
    // As it is, it is refused again, and comes back the same.
    import("rejects.csv").expect(3);
    let again = room.tenure(&["rejects", "j.db"]).expect(0).out;
    assert!(again.contains("\n,,,\"A,b@b.cd\",blank-row: ") && again.lines().count() == 2, "{again}");
    room.write("mended.csv", text.replace("\n,,,", "\nA,b@b.cd,2021-01-02T00:00:00Z,"));
    import("mended.csv").expect(0).says(&["1 refused row replaced by what was fed back"]);
    assert_eq!(room.status("j.db")["rows"]["done"], 2);
}

#[test]
fn what_chat_refused_comes_back_to_be_mended() {
    let room = Room::new();
    room.write(
        "rows.csv",
        "mail;space;member;deleteTime;why\n\
         1;AAQA;Users@example.com;2021-01-01T00:00:00+01:00;fine\n\
         2;AAQA;Anna@Example.invalid;2021-01-02T00:00:00+01:00;\"she; \"\"left\"\"\"\n\
         3;spaces/AAQA;users/bob@example.invalid;2021-01-03T00:00:00.5Z;no account\n",
    );
    let import = args(&[&["import", "rows.csv", "--emulator"], &UNPACED], &[]);
    room.tenure(&import).expect(3);
    let run = room.tenure(&["rejects", "rows.csv.journal.db", "-o", "rejects.csv"]).expect(0);
    assert_eq!(run.out, "");
    let text = room.read("rejects.csv");
    let (header, rejects) = table(&text, b';');
    assert_eq!(
        header,
        ["mail", "space", "member", "deleteTime", "why", "error", "status", "attempts", "replaces"]
    );
    assert_eq!(
        rejects[0][..5],
        ["2", "AAQA", "Anna@Example.invalid", "2021-01-02T00:00:00+01:00", "she; \"left\""]
    );
    assert_eq!(
        rejects[1][..5],
        ["3", "spaces/AAQA", "users/bob@example.invalid", "2021-01-03T00:00:00.5Z", "no account"]
    );
    assert!(rejects[0][5].starts_with("INVALID_ARGUMENT: Missing or malformed user resource name"), "{text}");
    assert_eq!(rejects[0][6..8], ["400", "1"]);

    // Mended and fed back, only they are sent.
    room.write("mended.csv", text.replace(".invalid", ".com"));
    let run =
        room.tenure(&["import", "mended.csv", "--emulator", "--journal", "rows.csv.journal.db"]).expect(0);
    assert!(run.out.starts_with("Done: 2 rows settled"), "{}{}", run.out, run.err);
    assert!(run.err.contains("2 refused rows replaced by what was fed back"), "{}", run.err);
    assert!(run.err.contains("kept, but not used: mail, why, error, status, attempts\n"), "{}", run.err);
    let held = room.held("rows.csv.journal.db.emulator");
    let members: Vec<_> = held.iter().map(|held| held.1.as_str()).collect();
    assert_eq!(members, ["anna@example.com", "bob@example.com", "users@example.com"]);
}

#[test]
fn rejects_of_jsonl_are_jsonl() {
    let room = Room::new();
    room.write(
        "rows.jsonl",
        concat!(
            r#"{"space":"A","member":"x@example.invalid","deleteTime":"2021-01-01T00:00:00Z","team":{"id":7}}"#,
            "\n",
            r#"{"name":"spaces/A/members/123","member":{"name":"users/123","type":"HUMAN"},"deleteTime":"2021-01-01T00:00:00Z"}"#,
            "\n",
            "{\"space\":\n",
            r#"{"name":"spaces/A/members/9","member":{"name":"users/zz@example.invalid","type":"HUMAN"},"delete_time":"2021-01-01T01:00:00+01:00"}"#,
            "\n",
        ),
    );
    let import = args(&[&["import", "rows.jsonl", "--emulator", "--skip-invalid"], &UNPACED], &[]);
    room.tenure(&import).expect(3);
    let run = room.tenure(&["rejects", "rows.jsonl.journal.db"]).expect(0);
    let rows: Vec<serde_json::Value> =
        run.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(rows.len(), 3, "{}", run.out);
    let refused = rows.iter().find(|row| row["status"] == 400).unwrap();
    assert_eq!(refused["member"], "x@example.invalid");
    assert_eq!(refused["team"]["id"], 7);
    assert_eq!(refused["attempts"], 1);
    assert!(refused["replaces"].as_str().unwrap().ends_with("/rows.jsonl:1"), "{refused}");
    let broken = rows.iter().find(|row| row["status"].is_null()).unwrap();
    assert_eq!(broken["raw"], "{\"space\":");
    // In the other format too.
    // A file's name tells as what it is written; one that tells nothing is read back with --format.
    let reasons = room.tenure(&["rejects", "rows.jsonl.journal.db", "--reasons"]).expect(0);
    reasons.says(&["to mend tenure rejects rows.jsonl.journal.db -o rejects.jsonl", "-o rejects.csv"]);
    room.tenure(&["rejects", "rows.jsonl.journal.db", "-o", "r.csv"])
        .expect(0)
        .says(&["mended tenure import r.csv --journal"]);
    assert!(room.read("r.csv").contains("error,status,attempts,replaces"));
    let run = room.tenure(&["rejects", "rows.jsonl.journal.db", "-o", "r.txt"]).expect(0);
    run.says(&["mended tenure import r.txt --format jsonl --journal rows.jsonl.journal.db"]);
    let run = room.tenure(&["rejects", "rows.jsonl.journal.db", "--format", "csv"]).expect(0);
    let (header, rows) = table(&run.out, b',');
    assert_eq!(header[..8], ["space", "member", "createTime", "deleteTime", "role", "team", "raw", "name"]);
    let mut cells: Vec<&str> =
        rows.iter().flat_map(|row| [&row[0], &row[1], &row[3], &row[5]]).map(String::as_str).collect();
    cells.retain(|cell| !cell.is_empty());
    assert_eq!(
        cells,
        [
            "A",
            "x@example.invalid",
            "2021-01-01T00:00:00Z",
            r#"{"id":7}"#,
            "spaces/A",
            "users/zz@example.invalid",
            "2021-01-01T01:00:00+01:00"
        ]
    );
    let text = room.read("r.csv").replace("example.invalid", "example.com");
    let rows: Vec<&str> = text.lines().filter(|line| !line.contains(r#"{""space"":"#)).collect();
    room.write("r.csv", rows.join("\n"));
    room.tenure(&["import", "r.csv", "--journal", "rows.jsonl.journal.db", "--skip-invalid"])
        .says(&["2 refused rows replaced by what was fed back"]);
}

#[test]
fn formulas_are_disarmed_and_come_back_as_they_were() {
    let room = Room::new();
    room.write(
        "rows.csv",
        "space,member,deleteTime,=note\n\
         A,+anna@example.invalid,2021-01-01T00:00:00Z,\"=HYPERLINK(\"\"http://x\"\",1)\"\n\
         A,'+bob@example.invalid,2021-01-02T00:00:00Z,x;=1+1\n\
         A,-eva,2021-01-03T00:00:00Z,''@SUM(A1)\n",
    );
    room.tenure(&args(&[&["import", "rows.csv", "--emulator", "--skip-invalid"], &UNPACED], &[])).expect(3);
    let text = room.tenure(&["rejects", "rows.csv.journal.db"]).expect(0).out;
    let (header, rejects) = table(&text, b',');
    assert_eq!(header[..4], ["space", "member", "deleteTime", "'=note"]);
    let cells: Vec<_> = rejects.iter().map(|row| [row[1].as_str(), row[3].as_str()]).collect();
    assert_eq!(
        cells,
        [
            ["'+anna@example.invalid", "'=HYPERLINK(\"http://x\",1)"],
            ["'+bob@example.invalid", "x;'=1+1"],
            ["'-eva", "''@SUM(A1)"],
        ]
    );
    // What is refused again has kept its identity: it is tried again in its old place, and comes back the same.
    room.write("again.csv", &text);
    let again = ["import", "again.csv", "--emulator", "--skip-invalid", "--journal", "rows.csv.journal.db"];
    room.tenure(&args(&[&again, &UNPACED], &[])).expect(3);
    assert_eq!(room.status("rows.csv.journal.db")["rows"]["total"], 3);
    let json = room.tenure(&["rejects", "rows.csv.journal.db", "--format", "jsonl"]).expect(0).out;
    let rows: Vec<serde_json::Value> = json.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let notes: Vec<_> = rows.iter().map(|row| row["=note"].as_str().unwrap()).collect();
    assert_eq!(notes, ["=HYPERLINK(\"http://x\",1)", "x;=1+1", "'@SUM(A1)"], "{json}");
    // Mended, they are sent.
    room.write("mended.csv", text.replace(".invalid", ".com").replace("'-eva", "-eva@example.com"));
    let mended = ["import", "mended.csv", "--emulator", "--journal", "rows.csv.journal.db"];
    room.tenure(&args(&[&mended, &UNPACED], &[])).expect(0);
    let held = room.held("rows.csv.journal.db.emulator");
    let members: Vec<_> = held.iter().map(|held| held.1.as_str()).collect();
    assert_eq!(members, ["+anna@example.com", "+bob@example.com", "-eva@example.com"]);
}

#[test]
fn nothing_refused_is_a_header() {
    let room = Room::new();
    room.write("rows.csv", "space,member,deleteTime,x\nA,a@example.com,2021-01-01T00:00:00Z,1\n");
    room.tenure(&args(&[&["import", "rows.csv", "--emulator"], &UNPACED], &[])).expect(0);
    let run = room.tenure(&["rejects", "rows.csv.journal.db"]).expect(0);
    assert_eq!(run.out, "space,member,deleteTime,x,error,status,attempts,replaces\n");
}

/// The log of a Chat with this one space.
fn space(name: &str) -> String {
    let space = serde_json::json!({ "space": {
        "name": name, "displayName": name, "spaceType": "SPACE", "importMode": true,
        "createTime": "2000-01-01T00:00:00Z", "created": jiff::Timestamp::now().to_string(),
        "externalUserAllowed": false,
    }});
    format!("{space}\n")
}

/// Rows that are refused for two reasons: nobody has two of the addresses, and one space is not there.
const REFUSED: &str = "\
space,member,createTime,deleteTime
spaces/OLD,ada@example.com,2020-01-01T00:00:00Z,2021-01-01T00:00:00Z
spaces/OLD,ben@example.invalid,2020-02-01T00:00:00Z,2021-01-01T00:00:00Z
spaces/OLD,günther@example.invalid,2020-03-01T00:00:00Z,2021-01-01T00:00:00Z
spaces/NEW,dot@example.com,2020-01-01T00:00:00Z,2021-01-01T00:00:00Z
spaces/NEW,eva@example.com,2020-02-01T00:00:00Z,2021-01-01T00:00:00Z
";

/// A run in which they are.
fn refused() -> (Room, Emulator) {
    let room = Room::new();
    room.write("rows.csv", REFUSED);
    room.write(STORE, space("spaces/OLD"));
    let emulator = Emulator::start_without_spaces(&room, &[]);
    room.tenure(&args(&[&["import", "rows.csv", "--journal", "j.db"]], &emulator.connection())).expect(3);
    (room, emulator)
}

fn rows(room: &Room) -> [u64; 3] {
    let rows = room.status("j.db")["rows"].clone();
    ["total", "done", "rejected"].map(|key| rows[key].as_u64().unwrap())
}

#[test]
fn one_of_two_reasons_is_mended_and_exactly_those_rows_are_settled() {
    let (room, emulator) = refused();
    assert_eq!(rows(&room), [5, 1, 4]);
    let reasons = serde_json::json!({ "INVALID_ARGUMENT": 2, "SPACE_REFUSED": 2 });
    assert_eq!(room.status("j.db")["rejects"], reasons);
    let run = room.tenure(&["rejects", "j.db", "--kind", "INVALID_ARGUMENT", "-o", "bad.csv"]).expect(0);
    run.says(&["tenure import bad.csv --journal j.db", "mend in each row what Chat complains of"]);
    let text = room.read("bad.csv");
    assert!(text.starts_with('\u{feff}'), "a spreadsheet takes it for UTF-8");
    assert_eq!(table(&text, b',').1.len(), 2);
    room.write("mended.csv", text.replace(".invalid", ".com"));
    let import = args(&[&["import", "mended.csv", "--journal", "j.db"]], &emulator.connection());
    room.tenure(&import).expect(3).says(&["Done: 2 rows settled", "2 refused rows replaced"]);
    let members = |room: &Room| room.held(STORE).into_iter().map(|held| held.1).collect::<Vec<_>>();
    assert_eq!(members(&room), ["ada@example.com", "ben@example.com", "günther@example.com"]);
    // Rows with other addresses are other rows, in the place of those that were refused.
    assert_eq!(rows(&room), [5, 3, 2]);
    // Once the space is there, its rows are fed back as they are: the same rows, done now.
    let emulator = emulator.restart(&room, &[]);
    room.tenure(&["rejects", "j.db", "--kind", "SPACE_REFUSED", "-o", "new.csv"]).expect(0);
    let import = args(&[&["import", "new.csv", "--journal", "j.db"]], &emulator.connection());
    room.tenure(&import).expect(0).says(&["Done: 2 rows settled"]);
    assert_eq!(rows(&room), [5, 5, 0]);
    assert_eq!(room.held(STORE).len(), 5);
    // And none of it does anything a second time.
    for file in ["rows.csv", "mended.csv", "new.csv"] {
        room.tenure(&args(&[&["import", file, "--journal", "j.db"]], &emulator.connection())).expect(0);
    }
    assert_eq!((rows(&room), room.held(STORE).len()), ([5, 5, 0], 5));
}

/// Rows with something to mend each: an address, a space, a time, and a line that is no row; and one without.
const TO_MEND: &str = "\
space,member,createTime,deleteTime
spaces/OLD,ada@example.com,2020-01-01T00:00:00Z,2021-01-01T00:00:00Z
spaces/OLD,ben@example.invalid,2020-02-01T00:00:00Z,2021-01-01T00:00:00Z
spaces/ODL,dot@example.com,2020-01-01T00:00:00Z,2021-01-01T00:00:00Z
spaces/OLD,ada@example.com,2020-12-01T00:00:00Z,2022-01-01T00:00:00Z
spaces/OLD,eva@example.com,2020-02-30T00:00:00Z,2021-01-01T00:00:00Z
";

#[test]
fn whatever_was_mended_nothing_is_refused_any_more() {
    for format in ["csv", "jsonl"] {
        let room = Room::new();
        room.write("rows.csv", TO_MEND);
        room.write(STORE, space("spaces/OLD"));
        let emulator = Emulator::start_without_spaces(&room, &[]);
        let import = |file: &str, options: &[&str]| {
            room.tenure(&args(&[&["import", file, "--journal", "j.db"], options], &emulator.connection()))
        };
        import("rows.csv", &["--skip-invalid"]).expect(3);
        assert_eq!(rows(&room), [5, 1, 4]);
        let given_back = format!("rejects.{format}");
        room.tenure(&["rejects", "j.db", "--format", format, "-o", &given_back]).expect(0);
        // One that is still no row is left out again, in the place of what it was.
        let half = room.read(&given_back).replace(".invalid", ".com").replace("ODL", "OLD");
        room.write(&format!("half.{format}"), half.clone());
        let run = import(&format!("half.{format}"), &["--skip-invalid"]).expect(3);
        run.says(&["3 refused rows replaced by what was fed back", "2 invalid rows skipped"]);
        assert_eq!(rows(&room), [5, 3, 2]);
        // The file is mended once more, until it is right.
        let mended = half.replace("2020-12-01", "2021-01-01").replace("2020-02-30", "2020-02-29");
        room.write(&format!("half.{format}"), mended);
        let run = import(&format!("half.{format}"), &[]).expect(0);
        run.says(&["Done: 2 rows settled", "2 refused rows replaced by what was fed back"]);
        assert_eq!((rows(&room), room.held(STORE).len()), ([5, 5, 0], 5));
        let status = room.status("j.db");
        assert_eq!(
            (&status["rejects"], &status["spaces"]["total"]),
            (&serde_json::json!({}), &1.into()),
            "{status}"
        );
        // What was read before changes nothing when it is read again, and there is nothing left to give back.
        let run = import("rows.csv", &["--skip-invalid"]).expect(0);
        assert!(!run.err.contains("skipped"), "{}", run.err);
        import(&format!("half.{format}"), &[]).expect(0);
        assert_eq!((rows(&room), room.held(STORE).len()), ([5, 5, 0], 5));
        room.tenure(&["rejects", "j.db", "--reasons"]).expect(0).says(&["No row was refused."]);
        room.tenure(&args(&[&["verify", "j.db"]], &emulator.connection())).expect(0);
        // Nor does anything keep the space in import mode; the one that was mistyped is nobody's.
        room.tenure(&["complete", "j.db", "--yes"]).expect(0);
        assert_eq!(room.status("j.db")["spaces"]["completed"], 1);
        let journal = rusqlite::Connection::open(room.path().join("j.db")).unwrap();
        let replaced: i64 = journal
            .query_row("SELECT count(*) FROM tenures WHERE state = 'replaced' AND error <> ''", [], |row| {
                row.get(0)
            })
            .unwrap();
        assert_eq!(
            replaced, 5,
            "the four of the original, and one of these that was fed back unmended first"
        );
    }
}

#[test]
fn rows_are_tried_again_as_they_are() {
    let (room, emulator) = refused();
    let emulator = emulator.restart(&room, &[]);
    let again = |options: &[&str]| -> Run {
        room.tenure(&args(&[&["import", "rows.csv", "--journal", "j.db"], options], &emulator.connection()))
    };
    // A reason that there is not: those that there are.
    let run = again(&["--retry-rejected", "SPACE_REFUSD"]).expect(2);
    run.says(&[
        "no row was refused for SPACE_REFUSD; did you mean SPACE_REFUSED?",
        "2 INVALID_ARGUMENT 2 SPACE_REFUSED",
    ]);
    assert_eq!(rows(&room), [5, 1, 4]);
    let run = again(&["--retry-rejected", "SPACE_REFUSED"]).expect(3);
    run.says(&["2 refused rows are tried again", "Done: 2 rows settled"]);
    assert_eq!(rows(&room), [5, 3, 2]);
    // All of them, from the journal alone: Chat refuses them once more.
    let run = room.tenure(&["resume", "j.db", "--retry-rejected"]).expect(3);
    run.says(&["2 refused rows are tried again", "Done: 2 rows settled", "2 400 INVALID_ARGUMENT"]);
    assert_eq!(rows(&room), [5, 3, 2]);
    assert_eq!(room.held(STORE).len(), 3);
    // Where no option can be left without a value, all of them are said as a switch is.
    for (value, is_on) in [("1", true), ("true", true), ("0", false)] {
        let run = room.tenure_env(&["resume", "j.db"], &[("TENURE_RETRY_REJECTED", value)]).expect(3);
        assert_eq!(run.said().contains("2 refused rows are tried again"), is_on, "{value}: {}", run.said());
    }
    let run = room.tenure(&["resume", "j.db", "--retry-rejected=NOT_FOUND"]).expect(2);
    run.says(&["no row was refused for NOT_FOUND. What rows were refused for: 2 INVALID_ARGUMENT"]);
}

#[test]
fn what_is_wrong_with_a_line_no_second_try_mends() {
    let room = Room::new();
    room.write("rows.csv", "space,member,deleteTime\nA,a@example.com,2021-01-01T00:00:00Z\n#b,b,c\n");
    room.tenure(&args(&[&["import", "rows.csv", "--emulator", "--skip-invalid"], &UNPACED], &[])).expect(3);
    let run = room.tenure(&["resume", "rows.csv.journal.db", "--retry-rejected"]).expect(3);
    run.says(&["no refused row is tried again", "1 row stays refused: what is wrong is in the line itself"]);
}

#[test]
fn what_was_left_out_stops_no_second_try() {
    let room = Room::new();
    room.write("rows.csv", TO_MEND);
    room.write(STORE, space("spaces/OLD"));
    let emulator = Emulator::start_without_spaces(&room, &[]);
    let connection = emulator.connection();
    let import = |file: &str, options: &[&str]| {
        room.tenure(&args(&[&["import", file, "--journal", "j.db"], options], &connection))
    };
    // A new journal knows of none that were left out.
    import("rows.csv", &["--retry-rejected"]).expect(4).says(&["or add --skip-invalid"]);
    import("rows.csv", &["--skip-invalid"]).expect(3);
    assert_eq!(rows(&room), [5, 1, 4]);
    // Somebody makes the other space, and has its row tried again.
    let _emulator = emulator.restart(&room, &[]);
    import("rows.csv", &[]).expect(4).says(&["or add --skip-invalid"]);
    import("rows.csv", &["--retry-rejected", "--dry-run"]).expect(3);
    let run = import("rows.csv", &["--retry-rejected"]).expect(3);
    run.says(&[
        "1 invalid row skipped",
        "2 refused rows are tried again",
        "2 rows stay refused: what is wrong",
    ]);
    assert_eq!(rows(&room), [5, 2, 3]);
    // Also once they are mended, and stand in the original as they were.
    room.tenure(&["rejects", "j.db", "-o", "rejects.csv"]).expect(0);
    let mended = room.read("rejects.csv").replace("2020-12-01", "2021-01-01").replace("02-30", "02-29");
    room.write("mended.csv", mended.replace(".invalid", ".com"));
    import("mended.csv", &[]).expect(0);
    let run = import("rows.csv", &["--retry-rejected"]).expect(0);
    run.says(&["no refused row is tried again"]);
    assert_eq!((rows(&room), room.held(STORE).len()), ([5, 5, 0], 5));
}

#[test]
fn history_that_comes_after_completion() {
    let room = Room::new();
    room.write(
        "rows.csv",
        REFUSED.replace("NEW", "OLD").replace(",2021-01-01T00:00:00Z\nspaces/OLD,eva", ",\nspaces/OLD,eva"),
    );
    let import = |file: &str| {
        room.tenure(&args(&[&["import", file, "--journal", "j.db", "--emulator"], &UNPACED], &[]))
    };
    import("rows.csv").expect(3);
    let run = room.tenure(&["rejects", "j.db", "--reasons"]).expect(0).says(&["mended"]);
    assert!(!run.words().contains("can add these any more"), "{}", run.out);
    room.tenure(&["complete", "j.db", "--yes", "--accept-rejects"]).expect(3);
    room.write("late.csv", "space,member,createTime,deleteTime\nspaces/OLD,fay@example.com,2020-01-01T00:00:00Z,2020-05-01T00:00:00Z\n");
    let sent = room.status("j.db")["requests"]["sent"].clone();
    import("late.csv").expect(3).says(&["1 row of history not sent", "SPACE_COMPLETED"]);
    assert_eq!(room.status("j.db")["requests"]["sent"], sent);
    // Nothing that is said of these can be of use.
    let run = room.tenure(&["rejects", "j.db", "--reasons"]).expect(0);
    run.says(&["1 SPACE_COMPLETED", "do: nothing can add these any more"]);
    let run = room.tenure(&["rejects", "j.db", "--reasons"]).expect(0);
    assert!(!run.out.contains("mended") && !run.out.contains("--retry-rejected"), "{}", run.out);
    assert!(report(&room, "j.db").contains("Nothing can add these any more"));
    // Members of today can be added.
    room.write("open.csv", "space,member,createTime\nspaces/OLD,gil@example.com,2020-01-01T00:00:00Z\n");
    import("open.csv").expect(3).says(&["next tenure complete j.db then tenure verify j.db"]);
}

#[test]
fn why_and_what_to_do() {
    let (room, _emulator) = refused();
    let run = room.tenure(&["rejects", "j.db", "--reasons"]).expect(0);
    insta::assert_snapshot!("reasons", run.out);
    room.tenure(&["rejects", "j.db", "--kind", "OTHER"]).expect(2).says(&["no row was refused for OTHER."]);
}

#[test]
fn however_often_rejects_are_fed_back_unmended_there_are_no_more_of_them() {
    let room = Room::new();
    room.write(
        "rows.csv",
        "space,member,createTime,deleteTime\n\
         A,a@b.cd,2020-01-01T00:00:00Z,2020-02-01T00:00:00Z\n\
         A,a@b.cd,2020-01-15T00:00:00Z,2020-03-01T00:00:00Z\n\
         A,b@b.cd,yesterday,\n\
         A,,2020-01-01T00:00:00Z,\n\
         A?,c@b.cd,2020-01-01T00:00:00Z,\n\
         A,d@b.cd,2020-01-01T00:00:00Z\n",
    );
    let import = |file: &str| {
        let import = ["import", file, "--emulator", "--skip-invalid", "--journal", "j.db"];
        room.tenure(&args(&[&import, &UNPACED], &[])).expect(3)
    };
    import("rows.csv");
    let counts = || {
        let rows = room.status("j.db")["rows"].clone();
        (rows["total"].clone(), rows["done"].clone(), rows["rejected"].clone())
    };
    let before = counts();
    assert_eq!(before, (6.into(), 1.into(), 5.into()));
    for pass in ["first.csv", "second.csv", "third.csv"] {
        room.tenure(&["rejects", "j.db", "-o", pass]).expect(0);
        import(pass);
        assert_eq!(counts(), before, "{pass}");
    }
    // Again under the same name, as they are and then without all but the first two.
    let all = room.read("third.csv");
    import("third.csv");
    assert_eq!(counts(), before, "read again");
    room.write("third.csv", all.lines().take(3).map(|line| format!("{line}\n")).collect::<String>());
    import("third.csv");
    assert_eq!(counts(), before, "what is not said anew stays");
    import("third.csv");
    room.tenure(&["rejects", "j.db", "-o", "last.csv"]).expect(0);
    let told = |text: &str| -> Vec<String> {
        let (_, rows) = table(text.trim_start_matches('\u{feff}'), b',');
        let mut told: Vec<String> = rows.iter().map(|row| row[..4].join(",")).collect();
        told.sort();
        told
    };
    assert_eq!(told(&room.read("last.csv")), told(&all));
}

#[test]
fn a_journal_knows_with_which_options_its_input_was_read() {
    let room = Room::new();
    room.write("map.csv", "name,space\ndev,spaces/AAQA\n");
    let rows = "space,member,createTime,deleteTime\n\
                dev,ada@example.com,1577836800,1609459200\n\
                dev,ben@example.invalid,1577836800,1609459200\n";
    for folder in ["acme", "globex"] {
        std::fs::create_dir(room.file(folder)).unwrap();
        room.write(&format!("{folder}/rows.csv"), rows);
    }
    let read = ["--spaces", "map.csv", "--time-format", "epoch-s"];
    let import = |file: &'static str, more: &[&'static str]| {
        room.tenure(&[&["import", file, "--emulator", "--writes-per-minute", "0"], more].concat())
    };
    import("acme/rows.csv", &read).expect(3);
    // Two customers' files may have one name, and the same words mean other rows without a map.
    import("globex/rows.csv", &read).expect(2).says(&[
        "rows.csv.journal.db is there already, and has the rows of acme/rows.csv, not of globex/rows.csv",
        "say --journal rows.csv.journal.db",
    ]);
    import("acme/rows.csv", &["--time-format", "epoch-s"])
        .expect(2)
        .says(&["was read with --spaces map.csv before", "give it again"]);
    import("acme/rows.csv", &read).expect(3);
    let mended = "tenure import r.csv --spaces map.csv --time-format epoch-s --journal rows.csv.journal.db";
    room.tenure(&["rejects", "rows.csv.journal.db", "-o", "r.csv"]).expect(0).says(&[mended]);
    room.write("r.csv", room.read("r.csv").replace("example.invalid", "example.com"));
    let words: Vec<&str> = mended.split(' ').skip(1).collect();
    room.tenure(&words).expect(0).says(&["1 refused row replaced"]);
}

#[test]
fn a_mended_row_that_gives_another_row_its_role_says_so() {
    let room = Room::new();
    let header = "space,member,createTime,deleteTime,role";
    let row = |member: &str, role: &str| format!("A,{member},2020-01-01T00:00:00Z,,{role}\n");
    let rows = row("a@b.cd", "ROLE_MANAGER") + &row("a.b.cd", "ROLE_MEMBER");
    room.write("rows.csv", format!("{header}\n{rows}"));
    let import = |file: &str| {
        room.tenure(&["import", file, "--emulator", "--skip-invalid", "--journal", "j.db", "--journal-only"])
    };
    import("rows.csv").expect(3);
    room.tenure(&["rejects", "j.db", "-o", "rejects.csv"]).expect(0);
    room.write("mended.csv", room.read("rejects.csv").replace("a.b.cd", "a@b.cd"));
    let warning = "warning: 1 row that was fed back (mended.csv:2) says the same as a row that was in order, but for the \
                   role, which is now as it was fed back; if that is not meant, feed it back with the role of before";
    import("mended.csv").expect(0).says(&[warning, "1 refused row replaced by what was fed back"]);
    // Once it is as it says, there is nothing to warn of.
    let run = import("mended.csv").expect(0);
    assert!(!run.err.contains("warning: 1 row"), "{}", run.err);
}

#[test]
fn rows_that_are_fed_back_into_another_journal_are_told_where_they_came_from() {
    let room = Room::new();
    room.write(
        "rows.csv",
        "space,member,deleteTime\nA,a@b.cd,2021-01-01T00:00:00Z\nA,b@,2021-01-01T00:00:00Z\n",
    );
    let import = |file: &str, more: &[&str]| {
        room.tenure(&args(&[&["import", file, "--emulator", "--skip-invalid"], &UNPACED, more], &[]))
    };
    import("rows.csv", &[]).expect(3);
    for file in ["rejects.csv", "rejects.jsonl"] {
        room.tenure(&["rejects", "rows.csv.journal.db", "-o", file]).expect(0);
        room.write(file, room.read(file).replace("b@,", "b@b.cd,").replace("\"b@\"", "\"b@b.cd\""));
        let run = import(file, &[]).expect(4).says(&[
            "it was refused when it stood at rows.csv:3, but not in this journal, which knows nothing of that file",
            "name the journal that the rows came from: --journal rows.csv.journal.db;",
            "delete the column replaces",
            "nothing was sent. Mend it.",
        ]);
        assert!(!run.said().contains("--skip-invalid"), "{}", run.said());
        assert!(!room.file(&format!("{file}.journal.db")).exists());
        // Whether it is in order can be asked without.
        room.tenure(&["check", file]).expect(0);
    }
    room.write("other.csv", "space,member,deleteTime\nB,a@b.cd,2021-01-01T00:00:00Z\n");
    import("other.csv", &[]).expect(0);
    import("rejects.csv", &["--journal", "other.csv.journal.db"]).expect(4).says(&["not in this journal"]);
    import("rejects.csv", &["--journal", "rows.csv.journal.db"]).expect(0).says(&["1 refused row replaced"]);
    // And again, under its own name.
    let run = import("rejects.csv", &["--journal", "rows.csv.journal.db"]).expect(0);
    assert!(!run.said().contains("one more membership"), "{}", run.said());
    // Of a row that is done, one that was replaced, and none at all.
    let place = room.file("rows.csv").canonicalize().unwrap();
    let rows: String = [2, 3, 99]
        .map(|line| format!("A,c{line}@b.cd,2021-01-01T00:00:00Z,{}:{line}\n", place.display()))
        .concat();
    room.write("more.csv", format!("space,member,deleteTime,replaces\n{rows}"));
    import("more.csv", &["--journal", "rows.csv.journal.db"]).expect(0).says(&[
        "warning: 3 rows (the first is more.csv:2) say in replaces where it was refused, but no refused row is found",
        "one more membership",
    ]);
    let run = import("more.csv", &["--journal", "rows.csv.journal.db"]).expect(0);
    assert!(!run.said().contains("one more membership"), "{}", run.said());
}
