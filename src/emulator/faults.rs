//! Bad days on demand: which fault befalls the next request, drawn from a seed.

use std::fmt;
use std::str::FromStr;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

/// What can go wrong with a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FaultKind {
    /// 503, not applied.
    ErrorBefore,
    /// 503, after it was applied.
    ErrorAfter,
    /// The connection is closed without an answer, not applied.
    ResetBefore,
    /// The connection is closed without an answer, after it was applied.
    ResetAfter,
    /// 429, although under the quota.
    Throttle,
    /// 401, although the token is good.
    Unauthorized,
    /// 502 with an HTML page, not applied.
    Html,
    /// Applied, but never answered.
    Hang,
    /// The token endpoint answers 503.
    TokenError,
}

impl FaultKind {
    /// Every kind.
    pub const ALL: [FaultKind; 9] = [
        FaultKind::ErrorBefore,
        FaultKind::ErrorAfter,
        FaultKind::ResetBefore,
        FaultKind::ResetAfter,
        FaultKind::Throttle,
        FaultKind::Unauthorized,
        FaultKind::Html,
        FaultKind::Hang,
        FaultKind::TokenError,
    ];

    /// As `--fault` spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            FaultKind::ErrorBefore => "error-before",
            FaultKind::ErrorAfter => "error-after",
            FaultKind::ResetBefore => "reset-before",
            FaultKind::ResetAfter => "reset-after",
            FaultKind::Throttle => "throttle",
            FaultKind::Unauthorized => "unauthorized",
            FaultKind::Html => "html",
            FaultKind::Hang => "hang",
            FaultKind::TokenError => "token-error",
        }
    }

    /// Whether the request takes effect all the same.
    pub fn applies(self) -> bool {
        matches!(self, FaultKind::ErrorAfter | FaultKind::ResetAfter | FaultKind::Hang)
    }
}

impl fmt::Display for FaultKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A kind of fault and how often it strikes: `KIND=PROB`, e.g. `reset-after=0.02`.
///
/// Kinds: `error-before`, `error-after`, `reset-before`, `reset-after`, `throttle`, `unauthorized`, `html`, `hang`,
/// `token-error`. The probability is a number from 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fault {
    /// What happens.
    pub kind: FaultKind,
    /// In which share of the requests, 0 to 1.
    pub probability: f64,
}

/// Why a text is no fault, or faults do not go together.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum FaultError {
    /// Without `=`.
    #[error("{0:?} is not KIND=PROB, such as reset-after=0.02")]
    NotAPair(String),
    /// No such kind.
    #[error("there is no fault {0:?}; there are {kinds}", kinds = kinds())]
    NoSuchKind(String),
    /// Not a number from 0 to 1.
    #[error("{0:?} is not a probability from 0 to 1")]
    NotAProbability(String),
    /// Together they would strike more than every request.
    #[error("the probabilities of the faults add up to {0}, which is more than 1")]
    MoreThanCertain(f64),
}

fn kinds() -> String {
    FaultKind::ALL.map(FaultKind::as_str).join(", ")
}

impl FromStr for Fault {
    type Err = FaultError;

    fn from_str(text: &str) -> Result<Self, FaultError> {
        let (kind, probability) =
            text.split_once('=').ok_or_else(|| FaultError::NotAPair(text.to_owned()))?;
        let kind = FaultKind::ALL
            .into_iter()
            .find(|known| known.as_str() == kind.trim())
            .ok_or_else(|| FaultError::NoSuchKind(kind.to_owned()))?;
        match probability.trim().parse::<f64>() {
            Ok(number) if (0.0..=1.0).contains(&number) => Ok(Fault { kind, probability: number }),
            _ => Err(FaultError::NotAProbability(probability.to_owned())),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.kind, self.probability)
    }
}

/// Draws faults. The same seed and faults give the same sequence.
#[derive(Debug)]
pub struct Faults {
    /// Kinds for calls of the API, with cumulative probabilities.
    calls: Vec<(f64, FaultKind)>,
    token_error: f64,
    random: StdRng,
}

impl Faults {
    /// At most one fault strikes a request.
    ///
    /// # Errors
    /// When the probabilities add up to more than 1.
    pub fn new(faults: &[Fault], seed: u64) -> Result<Self, FaultError> {
        let mut calls = Vec::new();
        let mut total = 0.0;
        let mut token_error = 0.0;
        for fault in faults.iter().filter(|fault| fault.probability > 0.0) {
            if fault.kind == FaultKind::TokenError {
                token_error += fault.probability;
            } else {
                total += fault.probability;
                calls.push((total, fault.kind));
            }
        }
        // A little room for sums such as ten times 0.1.
        for sum in [total, token_error] {
            if sum > 1.0 + 1e-9 {
                return Err(FaultError::MoreThanCertain(sum));
            }
        }
        Ok(Faults { calls, token_error, random: StdRng::seed_from_u64(seed) })
    }

    /// The fault that befalls the next call of the API, if any.
    pub fn draw(&mut self) -> Option<FaultKind> {
        if self.calls.is_empty() {
            return None;
        }
        let point: f64 = self.random.random();
        self.calls.iter().find(|(end, _)| point < *end).map(|(_, kind)| *kind)
    }

    /// Whether the next request to the token endpoint fails.
    pub fn draw_token_error(&mut self) -> bool {
        self.token_error > 0.0 && self.random.random::<f64>() < self.token_error
    }

    /// A share from 0 to 1, for jitter.
    pub fn share(&mut self) -> f64 {
        self.random.random()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts() {
        for kind in FaultKind::ALL {
            let fault: Fault = format!("{kind}=0.25").parse().unwrap();
            assert_eq!((fault.kind, fault.probability), (kind, 0.25));
            assert_eq!(fault.to_string(), format!("{kind}=0.25"));
        }
        for (text, error) in [
            ("hang", "\"hang\" is not KIND=PROB, such as reset-after=0.02"),
            ("hang=1.5", "\"1.5\" is not a probability from 0 to 1"),
            ("hang=NaN", "\"NaN\" is not a probability from 0 to 1"),
            ("hang=", "\"\" is not a probability from 0 to 1"),
        ] {
            assert_eq!(text.parse::<Fault>().unwrap_err().to_string(), error);
        }
        let error = "fire=0.1".parse::<Fault>().unwrap_err().to_string();
        assert!(
            error.starts_with("there is no fault \"fire\"; there are error-before, error-after"),
            "{error}"
        );
    }

    #[test]
    fn draws_follow_the_probabilities_and_the_seed() {
        let faults: Vec<Fault> = ["error-before=0.2", "hang=0.1", "token-error=0.5", "html=0"]
            .map(|text| text.parse().unwrap())
            .to_vec();
        let draw = |seed| {
            let mut faults = Faults::new(&faults, seed).unwrap();
            (0..10_000).map(|_| faults.draw()).collect::<Vec<_>>()
        };
        let drawn = draw(1);
        assert_eq!(drawn, draw(1));
        assert_ne!(drawn, draw(2));
        let count = |kind| drawn.iter().filter(|fault| **fault == kind).count();
        assert!((1800..2200).contains(&count(Some(FaultKind::ErrorBefore))));
        assert!((850..1150).contains(&count(Some(FaultKind::Hang))));
        assert_eq!(count(Some(FaultKind::Html)), 0);
        let mut faults = Faults::new(&faults, 1).unwrap();
        assert!((4500..5500).contains(&(0..10_000).filter(|_| faults.draw_token_error()).count()));
    }

    #[test]
    fn certainty_is_the_most() {
        let tenth: Fault = "html=0.1".parse().unwrap();
        assert!(Faults::new(&[tenth; 10], 0).is_ok());
        assert!(matches!(Faults::new(&[tenth; 11], 0), Err(FaultError::MoreThanCertain(_))));
    }
}
