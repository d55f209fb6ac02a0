//! What somebody most likely meant. Only ever for a message: nothing that is suggested is taken by itself.

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

#[cfg(test)]
mod tests {
    use super::*;

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
