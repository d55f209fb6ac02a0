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

/// A token, and when another is to be fetched.
struct Held {
    text: Arc<str>,
    expires: Option<SystemTime>,
    renewal: Option<SystemTime>,
}

/// Two minutes before its end, or when a tenth of a short life is left.
fn renewal(now: SystemTime, end: SystemTime) -> SystemTime {
    let life = end.duration_since(now).unwrap_or_default();
    end.checked_sub(RENEW_BEFORE.min(life / 10)).unwrap_or(end)
}

#[derive(Default)]
struct Slot {
    token: Option<Held>,
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
        let now = SystemTime::now();
        slot.token
            .take_if(|token| refused == Some(&*token.text) || token.expires.is_some_and(|end| end <= now));
        if let Some(token) = &slot.token
            && token.renewal.is_none_or(|renewal| now < renewal)
        {
            return Ok(Arc::clone(&token.text));
        }
        // It is to be renewed early; where that fails, it is good for a little while yet.
        let kept = slot.token.as_ref().map(|token| Arc::clone(&token.text));
        if let Some((failure, at)) = &slot.failure
            && at.elapsed() < FAILURE_KEPT
        {
            return kept.ok_or_else(|| failure.clone());
        }
        match fetch().await {
            Ok(Token { text, expires }) => {
                let renewal = expires.map(|end| renewal(now, end));
                let token = Held { text: Arc::clone(&text), expires, renewal };
                *slot = Slot { token: Some(token), failure: None };
                Ok(text)
            }
            Err(failure) => {
                slot.failure = Some((failure.clone(), Instant::now()));
                kept.ok_or(failure)
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
        assert_eq!(get(NEED, Some("t1"), Some(Duration::ZERO)).await, "t2");
        assert_eq!(get(NEED, None, None).await, "t3", "it had ended");
        assert_eq!(get(NEED, None, None).await, "t3", "one whose end is not told is good until refused");
        assert_eq!(get(Need { actor: Actor::App, ..NEED }, None, None).await, "t4", "another need");
    }

    #[test]
    fn a_short_life_is_not_all_renewals() {
        let now = SystemTime::now();
        let after = |life: u64| renewal(now, now + Duration::from_secs(life)).duration_since(now).unwrap();
        assert_eq!((after(3600).as_secs(), after(60).as_secs(), after(0).as_secs()), (3480, 54, 0));
    }

    #[tokio::test]
    async fn a_failed_renewal_leaves_the_old_one_until_its_end() {
        let cache = Cache::default();
        let soon = token("old", Some(Duration::from_secs(60)));
        cache.token(NEED, None, async || Ok(soon)).await.unwrap();
        // As if most of the minute had gone by.
        cache.slots.lock().unwrap()[&NEED].try_lock().unwrap().token.as_mut().unwrap().renewal =
            Some(SystemTime::now());
        let failing = async || Err(TokenFailure::Passing("down".to_owned()));
        assert_eq!(&*cache.token(NEED, None, failing).await.unwrap(), "old");
        assert_eq!(&*cache.token(NEED, None, failing).await.unwrap(), "old", "for the next who ask too");
        assert!(cache.token(NEED, Some("old"), failing).await.is_err());
        let fetch = async || panic!("a failure that is this young is not asked for again");
        assert!(cache.token(NEED, None, fetch).await.is_err());
    }
}
