//! Moves membership history from legacy chat systems into Google Chat.
//!
//! `ARCHITECTURE.md` shows the rooms and the way of one row through them.

pub mod aside;
pub mod caller;
pub mod chat;
pub mod cli;
pub mod commands;
pub mod config;
pub mod convert;
pub mod credentials;
pub mod diagnostics;
pub mod doctor;
pub mod emulator;
pub mod engine;
pub mod exit;
pub mod input;
pub mod intake;
pub mod journal;
pub mod logging;
pub mod model;
pub mod network;
pub mod plan;
pub mod progress;
pub mod remedy;
pub mod report;
pub mod settings;
pub mod signals;
pub mod summary;
pub mod verify;
pub mod watch;
pub mod wording;
