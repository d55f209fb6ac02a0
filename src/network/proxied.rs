//! The environment's proxies for yup-oauth2, which knows none.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::proxy::Tunnel;
use hyper_util::client::proxy::matcher::Matcher;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tower_service::Service;
use yup_oauth2::hyper::Uri;

use super::Endpoint;

/// The proxy that a request to this server goes through, as the environment says (`HTTPS_PROXY`, `ALL_PROXY`, `NO_PROXY`
/// and their like); `None` is a direct connection. Without its password.
pub fn proxy_for(server: &Endpoint) -> Option<String> {
    let uri: Uri = server.as_str().parse().ok()?;
    let proxy = (!server.is_loopback()).then(|| Matcher::from_env().intercept(&uri)).flatten()?;
    Some(proxy.uri().to_string())
}

/// A TLS connector for one server, through its proxy if it has one.
///
/// # Errors
/// When the system's TLS roots cannot be read.
pub(crate) fn connector(server: &Endpoint) -> io::Result<HttpsConnector<Proxied>> {
    let mut direct = HttpConnector::new();
    direct.enforce_http(false);
    direct.set_nodelay(true);
    let matcher = if server.is_loopback() { Matcher::builder().build() } else { Matcher::from_env() };
    let via = Proxied { direct, matcher: matcher.into() };
    Ok(HttpsConnectorBuilder::new()
        .with_provider_and_native_roots(rustls::crypto::ring::default_provider())?
        .https_or_http()
        .enable_http1()
        .enable_http2()
        .wrap_connector(via))
}

/// Connects directly, or through a tunnel (HTTP CONNECT, RFC 9110, 9.3.6).
#[derive(Debug, Clone)]
pub(crate) struct Proxied {
    direct: HttpConnector,
    matcher: std::sync::Arc<Matcher>,
}

impl Service<Uri> for Proxied {
    type Response = TokioIo<TcpStream>;
    type Error = Box<dyn std::error::Error + Send + Sync>;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.direct.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, to: Uri) -> Self::Future {
        let mut direct = self.direct.clone();
        match self.matcher.intercept(&to) {
            None => Box::pin(async move { Ok(direct.call(to).await?) }),
            // Its password would go there in clear.
            Some(proxy) if proxy.uri().scheme_str() == Some("https") => {
                let story = format!(
                    "a proxy that is spoken to over https cannot be used for tokens: {}",
                    proxy.uri()
                );
                Box::pin(async move { Err(story.into()) })
            }
            Some(proxy) => {
                let mut tunnel = Tunnel::new(proxy.uri().clone(), direct);
                if let Some(auth) = proxy.basic_auth() {
                    tunnel = tunnel.with_auth(auth.clone());
                }
                Box::pin(async move { Ok(tunnel.call(to).await?) })
            }
        }
    }
}
