//! Values as typed on the command line.

use std::time::Duration;

use jiff::tz::TimeZone;

use crate::emulator::quota::Counting;
use crate::engine::InFlight;
use crate::model::{Role, SpaceName, Timestamp};

pub(super) fn duration(text: &str) -> Result<Duration, String> {
    if let Ok(seconds) = text.parse::<u32>() {
        return Ok(Duration::from_secs(seconds.into()));
    }
    text.parse::<jiff::SignedDuration>()
        .ok()
        .and_then(|duration| duration.try_into().ok())
        .ok_or_else(|| "write it like 500ms, 30s, 10m or 1h30m".to_owned())
}

/// A quota: a whole number, of which 0 stands for none.
pub(super) fn quota(text: &str) -> Result<u32, String> {
    text.parse().map_err(|_| "write a whole number; 0 = no limit".to_owned())
}

pub(super) fn in_flight(text: &str) -> Result<InFlight, String> {
    match text {
        "auto" => Ok(InFlight::Auto),
        number => number
            .parse()
            .map(InFlight::Exactly)
            .map_err(|_| "write auto, or a number; 0 = no limit".to_owned()),
    }
}

pub(super) fn time(text: &str) -> Result<Timestamp, String> {
    Timestamp::parse(text, None).map_err(|error| error.to_string())
}

pub(super) fn space(text: &str) -> Result<SpaceName, String> {
    SpaceName::parse(text).map_err(|error| error.to_string())
}

pub(super) fn role(text: &str) -> Result<Role, String> {
    text.parse().map_err(|()| "it is none of ROLE_MEMBER, ROLE_MANAGER, ROLE_ASSISTANT_MANAGER".to_owned())
}

pub(super) fn zone(text: &str) -> Result<TimeZone, String> {
    TimeZone::get(text).map_err(|_| "it is not a time zone's name such as Europe/Berlin or UTC".to_owned())
}

pub(super) fn counting(text: &str) -> Result<Counting, String> {
    match text {
        "sliding" => Ok(Counting::Sliding),
        "fixed" => Ok(Counting::Fixed),
        "bucket" => Ok(Counting::Bucket),
        _ => Err("write sliding, fixed or bucket".to_owned()),
    }
}

/// A limit from some time on: `90s=600`.
pub(super) fn later_limit(text: &str) -> Result<(Duration, u32), String> {
    let (time, limit) = text.split_once('=').ok_or("give it as TIME=N, e.g. 90s=600")?;
    let limit = limit.parse().map_err(|error| format!("{limit:?}: {error}"))?;
    Ok((duration(time)?, limit))
}
