//! The journal's own thread: the single writer of a run.
//!
//! Everything that waits when the thread is free goes into one transaction (group commit), so a slow disk makes the
//! batches larger instead of the run slower.

use std::sync::mpsc;
use std::thread::JoinHandle;

use tokio::sync::mpsc::UnboundedSender;

use super::{Attribution, Change, Held, Journal, JournalError};
use crate::model::{Job, SpaceId};

/// The most changes that share a transaction.
const CHANGES_PER_COMMIT_MAX: usize = 4096;

enum Request {
    Write { batch: u64, changes: Vec<Change> },
    Pending { space: SpaceId, after: Option<Box<Job>>, limit: usize },
    InFlight { space: SpaceId },
    Attribute { space: SpaceId, listed: Vec<Held> },
}

/// What the thread answers.
#[derive(Debug)]
pub enum Reply {
    /// Every batch up to this one is durable.
    Written {
        /// Number of the batch.
        batch: u64,
    },
    /// Rows to send.
    Pending {
        /// Of which space.
        space: SpaceId,
        /// The rows; fewer than asked for when there are no more.
        jobs: Vec<Job>,
    },
    /// Rows whose answer is unknown.
    InFlight {
        /// Of which space.
        space: SpaceId,
        /// The rows.
        jobs: Vec<Job>,
    },
    /// Whose memberships the listed ones are.
    Attributed {
        /// In which space.
        space: SpaceId,
        /// The answers, in the order asked.
        attributions: Vec<Attribution>,
    },
    /// The journal failed; the thread has ended, and nothing after the last [`Reply::Written`] is durable.
    Failed(JournalError),
}

/// A handle to the thread.
#[derive(Debug)]
pub struct JournalThread {
    requests: mpsc::Sender<Request>,
    thread: JoinHandle<Journal>,
}

impl JournalThread {
    /// Hands the journal to a thread of its own, whose replies go through `reply`.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start<T: From<Reply> + Send + 'static>(
        journal: Journal,
        reply: UnboundedSender<T>,
    ) -> std::io::Result<JournalThread> {
        let (requests, inbox) = mpsc::channel();
        let thread = std::thread::Builder::new().name("journal".to_owned()).spawn(move || {
            serve(journal, &inbox, |answer| {
                // Nobody listens any more at the end of a run; what was asked for is written all the same.
                let _ = reply.send(answer.into());
            })
        })?;
        Ok(JournalThread { requests, thread })
    }

    /// Asks for a batch of changes to be made durable.
    pub fn write(&self, batch: u64, changes: Vec<Change>) {
        self.send(Request::Write { batch, changes });
    }

    /// Asks for rows to send.
    pub fn pending(&self, space: SpaceId, after: Option<Box<Job>>, limit: usize) {
        self.send(Request::Pending { space, after, limit });
    }

    /// Asks for the rows whose answer is unknown.
    pub fn in_flight(&self, space: SpaceId) {
        self.send(Request::InFlight { space });
    }

    /// Asks whose the listed memberships are.
    pub fn attribute(&self, space: SpaceId, listed: Vec<Held>) {
        self.send(Request::Attribute { space, listed });
    }

    /// The thread has said why if it is gone, so a request that it can no longer take needs no second report.
    fn send(&self, request: Request) {
        let _ = self.requests.send(request);
    }

    /// Waits until everything asked for is written, and gives the journal back; `None` if the thread panicked.
    pub fn finish(self) -> Option<Journal> {
        drop(self.requests);
        self.thread.join().ok()
    }
}

fn serve(mut journal: Journal, inbox: &mpsc::Receiver<Request>, mut reply: impl FnMut(Reply)) -> Journal {
    let mut waiting = None;
    while let Some(request) = waiting.take().or_else(|| inbox.recv().ok()) {
        let answer = match request {
            Request::Write { mut batch, mut changes } => {
                while changes.len() < CHANGES_PER_COMMIT_MAX {
                    match inbox.try_recv() {
                        Ok(Request::Write { batch: next, changes: more }) => {
                            batch = next;
                            changes.extend(more);
                        }
                        Ok(other) => {
                            waiting = Some(other);
                            break;
                        }
                        Err(_) => break,
                    }
                }
                journal.apply(&changes).map(|()| Reply::Written { batch })
            }
            Request::Pending { space, after, limit } => {
                journal.pending(space, after.as_deref(), limit).map(|jobs| Reply::Pending { space, jobs })
            }
            Request::InFlight { space } => {
                journal.in_flight(space).map(|jobs| Reply::InFlight { space, jobs })
            }
            Request::Attribute { space, listed } => {
                journal.attribute(space, listed).map(|attributions| Reply::Attributed { space, attributions })
            }
        };
        match answer {
            Ok(answer) => reply(answer),
            Err(error) => {
                reply(Reply::Failed(error));
                break;
            }
        }
    }
    journal
}
