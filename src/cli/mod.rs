//! The command line: arguments as typed. What they mean together is settled in `settings`.

mod connection;
mod convert;
mod doctor;
mod emulator;
mod login;
mod members;
mod parse;
mod report;
mod spaces;
mod stints;
mod verify;

use std::path::PathBuf;

use clap::builder::styling::{AnsiColor, Styles};
use clap::{Args, Parser, Subcommand, ValueEnum};
use jiff::tz::TimeZone;

use crate::input::{Format, TimeFormat};
pub use connection::{CapacityArgs, ConnectionArgs, OutputArgs, PaceArgs, ProgressMode, SendArgs};
pub use convert::{ConvertArgs, ConvertCommand, ConvertSlackArgs, EndRule, StartRule};
pub use doctor::DoctorArgs;
pub use emulator::EmulatorArgs;
pub use login::{LoginArgs, LogoutArgs};
pub use members::{MemberNameArgs, MembersCommand};
pub use report::ReportArgs;
pub use spaces::{NameClash, SpacesCommand, SpacesCompleteArgs, SpacesCreateArgs, SpacesListArgs};
pub use stints::{ImportOnlyArgs, StintArgs, StintsMode};
pub use verify::VerifyArgs;

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
  3    done, but rows were rejected (verify: Chat and the journal differ; convert: some left out)
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
    Import(ImportOnlyArgs),
    /// Go on with a run from its journal alone
    Resume(ResumeArgs),
    /// Import-mode spaces: create them from a list of channels, see how long they have, complete single ones
    #[command(
        subcommand,
        after_help = "\
The beginning of a migration:
  tenure spaces create channels.csv --credentials key.json --impersonate admin@example.com
  tenure import memberships.csv --spaces channels.spaces.csv --credentials key.json --impersonate admin@example.com"
    )]
    Spaces(SpacesCommand),
    /// Complete the spaces of an import, add those who are still members, and give them their roles
    #[command(after_help = "\
Says first what would be done, and asks. A space is completed once all of its rows are settled; what was completed
cannot go back to import mode. It can be run again at any time: what is done is not done again.
  tenure complete memberships.csv.journal.db --dry-run
  tenure complete memberships.csv.journal.db --leave")]
    Complete(CompleteArgs),
    /// Delete what an import has created, and only that
    #[command(after_help = "\
Says first what would be deleted and what would stay, and asks. Memberships of the past can be deleted while their
space is in import mode; what was there before the import is never touched:
  tenure rollback memberships.csv.journal.db --dry-run
  tenure rollback memberships.csv.journal.db")]
    Rollback(RollbackArgs),
    /// Delete the memberships that the input names, journaled like an import
    #[command(after_help = "\
Of each row, space and member count; createTime, deleteTime and role do not (but see --promote). In a space in
import mode every stint of the member goes. Whoever is not there counts as done. The only manager (\"owner\" in
Chat) of a space cannot be removed: with --promote, rows that make somebody else one come first.
  tenure remove leavers.csv --standard-spaces --impersonate admin@example.com")]
    Remove(RemoveArgs),
    /// Change the roles of the members that the input names, journaled like an import
    #[command(after_help = "\
Of each row, space, member and role count. In each space managers (\"owners\" in Chat) are made first, so that
the last one is never demoted before there is another.
  tenure update roles.csv --impersonate admin@example.com")]
    Update(ImportArgs),
    /// Show where a run stands, also while it goes on
    Status(StatusArgs),
    /// Give back the refused rows in the input's own columns, with the reason
    #[command(after_help = "\
Mend them and feed them back:
  tenure rejects memberships.csv.journal.db -o rejects.csv
  tenure import rejects.csv --journal memberships.csv.journal.db")]
    Rejects(RejectsArgs),
    /// Hold what Chat lists against what the journal says, space by space
    Verify(VerifyArgs),
    /// Write one page about a run, for those who would rather look than read
    Report(ReportArgs),
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
    /// Turn a legacy system's export into channels and memberships, and say how sure each is
    #[command(
        subcommand,
        after_help = "\
The beginning of a migration:
  tenure convert slack export.zip --domain old.example=new.example
  tenure spaces create channels.csv --credentials key.json --impersonate admin@example.com
  tenure check memberships.jsonl --spaces channels.spaces.csv
Every row says where its two ends come from (createEvidence, deleteEvidence)."
    )]
    Convert(ConvertCommand),
    /// Look whether everything is ready, and say what to click when it is not
    #[command(after_help = "\
Before the first import, and whenever one stops for reasons of its own:
  tenure doctor memberships.csv --credentials key.json --impersonate admin@example.com
What Google does not document, a throwaway space tells:
  tenure doctor --probe --credentials key.json --impersonate admin@example.com")]
    Doctor(DoctorArgs),
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
    /// What was made of several stints; a journal keeps to it, so that anything else is refused
    #[arg(long, value_name = "WHAT", hide_short_help = true)]
    pub stints: Option<StintsMode>,
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
    #[arg(short, long)]
    pub yes: bool,
}

/// `tenure complete`.
#[derive(Debug, Args)]
pub struct CompleteArgs {
    /// The journal of the import
    #[arg(value_name = "JOURNAL")]
    pub journal: PathBuf,
    /// Complete spaces too of which rows were rejected: their history stays without these
    #[arg(long)]
    pub accept_rejects: bool,
    /// Let the account that completes them leave each space when all is done, unless nobody else manages it
    #[arg(long)]
    pub leave: bool,
    /// Complete without asking
    #[arg(short, long)]
    pub yes: bool,
    /// Say what would be done, and do nothing
    #[arg(long)]
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
    #[arg(short, long)]
    pub yes: bool,
    /// Say what would be deleted, and do nothing
    #[arg(long)]
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

/// `tenure completions`.
#[derive(Debug, Args)]
pub struct CompletionsArgs {
    /// Which shell
    #[arg(value_name = "SHELL")]
    pub shell: clap_complete::Shell,
}
