//! `tenure rejects`: the refused rows in the input's own columns, and why.

use std::borrow::Cow;
use std::collections::HashSet;
use std::io::{BufWriter, ErrorKind, IsTerminal as _, Write};
use std::path::Path;

use serde_json::Value;

use super::read_with::ReadWith;
use super::{Usage, again, columns, note, tell, whole};
use crate::cli::RejectsArgs;
use crate::exit::Exit;
use crate::input::{CHANNEL_COLUMNS, Format, Given, Key, Layout, RAW, Restored, disarmed};
use crate::journal::{Journal, JournalError, REPLACES, RejectKind, RejectedRow};
use crate::model::{MemberName, Role, SpaceName, Tenure, Undertaking};
use crate::remedy::rejects::can_be_retried;
use crate::summary;
use crate::wording::{harmless, many, quoted};

/// Tells a spreadsheet that a table is UTF-8.
const BYTE_ORDER_MARK: &str = "\u{feff}";
/// The columns that are added to the input's own.
const ADDED: [&str; 4] = ["error", "status", "attempts", REPLACES];

pub(super) fn run(args: &RejectsArgs) -> anyhow::Result<Exit> {
    let path = &args.journal;
    let at = |error: JournalError| error.at(path);
    let journal = Journal::open_read_only(path).map_err(at)?;
    let kinds = selected(&journal, args)?;
    let undertaking = journal.undertaking().map_err(at)?;
    let layouts: Vec<Layout> = journal
        .layouts()
        .map_err(at)?
        .iter()
        .map(|(_, json)| layout(json))
        .collect::<Result<_, _>>()
        .map_err(at)?;
    let of_channels = undertaking == Undertaking::Spaces;
    let named = args.output.as_deref().and_then(|file| Format::of_name(&file.to_string_lossy()));
    let format = match args.format {
        Some(format) => format.into(),
        None if of_channels => Format::Csv,
        // JSONL says what CSV says, but not the other way round.
        None if layouts.iter().all(|layout| layout.format == Format::Csv) => named.unwrap_or(Format::Csv),
        None => named.unwrap_or(Format::Jsonl),
    };
    let read_with = ReadWith::kept(&journal).map_err(at)?.options();
    let advice = |file: Option<&Path>| {
        let next = NextSteps { undertaking, journal: path, file, format, read_with: &read_with };
        format!("{}{}", summary::reasons(&kinds, columns()), next.text(&kinds))
    };
    if args.reasons {
        tell(&advice(None))?;
        return Ok(Exit::Done);
    }
    let rejects = Rejects { journal: &journal, kind: args.kind.as_deref() };
    let write = |out: &mut dyn Write, look: Look| match format {
        _ if of_channels => write_channels(&rejects, format, out, look),
        Format::Csv => write_csv(&rejects, &layouts, out, look),
        Format::Jsonl => write_jsonl(&rejects, out, look),
    };
    let Some(file) = args.output.as_deref().filter(|file| file.as_os_str() != "-") else {
        let look: Look = if std::io::stdout().is_terminal() { harmless } else { as_it_is };
        let mut out = BufWriter::new(std::io::stdout().lock());
        match write(&mut out, look).and_then(|()| Ok(out.flush()?)) {
            // `… | head` has read enough.
            Err(error) if is_broken_pipe(&error) => return Ok(Exit::Done),
            written => written?,
        }
        if kinds.is_empty() {
            note("No row was refused.");
        }
        return Ok(Exit::Done);
    };
    let is_table =
        format == Format::Csv && file.extension().is_some_and(|end| end.eq_ignore_ascii_case("csv"));
    // Without it a spreadsheet takes an umlaut for two characters.
    let mark: &[u8] = if is_table { BYTE_ORDER_MARK.as_bytes() } else { b"" };
    let signal = whole::write_new(file, |out| {
        out.write_all(mark)?;
        write(out, as_it_is)
    })?;
    if let Some(signal) = signal {
        return Ok(Exit::Signal(signal));
    }
    if kinds.is_empty() {
        note("No row was refused.");
    } else {
        let rows = kinds.iter().map(|kind| kind.count).sum();
        note(&format!("{} written to {}\n", many(rows, "row"), file.display()));
        note(advice(Some(file)).trim_end());
    }
    Ok(Exit::Done)
}

/// The reasons of the rows that are asked for.
fn selected(journal: &Journal, args: &RejectsArgs) -> anyhow::Result<Vec<RejectKind>> {
    let at = |error: JournalError| error.at(&args.journal);
    let mut kinds = journal.reject_messages().map_err(at)?;
    if let Some(kind) = &args.kind {
        kinds.retain(|reason| reason.kind == *kind);
        if kinds.is_empty() {
            return Err(Usage(again::unknown(kind, &journal.rejects_by_kind().map_err(at)?)).into());
        }
    }
    Ok(kinds)
}

/// What to type next.
struct NextSteps<'a> {
    undertaking: Undertaking,
    journal: &'a Path,
    /// What the rows were written to, if they were.
    file: Option<&'a Path>,
    /// In what format they are, or would be, written.
    format: Format,
    /// The options that the rows were read with, to be typed again.
    read_with: &'a str,
}

impl NextSteps<'_> {
    fn text(&self, kinds: &[RejectKind]) -> String {
        if kinds.is_empty() {
            return "No row was refused.\n".to_owned();
        }
        let name = quoted(&self.journal.display().to_string());
        let mut again: Vec<&str> = kinds
            .iter()
            .filter(|reason| !reason.too_late && can_be_retried(&reason.kind))
            .map(|reason| reason.kind.as_str())
            .collect();
        again.sort_unstable();
        again.dedup();
        if kinds.iter().all(|reason| reason.too_late) {
            return String::new();
        }
        let mut text = String::from("\n");
        let mut line = |label: &str, command: String| text += &format!("{label:<10}{command}\n");
        if self.undertaking != Undertaking::Rollback {
            let ending = self.format.as_str();
            let file = self.file.map_or(format!("rejects.{ending}"), |file| file.display().to_string());
            let mended = quoted(&file);
            if self.file.is_none() {
                line("to mend", format!("tenure rejects {name} -o {mended}"));
                if self.format == Format::Jsonl {
                    line("", format!("tenure rejects {name} -o rejects.csv"));
                    line("", "(the second opens in a spreadsheet; mend either)".to_owned());
                }
            }
            // A name that tells nothing is no help to who reads the file, either.
            let format = match Format::of_name(&file) {
                Some(named) if named == self.format => String::new(),
                _ if self.undertaking == Undertaking::Spaces => String::new(),
                _ => format!(" --format {ending}"),
            };
            let read = self.read_with;
            line(
                "mended",
                format!("tenure {} {mended}{format}{read} --journal {name}", self.undertaking.as_str()),
            );
        }
        match again.as_slice() {
            [] => {}
            [kind] => line("as is", format!("tenure resume {name} --retry-rejected {kind}")),
            _ => line("as is", format!("tenure resume {name} --retry-rejected")),
        }
        text
    }
}

/// Refused rows, all or those of one kind.
struct Rejects<'a> {
    journal: &'a Journal,
    kind: Option<&'a str>,
}

impl Rejects<'_> {
    fn has(&self, kind: &str) -> bool {
        self.kind.is_none_or(|wanted| wanted == kind)
    }

    fn each(&self, mut each: impl FnMut(RejectedRow) -> anyhow::Result<()>) -> anyhow::Result<()> {
        self.journal.rejects(|row| if self.has(&row.kind) { each(row) } else { Ok(()) })
    }
}

/// How a text looks where it goes: as it was in files and pipes; a terminal is not to be disturbed by it.
type Look = for<'a> fn(&'a str) -> Cow<'a, str>;

fn as_it_is(text: &str) -> Cow<'_, str> {
    text.into()
}

pub(super) fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let closed = |error: &std::io::Error| error.kind() == ErrorKind::BrokenPipe;
    error.chain().any(|cause| {
        cause.downcast_ref().is_some_and(closed)
            || cause.downcast_ref::<csv::Error>().is_some_and(|error| match error.kind() {
                csv::ErrorKind::Io(error) => closed(error),
                _ => false,
            })
    })
}

fn layout(json: &str) -> Result<Layout, JournalError> {
    serde_json::from_str(json).map_err(|error| JournalError::Content(format!("a source's layout: {error}")))
}

/// The columns of every input, each once, in the order in which they were met.
fn columns_of(layouts: &[Layout]) -> Vec<String> {
    let mut columns: Vec<String> = Vec::new();
    let of_jsonl = layouts.iter().any(|layout| layout.format == Format::Jsonl);
    for name in layouts.iter().flat_map(|layout| &layout.columns) {
        if !columns.contains(name) && !ADDED.contains(&name.as_str()) {
            columns.push(name.clone());
        }
    }
    for key in Key::ALL.into_iter().filter(|_| of_jsonl) {
        if !columns.iter().any(|name| Key::of(name) == Some(key)) {
            columns.push(key.as_str().to_owned());
        }
    }
    columns
}

fn write_csv(
    rejects: &Rejects<'_>,
    layouts: &[Layout],
    out: &mut dyn Write,
    look: Look,
) -> anyhow::Result<()> {
    let mut columns = columns_of(layouts);
    for name in keys_of(rejects)? {
        let is_known = |column: &String| {
            *column == name || Key::of(&name).is_some_and(|key| Key::of(column) == Some(key))
        };
        if !columns.iter().any(is_known) && !ADDED.contains(&name.as_str()) {
            columns.push(name);
        }
    }
    let delimiter =
        layouts.iter().find(|layout| layout.format == Format::Csv).map_or(',', |layout| layout.delimiter);
    let mut csv =
        csv::WriterBuilder::new().delimiter(u8::try_from(delimiter).unwrap_or(b',')).from_writer(out);
    let cell = |text: &str| disarmed(&look(text));
    csv.write_record(columns.iter().map(String::as_str).chain(ADDED).map(cell))?;
    rejects.each(|row| {
        let layout = layout(&row.layout)?;
        let mut fields = vec![String::new(); columns.len()];
        let mut put = |name: &str, text: String| {
            let key = Key::of(name);
            let is_place = |column: &String| column == name || (key.is_some() && Key::of(column) == key);
            if let Some(place) = columns.iter().position(is_place) {
                fields[place] = text;
            }
        };
        match restored(&row, &layout)? {
            Restored::Csv(texts) => {
                for (name, text) in layout.columns.iter().zip(texts) {
                    put(name, text);
                }
            }
            Restored::Jsonl(object) => {
                // Where it stands only in the membership's name.
                let space = row.space.as_ref().filter(|_| !object.contains_key("space"));
                space.into_iter().for_each(|space| put("space", space.clone()));
                for (name, value) in object {
                    let text = text_of(&name, value);
                    put(&name, text);
                }
            }
            Restored::Raw(line) => put(RAW, line),
        }
        fields.extend(added(&row));
        csv.write_record(fields.iter().map(|field| cell(field)))?;
        Ok(())
    })?;
    csv.flush()?;
    Ok(())
}

/// The keys that lines of JSONL have beyond the contract's, and [`RAW`] if there is a line that could not be taken apart: it
/// has no columns, and its place in one of them would be a guess. Whole in a column of its own it is no row before
/// somebody has filled in the others.
fn keys_of(rejects: &Rejects<'_>) -> anyhow::Result<Vec<String>> {
    let mut keys: Vec<String> = Vec::new();
    let mut known: HashSet<String> = HashSet::new();
    rejects.each(|row| {
        let of_one: Vec<String> = match restored(&row, &layout(&row.layout)?)? {
            Restored::Csv(_) => Vec::new(),
            Restored::Jsonl(object) => object.into_iter().map(|(name, _)| name).collect(),
            Restored::Raw(_) => vec![RAW.to_owned()],
        };
        keys.extend(of_one.into_iter().filter(|name| known.insert(name.clone())));
        Ok(())
    })?;
    Ok(keys)
}

fn write_jsonl(rejects: &Rejects<'_>, out: &mut dyn Write, look: Look) -> anyhow::Result<()> {
    rejects.each(|row| {
        let layout = layout(&row.layout)?;
        let mut object = match restored(&row, &layout)? {
            Restored::Csv(texts) => {
                layout.columns.iter().cloned().zip(texts.into_iter().map(Value::String)).collect()
            }
            Restored::Jsonl(object) => object,
            Restored::Raw(line) => [(RAW.to_owned(), Value::String(line))].into_iter().collect(),
        };
        let [error, _, _, replaces] = added(&row);
        object.insert("error".to_owned(), error.into());
        object.insert("status".to_owned(), row.http_status.map_or(Value::Null, Value::from));
        object.insert("attempts".to_owned(), row.attempts.into());
        object.insert(REPLACES.to_owned(), replaces.into());
        writeln!(out, "{}", look(&Value::Object(object).to_string()))?;
        Ok(())
    })
}

/// Channels that were refused, as `spaces create` reads them.
fn write_channels(
    rejects: &Rejects<'_>,
    format: Format,
    out: &mut dyn Write,
    look: Look,
) -> anyhow::Result<()> {
    let columns = CHANNEL_COLUMNS.into_iter().chain(["error", "status"]);
    let channels = rejects.journal.rejected_channels()?.into_iter();
    let rejected = channels.filter(|rejected| rejects.has(&rejected.kind)).map(|rejected| {
        let channel = rejected.channel;
        [
            channel.name,
            channel.display_name,
            channel.space_type,
            channel.create_time.map(|time| time.to_string()).unwrap_or_default(),
            channel.description.unwrap_or_default(),
            channel.external_user_allowed.to_string(),
            format!("{}: {}", rejected.kind, rejected.error),
            rejected.http_status.map(|status| status.to_string()).unwrap_or_default(),
        ]
    });
    if format == Format::Jsonl {
        for fields in rejected {
            let pairs = columns.clone().map(str::to_owned).zip(fields.map(Value::String));
            writeln!(out, "{}", look(&Value::Object(pairs.collect()).to_string()))?;
        }
        return Ok(());
    }
    let mut csv = csv::Writer::from_writer(out);
    csv.write_record(columns)?;
    for fields in rejected {
        csv.write_record(fields.iter().map(|field| disarmed(&look(field))))?;
    }
    csv.flush()?;
    Ok(())
}

fn added(row: &RejectedRow) -> [String; 4] {
    let status = row.http_status.map(|status| status.to_string()).unwrap_or_default();
    let place = format!("{}:{}", row.path, row.line);
    [format!("{}: {}", row.kind, row.error), status, row.attempts.to_string(), place]
}

/// A value as a cell: of a member that is an object, the name, which is what a cell of that column holds.
fn text_of(key: &str, value: Value) -> String {
    match value {
        Value::Object(mut user) if key == "member" && user.contains_key("name") => {
            user.remove("name").map(|name| text_of("name", name)).unwrap_or_default()
        }
        Value::String(text) => text,
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

fn restored(row: &RejectedRow, layout: &Layout) -> Result<Restored, JournalError> {
    let unreadable =
        |story: String| JournalError::Content(format!("line {} of {}: {story}", row.line, row.path));
    let given = Given::from_json(row.given.as_deref()).map_err(|error| unreadable(error.to_string()))?;
    let tenure = match (&row.space, &row.member) {
        (Some(space), Some(member)) => Some(Tenure {
            space: SpaceName::parse(space).map_err(|error| unreadable(error.to_string()))?,
            member: MemberName::parse(member).map_err(|error| unreadable(error.to_string()))?,
            create_time: row.span.create_time,
            delete_time: row.span.delete_time,
            role: row.role.as_deref().and_then(|role| role.parse::<Role>().ok()),
        }),
        _ => None,
    };
    Ok(given.restore(layout, tenure.as_ref()))
}
