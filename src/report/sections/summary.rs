//! What became of it, at one glance.

use super::super::Figures;
use super::super::chart;
use super::super::html::Html;
use super::super::wording::{Words, from_to, many, share, thousands};
use crate::model::Undertaking;

pub(in super::super) fn write(html: &mut Html, figures: &Figures, words: Words) {
    html.element("header", &[], |html| {
        if figures.is_rehearsal() {
            html.element("p", &[("class", &"flag")], |html| {
                html.leaf("strong", &[], "A rehearsal.");
                html.text(" Nothing of it has left the machine, and nothing is in Google Chat.");
            });
        }
        if figures.running {
            html.element("p", &[("class", &"flag")], |html| {
                html.leaf("strong", &[], "Going on.");
                html.text(
                    " The run was not over when this page was written: its figures are of that moment.",
                );
            });
        }
        html.leaf("h1", &[], words.heading);
        html.leaf("p", &[("class", &"lead")], verdict(figures, words));
        html.leaf("p", &[], period(figures));
    });
    let parts = parts(figures, words);
    html.element("dl", &[("class", &"figures")], |html| {
        for (count, class, name, about) in &parts {
            html.element("div", &[("class", &format!("key {class}"))], |html| {
                html.leaf("dt", &[], name);
                html.leaf("dd", &[], thousands(*count));
                html.leaf("dd", &[("class", &"about")], about);
            });
        }
    });
    if figures.tally.total > 0 {
        let drawn: Vec<(u64, &'static str, String)> = parts
            .iter()
            .map(|(count, class, name, _)| {
                (
                    *count,
                    *class,
                    format!("{name}: {}, {}", thousands(*count), share(*count, figures.tally.total)),
                )
            })
            .collect();
        html.element("figure", &[("class", &"whole")], |html| {
            chart::bar(html, &format!("What became of {}", words.many(figures.tally.total)), &drawn);
        });
    }
    for line in besides(figures, words) {
        html.leaf("p", &[("class", &"aside")], line);
    }
}

/// What is to be said first.
fn verdict(figures: &Figures, words: Words) -> String {
    let (tally, staying) = (&figures.tally, figures.staying());
    let done = tally.done.saturating_sub(staying);
    let are = if done == 1 { words.is_done } else { words.are_done };
    if tally.total == 0 {
        return format!("The journal holds no {} yet.", words.noun);
    }
    if done == tally.total {
        return match tally.total {
            1 => format!("The one {} {are}.", words.noun),
            total => format!("All {} {are}.", words.many(total)),
        };
    }
    let mut text = format!("{} of {} {are}.", thousands(done), words.many(tally.total));
    let under_way = tally.pending + tally.in_flight;
    let left: Vec<String> = [
        (staying > 0).then(|| format!("{} in Chat", stays(staying))),
        (tally.rejected > 0).then(|| format!("{} refused", was(tally.rejected))),
        (under_way > 0).then(|| format!("{} under way or still to be sent", is(under_way))),
        (tally.open > 0).then(|| format!("{} until the space is completed", waits_for(tally.open))),
    ]
    .into_iter()
    .flatten()
    .collect();
    text.push(' ');
    text += &left.join("; ");
    text.push('.');
    text
}

fn was(count: u64) -> String {
    format!("{} {}", thousands(count), if count == 1 { "was" } else { "were" })
}

fn is(count: u64) -> String {
    format!("{} {}", thousands(count), if count == 1 { "is" } else { "are" })
}

fn stays(count: u64) -> String {
    format!("{} {}", thousands(count), if count == 1 { "stays" } else { "stay" })
}

fn waits_for(count: u64) -> String {
    format!("{} {}", thousands(count), if count == 1 { "waits" } else { "wait" })
}

fn period(figures: &Figures) -> String {
    let place = if figures.is_rehearsal() { "a rehearsal" } else { figures.target.as_str() };
    match (figures.period(), figures.runs_that_called().count()) {
        (None, _) => format!("Nothing was sent yet to {place}."),
        (Some((from, to)), runs) => {
            let when = from_to(from, to);
            format!("Sent to {place} {when} (UTC), in {}.", many(runs as u64, "run"))
        }
    }
}

/// The figures that make the whole: how many, the class of their colour, their name, and what it means.
fn parts(figures: &Figures, words: Words) -> Vec<(u64, &'static str, &'static str, &'static str)> {
    let (tally, staying) = (&figures.tally, figures.staying());
    let mut parts = vec![
        (tally.done.saturating_sub(staying), "done", words.done, words.are_done),
        (tally.rejected, "rejected", "Refused", "for good, or no valid row"),
    ];
    if staying > 0 {
        parts.push((staying, "open", "Staying", "still in Chat"));
    }
    if tally.pending > 0 {
        parts.push((tally.pending, "pending", "To do", "still to be sent"));
    }
    if tally.in_flight > 0 {
        parts.push((tally.in_flight, "unclear", "In flight", "sent, answer not known yet"));
    }
    if tally.open > 0 {
        parts.push((tally.open, "open", "Open", "still members; added once their space is completed"));
    }
    parts
}

/// What the figures above do not say.
fn besides(figures: &Figures, words: Words) -> Vec<String> {
    let tally = &figures.tally;
    let mut lines = Vec::new();
    let mut line = |count: u64, text: String| {
        if count > 0 {
            lines.push(text);
        }
    };
    let unsent = figures.rolled_back.map_or(0, |rolled_back| rolled_back.unsent);
    line(unsent, format!("{} were never sent, so Google Chat never held them.", words.many(unsent)));
    let existed = if figures.rolled_back.is_some() { 0 } else { tally.existed };
    line(existed, format!("{} of those done {}.", thousands(tally.existed), words.existed));
    line(
        tally.duplicate,
        format!("{} of the input repeated another, and counted once.", many(tally.duplicate, "line")),
    );
    line(
        tally.merged,
        format!("{} of the input went into others: several stints became one.", many(tally.merged, "row")),
    );
    line(
        tally.bridged,
        format!("{} hold the history of people who are still members.", many(tally.bridged, "row")),
    );
    if figures.undertaking != Undertaking::Spaces && tally.spaces > 0 {
        let completed = match tally.spaces_completed {
            0 => String::new(),
            all if all == tally.spaces => ", all of them completed".to_owned(),
            some => format!(", {} of them completed", thousands(some)),
        };
        line(1, format!("The rows are of {}{completed}.", many(tally.spaces, "space")));
    }
    lines
}
