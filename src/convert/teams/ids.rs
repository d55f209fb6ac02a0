//! What ids, addresses and times of Teams tell by themselves. Pure.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::percent_decode_str;

use crate::model::Timestamp;

/// What a page belongs to, as its `@odata.context` says: `…$metadata#teams('…')/channels('…')/messages`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Context {
    /// The team's id.
    pub(super) team: Option<String>,
    /// The id of the channel or chat.
    pub(super) conversation: Option<String>,
    /// What the page is of: `teams`, `channels`, `members`, …
    pub(super) of: String,
}

impl Context {
    pub(super) fn parse(text: &str) -> Self {
        let mut context = Context::default();
        let Some((_, path)) = text.split_once('#') else { return context };
        for part in path.split('/').filter(|part| !part.starts_with('$')) {
            let (name, rest) = part.split_once('(').unwrap_or((part, ""));
            let id = rest.trim_end_matches(')').trim_matches('\'');
            let id =
                Some(percent_decode_str(id).decode_utf8_lossy().into_owned()).filter(|id| !id.is_empty());
            match name {
                "teams" => context.team = id,
                "channels" | "chats" => context.conversation = id,
                _ => {}
            }
            context.of = name.to_owned();
        }
        context
    }
}

/// The kinds of conversations, as far as their ids tell them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Channel,
    OneOnOne,
    Group,
    Meeting,
    /// Notes to oneself, calls, and what programs use.
    Other,
}

/// What an id is of: `19:…@thread.tacv2` is a channel, `19:…@thread.v2` a chat, `19:<a>_<b>@unq.gbl.spaces` one of two
/// people.
pub(super) fn place(id: &str) -> Place {
    match id.strip_prefix("19:").and_then(|rest| rest.rsplit_once('@')) {
        Some((_, "thread.tacv2" | "thread.skype")) => Place::Channel,
        Some((_, "unq.gbl.spaces")) => Place::OneOnOne,
        Some((name, "thread.v2")) if name.starts_with("meeting_") => Place::Meeting,
        Some((_, "thread.v2")) => Place::Group,
        _ => Place::Other,
    }
}

/// The two people of a chat of two.
pub(super) fn pair(id: &str) -> Option<[&str; 2]> {
    let (one, other) = id.strip_prefix("19:")?.rsplit_once('@')?.0.split_once('_')?;
    Some([one, other])
}

/// The conversation or team that a membership is of. Its id is one of its own, which is Base64 of
/// `0##<tenant>##<conversation>##<person>` or `<team>##<person>`.
pub(super) fn conversation_of_membership(id: &str) -> Option<String> {
    let text = String::from_utf8(STANDARD.decode(id).ok()?).ok()?;
    let mut parts = text.rsplit("##").skip(1);
    parts.next().filter(|part| !part.is_empty()).map(str::to_owned)
}

/// The team in the address of a channel: `…?groupId=<team>&…`.
pub(super) fn team_of_url(url: &str) -> Option<String> {
    let (_, rest) = url.split_once("groupId=")?;
    rest.split('&').next().filter(|id| is_guid(id)).map(str::to_owned)
}

/// The team in a path, as tools name folders and files: `teams/<team>/channels_<team>.json`.
pub(super) fn team_of_path(path: &str) -> Option<String> {
    path.rsplit('/').find(|part| is_guid(part)).map(str::to_owned)
}

/// Whether it is an id as Entra has them.
pub(super) fn is_guid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

/// Whether somebody of another organisation signs in with this name: `eva_client.example#EXT#@tenant.example`.
pub(super) fn is_guest_name(name: &str) -> bool {
    name.contains("#EXT#")
}

/// The address in the name somebody signs in with. A guest's is in the part that stands for it, with `_` for `@`.
pub(super) fn address_of_name(name: &str) -> Option<String> {
    match name.split_once("#EXT#") {
        Some((guest, _)) => guest.rsplit_once('_').map(|(local, domain)| format!("{local}@{domain}")),
        None => Some(name.to_owned()),
    }
}

/// A time; Graph's documentation has some without the `T`.
pub(super) fn time(text: &str) -> Option<Timestamp> {
    if let Ok(time) = Timestamp::parse(text, None) {
        return Some(time);
    }
    let (date, clock) = text.split_at_checked(10)?;
    Timestamp::parse(&format!("{date}T{clock}"), None).ok()
}

/// The time of a message: its own, or the milliseconds that its id is.
pub(super) fn time_of_message(created: Option<&str>, id: Option<&str>) -> Option<Timestamp> {
    created.and_then(time).or_else(|| Timestamp::parse_epoch_ms(id?).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_pages_belong_to() {
        let parse = |text| Context::parse(&format!("https://graph.microsoft.com/v1.0/$metadata#{text}"));
        let context = parse("teams('t')/channels('19%3Aa%40thread.tacv2')/messages/$entity");
        assert_eq!(context.team.as_deref(), Some("t"));
        assert_eq!(context.conversation.as_deref(), Some("19:a@thread.tacv2"));
        assert_eq!(context.of, "messages");
        assert_eq!(parse("chats('19:b@thread.v2')/members").conversation.as_deref(), Some("19:b@thread.v2"));
        assert_eq!(parse("Collection(microsoft.graph.chatMessage)").team, None);
        assert_eq!(Context::parse("nothing"), Context::default());
    }

    #[test]
    fn what_ids_tell() {
        for (id, expected) in [
            ("19:4a95@thread.tacv2", Place::Channel),
            ("19:4a95@thread.skype", Place::Channel),
            ("19:meeting_ABC@thread.v2", Place::Meeting),
            ("19:4a95@thread.v2", Place::Group),
            ("19:a_b@unq.gbl.spaces", Place::OneOnOne),
            ("48:notes", Place::Other),
            ("", Place::Other),
        ] {
            assert_eq!(place(id), expected, "{id}");
        }
        assert_eq!(pair("19:a_b@unq.gbl.spaces"), Some(["a", "b"]));
        let of = |text: &str| conversation_of_membership(&STANDARD.encode(text));
        assert_eq!(of("0##tenant##19:x@thread.v2##user").as_deref(), Some("19:x@thread.v2"));
        assert_eq!(of("team##user").as_deref(), Some("team"));
        assert_eq!((of("user"), conversation_of_membership("no base64!")), (None, None));
    }

    #[test]
    fn what_addresses_and_paths_tell() {
        let team = "0f9d2c4e-6a1b-4c3d-8e5f-102030405060";
        assert_eq!(team_of_url(&format!("https://x/?groupId={team}&tenantId=y")).as_deref(), Some(team));
        assert_eq!(team_of_path(&format!("teams/{team}/teamMembers_{team}.json")).as_deref(), Some(team));
        assert_eq!((team_of_url("https://x/?groupId=y"), team_of_path("teams/a.json")), (None, None));
        assert_eq!(
            address_of_name("eva_lund_client.example#EXT#@t.example").as_deref(),
            Some("eva_lund@client.example")
        );
        assert_eq!(address_of_name("a@b.example").as_deref(), Some("a@b.example"));
    }

    #[test]
    fn times_with_and_without_what_should_be_there() {
        let whole = time("2021-03-17T06:47:05.123Z");
        assert!(whole.is_some());
        assert_eq!(time("2021-03-1706:47:05.123Z"), whole);
        assert_eq!(time_of_message(Some("?"), Some("1615963625123")), whole);
        assert_eq!((time("é-1234567é"), time_of_message(None, None)), (None, None));
    }
}
