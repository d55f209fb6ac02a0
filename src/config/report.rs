//! What holds where a command is typed, and where each value comes from: `tenure config`.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;

use clap::{Arg, Command};
use serde_json::{Value, json};

use super::{FILE, Found, Given, Origin, fit};
use crate::cli::{self, Name};
use crate::credentials::Proof;
use crate::wording::{width, wrapped};

/// What something else than the environment and the file says of an option that several commands share.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remembered {
    /// The option.
    pub option: &'static str,
    /// What it says.
    pub value: String,
    /// Who says it.
    pub source: &'static str,
}

/// How wide a value is, at most, that others are put in a column with.
const VALUE_MAX: usize = 32;
/// How wide most sources are.
const SOURCE: usize = "not set".len();
/// Where what stands below a name begins.
const BELOW: usize = 6;

/// Every setting.
#[derive(Debug)]
pub struct Report {
    file: Option<PathBuf>,
    journal: Option<PathBuf>,
    settings: Vec<Setting>,
}

#[derive(Debug)]
struct Setting {
    name: Name,
    heading: String,
    /// `None` where there is no value, and no default that could be told.
    value: Option<Value>,
    source: String,
    at: Option<String>,
}

impl Report {
    /// Puts together what was found, then what is remembered (the first that says something counts), then defaults.
    pub fn new(
        program: &Command,
        found: &Found,
        journal: Option<PathBuf>,
        remembered: &[Remembered],
    ) -> Report {
        let mut settings: BTreeMap<Name, (usize, Setting)> = BTreeMap::new();
        for (name, arg) in cli::options(program) {
            let place = settings.len();
            settings.entry(name.clone()).or_insert_with(|| (place, setting(name, arg, found, remembered)));
        }
        let mut settings: Vec<(usize, Setting)> = settings.into_values().collect();
        settings.sort_unstable_by_key(|(place, _)| *place);
        let settings = settings.into_iter().map(|(_, setting)| setting).collect();
        Report { file: found.file.clone(), journal, settings }
    }

    /// Without the options of single commands that are set nowhere.
    #[must_use]
    pub fn without_unset(mut self) -> Report {
        self.settings.retain(|setting| setting.name.command.is_none() || setting.at.is_some());
        self
    }

    /// For people, in so many columns where that can be: under the headings of the help, and of one command as the file has
    /// it.
    pub fn text(&self, columns: usize) -> String {
        let mut text = match &self.file {
            Some(file) => format!("Settings from {}", file.display()),
            None => format!("No {FILE} applies"),
        };
        text += &match &self.journal {
            Some(journal) => format!("; journal {}\n", journal.display()),
            None => "\n".to_owned(),
        };
        let mut groups: Vec<(String, Vec<&Setting>)> = Vec::new();
        for setting in &self.settings {
            let title = match &setting.name.command {
                Some(command) => format!("[command.{command}]"),
                None => setting.heading.clone(),
            };
            match groups.iter_mut().find(|(known, _)| *known == title) {
                Some((_, settings)) => settings.push(setting),
                None => groups.push((title, vec![setting])),
            }
        }
        let layout = Layout::of(&self.settings, columns);
        for (title, settings) in groups {
            let _ = writeln!(text, "\n{title}");
            for setting in settings {
                text += &layout.row(setting);
            }
        }
        text
    }

    /// For programs.
    pub fn json(&self) -> Value {
        let settings: Vec<Value> = self.settings.iter().map(Setting::json).collect();
        json!({ "file": self.file, "journal": self.journal, "settings": settings })
    }
}

/// Where the columns of the table are.
struct Layout {
    columns: usize,
    names: usize,
    values: usize,
}

impl Layout {
    fn of(settings: &[Setting], columns: usize) -> Layout {
        let names = settings.iter().map(|setting| width(&setting.name.option)).max().unwrap_or(0);
        let room = columns.saturating_sub(2 + names + 2 + 2 + SOURCE).min(VALUE_MAX);
        let values = settings.iter().map(|setting| width(&setting.in_words())).filter(|width| *width <= room);
        Layout { columns, names, values: values.max().unwrap_or(0) }
    }

    /// On one line; where that is too narrow, the value and where it comes from stand below the name.
    fn row(&self, setting: &Setting) -> String {
        let (name, value, source) = (&setting.name.option, setting.in_words(), setting.place());
        let begin = padded(name, self.names);
        let aligned = format!("  {begin}  {}  {source}\n", padded(&value, self.values));
        let close = format!("  {begin}  {value}  {source}\n");
        if let Some(line) = [aligned, close].into_iter().find(|line| width(line) <= self.columns) {
            return line;
        }
        let room = self.columns.saturating_sub(BELOW);
        let aligned = format!("{}  {source}", padded(&value, 2 + self.names + 2 + self.values - BELOW));
        let rest = if width(&aligned) <= room { aligned } else { format!("{value}  {source}") };
        let indent = format!("\n{}", " ".repeat(BELOW));
        format!("  {name}{indent}{}\n", wrapped(&rest, room).replace('\n', &indent))
    }
}

/// As wide as the column at least.
fn padded(text: &str, columns: usize) -> String {
    format!("{text}{}", " ".repeat(columns.saturating_sub(width(text))))
}

impl Setting {
    fn in_words(&self) -> String {
        self.value.as_ref().map_or("-".to_owned(), in_words)
    }

    /// Where it is set, else what it is without that.
    fn place(&self) -> &str {
        self.at.as_deref().unwrap_or(&self.source)
    }

    fn json(&self) -> Value {
        json!({
            "option": self.name.option,
            "command": self.name.command,
            "variable": self.name.variable(),
            "value": self.value,
            "source": self.source,
            "at": self.at,
        })
    }
}

fn setting(name: Name, arg: &Arg, found: &Found, remembered: &[Remembered]) -> Setting {
    let heading = arg.get_help_heading().unwrap_or_default().to_owned();
    let by = |value, source: &str, at| Setting {
        name: name.clone(),
        heading: heading.clone(),
        value,
        source: source.to_owned(),
        at,
    };
    if let Some(given) = found.given.iter().find(|given| given.name == name) {
        let source = match &given.origin {
            Origin::Variable(_) => "environment",
            Origin::File { .. } => "file",
        };
        return by(Some(value(arg, &shown(given))), source, Some(given.origin.to_string()));
    }
    let remembered = remembered.iter().find(|it| name.command.is_none() && it.option == name.option);
    if let Some(it) = remembered {
        return by(Some(value(arg, std::slice::from_ref(&it.value))), it.source, Some(it.source.to_owned()));
    }
    match default(arg) {
        Some(default) => by(Some(default), "default", None),
        None => by(None, "not set", None),
    }
}

/// What may be a secret is not shown.
fn shown(given: &Given) -> Vec<String> {
    let discreet = |value: &String| match Proof::token_command(value) {
        Proof::TokenCommand { program, .. } if given.name.option == "token-command" => {
            format!("{program} ...")
        }
        _ => value.clone(),
    };
    given.values.iter().map(discreet).collect()
}

fn value(arg: &Arg, values: &[String]) -> Value {
    match values {
        [on] if fit::is_switch(arg) => Value::Bool(on == "true"),
        [value] if !fit::takes_several(arg) => Value::from(value.clone()),
        values => Value::from(values.to_vec()),
    }
}

/// What the parser fills in, else what the help says.
fn default(arg: &Arg) -> Option<Value> {
    if fit::is_switch(arg) {
        return Some(Value::Bool(false));
    }
    if let [default, ..] = arg.get_default_values() {
        return Some(Value::from(default.to_string_lossy().into_owned()));
    }
    let help = arg.get_help()?.to_string();
    let told = help.split_once("[default: ")?.1.split_once(']')?.0;
    Some(Value::from(told.to_owned()))
}

fn in_words(value: &Value) -> String {
    match value {
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(in_words).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}
