//! The way through all spaces: several are looked at at once, and what comes out is written in the journal's order.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};

use super::LookAt;
use super::writing::Writing;
use crate::chat::{Access, Failure, HttpChat};
use crate::credentials::{Credentials, Identity};
use crate::engine::Stop;
use crate::journal::{Journal, SpaceHeld};
use crate::model::Timestamp;
use crate::progress::Progress;
use crate::remedy::Setup;
use crate::summary::stop_story;
use crate::verify::{
    self, CheckedSpace, Compared, Ending, Known, LeftOut, Listed, Looker, Looking, Outcome, Report,
    SpaceOutcome,
};

/// Spaces looked at at once.
const AT_ONCE: usize = 8;
/// How far the looking may be ahead of what is written.
const AHEAD_MAX: usize = 64;
/// How often those who watch are shown where things stand.
const TICK: Duration = Duration::from_millis(100);

/// What a look at a space has come to so far.
enum Seen {
    /// Its list, or why there is none.
    Listed(Outcome),
    /// Its list, and what Chat has told of members whose ids were not known.
    Asked(Vec<Listed>, Result<Told, Outcome>),
}

type Told = HashMap<Box<str>, Option<Box<str>>>;

/// The way through all spaces.
pub(super) struct Walk<'a> {
    pub(super) journal: &'a Journal,
    pub(super) path: &'a Path,
    pub(super) begun_at: Timestamp,
    pub(super) identity: Identity,
    /// The endpoint, where that is not Google's.
    pub(super) elsewhere: Option<String>,
    pub(super) typed: bool,
    pub(super) targets: Vec<LookAt>,
    pub(super) report: &'a mut Report,
    pub(super) writing: &'a mut Writing,
    pub(super) progress: &'a mut Progress,
}

impl Walk<'_> {
    /// Looks at all of them; says how that ended.
    ///
    /// # Errors
    /// When the journal cannot be read, or what was found cannot be written.
    pub(super) async fn walk(
        &mut self,
        looker: Arc<Looker<HttpChat<Credentials>>>,
        mut stops: UnboundedReceiver<Stop>,
        mut said: UnboundedReceiver<String>,
        begin: Instant,
    ) -> anyhow::Result<Ending> {
        let mut looks: JoinSet<(usize, Seen)> = JoinSet::new();
        // What the journal knew of a space before it was listed: what is done by then has to be in the list.
        let mut known: HashMap<usize, Known> = HashMap::new();
        let mut ready: BTreeMap<usize, Option<CheckedSpace>> = BTreeMap::new();
        let (mut next, mut written) = (0, 0);
        let mut stopped: HashMap<Access, Stop> = HashMap::new();
        let mut differences = 0;
        let mut tick = interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Skip);
        let ending = loop {
            while looks.len() < AT_ONCE && next < self.targets.len() && next < written + AHEAD_MAX {
                let target = &self.targets[next];
                let place = next;
                next += 1;
                if stopped.contains_key(&target.access) {
                    ready.insert(place, None);
                    continue;
                }
                known.insert(place, self.known(place)?);
                let (looker, name) = (Arc::clone(&looker), target.space.name.clone());
                let (view, access) = (target.view, target.access);
                looks.spawn(async move { (place, Seen::Listed(looker.list(&name, view, access).await)) });
            }
            while let Some(space) = ready.remove(&written) {
                written += 1;
                if let Some(space) = space {
                    differences += space.compared.counts.differences();
                    self.writing.space(self.report, &space)?;
                    self.report.add(&space);
                }
            }
            if looks.is_empty() && next == self.targets.len() {
                break None;
            }
            let joined = tokio::select! {
                Some(joined) = looks.join_next() => joined,
                Some(_) = stops.recv() => break Some(Ending::Interrupted),
                Some(line) = said.recv() => {
                    self.progress.say(&line);
                    continue;
                }
                _ = tick.tick() => {
                    self.show(begin, written, looker.listed(), differences);
                    continue;
                }
            };
            let (place, seen) = joined.context("looking at a space broke off inside tenure")?;
            let Some(mut of_space) = known.remove(&place) else { continue };
            let outcome = match seen {
                Seen::Listed(Outcome::Listed(listed)) => {
                    self.name(&mut of_space, &listed)?;
                    let to_ask_for = of_space.to_ask_for(&listed);
                    if to_ask_for.is_empty() {
                        Ok((of_space, listed))
                    } else {
                        let target = &self.targets[place];
                        let (looker, name, access) =
                            (Arc::clone(&looker), target.space.name.clone(), target.access);
                        looks.spawn(async move {
                            let told = looker.ask(&name, &to_ask_for, access).await;
                            (place, Seen::Asked(listed, told))
                        });
                        known.insert(place, of_space);
                        continue;
                    }
                }
                Seen::Listed(outcome) => Err((of_space, outcome)),
                Seen::Asked(listed, Ok(told)) => {
                    of_space.told(&told);
                    Ok((of_space, listed))
                }
                Seen::Asked(_, Err(outcome)) => Err((of_space, outcome)),
            };
            let checked = match outcome {
                Ok((of_space, listed)) => Some(self.checked(place, &of_space, &listed)),
                Err((_, Outcome::Stopped(stop))) => {
                    let access = self.targets[place].access;
                    self.report.remedy = self.setup(access).of_stop(&stop);
                    let gave_up = matches!(stop, Stop::GaveUp { .. });
                    stopped.entry(access).or_insert(stop);
                    ready.insert(place, None);
                    if gave_up {
                        break None;
                    }
                    None
                }
                Err((of_space, outcome)) => Some(self.unseen(place, &of_space, outcome)),
            };
            ready.insert(place, checked);
        };
        looks.abort_all();
        self.show(begin, written, looker.listed(), differences);
        // What was looked at behind a gap counts too.
        for space in std::mem::take(&mut ready).into_values().flatten() {
            self.writing.space(self.report, &space)?;
            self.report.add(&space);
        }
        Ok(match (ending, stopped.into_values().next()) {
            (Some(ending), _) => ending,
            (None, Some(stop)) => Ending::Stopped(stop_story(&stop)),
            (None, None) if self.report.all_refused() => Ending::Stopped(self.report.refusal()),
            (None, None) => Ending::Whole,
        })
    }

    fn show(&mut self, begin: Instant, written: usize, listed: u64, differences: u64) {
        let spaces_total = self.targets.len() as u64;
        let looking = Looking { spaces: written as u64, spaces_total, listed, differences };
        self.progress.looking(begin.elapsed(), &looking);
    }

    /// What the journal knows of a space now.
    fn known(&self, place: usize) -> anyhow::Result<Known> {
        let LookAt { space, view, access } = &self.targets[place];
        let (rows, found) = self.journal.holdings(space.id).map_err(|error| error.at(self.path))?;
        Ok(Known {
            view: *view,
            rows,
            found,
            names: HashMap::new(),
            begun_at: self.begun_at,
            left_out: LeftOut::by(*access),
            not_members: HashSet::new(),
            completer_left: space.left,
        })
    }

    /// What the input calls those who are listed and have no row in this space that is known to be theirs. A run that goes
    /// on may have learned since whose some rows are.
    fn name(&self, known: &mut Known, listed: &[Listed]) -> anyhow::Result<()> {
        let rowed: HashSet<&str> = known.rows.iter().filter_map(|row| row.holder()).collect();
        let nameless: HashSet<&str> =
            known.rows.iter().filter(|row| row.holder().is_none()).map(|row| &*row.member).collect();
        let holders: BTreeSet<&str> =
            listed.iter().map(|listed| &*listed.holder).filter(|holder| !rowed.contains(holder)).collect();
        let mut names = HashMap::new();
        let mut learned: Told = HashMap::new();
        for holder in holders {
            for name in self.journal.names_of(holder).map_err(|error| error.at(self.path))? {
                if nameless.contains(&*name) {
                    learned.insert(name.clone().into(), Some(holder.into()));
                }
                names.entry(holder.to_owned()).or_insert(name);
            }
        }
        known.names = names;
        known.told(&learned);
        Ok(())
    }

    fn checked(&self, place: usize, known: &Known, listed: &[Listed]) -> CheckedSpace {
        let LookAt { space, view, .. } = &self.targets[place];
        let sent = known.rows.iter().any(|row| row.sent);
        CheckedSpace {
            name: space.name.clone(),
            view: *view,
            outcome: SpaceOutcome::Checked,
            compared: verify::compare(known, listed),
            surveyed: space.surveyed || view.is_present() || !sent,
            leaves_out: view.is_present() && known.left_out != LeftOut::default(),
        }
    }

    fn unseen(&mut self, place: usize, known: &Known, outcome: Outcome) -> CheckedSpace {
        let LookAt { space, view, access } = &self.targets[place];
        let outcome = match outcome {
            // That they have left says nothing of the space, and who is in it cannot be seen like this.
            Outcome::Refused(failure) if space.left && *access == Access::User => {
                self.report.remedy = Some(
                    "whoever completed an import and has left its spaces cannot list them: look as an administrator, \
                     with --admin-access"
                        .to_owned(),
                );
                SpaceOutcome::Failed(format!("{failure}; the account that completed it has left it"))
            }
            Outcome::Refused(failure) => {
                self.report.remedy = self.remedy(*access, &failure, space);
                SpaceOutcome::Refused(failure.to_string())
            }
            Outcome::Failed(failure) => {
                self.report.remedy.get_or_insert_with(|| "run it again: what failed may pass".to_owned());
                SpaceOutcome::Failed(failure.to_string())
            }
            Outcome::Listed(_) | Outcome::Stopped(_) => SpaceOutcome::Failed(String::new()),
        };
        CheckedSpace {
            name: space.name.clone(),
            view: *view,
            outcome,
            compared: Compared::unseen(&known.rows),
            surveyed: true,
            leaves_out: false,
        }
    }

    fn setup(&self, access: Access) -> Setup<'_> {
        Setup { identity: &self.identity, access, elsewhere: self.elsewhere.as_deref() }
    }

    fn remedy(&self, access: Access, failure: &Failure, space: &SpaceHeld) -> Option<String> {
        let remedy = self.setup(access).of_failure(failure)?;
        if self.typed && space.completed_at.is_none() {
            return Some(format!(
                "{remedy}; or, if {} is still in import mode, leave --standard-spaces, --admin-access and --as-app away",
                self.report.about.titles.tell(space.name.as_str())
            ));
        }
        Some(remedy)
    }
}
