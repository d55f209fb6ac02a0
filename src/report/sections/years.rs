//! The timeline of memberships: how many were held in each year, in all spaces and in the largest.

use super::super::Figures;
use super::super::chart::{Column, Columns};
use super::super::html::Html;
use super::super::wording::{Words, day, many, thousands};
use super::{figure, headings, section, space_name, wide};
use crate::model::Undertaking;

/// Labels below the years, at most.
const LABELS_MAX: usize = 16;
/// Shades of the table.
const SHADES: u64 = 5;

pub(in super::super) fn write(html: &mut Html, figures: &Figures, words: Words) {
    // Of what is removed or changed the input names no times that count.
    if figures.undertaking != Undertaking::Import || figures.rows.years.is_empty() {
        return;
    }
    section(html, "years", "Memberships by year", |html| {
        if let Some((first, last)) = figures.rows.span {
            html.leaf(
                "p",
                &[],
                format!(
                    "The rows tell of {} to {}. A membership counts in every year in which it was held, one that goes on \
                     until today.",
                    day(first),
                    day(last)
                ),
            );
        }
        picture(html, figures, words);
        by_space(html, figures);
    });
}

fn picture(html: &mut Html, figures: &Figures, words: Words) {
    let years = &figures.rows.years;
    let others: u64 = years.values().map(|year| year.others).sum();
    let most = years.iter().max_by_key(|(_, year)| year.done + year.others);
    let (Some((from, _)), Some((to, _)), Some((peak, of_peak))) =
        (years.first_key_value(), years.last_key_value(), most)
    else {
        return;
    };
    let every = years.len().div_ceil(LABELS_MAX);
    let label = |(place, year): (usize, &i16)| {
        let at = (place as f64 + 0.5) / years.len() as f64;
        (place % every == 0).then(|| (at, year.to_string()))
    };
    html.element("figure", &[], |html| {
        html.element("figcaption", &[], |html| {
            html.leaf("strong", &[], "In all spaces");
            if others > 0 {
                html.leaf("span", &[("class", &"key done")], words.done);
                html.leaf("span", &[("class", &"key pending")], "not, or not yet");
            }
        });
        wide(html, "Memberships by year, in all spaces", |html| {
            Columns {
                id: "years".to_owned(),
                title: "Memberships held in each year, in all spaces".to_owned(),
                description: format!(
                    "From {from} to {to}; most of them in {peak}: {}.",
                    words.many(of_peak.done + of_peak.others)
                ),
                unit: "memberships held in the year".to_owned(),
                height: 200.0,
                columns: years
                    .iter()
                    .map(|(year, held)| Column {
                        parts: vec![(held.done as f64, "done"), (held.others as f64, "pending")],
                        about: format!("{year}: {}", words.many(held.done + held.others)),
                    })
                    .collect(),
                labels: years.keys().enumerate().filter_map(label).collect(),
                line: None,
            }
            .draw(html);
        });
        html.element("details", &[], |html| {
            html.leaf("summary", &[], "The same in figures");
            wide(html, "The same in figures", |html| {
                html.element("table", &[], |html| {
                    headings(html, &["Year", &format!("#{}", words.done), "#Not, or not yet"]);
                    html.element("tbody", &[], |html| {
                        for (year, held) in years {
                            html.element("tr", &[], |html| {
                                html.leaf("td", &[], year);
                                figure(html, held.done);
                                figure(html, held.others);
                            });
                        }
                    });
                });
            });
        });
    });
}

/// A table of spaces and years, darker where more were held: it reads as a picture, and as itself.
fn by_space(html: &mut Html, figures: &Figures) {
    let mut spaces: Vec<_> = figures
        .spaces
        .iter()
        .filter_map(|space| {
            Some((space, figures.rows.spaces.get(&space.id).filter(|years| !years.is_empty())?))
        })
        .collect();
    spaces.sort_by_key(|(space, _)| std::cmp::Reverse(space.rows()));
    if spaces.is_empty() {
        return;
    }
    let most = spaces.iter().flat_map(|(_, years)| years.values()).max().copied().unwrap_or(1);
    let years: Vec<i16> = figures.rows.years.keys().copied().collect();
    let short: Vec<String> = years.iter().map(|year| format!("#{year}")).collect();
    let names: Vec<&str> = ["Space"].into_iter().chain(short.iter().map(String::as_str)).collect();
    html.element("figure", &[], |html| {
        html.element("figcaption", &[], |html| {
            html.leaf("strong", &[], "By space");
            if spaces.len() < figures.spaces.len() {
                let all = many(figures.spaces.len() as u64, "space");
                html.text(format!(": the {} largest of {all}", spaces.len()));
            }
        });
        wide(html, "Memberships by space and year", |html| {
            html.element("table", &[("class", &"heat")], |html| {
                headings(html, &names);
                html.element("tbody", &[], |html| {
                    for (space, held) in &spaces {
                        html.element("tr", &[], |html| {
                            html.element("th", &[("scope", &"row")], |html| {
                                space_name(html, &space.name, space.title.as_deref());
                            });
                            for year in &years {
                                let held = held.get(year).copied().unwrap_or(0);
                                let text = if held == 0 { String::new() } else { thousands(held) };
                                html.leaf("td", &[("class", &format!("n h{}", shade(held, most)))], text);
                            }
                        });
                    }
                });
            });
        });
    });
}

/// Which shade a figure has. By its root, since a few spaces are far larger than the others.
fn shade(held: u64, most: u64) -> u64 {
    match held {
        0 => 0,
        held => ((held as f64 / most.max(1) as f64).sqrt() * SHADES as f64).ceil().clamp(1.0, SHADES as f64)
            as u64,
    }
}
