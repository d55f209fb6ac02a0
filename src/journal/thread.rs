//! The journal's own thread: the single writer of a run.
//!
//! Everything that waits when the thread is free goes into one transaction (group commit), so a slow disk makes the
//! batches larger instead of the run slower.

use std::sync::mpsc;
use std::thread::JoinHandle;

use super::{Journal, JournalError, Reply, Request};

/// The most changes that share a transaction.
const CHANGES_PER_COMMIT_MAX: usize = 4096;

/// What the thread says.
#[derive(Debug)]
pub enum Said {
    /// To a request; to several writes at once, for the last of them.
    Reply(Reply),
    /// The journal failed; nothing after the last [`Reply::Written`] is durable, and the thread has ended.
    Failed(JournalError),
    /// The thread has ended without a word: it panicked.
    Ended,
}

/// A handle to the thread.
#[derive(Debug)]
pub struct JournalThread {
    requests: mpsc::Sender<Request>,
    thread: JoinHandle<Journal>,
}

impl JournalThread {
    /// Hands the journal to a thread of its own.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start(journal: Journal, say: impl Fn(Said) + Send + 'static) -> std::io::Result<JournalThread> {
        let (requests, inbox) = mpsc::channel();
        let thread = std::thread::Builder::new().name("journal".to_owned()).spawn(move || {
            let say = LastWord { say, said: false };
            serve(journal, &inbox, say)
        })?;
        Ok(JournalThread { requests, thread })
    }

    /// Asks for something. A thread that has failed has said so, and takes no more.
    pub fn ask(&self, request: Request) {
        let _ = self.requests.send(request);
    }

    /// Waits until everything asked for is done, and gives the journal back; `None` if the thread panicked.
    pub fn finish(self) -> Option<Journal> {
        drop(self.requests);
        self.thread.join().ok()
    }
}

/// Says that the thread has ended if it unwinds, so that nobody waits for it for ever.
struct LastWord<F: Fn(Said)> {
    say: F,
    said: bool,
}

impl<F: Fn(Said)> Drop for LastWord<F> {
    fn drop(&mut self) {
        if !self.said {
            (self.say)(Said::Ended);
        }
    }
}

fn serve<F: Fn(Said)>(
    mut journal: Journal,
    inbox: &mpsc::Receiver<Request>,
    mut word: LastWord<F>,
) -> Journal {
    let mut waiting = None;
    while let Some(mut request) = waiting.take().or_else(|| inbox.recv().ok()) {
        if let Request::Write { batch, changes } = &mut request {
            while changes.len() < CHANGES_PER_COMMIT_MAX {
                match inbox.try_recv() {
                    Ok(Request::Write { batch: next, changes: more }) => {
                        *batch = next;
                        changes.extend(more);
                    }
                    Ok(other) => {
                        waiting = Some(other);
                        break;
                    }
                    Err(_) => break,
                }
            }
        }
        match journal.answer(request) {
            Ok(reply) => (word.say)(Said::Reply(reply)),
            Err(error) => {
                (word.say)(Said::Failed(error));
                break;
            }
        }
    }
    word.said = true;
    journal
}
