//! Slack's exports: standard, of all conversations, of Enterprise Grid, and what slackdump writes in their form.
//!
//! What is told and what is not, and from where that is known: `docs/converting.md`.

mod layout;
mod lists;
mod messages;

use std::collections::{BTreeSet, HashMap, HashSet};

use serde::de::DeserializeOwned;

use self::layout::{Root, day_folder, roots};
use self::lists::{List, ListedChannel, ListedUser, SLACKBOT, is_bot};
use self::messages::Message;
use super::export::Export;
use super::fact::{Fact, PersonFact, Standing};
use super::gather::Gathered;
use super::json;
use super::meter::{Meter, Seen};
use crate::input::{Problem, ProblemKind, Problems};

/// How a Slack export is read.
#[derive(Debug, Clone, Copy, Default)]
pub struct Reading {
    /// Take direct messages between two people, too.
    pub dms: bool,
}

/// Reads an export into what was gathered. What is wrong with one file is a problem, and the rest goes on.
///
/// # Errors
/// When it is no Slack export.
pub fn read(
    export: &mut Export,
    reading: Reading,
    gathered: &mut Gathered,
    watch: &mut dyn FnMut(Seen<'_>),
) -> Result<Problems, Problems> {
    gathered.next_export();
    let roots = roots(export);
    let mut reader = Reader {
        reading,
        problems: export.problems(),
        known: HashSet::new(),
        places: roots.len(),
        folders: HashMap::new(),
        left_out: HashSet::new(),
    };
    if roots.is_empty() {
        let message =
            "there is no channels.json, groups.json or users.json in it, as in every export of Slack";
        let problem = Problem::new(export.name(), 0, ProblemKind::MissingFile, message);
        reader
            .problems
            .push(problem.help("give the export as Slack made it, the ZIP or the unpacked folder").fatal());
        return Err(reader.problems);
    }
    reader.people(export, &roots, gathered);
    for (place, root) in roots.iter().enumerate() {
        reader.channels(export, place, root, gathered);
    }
    if reader.folders.is_empty() {
        let message = "none of its lists names a channel";
        let problem = Problem::new(export.name(), 0, ProblemKind::NoRows, message);
        let help = "an export has them in channels.json, private ones in groups.json; direct messages are taken with --dms";
        reader.problems.push(problem.help(help).fatal());
        return Err(reader.problems);
    }
    let mut meter = Meter::new(export, watch);
    for (place, root) in roots.iter().enumerate() {
        reader.days(export, place, root, gathered, &mut meter);
    }
    Ok(reader.problems)
}

struct Reader {
    reading: Reading,
    problems: Problems,
    /// Ids of people that were told of.
    known: HashSet<String>,
    /// How many roots there are.
    places: usize,
    /// The channel of each folder, by root.
    folders: HashMap<(usize, String), String>,
    /// Folders of what is left out on purpose.
    left_out: HashSet<String>,
}

impl Reader {
    fn people(&mut self, export: &mut Export, roots: &[Root], gathered: &mut Gathered) {
        let mut found = false;
        for path in roots.iter().flat_map(|root| [root.path("users.json"), root.path("org_users.json")]) {
            if !export.has(&path) {
                continue;
            }
            found = true;
            let known = &mut self.known;
            let trouble = each(export, &path, |user: ListedUser| {
                if let Some(fact) = user.fact() {
                    known.insert(fact.id.clone());
                    gathered.take(Fact::Person(fact));
                }
            });
            self.problems.absorb(trouble);
        }
        if !found {
            let message = "it has no users.json: nobody's address is known, nor who is a program or a guest";
            let problem = Problem::new(export.name(), 0, ProblemKind::MissingFile, message);
            self.problems.push(problem.help("add users.json, or name people with --users"));
        }
    }

    fn channels(&mut self, export: &mut Export, place: usize, root: &Root, gathered: &mut Gathered) {
        let lists = [
            ("channels.json", List::Channels),
            ("groups.json", List::Channels),
            ("mpims.json", List::GroupChats),
            ("dms.json", List::Dms),
        ];
        for (name, list) in lists {
            let path = root.path(name);
            if !export.has(&path) {
                continue;
            }
            let (folders, left_out, reading) = (&mut self.folders, &mut self.left_out, self.reading);
            let trouble = each(export, &path, |channel: ListedChannel| {
                let Some(fact) = channel.fact(list, &root.team) else {
                    gathered.take(Fact::Ignored("channels without an id"));
                    return;
                };
                if list == List::Dms {
                    let others: BTreeSet<&String> =
                        fact.roster.iter().flatten().filter(|id| *id != SLACKBOT).collect();
                    if !reading.dms || others.len() < 2 {
                        gathered.take(Fact::Ignored(match reading.dms {
                            true => "direct messages with oneself or Slackbot",
                            false => "direct messages (--dms takes them)",
                        }));
                        left_out.insert(fact.id);
                        return;
                    }
                }
                folders.insert((place, fact.name.clone()), fact.id.clone());
                folders.insert((place, fact.id.clone()), fact.id.clone());
                gathered.take(Fact::Channel(fact));
            });
            self.problems.absorb(trouble);
        }
    }

    /// The channel of a folder. Channels that workspaces share may be listed in one place and lie in another.
    fn channel_of(&self, place: usize, folder: &str) -> Option<String> {
        if let Some(channel) = self.folders.get(&(place, folder.to_owned())) {
            return Some(channel.clone());
        }
        let elsewhere: BTreeSet<&String> =
            (0..self.places).filter_map(|other| self.folders.get(&(other, folder.to_owned()))).collect();
        elsewhere.first().filter(|_| elsewhere.len() == 1).map(|channel| (*channel).clone())
    }

    fn days(
        &mut self,
        export: &mut Export,
        place: usize,
        root: &Root,
        gathered: &mut Gathered,
        meter: &mut Meter<'_>,
    ) {
        let paths: Vec<String> =
            export.paths().filter(|path| day_folder(root, path).is_some()).map(str::to_owned).collect();
        let mut strange: BTreeSet<String> = BTreeSet::new();
        for path in paths {
            let Some(folder) = day_folder(root, &path) else { continue };
            let Some(channel) = self.channel_of(place, folder) else {
                if !self.left_out.contains(folder) {
                    strange.insert(folder.to_owned());
                }
                continue;
            };
            let known = &mut self.known;
            let trouble = each(export, &path, |message: Message| {
                meter.message();
                if let Some(user) = message.user.get()
                    && !known.contains(user)
                    && let Some(fact) = stranger(user, message.author_name())
                {
                    known.insert(user.to_owned());
                    gathered.take(Fact::Person(fact));
                }
                gathered.take(message.fact(&channel));
            });
            self.problems.absorb(trouble);
            meter.file(export);
        }
        for folder in strange {
            let file = export.file_name(&root.path(&folder));
            let message = "none of the lists has a channel for this folder; its messages are left out";
            self.problems.push(Problem::new(&file, 0, ProblemKind::MissingValue, message).help(
                "add the list that has it (groups.json, mpims.json), or name the folder as the list does",
            ));
        }
    }
}

/// Somebody whom no list has: of another organisation, or a program.
fn stranger(id: &str, name: Option<&str>) -> Option<PersonFact> {
    let standing = match (is_bot(id), name) {
        (true, _) => Standing::Bot,
        (false, Some(_)) => Standing::External,
        (false, None) => return None,
    };
    let name = name.unwrap_or_default().to_owned();
    Some(PersonFact { id: id.to_owned(), name, standing, ..PersonFact::default() })
}

/// Reads the array in a file; what is wrong with it.
fn each<T: DeserializeOwned>(export: &mut Export, path: &str, take: impl FnMut(T)) -> Problems {
    json::file(export, path, |reader| json::each(reader, take))
}

#[cfg(test)]
mod tests;
