//! How this program reaches others: over https (or on this machine), through the environment's proxies, within bounds
//! of time and size, never redirected, never repeated.

mod client;
mod endpoint;
mod proxied;

pub use client::{Client, ClientError, Outgoing, Reply, Unanswered, parse};
pub(crate) use client::{innermost, install_tls};
pub use endpoint::{Endpoint, EndpointError};
pub use proxied::proxy_for;
pub(crate) use proxied::{Proxied, connector};
