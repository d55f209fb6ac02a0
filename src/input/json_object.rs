//! One JSON object to the texts of a row: the five keys of the contract, or a Membership as `members.list` prints it.

use std::borrow::Cow;
use std::fmt;

use serde::de::{self, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Number, Value};

use super::columns::Key;
use super::given::GivenBuilder;
use super::problem::ProblemKind;
use super::row::Flaw;
use super::suggest::is_near;

/// Why a line is no object at all.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct ParseError {
    pub(super) kind: ProblemKind,
    pub(super) message: String,
    pub(super) help: Option<String>,
}

/// A line's object.
#[derive(Debug, Default)]
pub(super) struct Object<'a> {
    /// By [`Key`]: its spelling and value.
    pub(super) values: [Option<(&'static str, Field<'a>)>; 5],
    /// All other keys, written down as they came.
    pub(super) unknown: GivenBuilder,
    /// The names of those of which nothing is made.
    pub(super) unused: Vec<Cow<'a, str>>,
    /// A Membership's own name, `spaces/{space}/members/{member}`, when `name` looks like one.
    name: Option<Cow<'a, str>>,
    group_member: Option<Value>,
    is_page: bool,
    flaws: Vec<Flaw>,
}

/// A value: a text is borrowed where it can be.
#[derive(Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub(super) enum Field<'a> {
    Text(Cow<'a, str>),
    Other(Value),
}

impl Field<'_> {
    pub(super) fn text(&self) -> Option<&str> {
        match self {
            Field::Text(text) => Some(text),
            Field::Other(_) => None,
        }
    }

    pub(super) fn is_null(&self) -> bool {
        matches!(self, Field::Other(Value::Null))
    }

    fn type_name(&self) -> &'static str {
        match self {
            Field::Text(_) => "a text",
            Field::Other(value) => type_name(value),
        }
    }
}

fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

/// Takes a line apart.
pub(super) fn parse(text: &str) -> Result<Object<'_>, ParseError> {
    let mut json = serde_json::Deserializer::from_str(text);
    let parsed = ObjectSeed.deserialize(&mut json).and_then(|object| json.end().map(|()| object));
    parsed.map_err(|error| explain(text, &error))
}

/// What is wrong with a line that does not come apart.
pub(super) fn explain(text: &str, error: &serde_json::Error) -> ParseError {
    let wrong = |kind, message: String, help: &str| ParseError {
        kind,
        message,
        help: Some(help.to_owned()).filter(|help| !help.is_empty()),
    };
    // The column counts bytes from 1; 0 is the end of the line before.
    let before = text.get(..error.column().saturating_sub(1)).unwrap_or(text);
    let position = before.chars().count() + 1;
    if error.to_string().starts_with("recursion limit") {
        let message = format!("it is nested too deep, at character {position}");
        return wrong(
            ProblemKind::NestedTooDeep,
            message,
            "128 levels at most: leave away what the row does not need",
        );
    }
    if text.contains('\0') {
        return wrong(
            ProblemKind::NulByte,
            "it contains a NUL byte".to_owned(),
            "was it damaged, or is a part of it UTF-16? save it as UTF-8",
        );
    }
    if !text.trim_start().starts_with('{')
        && let Ok(value) = serde_json::from_str::<Value>(text)
    {
        let help = match value {
            Value::Array(_) => "write each object of the list on a line of its own; jq -c '.[]' does",
            _ => "is it CSV? then give --format csv",
        };
        return wrong(ProblemKind::NotAnObject, format!("it is {}, not an object", type_name(&value)), help);
    }
    let full = error.to_string();
    let what = full.rsplit_once(" at line ").map_or(full.as_str(), |(what, _)| what);
    let help = mended(text, what, &text[before.len()..], error.is_eof());
    wrong(ProblemKind::BrokenJson, format!("it is not JSON: {what}, at character {position}"), help)
}

/// How a line that is no JSON becomes one. `what` is the parser's word for it, `rest` begins where it stopped.
fn mended(text: &str, what: &str, rest: &str, cut_off: bool) -> &'static str {
    const ON_ONE_LINE: &str = "an object must stand on one line; jq -c . writes it so";
    const QUOTES: &str = "JSON has double quotes only: \"so\"";
    let next = rest.chars().next();
    match text.trim_start().chars().next() {
        Some('{') => {}
        // What is inside an object that goes over several lines.
        Some('"' | '}' | ']') => return ON_ONE_LINE,
        _ => return "each line is one JSON object; if it is CSV, give --format csv",
    }
    if cut_off {
        return "is the line cut off? an object must stand on one line; jq -c . writes it so";
    }
    match (what, next) {
        ("trailing characters", _) => "each object stands on a line of its own, and nothing behind it",
        ("trailing comma", _) => "remove the comma before the bracket",
        ("key must be a string" | "expected value", Some('\'')) => QUOTES,
        ("key must be a string", _) => "put the name in double quotes",
        ("expected value", Some(',' | '}' | ']')) => {
            "a value is missing before it; null says that there is none"
        }
        ("expected value" | "expected ident", _) => {
            "put a text in double quotes; without them stand only numbers, true, false and null"
        }
        ("expected `:`", _) => "a colon stands between a name and its value",
        ("invalid escape", _) => "a backslash in a text is written twice: \\\\",
        (what, Some('"')) if what.starts_with("expected `,`") => "is a comma missing before it?",
        (what, _) if what.starts_with("expected `,`") => {
            "a comma or the closing bracket is missing; a quote in a text is written \\\""
        }
        (what, _) if what.starts_with("control character") => {
            "a tab in a text is written \\t, and a line break \\n"
        }
        _ => "each line must be one whole JSON object; jq . says what a line lacks",
    }
}

impl<'a> Object<'a> {
    /// What is wrong with its shape.
    pub(super) fn flaws(&self) -> Vec<Flaw> {
        let mut flaws = self.flaws.clone();
        for (value, key) in self.values.iter().zip(Key::ALL) {
            let Some((_, Field::Other(value))) = value else { continue };
            let is_time = matches!(key, Key::CreateTime | Key::DeleteTime);
            match value {
                Value::Null => {}
                Value::Number(_) if is_time => {}
                Value::Object(member) if key == Key::Member => {
                    if member.get("name").is_some_and(|name| !name.is_string()) {
                        flaws.push(Flaw::new(key, ProblemKind::WrongType, "its name is not a text"));
                    }
                }
                other => {
                    let message = format!("it is {}, not a text", type_name(other));
                    let flaw = Flaw::new(key, ProblemKind::WrongType, message);
                    flaws.push(if other.is_number() { flaw.help("put it in quotes") } else { flaw });
                }
            }
        }
        if let Some(group) = self.group_member.as_ref().filter(|group| !group.is_null()) {
            if !group.get("name").is_some_and(Value::is_string) {
                let message = "groupMember has no name such as groups/{id}";
                flaws.push(Flaw::new(Key::Member, ProblemKind::WrongType, message));
            }
            if self.values[Key::Member as usize].as_ref().is_some_and(|(_, member)| !member.is_null()) {
                let message = "it stands beside groupMember: a membership has one of the two";
                flaws.push(
                    Flaw::new(Key::Member, ProblemKind::Contradiction, message).help("remove one of them"),
                );
            }
        }
        if self.is_page && self.values.iter().all(Option::is_none) {
            let message = "it is a page of memberships, not one of them";
            let flaw = Flaw::new(None, ProblemKind::NotAnObject, message);
            flaws.push(flaw.help("write each on a line of its own; jq -c '.memberships[]' does"));
        }
        flaws
    }

    /// The texts to be checked, by [`Key`]; empty when absent.
    pub(super) fn texts(&self) -> [Cow<'_, str>; 5] {
        Key::ALL.map(|key| {
            let own = match &self.values[key as usize] {
                Some((_, Field::Text(text))) => return Cow::Borrowed(text.as_ref()),
                Some((_, Field::Other(value))) => value,
                None => &Value::Null,
            };
            match (key, own) {
                (Key::CreateTime | Key::DeleteTime, Value::Number(number)) => Cow::Owned(number.to_string()),
                (Key::Space, Value::Null) => match self.resource() {
                    Some((space, _)) => Cow::Owned(format!("spaces/{space}")),
                    None => Cow::Borrowed(""),
                },
                (Key::Member, value @ (Value::Null | Value::Object(_))) => self.member(value),
                _ => Cow::Borrowed(""),
            }
        })
    }

    /// `member.name`, `groupMember.name`, or what the resource's own name says beyond doubt: its last part is a user's
    /// id, unless the membership is a group's.
    fn member(&self, member: &'_ Value) -> Cow<'_, str> {
        let nested = [Some(member), self.group_member.as_ref()];
        if let Some(name) = nested.into_iter().flatten().find_map(|value| value.get("name")) {
            return Cow::Owned(name.as_str().unwrap_or_default().to_owned());
        }
        match self.resource() {
            Some((_, id)) if id == "app" || id.contains('@') => Cow::Owned(format!("users/{id}")),
            Some((_, id)) if member.is_object() && id.bytes().all(|b| b.is_ascii_digit()) => {
                Cow::Owned(format!("users/{id}"))
            }
            _ => Cow::Borrowed(""),
        }
    }

    /// Space id and member id of the resource's own name.
    pub(super) fn resource(&self) -> Option<(&str, &str)> {
        resource(self.name.as_deref()?)
    }

    /// A key as the line spells it.
    pub(super) fn spelling(&self, key: Key) -> &'static str {
        self.values[key as usize].as_ref().map_or(key.as_str(), |(name, _)| name)
    }
}

fn resource(name: &str) -> Option<(&str, &str)> {
    let (space, member) = name.strip_prefix("spaces/")?.split_once("/members/")?;
    let sound = |part: &str| !part.is_empty() && !part.contains('/');
    (sound(space) && sound(member)).then_some((space, member))
}

struct ObjectSeed;

impl<'de> DeserializeSeed<'de> for ObjectSeed {
    type Value = Object<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Object<'de>, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for ObjectSeed {
    type Value = Object<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object<'de>, A::Error> {
        let mut object = Object::default();
        let mut unknown: Vec<Cow<'de, str>> = Vec::new();
        while let Some(Text(name)) = map.next_key()? {
            if let Some(key) = Key::of(&name) {
                let spelling = if name == key.as_str() { key.as_str() } else { snake_case(key) };
                if let Some((first, _)) = &object.values[key as usize] {
                    let message = if *first == spelling {
                        "the key stands twice".to_owned()
                    } else {
                        format!("{first} and {spelling} are the same key in two spellings")
                    };
                    object
                        .flaws
                        .push(Flaw::new(key, ProblemKind::DoubledKey, message).help("keep one of them"));
                    map.next_value::<IgnoredAny>()?;
                } else {
                    object.values[key as usize] = Some((spelling, map.next_value()?));
                }
                continue;
            }
            let value: Field<'de> = map.next_value()?;
            object.unknown.push(&name, &value);
            match (name.as_ref(), value) {
                ("name", Field::Text(text)) if resource(&text).is_some() => object.name = Some(text),
                ("groupMember" | "group_member", Field::Other(value)) => object.group_member = Some(value),
                ("memberships", Field::Other(Value::Array(_))) => object.is_page = true,
                _ => object.unused.push(name.clone()),
            }
            unknown.push(name);
        }
        object.flaws.extend(passed_over(&object.values, &unknown));
        unknown.sort_unstable();
        if let Some(twice) = unknown.windows(2).find(|pair| pair[0] == pair[1]) {
            let message = format!("the key \"{}\" stands twice", super::problem::printable(&twice[0]));
            object.flaws.push(Flaw::new(None, ProblemKind::DoubledKey, message).help("keep one of them"));
        }
        Ok(object)
    }
}

/// Keys that are nearly one of ours: who has left would count as still there, and nobody would notice.
fn passed_over(values: &[Option<(&'static str, Field<'_>)>; 5], unknown: &[Cow<'_, str>]) -> Vec<Flaw> {
    let absent = Key::ALL.into_iter().filter(|key| values[*key as usize].is_none());
    let near = absent.filter_map(|key| {
        let word = key.as_str();
        Some((key, unknown.iter().find(|name| is_slip(name, word))?))
    });
    near.map(|(key, name)| {
        let (name, word) = (super::problem::printable(name), key.as_str());
        let message =
            format!("the key \"{name}\" is nearly {word}, but not quite, so it would be passed over");
        Flaw::new(key, ProblemKind::SimilarColumn, message)
            .help(format!("rename it to {word}, or to something unlike it"))
    })
    .collect()
}

/// Whether a key is meant to be that one of ours.
pub(super) fn is_slip(name: &str, word: &str) -> bool {
    // A slip is about as long, but for blanks or dashes. Most names end here, and each row has them anew.
    name.len().abs_diff(word.len()) <= 4 && is_near(name, word)
}

const fn snake_case(key: Key) -> &'static str {
    match key {
        Key::CreateTime => "create_time",
        Key::DeleteTime => "delete_time",
        other => other.as_str(),
    }
}

/// A key, borrowed from the line where it has no escapes.
struct Text<'a>(Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Field::deserialize(deserializer)? {
            Field::Text(text) => Ok(Text(text)),
            other => Err(de::Error::custom(format!("{} as a key", other.type_name()))),
        }
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Field<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(FieldVisitor)
    }
}

struct FieldVisitor;

impl<'de> Visitor<'de> for FieldVisitor {
    type Value = Field<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Field<'de>, E> {
        Ok(Field::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Field<'de>, E> {
        Ok(Field::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_unit<E>(self) -> Result<Field<'de>, E> {
        Ok(Field::Other(Value::Null))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Field<'de>, E> {
        Ok(Field::Other(Value::Bool(value)))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Field<'de>, E> {
        Ok(Field::Other(value.into()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Field<'de>, E> {
        Ok(Field::Other(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Field<'de>, E> {
        Ok(Field::Other(Number::from_f64(value).map_or(Value::Null, Value::Number)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Field<'de>, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = list.next_element()? {
            values.push(value);
        }
        Ok(Field::Other(Value::Array(values)))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Field<'de>, A::Error> {
        let mut object = Map::new();
        while let Some((name, value)) = map.next_entry::<String, Value>()? {
            object.insert(name, value);
        }
        Ok(Field::Other(Value::Object(object)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_way_of_being_no_json_has_its_own_help() {
        for (line, help) in [
            (r#"{"space":"A"} {"space":"B"}"#, "a line of its own"),
            (r#"{"space":"A",}"#, "remove the comma"),
            ("{'space':'A'}", "double quotes only"),
            (r#"{"space":'A'}"#, "double quotes only"),
            (r#"{space:"A"}"#, "the name in double quotes"),
            (r#"{"space":A}"#, "a text in double quotes"),
            (r#"{"space":None}"#, "true, false and null"),
            (r#"{"space":,"member":"m"}"#, "a value is missing"),
            (r#"{"space" "A"}"#, "a colon"),
            (r#"{"space":"A" "member":"m"}"#, "is a comma missing"),
            (r#"{"space":"A"x"}"#, "a comma or the closing bracket"),
            (r#"{"space":"C:\x\y\q"}"#, "written twice"),
            ("{\"space\":\"A\tB\"}", "written \\t"),
            (r#"{"space":"A","#, "cut off"),
            ("{", "on one line"),
            (r#"  "space": "A","#, "on one line"),
            ("}", "on one line"),
            ("space,member", "--format csv"),
        ] {
            let Err(error) = parse(line) else { panic!("{line}") };
            let given = error.help.unwrap_or_default();
            assert!(given.contains(help), "{line}: {} - {given}", error.message);
        }
    }
}
