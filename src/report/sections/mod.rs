//! The sections of the page, a file each, and what they have in common.

pub(super) mod checks;
pub(super) mod course;
pub(super) mod refused;
pub(super) mod settings;
pub(super) mod spaces;
pub(super) mod summary;
pub(super) mod years;

use super::html::Html;
use crate::wording::shorten;

/// How much of a name is shown.
const NAME_CHARS_MAX: usize = 120;

/// A section under a heading of its own.
fn section(html: &mut Html, id: &'static str, heading: &str, inner: impl FnOnce(&mut Html)) {
    html.element("section", &[("id", &id), ("aria-labelledby", &format!("{id}-h"))], |html| {
        html.leaf("h2", &[("id", &format!("{id}-h"))], heading);
        inner(html);
    });
}

/// Something wide: on a narrow screen it moves by itself, not the page.
fn wide(html: &mut Html, label: &str, inner: impl FnOnce(&mut Html)) {
    let attributes: [(&str, &dyn std::fmt::Display); 4] =
        [("class", &"wide"), ("role", &"region"), ("aria-label", &label), ("tabindex", &"0")];
    html.element("div", &attributes, inner);
}

/// A table's heading row. Those whose name begins with `#` head figures.
fn headings(html: &mut Html, names: &[&str]) {
    html.element("thead", &[], |html| {
        html.element("tr", &[], |html| {
            for name in names {
                match name.strip_prefix('#') {
                    Some(name) => html.leaf("th", &[("scope", &"col"), ("class", &"n")], name),
                    None => html.leaf("th", &[("scope", &"col")], name),
                }
            }
        });
    });
}

/// A figure in a table. Nothing is not worth looking at.
fn figure(html: &mut Html, count: u64) {
    let class = if count == 0 { "n none" } else { "n" };
    html.leaf("td", &[("class", &class)], super::wording::thousands(count));
}

/// A space: what people call it, if that is known, and its id behind that.
fn space_name(html: &mut Html, name: &str, title: Option<&str>) {
    let id = shorten(name.strip_prefix("spaces/").unwrap_or(name), NAME_CHARS_MAX);
    let Some(title) = title else { return html.name(id) };
    html.name(shorten(title, NAME_CHARS_MAX));
    html.text(" ");
    html.element("span", &[("class", &"id")], |html| html.name(id));
}
