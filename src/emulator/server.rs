//! HTTP on loopback around the service: reads requests, keeps changes, plays latency and broken connections.

use std::convert::Infallible;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::{Body, Incoming};
use hyper::header::{CONTENT_TYPE, DATE, HeaderValue};
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinSet;

use super::oauth::{self, Identity};
use super::service::{Delivery, Outcome, Service};
use super::store::Store;
use super::world::{self, Change, Refusal};
use crate::model::Timestamp;

const BODY_BYTES_MAX: usize = 1 << 20;
const BODY_TIME_MAX: Duration = Duration::from_secs(30);
/// Latency varies upwards by at most this share.
const JITTER: f64 = 0.2;
const JSON: HeaderValue = HeaderValue::from_static("application/json; charset=UTF-8");
const TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=UTF-8");
const HTML: HeaderValue = HeaderValue::from_static("text/html; charset=UTF-8");

/// What all connections share.
pub(super) struct Shared {
    inner: Mutex<Inner>,
    latency: Duration,
    clock_skew_s: i64,
}

/// Behind one lock, so that the store's lines have the order of the changes. Never held across an await.
pub(super) struct Inner {
    pub(super) service: Service,
    pub(super) identity: Identity,
    pub(super) store: Option<Store>,
    /// Membership writes until the account's key is revoked; `None` for never.
    pub(super) writes_left: Option<u64>,
    /// Nothing is answered any more: the store is closed.
    pub(super) stopped: bool,
    /// Why something could not be written to the store.
    pub(super) unkept: Option<String>,
}

impl Shared {
    pub(super) fn new(inner: Inner, latency: Duration, clock_skew_s: i64) -> Self {
        Shared { inner: Mutex::new(inner), latency, clock_skew_s }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The emulator's idea of the time.
    pub(super) fn now(&self) -> Timestamp {
        let skew = self.clock_skew_s.saturating_mul(1_000_000);
        Timestamp::from_micros(Timestamp::now().as_micros().saturating_add(skew))
    }

    /// Closes the store: what comes in from now on gets no answer.
    pub(super) fn close(&self) {
        let mut inner = self.lock();
        inner.stopped = true;
        inner.store = None;
    }
}

/// The caller gets no answer; hyper closes the connection.
#[derive(Debug)]
struct NoAnswer;

impl fmt::Display for NoAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the connection is to break here")
    }
}

impl std::error::Error for NoAnswer {}

/// Accepts connections until told to stop, or dropped.
pub(super) async fn serve(
    listener: TcpListener,
    shared: Arc<Shared>,
    mut stop: oneshot::Receiver<Infallible>,
) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(connection(stream, Arc::clone(&shared)));
                }
                // Out of file descriptors, for one: others close theirs in time.
                Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
            },
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
            _ = &mut stop => break,
        }
    }
    connections.shutdown().await;
}

async fn connection(stream: TcpStream, shared: Arc<Shared>) {
    // Small answers must not wait for company.
    let _ = stream.set_nodelay(true);
    let service = hyper::service::service_fn(|request| respond(&shared, request));
    // An error here is a client that went away, or a connection that was to break.
    let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

async fn respond(shared: &Shared, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, NoAnswer> {
    let (head, body) = request.into_parts();
    let body = match read(body).await {
        Ok(body) => body,
        Err(refusal) => return Ok(shared.json(refusal.code, &refusal.to_json())),
    };
    let (method, path, query) = (head.method.as_str(), head.uri.path(), head.uri.query().unwrap_or(""));
    let field = |name: &str| head.headers.get(name).and_then(|value| value.to_str().ok());
    let bearer = field("authorization")
        .and_then(|value| value.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, token)| token.trim());
    let metadata_flavor = field("metadata-flavor");
    let request = oauth::Request { method, path, query, bearer, metadata_flavor, body: &body };
    let answer = shared.lock().identify(shared.now(), &request);
    if let Some(answer) = answer {
        shared.pause().await;
        return Ok(shared.identified(answer));
    }
    let outcome = {
        let mut inner = shared.lock();
        if inner.stopped {
            return Err(NoAnswer);
        }
        // Read under the lock: time never runs backwards from one request to the next.
        let now = shared.now();
        let principal = bearer.and_then(|token| inner.identity.principal(now, token));
        let outcome = inner
            .service
            .call(now, &world::Request { method, path, query, principal: principal.as_deref(), body: &body });
        inner.count(&outcome);
        inner.kept(outcome)
    };
    shared.pause().await;
    match outcome {
        Delivery::Json { status, body } => Ok(shared.json(status, &body)),
        Delivery::Html { status, body } => {
            Ok(shared.answer(status, HTML, Bytes::from_static(body.as_bytes())))
        }
        Delivery::Reset => Err(NoAnswer),
        Delivery::Hang => std::future::pending().await,
    }
}

impl Inner {
    /// What identity services answer; `None` when the request is for Chat.
    fn identify(&mut self, now: Timestamp, request: &oauth::Request<'_>) -> Option<oauth::Answer> {
        if request.is_for_token() && self.service.faults.draw_token_error() {
            return Some(oauth::Answer::unavailable());
        }
        self.identity.handle(now, request)
    }

    /// Revokes the key after the last write that it was to be good for.
    fn count(&mut self, outcome: &Outcome) {
        if let Some(left) = &mut self.writes_left
            && outcome.changes.iter().any(Change::is_of_membership)
        {
            *left = left.saturating_sub(1);
            if *left == 0 {
                self.writes_left = None;
                self.identity.set_key_revoked(true);
            }
        }
    }

    /// Keeps what changed. An answer leaves only when that worked; once it has not, memory knows of things that the store
    /// does not, and nothing may be told of them any more.
    fn kept(&mut self, outcome: Outcome) -> Delivery {
        if !outcome.changes.is_empty()
            && let Some(store) = &mut self.store
            && let Err(error) = store.append(&outcome.changes)
        {
            self.unkept.get_or_insert(format!(
                "The emulator cannot keep what it holds: {error}. Start it again when that is mended."
            ));
        }
        if let Some(story) = &self.unkept {
            let refusal = Refusal { message: story.clone().into(), ..Refusal::unavailable() };
            return Delivery::Json { status: refusal.code, body: refusal.to_json() };
        }
        outcome.delivery
    }
}

/// A whole body, within limits.
async fn read(body: Incoming) -> Result<Bytes, Refusal> {
    if body.is_end_stream() {
        return Ok(Bytes::new());
    }
    let refusal = |code, status, message: &'static str| Refusal {
        code,
        status,
        message: message.into(),
        details: Vec::new(),
    };
    match tokio::time::timeout(BODY_TIME_MAX, Limited::new(body, BODY_BYTES_MAX).collect()).await {
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => {
            Err(refusal(413, "INVALID_ARGUMENT", "The request is too large."))
        }
        Ok(Err(_)) => Err(refusal(400, "INVALID_ARGUMENT", "The request could not be read.")),
        Err(_) => Err(refusal(408, "DEADLINE_EXCEEDED", "The request took too long to arrive.")),
    }
}

impl Shared {
    async fn pause(&self) {
        if self.latency.is_zero() {
            return;
        }
        let share = self.lock().service.faults.share();
        tokio::time::sleep(self.latency.mul_f64(1.0 + JITTER * share)).await;
    }

    fn identified(&self, answer: oauth::Answer) -> Response<Full<Bytes>> {
        let mut response = match answer.body {
            oauth::Body::Json(body) => self.json(answer.status, &body),
            oauth::Body::Text(text) => self.answer(answer.status, TEXT, Bytes::from(text)),
        };
        for (name, value) in answer.headers {
            if let Ok(value) = HeaderValue::from_str(&value) {
                response.headers_mut().insert(name, value);
            }
        }
        response
    }

    fn json(&self, status: u16, body: &Value) -> Response<Full<Bytes>> {
        self.answer(status, JSON, Bytes::from(body.to_string()))
    }

    fn answer(&self, status: u16, kind: HeaderValue, body: Bytes) -> Response<Full<Bytes>> {
        let mut response = Response::new(Full::new(body));
        *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        response.headers_mut().insert(CONTENT_TYPE, kind);
        // hyper adds the true date; a skewed clock shows its own.
        if self.clock_skew_s != 0
            && let Ok(now) = jiff::Timestamp::from_microsecond(self.now().as_micros())
            && let Ok(date) = HeaderValue::from_str(&now.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string())
        {
            response.headers_mut().insert(DATE, date);
        }
        response
    }
}
