//! A person signs in, and out again; the test is their browser.

use std::os::unix::fs::PermissionsExt;

use serde_json::json;

use crate::browser::{query, visit};
use crate::script::Script;
use crate::store::completed;
use crate::support::{Emulator, Room, STORE, args, people};

const SECRETS: &str = "client_secrets.json";
/// Where a sign-in is kept unless said otherwise.
const SIGN_IN: &str = ".config/tenure/login.json";

/// A room with a standard space that the administrator manages, and a Google to sign in to.
fn room(options: &[&str]) -> (Room, Emulator) {
    let room = Room::new();
    room.write(STORE, completed("spaces/S"));
    let google = ["--write-client-secrets", SECRETS, "--signed-in", "admin@example.com"];
    let emulator = Emulator::start(&room, &[&google, options].concat());
    (room, emulator)
}

/// Signs in with these options, to the end.
fn login(room: &Room, options: &[&str]) -> crate::support::Run {
    let mut running = room.start(&args(&[&["login", "--client-secrets", SECRETS], options], &[]));
    let url = running.first_line();
    visit(&url);
    running.wait()
}

fn list(room: &Room, emulator: &Emulator, more: &[&str]) -> crate::support::Run {
    room.tenure(&args(&[&["members", "list", "S", "--endpoint", &emulator.endpoint], more], &[]))
}

#[test]
fn somebody_signs_in_and_out() {
    let (room, emulator) = room(&[]);
    let run = login(&room, &[]).expect(0).says(&[
        "Open this in a browser on this machine",
        "Signed in for chat.memberships, chat.memberships.app; kept in",
        "Try it: tenure members list SPACE --standard-spaces",
    ]);
    assert!(run.err.contains(SIGN_IN), "{}", run.err);
    assert_eq!(std::fs::metadata(room.file(SIGN_IN)).unwrap().permissions().mode() & 0o777, 0o600);
    list(&room, &emulator, &["--standard-spaces"]).expect(0).says(&["1 membership in spaces/S"]);
    let ready = ["doctor", "--endpoint", &emulator.endpoint, "--standard-spaces"];
    room.tenure(&ready).expect(0).says(&["✓ credentials: the person signed in with", "Ready."]);
    std::fs::copy(room.file(SIGN_IN), room.file("copy.json")).unwrap();
    room.tenure(&["logout"]).expect(0).says(&["Signed out: the access is revoked"]);
    assert!(!room.file(SIGN_IN).exists());
    room.tenure(&["logout"]).expect(0).says(&["Nobody is signed in"]);
    list(&room, &emulator, &["--standard-spaces"])
        .expect(2)
        .says(&["no credentials: sign in with `tenure login`"]);
    // A copy is worth nothing any more.
    list(&room, &emulator, &["--standard-spaces", "--credentials", "copy.json"])
        .expect(1)
        .says(&["no access token for chat.memberships: invalid_grant", "sign in again with `tenure login`"]);
    room.tenure(&["logout", "copy.json"]).expect(0).says(&["did not confirm that the access is revoked"]);
    assert!(!room.file("copy.json").exists());
}

#[test]
fn an_administrator_signs_in_for_more() {
    let (room, emulator) = room(&[]);
    login(&room, &[]).expect(0);
    list(&room, &emulator, &["--admin-access"]).expect(1).says(&[
        "the sign-in was not for chat.admin.memberships: sign in again with `tenure login --admin-access`",
    ]);
    let more = ["--admin-access", "--login-hint", "admin@example.com", "--output", "my file.json"];
    login(&room, &more).expect(0).says(&[
        "chat.admin.memberships",
        "tenure members list SPACE --admin-access --credentials 'my file.json'",
    ]);
    list(&room, &emulator, &["--admin-access", "--credentials", "my file.json"]).expect(0);
}

#[test]
fn import_mode_takes_no_person() {
    let (room, emulator) = room(&[]);
    room.write("rows.csv", people(2, 1));
    login(&room, &[]).expect(0);
    let import =
        ["import", "rows.csv", "--endpoint", &emulator.endpoint, "--impersonate", "admin@example.com"];
    room.tenure(&import).expect(2).says(&["error: no credentials: give --credentials KEY.json"]);
    room.tenure(&args(&[&import, &["--credentials", SIGN_IN]], &[]))
        .expect(2)
        .says(&["login.json is a person's sign-in, and this takes a service account"]);
    assert!(!room.files().iter().any(|name| name.contains("journal")), "{:?}", room.files());
    list(&room, &emulator, &["--as-app", "--credentials", SIGN_IN])
        .expect(2)
        .says(&["login.json is a person's sign-in, and this takes a service account"]);
}

#[test]
fn whoever_does_not_consent_is_not_signed_in() {
    let (room, _emulator) = room(&["--deny-sign-in"]);
    login(&room, &[])
        .expect(1)
        .says(&["error: the sign-in was refused (access_denied): sign in again and allow it"]);
    assert!(!room.file(SIGN_IN).exists());
}

#[test]
fn only_the_way_back_that_was_asked_for_counts() {
    let (room, _emulator) = room(&[]);
    let mut running = room.start(&["login", "--client-secrets", SECRETS]);
    let url = running.first_line();
    let asked = query(&url);
    assert_eq!((asked["code_challenge_method"].as_str(), asked["access_type"].as_str()), ("S256", "offline"));
    for forged in ["/?state=forged&code=stolen", "/?code=stolen", "/?error=access_denied", "/favicon.ico"] {
        let (status, text) = visit(&format!("{}{forged}", asked["redirect_uri"]));
        assert_eq!((status, text.as_str()), (404, "There is nothing here.\n"), "{forged}");
    }
    assert!(running.is_running());
    assert_eq!(
        visit(&url),
        (200, "Thank you: tenure goes on in its terminal, and this window can be closed.\n".to_owned())
    );
    running.wait().expect(0);
    assert!(room.file(SIGN_IN).exists());
}

#[test]
fn giving_up_is_an_interruption() {
    let (room, _emulator) = room(&[]);
    let mut running = room.start(&["login", "--client-secrets", SECRETS]);
    running.first_line();
    running.signal("INT");
    running.wait().expect(130);
    assert!(!room.file(SIGN_IN).exists());
}

/// A sign-in whose code is traded for this.
fn traded_for(answer: &serde_json::Value) -> (Room, crate::support::Run) {
    let room = Room::new();
    let google = Script::start(&[(200, &answer.to_string())]);
    let client = json!({
        "client_id": "c", "client_secret": "s",
        "auth_uri": format!("{}auth", google.endpoint), "token_uri": format!("{}token", google.endpoint),
    });
    room.write(SECRETS, json!({ "installed": client }).to_string());
    let mut running = room.start(&["login", "--client-secrets", SECRETS]);
    let asked = query(&running.first_line());
    visit(&format!("{}/?state={}&code=c", asked["redirect_uri"], asked["state"]));
    let run = running.wait();
    assert!(
        google.asked()[0].starts_with("POST /token grant_type=authorization_code&code=c&"),
        "{:?}",
        google.asked()
    );
    (room, run)
}

#[test]
fn every_box_has_to_be_ticked() {
    let one = "https://www.googleapis.com/auth/chat.memberships";
    let answer = json!({ "access_token": "a", "refresh_token": "r", "scope": one });
    let (room, run) = traded_for(&answer);
    run.expect(1).says(&[
        "not everything was consented to; missing: chat.memberships.app. Sign in again and tick every box",
    ]);
    assert!(!room.file(SIGN_IN).exists());
}

#[test]
fn a_sign_in_that_would_not_last() {
    let (room, run) = traded_for(&json!({ "access_token": "a" }));
    run.expect(1).says(&["Google gave no refresh token", "myaccount.google.com/permissions"]);
    assert!(!room.file(SIGN_IN).exists());
}

#[test]
fn files_that_are_no_desktop_apps() {
    let (room, _emulator) = room(&[]);
    let web = room.read(SECRETS).replace("\"installed\"", "\"web\"");
    room.write("web.json", web);
    let how = "Create credentials > OAuth client ID > Desktop app";
    for (file, story) in [
        ("web.json", "it is one of type \"Web application\""),
        ("key.json", "its type is \"service_account\""),
    ] {
        let run = room.tenure(&["login", "--client-secrets", file]).expect(1).says(&[story, how]);
        assert!(!run.said().contains("GOCSPX") && !run.said().contains("PRIVATE"), "{}", run.said());
        // Nor does signing out touch what is no sign-in.
        room.tenure(&["logout", file]).expect(1).says(&["this is not what `tenure login` leaves"]);
        assert!(room.file(file).exists());
    }
    room.tenure(&["login", "--client-secrets", "nowhere.json"])
        .expect(1)
        .says(&["nowhere.json: there is no such file"]);
    room.tenure(&["login"]).expect(2).says(&["--client-secrets <FILE>"]);
}
