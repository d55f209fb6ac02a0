//! Black-box tests: they drive the built binary, and look at nothing but what a user can see: exit codes, the two
//! outputs, the journal, and what Chat holds afterwards. And a simulation, which drives the engine against the
//! emulator's state machine.
#![cfg(unix)]
// Clippy's exceptions for tests cover functions marked as such, not the helpers between them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr)]

mod browser;
mod check;
mod clock;
mod config;
mod convert;
mod convert_matrix;
mod convert_mattermost;
mod convert_rocketchat;
mod convert_teams;
mod convert_zulip;
mod credentials;
mod damaged;
mod disk;
mod doctor;
mod document;
mod evening;
mod exit_codes;
mod first_hour;
mod fuzz_seeds;
mod help;
mod in_a_browser;
mod input_files;
mod interrupted;
mod journal;
mod keyless;
mod killed;
mod looking_on;
mod masks;
mod members;
mod migration;
mod outage;
mod output;
mod pacing;
mod packaging;
mod pages;
mod plan;
mod probe;
mod rejects;
mod report;
mod samples;
mod screens;
mod script;
mod secrets;
mod set_up;
mod sign_in;
mod simulation;
mod soak;
mod standard_spaces;
mod stints;
mod store;
mod support;
mod terminal;
mod titles;
mod undoing;
mod verified;
mod verify;
mod walk_through;
mod wire;
