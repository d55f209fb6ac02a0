//! From a legacy system's export to memberships: readers, one a system, turn exports into facts; one reconstruction, the
//! same for all, turns facts into stints.
//!
//! ```text
//! export (folder, archive) ─ a reader ──▶ Fact ──▶ Gathered ── reconstruct ──▶ Stint ──▶ Converted ──▶ files, report
//! ```

mod export;
pub mod fact;
mod flaw;
mod gather;
mod json;
pub mod matrix;
pub mod mattermost;
mod meter;
mod outcome;
mod people;
mod reconstruct;
mod report;
pub mod rocketchat;
pub mod slack;
#[cfg(test)]
mod sound;
pub mod teams;
#[cfg(test)]
mod truth;
mod write;
pub mod zulip;

pub use export::Export;
pub use gather::Gathered;
pub use meter::Seen;
pub use outcome::{Choices, Converted, Nameless, Row, Space, convert};
pub use people::{DomainRule, People};
pub use reconstruct::{
    Act, Archiving, End, Guessing, InferredEnd, InferredStart, Known, Life, Mark, Outcome, Roster,
    SAME_EVENT, Start, Stint, reconstruct,
};
pub use report::{NO_ADDRESS, Report};
pub use write::{write_channels, write_memberships, write_missing};
