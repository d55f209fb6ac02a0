//! Keys and tokens: found where they should be, refused with words, and never shown.

use std::os::unix::fs::PermissionsExt;

use crate::support::{Emulator, Room, STORE, another_key, args, asked_for, people};

#[test]
fn none_is_a_matter_of_usage() {
    let room = Room::new();
    room.write("rows.csv", people(2, 1));
    let run = room.tenure(&["import", "rows.csv"]).expect(2);
    assert!(run.err.starts_with("error: no credentials: give --credentials KEY.json"), "{}", run.err);
    let run = room.tenure(&["import", "rows.csv", "--credentials", "key.json"]).expect(2);
    assert!(run.err.starts_with("error: nobody to act for: give --impersonate EMAIL"), "{}", run.err);
    assert_eq!(room.files(), ["rows.csv"], "nothing was read before that");
    // Journaling alone needs none; sending does.
    room.tenure(&["import", "rows.csv", "--journal-only"]).expect(0);
    room.tenure(&["resume", "rows.csv.journal.db"]).expect(2);
}

#[test]
fn files_that_are_no_keys_are_not_shown() {
    let room = Room::new();
    room.write("rows.csv", people(2, 1));
    let pem = "-----BEGIN PRIVATE KEY-----\\nc2VjcmV0\\n-----END PRIVATE KEY-----";
    let key = |kind: &str, pem: &str, uri: &str| {
        format!(
            r#"{{"type":"{kind}","client_email":"robot@example.com","private_key":"{pem}","token_uri":"{uri}"}}"#
        )
    };
    let cases = [
        ("not JSON: c2VjcmV0".to_owned(), "it is not JSON"),
        (key("service_account", "c2VjcmV0", "http://127.0.0.1:9/")[..90].to_owned(), "it is not JSON"),
        ("[\"c2VjcmV0\"]".to_owned(), "it has no \"type\""),
        (key("authorized_user", pem, "http://127.0.0.1:9/"), "this is not what `tenure login` leaves"),
        (key("external_account", pem, "http://127.0.0.1:9/"), "its type is \"external_account\""),
        (r#"{"type":"service_account","client_email":"c2VjcmV0"}"#.to_owned(), "it has no \"private_key\""),
        (key("service_account", pem, "http://evil.example.com/"), "token_uri"),
        (key("service_account", "c2VjcmV0", "http://127.0.0.1:9/"), "its private key cannot be read"),
        (key("service_account", pem, "http://127.0.0.1:9/"), ""),
    ];
    for (text, story) in cases {
        room.write("key.json", &text);
        let import = ["import", "rows.csv", "--credentials", "key.json", "--impersonate", "a@example.com"];
        let run = room.tenure(&import).expect(1);
        assert!(story.is_empty() || run.err.contains("/key.json: "), "{}", run.err);
        assert!(run.err.contains(story), "{text}: {}", run.err);
        assert!(!run.said().contains("c2VjcmV0"), "{text}: {}", run.err);
        assert!(!run.err.contains("panicked"), "{}", run.err);
    }
    let run =
        room.tenure(&["import", "rows.csv", "--credentials", "nowhere.json", "--impersonate", "a@b.de"]);
    let run = run.expect(1);
    assert!(run.err.contains("nowhere.json: No such file"), "{}", run.err);
    assert_eq!(room.files(), ["key.json", "rows.csv"], "nothing was journaled");
}

#[test]
fn they_come_from_the_environment_too() {
    for variable in ["TENURE_CREDENTIALS", "GOOGLE_APPLICATION_CREDENTIALS"] {
        let room = Room::new();
        room.write("rows.csv", people(2, 1));
        let emulator = Emulator::start(&room, &[]);
        let import = ["import", "rows.csv", "--endpoint", &emulator.endpoint];
        let env = [(variable, "key.json"), ("TENURE_IMPERSONATE", "admin@example.com")];
        room.tenure_env(&import, &env).expect(0);
        assert_eq!(room.held(STORE), asked_for(&room.file("rows.csv")));
    }
}

#[test]
fn a_key_that_was_replaced_stops_the_run() {
    let room = Room::new();
    room.write("rows.csv", people(6, 2));
    let emulator = Emulator::start(&room, &[]);
    // Ours, signed with another private key: what a revoked key looks like.
    let mut key: serde_json::Value = serde_json::from_str(&room.read("key.json")).unwrap();
    let others: serde_json::Value = serde_json::from_str(&another_key()).unwrap();
    key["private_key"] = others["private_key"].clone();
    let good = room.read("key.json");
    std::fs::remove_file(room.file("key.json")).unwrap();
    room.write("key.json", key.to_string());
    let import = args(&[&["import", "rows.csv", "--journal", "j.db"]], &emulator.connection());
    let run = room.tenure(&import).expect(5);
    assert!(
        run.out.starts_with("Stopped: Google gives no access token for chat.import: invalid_grant"),
        "{}",
        run.out
    );
    assert!(run.out.contains("the key was revoked or replaced"), "{}", run.out);
    assert_eq!(room.status("j.db")["rows"]["pending"], 6);
    room.write("key.json", good);
    room.tenure(&["resume", "j.db"]).expect(0);
    assert_eq!(room.held(STORE), asked_for(&room.file("rows.csv")));
}

#[test]
fn no_secret_is_written_anywhere() {
    let room = Room::new();
    room.write("rows.csv", people(20, 2) + "spaces/A,gone@example.invalid,,2020-01-01T00:00:00Z\n");
    let emulator = Emulator::start(
        &room,
        &["--fault", "unauthorized=0.1", "--fault", "error-after=0.1", "--fault", "html=0.1", "--seed", "5"],
    );
    let mode = std::fs::metadata(room.file("key.json")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let import = args(
        &[&["import", "rows.csv", "--journal", "j.db", "--progress", "json", "--max-in-flight", "2"]],
        &emulator.connection(),
    );
    // As chatty as libraries can be made.
    let run = room.tenure_env(&import, &[("RUST_LOG", "trace"), ("RUST_BACKTRACE", "1")]);
    // Two tokens refused in a row stop it.
    assert!(matches!(run.code, Some(3 | 5)), "{}", run.said());
    let mut everything = run.said().into_bytes();
    for name in room.files().iter().filter(|name| name.starts_with("j.db") || *name == STORE) {
        everything.extend(std::fs::read(room.file(name)).unwrap());
    }
    let key: serde_json::Value = serde_json::from_str(&room.read("key.json")).unwrap();
    let pem = key["private_key"].as_str().unwrap();
    let mut secrets: Vec<&str> = pem.lines().filter(|line| !line.starts_with("-----")).collect();
    // A JWT begins with {" and an access token of the emulator's like one of Google's.
    secrets.extend(["PRIVATE KEY", "eyJ", "ya29.", "Bearer"]);
    assert!(secrets.len() > 20);
    for secret in secrets {
        let shown = everything.windows(secret.len()).any(|window| window == secret.as_bytes());
        assert!(!shown, "{secret} is shown");
    }
}
