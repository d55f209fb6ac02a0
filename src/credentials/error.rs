//! Why credentials cannot be used: what is wrong with them before any request is made.

use std::io;
use std::path::PathBuf;

use crate::network::{ClientError, EndpointError};
use crate::wording::trouble;

/// Why credentials cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CredentialError {
    /// The file.
    #[error("{path}: {story}", path = .path.display(), story = trouble(.error))]
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
    #[error("{path}: this is not the file of an OAuth client of type \"Desktop app\": {story}. In the Cloud console: APIs & Services > Credentials > Create credentials > OAuth client ID > Desktop app, then download JSON", path = .path.display())]
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
