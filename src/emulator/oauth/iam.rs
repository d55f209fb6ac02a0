//! IAM Credentials: signs claims for whoever may act as the service account, so that nobody needs its key file.

use base64::Engine;
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

use super::super::world::{Refusal, Scopes};
use super::{BASE64, Identity, Request};
use crate::model::Timestamp;

const SERVICE: &str = "iamcredentials.googleapis.com";
/// How far ahead `exp` may lie, in seconds (API reference of `signJwt`).
const LIFE_S_MAX: i64 = 12 * 3600;

/// The account that a path of `signJwt` names: its e-mail or its numeric id.
pub(super) fn account(path: &str) -> Option<String> {
    let account = path.strip_prefix("/v1/projects/-/serviceAccounts/")?.strip_suffix(":signJwt")?;
    percent_decode_str(account).decode_utf8().ok().map(String::from)
}

impl Identity {
    /// `projects.serviceAccounts.signJwt`.
    pub(super) fn sign_jwt(
        &self,
        now: Timestamp,
        account: &str,
        request: &Request<'_>,
    ) -> Result<Value, Refusal> {
        let caller = request.bearer.and_then(|token| self.principal(now, token));
        let caller = caller.ok_or_else(|| Refusal::unauthenticated(SERVICE))?;
        if !caller.scopes().any(Scopes::CLOUD_PLATFORM) {
            return Err(Refusal::scope_insufficient(
                SERVICE,
                "google.iam.credentials.v1.IAMCredentials.SignJwt",
            ));
        }
        if account != self.key.client_email() && account != self.key.client_id() {
            return Err(Refusal::not_found(format!("There is no service account {account}.")));
        }
        if !self.set_up.token_creator {
            return Err(not_permitted());
        }
        let claims = claims(now, request.body)?;
        let head = json!({"alg": "RS256", "kid": self.key.id(), "typ": "JWT"}).to_string();
        let text = format!("{}.{}", BASE64.encode(head), BASE64.encode(claims));
        let signature = self.key.sign(text.as_bytes()).ok_or_else(Refusal::internal)?;
        Ok(json!({
            "keyId": self.key.id(),
            "signedJwt": format!("{text}.{}", BASE64.encode(signature)),
        }))
    }
}

/// The claims in a request's body, as they came.
fn claims(now: Timestamp, body: &[u8]) -> Result<String, Refusal> {
    let body: Value = serde_json::from_slice(body)
        .map_err(|error| Refusal::invalid(format!("Invalid JSON payload received. {error}")))?;
    let payload = body["payload"].as_str().unwrap_or_default();
    let claims: Value = serde_json::from_str(payload)
        .ok()
        .filter(Value::is_object)
        .ok_or_else(|| Refusal::invalid("payload must be the text of a JSON object: the claims."))?;
    let now_s = now.as_micros() / 1_000_000;
    let in_time = |expires: i64| (now_s..=now_s + LIFE_S_MAX).contains(&expires);
    match claims.get("exp") {
        Some(expires) if !expires.as_i64().is_some_and(in_time) => {
            Err(Refusal::invalid("exp must be a time in whole seconds, from now to 12 hours ahead."))
        }
        _ => Ok(payload.to_owned()),
    }
}

fn not_permitted() -> Refusal {
    let permission = "iam.serviceAccounts.signJwt";
    Refusal::denied(format!("Permission '{permission}' denied on resource (or it may not exist).")).with(
        json!({
            "@type": "type.googleapis.com/google.rpc.ErrorInfo",
            "reason": "IAM_PERMISSION_DENIED",
            "domain": "iam.googleapis.com",
            "metadata": {"permission": permission},
        }),
    )
}

#[cfg(test)]
mod tests {
    use super::super::super::testing::form;
    use super::super::testing::{ADDRESS, KEY, NOW_S, at, identity, json_of, post, request};
    use super::*;

    /// A call with this body, in the name of the machine.
    fn call(identity: &mut Identity, account: &str, body: &Value) -> (u16, Value) {
        let path = "/computeMetadata/v1/instance/service-accounts/default/token";
        let (_, token) = json_of(
            identity.handle(at(0), &Request { metadata_flavor: Some("Google"), ..request("GET", path) }),
        );
        let path = format!("/v1/projects/-/serviceAccounts/{account}:signJwt");
        let body = body.to_string();
        let request = Request {
            bearer: token["access_token"].as_str(),
            body: body.as_bytes(),
            ..request("POST", &path)
        };
        json_of(identity.handle(at(0), &request))
    }

    fn payload() -> Value {
        let claims = json!({
            "iss": KEY.client_email(), "aud": format!("{ADDRESS}/token"), "iat": NOW_S, "exp": NOW_S + 3600,
            "scope": Scopes::IMPORT.to_string(), "sub": "admin@example.com",
        });
        json!({"payload": claims.to_string()})
    }

    #[test]
    fn signed_claims_are_as_good_as_the_keys_own() {
        let mut identity = identity();
        for account in [KEY.client_email(), &KEY.client_email().replace('@', "%40"), KEY.client_id()] {
            let (status, answer) = call(&mut identity, account, &payload());
            assert_eq!((status, answer["keyId"].as_str()), (200, Some(KEY.id())), "{answer}");
            let assertion = form(answer["signedJwt"].as_str().unwrap());
            let (status, token) = post(&mut identity, at(0), "/token", &assertion);
            assert_eq!(status, 200, "{token}");
            let principal = identity.principal(at(0), token["access_token"].as_str().unwrap()).unwrap();
            assert_eq!(
                (principal.scopes(), principal.subject()),
                (Scopes::IMPORT, Some("admin@example.com"))
            );
        }
    }

    #[test]
    fn refusals() {
        let claims = |claims: Value| json!({"payload": claims.to_string()});
        for (account, creator, body, status, reason) in [
            ("x@example.com", true, payload(), 404, "NOT_FOUND"),
            (KEY.client_email(), false, payload(), 403, "IAM_PERMISSION_DENIED"),
            (KEY.client_email(), true, json!({}), 400, "INVALID_ARGUMENT"),
            (KEY.client_email(), true, json!({"payload": {"exp": NOW_S}}), 400, "INVALID_ARGUMENT"),
            (KEY.client_email(), true, json!({"payload": "[]"}), 400, "INVALID_ARGUMENT"),
            (KEY.client_email(), true, claims(json!({"exp": NOW_S - 1})), 400, "whole seconds"),
            (KEY.client_email(), true, claims(json!({"exp": NOW_S + 43_201})), 400, "12 hours"),
            (KEY.client_email(), true, claims(json!({"exp": "soon"})), 400, "whole seconds"),
        ] {
            let mut identity = identity();
            identity.set_up.token_creator = creator;
            let (got, answer) = call(&mut identity, account, &body);
            assert_eq!((got, &answer["error"]["code"]), (status, &json!(status)), "{answer}");
            assert!(answer.to_string().contains(reason), "no {reason:?} in {answer}");
        }
    }

    #[test]
    fn whose_token_does_not_reach_it() {
        let mut identity = identity();
        let path = format!("/v1/projects/-/serviceAccounts/{}:signJwt", KEY.client_email());
        let body = payload().to_string();
        let asked = Request { body: body.as_bytes(), ..request("POST", &path) };
        assert_eq!(json_of(identity.handle(at(0), &asked)).0, 401);
        let (_, jwt) = call(&mut identity, KEY.client_email(), &payload());
        let assertion = form(jwt["signedJwt"].as_str().unwrap());
        let (_, token) = post(&mut identity, at(0), "/token", &assertion);
        let (status, answer) =
            json_of(identity.handle(at(0), &Request { bearer: token["access_token"].as_str(), ..asked }));
        assert_eq!(status, 403);
        assert!(answer.to_string().contains("ACCESS_TOKEN_SCOPE_INSUFFICIENT"), "{answer}");
        assert!(answer.to_string().contains(SERVICE), "{answer}");
    }
}
