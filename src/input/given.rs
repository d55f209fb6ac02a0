//! What a row looked like in its input beyond its canonical form, so that it can be given back as it came.

use std::borrow::Cow;

use serde::Serialize;
use serde_json::{Map, Value};

use crate::model::{Role, Tenure, Timestamp};

use super::columns::{Key, is_title_column};
use super::format::{Format, Layout};
use super::names::Naming;

/// The key, and the column, of a line whose fields could not be told apart.
pub const RAW: &str = "raw";

/// What a tenure does not say of its row: unknown columns, and known ones whose text is not the canonical form (times
/// as `Timestamp` prints them, `spaces/ID`, `users/…`). Of a bad row: everything.
///
/// Kept as the text of a JSON object, ready for the journal, in the row's order (for JSONL the unknown keys come first).
/// In JSONL a known key that is absent although the tenure has it (a `space` taken from `name`) is held as `null`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Given(Option<String>);

/// A row as it stood in its input.
#[derive(Debug, Clone, PartialEq)]
pub enum Restored {
    /// The fields of a CSV line, in the header's order.
    Csv(Vec<String>),
    /// The object of a JSONL line: the keys of the contract first.
    Jsonl(Map<String, Value>),
    /// A line that could not be taken apart, without its end.
    Raw(String),
}

impl Given {
    /// A line that could not be taken apart.
    pub(super) fn raw(text: &str) -> Self {
        let mut builder = GivenBuilder::default();
        builder.push(RAW, text);
        builder.finish()
    }

    /// An object without a key: a row too, if a bad one.
    pub(super) fn empty_object() -> Self {
        Given(Some("{}".to_owned()))
    }

    /// The text of a JSON object; `None` when the canonical form says it all.
    pub fn to_json(&self) -> Option<String> {
        self.0.clone()
    }

    /// The same, borrowed.
    pub fn as_json(&self) -> Option<&str> {
        self.0.as_deref()
    }

    /// Back from [`Given::to_json`].
    ///
    /// # Errors
    /// When it is not the text of a JSON object.
    pub fn from_json(json: Option<&str>) -> Result<Self, serde_json::Error> {
        if let Some(json) = json {
            serde_json::from_str::<Map<String, Value>>(json)?;
        }
        Ok(Given(json.map(str::to_owned)))
    }

    /// Its pairs, in their order.
    pub fn pairs(&self) -> Map<String, Value> {
        self.0.as_deref().and_then(|json| serde_json::from_str(json).ok()).unwrap_or_default()
    }

    /// What the row says that people call its space, if it says it.
    pub fn title(&self) -> Option<String> {
        self.pairs().into_iter().find_map(|(name, value)| match value {
            Value::String(text) if is_title_column(&name) && !text.trim().is_empty() => Some(text),
            _ => None,
        })
    }

    /// Puts the row together again; `tenure` is `None` for a bad row.
    pub fn restore(&self, layout: &Layout, tenure: Option<&Tenure>) -> Restored {
        let mut pairs = self.pairs();
        if tenure.is_none()
            && pairs.len() == 1
            && let Some(Value::String(raw)) = pairs.get(RAW)
        {
            return Restored::Raw(raw.clone());
        }
        let canonical = |key: Key| tenure.and_then(|tenure| canonical(key, tenure));
        match layout.format {
            Format::Csv => {
                let mut field = |name: &String| match pairs.swap_remove(name) {
                    Some(Value::String(text)) => text,
                    Some(other) => other.to_string(),
                    None => Key::of(name).and_then(canonical).map_or_else(String::new, Cow::into_owned),
                };
                Restored::Csv(layout.columns.iter().map(&mut field).collect())
            }
            Format::Jsonl => {
                let mut object = Map::new();
                for key in Key::ALL {
                    let name = pairs.keys().find(|name| Key::of(name) == Some(key)).cloned();
                    match (name, canonical(key)) {
                        (Some(name), _) => {
                            let value = pairs.shift_remove(&name).unwrap_or_default();
                            if !value.is_null() {
                                object.insert(name, value);
                            }
                        }
                        (None, Some(text)) => {
                            object.insert(key.as_str().to_owned(), Value::String(text.into_owned()));
                        }
                        (None, None) => {}
                    }
                }
                object.extend(pairs);
                Restored::Jsonl(object)
            }
        }
    }
}

/// The canonical text of a tenure's column; `None` when it is absent.
fn canonical(key: Key, tenure: &Tenure) -> Option<Cow<'_, str>> {
    match key {
        Key::Space => Some(tenure.space.as_str().into()),
        Key::Member => Some(tenure.member.as_str().into()),
        Key::CreateTime => tenure.create_time.map(|time| time.to_string().into()),
        Key::DeleteTime => tenure.delete_time.map(|time| time.to_string().into()),
        Key::Role => tenure.role.map(|role| role.as_str().into()),
    }
}

/// Whether a text is what `canonical` would print.
pub(super) fn is_canonical<N: Naming>(
    key: Key,
    text: &str,
    tenure: &Tenure<N::Space, N::Member>,
    names: &N,
) -> bool {
    let is_time = |time: Option<Timestamp>| match time {
        Some(time) => time.to_string() == text,
        None => text.is_empty(),
    };
    match key {
        Key::Space => names.is_space(&tenure.space, text),
        Key::Member => names.is_member(&tenure.member, text),
        // Printing a time is most of what a row would cost; nearly every time has the plain form.
        Key::CreateTime if tenure.create_time.is_some() && is_plain_time(text) => true,
        Key::DeleteTime if tenure.delete_time.is_some() && is_plain_time(text) => true,
        Key::CreateTime => is_time(tenure.create_time),
        Key::DeleteTime => is_time(tenure.delete_time),
        Key::Role => tenure.role.map_or("", Role::as_str) == text,
    }
}

/// Whether a text that could be read as a time has the form `2021-03-05T09:30:00Z`. Second 60 is read as 59.
fn is_plain_time(text: &str) -> bool {
    match text.as_bytes() {
        [_, _, _, _, b'-', _, _, b'-', _, _, b'T', _, _, b':', _, _, b':', tens, _, b'Z'] => *tens != b'6',
        _ => false,
    }
}

/// Writes a [`Given`], pair by pair.
#[derive(Debug, Default)]
pub(super) struct GivenBuilder(Vec<u8>);

impl GivenBuilder {
    /// Adds a pair whose value is a text.
    pub(super) fn push_text(&mut self, name: &str, text: &str) {
        // Only these need escapes in JSON.
        let plain = |text: &str| !text.bytes().any(|byte| byte < b' ' || byte == b'"' || byte == b'\\');
        if !(plain(name) && plain(text)) {
            return self.push(name, text);
        }
        self.0.reserve(if self.0.is_empty() { 96 } else { 0 });
        self.0.push(if self.0.is_empty() { b'{' } else { b',' });
        for piece in ["\"", name, "\":\"", text, "\""] {
            self.0.extend_from_slice(piece.as_bytes());
        }
    }

    pub(super) fn push(&mut self, name: &str, value: &(impl Serialize + ?Sized)) {
        if self.0.is_empty() {
            // What a row usually needs: growing to it step by step costs more than the writing.
            self.0.reserve(96);
        }
        self.0.push(if self.0.is_empty() { b'{' } else { b',' });
        // Texts and JSON values always serialise, and memory takes all.
        let _ = serde_json::to_writer(&mut self.0, name);
        self.0.push(b':');
        let _ = serde_json::to_writer(&mut self.0, value);
    }

    pub(super) fn finish(mut self) -> Given {
        if self.0.is_empty() {
            return Given(None);
        }
        self.0.push(b'}');
        Given(String::from_utf8(self.0).ok())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{MemberName, SpaceName};
    use proptest::prelude::*;

    fn tenure() -> Tenure {
        Tenure {
            space: SpaceName::parse("A").unwrap(),
            member: MemberName::parse("a@b.cd").unwrap(),
            create_time: Some(Timestamp::parse("2021-03-05T09:30:00Z", None).unwrap()),
            delete_time: None,
            role: None,
        }
    }

    #[test]
    fn nothing_given_is_nothing_kept() {
        assert_eq!(Given::default().to_json(), None);
        assert_eq!(Given::from_json(None).unwrap(), Given::default());
        assert!(Given::from_json(Some("[1]")).is_err());
    }

    #[test]
    fn csv_is_put_together_in_the_headers_order() {
        let mut given = GivenBuilder::default();
        given.push("raw", "x");
        given.push("member", "A@b.cd");
        let given = Given::from_json(given.finish().to_json().as_deref()).unwrap();
        let columns = ["raw", "create_time", "member", "space", "role"].map(str::to_owned).to_vec();
        let layout = Layout { format: Format::Csv, delimiter: ';', columns };
        let fields = ["x", "2021-03-05T09:30:00Z", "A@b.cd", "spaces/A", ""].map(str::to_owned).to_vec();
        assert_eq!(given.restore(&layout, Some(&tenure())), Restored::Csv(fields));
        assert_eq!(Given::raw("a\"b").restore(&layout, None), Restored::Raw("a\"b".to_owned()));
    }

    #[test]
    fn a_row_may_say_what_its_space_is_called() {
        let title = |json: &str| Given::from_json(Some(json)).unwrap().title();
        for json in
            [r##"{"x":"y","legacyChannel":"#a"}"##, r##"{"Channel Name":"#a"}"##, r##"{"space_name":"#a"}"##]
        {
            assert_eq!(title(json).as_deref(), Some("#a"), "{json}");
        }
        for json in [r#"{"channel":" "}"#, r#"{"channel":7}"#, r#"{"channels":"a"}"#, "{}"] {
            assert_eq!(title(json), None, "{json}");
        }
    }

    proptest! {
        #[test]
        fn a_plain_time_is_canonical(
            text in "20[0-9]{2}-[01][0-9]-[0-3][0-9][Tt ][0-2][0-9]:?[0-6][0-9]:?[0-6][0-9]([.,][0-9]{1,3})?[Zz]"
        ) {
            if let Ok(time) = Timestamp::parse(&text, None) && is_plain_time(&text) {
                prop_assert_eq!(time.to_string(), text);
            }
        }
    }
}
