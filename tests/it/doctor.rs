//! Whether everything is ready: what the doctor says when it is, and which one thing when it is not.

use std::os::unix::fs::PermissionsExt;

use serde_json::Value;

use crate::store::{completed, space};
use crate::support::{Emulator, Room, Run, STORE, args, people};

/// Looks, with further arguments.
fn doctor(room: &Room, emulator: &Emulator, more: &[&str]) -> Run {
    room.tenure(&args(&[&["doctor"], more], &emulator.connection()))
}

/// The checks that ended like this: each with what was seen and what to do.
fn checks(run: &Run, outcome: &str) -> Vec<(String, String)> {
    let report: Value = serde_json::from_str(&run.out).unwrap();
    let ended = report["checks"].as_array().unwrap().iter().filter(|check| check["outcome"] == outcome);
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    ended
        .map(|check| {
            (text(&check["check"]), format!("{} → {}", text(&check["story"]), text(&check["remedy"])))
        })
        .collect()
}

fn names(checks: &[(String, String)]) -> Vec<&str> {
    checks.iter().map(|(name, _)| name.as_str()).collect()
}

#[test]
fn ready() {
    let room = Room::new();
    room.write("rows.csv", people(6, 2));
    let emulator = Emulator::start(&room, &[]);
    let run = doctor(&room, &emulator, &["rows.csv"]).expect(0);
    assert_eq!(run.err, "");
    insta::with_settings!({filters => vec![
        (r"(?s)the key file \S+,.*?, acting\s+for", "the key file KEY, ROBOT, client ID NUMBER, acting for"),
        (r"127\.0\.0\.1:\d+", "127.0.0.1:PORT"),
        (r"\d{4}-\S+Z", "TIME"),
    ]}, {
        insta::assert_snapshot!("ready", run.out);
    });
    // Looking without an input is enough for a start, and changes nothing.
    doctor(&room, &emulator, &[]).expect(0).says(&["admin@example.com may use Chat Ready."]);
    assert_eq!(room.held(STORE), []);
    assert_eq!(room.files(), [STORE, "key.json", "rows.csv"]);
}

#[test]
fn ready_for_scripts() {
    let room = Room::new();
    room.write("rows.csv", people(6, 2));
    let emulator = Emulator::start(&room, &[]);
    let run = doctor(&room, &emulator, &["rows.csv", "--json"]).expect(0);
    let report: Value = serde_json::from_str(&run.out).unwrap();
    assert_eq!((&report["ready"], &report["target"]), (&true.into(), &emulator.endpoint.as_str().into()));
    let fine = checks(&run, "ok");
    let expected = [
        "credentials",
        "network",
        "clock",
        "token",
        "token",
        "token",
        "input",
        "quota",
        "api",
        "app",
        "user",
        "spaces",
    ];
    assert_eq!(names(&fine), expected);
    assert_eq!(report["checks"].as_array().unwrap().len(), expected.len());
}

#[test]
fn the_one_thing_to_mend() {
    let console = "https://console.cloud.google.com";
    let cases = [
        (
            &["--delegate", "chat.memberships"][..],
            &["token"][..],
            "with the scope https://www.googleapis.com/auth/chat.import;",
        ),
        (&["--revoke-key-after", "0"], &["token"], "the key was revoked or replaced: make a new one at"),
        (&["--clock-skew", "7200"], &["clock", "token"], "this machine's clock is 2 h 0 min behind Google's"),
        (
            &["--clock-skew", "-7200"],
            &["clock", "token"],
            "this machine's clock is 2 h 0 min ahead of Google's",
        ),
        (
            &["--no-chat-app"],
            &["app"],
            &format!("{console}/apis/api/chat.googleapis.com/hangouts-chat?project=tenure-emulator "),
        ),
        (&["--no-chat-api"], &["api"], "gcloud services enable chat.googleapis.com --project 271828182845"),
        (&["--chat-off-for", "admin@example.com"], &["user"], "if Chat is off for admin@example.com"),
    ];
    for (options, failed, remedy) in cases {
        let room = Room::new();
        let emulator = Emulator::start(&room, options);
        let run = doctor(&room, &emulator, &["--json"]).expect(1);
        let to_mend = checks(&run, "failed");
        assert_eq!(names(&to_mend), failed, "{options:?}: {to_mend:?}");
        assert!(to_mend.iter().any(|(_, text)| text.contains(remedy)), "{options:?}: {to_mend:?}");
    }
}

#[test]
fn what_an_import_can_do_without() {
    let room = Room::new();
    let emulator = Emulator::start(&room, &["--delegate", "chat.import", "--clock-skew", "-120"]);
    let run = doctor(&room, &emulator, &["--json"]).expect(0);
    let known = checks(&run, "warning");
    assert_eq!(names(&known), ["clock", "token"]);
    // A second may pass on the way.
    let skewed = ["this machine's clock is 2 min ", " s ahead of the server's → set it right"];
    assert!(skewed.iter().all(|part| known[0].1.contains(part)), "{known:?}");
    let told =
        ["an import does without it", "with the scope https://www.googleapis.com/auth/chat.memberships;"];
    assert!(told.iter().all(|part| known[1].1.contains(part)), "{known:?}");
    doctor(&room, &emulator, &[]).expect(0).says(&["Ready, with 2 things to know."]);
}

#[test]
fn tokens_of_a_program() {
    let room = Room::new();
    let emulator = Emulator::start(&room, &[]);
    let look = |command| {
        let run = ["doctor", "--endpoint", &emulator.endpoint, "--token-command", command];
        room.tenure(&run)
    };
    look("echo ya29.rubbish").expect(1).says(&[
        "✓ credentials: the tokens that echo prints",
        "✗ Chat does not accept the token: 401 UNAUTHENTICATED",
        "→ the token is no access token of Google's, or it has ended: check what gives it",
    ]);
    look("echo sign in first >&2; exit 3").expect(1).says(&[
        "✗ no access token: the --token-command fails (exit status: 3): sign in first (as whoever the token stands for)",
    ]);
}

#[test]
fn spaces_of_an_input() {
    let room = Room::new();
    let spaces = ["good", "expired", "completed", "near", "unknown"];
    let mut rows = "space,member,deleteTime\n".to_owned();
    rows.extend(spaces.map(|space| format!("spaces/{space},a@example.com,2020-01-01T00:00:00Z\n")));
    room.write("rows.csv", rows);
    let good = space("spaces/good", 1);
    room.write(
        STORE,
        good + &space("spaces/expired", 91) + &completed("spaces/completed") + &space("spaces/near", 80),
    );
    let emulator = Emulator::start_without_spaces(&room, &[]);
    let run = doctor(&room, &emulator, &["rows.csv", "--json"]).expect(1);
    let (failed, warnings) = (checks(&run, "failed"), checks(&run, "warning"));
    assert_eq!((names(&failed), names(&warnings)), (vec!["spaces", "spaces"], vec!["spaces"]));
    for (text, parts) in [
        (&failed[0].1, ["spaces/expired, spaces/unknown cannot be listed: 403", "not older than 90 days"]),
        (
            &failed[1].1,
            [
                "spaces/completed: not in import mode",
                "→ leave their rows out, or import them into new spaces",
            ],
        ),
        (
            &warnings[0].1,
            ["spaces/near: import mode ends within 14 days", "→ import and complete these first"],
        ),
    ] {
        assert!(parts.iter().all(|part| text.contains(part)), "{text}");
    }
    assert!(!run.out.contains("spaces/good"), "nothing is wrong with it: {}", run.out);
}

#[test]
fn an_input_that_is_broken() {
    let room = Room::new();
    room.write("my rows.csv", people(3, 1) + "spaces/A,a@example.com,soon,\n");
    let emulator = Emulator::start(&room, &[]);
    doctor(&room, &emulator, &["my rows.csv"]).expect(1).says(&[
        "✗ input: 4 rows in 1 space, with 1 problem, first: my rows.csv:5: createTime \"soon\":",
        "→ tenure check 'my rows.csv'",
        "✓ admin@example.com may use Chat",
        "Not ready: one thing to mend.",
    ]);
    doctor(&room, &emulator, &["nowhere.csv"])
        .expect(1)
        .says(&["first: nowhere.csv: ", "→ tenure check nowhere.csv"]);
}

#[test]
fn a_key_that_others_can_read() {
    let room = Room::new();
    room.write("rows.csv", people(2, 1));
    let emulator = Emulator::start(&room, &[]);
    std::fs::set_permissions(room.file("key.json"), std::fs::Permissions::from_mode(0o640)).unwrap();
    let told = ["key.json can be read by others on this machine (mode 640): chmod 600 "];
    doctor(&room, &emulator, &[]).expect(0).says(&told).says(&["Ready, with one thing to know."]);
    room.tenure(&args(&[&["import", "rows.csv"]], &emulator.connection())).expect(0).says(&told);
}

#[test]
fn credentials_that_cannot_be_used() {
    let room = Room::new();
    let emulator = Emulator::start(&room, &[]);
    for settings in [&["doctor"][..], &["doctor", "--standard-spaces"], &["doctor", "--as-app"]] {
        room.tenure(settings).expect(2).says(&["error: no credentials: ", "give --credentials KEY.json"]);
    }
    room.write("other.json", "{}");
    let cases = [
        (
            1,
            &["--credentials", "nowhere.json", "--impersonate", "a@example.com"][..],
            "nowhere.json: there is no such file",
        ),
        (
            1,
            &["--credentials", "other.json", "--impersonate", "a@example.com"],
            "not a service account's key file",
        ),
        (1, &["--credentials", "key.json"], "nobody to act for: give --impersonate EMAIL"),
        (
            2,
            &["--credentials", "key.json", "--impersonate", "admin"],
            "\"admin\": it is not an e-mail address",
        ),
    ];
    for (code, more, story) in cases {
        let look = args(&[&["doctor", "--endpoint", &emulator.endpoint], more], &[]);
        room.tenure(&look).expect(code).says(&[story]);
    }
}

#[test]
fn no_network() {
    let room = Room::new();
    let emulator = Emulator::start(&room, &[]);
    let connection = emulator.connection();
    let host = format!("127.0.0.1:{}", emulator.port());
    emulator.kill();
    room.tenure(&args(&[&["doctor"]], &connection)).expect(1).says(&[
        &format!("✗ {host} cannot be reached directly: Connection refused"),
        "→ check the network, the firewall, and HTTPS_PROXY and NO_PROXY in the environment",
        "! clock: no server has told its time",
    ]);
}
