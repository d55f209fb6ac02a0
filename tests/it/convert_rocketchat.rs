//! `tenure convert rocketchat`: what mongoexport writes, and the same as mongodump does.

use std::fs;
use std::io::Write as _;
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;
use proptest::prelude::*;
use serde_json::{Map, Value, json};
use tenure::convert::{Export, Gathered, rocketchat};
use tenure::model::Timestamp;

use crate::convert::{rows, zipped};
use crate::support::{Room, Run};

const FIXTURE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/rocketchat/harbor");

const COLLECTIONS: [&str; 4] = ["users", "rocketchat_room", "rocketchat_subscription", "rocketchat_message"];

fn convert(room: &Room, export: &str, more: &[&str]) -> Run {
    room.tenure(&[&["convert", "rocketchat", export], more].concat())
}

/// The documents of a collection, as the fixture has them: relaxed extended JSON, one a line.
fn documents(collection: &str) -> Vec<Value> {
    let text = fs::read_to_string(format!("{FIXTURE}/{collection}.json")).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn millis(date: &Value) -> i64 {
    Timestamp::parse(date.as_str().unwrap(), None).unwrap().as_micros() / 1000
}

/// The same in canonical extended JSON.
fn canonical(value: &Value) -> Value {
    match value {
        Value::Object(object) if object.contains_key("$date") => {
            json!({ "$date": { "$numberLong": millis(&object["$date"]).to_string() } })
        }
        Value::Object(object) => {
            Value::Object(object.iter().map(|(name, value)| (name.clone(), canonical(value))).collect())
        }
        Value::Array(values) => Value::Array(values.iter().map(canonical).collect()),
        Value::Number(number) => json!({ "$numberInt": number.to_string() }),
        value => value.clone(),
    }
}

/// The same in BSON.
fn bson(object: &Map<String, Value>) -> Vec<u8> {
    let mut body = Vec::new();
    for (name, value) in object {
        let (kind, bytes) = match value {
            Value::Null => (0x0A, Vec::new()),
            Value::Bool(yes) => (0x08, vec![u8::from(*yes)]),
            Value::Number(number) => (0x01, number.as_f64().unwrap().to_le_bytes().to_vec()),
            Value::String(text) => {
                (0x02, [&(text.len() as i32 + 1).to_le_bytes()[..], text.as_bytes(), &[0]].concat())
            }
            Value::Object(object) => match object.get("$date") {
                Some(date) => (0x09, millis(date).to_le_bytes().to_vec()),
                None => (0x03, bson(object)),
            },
            Value::Array(values) => {
                let numbered = values.iter().enumerate().map(|(at, value)| (at.to_string(), value.clone()));
                (0x04, bson(&numbered.collect()))
            }
        };
        body.extend([&[kind], name.as_bytes(), &[0], &bytes].concat());
    }
    [&(body.len() as i32 + 5).to_le_bytes()[..], &body, &[0]].concat()
}

fn dumped(collection: &str) -> Vec<u8> {
    documents(collection).iter().flat_map(|document| bson(document.as_object().unwrap())).collect()
}

/// A folder as mongodump writes it, beside the database that MongoDB keeps for itself.
fn dump(folder: &Path, packed: bool) {
    let database = folder.join("rocketchat");
    fs::create_dir_all(&database).unwrap();
    fs::create_dir_all(folder.join("admin")).unwrap();
    fs::write(folder.join("admin/system.users.bson"), b"no BSON").unwrap();
    for collection in COLLECTIONS {
        fs::write(database.join(format!("{collection}.metadata.json")), "{\"indexes\":[]}").unwrap();
        if packed {
            let file = fs::File::create(database.join(format!("{collection}.bson.gz"))).unwrap();
            let mut encoder = GzEncoder::new(file, Compression::fast());
            encoder.write_all(&dumped(collection)).unwrap();
            encoder.finish().unwrap();
        } else {
            fs::write(database.join(format!("{collection}.bson")), dumped(collection)).unwrap();
        }
    }
    fs::write(database.join("rocketchat_uploads.bson"), b"no BSON either").unwrap();
}

#[test]
fn rocketchat_with_every_trap() {
    let room = Room::new();
    let run = convert(&room, FIXTURE, &["--domain", "harbor.example", "--missing", "missing.csv"]).expect(3);
    assert_eq!(run.err, "");
    insta::assert_snapshot!("rocketchat", rows(&room));
    insta::assert_snapshot!("rocketchat_channels", room.read("channels.csv"));
    insta::assert_snapshot!("rocketchat_report", run.out);
    insta::assert_snapshot!("rocketchat_missing", room.read("missing.csv"));
}

#[test]
fn notices_that_a_room_hides_count_all_the_same() {
    let room = Room::new();
    let hidden = Path::new(FIXTURE).with_file_name("hidden");
    assert_eq!(convert(&room, hidden.to_str().unwrap(), &[]).expect(0).err, "");
    insta::assert_snapshot!("rocketchat_hidden", rows(&room));
}

#[test]
fn the_file_of_a_room_is_no_dump() {
    let room = Room::new();
    let file = Path::new(FIXTURE).with_file_name("room-file");
    for export in [file.clone(), file.join("hall.json")] {
        convert(&room, export.to_str().unwrap(), &[]).expect(4).says(&[
            "the messages of a room as people export them",
            "give the folder that mongodump has written",
        ]);
    }
    assert!(room.files().is_empty());
}

#[test]
fn every_form_says_the_same() {
    let room = Room::new();
    convert(&room, FIXTURE, &["--dms"]).expect(3);
    let folder = room.file("canonical");
    fs::create_dir(&folder).unwrap();
    for collection in COLLECTIONS {
        let array: Vec<Value> = documents(collection).iter().map(canonical).collect();
        fs::write(folder.join(format!("rc.{collection}.json")), format!("{:#}", Value::Array(array)))
            .unwrap();
    }
    dump(&room.file("dump"), false);
    dump(&room.file("packed"), true);
    room.write("dump.zip", zipped(&room.file("dump"), ""));
    for export in ["canonical", "dump", "packed", "dump.zip"] {
        let run = convert(&room, export, &["--dms", "-o", "m.jsonl", "--channels", "c.csv"]).expect(3);
        assert_eq!(run.err, "", "{export}");
        assert_eq!(room.read("m.jsonl"), room.read("memberships.jsonl"), "{export}");
        assert_eq!(room.read("c.csv"), room.read("channels.csv"), "{export}");
        for file in ["m.jsonl", "c.csv"] {
            fs::remove_file(room.file(file)).unwrap();
        }
    }
}

#[test]
fn without_some_of_the_collections() {
    let room = Room::new();
    fs::create_dir(room.file("export")).unwrap();
    for collection in ["users", "rocketchat_room", "rocketchat_message"] {
        fs::copy(format!("{FIXTURE}/{collection}.json"), room.file(&format!("export/{collection}.json")))
            .unwrap();
    }
    let run = convert(&room, "export", &[]).expect(3);
    run.says(&["it has no rocketchat_subscription: who is a member now"]);
    insta::assert_snapshot!("rocketchat_without_subscriptions", rows(&room));
    for collection in ["users", "rocketchat_message"] {
        fs::remove_file(room.file(&format!("export/{collection}.json"))).unwrap();
    }
    let run = convert(&room, "export", &["-o", "m.jsonl", "--channels", "c.csv"]).expect(3);
    run.says(&["it has no users: nobody's address is known", "it has no rocketchat_message"]);
}

#[test]
fn a_dump_that_is_cut_off_is_named_and_the_rest_goes_on() {
    let room = Room::new();
    dump(&room.file("dump"), false);
    let messages = dumped("rocketchat_message");
    fs::write(room.file("dump/rocketchat/rocketchat_message.bson"), &messages[..messages.len() - 9]).unwrap();
    let run = convert(&room, "dump", &[]).expect(3);
    run.says(&[
        "it is broken, in the document at byte",
        "--> dump/rocketchat/rocketchat_message.bson",
        "did the dump finish?",
    ]);
    assert!(rows(&room).contains("quay"));
}

#[test]
fn what_is_no_dump() {
    let room = Room::new();
    fs::create_dir(room.file("empty")).unwrap();
    convert(&room, "empty", &[])
        .expect(4)
        .says(&["there is no rocketchat_room.bson", "mongodump has written"]);
    room.write("dump.archive", 0x8199_e26d_u32.to_le_bytes());
    convert(&room, "dump.archive", &[]).expect(4).says(&["dump without --archive"]);
    let mut packed =
        GzEncoder::new(fs::File::create(room.file("dump.archive")).unwrap(), Compression::fast());
    packed.write_all(&0x8199_e26d_u32.to_le_bytes()).unwrap();
    packed.finish().unwrap();
    convert(&room, "dump.archive", &[]).expect(4).says(&["dump without --archive"]);
    for database in ["a", "b"] {
        fs::create_dir_all(room.file("two").join(database)).unwrap();
        fs::write(room.file("two").join(database).join("rocketchat_room.bson"), dumped("rocketchat_room"))
            .unwrap();
    }
    convert(&room, "two", &[]).expect(4).says(&["several databases of Rocket.Chat in it: a, b"]);
    room.write("rocketchat_room.json", "[]");
    convert(&room, "rocketchat_room.json", &[]).expect(4).says(&["there is no room in it"]);
    assert_eq!(room.files(), ["dump.archive", "empty", "rocketchat_room.json", "two"]);
}

#[test]
fn what_is_written_can_be_imported() {
    let room = Room::new();
    convert(&room, FIXTURE, &["--dms"]).expect(3);
    let unpaced = ["--writes-per-minute", "0", "--writes-per-minute-per-space", "0"];
    room.tenure(&[&["spaces", "create", "channels.csv", "--emulator"], unpaced.as_slice()].concat())
        .expect(0);
    let check = room.tenure(&["check", "memberships.jsonl", "--spaces", "channels.spaces.csv"]).expect(0);
    check.says(&["No problems."]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_dump_makes_it_panic(
        which in 0usize..4,
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        cut in prop::option::of(any::<prop::sample::Index>()),
        json in any::<bool>(),
    ) {
        let folder = tempfile::tempdir().unwrap();
        for (place, collection) in COLLECTIONS.into_iter().enumerate() {
            let (end, mut bytes) = match json {
                true => ("json", fs::read(format!("{FIXTURE}/{collection}.json")).unwrap()),
                false => ("bson", dumped(collection)),
            };
            if place == which {
                for (at, byte) in &changes {
                    let at = at.index(bytes.len());
                    bytes[at] = *byte;
                }
                bytes.truncate(cut.map_or(bytes.len(), |cut| cut.index(bytes.len())));
            }
            fs::write(folder.path().join(format!("{collection}.{end}")), bytes).unwrap();
        }
        let mut gathered = Gathered::new(Timestamp::now());
        let mut export = Export::open(folder.path()).unwrap();
        let _ = rocketchat::read(&mut export, rocketchat::Reading { dms: true }, &mut gathered, &mut |_| {});
    }
}
