//! Which files of an export are which collections, by their paths; and what is no collection.

use std::collections::BTreeSet;
use std::io::BufReader;

use serde::Deserialize;

use crate::convert::export::Export;
use crate::convert::json::{Object, Text};

/// A collection that tells of membership.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Collection {
    Users,
    Rooms,
    Subscriptions,
    Messages,
}

impl Collection {
    /// What the database calls it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Collection::Users => "users",
            Collection::Rooms => "rocketchat_room",
            Collection::Subscriptions => "rocketchat_subscription",
            Collection::Messages => "rocketchat_message",
        }
    }

    fn of(name: &str) -> Option<Self> {
        match name {
            "users" => Some(Collection::Users),
            "rocketchat_room" | "rooms" => Some(Collection::Rooms),
            "rocketchat_subscription" | "subscriptions" => Some(Collection::Subscriptions),
            "rocketchat_message" | "messages" => Some(Collection::Messages),
            _ => None,
        }
    }
}

/// A file of a collection.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Source {
    pub(super) collection: Collection,
    pub(super) path: String,
    /// BSON, else JSON.
    pub(super) is_bson: bool,
}

/// The file, if it is of a collection: what mongodump writes (`<collection>.bson`), and what is commonly given to
/// mongoexport and other tools (`<collection>.json`, `<database>.<collection>.json`), also packed.
pub(super) fn source(path: &str) -> Option<Source> {
    let name = path.rsplit('/').next()?;
    let name = name.strip_suffix(".gz").unwrap_or(name);
    let (stem, end) = name.rsplit_once('.')?;
    let is_bson = match end {
        "bson" => true,
        "json" | "jsonl" | "ndjson" => false,
        _ => return None,
    };
    // MongoDB has users of its own.
    let (database, collection) = stem.rsplit_once('.').unwrap_or(("", stem));
    let collection = Collection::of(collection).filter(|_| database != "system")?;
    Some(Source { collection, path: path.to_owned(), is_bson })
}

/// The files of collections in the order in which they are to be read, and the folders of databases that have rooms.
pub(super) fn sources<'a>(paths: impl Iterator<Item = &'a str>) -> (Vec<Source>, Vec<String>) {
    let folder = |path: &str| path.rsplit_once('/').map_or(String::new(), |(folder, _)| folder.to_owned());
    let mut sources: Vec<Source> = paths.filter_map(source).collect();
    sources.sort_unstable();
    let with_rooms: BTreeSet<String> = sources
        .iter()
        .filter(|source| source.collection == Collection::Rooms)
        .map(|source| folder(&source.path))
        .collect();
    // Databases beside Rocket.Chat's have users, too.
    if !with_rooms.is_empty() {
        sources.retain(|source| with_rooms.contains(&folder(&source.path)));
    }
    (sources, with_rooms.into_iter().collect())
}

/// A message in the file of a room; in the database, the room is in `rid`, and who wrote in `u`.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Exported {
    msg: Text,
    username: Text,
    rid: Text,
}

/// Whether its first JSON is what *Export messages* of a room writes: messages one after the other, with the names of their
/// authors (`{"msg", "username", "ts", …}`).
pub(super) fn is_file_of_a_room(export: &mut Export) -> bool {
    let Some(path) = export.paths().find(|path| path.ends_with(".json")).map(str::to_owned) else {
        return false;
    };
    let first = export.read(&path, |reader| {
        serde_json::Deserializer::from_reader(BufReader::new(reader)).into_iter::<Object<Exported>>().next()
    });
    matches!(first, Ok(Some(Ok(Object(first))))
        if first.msg.get().is_some() && first.username.get().is_some() && first.rid.get().is_none())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_collections() {
        let found = |path: &str| source(path).map(|source| (source.collection, source.is_bson));
        assert_eq!(found("dump/rocketchat/rocketchat_room.bson"), Some((Collection::Rooms, true)));
        assert_eq!(found("rocketchat_message.bson.gz"), Some((Collection::Messages, true)));
        assert_eq!(found("meteor.users.json"), Some((Collection::Users, false)));
        assert_eq!(found("subscriptions.jsonl"), Some((Collection::Subscriptions, false)));
        for path in [
            "users.metadata.json",
            "system.users.bson",
            "rocketchat_room.metadata.json.gz",
            "users",
            "a/users.csv",
        ] {
            assert_eq!(found(path), None, "{path}");
        }
    }

    #[test]
    fn other_databases_are_passed_over() {
        let paths = ["dump/admin/users.bson", "dump/rc/rocketchat_room.bson", "dump/rc/users.bson"];
        let (sources, folders) = sources(paths.into_iter());
        let paths: Vec<&str> = sources.iter().map(|source| source.path.as_str()).collect();
        assert_eq!(paths, ["dump/rc/users.bson", "dump/rc/rocketchat_room.bson"]);
        assert_eq!(folders, ["dump/rc"]);
    }
}
