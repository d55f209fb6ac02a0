//! The Chat API as a client sees it: calls, answers, failures, and the network behind them.
//!
//! Pure but for `http`: a [`Call`] made in some [`Access`] becomes a request; an answer's status and bytes become a
//! resource or a [`Failure`].

mod access;
mod answer;
mod call;
#[cfg(test)]
mod discovery;
mod http;
mod refusal;
mod resource;

use std::future::Future;

pub use access::{Access, Method, NotOffered};
pub use answer::{Answer, Failure, read_answer};
pub use call::{Call, Listing, NewSpace, PAGE_SIZE_MAX, Request};
pub use http::HttpChat;
pub use refusal::{Cause, Refusal};
pub use resource::{Membership, Page, Space, SpacePage};

/// Something that answers calls: Google Chat over HTTP, or a simulation of it.
pub trait Chat: Send + Sync + 'static {
    /// Makes one call, once. Nothing is retried in here, but for one fresh token after a 401.
    fn call(&self, call: Call, access: Access) -> impl Future<Output = Result<Answer, Failure>> + Send;
}
