//! From settings to a Chat that can be called.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;

use crate::chat::{Access, HttpChat};
use crate::credentials::{Credentials, Proof};
use crate::emulator::Emulator;
use crate::network::Endpoint;
use crate::settings::{Settings, SettingsError, Target};

/// Whom the service account acts for in a rehearsal.
pub(super) const REHEARSAL_SUBJECT: &str = "rehearsal@example.com";

/// The credentials that were chosen; no request is made yet.
///
/// # Errors
/// When there are none, they cannot be used, or not for this.
pub(super) async fn credentials(settings: &Settings) -> anyhow::Result<Credentials> {
    let (proof, subject) = settings.account()?;
    let credentials = Credentials::open(proof, subject).await?;
    match proof {
        Proof::File(path) if settings.access == Access::Import && credentials.is_person() => {
            Err(SettingsError::OnlyAServiceAccount(path.clone()).into())
        }
        Proof::File(_) | Proof::SignWith(_)
            if subject.is_none() && settings.access != Access::App && !credentials.is_person() =>
        {
            Err(SettingsError::NoSubject.into())
        }
        _ => Ok(credentials),
    }
}

/// The credentials of an emulator inside this process.
pub(super) async fn rehearsal_credentials(
    settings: &Settings,
    emulator: &Emulator,
) -> anyhow::Result<Credentials> {
    let subject = (settings.access != Access::App).then_some(REHEARSAL_SUBJECT);
    Ok(Credentials::from_text(emulator.key_json(), Path::new("the emulator's key"), subject).await?)
}

/// A client for the settings' endpoint.
///
/// # Errors
/// When the system's TLS or proxy settings cannot be used.
pub(super) fn chat(
    settings: &Settings,
    emulator: Option<&Emulator>,
    credentials: Arc<Credentials>,
) -> anyhow::Result<HttpChat<Credentials>> {
    let url = match (&settings.target, emulator) {
        (Target::Endpoint(url), _) => url.as_str(),
        (Target::Emulator, Some(emulator)) => emulator.endpoint(),
        (Target::Emulator, None) => anyhow::bail!("the emulator was not started"),
    };
    let endpoint = Endpoint::parse(url).with_context(|| format!("endpoint {url:?}"))?;
    Ok(HttpChat::new(endpoint, settings.request_timeout(), credentials)?)
}
