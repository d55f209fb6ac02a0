//! Why credentials cannot be used: what is wrong with them before any request is made.

use std::fmt;
use std::io;
use std::path::PathBuf;

use crate::network::{ClientError, EndpointError};
use crate::wording::trouble;

const NEW_KEY: &str = "In the Cloud console: IAM & Admin > Service accounts > Keys > Add key > JSON";
const NEW_CLIENT: &str = "In the Cloud console: APIs & Services > Credentials > Create credentials > OAuth client ID > Desktop app, then download JSON";

/// What a file is to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// A service account's key, or a person's sign-in.
    Credentials,
    /// What Google's own tools leave.
    Adc,
    /// Who this program is when somebody signs in.
    Client,
    /// What a sign-in leaves.
    SignIn,
}

impl fmt::Display for Wanted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Wanted::Credentials => write!(f, "a service account's key file, or what `tenure login` left. {NEW_KEY}"),
            Wanted::Adc => f.write_str(
                "Application Default Credentials, which GOOGLE_APPLICATION_CREDENTIALS may name: gcloud auth application-default login makes them",
            ),
            Wanted::Client => {
                write!(f, "the file of an OAuth client of type \"Desktop app\". {NEW_CLIENT}")
            }
            Wanted::SignIn => f.write_str("what `tenure login` left; if there is none, nobody is signed in"),
        }
    }
}

/// Why credentials cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CredentialError {
    /// It cannot be read.
    #[error("{path}: {story}. It is to be {what}", path = .path.display(), story = trouble(.error))]
    Unread {
        /// Which file.
        path: PathBuf,
        /// What it is for, and how another is had.
        what: Wanted,
        /// What happened.
        error: io::Error,
    },
    /// It cannot be written, or taken away.
    #[error("{path}: {story}", path = .path.display(), story = trouble(.error))]
    File {
        /// Which.
        path: PathBuf,
        /// What happened.
        error: io::Error,
    },
    /// Not a key.
    #[error("{path}: this is not a service account's key file: {story}. {NEW_KEY}", path = .path.display())]
    NotAKey {
        /// Which file.
        path: PathBuf,
        /// What is wrong.
        story: String,
    },
    /// Not what a sign-in leaves.
    #[error("{path}: this is not what `tenure login` leaves: {story}; sign in again", path = .path.display())]
    NotSignedIn {
        /// Which file.
        path: PathBuf,
        /// What is wrong.
        story: String,
    },
    /// Application Default Credentials of a kind that is not known here.
    #[error("{path}: these Application Default Credentials are neither a service account's key nor a person's (gcloud auth application-default login)", path = .path.display())]
    NotAdc {
        /// Which file.
        path: PathBuf,
    },
    /// Not a client of OAuth for programs on a desk.
    #[error("{path}: this is not the file of an OAuth client of type \"Desktop app\": {story}. {NEW_CLIENT}", path = .path.display())]
    NotClientSecrets {
        /// Which file.
        path: PathBuf,
        /// What is wrong.
        story: String,
    },
    /// An endpoint that was given is not to be trusted with a secret.
    #[error("{url}: {error}")]
    Endpoint {
        /// As given.
        url: String,
        /// What is wrong.
        error: EndpointError,
    },
    /// Its `token_uri` is not to be trusted with a secret.
    #[error("{path}: token_uri: {error}", path = .path.display())]
    TokenUri {
        /// Which file.
        path: PathBuf,
        /// What is wrong.
        error: EndpointError,
    },
    /// The TLS roots of the system, for instance.
    #[error("the client for access tokens cannot be set up: {0}")]
    Tls(io::Error),
    /// The same of the client for everything else.
    #[error(transparent)]
    Client(#[from] ClientError),
}
