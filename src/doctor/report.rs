//! Results of checks, for people and for scripts.

use serde::Serialize;
use serde_json::{Value, json};

use crate::wording::wrapped;

/// In front of what continues a line.
const MARGIN: &str = "\n  ";

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// As it should be.
    Ok,
    /// An import would start, but something should be known or done.
    Warning,
    /// An import would not start, or not end well.
    Failed,
    /// Could not be looked at, because of another check.
    Skipped,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    /// A stable word for scripts: `credentials`, `network`, `clock`, `token`, `api`, `app`, `user`, `input`, `spaces`,
    /// `quota`, `probe`.
    pub check: &'static str,
    /// How it ended.
    pub outcome: Outcome,
    /// What was seen.
    pub story: String,
    /// What to click or type.
    pub remedy: Option<String>,
}

impl Check {
    /// As it should be.
    pub fn ok(check: &'static str, story: impl Into<String>) -> Check {
        Check { check, outcome: Outcome::Ok, story: story.into(), remedy: None }
    }

    /// To be known.
    pub fn warning(check: &'static str, story: impl Into<String>, remedy: Option<String>) -> Check {
        Check { check, outcome: Outcome::Warning, story: story.into(), remedy }
    }

    /// To be mended.
    pub fn failed(check: &'static str, story: impl Into<String>, remedy: Option<String>) -> Check {
        Check { check, outcome: Outcome::Failed, story: story.into(), remedy }
    }

    /// Not to be looked at yet.
    pub fn skipped(check: &'static str, story: impl Into<String>) -> Check {
        Check { check, outcome: Outcome::Skipped, story: story.into(), remedy: None }
    }

    /// The lines that an operator reads, in so many columns.
    pub fn text(&self, columns: usize) -> String {
        let sign = match self.outcome {
            Outcome::Ok => '✓',
            Outcome::Warning => '!',
            Outcome::Failed => '✗',
            Outcome::Skipped => '–',
        };
        let mut text = format!("{sign} {}", wrapped(&self.story, columns).replace('\n', MARGIN));
        for remedy in self.remedy.iter().flat_map(|remedy| remedy.lines()) {
            let lines = wrapped(remedy, columns - 2).replace('\n', "\n    ");
            text += &format!("{MARGIN}→ {lines}");
        }
        text.push('\n');
        text
    }
}

/// All checks of one look.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// In the order in which they were made.
    pub checks: Vec<Check>,
}

impl Report {
    /// Whether an import would start.
    pub fn is_ready(&self) -> bool {
        self.checks.iter().all(|check| matches!(check.outcome, Outcome::Ok | Outcome::Warning))
    }

    /// The last line.
    pub fn verdict(&self) -> String {
        let count = |outcome| self.checks.iter().filter(|check| check.outcome == outcome).count();
        let (failed, warnings) = (count(Outcome::Failed), count(Outcome::Warning));
        let warned = match warnings {
            0 => String::new(),
            1 => ", with one thing to know".to_owned(),
            some => format!(", with {some} things to know"),
        };
        match failed {
            0 if self.is_ready() => format!("Ready{warned}.\n"),
            0 => "Not ready.\n".to_owned(),
            1 => format!("Not ready: one thing to mend{warned}.\n"),
            some => format!("Not ready: {some} things to mend{warned}.\n"),
        }
    }

    /// For scripts: `{"ready", "target", "checks": [{"check", "outcome", "story", "remedy"}]}`.
    pub fn json(&self, target: &str) -> Value {
        json!({ "ready": self.is_ready(), "target": target, "checks": self.checks })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_json() {
        let mut report = Report { checks: vec![Check::ok("clock", "the clock is right")] };
        assert!(report.is_ready());
        assert_eq!(report.verdict(), "Ready.\n");
        report.checks.push(Check::warning("token", "old", None));
        assert_eq!(report.verdict(), "Ready, with one thing to know.\n");
        report.checks.push(Check::failed("app", "there is none", Some("make one".to_owned())));
        assert_eq!(report.checks[2].text(78), "✗ there is none\n  → make one\n");
        assert_eq!(report.verdict(), "Not ready: one thing to mend, with one thing to know.\n");
        let json = report.json("emulator");
        assert_eq!((&json["ready"], &json["checks"][2]["outcome"]), (&false.into(), &"failed".into()));
    }
}
