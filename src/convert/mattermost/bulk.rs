//! The bulk export, version 1: a JSON object a line. It has who is a member now, and of what was only its notices, which
//! name people by what they were called at the time.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::io::Read;
use std::sync::Arc;

use serde::Deserialize;

use super::directory::{NAMES_GAP, Someone, Somewhere, Sort};
use super::history::standing_of;
use super::lines::{LINE_BYTES_MAX, Lines};
use super::notices::{self, Notice, Props, Who};
use super::period::epoch_ms;
use super::{Deed, Stop, Taking};
use crate::convert::fact::{Fact, Standing, What};
use crate::convert::flaw::{in_words, unreadable};
use crate::convert::json::{Text, Texts};
use crate::convert::reconstruct::Act;
use crate::input::{Problem, ProblemKind};
use crate::model::Timestamp;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Line {
    #[serde(rename = "type")]
    kind: Text,
    version: Text,
    channel: Option<Channel>,
    user: Option<User>,
    bot: Option<Bot>,
    post: Option<Post>,
    direct_channel: Option<DirectChannel>,
    direct_post: Option<Post>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Channel {
    team: Text,
    name: Text,
    display_name: Text,
    header: Text,
    purpose: Text,
    deleted_at: Text,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct User {
    username: Text,
    email: Text,
    first_name: Text,
    last_name: Text,
    roles: Text,
    delete_at: Text,
    teams: Option<Vec<Team>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Team {
    name: Text,
    channels: Option<Vec<Named>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Named {
    name: Text,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Bot {
    username: Text,
    display_name: Text,
    delete_at: Text,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct DirectChannel {
    /// Of older servers.
    members: Texts,
    participants: Option<Vec<Participant>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Participant {
    username: Text,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Post {
    team: Text,
    channel: Text,
    /// In the place of team and channel, of direct posts.
    channel_members: Texts,
    user: Text,
    #[serde(rename = "type")]
    kind: Option<Text>,
    message: Text,
    props: Option<Props>,
    create_at: Text,
    replies: Option<Vec<Reply>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Reply {
    user: Text,
    #[serde(rename = "type")]
    kind: Option<Text>,
    create_at: Text,
    props: Option<Props>,
}

/// A notice about somebody whom nobody is called like any more.
struct Unclear {
    channel: u32,
    id: String,
    username: String,
    time: Timestamp,
    deed: Deed,
}

/// What is known once all lines are read.
#[derive(Default)]
struct Rest {
    unclear: Vec<Unclear>,
    /// Who has left which team, and when.
    left_teams: HashMap<(String, u32), Vec<Timestamp>>,
    /// Channels that are described.
    described: BTreeSet<u32>,
    /// Channels of posts that nothing describes, as team and name.
    strange: BTreeSet<(String, String)>,
    has_users: bool,
}

/// Reads one.
pub(super) fn read(file: &Arc<str>, reader: impl Read, taking: &mut Taking<'_>) -> Result<(), Stop> {
    let mut lines = Lines::new(reader, LINE_BYTES_MAX);
    let mut rest = Rest::default();
    let mut broken = Ok(());
    loop {
        let (number, line) = match lines.next() {
            Ok(None) => break,
            Ok(Some((number, Some(line)))) => (number, line),
            Ok(Some((number, None))) => {
                let message =
                    format!("the line is longer than {} MiB; it is left out", LINE_BYTES_MAX / 1024 / 1024);
                taking.problems.push(Problem::new(file, number, ProblemKind::LineTooLong, message));
                continue;
            }
            Err(error) => {
                broken = Err(Stop::Here(Box::new(unreadable(file, &error))));
                break;
            }
        };
        if line.is_empty() {
            continue;
        }
        match serde_json::from_slice::<Line>(line) {
            Ok(line) => take(file, number, line, &mut rest, taking),
            Err(error) => {
                // Lines are named by the file's count, not by the parser's.
                let message = format!("it is broken: {}; the line is left out", in_words(&error));
                let problem = Problem::new(file, number, ProblemKind::BrokenJson, message);
                taking.problems.push(problem.help("is the export complete? take it again"));
            }
        }
    }
    finish(file, rest, taking);
    broken
}

fn take(file: &Arc<str>, number: u64, line: Line, rest: &mut Rest, taking: &mut Taking<'_>) {
    if line.kind.get() == Some("version") && line.version.get() != Some("1") {
        let version = line.version.get().unwrap_or("none");
        let message =
            format!("the export is of version {version}, which is not known; it is read like version 1");
        taking.problems.push(Problem::new(file, number, ProblemKind::WrongType, message));
    }
    if let Some(channel) = line.channel {
        rest.described.extend(channel.tell(taking));
    }
    if let Some(user) = line.user {
        rest.has_users = true;
        user.tell(taking);
    }
    if let Some(bot) = line.bot {
        let gone = Some(epoch_ms(bot.delete_at.get().unwrap_or_default()));
        taking.directory.person(&Someone {
            username: bot.username.get().unwrap_or_default(),
            name: bot.display_name.get().unwrap_or_default(),
            standing: Some(Standing::Bot),
            gone,
            ..Someone::default()
        });
    }
    if let Some(direct) = line.direct_channel {
        let participants =
            direct.participants.into_iter().flatten().filter_map(|mut one| one.username.take());
        rest.direct(direct.members.0.into_iter().flatten().chain(participants).collect(), taking);
    }
    if let Some(post) = line.post {
        taking.count();
        let place = (post.team.get().unwrap_or_default(), post.channel.get().unwrap_or_default());
        match taking.directory.find_channel(place.0, place.1) {
            Some(channel) => rest.post(channel, &post, taking),
            None => {
                rest.strange.insert((place.0.to_owned(), place.1.to_owned()));
            }
        }
    }
    if let Some(mut post) = line.direct_post {
        taking.count();
        match rest.direct(post.channel_members.0.take().into_iter().flatten().collect(), taking) {
            Some(channel) => rest.post(channel, &post, taking),
            None => taking.ignore("direct messages with oneself"),
        }
    }
}

impl Channel {
    fn tell(&self, taking: &mut Taking<'_>) -> Option<u32> {
        let channel = taking.directory.channel(&Somewhere {
            team: self.team.get().unwrap_or_default(),
            name: self.name.get().unwrap_or_default(),
            title: self.display_name.get().unwrap_or_default(),
            about: self.purpose.get().or(self.header.get()).unwrap_or_default(),
            archived: Some(epoch_ms(self.deleted_at.get().unwrap_or_default())),
            ..Somewhere::default()
        });
        if channel.is_none() {
            taking.ignore("channels without a name");
        }
        channel
    }
}

impl User {
    fn tell(self, taking: &mut Taking<'_>) {
        let names = [&self.first_name, &self.last_name].map(|name| name.get().unwrap_or_default());
        let person = taking.directory.person(&Someone {
            username: self.username.get().unwrap_or_default(),
            address: self.email.get().unwrap_or_default(),
            name: names.join(" ").trim(),
            standing: Some(standing_of(self.roles.get().unwrap_or_default())),
            gone: Some(epoch_ms(self.delete_at.get().unwrap_or_default())),
            ..Someone::default()
        });
        let Some(person) = person else {
            taking.ignore("people without a name");
            return;
        };
        for team in self.teams.into_iter().flatten() {
            for channel in team.channels.into_iter().flatten() {
                let name = channel.name.get().unwrap_or_default();
                if let Some(channel) =
                    taking.directory.find_channel(team.name.get().unwrap_or_default(), name)
                {
                    taking.rosters.entry(channel).or_default().insert(person);
                }
            }
        }
    }
}

impl Rest {
    /// The group or direct message between these; `None` with oneself.
    fn direct(&mut self, names: BTreeSet<String>, taking: &mut Taking<'_>) -> Option<u32> {
        if names.len() < 2 {
            return None;
        }
        let people: BTreeSet<u32> = names
            .iter()
            .filter_map(|username| taking.directory.person(&Someone { username, ..Someone::default() }))
            .collect();
        let name = names.into_iter().collect::<Vec<_>>().join(NAMES_GAP);
        let sort = if people.len() > 2 { Sort::Group } else { Sort::Direct };
        let known = match people.iter().copied().collect::<Vec<_>>()[..] {
            [one, other] => taking.directory.find_direct(one, other),
            _ => None,
        };
        let said = Somewhere { name: &name, sort, ..Somewhere::default() };
        let channel = known.or_else(|| taking.directory.channel(&said))?;
        if taking.directory.left_out(channel).is_none() {
            taking.rosters.insert(channel, people);
        }
        Some(channel)
    }

    fn post(&mut self, channel: u32, post: &Post, taking: &mut Taking<'_>) {
        if taking.directory.left_out(channel).is_some() {
            return;
        }
        self.own(channel, post, taking);
        let none = Props::default();
        for reply in post.replies.iter().flatten() {
            taking.count();
            let Some(time) = reply.create_at.get().and_then(epoch_ms) else {
                taking.ignore("messages without a time");
                continue;
            };
            let author = reply.user.get().unwrap_or_default();
            let props = reply.props.as_ref().unwrap_or(&none);
            // What is told in a thread is no notice.
            let kind = reply.kind.as_ref().map_or("", |kind| kind.get().unwrap_or_default());
            match notices::read(Some(kind), author, "", props) {
                Notice::Wrote => self.wrote(channel, author, time, taking),
                Notice::Nothing(why) => taking.ignore(why),
                _ => {}
            }
        }
    }

    fn wrote(&mut self, channel: u32, author: &str, time: Timestamp, taking: &mut Taking<'_>) {
        match taking.directory.person(&Someone { username: author, ..Someone::default() }) {
            Some(person) => taking.event(channel, person, time, Deed::Wrote),
            None => taking.ignore("messages without an author"),
        }
    }

    fn own(&mut self, channel: u32, post: &Post, taking: &mut Taking<'_>) {
        let Some(time) = post.create_at.get().and_then(epoch_ms) else {
            taking.ignore("messages without a time");
            return;
        };
        let author = post.user.get().unwrap_or_default();
        let message = post.message.get().unwrap_or_default();
        let kind = post.kind.as_ref().map(|kind| kind.get().unwrap_or_default());
        let none = Props::default();
        let props = post.props.as_ref().unwrap_or(&none);
        // Whoever adds somebody is told with the id, and by today's name: so ids of others become known.
        if let Some(id) = props.user_id.get()
            && matches!(
                kind,
                Some("system_add_to_channel" | "system_add_guest_to_chan" | "system_add_to_team")
            )
            && let Some(adder) = taking.directory.find_person("", author)
        {
            taking.directory.learn_id(adder, id);
        }
        let (who, deed, team) = match notices::read(kind, author, message, props) {
            Notice::Wrote => return self.wrote(channel, author, time, taking),
            Notice::Joined(who) => (who, Deed::Joined, false),
            Notice::Left(who) => (who, Deed::Left, false),
            Notice::LeftTeam(who) => (who, Deed::Left, true),
            Notice::Nothing(why) => return taking.ignore(why),
            notice @ (Notice::Archived | Notice::Unarchived) => {
                let what = if notice == Notice::Archived { What::Archived(&[]) } else { What::Unarchived };
                let channel = taking.directory.channel_key(channel);
                return taking.gathered.take(Fact::Event { channel, time, what });
            }
        };
        let person = match who {
            Who::Author => taking.directory.person(&Someone { username: author, ..Someone::default() }),
            Who::Other(id, username) => {
                let person = taking.directory.find_person(id, username);
                if person.is_none() && kind.is_none() {
                    // Without a type it may be what somebody has written, about something.
                    return self.wrote(channel, author, time, taking);
                }
                if person.is_none() {
                    let (id, username) = (id.to_owned(), username.to_owned());
                    self.unclear.push(Unclear { channel, id, username, time, deed });
                }
                person
            }
        };
        let Some(person) = person else { return };
        if team {
            let team = post.team.get().unwrap_or_default().to_owned();
            self.left_teams.entry((team, person)).or_default().push(time);
        }
        taking.event(channel, person, time, deed);
    }
}

fn finish(file: &Arc<str>, rest: Rest, taking: &mut Taking<'_>) {
    // Ids that were met later tell who is meant; others are themselves, under their old names.
    for Unclear { channel, id, username, time, deed } in rest.unclear {
        let person = taking
            .directory
            .find_person(&id, "")
            .or_else(|| taking.directory.person(&Someone { username: &username, ..Someone::default() }))
            .or_else(|| taking.directory.person(&Someone { id: &id, ..Someone::default() }));
        if let Some(person) = person {
            taking.event(channel, person, time, deed);
        }
    }
    if rest.described.is_empty() {
        let message = "no line of it describes a channel: there is nothing to take from it";
        let problem = Problem::new(file, 0, ProblemKind::NoRows, message);
        taking.problems.push(problem.help("is the export complete? take it again"));
    }
    if rest.has_users {
        for channel in rest.described {
            taking.rosters.entry(channel).or_default();
        }
    }
    leave_teams(&rest.left_teams, taking);
    for (team, name) in rest.strange {
        let message = format!(
            "it has posts in {team}/{name}, and no line that describes this channel; they are left out"
        );
        let help = "export once more, with --include-archived-channels";
        taking.problems.push(Problem::new(file, 0, ProblemKind::MissingValue, message).help(help));
    }
}

/// Whoever leaves a team leaves its channels, and no notice says so: only of those in which they were.
fn leave_teams(left_teams: &HashMap<(String, u32), Vec<Timestamp>>, taking: &mut Taking<'_>) {
    if left_teams.is_empty() {
        return;
    }
    let channels =
        taking.directory.channels_of_teams(left_teams.keys().map(|(team, _)| team.as_str()).collect());
    let people: HashSet<u32> = left_teams.keys().map(|(_, person)| *person).collect();
    let people: HashMap<String, u32> =
        people.into_iter().map(|person| (taking.directory.person_key(person).to_owned(), person)).collect();
    let mut leaves = Vec::new();
    for ((channel, person), marks) in &taking.gathered.marks {
        let channel = channels.get(&taking.gathered.channels[*channel as usize].fact.id);
        let person = people.get(&taking.gathered.people[*person as usize].fact.id);
        let (Some((channel, team)), Some(person)) = (channel, person) else { continue };
        for time in left_teams.get(&(team.clone(), *person)).into_iter().flatten() {
            let before = marks.iter().filter(|mark| mark.time <= *time).max_by_key(|mark| mark.time);
            if before.is_some_and(|mark| mark.act != Act::Left) {
                leaves.push((*channel, *person, *time));
            }
        }
    }
    for (channel, person, time) in leaves {
        taking.event(channel, person, time, Deed::Left);
    }
}
