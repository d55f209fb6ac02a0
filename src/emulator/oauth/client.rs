//! The OAuth client of the Cloud project: an installed app, whose secret is none (RFC 8252, 8.5).

use base64::Engine;
use hyper::Uri;
use serde_json::json;

use super::super::key::ServiceAccountKey;
use super::super::project;
use super::answer::Problem;
use super::form::Form;
use super::{BASE64, TOKEN_PATH};

/// Where people sign in, and where tokens are given back, below the emulator's own address.
pub(super) const AUTH_PATH: &str = "/o/oauth2/auth";
pub(super) const REVOKE_PATH: &str = "/revoke";

/// What a client says of itself. Both follow from the service account's key, so that they are good as long as it is
/// kept.
pub(super) struct Client {
    pub(super) id: String,
    pub(super) secret: String,
}

impl Client {
    pub(super) fn of(key: &ServiceAccountKey) -> Client {
        let text = |purpose| BASE64.encode(key.derive(purpose));
        let name: String =
            key.derive("OAuth client id").iter().take(16).map(|byte| format!("{byte:02x}")).collect();
        Client {
            id: format!("{}-{name}.apps.googleusercontent.com", project::NUMBER),
            secret: format!("GOCSPX-{:.28}", text("OAuth client secret")),
        }
    }

    /// Whether a form comes from this client.
    ///
    /// # Errors
    /// `invalid_request` without, `invalid_client` with a wrong id or secret.
    pub(super) fn check(&self, form: &Form) -> Result<(), Problem> {
        if form.need("client_id")? != self.id {
            return Err(Problem(401, "invalid_client", "The OAuth client was not found.".into()));
        }
        if form.need("client_secret")? != self.secret {
            return Err(Problem(401, "invalid_client", "The provided client secret is invalid.".into()));
        }
        Ok(())
    }

    /// The text of a `client_secrets.json` as Google's console gives it, for the emulator at `address`.
    pub(super) fn secrets_json(&self, address: &str) -> String {
        let file = json!({"installed": {
            "client_id": self.id,
            "project_id": project::ID,
            "auth_uri": format!("{address}{AUTH_PATH}"),
            "token_uri": format!("{address}{TOKEN_PATH}"),
            "auth_provider_x509_cert_url": "https://www.googleapis.com/oauth2/v1/certs",
            "client_secret": self.secret,
            "redirect_uris": ["http://localhost"],
        }});
        format!("{file:#}\n")
    }
}

/// Whether a browser may be sent there with a code: to this machine, at whatever port (RFC 8252, 7.3).
pub(super) fn is_loopback(redirect_uri: &str) -> bool {
    let Ok(uri) = redirect_uri.parse::<Uri>() else {
        return false;
    };
    let host = uri.host().unwrap_or("");
    uri.scheme_str() == Some("http")
        && ["127.0.0.1", "[::1]", "localhost"].contains(&host)
        && !uri.authority().is_some_and(|authority| authority.as_str().contains('@'))
        && !redirect_uri.contains('#')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_a_code_may_go() {
        for (uri, good) in [
            ("http://localhost", true),
            ("http://127.0.0.1:54321/", true),
            ("http://[::1]:8080/callback?x=1", true),
            ("https://localhost/", false),
            ("http://localhost.example.com/", false),
            ("http://127.0.0.1@example.com/", false),
            ("http://me@127.0.0.1/", false),
            ("http://127.0.0.1/#part", false),
            ("http://example.com/", false),
            ("urn:ietf:wg:oauth:2.0:oob", false),
            ("/callback", false),
            ("", false),
        ] {
            assert_eq!(is_loopback(uri), good, "{uri}");
        }
    }
}
