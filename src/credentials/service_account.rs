//! A service account's key through yup-oauth2: acting for somebody (domain-wide delegation), or as the app itself.

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy;
use hyper_util::rt::TokioExecutor;
use rustls::crypto::ring::sign::any_supported_type;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject as _;
use serde_json::Value;
use yup_oauth2::authenticator::Authenticator;
use yup_oauth2::{
    CustomHyperClientBuilder, Error as OAuthError, ServiceAccountAuthenticator, ServiceAccountKey,
};

use super::{Actor, CredentialError, Identity, Need, TIMEOUT, Token, TokenFailure};
use crate::network::{Endpoint, EndpointError, Proxied, connector, innermost, install_tls};

/// `type` of a key file.
pub(super) const TYPE: &str = "service_account";

type Flow = Authenticator<HttpsConnector<Proxied>>;

/// A service account (guides: authorize-import, and service accounts as Chat apps).
pub(super) struct ServiceAccount {
    person: Option<Flow>,
    app: Flow,
    token_uri: String,
}

impl fmt::Debug for ServiceAccount {
    /// Says nothing: a key is inside.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServiceAccount").finish_non_exhaustive()
    }
}

impl ServiceAccount {
    /// Reads a key file's text; no request is made yet. `path` is for messages.
    ///
    /// # Errors
    /// When it is not a key, or its `token_uri` is neither https nor loopback.
    pub(super) async fn from_json(
        text: &str,
        path: &Path,
        subject: Option<&str>,
    ) -> Result<(Self, Identity), CredentialError> {
        let not_a_key = |story: String| CredentialError::NotAKey { path: path.to_owned(), story };
        let token_uri = |error| CredentialError::TokenUri { path: path.to_owned(), error };
        // The parser's message would quote the line that it stumbles on, and that may be the key itself.
        let file: Value = serde_json::from_str(text).map_err(|_| not_a_key("it is not JSON".to_owned()))?;
        match file["type"].as_str() {
            Some(TYPE) => {}
            Some(other) => return Err(not_a_key(format!("its type is {other:?}, not \"service_account\""))),
            None => return Err(not_a_key("it has no \"type\"".to_owned())),
        }
        if let Some(missing) =
            ["client_email", "private_key", "token_uri"].into_iter().find(|key| !file[*key].is_string())
        {
            return Err(not_a_key(format!("it has no {missing:?}")));
        }
        let key = yup_oauth2::parse_service_account_key(text)
            .map_err(|_| not_a_key("a field has the wrong type".to_owned()))?;
        // The library takes it as it stands, so it must be a URI without anything that a URL parser would mend.
        if key.token_uri.parse::<yup_oauth2::hyper::Uri>().is_err() {
            return Err(token_uri(EndpointError::NotAUrl));
        }
        let endpoint = Endpoint::parse(&key.token_uri).map_err(token_uri)?;
        // What is wrong with it is better said here than by the library, which does not know the file.
        let der = PrivateKeyDer::from_pem_slice(key.private_key.as_bytes()).ok();
        if der.is_none_or(|der| any_supported_type(&der).is_err()) {
            return Err(not_a_key("its private key cannot be read".to_owned()));
        }
        let field = |name: &str| file[name].as_str().map(str::to_owned);
        let identity = Identity {
            story: format!("the key file {}", path.display()),
            client_email: field("client_email"),
            client_id: field("client_id"),
            project_id: field("project_id"),
            subject: subject.map(str::to_owned),
        };
        install_tls();
        let person = match subject {
            Some(_) => Some(flow(key.clone(), subject, &endpoint).await?),
            None => None,
        };
        let token_uri = key.token_uri.clone();
        let app = flow(key, None, &endpoint).await?;
        Ok((ServiceAccount { person, app, token_uri }, identity))
    }

    pub(super) fn token_uri(&self) -> &str {
        &self.token_uri
    }

    pub(super) async fn fetch(&self, need: Need) -> Result<Token, TokenFailure> {
        let flow = match need.actor {
            Actor::App => &self.app,
            Actor::Person => self.person.as_ref().ok_or_else(TokenFailure::nobody)?,
        };
        // Its own cache would keep an answer without a token for good, so it is never asked for a cached one.
        let scope = [need.scope.url()];
        let fetched = tokio::time::timeout(TIMEOUT, flow.force_refreshed_token(&scope)).await;
        let token = match fetched {
            Err(_) => return Err(TokenFailure::Passing("the token endpoint does not answer".to_owned())),
            Ok(Err(error)) => return Err(failure(error, &self.token_uri)),
            Ok(Ok(token)) => token,
        };
        let text = token
            .token()
            .ok_or_else(|| TokenFailure::Passing("the token endpoint answered without a token".to_owned()))?;
        Ok(Token { text: Arc::from(text), expires: token.expiration_time().map(SystemTime::from) })
    }
}

async fn flow(
    key: ServiceAccountKey,
    subject: Option<&str>,
    endpoint: &Endpoint,
) -> Result<Flow, CredentialError> {
    let connector = connector(endpoint).map_err(CredentialError::Tls)?;
    let client =
        legacy::Client::builder(TokioExecutor::new()).pool_max_idle_per_host(0).build::<_, String>(connector);
    let mut builder = ServiceAccountAuthenticator::with_client(key, CustomHyperClientBuilder::from(client));
    if let Some(subject) = subject {
        builder = builder.subject(subject);
    }
    builder.build().await.map_err(CredentialError::Tls)
}

fn failure(error: OAuthError, token_uri: &str) -> TokenFailure {
    match error {
        OAuthError::AuthError(error) => {
            TokenFailure::of_code(error.error.as_str(), &error.error_description.unwrap_or_default())
        }
        OAuthError::JSONError(_) => {
            TokenFailure::Passing("the token endpoint answered with something else than JSON".to_owned())
        }
        other => {
            let story = innermost(&other);
            TokenFailure::Passing(format!("the token endpoint cannot be reached: {token_uri}: {story}"))
        }
    }
}
