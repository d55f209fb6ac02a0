//! Rows that were refused come back in the input's own columns, and mended ones can be fed back.

use crate::support::{Room, SAMPLES, UNPACED, args};

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
    let broken = format!("{SAMPLES}/broken.csv");
    let run =
        room.tenure(&args(&[&["import", &broken, "--emulator", "--skip-invalid"], &UNPACED], &[])).expect(3);
    assert!(run.err.contains("14 invalid rows skipped; `tenure rejects` shows why"), "{}", run.err);
    let rows = room.status("broken.csv.journal.db")["rows"].clone();
    assert_eq!((&rows["done"], &rows["rejected"], &rows["open"]), (&2.into(), &14.into(), &1.into()));
    assert_eq!(room.held("broken.csv.journal.db.emulator").len(), 2);

    let run = room.tenure(&["rejects", "broken.csv.journal.db"]).expect(0);
    let (header, rejects) = table(&run.out, b',');
    assert_eq!(
        header,
        ["space", "member", "createTime", "deleteTime", "role", "note", "error", "status", "attempts"]
    );
    assert_eq!(rejects.len(), 14);
    // As they were typed, not as they were read.
    let named = |note: &str| rejects.iter().find(|row| row[5] == note).unwrap_or_else(|| panic!("{note}"));
    let time = named("a time as people write it");
    assert_eq!(time[1..4], ["jürgen.müller@example.com", "04.03.2019 08:00", "2021-06-30T17:00:00Z"]);
    assert_eq!(
        time[6..],
        [
            "bad-time: createTime \"04.03.2019 08:00\": it is not an RFC 3339 time such as 2021-03-05T09:30:00Z",
            "",
            "0"
        ]
    );
    assert_eq!(named("a channel's name where a space belongs")[0], "#engineering");
    assert!(named("which overlap")[6].starts_with("overlap: "));
    // A line that could not be taken apart stands whole in the first column.
    let ragged = rejects.iter().find(|row| row[6].starts_with("ragged-line")).unwrap();
    assert!(ragged[0].ends_with(",günther.weiß@example.com,2019-03-04T08:00:00Z,,a delimiter is missing"));
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
    assert_eq!(header, ["mail", "space", "member", "deleteTime", "why", "error", "status", "attempts"]);
    assert_eq!(
        rejects[0][..5],
        ["2", "AAQA", "Anna@Example.invalid", "2021-01-02T00:00:00+01:00", "she; \"left\""]
    );
    assert_eq!(
        rejects[1][..5],
        ["3", "spaces/AAQA", "users/bob@example.invalid", "2021-01-03T00:00:00.5Z", "no account"]
    );
    assert!(rejects[0][5].starts_with("INVALID_ARGUMENT: Missing or malformed user resource name"), "{text}");
    assert_eq!(rejects[0][6..], ["400", "1"]);

    // Mended and fed back, into the same journal or a new one: only they are sent.
    room.write("mended.csv", text.replace(".invalid", ".com"));
    let run = room.tenure(&["import", "mended.csv", "--emulator", "--journal", "rows.csv.journal.db"]);
    assert!(run.out.starts_with("Done: 2 rows settled"), "{}{}", run.out, run.err);
    let held = room.held("rows.csv.journal.db.emulator");
    let members: Vec<_> = held.iter().map(|held| held.1.as_str()).collect();
    assert_eq!(members, ["anna@example.com", "bob@example.com", "users@example.com"]);
    room.tenure(&args(&[&["import", "mended.csv", "--emulator"], &UNPACED], &[])).expect(0);
    let status = room.status("mended.csv.journal.db");
    assert_eq!(status["rows"]["done"], 2);
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
        ),
    );
    let import = args(&[&["import", "rows.jsonl", "--emulator", "--skip-invalid"], &UNPACED], &[]);
    room.tenure(&import).expect(3);
    let run = room.tenure(&["rejects", "rows.jsonl.journal.db"]).expect(0);
    let rows: Vec<serde_json::Value> =
        run.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(rows.len(), 2, "{}", run.out);
    let refused = rows.iter().find(|row| row["status"] == 400).unwrap();
    assert_eq!(refused["member"], "x@example.invalid");
    assert_eq!(refused["team"]["id"], 7);
    assert_eq!(refused["attempts"], 1);
    let broken = rows.iter().find(|row| row["status"].is_null()).unwrap();
    assert_eq!(broken["raw"], "{\"space\":");
    // In the other format too.
    let run = room.tenure(&["rejects", "rows.jsonl.journal.db", "--format", "csv"]).expect(0);
    let (header, rows) = table(&run.out, b',');
    assert_eq!(header[..5], ["space", "member", "createTime", "deleteTime", "role"]);
    assert_eq!(rows.len(), 2);
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
    assert_eq!(room.status("rows.csv.journal.db")["rows"]["total"], 4);
    let json = room.tenure(&["rejects", "rows.csv.journal.db", "--format", "jsonl"]).expect(0).out;
    let rows: Vec<serde_json::Value> = json.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let notes: Vec<_> = rows.iter().map(|row| row["=note"].as_str().unwrap()).collect();
    assert_eq!(notes, ["'@SUM(A1)", "=HYPERLINK(\"http://x\",1)", "x;=1+1", "'@SUM(A1)"], "{json}");
    // Mended, they are sent.
    room.write("mended.csv", text.replace(".invalid", ".com").replace("'-eva", "-eva@example.com"));
    let mended = ["import", "mended.csv", "--emulator"];
    room.tenure(&args(&[&mended, &UNPACED], &[])).expect(0);
    let held = room.held("mended.csv.journal.db.emulator");
    let members: Vec<_> = held.iter().map(|held| held.1.as_str()).collect();
    assert_eq!(members, ["+anna@example.com", "+bob@example.com", "-eva@example.com"]);
}

#[test]
fn nothing_refused_is_a_header() {
    let room = Room::new();
    room.write("rows.csv", "space,member,deleteTime,x\nA,a@example.com,2021-01-01T00:00:00Z,1\n");
    room.tenure(&args(&[&["import", "rows.csv", "--emulator"], &UNPACED], &[])).expect(0);
    let run = room.tenure(&["rejects", "rows.csv.journal.db"]).expect(0);
    assert_eq!(run.out, "space,member,deleteTime,x,error,status,attempts\n");
}
