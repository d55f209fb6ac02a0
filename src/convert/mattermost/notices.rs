//! What a post of the bulk export says of who is a member. Pure.
//!
//! Types of posts: mattermost/mattermost `server/public/model/post.go`; what stands in their props:
//! `server/channels/app/channel.go` and `team.go`.

use serde::Deserialize;

use crate::convert::json::Text;

/// What servers add to a post, as far as it matters.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Props {
    #[serde(rename = "userId")]
    pub(super) user_id: Text,
    username: Text,
    #[serde(rename = "addedUserId")]
    added_id: Text,
    #[serde(rename = "addedUsername")]
    added: Text,
    #[serde(rename = "removedUserId")]
    removed_id: Text,
    #[serde(rename = "removedUsername")]
    removed: Text,
    from_webhook: Text,
    from_bot: Text,
    from_plugin: Text,
}

/// Whom a notice is about. Usernames in it are those of its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Who<'a> {
    /// Whoever it is posted by.
    Author,
    /// Somebody else: id and username, of which one may be empty.
    Other(&'a str, &'a str),
}

/// What a post says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Notice<'a> {
    /// Somebody wrote it.
    Wrote,
    /// Somebody joined the channel, or was added.
    Joined(Who<'a>),
    /// Somebody left the channel, or was removed.
    Left(Who<'a>),
    /// Somebody left the team, or was removed, and with it all of its channels.
    LeftTeam(Who<'a>),
    Archived,
    Unarchived,
    /// Nothing, and why.
    Nothing(&'static str),
}

/// Reads a post. `kind` is its type: `None` where the export has none, as those of old servers.
pub(super) fn read<'a>(kind: Option<&str>, author: &str, message: &'a str, props: &'a Props) -> Notice<'a> {
    let of_app = [&props.from_webhook, &props.from_bot, &props.from_plugin];
    let text = |text: &'a Text| text.get().unwrap_or_default();
    let added = || match (text(&props.added_id), text(&props.added)) {
        // Old servers told it by the text alone.
        ("", "") => in_words(author, message),
        (id, name) => Notice::Joined(Who::Other(id, name)),
    };
    let removed = || match (text(&props.removed_id), text(&props.removed)) {
        ("", "") => in_words(author, message),
        (id, name) => Notice::Left(Who::Other(id, name)),
    };
    // What a notice posted by somebody else than whom it is about says of them.
    let own = match text(&props.username) {
        name if !name.is_empty() && name != author => Who::Other("", name),
        _ => Who::Author,
    };
    match kind {
        Some("" | "me") if of_app.iter().any(|flag| flag.get() == Some("true")) => {
            Notice::Nothing("messages of apps")
        }
        Some("" | "me") => Notice::Wrote,
        None => match in_words(author, message) {
            Notice::Nothing(_) => Notice::Wrote,
            notice => notice,
        },
        // It may be posted under an old name of the author.
        Some("system_join_channel" | "system_guest_join_channel" | "system_join_team") => {
            Notice::Joined(Who::Author)
        }
        Some("system_leave_channel") => Notice::Left(Who::Author),
        Some("system_add_to_channel" | "system_add_guest_to_chan" | "system_add_to_team") => added(),
        Some("system_remove_from_channel") => removed(),
        Some("system_leave_team") => Notice::LeftTeam(Who::Author),
        Some("system_remove_from_team") => Notice::LeftTeam(own),
        Some("system_channel_deleted") => Notice::Archived,
        Some("system_channel_restored") => Notice::Unarchived,
        Some("system_join_leave" | "system_add_remove" | "system_generic") => in_words(author, message),
        Some(kind) if kind.starts_with("system_") => {
            Notice::Nothing("notices that tell nothing of membership (topics, pins, renames and the like)")
        }
        Some(_) => Notice::Nothing("messages of apps"),
    }
}

/// Reads the English text of a notice of an old server; what people have written is taken for one only if its author is who
/// it would be.
fn in_words<'a>(author: &str, message: &'a str) -> Notice<'a> {
    let text = message.trim().trim_end_matches('.');
    let not_understood = Notice::Nothing("notices of old servers whose words are not understood");
    let Some((name, rest)) = text.split_once(' ').map(|(name, rest)| (name.trim_start_matches('@'), rest))
    else {
        return not_understood;
    };
    let rest = rest.strip_prefix("has ").or_else(|| rest.strip_prefix("was ")).unwrap_or(rest);
    let by_author = |rest: &str, what: &str| {
        let by = rest.strip_prefix(what).and_then(|rest| rest.strip_prefix(" by "));
        by.is_some_and(|by| by.trim_start_matches('@') == author)
    };
    let own = name == author;
    match rest {
        "joined the channel" | "joined the channel as a guest" | "joined the team" if own => {
            Notice::Joined(Who::Author)
        }
        "left the channel" if own => Notice::Left(Who::Author),
        "left the team" if own => Notice::LeftTeam(Who::Author),
        "removed from the channel" => Notice::Left(Who::Other("", name)),
        "removed from the team" => Notice::LeftTeam(Who::Other("", name)),
        "archived the channel" if own => Notice::Archived,
        "unarchived the channel" if own => Notice::Unarchived,
        rest if ["added to the channel", "added to the channel as a guest", "added to the team"]
            .iter()
            .any(|what| by_author(rest, what)) =>
        {
            Notice::Joined(Who::Other("", name))
        }
        _ => not_understood,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notices_with_types() {
        let props: Props = serde_json::from_str(
            r#"{"userId":"i1","username":"old","addedUserId":"i2","addedUsername":"eva","removedUserId":"i3","removedUsername":"jo"}"#,
        )
        .unwrap();
        let of = |kind| read(Some(kind), "maria", "text", &props);
        assert_eq!(of("system_join_channel"), Notice::Joined(Who::Author));
        assert_eq!(of("system_add_to_channel"), Notice::Joined(Who::Other("i2", "eva")));
        assert_eq!(of("system_remove_from_channel"), Notice::Left(Who::Other("i3", "jo")));
        assert_eq!(of("system_remove_from_team"), Notice::LeftTeam(Who::Other("", "old")));
        assert_eq!(of(""), Notice::Wrote);
        assert!(matches!(of("system_header_change"), Notice::Nothing(_)));
        assert_eq!(of("custom_poll"), Notice::Nothing("messages of apps"));
        let props: Props = serde_json::from_str(r#"{"from_webhook":"true"}"#).unwrap();
        assert_eq!(read(Some(""), "maria", "", &props), Notice::Nothing("messages of apps"));
    }

    #[test]
    fn notices_in_words() {
        let props = Props::default();
        for (author, message, expected) in [
            ("harry", "harry joined the channel.", Notice::Joined(Who::Author)),
            ("harry", "harry has joined the channel.", Notice::Joined(Who::Author)),
            ("harry", "ron joined the channel.", Notice::Wrote),
            ("harry", "ron added to the channel by harry.", Notice::Joined(Who::Other("", "ron"))),
            ("harry", "ron added to the channel by ginny.", Notice::Wrote),
            ("harry", "@ron was removed from the channel.", Notice::Left(Who::Other("", "ron"))),
            ("harry", "harry left the team.", Notice::LeftTeam(Who::Author)),
            ("harry", "harry hat den Kanal betreten.", Notice::Wrote),
            ("harry", "", Notice::Wrote),
        ] {
            assert_eq!(read(None, author, message, &props), expected, "{message}");
        }
        let nothing = read(Some("system_join_leave"), "harry", "harry hat den Kanal betreten.", &props);
        assert!(matches!(nothing, Notice::Nothing(_)));
    }
}
