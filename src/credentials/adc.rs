//! Application Default Credentials: who this machine is to Google Cloud, as Google's own tools find it out.
//!
//! In the order of the guide "How Application Default Credentials works": the file that GOOGLE_APPLICATION_CREDENTIALS
//! names, gcloud's own file, the metadata server of a machine in Google's cloud.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::exchange::read_token;
use super::person::{self, Person};
use super::service_account::{self, ServiceAccount};
use super::{Actor, CredentialError, Need, Scope, Token, TokenFailure, Wanted, files};
use crate::network::{Client, Outgoing, parse};

/// The token of the machine's own account.
const METADATA_PATH: &str = "/computeMetadata/v1/instance/service-accounts/default/token";
/// Known inside Google's cloud alone.
const METADATA_HOST: &str = "metadata.google.internal";

/// Application Default Credentials that were found.
pub(super) enum Adc {
    /// A service account's key.
    Key(Box<ServiceAccount>),
    /// Somebody who has run `gcloud auth application-default login`.
    Person(Person),
    /// The account of the machine, asked of this host.
    Metadata(String),
}

impl Adc {
    /// Finds them; no request is made yet. In words, where they were found, comes with them.
    ///
    /// # Errors
    /// When a file is there that cannot be used.
    pub(super) async fn find() -> Result<(Self, String), CredentialError> {
        let named = std::env::var_os("GOOGLE_APPLICATION_CREDENTIALS").map(PathBuf::from);
        match named.or_else(|| well_known().filter(|path| path.exists())) {
            Some(path) => Ok((Adc::from_file(&path).await?, path.display().to_string())),
            None => {
                let host = std::env::var("GCE_METADATA_HOST").unwrap_or_else(|_| METADATA_HOST.to_owned());
                Ok((Adc::Metadata(host), "the metadata server of this machine".to_owned()))
            }
        }
    }

    async fn from_file(path: &Path) -> Result<Self, CredentialError> {
        let text = files::read(path, Wanted::Adc)?;
        let file: Value = serde_json::from_str(&text).unwrap_or(Value::Null);
        match file["type"].as_str() {
            Some(person::TYPE) => Ok(Adc::Person(Person::from_json(&file, path)?.0)),
            Some(service_account::TYPE) => {
                Ok(Adc::Key(Box::new(ServiceAccount::from_json(&text, path, None).await?.0)))
            }
            _ => Err(CredentialError::NotAdc { path: path.to_owned() }),
        }
    }

    /// A token for Google Cloud.
    pub(super) async fn token(&self, client: &Client) -> Result<Token, TokenFailure> {
        match self {
            Adc::Key(account) => {
                account.fetch(Need { scope: Scope::CLOUD_PLATFORM, actor: Actor::App }).await
            }
            Adc::Person(person) => person.refresh(client, None).await,
            Adc::Metadata(host) => {
                // In clear, as documented: it is answered by the machine's own host, and no secret goes there.
                let request = Outgoing {
                    method: "GET",
                    url: parse(&format!("http://{host}{METADATA_PATH}"))?,
                    token: None,
                    headers: &[("Metadata-Flavor", "Google")],
                    body: None,
                };
                let reply = client.send(request).await.map_err(|unanswered| {
                    TokenFailure::Unavailable(format!(
                        "there are no Application Default Credentials: run `gcloud auth application-default login`, or \
                         set GOOGLE_APPLICATION_CREDENTIALS (no metadata server either: {})",
                        unanswered.story()
                    ))
                })?;
                read_token(&reply, &serde_json::from_slice(&reply.body).unwrap_or(Value::Null))
            }
        }
    }
}

/// Where gcloud keeps them.
fn well_known() -> Option<PathBuf> {
    let folder = match std::env::var_os("CLOUDSDK_CONFIG") {
        Some(folder) => PathBuf::from(folder),
        None if cfg!(windows) => PathBuf::from(std::env::var_os("APPDATA")?).join("gcloud"),
        None => PathBuf::from(std::env::var_os("HOME")?).join(".config/gcloud"),
    };
    Some(folder.join("application_default_credentials.json"))
}
