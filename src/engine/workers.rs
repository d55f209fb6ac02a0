//! The pool that makes the calls: as many workers as calls were ever under way at once, each used again and again.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::Instant;

use super::{CallLabel, For};
use crate::chat::{Access, Answer, Call, Chat, Failure};

/// A call that was answered, and by whom, so that the worker can be given another.
pub(super) struct Answered {
    pub(super) whose: For,
    pub(super) result: Result<Answer, Failure>,
    /// What it was about and how long it took, if somebody wants to know.
    pub(super) timed: Option<Box<(CallLabel, Duration)>>,
    /// `None` for one that is not there any more.
    worker: Option<usize>,
}

struct Task {
    whose: For,
    label: Option<CallLabel>,
    call: Call,
    access: Access,
}

/// The pool. Dropped, its workers end with the calls that they are making.
pub(super) struct Workers<C, S> {
    chat: Arc<C>,
    say: S,
    workers: Vec<UnboundedSender<Task>>,
    idle: Vec<usize>,
}

impl<C: Chat, S: Fn(Answered) + Clone + Send + Sync + 'static> Workers<C, S> {
    /// An empty pool. `say` is called with each answer.
    pub(super) fn new(chat: Arc<C>, say: S) -> Self {
        Workers { chat, say, workers: Vec::new(), idle: Vec::new() }
    }

    /// Has a call made at once.
    pub(super) fn call(&mut self, whose: For, call: Call, access: Access, label: Option<CallLabel>) {
        let task = Task { whose, label, call, access };
        let task = match self.idle.pop() {
            // A worker that is gone gives the task back.
            Some(worker) => match self.workers[worker].send(task) {
                Ok(()) => return,
                Err(refused) => refused.0,
            },
            None => task,
        };
        let (sender, inbox) = unbounded_channel();
        let number = self.workers.len();
        let work: Pin<Box<dyn Future<Output = ()> + Send>> =
            // Boxed, or each kind of runtime has a copy of it in the program.
            Box::pin(work(number, Arc::clone(&self.chat), inbox, self.say.clone()));
        tokio::spawn(work);
        // It has only just been given its inbox, so it takes this.
        let _ = sender.send(task);
        self.workers.push(sender);
    }

    /// Takes the worker back.
    pub(super) fn take(&mut self, answered: &Answered) {
        self.idle.extend(answered.worker);
    }
}

async fn work<C: Chat>(
    number: usize,
    chat: Arc<C>,
    mut inbox: UnboundedReceiver<Task>,
    say: impl Fn(Answered) + Clone,
) {
    while let Some(Task { whose, label, call, access }) = inbox.recv().await {
        let label = label.map(|label| (label, Instant::now()));
        let answering = Answering { whose, label, say: &say, answered: false };
        let result = chat.call(call, access).await;
        answering.give(result, Some(number));
    }
}

/// Gives the answer to a call; if there is none, because the call panicked, it says that.
struct Answering<'a, S: Fn(Answered)> {
    whose: For,
    label: Option<(CallLabel, Instant)>,
    say: &'a S,
    answered: bool,
}

impl<S: Fn(Answered)> Answering<'_, S> {
    fn give(mut self, result: Result<Answer, Failure>, worker: Option<usize>) {
        self.answered = true;
        let timed = self.timed();
        (self.say)(Answered { whose: self.whose, result, timed, worker });
    }

    fn timed(&mut self) -> Option<Box<(CallLabel, Duration)>> {
        self.label.take().map(|(label, begin)| Box::new((label, begin.elapsed())))
    }
}

impl<S: Fn(Answered)> Drop for Answering<'_, S> {
    fn drop(&mut self) {
        if !self.answered {
            let result = Err(Failure::Lost("the call broke off inside tenure".to_owned()));
            let timed = self.timed();
            (self.say)(Answered { whose: self.whose, result, timed, worker: None });
        }
    }
}
