//! For programs. Keys are stable; new ones may be added.

use serde_json::{Value, json};

use super::{CheckedSpace, Ending, Report};
use crate::model::Timestamp;
use crate::verify::{Counts, Finding};

fn rows_json(counts: &Counts) -> Value {
    json!({
        "total": counts.rows,
        "matching": counts.matching,
        "missing": counts.missing,
        "different": counts.different,
        "role": counts.role,
        "rejected": counts.rejected,
        "unsettled": counts.unsettled,
        "open": counts.open,
        "past": counts.past,
        "untold": counts.row_untold,
    })
}

fn listed_json(counts: &Counts) -> Value {
    json!({
        "total": counts.listed,
        "matching": counts.held,
        "unexpected": counts.unexpected,
        "different": counts.different,
        "doubled": counts.doubled,
        "rejected_but_held": counts.rejected_held,
        "unsettled": counts.unsettled_held,
        "there_before": counts.before,
        "apart": counts.apart,
        "untold": counts.listed_untold,
    })
}

fn finding_json(report: &Report, finding: &Finding) -> Value {
    let time = |time: Option<Timestamp>| time.map(|time| time.to_string());
    let asked = finding.asked.unwrap_or_default();
    let chat = finding.listed.map(|listed| {
        json!({
            "createTime": time(listed.create_time),
            "deleteTime": time(listed.delete_time),
            "role": Some(&finding.listed_role).filter(|role| !role.is_empty()),
            "copies": finding.copies,
        })
    });
    json!({
        "finding": finding.kind.as_str(),
        "member": finding.member,
        "user": finding.user,
        "createTime": time(asked.create_time),
        "deleteTime": time(asked.delete_time),
        "role": finding.role,
        "chat": chat,
        "source": finding.origin.and_then(|(source, _)| report.about.sources.get(&source)),
        "line": finding.origin.map(|(_, line)| line),
        "note": finding.note,
    })
}

/// One space of `--json`: `{"space", "name", "shows", "outcome", "why", "rows": {"total", "matching", "missing", "different",
/// "role", "rejected", "unsettled", "open", "past", "untold"}, "listed": {"total", "matching", "unexpected", "different",
/// "doubled", "rejected_but_held", "unsettled", "there_before", "apart", "untold"}, "differences": [...], "others":
/// [...]}`. `name` is what people call it, if that is known; `shows` is `history` or `members`; `outcome` is `checked`, `refused` or `failed`. In each of the two, the parts
/// add up to `total`, but for a space that was not checked. A finding is `{"finding", "member", "user", "createTime",
/// "deleteTime", "role", "chat": {"createTime", "deleteTime", "role", "copies"}, "source", "line", "note"}`, with null for
/// what is not known.
pub fn json_space(report: &Report, space: &CheckedSpace) -> Value {
    let counts = &space.compared.counts;
    let findings = |differences: bool| -> Vec<Value> {
        let findings = space.compared.findings.iter();
        findings
            .filter(|finding| finding.kind.is_difference() == differences)
            .map(|finding| finding_json(report, finding))
            .collect()
    };
    json!({
        "space": space.name.as_str(),
        "name": report.about.titles.of(space.name.as_str()),
        "shows": if space.view.is_present() { "members" } else { "history" },
        "outcome": space.outcome.as_str(),
        "why": space.outcome.why(),
        "rows": rows_json(counts),
        "listed": listed_json(counts),
        "differences": findings(true),
        "others": findings(false),
    })
}

/// What comes behind the spaces of `--json`: `{"complete", "stopped", "remedy", "differs", "spaces_total",
/// "spaces_checked", "rows", "listed", "differences_total", "cannot_see"}`; `cannot_see` holds sentences.
pub fn json_end(report: &Report, ending: &Ending) -> Value {
    let stopped = match ending {
        Ending::Whole => None,
        Ending::Interrupted => Some("interrupted"),
        Ending::Stopped(story) => Some(story.as_str()),
    };
    json!({
        "complete": *ending == Ending::Whole && report.checked() == report.about.spaces_total,
        "stopped": stopped,
        "remedy": report.remedy,
        "differs": report.differs(),
        "spaces_total": report.about.spaces_total,
        "spaces_checked": report.checked(),
        "rows": rows_json(&report.totals),
        "listed": listed_json(&report.totals),
        "differences_total": report.totals.differences(),
        "cannot_see": report.blind_spots(),
    })
}
