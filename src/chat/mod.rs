//! The Chat API as a client sees it: calls, answers, failures, and the network behind them.
//!
//! `call` and `answer` are pure: a [`Call`] becomes a request, an answer's bytes become a value or a [`Failure`].
//! `http` and `token` are the shell around them.

mod answer;
mod call;
mod endpoint;
mod http;
mod token;

use std::future::Future;

pub use answer::{Answer, Failure, Membership, Page, Refusal, read_answer};
pub use call::{Call, Request, SCOPE_IMPORT};
pub use endpoint::{Endpoint, EndpointError};
pub use http::{HttpChat, HttpOptions};
pub use token::{KeyError, ServiceAccount, TokenFailure, Tokens};

/// Something that answers calls: Google Chat over HTTP, or a simulation of it.
pub trait Chat: Send + Sync + 'static {
    /// Makes one call, once. Nothing is retried in here, but for one fresh token after a 401.
    fn call(&self, call: Call) -> impl Future<Output = Result<Answer, Failure>> + Send;
}
