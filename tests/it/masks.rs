//! Whether two screens show the same, but for what differs from run to run: times and how long things took, the names that
//! Chat gives to spaces and accounts, the size of a page, and where the clone lies.

use crate::document::CLONE;

const DAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
const UNITS: [&str; 5] = ["ms", "s", "min", "h", "d"];
const SPAN: &str = "SPAN";

/// Word for word and line by line. A paragraph that has something that differs may break its lines elsewhere.
pub(crate) fn show_the_same(left: &str, right: &str) -> bool {
    let paragraphs = |text: &str| text.split("\n\n").map(str::to_owned).collect::<Vec<_>>();
    let (left, right) = (paragraphs(left), paragraphs(right));
    let alike = |left: &str, right: &str| {
        let (words, masked) = (left.split_whitespace().collect::<Vec<_>>(), masked(left));
        left == right || words != masked && masked == self::masked(right)
    };
    left.len() == right.len() && left.iter().zip(&right).all(|(left, right)| alike(left, right))
}

/// Its words, with a name for each that differs from run to run.
fn masked(paragraph: &str) -> Vec<String> {
    let words: Vec<&str> = paragraph.lines().flat_map(words).collect();
    let is_count = |word: &str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit());
    let mut masked: Vec<String> = Vec::new();
    let mut place = 0;
    while let Some(word) = words.get(place) {
        let next = words.get(place + 1).map_or("", |next| bare(next));
        let last = masked.last().map_or("", String::as_str);
        place += 1;
        if is_count(word) && UNITS.contains(&next) && ["in", SPAN].contains(&last) {
            place += 1;
            if last != SPAN {
                masked.push(SPAN.to_owned());
            }
        } else if is_count(word) && next == "KB" {
            masked.push("SIZE".to_owned());
        } else if *word != "under" || last != "in" {
            masked.push(name(word));
        }
    }
    masked
}

/// The words of a line. Where it is cut off depends on how long the path before that is.
fn words(line: &str) -> Vec<&str> {
    match line.find(CLONE).filter(|_| line.ends_with('…')) {
        Some(path) => line[..path].split_whitespace().chain([CLONE]).collect(),
        None => line.split_whitespace().collect(),
    }
}

fn bare(word: &str) -> &str {
    word.trim_matches(|c: char| matches!(c, '.' | ',' | ';' | '(' | ')' | ':'))
}

/// The word, or a name for its kind.
fn name(word: &str) -> String {
    let bare = bare(word);
    let digits = bare.bytes().filter(u8::is_ascii_digit).count();
    let is_time = digits >= 3 && bare.bytes().all(|byte| byte.is_ascii_digit() || b"-:.TZ".contains(&byte));
    let kind = if DAYS.iter().any(|day| bare == *day || bare == &day[..3]) {
        "DAY"
    } else if is_time && bare.contains([':', '-']) {
        "TIME"
    } else if digits > 15 && digits == bare.len() {
        "ACCOUNT"
    } else if bare.starts_with("spaces/AAQA") {
        "SPACE"
    } else {
        return word.replace(CLONE, "CLONE");
    };
    word.replace(bare, kind)
}

#[test]
fn what_differs_from_run_to_run_does_not_count() {
    for (left, right) in [
        ("Done: 33 rows settled in 7 s.\n", "Done: 33 rows settled in 1 min 3 s.\n"),
        ("6 of 6 spaces, compared in under 1\ns.\n", "6 of 6 spaces, compared in 2 s.\n"),
        ("a\n\nuntil Friday 2026-11-27 23:48 UTC.\n", "a\n\nuntil Wednesday 2027-01-01\n00:00 UTC.\n"),
        ("spaces/AAQAoqVDU0a  8\n", "spaces/AAQAn2WBVyt  8\n"),
        ("it is 2026-11-27T23:41:27Z now", "it is 2027-01-01T00:00:00.5Z now"),
        ("at /home/maria/tenure/a.csv:3 with a ro…\n", "at /home/maria/tenure/a.csv:3 wi…\n"),
        ("54 rows in 26 KB; open it", "54 rows in 31 KB; open it"),
    ] {
        assert!(show_the_same(left, right), "{left:?} {right:?}: {:?} {:?}", masked(left), masked(right));
    }
    for (left, right) in [
        ("33 rows to send: about 7 s\n", "33 rows to send: about 8 s\n"),
        ("Done: 33 rows settled in 7 s.\n", "Done: 34 rows settled in 7 s.\n"),
        ("  done  33\n", "  done   33\n"),
        ("a b\n", "a\nb\n"),
        ("a\n", "a\n\nb\n"),
    ] {
        assert!(!show_the_same(left, right), "{left:?} {right:?}");
    }
}
