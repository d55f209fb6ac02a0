//! Settings as resolved: arguments, environment, and what the journal remembers of the run before.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::chat::Endpoint;
use crate::cli::{ConnectionArgs, PaceArgs};
use crate::engine::{InFlight, Rates};

/// What the journal's `target` is for a rehearsal.
pub const TARGET_EMULATOR: &str = "emulator";

/// Settings of a run. Kept in the journal, so nothing secret is in here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// Where calls go.
    pub target: Target,
    /// Key file, absolute.
    pub credentials: Option<PathBuf>,
    /// Whom the service account acts for.
    pub impersonate: Option<String>,
    /// Membership writes per minute; 0 = no limit.
    pub writes_per_minute: u32,
    /// Membership reads per minute; 0 = no limit.
    pub reads_per_minute: u32,
    /// Membership writes per minute in one space; 0 = no limit.
    pub writes_per_minute_per_space: u32,
    /// Requests under way at once.
    pub max_in_flight: InFlight,
    /// Milliseconds of nothing but failures after which a run stops.
    pub give_up_after_ms: u64,
    /// Milliseconds that one call may take.
    pub request_timeout_ms: u64,
}

/// Where calls go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// The emulator inside this process.
    Emulator,
    /// An endpoint's URL.
    Endpoint(String),
}

impl Target {
    /// As the journal writes it.
    pub fn as_str(&self) -> &str {
        match self {
            Target::Emulator => TARGET_EMULATOR,
            Target::Endpoint(url) => url,
        }
    }
}

/// What is wrong with the settings: a matter of usage.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// `--endpoint`.
    #[error("--endpoint {url:?}: {error}")]
    Endpoint {
        /// As given.
        url: String,
        /// What is wrong.
        error: crate::chat::EndpointError,
    },
    /// `--impersonate`.
    #[error("--impersonate {0:?}: it is not an e-mail address")]
    NotAnAddress(String),
    /// No key.
    #[error(
        "no credentials: give --credentials KEY.json (or TENURE_CREDENTIALS, or GOOGLE_APPLICATION_CREDENTIALS), or rehearse with --emulator"
    )]
    NoCredentials,
    /// Nobody to act for.
    #[error(
        "nobody to act for: give --impersonate EMAIL (or TENURE_IMPERSONATE), a user of the Workspace domain; or rehearse with --emulator"
    )]
    NoSubject,
}

impl Default for Settings {
    fn default() -> Self {
        let rates = Rates::default();
        Settings {
            target: Target::Endpoint(Endpoint::GOOGLE.to_owned()),
            credentials: None,
            impersonate: None,
            writes_per_minute: rates.writes_per_minute,
            reads_per_minute: rates.reads_per_minute,
            writes_per_minute_per_space: rates.writes_per_minute_per_space,
            max_in_flight: InFlight::Auto,
            give_up_after_ms: 600_000,
            request_timeout_ms: 60_000,
        }
    }
}

impl Settings {
    /// Puts what is given over what was there.
    ///
    /// # Errors
    /// When an endpoint is given that a token must not be sent to.
    pub fn with(mut self, connection: &ConnectionArgs, pace: &PaceArgs) -> Result<Self, SettingsError> {
        if connection.emulator {
            self.target = Target::Emulator;
        } else if let Some(url) = &connection.endpoint {
            let endpoint =
                Endpoint::parse(url).map_err(|error| SettingsError::Endpoint { url: url.clone(), error })?;
            self.target = Target::Endpoint(endpoint.as_str().to_owned());
        }
        if let Some(path) = &connection.credentials {
            self.credentials = Some(absolute(path));
        } else if self.credentials.is_none() {
            self.credentials =
                std::env::var_os("GOOGLE_APPLICATION_CREDENTIALS").map(|path| absolute(Path::new(&path)));
        }
        if let Some(subject) = &connection.impersonate {
            if !subject.contains('@') {
                return Err(SettingsError::NotAnAddress(subject.clone()));
            }
            self.impersonate = Some(subject.clone());
        }
        let ms = |duration: Duration| u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        take(&mut self.request_timeout_ms, connection.request_timeout.map(ms));
        take(&mut self.give_up_after_ms, pace.give_up_after.map(ms));
        take(&mut self.writes_per_minute, pace.writes_per_minute);
        take(&mut self.reads_per_minute, pace.reads_per_minute);
        take(&mut self.writes_per_minute_per_space, pace.writes_per_minute_per_space);
        take(&mut self.max_in_flight, pace.max_in_flight);
        Ok(self)
    }

    /// Whether this is a rehearsal inside the process.
    pub fn is_rehearsal(&self) -> bool {
        self.target == Target::Emulator
    }

    /// The key file and whom it acts for; needed for anything but a rehearsal.
    ///
    /// # Errors
    /// When one of the two is missing.
    pub fn account(&self) -> Result<(&Path, &str), SettingsError> {
        let key = self.credentials.as_deref().ok_or(SettingsError::NoCredentials)?;
        let subject = self.impersonate.as_deref().ok_or(SettingsError::NoSubject)?;
        Ok((key, subject))
    }

    /// Quotas.
    pub fn rates(&self) -> Rates {
        Rates {
            writes_per_minute: self.writes_per_minute,
            reads_per_minute: self.reads_per_minute,
            writes_per_minute_per_space: self.writes_per_minute_per_space,
            ..Rates::default()
        }
    }
}

fn take<T>(setting: &mut T, given: Option<T>) {
    if let Some(given) = given {
        *setting = given;
    }
}

fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}
