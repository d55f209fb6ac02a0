//! A plan as a person reads it.

use std::fmt::Write as _;
use std::time::Duration;

use jiff::Zoned;

use super::time::end;
use super::{Plan, Step, Timing, WINDOW, Window};
use crate::model::{Policy, Stints};
use crate::wording::{self, counted, span, thousands, wrapped};

/// The width of what stands before each paragraph.
const MARGIN: usize = 10;
/// The width of a figure.
const FIGURE: usize = 10;
/// What the biggest space takes by itself is of no interest below this.
const WORTH_A_WORD: Duration = Duration::from_secs(60);

impl Plan<'_> {
    /// The whole plan, in paragraphs of at most so many columns.
    pub fn text(&self, columns: usize) -> String {
        let mut page = Page { text: String::new(), columns };
        self.rows(&mut page);
        if self.to_send + self.facts.open == 0 {
            return page.done();
        }
        self.calls(&mut page);
        self.time(&mut page);
        self.window(&mut page);
        self.quotas(&mut page);
        self.policies(&mut page);
        page.done()
    }

    fn rows(&self, page: &mut Page) {
        let facts = &self.facts;
        page.figure("rows", facts.read, "read");
        let sent = match facts.history {
            true => "history: sent with their times",
            false => "members of today: sent without times",
        };
        page.figure("", self.to_send, sent);
        page.some(facts.open, "open: still members, added once their space is completed");
        page.some(facts.bridged, "of these also sent as history until now (--bridge-current)");
        page.some(facts.duplicate, "repeating another: sent once");
        page.some(facts.merged, "merged into others (--stints merge)");
        let (members, behind) = facts.several;
        page.some(behind, &format!("second and further stints, of {}", counted(members, "member")));
        page.figure("people", facts.people, "");
        let biggest = self.biggest.map_or(String::new(), |biggest| {
            format!("the biggest: {} with {} to send", biggest.told(), counted(biggest.rows, "row"))
        });
        page.figure("spaces", facts.spaces.len() as u64, &biggest);
        page.end();
    }

    fn calls(&self, page: &mut Page) {
        for step in [Step::Import, Step::Verify, Step::Complete] {
            let calls: Vec<_> = self.calls.iter().filter(|calls| calls.step == step).collect();
            for (place, calls) in calls.into_iter().enumerate() {
                let name = if place == 0 { step.as_str() } else { "" };
                let about = if page.is_narrow() {
                    format!("{}: {}", calls.method, calls.about)
                } else {
                    format!("{:<22} {}", calls.method, calls.about)
                };
                page.figure(name, calls.count, &about);
            }
        }
        page.end();
    }

    fn time(&self, page: &mut Page) {
        let facts = &self.facts;
        let quota = facts.rates.writes_per_minute;
        let Some(import) = self.import else {
            let why = match (quota, self.to_send) {
                (0, _) => "there is no limit to go by: --writes-per-minute 0",
                _ => "nothing is to be sent before the spaces are completed",
            };
            page.paragraph("time", why);
            return page.end();
        };
        let mut text = format!("{} at {quota} writes a minute", span(import.takes));
        if let Some(end) = end(facts.now, import.takes) {
            let _ = write!(text, ", until {}", moment(&end));
        }
        text += match import.by_space {
            true => ". The biggest space decides.",
            false => ". Whatever Chat refuses or slows down comes on top.",
        };
        page.paragraph("time", &text);
        if let Some(complete) = self.complete {
            page.paragraph(
                "",
                &format!(
                    "Then {} for those who are still members, once their spaces are completed.",
                    span(complete.takes)
                ),
            );
        }
        let alone = self.biggest.and_then(|biggest| Some((biggest, biggest.alone?)));
        if let Some((biggest, alone)) = alone.filter(|(_, alone)| *alone >= WORTH_A_WORD) {
            let each = facts.rates.writes_per_minute_per_space;
            page.paragraph(
                "",
                &format!(
                    "{} alone takes {} at {each} writes a minute, which is what this program gives one space. Google names \
                     no limit there, but says that traffic which piles up on one space is slowed down.",
                    biggest.told(),
                    span(alone)
                ),
            );
        }
        page.end();
    }

    fn window(&self, page: &mut Page) {
        let days = WINDOW.as_secs() / 86_400;
        let text = match &self.window {
            Window::None => return,
            Window::Unknown { fits: Some(true) } => format!(
                "It fits into the {days} days of import mode, which begin when the first space is created; unless it is \
                 completed by then, a space is deleted."
            ),
            Window::Unknown { fits: Some(false) } => format!(
                "It does not fit into the {days} days of import mode, after which a space is deleted: ask Google for a \
                 larger quota, or create and import the spaces in parts."
            ),
            Window::Unknown { fits: None } => format!(
                "Import mode lasts {days} days from the creation of the first space; unless it is completed by then, a \
                 space is deleted."
            ),
            Window::Past { expired } => format!(
                "It is too late: the first space was deleted on {}, unless it was completed by then. Create such spaces anew \
                 (tenure spaces create CHANNELS), and plan with the new map.",
                moment(expired)
            ),
            Window::Until { expires, fits: None } => {
                format!("The first space is deleted on {}, unless it is completed by then.", moment(expires))
            }
            Window::Until { expires, fits: Some(true) } => format!(
                "It fits: the first space is deleted on {}, unless it is completed by then.",
                moment(expires)
            ),
            Window::Until { expires, fits: Some(false) } => format!(
                "It does not fit: the first space is deleted on {}. Ask Google for a larger quota, or import and complete \
                 that space first.",
                moment(expires)
            ),
        };
        page.paragraph(&format!("{days} days"), &text);
        page.end();
    }

    fn quotas(&self, page: &mut Page) {
        let (Some(import), false) = (self.import, self.quotas.is_empty()) else { return };
        // What is saved stands in the times, too.
        let row = |quota: &str, time: &str, saves: &str, until: &str| match page.is_narrow() {
            true => format!("{quota:>10}  {time:>11}  {until}"),
            false => format!("{quota:>10}  {time:>12}  {saves:>12}  {until}"),
        };
        let mut lines = vec![row("writes/min", "time", "saves", "until")];
        let rows =
            std::iter::once((self.facts.rates.writes_per_minute, import)).chain(self.quotas.iter().copied());
        for (quota, timing) in rows {
            let saved = import.takes.saturating_sub(timing.takes);
            let saves = if saved == Duration::ZERO { "-".to_owned() } else { span(saved) };
            let until = end(self.facts.now, timing.takes).map_or(String::new(), |end| wording::moment(&end));
            let limit = if timing.by_space { " *" } else { "" };
            let until = format!("{until}{limit}");
            lines.push(row(&thousands(quota.into()), &span(timing.takes), &saves, &until));
        }
        for (place, line) in lines.iter().enumerate() {
            page.line(if place == 0 { "quota" } else { "" }, line);
        }
        if self.quotas.iter().any(|(_, timing)| timing.by_space) {
            page.paragraph("", "* as long as the biggest space takes: --writes-per-minute-per-space");
        }
        page.end();
    }

    fn policies(&self, page: &mut Page) {
        if self.facts.policies.is_empty() {
            return;
        }
        if !page.is_narrow() {
            page.line("history", &format!("{:<31}{:>12}  {:>12}", "", "to send", "time"));
        }
        for (place, (policy, rows, timing)) in self.by_policy().enumerate() {
            let time = timing.map_or("-".to_owned(), |Timing { takes, .. }| span(takes));
            if page.is_narrow() {
                let here = if policy == self.facts.policy { " (this plan)" } else { "" };
                let story = format!("{}: {} to send, {time}{here}", typed(policy), thousands(rows));
                page.paragraph(if place == 0 { "history" } else { "" }, &story);
                continue;
            }
            let here = if policy == self.facts.policy { "  this plan" } else { "" };
            page.line("", &format!("{:<31}{:>12}  {time:>12}{here}", typed(policy), thousands(rows)));
        }
        page.end();
    }
}

/// What is typed for a policy.
pub(super) fn typed(policy: Policy) -> String {
    let bridges = if policy.bridges { " --bridge-current" } else { "" };
    match policy.stints {
        Stints::Each => format!("--stints each{bridges}"),
        Stints::Merge => format!("--stints merge{bridges}"),
    }
}

/// `Saturday 2026-11-21 16:13 CET (Europe/Berlin)`.
fn moment(time: &Zoned) -> String {
    let zone = time.time_zone().iana_name().filter(|name| *name != "UTC" && *name != "Etc/UTC");
    let zone = zone.map_or(String::new(), |name| format!(" ({name})"));
    format!("{}{zone}", time.strftime("%A %Y-%m-%d %H:%M %Z"))
}

/// Fewer columns than these do not hold the tables with all that stands in them.
const TABLE_COLUMNS: usize = 74;

/// Paragraphs, each with a word before it.
struct Page {
    text: String,
    columns: usize,
}

impl Page {
    fn is_narrow(&self) -> bool {
        self.columns < TABLE_COLUMNS
    }

    fn line(&mut self, name: &str, text: &str) {
        let line = format!("{name:<MARGIN$}{text}");
        let _ = writeln!(self.text, "{}", line.trim_end());
    }

    fn figure(&mut self, name: &str, count: u64, about: &str) {
        let mut count = thousands(count);
        let mut name = name;
        for line in
            wrapped(about, self.columns - MARGIN - FIGURE - 2).lines().chain(about.is_empty().then_some(""))
        {
            self.line(name, &format!("{count:>FIGURE$}  {line}"));
            (name, count) = ("", String::new());
        }
    }

    fn some(&mut self, count: u64, about: &str) {
        if count > 0 {
            self.figure("", count, about);
        }
    }

    fn paragraph(&mut self, name: &str, text: &str) {
        for (place, line) in wrapped(text, self.columns - MARGIN).lines().enumerate() {
            self.line(if place == 0 { name } else { "" }, line);
        }
    }

    fn end(&mut self) {
        self.text.push('\n');
    }

    /// Nothing stands below the last paragraph.
    fn done(self) -> String {
        self.text.trim_end().to_owned() + "\n"
    }
}
