//! The end of a command's long help, taken apart for pages of other kinds.

/// A piece of it, as blank lines divide it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Part<'a> {
    /// Lines that stay lines, with what stands above them.
    Verbatim(&'a str, &'a str),
    /// A paragraph, on one line.
    Paragraph(&'a str),
}

/// All pieces, from above to below.
pub(super) fn parts(help: &str) -> Vec<Part<'_>> {
    let blocks = help.split("\n\n").filter(|block| !block.trim().is_empty());
    blocks
        .map(|block| match block.split_once(":\n") {
            Some((title, lines)) => Part::Verbatim(title, lines),
            None => Part::Paragraph(block),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_of_lines_and_paragraphs() {
        let help = "Examples:\n  tenure one\n      What it does.\n\nA text: with a colon.\n";
        let expected = [
            Part::Verbatim("Examples", "  tenure one\n      What it does."),
            Part::Paragraph("A text: with a colon.\n"),
        ];
        assert_eq!(parts(help), expected);
        assert_eq!(parts(""), []);
    }
}
