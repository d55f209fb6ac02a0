//! A local Chat API to rehearse on: Google's rules, quotas and errors, and its bad days on demand.

pub mod faults;
pub mod quota;
pub mod service;
pub mod world;
