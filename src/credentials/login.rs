//! A person signing in: the installed-app flow (RFC 6749, 4.1; loopback redirect, RFC 8252, 7.3; PKCE, RFC 7636).

use std::fmt;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use rand::RngExt as _;
use rand::rngs::StdRng;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::exchange::exchange;
use super::person::{self, Person};
use super::{CredentialError, Scope, TokenFailure, Wanted, files};
use crate::network::{Client, Endpoint, Unanswered};
use crate::wording::{shorten, trouble_listening};

/// How long somebody may take to sign in.
pub const PATIENCE: Duration = Duration::from_secs(600);
/// How long a browser may take to get its page.
const PAGE_TIME_MAX: Duration = Duration::from_secs(2);
/// How long the token endpoint may take.
const TIMEOUT: Duration = super::TIMEOUT;
/// Longest reason of a refusal that is shown, in characters.
const REASON_CHARS_MAX: usize = 200;

/// Why nobody is signed in.
#[derive(Debug, thiserror::Error)]
pub enum LoginError {
    /// A file.
    #[error(transparent)]
    Credential(#[from] CredentialError),
    /// Another file is where the sign-in is to be kept.
    #[error("{}: this is another file, and stays as it is; name a new one with --output", .0.display())]
    Taken(PathBuf),
    /// The port for the way back.
    #[error("cannot listen on 127.0.0.1:{port}: {story}; choose another with --port", story = trouble_listening(error))]
    Listen {
        /// Which.
        port: u16,
        /// What happened.
        error: io::Error,
    },
    /// Whoever was asked said no, or Google did.
    #[error(
        "the sign-in was refused ({0}): sign in again and allow it, or ask an administrator whether the app is blocked"
    )]
    Refused(String),
    /// Nobody came.
    #[error("nobody has signed in within {} minutes", PATIENCE.as_secs() / 60)]
    TimedOut,
    /// Fewer boxes were ticked than needed.
    #[error("not everything was consented to; missing: {0}. Sign in again and tick every box")]
    ScopesMissing(String),
    /// The code could not be traded.
    #[error(transparent)]
    Token(#[from] TokenFailure),
    /// Without it the sign-in ends with the first token.
    #[error(
        "Google gave no refresh token; remove tenure's access at myaccount.google.com/permissions and sign in again"
    )]
    NoRefreshToken,
}

/// An OAuth client of type "Desktop app". `Debug` shows no secret.
pub struct ClientSecrets {
    client_id: String,
    client_secret: String,
    auth_uri: Endpoint,
    token_uri: String,
}

impl fmt::Debug for ClientSecrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientSecrets").field("client_id", &self.client_id).finish_non_exhaustive()
    }
}

impl ClientSecrets {
    /// Reads `client_secrets.json`.
    ///
    /// # Errors
    /// When it is not the file of a desktop app, or names an endpoint that is neither https nor loopback.
    pub fn read(path: &Path) -> Result<Self, CredentialError> {
        ClientSecrets::from_json(&files::read(path, Wanted::Client)?, path)
    }

    fn from_json(text: &str, path: &Path) -> Result<Self, CredentialError> {
        let wrong = |story: &str| CredentialError::NotClientSecrets {
            path: path.to_owned(),
            story: story.to_owned(),
        };
        let file: Value = serde_json::from_str(text).map_err(|_| wrong("it is not JSON"))?;
        let client = match (&file["installed"], &file["web"], &file["type"]) {
            (Value::Object(client), ..) => client,
            (_, Value::Object(_), _) => return Err(wrong("it is one of type \"Web application\"")),
            (.., Value::String(kind)) => return Err(wrong(&format!("its type is {kind:?}"))),
            _ => return Err(wrong("it has no \"installed\"")),
        };
        let field = |name: &str| {
            let value = client.get(name).and_then(Value::as_str);
            value.map(str::to_owned).ok_or_else(|| wrong(&format!("it has no {name:?}")))
        };
        let endpoint = |url: &str| {
            Endpoint::parse(url).map_err(|error| CredentialError::TokenUri { path: path.to_owned(), error })
        };
        let token_uri = field("token_uri")?;
        endpoint(&token_uri)?;
        Ok(ClientSecrets {
            client_id: field("client_id")?,
            client_secret: field("client_secret")?,
            auth_uri: endpoint(&field("auth_uri")?)?,
            token_uri,
        })
    }
}

/// A sign-in under way: somebody has to open [`SignIn::url`] in a browser of this machine. No `Debug`: the verifier is
/// secret.
pub struct SignIn {
    secrets: ClientSecrets,
    scopes: Vec<Scope>,
    hint: Option<String>,
    listener: TcpListener,
    redirect_uri: String,
    state: String,
    verifier: String,
}

impl SignIn {
    /// Prepares one; `port` 0 takes a free one, `hint` is the address to suggest.
    ///
    /// # Errors
    /// When there is no port to be had.
    pub async fn begin(
        secrets: ClientSecrets,
        scopes: Vec<Scope>,
        port: u16,
        hint: Option<String>,
        random: &mut StdRng,
    ) -> Result<Self, LoginError> {
        let listen = |error| LoginError::Listen { port, error };
        let listener =
            TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port))).await.map_err(listen)?;
        let redirect_uri = format!("http://{}", listener.local_addr().map_err(listen)?);
        let secret = |bytes: [u8; 32]| URL_SAFE_NO_PAD.encode(bytes);
        let (state, verifier) = (secret(random.random()), secret(random.random()));
        Ok(SignIn { secrets, scopes, hint, listener, redirect_uri, state, verifier })
    }

    /// What has to be opened in a browser.
    pub fn url(&self) -> String {
        let scopes: Vec<String> = self.scopes.iter().map(|scope| scope.url()).collect();
        let mut url = self.secrets.auth_uri.bare();
        let mut query = url.query_pairs_mut();
        query.extend_pairs([
            ("response_type", "code"),
            ("client_id", &self.secrets.client_id),
            ("redirect_uri", &self.redirect_uri),
            ("scope", &scopes.join(" ")),
            ("state", &self.state),
            ("code_challenge", &challenge(&self.verifier)),
            ("code_challenge_method", "S256"),
            // For a refresh token, also when there was one before.
            ("access_type", "offline"),
            ("prompt", "consent"),
        ]);
        if let Some(hint) = &self.hint {
            query.append_pair("login_hint", hint);
        }
        drop(query);
        url.into()
    }

    /// Waits until somebody has signed in, and keeps what came of it in a file with mode 0600.
    ///
    /// # Errors
    /// When nobody does, or it is refused, or there is no refresh token.
    pub async fn finish(self, path: &Path) -> Result<Vec<Scope>, LoginError> {
        if path.exists() && !is_a_sign_in(path) {
            return Err(LoginError::Taken(path.to_owned()));
        }
        // Where it cannot be kept, nobody need sign in.
        let file = files::Private::begin(path)?;
        let code = tokio::time::timeout(PATIENCE, wait_for_code(&self.listener, &self.state))
            .await
            .map_err(|_| LoginError::TimedOut)??;
        let client = Client::new(TIMEOUT).map_err(CredentialError::from)?;
        let secrets = &self.secrets;
        let fields = [
            ("grant_type", "authorization_code"),
            ("code", code.as_str()),
            ("client_id", &secrets.client_id),
            ("client_secret", &secrets.client_secret),
            ("redirect_uri", &self.redirect_uri),
            ("code_verifier", &self.verifier),
        ];
        let (_, answer) = exchange(&client, &secrets.token_uri, &fields).await?;
        // Absent means: as asked for (RFC 6749, 5.1).
        let granted = match answer["scope"].as_str() {
            Some(scopes) => scopes.split_ascii_whitespace().filter_map(Scope::parse).collect(),
            None => self.scopes.clone(),
        };
        let missing: Vec<&str> =
            self.scopes.iter().filter(|scope| !granted.contains(scope)).map(|scope| scope.name()).collect();
        if !missing.is_empty() {
            return Err(LoginError::ScopesMissing(missing.join(", ")));
        }
        let refresh_token = answer["refresh_token"].as_str().ok_or(LoginError::NoRefreshToken)?;
        let text = Person::to_json(
            &secrets.client_id,
            &secrets.client_secret,
            refresh_token,
            &secrets.token_uri,
            &granted,
        );
        file.finish(&text)?;
        Ok(granted)
    }
}

/// Where a sign-in is kept unless said otherwise: in the person's own configuration folder.
pub fn default_path() -> Option<PathBuf> {
    let folder = match std::env::var_os("XDG_CONFIG_HOME").filter(|folder| !folder.is_empty()) {
        Some(folder) => PathBuf::from(folder),
        None if cfg!(windows) => PathBuf::from(std::env::var_os("APPDATA")?),
        None => PathBuf::from(std::env::var_os("HOME")?).join(".config"),
    };
    Some(folder.join("tenure").join("login.json"))
}

/// Whether there is an earlier sign-in, which may be replaced.
fn is_a_sign_in(path: &Path) -> bool {
    let text = files::read(path, Wanted::SignIn).unwrap_or_default();
    serde_json::from_str::<Value>(&text).is_ok_and(|file| file["signed_in_with"] == person::SIGNED_IN_WITH)
}

/// How a sign-out went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SignedOut {
    /// The refresh token is worth nothing any more, and the file is gone.
    Revoked,
    /// The file is gone; Google did not know the token any more.
    FileOnly(String),
    /// Google was not reached, so the file is still there: without it the access could not be revoked.
    NotReached(String),
}

/// Takes back what a sign-in gave (RFC 7009), and removes its file.
///
/// # Errors
/// When the file is no sign-in's, or cannot be removed.
pub async fn sign_out(path: &Path) -> Result<SignedOut, CredentialError> {
    let text = files::read(path, Wanted::SignIn)?;
    let not_signed_in =
        |story: &str| CredentialError::NotSignedIn { path: path.to_owned(), story: story.to_owned() };
    let file: Value = serde_json::from_str(&text).map_err(|_| not_signed_in("it is not JSON"))?;
    if file["type"] != person::TYPE || file["signed_in_with"] != person::SIGNED_IN_WITH {
        return Err(not_signed_in("it is another program's file, and stays as it is"));
    }
    let (person, _) = Person::from_json(&file, path)?;
    let revoked = match revoke(&person).await {
        Err(unanswered) => return Ok(SignedOut::NotReached(unanswered.story().to_owned())),
        Ok(status) => status,
    };
    std::fs::remove_file(path).map_err(|error| CredentialError::File { path: path.to_owned(), error })?;
    Ok(match revoked {
        200..300 => SignedOut::Revoked,
        status => SignedOut::FileOnly(format!("HTTP {status}")),
    })
}

/// The status of the answer.
async fn revoke(person: &Person) -> Result<u16, Unanswered> {
    // Google's stand side by side: oauth2.googleapis.com/token and /revoke.
    let uri = person.token_uri().rsplit_once('/').map_or("", |(folder, _)| folder).to_owned() + "/revoke";
    let client = Client::new(TIMEOUT).map_err(|error| Unanswered::NotSent(error.to_string()))?;
    Ok(client.post_form(&uri, &[("token", person.refresh_token())]).await?.status)
}

/// RFC 7636, 4.2.
fn challenge(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(ring::digest::digest(&ring::digest::SHA256, verifier.as_bytes()))
}

/// What a redirect to this machine says.
#[derive(Debug, PartialEq, Eq)]
enum Redirect {
    Code(String),
    Refused(String),
    /// Not the one that is waited for: a browser asks for icons too, and anybody can call a port.
    Other,
}

fn read_redirect(query: &str, state: &str) -> Redirect {
    let field = |wanted: &str| {
        form_urlencoded::parse(query.as_bytes())
            .find(|(name, _)| name == wanted)
            .map(|(_, value)| value.into_owned())
    };
    if field("state").as_deref() != Some(state) {
        return Redirect::Other;
    }
    match (field("code"), field("error")) {
        (_, Some(error)) => Redirect::Refused(shorten(&error, REASON_CHARS_MAX)),
        (Some(code), None) => Redirect::Code(code),
        (None, None) => Redirect::Other,
    }
}

async fn wait_for_code(listener: &TcpListener, state: &str) -> Result<String, LoginError> {
    let (sender, mut redirects) = mpsc::unbounded_channel();
    let mut pages = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            Some(redirect) = redirects.recv() => {
                let end = match redirect {
                    Redirect::Code(code) => Ok(code),
                    Redirect::Refused(reason) => Err(LoginError::Refused(reason)),
                    Redirect::Other => continue,
                };
                // The browser gets its page first.
                let pages = async { while pages.join_next().await.is_some() {} };
                let _ = tokio::time::timeout(PAGE_TIME_MAX, pages).await;
                return end;
            }
        };
        let Ok((stream, _)) = accepted else {
            // Out of file descriptors, for one: others close theirs in time.
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let (sender, state) = (sender.clone(), state.to_owned());
        pages.spawn(async move {
            let answer = hyper::service::service_fn(|request: Request<Incoming>| {
                let redirect = read_redirect(request.uri().query().unwrap_or_default(), &state);
                let answer = page(&redirect);
                // Nobody listens any more once a code has come.
                let _ = sender.send(redirect);
                async move { Ok::<_, std::convert::Infallible>(answer) }
            });
            let _ = hyper::server::conn::http1::Builder::new()
                .keep_alive(false)
                .serve_connection(TokioIo::new(stream), answer)
                .await;
        });
    }
}

fn page(redirect: &Redirect) -> Response<Full<Bytes>> {
    let (status, text) = match redirect {
        Redirect::Code(_) => {
            (StatusCode::OK, "Thank you: tenure goes on in its terminal, and this window can be closed.\n")
        }
        Redirect::Refused(_) => (StatusCode::OK, "The sign-in was refused; tenure says more.\n"),
        Redirect::Other => (StatusCode::NOT_FOUND, "There is nothing here.\n"),
    };
    let mut response = Response::new(Full::new(Bytes::from_static(text.as_bytes())));
    *response.status_mut() = status;
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pkce_as_the_rfc_has_it() {
        // RFC 7636, appendix B.
        assert_eq!(
            challenge("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"),
            "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
        );
    }

    #[test]
    fn only_the_redirect_that_is_waited_for() {
        assert_eq!(read_redirect("state=s&code=a%2Fb", "s"), Redirect::Code("a/b".to_owned()));
        let refused = Redirect::Refused("access_denied".to_owned());
        assert_eq!(read_redirect("error=access_denied&state=s", "s"), refused);
        for other in ["", "code=c", "state=t&code=c", "state=s", "state=&code=c"] {
            assert_eq!(read_redirect(other, "s"), Redirect::Other, "{other}");
        }
    }

    #[test]
    fn files_of_other_clients() {
        let read = |text: &str| {
            ClientSecrets::from_json(text, Path::new("c.json")).map(|_| ()).unwrap_err().to_string()
        };
        for (text, story) in [
            ("x", "it is not JSON"),
            (r#"{"web":{}}"#, "Web application"),
            (r#"{"type":"service_account"}"#, "its type is \"service_account\""),
            (r#"{"installed":{"client_id":"c","token_uri":"https://h/"}}"#, "it has no \"client_id\""),
        ] {
            let error = read(text);
            assert!(error.contains(story) || error.contains("it has no"), "{error}");
            assert!(error.contains("Desktop app"), "{error}");
        }
        let clear = r#"{"installed":{"client_id":"c","client_secret":"s","auth_uri":"https://h/","token_uri":"http://h/"}}"#;
        assert!(read(clear).contains("https"), "{}", read(clear));
    }
}
