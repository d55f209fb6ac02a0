//! The loop around the engine: carries out what it asks for, and hands it what happens.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};

use super::event::{Event, Snapshot, Stop};
use super::workers::{Answered, Workers};
use super::{CallLabel, Called, Engine, Finish, Input, Now, Output};
use crate::chat::Chat;
use crate::journal::{Journal, JournalError, JournalThread, Reply, Request, Said};
use crate::model::Timestamp;

/// How often an observer is shown where things stand.
const TICK: Duration = Duration::from_millis(100);
/// How many inputs are taken in before the engine acts on them.
const INPUTS_PER_POLL_MAX: usize = 1024;

/// Somebody who watches.
pub trait Observer {
    /// Something happened.
    fn event(&mut self, now: Now, event: &Event);
    /// Time passes.
    fn tick(&mut self, now: Now, snapshot: &Snapshot);
    /// Whether to tell of each call, and of each time that the journal was written.
    fn wants_calls(&self) -> bool {
        false
    }
    /// A call was answered, or given up.
    fn called(&mut self, _now: Now, _called: &Called) {}
    /// A batch of changes is durable, so long after it was handed over.
    fn written(&mut self, _took: Duration) {}
}

/// Why the loop could not go on.
#[derive(Debug, thiserror::Error)]
pub enum DriveError {
    /// The journal could not be written or read. What it confirmed before is safe.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The system gave no thread.
    #[error("no thread for the journal could be started: {0}")]
    Thread(std::io::Error),
    /// The journal's thread is gone without a word.
    #[error("the journal's thread has ended unexpectedly; run the same command again, nothing is lost")]
    ThreadEnded,
}

enum Message {
    Answered(Answered),
    Journal(Said),
    Stop(Stop),
}

/// Runs the engine to its end. The journal comes back with the result, so that the caller can note how the run ended;
/// without it after [`DriveError::ThreadEnded`].
pub async fn drive<C: Chat>(
    mut engine: Engine,
    journal: Journal,
    chat: Arc<C>,
    mut stops: UnboundedReceiver<Stop>,
    observer: &mut impl Observer,
) -> (Option<Journal>, Result<Finish, DriveError>) {
    let (sender, mut inbox) = unbounded_channel();
    let journal_sender = sender.clone();
    let say = move |said| {
        // Nobody listens any more at the end of a run; what was asked for is written all the same.
        let _ = journal_sender.send(Message::Journal(said));
    };
    let thread = match JournalThread::start(journal, say) {
        Ok(thread) => thread,
        Err(error) => return (None, Err(DriveError::Thread(error))),
    };
    let mut workers = Workers::new(chat, move |answered| {
        // Nobody listens any more when the run ended before the answer came; the row stays in flight.
        let _ = sender.send(Message::Answered(answered));
    });
    let begin = Instant::now();
    let clock = || Now { elapsed: begin.elapsed(), wall: Timestamp::now() };
    let mut tick = interval(TICK);
    tick.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let is_watched = observer.wants_calls();
    // Batches that are not durable yet, and since when.
    let mut writing: VecDeque<(u64, Instant)> = VecDeque::new();
    let result = loop {
        let now = clock();
        for output in engine.poll(now) {
            match output {
                Output::Journal(request) => {
                    if let (true, Request::Write { batch, .. }) = (is_watched, &request) {
                        writing.push_back((*batch, Instant::now()));
                    }
                    thread.ask(request);
                }
                Output::Call { whose, call, access } => {
                    let label = is_watched.then(|| CallLabel::of(&call, engine.job(whose)));
                    workers.call(whose, call, access, label);
                }
            }
        }
        for event in engine.take_events() {
            observer.event(now, &event);
        }
        if let Some(finish) = engine.finished(now) {
            observer.tick(now, &engine.snapshot(now));
            break Ok(finish);
        }
        let deadline = engine.next_deadline().map(|elapsed| begin + elapsed);
        let message = tokio::select! {
            message = inbox.recv() => message,
            Some(stop) = stops.recv() => Some(Message::Stop(stop)),
            _ = tick.tick() => {
                let now = clock();
                observer.tick(now, &engine.snapshot(now));
                continue;
            }
            () = async { sleep_until(deadline.unwrap_or(begin)).await }, if deadline.is_some() => continue,
        };
        let mut next = message;
        let mut taken = 0;
        let failed = loop {
            match next {
                Some(Message::Answered(answered)) => {
                    workers.take(&answered);
                    let (now, Answered { whose, result, timed, .. }) = (clock(), answered);
                    if let Some((label, took)) = timed.map(|timed| *timed) {
                        observer.called(now, &Called::new(label, took, &result));
                    }
                    engine.handle(now, Input::Answered { whose, result });
                }
                Some(Message::Stop(stop)) => engine.handle(clock(), Input::Stop(stop)),
                Some(Message::Journal(Said::Reply(reply))) => {
                    if let Reply::Written { batch } = reply {
                        while let Some((_, since)) = writing.pop_front_if(|(written, _)| *written <= batch) {
                            observer.written(since.elapsed());
                        }
                    }
                    engine.handle(clock(), Input::Journal(reply));
                }
                Some(Message::Journal(Said::Failed(error))) => break Some(DriveError::Journal(error)),
                Some(Message::Journal(Said::Ended)) => break Some(DriveError::ThreadEnded),
                None => break None,
            }
            taken += 1;
            if taken == INPUTS_PER_POLL_MAX {
                break None;
            }
            next = inbox.try_recv().ok();
        };
        if let Some(error) = failed {
            break Err(error);
        }
    };
    match thread.finish() {
        Some(journal) => (Some(journal), result),
        None => (None, result.and(Err(DriveError::ThreadEnded))),
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand::rngs::StdRng;

    use tokio::sync::mpsc::UnboundedSender;

    use super::super::{Config, Rates};
    use super::*;
    use crate::chat::{Access, Answer, Call, Failure, Page};
    use crate::model::{MemberName, SpaceName, Tenure};

    /// Lists nothing, and breaks on everything else.
    struct Broken;

    impl Chat for Broken {
        async fn call(&self, call: Call, _access: Access) -> Result<Answer, Failure> {
            match call {
                Call::ListMembers { .. } => Ok(Answer::Members(Page::default())),
                _ => panic!("a mistake in the program"),
            }
        }
    }

    /// Stops the run as soon as a row is to be tried again.
    struct StopAtRetry(UnboundedSender<Stop>, Vec<String>);

    impl Observer for StopAtRetry {
        fn event(&mut self, _now: Now, event: &Event) {
            if let Event::Retry { story, .. } = event {
                self.1.push(story.clone());
                self.0.send(Stop::Asked).unwrap();
            }
        }

        fn tick(&mut self, _now: Now, _snapshot: &Snapshot) {}
    }

    #[tokio::test]
    async fn a_call_that_panics_is_an_answer_that_was_lost() {
        let now = Timestamp::now();
        let mut journal = Journal::scratch("emulator", now).unwrap();
        let mut loader = journal.loader(now).unwrap();
        loader.begin_source("rows.csv", "{}").unwrap();
        let tenure = Tenure {
            space: SpaceName::parse("A").unwrap(),
            member: MemberName::parse("a@b.cd").unwrap(),
            create_time: None,
            delete_time: Some(Timestamp::from_micros(1_600_000_000_000_000)),
            role: None,
        };
        loader.row(2, &tenure, None).unwrap();
        loader.commit().unwrap();
        let config = Config {
            access: Access::Import,
            rates: Rates::default(),
            in_flight_max: 4,
            give_up_after: Duration::from_secs(60),
            cut_off: false,
            sets_roles: false,
            completion: None,
            suffixes: false,
            grace: Duration::from_secs(10),
        };
        let (work, tally) = (journal.work().unwrap(), journal.tally().unwrap());
        let engine = Engine::new(config, work, &tally, StdRng::seed_from_u64(1));
        let (sender, stops) = unbounded_channel();
        let mut observer = StopAtRetry(sender, Vec::new());
        let (journal, finish) = drive(engine, journal, Arc::new(Broken), stops, &mut observer).await;
        assert_eq!(finish.unwrap(), Finish::Stopped(Stop::Asked));
        assert_eq!(observer.1, ["no answer: the call broke off inside tenure"]);
        assert_eq!(journal.unwrap().recount().unwrap(), [0, 1, 0, 0, 0], "in flight, to be looked up");
    }
}
