//! Moves membership history from legacy chat systems into Google Chat.
//!
//! `ARCHITECTURE.md` shows the rooms and the way of one row through them.

pub mod emulator;
pub mod model;
