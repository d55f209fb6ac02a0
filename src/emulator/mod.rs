//! A local Chat API to rehearse on: Google's rules, quotas and errors, and its bad days on demand.

pub mod world;
