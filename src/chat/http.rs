//! Chat over HTTP.

use std::time::Duration;

use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use reqwest::{Client, Method, Response};

use super::{Answer, Call, Chat, Endpoint, Failure, Tokens, read_answer};
use crate::model::Timestamp;

/// The largest body that is read: a full page of `members.list` is well under 1 MiB.
const BODY_BYTES_MAX: usize = 16 << 20;

/// How the network is used.
#[derive(Debug, Clone)]
pub struct HttpOptions {
    /// Where calls go.
    pub endpoint: Endpoint,
    /// How long one call may take, from connecting to the last byte.
    pub timeout: Duration,
}

/// Google Chat, or an emulator of it, over HTTP.
#[derive(Debug)]
pub struct HttpChat<T> {
    client: Client,
    endpoint: Endpoint,
    tokens: T,
}

impl<T: Tokens> HttpChat<T> {
    /// Prepares a client; nothing is sent yet.
    ///
    /// # Errors
    /// When the system's TLS or proxy settings cannot be used.
    pub fn new(options: HttpOptions, tokens: T) -> Result<Self, reqwest::Error> {
        install_tls();
        // Whether a call is repeated or followed elsewhere is decided in one place, and that is not here.
        let mut builder = Client::builder()
            .user_agent(concat!("tenure/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(Duration::from_secs(10).min(options.timeout))
            .timeout(options.timeout)
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .pool_idle_timeout(Duration::from_secs(60))
            .tcp_nodelay(true);
        if options.endpoint.is_loopback() {
            builder = builder.no_proxy();
        }
        Ok(HttpChat { client: builder.build()?, endpoint: options.endpoint, tokens })
    }

    async fn send(&self, call: &Call, token: &str) -> Result<Answer, Failure> {
        let request = call.request();
        let method = Method::from_bytes(request.method.as_bytes()).unwrap_or(Method::GET);
        let mut bearer = HeaderValue::try_from(format!("Bearer {token}"))
            .map_err(|_| Failure::NotSent("the access token cannot be put into a header".to_owned()))?;
        bearer.set_sensitive(true);
        let mut builder = self
            .client
            .request(method, self.endpoint.join(&request.path, &request.query))
            .header(AUTHORIZATION, bearer);
        if let Some(body) = request.body {
            builder = builder
                .header(CONTENT_TYPE, HeaderValue::from_static("application/json; charset=UTF-8"))
                .body(body.to_string());
        }
        let response = builder.send().await.map_err(|error| failure(&error))?;
        let status = response.status();
        let header = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
        let retry_after = header.map(str::to_owned);
        let body = match read_body(response).await {
            Ok(body) => body,
            Err(failure) if status.is_success() => return Err(failure),
            // The status of a refusal says what happened, even when its body is cut short.
            Err(_) => Vec::new(),
        };
        read_answer(call, status.as_u16(), retry_after.as_deref(), &body, Timestamp::now())
    }
}

impl<T: Tokens> Chat for HttpChat<T> {
    async fn call(&self, call: Call) -> Result<Answer, Failure> {
        let token = self.tokens.token(None).await.map_err(Failure::Token)?;
        match self.send(&call, &token).await {
            // Expired or revoked since it was fetched: one fresh token tells which. A 401 has applied nothing.
            Err(Failure::Refused(refusal)) if refusal.http_status == 401 => {
                let token = self.tokens.token(Some(&token)).await.map_err(Failure::Token)?;
                self.send(&call, &token).await.map_err(|failure| match failure {
                    Failure::Refused(refusal) if refusal.http_status == 401 => Failure::Unauthorized(refusal),
                    failure => failure,
                })
            }
            answer => answer,
        }
    }
}

async fn read_body(mut response: Response) -> Result<Vec<u8>, Failure> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| failure(&error))? {
        if body.len() + chunk.len() > BODY_BYTES_MAX {
            return Err(Failure::Lost(format!("the answer is larger than {BODY_BYTES_MAX} bytes")));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

fn failure(error: &reqwest::Error) -> Failure {
    // The outer layers name the URL and themselves; the innermost says what happened.
    let mut cause: &dyn std::error::Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    let story = if error.is_timeout() { "timed out".to_owned() } else { cause.to_string() };
    if error.is_connect() || error.is_builder() { Failure::NotSent(story) } else { Failure::Lost(story) }
}

/// One TLS provider for the whole process, before any client is built.
pub(super) fn install_tls() {
    // An error means that it is installed already.
    let _ = rustls::crypto::ring::default_provider().install_default();
}
