//! Holds JSON against the tables that document it: a heading with the object's name in backquotes, and a table of its keys
//! and their types below.

use serde_json::Value;

/// The keys of an object as documented, with their types.
fn table(document: &str, name: &str) -> Vec<(String, String)> {
    let heading = format!("### `{name}`");
    let mut lines = document.lines().skip_while(|line| *line != heading).skip(1);
    let body = lines.by_ref().take_while(|line| !line.starts_with('#'));
    let rows = body.filter_map(|line| {
        let mut cells = line.strip_prefix("| `")?.split(" | ");
        let key = cells.next()?.trim_end_matches('`').to_owned();
        Some((key, cells.next()?.trim().to_owned()))
    });
    rows.collect()
}

/// Whether a value is of a type, in the words of the tables.
fn is_of(value: &Value, kind: &str) -> bool {
    match kind.strip_suffix(" or null") {
        Some(_) if value.is_null() => true,
        Some(kind) => is_of(value, kind),
        None => match kind {
            "text" => value.is_string(),
            "time" => value.as_str().is_some_and(|text| text.parse::<jiff::Timestamp>().is_ok()),
            "count" => value.is_u64(),
            "seconds" | "number" => value.as_f64().is_some_and(|number| number >= 0.0),
            "list of texts" => value.as_array().is_some_and(|list| list.iter().all(Value::is_string)),
            "list of objects" => value.as_array().is_some_and(|list| list.iter().all(Value::is_object)),
            "counts by name" => value.as_object().is_some_and(|map| map.values().all(Value::is_u64)),
            "object" => value.is_object(),
            other => panic!("the document knows no type {other:?}"),
        },
    }
}

/// Checks an object against the table of its name: all keys that are documented, and no others.
#[track_caller]
pub(crate) fn expect(document: &str, name: &str, value: &Value) {
    let table = table(document, name);
    assert!(!table.is_empty(), "{name} is not documented");
    for (key, kind) in &table {
        let found = key.split('.').try_fold(value, |value, key| value.get(key));
        let found = found.unwrap_or_else(|| panic!("{name} lacks {key}: {value}"));
        assert!(is_of(found, kind), "{name}: {key} is no {kind}: {value}");
    }
    for key in value.as_object().unwrap().keys() {
        let is_documented = |(of, _): &(String, String)| of == key || of.starts_with(&format!("{key}."));
        assert!(table.iter().any(is_documented), "{name}: {key} is not documented");
    }
}

/// The names of all objects that a document has tables of.
pub(crate) fn names(document: &str) -> Vec<&str> {
    document.lines().filter_map(|line| line.strip_prefix("### `")?.strip_suffix('`')).collect()
}
