//! What the header of an input says that the operator should know, before its rows: what nothing is made of. Pure.

use std::sync::Arc;

use crate::input::{
    Becoming, Key, Layout, Problem, ProblemKind, Problems, is_title_column, lookalike, printable,
};
use crate::journal::REPLACES;

/// What is to be said of a header.
#[derive(Debug, Default)]
pub(super) struct Remarks {
    /// A line each.
    pub(super) notices: Vec<String>,
    /// Columns that most likely say what no column of ours says.
    pub(super) unread: Problems,
}

/// Looks at the columns of a file, whose header stands on `line`.
pub(super) fn look(file: &Arc<str>, line: u64, layout: &Layout, becoming: &Becoming) -> Remarks {
    let columns = &layout.columns;
    let mut remarks = Remarks::default();
    if columns.is_empty() {
        return remarks;
    }
    let has = |key| columns.iter().any(|name| Key::of(name) == Some(key));
    let is_history = matches!(becoming, Becoming::History);
    if let Becoming::Today(_) = becoming {
        if has(Key::CreateTime) {
            remarks.notices.push(format!(
                "{file}: createTime is not sent: in a space that is not in import mode a membership begins when it is made"
            ));
        }
        if has(Key::Role) {
            remarks
                .notices
                .push(format!("{file}: role is kept, but not set: `tenure members patch` sets one"));
        }
    }
    let wanted: &[Key] = match becoming {
        Becoming::History => &[Key::CreateTime, Key::DeleteTime, Key::Role],
        Becoming::Today(_) => &[Key::DeleteTime],
        Becoming::Gone { .. } => &[],
        Becoming::Roles => &[Key::Role],
    };
    let absent = wanted.iter().copied().filter(|key| !has(*key));
    let alike: Vec<(Key, &str)> = absent.filter_map(|key| Some((key, lookalike(key, columns)?))).collect();
    remarks.unread.extend(alike.iter().map(|(key, name)| unread(file, line, name, *key)));
    let told = |key| has(key) || alike.iter().any(|(other, _)| *other == key);
    match (told(Key::CreateTime), told(Key::DeleteTime)) {
        (_, true) => {}
        _ if !is_history => {}
        (false, false) => remarks.unread.push(without_times(file, line)),
        (true, false) => remarks.notices.push(format!(
            "{file}: there is no column deleteTime, so every row counts as a member to this day"
        )),
    }
    let unknown = columns.iter().map(String::as_str).filter(|name| Key::of(name).is_none());
    let unknown = unknown.filter(|name| !alike.iter().any(|(_, alike)| alike == name));
    remarks.notices.extend(unused(file, "column", unknown));
    remarks
}

/// Says which columns, or keys of objects, are given back as they are, and nothing else.
pub(super) fn unused<'a>(
    file: &Arc<str>,
    noun: &str,
    names: impl Iterator<Item = &'a str>,
) -> Option<String> {
    let unused = names.filter(|name| !is_title_column(name) && *name != REPLACES);
    let unused: Vec<String> = unused.map(printable).collect();
    let ending = if unused.len() == 1 { "" } else { "s" };
    (!unused.is_empty()).then(|| format!("{file}: {noun}{ending} kept, but not used: {}", unused.join(", ")))
}

/// A column that is passed over, and is most likely this one.
fn unread(file: &Arc<str>, line: u64, name: &str, key: Key) -> Problem {
    passed_over(file, line, (name, key), "there", outcome(key))
}

/// A key of an object that is passed over, and is most likely this one, which the object lacks.
pub(super) fn unread_key(file: &Arc<str>, line: u64, name: &str, key: Key) -> Problem {
    let outcome = match key {
        Key::DeleteTime => "the row counts as a member to this day",
        key => outcome(key),
    };
    passed_over(file, line, (name, key), "beside it there", outcome)
}

fn passed_over(file: &Arc<str>, line: u64, (name, key): (&str, Key), place: &str, outcome: &str) -> Problem {
    let says = match key {
        Key::CreateTime => "since when somebody was a member",
        Key::DeleteTime => "until when somebody was a member",
        Key::Role => "in what role somebody was a member",
        Key::Space | Key::Member => "which it is",
    };
    let message = format!("it is not read, and {place} is no {}: {outcome}", key.as_str());
    Problem::new(file, line, ProblemKind::UnreadColumn, message)
        .column(name.to_owned())
        .help(format!("if it says {says}, rename it to {}", key.as_str()))
}

/// What becomes of rows that do not say it.
const fn outcome(key: Key) -> &'static str {
    match key {
        Key::CreateTime => "no history is sent with its beginning",
        Key::DeleteTime => "every row counts as a member to this day",
        Key::Role => "everybody becomes an ordinary member",
        Key::Space | Key::Member => "no row can be sent",
    }
}

fn without_times(file: &Arc<str>, line: u64) -> Problem {
    let message =
        "there is neither a column createTime nor a deleteTime: every row counts as a member to this day";
    Problem::new(file, line, ProblemKind::UnreadColumn, message).help(
        "if a column says since when somebody was a member, name it createTime, and one that says until when, deleteTime; \
         if everybody is one to this day, all is well",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::Format;

    fn said(header: &str, becoming: &Becoming) -> String {
        let columns = header.split(',').map(str::to_owned).collect();
        let layout = Layout { format: Format::Csv, delimiter: ',', columns };
        let remarks = look(&"rows.csv".into(), 1, &layout, becoming);
        let notices: String = remarks.notices.iter().map(|notice| format!("{notice}\n")).collect();
        format!("{header}\n{notices}{}", remarks.unread.render())
    }

    #[test]
    fn columns_that_are_passed_over() {
        let history = [
            "space,member,createTime,deleteTime,role,left",
            "space,member,createTime,deleteTime,note",
            "space,member,joined,left,department",
            "space,member,createTime,Left on,Member role",
            "space,member,createTime",
            "space,member,note,created_by",
        ];
        let mut text: Vec<String> = history.iter().map(|header| said(header, &Becoming::History)).collect();
        text.push(said("space,member,createTime,until", &Becoming::Gone { promotes: false }));
        insta::assert_snapshot!(text.join("\n"));
    }
}
