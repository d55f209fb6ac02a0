//! Where calls go and as whom, how fast, and what is shown: what several commands share.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};

use super::parse::{duration, in_flight, kind, loopback, quota};
use super::{Command, MembersCommand, SpacesCommand};
use crate::engine::InFlight;

/// In what capacity calls are made.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Connection")]
pub struct CapacityArgs {
    /// Spaces that are not in import mode: memberships of today, with chat.memberships and without times
    #[arg(long)]
    pub standard_spaces: bool,
    /// Act as an administrator of the organisation; implies --standard-spaces
    #[arg(long)]
    pub admin_access: bool,
    /// Act as the Chat app itself, impersonating nobody; implies --standard-spaces
    #[arg(long, conflicts_with = "admin_access")]
    pub as_app: bool,
    /// A domain of the organisation, to tell who is from outside; may be given several times
    #[arg(long = "domain", value_name = "DOMAIN")]
    pub domains: Vec<String>,
}

/// Where calls go, and as whom.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Connection")]
pub struct ConnectionArgs {
    /// Key file of the service account, or what `tenure login` left [default: GOOGLE_APPLICATION_CREDENTIALS]
    #[arg(long, value_name = "KEY.json", conflicts_with_all = ["sign_with", "token_command"])]
    pub credentials: Option<PathBuf>,
    /// The variable or the line of tenure.toml that names the key file, where nobody typed it.
    #[arg(skip)]
    pub credentials_origin: Option<String>,
    /// Whom the service account acts for
    #[arg(long, value_name = "EMAIL")]
    pub impersonate: Option<String>,
    /// Instead of a key file: a service account that IAM Credentials signs for, by Application Default Credentials
    #[arg(long, value_name = "SERVICE_ACCOUNT", conflicts_with = "token_command")]
    pub sign_with: Option<String>,
    /// Instead of a key file: a command that prints an access token for the scope in TENURE_SCOPE
    #[arg(long, value_name = "CMD")]
    pub token_command: Option<String>,
    /// In what capacity.
    #[command(flatten)]
    pub capacity: CapacityArgs,
    /// Another Chat API than Google's own.
    #[arg(
        long,
        value_name = "URL",
        help = "Another Chat API: https, or this machine [default: https://chat.googleapis.com/]"
    )]
    pub endpoint: Option<String>,
    /// Another IAM Credentials API than Google's own.
    #[arg(
        long,
        value_name = "URL",
        requires = "sign_with",
        hide_short_help = true,
        help = "For --sign-with: another IAM Credentials API [default: https://iamcredentials.googleapis.com/]"
    )]
    pub iam_endpoint: Option<String>,
    /// Another token endpoint than Google's own.
    #[arg(
        long,
        value_name = "URL",
        requires = "sign_with",
        hide_short_help = true,
        help = "For --sign-with: another token endpoint [default: https://oauth2.googleapis.com/token]"
    )]
    pub token_uri: Option<String>,
    /// How long one call may take [default: 60s]
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub request_timeout: Option<Duration>,
}

impl Command {
    /// Where the calls of a command go, if it makes any.
    pub fn connection_mut(&mut self) -> Option<&mut ConnectionArgs> {
        Some(match self {
            Command::Import(args) => &mut args.bulk.send.connection,
            Command::Remove(args) => &mut args.bulk.send.connection,
            Command::Update(args) => &mut args.send.connection,
            Command::Resume(args) => &mut args.send.connection,
            Command::Complete(args) => &mut args.send.connection,
            Command::Rollback(args) => &mut args.send.connection,
            Command::Verify(args) => &mut args.connection,
            Command::Doctor(args) => &mut args.connection,
            Command::Spaces(SpacesCommand::Create(args)) => &mut args.send.connection,
            Command::Spaces(SpacesCommand::Complete(args)) => &mut args.connection,
            Command::Members(MembersCommand::Create(args)) => &mut args.connection,
            Command::Members(MembersCommand::Get(args)) => &mut args.connection,
            Command::Members(MembersCommand::List(args)) => &mut args.connection,
            Command::Members(MembersCommand::Patch(args)) => &mut args.connection,
            Command::Members(MembersCommand::Delete(args)) => &mut args.connection,
            _ => return None,
        })
    }
}

/// How fast.
#[derive(Debug, Args)]
#[command(next_help_heading = "Pace")]
pub struct PaceArgs {
    /// Membership writes per minute, 0 = no limit [default: 300]
    #[arg(long, value_name = "N", value_parser = quota)]
    pub writes_per_minute: Option<u32>,
    /// Membership reads per minute, 0 = no limit [default: 3000]
    #[arg(long, value_name = "N", value_parser = quota)]
    pub reads_per_minute: Option<u32>,
    /// Membership writes per minute in any one space, 0 = no limit [default: 900]
    #[arg(long, value_name = "N", value_parser = quota)]
    pub writes_per_minute_per_space: Option<u32>,
    /// Requests under way at once: auto, or a number, 0 = no limit [default: auto]
    #[arg(long, value_name = "N", value_parser = in_flight)]
    pub max_in_flight: Option<InFlight>,
    /// Stop after nothing but failures for this long [default: 10m]
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub give_up_after: Option<Duration>,
}

/// What every run that sends rows is told.
#[derive(Debug, Args)]
pub struct SendArgs {
    /// Where to.
    #[command(flatten)]
    pub connection: ConnectionArgs,
    /// Rehearse: a throwaway local Chat API inside this process, in which the spaces of the input exist
    #[arg(long, conflicts_with = "endpoint", help_heading = "Connection")]
    pub emulator: bool,
    /// How fast.
    #[command(flatten)]
    pub pace: PaceArgs,
    /// What to show.
    #[command(flatten)]
    pub output: OutputArgs,
    /// Who else looks on.
    #[command(flatten)]
    pub watch: WatchArgs,
}

/// Who looks on beside the operator.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Output")]
pub struct WatchArgs {
    /// Append every call and what was answered to this file, as lines of JSON
    #[arg(long, value_name = "FILE")]
    pub log: Option<PathBuf>,
    /// Serve figures for Prometheus at this port of this machine, e.g. 127.0.0.1:9464
    #[arg(long, value_name = "ADDR", value_parser = loopback)]
    pub metrics: Option<SocketAddr>,
}

/// What is to be tried again.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Journal")]
pub struct RetryArgs {
    /// Try rows again that were refused, all or those of one reason as `status` names it
    #[arg(long, value_name = "KIND", num_args = 0..=1, value_parser = kind)]
    pub retry_rejected: Option<Option<String>>,
}

/// How progress is shown.
#[derive(Debug, Args)]
#[command(next_help_heading = "Progress")]
pub struct OutputArgs {
    /// How progress is shown on standard error
    #[arg(long, value_name = "HOW", default_value = "auto")]
    pub progress: ProgressMode,
}

/// `--progress`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ProgressMode {
    /// Bars on a terminal, plain lines elsewhere
    Auto,
    /// Bars
    Bar,
    /// A line every 10 seconds
    Plain,
    /// One JSON object a line
    Json,
    /// Nothing
    None,
}

/// How progress is most likely to be shown where the parser has refused what was typed.
pub fn likely_progress(typed: &[OsString]) -> Option<ProgressMode> {
    let is_json = typed.windows(2).any(|words| words == ["--progress", "json"])
        || typed.iter().any(|word| word == "--progress=json");
    is_json.then_some(ProgressMode::Json)
}
