//! Where calls go: https, or this machine. A token never leaves in clear.

use std::fmt;

use reqwest::Url;

/// The base URL of an API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint(Url);

/// Why a text is no endpoint.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EndpointError {
    /// Not a URL.
    #[error("it is not a URL such as https://chat.googleapis.com/")]
    NotAUrl,
    /// Neither https nor loopback.
    #[error(
        "it must begin with https:// (http:// is allowed for this machine alone), since a token goes with every call"
    )]
    InClear,
    /// With parts that a base URL cannot have.
    #[error("it must be a bare host, without user, query or fragment")]
    NotBare,
}

impl Endpoint {
    /// Google's own Chat API.
    pub const GOOGLE: &'static str = "https://chat.googleapis.com/";

    /// Checks a URL.
    ///
    /// # Errors
    /// When a token must not be sent there.
    pub fn parse(text: &str) -> Result<Self, EndpointError> {
        let mut url = Url::parse(text).map_err(|_| EndpointError::NotAUrl)?;
        match url.scheme() {
            "https" => {}
            "http" if is_loopback(&url) => {}
            "http" => return Err(EndpointError::InClear),
            _ => return Err(EndpointError::NotAUrl),
        }
        if !url.username().is_empty()
            || url.password().is_some()
            || url.query().is_some()
            || url.fragment().is_some()
        {
            return Err(EndpointError::NotBare);
        }
        if !url.path().ends_with('/') {
            let path = format!("{}/", url.path());
            url.set_path(&path);
        }
        Ok(Endpoint(url))
    }

    /// Whether it is on this machine.
    pub fn is_loopback(&self) -> bool {
        is_loopback(&self.0)
    }

    /// The URL, with a slash at its end.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// The host, with its port where that is not the usual one.
    pub fn host(&self) -> String {
        place(&self.0)
    }

    /// The URL as it was given: without a slash that it did not have.
    pub(crate) fn bare(&self) -> Url {
        let mut url = self.0.clone();
        let path = url.path().trim_end_matches('/').to_owned();
        url.set_path(&path);
        url
    }

    /// The URL of a path below it, with query parameters escaped.
    pub(crate) fn join(&self, path: &str, query: &[(&'static str, String)]) -> Url {
        let mut url = self.0.clone();
        url.set_path(&format!("{}{path}", self.0.path()));
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        url
    }
}

/// A URL's host, with its port where that is not the usual one.
pub(super) fn place(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

/// Whether a URL is about this machine.
pub(super) fn is_loopback(url: &Url) -> bool {
    let Some(host) = url.host_str() else { return false };
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_https_or_this_machine() {
        for good in
            ["https://chat.googleapis.com", "http://127.0.0.1:8080/", "http://[::1]:1/", "http://localhost/"]
        {
            assert!(Endpoint::parse(good).is_ok(), "{good}");
        }
        for (bad, error) in [
            ("http://chat.googleapis.com/", EndpointError::InClear),
            ("http://127.0.0.1.example.com/", EndpointError::InClear),
            ("ftp://127.0.0.1/", EndpointError::NotAUrl),
            ("chat.googleapis.com", EndpointError::NotAUrl),
            ("https://u:p@h/", EndpointError::NotBare),
            ("https://h/?a=b", EndpointError::NotBare),
        ] {
            assert_eq!(Endpoint::parse(bad), Err(error), "{bad}");
        }
    }

    #[test]
    fn a_path_below_it() {
        let endpoint = Endpoint::parse("https://example.com/chat").unwrap();
        let url = endpoint.join("v1/spaces/A:completeImport", &[("pageToken", "a&b=".to_owned())]);
        assert_eq!(url.as_str(), "https://example.com/chat/v1/spaces/A:completeImport?pageToken=a%26b%3D");
    }
}
