//! `tenure plan`: what a run would send, and how long it takes.

use jiff::Zoned;

use super::inputs::{self, Looked, NotLooked};
use super::{columns, note, print, stints, tell};
use crate::chat::Access;
use crate::cli::PlanArgs;
use crate::exit::Exit;
use crate::input::{ProblemKind, SpaceMap};
use crate::intake::Intake;
use crate::journal::{Loader, Outlook};
use crate::model::{Policy, SpaceName, Timestamp};
use crate::plan::{Facts, Plan};
use crate::progress::Progress;
use crate::settings::{Settings, Target};
use crate::signals::Signals;

pub(super) async fn run(args: PlanArgs) -> anyhow::Result<Exit> {
    let now = Timestamp::now();
    let (signals, _stops) = Signals::listen()?;
    let mut settings = Settings { target: Target::Emulator, ..Settings::default() }.capable(&args.capacity);
    settings.writes_per_minute = args.writes_per_minute.unwrap_or(settings.writes_per_minute);
    settings.writes_per_minute_per_space =
        args.writes_per_minute_per_space.unwrap_or(settings.writes_per_minute_per_space);
    let policy = stints::policy(args.stints, &settings)?;
    let progress = Progress::new(args.output.progress);
    let loader = Loader::nowhere(settings.destination().operation(), now).by(policy);
    let loader = if settings.access == Access::Import { loader.comparing() } else { loader };
    let Looked { inputs, intake, mut loader } =
        match inputs::look(&args.input, &settings, now, loader, progress, &signals)? {
            Ok(looked) => looked,
            Err(NotLooked::Maps(problems)) => {
                inputs::show(&problems);
                note(&format!("{} in the maps; no input was read.", inputs::count(&problems)));
                return Ok(Exit::BadInput);
            }
            Err(NotLooked::Interrupted(signal)) => {
                inputs::interrupted(args.json)?;
                return Ok(Exit::Signal(signal));
            }
        };
    if !intake.problems.is_empty() {
        inputs::show(&intake.problems);
        note(&format!(
            "{}: there is no plan before they are mended. `tenure check`, of the same input, shows what else there is to see.",
            inputs::count(&intake.problems)
        ));
        return Ok(Exit::BadInput);
    }
    inputs::warn(&intake.warnings.only(ProblemKind::UnreadColumn));
    let spaces: Vec<String> = loader.spaces()?.iter().map(ToString::to_string).collect();
    let people = loader.names().members().into();
    let read = Read { intake: &intake, outlook: loader.outlook(), spaces: &spaces, people };
    let zoned = Zoned::now();
    let plan = read.plan(&settings, policy, inputs.rules.spaces.as_ref(), &zoned);
    if args.json {
        print(&format!("{:#}\n", plan.json()))?;
    } else {
        tell(&plan.text(columns()))?;
    }
    Ok(Exit::Done)
}

/// All that was read.
struct Read<'a> {
    intake: &'a Intake,
    outlook: &'a Outlook,
    spaces: &'a [String],
    people: u64,
}

impl<'a> Read<'a> {
    fn plan(&self, settings: &Settings, policy: Policy, map: Option<&SpaceMap>, now: &'a Zoned) -> Plan<'a> {
        let outlook = self.outlook;
        let policies = outlook.compared.as_ref().map(|compared| compared.each().collect());
        Plan::of(Facts {
            history: settings.access == Access::Import,
            read: self.intake.rows,
            duplicate: self.intake.duplicates,
            pending: &outlook.pending,
            staying: &outlook.staying,
            staying_with_role: outlook.staying_with_role,
            open: outlook.open,
            several: outlook.several(0, 0),
            merged: outlook.merged_more.max(0).cast_unsigned(),
            bridged: outlook.bridged_more.max(0).cast_unsigned(),
            people: self.people,
            spaces: self.spaces,
            titles: &self.intake.titles,
            expires: map.and_then(|map| self.first_to_expire(map)),
            policy,
            policies: policies.unwrap_or_default(),
            rates: settings.rates(),
            now,
        })
    }

    /// When the first of the spaces with rows to send is deleted, as far as the map tells.
    fn first_to_expire(&self, map: &SpaceMap) -> Option<Timestamp> {
        let with_rows = self.spaces.iter().zip(&self.outlook.pending).filter(|(_, rows)| **rows > 0);
        with_rows.filter_map(|(space, _)| map.age(&SpaceName::parse(space).ok()?)?.expire_time).min()
    }
}
