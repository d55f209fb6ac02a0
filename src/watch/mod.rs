//! Who else looks on while a run goes: a log of its calls, and figures for Prometheus.

mod call_log;
mod metrics;
mod serve;

use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::task::JoinHandle;

use crate::cli::WatchArgs;
use crate::engine::{Called, Event, Now, Observer, Snapshot};
use crate::journal::{Journal, JournalError};
use crate::model::Timestamp;
use crate::progress::Progress;
use crate::wording::trouble_listening;
use call_log::CallLog;
use metrics::Metrics;

/// What was asked for with `--log` and `--metrics`; mostly nothing.
#[derive(Debug, Default)]
pub struct Watch {
    log: Option<CallLog>,
    metrics: Option<Arc<Mutex<Metrics>>>,
    served: Option<(SocketAddr, JoinHandle<()>)>,
}

impl Watch {
    /// Opens the log and the port, so that whoever cannot have them learns it before anything is sent. Has to be called where
    /// tasks can be spawned.
    ///
    /// # Errors
    /// When the file cannot be written, or the port is taken.
    pub fn open(args: &WatchArgs) -> anyhow::Result<Watch> {
        let log = args.log.as_deref().map(CallLog::open).transpose()?;
        let Some(address) = args.metrics else {
            return Ok(Watch { log, metrics: None, served: None });
        };
        let metrics = Arc::new(Mutex::new(Metrics::new(Timestamp::now())));
        let listener = TcpListener::bind(address)
            .and_then(|listener| listener.set_nonblocking(true).map(|()| listener))
            .and_then(tokio::net::TcpListener::from_std)
            .map_err(|error| {
                anyhow::anyhow!(
                    "--metrics {address}: no figures can be served there: {}; nothing was sent; choose another port, or let \
                     --metrics 0 take a free one",
                    trouble_listening(&error)
                )
            })?;
        let address = listener.local_addr()?;
        let server = tokio::spawn(serve::serve(listener, Arc::clone(&metrics)));
        Ok(Watch { log, metrics: Some(metrics), served: Some((address, server)) })
    }

    /// A run begins on this journal.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub fn begin(
        &mut self,
        journal: &Journal,
        path: &Path,
        progress: &mut Progress,
    ) -> Result<(), JournalError> {
        if let Some((address, _)) = &self.served {
            progress.say(&format!("metrics at http://{address}/metrics"));
        }
        if let Some(log) = &mut self.log {
            log.begin(path, &journal.target()?, journal.source_paths()?, Timestamp::now());
        }
        self.tell_of_log(progress);
        Ok(())
    }

    /// The run has ended.
    pub fn end(&mut self, outcome: &str, progress: &mut Progress) {
        if let Some(log) = &mut self.log {
            log.end(outcome, Timestamp::now());
        }
        self.tell_of_log(progress);
    }

    /// Everything that is told of a run, shown by `progress` and watched by this.
    pub fn over<'a>(&'a mut self, progress: &'a mut Progress) -> Watching<'a> {
        Watching { watch: self, progress }
    }

    fn metrics(&self) -> Option<MutexGuard<'_, Metrics>> {
        self.metrics.as_ref().map(|metrics| metrics.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// A log that cannot be written is told of once, and the run goes on.
    fn tell_of_log(&mut self, progress: &mut Progress) {
        if let Some(story) = self.log.as_mut().and_then(CallLog::take_trouble) {
            progress.say(&story);
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        if let Some((_, server)) = &self.served {
            server.abort();
        }
    }
}

/// An observer for all that look on.
#[derive(Debug)]
pub struct Watching<'a> {
    watch: &'a mut Watch,
    progress: &'a mut Progress,
}

impl Observer for Watching<'_> {
    fn event(&mut self, now: Now, event: &Event) {
        self.progress.event(now, event);
        if let Some(mut metrics) = self.watch.metrics() {
            metrics.event(event);
        }
    }

    fn tick(&mut self, now: Now, snapshot: &Snapshot) {
        self.progress.tick(now, snapshot);
        if let Some(mut metrics) = self.watch.metrics() {
            metrics.tick(now, snapshot);
        }
        if let Some(log) = &mut self.watch.log {
            log.tick(now);
        }
        self.watch.tell_of_log(self.progress);
    }

    fn wants_calls(&self) -> bool {
        self.watch.log.is_some() || self.watch.metrics.is_some()
    }

    fn called(&mut self, now: Now, called: &Called) {
        if let Some(log) = &mut self.watch.log {
            log.called(now, called);
        }
        if let Some(mut metrics) = self.watch.metrics() {
            metrics.called(called);
        }
    }

    fn written(&mut self, took: Duration) {
        if let Some(mut metrics) = self.watch.metrics() {
            metrics.written(took);
        }
    }
}
