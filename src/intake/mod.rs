//! Input into a journal: every row read, checked, told from its like, and taken in, before anything is sent.

mod feed;
mod header;
mod remarks;
mod titles;

use std::collections::HashMap;
use std::convert::Infallible;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::RecvTimeoutError;
use std::time::Duration;

use serde_json::{Map, Value};

use crate::input::{
    BadRow, Format, Given, Layout, Problem, ProblemKind, Problems, RAW, Restored, Rules, SpaceMap,
    quote_again,
};
use crate::journal::{Finding, JournalError, Loader, Overlap, Refusal, Taken, Verdict};
use crate::model::{MEMBERS_MAX, Role, SpaceTitles, Tenure, told_in};
use crate::wording::thousands;

use feed::{Begun, Said};

/// How long nothing may come before whoever watches is asked again.
const PATIENCE: Duration = Duration::from_millis(50);

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
    /// What was found so far, in all files.
    pub counted: Counted,
}

/// What is counted while something is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counted {
    /// Rows of input, and problems found in them.
    Rows {
        /// Rows.
        rows: u64,
        /// Problems.
        problems: u64,
    },
    /// Messages of a legacy system's export. What is wrong with it is known only when it is read.
    Messages(u64),
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
    /// Rows rejected before whose place some of these have taken.
    pub replaced: u64,
    /// Of these, taken in as rejects, for `--skip-invalid`.
    pub invalid: u64,
    /// What is no problem, but may not be what was meant.
    pub notices: Vec<String>,
    /// What people call the spaces: as the map says, and else as the rows do.
    pub titles: SpaceTitles,
    /// Everything that is wrong.
    pub problems: Problems,
    /// What is not wrong, and stops nothing, but somebody should have seen.
    pub warnings: Problems,
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
    /// The system has no room for a thread.
    #[error("no thread can be had for reading: {0}")]
    NoThread(std::io::Error),
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
    let names = std::mem::take(loader.names());
    let (heard, thread) = feed::begin(inputs, names).map_err(IntakeError::NoThread)?;
    let mut intake = Intake::default();
    let mut files: Vec<Begun> = Vec::new();
    loop {
        let said = match heard.recv_timeout(PATIENCE) {
            Ok(said) => said,
            Err(RecvTimeoutError::Timeout) => {
                look(&intake, files.last(), &mut watch)?;
                continue;
            }
            Err(RecvTimeoutError::Disconnected) => match thread.join() {
                Err(panic) => std::panic::resume_unwind(panic),
                Ok(()) => return Err(IntakeError::Interrupted),
            },
        };
        match said {
            Said::Refused(problems) => intake.problems.absorb_at((files.len(), 0), problems),
            Said::Began(mut begun) => {
                intake.notices.append(&mut begun.remarks.notices);
                let unread = std::mem::take(&mut begun.remarks.unread);
                intake.warnings.absorb_at((files.len(), 0), unread);
                let layout = serde_json::to_string(&begun.layout)
                    .map_err(|error| JournalError::Content(error.to_string()))?;
                loader.begin_source(&begun.name, &layout)?;
                files.push(begun);
            }
            Said::Rows(piece) => {
                intake.rows += (piece.good.len() + piece.bad.len()) as u64;
                intake.warnings.absorb_in_place(piece.warnings);
                loader.rows(piece.good)?;
                for bad in piece.bad {
                    take_bad(bad, files.len() - 1, loader, inputs, &mut intake)?;
                }
                look(&intake, files.last(), &mut watch)?;
            }
            Said::Ended(problem, notice) => {
                intake.notices.extend(notice);
                if let Some(problem) = problem {
                    intake.problems.push_at((files.len() - 1, u64::MAX), *problem);
                }
            }
            Said::Done(names, titles) => {
                intake.titles = titles.named(&names);
                intake.titles.extend(inputs.rules.spaces.as_ref().map(SpaceMap::titles).unwrap_or_default());
                *loader.names() = names;
                break;
            }
        }
    }
    settle(loader, inputs, &mut intake, &files, &mut watch)?;
    look(&intake, files.last(), &mut watch)?;
    tell_spaces(&mut intake);
    Ok(intake)
}

fn look(
    intake: &Intake,
    file: Option<&Begun>,
    watch: &mut impl FnMut(Reading<'_>) -> ControlFlow<()>,
) -> Result<(), IntakeError> {
    let reading = Reading {
        file: file.map_or("", |file| &file.file),
        bytes: file.map_or(0, |file| file.progress.bytes_read()),
        bytes_total: file.and_then(|file| file.progress.bytes_total()),
        counted: Counted::Rows { rows: intake.rows, problems: intake.problems.total() },
    };
    if watch(reading).is_break() { Err(IntakeError::Interrupted) } else { Ok(()) }
}

/// Puts to each space that a message names what the input calls it.
fn tell_spaces(intake: &mut Intake) {
    let titles = &intake.titles;
    for problems in [&mut intake.problems, &mut intake.warnings] {
        problems.each_kept(|problem| {
            let title = |space: &str| Ok::<_, Infallible>(titles.of(space).map(str::to_owned));
            let Ok(message) = told_in(&problem.message, title);
            problem.message = message;
        });
    }
}

/// A row that was in order by itself, as it stood, for those that are kept without their tenure.
fn whole(layout: &Layout, tenure: &Tenure, given: Option<&str>) -> Option<String> {
    // What came from the reader can be read.
    let given = Given::from_json(given).unwrap_or_default();
    let object: Map<String, Value> = match given.restore(layout, Some(tenure)) {
        Restored::Csv(fields) => {
            layout.columns.iter().cloned().zip(fields.into_iter().map(Value::String)).collect()
        }
        Restored::Jsonl(object) => object,
        Restored::Raw(line) => [(RAW.to_owned(), Value::String(line))].into_iter().collect(),
    };
    Some(Value::Object(object).to_string())
}

fn take_bad(
    bad: BadRow,
    source: usize,
    loader: &mut Loader<'_>,
    inputs: &Inputs,
    intake: &mut Intake,
) -> Result<(), IntakeError> {
    if inputs.skip_invalid
        && let Some(first) = bad.problems.first()
    {
        let story: Vec<String> = bad.problems.iter().map(story).collect();
        let refusal = Refusal { kind: first.kind.as_str(), error: story.join("; ") };
        let is_reject = loader.invalid(source, bad.line, &refusal, bad.given.as_json())?;
        intake.invalid += u64::from(is_reject);
    }
    for problem in bad.problems {
        intake.problems.push_at((source, bad.line), problem);
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

/// Puts all rows together, and lists what is wrong with those that do not go together.
fn settle(
    loader: &mut Loader<'_>,
    inputs: &Inputs,
    intake: &mut Intake,
    files: &[Begun],
    watch: &mut impl FnMut(Reading<'_>) -> ControlFlow<()>,
) -> Result<(), IntakeError> {
    let paths: Vec<String> = files.iter().map(|file| loader.source_path(&file.name)).collect();
    let names: HashMap<&str, &Arc<str>> =
        paths.iter().map(String::as_str).zip(files.iter().map(|file| &file.file)).collect();
    let mut found = Found { problems: std::mem::take(&mut intake.problems), left_out: 0 };
    let taken = loader.settle(
        |finding| {
            let (place, problem, kept) = match finding {
                Finding::OtherRole { source, line, tenure, given, origin, role } => {
                    let Begun { file, layout, .. } = &files[source];
                    let problem = other_role_problem(file, line, tenure.role, &origin, role);
                    (
                        Some((source, line)),
                        problem,
                        inputs.skip_invalid.then(|| whole(layout, &tenure, given)),
                    )
                }
                Finding::Overlap(overlap) => {
                    let problem = overlap_problem(&file_of(&names, &overlap.path), &overlap);
                    (None, problem, inputs.skip_invalid.then_some(None))
                }
                Finding::OtherRoles(overlap) => {
                    let problem = other_roles_problem(&file_of(&names, &overlap.path), &overlap);
                    (None, problem, inputs.skip_invalid.then_some(None))
                }
                Finding::Sent(overlap) => {
                    let problem = sent_problem(&file_of(&names, &overlap.path), &overlap);
                    (None, problem, inputs.skip_invalid.then_some(None))
                }
            };
            let verdict = match kept {
                Some(given) => {
                    found.left_out += 1;
                    let error = if place.is_some() { story(&problem) } else { problem.message.clone() };
                    Verdict::LeftOut(Refusal { kind: problem.kind.as_str(), error }, given)
                }
                None => Verdict::Stands,
            };
            // What is wrong with one row comes where the row is; what is wrong with two, after all of that.
            found.problems.push_at(place.unwrap_or((usize::MAX, 0)), problem);
            verdict
        },
        || look(intake, files.last(), watch).is_ok(),
    )?;
    let Taken { new, known, again, duplicates, replaced } = taken.ok_or(IntakeError::Interrupted)?;
    (intake.new, intake.known, intake.again, intake.duplicates) = (new, known, again, duplicates);
    intake.replaced = replaced;
    intake.invalid += found.left_out;
    intake.problems = found.problems;
    for at in &loader.outlook().several_at {
        let file = file_of(&names, &at.path);
        let source = paths.iter().position(|path| *path == at.path).unwrap_or_default();
        let message = format!("{} has several stints in {}", at.member, at.space);
        let help = "Google does not say whether Chat keeps them: `tenure doctor --probe` finds out, and --stints merge \
                    sends one membership for them all";
        let warning = Problem::new(&file, at.line, ProblemKind::SeveralStints, message).help(help);
        intake.warnings.push_at((source, at.line), warning);
    }
    let several = loader.outlook().several_more.max(0).cast_unsigned();
    let named = loader.outlook().several_at.len() as u64;
    intake.warnings.count_more(ProblemKind::SeveralStints, several.saturating_sub(named));
    if let Some(first) = files.first() {
        for (number, members) in remarks::crowded(&loader.outlook().staying, MEMBERS_MAX) {
            let space = intake.titles.tell(&loader.names().space_name(number));
            let message = format!(
                "{space} would have {} members, and Chat takes {} in a space",
                thousands(members),
                thousands(MEMBERS_MAX)
            );
            let warning = Problem::new(&first.file, 0, ProblemKind::CrowdedSpace, message);
            let help = "only so many of them can be added once it is completed: spread them over several spaces, or give \
                        deleteTimes to those who have left";
            intake.warnings.push_at((usize::MAX, 0), warning.help(help));
        }
    }
    for path in &inputs.paths {
        quote_again(&mut intake.problems, path, inputs.format);
        quote_again(&mut intake.warnings, path, inputs.format);
    }
    if let Some(first) = &loader.outlook().overruled_at {
        let (count, first) = (loader.outlook().overruled, shown(first));
        let (rows, others) = match count {
            1 => (format!("1 row that was fed back ({first}) says"), "a row that was"),
            count => {
                (format!("{count} rows that were fed back (the first is {first}) say"), "rows that were")
            }
        };
        intake.notices.push(format!(
            "warning: {rows} the same as {others} in order, but for the role, which is now as it was fed back; if that is \
             not meant, feed it back with the role of before"
        ));
    }
    if let Some(first) = &loader.outlook().unbridged_at {
        let (count, first) = (loader.outlook().unbridged, shown(first));
        let (rows, passes) = if count == 1 {
            (format!("row ({first}) has"), "its history until today cannot be sent; it waits")
        } else {
            (
                format!("rows (the first is {first}) have"),
                "their history until today cannot be sent; they wait",
            )
        };
        intake.notices.push(format!(
            "{count} open {rows} no createTime, or one of the last 5 seconds: {passes} for the space's completion, as \
             without --bridge-current"
        ));
    }
    Ok(())
}

fn file_of(names: &HashMap<&str, &Arc<str>>, path: &str) -> Arc<str> {
    names.get(path).map_or_else(|| shown(path).into(), |file| Arc::clone(file))
}

struct Found {
    problems: Problems,
    left_out: u64,
}

fn other_role_problem(
    file: &Arc<str>,
    line: u64,
    role: Option<Role>,
    origin: &str,
    other: Option<&str>,
) -> Problem {
    let message = format!(
        "the same membership stands at {} with {}",
        shown(origin),
        other.map_or("no role".to_owned(), |role| format!("role {role}"))
    );
    let problem = Problem::new(file, line, ProblemKind::DuplicateWithOtherRole, message)
        .column("role")
        .help("a membership has one role: delete one of the two rows");
    match role {
        Some(role) => problem.value(role.as_str()),
        None => problem,
    }
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

fn other_roles_problem(file: &Arc<str>, overlap: &Overlap) -> Problem {
    let role = |role: Option<Role>| role.map_or("no role".to_owned(), |role| format!("role {role}"));
    let message = format!(
        "{} is in {} from {} here with {}, and from {} at {} with {}: merged, the two are one membership",
        overlap.member,
        overlap.space,
        overlap.span.to_string().replace(" .. ", " to "),
        role(overlap.role),
        overlap.other_span.to_string().replace(" .. ", " to "),
        shown(&overlap.other_origin),
        role(overlap.other_role)
    );
    Problem::new(file, overlap.line, ProblemKind::RolesDiffer, message)
        .help("a membership has one role: give both rows the same, or none")
}

fn sent_problem(file: &Arc<str>, overlap: &Overlap) -> Problem {
    let message = format!(
        "{} is in {} from {} here, but the history from {} (of {}) was sent already, and Chat cannot update history",
        overlap.member,
        overlap.space,
        overlap.span.to_string().replace(" .. ", " to "),
        overlap.other_span.to_string().replace(" .. ", " to "),
        shown(&overlap.other_origin)
    );
    Problem::new(file, overlap.line, ProblemKind::HistorySent, message).help(
        "it must be deleted and created again while the space is in import mode: tenure rollback JOURNAL, then import all rows \
         into a new journal; or leave this row out",
    )
}

/// What the journal calls an input: the absolute path, so that the same file is known from another folder too.
pub fn source_name(path: &Path) -> String {
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
