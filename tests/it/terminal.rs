//! What comes from an input or from a server reaches the terminal as text: it colours nothing, clears nothing, types
//! nothing, and hides nothing.

use std::process::{Command, Stdio};

use crate::script::Script;
use crate::support::{Emulator, Room, Run, args};

/// ESC and its one-character form, bell, carriage return, backspace, and what turns the direction of writing.
const EVIL: &str = "\u{1b}]0;x\u{7}\u{1b}[2J\u{9b}31m\r\u{8}\u{202e}\u{feff}";

#[track_caller]
fn is_calm(said: &str) {
    let disturbing = |c: char| (c.is_control() && c != '\n') || matches!(c, '\u{202e}' | '\u{feff}');
    assert_eq!(said.find(disturbing), None, "{said:?}");
}

#[track_caller]
fn both_are_calm(run: &Run) {
    assert_ne!(run.code, Some(2), "{}", run.err);
    is_calm(&run.out);
    is_calm(&run.err);
}

/// Inputs that are evil in their names, headers and values.
fn evil(room: &Room) -> Vec<String> {
    let cell = format!("\"{EVIL}\"");
    let key = serde_json::to_string(EVIL).unwrap();
    let files = [
        (format!("name{EVIL}.csv"), format!("space,member,{cell}\nA{EVIL},b,\n{cell}{EVIL},{cell},\n")),
        ("values.csv".to_owned(), format!("space,member,createTime,role\n{cell},{cell},{cell},{cell}\n")),
        ("header.csv".to_owned(), format!("space,member,{cell},{cell}\n")),
        ("no-header.csv".to_owned(), format!("{cell},{cell}\n")),
        ("latin-1.csv".to_owned(), format!("space,member,{cell}\nA,b@c.de,LATIN\n")),
        ("after-quote.csv".to_owned(), format!("space,member,{cell}\nA,b@c.de,{cell}{EVIL}\n")),
        ("unclosed.csv".to_owned(), format!("space,member,{cell}\nA,b@c.de,\"{EVIL}\n")),
        ("rows.jsonl".to_owned(), format!("{{{key}:1,{key}:2,\"space\":{key}}}\n{EVIL}\n{{\"{EVIL}\":1}}\n")),
    ];
    files
        .into_iter()
        .map(|(name, text)| {
            let (before, after) = text.split_once("LATIN").unwrap_or((&text, ""));
            let latin: &[u8] = if after.is_empty() { b"" } else { b"\xff" };
            room.write(&name, [before.as_bytes(), latin, after.as_bytes()].concat());
            name
        })
        .collect()
}

#[test]
fn of_inputs() {
    let room = Room::new();
    room.write("map.csv", format!("\"name{EVIL}\",\" space\"\n"));
    for file in evil(&room) {
        for progress in ["plain", "json", "bar"] {
            both_are_calm(&room.tenure(&["check", "--progress", progress, &file]).expect(4));
        }
        both_are_calm(&room.tenure(&["check", "--spaces", "map.csv", &file]).expect(4));
        both_are_calm(&room.tenure(&["import", &file, "--emulator"]).expect(4));
    }
    // Of columns that are merely not known there is a notice.
    room.write("rows.csv", format!("space,member,deleteTime,\"{EVIL}\"\nA,a@b.cd,2021-01-01T00:00:00Z,\n"));
    let run = room.tenure(&["check", "rows.csv"]).expect(0);
    both_are_calm(&run);
    assert!(run.err.contains(r"kept, but not used: \u{1b}]0;x\u{7}\u{1b}[2J\u{9b}31m\r"), "{}", run.err);
}

#[test]
fn of_rejects_on_a_terminal() {
    let room = Room::new();
    let file = "rows.csv";
    room.write(file, format!("space,member,\"{EVIL}\"\nA,\"{EVIL}@example.com\",\"{EVIL}\"\n"));
    let import = ["import", file, "--emulator", "--skip-invalid"];
    both_are_calm(&room.tenure(&import).expect(3));
    both_are_calm(&room.tenure(&["status", "rows.csv.journal.db"]).expect(0));
    // A file or a pipe gets what was read, a terminal what can be read.
    let piped = room.tenure(&["rejects", "rows.csv.journal.db"]).expect(0).out;
    assert!(piped.contains('\u{1b}'), "{piped:?}");
    for format in ["csv", "jsonl"] {
        let line = format!("{} rejects rows.csv.journal.db --format {format}", env!("CARGO_BIN_EXE_tenure"));
        let pty = Command::new("script")
            .args(["-q", "-e", "-c", &line, "/dev/null"])
            .current_dir(room.path())
            .stdin(Stdio::null())
            .output();
        // Not every machine has script(1).
        let Ok(output) = pty else { return };
        let shown = String::from_utf8(output.stdout).unwrap().replace("\r\n", "\n");
        assert!(shown.contains(r"\u001b[2J"), "{shown:?}");
        is_calm(&shown);
    }
}

#[test]
fn of_servers() {
    let room = Room::new();
    let text = |text: &str| serde_json::to_string(text).unwrap();
    let evil = text(&format!("x{EVIL}"));
    let member = format!(
        "{{\"name\":{evil},\"state\":{evil},\"role\":{evil},\"member\":{{\"name\":{evil}}},\"createTime\":{evil}}}"
    );
    let refusal = format!("{{\"error\":{{\"code\":403,\"message\":{evil},\"status\":{evil}}}}}");
    let cut = refusal.replace("}}", "");
    for (status, body) in [
        (200, format!("{{\"memberships\":[{member}]}}")),
        (403, refusal.clone()),
        (404, cut),
        (404, format!("<p>{EVIL}")),
        (200, EVIL.to_owned()),
    ] {
        for json in [None, Some("--json")] {
            let server = Script::start(&[(status, &body), (status, &body), (status, &body)]);
            let list = ["members", "list", "A", "--admin-access", "--request-timeout", "2s"];
            let list: Vec<&str> = list.into_iter().chain(json).collect();
            both_are_calm(
                &room.tenure_env(&args(&[&list], &server.connection()), &[("TENURE_LOG", "trace")]),
            );
        }
    }
    // An import that is refused, and what its journal tells later.
    room.write("rows.csv", "space,member,deleteTime\nA,a@example.com,2021-01-01T00:00:00Z\n");
    let refusals = vec![(403, refusal.as_str()); 20];
    let server = Script::start(&refusals);
    let import = args(&[&["import", "rows.csv", "--give-up-after", "1s"]], &server.connection());
    both_are_calm(&room.tenure(&import));
    assert!(!server.asked().is_empty());
    both_are_calm(&room.tenure(&["status", "rows.csv.journal.db"]));
}

#[test]
fn of_a_program_that_prints_tokens() {
    let room = Room::new();
    let emulator = Emulator::start(&room, &[]);
    let endpoint = format!("http://127.0.0.1:{}/", emulator.port());
    room.write("evil.sh", format!("printf '%s' '{EVIL}' >&2; printf '%s' '{EVIL}'; exit 1\n"));
    let list = ["members", "list", "A", "--endpoint", &endpoint, "--token-command", "sh evil.sh"];
    both_are_calm(&room.tenure(&list));
}
