//! Ctrl-C and SIGTERM: the first asks, the second insists.

use std::io::Write as _;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

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
    farewell: Arc<Mutex<String>>,
}

impl Signals {
    /// Begins to listen. The first signal is sent to the receiver; on the second the process ends at once: whatever
    /// was confirmed is in the journal, and the rest is in flight there.
    ///
    /// # Errors
    /// When the system lets nobody listen.
    pub fn listen() -> std::io::Result<(Signals, UnboundedReceiver<Stop>)> {
        let (stop, receiver) = unbounded_channel();
        let signals = Signals { first: Arc::default(), stop, farewell: Arc::default() };
        let mut source = Source::new()?;
        let heard = signals.clone();
        tokio::spawn(async move {
            let mut begun: Option<Instant> = None;
            loop {
                let signal = source.next().await;
                match begun {
                    Some(first) if first.elapsed() < TOGETHER => {}
                    Some(_) => heard.leave(signal),
                    None => {
                        begun = Some(Instant::now());
                        heard.first.store(signal, Ordering::SeqCst);
                        heard.stop(Stop::Asked);
                    }
                }
            }
        });
        Ok((signals, receiver))
    }

    /// Asks for a stop, as the first signal does.
    pub fn stop(&self, stop: Stop) {
        // Nobody needs telling when nothing is being sent any more.
        let _ = self.stop.send(stop);
    }

    /// What to say from now on when the process has to leave at once.
    pub fn set_farewell(&self, line: String) {
        *self.farewell.lock().unwrap_or_else(PoisonError::into_inner) = line;
    }

    /// Leaves soon after the first signal, unless it is dropped before: for waiting that nothing interrupts, such as for
    /// the next line of a pipe.
    pub async fn leave_if_stuck(self) {
        loop {
            tokio::time::sleep(LOOK).await;
            if let Some(signal) = self.received() {
                tokio::time::sleep(STUCK).await;
                self.leave(signal);
            }
        }
    }

    fn leave(&self, signal: u8) -> ! {
        let line = self.farewell.lock().unwrap_or_else(PoisonError::into_inner);
        if !line.is_empty() {
            // Standard error may be gone too.
            let _ = writeln!(std::io::stderr(), "\n{line}");
        }
        std::process::exit(Exit::Signal(signal).code().into())
    }

    /// The number of the first signal, if one has come.
    pub fn received(&self) -> Option<u8> {
        Some(self.first.load(Ordering::SeqCst)).filter(|signal| *signal != 0)
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
    fn new() -> std::io::Result<Self> {
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
    fn new() -> std::io::Result<Self> {
        Ok(Source)
    }

    async fn next(&mut self) -> u8 {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
        2
    }
}
