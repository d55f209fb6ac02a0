//! Counters and gauges of a run, and how Prometheus reads them (`docs/metrics.md`). Pure.
//!
//! The text follows the exposition format 0.0.4: a `# HELP` and a `# TYPE` line for each metric, then its samples.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use crate::engine::{CallOutcome, Called, Event, Now, Snapshot};
use crate::model::Timestamp;
use crate::progress::Kinds;

/// Upper bounds of the times that calls take, in seconds.
const CALL_SECONDS: [f64; 10] = [0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0];
/// The same of the journal's commits.
const COMMIT_SECONDS: [f64; 8] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.5, 2.5];

/// How often something took how long.
#[derive(Debug)]
struct Histogram {
    bounds: &'static [f64],
    counts: Vec<u64>,
    sum: f64,
    count: u64,
}

impl Histogram {
    fn of(bounds: &'static [f64]) -> Self {
        Histogram { bounds, counts: vec![0; bounds.len()], sum: 0.0, count: 0 }
    }

    fn note(&mut self, took: Duration) {
        let seconds = took.as_secs_f64();
        for (bound, count) in self.bounds.iter().zip(&mut self.counts) {
            *count += u64::from(seconds <= *bound);
        }
        self.sum += seconds;
        self.count += 1;
    }
}

/// What is known of the run.
#[derive(Debug)]
pub(super) struct Metrics {
    begun: Timestamp,
    calls: BTreeMap<(&'static str, CallOutcome), u64>,
    took: BTreeMap<&'static str, Histogram>,
    commits: Histogram,
    rejects: Kinds,
    latest: Option<(Now, Snapshot)>,
}

impl Metrics {
    pub(super) fn new(begun: Timestamp) -> Self {
        Metrics {
            begun,
            calls: BTreeMap::new(),
            took: BTreeMap::new(),
            commits: Histogram::of(&COMMIT_SECONDS),
            rejects: Kinds::default(),
            latest: None,
        }
    }

    pub(super) fn event(&mut self, event: &Event) {
        self.rejects.note(event);
    }

    pub(super) fn tick(&mut self, now: Now, snapshot: &Snapshot) {
        self.latest = Some((now, snapshot.clone()));
    }

    pub(super) fn called(&mut self, called: &Called) {
        let method = called.label.method;
        *self.calls.entry((method, called.outcome)).or_default() += 1;
        self.took.entry(method).or_insert_with(|| Histogram::of(&CALL_SECONDS)).note(called.took);
    }

    pub(super) fn written(&mut self, took: Duration) {
        self.commits.note(took);
    }

    /// All of it as text.
    pub(super) fn render(&self) -> String {
        let mut text = Exposition::default();
        let version = [("version", env!("CARGO_PKG_VERSION"))];
        text.metric("tenure_build_info", "gauge", "Which tenure this is.");
        text.sample("tenure_build_info", &version, 1.0);
        text.metric("tenure_start_time_seconds", "gauge", "When it began, in seconds since 1970.");
        text.sample("tenure_start_time_seconds", &[], self.begun.as_micros() as f64 / 1e6);
        if let Some((now, snapshot)) = &self.latest {
            text.snapshot(*now, snapshot);
        }
        text.metric("tenure_rejects_total", "counter", "Rows rejected since this process began, by kind.");
        for (kind, rows) in self.rejects.most() {
            text.sample("tenure_rejects_total", &[("kind", kind)], rows as f64);
        }
        let about = "Calls of the Chat API, by method and by what their answers come to.";
        text.metric("tenure_requests_total", "counter", about);
        for ((method, outcome), count) in &self.calls {
            let labels = [("method", *method), ("outcome", outcome.as_str())];
            text.sample("tenure_requests_total", &labels, *count as f64);
        }
        let name = "tenure_request_duration_seconds";
        text.metric(name, "histogram", "From when a call was made until its answer was there.");
        for (method, took) in &self.took {
            text.histogram(name, &[("method", method)], took);
        }
        let name = "tenure_journal_commit_seconds";
        text.metric(
            name,
            "histogram",
            "From when changes were handed to the journal until they were durable.",
        );
        text.histogram(name, &[], &self.commits);
        text.0
    }
}

/// The text as it grows.
#[derive(Debug, Default)]
struct Exposition(String);

impl Exposition {
    fn metric(&mut self, name: &str, kind: &str, about: &str) {
        // Writing to a text does not fail.
        let _ = write!(self.0, "# HELP {name} {about}\n# TYPE {name} {kind}\n");
    }

    fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: f64) {
        let labels: Vec<String> =
            labels.iter().map(|(label, value)| format!("{label}=\"{}\"", escaped(value))).collect();
        let labels = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
        let _ = writeln!(self.0, "{name}{labels} {value}");
    }

    fn gauge(&mut self, name: &str, about: &str, value: f64) {
        self.metric(name, "gauge", about);
        self.sample(name, &[], value);
    }

    fn histogram(&mut self, name: &str, labels: &[(&str, &str)], histogram: &Histogram) {
        let bounds = histogram.bounds.iter().map(ToString::to_string).chain(["+Inf".to_owned()]);
        let counts = histogram.counts.iter().copied().chain([histogram.count]);
        for (bound, count) in bounds.zip(counts) {
            let labels = [labels, &[("le", bound.as_str())]].concat();
            self.sample(&format!("{name}_bucket"), &labels, count as f64);
        }
        self.sample(&format!("{name}_sum"), labels, histogram.sum);
        self.sample(&format!("{name}_count"), labels, histogram.count as f64);
    }

    fn snapshot(&mut self, now: Now, snapshot: &Snapshot) {
        let pending = snapshot.goal().saturating_sub(snapshot.settled());
        let states = [
            ("done", snapshot.done),
            ("rejected", snapshot.rejected),
            ("pending", pending),
            ("open", snapshot.open),
        ];
        self.metric(
            "tenure_rows",
            "gauge",
            "Rows of the journal by state; pending: all that is not settled.",
        );
        for (state, rows) in states {
            self.sample("tenure_rows", &[("state", state)], rows as f64);
        }
        let pace = &snapshot.pace;
        let seconds = |time: Duration| time.as_secs_f64();
        for (name, about, value) in [
            ("tenure_elapsed_seconds", "How long rows have been sent.", seconds(now.elapsed)),
            ("tenure_requests_under_way", "Requests that wait for their answers.", snapshot.under_way as f64),
            ("tenure_rows_waiting", "Rows that wait for another try.", snapshot.waiting as f64),
            (
                "tenure_pace_writes_per_minute",
                "Membership writes a minute that may leave now; 0: no limit.",
                pace.writes_per_minute.into(),
            ),
            (
                "tenure_quota_writes_per_minute",
                "The same as configured; 0: no limit.",
                pace.configured.into(),
            ),
            (
                "tenure_slowed_spaces",
                "Spaces that Chat holds to less than others.",
                pace.slowed_spaces as f64,
            ),
            ("tenure_listing_spaces", "Spaces that are listed before more is sent.", snapshot.listing as f64),
            ("tenure_paused_seconds", "How much longer everything waits.", seconds(snapshot.paused)),
            ("tenure_answer_seconds", "How long writes take lately.", seconds(snapshot.answer_time)),
            (
                "tenure_failures_in_a_row",
                "Calls that have failed since the last that succeeded.",
                snapshot.failures_in_a_row.into(),
            ),
        ] {
            self.gauge(name, about, value);
        }
        self.metric("tenure_brake", "gauge", "Why the run is not faster: 1 for each reason that holds.");
        for why in snapshot.why() {
            self.sample("tenure_brake", &[("why", why.word)], 1.0);
        }
    }
}

/// A label's value, as the format has it.
fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::CallLabel;
    use crate::model::SpaceName;

    const DOCUMENT: &str = include_str!("../../docs/metrics.md");

    fn rendered() -> String {
        let mut metrics = Metrics::new(Timestamp::from_micros(1_764_000_000_500_000));
        let label = CallLabel {
            method: "spaces.members.create",
            space: "spaces/A".to_owned(),
            member: None,
            origin: None,
            attempt: None,
        };
        for (millis, outcome) in [(40, CallOutcome::Ok), (700, CallOutcome::Ok), (3000, CallOutcome::Unclear)]
        {
            let took = Duration::from_millis(millis);
            let label = label.clone();
            metrics.called(&Called { label, took, outcome, http_status: None, kind: None, reason: None });
        }
        metrics.written(Duration::from_millis(4));
        let space = SpaceName::parse("A").unwrap();
        metrics.event(&Event::SpaceRefused { space, rows: 7, story: String::new() });
        let now = Now { elapsed: Duration::from_secs(60), wall: Timestamp::from_micros(0) };
        let snapshot = Snapshot { total: 100, done: 60, rejected: 7, open: 3, ..Snapshot::default() };
        metrics.tick(now, &snapshot);
        metrics.render()
    }

    #[test]
    fn as_prometheus_reads_it() {
        insta::assert_snapshot!("metrics", rendered().replace(env!("CARGO_PKG_VERSION"), "VERSION"));
    }

    #[test]
    fn every_metric_is_documented_and_the_other_way_round() {
        let text = rendered();
        let names: Vec<&str> =
            text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next()).collect();
        let documented: Vec<&str> =
            DOCUMENT.lines().filter_map(|line| line.strip_prefix("| `")?.split(['`', '{']).next()).collect();
        let documented: Vec<&str> =
            documented.into_iter().filter(|name| name.starts_with("tenure_")).collect();
        for name in &names {
            assert!(documented.contains(name), "{name} is not documented");
        }
        for name in documented {
            assert!(names.contains(&name), "{name} is documented, and not there");
        }
    }

    #[test]
    fn labels_cannot_break_out() {
        let mut text = Exposition::default();
        text.sample("x", &[("kind", "a\"} 1\ny\\")], 1.0);
        assert_eq!(text.0, "x{kind=\"a\\\"} 1\\ny\\\\\"} 1\n");
    }
}
