//! Refresh tokens: a person's consent, to be used again and again until it is taken back.
//!
//! A refresh token says itself what it stands for, under a seal that follows from the service account's key. So an
//! emulator that is started again with the same key knows it, although nothing was kept.

use base64::Engine;
use ring::hmac;
use serde_json::{Value, json};

use super::super::key::ServiceAccountKey;
use super::super::project;
use super::super::world::{Principal, Scopes};
use super::answer::Problem;
use super::form::Form;
use super::tokens::Source;
use super::{BASE64, Identity, Request};
use crate::model::Timestamp;

/// What a person has consented to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Consent {
    /// Tells it from others of the same person.
    pub(super) id: String,
    pub(super) address: String,
    pub(super) scopes: Scopes,
}

impl Consent {
    /// As a refresh token.
    pub(super) fn seal(&self, key: &ServiceAccountKey) -> String {
        let text = json!([self.id, self.address, self.scopes.to_string()]).to_string();
        let seal = hmac::sign(&seal_of(key), text.as_bytes());
        format!("1//{}.{}", BASE64.encode(text), BASE64.encode(seal))
    }

    /// From a refresh token. `None` when it is not one that this key has sealed.
    pub(super) fn open(key: &ServiceAccountKey, token: &str) -> Option<Consent> {
        let (text, seal) = token.strip_prefix("1//")?.split_once('.')?;
        let (text, seal) = (BASE64.decode(text).ok()?, BASE64.decode(seal).ok()?);
        hmac::verify(&seal_of(key), &text, &seal).ok()?;
        let (id, address, scopes): (String, String, String) = serde_json::from_slice(&text).ok()?;
        Some(Consent { id, address, scopes: Scopes::parse_list(&scopes)? })
    }
}

fn seal_of(key: &ServiceAccountKey) -> hmac::Key {
    hmac::Key::new(hmac::HMAC_SHA256, &key.derive("refresh tokens"))
}

impl Identity {
    /// A new access token for a refresh token, perhaps with fewer scopes (RFC 6749, 6).
    pub(super) fn refresh(&mut self, now: Timestamp, form: &Form) -> Result<Value, Problem> {
        self.client.check(form)?;
        let consent = self
            .standing(form.need("refresh_token")?)
            .ok_or(Problem::grant("Token has been expired or revoked."))?;
        let scopes = match form.get("scope") {
            Some(list) => Scopes::parse_list(list)
                .filter(|scopes| scopes.without(consent.scopes).is_empty())
                .ok_or(Problem::bad("invalid_scope", "Bad Request"))?,
            None => consent.scopes,
        };
        let principal = Principal::new(scopes, Some(&consent.address));
        let mut answer = self.issue(now, principal, Source::Consent(consent.id));
        answer["scope"] = scopes.to_string().into();
        Ok(answer)
    }

    /// The text of an `application_default_credentials.json` as gcloud writes it: the person who signs in without saying
    /// who has consented to `cloud-platform`.
    pub fn default_credentials(&mut self) -> String {
        let consent = Consent {
            id: self.random_text(),
            address: self.set_up.person.clone(),
            scopes: Scopes::CLOUD_PLATFORM,
        };
        let file = json!({
            "type": "authorized_user",
            "account": consent.address,
            "client_id": self.client.id,
            "client_secret": self.client.secret,
            "refresh_token": consent.seal(&self.key),
            "token_uri": self.token_uri(),
            "quota_project_id": project::ID,
            "universe_domain": "googleapis.com",
        });
        format!("{file:#}\n")
    }

    /// Takes a token back, in the query or the body (RFC 7009). With either token of a consent, the whole consent goes.
    pub(super) fn revoke(&mut self, now: Timestamp, request: &Request<'_>) -> Result<Value, Problem> {
        let (query, body) = (Form::parse(request.query.as_bytes())?, Form::parse(request.body)?);
        let token = query.get("token").map_or_else(|| body.need("token"), Ok)?;
        let source = match self.standing(token) {
            Some(consent) => Source::Consent(consent.id),
            None => self
                .tokens
                .source(now, token)
                .cloned()
                .ok_or(Problem::bad("invalid_token", "Token expired or revoked"))?,
        };
        match source {
            Source::Consent(id) => {
                self.tokens.end(|source| *source == Source::Consent(id.clone()));
                self.withdrawn.insert(id);
            }
            Source::Key | Source::Machine => self.tokens.end_one(token),
        }
        Ok(json!({}))
    }

    /// The consent behind a refresh token, while it stands.
    fn standing(&self, token: &str) -> Option<Consent> {
        Consent::open(&self.key, token).filter(|consent| !self.withdrawn.contains(&consent.id))
    }
}
