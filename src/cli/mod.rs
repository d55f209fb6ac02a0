//! The command line: arguments as typed. What they mean together is settled in `settings`.

mod config;
mod connection;
mod convert;
mod doctor;
mod dress;
mod emulator;
mod examples;
mod help;
mod login;
mod manual;
mod members;
mod naming;
mod pages;
mod parse;
mod parts;
mod reference;
mod report;
mod slips;
mod spaces;
mod stints;
mod typed;
mod verify;
mod version;

use std::path::PathBuf;
use std::time::Duration;

use clap::builder::styling::{AnsiColor, Styles};
use clap::{Args, Parser, Subcommand, ValueEnum};
use jiff::tz::TimeZone;

use crate::input::{Format, TimeFormat};
pub use config::{ConfigArgs, ConfigFileArgs};
pub use connection::{
    CapacityArgs, ConnectionArgs, OutputArgs, PaceArgs, ProgressMode, RetryArgs, SendArgs, WatchArgs,
    likely_progress,
};
pub use convert::{
    ConvertArgs, ConvertCommand, ConvertMatrixArgs, ConvertMattermostArgs, ConvertRocketchatArgs,
    ConvertSlackArgs, ConvertTeamsArgs, ConvertZulipArgs, EndRule, StartRule,
};
pub use doctor::DoctorArgs;
pub use dress::command;
pub use emulator::EmulatorArgs;
pub use help::{ended, for_columns, without_flag};
pub use login::{LoginArgs, LogoutArgs};
pub use manual::{Page, pages};
pub use members::{MemberNameArgs, MembersCommand};
pub use naming::{Name, PREFIX, options, variable, walk};
pub use pages::{CompletionsArgs, ManArgs};
pub use reference::reference;
pub use report::ReportArgs;
pub use slips::explained;
pub use spaces::{NameClash, SpacesCommand, SpacesCompleteArgs, SpacesCreateArgs, SpacesListArgs};
pub use stints::{ImportOnlyArgs, StintArgs, StintsMode};
pub use verify::VerifyArgs;

const STYLES: Styles = Styles::styled()
    .header(AnsiColor::Green.on_default().bold())
    .usage(AnsiColor::Green.on_default().bold())
    .literal(AnsiColor::Cyan.on_default().bold())
    .placeholder(AnsiColor::Cyan.on_default());

/// Moves membership history from legacy chat systems into Google Chat: backdated, at the quota's full speed, and
/// without losing or doubling a row.
#[derive(Debug, Parser)]
#[command(name = "tenure", version, long_version = version::LONG, styles = STYLES)]
#[command(after_help = examples::MORE, after_long_help = examples::PROGRAM)]
#[command(disable_help_flag = true, arg = help::flag())]
#[command(disable_help_subcommand = false, subcommand_required = true, arg_required_else_help = true)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// Where settings are.
    #[command(flatten)]
    pub config: ConfigFileArgs,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Read everything, send nothing, print every problem with file, line and column
    #[command(after_long_help = examples::CHECK)]
    Check(CheckArgs),
    /// Say what a run would send, how long it takes at the quota, and what would be faster
    #[command(after_long_help = examples::PLAN)]
    Plan(PlanArgs),
    /// Journal the rows of the input and create the memberships; run it again to go on
    #[command(after_long_help = examples::IMPORT)]
    Import(ImportOnlyArgs),
    /// Go on with a run from its journal alone
    #[command(after_long_help = examples::RESUME)]
    Resume(ResumeArgs),
    /// Import-mode spaces: create them from a list of channels, see how long they have, complete single ones
    #[command(subcommand, after_long_help = examples::SPACES)]
    Spaces(SpacesCommand),
    /// Complete the spaces of an import, add those who are still members, and give them their roles
    #[command(after_long_help = examples::COMPLETE)]
    Complete(CompleteArgs),
    /// Delete what an import has created, and only that
    #[command(after_long_help = examples::ROLLBACK)]
    Rollback(RollbackArgs),
    /// Delete the memberships that the input names, journaled like an import
    #[command(after_long_help = examples::REMOVE)]
    Remove(RemoveArgs),
    /// Change the roles of the members that the input names, journaled like an import
    #[command(after_long_help = examples::UPDATE)]
    Update(ImportArgs),
    /// Show where a run stands, also while it goes on
    #[command(after_long_help = examples::STATUS, override_usage = "tenure status [OPTIONS] <JOURNAL>")]
    Status(StatusArgs),
    /// Give back the refused rows in the input's own columns, with the reason
    #[command(after_long_help = examples::REJECTS)]
    Rejects(RejectsArgs),
    /// Hold what Chat lists against what the journal says, space by space
    #[command(after_long_help = examples::VERIFY)]
    Verify(VerifyArgs),
    /// Write one page about a run, for those who would rather look than read
    #[command(after_long_help = examples::REPORT)]
    Report(ReportArgs),
    /// One call of the memberships' API each, for looking and for repairs
    #[command(subcommand, after_long_help = examples::MEMBERS)]
    Members(MembersCommand),
    /// Turn a legacy system's export into channels and memberships, and say how sure each is
    #[command(subcommand, after_long_help = examples::CONVERT)]
    Convert(ConvertCommand),
    /// Look whether everything is ready, and say what to click when it is not
    #[command(after_long_help = examples::DOCTOR)]
    Doctor(DoctorArgs),
    /// Sign in as a person, for spaces that are not in import mode
    #[command(after_long_help = examples::LOGIN)]
    Login(LoginArgs),
    /// Take back what `tenure login` got, and remove its file
    #[command(after_long_help = examples::LOGOUT)]
    Logout(LogoutArgs),
    /// Run a local Chat API with the same rules, quotas and faults, to rehearse on
    #[command(after_long_help = examples::EMULATOR)]
    Emulator(EmulatorArgs),
    /// Show each setting and where it comes from: the environment, tenure.toml, the journal or nowhere
    #[command(after_long_help = examples::CONFIG)]
    Config(ConfigArgs),
    /// Print a completion script for a shell
    #[command(after_long_help = examples::COMPLETIONS)]
    Completions(CompletionsArgs),
    /// Print the manual page of a command, or write all of them
    #[command(after_long_help = examples::MAN)]
    Man(ManArgs),
    /// Print the reference of the command line as Markdown
    #[command(hide = true, after_long_help = examples::REFERENCE)]
    Reference,
}

/// How input is read.
#[derive(Debug, Args)]
#[command(next_help_heading = "Input")]
pub struct InputArgs {
    /// CSV or JSONL files of memberships, also .gz and .zst; - is standard input
    #[arg(required = true, value_name = "INPUT", help_heading = None)]
    pub inputs: Vec<PathBuf>,
    /// How.
    #[command(flatten)]
    pub read: ReadArgs,
}

/// How what is read is understood.
#[derive(Debug, Args)]
#[command(next_help_heading = "Input")]
pub struct ReadArgs {
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
    #[arg(long, value_name = "ZONE", value_parser = parse::zone)]
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

/// `tenure check`.
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// What to read.
    #[command(flatten)]
    pub input: InputArgs,
    /// What is made of it.
    #[command(flatten)]
    pub stints: StintArgs,
    /// What the rows are for.
    #[command(flatten)]
    pub capacity: CapacityArgs,
    /// Print one JSON object instead
    #[arg(long, help_heading = "Output", conflicts_with = "github")]
    pub json: bool,
    /// Print problems and warnings as annotations of GitHub Actions instead
    #[arg(long, help_heading = "Output")]
    pub github: bool,
    /// What to show.
    #[command(flatten)]
    pub output: OutputArgs,
}

/// `tenure plan`.
#[derive(Debug, Args)]
pub struct PlanArgs {
    /// What to read.
    #[command(flatten)]
    pub input: InputArgs,
    /// What is made of it.
    #[command(flatten)]
    pub stints: StintArgs,
    /// What the rows are for.
    #[command(flatten)]
    pub capacity: CapacityArgs,
    /// Membership writes per minute, 0 = no limit [default: 300]
    #[arg(long, value_name = "N", value_parser = parse::quota, help_heading = "Pace")]
    pub writes_per_minute: Option<u32>,
    /// Membership writes per minute in any one space, 0 = no limit [default: 900]
    #[arg(long, value_name = "N", value_parser = parse::quota, help_heading = "Pace")]
    pub writes_per_minute_per_space: Option<u32>,
    /// Print one JSON object instead
    #[arg(long, help_heading = "Output")]
    pub json: bool,
    /// What to show.
    #[command(flatten)]
    pub output: OutputArgs,
}

/// `tenure import` and `tenure update`.
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
    #[arg(long, help_heading = "Safety")]
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
    /// What was made of several stints; a journal keeps to it, so that anything else is refused
    #[arg(long, value_name = "WHAT", hide_short_help = true, help_heading = "History")]
    pub stints: Option<StintsMode>,
    /// What is to be tried again.
    #[command(flatten)]
    pub retry: RetryArgs,
    /// Where to, how fast, and what to show.
    #[command(flatten)]
    pub send: SendArgs,
}

/// `tenure remove`.
#[derive(Debug, Args)]
pub struct RemoveArgs {
    /// As an import.
    #[command(flatten)]
    pub bulk: ImportArgs,
    /// Rows with a role are not deleted: they get that role, before anybody is removed from their space
    #[arg(long, help_heading = "Input")]
    pub promote: bool,
    /// Delete without asking
    #[arg(short, long, help_heading = "Safety")]
    pub yes: bool,
}

/// `tenure complete`.
#[derive(Debug, Args)]
pub struct CompleteArgs {
    /// The journal of the import
    #[arg(value_name = "JOURNAL")]
    pub journal: PathBuf,
    /// Complete spaces too of which rows were rejected, were missing when verified, or may have been left out: their history
    /// stays without these
    #[arg(long, help_heading = "Completion")]
    pub accept_rejects: bool,
    /// Let the account that completes them leave each space when all is done, unless nobody else manages it
    #[arg(long, help_heading = "Completion")]
    pub leave: bool,
    /// Complete without asking
    #[arg(short, long, help_heading = "Safety")]
    pub yes: bool,
    /// Say what would be done, and do nothing
    #[arg(long, help_heading = "Safety")]
    pub dry_run: bool,
    /// Where to, how fast, and what to show.
    #[command(flatten)]
    pub send: SendArgs,
}

/// `tenure rollback`.
#[derive(Debug, Args)]
pub struct RollbackArgs {
    /// The journal of the import
    #[arg(value_name = "JOURNAL")]
    pub journal: PathBuf,
    /// Delete without asking
    #[arg(short, long, help_heading = "Safety")]
    pub yes: bool,
    /// Say what would be deleted, and do nothing
    #[arg(long, help_heading = "Safety")]
    pub dry_run: bool,
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
    #[arg(long, help_heading = "Output")]
    pub json: bool,
    /// Look again every so many seconds, until the run ends: drawn anew on a terminal, a line each elsewhere
    #[arg(long, value_name = "SECONDS", num_args = 0..=1, default_missing_value = "2", value_parser = parse::every, help_heading = "Output")]
    pub watch: Option<Duration>,
}

/// `tenure rejects`.
#[derive(Debug, Args)]
pub struct RejectsArgs {
    /// The journal of the run
    #[arg(value_name = "JOURNAL")]
    pub journal: PathBuf,
    /// Format to write [default: as the name of the file says, else that of the input]
    #[arg(long, value_name = "FORMAT", help_heading = "Output")]
    pub format: Option<InputFormat>,
    /// Write to this new file instead of standard output
    #[arg(short, long, value_name = "FILE", help_heading = "Output")]
    pub output: Option<PathBuf>,
    /// Only rows that were refused for this reason, as `status` names it
    #[arg(long, value_name = "KIND", help_heading = "Output")]
    pub kind: Option<String>,
    /// Instead of the rows: the reasons, how many rows each has, and what to do about them
    #[arg(long, conflicts_with_all = ["format", "output"], help_heading = "Output")]
    pub reasons: bool,
}
