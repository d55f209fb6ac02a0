//! No key file: IAM Credentials signs the claims (`projects.serviceAccounts.signJwt`), for whoever may create tokens of
//! the account. The rest is the same as with a key.

use serde_json::{Value, json};

use super::adc::Adc;
use super::exchange::{GOOGLES_TOKEN_URI, exchange};
use super::failure::DESCRIPTION_CHARS_MAX;
use super::{Actor, CredentialError, Identity, Need, SignWith, Token, TokenFailure, TokenRefusal};
use crate::model::Timestamp;
use crate::network::{Client, Endpoint, Outgoing};
use crate::wording::shorten;

/// Google's own.
const IAM: &str = "https://iamcredentials.googleapis.com/";
const GRANT_TYPE: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
/// The longest life of an assertion, in seconds (guide: OAuth 2.0 for server to server applications).
const LIFE_S: i64 = 3600;

/// A service account whose claims are signed by IAM Credentials.
pub(super) struct Keyless {
    account: String,
    subject: Option<String>,
    iam: Endpoint,
    token_uri: String,
    adc: Adc,
}

impl Keyless {
    /// Finds Application Default Credentials; no request is made yet.
    ///
    /// # Errors
    /// When those cannot be used, or an endpoint is neither https nor loopback.
    pub(super) async fn new(
        sign_with: &SignWith,
        subject: Option<&str>,
    ) -> Result<(Self, Identity), CredentialError> {
        let endpoint = |given: &Option<String>, googles: &str| {
            let url = given.as_deref().unwrap_or(googles);
            Endpoint::parse(url)
                .map(|endpoint| (url.to_owned(), endpoint))
                .map_err(|error| CredentialError::Endpoint { url: url.to_owned(), error })
        };
        let (_, iam) = endpoint(&sign_with.iam, IAM)?;
        let (token_uri, _) = endpoint(&sign_with.token_uri, GOOGLES_TOKEN_URI)?;
        let (adc, place) = Adc::find().await?;
        let account = sign_with.account.clone();
        let project = account
            .split_once('@')
            .and_then(|(_, domain)| domain.strip_suffix(".iam.gserviceaccount.com"))
            .map(str::to_owned);
        let identity = Identity {
            story: format!("{account} without a key file, signed for by {place}"),
            client_email: Some(account.clone()),
            client_id: None,
            project_id: project,
            subject: subject.map(str::to_owned),
        };
        let subject = subject.map(str::to_owned);
        Ok((Keyless { account, subject, iam, token_uri, adc }, identity))
    }

    pub(super) fn token_uri(&self) -> &str {
        &self.token_uri
    }

    pub(super) async fn fetch(&self, client: &Client, need: Need) -> Result<Token, TokenFailure> {
        let now_s = Timestamp::now().as_micros().div_euclid(1_000_000);
        let mut claims = json!({
            "iss": self.account, "aud": self.token_uri, "scope": need.scope.url(),
            "iat": now_s, "exp": now_s + LIFE_S,
        });
        if need.actor == Actor::Person {
            let subject = self.subject.as_deref().ok_or_else(TokenFailure::nobody)?;
            claims["sub"] = Value::from(subject);
        }
        let token = self.adc.token(client).await.map_err(|failure| failure.of_adc())?;
        let assertion = self.sign(client, &claims, &token).await?;
        let fields = [("grant_type", GRANT_TYPE), ("assertion", assertion.as_str())];
        Ok(exchange(client, &self.token_uri, &fields).await?.0)
    }

    async fn sign(&self, client: &Client, claims: &Value, token: &Token) -> Result<String, TokenFailure> {
        let path = format!("v1/projects/-/serviceAccounts/{}:signJwt", self.account);
        let body = json!({ "payload": claims.to_string() }).to_string();
        let request = Outgoing {
            method: "POST",
            url: self.iam.join(&path, &[]),
            token: Some(&token.text),
            headers: &[],
            body: Some(("application/json; charset=UTF-8", body)),
        };
        let reply = client.send(request).await?;
        let answer: Value = serde_json::from_slice(&reply.body).unwrap_or(Value::Null);
        match (answer["signedJwt"].as_str(), reply.status) {
            (Some(assertion), 200..300) => Ok(assertion.to_owned()),
            (_, 408 | 429 | 500..) => {
                Err(TokenFailure::Passing(format!("IAM Credentials is in trouble: HTTP {}", reply.status)))
            }
            (_, status) => {
                let text = |name: &str| answer["error"][name].as_str().unwrap_or_default();
                let kind = match text("status") {
                    "" => format!("HTTP {status}"),
                    kind => kind.to_owned(),
                };
                Err(TokenFailure::Refused(Box::new(TokenRefusal {
                    code: format!("{}{kind}", TokenRefusal::OF_IAM),
                    description: shorten(text("message"), DESCRIPTION_CHARS_MAX),
                    ..TokenRefusal::default()
                })))
            }
        }
    }
}
