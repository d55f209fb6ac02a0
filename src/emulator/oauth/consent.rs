//! The page on which people sign in (RFC 6749, 4.1), and the codes that it sends back. Nobody sits at it: the answer
//! is there at once.

use form_urlencoded::Serializer;
use serde_json::Value;

use super::super::world::{Principal, Scopes};
use super::answer::{Answer, Problem};
use super::client::is_loopback;
use super::form::Form;
use super::refresh::Consent;
use super::tokens::Source;
use super::{Identity, pkce};
use crate::model::Timestamp;

/// How long a code is good: the most that RFC 6749, 4.1.2, recommends.
const CODE_LIFE_MICROS: i64 = 600 * 1_000_000;

/// A consent that has not been collected.
#[derive(Debug)]
pub(super) struct Code {
    address: String,
    scopes: Scopes,
    redirect_uri: String,
    challenge: String,
    expires: Timestamp,
}

impl Identity {
    /// The authorization endpoint: sends the browser back with a code, or with what is wrong.
    pub(super) fn authorize(&mut self, now: Timestamp, query: &str) -> Answer {
        let asked = Form::parse(query.as_bytes()).and_then(|form| {
            let redirect_uri = self.redirect_uri(&form)?.to_owned();
            Ok((form, redirect_uri))
        });
        // A browser is sent nowhere but to the client (RFC 6749, 4.1.2.1).
        let (form, redirect_uri) = match asked {
            Ok(asked) => asked,
            Err(problem) => return Answer::of(Err(problem)),
        };
        let mut back = Serializer::new(String::new());
        if let Some(state) = form.get("state") {
            back.append_pair("state", state);
        }
        match self.consent(now, &form, &redirect_uri) {
            Ok((code, scopes)) => {
                back.append_pair("code", &code).append_pair("scope", &scopes.to_string());
            }
            Err(Problem(_, error, description)) => {
                back.append_pair("error", error).append_pair("error_description", &description);
            }
        }
        let between = if redirect_uri.contains('?') { '&' } else { '?' };
        Answer::redirect(format!("{redirect_uri}{between}{}", back.finish()))
    }

    fn redirect_uri<'f>(&self, form: &'f Form) -> Result<&'f str, Problem> {
        if form.need("client_id")? != self.client.id {
            return Err(Problem(401, "invalid_client", "The OAuth client was not found.".into()));
        }
        let redirect_uri = form.need("redirect_uri")?;
        if is_loopback(redirect_uri) {
            Ok(redirect_uri)
        } else {
            Err(Problem::bad(
                "redirect_uri_mismatch",
                "An installed app takes codes at http://127.0.0.1, http://[::1] or http://localhost.",
            ))
        }
    }

    fn consent(
        &mut self,
        now: Timestamp,
        form: &Form,
        redirect_uri: &str,
    ) -> Result<(String, Scopes), Problem> {
        if form.need("response_type")? != "code" {
            return Err(Problem::bad("unsupported_response_type", "response_type must be code."));
        }
        form.need("state")?;
        let scopes = Scopes::parse_list(form.need("scope")?)
            .ok_or(Problem::bad("invalid_scope", "Some requested scopes were invalid."))?;
        let challenge = form.need("code_challenge")?;
        if form.get("code_challenge_method") != Some("S256") || !pkce::is_challenge(challenge) {
            return Err(Problem::bad("invalid_request", "code_challenge must be one of method S256."));
        }
        let address = form.get("login_hint").unwrap_or(&self.set_up.person);
        if !self.set_up.consents || !Identity::has_account(address) {
            return Err(Problem::bad("access_denied", "The person did not consent."));
        }
        let consented = Code {
            address: address.to_owned(),
            scopes,
            redirect_uri: redirect_uri.to_owned(),
            challenge: challenge.to_owned(),
            expires: Timestamp::from_micros(now.as_micros().saturating_add(CODE_LIFE_MICROS)),
        };
        let code = format!("4/{}", self.random_text());
        self.codes.retain(|_, code| now < code.expires);
        self.codes.insert(code.clone(), consented);
        Ok((code, scopes))
    }

    /// Tokens for a code, once.
    pub(super) fn redeem(&mut self, now: Timestamp, form: &Form) -> Result<Value, Problem> {
        self.client.check(form)?;
        let code = form.need("code")?;
        let (redirect_uri, verifier) = (form.need("redirect_uri")?, form.need("code_verifier")?);
        // Spent even when the rest is wrong: whoever has stolen it gets no second guess.
        let code = self.codes.remove(code).filter(|code| now < code.expires);
        let code = code.ok_or(Problem::grant("Malformed auth code, or one that was used or has expired."))?;
        if code.redirect_uri != redirect_uri {
            return Err(Problem::bad("redirect_uri_mismatch", "The code was sent to another redirect_uri."));
        }
        if !pkce::fits(&code.challenge, verifier) {
            return Err(Problem::grant("Invalid code verifier."));
        }
        let principal = Principal::new(code.scopes, Some(&code.address));
        let consent = Consent { id: self.random_text(), address: code.address, scopes: code.scopes };
        let mut answer = self.issue(now, principal, Source::Consent(consent.id.clone()));
        answer["scope"] = consent.scopes.to_string().into();
        answer["refresh_token"] = consent.seal(&self.key).into();
        Ok(answer)
    }
}
