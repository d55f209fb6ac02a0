//! What was not done, and why.

use super::super::Figures;
use super::super::html::{Addresses, Html};
use super::super::reasons::{sentence, title};
use super::super::wording::{Words, day, many, thousands};
use super::{headings, section, space_name, wide};
use crate::journal::{RejectKind, Sample};
use crate::model::{Span, Undertaking};
use crate::remedy::rejects::of_rejects;
use crate::summary;
use crate::wording::shorten;

/// Reasons that are shown by themselves.
const REASONS_MAX: usize = 24;
/// How much of a message is shown.
const MESSAGE_CHARS_MAX: usize = 400;

pub(in super::super) fn write(html: &mut Html, figures: &Figures, words: Words) {
    section(html, "refused", "What was not done, and why", |html| {
        let tally = &figures.tally;
        let staying = figures.staying();
        if staying > 0 {
            let stay = if staying == 1 { "stays in Chat" } else { "stay in Chat" };
            let reasons =
                figures.rolled_back.iter().flat_map(|rolled_back| summary::staying(&rolled_back.stays));
            let reasons: Vec<String> =
                reasons.map(|(count, why)| format!("{} {why}", thousands(count))).collect();
            html.leaf("p", &[], format!("{} {stay}. {}.", words.many(staying), reasons.join("; ")));
        }
        if tally.done == tally.total {
            html.leaf("p", &[], "Nothing was refused, and nothing is left to do.");
            return;
        }
        if tally.rejected == 0 {
            html.leaf("p", &[], "Nothing was refused.");
        }
        for (kind, place) in figures.kinds.iter().zip(0..REASONS_MAX) {
            write_reason(html, figures, kind, place);
        }
        let more: u64 = figures.kinds.iter().skip(REASONS_MAX).map(|kind| kind.count).sum();
        if more > 0 {
            html.leaf("p", &[], format!("{} more were refused for other reasons.", thousands(more)));
        }
        if tally.rejected > 0 {
            html.element("p", &[("class", &"aside")], |html| {
                html.text("All refused rows, in the columns of the input and with the reason beside each: ");
                html.leaf("code", &[], "tenure rejects JOURNAL");
                html.text(". Mended, they can be fed back, and count anew.");
            });
        }
        waiting(html, figures, words);
    });
}

/// What is not refused and not done.
fn waiting(html: &mut Html, figures: &Figures, words: Words) {
    let tally = &figures.tally;
    if tally.pending > 0 {
        html.element("p", &[], |html| {
            html.text(format!("{} still to be sent: the work is not over. ", words.many(tally.pending)));
            html.leaf("code", &[], "tenure resume JOURNAL");
            html.text(" goes on with it.");
        });
    }
    if tally.in_flight > 0 {
        let text = format!(
            "{} sent without an answer that is known. Chat is asked about each before anything else is done, so none is \
             lost or sent twice.",
            words.many(tally.in_flight)
        );
        html.leaf("p", &[], text);
    }
    if tally.open > 0 {
        html.element("p", &[], |html| {
            html.text(match tally.open {
                1 => format!("{} of somebody who is still a member: Chat takes it", words.many(1)),
                open => format!("{} of people who are still members: Chat takes them", words.many(open)),
            });
            html.text(" once the space is completed. ");
            html.leaf("code", &[], "tenure complete JOURNAL");
            html.text(" does both.");
        });
    }
}

fn write_reason(html: &mut Html, figures: &Figures, kind: &RejectKind, place: usize) {
    html.element("article", &[("class", &"reason")], |html| {
        html.element("h3", &[], |html| {
            html.leaf("span", &[("class", &"count")], thousands(kind.count));
            html.text(" ");
            html.text(title(&kind.kind));
        });
        html.leaf("p", &[], sentence(of_rejects(kind)));
        html.element("p", &[("class", &"said")], |html| {
            let status = kind.http_status.map(|status| format!("{status} ")).unwrap_or_default();
            html.leaf("code", &[], format!("{status}{}", kind.kind));
            html.text(if kind.alike { ": " } else { ", for instance: " });
            html.name(shorten(&kind.example, MESSAGE_CHARS_MAX));
        });
        let samples = figures.samples.get(&(kind.kind.clone(), kind.http_status));
        if let Some(samples) = samples.filter(|samples| !samples.is_empty()) {
            rows(html, figures, kind, samples, place);
        }
    });
}

/// The first rows that were refused for a reason.
fn rows(html: &mut Html, figures: &Figures, kind: &RejectKind, samples: &[Sample], place: usize) {
    let shown = samples.len() as u64;
    let summary = match kind.count {
        1 => "The row".to_owned(),
        count if count == shown => format!("The {}", many(count, "row")),
        count => format!("The first {shown} of {}", many(count, "row")),
    };
    let of_channels = figures.undertaking == Undertaking::Spaces;
    let named = html.addresses() == Addresses::Shown && samples.iter().any(|sample| sample.member.is_some());
    let timed = samples.iter().any(|sample| sample.span != Span::default());
    let mut columns = vec![if of_channels { "Channel" } else { "Space" }];
    columns.extend(named.then_some("Member"));
    columns.extend(timed.then_some("From"));
    columns.extend(timed.then_some("Until"));
    columns.push("Line of the input");
    columns.extend((!kind.alike).then_some("Reason"));
    html.element("details", &[], |html| {
        html.leaf("summary", &[], summary);
        wide(html, &format!("Rows of reason {}", place + 1), |html| {
            html.element("table", &[], |html| {
                headings(html, &columns);
                html.element("tbody", &[], |html| {
                    for sample in samples {
                        html.element("tr", &[], |html| {
                            html.element("td", &[], |html| {
                                let space = sample.space.as_deref().unwrap_or("–");
                                space_name(html, space, sample.title.as_deref());
                            });
                            if named {
                                let member = sample.member.as_deref().unwrap_or("–");
                                cell(html, member.strip_prefix("users/").unwrap_or(member));
                            }
                            if timed {
                                let Span { create_time, delete_time } = sample.span;
                                html.leaf("td", &[], create_time.map_or("–".to_owned(), day));
                                html.leaf("td", &[], delete_time.map_or("–".to_owned(), day));
                            }
                            let (path, line) = &sample.origin;
                            let file = path.rsplit(['/', '\\']).next().unwrap_or(path);
                            cell(html, &format!("{file}:{line}"));
                            if !kind.alike {
                                cell(html, &shorten(&sample.error, MESSAGE_CHARS_MAX));
                            }
                        });
                    }
                });
            });
        });
    });
}

fn cell(html: &mut Html, name: &str) {
    html.element("td", &[], |html| html.name(name));
}
