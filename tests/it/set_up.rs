//! Everything that can be wrong with the set-up: each stops a run with its cause and the next step, and when that is
//! mended the run goes on from where it was.

use std::path::Path;

use serde_json::Value;
use tenure::credentials::{Actor, Credentials, Need, Proof, Scope, Tokens as _};

use crate::store::space;
use crate::support::{Emulator, Room, Run, STORE, UNPACED, another_key, args, asked_for, people};

/// Rows of the input; they are in two spaces.
const ROWS: u64 = 6;

/// A room with an input, and an emulator that is set up like this.
fn room(options: &[&str]) -> (Room, Emulator) {
    let room = Room::new();
    room.write("rows.csv", people(ROWS as usize, 2));
    let emulator = Emulator::start(&room, options);
    (room, emulator)
}

/// An import that stops before its end, with so many rows done and the others pending.
#[track_caller]
fn stops(room: &Room, connection: &[String], done: u64) -> Run {
    let import =
        ["import", "rows.csv", "--journal", "j.db", "--max-in-flight", "1", "--give-up-after", "500ms"];
    let run =
        room.tenure(&args(&[&import, &UNPACED], connection)).expect(5).says(&["go on tenure resume j.db"]);
    let status = room.status("j.db");
    assert_eq!(status["running"], false);
    assert_eq!((&status["rows"]["done"], &status["rows"]["pending"]), (&done.into(), &(ROWS - done).into()));
    run
}

/// What is asked for when all is mended: the rest, and every row once.
#[track_caller]
fn goes_on(room: &Room) {
    room.tenure(&["resume", "j.db"]).expect(0);
    assert_eq!(room.status("j.db")["rows"]["done"], ROWS);
    assert_eq!(room.held(STORE), asked_for(&room.file("rows.csv")));
}

fn key(room: &Room) -> Value {
    serde_json::from_str(&room.read("key.json")).unwrap()
}

/// A token for one scope, in the administrator's name.
pub(crate) fn token(key: &Path, scope: Scope) -> String {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let proof = Proof::File(key.to_owned());
        let credentials = Credentials::open(&proof, Some("admin@example.com")).await.unwrap();
        let need = Need { scope, actor: Actor::Person };
        credentials.token(need, None).await.unwrap().to_string()
    })
}

#[test]
fn a_token_for_another_scope() {
    let (room, emulator) = room(&[]);
    let connection = ["--endpoint", &emulator.endpoint, "--token-command", "cat token"].map(str::to_owned);
    room.write("token", token(&room.file("key.json"), Scope::SPACES_READONLY));
    stops(&room, &connection, 0).says(&[
        "Stopped: the access token lacks a scope: 403 PERMISSION_DENIED",
        "do the token has to be for https://www.googleapis.com/auth/chat.import: what gives the tokens finds it in \
         TENURE_SCOPE",
    ]);
    // The methods take this one, but not in import mode.
    room.write("token", token(&room.file("key.json"), Scope::MEMBERSHIPS));
    stops(&room, &connection, 0).says(&[
        "Stopped: Chat refuses every space that was tried",
        "and that the token is for https://www.googleapis.com/auth/chat.import",
    ]);
    room.write("token", token(&room.file("key.json"), Scope::IMPORT));
    // The command line is not kept: it may hold a secret.
    room.tenure(&["resume", "j.db"])
        .expect(2)
        .says(&["give --token-command (or TENURE_TOKEN_COMMAND) again"]);
    room.tenure(&["resume", "j.db", "--token-command", "cat token"]).expect(0);
    assert_eq!(room.held(STORE), asked_for(&room.file("rows.csv")));
}

#[test]
fn a_scope_that_is_not_delegated() {
    let (room, emulator) = room(&["--delegate", "chat.memberships"]);
    let client = format!("adds client ID {} (the number", key(&room)["client_id"].as_str().unwrap());
    stops(&room, &emulator.connection(), 0).says(&[
        "Stopped: Google gives no access token for chat.import: unauthorized_client",
        "do an administrator opens https://admin.google.com/ac/owl/domainwidedelegation",
        &client,
        "with the scope https://www.googleapis.com/auth/chat.import; it can take up to 24 hours",
    ]);
    let _emulator = emulator.restart(&room, &["--delegate", "chat.import"]);
    goes_on(&room);
}

#[test]
fn a_key_that_is_revoked_in_the_middle() {
    let (room, emulator) = room(&["--revoke-key-after", "2"]);
    stops(&room, &emulator.connection(), 2).says(&[
        "Stopped: Google gives no access token for chat.import: invalid_grant (Invalid JWT Signature)",
        "do the key was revoked or replaced: make a new one at \
         https://console.cloud.google.com/iam-admin/serviceaccounts?project=tenure-emulator > \
         tenure@tenure-emulator.iam.gserviceaccount.com > Keys > Add key > JSON, and give it with --credentials",
    ]);
    std::fs::remove_file(room.file("key.json")).unwrap();
    room.write("key.json", another_key());
    let _emulator = emulator.restart(&room, &[]);
    goes_on(&room);
}

#[test]
fn a_key_that_was_revoked_before() {
    let (room, emulator) = room(&["--revoke-key-after", "0"]);
    stops(&room, &emulator.connection(), 0)
        .says(&["Invalid JWT Signature", "the key was revoked or replaced"]);
    let _emulator = emulator.restart(&room, &[]);
    goes_on(&room);
}

#[test]
fn a_clock_that_is_wrong() {
    for (skew, way) in [("7200", "2 h 0 min behind"), ("-7200", "2 h 0 min ahead of")] {
        let (room, emulator) = room(&["--clock-skew", skew]);
        let remedy = format!(
            "do this machine's clock is {way} Google's: set it right (Linux: timedatectl set-ntp true)"
        );
        stops(&room, &emulator.connection(), 0)
            .says(&["Stopped: Google gives no access token for chat.import: invalid_grant", &remedy]);
        let _emulator = emulator.restart(&room, &[]);
        goes_on(&room);
    }
}

#[test]
fn nobody_of_that_name() {
    let (room, emulator) = room(&[]);
    let elsewhere = ["--impersonate", "gone@example.invalid"].map(str::to_owned);
    let connection = [&emulator.connection()[..4], &elsewhere].concat();
    stops(&room, &connection, 0).says(&[
        "do check --impersonate: the organisation has no user gone@example.invalid, or they are suspended",
    ]);
    room.tenure(&["resume", "j.db", "--impersonate", "admin@example.com"]).expect(0);
    assert_eq!(room.held(STORE), asked_for(&room.file("rows.csv")));
}

#[test]
fn no_chat_app() {
    let (room, emulator) = room(&["--no-chat-app"]);
    stops(&room, &emulator.connection(), 0).says(&[
        "Stopped: the Cloud project has no Chat app: 404 NOT_FOUND",
        "do configure one at https://console.cloud.google.com/apis/api/chat.googleapis.com/hangouts-chat\
         ?project=tenure-emulator (fill in the app's name",
    ]);
    let _emulator = emulator.restart(&room, &[]);
    goes_on(&room);
}

#[test]
fn no_chat_api() {
    let (room, emulator) = room(&["--no-chat-api"]);
    stops(&room, &emulator.connection(), 0).says(&[
        "Stopped: the Chat API is not enabled in the Cloud project: 403 PERMISSION_DENIED",
        "do enable it at https://console.cloud.google.com/apis/library/chat.googleapis.com?project=271828182845 or with: \
         gcloud services enable chat.googleapis.com --project 271828182845",
    ]);
    let _emulator = emulator.restart(&room, &[]);
    goes_on(&room);
}

#[test]
fn chat_is_off_for_whoever_acts() {
    let (room, emulator) = room(&["--chat-off-for", "admin@example.com"]);
    stops(&room, &emulator.connection(), 0).says(&[
        "Google Chat is turned off for the user",
        "do if Chat is off for admin@example.com: an administrator turns it on at https://admin.google.com/ac/apps",
        "or --impersonate names somebody else",
    ]);
    room.tenure(&["resume", "j.db", "--impersonate", "other@example.com"]).expect(0);
    assert_eq!(room.held(STORE), asked_for(&room.file("rows.csv")));
}

#[test]
fn spaces_that_have_expired() {
    let room = Room::new();
    room.write("rows.csv", people(ROWS as usize, 2));
    room.write(STORE, space("spaces/AAQA0", 91) + &space("spaces/AAQA1", 92));
    let emulator = Emulator::start(&room, &[]);
    stops(&room, &emulator.connection(), 0).says(&[
        "Stopped: Chat refuses every space that was tried (2), such as spaces/AAQA0: ",
        "do check that the spaces were created by this very Chat app, are still in import mode and not older than 90 days",
        "`tenure doctor INPUT` tells which",
    ]);
    // As if there were new ones of the same name.
    let spaces = space("spaces/AAQA0", 0) + &space("spaces/AAQA1", 0);
    let port = emulator.port();
    emulator.kill();
    room.write(STORE, spaces);
    let _emulator = Emulator::start_on(&room, port, &[]);
    goes_on(&room);
}

#[test]
fn an_expired_space_beside_a_good_one() {
    let room = Room::new();
    room.write("rows.csv", people(ROWS as usize, 2));
    room.write(STORE, space("spaces/AAQA0", 91));
    let emulator = Emulator::start(&room, &[]);
    let import = args(&[&["import", "rows.csv", "--journal", "j.db"]], &emulator.connection());
    room.tenure(&import).expect(3).says(&[
        "3 403 SPACE_REFUSED: Chat refuses the whole space spaces/AAQA0: ",
        "do check that the spaces were created by this very Chat app",
        "not older than 90 days",
        "see why tenure rejects j.db",
    ]);
    let status = room.status("j.db");
    assert_eq!((&status["rows"]["done"], &status["rows"]["rejected"]), (&3.into(), &3.into()));
    let rejects = room.tenure(&["rejects", "j.db"]).expect(0).out;
    assert_eq!(rejects.matches("Chat refuses the whole space spaces/AAQA0").count(), 3, "{rejects}");
    // The rows go to a new space instead.
    room.write("again.csv", rejects.replace("spaces/AAQA0,", "spaces/AAQA2,"));
    let again = ["import", "again.csv", "--journal", "j.db"];
    room.tenure(&args(&[&again], &emulator.connection())).expect(0);
    let rows = room.read("rows.csv").replace("spaces/AAQA0,", "spaces/AAQA2,");
    assert_eq!(room.held(STORE), asked_for(&room.write("both.csv", rows)));
}

#[test]
fn every_answer_is_a_page_of_html() {
    let (room, emulator) = room(&["--fault", "html=1"]);
    let run = stops(&room, &emulator.connection(), 0).says(&[
        "Stopped: nothing has succeeded for",
        "the last failure: 502: Error 502 (Server Error)",
        "do check the network and its proxy, and that a Chat API is listening at",
    ]);
    assert!(!run.said().contains('<'), "no markup on the screen: {}", run.said());
    let _emulator = emulator.restart(&room, &[]);
    goes_on(&room);
}

#[test]
fn a_key_that_is_not_there_any_more() {
    let (room, emulator) = room(&[]);
    room.tenure(&args(
        &[&["import", "rows.csv", "--journal", "j.db", "--journal-only"]],
        &emulator.connection(),
    ))
    .expect(0);
    std::fs::rename(room.file("key.json"), room.file("moved.json")).unwrap();
    room.tenure(&["resume", "j.db"]).expect(5).says(&[
        "/key.json: there is no such file",
        "Nothing was sent. With other credentials: tenure resume j.db --credentials KEY.json",
    ]);
    // Nothing was begun, so nothing was cut off.
    room.tenure(&["status", "j.db"]).expect(0).says(&["not running; the last run ended: journaled"]);
    room.tenure(&["resume", "j.db", "--credentials", "moved.json"]).expect(0);
    assert_eq!(room.held(STORE), asked_for(&room.file("rows.csv")));
}
