//! Which joins and leaves of a compliance export are true. Each of its files tells of a period, and writers have made up
//! ends for it: whoever was there at its beginning "enters" then, and whoever is there at its end "leaves" then.

use std::collections::{BTreeSet, HashMap};
use std::io;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::error::Category;

use super::Deed;
use crate::convert::export::Export;
use crate::convert::flaw::{in_words, unreadable};
use crate::convert::json::Text;
use crate::input::{Problem, ProblemKind};
use crate::model::Timestamp;

/// The file beside a compliance CSV that tells of its period.
const METADATA: &str = "metadata.json";

/// The period of a channel, as far as it is known.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Period {
    pub(super) start: Option<Timestamp>,
    pub(super) end: Option<Timestamp>,
}

/// The periods of channels, by their ids.
#[derive(Debug, Default)]
pub(super) struct Periods(HashMap<String, Period>);

#[derive(Deserialize, Default)]
#[serde(default)]
struct Metadata {
    #[serde(rename = "Channels")]
    channels: Option<HashMap<String, MetadataChannel>>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct MetadataChannel {
    #[serde(rename = "StartTime")]
    start: Text,
    #[serde(rename = "EndTime")]
    end: Text,
}

impl Periods {
    /// Reads what lies beside a file; nothing may lie there.
    ///
    /// # Errors
    /// When it is broken.
    pub(super) fn beside(export: &mut Export, path: &str) -> Result<Self, Box<Problem>> {
        let beside = match path.rsplit_once('/') {
            Some((folder, _)) => format!("{folder}/{METADATA}"),
            None => METADATA.to_owned(),
        };
        if !export.has(&beside) {
            return Ok(Periods::default());
        }
        let file = export.file_name(&beside);
        let read = export
            .read(&beside, |reader| serde_json::from_reader::<_, Metadata>(std::io::BufReader::new(reader)));
        Periods::told(&file, read)
    }

    /// What was read of such a file.
    fn told(
        file: &Arc<str>,
        read: io::Result<Result<Metadata, serde_json::Error>>,
    ) -> Result<Self, Box<Problem>> {
        match read {
            Ok(Ok(metadata)) => {
                let time = |text: &Text| epoch_ms(text.get().unwrap_or_default());
                let period = |channel: &MetadataChannel| Period {
                    start: time(&channel.start),
                    end: time(&channel.end),
                };
                let channels = metadata.channels.unwrap_or_default();
                Ok(Periods(channels.iter().map(|(id, channel)| (id.clone(), period(channel))).collect()))
            }
            Ok(Err(error)) if error.classify() == Category::Io => {
                Err(Box::new(unreadable(file, &error.into())))
            }
            Ok(Err(error)) => {
                let message = format!(
                    "it is broken: {}; what was made up at the ends of its period is guessed",
                    in_words(&error)
                );
                let problem = Problem::new(file, error.line() as u64, ProblemKind::BrokenJson, message);
                Err(Box::new(problem.help("take this file from the export again, and convert once more")))
            }
            Err(error) => Err(Box::new(unreadable(file, &error))),
        }
    }

    /// The period of a channel.
    pub(super) fn of(&self, channel: &str) -> Period {
        self.0.get(channel).copied().unwrap_or_default()
    }
}

/// A time in milliseconds since 1970, as all of Mattermost's are; 0 is none.
pub(super) fn epoch_ms(text: &str) -> Option<Timestamp> {
    Timestamp::parse_epoch_ms(text).ok().filter(|time| time.as_micros() > 0)
}

/// What a file tells of the members of one channel in its period.
#[derive(Debug, Default)]
pub(super) struct Members {
    pub(super) period: Period,
    /// Entered in the period.
    pub(super) entered: Vec<(u32, Timestamp)>,
    /// Was there before the period.
    pub(super) before: Vec<(u32, Timestamp)>,
    /// Left in the period, or was there at its end.
    pub(super) left: Vec<(u32, Timestamp)>,
    /// The last post, and whether it says that somebody has left.
    pub(super) last_post: Option<(Timestamp, bool)>,
    /// Who wrote a message.
    pub(super) authors: BTreeSet<u32>,
}

impl Members {
    /// Notes a post.
    pub(super) fn post(&mut self, time: Timestamp, says_left: bool) {
        self.last_post = self.last_post.max(Some((time, says_left)));
    }

    /// What is true of it, in the order of times. `exact`: the writer is one that gives the time of joins before the period.
    pub(super) fn settle(&self, exact: bool) -> Vec<(u32, Timestamp, Deed)> {
        let start = self.period.start;
        let leavers: BTreeSet<u32> = self.left.iter().map(|(person, _)| *person).collect();
        // Newer writers let those enter at the beginning who wrote and are in no row of the table: that they wrote, or left,
        // says more. Older ones have lost the true time of who was there before.
        let tells = |person: &u32| !exact || !(self.authors.contains(person) || leavers.contains(person));
        let entry = |(person, time): &(u32, Timestamp), made_up: bool| match made_up {
            false => Some((*person, *time, Deed::Joined)),
            true => tells(person).then_some((*person, *time, Deed::Listed)),
        };
        let entered =
            self.entered.iter().filter_map(|one| entry(one, start.is_some_and(|start| one.1 <= start)));
        // One time for all of them is the beginning of the period.
        let shared = self.before.len() > 1 && self.before.iter().all(|(_, time)| *time == self.before[0].1);
        let before = self
            .before
            .iter()
            .filter_map(|one| entry(one, !exact || start.map_or(shared, |start| one.1 >= start)));
        let last_left = self.left.iter().map(|(_, time)| *time).max();
        let last = self.entered.iter().map(|(_, time)| *time).chain(last_left).max();
        let left = self.left.iter().map(|(person, time)| {
            let with_the_last_post = self.last_post == Some((*time, false));
            let all_at_once = Some(*time) == last
                && self.last_post.is_none_or(|(post, _)| post <= *time)
                && self.left.iter().filter(|(_, other)| other == time).count() > 1;
            let made_up = self.period.end.map_or(with_the_last_post || all_at_once, |end| *time >= end);
            (*person, *time, if made_up { Deed::Listed } else { Deed::Left })
        });
        let mut deeds: Vec<_> = before.chain(entered).chain(left).collect();
        deeds.sort_by_key(|(_, time, _)| *time);
        deeds
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::{Fault, Problems};

    #[test]
    fn what_cannot_be_read_beside_it_is_not_called_broken() {
        struct Swollen;
        impl io::Read for Swollen {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(Fault::whole_file(ProblemKind::BrokenArchive, "it swells", "look into it").into_io())
            }
        }
        let said = |read| {
            let problem = Periods::told(&"a/metadata.json".into(), Ok(read)).unwrap_err();
            Problems::from(*problem).render()
        };
        let swollen = said(serde_json::from_reader(Swollen));
        assert!(
            swollen.contains("it cannot be read: it swells") && swollen.contains("help: look into it"),
            "{swollen}"
        );
        assert!(!swollen.contains("from the export again"), "{swollen}");
        let torn = said(serde_json::from_str("{\"Channels\": {"));
        assert!(torn.contains("it is broken: it ends in the middle of an object"), "{torn}");
        assert!(torn.contains("take this file from the export again"), "{torn}");
    }

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_micros(1_577_836_800_000_000 + ms * 1000)
    }

    /// Entered, there before, left; and the deeds as `person time deed`.
    fn settled(members: &Members, exact: bool) -> Vec<String> {
        let ms = |time: Timestamp| (time.as_micros() - at(0).as_micros()) / 1000;
        let deeds = members.settle(exact);
        deeds.into_iter().map(|(person, time, deed)| format!("{person} {} {deed:?}", ms(time))).collect()
    }

    fn pairs(pairs: &[(u32, i64)]) -> Vec<(u32, Timestamp)> {
        pairs.iter().map(|(person, ms)| (*person, at(*ms))).collect()
    }

    #[test]
    fn ends_of_the_period_are_no_joins_and_no_leaves() {
        let period = Period { start: Some(at(10)), end: Some(at(90)) };
        let entered = pairs(&[(1, 10), (2, 20)]);
        let before = pairs(&[(3, 5), (4, 10)]);
        let left = pairs(&[(1, 90), (2, 50), (3, 90)]);
        let mut members = Members { period, entered, before, left, ..Members::default() };
        let exact = ["3 5 Joined", "4 10 Listed", "2 20 Joined", "2 50 Left", "1 90 Listed", "3 90 Listed"];
        assert_eq!(settled(&members, true), exact);
        let older = [
            "3 5 Listed",
            "4 10 Listed",
            "1 10 Listed",
            "2 20 Joined",
            "2 50 Left",
            "1 90 Listed",
            "3 90 Listed",
        ];
        assert_eq!(settled(&members, false), older);
        // A post at the very moment of a leave makes no difference where the period is known.
        members.post(at(50), false);
        assert_eq!(settled(&members, true), exact);
        // Who wrote is not told once more to have been there.
        members.authors.insert(4);
        assert_eq!(settled(&members, true)[1], "2 20 Joined");
    }

    #[test]
    fn without_a_known_period_its_ends_show_all_the_same() {
        let left = |last_post, left: &[(u32, i64)]| {
            let members = Members { left: pairs(left), last_post, ..Members::default() };
            settled(&members, true)
        };
        // With the last post, or all at once and last of all.
        assert_eq!(left(Some((at(50), false)), &[(1, 50)]), ["1 50 Listed"]);
        assert_eq!(left(Some((at(40), false)), &[(1, 50), (2, 50)]), ["1 50 Listed", "2 50 Listed"]);
        assert_eq!(left(Some((at(50), true)), &[(1, 50)]), ["1 50 Left"]);
        assert_eq!(left(Some((at(60), false)), &[(1, 50), (2, 50)]), ["1 50 Left", "2 50 Left"]);
        let before =
            |before: &[(u32, i64)]| settled(&Members { before: pairs(before), ..Members::default() }, true);
        assert_eq!(before(&[(1, 5), (2, 5)]), ["1 5 Listed", "2 5 Listed"]);
        assert_eq!(before(&[(1, 5), (2, 6)]), ["1 5 Joined", "2 6 Joined"]);
    }
}
