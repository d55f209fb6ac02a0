//! What to do about refused rows, reason by reason.

use crate::engine::SPACE_REFUSED;

/// What an operator does about rows that were refused for this reason.
pub fn of_reject(kind: &str) -> &'static str {
    match kind {
        SPACE_REFUSED => {
            "find out why Chat refuses the space (`tenure doctor INPUT` tells), mend that, and try its rows again"
        }
        "SPACE_EXPIRED" => {
            "create the space anew (tenure spaces create), and feed these rows back with the new map (--spaces)"
        }
        "INVALID_ARGUMENT" => {
            "mend what Chat complains of (an address nobody has, a time it does not take), and feed the rows back; where \
             addresses have changed, --users MAP.csv translates them"
        }
        "NOT_FOUND" => {
            "check that the space and the member are there; once they are, try the rows again, or mend them and feed them \
             back"
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
             journal after tenure rollback), or leave them out"
        }
        "KEPT_FAILING" => "Chat kept failing at these rows alone: try them again later",
        "UNDECIDED" => {
            "look whether the space holds the membership (tenure members list, tenure verify); if not, feed the row back \
             in another file"
        }
        "DOUBLED" => "the space holds the membership twice: look at it (tenure members list), and leave one",
        "PERHAPS_THERE" => {
            "not sent, since Chat may hold it: look at the space (tenure members list); if it lacks the membership, create \
             it (tenure members create)"
        }
        "NOT_SENT" => "nothing: the import was rolled back before these rows were sent",
        "NAME_TAKEN" => "choose other display names, or number them: --on-name-clash suffix",
        "overlap" | "roles-differ" | "history-sent" => {
            "mend the times or roles of these lines so that a member's stints go together, and feed them back"
        }
        // Of the line itself, by its spelling.
        kind if kind.starts_with(|c: char| c.is_ascii_lowercase()) => {
            "mend these lines, and feed them back: what is wrong is in the column `error`"
        }
        _ => "mend what Chat complains of, and feed the rows back; if it is mended elsewhere, try them again",
    }
}

/// Whether `--retry-rejected` can try such rows again as they are.
pub fn can_be_retried(kind: &str) -> bool {
    let is_of_the_line = kind.starts_with(|c: char| !c.is_ascii_uppercase());
    !is_of_the_line && !matches!(kind, "UNDECIDED" | "DOUBLED" | "PERHAPS_THERE" | "NOT_SENT")
}
