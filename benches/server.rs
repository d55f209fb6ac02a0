//! The least of a Chat API, to measure clients with: it keeps nothing, checks nothing and answers at once.
//!
//! `cargo bench --bench server -- 8086` listens on 127.0.0.1:8086 until it is killed. A create is answered with a
//! membership of an id made from the member's name, everything else with an empty resource (so every list is empty).

use std::convert::Infallible;
use std::hash::{DefaultHasher, Hasher};
use std::net::Ipv4Addr;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::{Method, Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    // Cargo hands `--bench` to every benchmark.
    let port = std::env::args().skip(1).find(|argument| argument != "--bench").unwrap_or_default();
    let Ok(port) = port.parse() else {
        return Ok(());
    };
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
    loop {
        let (stream, _) = listener.accept().await?;
        let _ = stream.set_nodelay(true);
        tokio::spawn(async move {
            let service = hyper::service::service_fn(answer);
            let _ = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}

async fn answer(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    let text = if head.method == Method::POST { membership(head.uri.path(), &body) } else { "{}".to_owned() };
    let mut response = Response::new(Full::new(Bytes::from(text)));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json; charset=UTF-8"));
    Ok(response)
}

fn membership(path: &str, body: &[u8]) -> String {
    let body = std::str::from_utf8(body).unwrap_or_default();
    let member = body.split("users/").nth(1).and_then(|rest| rest.split('"').next()).unwrap_or_default();
    let mut hasher = DefaultHasher::new();
    hasher.write(member.as_bytes());
    let id = hasher.finish() >> 11;
    let space = path.trim_start_matches("/v1/");
    format!(
        r#"{{"name":"{space}/{id}","state":"JOINED","member":{{"name":"users/{id}","type":"HUMAN"}},"createTime":"2020-01-01T00:00:00Z","deleteTime":"2021-01-01T00:00:00Z"}}"#
    )
}
