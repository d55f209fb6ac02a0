//! An emulator's identity services at a desk, for the tests of this room.

use std::sync::LazyLock;

use rand::SeedableRng;
use rand::rngs::StdRng;
use serde_json::Value;

use super::super::key::ServiceAccountKey;
use super::super::world::Scopes;
use super::{Answer, Body, Identity, Request, SetUp};
use crate::model::Timestamp;

pub(super) const ADDRESS: &str = "http://127.0.0.1:1";
pub(super) const NOW_S: i64 = 1_800_000_000;

/// Making a key takes longer than all the rest of a test.
pub(super) static KEY: LazyLock<ServiceAccountKey> = LazyLock::new(|| ServiceAccountKey::generate().unwrap());

/// So many seconds from now.
pub(super) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_micros((NOW_S + seconds) * 1_000_000)
}

pub(super) fn identity() -> Identity {
    let set_up = SetUp {
        address: ADDRESS.to_owned(),
        token_life_s: 3600,
        delegated: Scopes::IMPORT,
        home_domains: Vec::new(),
        person: "someone@example.com".to_owned(),
        consents: true,
        token_creator: true,
    };
    Identity::new(KEY.clone(), set_up, StdRng::seed_from_u64(1))
}

/// A request with nothing in it.
pub(super) fn request<'a>(method: &'a str, path: &'a str) -> Request<'a> {
    Request { method, path, query: "", bearer: None, metadata_flavor: None, body: b"" }
}

/// Status and JSON of an answer.
pub(super) fn json_of(answer: Option<Answer>) -> (u16, Value) {
    let answer = answer.unwrap();
    let Body::Json(body) = answer.body else { panic!("{answer:?}") };
    (answer.status, body)
}

/// Posts a form.
pub(super) fn post(identity: &mut Identity, now: Timestamp, path: &str, form: &str) -> (u16, Value) {
    json_of(identity.handle(now, &Request { body: form.as_bytes(), ..request("POST", path) }))
}
