//! `tenure resume`: go on from the journal alone.

use super::{again, send, stints, watched};
use crate::cli::ResumeArgs;
use crate::exit::Exit;
use crate::journal::{Journal, JournalError, Lock};
use crate::progress::Progress;
use crate::signals::Signals;

pub(super) async fn run(args: ResumeArgs) -> anyhow::Result<Exit> {
    let path = args.journal;
    if !path.exists() {
        return Err(JournalError::Missing.at(&path));
    }
    let lock = Lock::take(&path).map_err(|error| error.at(&path))?;
    let mut journal = Journal::open(&path).map_err(|error| error.at(&path))?;
    let before = send::last_settings(&journal).map_err(|error| error.at(&path))?;
    let settings = before.with(&args.send)?;
    journal.set_out_for(settings.destination()).map_err(|error| error.at(&path))?;
    stints::expect(journal.policy().map_err(|error| error.at(&path))?, args.stints, &path)?;
    again::expect(&journal, &args.retry, &path)?;
    let (signals, stops) = Signals::listen()?;
    let watch = watched::open(&args.send.watch, &path, &[])?;
    let mut progress = Progress::new(args.send.output.progress);
    again::retry(&mut journal, &args.retry, &path, &mut progress).map_err(|error| error.at(&path))?;
    send::send(send::Sending {
        journal,
        lock,
        path: &path,
        settings,
        signals,
        stops,
        progress,
        watch,
        completion: None,
    })
    .await
}
