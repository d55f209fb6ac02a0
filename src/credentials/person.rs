//! A person who has signed in: a refresh token in a file, as `login` leaves it and as gcloud does.

use std::path::Path;

use serde_json::{Value, json};

use super::exchange::{GOOGLES_TOKEN_URI, exchange};
use super::{Actor, CredentialError, Identity, Need, Scope, Token, TokenFailure};
use crate::network::{Client, Endpoint};

/// `type` of such a file, and of gcloud's.
pub(super) const TYPE: &str = "authorized_user";

/// By this a file of `tenure login` is told from gcloud's, which `tenure logout` has no business with.
pub(super) const SIGNED_IN_WITH: &str = "tenure login";

/// What a refresh token and the program that it was given to amount to. No `Debug`: all of it is secret.
pub(super) struct Person {
    client_id: String,
    client_secret: String,
    refresh_token: String,
    token_uri: String,
    /// What was consented to, where the file tells.
    scopes: Option<Vec<Scope>>,
}

impl Person {
    /// Reads the text of a file; no request is made yet. `path` is for messages.
    ///
    /// # Errors
    /// When it is not such a file, or names a token endpoint that a secret must not be sent to.
    pub(super) fn from_json(file: &Value, path: &Path) -> Result<(Self, Identity), CredentialError> {
        let field = |name: &str| {
            file[name].as_str().map(str::to_owned).ok_or_else(|| CredentialError::NotSignedIn {
                path: path.to_owned(),
                story: format!("it has no {name:?}"),
            })
        };
        let token_uri = file["token_uri"].as_str().unwrap_or(GOOGLES_TOKEN_URI).to_owned();
        Endpoint::parse(&token_uri)
            .map_err(|error| CredentialError::TokenUri { path: path.to_owned(), error })?;
        let scopes = file["scopes"]
            .as_array()
            .map(|scopes| scopes.iter().filter_map(|scope| Scope::parse(scope.as_str()?)).collect());
        let person = Person {
            client_id: field("client_id")?,
            client_secret: field("client_secret")?,
            refresh_token: field("refresh_token")?,
            token_uri,
            scopes,
        };
        let identity = Identity {
            story: format!("the person signed in with {}", path.display()),
            ..Identity::default()
        };
        Ok((person, identity))
    }

    /// The text of a file for what a sign-in has brought.
    pub(super) fn to_json(
        client_id: &str,
        client_secret: &str,
        refresh_token: &str,
        token_uri: &str,
        scopes: &[Scope],
    ) -> String {
        let scopes: Vec<String> = scopes.iter().map(|scope| scope.url()).collect();
        let file = json!({
            "type": TYPE, "client_id": client_id, "client_secret": client_secret, "refresh_token": refresh_token,
            "token_uri": token_uri, "scopes": scopes, "signed_in_with": SIGNED_IN_WITH,
        });
        format!("{file:#}\n")
    }

    pub(super) fn token_uri(&self) -> &str {
        &self.token_uri
    }

    pub(super) fn refresh_token(&self) -> &str {
        &self.refresh_token
    }

    /// A token for no more than what is needed.
    pub(super) async fn fetch(&self, client: &Client, need: Need) -> Result<Token, TokenFailure> {
        if need.actor == Actor::App {
            return Err(TokenFailure::Unavailable(
                "somebody who has signed in cannot act as the Chat app: give its key with --credentials"
                    .to_owned(),
            ));
        }
        if self.scopes.as_ref().is_some_and(|scopes| !scopes.contains(&need.scope)) {
            let admin = if need.scope.is_for_administrators() { " --admin-access" } else { "" };
            return Err(TokenFailure::Unavailable(format!(
                "the sign-in was not for {}: sign in again with `tenure login{admin}`",
                need.scope
            )));
        }
        self.refresh(client, Some(need.scope)).await
    }

    /// A token for `scope`, or for everything that was consented to.
    pub(super) async fn refresh(&self, client: &Client, scope: Option<Scope>) -> Result<Token, TokenFailure> {
        let scope = scope.map(Scope::url);
        let mut fields = vec![
            ("grant_type", "refresh_token"),
            ("client_id", &self.client_id),
            ("client_secret", &self.client_secret),
            ("refresh_token", &self.refresh_token),
        ];
        fields.extend(scope.as_deref().map(|scope| ("scope", scope)));
        Ok(exchange(client, &self.token_uri, &fields).await?.0)
    }
}
