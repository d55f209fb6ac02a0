//! Problems as workflow commands of GitHub Actions, which shows them beside the lines of a change.
//!
//! Source: "Workflow commands for GitHub Actions", setting an error or a warning message.

use std::fmt::Write as _;

use super::{Severity, calm, rest};
use crate::input::Problems;

/// A command a line: `::error file=rows.csv,line=14,col=38,endColumn=58,title=bad-time::...`.
pub fn annotations(problems: &Problems, severity: Severity) -> String {
    let mut text = String::new();
    for fold in problems.folds() {
        let rest = rest(&fold);
        for (number, problem) in fold.first.iter().enumerate() {
            let mut place = format!("file={}", property(&problem.file));
            match &problem.excerpt {
                Some(excerpt) => {
                    // Here the end is the last character of it.
                    let end = excerpt.end_column.saturating_sub(1).max(excerpt.column);
                    let _ = write!(place, ",line={},col={},endColumn={end}", excerpt.line, excerpt.column);
                }
                None if problem.line > 0 => {
                    let _ = write!(place, ",line={}", problem.line);
                }
                None => {}
            }
            let last = rest.as_ref().filter(|_| number + 1 == fold.first.len());
            let help = problem.help.as_ref().map(|help| format!("help: {help}"));
            let lines: Vec<String> = [Some(problem.title()), help, last.cloned()]
                .into_iter()
                .flatten()
                .map(|line| data(&calm(&line)))
                .collect();
            let _ = writeln!(
                text,
                "::{} {place},title={}::{}",
                severity.as_str(),
                property(fold.kind.as_str()),
                lines.join("%0A")
            );
        }
    }
    text
}

fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(&calm(text)).replace(':', "%3A").replace(',', "%2C")
}
