//! Tokens fetched once, shared by all workers, renewed before they end.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use super::{Need, Token, TokenFailure};

/// A token is renewed when it has less than this left.
const RENEW_BEFORE: Duration = Duration::from_secs(120);
/// How long a failure of the token endpoint answers for those who ask next.
const FAILURE_KEPT: Duration = Duration::from_secs(1);

/// What was fetched, for each need.
#[derive(Default)]
pub(super) struct Cache {
    slots: Mutex<HashMap<Need, Arc<tokio::sync::Mutex<Slot>>>>,
}

#[derive(Default)]
struct Slot {
    token: Option<Token>,
    failure: Option<(TokenFailure, Instant)>,
}

impl Cache {
    /// A valid token; `refused` is one that was just answered with 401. `fetch` is called when none is at hand, once for
    /// all who ask meanwhile.
    pub(super) async fn token(
        &self,
        need: Need,
        refused: Option<&str>,
        fetch: impl AsyncFnOnce() -> Result<Token, TokenFailure>,
    ) -> Result<Arc<str>, TokenFailure> {
        let slot = {
            let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(slots.entry(need).or_default())
        };
        // Held while fetching, so that all who need a token wait for the one request.
        let mut slot = slot.lock().await;
        if let Some(Token { text, expires }) = &slot.token {
            let fresh = expires.is_none_or(|end| SystemTime::now() + RENEW_BEFORE < end);
            if fresh && refused != Some(&**text) {
                return Ok(Arc::clone(text));
            }
        }
        if let Some((failure, at)) = &slot.failure
            && at.elapsed() < FAILURE_KEPT
        {
            return Err(failure.clone());
        }
        let kept = slot.token.take();
        match fetch().await {
            Ok(token) => {
                let text = Arc::clone(&token.text);
                *slot = Slot { token: Some(token), failure: None };
                Ok(text)
            }
            Err(failure) => {
                *slot = Slot { token: None, failure: Some((failure.clone(), Instant::now())) };
                match kept {
                    // It was to be renewed early, and is good for a little while yet.
                    Some(Token { text, expires: Some(end) })
                        if SystemTime::now() < end && refused != Some(&*text) =>
                    {
                        slot.token = Some(Token { text: Arc::clone(&text), expires: Some(end) });
                        Ok(text)
                    }
                    _ => Err(failure),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::super::{Actor, Scope};
    use super::*;

    const NEED: Need = Need { scope: Scope::IMPORT, actor: Actor::Person };

    fn token(text: &str, life: Option<Duration>) -> Token {
        Token { text: text.into(), expires: life.map(|life| SystemTime::now() + life) }
    }

    #[tokio::test]
    async fn one_fetch_for_all_and_another_when_it_ends_or_was_refused() {
        let cache = Cache::default();
        let fetches = Cell::new(0);
        let get = async |need, refused: Option<&'static str>, life| {
            let fetch = async || {
                tokio::task::yield_now().await;
                fetches.set(fetches.get() + 1);
                Ok(token(&format!("t{}", fetches.get()), life))
            };
            cache.token(need, refused, fetch).await.unwrap().to_string()
        };
        let hour = Some(Duration::from_secs(3600));
        let (one, two) = tokio::join!(get(NEED, None, hour), get(NEED, None, hour));
        assert_eq!((one.as_str(), two.as_str()), ("t1", "t1"));
        assert_eq!(get(NEED, Some("t0"), hour).await, "t1", "another has fetched a fresh one meanwhile");
        assert_eq!(get(NEED, Some("t1"), Some(Duration::from_secs(60))).await, "t2");
        assert_eq!(get(NEED, None, None).await, "t3", "it would have ended in a minute");
        assert_eq!(get(NEED, None, None).await, "t3", "one whose end is not told is good until refused");
        assert_eq!(get(Need { actor: Actor::App, ..NEED }, None, None).await, "t4", "another need");
    }

    #[tokio::test]
    async fn a_failed_renewal_leaves_the_old_one_until_its_end() {
        let cache = Cache::default();
        let soon = token("old", Some(Duration::from_secs(60)));
        cache.token(NEED, None, async || Ok(soon)).await.unwrap();
        let failing = async || Err(TokenFailure::Passing("down".to_owned()));
        assert_eq!(&*cache.token(NEED, None, failing).await.unwrap(), "old");
        assert!(cache.token(NEED, Some("old"), failing).await.is_err());
        let fetch = async || panic!("a failure that is this young is not asked for again");
        assert!(cache.token(NEED, None, fetch).await.is_err());
    }
}
