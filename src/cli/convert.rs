//! `tenure convert`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::{OutputArgs, examples};
use crate::convert::{DomainRule, InferredEnd, InferredStart};

/// Which system's export it is.
#[derive(Debug, Subcommand)]
pub enum ConvertCommand {
    /// Slack: the ZIP or the unpacked folder; also of Enterprise Grid, and what slackdump writes in Slack's form
    #[command(after_long_help = examples::CONVERT_SLACK)]
    Slack(ConvertSlackArgs),
    /// Mattermost: the bulk export (JSON lines, also in its ZIP), the table ChannelMemberHistory as CSV, the compliance
    /// export as CSV or Actiance XML; of several, the bulk export last
    #[command(after_long_help = examples::CONVERT_MATTERMOST)]
    Mattermost(ConvertMattermostArgs),
    /// Microsoft Teams: a folder of Microsoft Graph's answers; also what TeamsDataExport writes, which lacks most of it
    #[command(after_long_help = examples::CONVERT_TEAMS)]
    Teams(ConvertTeamsArgs),
    /// Zulip: the .tar.gz that a server exports an organisation to, or the folder it unpacks to
    #[command(after_long_help = examples::CONVERT_ZULIP)]
    Zulip(ConvertZulipArgs),
    /// Matrix: Element's export of a room (JSON), the folder of Synapse's export-data, events as servers give them (JSON)
    ///
    /// The id of a person is no address: name people with --users, or tell with --domain that on a server it is one:
    /// --domain matrix.example=new.example makes eva@new.example of @eva:matrix.example.
    #[command(after_long_help = examples::CONVERT_MATRIX)]
    Matrix(ConvertMatrixArgs),
    /// Rocket.Chat: the folder of a mongodump (BSON), or what mongoexport writes (JSON)
    #[command(after_long_help = examples::CONVERT_ROCKETCHAT)]
    Rocketchat(ConvertRocketchatArgs),
}

/// `tenure convert slack`.
#[derive(Debug, Args)]
pub struct ConvertSlackArgs {
    /// As for every system.
    #[command(flatten)]
    pub convert: ConvertArgs,
    /// Take direct messages between two people, too: as group chats of two
    #[arg(long, help_heading = "Conversations")]
    pub dms: bool,
}

/// `tenure convert mattermost`.
#[derive(Debug, Args)]
pub struct ConvertMattermostArgs {
    /// As for every system.
    #[command(flatten)]
    pub convert: ConvertArgs,
    /// Take direct messages between two people, too: as group chats of two
    #[arg(long, help_heading = "Conversations")]
    pub dms: bool,
}

/// `tenure convert zulip`.
#[derive(Debug, Args)]
pub struct ConvertZulipArgs {
    /// As for every system.
    #[command(flatten)]
    pub convert: ConvertArgs,
    /// Take direct messages between two people, too: as group chats of two
    #[arg(long, help_heading = "Conversations")]
    pub dms: bool,
}

/// `tenure convert matrix`.
#[derive(Debug, Args)]
pub struct ConvertMatrixArgs {
    /// As for every system.
    #[command(flatten)]
    pub convert: ConvertArgs,
    /// Take direct messages between two people, too: as group chats of two
    #[arg(long, help_heading = "Conversations")]
    pub dms: bool,
}

/// `tenure convert teams`.
#[derive(Debug, Args)]
pub struct ConvertTeamsArgs {
    /// As for every system.
    #[command(flatten)]
    pub convert: ConvertArgs,
    /// Take chats of two people, too: as group chats of two
    #[arg(long, help_heading = "Conversations")]
    pub dms: bool,
    /// Take the chats of meetings, too
    #[arg(long, help_heading = "Conversations")]
    pub meetings: bool,
}

/// `tenure convert rocketchat`.
#[derive(Debug, Args)]
pub struct ConvertRocketchatArgs {
    /// As for every system.
    #[command(flatten)]
    pub convert: ConvertArgs,
    /// Take direct messages between two people, too: as group chats of two
    #[arg(long, help_heading = "Conversations")]
    pub dms: bool,
}

/// What can be said of every conversion.
#[derive(Debug, Args)]
pub struct ConvertArgs {
    /// Exports of one workspace, the oldest first
    #[arg(required = true, value_name = "EXPORT")]
    pub exports: Vec<PathBuf>,
    /// Where to write the memberships, a new file; - is standard output
    #[arg(short, long, value_name = "FILE", default_value = "memberships.jsonl", help_heading = "Output")]
    pub output: PathBuf,
    /// Where to write the list of channels for `tenure spaces create`, a new file
    #[arg(long, value_name = "FILE", default_value = "channels.csv", help_heading = "Output")]
    pub channels: PathBuf,
    /// Write who has no address to this new file: to be filled in, and given with --users
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub missing: Option<PathBuf>,
    /// Print the report as one JSON object
    #[arg(long, help_heading = "Output")]
    pub json: bool,
    /// Table (columns id, member) of people by legacy id or address; it counts before what the export says
    #[arg(long, value_name = "MAP.csv", help_heading = "People")]
    pub users: Option<PathBuf>,
    /// Exchange the domain of addresses; who is then in none of the new domains counts as external; repeatable
    #[arg(long, value_name = "OLD=NEW", help_heading = "People")]
    pub domain: Vec<DomainRule>,
    /// Take programs that have an address, too
    #[arg(long, help_heading = "People")]
    pub bots: bool,
    /// Leave out stints of which one end is a guess
    #[arg(long, help_heading = "Guesses")]
    pub only_recorded: bool,
    /// Where a stint begins whose join is not recorded
    #[arg(long, value_name = "RULE", default_value = "first-message", help_heading = "Guesses")]
    pub inferred_start: StartRule,
    /// Where a stint ends whose leave is not recorded
    #[arg(long, value_name = "RULE", default_value = "last-message", help_heading = "Guesses")]
    pub inferred_end: EndRule,
    /// What to show.
    #[command(flatten)]
    pub shown: OutputArgs,
}

/// Rules for missing joins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum StartRule {
    /// At the first message; without one, as early as it can have been
    FirstMessage,
    /// As early as it can have been: the channel's creation, or the leave before
    ChannelCreated,
}

impl From<StartRule> for InferredStart {
    fn from(rule: StartRule) -> Self {
        match rule {
            StartRule::FirstMessage => InferredStart::FirstMessage,
            StartRule::ChannelCreated => InferredStart::ChannelCreated,
        }
    }
}

/// Rules for missing leaves. Archived channels and accounts that have ended end stints by themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum EndRule {
    /// Just after the last message; without one, as late as it can have been
    LastMessage,
    /// As late as it can have been: the next join, the roster that misses them, the export's end
    Latest,
}

impl From<EndRule> for InferredEnd {
    fn from(rule: EndRule) -> Self {
        match rule {
            EndRule::LastMessage => InferredEnd::LastMessage,
            EndRule::Latest => InferredEnd::Latest,
        }
    }
}
