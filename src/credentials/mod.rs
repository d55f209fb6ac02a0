//! Who this program is to Google: one kind of credentials a file, all of them behind [`Tokens`].
//!
//! `service_account` is the import's own way (domain-wide delegation, and the app itself); `person` is somebody who has
//! signed in with `login`; `keyless` lets IAM Credentials sign instead of a key file, as whoever `adc` finds; `command` asks any
//! program. Nothing in here shows a secret: not in `Debug`, not in an error, not in a log.

mod adc;
mod cache;
mod command;
mod error;
mod exchange;
mod failure;
mod files;
mod keyless;
pub mod login;
mod person;
mod scope;
mod service_account;

use std::fmt;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

pub use error::{CredentialError, Wanted};
pub use failure::{TokenFailure, TokenRefusal};
pub use scope::Scope;

use crate::network::Client;
use cache::Cache;
use command::TokenCommand;
use keyless::Keyless;
use person::Person;
use service_account::ServiceAccount;

/// How long a token endpoint may take.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Something that has access tokens.
pub trait Tokens: Send + Sync + 'static {
    /// A valid token. `refused` is one that was just answered with 401: then another is fetched.
    fn token(
        &self,
        need: Need,
        refused: Option<&str>,
    ) -> impl Future<Output = Result<Arc<str>, TokenFailure>> + Send;
}

/// What a token has to be good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Need {
    /// The one scope: a single scope too many that was not delegated refuses the whole token.
    pub scope: Scope,
    /// In whose name.
    pub actor: Actor,
}

/// In whose name a call is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Actor {
    /// A person's: impersonated, or signed in.
    Person,
    /// The Chat app's own: its service account without impersonation.
    App,
}

/// An access token.
#[derive(Clone)]
struct Token {
    text: Arc<str>,
    /// `None`: not told; good until it is refused.
    expires: Option<SystemTime>,
}

/// What proves who this program is. Nothing secret of it is ever written: a file's name, an account's, a program's.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Proof {
    /// A file: a service account's key, or what a sign-in has left. Its own `type` tells.
    File(PathBuf),
    /// A service account that IAM Credentials signs for.
    SignWith(SignWith),
    /// A shell command that prints a token.
    TokenCommand {
        /// Its program, for messages.
        program: String,
        /// All of it. It may hold a secret, so it is kept nowhere, and has to be given each time.
        #[serde(skip)]
        command: String,
    },
}

impl Proof {
    /// Whether it is a command line that was not kept, so that it has to be given again.
    pub fn is_forgotten(&self) -> bool {
        matches!(self, Proof::TokenCommand { command, .. } if command.is_empty())
    }

    /// What a command line that prints tokens amounts to.
    pub fn token_command(command: &str) -> Proof {
        // A shell takes assignments before the program, and those may be secrets.
        let program =
            command.split_whitespace().find(|word| !word.contains('=')).unwrap_or("a program").to_owned();
        Proof::TokenCommand { program, command: command.to_owned() }
    }
}

impl fmt::Debug for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Proof({self})")
    }
}

impl fmt::Display for Proof {
    /// What kind it is, and which; without a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Proof::File(path) => write!(f, "the file {}", path.display()),
            Proof::SignWith(SignWith { account, .. }) => write!(f, "{account} without a key file"),
            Proof::TokenCommand { program, .. } => write!(f, "the tokens that {program} prints"),
        }
    }
}

/// `--sign-with` and what goes with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignWith {
    /// The service account's address.
    pub account: String,
    /// Another IAM Credentials API than Google's own.
    pub iam: Option<String>,
    /// Another token endpoint than Google's own.
    pub token_uri: Option<String>,
}

/// Who somebody is to Google, as far as it can be told without asking: for messages that have to be exact.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Identity {
    /// What kind of credentials, in words.
    pub story: String,
    /// The service account's address.
    pub client_email: Option<String>,
    /// The service account's numeric id, which a delegation is entered for.
    pub client_id: Option<String>,
    /// The Cloud project.
    pub project_id: Option<String>,
    /// Whom it acts for.
    pub subject: Option<String>,
}

/// Credentials that were opened: a kind, its cache, and who they stand for.
pub struct Credentials {
    source: Source,
    identity: Identity,
    warnings: Vec<String>,
    /// A token was had: what gives them is set up rightly, and its failures pass.
    worked: AtomicBool,
    cache: Cache,
    /// For the clock of the token endpoint.
    client: Client,
}

enum Source {
    Key(Box<ServiceAccount>),
    Person(Person),
    Keyless(Box<Keyless>),
    Command(TokenCommand),
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("identity", &self.identity).finish_non_exhaustive()
    }
}

impl Credentials {
    /// Opens what was chosen; no request is made yet. `subject` is whom a service account acts for.
    ///
    /// # Errors
    /// When a file cannot be used, or names a token endpoint that is neither https nor loopback.
    pub async fn open(proof: &Proof, subject: Option<&str>) -> Result<Self, CredentialError> {
        match proof {
            Proof::File(path) => {
                let text = files::read(path, Wanted::Credentials)?;
                let mut credentials = Credentials::from_text(&text, path, subject).await?;
                credentials.warnings.extend(files::warning(path));
                Ok(credentials)
            }
            Proof::SignWith(sign_with) => {
                let (keyless, identity) = Keyless::new(sign_with, subject).await?;
                Credentials::new(Source::Keyless(Box::new(keyless)), identity)
            }
            Proof::TokenCommand { command, .. } => {
                let (command, identity) = TokenCommand::new(command, proof.to_string(), subject);
                Credentials::new(Source::Command(command), identity)
            }
        }
    }

    /// From the text of a file; `path` is for messages.
    ///
    /// # Errors
    /// As [`Credentials::open`].
    pub async fn from_text(text: &str, path: &Path, subject: Option<&str>) -> Result<Self, CredentialError> {
        // The parser's message would quote the line that it stumbles on, and that may be the key itself.
        if let Ok(file) = serde_json::from_str::<serde_json::Value>(text)
            && file["type"] == person::TYPE
        {
            let (person, identity) = Person::from_json(&file, path)?;
            return Credentials::new(Source::Person(person), identity);
        }
        let (account, identity) = ServiceAccount::from_json(text, path, subject).await?;
        Credentials::new(Source::Key(Box::new(account)), identity)
    }

    fn new(source: Source, identity: Identity) -> Result<Self, CredentialError> {
        let client = Client::new(TIMEOUT)?;
        Ok(Credentials {
            source,
            identity,
            warnings: Vec::new(),
            worked: AtomicBool::new(false),
            cache: Cache::default(),
            client,
        })
    }

    /// Who they stand for.
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// What the operator should know about them, such as a key file that others can read.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// Where tokens come from: the URL of the token endpoint; `None` when a program prints them.
    pub fn token_uri(&self) -> Option<&str> {
        match &self.source {
            Source::Key(account) => Some(account.token_uri()),
            Source::Person(person) => Some(person.token_uri()),
            Source::Keyless(keyless) => Some(keyless.token_uri()),
            Source::Command(_) => None,
        }
    }

    /// Whether this is somebody who has signed in, and not a service account.
    pub fn is_person(&self) -> bool {
        matches!(self.source, Source::Person(_))
    }

    async fn fetch(&self, need: Need) -> Result<Token, TokenFailure> {
        let fetched = match &self.source {
            Source::Key(account) => account.fetch(need).await,
            Source::Person(person) => person.fetch(&self.client, need).await,
            Source::Keyless(keyless) => keyless.fetch(&self.client, need).await,
            Source::Command(command) => command.fetch(need).await,
        };
        match fetched {
            Err(TokenFailure::Refused(mut refusal)) => {
                refusal.scope = Some(need.scope);
                // The one reason for this that can be measured.
                if let Some(uri) = self.token_uri().filter(|_| refusal.code == "invalid_grant") {
                    refusal.clock_ahead_s =
                        self.client.look(uri).await.ok().and_then(|reply| reply.clock_ahead_s());
                }
                Err(TokenFailure::Refused(refusal))
            }
            Err(TokenFailure::Unavailable(story))
                if self.worked.load(Ordering::Relaxed)
                    && matches!(self.source, Source::Command(_) | Source::Keyless(_)) =>
            {
                Err(TokenFailure::Passing(story))
            }
            Ok(token) => {
                self.worked.store(true, Ordering::Relaxed);
                Ok(token)
            }
            fetched => fetched,
        }
    }
}

impl Tokens for Credentials {
    async fn token(&self, need: Need, refused: Option<&str>) -> Result<Arc<str>, TokenFailure> {
        self.cache.token(need, refused, async || self.fetch(need).await).await
    }
}
