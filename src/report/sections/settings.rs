//! What it was done with.

use super::super::Figures;
use super::super::html::Html;
use super::super::wording::{Words, many, minute, thousands};
use super::{figure, headings, section, wide};
use crate::chat::Access;
use crate::model::{Stints, Undertaking};
use crate::settings::Settings;

/// Files that are listed.
const SOURCES_MAX: usize = 50;

pub(in super::super) fn write(html: &mut Html, figures: &Figures, _: Words) {
    section(html, "settings", "Settings", |html| {
        html.element("dl", &[("class", &"settings")], |html| {
            for (name, value) in settings(figures) {
                html.element("div", &[], |html| {
                    html.leaf("dt", &[], name);
                    html.element("dd", &[], |html| html.name(value));
                });
            }
        });
        sources(html, figures);
    });
}

fn settings(figures: &Figures) -> Vec<(&'static str, String)> {
    let mut list = vec![("Sent to", place(figures)), ("Journal", figures.journal.clone())];
    if figures.undertaking == Undertaking::Import {
        let stints = match figures.policy.stints {
            Stints::Each => "each a membership of its own",
            Stints::Merge => "merged into one membership, from the first beginning to the last end",
        };
        list.push(("Several stints of one person in one space", stints.to_owned()));
        if figures.policy.bridges {
            list.push((
                "People who are still members",
                "also with their history until the import".to_owned(),
            ));
        }
    }
    let Some(settings) = &figures.settings else {
        list.push(("Pace and account", "no run has told them yet".to_owned()));
        return list;
    };
    list.push(("In what capacity", capacity(settings).to_owned()));
    if let Some(subject) = settings.impersonate.as_ref().filter(|_| settings.access != Access::App) {
        list.push(("Acting for", subject.clone()));
    }
    let limit = |value: u32| match value {
        0 => "no limit".to_owned(),
        value => thousands(u64::from(value)),
    };
    list.push(("Writes a minute, at most", limit(settings.writes_per_minute)));
    list.push(("Writes a minute in one space, at most", limit(settings.writes_per_minute_per_space)));
    list.push(("Reads a minute, at most", limit(settings.reads_per_minute)));
    if let Some(run) = figures.runs.last() {
        list.push(("Version of tenure, last run", run.version.clone()));
    }
    list
}

fn place(figures: &Figures) -> String {
    if figures.is_inside() {
        "a Chat API inside the program: a rehearsal".to_owned()
    } else if figures.is_rehearsal() {
        format!("{}, a Chat API on the same machine: a rehearsal", figures.target)
    } else {
        figures.target.clone()
    }
}

fn capacity(settings: &Settings) -> &'static str {
    match settings.access {
        Access::Import => "into spaces in import mode",
        Access::User => "as a person who is in the spaces",
        Access::Admin => "as an administrator of the organisation",
        Access::App => "as the Chat app",
    }
}

fn sources(html: &mut Html, figures: &Figures) {
    if figures.sources.is_empty() {
        return;
    }
    html.leaf("h3", &[], "Files that were read");
    wide(html, "Files that were read", |html| {
        html.element("table", &[], |html| {
            headings(html, &["File", "Last read", "#Rows", "#Repeated", "#Invalid"]);
            html.element("tbody", &[], |html| {
                for source in figures.sources.iter().take(SOURCES_MAX) {
                    html.element("tr", &[], |html| {
                        let file = source.path.rsplit(['/', '\\']).next().unwrap_or(&source.path);
                        html.element("td", &[], |html| html.name(file));
                        html.leaf("td", &[("class", &"t")], minute(source.read_at));
                        figure(html, source.rows);
                        figure(html, source.duplicates);
                        figure(html, source.invalid);
                    });
                }
            });
        });
    });
    let more = figures.sources.len().saturating_sub(SOURCES_MAX) as u64;
    if more > 0 {
        html.leaf("p", &[("class", &"aside")], format!("And {} more.", many(more, "file")));
    }
}
