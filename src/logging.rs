//! What happens on the way to Google, for whoever looks into a trouble: `TENURE_LOG=debug` (or `trace`, or filters such as
//! `tenure=debug,reqwest=trace`) on standard error. Without it nothing is logged.

use std::io::{self, Write as _};

use env_logger::fmt::Formatter;
use log::{LevelFilter, Log, Metadata, Record};

use crate::wording::harmless;

/// The variable.
pub const VARIABLE: &str = "TENURE_LOG";
/// yup-oauth2 logs assertions and tokens.
const SECRETIVE: &str = "yup_oauth2";

/// A logger that never passes on what a library says that logs secrets, whatever the filters say.
struct Discreet(env_logger::Logger);

impl Log for Discreet {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        !is_secretive(metadata.target()) && self.0.enabled(metadata)
    }

    fn log(&self, record: &Record<'_>) {
        let module = record.module_path().unwrap_or_default();
        if !is_secretive(record.target()) && !is_secretive(module) {
            self.0.log(record);
        }
    }

    fn flush(&self) {
        self.0.flush();
    }
}

fn is_secretive(module: &str) -> bool {
    module.starts_with(SECRETIVE)
}

/// Begins to log, if the environment asks for it.
pub fn begin() {
    let Ok(filters) = std::env::var(VARIABLE) else { return };
    let logger = env_logger::Builder::new().parse_filters(&filters).format(line).build();
    let level = logger.filter();
    if log::set_boxed_logger(Box::new(Discreet(logger))).is_ok() {
        log::set_max_level(level);
    }
}

/// A line as env_logger writes it, except that nothing a server says disturbs the terminal.
fn line(out: &mut Formatter, record: &Record<'_>) -> io::Result<()> {
    let said = record.args().to_string();
    writeln!(out, "[{:<5} {}] {}", record.level(), record.target(), harmless(&said))
}

/// Whether anything is logged, so that nothing is drawn over it.
pub fn is_on() -> bool {
    log::max_level() != LevelFilter::Off
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_filter_lets_secrets_through() {
        let logger = env_logger::Builder::new()
            .parse_filters("trace,yup_oauth2=trace,yup_oauth2::service_account=trace")
            .build();
        let logger = Discreet(logger);
        let of = |target: &'static str| Metadata::builder().target(target).level(log::Level::Error).build();
        assert!(logger.enabled(&of("reqwest::connect")));
        assert!(!logger.enabled(&of("yup_oauth2")) && !logger.enabled(&of("yup_oauth2::service_account")));
    }
}
