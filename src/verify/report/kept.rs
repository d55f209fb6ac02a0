//! What of an outcome is kept in the journal, and how that is said in short wherever the journal is shown.

use super::{Ending, Report};
use crate::journal::{Shows, Stand, Verified};
use crate::model::Timestamp;
use crate::verify::Kind;
use crate::wording::{counted, shorten, thousands};

/// How much of a reason is shown.
const WHY_CHARS_MAX: usize = 200;

/// What is kept of a look at all spaces of a journal, which stood there when it began; `None` when no list was seen.
pub fn kept(
    report: &Report,
    ending: &Ending,
    (begun_at, ended_at): (Timestamp, Timestamp),
    stand: Stand,
) -> Option<Verified> {
    let totals = &report.totals;
    let differences = Kind::ALL.iter().filter(|kind| kind.is_difference());
    let verified = Verified {
        shows: if report.present_spaces > 0 { Shows::Members } else { Shows::History },
        begun_at,
        ended_at,
        stopped: match ending {
            Ending::Whole => None,
            Ending::Interrupted => Some("interrupted".to_owned()),
            Ending::Stopped(story) => Some(story.clone()),
        },
        spaces: report.about.spaces_total,
        checked: report.checked(),
        hidden: report.hidden(),
        expected: totals.matching + totals.missing + totals.different + totals.role + totals.row_untold,
        matching: totals.matching,
        untold: totals.row_untold,
        unsettled: totals.unsettled,
        past: totals.past,
        differences: differences
            .map(|kind| (kind.as_str().to_owned(), totals.of(*kind)))
            .filter(|(_, count)| *count > 0)
            .collect(),
        stand,
    };
    (verified.checked > 0).then_some(verified)
}

/// `1,238 of 1,240 rows are listed as they should be; 2 differences: 2 missing`, and what else has to be known of it.
/// Whether something was changed since, it does not say.
pub fn in_short(found: &Verified) -> String {
    let is_one = |count: u64| if count == 1 { "is" } else { "are" };
    let was_one = |count: u64| if count == 1 { "was" } else { "were" };
    let mut parts = vec![match (found.matching, found.expected) {
        (_, 0) => "no row is expected to be listed".to_owned(),
        (matching, 1) => format!("{matching} of 1 row is listed as it should be"),
        (matching, expected) => {
            format!("{} of {} rows are listed as they should be", thousands(matching), thousands(expected))
        }
    }];
    let mut some = |count: u64, text: String| {
        if count > 0 {
            parts.push(text);
        }
    };
    let kinds: Vec<String> = found
        .differences
        .iter()
        .map(|(kind, count)| format!("{} {}", thousands(*count), kind.replace('_', " ")))
        .chain((found.hidden > 0).then(|| format!("{} not shown by Chat", counted(found.hidden, "space"))))
        .collect();
    some(
        found.differences(),
        format!("{}: {}", counted(found.differences(), "difference"), kinds.join(", ")),
    );
    some(found.untold, format!("of {} the lists do not tell", thousands(found.untold)));
    some(
        found.unsettled,
        format!("{} {} not sent yet", thousands(found.unsettled), was_one(found.unsettled)),
    );
    some(
        found.past,
        format!("{} {} of the past, which Chat no longer lists", thousands(found.past), is_one(found.past)),
    );
    if !found.is_whole() {
        let why = match &found.stopped {
            Some(why) => format!(" ({})", shorten(why.trim_end_matches('.'), WHY_CHARS_MAX)),
            None => String::new(),
        };
        let seen = format!("{} of {} seen{why}", thousands(found.checked), counted(found.spaces, "space"));
        parts.push(format!("not all of it: {seen}"));
    }
    parts.join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found() -> Verified {
        Verified {
            shows: Shows::History,
            begun_at: Timestamp::from_micros(0),
            ended_at: Timestamp::from_micros(1),
            stopped: None,
            spaces: 3,
            checked: 3,
            hidden: 0,
            expected: 1240,
            matching: 1240,
            untold: 0,
            unsettled: 0,
            past: 0,
            differences: [].into(),
            stand: Stand::default(),
        }
    }

    #[test]
    fn in_a_line() {
        assert_eq!(in_short(&found()), "1,240 of 1,240 rows are listed as they should be");
        let odd = Verified {
            expected: 1245,
            untold: 2,
            unsettled: 1,
            past: 7,
            hidden: 1,
            checked: 2,
            differences: [("missing".to_owned(), 2), ("rejected_but_held".to_owned(), 1)].into(),
            stopped: Some("interrupted".to_owned()),
            ..found()
        };
        assert_eq!(
            in_short(&odd),
            "1,240 of 1,245 rows are listed as they should be; 4 differences: 2 missing, 1 rejected but held, 1 space not \
             shown by Chat; of 2 the lists do not tell; 1 was not sent yet; 7 are of the past, which Chat no longer lists; \
             not all of it: 2 of 3 spaces seen (interrupted)"
        );
        let one = Verified { expected: 1, matching: 0, ..found() };
        assert_eq!(in_short(&one), "0 of 1 row is listed as it should be");
        assert!(in_short(&Verified { expected: 0, ..found() }).starts_with("no row is expected"));
    }
}
