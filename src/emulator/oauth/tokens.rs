//! Access tokens that were issued, and what each stands for.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use super::super::world::Principal;
use crate::model::Timestamp;

/// Tokens remembered; the oldest give way.
const TOKENS_MAX: usize = 4096;

/// What a token was given for; it ends with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Source {
    /// Claims signed with the service account's key.
    Key,
    /// A person's consent, by its id.
    Consent(String),
    /// Running on one of Google's machines.
    Machine,
}

struct Issued {
    principal: Arc<Principal>,
    expires: Timestamp,
    source: Source,
}

/// The tokens that are good, and some that are not any more.
pub(super) struct Tokens {
    life_s: i64,
    issued: HashMap<String, Issued>,
    oldest_first: VecDeque<String>,
}

impl Tokens {
    /// For tokens that live so many seconds.
    pub(super) fn new(life_s: i64) -> Tokens {
        Tokens { life_s, issued: HashMap::new(), oldest_first: VecDeque::new() }
    }

    /// Makes a token good from now on.
    pub(super) fn put(&mut self, now: Timestamp, token: String, principal: Principal, source: Source) {
        if self.oldest_first.len() >= TOKENS_MAX
            && let Some(oldest) = self.oldest_first.pop_front()
        {
            self.issued.remove(&oldest);
        }
        let expires = now.as_micros().saturating_add(self.life_s.saturating_mul(1_000_000));
        let issued =
            Issued { principal: Arc::new(principal), expires: Timestamp::from_micros(expires), source };
        self.oldest_first.push_back(token.clone());
        self.issued.insert(token, issued);
    }

    /// What a token stands for, while it is good.
    pub(super) fn principal(&self, now: Timestamp, token: &str) -> Option<Arc<Principal>> {
        self.good(now, token).map(|issued| Arc::clone(&issued.principal))
    }

    /// What a token was given for, while it is good.
    pub(super) fn source(&self, now: Timestamp, token: &str) -> Option<&Source> {
        self.good(now, token).map(|issued| &issued.source)
    }

    /// Ends the tokens that were given for this.
    pub(super) fn end(&mut self, ends: impl Fn(&Source) -> bool) {
        self.issued.retain(|_, issued| !ends(&issued.source));
        self.oldest_first.retain(|token| self.issued.contains_key(token));
    }

    /// Ends one token.
    pub(super) fn end_one(&mut self, token: &str) {
        self.issued.remove(token);
        self.oldest_first.retain(|known| known != token);
    }

    fn good(&self, now: Timestamp, token: &str) -> Option<&Issued> {
        self.issued.get(token).filter(|issued| now < issued.expires)
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::world::Scopes;
    use super::*;

    fn put(tokens: &mut Tokens, name: &str, source: Source) {
        let principal = Principal::new(Scopes::IMPORT, None);
        tokens.put(Timestamp::from_micros(0), name.to_owned(), principal, source);
    }

    #[test]
    fn old_tokens_give_way() {
        let mut tokens = Tokens::new(3600);
        for number in 0..=TOKENS_MAX {
            put(&mut tokens, &number.to_string(), Source::Key);
        }
        assert_eq!((tokens.issued.len(), tokens.oldest_first.len()), (TOKENS_MAX, TOKENS_MAX));
        assert!(tokens.principal(Timestamp::from_micros(0), "0").is_none());
        assert!(tokens.principal(Timestamp::from_micros(0), "1").is_some());
    }

    #[test]
    fn a_token_ends_with_what_it_was_given_for_or_in_time() {
        let mut tokens = Tokens::new(1);
        put(&mut tokens, "key", Source::Key);
        put(&mut tokens, "person", Source::Consent("1".to_owned()));
        tokens.end(|source| *source == Source::Key);
        assert_eq!(tokens.source(Timestamp::from_micros(0), "key"), None);
        let end = Timestamp::from_micros(1_000_000);
        assert!(tokens.source(end.just_before(), "person").is_some());
        assert_eq!(tokens.source(end, "person"), None);
        assert_eq!(tokens.oldest_first, ["person"]);
    }
}
