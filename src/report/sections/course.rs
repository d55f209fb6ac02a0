//! How it went over time: the runs, how fast they went, and when the quota held them back.

use std::time::Duration;

use super::super::Figures;
use super::super::chart::{self, Column, Columns};
use super::super::course::{Sitting, Step, sittings};
use super::super::html::Html;
use super::super::wording::{Words, between, formatted, many, minute, share, thousands};
use super::{figure, headings, section, wide};
use crate::journal::{COMPLETE, Calls, JOURNALED, RunFigures};
use crate::wording::{shorten, span};

/// Runs that are listed, the last ones.
const RUNS_MAX: usize = 30;
/// Sittings that are drawn, those in which most was done.
const DRAWN_MAX: usize = 4;
/// With fewer steps there is nothing to see in a picture.
const STEPS_MIN: usize = 3;
const OUTCOME_CHARS_MAX: usize = 200;

pub(in super::super) fn write(html: &mut Html, figures: &Figures, words: Words) {
    section(html, "course", "How it went", |html| {
        if figures.runs_that_called().next().is_none() {
            html.leaf("p", &[], "No call was made yet.");
            return;
        }
        pictures(html, figures, words);
        runs(html, figures);
    });
}

fn pictures(html: &mut Html, figures: &Figures, words: Words) {
    let sittings = sittings(&figures.stretches);
    let mut busiest: Vec<usize> =
        (0..sittings.len()).filter(|place| sittings[*place].steps.len() >= STEPS_MIN).collect();
    busiest.sort_by_key(|place| std::cmp::Reverse(sittings[*place].sum(|step| step.settled)));
    busiest.truncate(DRAWN_MAX);
    busiest.sort_unstable();
    for place in &busiest {
        picture(html, figures, &sittings[*place], *place, words);
    }
    let undrawn = sittings.len() - busiest.len();
    if busiest.is_empty() && !sittings.is_empty() {
        html.leaf("p", &[], "It was over too soon for a picture of it; the figures are below.");
    } else if undrawn > 0 {
        let text = match undrawn {
            1 => "Another time, when less was done, is not drawn.".to_owned(),
            more => format!("{more} other times, when less was done, are not drawn."),
        };
        html.leaf("p", &[("class", &"aside")], text);
    }
    let told: Vec<i64> = figures.stretches.iter().map(|stretch| stretch.run).collect();
    let untold = figures.runs_that_called().filter(|run| told.binary_search(&run.id).is_err()).count() as u64;
    if untold > 0 {
        html.leaf(
            "p",
            &[("class", &"aside")],
            format!(
                "The journal does not hold how {} went over time: an earlier tenure made {}, and kept no record of it.",
                many(untold, "run"),
                if untold == 1 { "it" } else { "them" }
            ),
        );
    }
}

/// One sitting: rows settled a minute, and below it, if there were any, calls that were refused for the quota.
fn picture(html: &mut Html, figures: &Figures, sitting: &Sitting, place: usize, words: Words) {
    let step = chart::step_in_words(sitting.step);
    let settled = sitting.sum(|step| step.settled);
    let throttled = sitting.sum(|step| step.throttled);
    let pace = |count: fn(&Step) -> u64| {
        let highest = sitting.steps.iter().map(count).max().unwrap_or(0);
        sitting.per_minute(highest).round() as u64
    };
    let length = length(figures, sitting);
    let average = settled as f64 * 60.0 / length.as_secs_f64().max(1.0);
    let begun = minute(sitting.begun_at);
    let columns = |count: fn(&Step) -> u64, class: &'static str, what: &str| -> Vec<Column> {
        let column = |(place, step): (usize, &Step)| Column {
            parts: vec![(sitting.per_minute(count(step)), class)],
            about: format!(
                "{}: {} {what}",
                formatted(sitting.at(place), "%-d %b %H:%M"),
                thousands(count(step))
            ),
        };
        sitting.steps.iter().enumerate().map(column).collect()
    };
    html.element("figure", &[], |html| {
        html.element("figcaption", &[], |html| {
            html.leaf("strong", &[], format!("From {begun}, {}", span(length)));
            html.text(format!(
                ": {} settled, {} a minute on average{}.",
                words.many(settled),
                thousands(average.round() as u64),
                if throttled == 0 { "; Chat's quota never held it back" } else { "" }
            ));
        });
        wide(html, &format!("Pace from {begun}"), |html| {
            Columns {
                id: format!("pace{place}"),
                title: format!("Rows settled a minute, from {begun}"),
                description: format!(
                    "{} columns, one for each {step}: {} settled, {} a minute on average and {} at most.",
                    sitting.steps.len(),
                    words.many(settled),
                    thousands(average.round() as u64),
                    thousands(pace(|step| step.settled))
                ),
                unit: format!("settled a minute{}", in_steps(&step)),
                height: 190.0,
                columns: columns(|step| step.settled, "done", "settled"),
                labels: chart::times(sitting),
                line: configured(figures, sitting),
            }
            .draw(html);
            if throttled > 0 {
                Columns {
                    id: format!("throttling{place}"),
                    title: format!("Calls refused for the quota a minute, from {begun}"),
                    description: format!(
                        "{} refused in all, {} a minute at most. Each is made again.",
                        many(throttled, "call"),
                        thousands(pace(|step| step.throttled))
                    ),
                    unit: format!("calls refused for the quota a minute{}", in_steps(&step)),
                    height: 110.0,
                    columns: columns(|step| step.throttled, "rejected", "refused for the quota"),
                    labels: chart::times(sitting),
                    line: None,
                }
                .draw(html);
            }
        });
        as_table(html, sitting);
    });
}

/// How coarse the picture is, if it is coarser than what it counts.
fn in_steps(step: &str) -> String {
    match step {
        "minute" => String::new(),
        "hour" => ", in steps of an hour".to_owned(),
        "day" => ", in steps of a day".to_owned(),
        step => format!(", in steps of {step}"),
    }
}

/// How long a sitting took: it may have ended before its last step does.
fn length(figures: &Figures, sitting: &Sitting) -> Duration {
    let last = figures.runs.iter().find(|run| sitting.runs.last() == Some(&run.id));
    let ended = last.and_then(|run| run.ended_at).map(|end| between(sitting.begun_at, end));
    ended.map_or(sitting.length(), |took| took.min(sitting.length()))
}

/// How many writes a minute were asked for, if that is known of the sitting's runs.
fn configured(figures: &Figures, sitting: &Sitting) -> Option<(f64, String)> {
    let last = figures.runs.last()?.id;
    let settings = figures.settings.as_ref().filter(|_| sitting.runs.contains(&last))?;
    let configured = Some(settings.writes_per_minute).filter(|writes| *writes > 0)?;
    Some((f64::from(configured), format!("{} writes a minute asked for", thousands(u64::from(configured)))))
}

/// The same in figures, for who does not see the picture, or wants to know exactly.
fn as_table(html: &mut Html, sitting: &Sitting) {
    html.element("details", &[], |html| {
        html.leaf("summary", &[], "The same in figures");
        wide(html, "The same in figures", |html| {
            html.element("table", &[], |html| {
                headings(html, &["From", "#Settled", "#Refused for the quota"]);
                html.element("tbody", &[], |html| {
                    for (place, step) in sitting.steps.iter().enumerate() {
                        html.element("tr", &[], |html| {
                            html.leaf("td", &[("class", &"t")], minute(sitting.at(place)));
                            figure(html, step.settled);
                            figure(html, step.throttled);
                        });
                    }
                });
            });
        });
    });
}

fn runs(html: &mut Html, figures: &Figures) {
    let hidden = figures.runs.len().saturating_sub(RUNS_MAX);
    let mut sum = Calls::default();
    for run in &figures.runs {
        sum += run.calls;
    }
    html.leaf("h3", &[], "Runs");
    if hidden > 0 {
        html.leaf(
            "p",
            &[("class", &"aside")],
            format!("The last {RUNS_MAX} of {}.", many(figures.runs.len() as u64, "run")),
        );
    }
    wide(html, "Runs", |html| {
        html.element("table", &[], |html| {
            headings(html, &["Began", "Took", "How it ended", "#Calls", "#Over quota", "#Failed"]);
            html.element("tbody", &[], |html| {
                for run in &figures.runs[hidden..] {
                    html.element("tr", &[], |html| {
                        html.leaf("td", &[("class", &"t")], minute(run.started_at));
                        html.leaf(
                            "td",
                            &[("class", &"t")],
                            run.ended_at.map_or("–".to_owned(), |end| span(between(run.started_at, end))),
                        );
                        html.element("td", &[], |html| html.name(outcome(figures, run)));
                        calls(html, run.calls);
                    });
                }
            });
            html.element("tfoot", &[], |html| {
                html.element("tr", &[], |html| {
                    html.leaf("th", &[("scope", &"row"), ("colspan", &3)], "All runs");
                    calls(html, sum);
                });
            });
        });
    });
    if sum.throttled > 0 {
        html.leaf(
            "p",
            &[("class", &"aside")],
            format!(
                "{} of the calls were over the quota: Chat refused them, nothing was changed by that, and each is made again.",
                share(sum.throttled, sum.sent)
            ),
        );
    }
}

fn calls(html: &mut Html, calls: Calls) {
    figure(html, calls.sent);
    figure(html, calls.throttled);
    figure(html, calls.failed);
}

fn outcome(figures: &Figures, run: &RunFigures) -> String {
    let is_last = figures.runs.last().is_some_and(|last| last.id == run.id);
    match run.outcome.as_deref() {
        Some(COMPLETE) => "to its end".to_owned(),
        Some(JOURNALED) => "rows were journaled, nothing was sent".to_owned(),
        Some(outcome) => shorten(outcome, OUTCOME_CHARS_MAX),
        None if is_last && figures.running => "goes on".to_owned(),
        None => "cut off; the next run looked up what was under way".to_owned(),
    }
}
