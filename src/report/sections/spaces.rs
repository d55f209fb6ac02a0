//! The table of spaces, or of channels: the one part of the page that a script helps with, to search and to sort.

use super::super::Figures;
use super::super::html::Html;
use super::super::wording::{Words, day, many, thousands};
use super::{NAME_CHARS_MAX, figure, headings, section, space_name, wide};
use crate::journal::{ChannelFigures, SpaceFigures};
use crate::model::{State, Undertaking};
use crate::wording::shorten;

/// Spaces with a line of their own. More make a page that no browser scrolls with ease; the others are summed up.
const LINES_MAX: usize = 5000;
/// What these lines take of the page, about, in bytes: names and messages may be long.
const LINES_BYTES_MAX: usize = 2_500_000;
/// How much of a message is shown.
const MESSAGE_CHARS_MAX: usize = 200;

pub(in super::super) fn write(html: &mut Html, figures: &Figures, words: Words) {
    if figures.undertaking == Undertaking::Spaces {
        section(html, "spaces", "Channels", |html| channels(html, figures));
    } else if !figures.spaces.is_empty() {
        section(html, "spaces", "Spaces", |html| spaces(html, figures, words));
    }
}

/// What has trouble comes first, then what is large.
fn in_order(spaces: &[SpaceFigures]) -> Vec<&SpaceFigures> {
    let mut spaces: Vec<&SpaceFigures> = spaces.iter().collect();
    spaces.sort_by(|a, b| {
        let rank = |space: &SpaceFigures| (space.of(State::Rejected), waiting(space), space.rows());
        rank(b).cmp(&rank(a)).then_with(|| a.name.cmp(&b.name))
    });
    spaces
}

fn waiting(space: &SpaceFigures) -> u64 {
    space.of(State::Pending) + space.of(State::InFlight)
}

/// A column of the table: its heading, and its figure for a space.
type Count = (&'static str, fn(&SpaceFigures) -> u64);

fn spaces(html: &mut Html, figures: &Figures, words: Words) {
    let spaces = in_order(&figures.spaces);
    let counts: [Count; 5] = [
        ("Rows", SpaceFigures::rows),
        (words.done, |space| space.of(State::Done)),
        ("Refused", |space| space.of(State::Rejected)),
        ("Waiting", waiting),
        ("Open", |space| space.of(State::Open)),
    ];
    let sum = |of: fn(&SpaceFigures) -> u64, spaces: &[&SpaceFigures]| -> u64 {
        spaces.iter().map(|space| of(space)).sum()
    };
    // A column of noughts says nothing.
    let counts: Vec<Count> = counts
        .into_iter()
        .enumerate()
        .filter(|(place, (_, of))| *place < 3 || sum(*of, &spaces) > 0)
        .map(|(_, count)| count)
        .collect();
    let figures_named: Vec<String> = counts.iter().map(|(name, _)| format!("#{name}")).collect();
    let names: Vec<&str> =
        ["Space"].into_iter().chain(figures_named.iter().map(String::as_str)).chain(["State"]).collect();
    let (lines, shown) = lines(html, &spaces, |html, space| {
        html.element("td", &[], |html| space_name(html, &space.name, space.title.as_deref()));
        for (_, of) in &counts {
            figure(html, of(space));
        }
        html.leaf("td", &[], state(space));
    });
    let rest = &spaces[shown..];
    searched(html, "Find a space", shown, spaces.len(), |html| {
        headings(html, &names);
        html.element("tbody", &[], |html| html.append(lines));
        html.element("tfoot", &[], |html| {
            if !rest.is_empty() {
                total(html, &format!("{} more", thousands(rest.len() as u64)), &counts, |of| sum(of, rest));
            }
            total(html, "All", &counts, |of| sum(of, &spaces));
        });
    });
    let invalid: u64 = figures.sources.iter().map(|source| source.invalid).sum();
    if invalid > 0 {
        let text =
            format!("Besides, {} of the input named no space, or no valid row.", many(invalid, "line"));
        html.leaf("p", &[("class", &"aside")], text);
    }
}

/// The lines of a table, as many as the page has room for, and how many these are.
fn lines<T>(html: &Html, all: &[T], cells: impl Fn(&mut Html, &T)) -> (Html, usize) {
    let mut lines = Html::new(html.addresses());
    for (place, one) in all.iter().enumerate() {
        if place == LINES_MAX || lines.len() > LINES_BYTES_MAX {
            return (lines, place);
        }
        lines.element("tr", &[], |html| cells(html, one));
    }
    (lines, all.len())
}

fn total(html: &mut Html, name: &str, counts: &[Count], sum: impl Fn(fn(&SpaceFigures) -> u64) -> u64) {
    html.element("tr", &[], |html| {
        html.leaf("th", &[("scope", &"row")], name);
        for (_, of) in counts {
            figure(html, sum(*of));
        }
        html.leaf("td", &[], "");
    });
}

fn state(space: &SpaceFigures) -> String {
    match (space.completed_at, &space.complete_error) {
        (Some(at), _) => format!("completed {}", day(at)),
        (None, Some(error)) => format!("not completed: {}", shorten(error, MESSAGE_CHARS_MAX)),
        (None, None) if waiting(space) > 0 => "under way".to_owned(),
        (None, None) => "settled".to_owned(),
    }
}

fn channels(html: &mut Html, figures: &Figures) {
    let mut channels: Vec<&ChannelFigures> = figures.channels.iter().collect();
    channels.sort_by_key(|channel| channel.state != State::Rejected);
    let (lines, shown) = lines(html, &channels, |html, channel| {
        let space = channel.space.as_deref().unwrap_or("–");
        let space = space.strip_prefix("spaces/").unwrap_or(space);
        for name in [channel.name.as_str(), &channel.made_as, space] {
            html.element("td", &[], |html| html.name(shorten(name, NAME_CHARS_MAX)));
        }
        html.leaf("td", &[], made(channel));
        let until = channel.expires_at.filter(|_| !channel.completed);
        html.leaf("td", &[], until.map_or("–".to_owned(), day));
    });
    searched(html, "Find a channel", shown, channels.len(), |html| {
        headings(html, &["Channel", "Name of the space", "Space", "State", "To be completed by"]);
        html.element("tbody", &[], |html| html.append(lines));
    });
}

fn made(channel: &ChannelFigures) -> &'static str {
    match channel.state {
        _ if channel.completed => "completed",
        State::Pending | State::Open => "to do",
        State::InFlight => "in flight",
        State::Done => "made",
        State::Rejected | State::Replaced => "refused",
    }
}

/// A table that the script makes searchable; without it there is the browser's own search.
fn searched(html: &mut Html, find: &str, shown: usize, all: usize, table: impl FnOnce(&mut Html)) {
    if shown < all {
        let text = format!(
            "{} of {}: those with something refused or left to do first, then the largest.",
            thousands(shown as u64),
            thousands(all as u64)
        );
        html.leaf("p", &[("class", &"aside")], text);
    }
    html.element("p", &[("class", &"find"), ("hidden", &"")], |html| {
        html.element("label", &[], |html| {
            html.text(format!("{find} "));
            let input: [(&str, &dyn std::fmt::Display); 3] =
                [("type", &"search"), ("autocomplete", &"off"), ("spellcheck", &"false")];
            html.tag("input", &input);
        });
        html.element("output", &[], |_| {});
    });
    wide(html, find, |html| html.element("table", &[("class", &"searched")], table));
    html.leaf(
        "p",
        &[("class", &"printed aside")],
        "Printed are the first hundred lines; the page itself has them all.",
    );
}
