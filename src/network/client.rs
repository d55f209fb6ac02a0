//! The HTTP client that everything but yup-oauth2 goes through.

use std::time::{Duration, Instant};

use bytes::Bytes;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, DATE, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};
use reqwest::{Method, Response, Url};

use super::endpoint::{is_loopback, place};
use crate::model::Timestamp;

/// The largest body that is read: a full page of `members.list` is well under 1 MiB.
const BODY_BYTES_MAX: usize = 16 << 20;
/// How long connecting may take, unless the whole call may take less.
const CONNECT_TIME_MAX: Duration = Duration::from_secs(10);

/// The client cannot be set up: the system's TLS or proxy settings cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("the HTTP client cannot be set up: {0}")]
pub struct ClientError(#[from] reqwest::Error);

/// An HTTP client: connections are reused, HTTP/2 is spoken where the server offers it, proxies come from the
/// environment but for what is close by.
#[derive(Debug, Clone)]
pub struct Client {
    proxied: reqwest::Client,
    direct: reqwest::Client,
}

/// A whole answer, whatever its status. It may hold a token, so there is no `Debug`.
#[derive(Clone, Default)]
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// The body; as much of it as came, when the status is an error anyway.
    pub body: Bytes,
    headers: HeaderMap,
}

impl Reply {
    /// `Retry-After`, as it stands.
    pub fn retry_after(&self) -> Option<&str> {
        self.header(RETRY_AFTER)
    }

    fn header(&self, name: HeaderName) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// How far this machine's clock is ahead of the server's now, by its `Date`, in whole seconds; negative when it is
    /// behind.
    pub fn clock_ahead_s(&self) -> Option<i64> {
        let date = Timestamp::parse_http(self.header(DATE)?)?;
        Some((Timestamp::now().as_micros() - date.as_micros()).div_euclid(1_000_000))
    }
}

/// Why there is no whole answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unanswered {
    /// No connection could be made. The request has not left.
    NotSent(String),
    /// The request left: it may have been applied.
    Lost(String),
}

impl Unanswered {
    /// The same, naming where the request was to go, if no connection could be made.
    #[must_use]
    pub fn at(self, host: &str) -> Self {
        match self {
            Unanswered::NotSent(story) => Unanswered::NotSent(format!("{host}: {story}")),
            lost @ Unanswered::Lost(_) => lost,
        }
    }

    /// What happened, in words.
    pub fn story(&self) -> &str {
        match self {
            Unanswered::NotSent(story) | Unanswered::Lost(story) => story,
        }
    }
}

impl Client {
    /// Prepares a client; nothing is sent yet. `timeout` is how long one call may take, from connecting to the last byte.
    ///
    /// # Errors
    /// When the system's TLS or proxy settings cannot be used.
    pub fn new(timeout: Duration) -> Result<Self, ClientError> {
        install_tls();
        // Whether a call is repeated or followed elsewhere is decided in one place, and that is not here.
        let builder = || {
            reqwest::Client::builder()
                .user_agent(concat!("tenure/", env!("CARGO_PKG_VERSION")))
                .connect_timeout(CONNECT_TIME_MAX.min(timeout))
                .timeout(timeout)
                .redirect(reqwest::redirect::Policy::none())
                .retry(reqwest::retry::never())
                .referer(false)
                .pool_idle_timeout(Duration::from_secs(60))
                .tcp_nodelay(true)
        };
        Ok(Client { proxied: builder().build()?, direct: builder().no_proxy().build()? })
    }

    /// Makes one request, once.
    ///
    /// # Errors
    /// When there is no whole answer.
    pub async fn send(&self, request: Outgoing<'_>) -> Result<Reply, Unanswered> {
        if !log::log_enabled!(log::Level::Debug) {
            return self.exchange(request).await;
        }
        // Queries, headers and bodies may hold what nobody should read.
        let what = format!("{} {}{}", request.method, request.url.authority(), request.url.path());
        let begin = Instant::now();
        let reply = self.exchange(request).await;
        let ms = begin.elapsed().as_millis();
        match &reply {
            Ok(reply) => log::debug!("{what}: {} in {ms} ms, {} bytes", reply.status, reply.body.len()),
            Err(unanswered) => log::debug!("{what}: {unanswered:?} after {ms} ms"),
        }
        reply
    }

    async fn exchange(&self, request: Outgoing<'_>) -> Result<Reply, Unanswered> {
        let method = Method::from_bytes(request.method.as_bytes()).unwrap_or(Method::GET);
        // In clear goes only what stays close by: this machine, or the host that it runs on.
        let near = request.url.scheme() == "http" || is_loopback(&request.url);
        let client = if near { &self.direct } else { &self.proxied };
        let mut builder = client.request(method, request.url);
        if let Some(token) = request.token {
            let mut bearer = HeaderValue::try_from(format!("Bearer {token}")).map_err(|_| {
                Unanswered::NotSent("the access token cannot be put into a header".to_owned())
            })?;
            bearer.set_sensitive(true);
            builder = builder.header(AUTHORIZATION, bearer);
        }
        if let Some((kind, body)) = request.body {
            builder = builder.header(CONTENT_TYPE, HeaderValue::from_static(kind)).body(body);
        }
        for (name, value) in request.headers {
            builder = builder.header(*name, *value);
        }
        let mut response = builder.send().await.map_err(|error| unanswered(&error))?;
        let status = response.status();
        let headers = std::mem::take(response.headers_mut());
        let (body, cut) = read_body(response).await;
        match cut {
            Some(lost) if status.is_success() => return Err(lost),
            // A refusal says what happened, even when it is cut short.
            _ => {}
        }
        Ok(Reply { status: status.as_u16(), headers, body })
    }

    /// Posts a form.
    ///
    /// # Errors
    /// When there is no whole answer.
    pub async fn post_form(&self, url: &str, fields: &[(&str, &str)]) -> Result<Reply, Unanswered> {
        let form = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let body = Some(("application/x-www-form-urlencoded", form));
        let url = parse(url)?;
        let host = place(&url);
        let outgoing = Outgoing { method: "POST", url, token: None, headers: &[], body };
        self.send(outgoing).await.map_err(|unanswered| unanswered.at(&host))
    }

    /// Asks for a page without a token, for what its head tells.
    ///
    /// # Errors
    /// When there is no whole answer.
    pub async fn look(&self, url: &str) -> Result<Reply, Unanswered> {
        self.send(Outgoing { method: "GET", url: parse(url)?, token: None, headers: &[], body: None }).await
    }
}

/// A request as it leaves. It may hold secrets, so there is no `Debug`.
pub struct Outgoing<'a> {
    /// HTTP method.
    pub method: &'a str,
    /// Where to.
    pub url: Url,
    /// Bearer token.
    pub token: Option<&'a str>,
    /// Further headers.
    pub headers: &'a [(&'static str, &'static str)],
    /// Content type and content.
    pub body: Option<(&'static str, String)>,
}

/// Reads a URL that was checked before.
///
/// # Errors
/// When it is none.
pub fn parse(url: &str) -> Result<Url, Unanswered> {
    Url::parse(url).map_err(|error| Unanswered::NotSent(format!("{url}: {error}")))
}

/// What came of a body, and why it ended before its end, if it did.
async fn read_body(mut response: Response) -> (Bytes, Option<Unanswered>) {
    let mut first = Bytes::new();
    // Most answers are one chunk, and need no other place.
    let mut body = Vec::new();
    let lost = loop {
        match response.chunk().await {
            Ok(None) => break None,
            Ok(Some(chunk)) if first.len() + body.len() + chunk.len() > BODY_BYTES_MAX => {
                let story = format!("the answer is larger than {BODY_BYTES_MAX} bytes");
                break Some(Unanswered::Lost(story));
            }
            Ok(Some(chunk)) if first.is_empty() => first = chunk,
            Ok(Some(chunk)) => body.extend_from_slice(&chunk),
            Err(error) => break Some(unanswered(&error)),
        }
    };
    if body.is_empty() { (first, lost) } else { ([&first[..], &body].concat().into(), lost) }
}

fn unanswered(error: &reqwest::Error) -> Unanswered {
    let story = if error.is_timeout() { "timed out".to_owned() } else { innermost(error) };
    if error.is_connect() || error.is_builder() {
        Unanswered::NotSent(story)
    } else {
        Unanswered::Lost(story)
    }
}

/// The outer layers of an error name the URL and themselves; the innermost says what happened.
pub(crate) fn innermost(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}

/// One TLS provider for the whole process, before any client is built.
pub(crate) fn install_tls() {
    // An error means that it is installed already.
    let _ = rustls::crypto::ring::default_provider().install_default();
}
