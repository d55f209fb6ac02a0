//! How figures and names are written for people.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::io;
use std::time::Duration;

use jiff::Zoned;
use unicode_width::UnicodeWidthChar;

use crate::model::{Pace, PaceReason, is_unseen};

/// `1 row`, `12 rows`.
pub fn many(count: u64, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}

/// `1,234,567`.
pub fn thousands(count: u64) -> String {
    indicatif::HumanCount(count).to_string()
}

/// `1 row`, `12,000 rows`.
pub fn counted(count: u64, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{} {noun}s", thousands(count)) }
}

/// What is said in place of a speed and an end while there are none.
pub const NOTHING_MOVES: &str = "nothing moves at the moment";

/// A rate: by the second when it is fast, else by the minute.
pub fn rate(per_second: f64) -> String {
    if per_second >= 10.0 { format!("{per_second:.0}/s") } else { format!("{:.0}/min", per_second * 60.0) }
}

/// How fast a run goes, and why not faster.
pub fn pace(pace: &Pace) -> String {
    let configured = match pace.configured {
        0 => "no limit configured".to_owned(),
        configured => format!("{configured} writes/min configured"),
    };
    let waits = Some("waiting for the connection".to_owned()).filter(|_| pace.why == PaceReason::Unreachable);
    let reasons: Vec<String> =
        waits.into_iter().chain(pace.reasons().into_iter().map(|why| why.text)).collect();
    if reasons.is_empty() { configured } else { format!("{} ({configured})", reasons.join(", ")) }
}

/// What became of a file or folder, and what to do about it, in place of the system's own words.
pub fn trouble(error: &io::Error) -> String {
    use io::ErrorKind;
    match error.kind() {
        ErrorKind::NotFound => {
            "there is no such file or folder; relative paths start in the current folder".to_owned()
        }
        ErrorKind::PermissionDenied => {
            "you have no permission for that; ask its owner, or see its mode with ls -l".to_owned()
        }
        ErrorKind::IsADirectory => "it is a folder, not a file".to_owned(),
        ErrorKind::NotADirectory => "a part of its path is a file, not a folder".to_owned(),
        ErrorKind::AlreadyExists => "it is there already".to_owned(),
        ErrorKind::ReadOnlyFilesystem => "it lies on a disk that cannot be written to".to_owned(),
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
            format!("there is no room left ({error}); make room, and do it again")
        }
        _ => error.to_string(),
    }
}

/// The same of a file that was to be made.
pub fn trouble_making(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => {
            "the folder that it was to lie in is not there; make that first".to_owned()
        }
        _ => trouble(error),
    }
}

/// The same of an address that was to be listened on.
pub fn trouble_listening(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::AddrInUse => "another program listens there already".to_owned(),
        io::ErrorKind::AddrNotAvailable => "this machine has no such address".to_owned(),
        io::ErrorKind::PermissionDenied => {
            "this account may not listen there, as mostly below port 1024".to_owned()
        }
        _ => error.to_string(),
    }
}

/// A time span in its two largest units: `3 s`, `12 min`, `5 h 20 min`, `2 d 7 h`.
pub fn span(duration: Duration) -> String {
    let seconds = duration.as_secs() + u64::from(duration.subsec_millis() >= 500);
    match seconds {
        0 => "under 1 s".to_owned(),
        1..60 => format!("{seconds} s"),
        60..600 => format!("{} min {} s", seconds / 60, seconds % 60),
        600..3600 => format!("{} min", seconds / 60),
        3600..86400 => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
        _ => format!("{} d {} h", seconds / 86400, seconds % 86400 / 3600),
    }
}

/// When it is so long after now, for somebody who looks at it now: `today 21:47`, `Sat 2026-11-28 10:12`; `None` beyond
/// the end of the calendar.
pub fn when(now: &Zoned, after: Duration) -> Option<String> {
    let then = now.checked_add(after).ok()?;
    let today = then.date() == now.date();
    Some(if today { then.strftime("today %H:%M").to_string() } else { moment(&then) })
}

/// A day and the time of day, for people: `Sat 2026-11-28 10:12`.
pub fn moment(time: &Zoned) -> String {
    time.strftime("%a %Y-%m-%d %H:%M").to_string()
}

/// How wide a text is, so that it fits a terminal of 80 columns with a margin of two.
pub const COLUMNS: usize = 78;

/// Columns that a text takes on a terminal: two for a character of East Asia, none for a mark that combines with another,
/// and none for what colours the text.
pub fn width(text: &str) -> usize {
    let mut colours = false;
    let mut taken = 0;
    for c in text.chars() {
        match (colours, c) {
            (false, '\u{1b}') => colours = true,
            (false, c) => taken += c.width().unwrap_or(0),
            (true, c) => colours = c != 'm',
        }
    }
    taken
}

/// The text in lines of at most so many columns, broken between words where there are any; a figure stays with its unit.
pub fn wrapped(text: &str, columns: usize) -> String {
    let mut words: Vec<String> = Vec::new();
    for word in text.split(' ') {
        match words.last_mut() {
            Some(figure) if is_unit(word) && is_figure(figure) => {
                figure.push(' ');
                figure.push_str(word);
            }
            _ => words.push(word.to_owned()),
        }
    }
    let mut lines: Vec<String> = Vec::new();
    for word in words {
        match lines.last_mut() {
            Some(line) if width(line) + 1 + width(&word) <= columns => {
                line.push(' ');
                line.push_str(&word);
            }
            // Of several blanks none begins a line.
            Some(_) if word.is_empty() => {}
            _ => lines.push(word),
        }
    }
    let lines: Vec<&str> = lines.iter().map(|line| line.trim_end()).collect();
    lines.join("\n")
}

fn is_figure(word: &str) -> bool {
    word.starts_with(|c: char| c.is_ascii_digit())
        && word.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | ','))
}

fn is_unit(word: &str) -> bool {
    let unit = word.trim_end_matches(|c: char| c.is_ascii_punctuation() && c != '%');
    matches!(unit, "ms" | "s" | "min" | "h" | "d" | "%" | "KB" | "MB" | "GB")
}

/// Fewer columns than these hold too few words to go on in.
const ROOM_MIN: usize = 20;

/// Lines that are wider than a terminal, broken between words; what goes on stands below the line's last column, where
/// there is room for it, and else below one before that. Commands stay whole, to be copied; one behind a colon has a line of
/// its own.
pub fn fitted(text: &str, columns: usize) -> String {
    text.split_inclusive('\n').map(|line| fitted_line(line, columns)).collect()
}

fn fitted_line(line: &str, columns: usize) -> String {
    let (words, end) = line.strip_suffix('\n').map_or((line, ""), |words| (words, "\n"));
    let begins = column_begins(words);
    let is_command = begins.iter().any(|begin| words[*begin..].starts_with("tenure "));
    if width(words) <= columns || is_command {
        return line.to_owned();
    }
    if let Some((story, command)) = words.split_once(": tenure ")
        && !command.contains([',', ';', ')'])
    {
        let begins = begins.iter().rev().map(|begin| width(&words[..*begin]));
        let indent = begins.into_iter().find(|indent| indent + ROOM_MIN <= columns).unwrap_or(0);
        let story = fitted_line(&format!("{story}:\n"), columns);
        return format!("{story}{:indent$}tenure {command}{end}", "");
    }
    let room = |begin: usize| columns.saturating_sub(width(&words[..begin]));
    let holds_words = |begin: usize| words[begin..].split(' ').all(|word| width(word) <= room(begin));
    let roomy: Vec<usize> = begins.into_iter().rev().filter(|begin| room(*begin) >= ROOM_MIN).collect();
    let whole = roomy.iter().copied().find(|begin| holds_words(*begin));
    let begin = whole.or(roomy.first().copied()).unwrap_or(0);
    let (head, rest) = words.split_at(begin);
    let indent = width(head);
    let below = format!("\n{}", " ".repeat(indent));
    format!("{head}{}{end}", wrapped(rest, columns - indent).replace('\n', &below))
}

/// Where the columns of a line begin: its beginning, and whatever stands behind several blanks.
fn column_begins(line: &str) -> Vec<usize> {
    let mut begins = vec![0];
    let mut blanks = 0;
    for (place, c) in line.char_indices() {
        if c == ' ' {
            blanks += 1;
        } else {
            begins.extend((blanks > 1).then_some(place));
            blanks = 0;
        }
    }
    begins
}

/// The text with a full stop, unless it has an end of its own or ends with an address, which would not be the same with one.
pub fn sentence(text: &str) -> String {
    let is_address = text.rsplit(' ').next().is_some_and(|word| word.contains("://"));
    if is_address || text.ends_with(['.', '!', '?']) { text.to_owned() } else { format!("{text}.") }
}

/// The text on one line, with one blank between words.
pub fn one_line(text: &str) -> String {
    let words: Vec<&str> =
        text.split(|c: char| c.is_control() || c == ' ').filter(|word| !word.is_empty()).collect();
    words.join(" ")
}

/// The text on one line, cut to so many characters.
pub fn shorten(text: &str, chars_max: usize) -> String {
    let mut short: String =
        text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(chars_max).collect();
    if text.chars().nth(chars_max).is_some() {
        short.pop();
        short.push('…');
    }
    short
}

/// Whether a character would do something on a terminal instead of standing there: control characters, of which ESC and
/// U+009B begin sequences, and what is invisible or turns the direction of writing.
pub fn disturbs(c: char) -> bool {
    c.is_control() || is_unseen(c)
}

/// A text of any number of lines as it may reach a terminal: whatever else disturbs is written as JSON escapes it, so that
/// JSON says the same as before.
pub fn harmless(text: &str) -> Cow<'_, str> {
    let disturbing = |c: char| disturbs(c) && !matches!(c, '\n' | '\t');
    if !text.contains(disturbing) {
        return text.into();
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if disturbing(c) {
            // Writing to a text does not fail.
            let _ = write!(shown, "\\u{:04x}", u32::from(c));
        } else {
            shown.push(c);
        }
    }
    shown.into()
}

/// A file name as a shell takes it.
pub fn quoted(name: &str) -> String {
    let plain =
        |c: char| c.is_alphanumeric() || matches!(c, '.' | '/' | '-' | '_' | '+' | ',' | ':' | '@' | '=');
    if !name.is_empty() && !name.starts_with('-') && name.chars().all(plain) {
        name.to_owned()
    } else if name.starts_with('-') {
        format!("'./{}'", name.replace('\'', r"'\''"))
    } else {
        format!("'{}'", name.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::SlowedSpace;

    #[test]
    fn lines_fit_a_terminal_and_commands_stay_whole() {
        let text = "short\n  open   57   still members: added once their space is completed\n\
                    go on     tenure resume a-rather-long-name.journal.db\n";
        assert_eq!(
            fitted(text, 40),
            "short\n  open   57   still members: added once\n              their space is completed\n\
             go on     tenure resume a-rather-long-name.journal.db\n"
        );
        assert_eq!(fitted(text, 80), text);
        assert_eq!(
            fitted("verified  not yet: tenure verify long-name.journal.db\n", 50),
            "verified  not yet:\n          tenure verify long-name.journal.db\n"
        );
        // The last column is too far to the right for words to go on there.
        let row = "complete          12  spaces.completeImport  the end of import mode\n";
        assert_eq!(
            fitted(row, 60),
            "complete          12  spaces.completeImport  the end of\n                      import mode\n"
        );
        // A word that would be broken there stands further to the left.
        let row = "  endpoint      https://chat.example.com/  default";
        assert_eq!(fitted(row, 36), "  endpoint\n  https://chat.example.com/  default");
        assert_eq!(
            fitted("\u{1b}[1mfour\u{1b}[0m more words here", 15),
            "\u{1b}[1mfour\u{1b}[0m more words\nhere"
        );
    }

    #[test]
    fn spans_and_rates() {
        for (seconds, text) in [
            (0, "under 1 s"),
            (59, "59 s"),
            (61, "1 min 1 s"),
            (720, "12 min"),
            (19_200, "5 h 20 min"),
            (200_000, "2 d 7 h"),
        ] {
            assert_eq!(span(Duration::from_secs(seconds)), text);
        }
        assert_eq!((rate(4.99), rate(98.6)), ("299/min".to_owned(), "99/s".to_owned()));
    }

    #[test]
    fn how_fast_and_why() {
        let slowest = SlowedSpace { space: "spaces/A".to_owned(), writes_per_minute: 30 };
        let mut throttled = Pace {
            writes_per_minute: 600,
            configured: 6000,
            why: PaceReason::ProjectQuota,
            slowed_spaces: 1,
            slowest: Some(slowest),
        };
        let story =
            "throttled by project quota to 600/min, spaces/A slowed to 30/min (6000 writes/min configured)";
        assert_eq!(pace(&throttled), story);
        throttled.slowed_spaces = 3;
        throttled.why = PaceReason::Unreachable;
        let story =
            "waiting for the connection, 3 spaces slowed, spaces/A to 30/min (6000 writes/min configured)";
        assert_eq!(pace(&throttled), story);
        assert_eq!(pace(&Pace { configured: 300, ..Pace::default() }), "300 writes/min configured");
    }

    #[test]
    fn clock_and_date() {
        let now: Zoned = "2026-11-27T20:15:00+01:00[Europe/Berlin]".parse().unwrap();
        let after = |hours: u64| when(&now, Duration::from_secs(hours * 3600));
        assert_eq!(after(2).unwrap(), "today 22:15");
        assert_eq!(after(14).unwrap(), "Sat 2026-11-28 10:15");
        assert_eq!(after(24 * 365 * 9000), None);
    }

    #[test]
    fn lines_of_a_width() {
        assert_eq!(wrapped("a bc def ghij", 6), "a bc\ndef\nghij");
        assert_eq!(wrapped("abcdefgh i", 4), "abcdefgh\ni");
        assert_eq!(wrapped("", 4), "");
        assert_eq!(wrapped("ab   c  def", 4), "ab\nc\ndef");
        assert_eq!(
            wrapped("in under 1 s. At 2.5 % of 12 h 52 min", 10),
            "in under\n1 s. At\n2.5 % of\n12 h\n52 min"
        );
    }

    #[test]
    fn files_that_are_trouble() {
        let told = |kind: io::ErrorKind| trouble(&kind.into());
        assert!(told(io::ErrorKind::NotFound).starts_with("there is no such file"));
        assert!(told(io::ErrorKind::PermissionDenied).contains("ls -l"));
        assert!(trouble_making(&io::ErrorKind::NotFound.into()).contains("make that first"));
        assert_eq!(trouble(&io::Error::other("the cable is out")), "the cable is out");
    }

    #[test]
    fn ports_that_are_trouble() {
        let told = |kind: io::ErrorKind| trouble_listening(&kind.into());
        assert_eq!(told(io::ErrorKind::AddrInUse), "another program listens there already");
        assert!(told(io::ErrorKind::PermissionDenied).contains("below port 1024"));
        assert!(told(io::ErrorKind::AddrNotAvailable).contains("no such address"));
    }

    #[test]
    fn sentences_end() {
        assert_eq!(sentence("interrupted"), "interrupted.");
        for whole in ["Try again.", "Who?", "see https://example.com/help"] {
            assert_eq!(sentence(whole), whole);
        }
    }

    #[test]
    fn one_and_many() {
        assert_eq!((many(1, "row"), many(0, "row")), ("1 row".to_owned(), "0 rows".to_owned()));
    }

    #[test]
    fn nothing_disturbs_a_terminal() {
        assert_eq!(harmless("a\tb\nü"), "a\tb\nü");
        assert_eq!(harmless("\u{1b}[2J\u{9b}2J\r\u{7}\u{202e}"), r"\u001b[2J\u009b2J\u000d\u0007\u202e");
        let json = serde_json::json!({ "name": "\u{1b}[2J\u{9b}\u{7f}\u{feff}" });
        let shown = harmless(&json.to_string()).into_owned();
        assert!(!shown.contains(disturbs), "{shown}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&shown).unwrap(), json);
    }

    #[test]
    fn names_for_a_shell() {
        assert_eq!(quoted("a/b-c_1.db"), "a/b-c_1.db");
        assert_eq!(quoted("it's mine.db"), r"'it'\''s mine.db'");
        assert_eq!(quoted("-x.db"), "'./-x.db'");
        assert_eq!(quoted(""), "''");
    }
}
