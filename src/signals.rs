//! Ctrl-C and SIGTERM: the first asks, the second insists.

use std::fs;
use std::io::{self, IsTerminal as _, Write as _};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use tokio::runtime::Builder;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::timeout;

use crate::aside;
use crate::engine::Stop;
use crate::exit::Exit;

/// A program that ends another may signal it and its group, so what comes together is one signal.
const TOGETHER: Duration = Duration::from_millis(500);
/// How soon after the first signal whoever waits for something that cannot be interrupted leaves without it.
const STUCK: Duration = Duration::from_secs(1);
/// How often it is looked whether the first one has come.
const LOOK: Duration = Duration::from_millis(50);

/// What signals have come in.
#[derive(Debug, Clone)]
pub struct Signals {
    first: Arc<AtomicU8>,
    stop: UnboundedSender<Stop>,
    parting: Parting,
    /// How many wait for something that nothing interrupts.
    waiting: Arc<AtomicUsize>,
}

impl Signals {
    /// Begins to listen, on a thread of its own, so that a signal counts whatever the program is at. The first signal is
    /// sent to the receiver; on the second the process ends at once: whatever was confirmed is in the journal, and the
    /// rest is in flight there.
    ///
    /// # Errors
    /// When the system lets nobody listen.
    pub fn listen() -> io::Result<(Signals, UnboundedReceiver<Stop>)> {
        let (stop, receiver) = unbounded_channel();
        let signals =
            Signals { first: Arc::default(), stop, parting: Parting::default(), waiting: Arc::default() };
        let heard = signals.clone();
        let (ready, is_ready) = mpsc::sync_channel(1);
        thread::Builder::new().name("signals".to_owned()).spawn(move || {
            let begun = Builder::new_current_thread().enable_all().build().and_then(|runtime| {
                let source = runtime.block_on(async { Source::new() })?;
                Ok((runtime, source))
            });
            let (said, listening) = match begun {
                Ok(listening) => (Ok(()), Some(listening)),
                Err(error) => (Err(error), None),
            };
            // Whoever began this waits for it.
            let _ = ready.send(said);
            if let Some((runtime, source)) = listening {
                runtime.block_on(heard.hear(source));
            }
        })?;
        is_ready.recv().unwrap_or_else(|_| Err(io::Error::other("nobody listens for signals")))?;
        Ok((signals, receiver))
    }

    async fn hear(self, mut source: Source) {
        let mut begun: Option<Instant> = None;
        let mut stuck: Option<Instant> = None;
        loop {
            let signal = match begun {
                None => Some(source.next().await),
                Some(_) => timeout(LOOK, source.next()).await.ok(),
            };
            match (signal, begun) {
                (Some(signal), None) => {
                    begun = Some(Instant::now());
                    self.first.store(signal, Ordering::SeqCst);
                    // Whoever was asked something sees the question until that is over.
                    if self.waiting.load(Ordering::SeqCst) == 0 {
                        go_over_the_echo(signal);
                    }
                    self.stop(Stop::Asked);
                }
                (Some(signal), Some(first)) if first.elapsed() >= TOGETHER => self.leave(signal),
                _ => {}
            }
            let is_stuck = self.waiting.load(Ordering::SeqCst) > 0;
            stuck = is_stuck.then(|| stuck.unwrap_or_else(Instant::now));
            if let (Some(since), Some(first)) = (stuck, self.received())
                && since.elapsed() >= STUCK
            {
                self.leave(first);
            }
        }
    }

    /// Asks for a stop, as the first signal does.
    pub fn stop(&self, stop: Stop) {
        // Nobody needs telling when nothing is being sent any more.
        let _ = self.stop.send(stop);
    }

    /// What to say from now on when the process has to leave at once.
    pub fn set_farewell(&self, line: String) {
        self.parting.put_off(|last| last.farewell = line);
    }

    /// What is done last when the process has to leave at once.
    pub fn parting(&self) -> &Parting {
        &self.parting
    }

    /// Until this is dropped, the process leaves soon after the first signal: for waiting that nothing interrupts, such as
    /// for the next line of a pipe.
    #[must_use]
    pub fn leave_if_stuck(&self) -> Waiting {
        self.waiting.fetch_add(1, Ordering::SeqCst);
        Waiting(Arc::clone(&self.waiting))
    }

    fn leave(&self, signal: u8) -> ! {
        self.parting.put_off(|last| {
            for path in &last.unfinished {
                // It may be gone already.
                let _ = fs::remove_file(path);
            }
            if !last.farewell.is_empty() {
                aside::farewell(&last.farewell);
            }
            std::process::exit(Exit::Signal(signal).code().into())
        })
    }

    /// The number of the first signal, if one has come.
    pub fn received(&self) -> Option<u8> {
        Some(self.first.load(Ordering::SeqCst)).filter(|signal| *signal != 0)
    }
}

/// A terminal writes `^C` where its cursor is: what is said next begins where that line does, and goes over it.
fn go_over_the_echo(signal: u8) {
    let mut err = io::stderr();
    if signal == 2 && err.is_terminal() {
        let _ = err.write_all(b"\r");
    }
}

/// What a process does last when it has to leave at once.
#[derive(Debug, Default)]
pub struct Last {
    /// What it says.
    pub farewell: String,
    /// Files that it has begun, under names that are not theirs yet: it removes them.
    pub unfinished: Vec<PathBuf>,
}

/// The same, for all who have a part in it.
#[derive(Debug, Clone, Default)]
pub struct Parting(Arc<Mutex<Last>>);

impl Parting {
    /// Does something that must be done whole: nobody leaves meanwhile.
    pub fn put_off<T>(&self, act: impl FnOnce(&mut Last) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Somebody waits for something that nothing interrupts.
#[derive(Debug)]
pub struct Waiting(Arc<AtomicUsize>);

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// A file has reached the limit on file sizes (ulimit -f). The number is the same on every Unix but MIPS.
#[cfg(unix)]
const SIGXFSZ: i32 = 25;

#[cfg(unix)]
struct Source {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Source {
    fn new() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        // Unheard it kills, without a word; heard, the write that went too far fails like any other.
        let _heard = signal(SignalKind::from_raw(SIGXFSZ))?;
        Ok(Source {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    /// The number of the next signal. SIGHUP is left alone: under `nohup` it is ignored, and else it kills, which is
    /// safe.
    async fn next(&mut self) -> u8 {
        tokio::select! {
            _ = self.interrupt.recv() => 2,
            _ = self.terminate.recv() => 15,
        }
    }
}

#[cfg(not(unix))]
struct Source;

#[cfg(not(unix))]
impl Source {
    fn new() -> io::Result<Self> {
        Ok(Source)
    }

    async fn next(&mut self) -> u8 {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
        2
    }
}
