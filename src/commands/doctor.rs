//! `tenure doctor`: whether everything is ready, and what to click when it is not.

use std::io::{IsTerminal as _, Write as _};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use jiff::Zoned;
use rand::rngs::SysRng;
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};

use super::connect::{self, Connection};
use super::{Usage, columns, inputs, note, print, tell};
use crate::chat::{Access, Call, Listing};
use crate::cli::{DoctorArgs, ProgressMode};
use crate::credentials::{Actor, Credentials, Need, Scope, Tokens as _};
use crate::doctor::{
    Check, FINDINGS_FILE, Findings, Outcome, Plan, ProbeError, Report, clock, look_at_spaces, network, probe,
    reach, spaces, standing, token,
};
use crate::exit::Exit;
use crate::intake::IntakeError;
use crate::journal::Loader;
use crate::model::{SpaceName, Timestamp};
use crate::network::{Endpoint, proxy_for};
use crate::plan;
use crate::progress::Progress;
use crate::settings::{Settings, SettingsError, Target};
use crate::signals::Signals;
use crate::wording::{many, quoted};

/// A space that nobody has: what Chat answers about it tells of everything but a space.
const NO_SPACE: &str = "spaces/tenure-doctor";

pub(super) async fn run(args: DoctorArgs) -> anyhow::Result<Exit> {
    let settings = Settings::default().connected(&args.connection)?;
    let Target::Endpoint(url) = settings.target.clone() else { anyhow::bail!("there is no endpoint") };
    let (signals, mut stops) = Signals::listen()?;
    let interrupted = || {
        note("\nInterrupted; nothing was changed.");
        Exit::Signal(signals.received().unwrap_or(2))
    };
    let mut doctor = Doctor { report: Report::default(), json: args.json, signals: signals.clone() };
    let connection = tokio::select! {
        connection = doctor.examine(&args, &settings, &url) => connection,
        _ = stops.recv() => return Ok(interrupted()),
    };
    if signals.received().is_some() {
        return Ok(interrupted());
    }
    let connection = connection?;
    let ready = doctor.report.is_ready();
    match connection {
        Some(connection) if args.probe && ready => {
            let plan = doctor.plan(&settings, &url)?;
            let agreed = tokio::select! {
                agreed = agreed(args.yes) => agreed?,
                _ = stops.recv() => return Ok(interrupted()),
            };
            if !agreed {
                note("Nothing was done.");
                return Ok(Exit::Failed);
            }
            {
                let mut probing = std::pin::pin!(doctor.probe(&plan, &connection));
                loop {
                    tokio::select! {
                        done = &mut probing => break done?,
                        Some(_) = stops.recv() => note(
                            "  stopping: the probe comes to its end first, since its space has to go (again: leave at once)"
                        ),
                    }
                }
            }
            if let Some(signal) = signals.received() {
                return Ok(Exit::Signal(signal));
            }
        }
        _ if args.probe => {
            doctor.found(Check::skipped("probe", "the probe: not before the rest is mended"))?
        }
        _ => doctor.found_before(&url)?,
    }
    let report = &doctor.report;
    if args.json {
        print(&format!("{}\n", report.json(&url)))?;
    } else {
        tell(&format!("\n{}", report.verdict()))?;
    }
    Ok(if report.is_ready() { Exit::Done } else { Exit::Failed })
}

/// Somebody who looks, and says at once what is seen.
struct Doctor {
    report: Report,
    json: bool,
    signals: Signals,
}

impl Doctor {
    fn found(&mut self, check: Check) -> anyhow::Result<()> {
        if !self.json {
            // What was said above need not be said again.
            let again = self.report.checks.iter().any(|known| known.remedy == check.remedy);
            let shown = Check { remedy: check.remedy.clone().filter(|_| !again), ..check.clone() };
            tell(&shown.text(columns()))?;
        }
        self.report.checks.push(check);
        Ok(())
    }

    fn found_all(&mut self, checks: Vec<Check>) -> anyhow::Result<()> {
        checks.into_iter().try_for_each(|check| self.found(check))
    }

    /// Every check in its order; what needs another is left out when that one failed.
    async fn examine(
        &mut self,
        args: &DoctorArgs,
        settings: &Settings,
        url: &str,
    ) -> anyhow::Result<Option<Connection>> {
        let credentials = match connect::credentials(settings).await {
            Ok(credentials) => Some(Arc::new(credentials)),
            Err(error) if error.is::<SettingsError>() && settings.proof.is_none() => return Err(error),
            Err(error) => {
                self.found(Check::failed("credentials", format!("credentials: {error:#}"), None))?;
                None
            }
        };
        if let Some(credentials) = &credentials {
            self.credentials(credentials)?;
        }
        let reached = self.network(url, credentials.as_deref()).await?;
        let (mut as_app, mut connection) = (false, None);
        if let Some(credentials) = credentials.filter(|_| reached) {
            as_app = self.tokens(settings, &credentials).await?;
            connection = Some(Connection::with(settings, credentials)?);
        }
        let ready = self.report.is_ready();
        let spaces = if args.inputs.is_empty() { Some(Vec::new()) } else { self.input(args, settings)? };
        let Some(connection) = connection.filter(|_| ready) else {
            let rest = "the Chat API, the Chat app, the acting person, the spaces: not before that is mended";
            self.found(Check::skipped("api", rest))?;
            return Ok(None);
        };
        let spaces = spaces.unwrap_or_default();
        self.standing(&connection, spaces.first()).await?;
        let failed = |check: &Check| check.outcome == Outcome::Failed && check.check != "input";
        if !self.report.checks.iter().any(failed) && !spaces.is_empty() {
            self.spaces(settings, &connection, spaces, as_app).await?;
        }
        Ok(Some(connection))
    }

    fn credentials(&mut self, credentials: &Credentials) -> anyhow::Result<()> {
        let identity = credentials.identity();
        let mut story = format!("credentials: {}", identity.story);
        let details = [
            identity.client_email.as_ref().filter(|email| !identity.story.contains(*email)).cloned(),
            identity.client_id.as_ref().map(|id| format!("client ID {id}")),
            identity.subject.as_ref().map(|subject| format!("acting for {subject}")),
        ];
        for detail in details.into_iter().flatten() {
            story += &format!(", {detail}");
        }
        self.found(Check::ok("credentials", story))?;
        for warning in credentials.warnings() {
            self.found(Check::warning("credentials", warning.clone(), None))?;
        }
        Ok(())
    }

    /// The network, the proxies and the clock. Whether the servers can be reached.
    async fn network(&mut self, url: &str, credentials: Option<&Credentials>) -> anyhow::Result<bool> {
        let mut servers: Vec<Endpoint> = Vec::new();
        for url in [Some(url), credentials.and_then(Credentials::token_uri)].into_iter().flatten() {
            if let Ok(server) = Endpoint::parse(url)
                && !servers.iter().any(|known| known.host() == server.host())
            {
                servers.push(server);
            }
        }
        let (mut seen, mut ahead_s) = (Vec::new(), None);
        for server in &servers {
            let reached = reach(server).await;
            ahead_s = ahead_s.or(reached.as_ref().ok().copied().flatten());
            seen.push((server.host(), proxy_for(server), reached.err()));
        }
        let check = network(&seen);
        let reached = seen.iter().all(|(_, _, trouble)| trouble.is_none());
        self.found(check)?;
        match ahead_s {
            Some(ahead_s) => self.found(clock(ahead_s))?,
            None => self.found(Check::warning("clock", "clock: no server has told its time", None))?,
        }
        Ok(reached)
    }

    /// A token for each scope: what nothing works without, and what is needed on the way. Says whether the app's own
    /// for looking at spaces is among them.
    async fn tokens(&mut self, settings: &Settings, credentials: &Credentials) -> anyhow::Result<bool> {
        let person = |scope| Need { scope, actor: Actor::Person };
        let app = |scope| Need { scope, actor: Actor::App };
        let needs: &[(Need, Option<&str>)] = match settings.access {
            Access::Import => &[
                (person(Scope::IMPORT), None),
                (
                    app(Scope::BOT),
                    Some("without it nothing tells whether a space is in import mode, and until when"),
                ),
                (
                    person(Scope::MEMBERSHIPS),
                    Some("an import does without it; it is needed once the spaces are completed"),
                ),
            ],
            Access::User => &[(person(Scope::MEMBERSHIPS), None)],
            Access::Admin => &[(person(Scope::ADMIN_MEMBERSHIPS), None)],
            Access::App => &[(app(Scope::APP_MEMBERSHIPS), None), (app(Scope::BOT), None)],
        };
        let setup = crate::remedy::Setup {
            identity: credentials.identity(),
            access: settings.access,
            elsewhere: settings.elsewhere(),
        };
        let mut as_app = false;
        for (need, what_for) in needs {
            let result = credentials.token(*need, None).await.map(drop);
            as_app |= need.scope == Scope::BOT && result.is_ok();
            self.found(token(*need, &result, *what_for, &setup))?;
        }
        Ok(as_app)
    }

    /// What one call that changes nothing tells.
    async fn standing(&mut self, connection: &Connection, space: Option<&SpaceName>) -> anyhow::Result<()> {
        let space = match space {
            Some(space) => space.clone(),
            None => SpaceName::parse(NO_SPACE)?,
        };
        let listing = Listing { page_size: 1, ..Listing::whole() };
        let answer = connection.caller.call(Call::ListMembers { space, listing, page_token: None }).await;
        self.found_all(standing(answer.as_ref().map(drop), &connection.setup()))
    }

    /// The spaces that an input names; `None` when it cannot be read.
    fn input(&mut self, args: &DoctorArgs, settings: &Settings) -> anyhow::Result<Option<Vec<SpaceName>>> {
        let now = Timestamp::now();
        let remedy = || {
            let names: Vec<String> =
                args.inputs.iter().map(|path| quoted(&path.display().to_string())).collect();
            let maps =
                [("--spaces", &args.read.spaces), ("--users", &args.read.users)].into_iter().filter_map(
                    |(flag, path)| Some(format!(" {flag} {}", quoted(&path.as_ref()?.display().to_string()))),
                );
            let capacity = match settings.access {
                Access::Import => "",
                Access::User => " --standard-spaces",
                Access::Admin => " --admin-access",
                Access::App => " --as-app",
            };
            Some(format!("tenure check {}{}{capacity}", names.join(" "), maps.collect::<String>()))
        };
        let resolved = match inputs::resolve(&args.inputs, &args.read, settings, false, false, now) {
            Ok(resolved) => resolved,
            Err(problems) => {
                let story = format!("input: {} in the maps", inputs::count(&problems));
                self.found(Check::failed("input", story, remedy()))?;
                return Ok(None);
            }
        };
        let mut progress = Progress::new(ProgressMode::None);
        let mut loader = Loader::nowhere(settings.destination().operation(), now);
        let intake = match inputs::read(&mut loader, &resolved, &mut progress, &self.signals) {
            Ok(intake) => intake,
            Err(IntakeError::Interrupted) => anyhow::bail!("interrupted while reading"),
            Err(error) => return Err(error.into()),
        };
        let names = loader.spaces()?;
        let read = format!("input: {} in {}", many(intake.rows, "row"), many(names.len() as u64, "space"));
        if intake.problems.is_empty() {
            self.found(Check::ok("input", read))?;
        } else {
            let first =
                intake.problems.kept().first().map(|first| format!(", first: {first}")).unwrap_or_default();
            let story = format!("{read}, with {}{first}", inputs::count(&intake.problems));
            self.found(Check::failed("input", story, remedy()))?;
        }
        if let Some(line) =
            plan::estimate(&loader.outlook().pending, &settings.rates(), &Zoned::now(), settings.undertaking)
        {
            self.found(Check::ok("quota", format!("quota: {line}")))?;
        }
        Ok(Some(names))
    }

    async fn spaces(
        &mut self,
        settings: &Settings,
        connection: &Connection,
        names: Vec<SpaceName>,
        as_app: bool,
    ) -> anyhow::Result<()> {
        let total = names.len();
        let loud = !self.json && std::io::stderr().is_terminal();
        let tell = |seen: usize| {
            if loud {
                let _ = write!(std::io::stderr(), "\r  {seen} of {total} spaces looked at");
                if seen == total {
                    let _ = write!(std::io::stderr(), "\r\x1b[K");
                }
            }
        };
        // Two calls a space.
        let pause = match settings.reads_per_minute {
            0 => Duration::ZERO,
            reads => Duration::from_secs_f64(120.0 / f64::from(reads)),
        };
        let seen = look_at_spaces(&connection.caller, as_app, names, pause, tell).await;
        self.found_all(spaces(&seen, &connection.setup(), Timestamp::now()))
    }

    /// Says what a probe is going to do.
    fn plan(&self, settings: &Settings, url: &str) -> anyhow::Result<Plan> {
        if settings.access != Access::Import {
            let story =
                "--probe is about import mode: leave --standard-spaces, --admin-access and --as-app away";
            return Err(Usage(story.to_owned()).into());
        }
        let subject = settings.impersonate.as_deref().ok_or(SettingsError::NoSubject)?;
        let mut random = StdRng::try_from_rng(&mut SysRng).context("no randomness")?;
        let request_id = format!("tenure-probe-{:032x}", random.random::<u128>());
        let plan = Plan::new(url, subject, request_id, &Zoned::now())?;
        note(&format!("\n{}", plan.text()));
        Ok(plan)
    }

    /// The first Ctrl-C lets it come to its end, since the space has to go.
    async fn probe(&mut self, plan: &Plan, connection: &Connection) -> anyhow::Result<()> {
        let signals = self.signals.clone();
        let tell = |step: &str| {
            note(&format!("  {step}"));
            // The first step names the space.
            signals.set_farewell(format!(
                "left at once: the probe {step}, which may be left behind; nobody is in it, and Chat deletes it after 90 days"
            ));
        };
        let findings = match probe(&connection.caller, plan, tell).await {
            Ok(findings) => findings,
            Err(error) => return self.found(probe_failed(&error, plan, connection)),
        };
        note("");
        self.findings(&findings)?;
        findings.write(Path::new(FINDINGS_FILE))?;
        note(&format!("Kept in {FINDINGS_FILE}, where check and import of this folder look for it."));
        Ok(())
    }

    fn findings(&mut self, findings: &Findings) -> anyhow::Result<()> {
        self.found(Check::ok("probe", format!("what a probe has found out on {}:", findings.probed_at)))?;
        findings.lines().into_iter().try_for_each(|line| self.found(Check::ok("probe", line)))
    }

    /// What an earlier probe of this Chat has found out.
    fn found_before(&mut self, url: &str) -> anyhow::Result<()> {
        match Findings::read(Path::new(FINDINGS_FILE)) {
            Ok(Some(findings)) if findings.endpoint == url => self.findings(&findings),
            Ok(_) => Ok(()),
            Err(error) => self.found(Check::warning("probe", error.to_string(), None)),
        }
    }
}

fn probe_failed(error: &ProbeError, plan: &Plan, connection: &Connection) -> Check {
    match error {
        // No answer came, or one that says nothing of what was done.
        ProbeError::NotCreated(failure) if failure.may_have_been_applied() => Check::failed(
            "probe",
            format!("whether the probe's space {:?} was created is not known: {failure}", plan.display_name),
            Some("nobody is in it, and Chat deletes it by itself after 90 days; try again".to_owned()),
        ),
        ProbeError::NotCreated(failure) => Check::failed(
            "probe",
            format!("the probe could not create its space: {failure}"),
            connection.setup().of_failure(failure),
        ),
        ProbeError::Failed { what, failure } => Check::failed(
            "probe",
            format!("the probe could not {what}, and has deleted its space again: {failure}"),
            connection.setup().of_failure(failure),
        ),
        ProbeError::LeftBehind { space, failure } => Check::failed(
            "probe",
            format!("the probe's space {space} could not be deleted: {failure}"),
            Some(format!(
                "nobody is in it, and Chat deletes it by itself after 90 days; or delete it with the Chat API: DELETE \
                 v1/{space}"
            )),
        ),
        ProbeError::Senseless(story) => Check::failed("probe", format!("the probe: {story}"), None),
    }
}

/// Whether the operator agrees; where nobody can be asked, `--yes` has to say so.
async fn agreed(yes: bool) -> anyhow::Result<bool> {
    if yes {
        return Ok(true);
    }
    if !std::io::stdin().is_terminal() {
        return Err(Usage("nobody is there to be asked: say --yes to go on".to_owned()).into());
    }
    let _ = write!(std::io::stderr(), "Go on? [y/N] ");
    let answer = tokio::task::spawn_blocking(|| {
        let mut answer = String::new();
        std::io::stdin().read_line(&mut answer).map(|_| answer)
    });
    Ok(matches!(answer.await??.trim(), "y" | "Y" | "yes" | "Yes"))
}
