//! Whether a value is one that its option takes: asked of the option's own parser, so that a file and the command line
//! never differ.

use std::error::Error as _;
use std::ffi::OsString;

use clap::builder::ValueParser;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, ArgAction, Command};

/// A value as it stands.
#[derive(Debug)]
pub(super) enum Raw<'a> {
    /// In the environment: all is text, and a comma is between several.
    Text(&'a str),
    /// `true` and `false` of TOML.
    Switch(bool),
    /// One value of TOML, in letters.
    One(String),
    /// A list of TOML.
    Several(Vec<String>),
}

/// Whether the option is given without a value.
pub(super) fn is_switch(arg: &Arg) -> bool {
    matches!(arg.get_action(), ArgAction::SetTrue | ArgAction::SetFalse)
}

/// Whether it can be given several times.
pub(super) fn takes_several(arg: &Arg) -> bool {
    matches!(arg.get_action(), ArgAction::Append)
}

/// The value as the command line would have it.
pub(super) fn values(arg: &Arg, raw: Raw<'_>) -> Result<Vec<String>, String> {
    if is_switch(arg) {
        let on = match raw {
            Raw::Text(text) => switch(text)?,
            Raw::Switch(on) => on,
            Raw::One(_) | Raw::Several(_) => return Err("it is true or false, without quotes".to_owned()),
        };
        return Ok(vec![on.to_string()]);
    }
    let values = match raw {
        Raw::Text(text) if takes_several(arg) => {
            text.split(',').map(|value| value.trim().to_owned()).filter(|value| !value.is_empty()).collect()
        }
        Raw::Text(text) => vec![text.to_owned()],
        Raw::Switch(on) => vec![on.to_string()],
        Raw::One(value) => vec![value],
        Raw::Several(values) if takes_several(arg) => values,
        Raw::Several(_) => return Err("it takes one value, not a list".to_owned()),
    };
    for value in &values {
        check(arg.get_value_parser().clone(), value)?;
    }
    Ok(values)
}

/// A switch in the environment.
pub(crate) fn switch(text: &str) -> Result<bool, String> {
    match text.to_ascii_lowercase().as_str() {
        "1" | "true" | "yes" | "on" => Ok(true),
        "0" | "false" | "no" | "off" => Ok(false),
        _ => Err(format!("{text:?} says neither yes nor no: write 1 or 0 (or unset it)")),
    }
}

fn check(parser: ValueParser, value: &str) -> Result<(), String> {
    let alone = Arg::new("value").long("value").value_parser(parser);
    let mut typed = OsString::from("--value=");
    typed.push(value);
    let parsed = Command::new("value").no_binary_name(true).arg(alone).try_get_matches_from([typed]);
    parsed.map(drop).map_err(|error| format!("{value:?}: {}", reason(&error)))
}

/// In words of ours, since the parser's speak of an option that nobody typed.
fn reason(error: &clap::Error) -> String {
    if let Some(source) = error.source() {
        return source.to_string();
    }
    let of = |kind| match error.get(kind) {
        Some(ContextValue::Strings(values)) => Some(values.clone()),
        Some(ContextValue::String(value)) => Some(vec![value.clone()]),
        _ => None,
    };
    match (error.kind(), of(ContextKind::ValidValue)) {
        (ErrorKind::InvalidValue, Some(known)) if !known.is_empty() => {
            let meant = of(ContextKind::SuggestedValue).and_then(|values| values.into_iter().next());
            let meant = meant.map(|meant| format!("; did you mean {meant}?")).unwrap_or_default();
            format!("it is none of {}{meant}", known.join(", "))
        }
        (ErrorKind::InvalidValue, _) => "there is no value".to_owned(),
        _ => error.kind().to_string(),
    }
}
