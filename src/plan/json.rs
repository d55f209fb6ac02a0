//! A plan for a script. `docs/plan.md` describes the object.

use serde_json::{Value, json};

use super::text::typed;
use super::time::end;
use super::{Plan, Timing, Window};
use crate::model::Timestamp;

impl Plan<'_> {
    /// One object. Times are RFC 3339 in UTC, spans whole seconds; what there is none of is `null`.
    pub fn json(&self) -> Value {
        let facts = &self.facts;
        let until = |timing: Option<Timing>| {
            timing.and_then(|timing| end(facts.now, timing.takes)).map(|end| utc(&end))
        };
        let seconds = |timing: Option<Timing>| timing.map(|timing| timing.takes.as_secs());
        let calls: Vec<Value> = self
            .calls
            .iter()
            .map(|calls| json!({ "step": calls.step.as_str(), "method": calls.method, "calls": calls.count }))
            .collect();
        let quotas: Vec<Value> = self
            .quotas
            .iter()
            .map(|(quota, timing)| {
                json!({
                    "writes_per_minute": quota,
                    "seconds": timing.takes.as_secs(),
                    "until": until(Some(*timing)),
                    "by_space": timing.by_space,
                })
            })
            .collect();
        let policies: Vec<Value> = self
            .by_policy()
            .map(|(policy, rows, timing)| {
                json!({
                    "stints": policy.stints.as_str(),
                    "bridge_current": policy.bridges,
                    "options": typed(policy),
                    "to_send": rows,
                    "seconds": seconds(timing),
                    "until": until(timing),
                })
            })
            .collect();
        let biggest = self.biggest.map(|biggest| {
            json!({
                "space": biggest.space,
                "name": biggest.title,
                "to_send": biggest.rows,
                "seconds_alone": biggest.alone.map(|alone| alone.as_secs()),
            })
        });
        json!({
            "rows": {
                "read": facts.read,
                "to_send": self.to_send,
                "open": facts.open,
                "duplicate": facts.duplicate,
                "merged": facts.merged,
                "bridged": facts.bridged,
                "several_stints": { "members": facts.several.0, "rows_behind_the_first": facts.several.1 },
            },
            "people": facts.people,
            "spaces": { "total": facts.spaces.len(), "biggest": biggest },
            "calls": calls,
            "time": {
                "zone": facts.now.time_zone().iana_name(),
                "begins": utc(facts.now),
                "writes_per_minute": facts.rates.writes_per_minute,
                "writes_per_minute_per_space": facts.rates.writes_per_minute_per_space,
                "import": { "seconds": seconds(self.import), "until": until(self.import) },
                "complete": { "seconds": seconds(self.complete) },
            },
            "import_mode": match &self.window {
                Window::None => Value::Null,
                Window::Unknown { fits } => json!({ "expires": null, "fits": fits }),
                Window::Past { expired } => json!({ "expires": utc(expired), "fits": false }),
                Window::Until { expires, fits } => json!({ "expires": utc(expires), "fits": fits }),
            },
            "quotas": quotas,
            "history": {
                "stints": facts.policy.stints.as_str(),
                "bridge_current": facts.policy.bridges,
                "choices": policies,
            },
        })
    }
}

fn utc(time: &jiff::Zoned) -> String {
    Timestamp::from_micros(time.timestamp().as_microsecond()).to_whole_seconds().to_string()
}
