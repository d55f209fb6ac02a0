//! The arguments of `tenure emulator`.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::parse::{counting, duration, later_limit, port, quota, whole};
use crate::emulator::faults::Fault;
use crate::emulator::quota::Counting;
use crate::emulator::world::Scopes;

/// `tenure emulator`.
#[derive(Debug, Args)]
pub struct EmulatorArgs {
    /// Port on 127.0.0.1; 0 takes a free one
    #[arg(long, value_name = "PORT", default_value_t = 0, value_parser = port, help_heading = "Server")]
    pub port: u16,
    /// Files.
    #[command(flatten)]
    pub files: FileArgs,
    /// Quota and faults.
    #[command(flatten)]
    pub weather: WeatherArgs,
    /// Rules.
    #[command(flatten)]
    pub rules: RulesArgs,
    /// Set-up.
    #[command(flatten)]
    pub set_up: SetUpArgs,
}

/// What it writes and keeps.
#[derive(Debug, Args)]
#[command(next_help_heading = "Files")]
pub struct FileArgs {
    /// Key file that this emulator accepts: written, or used if it is there already
    #[arg(long, value_name = "FILE")]
    pub write_key: Option<PathBuf>,
    /// Keep what Chat holds in this file
    #[arg(long, value_name = "FILE")]
    pub state: Option<PathBuf>,
    /// Write client secrets for people to sign in with, as Google's console gives them. What they sign in to outlives
    /// this emulator if --write-key does
    #[arg(long, value_name = "FILE")]
    pub write_client_secrets: Option<PathBuf>,
    /// Write Application Default Credentials of whoever signs in, as gcloud does
    #[arg(long, value_name = "FILE")]
    pub write_adc: Option<PathBuf>,
}

/// How fast it is, and how well it works.
#[derive(Debug, Args)]
#[command(next_help_heading = "Quota and faults")]
pub struct WeatherArgs {
    /// Membership writes per minute, 0 = no limit
    #[arg(long, value_name = "N", default_value_t = 300, value_parser = quota)]
    pub writes_per_minute: u32,
    /// Membership reads per minute, 0 = no limit
    #[arg(long, value_name = "N", default_value_t = 3000, value_parser = quota)]
    pub reads_per_minute: u32,
    /// Other membership writes per minute after a time, e.g. 90s=600; may be given several times
    #[arg(long = "writes-per-minute-after", value_name = "TIME=N", value_parser = later_limit)]
    pub schedule: Vec<(Duration, u32)>,
    /// Membership writes per second in one space, a limit that refusals do not name, 0 = no limit
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = quota)]
    pub hidden_writes_per_space_second: u32,
    /// How calls are counted, as nobody knows how Google does: sliding or fixed (windows), or bucket (of tokens)
    #[arg(long = "quota", value_name = "KIND", default_value = "sliding", value_parser = counting)]
    pub counting: Counting,
    /// Say in refusals how long to wait
    #[arg(long)]
    pub retry_info: bool,
    /// How long each answer takes
    #[arg(long, value_name = "TIME", default_value = "0ms", value_parser = duration)]
    pub latency: Duration,
    /// Let calls go wrong: a kind of fault and how probable it is, e.g. error-after=0.05; may be given several times
    #[arg(long = "fault", value_name = "KIND=PROB")]
    pub faults: Vec<Fault>,
    /// Seed of everything random
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = whole::<u64>)]
    pub seed: u64,
}

/// How it behaves where nobody knows how Google does.
#[derive(Debug, Args)]
#[command(next_help_heading = "Rules")]
pub struct RulesArgs {
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
    /// Create spaces without saying when their import mode ends, as Google may
    #[arg(long)]
    pub hide_expire_time: bool,
}

/// How the organisation, the Cloud project and the service account are set up: well, unless told otherwise.
#[derive(Debug, Args)]
#[command(next_help_heading = "Set-up")]
pub struct SetUpArgs {
    /// Domain of the organisation: nobody else can be impersonated, or have been a member [default: every domain]; may
    /// be given several times
    #[arg(long = "home-domain", value_name = "DOMAIN")]
    pub home_domains: Vec<String>,
    /// Scope that an administrator has delegated to the service account, e.g. chat.import [default: every scope]; may
    /// be given several times
    #[arg(long = "delegate", value_name = "SCOPE", value_delimiter = ',')]
    pub delegated: Vec<Scopes>,
    /// The Cloud project has no Chat app configured
    #[arg(long)]
    pub no_chat_app: bool,
    /// The Chat API is not enabled in the Cloud project
    #[arg(long)]
    pub no_chat_api: bool,
    /// Somebody for whom Chat is turned off; may be given several times
    #[arg(long, value_name = "EMAIL")]
    pub chat_off_for: Vec<String>,
    /// How far the emulator's clock is ahead of this machine's, or behind (-300)
    #[arg(long = "clock-skew", value_name = "SECONDS", default_value_t = 0, allow_negative_numbers = true, value_parser = whole::<i32>)]
    pub clock_skew_s: i32,
    /// How long an access token is good
    #[arg(long, value_name = "TIME", default_value = "1h", value_parser = duration)]
    pub token_life: Duration,
    /// Revoke the service account's key, and end its tokens, after so many membership writes
    #[arg(long, value_name = "N", value_parser = whole::<u64>)]
    pub revoke_key_after: Option<u64>,
    /// Whoever signs in without saying who
    #[arg(long, value_name = "EMAIL", default_value = "someone@example.com")]
    pub signed_in: String,
    /// People do not consent when they are asked to sign in
    #[arg(long)]
    pub deny_sign_in: bool,
    /// Nobody may sign as the service account: the role Service Account Token Creator is missing
    #[arg(long)]
    pub no_token_creator: bool,
}
