use std::fs;
use std::path::Path;

use proptest::prelude::*;

use super::*;
use crate::convert::sound::{NOW, holds};
use crate::convert::{Choices, Converted, People, convert};

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/mattermost");

/// Reads exports one after the other, and says what became of them and what was wrong.
fn read(paths: &[&Path]) -> (Gathered, Converted, String) {
    let mut gathered = Gathered::new(NOW);
    let mut reader = Reader::new(Reading { dms: true });
    let mut wrong = String::new();
    for path in paths {
        let read =
            Export::open(path).and_then(|mut export| reader.read(&mut export, &mut gathered, &mut |_| {}));
        let (Ok(problems) | Err(problems)) = read;
        wrong += &problems.render();
    }
    for person in &mut gathered.people {
        let local = person.fact.id.replace(|c: char| !c.is_ascii_alphanumeric(), "x");
        person.fact.address.get_or_insert(format!("{local}@a.example"));
    }
    let people = People { bots: true, ..People::default() };
    let converted = convert(&gathered, &people, &Choices::default(), NOW);
    (gathered, converted, wrong)
}

fn read_text(name: &str, bytes: &[u8]) -> (Gathered, Converted, String) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    fs::write(&path, bytes).unwrap();
    read(&[&path])
}

/// Stints of a conversion as `space member since until`, in seconds of an hour.
fn stints(converted: &Converted) -> Vec<String> {
    let second = |time: Timestamp| time.as_micros() / 1_000_000 % 3600;
    let rows = converted.spaces.iter().flat_map(|space| space.rows.iter().map(move |row| (&space.name, row)));
    rows.map(|(space, row)| {
        let member = row.member.as_str().trim_start_matches("users/").split('@').next().unwrap_or_default();
        let until = row.stint.end.map_or("…".to_owned(), |end| second(end).to_string());
        format!("{space} {member} {} {until}", second(row.stint.start))
    })
    .collect()
}

#[test]
fn a_document_that_declares_entities_is_read_without_them() {
    let mut text =
        String::from("<?xml version=\"1.0\"?>\n<!DOCTYPE FileDump [\n<!ENTITY a \"aaaaaaaaaa\">\n");
    for (name, of) in ["b", "c", "d", "e", "f", "g", "h"].iter().zip(["a", "b", "c", "d", "e", "f", "g"]) {
        text += &format!("<!ENTITY {name} \"{}\">\n", format!("&{of};").repeat(50));
    }
    text += "<!ENTITY file SYSTEM \"file:///etc/passwd\">\n]>\n<FileDump><Conversation Perspective=\"x\">\
             <RoomID>public - c1</RoomID><StartTimeUTC>1614589200000</StartTimeUTC>\
             <ParticipantEntered><LoginName>&h;&file;eva@a.example</LoginName>\
             <DateTimeUTC>1614589201000</DateTimeUTC></ParticipantEntered>\
             <EndTimeUTC>1614675600000</EndTimeUTC></Conversation></FileDump>";
    let (_, converted, wrong) = read_text("a.xml", text.as_bytes());
    assert!(wrong.contains("it declares a document type"), "{wrong}");
    assert_eq!(stints(&converted), ["x eva 1 …"]);
}

#[test]
fn xml_without_end_is_ended() {
    let text = format!("<FileDump><Conversation>{}", "a".repeat(40 << 20));
    assert!(read_text("a.xml", text.as_bytes()).2.contains("longer than 16 MiB"));
    let text = format!("<FileDump>{}", "<a>".repeat(1000));
    assert!(read_text("a.xml", text.as_bytes()).2.contains("more than 32 deep"));
}

#[test]
fn names_of_the_bulk_export_and_ids_of_the_table_are_one() {
    let fixture = |name: &str| Path::new(FIXTURES).join(name);
    let (history, bulk) = (fixture("history.csv"), fixture("bulk"));
    for order in [[&history, &bulk], [&bulk, &history]] {
        let (_, converted, wrong) = read(&order.map(|path| path.as_path()));
        assert_eq!(wrong, "");
        let names: Vec<&str> = converted.spaces.iter().map(|space| space.name.as_str()).collect();
        assert_eq!(names.iter().filter(|name| name.contains("Slipway")).count(), 1, "{names:?}");
        assert_eq!(names.iter().filter(|name| **name == "lin, nadia, oskar").count(), 1, "{names:?}");
        // Joins of notices are those of the table, a few milliseconds apart.
        let lin: Vec<String> =
            stints(&converted).into_iter().filter(|stint| stint.starts_with("Slipway lin")).collect();
        assert_eq!(lin.len(), 2, "{lin:?}");
    }
    let (_, converted, _) = read(&[&history, &bulk]);
    let direct = converted.spaces.iter().filter(|space| space.name == "nadia, oskar").count();
    assert_eq!(direct, 1);
}

#[test]
fn ids_become_names_by_what_other_files_say() {
    let fixture = |name: &str| Path::new(FIXTURES).join(name);
    let (bare, compliance) = (fixture("history-bare.csv"), fixture("compliance"));
    assert!(read(&[&bare]).2.contains("1 of its channels are known by their ids alone"));
    let (_, converted, wrong) = read(&[&compliance, &bare]);
    assert_eq!(wrong, "");
    assert!(converted.spaces.iter().any(|space| space.name == "Slipway"));
}

#[test]
fn an_old_name_is_whose_id_it_is_or_else_somebody_by_itself() {
    let notice = |adder: &str, adder_id: &str, id: &str, name: &str, second: u32| {
        format!(
            "{{\"type\":\"post\",\"post\":{{\"team\":\"t\",\"channel\":\"c\",\"user\":\"{adder}\",\
             \"type\":\"system_add_to_channel\",\"create_at\":{},\"props\":{{\"userId\":\"{adder_id}\",\
             \"addedUserId\":\"{id}\",\"addedUsername\":\"{name}\"}}}}}}\n",
            1_614_589_200_000 + u64::from(second) * 1000
        )
    };
    let mut text = "{\"type\":\"version\",\"version\":1}\n\
                    {\"type\":\"channel\",\"channel\":{\"team\":\"t\",\"name\":\"c\"}}\n"
        .to_owned();
    for user in ["eva", "jo"] {
        let channels = "[{\"name\":\"t\",\"channels\":[{\"name\":\"c\"}]}]";
        text += &format!("{{\"type\":\"user\",\"user\":{{\"username\":\"{user}\",\"teams\":{channels}}}}}\n");
    }
    text += &notice("eva", "id-eva", "id-jo", "joseph", 1);
    text += &notice("eva", "id-eva", "id-gone", "gone", 2);
    // Only now it is told whose id that is.
    text += &notice("jo", "id-jo", "id-new", "new", 3);
    let (_, converted, wrong) = read_text("import.jsonl", text.as_bytes());
    assert_eq!(wrong, "");
    let stints = stints(&converted);
    assert!(stints.contains(&"c jo 1 …".to_owned()), "{stints:?}");
    assert_eq!(stints.iter().filter(|stint| stint.starts_with("c joseph")).count(), 0, "{stints:?}");
    // Whoever is on no roster has left again by the end.
    assert!(stints.iter().any(|stint| stint.starts_with("c gone 2 ")), "{stints:?}");
}

/// A change to a text: where (of 10,000), how many bytes go, and what comes.
fn any_change() -> impl Strategy<Value = (usize, usize, Vec<u8>)> {
    let piece = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..4),
        prop::sample::select(vec![
            "\n", "\"", "<", "</", "&x;", "]]>", "{", "}", "[", ",", "0", "-1", "null", "\u{feff}"
        ])
        .prop_map(|text| text.as_bytes().to_vec()),
    ];
    (0usize..10_000, 0usize..40, piece)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn fixtures_with_any_changes_panic_nowhere(
        which in 0usize..6,
        changes in prop::collection::vec(any_change(), 0..12),
        cut in prop::option::of(0usize..10_000),
    ) {
        let name = [
            "bulk/import.jsonl",
            "old-bulk.jsonl",
            "history.csv",
            "compliance/2021-03-01/posts.csv",
            "one-channel.csv",
            "actiance/2021-03-01/actiance_export.xml",
        ][which];
        let mut bytes = fs::read(Path::new(FIXTURES).join(name)).unwrap();
        for (place, gone, piece) in changes {
            let place = place * bytes.len() / 10_000;
            let end = (place + gone).min(bytes.len());
            bytes.splice(place..end, piece);
        }
        if let Some(cut) = cut {
            bytes.truncate(cut * bytes.len() / 10_000);
        }
        holds(&read_text("export", &bytes).1, NOW)?;
    }

    #[test]
    fn any_bytes_behind_any_beginning_panic_nowhere(
        head in prop::sample::select(vec![
            "",
            "{\"type\":\"version\",\"version\":1}\n",
            "ChannelId,UserId,JoinTime,LeaveTime\n",
            "Post Creation Time,Channel Id,Channel Type,User Id,Post Type\n",
            "<FileDump>",
        ]),
        bytes in prop::collection::vec(any::<u8>(), 0..600),
    ) {
        holds(&read_text("export", &[head.as_bytes(), &bytes].concat()).1, NOW)?;
    }
}
