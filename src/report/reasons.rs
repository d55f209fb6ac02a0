//! Why rows are refused, in words for people who have never seen the API, and what can be done about it.

use std::borrow::Cow;

/// What a reason means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reason {
    /// In a few words.
    pub(super) title: Cow<'static, str>,
    /// What can be done.
    pub(super) remedy: &'static str,
}

/// The meaning of a reject's kind: a status of the Chat API, or a word of this program's own.
pub(super) fn reason(kind: &str) -> Reason {
    let (title, remedy) = match kind {
        "NOT_FOUND" => (
            "Chat does not know the person or the space",
            "Look whether the account still exists in the organisation; an account that was deleted cannot be moved. \
             Where it is another account now, a map (--users) says which.",
        ),
        "PERMISSION_DENIED" => (
            "Chat does not permit this membership",
            "Look whether the person belongs to the organisation and may use Chat, and whether the space is still in \
             import mode.",
        ),
        "INVALID_ARGUMENT" => (
            "Chat does not take the values of the row",
            "The message says which value it is. Mend it, and feed the row back.",
        ),
        "FAILED_PRECONDITION" => (
            "Chat is not ready for it",
            "The message says what has to be so first. When it is, feed the row back.",
        ),
        "ALREADY_EXISTS" | "OTHER_TIMES" => (
            "Chat already holds another membership of this person in this space",
            "Chat may not keep several stints of one person in one space. --stints merge sends one membership for \
             them all.",
        ),
        "UNDECIDED" => (
            "It is not known whether Chat made it",
            "Look for it in the space (tenure members list). If it is not there, feed the row back.",
        ),
        "KEPT_FAILING" | "NO_ANSWER" | "NO_CONNECTION" => (
            "Chat kept failing at it while other rows went through",
            "Nothing is wrong with the row itself. Feed it back later.",
        ),
        "DOUBLED" => {
            ("Chat holds it twice", "Look at the space (tenure members list), and leave one of the two.")
        }
        "PERHAPS_THERE" => (
            "Not sent, since Chat might then hold it twice",
            "Look at the space (tenure members list). What it lacks can be created (tenure members create).",
        ),
        "SPACE_REFUSED" => (
            "Chat refuses the whole space",
            "Look whether the space exists, was created by this very Chat app, is still in import mode and younger than \
             90 days (tenure doctor tells which). Then feed the rows back.",
        ),
        "SPACE_EXPIRED" => (
            "The time of the space in import mode is over",
            "Create the space anew (tenure spaces create), and feed the rows back with the new map.",
        ),
        "NAME_TAKEN" => (
            "A space of this name is there already",
            "Rename one of the two, or let the new one have a number behind its name (--on-name-clash suffix).",
        ),
        "NOT_SENT" => ("Not sent: the import was rolled back before", "Nothing has to be done."),
        "unknown-user" => (
            "The map of people does not know this member",
            "Add the member to the map (--users), and feed the row back.",
        ),
        "unknown-space" => (
            "The map of spaces does not know this space",
            "Add the space to the map (--spaces), and feed the row back.",
        ),
        "cannot-join" => (
            "This member cannot be added to a space",
            "Nothing can be done about an app or a group that Chat does not take; leave the row out.",
        ),
        "history-sent" => (
            "The history of this member was sent before and cannot be changed",
            "Roll the import back (tenure rollback), or leave the row out.",
        ),
        _ => return other(kind),
    };
    Reason { title: title.into(), remedy }
}

/// Words of the input's problems are lower-case: they say what is wrong with a line.
fn other(kind: &str) -> Reason {
    if kind.contains(|c: char| c.is_ascii_lowercase()) {
        Reason {
            title: format!("A line of the input that is no row: {}", kind.replace('-', " ")).into(),
            remedy: "Mend the line in the input, and feed it back.",
        }
    } else {
        Reason {
            title: format!("Chat answered {}", kind.replace('_', " ").to_lowercase()).into(),
            remedy: "The message says why. Mend the row, and feed it back.",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_put_into_words() {
        assert_eq!(reason("SPACE_REFUSED").title, "Chat refuses the whole space");
        assert_eq!(reason("bad-time").title, "A line of the input that is no row: bad time");
        assert_eq!(reason("HTTP_418").title, "Chat answered http 418");
    }
}
