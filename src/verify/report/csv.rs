//! For spreadsheets: every finding, in the input's own columns and some more.

use super::{CheckedSpace, Report};
use crate::input::disarmed;
use crate::model::Timestamp;
use crate::verify::Finding;

/// The columns of `--csv`. Those of the input come in its own spelling, so that rows can be fed back.
pub const CSV_COLUMNS: [&str; 16] = [
    "space",
    "member",
    "createTime",
    "deleteTime",
    "role",
    "finding",
    "difference",
    "user",
    "chatCreateTime",
    "chatDeleteTime",
    "chatRole",
    "copies",
    "source",
    "line",
    "note",
    "spaceName",
];

/// The records of `--csv` for one space: all findings, with cells that no spreadsheet computes.
pub fn csv_records(report: &Report, space: &CheckedSpace) -> Vec<[String; 16]> {
    let time = |time: Option<Timestamp>| time.map(|time| time.to_string()).unwrap_or_default();
    let text = |text: &Option<Box<str>>| text.as_deref().unwrap_or_default().to_owned();
    let record = |finding: &Finding| {
        let (asked, listed) = (finding.asked.unwrap_or_default(), finding.listed.unwrap_or_default());
        let source = finding.origin.and_then(|(source, _)| report.about.sources.get(&source).cloned());
        [
            space.name.to_string(),
            text(&finding.member),
            time(asked.create_time),
            time(asked.delete_time),
            text(&finding.role),
            finding.kind.as_str().to_owned(),
            if finding.kind.is_difference() { "yes" } else { "no" }.to_owned(),
            text(&finding.user),
            time(listed.create_time),
            time(listed.delete_time),
            finding.listed_role.to_string(),
            finding.copies.to_string(),
            source.unwrap_or_default(),
            finding.origin.map(|(_, line)| line.to_string()).unwrap_or_default(),
            finding.note.unwrap_or_default().to_owned(),
            report.about.titles.of(space.name.as_str()).unwrap_or_default().to_owned(),
        ]
        .map(|cell| disarmed(&cell))
    };
    space.compared.findings.iter().map(record).collect()
}
