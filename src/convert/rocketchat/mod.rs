//! Rocket.Chat's database: as mongodump writes it (BSON), or mongoexport (JSON).
//!
//! What is told and what is not, and from where that is known: `docs/converting.md`.

mod accounts;
mod bson;
mod collections;
mod files;
mod rooms;
mod values;

use std::sync::Arc;

use serde::de::DeserializeOwned;

use self::accounts::Accounts;
use self::bson::Broken;
use self::collections::{Change, INVITATIONS, Meaning, Message, Room, Status, Subscription, User};
use self::files::{Collection, Source, sources};
use self::rooms::Rooms;
use super::export::Export;
use super::fact::{Fact, PersonFact, Standing, What};
use super::flaw::unreadable;
use super::gather::Gathered;
use super::json;
use super::meter::{Meter, Seen};
use crate::input::{Problem, ProblemKind, Problems};
use crate::model::Timestamp;

/// How a database of Rocket.Chat is read.
#[derive(Debug, Clone, Copy, Default)]
pub struct Reading {
    /// Take direct messages between two people, too.
    pub dms: bool,
}

/// The account that deleted people's messages pass on to, where the server is set up so.
const ROCKET_CAT: &str = "rocket.cat";

/// Reads an export into what was gathered. What is wrong with one file is a problem, and the rest goes on.
///
/// # Errors
/// When it has no rooms of Rocket.Chat.
pub fn read(
    export: &mut Export,
    reading: Reading,
    gathered: &mut Gathered,
    watch: &mut dyn FnMut(Seen<'_>),
) -> Result<Problems, Problems> {
    gathered.next_export();
    let (sources, folders) = sources(export.paths());
    let mut problems = export.problems();
    if let Some(problem) = refused(export, &folders) {
        problems.push(problem);
        return Err(problems);
    }
    let mut reader =
        Reader { problems, accounts: Accounts::default(), rooms: Rooms::default(), named: Vec::new() };
    for source in &sources {
        if source.collection != Collection::Messages {
            reader.list(export, source, gathered);
        }
    }
    if reader.rooms.count() == 0 {
        let message = "there is no room in it";
        let problem = Problem::new(export.name(), 0, ProblemKind::NoRows, message);
        reader.problems.push(problem.help("dump the database that Rocket.Chat uses now").fatal());
        return Err(reader.problems);
    }
    reader.missing(export, &sources);
    reader.rooms.tell(reading.dms, &reader.accounts, &mut |fact| gathered.take(fact));
    let mut meter = Meter::new(export, watch);
    for source in sources.iter().filter(|source| source.collection == Collection::Messages) {
        reader.messages(export, source, gathered, &mut meter);
    }
    reader.tell_named(gathered);
    reader.rooms.tell_rosters(&reader.accounts, &mut |fact| gathered.take(fact));
    Ok(reader.problems)
}

/// Why an export is not read at all.
fn refused(export: &mut Export, folders: &[String]) -> Option<Problem> {
    let name = Arc::clone(export.name());
    match folders {
        [_] => None,
        [] => {
            let message = if files::is_file_of_a_room(export) {
                "it is the messages of a room as people export them: of which room is not in it, and who was added and removed \
                 only in the words of one language"
            } else {
                "there is no rocketchat_room.bson or rocketchat_room.json in it"
            };
            let problem = Problem::new(&name, 0, ProblemKind::MissingFile, message);
            let help = if is_archive(export) {
                "it is an archive of mongodump: dump without --archive, into a folder, and give the folder"
            } else {
                "give the folder that mongodump has written for the database, or one with mongoexport's files, each named \
                 after its collection"
            };
            Some(problem.help(help).fatal())
        }
        folders => {
            let message = format!("there are several databases of Rocket.Chat in it: {}", folders.join(", "));
            let problem = Problem::new(&name, 0, ProblemKind::Contradiction, message);
            Some(problem.help("give the folder of one of them").fatal())
        }
    }
}

/// Whether it is a file alone that begins as mongodump's archives do; export unpacks what is packed (`--gzip`).
fn is_archive(export: &mut Export) -> bool {
    const MAGIC: [u8; 4] = 0x8199_e26d_u32.to_le_bytes();
    let paths: Vec<String> = export.paths().take(2).map(str::to_owned).collect();
    let [path] = paths.as_slice() else { return false };
    let mut head = [0; 4];
    export.read(path, |reader| reader.read_exact(&mut head)).is_ok_and(|read| read.is_ok()) && head == MAGIC
}

struct Reader {
    problems: Problems,
    accounts: Accounts,
    rooms: Rooms,
    /// Changes of people whom only a name tells.
    named: Vec<Named>,
}

struct Named {
    room: String,
    time: Timestamp,
    name: String,
    change: Change,
}

impl Reader {
    /// Reads users, rooms or subscriptions.
    fn list(&mut self, export: &mut Export, source: &Source, gathered: &mut Gathered) {
        let (accounts, rooms) = (&mut self.accounts, &mut self.rooms);
        let trouble = match source.collection {
            Collection::Users => each(export, source, |mut user: User| {
                let Some(id) = user.id.get().map(str::to_owned) else { return };
                let fact = user.fact(&id);
                accounts.list(&id, user.username.get(), user.created.time(), fact.standing == Standing::Bot);
                gathered.take(Fact::Person(fact));
                user.rooms.0.take().into_iter().flatten().for_each(|room| rooms.note(room, &id));
            }),
            Collection::Rooms => each(export, source, |room: Room| match room.id.get().map(str::to_owned) {
                Some(id) => rooms.list(&id, room),
                None => gathered.take(Fact::Ignored("rooms without an id")),
            }),
            Collection::Subscriptions => each(export, source, |subscription: Subscription| {
                let who = &subscription.who.0;
                let (Some(room), Some(id)) = (subscription.room.get(), who.id.get()) else {
                    return gathered.take(Fact::Ignored("subscriptions that do not say whose or to what"));
                };
                let status = subscription.status();
                if status == Status::Invited {
                    return gathered.take(Fact::Ignored(INVITATIONS));
                }
                if accounts.meet(id, who.username.get()) {
                    gathered.take(Fact::Person(stranger(id, who.name.get().or(who.username.get()))));
                }
                rooms.subscribe(room, id, subscription.time.time(), status);
            }),
            Collection::Messages => Problems::new(),
        };
        self.problems.absorb(trouble);
    }

    /// Says which collections are not there.
    fn missing(&mut self, export: &Export, sources: &[Source]) {
        let lacks = [
            (
                Collection::Users,
                "nobody's address is known, nor who is a program or a guest",
                "add it, or name people with --users",
            ),
            (
                Collection::Subscriptions,
                "who is a member now is only known of rooms that count as many people as other lists and notices tell of, \
                 and since when, only from notices",
                "add it: it has every member of today, and since when they are one",
            ),
            (
                Collection::Messages,
                "nothing is known but the members of today",
                "add it: it has all joins and leaves",
            ),
        ];
        for (collection, so, help) in lacks {
            if !sources.iter().any(|source| source.collection == collection) {
                let message = format!("it has no {}: {so}", collection.name());
                let problem = Problem::new(export.name(), 0, ProblemKind::MissingFile, message);
                self.problems.push(problem.help(help));
            }
        }
    }

    fn messages(
        &mut self,
        export: &mut Export,
        source: &Source,
        gathered: &mut Gathered,
        meter: &mut Meter<'_>,
    ) {
        let trouble = each(export, source, |message: Message| {
            meter.message();
            self.message(&message, gathered);
        });
        self.problems.absorb(trouble);
        meter.file(export);
    }

    fn message(&mut self, message: &Message, gathered: &mut Gathered) {
        let Some(room) = message.room.get() else {
            return gathered.take(Fact::Ignored("messages without a room"));
        };
        match self.rooms.is_taken(room) {
            Some(true) => {}
            // That room was told of already.
            Some(false) => return,
            None => return gathered.take(Fact::Ignored("messages of rooms that are gone")),
        }
        let Some(time) = message.time.time() else {
            return gathered.take(Fact::Ignored("messages without a time"));
        };
        let who = &message.who.0;
        let own = |what: fn(&str) -> What<'_>, reader: &mut Reader, gathered: &mut Gathered| {
            let Some(id) = who.id.get() else {
                return gathered.take(Fact::Ignored("messages without an author"));
            };
            if reader.accounts.meet(id, who.username.get()) {
                gathered.take(Fact::Person(stranger(id, who.name.get().or(who.username.get()))));
            }
            gathered.take(Fact::Event { channel: room, time, what: what(id) });
        };
        let named = |change, reader: &mut Reader, gathered: &mut Gathered| match message.msg.get() {
            Some(name) => {
                let named = Named { room: room.to_owned(), time, name: name.to_owned(), change };
                // In the order of their times wherever that can be, for then signs before and after it are told apart.
                match reader.accounts.find_at_once(name, time).map(str::to_owned) {
                    Some(id) => reader.changed(&named, &id, gathered),
                    None => reader.named.push(named),
                }
            }
            None => gathered.take(Fact::Ignored("notices that do not say about whom they are")),
        };
        match message.meaning() {
            Meaning::Own(change) => {
                let said = message.msg.get();
                // A deleted account's notices may have passed on to another; its name stays.
                if who.id.get() == Some(ROCKET_CAT) && said.is_some_and(|name| name != ROCKET_CAT) {
                    return named(change, self, gathered);
                }
                if let (Some(id), Some(name)) = (who.id.get(), said) {
                    self.accounts.had_name(id, name, time);
                }
                let joined = change == Change::Joined;
                if let Some(id) = who.id.get() {
                    self.rooms.notice(room, id, time, joined);
                }
                match joined {
                    true => own(|id| What::Joined(id), self, gathered),
                    false => own(|id| What::Left(id), self, gathered),
                }
            }
            Meaning::Of(change) => named(change, self, gathered),
            Meaning::Archived => {
                gathered.take(Fact::Event { channel: room, time, what: What::Archived(&[]) })
            }
            Meaning::Unarchived => gathered.take(Fact::Event { channel: room, time, what: What::Unarchived }),
            Meaning::Written => own(|id| What::Present(id), self, gathered),
            Meaning::Ignored(why) => gathered.take(Fact::Ignored(why)),
        }
    }

    /// Tells of those whom only a name tells, now that all names are known. A name that nobody has is of somebody whose
    /// account was deleted.
    fn tell_named(&mut self, gathered: &mut Gathered) {
        for named in std::mem::take(&mut self.named) {
            let Named { time, name, .. } = &named;
            let id = match self.accounts.find(name, *time) {
                Some(id) => id.to_owned(),
                None => {
                    if !self.accounts.is_listed(name) {
                        gathered.take(Fact::Person(stranger(name, Some(name))));
                    }
                    name.clone()
                }
            };
            self.changed(&named, &id, gathered);
        }
    }

    /// Tells of somebody whom a notice has named.
    fn changed(&mut self, Named { room, time, change, .. }: &Named, id: &str, gathered: &mut Gathered) {
        let joined = match change {
            Change::Joined => true,
            Change::Left => false,
            // Where a subscription outlasts a ban, it counts again when the ban is lifted.
            Change::Pardoned if self.rooms.was_subscribed(room, id, *time) => true,
            Change::Pardoned => return gathered.take(Fact::Ignored("bans that were lifted")),
        };
        self.rooms.notice(room, id, *time, joined);
        let what = if joined { What::Joined(id) } else { What::Left(id) };
        gathered.take(Fact::Event { channel: room, time: *time, what });
    }
}

/// Somebody whom the list of users does not have any more.
fn stranger(id: &str, name: Option<&str>) -> PersonFact {
    PersonFact { id: id.to_owned(), name: name.unwrap_or_default().to_owned(), ..PersonFact::default() }
}

/// Reads the documents in a file; what is wrong with it.
fn each<T: DeserializeOwned>(export: &mut Export, source: &Source, mut take: impl FnMut(T)) -> Problems {
    let file = export.file_name(&source.path);
    if !source.is_bson {
        let read = export
            .read(&source.path, |reader| json::documents(reader, |parser| json::objects(parser, &mut take)));
        return json::trouble(&file, read);
    }
    let read = export.read(&source.path, |reader| {
        let reader = std::io::BufReader::with_capacity(64 * 1024, reader);
        bson::documents(reader, |document| T::deserialize(document).map(&mut take))
    });
    match read.map_err(Broken::Io).and_then(|read| read) {
        Ok(()) => Problems::new(),
        Err(Broken::Io(error)) => unreadable(&file, &error).into(),
        Err(Broken::Document(at, flaw)) => {
            let message = format!(
                "it is broken, in the document at byte {at}: {flaw}; that one and what comes after it is left out"
            );
            let problem = Problem::new(&file, 0, ProblemKind::BrokenArchive, message);
            problem.help("did the dump finish? take this file from it again").into()
        }
    }
}

#[cfg(test)]
mod tests;
