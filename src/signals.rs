//! Ctrl-C and SIGTERM: the first asks, the second insists.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use crate::engine::Stop;
use crate::exit::Exit;

/// What signals have come in.
#[derive(Debug, Clone, Default)]
pub struct Signals(Arc<AtomicU8>);

impl Signals {
    /// Begins to listen. The first signal is sent to the receiver; on the second the process ends at once: whatever
    /// was confirmed is in the journal, and the rest is in flight there.
    ///
    /// # Errors
    /// When the system lets nobody listen.
    pub fn listen() -> std::io::Result<(Signals, UnboundedReceiver<Stop>)> {
        let signals = Signals::default();
        let (sender, receiver) = unbounded_channel();
        let mut source = Source::new()?;
        let number = signals.clone();
        tokio::spawn(async move {
            loop {
                let signal = source.next().await;
                if number.0.swap(signal, Ordering::SeqCst) != 0 {
                    std::process::exit(Exit::Signal(signal).code().into());
                }
                // Nobody needs telling when nothing is being sent any more.
                let _ = sender.send(Stop::Asked);
            }
        });
        Ok((signals, receiver))
    }

    /// The number of the first signal, if one has come.
    pub fn received(&self) -> Option<u8> {
        Some(self.0.load(Ordering::SeqCst)).filter(|signal| *signal != 0)
    }
}

#[cfg(unix)]
struct Source {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Source {
    fn new() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
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
