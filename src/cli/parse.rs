//! Values as typed on the command line.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::str::FromStr;
use std::time::Duration;

use jiff::tz::TimeZone;

use crate::emulator::quota::Counting;
use crate::engine::InFlight;
use crate::model::{Role, Timestamp};

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

/// A whole number that fits where it goes.
pub(super) fn whole<N: FromStr>(text: &str) -> Result<N, String> {
    text.parse().map_err(|_| "write a whole number, such as 42".to_owned())
}

pub(super) fn port(text: &str) -> Result<u16, String> {
    text.parse().map_err(|_| "write a port, from 1 to 65535; 0 takes a free one".to_owned())
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
    Ok((duration(time)?, quota(limit)?))
}

/// A port of this machine: `9464`, `127.0.0.1:9464`, `localhost:9464`, `[::1]:9464`.
pub(super) fn loopback(text: &str) -> Result<SocketAddr, String> {
    let here = |port| SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port);
    let port = text.strip_prefix("localhost").unwrap_or(text);
    if let Ok(port) = port.strip_prefix(':').unwrap_or(port).parse() {
        return Ok(here(port));
    }
    match text.parse::<SocketAddr>() {
        Ok(address) if address.ip().is_loopback() => Ok(address),
        Ok(address) => Err(format!(
            "anybody could read it there: give a port of this machine, such as 127.0.0.1:{0}, and come from elsewhere \
             through a tunnel (ssh -L {0}:127.0.0.1:{0} HOST)",
            address.port()
        )),
        Err(_) => Err("write a port of this machine, such as 127.0.0.1:9464".to_owned()),
    }
}

/// How often to look again.
pub(super) fn every(text: &str) -> Result<Duration, String> {
    match text.parse::<f64>().map(Duration::try_from_secs_f64) {
        Ok(Ok(every)) if every >= Duration::from_millis(100) => Ok(every),
        _ => Err("write how many seconds, from 0.1 on; the journal comes before --watch".to_owned()),
    }
}

/// Why rows were refused.
pub(super) fn kind(text: &str) -> Result<String, String> {
    let is_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    if !text.is_empty() && text.chars().all(is_word) {
        Ok(text.to_owned())
    } else {
        Err("it is no reason such as NOT_FOUND; files come before --retry-rejected".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine() {
        for text in ["9464", ":9464", "localhost:9464", "127.0.0.1:9464"] {
            assert_eq!(loopback(text).unwrap().to_string(), "127.0.0.1:9464");
        }
        assert_eq!(loopback("[::1]:9464").unwrap().to_string(), "[::1]:9464");
        for text in ["0.0.0.0:9464", "192.168.0.7:9464", "[::]:9464"] {
            assert!(loopback(text).unwrap_err().contains("ssh -L 9464:127.0.0.1:9464"), "{text}");
        }
        for text in ["", "99999", "example.com:9464", "localhost"] {
            assert!(loopback(text).is_err(), "{text}");
        }
    }

    #[test]
    fn numbers_that_are_none() {
        assert_eq!((port("8080"), port("0")), (Ok(8080), Ok(0)));
        for text in ["x", "", "-1", "65536", "80.5"] {
            assert!(port(text).unwrap_err().starts_with("write a port, from 1 to 65535"), "{text}");
        }
        assert_eq!(whole("-300"), Ok(-300));
        assert!(whole::<u64>("-300").unwrap_err().starts_with("write a whole number"));
        assert!(later_limit("90s=many").unwrap_err().starts_with("write a whole number"));
    }

    #[test]
    fn what_is_no_value_of_the_option_before_it() {
        assert_eq!(every("0.5"), Ok(Duration::from_millis(500)));
        for text in ["0", "-1", "j.db", "1e30", "nan"] {
            assert!(every(text).is_err(), "{text}");
        }
        assert!(kind("NOT_FOUND").is_ok() && kind("bad-time").is_ok());
        assert!(kind("rows.csv").is_err() && kind("").is_err());
    }
}
