//! People of Matrix: `@localpart:server`. Pure.

use crate::convert::fact::{PersonFact, Standing};

/// Bridges to other networks, as they begin the localparts of those whom they show. Their own accounts are called the
/// same with `bot` at the end.
const BRIDGES: [&str; 18] = [
    "appservice",
    "bluesky",
    "discord",
    "email",
    "facebook",
    "gmessages",
    "googlechat",
    "instagram",
    "irc",
    "mattermost",
    "meta",
    "signal",
    "slack",
    "sms",
    "teams",
    "telegram",
    "whatsapp",
    "xmpp",
];

/// The localpart and the server of somebody's id; the server without its port.
pub(super) fn parts(id: &str) -> Option<(&str, &str)> {
    let (localpart, server) = id.strip_prefix('@')?.split_once(':')?;
    let server = match server.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => server,
    };
    Some((localpart, server)).filter(|(localpart, server)| !localpart.is_empty() && !server.is_empty())
}

/// Whether an id is of a bridge, or of somebody whom a bridge shows. Nothing else tells programs from people: by custom
/// their localparts begin with `_`, which a person's cannot, or with the network's name and `_`.
pub(super) fn is_bridged(id: &str) -> bool {
    let Some((localpart, _)) = parts(id) else { return false };
    localpart.starts_with('_')
        || BRIDGES.iter().any(|bridge| {
            localpart.strip_prefix(bridge).is_some_and(|rest| rest.starts_with('_') || rest == "bot")
        })
}

/// Somebody. An id is no address; it is one on the servers of `homes`, whose names `--domain` exchanges.
pub(super) fn fact(id: &str, name: &str, homes: &[String]) -> PersonFact {
    let address = parts(id).filter(|(_, server)| homes.iter().any(|home| home.eq_ignore_ascii_case(server)));
    PersonFact {
        id: id.to_owned(),
        name: name.to_owned(),
        address: address.map(|(localpart, server)| format!("{localpart}@{server}")),
        standing: if is_bridged(id) { Standing::Bot } else { Standing::Member },
        gone: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_and_addresses() {
        assert_eq!(parts("@eva:hs.example:8448"), Some(("eva", "hs.example")));
        assert_eq!(parts("@eva:[::1]"), Some(("eva", "[::1]")));
        assert_eq!((parts("eva:hs.example"), parts("@:hs.example"), parts("@eva")), (None, None, None));
        let homes = ["hs.example".to_owned()];
        assert_eq!(fact("@eva:HS.example", "Eva", &homes).address.as_deref(), Some("eva@HS.example"));
        assert_eq!(fact("@eva:elsewhere.example", "Eva", &homes).address, None);
        assert_eq!(fact("@eva:hs.example", "Eva", &[]).address, None);
    }

    #[test]
    fn bridges_and_whom_they_show() {
        for id in ["@slack_T1_U2:hs", "@_discord_123:hs", "@whatsappbot:hs", "@irc_nick:hs"] {
            assert!(is_bridged(id), "{id}");
        }
        for id in ["@slack:hs", "@slackline:hs", "@eva_slack_:hs", "@abbot:hs"] {
            assert!(!is_bridged(id), "{id}");
        }
    }
}
