//! Chat over HTTP.

use std::sync::Arc;
use std::time::Duration;

use super::{Access, Answer, Call, Chat, Failure, Request, read_answer};
use crate::credentials::Tokens;
use crate::model::Timestamp;
use crate::network::{Client, ClientError, Endpoint, Outgoing, Unanswered};

/// Google Chat, or an emulator of it, over HTTP.
#[derive(Debug)]
pub struct HttpChat<T> {
    client: Client,
    endpoint: Endpoint,
    tokens: Arc<T>,
}

impl<T: Tokens> HttpChat<T> {
    /// Prepares a client; nothing is sent yet. `timeout` is how long one call may take, from connecting to the last byte.
    ///
    /// # Errors
    /// When the system's TLS or proxy settings cannot be used.
    pub fn new(endpoint: Endpoint, timeout: Duration, tokens: Arc<T>) -> Result<Self, ClientError> {
        Ok(HttpChat { client: Client::new(timeout)?, endpoint, tokens })
    }

    async fn send(&self, call: &Call, request: &Request<'_>, token: &str) -> Result<Answer, Failure> {
        let body = request.body.as_ref().map(|body| ("application/json; charset=UTF-8", body.to_string()));
        let outgoing = Outgoing {
            method: request.method,
            url: self.endpoint.join(&request.path, &request.query),
            token: Some(token),
            headers: &[],
            body,
        };
        let reply =
            self.client.send(outgoing).await.map_err(|unanswered| unanswered.at(&self.endpoint.host()))?;
        read_answer(call, reply.status, reply.retry_after(), &reply.body, Timestamp::now())
    }
}

impl<T: Tokens> Chat for HttpChat<T> {
    async fn call(&self, call: Call, access: Access) -> Result<Answer, Failure> {
        let request = call.request(access).map_err(Failure::NotOffered)?;
        let token = self.tokens.token(request.need, None).await.map_err(Failure::Token)?;
        match self.send(&call, &request, &token).await {
            // Expired or revoked since it was fetched: one fresh token tells which. A 401 has applied nothing.
            Err(Failure::Refused(refusal)) if refusal.http_status == 401 => {
                let token = self.tokens.token(request.need, Some(&token)).await.map_err(Failure::Token)?;
                self.send(&call, &request, &token).await.map_err(|failure| match failure {
                    Failure::Refused(refusal) if refusal.http_status == 401 => Failure::Unauthorized(refusal),
                    failure => failure,
                })
            }
            answer => answer,
        }
    }
}

impl From<Unanswered> for Failure {
    fn from(unanswered: Unanswered) -> Self {
        match unanswered {
            Unanswered::NotSent(story) => Failure::NotSent(story),
            Unanswered::Lost(story) => Failure::Lost(story),
        }
    }
}
