//! One line with its value underlined, in the columns that there are.

use unicode_width::UnicodeWidthChar;

use super::calm;
use crate::input::Excerpt;
use crate::wording::width;

/// Where the line goes on.
const CUT: char = '…';
/// Columns that a tab takes here, wherever it stands.
const TAB: &str = "    ";

/// A line as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Shown {
    /// What stands before the value, the value, and what stands behind it: printable, and cut around the value.
    pub(super) parts: [String; 3],
    /// Columns before the underline.
    pub(super) indent: usize,
    /// Columns of the underline: at least one.
    pub(super) length: usize,
}

/// Fits a line into so many columns: first the value, of what is left two thirds for what stands before it, or more where
/// there is nothing behind it.
pub(super) fn fit(excerpt: &Excerpt, columns: usize) -> Shown {
    let [before, value, after] =
        [&excerpt.before, &excerpt.value, &excerpt.after].map(|text| printable(text));
    let most = columns.saturating_sub(2).max(1);
    // Where the value itself is cut, nothing behind it is shown.
    let (after, cut_after) =
        if width(&value) > most { (String::new(), false) } else { (after, excerpt.cut_after) };
    let value = head(&value, most, false);
    let length = width(&value).max(1);
    let room = columns.saturating_sub(length);
    let (wide_before, wide_after) =
        (width(&before) + usize::from(excerpt.cut_before), width(&after) + usize::from(excerpt.cut_after));
    let for_after = wide_after.min((room / 3).max(room.saturating_sub(wide_before)));
    let before = tail(&before, room - for_after, excerpt.cut_before);
    // An empty value has a column of its own where nothing stands behind it.
    let taken = width(&before) + if value.is_empty() { 0 } else { length };
    let after = head(&after, columns.saturating_sub(taken), cut_after);
    Shown { indent: width(&before), length, parts: [before, value, after] }
}

/// Tabs as blanks, and what would do something on a terminal escaped.
fn printable(text: &str) -> String {
    calm(&text.replace('\t', TAB)).into_owned()
}

/// Its beginning, in at most so many columns; `cut` says that it goes on behind its end.
fn head(text: &str, columns: usize, cut: bool) -> String {
    if width(text) + usize::from(cut) <= columns {
        return if cut { format!("{text}{CUT}") } else { text.to_owned() };
    }
    let mut shown = String::new();
    let mut taken = 1;
    for c in text.chars() {
        taken += c.width().unwrap_or(0);
        if taken > columns {
            break;
        }
        shown.push(c);
    }
    if columns > 0 {
        shown.push(CUT);
    }
    shown
}

/// Its end, in at most so many columns; `cut` says that there is something before its beginning.
fn tail(text: &str, columns: usize, cut: bool) -> String {
    if width(text) + usize::from(cut) <= columns {
        return if cut { format!("{CUT}{text}") } else { text.to_owned() };
    }
    let mut taken = 1;
    let mut begin = text.len();
    for (place, c) in text.char_indices().rev() {
        taken += c.width().unwrap_or(0);
        if taken > columns {
            break;
        }
        // A mark that combines with a character stays with it.
        if c.width().unwrap_or(0) > 0 {
            begin = place;
        }
    }
    if columns > 0 { format!("{CUT}{}", &text[begin..]) } else { String::new() }
}
