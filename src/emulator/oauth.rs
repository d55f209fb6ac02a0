//! The token endpoint: signed claims in, access tokens out (RFC 7523), with the refusals of Google's.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use base64::Engine;
use base64::alphabet::URL_SAFE;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use rand::RngExt;
use rand::rngs::StdRng;
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use serde_json::{Value, json};

use super::key::ServiceAccountKey;
use super::world::{Principal, Scopes};
use crate::model::Timestamp;

const GRANT_TYPE: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
/// Longest life of an assertion, and how far ahead of the server a client's clock may be, in seconds.
const ASSERTION_LIFE_S_MAX: i64 = 3600;
const CLOCK_AHEAD_S_MAX: i64 = 300;
/// Google's own Python client names this audience whatever the key file's `token_uri` says.
const GOOGLES_TOKEN_URI: &str = "https://oauth2.googleapis.com/token";
/// Tokens remembered; the oldest give way.
const TOKENS_MAX: usize = 4096;

/// Clients differ in whether they pad.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &URL_SAFE,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A token's answer.
#[derive(Debug, Clone, PartialEq)]
pub struct TokenAnswer {
    /// HTTP status.
    pub status: u16,
    /// `access_token`, `expires_in`, `token_type`; or `error`, `error_description`.
    pub body: Value,
}

struct Problem(u16, &'static str, &'static str);

/// Issues access tokens for one service account, and knows them again.
pub struct TokenEndpoint {
    key: ServiceAccountKey,
    token_uri: String,
    token_life_s: i64,
    delegated: Scopes,
    revoked: bool,
    random: StdRng,
    tokens: HashMap<String, (Arc<Principal>, Timestamp)>,
    oldest_first: VecDeque<String>,
}

impl TokenEndpoint {
    /// For tokens that live `token_life_s` seconds. `delegated` is what an administrator has allowed the account
    /// to do in the name of people. `random` makes the tokens.
    pub fn new(
        key: ServiceAccountKey,
        token_uri: String,
        token_life_s: i64,
        delegated: Scopes,
        random: StdRng,
    ) -> Self {
        TokenEndpoint {
            key,
            token_uri,
            token_life_s,
            delegated,
            revoked: false,
            random,
            tokens: HashMap::new(),
            oldest_first: VecDeque::new(),
        }
    }

    /// Revokes the key, or takes that back: without it there are no new tokens, and the old ones end.
    pub fn set_revoked(&mut self, revoked: bool) {
        self.revoked = revoked;
        self.tokens.clear();
        self.oldest_first.clear();
    }

    /// Other delegated scopes from now on.
    pub fn set_delegated(&mut self, delegated: Scopes) {
        self.delegated = delegated;
    }

    /// What a token stands for; `None` when it is unknown, expired or revoked.
    pub fn principal(&self, now: Timestamp, token: &str) -> Option<Arc<Principal>> {
        let (principal, expires) = self.tokens.get(token)?;
        (now < *expires).then(|| Arc::clone(principal))
    }

    /// Answers a form posted to the endpoint.
    pub fn answer(&mut self, now: Timestamp, form: &[u8]) -> TokenAnswer {
        match self.grant(now, form) {
            Ok(principal) => {
                let token = self.issue(now, principal);
                let body =
                    json!({"access_token": token, "expires_in": self.token_life_s, "token_type": "Bearer"});
                TokenAnswer { status: 200, body }
            }
            Err(Problem(status, error, description)) => {
                TokenAnswer { status, body: json!({"error": error, "error_description": description}) }
            }
        }
    }

    /// 503, as when the endpoint is having a bad day.
    pub fn unavailable() -> TokenAnswer {
        let body = json!({"error": "temporarily_unavailable", "error_description": "Try again later."});
        TokenAnswer { status: 503, body }
    }

    fn issue(&mut self, now: Timestamp, principal: Principal) -> String {
        let random: [u8; 32] = self.random.random();
        let token = format!("ya29.emulator-{}", BASE64.encode(random).trim_end_matches('='));
        if self.oldest_first.len() >= TOKENS_MAX
            && let Some(oldest) = self.oldest_first.pop_front()
        {
            self.tokens.remove(&oldest);
        }
        let expires = now.as_micros().saturating_add(self.token_life_s.saturating_mul(1_000_000));
        self.oldest_first.push_back(token.clone());
        self.tokens.insert(token.clone(), (Arc::new(principal), Timestamp::from_micros(expires)));
        token
    }

    fn grant(&self, now: Timestamp, form: &[u8]) -> Result<Principal, Problem> {
        let mut grant_type = None;
        let mut assertion = None;
        for (name, value) in form_urlencoded::parse(form) {
            match name.as_ref() {
                "grant_type" => grant_type = Some(value),
                "assertion" => assertion = Some(value),
                _ => {}
            }
        }
        match grant_type.as_deref() {
            Some(GRANT_TYPE) => {}
            Some(_) => return Err(Problem(400, "unsupported_grant_type", "Invalid grant_type.")),
            None => return Err(Problem(400, "invalid_request", "grant_type is missing.")),
        }
        let assertion = assertion.ok_or(Problem(400, "invalid_request", "assertion is missing."))?;
        let claims = self.verified(&assertion)?;
        self.judge(now, &claims)
    }

    /// The claims of an assertion that carries this key's signature.
    fn verified(&self, assertion: &str) -> Result<Value, Problem> {
        let malformed = || Problem(400, "invalid_grant", "Malformed JWT.");
        let mut parts = assertion.split('.');
        let (Some(header), Some(claims), Some(signature), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(malformed());
        };
        let json = |part: &str| -> Option<Value> {
            serde_json::from_slice(&BASE64.decode(part).ok()?).ok().filter(Value::is_object)
        };
        let head = json(header).ok_or_else(malformed)?;
        if head["alg"] != "RS256" {
            return Err(Problem(400, "invalid_grant", "Invalid JWT: alg must be RS256."));
        }
        let invalid = || Problem(400, "invalid_grant", "Invalid JWT Signature.");
        if self.revoked || head["kid"].as_str().is_some_and(|id| id != self.key.id()) {
            return Err(invalid());
        }
        let signature = BASE64.decode(signature).map_err(|_| malformed())?;
        let signed = assertion.get(..header.len() + 1 + claims.len()).unwrap_or_default();
        UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, self.key.public_der())
            .verify(signed.as_bytes(), &signature)
            .map_err(|_| invalid())?;
        json(claims).ok_or_else(malformed)
    }

    fn judge(&self, now: Timestamp, claims: &Value) -> Result<Principal, Problem> {
        if claims["iss"].as_str() != Some(self.key.client_email()) {
            return Err(Problem(400, "invalid_grant", "Invalid grant: account not found."));
        }
        if !claims["aud"].as_str().is_some_and(|aud| aud == self.token_uri || aud == GOOGLES_TOKEN_URI) {
            return Err(Problem(
                400,
                "invalid_grant",
                "Invalid JWT: the audience must be the token endpoint.",
            ));
        }
        let times = claims["iat"].as_f64().zip(claims["exp"].as_f64());
        let (issued, expires) =
            times.ok_or(Problem(400, "invalid_grant", "Invalid JWT: iat and exp must be numbers."))?;
        let now_s = now.as_micros() as f64 / 1e6;
        let life = expires - issued;
        if !(0.0..=ASSERTION_LIFE_S_MAX as f64).contains(&life)
            || expires <= now_s
            || issued > now_s + CLOCK_AHEAD_S_MAX as f64
        {
            return Err(Problem(
                400,
                "invalid_grant",
                "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. Check the \
                 iat and exp values and the clock.",
            ));
        }
        let mut scopes = Scopes::NONE;
        for scope in claims["scope"].as_str().unwrap_or("").split_ascii_whitespace() {
            let known = Scopes::parse(scope).ok_or(Problem(
                400,
                "invalid_scope",
                "Invalid OAuth scope or ID token audience provided.",
            ))?;
            scopes = scopes.and(known);
        }
        if scopes.is_empty() {
            return Err(Problem(400, "invalid_scope", "Empty or missing scope not allowed."));
        }
        let subject = claims["sub"].as_str().filter(|sub| *sub != self.key.client_email());
        if let Some(subject) = subject {
            if !subject.contains('@') || subject.to_lowercase().ends_with(".invalid") {
                return Err(Problem(400, "invalid_grant", "Invalid email or User ID"));
            }
            // One scope too many refuses the whole token.
            if !scopes.without(self.delegated).is_empty() {
                return Err(Problem(
                    401,
                    "unauthorized_client",
                    "Client is unauthorized to retrieve access tokens using this method, or client not authorized \
                     for any of the scopes requested.",
                ));
            }
        }
        Ok(Principal::new(scopes, subject))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use rand::SeedableRng;

    use super::super::testing::{form, sign};
    use super::*;

    const URI: &str = "http://127.0.0.1:1/token";
    const NOW_S: i64 = 1_800_000_000;
    static KEY: LazyLock<ServiceAccountKey> = LazyLock::new(|| ServiceAccountKey::generate().unwrap());

    fn now() -> Timestamp {
        Timestamp::from_micros(NOW_S * 1_000_000)
    }

    fn endpoint() -> TokenEndpoint {
        TokenEndpoint::new(KEY.clone(), URI.into(), 3600, Scopes::IMPORT, StdRng::seed_from_u64(1))
    }

    fn claims() -> Value {
        json!({
            "iss": KEY.client_email(), "aud": URI, "iat": NOW_S, "exp": NOW_S + 3600,
            "scope": Scopes::IMPORT.to_string(), "sub": "Admin@example.com",
        })
    }

    fn with(name: &str, value: Value) -> Value {
        let mut claims = claims();
        claims[name] = value;
        claims
    }

    fn post(claims: &Value) -> TokenAnswer {
        endpoint().answer(now(), form(&sign(&KEY.to_json(URI), claims, false)).as_bytes())
    }

    #[test]
    fn a_token_stands_for_somebody_until_it_ends() {
        let mut endpoint = endpoint();
        for padded in [false, true] {
            let answer = endpoint.answer(now(), form(&sign(&KEY.to_json(URI), &claims(), padded)).as_bytes());
            assert_eq!((answer.status, &answer.body["expires_in"]), (200, &json!(3600)), "{answer:?}");
            let token = answer.body["access_token"].as_str().unwrap();
            let principal = endpoint.principal(now(), token).unwrap();
            assert_eq!(
                (principal.scopes(), principal.subject()),
                (Scopes::IMPORT, Some("admin@example.com"))
            );
            let end = Timestamp::from_micros((NOW_S + 3600) * 1_000_000);
            assert!(endpoint.principal(end.just_before(), token).is_some());
            assert!(endpoint.principal(end, token).is_none());
            assert!(endpoint.principal(now(), &token[1..]).is_none());
            endpoint.set_revoked(true);
            assert!(endpoint.principal(now(), token).is_none());
            endpoint.set_revoked(false);
        }
    }

    #[test]
    fn googles_audience_will_do() {
        assert_eq!(post(&with("aud", json!(GOOGLES_TOKEN_URI))).status, 200);
    }

    #[test]
    fn refusals() {
        let memberships = Scopes::MEMBERSHIPS.to_string();
        for (claims, status, error, part) in [
            (with("iss", json!("x@example.com")), 400, "invalid_grant", "account not found"),
            (with("aud", json!("https://chat.googleapis.com/")), 400, "invalid_grant", "audience"),
            (with("exp", json!(NOW_S + 3601)), 400, "invalid_grant", "short-lived"),
            (with("exp", json!(NOW_S - 1)), 400, "invalid_grant", "short-lived"),
            (with("iat", json!(NOW_S + 301)), 400, "invalid_grant", "short-lived"),
            (with("iat", json!("now")), 400, "invalid_grant", "numbers"),
            (with("scope", json!("https://www.googleapis.com/auth/drive")), 400, "invalid_scope", "scope"),
            (with("scope", json!("")), 400, "invalid_scope", "Empty"),
            (with("scope", json!(memberships)), 401, "unauthorized_client", "not authorized"),
            (
                with("scope", json!(format!("{} {memberships}", Scopes::IMPORT))),
                401,
                "unauthorized_client",
                "",
            ),
            (with("sub", json!("nobody@example.invalid")), 400, "invalid_grant", "User ID"),
        ] {
            let answer = post(&claims);
            assert_eq!((answer.status, &answer.body["error"]), (status, &json!(error)), "{claims}");
            assert!(answer.body["error_description"].as_str().unwrap().contains(part), "{answer:?}");
        }
        let mut own = with("scope", json!(Scopes::BOT.to_string()));
        own.as_object_mut().unwrap().shift_remove("sub");
        assert_eq!(post(&own).status, 200, "the account's own token needs no delegation");
    }

    #[test]
    fn what_is_not_signed_by_the_key() {
        let good = sign(&KEY.to_json(URI), &claims(), false);
        let other = sign(&ServiceAccountKey::generate().unwrap().to_json(URI), &claims(), false);
        let parts: Vec<&str> = good.split('.').collect();
        let swapped =
            [parts[0], other.split('.').nth(1).unwrap(), other.split('.').nth(2).unwrap()].join(".");
        for (assertion, part) in [
            (other.as_str(), "Signature"),
            (swapped.as_str(), "Signature"),
            ("a.b", "Malformed"),
            ("a.b.c", "Malformed"),
            ("e30.e30.e30", "alg"),
        ] {
            let answer = endpoint().answer(now(), form(assertion).as_bytes());
            assert_eq!((answer.status, &answer.body["error"]), (400, &json!("invalid_grant")));
            assert!(answer.body["error_description"].as_str().unwrap().contains(part), "{answer:?}");
        }
        let mut revoked = endpoint();
        revoked.set_revoked(true);
        assert_eq!(revoked.answer(now(), form(&good).as_bytes()).status, 400);
        let code = endpoint().answer(now(), b"grant_type=authorization_code&code=1");
        assert_eq!(code.body["error"], "unsupported_grant_type");
        assert_eq!(endpoint().answer(now(), b"").body["error"], "invalid_request");
    }

    #[test]
    fn old_tokens_give_way() {
        let mut endpoint = endpoint();
        let principal = || Principal::new(Scopes::IMPORT, None);
        let first = endpoint.issue(now(), principal());
        for _ in 0..TOKENS_MAX {
            endpoint.issue(now(), principal());
        }
        assert_eq!((endpoint.tokens.len(), endpoint.oldest_first.len()), (TOKENS_MAX, TOKENS_MAX));
        assert!(endpoint.principal(now(), &first).is_none());
    }
}
