//! From settings to a Chat that can be called.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use rand::SeedableRng as _;
use rand::rngs::{StdRng, SysRng};

use super::note;
use crate::caller::Caller;
use crate::chat::{Access, Failure, HttpChat};
use crate::credentials::{Credentials, Proof};
use crate::emulator::Emulator;
use crate::network::Endpoint;
use crate::remedy::Setup;
use crate::settings::{Settings, SettingsError, Target};

/// Whom the service account acts for in a rehearsal.
pub(super) const REHEARSAL_SUBJECT: &str = "rehearsal@example.com";

/// The credentials that were chosen; no request is made yet.
///
/// # Errors
/// When there are none, they cannot be used, or not for this.
pub(super) async fn credentials(settings: &Settings) -> anyhow::Result<Credentials> {
    let (proof, subject) = settings.account()?;
    let credentials = match Credentials::open(proof, subject).await {
        Ok(credentials) => credentials,
        Err(error) => {
            let error = anyhow::Error::from(error);
            return Err(match proof {
                Proof::File(_) => error.context(settings.proof_named.to_string()),
                Proof::SignWith(_) | Proof::TokenCommand { .. } => error,
            });
        }
    };
    match proof {
        Proof::File(path)
            if matches!(settings.access, Access::Import | Access::App) && credentials.is_person() =>
        {
            Err(SettingsError::OnlyAServiceAccount(path.clone()).into())
        }
        Proof::File(_) if credentials.is_person() && subject.is_some() => {
            note("--impersonate is left aside: somebody who has signed in acts for themselves");
            Ok(credentials)
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

/// What a command needs that makes single calls.
pub(super) struct Connection {
    pub(super) caller: Arc<Caller<HttpChat<Credentials>>>,
    credentials: Arc<Credentials>,
    elsewhere: Option<String>,
}

impl Connection {
    /// Opens the credentials and prepares a client; nothing is sent yet.
    ///
    /// # Errors
    /// When there are no credentials, or they cannot be used.
    pub(super) async fn open(settings: &Settings) -> anyhow::Result<Connection> {
        let credentials = Arc::new(credentials(settings).await?);
        for warning in credentials.warnings() {
            note(warning);
        }
        Connection::with(settings, credentials)
    }

    /// With credentials that are open already.
    ///
    /// # Errors
    /// When the system's TLS or proxy settings cannot be used.
    pub(super) fn with(settings: &Settings, credentials: Arc<Credentials>) -> anyhow::Result<Connection> {
        let chat = chat(settings, None, Arc::clone(&credentials))?;
        let random = StdRng::try_from_rng(&mut SysRng)?;
        let elsewhere = settings.elsewhere().map(str::to_owned);
        Ok(Connection {
            caller: Arc::new(Caller::new(chat, settings.access, random, note)),
            credentials,
            elsewhere,
        })
    }

    /// Whose failures they are.
    pub(super) fn setup(&self) -> Setup<'_> {
        Setup {
            identity: self.credentials.identity(),
            access: self.caller.access(),
            elsewhere: self.elsewhere.as_deref(),
        }
    }

    /// A failure as the operator reads it, with what to do about it.
    pub(super) fn explain(&self, what: &str, failure: &Failure) -> anyhow::Error {
        explain(what, failure, self.setup().of_failure(failure))
    }
}

/// A failure as the operator reads it.
pub(super) fn explain(what: &str, failure: &Failure, remedy: Option<String>) -> anyhow::Error {
    // "was not added" would be saying too much.
    let unknown = what.replacen(" was not ", ": it is not known whether it was ", 1);
    let what = if failure.may_have_been_applied() { unknown.as_str() } else { what };
    match remedy {
        Some(remedy) => anyhow::anyhow!("{what}: {failure}\n  {remedy}"),
        None => anyhow::anyhow!("{what}: {failure}"),
    }
}
