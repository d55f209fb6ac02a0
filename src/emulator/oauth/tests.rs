//! People: from the page on which they sign in to a token that is taken back.

use super::testing::{at, identity, json_of, post, request};
use super::*;

const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
const REDIRECT: &str = "http://127.0.0.1:54321/";

/// A form, its pairs replaced or, when empty, left out.
fn form(pairs: &[(&str, &str)], changes: &[(&str, &str)]) -> String {
    let mut form = form_urlencoded::Serializer::new(String::new());
    for (name, value) in pairs {
        let changed = changes.iter().find(|(known, _)| known == name).map(|(_, value)| value);
        form.append_pair(name, changed.unwrap_or(value));
    }
    for (name, value) in changes.iter().filter(|(name, _)| !pairs.iter().any(|(known, _)| known == name)) {
        form.append_pair(name, value);
    }
    form.finish()
}

/// What the page answers: its status, where it sends the browser, and with what.
fn ask(identity: &mut Identity, changes: &[(&str, &str)]) -> (u16, String, Form) {
    let (client, scopes) = (identity.client.id.clone(), Scopes::MEMBERSHIPS.and(Scopes::SPACES).to_string());
    let pairs = [
        ("client_id", client.as_str()),
        ("redirect_uri", REDIRECT),
        ("response_type", "code"),
        ("scope", &scopes),
        ("state", "a b&c"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
    ];
    let query = form(&pairs, changes);
    let asked = Request { query: &query, ..request("GET", "/o/oauth2/auth") };
    let answer = identity.handle(at(0), &asked).unwrap();
    let location = answer.headers.first().map_or("", |(_, value)| value).to_owned();
    let (to, back) = location.split_once('?').unwrap_or_default();
    (answer.status, to.to_owned(), Form::parse(back.as_bytes()).unwrap())
}

fn redeem(identity: &mut Identity, now: Timestamp, code: &str, changes: &[(&str, &str)]) -> (u16, Value) {
    let (id, secret) = (identity.client.id.clone(), identity.client.secret.clone());
    let pairs = [
        ("grant_type", "authorization_code"),
        ("client_id", &id),
        ("client_secret", &secret),
        ("code", code),
        ("redirect_uri", REDIRECT),
        ("code_verifier", VERIFIER),
    ];
    post(identity, now, "/token", &form(&pairs, changes))
}

fn refresh(identity: &mut Identity, token: &str, changes: &[(&str, &str)]) -> (u16, Value) {
    let (id, secret) = (identity.client.id.clone(), identity.client.secret.clone());
    let pairs = [
        ("grant_type", "refresh_token"),
        ("client_id", &id),
        ("client_secret", &secret),
        ("refresh_token", token),
    ];
    post(identity, at(0), "/token", &form(&pairs, changes))
}

fn signed_in(identity: &mut Identity) -> Value {
    let (_, _, back) = ask(identity, &[]);
    let (status, tokens) = redeem(identity, at(0), back.get("code").unwrap(), &[]);
    assert_eq!(status, 200, "{tokens}");
    tokens
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap()
}

#[test]
fn a_person_signs_in() {
    let mut identity = identity();
    for (hint, person) in [("", "someone@example.com"), ("Maria@example.com", "maria@example.com")] {
        let (status, to, back) = ask(&mut identity, &[("login_hint", hint)]);
        assert_eq!((status, to.as_str(), back.get("state")), (302, REDIRECT, Some("a b&c")));
        let scopes = Scopes::MEMBERSHIPS.and(Scopes::SPACES);
        assert_eq!(back.get("scope"), Some(scopes.to_string().as_str()));
        let (status, tokens) = redeem(&mut identity, at(599), back.get("code").unwrap(), &[]);
        assert_eq!(
            (status, &tokens["expires_in"], &tokens["token_type"]),
            (200, &json!(3600), &json!("Bearer"))
        );
        assert_eq!(text(&tokens, "scope"), scopes.to_string());
        let principal = identity.principal(at(599), text(&tokens, "access_token")).unwrap();
        assert_eq!((principal.subject(), principal.scopes()), (Some(person), scopes));
    }
    let (_, to, back) = ask(&mut identity, &[("redirect_uri", "http://localhost:1/x?y=1")]);
    assert_eq!((to.as_str(), back.get("y")), ("http://localhost:1/x", Some("1")), "its own query stays");
}

#[test]
fn what_the_page_refuses() {
    for (change, status, error) in [
        (("client_id", "other"), 401, None),
        (("redirect_uri", "http://example.com/"), 400, None),
        (("redirect_uri", ""), 400, None),
        (("response_type", "token"), 302, Some("unsupported_response_type")),
        (("state", ""), 302, Some("invalid_request")),
        (("scope", "https://www.googleapis.com/auth/drive"), 302, Some("invalid_scope")),
        (("code_challenge", ""), 302, Some("invalid_request")),
        (("code_challenge", "short"), 302, Some("invalid_request")),
        (("code_challenge_method", ""), 302, Some("invalid_request")),
        (("code_challenge_method", "plain"), 302, Some("invalid_request")),
        (("login_hint", "nobody@example.invalid"), 302, Some("access_denied")),
    ] {
        let (got, _, back) = ask(&mut identity(), &[change]);
        assert_eq!((got, back.get("error"), back.get("code")), (status, error, None), "{change:?}");
    }
    let mut identity = identity();
    identity.set_up.consents = false;
    let (_, _, back) = ask(&mut identity, &[]);
    assert_eq!((back.get("error"), back.get("state")), (Some("access_denied"), Some("a b&c")));
}

#[test]
fn a_code_is_good_once_for_whoever_asked_for_it_and_ten_minutes() {
    let other = "e".repeat(43);
    for (seconds, change, error) in [
        (600, ("", ""), "invalid_grant"),
        (0, ("code", "4/other"), "invalid_grant"),
        (0, ("code_verifier", other.as_str()), "invalid_grant"),
        (0, ("code_verifier", CHALLENGE), "invalid_grant"),
        (0, ("redirect_uri", "http://127.0.0.1:54322/"), "redirect_uri_mismatch"),
    ] {
        let mut identity = identity();
        let (_, _, back) = ask(&mut identity, &[]);
        let code = back.get("code").unwrap();
        let (status, body) = redeem(&mut identity, at(seconds), code, &[change]);
        assert_eq!((status, &body["error"]), (400, &json!(error)), "{change:?}");
        let again = redeem(&mut identity, at(seconds), code, &[]).0;
        assert_eq!(again == 200, change.0 == "code", "a wrong guess spends the code: {change:?}");
        assert_eq!(redeem(&mut identity, at(seconds), code, &[]).0, 400, "twice is once too often");
    }
    for (change, status, error) in [
        (("client_id", "other"), 401, "invalid_client"),
        (("client_secret", "other"), 401, "invalid_client"),
        (("client_secret", ""), 400, "invalid_request"),
        (("code_verifier", ""), 400, "invalid_request"),
    ] {
        let mut identity = identity();
        let (_, _, back) = ask(&mut identity, &[]);
        let code = back.get("code").unwrap();
        let (got, body) = redeem(&mut identity, at(0), code, &[change]);
        assert_eq!((got, &body["error"]), (status, &json!(error)), "{change:?}");
        assert_eq!(redeem(&mut identity, at(0), code, &[]).0, 200, "nobody has tried it yet: {change:?}");
    }
}

#[test]
fn a_refresh_token_gives_as_much_or_less() {
    let mut identity = identity();
    let token = text(&signed_in(&mut identity), "refresh_token").to_owned();
    let (spaces, import) = (Scopes::SPACES.to_string(), Scopes::IMPORT.to_string());
    let more = format!("{spaces} {import}");
    for (scope, status, granted) in [
        ("", 200, Some(Scopes::MEMBERSHIPS.and(Scopes::SPACES))),
        (spaces.as_str(), 200, Some(Scopes::SPACES)),
        (more.as_str(), 400, None),
        ("drive", 400, None),
    ] {
        let (got, body) = refresh(&mut identity, &token, &[("scope", scope)]);
        let granted_text = granted.map(|scopes| scopes.to_string());
        assert_eq!((got, body["scope"].as_str()), (status, granted_text.as_deref()), "{body}");
        match granted {
            Some(scopes) => {
                let principal = identity.principal(at(0), text(&body, "access_token")).unwrap();
                assert_eq!((principal.scopes(), principal.subject()), (scopes, Some("someone@example.com")));
            }
            None => assert_eq!(body["error"], "invalid_scope"),
        }
    }
    let (_, wrong) = refresh(&mut identity, &token, &[("client_secret", "other")]);
    assert_eq!(wrong["error"], "invalid_client");
    let forged = format!("{token}x");
    for unknown in ["1//x", "1//x.y", "x", forged.as_str()] {
        let (status, body) = refresh(&mut identity, unknown, &[]);
        assert_eq!((status, text(&body, "error")), (400, "invalid_grant"));
        assert_eq!(text(&body, "error_description"), "Token has been expired or revoked.");
    }
}

#[test]
fn consent_outlives_the_emulator_with_its_key() {
    let token = text(&signed_in(&mut identity()), "refresh_token").to_owned();
    let mut again = identity();
    assert_eq!(refresh(&mut again, &token, &[]).0, 200);
    let mut other = identity();
    other.key = ServiceAccountKey::generate().unwrap();
    assert_eq!(refresh(&mut other, &token, &[]).0, 400);
}

#[test]
fn what_is_taken_back() {
    for which in ["refresh_token", "access_token"] {
        let mut identity = identity();
        let (tokens, others) = (signed_in(&mut identity), signed_in(&mut identity));
        let form = form(&[("token", text(&tokens, which))], &[]);
        assert_eq!(post(&mut identity, at(0), "/revoke", &form), (200, json!({})));
        assert!(identity.principal(at(0), text(&tokens, "access_token")).is_none());
        assert_eq!(refresh(&mut identity, text(&tokens, "refresh_token"), &[]).0, 400);
        let (status, body) = post(&mut identity, at(0), "/revoke", &form);
        assert_eq!((status, text(&body, "error")), (400, "invalid_token"));
        assert!(identity.principal(at(0), text(&others, "access_token")).is_some());
        assert_eq!(refresh(&mut identity, text(&others, "refresh_token"), &[]).0, 200);
        identity.set_key_revoked(true);
        assert!(identity.principal(at(0), text(&others, "access_token")).is_some(), "the key is not theirs");
    }
    let mut identity = identity();
    let query = form(&[("token", text(&signed_in(&mut identity), "refresh_token"))], &[]);
    let asked = Request { query: &query, ..request("POST", "/revoke") };
    assert_eq!(json_of(identity.handle(at(0), &asked)), (200, json!({})));
    assert_eq!(post(&mut identity, at(0), "/revoke", "").1["error"], "invalid_request");
}

#[test]
fn client_secrets_as_googles_console_gives_them() {
    let file: Value = serde_json::from_str(&identity().client_secrets()).unwrap();
    let installed = &file["installed"];
    assert_eq!(text(installed, "auth_uri"), "http://127.0.0.1:1/o/oauth2/auth");
    assert_eq!(text(installed, "token_uri"), "http://127.0.0.1:1/token");
    assert_eq!(installed["redirect_uris"], json!(["http://localhost"]));
    assert!(text(installed, "client_id").ends_with(".apps.googleusercontent.com"));
    assert_eq!(text(installed, "client_secret").len(), "GOCSPX-".len() + 28);
}

#[test]
fn default_credentials_as_gcloud_writes_them() {
    let mut identity = identity();
    let file: Value = serde_json::from_str(&identity.default_credentials()).unwrap();
    assert_eq!(
        (text(&file, "type"), text(&file, "token_uri")),
        ("authorized_user", "http://127.0.0.1:1/token")
    );
    assert_eq!(text(&file, "client_secret"), identity.client.secret);
    let (status, token) = refresh(&mut identity, text(&file, "refresh_token"), &[]);
    assert_eq!((status, text(&token, "scope")), (200, Scopes::CLOUD_PLATFORM.to_string().as_str()));
}
