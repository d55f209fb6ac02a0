//! What was looked at for this page, what came out, and what nobody can know from a journal.

use super::super::Figures;
use super::super::html::Html;
use super::super::wording::{Words, many, minute, sentence, thousands};
use super::section;
use crate::journal::{COMPLETE, JOURNALED, Shows, Verified};
use crate::model::Undertaking;
use crate::verify::in_short;

/// What came out of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Finding {
    /// As it should be.
    Right,
    /// Not yet, or not quite.
    Open,
    /// Not as it should be.
    Wrong,
    /// It cannot be told from a journal.
    Unknown,
}

impl Finding {
    fn class(self) -> &'static str {
        match self {
            Finding::Right => "right",
            Finding::Open => "still",
            Finding::Wrong => "wrong",
            Finding::Unknown => "unknown",
        }
    }

    fn word(self) -> &'static str {
        match self {
            Finding::Right => "Yes",
            Finding::Open => "Not yet",
            Finding::Wrong => "No",
            Finding::Unknown => "Not known",
        }
    }
}

pub(in super::super) fn write(html: &mut Html, figures: &Figures, words: Words) {
    section(html, "checks", "Checks", |html| {
        html.element("dl", &[("class", &"checks")], |html| {
            for (finding, question, answer) in checks(figures, words) {
                html.element("div", &[("class", &finding.class())], |html| {
                    html.leaf("dt", &[], question);
                    html.element("dd", &[], |html| {
                        html.leaf("strong", &[], finding.word());
                        html.text(format!(". {answer}"));
                    });
                });
            }
        });
    });
}

fn checks(figures: &Figures, words: Words) -> Vec<(Finding, &'static str, String)> {
    let mut checks = vec![accounted(figures), sent(figures, words)];
    checks.extend(completed(figures));
    checks.push(ended(figures));
    checks.push(held(figures));
    checks
}

/// Whether somebody has seen that Chat holds what the journal says.
fn held(figures: &Figures) -> (Finding, &'static str, String) {
    let question = "Does Google Chat hold what the journal says?";
    let mut told: Vec<String> = figures.verified.iter().map(|found| verified(figures, found)).collect();
    if figures.is_rehearsal() {
        told.insert(0, "This was a rehearsal: nothing of it was sent to Google.".to_owned());
    }
    let Some(last) = figures.verified.last() else {
        if figures.undertaking == Undertaking::Import {
            told.push(
                "Nobody has verified it yet. The journal knows what Chat has answered, call by call; tenure verify compares what \
                 Chat lists now with it, and what comes out stands here from then on."
                    .to_owned(),
            );
        } else {
            told.push(
                "The journal knows what Chat has answered, call by call; what Chat lists now, it does not."
                    .to_owned(),
            );
        }
        let finding =
            if figures.undertaking == Undertaking::Import { Finding::Open } else { Finding::Unknown };
        return (finding, question, told.join(" "));
    };
    let finding = match last {
        last if last.differences() > 0 => Finding::Wrong,
        _ if figures.is_rehearsal() || !last.is_whole() || last.stand != figures.stand => Finding::Open,
        last if last.untold > 0 => Finding::Unknown,
        _ => Finding::Right,
    };
    (finding, question, told.join(" "))
}

/// How a look at Chat's lists came out.
fn verified(figures: &Figures, found: &Verified) -> String {
    let what = match found.shows {
        Shows::History => "The history was",
        Shows::Members => "Members of today were",
    };
    let began = minute(found.begun_at);
    let mut text = format!("{what} verified on {began}: {}.", in_short(found));
    if found.stand != figures.stand {
        let changed = figures.last_change().filter(|changed| *changed > found.begun_at);
        let when = changed.map(|changed| format!(", last on {}", minute(changed))).unwrap_or_default();
        text +=
            &format!(" The journal has changed since then{when}, and that says nothing of what came later.");
    }
    text
}

/// The counters that each change has kept, held against the rows themselves.
fn accounted(figures: &Figures) -> (Finding, &'static str, String) {
    let tally = &figures.tally;
    let question = "Is every row accounted for?";
    let kept = [tally.pending, tally.in_flight, tally.done, tally.rejected, tally.open];
    let counted = match figures.undertaking {
        Undertaking::Spaces => {
            let mut counted = [0; 5];
            for channel in &figures.channels {
                counted[channel.state as usize] += 1;
            }
            counted
        }
        _ => figures.rows.states,
    };
    if counted == kept {
        let text = format!(
            "{} were counted one by one for this page, and each is in exactly one of the figures at its top.",
            many(tally.total, "row")
        );
        return (Finding::Right, question, text);
    }
    let text = format!(
        "The journal says {} and holds {}: it is damaged, or was changed by another program. Keep it as it is, and ask \
         whoever runs the migration.",
        many(tally.total, "row"),
        thousands(counted.iter().sum())
    );
    (Finding::Wrong, question, text)
}

fn sent(figures: &Figures, words: Words) -> (Finding, &'static str, String) {
    let tally = &figures.tally;
    let question = "Has everything been sent that could be?";
    if tally.pending + tally.in_flight == 0 {
        return (Finding::Right, question, "No row waits to be sent, and no answer is missing.".to_owned());
    }
    let text = format!(
        "{} to be sent, {} without an answer.",
        words.many(tally.pending),
        thousands(tally.in_flight)
    );
    (Finding::Open, question, text)
}

/// Whether people can use the spaces of an import.
fn completed(figures: &Figures) -> Option<(Finding, &'static str, String)> {
    let tally = &figures.tally;
    // Spaces that are not in import mode have nothing to be completed.
    if figures.undertaking != Undertaking::Import || figures.standard || tally.spaces == 0 {
        return None;
    }
    let question = "Are the spaces completed, so that people see them?";
    let refused =
        figures.spaces.iter().filter(|space| space.complete_error.is_some() && space.completed_at.is_none());
    let refused = refused.count() as u64;
    let left = tally.spaces.saturating_sub(tally.spaces_completed);
    Some(match (left, refused) {
        (0, _) if tally.spaces == 1 => (Finding::Right, question, "The one space is.".to_owned()),
        (0, _) => (Finding::Right, question, format!("All {} are.", many(tally.spaces, "space"))),
        (left, 0) => {
            let text = format!(
                "{} of {} are not, as far as this journal knows: tenure complete JOURNAL does it. Chat deletes a space 90 days \
                 after it was created in import mode, unless it is completed by then.",
                thousands(left),
                many(tally.spaces, "space")
            );
            (Finding::Open, question, text)
        }
        (left, refused) => {
            let text = format!(
                "{} of {} are not; Chat has refused to complete {} of them. The table of spaces says why.",
                thousands(left),
                many(tally.spaces, "space"),
                thousands(refused)
            );
            (Finding::Wrong, question, text)
        }
    })
}

fn ended(figures: &Figures) -> (Finding, &'static str, String) {
    let question = "Did the last run end in order?";
    match figures.runs.last() {
        None => (Finding::Open, question, "There was none yet.".to_owned()),
        Some(_) if figures.running => (Finding::Open, question, "It goes on.".to_owned()),
        Some(run) => match run.outcome.as_deref() {
            Some(COMPLETE | JOURNALED) => (Finding::Right, question, "It came to its end.".to_owned()),
            Some(outcome) => {
                let text = sentence(&format!("It was stopped, and can be resumed: {outcome}"));
                (Finding::Open, question, text)
            }
            None => {
                let text = "It was cut off. What was under way then is looked up in Chat before anything more is sent.";
                (Finding::Open, question, text.to_owned())
            }
        },
    }
}
