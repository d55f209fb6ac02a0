//! Why rows are refused, in a few words for people who have never seen the API. What can be done about it, `remedy` tells.

use std::borrow::Cow;

/// The meaning of a reject's kind: a status of the Chat API, or a word of this program's own.
pub(super) fn title(kind: &str) -> Cow<'static, str> {
    let title = match kind {
        "NOT_FOUND" => "Chat does not know the person or the space",
        "PERMISSION_DENIED" => "Chat does not permit this membership",
        "INVALID_ARGUMENT" => "Chat does not take the values of the row",
        "FAILED_PRECONDITION" => "Chat is not ready for it",
        "ALREADY_EXISTS" | "OTHER_TIMES" => {
            "Chat already holds another membership of this person in this space"
        }
        "UNDECIDED" => "It is not known whether Chat made it",
        "KEPT_FAILING" | "NO_ANSWER" | "NO_CONNECTION" => {
            "Chat kept failing at it while other rows went through"
        }
        "DOUBLED" => "Chat holds it twice",
        "PERHAPS_THERE" => "Not sent, since Chat might then hold it twice",
        "SPACE_REFUSED" => "Chat refuses the whole space",
        "SPACE_COMPLETED" => "Not sent: the space was completed before",
        "SPACE_EXPIRED" => "The time of the space in import mode is over",
        "NAME_TAKEN" => "A space of this name is there already",
        "NOT_SENT" => "Not sent: the import was rolled back before",
        "unknown-user" => "The map of people does not know this member",
        "unknown-space" => "The map of spaces does not know this space",
        "cannot-join" => "This member cannot be added to a space",
        "history-sent" => "The history of this member was sent before and cannot be changed",
        _ => return other(kind).into(),
    };
    title.into()
}

/// Words of the input's problems are lower-case: they say what is wrong with a line.
fn other(kind: &str) -> String {
    if kind.contains(|c: char| c.is_ascii_lowercase()) {
        format!("A line of the input that is no row: {}", kind.replace('-', " "))
    } else {
        format!("Chat answered {}", kind.replace('_', " ").to_lowercase())
    }
}

/// A remedy as a sentence of its own.
pub(super) fn sentence(remedy: &str) -> String {
    let mut rest = remedy.chars();
    let first = rest.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", rest.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_put_into_words() {
        assert_eq!(title("SPACE_REFUSED"), "Chat refuses the whole space");
        assert_eq!(title("bad-time"), "A line of the input that is no row: bad time");
        assert_eq!(title("HTTP_418"), "Chat answered http 418");
        assert_eq!((sentence("mend it"), sentence("")), ("Mend it.".to_owned(), ".".to_owned()));
    }
}
