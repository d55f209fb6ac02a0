//! A local Chat API to rehearse on: Google's rules, quotas and errors, and its bad days on demand.
//!
//! [`world`] is what Chat holds and the rules it follows; [`service`] adds [`quota`] and [`faults`]. All of that is
//! pure, and so is [`oauth`]: who may have which token. Around it: the [`key`] that clients sign in with, the [`store`]
//! that survives the process, and a server on a loopback port.

pub mod faults;
mod files;
pub mod key;
pub mod oauth;
mod project;
pub mod quota;
mod server;
pub mod service;
pub mod store;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
pub mod world;

use std::convert::Infallible;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rand::SeedableRng;
use rand::rngs::{StdRng, SysRng};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::model::{SpaceName, Timestamp};
use crate::wording::{trouble_listening, trouble_making};
use faults::{Fault, FaultError, Faults};
use files::write_private;
use key::ServiceAccountKey;
use oauth::{Identity, SetUp};
use quota::{Limits, Quota};
use server::{Inner, Shared};
use service::Service;
use store::{Store, StoreError};
use world::{Rules, Scopes, World};

/// How an emulator runs.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where to listen: a loopback address; port 0 takes a free one.
    pub listen: SocketAddr,
    /// The quotas.
    pub limits: Limits,
    /// Other limits of membership writes per minute, after so long.
    pub schedule: Vec<(Duration, u32)>,
    /// How long an answer takes, at least; up to a fifth more.
    pub latency: Duration,
    /// What goes wrong.
    pub faults: Vec<Fault>,
    /// For faults and jitter.
    pub seed: u64,
    /// Where to keep what Chat holds; `None` forgets it.
    pub store: Option<PathBuf>,
    /// How to behave where Google's way is unknown.
    pub rules: Rules,
    /// How long an access token is good. Whole seconds count.
    pub token_life: Duration,
    /// What the account may do in the name of people.
    pub delegated: Scopes,
    /// The account's key; `None` makes a new one.
    pub key: Option<ServiceAccountKey>,
    /// How far the emulator's clock is ahead of the machine's, in seconds.
    pub clock_skew_s: i64,
    /// The address of the person who signs in when the client does not hint at one.
    pub person: String,
    /// Whether people consent to what they are asked for.
    pub consents: bool,
    /// Whether whoever has a token for `cloud-platform` may sign as the service account.
    pub token_creator: bool,
    /// After how many membership writes the account's key is revoked; `None` for never.
    pub revoke_key_after: Option<u64>,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            limits: Limits::default(),
            schedule: Vec::new(),
            latency: Duration::ZERO,
            faults: Vec::new(),
            seed: 0,
            store: None,
            rules: Rules::default(),
            token_life: Duration::from_secs(3600),
            delegated: Scopes::ALL,
            key: None,
            clock_skew_s: 0,
            person: "someone@example.com".to_owned(),
            consents: true,
            token_creator: true,
            revoke_key_after: None,
        }
    }
}

/// Why there is no emulator.
#[derive(Debug, thiserror::Error)]
pub enum EmulatorError {
    /// Its answers carry test tokens and people's addresses: they stay on this machine.
    #[error("the emulator listens on loopback addresses only, and {0} is none")]
    NotLoopback(SocketAddr),
    /// The address is taken, or not to be had.
    #[error("cannot listen on {address}: {story}{advice}",
        story = trouble_listening(error),
        advice = if address.port() == 0 { "" } else { "; choose another with --port, or let --port 0 take a free one" }
    )]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What happened.
        error: io::Error,
    },
    /// The key cannot be made or read.
    #[error("the emulator's service-account key: {0}")]
    Key(String),
    /// A file for clients cannot be written.
    #[error("cannot write {path}: {story}", path = path.display(), story = trouble_making(error))]
    Write {
        /// The file.
        path: PathBuf,
        /// What happened.
        error: io::Error,
    },
    /// The faults do not go together.
    #[error(transparent)]
    Faults(#[from] FaultError),
    /// The store cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A running server. Dropping it ends it.
pub struct Emulator {
    endpoint: String,
    key_json: String,
    shared: Arc<Shared>,
    stop: Option<oneshot::Sender<Infallible>>,
    task: JoinHandle<()>,
}

impl Emulator {
    /// Starts a server on the current tokio runtime. Connections are taken as soon as this returns.
    ///
    /// # Errors
    /// When the address is not loopback or not to be had, or key, faults or store are no good.
    pub async fn start(config: Config) -> Result<Emulator, EmulatorError> {
        if !config.listen.ip().is_loopback() {
            return Err(EmulatorError::NotLoopback(config.listen));
        }
        let faults = Faults::new(&config.faults, config.seed)?;
        let home_domains = config.rules.home_domains.clone();
        let mut world = World::new(config.rules);
        let store = config.store.as_deref().map(|path| Store::open(path, &mut world)).transpose()?;
        let key = match config.key {
            Some(key) => key,
            None => tokio::task::spawn_blocking(ServiceAccountKey::generate)
                .await
                .map_err(|error| EmulatorError::Key(error.to_string()))??,
        };
        let listen = |error| EmulatorError::Listen { address: config.listen, error };
        let listener = TcpListener::bind(config.listen).await.map_err(listen)?;
        let address = format!("http://{}", listener.local_addr().map_err(listen)?);
        let random = StdRng::try_from_rng(&mut SysRng)
            .map_err(|error| EmulatorError::Key(format!("no randomness: {error}")))?;
        let key_json = key.to_json(&format!("{address}{}", oauth::TOKEN_PATH));
        let endpoint = format!("{address}/");
        let set_up = SetUp {
            address,
            token_life_s: i64::try_from(config.token_life.as_secs()).unwrap_or(i64::MAX),
            delegated: config.delegated,
            home_domains,
            person: config.person,
            consents: config.consents,
            token_creator: config.token_creator,
        };
        let mut identity = Identity::new(key, set_up, random);
        identity.set_key_revoked(config.revoke_key_after == Some(0));
        let mut quota = Quota::new(config.limits);
        let now = Timestamp::now().as_micros().saturating_add(config.clock_skew_s.saturating_mul(1_000_000));
        quota.schedule(config.schedule.iter().map(|(after, writes_per_minute)| {
            let after = i64::try_from(after.as_micros()).unwrap_or(i64::MAX);
            (Timestamp::from_micros(now.saturating_add(after)), *writes_per_minute)
        }));
        let inner = Inner {
            service: Service { world, quota, faults },
            identity,
            store,
            writes_left: config.revoke_key_after,
            stopped: false,
            unkept: None,
        };
        let shared = Arc::new(Shared::new(inner, config.latency, config.clock_skew_s));
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(server::serve(listener, Arc::clone(&shared), stopped));
        Ok(Emulator { endpoint, key_json, shared, stop: Some(stop), task })
    }

    /// Where the API is: `http://127.0.0.1:PORT/`. The token endpoint is `token` below it.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// The text of a service account's key file for this emulator. It is a secret of its own small world.
    pub fn key_json(&self) -> &str {
        &self.key_json
    }

    /// Writes the key file, mode 0600.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write_key(&self, path: &Path) -> Result<(), EmulatorError> {
        write_private(path, &self.key_json)
    }

    /// Writes a `client_secrets.json` for people to sign in with, mode 0600.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write_client_secrets(&self, path: &Path) -> Result<(), EmulatorError> {
        let text = self.shared.lock().identity.client_secrets();
        write_private(path, &text)
    }

    /// Writes an `application_default_credentials.json` with `cloud-platform`, mode 0600.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write_default_credentials(&self, path: &Path) -> Result<(), EmulatorError> {
        let text = self.shared.lock().identity.default_credentials();
        write_private(path, &text)
    }

    /// Makes sure that these spaces have existed, in import mode from now on if they are new.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn ensure_spaces(&self, names: &[SpaceName]) -> Result<(), EmulatorError> {
        self.ensure(|world, now| names.iter().filter_map(|name| world.ensure_space(name, now)).collect())
    }

    /// Makes sure that these spaces have existed: ordinary ones that this person manages, if they are new.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub fn ensure_standard_spaces(&self, names: &[SpaceName], manager: &str) -> Result<(), EmulatorError> {
        self.ensure(|world, now| {
            names.iter().flat_map(|name| world.ensure_standard_space(name, manager, now)).collect()
        })
    }

    fn ensure(
        &self,
        make: impl FnOnce(&mut World, Timestamp) -> Vec<world::Change>,
    ) -> Result<(), EmulatorError> {
        let mut inner = self.shared.lock();
        let now = self.shared.now();
        let changes = make(&mut inner.service.world, now);
        match &mut inner.store {
            Some(store) => Ok(store.append(&changes)?),
            None => Ok(()),
        }
    }

    /// Looks at the service, or gives it other limits, faults or rules. Changes of its world made here are not kept
    /// in the store.
    pub fn with_service<R>(&self, look: impl FnOnce(&mut Service) -> R) -> R {
        look(&mut self.shared.lock().service)
    }

    /// Revokes the service account's key and the tokens issued with it, or takes that back.
    pub fn set_key_revoked(&self, revoked: bool) {
        self.shared.lock().identity.set_key_revoked(revoked);
    }

    /// Delegates other scopes.
    pub fn set_delegated(&self, scopes: Scopes) {
        self.shared.lock().identity.set_delegated(scopes);
    }

    /// Ends the server and waits until every connection is closed.
    pub async fn stop(mut self) {
        // Dropping the sender is the signal.
        self.stop.take();
        let _ = (&mut self.task).await;
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        self.task.abort();
        self.shared.close();
    }
}

impl std::fmt::Debug for Emulator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Emulator").field("endpoint", &self.endpoint).finish_non_exhaustive()
    }
}
