use std::fs;

use proptest::prelude::*;

use super::event::Membership::{self, Ban, Invite, Join, Knock, Leave};
use super::rooms::{Change, List};
use super::tell::Before::{Known, Nothing, Unknown};
use super::tell::{Meaning, in_order, meaning};
use super::*;
use crate::convert::Gathered;
use crate::convert::sound::{NOW, sound};
use crate::model::Timestamp;

fn at(second: i64) -> Timestamp {
    Timestamp::from_micros((1_577_836_800 + second) * 1_000_000)
}

/// What comes of a file with this name and text.
fn gathered(name: &str, text: &[u8]) -> (Gathered, Result<Problems, Problems>) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    fs::write(&path, text).unwrap();
    let mut gathered = Gathered::new(NOW);
    let reading = Reading { dms: true, homes: vec!["a.example".to_owned()] };
    let mut rooms = Rooms::new(NOW);
    let problems = Export::open(&path).and_then(|mut export| read(&mut export, &mut rooms, &mut |_| {}));
    rooms.tell(&reading, &mut gathered);
    (gathered, problems)
}

#[test]
fn what_a_change_means() {
    let joins = [Known(Invite), Known(Knock), Known(Leave), Nothing];
    assert!(joins.into_iter().all(|before| meaning(before, Join, false) == Meaning::Joined));
    // Nobody joins who is banned, unless the end of the ban is missing.
    assert!(matches!(meaning(Known(Ban), Join, false), Meaning::Ignored(_)));
    assert_eq!(meaning(Known(Ban), Join, true), Meaning::Joined);
    assert_eq!(meaning(Known(Join), Join, true), Meaning::Member);
    assert_eq!(meaning(Unknown, Join, true), Meaning::Member);
    for to in [Leave, Ban] {
        assert_eq!(meaning(Known(Join), to, false), Meaning::Left);
        assert_eq!((meaning(Nothing, to, true), meaning(Unknown, to, true)), (Meaning::Left, Meaning::Left));
        for before in [Known(Invite), Known(Knock), Known(Leave), Known(Ban), Nothing, Unknown] {
            assert!(matches!(meaning(before, to, false), Meaning::Ignored(_)), "{before:?} {to:?}");
        }
    }
    for before in [Known(Leave), Known(Ban), Nothing, Unknown] {
        assert!(matches!(meaning(before, Invite, true), Meaning::Ignored(_)));
        assert!(matches!(meaning(before, Knock, true), Meaning::Ignored(_)));
    }
}

fn change(second: i64, to: Membership, depth: Option<i64>, list: usize) -> Change {
    Change { who: 0, time: at(second), dated: true, to, before: None, replaces: false, depth, list }
}

#[test]
fn the_order_is_that_of_the_history_and_not_of_the_clocks() {
    let order = |changes: &[Change], lists: &[List]| -> Vec<(i64, Membership)> {
        let second = |change: &Change| (change.time.as_micros() - at(0).as_micros()) / 1_000_000;
        in_order(changes, lists).iter().map(|change| (second(change), change.to)).collect()
    };
    let lists = [List::default(), List::default()];
    let deep = [change(50, Leave, Some(7), 0), change(90, Join, Some(6), 0)];
    assert_eq!(order(&deep, &lists), [(90, Join), (90, Leave)]);
    let listed = [change(90, Join, None, 0), change(50, Leave, None, 0)];
    assert_eq!(order(&listed, &lists), [(90, Join), (90, Leave)]);
    // Of two lists only the times tell.
    let apart = [change(90, Join, None, 0), change(50, Leave, None, 1)];
    assert_eq!(order(&apart, &lists), [(50, Leave), (90, Join)]);
    let twice = [change(50, Join, None, 0), change(50, Join, Some(3), 1)];
    assert_eq!(order(&twice, &lists), [(50, Join)]);
    // A clock that was in the next century takes nobody along.
    let beyond = Change { dated: false, ..change(4_000_000_000, Join, Some(6), 0) };
    assert_eq!(
        order(&[change(60, Leave, Some(7), 0), beyond, change(40, Invite, Some(5), 0)], &lists),
        [(40, Invite), (40, Join), (60, Leave)]
    );
}

#[test]
fn what_is_no_export_says_what_to_give() {
    let says = |name: &str, text: &str| gathered(name, text.as_bytes()).1.unwrap_err().render();
    assert!(says("a.json", "[]").contains("no events of Matrix"));
    assert!(says("a.json", "").contains("it is empty"));
    assert!(says("a.json", "[\"$1\", null, 7, true, 1.5]").contains("no events of Matrix"));
    let event = r#"{"type":"m.room.message","sender":"@a:b","origin_server_ts":1600000000000}"#;
    assert!(says("a.json", event).contains("says of which room"));
    assert!(says("a.json", "{\"type\":").contains("it is broken"));
    assert!(says("a.json", &"[".repeat(10_000)).contains("recursion limit"));
}

#[test]
fn what_comes_before_the_break_is_taken() {
    let event = r#"{"type":"m.room.member","sender":"@a:a.example","state_key":"@a:a.example","room_id":"!r:a.example",
        "content":{"membership":"join"},"origin_server_ts":1600000000000}"#;
    let (gathered, problems) = gathered("a.jsonl", format!("{event}{event}\n{{\"type\":").as_bytes());
    assert_eq!((gathered.channels.len(), gathered.events), (1, 1));
    assert!(problems.unwrap().render().contains("a.jsonl:4: it is broken"));
}

/// A value of an event, of any type.
fn any_value() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("null".to_owned()),
        Just("[1,{},\"x\"]".to_owned()),
        Just("true".to_owned()),
        (1_600_000_000_000u64..1_600_000_000_009).prop_map(|number| number.to_string()),
        "@[ab]:a.example".prop_map(|text| format!("\"{text}\"")),
        "[a-z. ]{0,6}".prop_map(|text| format!("\"{text}\"")),
        "(join|leave|ban|invite|knock)"
            .prop_map(|to| format!("{{\"membership\":\"{to}\",\"is_direct\":true}}")),
        "(join|leave)".prop_map(|to| format!("{{\"prev_content\":{{\"membership\":\"{to}\"}}}}")),
    ]
}

/// Events that are mostly sound: a room, a time, a kind.
fn any_event() -> impl Strategy<Value = String> {
    let keys =
        ["content", "unsigned", "prev_content", "state_key", "depth", "event_id", "membership", "sender"];
    let kinds =
        prop::sample::select(vec!["member", "member", "member", "message", "create", "tombstone", "name"]);
    let more = prop::collection::vec(prop::option::weighted(0.3, any_value()), keys.len());
    let sound = ("[ab]", "(join|leave|ban|invite)", 1_600_000_000_000u64..1_600_000_000_009, 0..3u8);
    (kinds, "[rs]", sound, more).prop_map(move |(kind, room, (who, to, time, depth), more)| {
        let mut text = format!(
            "\"type\":\"m.room.{kind}\",\"room_id\":\"!{room}:a.example\",\"sender\":\"@a:a.example\",\
             \"state_key\":\"@{who}:a.example\",\"content\":{{\"membership\":\"{to}\"}},\"origin_server_ts\":{time}"
        );
        if depth > 0 {
            text += &format!(",\"depth\":{depth}");
        }
        for (key, value) in keys.iter().zip(more) {
            if let Some(value) = value {
                text += &format!(",\"{key}\":{value}");
            }
        }
        format!("{{{text}}}")
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn whatever_the_events_say_rows_are_sound(
        events in prop::collection::vec(any_event(), 0..20),
        around in prop::sample::select(vec![("[", ",", "]"), ("", "", ""), ("", "\n", "\n"), ("{\"chunk\":[", ",", "]}")]),
        cut in prop::option::weighted(0.2, 0usize..2000),
    ) {
        let (before, between, after) = around;
        let text = format!("{before}{}{after}", events.join(between));
        let text = &text.as_bytes()[..cut.unwrap_or(text.len()).min(text.len())];
        let (gathered, _) = gathered("a.json", text);
        sound(gathered)?;
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = gathered("a.json", &bytes);
    }
}
