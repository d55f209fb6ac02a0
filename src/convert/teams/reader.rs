//! From the things in answers to facts, and to what can be told only when all of it has been read.

use std::sync::Arc;

use super::Reading;
use super::ids::{self, Context, Place};
use super::organisation::{Kind as ChannelKind, Organisation, ended, somebody};
use super::thing::{EventDetail, Identity, Kind, Thing, type_name};
use crate::convert::Gathered;
use crate::convert::fact::{Fact, PersonFact, Standing, What};
use crate::convert::json::Text;
use crate::input::{Problem, ProblemKind, Problems};
use crate::model::Timestamp;

/// What has been read so far.
#[derive(Debug, Default)]
pub(super) struct Reader {
    pub(super) organisation: Organisation,
    reading: Reading,
    /// System messages that do not say what happened.
    mute: u64,
}

/// Where a message is, and when it was written.
#[derive(Clone, Copy)]
struct At<'a> {
    conversation: &'a str,
    time: Timestamp,
    is_channel: bool,
}

impl Reader {
    pub(super) fn new(reading: Reading) -> Self {
        Reader { reading, ..Reader::default() }
    }

    /// Takes one thing. `team_of_file`: the team that its file's path names.
    pub(super) fn thing(
        &mut self,
        context: &Context,
        team_of_file: Option<&str>,
        thing: Thing,
        gathered: &mut Gathered,
    ) {
        match thing.kind(context) {
            Kind::Message => self.message(context, thing, None, gathered),
            Kind::Chat => self.chat(thing, gathered),
            Kind::Channel => self.channel(context, team_of_file, thing, gathered),
            Kind::Member => self.member(context, team_of_file, thing, gathered),
            Kind::Person => self.person(thing),
            Kind::Team => self.team(thing),
            Kind::Unknown => gathered
                .take(Fact::Ignored("things that are no messages, channels, chats, members or people")),
        }
    }

    /// What is true of the export as a whole.
    pub(super) fn complaints(&self, name: &Arc<str>) -> Problems {
        let mut problems = Problems::new();
        let mut complain = |message: String, help: &str| {
            problems.push(Problem::new(name, 0, ProblemKind::MissingValue, message).help(help));
        };
        if self.mute > 0 {
            let message = format!(
                "{} of its system messages do not say what happened or to whom, as in what TeamsDataExport writes: joins \
                 and leaves cannot be recovered from it, and all that is left is who is a member now and who wrote",
                self.mute
            );
            let help = "read the messages from Microsoft Graph, with the header \
                        \"Prefer: include-unknown-enum-members\"; docs/converting.md says how";
            complain(message, help);
        }
        let untold = self.organisation.untold();
        if untold > 0 {
            let message = format!(
                "of {untold} of its channels nothing says whether they are standard, private or shared: each is taken by \
                 itself, without those who came to its team or left it"
            );
            complain(message, "add the lists of channels, GET /teams/{id}/allChannels");
        }
        problems
    }

    fn message(
        &mut self,
        context: &Context,
        mut thing: Thing,
        within: Option<&str>,
        gathered: &mut Gathered,
    ) {
        let identity = thing.channel_identity.take().unwrap_or_default();
        let of_page = within.or(context.conversation.as_deref());
        let Some(conversation) =
            identity.channel_id.get().or(thing.chat_id.get()).or(of_page).map(str::to_owned)
        else {
            gathered.take(Fact::Ignored("messages that say neither channel nor chat"));
            return;
        };
        let place = ids::place(&conversation);
        let is_channel = place == Place::Channel || identity.channel_id.get().is_some();
        if !is_channel && let Some(why) = self.left_out(place) {
            gathered.take(Fact::Ignored(why));
            return;
        }
        let team = identity.team_id.get().or(context.team.as_deref());
        let known = self.organisation.conversation(&conversation);
        if is_channel && known.team.is_none() {
            known.team = team.map(str::to_owned);
        }
        let team = known.team.clone();
        if place == Place::OneOnOne && known.roster.is_none() {
            self.pair(&conversation);
        }
        match ids::time_of_message(thing.created_date_time.get(), thing.id.get()) {
            Some(time) => {
                self.organisation.conversation(&conversation).at(time);
                let at = At { conversation: &conversation, time, is_channel };
                self.told(at, team.as_deref(), &mut thing, gathered);
            }
            None => gathered.take(Fact::Ignored("messages without a time")),
        }
        for reply in thing.replies.into_iter().flatten() {
            self.message(context, reply, Some(&conversation), gathered);
        }
    }

    fn told(&mut self, at: At<'_>, team: Option<&str>, thing: &mut Thing, gathered: &mut Gathered) {
        if let Some(detail) = thing.event_detail.take() {
            return self.event(at, team, &detail, gathered);
        }
        match (thing.message_type.get(), thing.from.take()) {
            (Some("systemEventMessage" | "unknownFutureValue"), _) => self.mute += 1,
            (Some("message") | None, Some(from)) => match from.user {
                Some(user) => match standing(&user) {
                    Some(standing) => self.present(at, &user, standing, gathered),
                    None => gathered.take(Fact::Ignored(
                        "messages of people without an account (guests of a meeting, phones)",
                    )),
                },
                None => gathered.take(Fact::Ignored("messages of apps")),
            },
            _ => gathered.take(Fact::Ignored("messages without an author")),
        }
    }

    fn present(&mut self, at: At<'_>, user: &Identity, standing: Standing, gathered: &mut Gathered) {
        let Some(id) = user.id.get() else {
            gathered.take(Fact::Ignored("messages without an author"));
            return;
        };
        let person = self.organisation.person(somebody(id, user.display_name.get(), standing));
        if at.is_channel {
            self.organisation.conversation(at.conversation).wrote(person, at.time);
        }
        gathered.take(Fact::Event { channel: at.conversation, time: at.time, what: What::Present(id) });
    }

    fn event(&mut self, at: At<'_>, team: Option<&str>, detail: &EventDetail, gathered: &mut Gathered) {
        let Some(name) = type_name(&detail.odata_type) else {
            self.mute += 1;
            return;
        };
        let name = name.strip_suffix("EventMessageDetail").unwrap_or(name);
        let channel = detail.channel_id.get().filter(|id| ids::place(id) == Place::Channel);
        match (name, channel, team) {
            ("membersAdded" | "membersJoined", ..) => self.changed(at, detail, true, gathered),
            ("membersDeleted" | "membersLeft", ..) => self.changed(at, detail, false, gathered),
            ("channelAdded" | "channelDeleted" | "channelRenamed", Some(channel), _) => {
                let channel = self.organisation.conversation(channel);
                channel.team = channel.team.take().or(team.map(str::to_owned));
                match name {
                    "channelAdded" => channel.created = channel.created.or(Some(at.time)),
                    "channelDeleted" => channel.deleted = channel.deleted.max(Some(at.time)),
                    _ => {}
                }
                if let Some(name) = detail.channel_display_name.get() {
                    channel.renamed.at(at.time, name);
                }
            }
            ("chatRenamed", ..) => {
                if let Some(name) = detail.chat_display_name.get() {
                    self.organisation.conversation(at.conversation).renamed.at(at.time, name);
                }
            }
            ("teamCreated" | "teamRenamed", _, Some(team)) => {
                if let Some(name) = detail.team_display_name.get() {
                    self.organisation.team(team).renamed.at(at.time, name);
                }
            }
            ("teamArchived" | "teamUnarchived", _, Some(team)) => {
                self.organisation.team(team).archivings.push((at.time, name == "teamArchived"));
            }
            _ => gathered.take(Fact::Ignored(
                "notices that tell nothing of membership (roles, calls, settings and the like)",
            )),
        }
    }

    fn changed(&mut self, at: At<'_>, detail: &EventDetail, joined: bool, gathered: &mut Gathered) {
        for member in detail.members.iter().flatten() {
            let (Some(id), Some(standing)) = (member.id.get(), standing(member)) else {
                gathered.take(Fact::Ignored(
                    "comings and goings of people without an account (guests of a meeting, phones)",
                ));
                continue;
            };
            let person = self.organisation.person(somebody(id, member.display_name.get(), standing));
            if at.is_channel {
                self.organisation.conversation(at.conversation).changed(person, at.time, joined);
            }
            let what = if joined { What::Joined(id) } else { What::Left(id) };
            gathered.take(Fact::Event { channel: at.conversation, time: at.time, what });
        }
    }

    /// Why a chat is left out, if it is.
    fn left_out(&self, place: Place) -> Option<&'static str> {
        match place {
            Place::OneOnOne if !self.reading.dms => {
                Some("messages and chats of two people (--dms takes them)")
            }
            Place::Meeting if !self.reading.meetings => {
                Some("messages and chats of meetings (--meetings takes them)")
            }
            Place::Other => Some("messages and chats with oneself, and of calls"),
            _ => None,
        }
    }

    /// The members of a chat of two are in its id.
    fn pair(&mut self, conversation: &str) {
        let Some(pair) = ids::pair(conversation) else { return };
        let roster = pair.map(|id| self.organisation.person(somebody(id, None, Standing::Member)));
        self.organisation.conversation(conversation).roster = Some(roster.into());
    }

    fn chat(&mut self, mut thing: Thing, gathered: &mut Gathered) {
        let Some(id) = thing.id.take() else {
            gathered.take(Fact::Ignored("chats without an id"));
            return;
        };
        let place = ids::place(&id);
        if let Some(why) = self.left_out(place) {
            gathered.take(Fact::Ignored(why));
            return;
        }
        if place == Place::OneOnOne {
            self.pair(&id);
        }
        let chat = self.organisation.conversation(&id);
        chat.name = thing.topic.take().or(chat.name.take());
        chat.created = created(&thing).or(chat.created);
        for member in thing.members.into_iter().flatten() {
            self.member_of(&id, member, gathered);
        }
    }

    fn channel(
        &mut self,
        context: &Context,
        team_of_file: Option<&str>,
        mut thing: Thing,
        gathered: &mut Gathered,
    ) {
        let Some(id) = thing.id.take() else {
            gathered.take(Fact::Ignored("channels without an id"));
            return;
        };
        let of_url = thing.web_url.get().and_then(ids::team_of_url);
        let team = of_url.or_else(|| context.team.clone()).or_else(|| team_of_file.map(str::to_owned));
        let channel = self.organisation.conversation(&id);
        channel.team = team.or(channel.team.take());
        channel.name = thing.display_name.take().or(channel.name.take());
        channel.description = thing.description.take().or(channel.description.take());
        channel.created = created(&thing).or(channel.created);
        channel.archived = channel.archived.max(thing.is_archived.0);
        channel.kind = match thing.membership_type.get() {
            Some("standard") => Some(ChannelKind::Standard),
            Some(_) => Some(ChannelKind::Own),
            None => channel.kind,
        };
        for member in thing.members.into_iter().flatten() {
            self.member_of(&id, member, gathered);
        }
    }

    fn member(
        &mut self,
        context: &Context,
        team_of_file: Option<&str>,
        thing: Thing,
        gathered: &mut Gathered,
    ) {
        let of_page = context.conversation.clone().or_else(|| context.team.clone());
        let of_id = || thing.id.get().and_then(ids::conversation_of_membership);
        match of_page.or_else(of_id).or_else(|| team_of_file.map(str::to_owned)) {
            Some(whose) => self.member_of(&whose, thing, gathered),
            None => gathered.take(Fact::Ignored("members of nobody knows what")),
        }
    }

    /// Somebody is a member of a team, a channel or a chat now.
    fn member_of(&mut self, whose: &str, mut thing: Thing, gathered: &mut Gathered) {
        let Some(id) = thing.user_id.take() else {
            gathered.take(Fact::Ignored("members without an account (guests of a meeting, phones)"));
            return;
        };
        let is_chat = !ids::is_guid(whose);
        if is_chat
            && ids::place(whose) != Place::Channel
            && let Some(why) = self.left_out(ids::place(whose))
        {
            gathered.take(Fact::Ignored(why));
            return;
        }
        let roles = thing.roles.0.take().unwrap_or_default();
        let is_guest = roles
            .iter()
            .map(String::as_str)
            .chain(thing.role.get())
            .any(|role| role.eq_ignore_ascii_case("guest"));
        let name = thing.user_name.take();
        let address = thing.email.take().or_else(|| ids::address_of_name(name.as_deref()?));
        let standing = if is_guest || name.as_deref().is_some_and(ids::is_guest_name) {
            Standing::Guest
        } else {
            Standing::Member
        };
        let known = somebody(&id, thing.display_name.get(), standing);
        let person = self.organisation.person(PersonFact { address, ..known });
        let roster = match is_chat {
            true => &mut self.organisation.conversation(whose).roster,
            false => &mut self.organisation.team(whose).roster,
        };
        roster.get_or_insert_default().insert(person);
    }

    fn person(&mut self, mut thing: Thing) {
        let Some(id) = thing.id.take() else { return };
        let name = thing.user_principal_name.take();
        let is_guest = thing.user_type.get().is_some_and(|kind| kind.eq_ignore_ascii_case("guest"))
            || name.as_deref().is_some_and(ids::is_guest_name);
        let standing = if is_guest { Standing::Guest } else { Standing::Member };
        let address = thing.mail.take().or_else(|| ids::address_of_name(name.as_deref()?));
        let person = PersonFact { address, ..somebody(&id, thing.display_name.get(), standing) };
        self.organisation.person(if thing.account_enabled.0 == Some(false) { ended(person) } else { person });
    }

    fn team(&mut self, mut thing: Thing) {
        let Some(id) = thing.id.take() else { return };
        let team = self.organisation.team(&id);
        team.name = thing.display_name.take().or(team.name.take());
        team.archived = team.archived.max(thing.is_archived.0);
    }
}

/// When something was created.
fn created(thing: &Thing) -> Option<Timestamp> {
    thing.created_date_time.get().and_then(ids::time)
}

/// What somebody is; `None` for who has no account of their own.
fn standing(identity: &Identity) -> Option<Standing> {
    let kind: &Text = &identity.user_identity_type;
    match kind.get() {
        Some("anonymousGuest" | "phoneUser" | "skypeUser") => None,
        Some("federatedUser" | "personalMicrosoftAccountUser" | "emailUser") => Some(Standing::External),
        _ => Some(Standing::Member),
    }
}
