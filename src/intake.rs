//! Input into a journal: every row read, checked, told from its like, and taken in, before anything is sent.

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::{Map, Value};

use crate::input::{
    BadRow, Becoming, Entry, Format, Given, Key, Layout, Problem, ProblemKind, Problems, Reader, Restored,
    Row, Rules, printable,
};
use crate::journal::{Added, JournalError, Loader, Overlap};

/// How many rows are read between two looks at the clock.
const ROWS_PER_LOOK: u64 = 1000;

/// What is read, and how.
#[derive(Debug, Clone)]
pub struct Inputs {
    /// Files; `-` is standard input.
    pub paths: Vec<PathBuf>,
    /// Their format, if it is not to be told by name.
    pub format: Option<Format>,
    /// What rows are held against.
    pub rules: Arc<Rules>,
    /// Whether rows with problems become rejects, instead of stopping everything.
    pub skip_invalid: bool,
}

/// How far the reading is.
#[derive(Debug, Clone, Copy)]
pub struct Reading<'a> {
    /// The file, as problems call it.
    pub file: &'a str,
    /// Bytes of it that were read, compressed as they are.
    pub bytes: u64,
    /// Its size, when it has one.
    pub bytes_total: Option<u64>,
    /// Rows read so far, of all files.
    pub rows: u64,
    /// Problems found so far.
    pub problems: u64,
}

/// What came of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Intake {
    /// Rows read.
    pub rows: u64,
    /// Of these, not in the journal before.
    pub new: u64,
    /// Of these, in the journal from an earlier reading.
    pub known: u64,
    /// Of these, rejected before and to be tried again.
    pub again: u64,
    /// Of these, repeating another.
    pub duplicates: u64,
    /// Of these, taken in as rejects, for `--skip-invalid`.
    pub invalid: u64,
    /// What is no problem, but may not be what was meant.
    pub notices: Vec<String>,
    /// Everything that is wrong.
    pub problems: Problems,
}

impl Intake {
    /// Whether the problems forbid to go on.
    pub fn is_refused(&self, skip_invalid: bool) -> bool {
        self.problems.is_fatal() || !(self.problems.is_empty() || skip_invalid)
    }
}

/// Why reading ended early.
#[derive(Debug, thiserror::Error)]
pub enum IntakeError {
    /// The journal.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// Whoever watches asked to stop.
    #[error("interrupted while reading")]
    Interrupted,
}

/// Reads all inputs into a journal. Whether what came of it is committed is the caller's decision.
///
/// # Errors
/// When the journal fails or `watch` breaks; problems of the input are no error here, but listed in the [`Intake`].
pub fn take_in(
    loader: &mut Loader<'_>,
    inputs: &Inputs,
    mut watch: impl FnMut(Reading<'_>) -> ControlFlow<()>,
) -> Result<Intake, IntakeError> {
    let mut intake = Intake::default();
    let mut names = HashMap::new();
    for path in &inputs.paths {
        let reader = match Reader::open(path, inputs.format, Arc::clone(&inputs.rules)) {
            Ok(reader) => reader,
            Err(problems) => {
                intake.problems.absorb(problems);
                continue;
            }
        };
        intake.notices.extend(notices(&reader, &inputs.rules.becoming));
        let source = source_name(path);
        names.insert(source.clone(), Arc::clone(reader.file()));
        let layout = serde_json::to_string(reader.layout())
            .map_err(|error| JournalError::Content(error.to_string()))?;
        loader.begin_source(&source, &layout)?;
        read_one(reader, loader, inputs, &mut intake, &mut watch)?;
        loader.end_source()?;
    }
    overlaps(loader, inputs, &mut intake, &names)?;
    Ok(intake)
}

/// What the header says that the operator should know: columns that nothing is made of, and the one without which
/// everybody is still a member.
fn notices(reader: &Reader, becoming: &Becoming) -> Vec<String> {
    let (file, columns) = (reader.file(), &reader.layout().columns);
    let mut notices = Vec::new();
    if columns.is_empty() {
        return notices;
    }
    let has = |key| columns.iter().any(|name| Key::of(name) == Some(key));
    if let Becoming::Today(_) = becoming {
        if has(Key::CreateTime) {
            notices.push(format!(
                "{file}: createTime is not sent: in a space that is not in import mode a membership begins when it is made"
            ));
        }
        if has(Key::Role) {
            notices.push(format!("{file}: role is kept, but not set: `tenure members patch` sets one"));
        }
    } else if !has(Key::DeleteTime) {
        notices.push(format!(
            "{file}: there is no column deleteTime, so every row counts as a member to this day"
        ));
    }
    let unknown: Vec<String> =
        columns.iter().filter(|name| Key::of(name).is_none()).map(|name| printable(name)).collect();
    if !unknown.is_empty() {
        notices.push(format!("{file}: kept, but not used: {}", unknown.join(", ")));
    }
    notices
}

fn read_one(
    reader: Reader,
    loader: &mut Loader<'_>,
    inputs: &Inputs,
    intake: &mut Intake,
    watch: &mut impl FnMut(Reading<'_>) -> ControlFlow<()>,
) -> Result<(), IntakeError> {
    let file = Arc::clone(reader.file());
    let layout = reader.layout().clone();
    let progress = reader.progress().clone();
    let mut look = |intake: &Intake| {
        watch(Reading {
            file: &file,
            bytes: progress.bytes_read(),
            bytes_total: progress.bytes_total(),
            rows: intake.rows,
            problems: intake.problems.total(),
        })
    };
    for entry in reader {
        match entry {
            Ok(Entry::Row(row)) => take_row(row, &layout, &file, loader, inputs, intake)?,
            Ok(Entry::Bad(bad)) => take_bad(bad, loader, inputs, intake)?,
            Err(problem) => {
                intake.problems.push(*problem);
                break;
            }
        }
        intake.rows += 1;
        if intake.rows.is_multiple_of(ROWS_PER_LOOK) && look(intake).is_break() {
            return Err(IntakeError::Interrupted);
        }
    }
    let _ = look(intake);
    Ok(())
}

fn take_row(
    row: Row,
    layout: &Layout,
    file: &Arc<str>,
    loader: &mut Loader<'_>,
    inputs: &Inputs,
    intake: &mut Intake,
) -> Result<(), IntakeError> {
    let given = row.given.to_json();
    match loader.row(row.line, &row.tenure, given.as_deref())? {
        Added::New => intake.new += 1,
        Added::Known => intake.known += 1,
        Added::Again => intake.again += 1,
        Added::Duplicate => intake.duplicates += 1,
        Added::OtherRole { origin, role } => {
            let message = format!(
                "the same membership stands at {} with {}",
                shown(&origin),
                role.as_deref().map_or("no role".to_owned(), |role| format!("role {role}"))
            );
            let mut problem = Problem::new(file, row.line, ProblemKind::DuplicateWithOtherRole, message)
                .column("role")
                .help("a membership has one role: delete one of the two rows");
            if let Some(role) = row.tenure.role {
                problem = problem.value(role.as_str());
            }
            let given = whole(&row, layout)?;
            let bad = BadRow { line: row.line, problems: vec![problem], given };
            take_bad(bad, loader, inputs, intake)?;
        }
    }
    Ok(())
}

/// A row that was in order by itself, as it stood, for those that are kept without their tenure.
fn whole(row: &Row, layout: &Layout) -> Result<Given, JournalError> {
    let object: Map<String, Value> = match row.given.restore(layout, Some(&row.tenure)) {
        Restored::Csv(fields) => {
            layout.columns.iter().cloned().zip(fields.into_iter().map(Value::String)).collect()
        }
        Restored::Jsonl(object) => object,
        Restored::Raw(line) => [("raw".to_owned(), Value::String(line))].into_iter().collect(),
    };
    Given::from_json(Some(&Value::Object(object).to_string()))
        .map_err(|error| JournalError::Content(error.to_string()))
}

fn take_bad(
    bad: BadRow,
    loader: &mut Loader<'_>,
    inputs: &Inputs,
    intake: &mut Intake,
) -> Result<(), IntakeError> {
    if inputs.skip_invalid
        && let Some(first) = bad.problems.first()
    {
        let story: Vec<String> = bad.problems.iter().map(story).collect();
        loader.invalid(bad.line, first.kind.as_str(), &story.join("; "), bad.given.to_json().as_deref())?;
        intake.invalid += 1;
    }
    for problem in bad.problems {
        intake.problems.push(problem);
    }
    Ok(())
}

/// A problem without its place, which stands beside it in the journal.
fn story(problem: &Problem) -> String {
    match (&problem.column, &problem.value) {
        (Some(column), Some(value)) => format!("{column} \"{value}\": {}", problem.message),
        (Some(column), None) => format!("{column}: {}", problem.message),
        _ => problem.message.clone(),
    }
}

fn overlaps(
    loader: &mut Loader<'_>,
    inputs: &Inputs,
    intake: &mut Intake,
    names: &HashMap<String, Arc<str>>,
) -> Result<(), IntakeError> {
    let mut rejected = Vec::new();
    loader.overlaps(|overlap| {
        let file = names.get(&overlap.path).cloned().unwrap_or_else(|| shown(&overlap.path).into());
        let problem = overlap_problem(&file, &overlap);
        if inputs.skip_invalid {
            rejected.push((overlap.victim, problem.message.clone()));
        }
        intake.problems.push(problem);
        inputs.skip_invalid
    })?;
    for (row, message) in rejected {
        loader.reject(row, ProblemKind::Overlap.as_str(), &message)?;
        intake.invalid += 1;
    }
    Ok(())
}

fn overlap_problem(file: &Arc<str>, overlap: &Overlap) -> Problem {
    let message = format!(
        "{} is in {} from {} here, and from {} at {}: the two overlap",
        overlap.member,
        overlap.space,
        overlap.span.to_string().replace(" .. ", " to "),
        overlap.other_span.to_string().replace(" .. ", " to "),
        shown(&overlap.other_origin)
    );
    Problem::new(file, overlap.line, ProblemKind::Overlap, message)
        .help("nobody is twice in one space at a time: mend the times, or make the two rows one")
}

/// What the journal calls an input: the absolute path, so that the same file is known from another folder too.
fn source_name(path: &Path) -> String {
    if path.as_os_str() == "-" {
        return "-".to_owned();
    }
    let absolute = path.canonicalize().or_else(|_| std::path::absolute(path));
    absolute.unwrap_or_else(|_| path.to_owned()).display().to_string()
}

/// A path (or `path:line`) of the journal as it is short to read: relative to the current folder if it is below it.
pub fn shown(origin: &str) -> String {
    std::env::current_dir()
        .ok()
        .and_then(|folder| Path::new(origin).strip_prefix(folder).ok().map(|path| path.display().to_string()))
        .unwrap_or_else(|| origin.to_owned())
}
