//! Single calls outside a run: for looking, for repairs, for finding out.

use std::io::Write as _;
use std::sync::{Arc, Mutex, PoisonError};

use rand::SeedableRng as _;
use rand::rngs::{StdRng, SysRng};

use super::connect;
use crate::chat::{Access, Answer, Call, Chat as _, Failure, HttpChat};
use crate::credentials::Credentials;
use crate::engine::again;
use crate::remedy::Setup;
use crate::settings::Settings;
use crate::wording::span;

/// How often a call is made that fails for reasons that pass.
const TRIES_MAX: u32 = 5;

/// Somebody who makes calls, one by one.
pub(super) struct Caller {
    chat: HttpChat<Credentials>,
    credentials: Arc<Credentials>,
    access: Access,
    random: Mutex<StdRng>,
}

impl Caller {
    /// Opens the credentials and prepares a client; nothing is sent yet.
    ///
    /// # Errors
    /// When there are no credentials, or they cannot be used.
    pub(super) async fn open(settings: &Settings) -> anyhow::Result<Caller> {
        let credentials = Arc::new(connect::credentials(settings).await?);
        for warning in credentials.warnings() {
            note(warning);
        }
        Caller::with(settings, credentials)
    }

    /// With credentials that are open already.
    ///
    /// # Errors
    /// When the system's TLS or proxy settings cannot be used.
    pub(super) fn with(settings: &Settings, credentials: Arc<Credentials>) -> anyhow::Result<Caller> {
        Ok(Caller {
            chat: connect::chat(settings, None, Arc::clone(&credentials))?,
            credentials,
            access: settings.access,
            random: Mutex::new(StdRng::try_from_rng(&mut SysRng)?),
        })
    }

    /// In what capacity calls are made.
    pub(super) fn access(&self) -> Access {
        self.access
    }

    /// Whose failures they are.
    pub(super) fn setup(&self) -> Setup<'_> {
        Setup { identity: self.credentials.identity(), access: self.access }
    }

    /// Makes a call, more than once if it fails for reasons that pass and nothing can be doubled by that.
    ///
    /// # Errors
    /// The last failure.
    pub(super) async fn call(&self, call: Call) -> Result<Answer, Failure> {
        let mut failures = 0;
        loop {
            let failure = match self.chat.call(call.clone(), self.access).await {
                Ok(answer) => return Ok(answer),
                Err(failure) => failure,
            };
            failures += 1;
            let wait = {
                let mut random = self.random.lock().unwrap_or_else(PoisonError::into_inner);
                again(&failure, call.is_repeatable(), failures, &mut random)
            };
            match wait {
                Some(wait) if failures < TRIES_MAX => {
                    note(&format!("{}: {failure}; trying again in {}", call.name(), span(wait)));
                    tokio::time::sleep(wait).await;
                }
                _ => return Err(failure),
            }
        }
    }

    /// The failure as the operator reads it, with what to do about it.
    pub(super) fn explain(&self, what: &str, failure: &Failure) -> anyhow::Error {
        explain(what, failure, self.setup().of_failure(failure))
    }
}

/// A failure as the operator reads it.
pub(super) fn explain(what: &str, failure: &Failure, remedy: Option<String>) -> anyhow::Error {
    match remedy {
        Some(remedy) => anyhow::anyhow!("{what}: {failure}\n  {remedy}"),
        None => anyhow::anyhow!("{what}: {failure}"),
    }
}

/// Says something beside the result.
pub(super) fn note(line: &str) {
    // The exit code tells if standard error is gone.
    let _ = writeln!(std::io::stderr(), "{line}");
}
