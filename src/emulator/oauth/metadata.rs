//! The metadata server that every machine of Google's has: tokens of the service account that the machine runs as.

use serde_json::json;

use super::super::project;
use super::super::world::{Principal, Scopes};
use super::answer::{Answer, Body};
use super::tokens::Source;
use super::{Identity, Request};
use crate::model::Timestamp;

const FLAVOR: (&str, &str) = ("metadata-flavor", "Google");

impl Identity {
    /// Answers a request to the metadata server; `None` when it is for somebody else.
    pub(super) fn metadata(&mut self, now: Timestamp, request: &Request<'_>) -> Option<Answer> {
        let flavored = request.metadata_flavor == Some(FLAVOR.1);
        let asked = match request.path.strip_prefix("/computeMetadata/v1/") {
            Some(asked) => asked,
            // Clients knock here first.
            None if request.path == "/" && flavored => "",
            None => return None,
        };
        let body = match (request.method, flavored) {
            ("GET", true) => self.known(now, asked),
            ("GET", false) => {
                let missing = "Missing Metadata-Flavor:Google header.\n".to_owned();
                return Some(flavor(Answer::text(403, missing)));
            }
            _ => None,
        };
        Some(flavor(match body {
            Some(Body::Json(body)) => Answer::json(200, body),
            Some(Body::Text(text)) => Answer::text(200, text),
            None => Answer::text(404, "There is no such metadata.\n".to_owned()),
        }))
    }

    fn known(&mut self, now: Timestamp, asked: &str) -> Option<Body> {
        let email = self.key.client_email().to_owned();
        match asked {
            "" => return Some(Body::Text("instance/\nproject/\n".to_owned())),
            "project/project-id" => return Some(Body::Text(project::ID.to_owned())),
            "project/numeric-project-id" => return Some(Body::Text(project::NUMBER.to_owned())),
            _ => {}
        }
        let (account, asked) = asked.strip_prefix("instance/service-accounts/")?.split_once('/')?;
        if account != "default" && account != email {
            return None;
        }
        match asked {
            "" => Some(Body::Json(json!({
                "aliases": ["default"], "email": email, "scopes": [Scopes::CLOUD_PLATFORM.to_string()],
            }))),
            "email" => Some(Body::Text(email)),
            "scopes" => Some(Body::Text(format!("{}\n", Scopes::CLOUD_PLATFORM))),
            "token" => {
                let principal = Principal::new(Scopes::CLOUD_PLATFORM, None);
                Some(Body::Json(self.issue(now, principal, Source::Machine)))
            }
            _ => None,
        }
    }
}

/// Every answer of this server says whose it is.
fn flavor(mut answer: Answer) -> Answer {
    answer.headers.push((FLAVOR.0, FLAVOR.1.to_owned()));
    answer
}

#[cfg(test)]
mod tests {
    use super::super::testing::{KEY, at, identity, json_of, request};
    use super::*;

    fn ask<'a>(path: &'a str) -> Request<'a> {
        Request { metadata_flavor: Some("Google"), ..request("GET", path) }
    }

    #[test]
    fn a_machine_has_a_token_of_its_account() {
        let mut identity = identity();
        let folder = "/computeMetadata/v1/instance/service-accounts";
        for account in ["default", KEY.client_email()] {
            let (status, token) = json_of(identity.handle(at(0), &ask(&format!("{folder}/{account}/token"))));
            assert_eq!(
                (status, &token["expires_in"], &token["token_type"]),
                (200, &json!(3600), &json!("Bearer"))
            );
            let principal = identity.principal(at(0), token["access_token"].as_str().unwrap()).unwrap();
            assert_eq!((principal.scopes(), principal.subject()), (Scopes::CLOUD_PLATFORM, None));
            let email = identity.handle(at(0), &ask(&format!("{folder}/{account}/email"))).unwrap();
            assert_eq!(email.body, Body::Text(KEY.client_email().to_owned()));
            assert_eq!(email.headers, [("metadata-flavor", "Google".to_owned())]);
        }
        let (_, account) = json_of(identity.handle(at(0), &ask(&format!("{folder}/default/"))));
        assert_eq!(account["email"], KEY.client_email());
    }

    #[test]
    fn who_does_not_ask_like_a_client_gets_nothing() {
        let mut identity = identity();
        let path = "/computeMetadata/v1/instance/service-accounts/default/token";
        for (flavor, path, status) in [
            (None, path, Some(403)),
            (Some("google"), path, Some(403)),
            (Some("Google"), "/computeMetadata/v1/instance/service-accounts/other/token", Some(404)),
            (Some("Google"), "/computeMetadata/v1/instance/disks", Some(404)),
            (Some("Google"), "/", Some(200)),
            (None, "/", None),
            (Some("Google"), "/v1/spaces", None),
        ] {
            let asked = Request { metadata_flavor: flavor, ..request("GET", path) };
            let answer = identity.handle(at(0), &asked);
            assert_eq!(answer.map(|answer| answer.status), status, "{flavor:?} {path}");
        }
    }
}
