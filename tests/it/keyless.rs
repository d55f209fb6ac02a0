//! Without a key file: IAM Credentials signs, as whoever this machine is to Google Cloud, or a program prints tokens.

use tenure::credentials::Scope;

use crate::set_up::token;
use crate::support::{Emulator, Room, Run, STORE, args, asked_for, people};

const ACCOUNT: &str = "tenure@tenure-emulator.iam.gserviceaccount.com";
/// What gcloud leaves.
const ADC: (&str, &str) = ("GOOGLE_APPLICATION_CREDENTIALS", "adc.json");

fn room(options: &[&str]) -> (Room, Emulator) {
    let room = Room::new();
    room.write("rows.csv", people(6, 2));
    let emulator = Emulator::start(&room, &[&["--write-adc", "adc.json"], options].concat());
    (room, emulator)
}

/// An import that signs with this account, by what the environment says.
fn import(room: &Room, emulator: &Emulator, account: &str, env: &[(&str, &str)]) -> Run {
    let base = emulator.endpoint.as_str();
    let token_uri = format!("{base}token");
    let keyless = ["--sign-with", account, "--iam-endpoint", base, "--token-uri", &token_uri];
    let import =
        ["import", "rows.csv", "--journal", "j.db", "--impersonate", "admin@example.com", "--endpoint", base];
    room.tenure_env(&args(&[&import, &keyless], &[]), env)
}

#[test]
fn signed_as_whoever_used_gcloud() {
    let (room, emulator) = room(&[]);
    import(&room, &emulator, ACCOUNT, &[ADC]).expect(0);
    assert_eq!(room.held(STORE), asked_for(&room.file("rows.csv")));
}

#[test]
fn signed_as_the_machine_itself() {
    let (room, emulator) = room(&[]);
    let host = emulator.endpoint.trim_start_matches("http://").trim_end_matches('/').to_owned();
    import(&room, &emulator, ACCOUNT, &[("GCE_METADATA_HOST", &host)]).expect(0);
    assert_eq!(room.held(STORE), asked_for(&room.file("rows.csv")));
}

#[test]
fn whoever_may_not_sign_is_told_which_role_it_takes() {
    let (room, emulator) = room(&["--no-token-creator"]);
    import(&room, &emulator, ACCOUNT, &[ADC]).expect(5).says(&[
        "Stopped: Google gives no access token for chat.import: signJwt PERMISSION_DENIED",
        &format!("do let whoever runs this sign for it: gcloud iam service-accounts add-iam-policy-binding {ACCOUNT}"),
        "--role=roles/iam.serviceAccountTokenCreator",
        "gcloud services enable iamcredentials.googleapis.com --project tenure-emulator",
    ]);
    assert_eq!(room.status("j.db")["rows"]["pending"], 6);
    let _emulator = emulator.restart(&room, &["--write-adc", "adc.json"]);
    room.tenure_env(&["resume", "j.db"], &[ADC]).expect(0);
    assert_eq!(room.held(STORE), asked_for(&room.file("rows.csv")));
}

#[test]
fn nobody_to_sign_and_nothing_to_sign_as() {
    let (room, emulator) = room(&[]);
    import(&room, &emulator, "other@tenure-emulator.iam.gserviceaccount.com", &[ADC]).expect(5).says(&[
        "signJwt NOT_FOUND",
        "do check --sign-with: there is no service account other@tenure-emulator.iam.gserviceaccount.com",
    ]);
    // Nobody listens there.
    import(&room, &emulator, ACCOUNT, &[("GCE_METADATA_HOST", "127.0.0.1:9")]).expect(5).says(&[
        "there are no Application Default Credentials: run `gcloud auth application-default login`, or set \
         GOOGLE_APPLICATION_CREDENTIALS",
    ]);
    room.write("adc.json", "{}");
    import(&room, &emulator, ACCOUNT, &[ADC])
        .expect(5)
        .says(&["neither a service account's key nor a person's"]);
    assert_eq!(room.status("j.db")["rows"]["pending"], 6);
}

/// An import whose tokens this command prints.
fn import_by(room: &Room, emulator: &Emulator, command: &str) -> Run {
    let import = [
        "import",
        "rows.csv",
        "--journal",
        "j.db",
        "--endpoint",
        &emulator.endpoint,
        "--token-command",
        command,
    ];
    room.tenure(&import)
}

#[test]
fn a_program_prints_the_tokens() {
    let (room, emulator) = room(&[]);
    room.write("token", token(&room.file("key.json"), Scope::IMPORT));
    let command = "echo \"$TENURE_SCOPE for <$TENURE_IMPERSONATE>\" >> asked; cat token";
    import_by(&room, &emulator, command).expect(0);
    assert_eq!(room.held(STORE), asked_for(&room.file("rows.csv")));
    assert_eq!(
        room.read("asked"),
        "https://www.googleapis.com/auth/chat.import for <>\n",
        "asked once, for all rows"
    );
}

#[test]
fn a_program_that_prints_none() {
    let (room, emulator) = room(&[]);
    for (command, story) in [
        (
            "echo please sign in >&2; exit 4",
            "Stopped: no access token: the --token-command fails (exit status: 4): please sign in.",
        ),
        ("nothing-of-this-name", "Stopped: no access token: the --token-command fails (exit status: 127)"),
        (
            "echo two words",
            "Stopped: no access token: the --token-command prints something else than a token.",
        ),
        ("true", "Stopped: no access token: the --token-command prints something else than a token."),
        ("echo ya29.rubbish", "Stopped: Chat refuses a token that was fetched just now: 401 UNAUTHENTICATED"),
    ] {
        let run = import_by(&room, &emulator, command).expect(5).says(&[story]);
        assert!(!run.said().contains("two words"), "what it prints is not shown: {}", run.said());
        assert_eq!(room.status("j.db")["rows"]["pending"], 6);
    }
    room.write("token", token(&room.file("key.json"), Scope::IMPORT));
    room.tenure(&["resume", "j.db", "--token-command", "cat token"]).expect(0);
    assert_eq!(room.held(STORE), asked_for(&room.file("rows.csv")));
}
