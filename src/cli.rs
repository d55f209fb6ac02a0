//! The command line: arguments as typed. What they mean together is settled in `settings`.

use std::path::PathBuf;
use std::time::Duration;

use clap::builder::styling::{AnsiColor, Styles};
use clap::{Args, Parser, Subcommand, ValueEnum};
use jiff::tz::TimeZone;

use crate::chat::PAGE_SIZE_MAX;
use crate::emulator::faults::Fault;
use crate::engine::InFlight;
use crate::input::{Format, TimeFormat};
use crate::model::{Role, Timestamp};

const STYLES: Styles = Styles::styled()
    .header(AnsiColor::Green.on_default().bold())
    .usage(AnsiColor::Green.on_default().bold())
    .literal(AnsiColor::Cyan.on_default().bold())
    .placeholder(AnsiColor::Cyan.on_default());

const EXIT_CODES: &str = "\
Exit codes:
  0    all done
  1    failed
  2    wrong usage
  3    done, but rows were rejected
  4    the input has errors, nothing was sent
  5    stopped before the end and can be resumed (quota, network, credentials)
  130  interrupted with Ctrl-C, can be resumed (143: with SIGTERM)";

/// Moves membership history from legacy chat systems into Google Chat: backdated, at the quota's full speed, and
/// without losing or doubling a row.
#[derive(Debug, Parser)]
#[command(name = "tenure", version, styles = STYLES, after_help = EXIT_CODES, max_term_width = 100)]
#[command(disable_help_subcommand = false, subcommand_required = true, arg_required_else_help = true)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Read everything, send nothing, print every problem with file, line and column
    Check(CheckArgs),
    /// Journal the rows of the input and create the memberships; run it again to go on
    #[command(after_help = "\
Rehearse first, then import:
  tenure import memberships.csv --emulator --journal rehearsal.db
  tenure import memberships.csv --credentials key.json --impersonate admin@example.com

A run that was stopped, by whatever, goes on where it was: type the same command again.")]
    Import(ImportArgs),
    /// Go on with a run from its journal alone
    Resume(ResumeArgs),
    /// Show where a run stands, also while it goes on
    Status(StatusArgs),
    /// Give back the refused rows in the input's own columns, with the reason
    #[command(after_help = "\
Mend them and feed them back:
  tenure rejects memberships.csv.journal.db -o rejects.csv
  tenure import rejects.csv --journal memberships.csv.journal.db")]
    Rejects(RejectsArgs),
    /// One call of the memberships' API each, for looking and for repairs
    #[command(
        subcommand,
        after_help = "\
In import mode, with the service account:
  tenure members list spaces/AAAA --credentials key.json --impersonate admin@example.com
In a completed or ordinary space, signed in with `tenure login`:
  tenure members patch spaces/AAAA maria@example.com --role ROLE_MANAGER --standard-spaces"
    )]
    Members(MembersCommand),
    /// Sign in as a person, for spaces that are not in import mode
    #[command(after_help = "\
The file comes from the Cloud console: APIs & Services > Credentials > Create credentials > OAuth client ID >
Desktop app > Download JSON. On a machine without a browser, forward the port:
  ssh -L 8090:127.0.0.1:8090 HOST tenure login --client-secrets client_secrets.json --port 8090")]
    Login(LoginArgs),
    /// Take back what `tenure login` got, and remove its file
    Logout(LogoutArgs),
    /// Run a local Chat API with the same rules, quotas and faults, to rehearse on
    Emulator(EmulatorArgs),
    /// Print a completion script for a shell
    Completions(CompletionsArgs),
}

/// How input is read.
#[derive(Debug, Args)]
#[command(next_help_heading = "Input")]
pub struct InputArgs {
    /// CSV or JSONL files of memberships, also .gz and .zst; - is standard input
    #[arg(required = true, value_name = "INPUT")]
    pub inputs: Vec<PathBuf>,
    /// Format of the input, whatever its name says
    #[arg(long, value_name = "FORMAT")]
    pub format: Option<InputFormat>,
    /// Table (columns name, space) that translates the input's space names
    #[arg(long, value_name = "MAP.csv")]
    pub spaces: Option<PathBuf>,
    /// Table (columns id, member) that translates the input's member ids
    #[arg(long, value_name = "MAP.csv")]
    pub users: Option<PathBuf>,
    /// How times are written
    #[arg(long, value_name = "FORMAT", default_value = "rfc3339")]
    pub time_format: InputTimeFormat,
    /// Time zone of times without one, e.g. Europe/Berlin
    #[arg(long, value_name = "ZONE", value_parser = parse_zone)]
    pub timezone: Option<TimeZone>,
}

/// Formats of input and of rejects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum InputFormat {
    /// Comma, semicolon or tab separated, with a header
    Csv,
    /// One JSON object a line
    Jsonl,
}

impl From<InputFormat> for Format {
    fn from(format: InputFormat) -> Self {
        match format {
            InputFormat::Csv => Format::Csv,
            InputFormat::Jsonl => Format::Jsonl,
        }
    }
}

/// Spellings of times.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum InputTimeFormat {
    /// 2021-03-05T09:30:00Z
    #[value(name = "rfc3339")]
    Rfc3339,
    /// Seconds since 1970, with or without a fraction
    EpochS,
    /// Milliseconds since 1970
    EpochMs,
}

impl From<InputTimeFormat> for TimeFormat {
    fn from(format: InputTimeFormat) -> Self {
        match format {
            InputTimeFormat::Rfc3339 => TimeFormat::Rfc3339,
            InputTimeFormat::EpochS => TimeFormat::EpochS,
            InputTimeFormat::EpochMs => TimeFormat::EpochMs,
        }
    }
}

/// Where calls go, and as whom.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Connection")]
pub struct ConnectionArgs {
    /// Key file of the service account, or what `tenure login` left (else GOOGLE_APPLICATION_CREDENTIALS)
    #[arg(long, value_name = "KEY.json", env = "TENURE_CREDENTIALS")]
    pub credentials: Option<PathBuf>,
    /// Whom the service account acts for
    #[arg(long, value_name = "EMAIL", env = "TENURE_IMPERSONATE")]
    pub impersonate: Option<String>,
    /// Instead of a key file: a service account that IAM Credentials signs for, by Application Default Credentials
    #[arg(long, value_name = "SERVICE_ACCOUNT", env = "TENURE_SIGN_WITH")]
    pub sign_with: Option<String>,
    /// Instead of a key file: a command that prints an access token for the scope in TENURE_SCOPE
    #[arg(long, value_name = "CMD", env = "TENURE_TOKEN_COMMAND")]
    pub token_command: Option<String>,
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
    /// Another Chat API than Google's own.
    #[arg(
        long,
        value_name = "URL",
        help = "Another Chat API: https, or this machine [default: https://chat.googleapis.com/]"
    )]
    pub endpoint: Option<String>,
    /// For --sign-with: another IAM Credentials API [default: https://iamcredentials.googleapis.com/]
    #[arg(long, value_name = "URL", hide_short_help = true)]
    pub iam_endpoint: Option<String>,
    /// For --sign-with: another token endpoint [default: https://oauth2.googleapis.com/token]
    #[arg(long, value_name = "URL", hide_short_help = true)]
    pub token_uri: Option<String>,
    /// How long one call may take [default: 60s]
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    pub request_timeout: Option<Duration>,
}

/// How fast.
#[derive(Debug, Args)]
#[command(next_help_heading = "Pace")]
pub struct PaceArgs {
    /// Membership writes per minute, 0 = no limit [default: 300]
    #[arg(long, value_name = "N")]
    pub writes_per_minute: Option<u32>,
    /// Membership reads per minute, 0 = no limit [default: 3000]
    #[arg(long, value_name = "N")]
    pub reads_per_minute: Option<u32>,
    /// Membership writes per minute in any one space, 0 = no limit [default: 900]
    #[arg(long, value_name = "N")]
    pub writes_per_minute_per_space: Option<u32>,
    /// Requests under way at once: auto, or a number, 0 = no limit [default: auto]
    #[arg(long, value_name = "N", value_parser = parse_in_flight)]
    pub max_in_flight: Option<InFlight>,
    /// Stop after nothing but failures for this long [default: 10m]
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
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
}

/// How progress is shown.
#[derive(Debug, Args)]
#[command(next_help_heading = "Output")]
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

/// `tenure check`.
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// What to read.
    #[command(flatten)]
    pub input: InputArgs,
    /// What to show.
    #[command(flatten)]
    pub output: OutputArgs,
}

/// `tenure import`.
#[derive(Debug, Args)]
pub struct ImportArgs {
    /// What to read.
    #[command(flatten)]
    pub input: InputArgs,
    /// Journal of the run [default: <input name>.journal.db in the current folder]
    #[arg(long, value_name = "FILE", help_heading = "Journal")]
    pub journal: Option<PathBuf>,
    /// Stop when the rows are journaled; `tenure resume` sends them
    #[arg(long, help_heading = "Journal", conflicts_with = "dry_run")]
    pub journal_only: bool,
    /// Check and plan; write nothing, send nothing
    #[arg(long, help_heading = "Journal")]
    pub dry_run: bool,
    /// Journal rows with problems as rejects, and go on with the others
    #[arg(long, help_heading = "Input")]
    pub skip_invalid: bool,
    /// Where to, how fast, and what to show.
    #[command(flatten)]
    pub send: SendArgs,
}

/// `tenure resume`.
#[derive(Debug, Args)]
pub struct ResumeArgs {
    /// The journal of the run; every option is as it was unless given anew
    #[arg(value_name = "JOURNAL")]
    pub journal: PathBuf,
    /// Where to, how fast, and what to show.
    #[command(flatten)]
    pub send: SendArgs,
}

/// `tenure status`.
#[derive(Debug, Args)]
pub struct StatusArgs {
    /// The journal of the run
    #[arg(value_name = "JOURNAL")]
    pub journal: PathBuf,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

/// `tenure rejects`.
#[derive(Debug, Args)]
pub struct RejectsArgs {
    /// The journal of the run
    #[arg(value_name = "JOURNAL")]
    pub journal: PathBuf,
    /// Format to write [default: that of the input]
    #[arg(long, value_name = "FORMAT")]
    pub format: Option<InputFormat>,
    /// Write to this new file instead of standard output
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

/// `tenure members ...`.
#[derive(Debug, Subcommand)]
pub enum MembersCommand {
    /// Make somebody a member: spaces.members.create
    Create(MembersCreateArgs),
    /// Show one membership: spaces.members.get
    Get(MembersGetArgs),
    /// Show all memberships of a space: spaces.members.list, to the last page
    List(MembersListArgs),
    /// Change a role: spaces.members.patch
    Patch(MembersPatchArgs),
    /// Remove somebody: spaces.members.delete
    Delete(MembersGetArgs),
}

/// Which membership.
#[derive(Debug, Args)]
pub struct MemberNameArgs {
    /// spaces/SPACE/members/MEMBER, or the space and the member: an id, an e-mail address, or app
    #[arg(required = true, num_args = 1..=2, value_names = ["NAME", "MEMBER"])]
    pub name: Vec<String>,
}

/// `tenure members create`.
#[derive(Debug, Args)]
pub struct MembersCreateArgs {
    /// The space: spaces/AAAA, or its bare id
    #[arg(value_name = "SPACE")]
    pub space: String,
    /// Who: an e-mail address, users/{id or e-mail}, groups/{id}, or users/app
    #[arg(value_name = "MEMBER")]
    pub member: String,
    /// When it began, in import mode (RFC 3339)
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    pub create_time: Option<Timestamp>,
    /// When it ended, in import mode (RFC 3339)
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    pub delete_time: Option<Timestamp>,
    /// Print the API's own resource, on one line
    #[arg(long)]
    pub json: bool,
    /// Where to.
    #[command(flatten)]
    pub connection: ConnectionArgs,
}

/// `tenure members get` and `tenure members delete`.
#[derive(Debug, Args)]
pub struct MembersGetArgs {
    /// Which.
    #[command(flatten)]
    pub name: MemberNameArgs,
    /// Print the API's own resource, on one line
    #[arg(long)]
    pub json: bool,
    /// Where to.
    #[command(flatten)]
    pub connection: ConnectionArgs,
}

/// `tenure members list`.
#[derive(Debug, Args)]
pub struct MembersListArgs {
    /// The space: spaces/AAAA, or its bare id
    #[arg(value_name = "SPACE")]
    pub space: String,
    /// Memberships a page
    #[arg(long, value_name = "N", default_value_t = PAGE_SIZE_MAX, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub page_size: u32,
    /// Google's filter, e.g. 'role = "ROLE_MANAGER"' or 'member.type != "BOT"'
    #[arg(long, value_name = "FILTER")]
    pub filter: Option<String>,
    /// Google Groups too
    #[arg(long)]
    pub show_groups: bool,
    /// People too who are invited and have not come yet
    #[arg(long)]
    pub show_invited: bool,
    /// Print the API's own resources, one a line
    #[arg(long)]
    pub json: bool,
    /// Where to.
    #[command(flatten)]
    pub connection: ConnectionArgs,
}

/// `tenure members patch`.
#[derive(Debug, Args)]
pub struct MembersPatchArgs {
    /// Which.
    #[command(flatten)]
    pub name: MemberNameArgs,
    /// The new role: ROLE_MEMBER, ROLE_MANAGER (the owner) or ROLE_ASSISTANT_MANAGER (a manager)
    #[arg(long, value_name = "ROLE", value_parser = parse_role)]
    pub role: Role,
    /// What is changed; the API knows nothing else
    #[arg(long, value_name = "FIELDS", default_value = "role", value_parser = ["role"])]
    pub update_mask: String,
    /// Print the API's own resource, on one line
    #[arg(long)]
    pub json: bool,
    /// Where to.
    #[command(flatten)]
    pub connection: ConnectionArgs,
}

/// `tenure login`.
#[derive(Debug, Args)]
pub struct LoginArgs {
    /// File of an OAuth client of type "Desktop app"
    #[arg(long, value_name = "FILE", env = "TENURE_CLIENT_SECRETS")]
    pub client_secrets: PathBuf,
    /// For --admin-access too
    #[arg(long)]
    pub admin_access: bool,
    /// Whom to suggest on the page
    #[arg(long, value_name = "EMAIL")]
    pub login_hint: Option<String>,
    /// Port of this machine that the browser comes back to; 0 takes a free one
    #[arg(long, value_name = "PORT", default_value_t = 0)]
    pub port: u16,
    /// Only print the address of the page
    #[arg(long)]
    pub no_browser: bool,
    /// Keep the sign-in in this file [default: tenure/login.json in the configuration folder]
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

/// `tenure logout`.
#[derive(Debug, Args)]
pub struct LogoutArgs {
    /// The sign-in's file [default: tenure/login.json in the configuration folder]
    #[arg(value_name = "FILE")]
    pub file: Option<PathBuf>,
}

/// `tenure emulator`.
#[derive(Debug, Args)]
#[command(after_help = "\
In one terminal:
  tenure emulator --port 8085 --write-key key.json --any-space --fault error-after=0.05
In another:
  tenure import memberships.csv --endpoint http://127.0.0.1:8085/ \\
      --credentials key.json --impersonate admin@example.com")]
pub struct EmulatorArgs {
    /// Port on 127.0.0.1; 0 takes a free one
    #[arg(long, value_name = "PORT", default_value_t = 0)]
    pub port: u16,
    /// Membership writes per minute, 0 = no limit
    #[arg(long, value_name = "N", default_value_t = 300)]
    pub writes_per_minute: u32,
    /// Membership reads per minute, 0 = no limit
    #[arg(long, value_name = "N", default_value_t = 3000)]
    pub reads_per_minute: u32,
    /// How long each answer takes
    #[arg(long, value_name = "TIME", default_value = "0ms", value_parser = parse_duration)]
    pub latency: Duration,
    /// Let calls go wrong: a kind of fault and how probable it is, e.g. error-after=0.05; may be given several times
    #[arg(long = "fault", value_name = "KIND=PROB")]
    pub faults: Vec<Fault>,
    /// Seed of everything random
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub seed: u64,
    /// Key file that this emulator accepts: written, or used if it is there already
    #[arg(long, value_name = "FILE")]
    pub write_key: Option<PathBuf>,
    /// Keep what Chat holds in this file
    #[arg(long, value_name = "FILE")]
    pub state: Option<PathBuf>,
    /// Every space exists already, in import mode
    #[arg(long)]
    pub any_space: bool,
    /// Refuse a second membership of one member in one space, as Google may
    #[arg(long)]
    pub refuse_second_stints: bool,
    /// Make a second membership of a repeated create, as Google may, instead of refusing it
    #[arg(long)]
    pub double_repeated_creates: bool,
    /// List memberships without their times, as Google may
    #[arg(long)]
    pub hide_times: bool,
}

/// `tenure completions`.
#[derive(Debug, Args)]
pub struct CompletionsArgs {
    /// Which shell
    #[arg(value_name = "SHELL")]
    pub shell: clap_complete::Shell,
}

fn parse_duration(text: &str) -> Result<Duration, String> {
    if let Ok(seconds) = text.parse::<u32>() {
        return Ok(Duration::from_secs(seconds.into()));
    }
    text.parse::<jiff::SignedDuration>()
        .ok()
        .and_then(|duration| duration.try_into().ok())
        .ok_or_else(|| "write it like 500ms, 30s, 10m or 1h30m".to_owned())
}

fn parse_in_flight(text: &str) -> Result<InFlight, String> {
    match text {
        "auto" => Ok(InFlight::Auto),
        number => number
            .parse()
            .map(InFlight::Exactly)
            .map_err(|_| "write auto, or a number; 0 = no limit".to_owned()),
    }
}

fn parse_time(text: &str) -> Result<Timestamp, String> {
    Timestamp::parse(text, None).map_err(|error| error.to_string())
}

fn parse_role(text: &str) -> Result<Role, String> {
    text.parse().map_err(|()| "it is none of ROLE_MEMBER, ROLE_MANAGER, ROLE_ASSISTANT_MANAGER".to_owned())
}

fn parse_zone(text: &str) -> Result<TimeZone, String> {
    TimeZone::get(text).map_err(|_| "it is not a time zone's name such as Europe/Berlin or UTC".to_owned())
}
