//! The server as a client meets it: over TCP, with the token exchange.

use std::sync::LazyLock;
use std::time::Instant;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use super::testing::{form, sign};
use super::*;
use crate::model::Timestamp;

/// Making a key takes longer than all the rest of a test.
static KEY: LazyLock<ServiceAccountKey> = LazyLock::new(|| ServiceAccountKey::generate().unwrap());

fn config() -> Config {
    let limits = Limits { writes_per_minute: 0, ..Limits::default() };
    Config { key: Some(KEY.clone()), limits, ..Config::default() }
}

fn spaces(names: &[&str]) -> Vec<SpaceName> {
    names.iter().map(|name| SpaceName::parse(name).unwrap()).collect()
}

struct Answer {
    status: u16,
    head: String,
    body: String,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

/// One connection, kept alive.
struct Client {
    stream: BufReader<TcpStream>,
    token: String,
}

impl Client {
    async fn connect(emulator: &Emulator) -> Client {
        let address = emulator.endpoint().trim_start_matches("http://").trim_end_matches('/');
        Client { stream: BufReader::new(TcpStream::connect(address).await.unwrap()), token: String::new() }
    }

    /// With a token for `chat.import`.
    async fn signed_in(emulator: &Emulator) -> Client {
        let mut client = Client::connect(emulator).await;
        let answer = client.sign_in(emulator, Scopes::IMPORT).await.unwrap();
        assert_eq!(answer.status, 200, "{}", answer.body);
        client.token = answer.json()["access_token"].as_str().unwrap().to_owned();
        client
    }

    async fn sign_in(&mut self, emulator: &Emulator, scopes: Scopes) -> Option<Answer> {
        let file: Value = serde_json::from_str(emulator.key_json()).unwrap();
        let now = Timestamp::now().as_micros() / 1_000_000;
        let claims = json!({
            "iss": file["client_email"], "aud": file["token_uri"], "scope": scopes.to_string(),
            "sub": "admin@example.com", "iat": now, "exp": now + 3600,
        });
        self.send("POST", "/token", &form(&sign(emulator.key_json(), &claims, true))).await
    }

    /// `None` when the connection ends without an answer.
    async fn send(&mut self, method: &str, target: &str, body: &str) -> Option<Answer> {
        let request = format!(
            "{method} {target} HTTP/1.1\r\nhost: emulator\r\nauthorization: Bearer {}\r\ncontent-length: {}\r\n\r\n{body}",
            self.token,
            body.len()
        );
        self.stream.write_all(request.as_bytes()).await.unwrap();
        let mut head = String::new();
        loop {
            let mut line = String::new();
            if self.stream.read_line(&mut line).await.unwrap_or(0) == 0 {
                return None;
            }
            if line == "\r\n" {
                break;
            }
            head.push_str(&line);
        }
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
        let mut body = vec![0; length.parse().unwrap()];
        self.stream.read_exact(&mut body).await.unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Some(Answer { status, head, body: String::from_utf8(body).unwrap() })
    }

    async fn join(&mut self, member: &str) -> Option<Answer> {
        let body = json!({"member": {"name": member, "type": "HUMAN"}, "deleteTime": "2020-01-01T00:00:00Z"});
        self.send("POST", "/v1/spaces/A/members", &body.to_string()).await
    }
}

#[tokio::test]
async fn a_client_signs_in_imports_and_finds_it_again() {
    let folder = tempfile::tempdir().unwrap();
    let config = Config { store: Some(folder.path().join("chat")), ..config() };
    let emulator = Emulator::start(config.clone()).await.unwrap();
    emulator.ensure_spaces(&spaces(&["A", "B"])).unwrap();
    let mut client = Client::signed_in(&emulator).await;
    let created = client.join("users/maria@example.com").await.unwrap();
    assert_eq!(created.status, 200, "{}", created.body);
    for part in ["HTTP/1.1 200 OK", "content-type: application/json; charset=UTF-8", "date: "] {
        assert!(created.head.contains(part), "{}", created.head);
    }
    assert_eq!(client.join("users/maria@example.com").await.unwrap().status, 409);

    // Dropped, not stopped: as close to a kill as one process gets.
    drop(emulator);
    let emulator = Emulator::start(config).await.unwrap();
    emulator.ensure_spaces(&spaces(&["A", "B"])).unwrap();
    assert!(client.join("users/1").await.is_none(), "the old server is gone");
    let mut client = Client::signed_in(&emulator).await;
    assert_eq!(client.join("users/maria@example.com").await.unwrap().status, 409);
    let listed = client.send("GET", "/v1/spaces/A/members?pageSize=10", "").await.unwrap();
    assert_eq!(listed.json()["memberships"], json!([created.json()]));
    emulator.stop().await;
    let lines = std::fs::read_to_string(folder.path().join("chat")).unwrap();
    assert_eq!(lines.lines().count(), 3, "two spaces, one membership, once each: {lines}");
}

#[tokio::test]
async fn many_at_once_are_each_kept_once() {
    let folder = tempfile::tempdir().unwrap();
    let config = Config { store: Some(folder.path().join("chat")), ..config() };
    let emulator = Emulator::start(config.clone()).await.unwrap();
    emulator.ensure_spaces(&spaces(&["A"])).unwrap();
    let mut tasks = tokio::task::JoinSet::new();
    for task in 0..8 {
        let mut client = Client::signed_in(&emulator).await;
        tasks.spawn(async move {
            for i in 0..50 {
                let status = client.join(&format!("users/{}", task % 4 * 1000 + i)).await.unwrap().status;
                assert!(status == 200 || status == 409);
            }
        });
    }
    while let Some(done) = tasks.join_next().await {
        done.unwrap();
    }
    let held = emulator.with_service(|service| service.world.memberships().count());
    let before = emulator.with_service(|service| service.world.clone());
    assert_eq!(held, 200);
    emulator.stop().await;
    let emulator = Emulator::start(config).await.unwrap();
    assert!(emulator.with_service(|service| service.world == before));
}

#[tokio::test]
async fn who_is_not_let_in() {
    let emulator = Emulator::start(Config { delegated: Scopes::IMPORT, ..config() }).await.unwrap();
    emulator.ensure_spaces(&spaces(&["A"])).unwrap();
    let mut client = Client::connect(&emulator).await;
    assert_eq!(client.join("users/1").await.unwrap().status, 401);
    let refused = client.sign_in(&emulator, Scopes::MEMBERSHIPS).await.unwrap();
    assert_eq!((refused.status, &refused.json()["error"]), (401, &json!("unauthorized_client")));
    let mut client = Client::signed_in(&emulator).await;
    assert_eq!(client.join("users/1").await.unwrap().status, 200);
    emulator.set_key_revoked(true);
    assert_eq!(client.join("users/2").await.unwrap().status, 401);
    assert_eq!(client.sign_in(&emulator, Scopes::IMPORT).await.unwrap().status, 400);
    assert_eq!(client.send("GET", "/token", "").await.unwrap().status, 404);
    let large = "x".repeat((1 << 20) + 1);
    assert_eq!(client.send("POST", "/v1/spaces", &large).await.unwrap().status, 413);
}

#[tokio::test]
async fn a_key_that_is_revoked_on_the_way() {
    let emulator = Emulator::start(Config { revoke_key_after: Some(2), ..config() }).await.unwrap();
    emulator.ensure_spaces(&spaces(&["A"])).unwrap();
    let mut client = Client::signed_in(&emulator).await;
    let mut statuses = Vec::new();
    for member in ["users/1", "users/1", "users/2", "users/3"] {
        statuses.push(client.join(member).await.unwrap().status);
    }
    assert_eq!(statuses, [200, 409, 200, 401]);
    let refused = client.sign_in(&emulator, Scopes::IMPORT).await.unwrap();
    assert_eq!((refused.status, &refused.json()["error"]), (400, &json!("invalid_grant")));
    let emulator = Emulator::start(Config { revoke_key_after: Some(0), ..config() }).await.unwrap();
    let mut client = Client::connect(&emulator).await;
    assert_eq!(client.sign_in(&emulator, Scopes::IMPORT).await.unwrap().status, 400);
}

#[tokio::test]
async fn faults_reach_the_wire() {
    for (fault, status, applied) in [
        ("reset-before=1", None, 0),
        ("reset-after=1", None, 1),
        ("html=1", Some(502), 0),
        ("error-after=1", Some(503), 1),
        ("hang=1", None, 1),
    ] {
        let faults = vec![fault.parse().unwrap()];
        let emulator = Emulator::start(Config { faults, ..config() }).await.unwrap();
        emulator.ensure_spaces(&spaces(&["A"])).unwrap();
        let mut client = Client::signed_in(&emulator).await;
        let patience = Duration::from_millis(if fault == "hang=1" { 100 } else { 10_000 });
        let answer = tokio::time::timeout(patience, client.join("users/1")).await;
        assert_eq!(answer.is_err(), fault == "hang=1");
        let answer = answer.ok().flatten();
        assert_eq!(answer.as_ref().map(|answer| answer.status), status, "{fault}");
        if status == Some(502) {
            assert!(answer.unwrap().head.contains("text/html"));
        }
        assert_eq!(emulator.with_service(|service| service.world.memberships().count()), applied, "{fault}");
        tokio::time::timeout(Duration::from_secs(5), emulator.stop())
            .await
            .expect("a hanging answer ends too");
    }
    let emulator =
        Emulator::start(Config { faults: vec!["token-error=1".parse().unwrap()], ..config() }).await.unwrap();
    let mut client = Client::connect(&emulator).await;
    assert_eq!(client.sign_in(&emulator, Scopes::IMPORT).await.unwrap().status, 503);
}

#[tokio::test]
async fn people_and_machines_are_let_in_over_the_wire() {
    let emulator = Emulator::start(config()).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (secrets, adc) = (folder.path().join("secrets.json"), folder.path().join("adc.json"));
    emulator.write_client_secrets(&secrets).unwrap();
    emulator.write_default_credentials(&adc).unwrap();
    let read = |path: &Path| -> Value { serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap() };
    let client_id = read(&secrets)["installed"]["client_id"].as_str().unwrap().to_owned();
    let mut client = Client::connect(&emulator).await;
    let target = format!("/o/oauth2/auth?client_id={client_id}&redirect_uri=http://localhost:1/&state=s");
    let sent_back = client.send("GET", &target, "").await.unwrap();
    assert_eq!(sent_back.status, 302);
    assert!(sent_back.head.contains("location: http://localhost:1/?state=s&error="), "{}", sent_back.head);

    let adc = read(&adc);
    let mut form = form_urlencoded::Serializer::new("grant_type=refresh_token".to_owned());
    for name in ["client_id", "client_secret", "refresh_token"] {
        form.append_pair(name, adc[name].as_str().unwrap());
    }
    let answer = client.send("POST", "/token", &form.finish()).await.unwrap();
    client.token = answer.json()["access_token"].as_str().unwrap().to_owned();
    let email: Value = serde_json::from_str(emulator.key_json()).unwrap();
    let target =
        format!("/v1/projects/-/serviceAccounts/{}:signJwt", email["client_email"].as_str().unwrap());
    assert_eq!(client.send("POST", &target, r#"{"payload":"{}"}"#).await.unwrap().status, 200);

    let target = "/computeMetadata/v1/instance/service-accounts/default/email";
    let refused = client.send("GET", target, "").await.unwrap();
    assert_eq!(refused.status, 403);
    assert!(refused.head.contains("metadata-flavor: Google"), "{}", refused.head);
}

#[tokio::test]
async fn quota_latency_and_clock() {
    let limits = Limits { writes_per_minute: 2, ..Limits::default() };
    let config = Config { limits, latency: Duration::from_millis(20), clock_skew_s: -30, ..config() };
    let emulator = Emulator::start(config).await.unwrap();
    emulator.ensure_spaces(&spaces(&["A"])).unwrap();
    let mut client = Client::signed_in(&emulator).await;
    let begun = Instant::now();
    let mut statuses = Vec::new();
    for member in ["users/1", "users/2", "users/3"] {
        statuses.push(client.join(member).await.unwrap());
    }
    assert!(begun.elapsed() >= Duration::from_millis(60));
    assert_eq!(statuses.iter().map(|answer| answer.status).collect::<Vec<_>>(), [200, 200, 429]);
    assert_eq!(statuses[2].json()["error"]["status"], "RESOURCE_EXHAUSTED");
    let date = statuses[0].head.lines().find_map(|line| line.strip_prefix("date: ")).unwrap();
    let date = jiff::fmt::strtime::parse("%a, %d %b %Y %H:%M:%S GMT", date).unwrap().to_datetime().unwrap();
    let date = date.to_zoned(jiff::tz::TimeZone::UTC).unwrap().timestamp().as_second();
    let behind = Timestamp::now().as_micros() / 1_000_000 - date;
    assert!((29..40).contains(&behind), "{behind}");
}

#[tokio::test]
async fn what_cannot_start() {
    let refused = |config| async { Emulator::start(config).await.unwrap_err().to_string() };
    let open = Config { listen: "0.0.0.0:0".parse().unwrap(), ..config() };
    assert!(refused(open).await.contains("loopback addresses only"));
    let faults = vec!["html=0.7".parse().unwrap(), "hang=0.7".parse().unwrap()];
    assert!(refused(Config { faults, ..config() }).await.contains("more than 1"));
    let first = Emulator::start(config()).await.unwrap();
    let listen = first.endpoint().trim_start_matches("http://").trim_end_matches('/').parse().unwrap();
    let taken = refused(Config { listen, ..config() }).await;
    let story = format!(
        "cannot listen on {listen}: another program listens there already; choose another with --port"
    );
    assert!(taken.starts_with(&story), "{taken}");
    assert!(!format!("{first:?}").contains("PRIVATE"));
}
