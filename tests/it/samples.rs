//! `samples/`: one company's migration, each file made of the one before.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use serde_json::Value;

use crate::support::{Room, SAMPLES, UNPACED, args};

type Row = BTreeMap<String, String>;

fn sample(name: &str) -> String {
    format!("{SAMPLES}/{name}")
}

fn read(name: &str) -> String {
    fs::read_to_string(sample(name)).unwrap()
}

/// A table's rows by column.
fn table(text: &str) -> Vec<Row> {
    csv::Reader::from_reader(text.as_bytes()).deserialize().map(Result::unwrap).collect()
}

#[test]
fn the_export_becomes_the_tables() {
    let room = Room::new();
    let (export, users) = (sample("slack-export"), sample("users.csv"));
    let convert = ["convert", "slack", &export];
    room.tenure(&[&convert[..], &["--users", &users]].concat()).expect(0);
    for file in ["memberships.jsonl", "channels.csv"] {
        assert!(room.read(file) == read(file), "samples/{file} is not what the export becomes");
    }
    // The table of people began as what is missing.
    let room = Room::new();
    room.tenure(&[&convert[..], &["--missing", "users.csv"]].concat()).expect(3);
    let addresses = table(&read("users.csv")).into_iter().map(|row| row["member"].clone());
    let emptied = addresses.fold(read("users.csv"), |text, address| text.replacen(&address, "", 1));
    assert_eq!(room.read("users.csv"), emptied);
}

#[test]
fn the_tables_agree() {
    let created = |name: &str| {
        let rows = table(&read(name)).into_iter();
        rows.map(|row| (row["name"].clone(), row["createTime"].clone())).collect::<Vec<_>>()
    };
    assert_eq!(created("spaces.csv"), created("channels.csv"));
    // In the order of the input: space, member, from, to.
    let text = |value: &Value| value.as_str().unwrap_or_default().trim_start_matches("users/").to_owned();
    let keys = ["space", "member", "createTime", "deleteTime"];
    let converted: Vec<[String; 4]> = read("memberships.jsonl")
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .map(|line: Value| keys.map(|key| text(&line[key])))
        .collect();
    let rows = table(&read("memberships.csv"));
    let listed: Vec<[String; 4]> = rows.iter().map(|row| keys.map(|key| row[key].clone())).collect();
    assert_eq!(listed, converted);
}

/// Broken, imported as far as that goes, its rejects mended and fed back: Chat holds what the table says.
#[test]
fn the_broken_table_is_mended() {
    let room = Room::new();
    let spaces = sample("spaces.csv");
    let import = |file: &str, more: &[&str]| {
        let import = ["import", file, "--emulator", "--spaces", &spaces];
        room.tenure(&args(&[&import, &UNPACED, more], &[]))
    };
    import(&sample("memberships.csv"), &[]).expect(0);
    import(&sample("broken.csv"), &["--skip-invalid"]).expect(3);
    room.tenure(&["rejects", "broken.csv.journal.db", "-o", "rejects.csv"]).expect(0);
    // Line by line the table that was broken. Behind its end stands one line twice, with another role.
    let whole = table(&read("memberships.csv"));
    let one = || whole.iter().find(|row| row["role"] == "ROLE_ASSISTANT_MANAGER").unwrap();
    let mut mended = csv::Writer::from_writer(Vec::new());
    let columns = ["space", "member", "createTime", "deleteTime", "role"];
    mended.write_record(columns.iter().copied().chain(["replaces"])).unwrap();
    for reject in table(&room.read("rejects.csv")) {
        let (_, line) = reject["replaces"].rsplit_once(':').unwrap();
        let row = whole.get(line.parse::<usize>().unwrap() - 2).unwrap_or_else(one);
        let record = columns.iter().map(|column| row[*column].as_str());
        mended.write_record(record.chain([reject["replaces"].as_str()])).unwrap();
    }
    room.write("mended.csv", mended.into_inner().unwrap());
    import("mended.csv", &["--journal", "broken.csv.journal.db"]).expect(0);
    assert_eq!(room.held("broken.csv.journal.db.emulator"), room.held("memberships.csv.journal.db.emulator"));
    let rows = |journal: &str| {
        let rows = room.status(journal)["rows"].clone();
        ["total", "done", "open", "rejected"].map(|state| rows[state].as_u64().unwrap())
    };
    assert_eq!(rows("memberships.csv.journal.db"), [54, 33, 21, 0]);
    assert_eq!(rows("broken.csv.journal.db"), [54, 33, 21, 0]);
}

#[test]
fn every_sample_is_told_of() {
    let told = read("README.md");
    let untold: BTreeSet<String> = fs::read_dir(SAMPLES)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name != "README.md" && !told.contains(&format!("`{name}")))
        .collect();
    assert_eq!(untold, BTreeSet::new());
}
