//! Keys and tokens: found where they should be, refused with words, and never shown.

use std::os::unix::fs::PermissionsExt;

use tenure::credentials::Scope;

use crate::browser::visit;
use crate::secrets::Secrets;
use crate::set_up::token;
use crate::store::completed;
use crate::support::{Emulator, Room, STORE, another_key, args, asked_for, people};

/// As chatty as libraries can be made.
const CHATTY: [(&str, &str); 2] = [("TENURE_LOG", "trace"), ("RUST_BACKTRACE", "1")];

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
    run.says(&[
        "error: named by --credentials: ",
        "nowhere.json: there is no such file",
        "It is to be a service account's key file, or what `tenure login` left.",
        "Service accounts > Keys > Add key > JSON",
    ]);
    assert_eq!(room.files(), ["key.json", "rows.csv"], "nothing was journaled");
}

#[test]
fn a_file_that_is_not_there_is_called_by_who_names_it() {
    let room = Room::new();
    room.write("rows.csv", people(1, 1));
    let import = ["import", "rows.csv", "--impersonate", "a@example.com"];
    let google = ("GOOGLE_APPLICATION_CREDENTIALS", "google.json");
    let told = |env: &[(&str, &str)], story: &str, file: &str| {
        let missing = format!("{file}: there is no such file");
        room.tenure_env(&import, env).expect(1).says(&[
            story,
            &missing,
            "It is to be a service account's key",
        ]);
    };
    told(&[google], "error: named by GOOGLE_APPLICATION_CREDENTIALS: ", "google.json");
    room.write("tenure.toml", "\ncredentials = \"file.json\"\n");
    told(&[google], "error: named by tenure.toml:2: ", "file.json");
    told(&[("TENURE_CREDENTIALS", "ours.json")], "error: named by TENURE_CREDENTIALS: ", "ours.json");
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
    // Whoever comes back the next morning sees why it stopped, and what to do.
    room.tenure(&["status", "j.db"]).expect(0).says(&[
        "Google gives no access token for chat.import: invalid_grant",
        "do the key was revoked or replaced: make a new one at https://console.cloud.google.com/",
        "and give it with --credentials go on tenure resume j.db",
    ]);
    let status = room.status("j.db");
    assert_eq!(status["rows"]["pending"], 6);
    let remedy = status["last_run"]["remedy"].as_str().unwrap();
    assert!(remedy.starts_with("the key was revoked or replaced"), "{remedy}");
    room.write("key.json", good);
    room.tenure(&["resume", "j.db"]).expect(0);
    assert_eq!(room.held(STORE), asked_for(&room.file("rows.csv")));
    let last = room.status("j.db")["last_run"].take();
    assert_eq!((&last["outcome"], last["remedy"].is_null()), (&"complete".into(), true));
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
    let run = room.tenure_env(&import, &CHATTY);
    assert!(
        run.err.contains("[DEBUG tenure::network"),
        "libraries are as chatty as they can be: {}",
        run.err
    );
    // Two tokens refused in a row stop it.
    assert!(matches!(run.code, Some(3 | 5)), "{}", run.said());
    Secrets::of(&room, &["key.json"]).are_not_shown(&room, &[&run]);
}

#[test]
fn no_secret_is_in_what_is_looked_at() {
    let room = Room::new();
    room.write("rows.csv", people(4, 2));
    let emulator = Emulator::start(&room, &[]);
    let here = emulator.connection();
    let chatty = |pieces: &[&str], more: &[String]| room.tenure_env(&args(&[pieces], more), &CHATTY);
    let runs = [
        chatty(&["doctor", "rows.csv", "--json"], &here).expect(0),
        chatty(&["doctor", "--probe", "--yes"], &here).expect(0),
        chatty(&["members", "list", "AAQA0", "--as-app"], &here).expect(1),
        chatty(&["import", "rows.csv", "--journal", "j.db"], &here).expect(0),
        chatty(&["status", "--json", "j.db"], &[]).expect(0),
        // Without whom to act for.
        chatty(&["doctor"], &here[..4]).expect(1),
    ];
    assert!(room.file("tenure.probe.json").exists());
    Secrets::of(&room, &["key.json"]).are_not_shown(&room, &runs.each_ref());
}

#[test]
fn no_secret_of_a_person_is_shown() {
    let room = Room::new();
    room.write(STORE, completed("spaces/S"));
    let google = ["--write-client-secrets", "client_secrets.json", "--signed-in", "admin@example.com"];
    let emulator = Emulator::start(&room, &google);
    let login = ["login", "--client-secrets", "client_secrets.json", "--output", "login.json"];
    let mut running = room.start_env(&login, &CHATTY);
    let url = running.first_line();
    visit(&url);
    let signed_in = running.wait().expect(0);
    let secrets = Secrets::of(&room, &["key.json", "client_secrets.json", "login.json"]);
    let list = ["members", "list", "S", "--standard-spaces", "--endpoint", &emulator.endpoint];
    let list = args(&[&list, &["--credentials", "login.json"]], &[]);
    let listed = room.tenure_env(&list, &CHATTY).expect(0);
    std::fs::copy(room.file("login.json"), room.file("copy.json")).unwrap();
    let signed_out = room.tenure_env(&["logout", "login.json"], &CHATTY).expect(0);
    std::fs::rename(room.file("copy.json"), room.file("login.json")).unwrap();
    // Refused now.
    let refused = room.tenure_env(&list, &CHATTY).expect(1);
    let again = room.tenure_env(&["logout", "login.json"], &CHATTY).expect(0);
    secrets.are_not_shown(&room, &[&signed_in, &listed, &signed_out, &refused, &again]);
}

#[test]
fn no_secret_of_a_machine_or_a_program_is_shown() {
    let room = Room::new();
    room.write("rows.csv", people(4, 2));
    let emulator = Emulator::start(&room, &["--write-adc", "adc.json"]);
    room.write("token", token(&room.file("key.json"), Scope::IMPORT));
    let secrets = Secrets::of(&room, &["key.json", "adc.json", "token"]);
    let base = emulator.endpoint.as_str();
    let import = ["import", "rows.csv", "--impersonate", "admin@example.com", "--endpoint", base];
    let token_uri = format!("{base}token");
    let account = "tenure@tenure-emulator.iam.gserviceaccount.com";
    let keyless = [
        "--journal",
        "keyless.db",
        "--sign-with",
        account,
        "--iam-endpoint",
        base,
        "--token-uri",
        &token_uri,
    ];
    let adc = [&CHATTY[..], &[("GOOGLE_APPLICATION_CREDENTIALS", "adc.json")]].concat();
    let mut runs = vec![room.tenure_env(&args(&[&import, &keyless], &[]), &adc).expect(0)];
    for (command, code) in [
        ("cat token", 0),
        ("cat token token", 5),
        ("cat token; cat token >&2; exit 1", 5),
        ("echo rubbish; cat token", 5),
    ] {
        let by = ["--token-command", command, "--journal", &format!("{}.db", runs.len())];
        runs.push(room.tenure_env(&args(&[&import, &by], &[]), &CHATTY).expect(code));
    }
    secrets.are_not_shown(&room, &runs.iter().collect::<Vec<_>>());
}
