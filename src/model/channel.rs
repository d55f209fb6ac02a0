//! A channel of the legacy system that becomes a space.

use super::Timestamp;

/// A channel, as `spaces create` reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Channel {
    /// What the memberships' input calls it: the key of the map.
    pub name: String,
    /// What people will see; up to 128 characters, unique in the organisation (API reference). Empty only for a
    /// `GROUP_CHAT`.
    pub display_name: String,
    /// `SPACE` or `GROUP_CHAT`.
    pub space_type: String,
    /// When it began; between 2000 and now. Without it, now: then it takes no history.
    pub create_time: Option<Timestamp>,
    /// What it is about.
    pub description: Option<String>,
    /// Whether people from outside may join; can only be said at the beginning.
    pub external_user_allowed: bool,
}

/// A channel that is to become a space.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChannelJob {
    /// Which.
    pub channel: Channel,
    /// The same id makes the same space only once (API reference, `requestId`).
    pub request_id: String,
    /// The number behind its display name, if that was taken; 0: none.
    pub suffix: u32,
}

impl ChannelJob {
    /// The display name that is tried now.
    pub fn display_name(&self) -> String {
        match self.suffix {
            0 => self.channel.display_name.clone(),
            number => suffixed(&self.channel.display_name, number),
        }
    }

    /// The request id for that name: Chat may remember an id together with what it has answered.
    pub fn request_id(&self) -> String {
        match self.suffix {
            0 => self.request_id.clone(),
            number => format!("{}-{number}", self.request_id),
        }
    }
}

/// The most characters of a display name (API reference).
pub const DISPLAY_NAME_CHARS_MAX: usize = 128;

/// A display name made another: `Sales` becomes `Sales (2)`, cut where it would grow too long.
pub fn suffixed(display_name: &str, number: u32) -> String {
    let suffix = format!(" ({number})");
    let room = DISPLAY_NAME_CHARS_MAX - suffix.chars().count();
    let head: String = display_name.chars().take(room).collect();
    format!("{}{suffix}", head.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_suffix_fits() {
        assert_eq!(suffixed("Sales", 2), "Sales (2)");
        let long = suffixed(&"ü".repeat(DISPLAY_NAME_CHARS_MAX), 10);
        assert_eq!(long.chars().count(), DISPLAY_NAME_CHARS_MAX);
        assert!(long.ends_with("ü (10)"));
    }
}
