//! `tenure.toml`: where it lies, and what stands in it.

use std::fs::File;
use std::io::{ErrorKind, Read as _};
use std::path::{Path, PathBuf};

use clap::Arg;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::fit::{self, Raw};
use super::{FILE, Given, Origin, shown};
use crate::cli::{ConfigFileArgs, Name};
use crate::input::suggest::is_near;
use crate::network::Endpoint;
use crate::wording::trouble;

/// What stands before a command's name, since some are called as an option is.
const COMMAND: &str = "command";

/// Whatever is longer is something else.
const BYTES_MAX: u64 = 1 << 20;

/// Options that do not belong in a file that lies about, and why.
const NOT_HERE: [(&str, &str); 2] = [
    ("token-command", "it may hold a secret: give --token-command or TENURE_TOKEN_COMMAND"),
    ("yes", "whoever answers a question has to have read it: type --yes"),
];

/// Options that say where tokens are sent.
const ENDPOINTS: [&str; 3] = ["endpoint", "iam-endpoint", "token-uri"];

/// The file that applies: the one that is named, else the first that lies beside the journal or in the current folder.
pub(super) fn read(
    place: &ConfigFileArgs,
    journal: Option<&Path>,
) -> Result<Option<(PathBuf, String)>, String> {
    if place.no_config {
        return Ok(None);
    }
    if let Some(path) = &place.config {
        return match read_one(path)? {
            Some(text) => Ok(Some((path.clone(), text))),
            None => Err(format!("--config {}: there is no such file", path.display())),
        };
    }
    let beside = journal.and_then(Path::parent).map(|folder| folder.join(FILE));
    for path in beside.into_iter().chain([PathBuf::from(FILE)]) {
        if let Some(text) = read_one(&path)? {
            return Ok(Some((shown(&path), text)));
        }
    }
    Ok(None)
}

fn read_one(path: &Path) -> Result<Option<String>, String> {
    let at = |story: String| format!("{}: {story}", shown(path).display());
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| file.take(BYTES_MAX + 1).read_to_end(&mut bytes));
    match read {
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            return Ok(None);
        }
        Err(error) => return Err(at(format!("{}; or go without: --no-config", trouble(&error)))),
        Ok(_) if bytes.len() as u64 > BYTES_MAX => {
            return Err(at("it is longer than 1 MiB, so it is no file of settings".to_owned()));
        }
        Ok(_) => {}
    }
    String::from_utf8(bytes).map(Some).map_err(|error| {
        let line = error.as_bytes()[..error.utf8_error().valid_up_to()].iter().filter(|byte| **byte == b'\n');
        at(format!("line {} is not UTF-8; save the file as UTF-8", line.count() + 1))
    })
}

/// Everything that stands in it.
///
/// # Errors
/// All that is wrong with it.
pub(super) fn parse(path: &Path, text: &str, known: &[(Name, &Arg)]) -> Result<Vec<Given>, Vec<String>> {
    let line = |offset: usize| text.bytes().take(offset).filter(|byte| *byte == b'\n').count() + 1;
    let table = DeTable::parse(text).map_err(|error| {
        let line = line(error.span().map_or(0, |span| span.start));
        vec![format!("{}:{line}: it is not TOML ({})", path.display(), error.message())]
    })?;
    let mut reading = Reading { path, line: &line, known, given: Vec::new(), problems: Vec::new() };
    for (key, value) in table.get_ref() {
        match value.get_ref() {
            DeValue::Table(commands) if key.get_ref() == COMMAND => {
                for (command, options) in commands {
                    reading.command(command, options.get_ref());
                }
            }
            _ => reading.option(None, key, value),
        }
    }
    if reading.problems.is_empty() {
        return Ok(reading.given);
    }
    reading.problems.sort();
    let problems = reading.problems.into_iter();
    Err(problems.map(|(line, story)| format!("{}:{line}: {story}", path.display())).collect())
}

struct Reading<'a> {
    path: &'a Path,
    line: &'a dyn Fn(usize) -> usize,
    known: &'a [(Name, &'a Arg)],
    given: Vec<Given>,
    /// With the line of each.
    problems: Vec<(usize, String)>,
}

impl Reading<'_> {
    fn is_command(&self, key: &str) -> bool {
        self.known.iter().any(|(name, _)| name.command.as_deref() == Some(key))
    }

    fn command(&mut self, key: &Spanned<impl AsRef<str>>, options: &DeValue<'_>) {
        let command = key.get_ref().as_ref();
        let story = match options {
            DeValue::Table(options) if self.is_command(command) => {
                for (option, value) in options {
                    self.option(Some(command), option, value);
                }
                return;
            }
            DeValue::Table(_) => {
                let mut known = self.known.iter().filter_map(|(name, _)| name.command.as_deref());
                let meant = known.find(|known| is_near(command, known));
                let meant = meant.map(|meant| format!("; did you mean {meant}?")).unwrap_or_default();
                format!("there is no such command with options of its own{meant}")
            }
            _ => format!("write the options of a command below a line [{COMMAND}.NAME]"),
        };
        let line = (self.line)(key.span().start);
        self.problems.push((line, format!("{COMMAND}.{command}: {story}")));
    }

    fn option(
        &mut self,
        command: Option<&str>,
        key: &Spanned<impl AsRef<str>>,
        value: &Spanned<DeValue<'_>>,
    ) {
        let line = (self.line)(key.span().start);
        let name = Name { command: command.map(str::to_owned), option: key.get_ref().as_ref().to_owned() };
        match self.values(&name, value.get_ref()) {
            Ok(values) => {
                let origin = Origin::File { path: self.path.to_owned(), line };
                self.given.push(Given { name, values, origin });
            }
            Err(story) => self.problems.push((line, format!("{name}: {story}"))),
        }
    }

    fn values(&self, name: &Name, value: &DeValue<'_>) -> Result<Vec<String>, String> {
        if let Some((_, why)) = NOT_HERE.iter().find(|(option, _)| name.option == *option) {
            return Err(format!("it is not taken from a file, since {why}"));
        }
        if name.command.is_none() && matches!(value, DeValue::Table(_)) && self.is_command(&name.option) {
            return Err(format!("write the options of a command below a line [{COMMAND}.{}]", name.option));
        }
        let Some((_, arg)) = self.known.iter().find(|(known, _)| known == name) else {
            return Err(self.unknown(name));
        };
        let raw = raw(value)?;
        if holds_secret(&raw) {
            return Err("it looks like a secret itself: keep that in a file that you alone can read, and name the file"
                .to_owned());
        }
        let mut values = fit::values(arg, raw)?;
        if ENDPOINTS.contains(&name.option.as_str()) && !values.iter().all(|url| is_here(url)) {
            return Err(format!(
                "from a file, only an address of this machine is taken, since tokens are sent there: give --{0} or \
                 TENURE_{1}",
                name.option,
                name.option.replace('-', "_").to_uppercase()
            ));
        }
        // What a file names lies where the file lies.
        if arg.get_value_parser().type_id() == std::any::TypeId::of::<PathBuf>() {
            let folder = self.path.parent().unwrap_or(Path::new(""));
            for value in values.iter_mut().filter(|value| *value != "-") {
                *value = folder.join(&*value).display().to_string();
            }
        }
        Ok(values)
    }

    /// There is no such option here: where it belongs, or what was meant.
    fn unknown(&self, name: &Name) -> String {
        let mut places: Vec<String> = Vec::new();
        for (known, _) in self.known.iter().filter(|(known, _)| known.option == name.option) {
            let place = match &known.command {
                Some(command) => format!("below a line [{COMMAND}.{command}]"),
                None => "above the first line in brackets, since several commands share it".to_owned(),
            };
            if !places.contains(&place) {
                places.push(place);
            }
        }
        if !places.is_empty() {
            return format!("write it {}", places.join(" or "));
        }
        let mut near: Vec<&Name> = self
            .known
            .iter()
            .map(|(known, _)| known)
            .filter(|known| is_near(&name.option, &known.option))
            .collect();
        near.sort_by_key(|known| known.command != name.command);
        match near.first() {
            Some(known) if known.command == name.command => {
                format!("there is no such setting; did you mean {}?", known.option)
            }
            Some(known) => format!("there is no such setting; did you mean {known}?"),
            None => "there is no such setting; `tenure config --all` shows every one".to_owned(),
        }
    }
}

fn raw(value: &DeValue<'_>) -> Result<Raw<'static>, String> {
    Ok(match value {
        DeValue::Boolean(on) => Raw::Switch(*on),
        DeValue::Array(items) => {
            let items = items.iter().map(|item| one(item.get_ref()));
            Raw::Several(items.collect::<Result<_, _>>()?)
        }
        value => Raw::One(one(value)?),
    })
}

fn one(value: &DeValue<'_>) -> Result<String, String> {
    match value {
        DeValue::String(text) => Ok(text.clone().into_owned()),
        DeValue::Integer(number) if number.radix() == 10 => Ok(number.as_str().to_owned()),
        DeValue::Integer(_) => Err("write the number with decimal digits".to_owned()),
        DeValue::Float(number) => Ok(number.as_str().to_owned()),
        DeValue::Datetime(time) => Ok(time.to_string()),
        DeValue::Boolean(_) | DeValue::Array(_) | DeValue::Table(_) => {
            Err("it is a text or a number".to_owned())
        }
    }
}

/// Keys and tokens as Google writes them. They are looked for before anything is said that repeats the value.
fn holds_secret(raw: &Raw<'_>) -> bool {
    let is_secret = |text: &String| {
        text.contains("PRIVATE KEY") || text.contains("private_key") || text.starts_with("ya29.")
    };
    match raw {
        Raw::Text(_) | Raw::Switch(_) => false,
        Raw::One(text) => is_secret(text),
        Raw::Several(texts) => texts.iter().any(is_secret),
    }
}

fn is_here(url: &str) -> bool {
    Endpoint::parse(url).is_ok_and(|endpoint| endpoint.is_loopback())
}
