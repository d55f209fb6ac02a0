//! What to do about refused rows, reason by reason.

use crate::engine::SPACE_REFUSED;
use crate::journal::{RejectKind, SPACE_COMPLETED};

/// What can be done about history that came when its space was completed.
const TOO_LATE: &str = "nothing can add these any more: their space is completed, and Chat takes history in import mode \
                        alone. A space that is to have them is made anew (tenure spaces create CHANNELS), and all of its history \
                        imported there with a new journal";

/// What an operator does about rows that were refused for this reason, or also because they came too late.
pub fn of_rejects(reason: &RejectKind) -> &'static str {
    if reason.too_late { TOO_LATE } else { of_reject(&reason.kind) }
}

/// What an operator does about rows that were refused for this reason.
pub fn of_reject(kind: &str) -> &'static str {
    match kind {
        SPACE_REFUSED => {
            "find out why Chat refuses the space (`tenure doctor INPUT` tells), mend that, and try its rows again"
        }
        SPACE_COMPLETED => TOO_LATE,
        "SPACE_EXPIRED" => {
            "create the space anew (tenure spaces create CHANNELS), and feed these rows back with the new map (--spaces)"
        }
        "INVALID_ARGUMENT" => {
            "mend in each row what Chat complains of there (an address nobody has, a time it does not take, a group, which \
             cannot have history), and feed the rows back; where addresses have changed, --users MAP.csv translates them"
        }
        "NOT_FOUND" => {
            "check each row's space and member: is one misspelt, deleted, or of another organisation? Once they are there, \
             try the rows again as they are, or mend them and feed them back"
        }
        "PERMISSION_DENIED" => {
            "check that the member may be in this space (somebody from outside? a space for the organisation alone?), \
             then try the rows again"
        }
        "FAILED_PRECONDITION" => {
            "do what the message asks for first, then try the rows again; the only manager of a space can be removed once \
             somebody else is one"
        }
        "ALREADY_EXISTS" | "OTHER_TIMES" => {
            "Chat refuses a second stint beside the one that it holds: send them merged (--stints merge, in a new \
             journal after tenure rollback JOURNAL), or leave them out"
        }
        "KEPT_FAILING" | "NO_ANSWER" | "NO_CONNECTION" => {
            "nothing is wrong with these rows themselves, as far as Chat says: try them again later"
        }
        "UNDECIDED" => {
            "look whether each row's space holds its membership (tenure members list SPACE): if it does, nothing is left to \
             be done; if not, feed the row back in another file"
        }
        "DOUBLED" => {
            "the space holds the membership twice: look at it (tenure members list SPACE), and delete one of the two as the \
             row's message says"
        }
        "PERHAPS_THERE" => {
            "not sent, since Chat may hold it and would then hold it twice: look at each row's space (tenure members list \
             SPACE), and create what it lacks (tenure members create SPACE MEMBER)"
        }
        "NOT_SENT" => "nothing: the import was rolled back before these rows were sent",
        "NAME_TAKEN" => "choose other display names, or number them: --on-name-clash suffix",
        "overlap" | "roles-differ" | "duplicate-with-other-role" => {
            "mend the times or roles of these lines so that a member's stints go together, and feed them back"
        }
        "history-sent" => {
            "history that was sent cannot be changed: leave these lines out, or delete what was sent (tenure rollback JOURNAL) and \
             import all of it into a new journal, while the space is in import mode"
        }
        "unknown-user" => {
            "add a line for each of these people to the map (columns id, member), and feed the rows back with it (--users)"
        }
        "unknown-space" => {
            "add a line for each of these channels to the map (columns name, space), and feed the rows back with it \
             (--spaces)"
        }
        // Of the line itself, by its spelling.
        kind if kind.starts_with(|c: char| c.is_ascii_lowercase()) => {
            "mend these lines, and feed them back: what is wrong with each stands in its column `error`"
        }
        _ => "mend what Chat complains of, and feed the rows back; if it is mended elsewhere, try them again",
    }
}

/// Whether it is worth it to try such rows again as they are (`--retry-rejected`): what refuses them may have changed. A
/// membership that is in their place stays there.
pub fn can_be_retried(kind: &str) -> bool {
    let is_of_the_line = kind.starts_with(|c: char| !c.is_ascii_uppercase());
    !is_of_the_line
        && !matches!(
            kind,
            "UNDECIDED"
                | "DOUBLED"
                | "PERHAPS_THERE"
                | "NOT_SENT"
                | "OTHER_TIMES"
                | "ALREADY_EXISTS"
                | SPACE_COMPLETED
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_to_do_about_each_reason() {
        let kinds = [
            SPACE_REFUSED,
            "SPACE_EXPIRED",
            SPACE_COMPLETED,
            "INVALID_ARGUMENT",
            "NOT_FOUND",
            "PERMISSION_DENIED",
            "FAILED_PRECONDITION",
            "ALREADY_EXISTS",
            "OTHER_TIMES",
            "KEPT_FAILING",
            "UNDECIDED",
            "DOUBLED",
            "PERHAPS_THERE",
            "NOT_SENT",
            "NAME_TAKEN",
            "HTTP_418",
            "overlap",
            "duplicate-with-other-role",
            "history-sent",
            "unknown-user",
            "unknown-space",
            "bad-time",
        ];
        let told: Vec<String> = kinds
            .iter()
            .map(|kind| {
                let again = if can_be_retried(kind) { " [--retry-rejected]" } else { "" };
                format!("{kind}{again}\n    {}", of_reject(kind))
            })
            .collect();
        insta::assert_snapshot!(told.join("\n"));
    }
}
