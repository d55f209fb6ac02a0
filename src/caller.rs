//! Single calls outside a run: for looking, for repairs, for finding out.

use std::sync::{Mutex, PoisonError};

use rand::rngs::StdRng;

use crate::chat::{Access, Answer, Call, Chat, Failure};
use crate::engine::again;
use crate::wording::span;

/// How often a call is made that fails for reasons that pass.
const TRIES_MAX: u32 = 5;

/// Somebody who makes calls, one by one.
pub struct Caller<C> {
    chat: C,
    access: Access,
    random: Mutex<StdRng>,
    say: fn(&str),
}

impl<C> std::fmt::Debug for Caller<C> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Caller").field("access", &self.access).finish_non_exhaustive()
    }
}

impl<C: Chat> Caller<C> {
    /// `say` is told when a call is to be made again; `random` is for how long that waits.
    pub fn new(chat: C, access: Access, random: StdRng, say: fn(&str)) -> Self {
        Caller { chat, access, random: Mutex::new(random), say }
    }

    /// In what capacity calls are made.
    pub fn access(&self) -> Access {
        self.access
    }

    /// Makes a call, more than once if it fails for reasons that pass and nothing can be doubled by that.
    ///
    /// # Errors
    /// The last failure.
    pub async fn call(&self, call: Call) -> Result<Answer, Failure> {
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
                    (self.say)(&format!("{}: {failure}; trying again in {}", call.name(), span(wait)));
                    tokio::time::sleep(wait).await;
                }
                _ => return Err(failure),
            }
        }
    }
}
