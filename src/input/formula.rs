//! Formulas that stand in a cell of CSV: disarmed when it is written, as they were when it is read. Pure.
//!
//! A spreadsheet computes what begins like a formula, and an export may hold what anybody has typed (OWASP, "CSV
//! Injection"; CWE-1236). So one apostrophe is put before it, and reading takes one away again: a cell comes back as it
//! was, apostrophes of its own included.
//!
//! Not only a cell's beginning counts. Where commas are decimal points, a spreadsheet splits at semicolons whatever the
//! file's delimiter is, and sees cells begin in the middle of ours: after any delimiter, and after a line's end.

/// What begins a formula; spreadsheets in East Asia take the wide forms too.
const SIGNS: [char; 8] = ['=', '+', '-', '@', '＝', '＋', '－', '＠'];

/// What a spreadsheet may pass over at the beginning of a cell.
const BLANKS: [char; 4] = ['\t', '\r', '\n', '\0'];

/// Whatever a spreadsheet may take for the end of a cell.
const ENDS: [char; 5] = [',', ';', '\t', '\r', '\n'];

/// The cell as it may stand in a file that somebody opens with a spreadsheet.
///
/// For what [`crate::input::Reader`] has read, reading it again yields the same cell.
pub fn disarmed(cell: &str) -> String {
    pieces(cell).flat_map(|(piece, begins)| [if begins { "'" } else { "" }, piece]).collect()
}

/// The cell as it was before [`disarmed`].
pub(super) fn armed(cell: &str) -> String {
    pieces(cell)
        .map(|(piece, begins)| if begins { piece.strip_prefix('\'').unwrap_or(piece) } else { piece })
        .collect()
}

/// What may come to stand in a spreadsheet's cell of its own, and whether a formula begins it, behind any apostrophes
/// and quotes.
fn pieces(cell: &str) -> impl Iterator<Item = (&str, bool)> {
    cell.split_inclusive(ENDS).enumerate().map(|(place, piece)| {
        let bare = piece.trim_start_matches(['\'', '"']);
        (piece, bare.starts_with(SIGNS) || (place == 0 && bare.starts_with(BLANKS)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_disarmed_and_what_is_left_alone() {
        for (cell, written) in [
            ("=1+1", "'=1+1"),
            ("+foo@example.com", "'+foo@example.com"),
            ("-1", "'-1"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("＝1", "'＝1"),
            ("'=1", "''=1"),
            ("''+", "'''+"),
            ("\t=1", "'\t'=1"),
            ("\rx", "'\rx"),
            ("\0=1", "'\0=1"),
            ("x;=1", "x;'=1"),
            ("x\n\"\"=1,'-2", "x\n'\"\"=1,''-2"),
        ] {
            assert_eq!(disarmed(cell), written);
            assert_eq!(armed(written), cell);
        }
        for cell in
            ["", "'", "it's", "'80s", "a+b=c", "she left; - why?", "line\r\nline", "maria@example.com"]
        {
            assert_eq!(disarmed(cell), cell);
            assert_eq!(armed(cell), cell);
        }
    }

    proptest! {
        #[test]
        fn a_cell_comes_back_and_no_formula_is_written(cell in "[a'\"=+@－,;\t\r\n -]{0,12}") {
            let written = disarmed(&cell);
            prop_assert_eq!(armed(&written), &cell[..]);
            for part in written.split(ENDS) {
                prop_assert!(!part.trim_start_matches('"').starts_with(SIGNS), "{:?}", written);
            }
            prop_assert!(!written.starts_with(BLANKS));
        }
    }
}
