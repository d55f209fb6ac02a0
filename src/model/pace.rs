//! How fast a run goes, and why not faster.

use serde::{Deserialize, Serialize};

/// Why calls leave as fast as they do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PaceReason {
    /// That is how fast they may, as configured.
    #[default]
    Configured,
    /// Chat has refused calls for the project's quota, and lets fewer through than configured.
    ProjectQuota,
    /// Nothing can be reached; everything waits.
    Unreachable,
}

/// The pace of membership writes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Pace {
    /// Writes a minute that may leave now; 0 = no limit.
    pub writes_per_minute: u32,
    /// The same as configured; 0 = no limit.
    pub configured: u32,
    /// Why that many.
    pub why: PaceReason,
    /// How many spaces are slowed because Chat refuses their writes while it takes those of others.
    pub slowed_spaces: usize,
    /// One of them, the slowest.
    pub slowest: Option<SlowedSpace>,
}

/// A space that Chat lets take fewer writes than others.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SlowedSpace {
    /// `spaces/AAAA`.
    pub space: String,
    /// Its writes a minute.
    pub writes_per_minute: u32,
}

/// A reason why something is not faster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Why {
    /// For programs; does not change.
    pub word: &'static str,
    /// For people, in a few words.
    pub text: String,
}

impl Why {
    /// A reason.
    pub fn new(word: &'static str, text: impl Into<String>) -> Self {
        Why { word, text: text.into() }
    }
}

impl Pace {
    /// Why it is not faster, if it is slower than configured; the most important first.
    pub fn reasons(&self) -> Vec<Why> {
        let mut reasons = Vec::new();
        if self.why == PaceReason::ProjectQuota {
            let text = format!("throttled by project quota to {}/min", self.writes_per_minute);
            reasons.push(Why::new("project_quota", text));
        }
        match (&self.slowest, self.slowed_spaces) {
            (None, _) | (_, 0) => {}
            (Some(SlowedSpace { space, writes_per_minute }), 1) => {
                let text = format!("{space} slowed to {writes_per_minute}/min");
                reasons.push(Why::new("space_slowed", text));
            }
            (Some(SlowedSpace { space, writes_per_minute }), slowed) => {
                let text = format!("{slowed} spaces slowed, {space} to {writes_per_minute}/min");
                reasons.push(Why::new("space_slowed", text));
            }
        }
        reasons
    }
}
