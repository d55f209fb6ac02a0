//! Whether everything is ready, and what to click when it is not.
//!
//! `examine` makes a check's result of what was seen, `report` makes text and JSON of results, `findings` are what a probe
//! has found out: all pure. `probe` asks Chat what Google does not document; `look` sees how things are.

mod examine;
mod findings;
mod look;
mod probe;
mod report;

pub use examine::{Seen, SpaceSeen, clock, network, spaces, standing, token};
pub use findings::{FINDINGS_FILE, Findings, FindingsError, Repeat, Second};
pub use look::{look_at_spaces, reach};
pub use probe::{Plan, ProbeError, probe};
pub use report::{Check, Outcome, Report};
