//! The arguments of `tenure login` and `tenure logout`.

use std::path::PathBuf;

use clap::Args;

use super::parse::port;

/// `tenure login`.
#[derive(Debug, Args)]
pub struct LoginArgs {
    /// File of an OAuth client of type "Desktop app"
    #[arg(long, value_name = "FILE", help_heading = "Connection")]
    pub client_secrets: PathBuf,
    /// For --admin-access too
    #[arg(long, help_heading = "Connection")]
    pub admin_access: bool,
    /// Whom to suggest on the page
    #[arg(long, value_name = "EMAIL", help_heading = "Sign-in")]
    pub login_hint: Option<String>,
    /// Port of this machine that the browser comes back to; 0 takes a free one
    #[arg(long, value_name = "PORT", default_value_t = 0, value_parser = port, help_heading = "Sign-in")]
    pub port: u16,
    /// Only print the address of the page
    #[arg(long, help_heading = "Sign-in")]
    pub no_browser: bool,
    /// Keep the sign-in in this file [default: tenure/login.json in the configuration folder]
    #[arg(short, long, value_name = "FILE", help_heading = "Output")]
    pub output: Option<PathBuf>,
}

/// `tenure logout`.
#[derive(Debug, Args)]
pub struct LogoutArgs {
    /// The sign-in's file [default: tenure/login.json in the configuration folder]
    #[arg(value_name = "FILE")]
    pub file: Option<PathBuf>,
}
