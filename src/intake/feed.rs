//! The thread that reads: it takes bytes to checked rows, while whoever listens puts them in order.

use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::fed_back::FedBack;
use super::remarks::Remarks;
use super::titles::Titles;
use super::{Inputs, header, source_name};
use crate::input::{BadRow, Entry, Layout, Problem, ProblemKind, Problems, Progress, Reader};
use crate::journal::Incoming;
use crate::model::Names;

/// Rows that come at once, at most.
const ROWS_MAX: usize = 1 << 15;
/// Rows with problems that come at once, at most.
const BAD_ROWS_MAX: usize = 1000;
/// How long a row waits for others to come with it.
const WAIT_MAX: Duration = Duration::from_millis(100);
/// How many rows are read between two looks at the clock.
const ROWS_PER_LOOK: u64 = 256;
/// Pieces that wait for the listener.
const WAITING_MAX: usize = 2;

/// What the thread says.
pub(super) enum Said {
    /// A file begins.
    Began(Begun),
    /// A file cannot be read at all.
    Refused(Problems),
    /// Rows of the file begun last.
    Rows(Piece),
    /// The file begun last has ended; with a problem, if the rest of it cannot be read, and what is to be said of all of it.
    Ended(Option<Box<Problem>>, Option<String>),
    /// There are no more files; the names of all rows, what these say that spaces are called, and what was refused before.
    Done(Names, Titles, FedBack),
}

/// A file whose header is in order.
pub(super) struct Begun {
    pub(super) name: String,
    pub(super) file: Arc<str>,
    pub(super) layout: Layout,
    pub(super) progress: Progress,
    pub(super) remarks: header::Remarks,
}

/// Some rows.
#[derive(Default)]
pub(super) struct Piece {
    pub(super) good: Vec<Incoming>,
    pub(super) bad: Vec<BadRow>,
    /// What there is to say of the good ones.
    pub(super) warnings: Problems,
}

/// Begins to read. Names of earlier readings keep their numbers.
///
/// # Errors
/// When the system gives no thread.
pub(super) fn begin(inputs: &Inputs, names: Names) -> std::io::Result<(Receiver<Said>, JoinHandle<()>)> {
    let (said, heard) = sync_channel(WAITING_MAX);
    let inputs = inputs.clone();
    let thread = std::thread::Builder::new().name("reading".to_owned()).spawn(move || {
        // When nobody listens any more, there is nothing left to do.
        let _ = read_all(&inputs, names, &said);
    })?;
    Ok((heard, thread))
}

/// Nobody listens any more.
struct Unheard;

fn say(to: &SyncSender<Said>, said: Said) -> Result<(), Unheard> {
    to.send(said).map_err(|_| Unheard)
}

fn read_all(inputs: &Inputs, mut names: Names, to: &SyncSender<Said>) -> Result<(), Unheard> {
    let mut source = 0;
    let mut remarks = Remarks::new(Arc::clone(&inputs.rules));
    let mut titles = Titles::default();
    let mut fed_back = FedBack::default();
    for path in &inputs.paths {
        match Reader::open(path, inputs.format, Arc::clone(&inputs.rules)) {
            Ok(reader) => {
                read_one(
                    reader,
                    path,
                    inputs,
                    source,
                    (&mut names, &mut remarks, &mut titles, &mut fed_back),
                    to,
                )?;
                source += 1;
            }
            Err(problems) => say(to, Said::Refused(problems))?,
        }
    }
    say(to, Said::Done(names, titles, fed_back))
}

fn read_one(
    mut reader: Reader,
    path: &Path,
    inputs: &Inputs,
    source: usize,
    (names, remarks, titles, fed_back): (&mut Names, &mut Remarks, &mut Titles, &mut FedBack),
    to: &SyncSender<Said>,
) -> Result<(), Unheard> {
    say(
        to,
        Said::Began(Begun {
            name: source_name(path),
            file: Arc::clone(reader.file()),
            layout: reader.layout().clone(),
            progress: reader.progress().clone(),
            remarks: header::look(
                reader.file(),
                reader.header_line(),
                reader.layout(),
                &inputs.rules.becoming,
            ),
        }),
    )?;
    let mut piece = Piece::default();
    let mut begun = Instant::now();
    let mut rows: u64 = 0;
    let problem = loop {
        match reader.next_numbered(names) {
            Some(Ok(Entry::Row(row))) => {
                remarks.on(&row.tenure, names, |kind, key, said| match said {
                    Some((message, help)) => {
                        let problem = Problem::new(reader.file(), row.line, kind, message).help(help);
                        piece.warnings.push_at((source, row.line), reader.quoted(problem, key));
                    }
                    None => piece.warnings.count_more(kind, 1),
                });
                if reader.layout().columns.is_empty() {
                    remarks.on_keys(&row.tenure, row.given.as_json(), |name, key, is_first| {
                        if is_first {
                            let problem = header::unread_key(reader.file(), row.line, name, key);
                            piece.warnings.push_at((source, row.line), reader.quoted_as_it_is(problem));
                        } else {
                            piece.warnings.count_more(ProblemKind::UnreadColumn, 1);
                        }
                    });
                }
                fed_back.on(source, row.line, row.given.as_json());
                titles.on(row.tenure.space, || row.given.title());
                piece.good.push(Incoming::new(source, row.line, &row.tenure, row.given.as_json()));
            }
            Some(Ok(Entry::Bad(bad))) => {
                fed_back.on(source, bad.line, bad.given.as_json());
                piece.bad.push(bad);
            }
            Some(Err(problem)) => break Some(problem),
            None => break None,
        }
        rows += 1;
        let full = piece.good.len() >= ROWS_MAX || piece.bad.len() >= BAD_ROWS_MAX;
        if full || (rows.is_multiple_of(ROWS_PER_LOOK) && begun.elapsed() > WAIT_MAX) {
            say(to, Said::Rows(std::mem::take(&mut piece)))?;
            begun = Instant::now();
        }
    };
    say(to, Said::Rows(piece))?;
    let unused = reader.unused_keys().filter(|name| !remarks.has_said(name));
    say(to, Said::Ended(problem, header::unused(reader.file(), "key", unused)))
}
