//! Which of Mattermost's formats a file is in. Pure: its name and first bytes in, the format out.

use serde_json::Value;

use crate::input::foreign_columns;

/// Bytes of a file that are looked at.
pub(super) const HEAD_BYTES: usize = 64 * 1024;

/// Folders whose files people have uploaded: nothing in them is part of the export, whatever it looks like.
const UPLOADS: [&str; 4] = ["data", "files", "teams", "exported_emoji"];

/// How deep below the export's root a file of its own lies, at most: a folder of unpacked batches has them two deep.
const DEPTH_MAX: usize = 3;

/// The formats, in the order in which files of one export are read: those that know ids teach what names stand for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// The table ChannelMemberHistory as CSV.
    History,
    /// The compliance export as CSV.
    Compliance,
    /// The compliance export as Actiance XML.
    Actiance,
    /// The bulk export: JSON lines.
    Bulk,
}

/// Whether a file may be part of an export, and not somebody's attachment.
pub(super) fn is_candidate(path: &str) -> bool {
    let mut parts = path.split('/').rev();
    let name = parts.next().unwrap_or_default();
    let ends = [".jsonl", ".json", ".csv", ".tsv", ".txt", ".xml"];
    let lower = name.to_ascii_lowercase();
    let folders: Vec<&str> = parts.collect();
    ends.iter().any(|end| lower.ends_with(end))
        && folders.len() <= DEPTH_MAX
        && !folders.iter().any(|folder| UPLOADS.contains(folder))
}

impl Kind {
    /// The format that a file begins with.
    pub(super) fn of(head: &[u8]) -> Option<Kind> {
        let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head).trim_ascii_start();
        match head.first()? {
            b'{' => is_bulk(head).then_some(Kind::Bulk),
            b'<' => contains(head, b"<FileDump").then_some(Kind::Actiance),
            _ => {
                let columns = foreign_columns(head);
                let has =
                    |names: &[&str]| names.iter().all(|name| columns.iter().any(|column| column == name));
                if has(&["channelid", "userid", "jointime", "leavetime"]) {
                    Some(Kind::History)
                } else if has(&["postcreationtime", "channelid", "posttype"]) {
                    Some(Kind::Compliance)
                } else {
                    None
                }
            }
        }
    }
}

/// A line of a bulk export is an object with a `type`, and what is of that type under its name.
fn is_bulk(head: &[u8]) -> bool {
    let line = head.split(|byte| *byte == b'\n').next().unwrap_or_default();
    match serde_json::from_slice::<Value>(line) {
        Ok(line) => line.get("type").and_then(Value::as_str).is_some_and(|kind| line.get(kind).is_some()),
        // A first line that is longer than what is looked at, or broken.
        Err(_) => line.starts_with(b"{\"type\":\""),
    }
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    memchr::memmem::find(text, part).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_known_by_what_they_say() {
        for (head, kind) in [
            ("{\"type\":\"version\",\"version\":1}\n", Some(Kind::Bulk)),
            ("\u{feff}{ \"type\": \"team\", \"team\": {}}\n", Some(Kind::Bulk)),
            ("{\"type\":\"post\",\"post\":{\"message\":\"...", Some(Kind::Bulk)),
            ("{\"type\":\"event\"}", None),
            ("{\n  \"Channels\": {", None),
            ("<?xml version=\"1.0\"?>\n<FileDump xmlns:xsi=\"x\">", Some(Kind::Actiance)),
            ("<html>", None),
            ("ChannelId,UserId,JoinTime,LeaveTime\n", Some(Kind::History)),
            ("channelid;userid;jointime;leavetime;username\n", Some(Kind::History)),
            ("Post Creation Time,Team Id,Channel Id,Post Type\n", Some(Kind::Compliance)),
            ("id,member\n", None),
            ("", None),
        ] {
            assert_eq!(Kind::of(head.as_bytes()), kind, "{head}");
        }
    }

    #[test]
    fn attachments_are_no_part_of_an_export() {
        for path in ["import.jsonl", "nested/import.jsonl", "compliance-export/batch001/posts.CSV", "x.xml"] {
            assert!(is_candidate(path), "{path}");
        }
        for path in [
            "data/import.jsonl",
            "files/p1/posts.csv",
            "20210622/teams/noteam/a.csv",
            "a/b/c/d/posts.csv",
            "a.zip",
        ] {
            assert!(!is_candidate(path), "{path}");
        }
    }
}
