//! Access tokens: fetched once, shared by all workers, renewed before they end.

use std::fmt;
use std::future::Future;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use rustls::crypto::ring::sign::any_supported_type;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject as _;
use tokio::sync::Mutex;
use yup_oauth2::authenticator::DefaultAuthenticator;
use yup_oauth2::error::AuthErrorCode;
use yup_oauth2::{Error as OAuthError, ServiceAccountAuthenticator};

use super::answer::shorten;
use super::http::install_tls;
use super::{Endpoint, EndpointError};

/// A token is renewed when it has less than this left.
const RENEW_BEFORE: Duration = Duration::from_secs(120);
/// How long a failure of the token endpoint answers for those who ask next.
const FAILURE_KEPT: Duration = Duration::from_secs(1);
/// How long the token endpoint may take.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Something that has access tokens.
pub trait Tokens: Send + Sync + 'static {
    /// A valid token. `refused` is one that was just answered with 401: then another is fetched.
    fn token(&self, refused: Option<&str>) -> impl Future<Output = Result<Arc<str>, TokenFailure>> + Send;
}

/// Why there is no token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokenFailure {
    /// The endpoint could not be reached, or is in trouble: it may work later.
    Passing(String),
    /// The endpoint said no.
    Refused {
        /// OAuth's code, e.g. `unauthorized_client`.
        code: String,
        /// What it says.
        description: String,
    },
}

impl fmt::Display for TokenFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TokenFailure::Passing(story) => write!(f, "no access token: {story}"),
            TokenFailure::Refused { code, description } if description.is_empty() => {
                write!(f, "no access token: {code}")
            }
            TokenFailure::Refused { code, description } => {
                write!(f, "no access token: {code}: {description}")
            }
        }
    }
}

/// Why a key cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file.
    #[error("{path}: {error}", path = .path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// What happened.
        error: io::Error,
    },
    /// Not a key.
    #[error("{path}: this is not a service account's key file: {story}. In the Cloud console: IAM & Admin > Service accounts > Keys > Add key > JSON", path = .path.display())]
    NotAKey {
        /// Which file.
        path: PathBuf,
        /// What is wrong.
        story: String,
    },
    /// Its `token_uri` is not to be trusted with an assertion.
    #[error("{path}: token_uri: {error}", path = .path.display())]
    TokenUri {
        /// Which file.
        path: PathBuf,
        /// What is wrong.
        error: EndpointError,
    },
    /// The TLS roots of the system, for instance.
    #[error("the client for access tokens cannot be set up: {0}")]
    Client(io::Error),
}

/// A service account with domain-wide delegation, acting for somebody (guide: authorize-import).
pub struct ServiceAccount {
    inner: DefaultAuthenticator,
    scope: &'static str,
    state: Mutex<Cache>,
}

#[derive(Default)]
struct Cache {
    token: Option<(Arc<str>, Option<SystemTime>)>,
    failure: Option<(TokenFailure, Instant)>,
}

impl fmt::Debug for ServiceAccount {
    /// Says nothing: a key and a token are inside.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServiceAccount").field("scope", &self.scope).finish_non_exhaustive()
    }
}

impl ServiceAccount {
    /// Reads a key file; no request is made yet.
    ///
    /// # Errors
    /// When the file is not readable or not a key, or its `token_uri` is neither https nor loopback.
    pub async fn from_file(path: &Path, subject: &str, scope: &'static str) -> Result<Self, KeyError> {
        let text =
            std::fs::read_to_string(path).map_err(|error| KeyError::File { path: path.to_owned(), error })?;
        ServiceAccount::from_json(&text, path, subject, scope).await
    }

    /// The same from a key file's text; `path` is for messages.
    ///
    /// # Errors
    /// As [`ServiceAccount::from_file`].
    pub async fn from_json(
        text: &str,
        path: &Path,
        subject: &str,
        scope: &'static str,
    ) -> Result<Self, KeyError> {
        let not_a_key = |story: String| KeyError::NotAKey { path: path.to_owned(), story };
        // The parser's message would quote the line that it stumbles on, and that may be the key itself.
        let kind: serde_json::Value =
            serde_json::from_str(text).map_err(|_| not_a_key("it is not JSON".to_owned()))?;
        match kind["type"].as_str() {
            Some("service_account") => {}
            Some(other) => return Err(not_a_key(format!("its type is {other:?}, not \"service_account\""))),
            None => return Err(not_a_key("it has no \"type\"".to_owned())),
        }
        if let Some(missing) =
            ["client_email", "private_key", "token_uri"].into_iter().find(|key| !kind[*key].is_string())
        {
            return Err(not_a_key(format!("it has no {missing:?}")));
        }
        let key = yup_oauth2::parse_service_account_key(text)
            .map_err(|_| not_a_key("a field has the wrong type".to_owned()))?;
        // The client takes it as it stands, so it must be a URI without anything that a URL parser would mend.
        if key.token_uri.parse::<yup_oauth2::hyper::Uri>().is_err() {
            return Err(KeyError::TokenUri { path: path.to_owned(), error: EndpointError::NotAUrl });
        }
        Endpoint::parse(&key.token_uri)
            .map_err(|error| KeyError::TokenUri { path: path.to_owned(), error })?;
        // What is wrong with it is better said here than by the client, which does not know the file.
        let der = PrivateKeyDer::from_pem_slice(key.private_key.as_bytes()).ok();
        if der.is_none_or(|der| any_supported_type(&der).is_err()) {
            return Err(not_a_key("its private key cannot be read".to_owned()));
        }
        install_tls();
        let inner = ServiceAccountAuthenticator::builder(key)
            .subject(subject)
            .with_timeout(TIMEOUT)
            .build()
            .await
            .map_err(KeyError::Client)?;
        Ok(ServiceAccount { inner, scope, state: Mutex::default() })
    }

    async fn fetch(&self) -> Result<(Arc<str>, Option<SystemTime>), TokenFailure> {
        // Its own cache would keep an answer without a token for good, so it is never asked for a cached one.
        let fetched = tokio::time::timeout(TIMEOUT, self.inner.force_refreshed_token(&[self.scope])).await;
        let token = match fetched {
            Err(_) => return Err(TokenFailure::Passing("the token endpoint does not answer".to_owned())),
            Ok(Err(error)) => return Err(token_failure(error)),
            Ok(Ok(token)) => token,
        };
        let Some(text) = token.token() else {
            return Err(TokenFailure::Passing("the token endpoint answered without a token".to_owned()));
        };
        let expires = token.expiration_time().map(SystemTime::from);
        Ok((Arc::from(text), expires))
    }
}

impl Tokens for ServiceAccount {
    async fn token(&self, refused: Option<&str>) -> Result<Arc<str>, TokenFailure> {
        // Held while fetching, so that all who need a token wait for the one request.
        let mut cache = self.state.lock().await;
        if let Some((token, expires)) = &cache.token {
            let fresh = expires.is_none_or(|end| SystemTime::now() + RENEW_BEFORE < end);
            if fresh && refused != Some(&**token) {
                return Ok(Arc::clone(token));
            }
        }
        if let Some((failure, at)) = &cache.failure
            && at.elapsed() < FAILURE_KEPT
        {
            return Err(failure.clone());
        }
        let kept = cache.token.take();
        match self.fetch().await {
            Ok((token, expires)) => {
                *cache = Cache { token: Some((Arc::clone(&token), expires)), failure: None };
                Ok(token)
            }
            Err(failure) => {
                *cache = Cache { token: None, failure: Some((failure.clone(), Instant::now())) };
                match kept {
                    // It was to be renewed early, and is good for a little while yet.
                    Some((token, Some(end))) if SystemTime::now() < end && refused != Some(&*token) => {
                        cache.token = Some((Arc::clone(&token), Some(end)));
                        Ok(token)
                    }
                    _ => Err(failure),
                }
            }
        }
    }
}

/// Which refusals of the token endpoint pass: RFC 6749 (5.2, 4.1.2.1) and Google's `internal_failure`.
fn token_failure(error: OAuthError) -> TokenFailure {
    match error {
        OAuthError::AuthError(error) => {
            let description = shorten(&error.error_description.unwrap_or_default());
            match error.error {
                AuthErrorCode::Other(code)
                    if matches!(
                        code.as_str(),
                        "internal_failure" | "server_error" | "temporarily_unavailable"
                    ) =>
                {
                    TokenFailure::Passing(format!("the token endpoint is in trouble: {code} {description}"))
                }
                code => TokenFailure::Refused { code: shorten(code.as_str()), description },
            }
        }
        OAuthError::JSONError(_) => {
            TokenFailure::Passing("the token endpoint answered with something else than JSON".to_owned())
        }
        other => {
            // The outer layers name themselves; the innermost says what happened.
            let mut cause: &dyn std::error::Error = &other;
            while let Some(inner) = cause.source() {
                cause = inner;
            }
            TokenFailure::Passing(format!("the token endpoint cannot be reached: {cause}"))
        }
    }
}
