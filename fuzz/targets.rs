//! What is fuzzed: whatever comes in from outside. Each target takes any bytes, and panics if a promise is broken.
//!
//! `cargo fuzz` runs them without end, and `cargo test` once over the seeds in `corpus/`, a folder a target.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Cursor};
use std::sync::Arc;

use tenure::chat::{Answer, Call, Failure, Listing, NewSpace, read_answer};
use tenure::convert::{
    Choices, Export, Gathered, People, convert, matrix, mattermost, rocketchat, slack, teams, zulip,
};
use tenure::emulator::world::{Principal, Request, Rules as WorldRules, Scopes, World};
use tenure::input::{
    Entry, Format, Layout, Reader, Restored, Row, Rules, Source, SpaceMap, UserMap, disarmed,
    read_channels_from,
};
use tenure::model::{
    DISPLAY_NAME_CHARS_MAX, MemberName, MembershipName, Names, Role, SpaceName, Span, Timestamp,
};

/// A target.
pub type Target = fn(&[u8]);

/// Every target, by the name of its binary and of its seeds.
pub const TARGETS: [(&str, Target); 9] = [
    ("csv", csv),
    ("jsonl", jsonl),
    ("maps", maps),
    ("channels", channels),
    ("source", source),
    ("answer", answer),
    ("emulator", emulator),
    ("archive", archive),
    ("exports", exports),
];

/// 2026-01-01T00:00:00Z.
const NOW: Timestamp = Timestamp::from_micros(1_767_225_600_000_000);

/// Rows of CSV. Good rows that `rejects` gives back are the same rows again.
pub fn csv(bytes: &[u8]) {
    come_back("rows.csv", bytes);
}

/// Rows of JSON lines; the same promise.
pub fn jsonl(bytes: &[u8]) {
    come_back("rows.jsonl", bytes);
}

/// Maps of spaces and of users.
pub fn maps(bytes: &[u8]) {
    for header in ["", "name,space\n", "id,member\n"] {
        let text = [header.as_bytes(), bytes].concat();
        let opened = || Source::from_reader("map.csv", Cursor::new(text.clone()));
        if let Ok(source) = opened() {
            let _ = SpaceMap::read(source).map(|map| assert!(!map.is_empty()));
        }
        if let Ok(source) = opened() {
            let _ = UserMap::read(source).map(|map| assert!(!map.file().is_empty()));
        }
    }
}

/// Lists of channels, as CSV and as JSON lines. What is taken from them Chat would not refuse at once.
pub fn channels(bytes: &[u8]) {
    for format in [Format::Csv, Format::Jsonl] {
        let source = Source::from_reader("channels", Cursor::new(bytes.to_vec()));
        let Ok(Ok(channels)) = source.map(|source| read_channels_from(source, format, NOW)) else { continue };
        assert!(!channels.is_empty());
        let names: BTreeSet<&str> = channels.iter().map(|(_, channel)| channel.name.as_str()).collect();
        assert_eq!(names.len(), channels.len());
        for (_, channel) in &channels {
            assert!(channel.display_name.chars().count() <= DISPLAY_NAME_CHARS_MAX);
            assert!(channel.create_time.is_none_or(|time| time <= NOW));
        }
    }
}

/// Files of any kind: packed, in UTF-16, with whatever their first bytes say.
pub fn source(bytes: &[u8]) {
    if let Some((reader, _)) = opened("rows", bytes) {
        let lines: Vec<u64> = reader
            .map_while(Result::ok)
            .map(|entry| match entry {
                Entry::Row(row) => row.line,
                Entry::Bad(bad) => bad.line,
            })
            .collect();
        assert!(lines.is_sorted());
    }
}

/// An answer of Chat, to every kind of call: the status in two bytes, `Retry-After` to the end of the line, the body.
pub fn answer(bytes: &[u8]) {
    let Some((status, rest)) = bytes.split_first_chunk::<2>() else { return };
    let http_status = 100 + u16::from_le_bytes(*status) % 500;
    let (line, body) = rest.split_at(rest.iter().position(|byte| *byte == b'\n').unwrap_or(0));
    let retry_after = std::str::from_utf8(line).ok();
    for call in calls() {
        match read_answer(&call, http_status, retry_after, body, NOW) {
            Ok(answer) => {
                assert!((200..300).contains(&http_status));
                look_at(&answer);
            }
            Err(Failure::Refused(refusal)) => {
                assert!(!(200..300).contains(&http_status));
                assert!(!refusal.kind().is_empty());
                assert!(!refusal.message.contains(char::is_control), "{refusal:?}");
                let _ = (refusal.cause(), refusal.to_string());
            }
            Err(failure) => assert!(matches!(failure, Failure::Lost(_)), "{failure}"),
        }
    }
}

/// Requests to the emulator, one after the other: `METHOD path?query` on a line, the body on the next. The world that is
/// read back from what was kept is the world as it was.
pub fn emulator(bytes: &[u8]) {
    let rules = || WorldRules { any_space: true, ..WorldRules::default() };
    let (mut world, mut kept) = (World::new(rules()), World::new(rules()));
    let principal = Principal::new(Scopes::ALL, Some("someone@example.com"));
    let mut lines = bytes.split(|byte| *byte == b'\n');
    let mut now = NOW;
    while let Some(head) = lines.next() {
        let head = String::from_utf8_lossy(head);
        let (method, target) = head.split_once(' ').unwrap_or(("GET", &head));
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let body = lines.next().unwrap_or_default();
        let request = Request { method, path, query, principal: Some(&principal), body };
        let response = world.handle(now, &request);
        assert!((200..600).contains(&response.status));
        for change in &response.changes {
            assert_eq!(kept.replay(change), Ok(()), "{head}: {change:?}");
        }
        assert_eq!(kept, world, "{head}");
        now = Timestamp::from_micros(now.as_micros() + 1_000_000);
    }
}

/// A file as an export: a ZIP or tar archive, packed or not, or anything else. What is listed stays below where it would be
/// unpacked, and yields no more than an archive of that size may.
pub fn archive(bytes: &[u8]) {
    let file = tempfile::NamedTempFile::new().expect("a file");
    fs::write(file.path(), bytes).expect("the disk takes it");
    let Ok(mut export) = Export::open(file.path()) else { return };
    for path in export.paths_as_stored() {
        assert!(!path.starts_with('/') && path.split('/').all(|part| part != ".."), "{path}");
        let _ = export.read(&path, |reader| io::copy(reader, &mut io::sink()));
    }
    let most = (64 << 20) + 200 * bytes.len() as u64;
    assert!(export.bytes_read() <= most + (1 << 20), "{} of {}", export.bytes_read(), bytes.len());
}

/// An export of some files: the first letter says of which system, and each file stands below a line `== its path`.
/// Whatever they say, stints lie between the beginning of their space and now, and those of one member lie apart.
pub fn exports(bytes: &[u8]) {
    let Some((system, rest)) = bytes.split_first() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    for (path, content) in files(rest) {
        let path = folder.path().join(path);
        // A file and a folder may have one name; then the first stays.
        let _ = path.parent().map(fs::create_dir_all);
        let _ = fs::write(path, content);
    }
    let Ok(mut export) = Export::open(folder.path()) else { return };
    let (export, mut gathered) = (&mut export, Gathered::new(NOW));
    let watch = &mut |_: tenure::convert::Seen<'_>| {};
    let read = match system {
        b's' => slack::read(export, slack::Reading { dms: true }, &mut gathered, watch),
        b'm' => mattermost::Reader::new(mattermost::Reading { dms: true }).read(export, &mut gathered, watch),
        b't' => teams::read(export, teams::Reading { dms: true, meetings: true }, &mut gathered, watch),
        b'z' => zulip::read(export, zulip::Reading { dms: true }, &mut gathered, watch),
        b'r' => rocketchat::read(export, rocketchat::Reading { dms: true }, &mut gathered, watch),
        _ => {
            let mut rooms = matrix::Rooms::new(NOW);
            let read = matrix::read(export, &mut rooms, watch);
            rooms.tell(&matrix::Reading { dms: true, homes: Vec::new() }, &mut gathered);
            read
        }
    };
    let (Ok(problems) | Err(problems)) = read;
    let _ = problems.render();
    for (place, person) in gathered.people.iter_mut().enumerate() {
        person.fact.address = Some(format!("p{place}@example.com"));
    }
    let people = People { bots: true, ..People::default() };
    let converted = convert(&gathered, &people, &Choices::default(), NOW);
    for space in &converted.spaces {
        for row in &space.rows {
            assert!(space.begun <= row.stint.start, "{row:?}");
            assert!(row.stint.end.is_none_or(|end| row.stint.start < end && end <= NOW), "{row:?}");
        }
        for pair in space.rows.windows(2).filter(|pair| pair[0].member == pair[1].member) {
            assert!(pair[0].stint.end.is_some_and(|end| end <= pair[1].stint.start), "{pair:?}");
        }
    }
}

/// The files in a text, with their paths: those that are plain.
fn files(bytes: &[u8]) -> Vec<(String, &[u8])> {
    const MARK: &[u8] = b"\n== ";
    let mut begins: Vec<usize> = (0..bytes.len()).filter(|at| bytes[*at..].starts_with(MARK)).collect();
    begins.push(bytes.len());
    let pieces = begins.windows(2).map(|pair| &bytes[pair[0] + MARK.len()..pair[1]]);
    let named = pieces.filter_map(|piece| {
        let end = piece.iter().position(|byte| *byte == b'\n')?;
        Some((std::str::from_utf8(&piece[..end]).ok()?.to_owned(), &piece[end + 1..]))
    });
    let is_plain = |part: &str| {
        let plain = |c: char| c.is_ascii_alphanumeric() || "._-!:$".contains(c);
        !part.is_empty() && !part.starts_with('.') && part.chars().all(plain)
    };
    named.filter(|(path, _)| path.len() < 200 && path.split('/').all(is_plain)).take(16).collect()
}

fn opened(name: &str, bytes: &[u8]) -> Option<(Reader, Layout)> {
    let source = Source::from_reader(name, Cursor::new(bytes.to_vec())).ok()?;
    let reader = Reader::new(source, None, Arc::new(Rules::new(NOW))).ok()?;
    let layout = reader.layout().clone();
    Some((reader, layout))
}

/// Reads, gives back, and reads what was given back.
fn come_back(name: &str, bytes: &[u8]) {
    let Some((reader, layout)) = opened(name, bytes) else { return };
    numbers_say_what_names_say(name, bytes);
    let rows: Vec<Row> = reader
        .map_while(Result::ok)
        .filter_map(|entry| match entry {
            Entry::Row(row) => Some(row),
            Entry::Bad(bad) => {
                assert!(!bad.problems.is_empty());
                let _ = bad.given.restore(&layout, None);
                None
            }
        })
        .collect();
    if rows.is_empty() {
        return;
    }
    let given: Vec<Restored> = rows.iter().map(|row| row.given.restore(&layout, Some(&row.tenure))).collect();
    let (again, _) = opened(name, &written(&layout, &given)).expect("what is given back can be opened");
    let again: Vec<_> = again
        .map(|entry| match entry {
            Ok(Entry::Row(row)) => row,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(again.len(), rows.len());
    for ((row, again), given) in rows.iter().zip(&again).zip(&given) {
        assert_eq!(again.tenure, row.tenure);
        assert_eq!(&again.given.restore(&layout, Some(&again.tenure)), given);
    }
}

/// Rows are the same with their names by number, and only rows in order have their names numbered.
fn numbers_say_what_names_say(name: &str, bytes: &[u8]) {
    let (Some((named, _)), Some((mut numbered, _))) = (opened(name, bytes), opened(name, bytes)) else {
        return;
    };
    let mut names = Names::new();
    let mut met = (BTreeSet::new(), BTreeSet::new());
    for entry in named {
        match (entry, numbered.next_numbered(&mut names)) {
            (Ok(Entry::Row(row)), Some(Ok(Entry::Row(other)))) => {
                assert_eq!(names.space_name(other.tenure.space), row.tenure.space.as_str());
                assert_eq!(names.member_name(other.tenure.member), row.tenure.member.as_str());
                let times = (other.tenure.create_time, other.tenure.delete_time, other.tenure.role);
                assert_eq!(times, (row.tenure.create_time, row.tenure.delete_time, row.tenure.role));
                assert_eq!((other.line, other.given), (row.line, row.given));
                met.0.insert(row.tenure.space);
                met.1.insert(row.tenure.member);
            }
            (Ok(Entry::Bad(bad)), Some(Ok(Entry::Bad(other)))) => assert_eq!(other, bad),
            (Err(problem), Some(Err(other))) => assert_eq!(other, problem),
            (entry, other) => panic!("{entry:?} is {other:?}"),
        }
    }
    assert!(numbered.next_numbered(&mut names).is_none());
    assert_eq!((names.spaces() as usize, names.members() as usize), (met.0.len(), met.1.len()));
}

/// As `rejects` writes rows.
fn written(layout: &Layout, rows: &[Restored]) -> Vec<u8> {
    let delimiter = u8::try_from(layout.delimiter).expect("one of three");
    let mut csv = ::csv::WriterBuilder::new().delimiter(delimiter).from_writer(Vec::new());
    let mut lines = String::new();
    if layout.format == Format::Csv {
        csv.write_record(layout.columns.iter().map(|name| disarmed(name))).expect("memory takes all");
    }
    for row in rows {
        match row {
            Restored::Csv(cells) => {
                csv.write_record(cells.iter().map(|cell| disarmed(cell))).expect("memory takes all");
            }
            Restored::Jsonl(object) => {
                lines += &serde_json::Value::Object(object.clone()).to_string();
                lines.push('\n');
            }
            Restored::Raw(line) => panic!("a good row is given back in its parts: {line}"),
        }
    }
    match layout.format {
        Format::Csv => csv.into_inner().expect("memory takes all"),
        Format::Jsonl => lines.into_bytes(),
    }
}

/// One of every kind.
fn calls() -> Vec<Call> {
    let space = || SpaceName::parse("A").expect("a name");
    let name = || MembershipName::parse("spaces/A/members/1").expect("a name");
    let member = MemberName::parse("a@example.com").expect("a name");
    let new = NewSpace {
        request_id: "1".to_owned(),
        display_name: "x".to_owned(),
        space_type: "SPACE".to_owned(),
        import_mode: true,
        create_time: None,
        external_user_allowed: false,
        description: None,
    };
    vec![
        Call::CreateMember { space: space(), member, span: Span { create_time: None, delete_time: None } },
        Call::ListMembers { space: space(), listing: Listing::whole(), page_token: None },
        Call::GetMember(name()),
        Call::PatchMember(name(), Role::Manager),
        Call::DeleteMember(name()),
        Call::CreateSpace(Box::new(new)),
        Call::GetSpace(space()),
        Call::ListSpaces { page_size: 1, page_token: None },
        Call::PatchSpace { space: space(), display_name: "y".to_owned() },
        Call::DeleteSpace(space()),
        Call::CompleteImport(space()),
    ]
}

fn look_at(answer: &Answer) {
    match answer {
        Answer::Member(membership) | Answer::Deleted(Some(membership)) => {
            let _ = membership.holder();
        }
        Answer::Members(page) => assert_ne!(page.next_page_token.as_deref(), Some("")),
        Answer::Spaces(page) => assert_ne!(page.next_page_token.as_deref(), Some("")),
        Answer::Deleted(None) | Answer::Space(_) | Answer::Empty => {}
    }
}
