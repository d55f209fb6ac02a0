//! Something traded for an access token at a token endpoint (RFC 6749, 4.1.3 and 6; RFC 7523).

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use serde_json::Value;

use super::{Token, TokenFailure};
use crate::network::{Client, Reply};

/// Google's token endpoint, for credentials that do not name one.
pub(super) const GOOGLES_TOKEN_URI: &str = "https://oauth2.googleapis.com/token";

/// Posts a grant and reads the token; the whole answer comes with it.
///
/// # Errors
/// When the endpoint is out of reach or in trouble, or says no.
pub(super) async fn exchange(
    client: &Client,
    token_uri: &str,
    fields: &[(&str, &str)],
) -> Result<(Token, Value), TokenFailure> {
    let reply = client.post_form(token_uri, fields).await?;
    let answer = serde_json::from_slice(&reply.body).unwrap_or(Value::Null);
    Ok((read_token(&reply, &answer)?, answer))
}

/// Reads a token's answer (RFC 6749, 5.1).
///
/// # Errors
/// When it holds none.
pub(super) fn read_token(reply: &Reply, answer: &Value) -> Result<Token, TokenFailure> {
    match answer["access_token"].as_str() {
        Some(text) if (200..300).contains(&reply.status) => {
            let life = answer["expires_in"].as_u64().map(Duration::from_secs);
            let expires = life.and_then(|life| SystemTime::now().checked_add(life));
            Ok(Token { text: Arc::from(text), expires })
        }
        _ => Err(TokenFailure::of_reply(reply.status, &reply.body)),
    }
}
