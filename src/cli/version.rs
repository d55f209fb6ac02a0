//! What `tenure --version` says beyond the number: what exactly was built. build.rs finds it out.

/// The day to which manual pages are dated, in seconds since 1970: `SOURCE_DATE_EPOCH`, or that of the commit; empty where
/// neither is known.
pub(super) const EPOCH: &str = env!("TENURE_BUILD_EPOCH");

/// Version, commit, what for and with what.
pub(super) const LONG: &str = concat!(
    env!("CARGO_PKG_VERSION"),
    "\ncommit    ",
    env!("TENURE_BUILD_COMMIT"),
    "\nbuild     ",
    env!("TENURE_BUILD_PROFILE"),
    ", ",
    env!("TENURE_BUILD_TARGET"),
    "\nfeatures  CSV, JSON lines, gzip, zstd, ZIP; bundled SQLite; TLS by rustls with ring; bundled time zones",
);
