//! Google's identity services, as far as clients of Chat meet them. Pure: time comes with every request, randomness
//! with the first.
//!
//! A token is had for a service account's signed claims (`assertion`), for a person's `consent`, and for what lasts
//! after it (`refresh`). Who has no key file has claims signed by `iam`, with a token of a person, or of the machine from
//! `metadata`. `tokens` knows each token again.

mod answer;
mod assertion;
mod client;
mod consent;
mod form;
mod iam;
mod metadata;
mod pkce;
mod refresh;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod tokens;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use base64::Engine;
use base64::alphabet::URL_SAFE;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use rand::RngExt;
use rand::rngs::StdRng;
use serde_json::{Value, json};

pub use answer::{Answer, Body};

use super::key::ServiceAccountKey;
use super::world::{Principal, Scopes};
use crate::model::Timestamp;
use answer::Problem;
use client::Client;
use consent::Code;
use form::Form;
use tokens::{Source, Tokens};

/// Where the token endpoint is, below the emulator's own address.
pub(super) const TOKEN_PATH: &str = "/token";

/// Writes no padding. Clients differ in whether they do.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &URL_SAFE,
    GeneralPurposeConfig::new()
        .with_encode_padding(false)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// What an administrator and the people of the organisation have settled.
#[derive(Debug, Clone)]
pub struct SetUp {
    /// Where the emulator is, e.g. `http://127.0.0.1:8085`, without a slash at the end.
    pub address: String,
    /// How long an access token is good, in seconds.
    pub token_life_s: i64,
    /// What the service account may do in the name of people.
    pub delegated: Scopes,
    /// The domains of the organisation, in lower case; empty means that every address belongs to it.
    pub home_domains: Vec<String>,
    /// The address of the person who signs in when the client does not hint at one.
    pub person: String,
    /// Whether people consent to what they are asked for.
    pub consents: bool,
    /// Whether whoever has a token for `cloud-platform` may sign as the service account.
    pub token_creator: bool,
}

/// A request, as it comes off the wire.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// `GET`, `POST`, ...
    pub method: &'a str,
    /// The path, still escaped.
    pub path: &'a str,
    /// What follows the `?`, still escaped; empty for nothing.
    pub query: &'a str,
    /// The access token that it carries.
    pub bearer: Option<&'a str>,
    /// The header field `Metadata-Flavor`.
    pub metadata_flavor: Option<&'a str>,
    /// The body; empty for none.
    pub body: &'a [u8],
}

impl Request<'_> {
    /// Whether it asks for an access token.
    pub fn is_for_token(&self) -> bool {
        self.method == "POST" && self.path == TOKEN_PATH
    }
}

/// One service account, one OAuth client, and everybody's tokens.
pub struct Identity {
    key: ServiceAccountKey,
    key_revoked: bool,
    client: Client,
    set_up: SetUp,
    tokens: Tokens,
    codes: HashMap<String, Code>,
    /// The ids of consents that were taken back.
    withdrawn: HashSet<String>,
    random: StdRng,
}

impl Identity {
    /// For the owner of `key`. `random` makes tokens and codes.
    pub fn new(key: ServiceAccountKey, set_up: SetUp, random: StdRng) -> Self {
        Identity {
            client: Client::of(&key),
            key,
            key_revoked: false,
            tokens: Tokens::new(set_up.token_life_s),
            set_up,
            codes: HashMap::new(),
            withdrawn: HashSet::new(),
            random,
        }
    }

    /// Revokes the service account's key, or takes that back: without it there are no new tokens, and the old ones end.
    pub fn set_key_revoked(&mut self, revoked: bool) {
        self.key_revoked = revoked;
        self.tokens.end(|source| *source == Source::Key);
    }

    /// Other delegated scopes from now on.
    pub fn set_delegated(&mut self, delegated: Scopes) {
        self.set_up.delegated = delegated;
    }

    /// What a token stands for; `None` when it is unknown, expired or revoked.
    pub fn principal(&self, now: Timestamp, token: &str) -> Option<Arc<Principal>> {
        self.tokens.principal(now, token)
    }

    /// The text of a `client_secrets.json` for an installed app.
    pub fn client_secrets(&self) -> String {
        self.client.secrets_json(&self.set_up.address)
    }

    /// Answers a request; `None` when it is for somebody else.
    pub fn handle(&mut self, now: Timestamp, request: &Request<'_>) -> Option<Answer> {
        match (request.method, request.path) {
            ("POST", TOKEN_PATH) => Some(Answer::of(self.token(now, request.body))),
            ("POST", client::REVOKE_PATH) => Some(Answer::of(self.revoke(now, request))),
            ("GET", client::AUTH_PATH) => Some(self.authorize(now, request.query)),
            ("POST", path) => {
                let account = iam::account(path)?;
                Some(Answer::of_api(self.sign_jwt(now, &account, request)))
            }
            _ => self.metadata(now, request),
        }
    }

    /// The token endpoint (RFC 6749, 3.2).
    fn token(&mut self, now: Timestamp, body: &[u8]) -> Result<Value, Problem> {
        let form = Form::parse(body)?;
        match form.need("grant_type")? {
            "urn:ietf:params:oauth:grant-type:jwt-bearer" => {
                let principal = self.asserted(now, form.need("assertion")?)?;
                Ok(self.issue(now, principal, Source::Key))
            }
            "authorization_code" => self.redeem(now, &form),
            "refresh_token" => self.refresh(now, &form),
            _ => Err(Problem::bad("unsupported_grant_type", "Invalid grant_type.")),
        }
    }

    fn issue(&mut self, now: Timestamp, principal: Principal, source: Source) -> Value {
        let token = format!("ya29.emulator-{}", self.random_text());
        self.tokens.put(now, token.clone(), principal, source);
        json!({"access_token": token, "expires_in": self.set_up.token_life_s, "token_type": "Bearer"})
    }

    /// Nobody guesses it.
    fn random_text(&mut self) -> String {
        BASE64.encode(self.random.random::<[u8; 32]>())
    }

    fn token_uri(&self) -> String {
        format!("{}{TOKEN_PATH}", self.set_up.address)
    }

    /// Whether an address belongs to the organisation.
    fn is_at_home(&self, address: &str) -> bool {
        let domain = address.rsplit('@').next().unwrap_or("").to_lowercase();
        self.set_up.home_domains.is_empty() || self.set_up.home_domains.contains(&domain)
    }

    /// Whether there is such a person (RFC 2606 keeps `.invalid` for what does not exist).
    fn has_account(address: &str) -> bool {
        address.contains('@') && !address.to_lowercase().ends_with(".invalid")
    }
}
