//! Settings as resolved: arguments, environment, and what the journal remembers of the run before.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::chat::Access;
use crate::cli::{CapacityArgs, ConnectionArgs, SendArgs};
use crate::credentials::{Proof, SignWith, login};
use crate::engine::{InFlight, Rates};
use crate::input::Becoming;
use crate::journal::Destination;
use crate::model::Undertaking;
use crate::network::{Endpoint, EndpointError};

/// What the journal's `target` is for a rehearsal.
pub const TARGET_EMULATOR: &str = "emulator";

/// Settings of a run. Kept in the journal, so nothing secret is in here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// What the rows are for.
    pub undertaking: Undertaking,
    /// Where calls go.
    pub target: Target,
    /// In what capacity calls are made.
    pub access: Access,
    /// What proves who this program is; file names are absolute.
    pub proof: Option<Proof>,
    /// Where that is named; what the journal gives back comes from the journal.
    #[serde(skip)]
    pub proof_named: Named,
    /// Whom the service account acts for.
    pub impersonate: Option<String>,
    /// The organisation's domains, in lower case; empty: not told.
    pub domains: Vec<String>,
    /// Membership writes per minute; 0 = no limit.
    pub writes_per_minute: u32,
    /// Membership reads per minute; 0 = no limit.
    pub reads_per_minute: u32,
    /// Membership writes per minute in one space; 0 = no limit.
    pub writes_per_minute_per_space: u32,
    /// A display name that is taken gets a number behind it.
    pub suffixes: bool,
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

/// Where a key file is named.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Named {
    /// In the journal, which keeps what its last run was given.
    #[default]
    Kept,
    /// By this option, variable or line of tenure.toml.
    By(String),
    /// Nowhere: it is where a sign-in is left.
    SignedIn,
}

impl fmt::Display for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Named::Kept => f.write_str("kept in the journal from its last run"),
            Named::By(source) => write!(f, "named by {source}"),
            Named::SignedIn => f.write_str("left by `tenure login`"),
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
        error: EndpointError,
    },
    /// `--impersonate`.
    #[error("--impersonate {0:?}: it is not an e-mail address")]
    NotAnAddress(String),
    /// No key.
    #[error(
        "no credentials: give --credentials KEY.json (or TENURE_CREDENTIALS, or GOOGLE_APPLICATION_CREDENTIALS), --sign-with SERVICE_ACCOUNT or --token-command CMD, or rehearse with `tenure import INPUT --emulator`"
    )]
    NoCredentials,
    /// The same, where somebody who has signed in would do.
    #[error(
        "no credentials: sign in with `tenure login`, or give --credentials KEY.json (or TENURE_CREDENTIALS, or GOOGLE_APPLICATION_CREDENTIALS), --sign-with SERVICE_ACCOUNT or --token-command CMD"
    )]
    NobodySignedIn,
    /// A command line that is kept nowhere.
    #[error(
        "give --token-command (or TENURE_TOKEN_COMMAND) again, {0} ...: it may hold a secret, so the journal does not keep it"
    )]
    CommandNotKept(String),
    /// A sign-in where only a service account will do.
    #[error(
        "{0} is a person's sign-in, and this takes a service account (import mode: with domain-wide delegation): give its key with --credentials, or --sign-with"
    )]
    OnlyAServiceAccount(PathBuf),
    /// Nobody to act for.
    #[error(
        "nobody to act for: give --impersonate EMAIL (or TENURE_IMPERSONATE), a user of the Workspace domain; or rehearse with `tenure import INPUT --emulator`"
    )]
    NoSubject,
}

impl Default for Settings {
    fn default() -> Self {
        let rates = Rates::default();
        Settings {
            undertaking: Undertaking::Import,
            target: Target::Endpoint(Endpoint::GOOGLE.to_owned()),
            access: Access::Import,
            proof: None,
            proof_named: Named::default(),
            impersonate: None,
            domains: Vec::new(),
            writes_per_minute: rates.writes_per_minute,
            reads_per_minute: rates.reads_per_minute,
            writes_per_minute_per_space: rates.writes_per_minute_per_space,
            suffixes: false,
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
    pub fn with(self, send: &SendArgs) -> Result<Self, SettingsError> {
        let mut settings = self.connected(&send.connection)?;
        if send.emulator {
            settings.target = Target::Emulator;
        }
        let pace = &send.pace;
        take(&mut settings.give_up_after_ms, pace.give_up_after.map(ms));
        take(&mut settings.writes_per_minute, pace.writes_per_minute);
        take(&mut settings.reads_per_minute, pace.reads_per_minute);
        take(&mut settings.writes_per_minute_per_space, pace.writes_per_minute_per_space);
        take(&mut settings.max_in_flight, pace.max_in_flight);
        Ok(settings)
    }

    /// Whether neither a target nor what proves who this program is was given.
    pub fn says_nothing_of_where(&self) -> bool {
        self.target == Settings::default().target && self.proof.is_none()
    }

    /// The same, with the connection of a journal's last run.
    #[must_use]
    pub fn going_where(self, before: Settings) -> Self {
        Settings {
            target: before.target,
            proof: before.proof,
            proof_named: before.proof_named,
            impersonate: self.impersonate.or(before.impersonate),
            access: if self.access == Access::Import { before.access } else { self.access },
            domains: if self.domains.is_empty() { before.domains } else { self.domains },
            ..self
        }
    }

    /// The same, of the capacity alone.
    #[must_use]
    pub fn capable(mut self, capacity: &CapacityArgs) -> Self {
        let access = match capacity {
            CapacityArgs { as_app: true, .. } => Some(Access::App),
            CapacityArgs { admin_access: true, .. } => Some(Access::Admin),
            CapacityArgs { standard_spaces: true, .. } => Some(Access::User),
            _ => None,
        };
        take(&mut self.access, access);
        if !capacity.domains.is_empty() {
            self.domains = capacity.domains.iter().map(|domain| domain.to_lowercase()).collect();
        }
        self
    }

    /// The same, of the connection alone.
    ///
    /// # Errors
    /// As [`Settings::with`].
    pub fn connected(mut self, connection: &ConnectionArgs) -> Result<Self, SettingsError> {
        if let Some(url) = &connection.endpoint {
            let endpoint =
                Endpoint::parse(url).map_err(|error| SettingsError::Endpoint { url: url.clone(), error })?;
            self.target = Target::Endpoint(endpoint.as_str().to_owned());
        }
        self = self.capable(&connection.capacity);
        // What is given comes before what the journal remembers, and that before what lies about for other programs, too.
        let named = || connection.credentials_origin.clone().unwrap_or_else(|| "--credentials".to_owned());
        let given = given(connection).map(|proof| (proof, Named::By(named())));
        let kept = self.proof.take().map(|proof| (proof, self.proof_named.clone()));
        let chosen = given.or(kept).or_else(|| match self.target {
            Target::Emulator => None,
            Target::Endpoint(_) => found(self.access),
        });
        if let Some((proof, named)) = chosen {
            (self.proof, self.proof_named) = (Some(proof), named);
        }
        if let Some(subject) = &connection.impersonate {
            if !subject.contains('@') {
                return Err(SettingsError::NotAnAddress(subject.clone()));
            }
            self.impersonate = Some(subject.clone());
        }
        take(&mut self.request_timeout_ms, connection.request_timeout.map(ms));
        Ok(self)
    }

    /// Whether this is a rehearsal inside the process.
    pub fn is_rehearsal(&self) -> bool {
        self.target == Target::Emulator
    }

    /// The endpoint, where calls go neither to Google nor to a rehearsal's emulator.
    pub fn elsewhere(&self) -> Option<&str> {
        match &self.target {
            Target::Endpoint(url) if url != Endpoint::GOOGLE => Some(url),
            Target::Endpoint(_) | Target::Emulator => None,
        }
    }

    /// What proves who this program is, and whom it acts for; needed for anything but a rehearsal.
    ///
    /// # Errors
    /// When one of the two is missing.
    pub fn account(&self) -> Result<(&Proof, Option<&str>), SettingsError> {
        let missing = match self.access {
            Access::Import | Access::App => SettingsError::NoCredentials,
            Access::User | Access::Admin => SettingsError::NobodySignedIn,
        };
        let proof = self.proof.as_ref().ok_or(missing)?;
        if let Proof::TokenCommand { program, .. } = proof
            && proof.is_forgotten()
        {
            return Err(SettingsError::CommandNotKept(program.clone()));
        }
        let subject = self.impersonate.as_deref();
        match self.access {
            Access::App => Ok((proof, None)),
            Access::Import if subject.is_none() && !matches!(proof, Proof::TokenCommand { .. }) => {
                Err(SettingsError::NoSubject)
            }
            _ => Ok((proof, subject)),
        }
    }

    /// What was chosen to prove who this program is, in words; nothing in a rehearsal.
    pub fn credentials_story(&self) -> Option<String> {
        let proof = self.proof.as_ref().filter(|_| !self.is_rehearsal())?;
        let subject = self.impersonate.as_deref().filter(|_| self.access != Access::App);
        Some(match subject {
            Some(subject) => format!("{proof}, acting for {subject}"),
            None => proof.to_string(),
        })
    }

    /// What is in here, by the names of the options that say it; nothing that is as if it had never been said.
    pub fn by_option(&self) -> Vec<(&'static str, String)> {
        let yes = || Some(true.to_string());
        let proof = |kind: fn(&Proof) -> Option<String>| self.proof.as_ref().and_then(kind);
        let told = [
            ("emulator", self.is_rehearsal().then(|| true.to_string())),
            ("endpoint", Some(self.target.as_str().to_owned()).filter(|_| !self.is_rehearsal())),
            ("standard-spaces", yes().filter(|_| self.access == Access::User)),
            ("admin-access", yes().filter(|_| self.access == Access::Admin)),
            ("as-app", yes().filter(|_| self.access == Access::App)),
            ("domain", Some(self.domains.join(", ")).filter(|domains| !domains.is_empty())),
            (
                "credentials",
                proof(|proof| match proof {
                    Proof::File(path) => Some(path.display().to_string()),
                    _ => None,
                }),
            ),
            (
                "sign-with",
                proof(|proof| match proof {
                    Proof::SignWith(sign_with) => Some(sign_with.account.clone()),
                    _ => None,
                }),
            ),
            ("impersonate", self.impersonate.clone()),
            ("writes-per-minute", Some(self.writes_per_minute.to_string())),
            ("reads-per-minute", Some(self.reads_per_minute.to_string())),
            ("writes-per-minute-per-space", Some(self.writes_per_minute_per_space.to_string())),
            (
                "max-in-flight",
                Some(match self.max_in_flight {
                    InFlight::Auto => "auto".to_owned(),
                    InFlight::Exactly(requests) => requests.to_string(),
                }),
            ),
            ("give-up-after", Some(as_typed(self.give_up_after_ms))),
            ("request-timeout", Some(as_typed(self.request_timeout_ms))),
        ];
        told.into_iter().filter_map(|(option, value)| Some((option, value?))).collect()
    }

    /// What has to be typed again to resume, since the journal does not keep it.
    pub fn resume_needs(&self) -> &'static str {
        match &self.proof {
            Some(Proof::TokenCommand { .. }) if !self.is_rehearsal() => " --token-command CMD",
            _ => "",
        }
    }

    /// Where the rows of a journal go.
    pub fn destination(&self) -> Destination<'_> {
        Destination {
            target: self.target.as_str(),
            standard: self.access != Access::Import,
            undertaking: self.undertaking,
        }
    }

    /// What rows of input are to become; of those to be removed, `promotes` says whether the ones with a role get it
    /// instead.
    pub fn becoming(&self, promotes: bool) -> Becoming {
        match self.undertaking {
            Undertaking::Import | Undertaking::Rollback | Undertaking::Spaces => {}
            Undertaking::Remove => return Becoming::Gone { promotes },
            Undertaking::Update => return Becoming::Roles,
        }
        if self.access == Access::Import {
            return Becoming::History;
        }
        let (access, domains) = (self.access, self.domains.clone());
        Becoming::Today(Arc::new(move |member| access.cannot_add(member, &domains)))
    }

    /// How long one call may take.
    pub fn request_timeout(&self) -> Duration {
        Duration::from_millis(self.request_timeout_ms)
    }

    /// Quotas.
    pub fn rates(&self) -> Rates {
        Rates {
            writes_per_minute: self.writes_per_minute,
            reads_per_minute: self.reads_per_minute,
            writes_per_minute_per_space: self.writes_per_minute_per_space,
            // Whoever has lifted the one limit is on a rehearsal or has lifted the others.
            space_writes_per_minute: match self.writes_per_minute {
                0 => 0,
                _ => Rates::default().space_writes_per_minute,
            },
            ..Rates::default()
        }
    }
}

/// The variable of Google's own tools.
pub const GOOGLE_CREDENTIALS: &str = "GOOGLE_APPLICATION_CREDENTIALS";

/// What the environment says; nothing is not empty text.
pub fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// What is given: one of three.
fn given(connection: &ConnectionArgs) -> Option<Proof> {
    let sign_with = |account: &String| {
        Proof::SignWith(SignWith {
            account: account.clone(),
            iam: connection.iam_endpoint.clone(),
            token_uri: connection.token_uri.clone(),
        })
    };
    connection
        .token_command
        .as_deref()
        .map(Proof::token_command)
        .or_else(|| connection.sign_with.as_ref().map(sign_with))
        .or_else(|| connection.credentials.as_deref().map(|path| Proof::File(absolute(path))))
}

/// What is there without being given: the file that Google's own tools take, else somebody who has signed in, where that
/// will do.
fn found(access: Access) -> Option<(Proof, Named)> {
    let signed_in = || {
        let path = login::default_path().filter(|path| path.exists())?;
        matches!(access, Access::User | Access::Admin).then_some((Proof::File(path), Named::SignedIn))
    };
    let google =
        |path: String| (Proof::File(absolute(Path::new(&path))), Named::By(GOOGLE_CREDENTIALS.to_owned()));
    variable(GOOGLE_CREDENTIALS).map(google).or_else(signed_in)
}

fn ms(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// As the command line takes it.
fn as_typed(ms: u64) -> String {
    match ms {
        ms if ms % 60_000 == 0 => format!("{}m", ms / 60_000),
        ms if ms % 1000 == 0 => format!("{}s", ms / 1000),
        ms => format!("{ms}ms"),
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
