//! The lines of problems that were found without them: looked up in their files once more, as far as these can be read twice.

use std::path::Path;
use std::sync::Arc;

use super::csv::Table;
use super::format::Format;
use super::jsonl::JsonlRows;
use super::problem::Problem;
use super::problems::Problems;
use super::source::Source;

/// Puts their lines to the problems of a file that have none. A pipe is empty by then, and is left alone.
pub fn quote_again(problems: &mut Problems, path: &Path, format: Option<Format>) {
    let file: Arc<str> = path.to_string_lossy().into();
    let lacks = |problem: &Problem| problem.excerpt.is_none() && problem.line > 0 && problem.file == file;
    let mut wanted: Vec<u64> = Vec::new();
    problems.each_kept(|problem| wanted.extend(lacks(problem).then_some(problem.line)));
    let Some(last) = wanted.iter().max().filter(|_| path.is_file()).copied() else { return };
    let Some(mut lines) = Lines::open(path, format) else { return };
    let mut at = lines.first();
    while let Some(line) = at.filter(|line| *line <= last) {
        if wanted.contains(&line) {
            problems.each_kept(|problem| {
                if problem.line == line && lacks(problem) {
                    lines.quote(problem);
                }
            });
        }
        at = lines.pass();
    }
}

/// A file, line by line.
enum Lines {
    Csv(Box<Table>),
    Jsonl(JsonlRows),
}

impl Lines {
    fn open(path: &Path, format: Option<Format>) -> Option<Self> {
        let mut source = Source::open(path).ok()?;
        let format = format.or_else(|| Format::of_name(source.file()));
        match format.map_or_else(|| Format::of_first_byte(&mut source.text).ok(), Some)? {
            Format::Csv => Some(Lines::Csv(Box::new(Table::open(source).ok()?))),
            Format::Jsonl => Some(Lines::Jsonl(JsonlRows::open(source))),
        }
    }

    /// The line of the header, or of the first row where there is none.
    fn first(&mut self) -> Option<u64> {
        match self {
            Lines::Csv(table) => Some(table.header_line),
            Lines::Jsonl(rows) => rows.pass(),
        }
    }

    fn pass(&mut self) -> Option<u64> {
        match self {
            Lines::Csv(table) => table.pass(),
            Lines::Jsonl(rows) => rows.pass(),
        }
    }

    fn quote(&self, problem: &mut Problem) {
        match self {
            Lines::Csv(table) => table.quote(problem),
            Lines::Jsonl(rows) => rows.quote(problem),
        }
    }
}
