//! What somebody most likely meant. Only ever for a message: nothing that is suggested is taken by itself.

use crate::model::{EARLIEST, Timestamp};

/// The text without what people get wrong: case, blanks, `_`, `-` and dots.
pub(super) fn plain(text: &str) -> String {
    text.chars()
        .filter(|c| !c.is_whitespace() && !matches!(c, '_' | '-' | '.' | '\u{feff}'))
        .flat_map(char::to_lowercase)
        .collect()
}

/// Whether one is a slip of the other: equal but for case and blanks, or one letter in five apart.
pub(crate) fn is_near(text: &str, word: &str) -> bool {
    let (text, word) = (plain(text), plain(word));
    let slack = (word.chars().count() / 5).max(1);
    text.chars().count().abs_diff(word.chars().count()) <= slack && distance(&text, &word) <= slack
}

/// The name that another one most likely is a slip of; of several that are as near, the first by letters. Names with other
/// digits are other names, and of a short one any other is near; a `#` before a name is none of its letters.
pub(super) fn slip_of<'a>(text: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let bare = |name: &'a str| name.trim_start_matches('#');
    let text = text.trim_start_matches('#');
    let is_long = plain(text).chars().count() >= SLIP_LETTERS_MIN;
    let near = names.filter(|name| is_long && is_near(text, bare(name)) && digits(name).eq(digits(text)));
    near.min_by_key(|name| (distance(text, bare(name)), *name))
}

fn digits(name: &str) -> impl Iterator<Item = char> {
    name.chars().filter(char::is_ascii_digit)
}

/// Below so many letters a name has no slips.
const SLIP_LETTERS_MIN: usize = 4;

/// The words that are nearest to a text; none when it is a slip of none of them.
pub(crate) fn nearest<'a>(text: &str, words: impl Iterator<Item = &'a str>) -> impl Iterator<Item = &'a str> {
    let apart: Vec<(usize, &str)> = words.map(|word| (distance(text, word), word)).collect();
    let least = apart.iter().map(|(apart, _)| *apart).min().unwrap_or_default();
    let near = least <= (text.chars().count() / 3).max(1);
    apart.into_iter().filter(move |(apart, _)| near && *apart == least).map(|(_, word)| word)
}

/// Letters to insert, delete, replace or swap with their neighbour to come from one to the other (optimal string
/// alignment).
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut rows: Vec<Vec<usize>> = vec![(0..=b.len()).collect()];
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let same = usize::from(a[i - 1] != b[j - 1]);
            let mut least = (rows[i - 1][j] + 1).min(row[j - 1] + 1).min(rows[i - 1][j - 1] + same);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                least = least.min(rows[i - 2][j - 2] + 1);
            }
            row.push(least);
        }
        rows.push(row);
    }
    rows[a.len()][b.len()]
}

/// Days from 1899-12-30, which a spreadsheet's day 0 is, to 1970.
const SHEET_DAYS: f64 = 25_569.0;

/// What a bare number most likely counts, told by how large it is: times of this century in each unit are numbers of their
/// own. Says what it would be, and what to do.
pub(super) fn unit_of(text: &str) -> Option<String> {
    let number: f64 = text.trim().parse().ok()?;
    let at = |seconds: f64| {
        let time = Timestamp::from_micros((seconds * 1e6).round() as i64).to_whole_seconds();
        (EARLIEST..Timestamp::from_micros(LATEST)).contains(&time).then_some(time)
    };
    if let Some(time) = at(number) {
        return Some(format!(
            "is it seconds since 1970, {time}? if all times are so, give --time-format epoch-s; else write it as that"
        ));
    }
    if let Some(time) = at(number / 1e3) {
        return Some(format!(
            "is it milliseconds since 1970, {time}? if all times are so, give --time-format epoch-ms; else write it as that"
        ));
    }
    if let Some(time) = at(number / 1e6) {
        return Some(format!(
            "is it microseconds since 1970, {time}? divide it by 1000 and give --time-format epoch-ms"
        ));
    }
    let time = at((number - SHEET_DAYS) * 86_400.0)?;
    Some(format!(
        "is it a spreadsheet's day number, {time}? give the column the number format yyyy-mm-dd\"T\"hh:mm:ss and save it \
         again, then give --timezone"
    ))
}

/// 2100-01-01T00:00:00Z.
const LATEST: i64 = 4_102_444_800_000_000;

/// What to do about a date that is not written as RFC 3339 has it.
pub(super) fn date_of(text: &str) -> Option<&'static str> {
    let date = text.trim().split([' ', 'T', ',']).next()?;
    let parts: Vec<&str> = date.split(['.', '/', '-']).collect();
    let digits = |part: &&str| part.bytes().all(|byte| byte.is_ascii_digit());
    let lengths: Vec<usize> = parts.iter().filter(|part| digits(part)).map(|part| part.len()).collect();
    match lengths[..] {
        [1 | 2, 1 | 2, 4] => {
            Some("write year, month and day in this order, then the time: 2021-03-05T09:30:00Z")
        }
        [4, 2, 2] if date.len() == text.trim().len() => {
            Some("a day is not enough: write the time of day, too, and its zone: 2021-03-05T09:30:00Z")
        }
        _ => None,
    }
}

/// What to do about a time that is written as RFC 3339 has it, and that no calendar and no clock has.
pub(super) fn calendar_of(text: &str) -> String {
    let number = |part: Option<&str>| part.and_then(|part| part.parse::<i8>().ok());
    let date = text.trim().get(..10).unwrap_or_default();
    let mut parts = date.split('-');
    let year = parts.next().and_then(|year| year.parse::<i16>().ok());
    let (month, day) = (number(parts.next()), number(parts.next()));
    let (Some(year), Some(month), Some(day)) = (year, month, day) else { return IN_ORDER.to_owned() };
    if month > 12 && (1..=12).contains(&day) {
        return format!("year, month and day come in this order: is it {year:04}-{day:02}-{month:02}?");
    }
    match jiff::civil::Date::new(year, month, 1) {
        Ok(first) if day > first.days_in_month() => {
            format!("that month ends with {}: correct the day", first.last_of_month())
        }
        Ok(_) if (1..=31).contains(&day) => {
            "hours go from 00 to 23, and minutes and seconds to 59; midnight is 00:00:00 of the day that begins".to_owned()
        }
        _ => IN_ORDER.to_owned(),
    }
}

const IN_ORDER: &str = "year, month and day come in this order, then the time: 2021-03-05T09:30:00Z";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_that_are_in_no_calendar() {
        for (text, expected) in [
            ("2021-13-05T09:30:00Z", "is it 2021-05-13?"),
            ("2021-02-30T09:30:00Z", "that month ends with 2021-02-28"),
            ("2021-02-03T24:30:00Z", "from 00 to 23"),
            ("2021-00-03T09:30:00Z", "in this order"),
            ("ä", "in this order"),
        ] {
            assert!(calendar_of(text).contains(expected), "{text}: {}", calendar_of(text));
        }
    }

    #[test]
    fn units_of_numbers() {
        for (text, expected) in [
            ("1614936600", "seconds since 1970, 2021-03-05T09:30:00Z?"),
            ("1614936600.25", "seconds since 1970, 2021-03-05T09:30:00Z?"),
            ("1614936600000", "milliseconds since 1970, 2021-03-05T09:30:00Z?"),
            ("1614936600000000", "microseconds since 1970, 2021-03-05T09:30:00Z?"),
            ("44260.395833333", "a spreadsheet's day number, 2021-03-05T09:29:59Z?"),
            ("44260", "a spreadsheet's day number, 2021-03-05T00:00:00Z?"),
        ] {
            assert!(unit_of(text).unwrap().contains(expected), "{text}: {:?}", unit_of(text));
        }
        for text in ["7", "2021", "1", "99999999999999999999", ""] {
            assert_eq!(unit_of(text), None, "{text}");
        }
    }

    #[test]
    fn dates_as_people_write_them() {
        assert!(date_of("04.03.2019 08:00").unwrap().contains("in this order"));
        assert!(date_of("3/4/2019").unwrap().contains("in this order"));
        assert!(date_of("2021-03-05").unwrap().contains("time of day"));
        assert_eq!((date_of("yesterday"), date_of(""), date_of("1-2")), (None, None, None));
    }

    #[test]
    fn distances() {
        for (a, b, expected) in
            [("", "", 0), ("abc", "", 3), ("role", "rloe", 1), ("space", "spaces", 1), ("ab", "cd", 2)]
        {
            assert_eq!(distance(a, b), expected, "{a} {b}");
            assert_eq!(distance(b, a), expected, "{b} {a}");
        }
    }

    #[test]
    fn slips_of_names() {
        let names = ["#sales", "#project-12", "#hr", "#sale", "#general"];
        for (text, expected) in [
            ("#slaes", Some("#sales")),
            ("#saless", Some("#sales")),
            ("#genral", Some("#general")),
            ("#projekt-12", Some("#project-12")),
            ("#project-13", None),
            ("#pr", None),
            ("#marketing", None),
            ("", None),
        ] {
            assert_eq!(slip_of(text, names.into_iter()), expected, "{text}");
        }
    }

    #[test]
    fn slips() {
        for (text, word) in [
            ("Create Time", "createTime"),
            ("delete-time", "deleteTime"),
            ("createdTime", "createTime"),
            ("spaces", "space"),
            ("Role ", "role"),
            ("mebmer", "member"),
        ] {
            assert!(is_near(text, word), "{text}");
        }
        for (text, word) in [
            ("createTime", "deleteTime"),
            ("name", "member"),
            ("notes", "role"),
            ("", "role"),
            ("place", "space ship"),
        ] {
            assert!(!is_near(text, word), "{text}");
        }
    }
}
