//! The compliance export as Actiance XML: for each channel of a period, who was in it and what was written.
//!
//! Comments in its writer speak of seconds; all of its times are milliseconds. Nothing that a document declares is
//! followed: entities of its own stay unresolved.

use std::borrow::Cow;
use std::io::{self, BufRead, BufReader, Read};
use std::sync::Arc;

use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesRef, BytesStart, Event};
use quick_xml::{Reader, XmlVersion};

use super::directory::{Someone, Somewhere, Sort};
use super::period::{Members, epoch_ms};
use super::{Deed, Stop, Taking};
use crate::convert::fact::Standing;
use crate::convert::flaw::unreadable;
use crate::input::{Fault, Problem, ProblemKind};
use crate::model::Timestamp;

/// Bytes of one tag or text, at most.
const PIECE_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Bytes that are kept of the text of an element: names, addresses and times are shorter, and of messages the beginning
/// is enough.
const TEXT_BYTES_MAX: usize = 4096;

/// How deep elements lie in one another, at most.
const DEPTH_MAX: usize = 32;

/// Bytes of the buffer in front of the parser.
const BUFFER_BYTES: usize = 64 * 1024;

/// Somebody who enters, leaves or writes.
#[derive(Debug, Default)]
struct Act {
    login: String,
    is_bot: bool,
    time: String,
    content: String,
}

/// A channel in its period.
#[derive(Debug, Default)]
struct Conversation {
    title: String,
    channel: Option<u32>,
    members: Members,
    /// Entered in the period or before.
    entered: Vec<(u32, Timestamp)>,
}

/// Reads one.
pub(super) fn read(file: &Arc<str>, reader: impl Read, taking: &mut Taking<'_>) -> Result<(), Stop> {
    let inner = BufReader::with_capacity(BUFFER_BYTES, reader);
    let mut xml = Reader::from_reader(Measured { inner, line: 1, piece_bytes: 0 });
    xml.config_mut().expand_empty_elements = true;
    let mut dump =
        Dump { file, path: Vec::new(), text: String::new(), conversation: None, act: Act::default() };
    let mut buffer = Vec::new();
    loop {
        buffer.clear();
        xml.get_mut().piece_bytes = 0;
        let event = xml.read_event_into(&mut buffer);
        let line = xml.get_ref().line;
        let broken = |why: String| {
            let message = format!("it is broken: {why}; what comes after that is left out");
            let problem = Problem::new(file, line, ProblemKind::BrokenXml, message);
            Stop::Here(Box::new(problem.help("is the export complete? take it again")))
        };
        match event {
            Ok(Event::Start(start)) if dump.path.len() < DEPTH_MAX => dump.begin(&start),
            Ok(Event::Start(_)) => return Err(broken(format!("elements lie more than {DEPTH_MAX} deep"))),
            Ok(Event::End(_)) => dump.end(line, taking),
            Ok(Event::Text(text)) => dump.add(&text),
            Ok(Event::CData(text)) => dump.add(&text),
            Ok(Event::GeneralRef(entity)) => dump.add_entity(&entity),
            Ok(Event::DocType(_)) => {
                let message =
                    "it declares a document type, which no export does; nothing of that is followed";
                taking.problems.push(Problem::new(file, line, ProblemKind::BrokenXml, message));
            }
            Ok(Event::Eof) if dump.path.is_empty() => return Ok(()),
            Ok(Event::Eof) => return Err(broken("it ends in the middle".to_owned())),
            Ok(_) => {}
            Err(quick_xml::Error::Io(error)) if Fault::within(&error).is_some() => {
                return Err(Stop::Here(Box::new(unreadable(file, &error))));
            }
            Err(error) => return Err(broken(error.to_string())),
        }
    }
}

/// What of a document is open.
struct Dump<'a> {
    file: &'a Arc<str>,
    /// The names of the open elements.
    path: Vec<String>,
    /// The text of the innermost of them so far.
    text: String,
    conversation: Option<Conversation>,
    act: Act,
}

impl Dump<'_> {
    fn begin(&mut self, start: &BytesStart<'_>) {
        let name = start.local_name().as_ref().to_owned();
        match name.as_str() {
            "Conversation" => {
                let title = start.try_get_attribute("Perspective").ok().flatten();
                let title = title.and_then(|title| {
                    title.normalized_value(XmlVersion::Implicit1_0).ok().map(Cow::into_owned)
                });
                self.conversation =
                    Some(Conversation { title: title.unwrap_or_default(), ..Conversation::default() });
            }
            "ParticipantEntered" | "ParticipantLeft" | "Message" => self.act = Act::default(),
            _ => {}
        }
        self.path.push(name);
        self.text.clear();
    }

    fn add(&mut self, text: &str) {
        let room = TEXT_BYTES_MAX.saturating_sub(self.text.len());
        let end = (0..=room.min(text.len())).rev().find(|end| text.is_char_boundary(*end));
        self.text.push_str(&text[..end.unwrap_or_default()]);
    }

    fn add_entity(&mut self, entity: &BytesRef<'_>) {
        if let Ok(Some(char)) = entity.resolve_char_ref() {
            self.add(char.encode_utf8(&mut [0; 4]));
        } else {
            self.add(resolve_predefined_entity(entity).unwrap_or_default());
        }
    }

    /// The innermost element ends.
    fn end(&mut self, line: u64, taking: &mut Taking<'_>) {
        let Some(name) = self.path.pop() else { return };
        let text = std::mem::take(&mut self.text);
        let text = text.trim();
        let parent = self.path.last().map(String::as_str).unwrap_or_default();
        let Some(conversation) = &mut self.conversation else { return };
        match (parent, name.as_str()) {
            ("Conversation", "RoomID") => conversation.channel = conversation.room(text, taking),
            ("Conversation", "StartTimeUTC") => conversation.members.period.start = epoch_ms(text),
            ("Conversation", "EndTimeUTC") => conversation.members.period.end = epoch_ms(text),
            ("ParticipantEntered" | "ParticipantLeft" | "Message", _) => {
                let act = &mut self.act;
                match name.as_str() {
                    "LoginName" => text.clone_into(&mut act.login),
                    "UserType" => act.is_bot = text == "bot",
                    "DateTimeUTC" => text.clone_into(&mut act.time),
                    "Content" => text.clone_into(&mut act.content),
                    _ => {}
                }
            }
            (_, "ParticipantEntered" | "ParticipantLeft" | "Message") => {
                taking.count();
                let act = std::mem::take(&mut self.act);
                if let Err(problem) = conversation.act(self.file, line, &name, &act, taking) {
                    taking.problems.push(*problem);
                }
            }
            (_, "Conversation") => {
                if let Some(conversation) = self.conversation.take() {
                    conversation.settle(taking);
                }
            }
            _ => {}
        }
    }
}

impl Conversation {
    /// The channel of a room: `public - id` in old exports, `public - name - id` in newer ones.
    fn room(&self, text: &str, taking: &mut Taking<'_>) -> Option<u32> {
        let (sort, rest) = text.split_once(" - ")?;
        let (name, id) = rest.rsplit_once(" - ").unwrap_or(("", rest));
        let (sort, id) = (Sort::of(sort), id.trim());
        // Members of a direct message stand in its title, and its name is made of their ids.
        let title = if sort == Sort::Direct && !name.is_empty() { "" } else { self.title.as_str() };
        let said = Somewhere { id, name, title, sort, ..Somewhere::default() };
        taking.directory.channel(&said).filter(|_| !id.is_empty())
    }

    fn act(
        &mut self,
        file: &Arc<str>,
        line: u64,
        what: &str,
        act: &Act,
        taking: &mut Taking<'_>,
    ) -> Result<(), Box<Problem>> {
        let wrong = |kind, column: &'static str, text: &str, message: &str| {
            let problem = Problem::new(file, line, kind, format!("{message}; this {what} is left out"));
            Box::new(problem.column(column).value(text))
        };
        let Some(channel) = self.channel else {
            return Err(wrong(
                ProblemKind::MissingValue,
                "RoomID",
                "",
                "the conversation has no channel's id",
            ));
        };
        let Some(time) = epoch_ms(&act.time) else {
            let message = "it is no time in milliseconds since 1970";
            return Err(wrong(ProblemKind::BadTime, "DateTimeUTC", &act.time, message));
        };
        let (username, address) =
            if act.login.contains('@') { ("", act.login.as_str()) } else { (act.login.as_str(), "") };
        let standing = act.is_bot.then_some(Standing::Bot);
        let person = taking.directory.person(&Someone { username, address, standing, ..Someone::default() });
        let Some(person) = person else {
            return Err(wrong(ProblemKind::MissingValue, "LoginName", "", "it is empty"));
        };
        match what {
            "ParticipantEntered" => self.entered.push((person, time)),
            "ParticipantLeft" => self.members.left.push((person, time)),
            // Older writers tell of a deletion with its own time, in the place of when it was written.
            _ if act.content.starts_with("delete ") => taking.ignore("deletions of messages"),
            _ => {
                self.members.authors.insert(person);
                taking.event(channel, person, time, Deed::Wrote);
            }
        }
        Ok(())
    }

    /// All of it is read.
    fn settle(self, taking: &mut Taking<'_>) {
        let Conversation { channel: Some(channel), mut members, entered, .. } = self else { return };
        // Joins from before the period have their true times.
        let is_before = |time: Timestamp| members.period.start.is_some_and(|start| time <= start);
        (members.before, members.entered) = entered.into_iter().partition(|(_, time)| is_before(*time));
        for (person, time, deed) in members.settle(true) {
            taking.event(channel, person, time, deed);
        }
    }
}

/// Counts lines, and ends a tag or text without end.
struct Measured<R> {
    inner: BufReader<R>,
    /// The line that the next byte is on.
    line: u64,
    /// Bytes since the last tag or text.
    piece_bytes: usize,
}

impl<R: Read> Read for Measured<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let ready = self.fill_buf()?;
        let count = ready.len().min(buffer.len());
        buffer[..count].copy_from_slice(&ready[..count]);
        self.consume(count);
        Ok(count)
    }
}

impl<R: Read> BufRead for Measured<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.piece_bytes > PIECE_BYTES_MAX {
            let limit = PIECE_BYTES_MAX / 1024 / 1024;
            return Err(io::Error::other(format!("a tag or text is longer than {limit} MiB")));
        }
        self.inner.fill_buf()
    }

    fn consume(&mut self, count: usize) {
        let consumed = &self.inner.buffer()[..count];
        self.line += memchr::memchr_iter(b'\n', consumed).count() as u64;
        self.piece_bytes += count;
        self.inner.consume(count);
    }
}
