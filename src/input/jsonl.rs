//! JSONL: one object a line, bounded in length, to entries.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read};
use std::sync::Arc;

use super::columns::{COLUMNS_MAX, Key};
use super::excerpt::Excerpt;
use super::fault::Fault;
use super::given::{Given, GivenBuilder, is_canonical};
use super::guard::RECORD_BYTES_MAX;
use super::json_object::{Object, ParseError, parse};
use super::locate::in_json;
use super::names::Naming;
use super::problem::{Problem, ProblemKind};
use super::row::{Checked, Fields, Flaw, Name, Rules, admit, check};
use super::source::{BUFFER_BYTES, Peeked, Source};
use super::{BadRow, Entry, Next, Row, problems_of};
use crate::model::Tenure;

/// Of longer keys it is not said that nothing is made of them.
const KEY_BYTES_MAX: usize = 1024;

/// A JSONL file of rows.
pub(super) struct JsonlRows {
    file: Arc<str>,
    reader: BufReader<Peeked>,
    buffer: Vec<u8>,
    line: u64,
    any: bool,
    unused: BTreeSet<String>,
}

impl JsonlRows {
    pub(super) fn open(source: Source) -> Self {
        let reader = BufReader::with_capacity(BUFFER_BYTES, source.text);
        JsonlRows {
            file: source.file,
            reader,
            buffer: Vec::new(),
            line: 0,
            any: false,
            unused: BTreeSet::new(),
        }
    }

    /// The next row.
    ///
    /// # Errors
    /// A fatal problem.
    pub(super) fn next<N: Naming>(&mut self, rules: &Rules, names: &mut N) -> Next<N> {
        loop {
            if !self.next_line()? {
                if self.any {
                    return Ok(None);
                }
                let message = "it has nothing but blank lines";
                let problem = Problem::new(&self.file, 0, ProblemKind::EmptyFile, message);
                return Err(Box::new(problem.help("check that the export finished").fatal()));
            }
            if !self.buffer.trim_ascii().is_empty() {
                self.any = true;
                let unused = &mut self.unused;
                return Ok(Some(entry(&self.file, self.line, &self.buffer, rules, names, unused)));
            }
        }
    }

    /// Keys of which nothing is made, of all lines up to here; of very many the first ones.
    pub(super) fn unused(&self) -> &BTreeSet<String> {
        &self.unused
    }

    /// Passes over a line; its number.
    pub(super) fn pass(&mut self) -> Option<u64> {
        matches!(self.next_line(), Ok(true)).then_some(self.line)
    }

    /// Puts the line to a problem of it.
    pub(super) fn quote(&self, problem: &mut Problem) {
        if problem.line == self.line {
            let key = problem.column.as_deref().or(problem.kind.about().map(Key::as_str));
            let value = in_json(problem.kind, &self.buffer, key);
            problem.excerpt = Some(Box::new(Excerpt::of(self.line, &self.buffer, value)));
        }
    }

    /// Fills the buffer with the next line, without its end; false at the end of the input.
    fn next_line(&mut self) -> Result<bool, Box<Problem>> {
        self.buffer.clear();
        self.line += 1;
        let mut limited = Read::by_ref(&mut self.reader).take(RECORD_BYTES_MAX as u64 + 2);
        match limited.read_until(b'\n', &mut self.buffer) {
            Ok(0) => return Ok(false),
            Ok(_) => {}
            Err(error) => return Err(Box::new(Fault::of(error).on_line(self.line).problem(&self.file))),
        }
        for end in [b'\n', b'\r'] {
            if self.buffer.last() == Some(&end) {
                self.buffer.pop();
            }
        }
        if self.buffer.len() > RECORD_BYTES_MAX {
            let problem = Problem::new(
                &self.file,
                self.line,
                ProblemKind::LineTooLong,
                "the line is longer than 1 MiB",
            )
            .help("is it JSONL with one object a line? jq -c . writes it so");
            return Err(Box::new(problem.fatal()));
        }
        Ok(true)
    }
}

/// One line, not blank, to an entry.
fn entry<N: Naming>(
    file: &Arc<str>,
    line: u64,
    bytes: &[u8],
    rules: &Rules,
    names: &mut N,
    unused: &mut BTreeSet<String>,
) -> Entry<N::Space, N::Member> {
    let bad = |problem: Problem| {
        let given = Given::raw(&String::from_utf8_lossy(bytes));
        Entry::Bad(BadRow { line, problems: vec![problem], given })
    };
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => {
            let position = String::from_utf8_lossy(&bytes[..error.valid_up_to()]).chars().count() + 1;
            let message = format!("it is not UTF-8, from character {position} on");
            let problem = Problem::new(file, line, ProblemKind::NotUtf8, message);
            return bad(problem.help("was it saved as Windows-1252 or Latin-1? save it as UTF-8"));
        }
    };
    let object = match parse(text) {
        Ok(object) => object,
        Err(ParseError { kind, message, help }) => {
            let mut problem = Problem::new(file, line, kind, message);
            problem.help = help;
            return bad(problem);
        }
    };
    for name in object.unused.iter().filter(|name| name.len() <= KEY_BYTES_MAX) {
        if unused.len() < COLUMNS_MAX && !unused.contains(name.as_ref()) {
            unused.insert(name.to_string());
        }
    }
    judge(file, line, text, object, rules, names)
}

fn judge<N: Naming>(
    file: &Arc<str>,
    line: u64,
    text: &str,
    object: Object<'_>,
    rules: &Rules,
    names: &mut N,
) -> Entry<N::Space, N::Member> {
    let mut flaws = object.flaws();
    let texts = object.texts();
    let fields = Fields([0, 1, 2, 3, 4].map(|index| texts[index].as_ref()));
    let mut checked = check(&fields, rules, names);
    // A value of the wrong type is reported as such, and not as absent or malformed as well.
    if let Err(more) = &mut checked {
        more.retain(|flaw| match flaw.key {
            Some(key) => flaws.iter().all(|known| known.key != Some(key)),
            None => flaws.is_empty(),
        });
    }
    if let Ok(checked) = &checked {
        flaws.extend(contradiction(&object, checked, names));
    }
    match checked {
        Ok(checked) if flaws.is_empty() => {
            let tenure = admit(checked, names);
            let given = given(object, &tenure, names);
            Entry::Row(Row { line, tenure, given })
        }
        checked => {
            flaws.extend(checked.err().unwrap_or_default());
            let doubled = flaws.iter().any(|flaw| flaw.kind == ProblemKind::DoubledKey);
            let problems = problems_of(file, line, flaws, &fields, |key| object.spelling(key).into());
            // A doubled key would get lost in a map.
            let given = if doubled { Given::raw(text) } else { whole(text) };
            Entry::Bad(BadRow { line, problems, given })
        }
    }
}

/// A resource's `name` must lie in the space that the row gives.
fn contradiction<N: Naming>(object: &Object<'_>, checked: &Checked<N>, names: &N) -> Option<Flaw> {
    let (space, _) = object.resource()?;
    let said = format!("spaces/{space}");
    let (agrees, name) = match &checked.space {
        Name::Known(known) => (names.is_space(known, &said), names.space_name(known)),
        Name::New(name) => (name.as_str() == said, name.to_string()),
    };
    (!agrees).then(|| {
        let message = format!("it is {name}, but name says {said}");
        Flaw::new(Key::Space, ProblemKind::Contradiction, message).help("remove the wrong one")
    })
}

fn given<N: Naming>(object: Object<'_>, tenure: &Tenure<N::Space, N::Member>, names: &N) -> Given {
    let mut given: GivenBuilder = object.unknown;
    for (value, key) in object.values.iter().zip(Key::ALL) {
        let Some((name, value)) = value else {
            // Taken from elsewhere in the resource.
            if !is_canonical(key, "", tenure, names) {
                given.push(key.as_str(), &());
            }
            continue;
        };
        match value.text() {
            Some("") => given.push(name, ""),
            Some(text) if *name == key.as_str() && is_canonical(key, text, tenure, names) => {}
            _ if value.is_null() && is_canonical(key, "", tenure, names) => {}
            _ => given.push(name, value),
        }
    }
    given.finish()
}

/// All keys of a line that is known to be an object.
fn whole(text: &str) -> Given {
    let json: serde_json::Map<String, serde_json::Value> = serde_json::from_str(text).unwrap_or_default();
    if json.is_empty() {
        return Given::empty_object();
    }
    let mut given = GivenBuilder::default();
    for (name, value) in json {
        given.push(&name, &value);
    }
    given.finish()
}
