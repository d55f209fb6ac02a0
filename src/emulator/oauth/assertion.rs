//! Claims that a service account has signed, for a token (RFC 7523), with the refusals of Google's endpoint.

use base64::Engine;
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use serde_json::Value;

use super::super::world::{Principal, Scopes};
use super::answer::Problem;
use super::{BASE64, Identity};
use crate::model::Timestamp;

/// Longest life of an assertion, and how far ahead of the server a client's clock may be, in seconds.
const ASSERTION_LIFE_S_MAX: i64 = 3600;
const CLOCK_AHEAD_S_MAX: i64 = 300;
/// Google's own Python client names this audience whatever the key file's `token_uri` says.
const GOOGLES_TOKEN_URI: &str = "https://oauth2.googleapis.com/token";

impl Identity {
    /// Whom and what an assertion asks a token for.
    pub(super) fn asserted(&self, now: Timestamp, assertion: &str) -> Result<Principal, Problem> {
        let claims = self.verified(assertion)?;
        self.judge(now, &claims)
    }

    /// The claims of an assertion that carries this key's signature.
    fn verified(&self, assertion: &str) -> Result<Value, Problem> {
        let malformed = || Problem::grant("Malformed JWT.");
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
            return Err(Problem::grant("Invalid JWT: alg must be RS256."));
        }
        let invalid = || Problem::grant("Invalid JWT Signature.");
        if self.key_revoked || head["kid"].as_str().is_some_and(|id| id != self.key.id()) {
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
            return Err(Problem::grant("Invalid grant: account not found."));
        }
        let token_uri = self.token_uri();
        if !claims["aud"].as_str().is_some_and(|aud| aud == token_uri || aud == GOOGLES_TOKEN_URI) {
            return Err(Problem::grant("Invalid JWT: the audience must be the token endpoint."));
        }
        let times = claims["iat"].as_f64().zip(claims["exp"].as_f64());
        let (issued, expires) = times.ok_or(Problem::grant("Invalid JWT: iat and exp must be numbers."))?;
        let now_s = now.as_micros() as f64 / 1e6;
        let life = expires - issued;
        if !(0.0..=ASSERTION_LIFE_S_MAX as f64).contains(&life)
            || expires <= now_s
            || issued > now_s + CLOCK_AHEAD_S_MAX as f64
        {
            return Err(Problem::grant(
                "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. Check the \
                 iat and exp values and the clock.",
            ));
        }
        let scopes = claims["scope"].as_str().unwrap_or("").trim_ascii();
        if scopes.is_empty() {
            return Err(Problem::bad("invalid_scope", "Empty or missing scope not allowed."));
        }
        let scopes = Scopes::parse_list(scopes)
            .ok_or(Problem::bad("invalid_scope", "Invalid OAuth scope or ID token audience provided."))?;
        let subject = claims["sub"].as_str().filter(|sub| *sub != self.key.client_email());
        if let Some(subject) = subject {
            if !Identity::has_account(subject) {
                return Err(Problem::grant("Invalid email or User ID"));
            }
            // Delegation is the organisation's own, and one scope too many refuses the whole token.
            if !self.is_at_home(subject) || !scopes.without(self.set_up.delegated).is_empty() {
                return Err(Problem(
                    401,
                    "unauthorized_client",
                    "Client is unauthorized to retrieve access tokens using this method, or client not authorized \
                     for any of the scopes requested."
                        .into(),
                ));
            }
        }
        Ok(Principal::new(scopes, subject))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::super::key::ServiceAccountKey;
    use super::super::super::testing::{form, sign};
    use super::super::testing::{KEY, NOW_S, at, identity as anybody, post as send};
    use super::*;

    const URI: &str = "http://127.0.0.1:1/token";

    fn identity() -> Identity {
        let mut identity = anybody();
        identity.set_up.home_domains = vec!["example.com".to_owned(), "example.invalid".to_owned()];
        identity
    }

    fn answer(identity: &mut Identity, form: &str) -> (u16, Value) {
        send(identity, at(0), "/token", form)
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

    fn post(claims: &Value) -> (u16, Value) {
        answer(&mut identity(), &form(&sign(&KEY.to_json(URI), claims, false)))
    }

    #[test]
    fn a_token_stands_for_somebody_until_it_ends() {
        let mut identity = identity();
        for padded in [false, true] {
            let (status, body) = answer(&mut identity, &form(&sign(&KEY.to_json(URI), &claims(), padded)));
            assert_eq!((status, &body["expires_in"]), (200, &json!(3600)), "{body}");
            let token = body["access_token"].as_str().unwrap();
            let principal = identity.principal(at(0), token).unwrap();
            assert_eq!(
                (principal.scopes(), principal.subject()),
                (Scopes::IMPORT, Some("admin@example.com"))
            );
            let end = at(3600);
            assert!(identity.principal(end.just_before(), token).is_some());
            assert!(identity.principal(end, token).is_none());
            assert!(identity.principal(at(0), &token[1..]).is_none());
            identity.set_key_revoked(true);
            assert!(identity.principal(at(0), token).is_none());
            identity.set_key_revoked(false);
        }
    }

    #[test]
    fn googles_audience_will_do() {
        assert_eq!(post(&with("aud", json!(GOOGLES_TOKEN_URI))).0, 200);
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
            (with("sub", json!("admin@elsewhere.example")), 401, "unauthorized_client", "unauthorized"),
        ] {
            let answer = post(&claims);
            assert_eq!((answer.0, &answer.1["error"]), (status, &json!(error)), "{claims}");
            assert!(answer.1["error_description"].as_str().unwrap().contains(part), "{answer:?}");
        }
        let mut own = with("scope", json!(Scopes::BOT.to_string()));
        own.as_object_mut().unwrap().shift_remove("sub");
        assert_eq!(post(&own).0, 200, "the account's own token needs no delegation");
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
            let (status, body) = answer(&mut identity(), &form(assertion));
            assert_eq!((status, &body["error"]), (400, &json!("invalid_grant")));
            assert!(body["error_description"].as_str().unwrap().contains(part), "{body}");
        }
        let mut revoked = identity();
        revoked.set_key_revoked(true);
        assert_eq!(answer(&mut revoked, &form(&good)).0, 400);
        for (text, error) in [("grant_type=password", "unsupported_grant_type"), ("", "invalid_request")] {
            assert_eq!(answer(&mut identity(), text).1["error"], error);
        }
    }
}
