//! What goes over the wire to a server that is not this machine: TLS, HTTP/2, proxies, headers, bounds. The proxy here is
//! the server too: it answers for every host that a tunnel is asked for.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response, Version};
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls::ServerConfig;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tenure::emulator::key::ServiceAccountKey;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use crate::support::{Room, Run};

/// What came in.
#[derive(Debug, Clone)]
enum Seen {
    /// A tunnel was asked for: where to, and with which `Proxy-Authorization`.
    Tunnel { to: String, authorization: Option<String> },
    /// A request in a tunnel.
    Request { line: String, version: Version, agent: String, token: String },
}

type Answer = fn(&str) -> Response<Full<Bytes>>;

/// The internet: a proxy on loopback.
struct Internet {
    port: u16,
    seen: Arc<Mutex<Vec<Seen>>>,
    _runtime: tokio::runtime::Runtime,
}

impl Internet {
    /// `answer` is given `METHOD /path?query` of each request to the Chat API.
    fn new(room: &Room, alpn: &[&str], answer: Answer) -> Internet {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let names = ["chat.test", "oauth.test", "elsewhere.test"].map(str::to_owned).to_vec();
        let certified = rcgen::generate_simple_self_signed(names).unwrap();
        room.write("roots.pem", certified.cert.pem());
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(certified.signing_key.serialize_der()));
        let mut config = ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(vec![certified.cert.der().clone()], key)
            .unwrap();
        config.alpn_protocols = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
        room.write("key.json", ServiceAccountKey::generate().unwrap().to_json("https://oauth.test/token"));

        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let port = listener.local_addr().unwrap().port();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (acceptor, noted) = (TlsAcceptor::from(Arc::new(config)), Arc::clone(&seen));
        runtime.spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(tunnel(stream, acceptor.clone(), Arc::clone(&noted), answer));
            }
        });
        Internet { port, seen, _runtime: runtime }
    }

    fn run(&self, room: &Room, command: &[&str]) -> Run {
        let proxy = format!("http://robert:pa55word@127.0.0.1:{}", self.port);
        let mut args = command.to_vec();
        args.extend([
            "--endpoint",
            "https://chat.test/",
            "--credentials",
            "key.json",
            "--impersonate",
            "admin@example.com",
        ]);
        let roots = room.file("roots.pem");
        room.tenure_env(&args, &[("HTTPS_PROXY", &proxy), ("SSL_CERT_FILE", roots.to_str().unwrap())])
    }

    fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    /// Where tunnels went, in their order.
    fn tunnels(&self) -> Vec<String> {
        self.seen()
            .into_iter()
            .filter_map(|seen| match seen {
                Seen::Tunnel { to, .. } => Some(to),
                Seen::Request { .. } => None,
            })
            .collect()
    }
}

async fn tunnel(mut stream: TcpStream, acceptor: TlsAcceptor, seen: Arc<Mutex<Vec<Seen>>>, answer: Answer) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    let head = String::from_utf8(head).unwrap();
    let to = head.split(' ').nth(1).unwrap().to_owned();
    assert!(head.starts_with("CONNECT "), "{head}");
    let authorization = head
        .lines()
        .find(|line| line.to_lowercase().starts_with("proxy-authorization:"))
        .map(|line| line.split_once(':').unwrap().1.trim().to_owned());
    seen.lock().unwrap().push(Seen::Tunnel { to: to.clone(), authorization });
    stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
    let Ok(stream) = acceptor.accept(stream).await else { return };
    let http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
    let service = service_fn(move |request: Request<Incoming>| {
        let (seen, to) = (Arc::clone(&seen), to.clone());
        async move { Ok::<_, std::convert::Infallible>(respond(request, &to, &seen, answer).await) }
    });
    let stream = TokioIo::new(stream);
    if http2 {
        let _ = hyper::server::conn::http2::Builder::new(TokioExecutor::new())
            .serve_connection(stream, service)
            .await;
    } else {
        let _ = hyper::server::conn::http1::Builder::new().serve_connection(stream, service).await;
    }
}

async fn respond(
    request: Request<Incoming>,
    to: &str,
    seen: &Mutex<Vec<Seen>>,
    answer: Answer,
) -> Response<Full<Bytes>> {
    let (head, body) = request.into_parts();
    let _ = body.collect().await;
    if to == "oauth.test:443" {
        return json(r#"{"access_token":"a-token","expires_in":3600,"token_type":"Bearer"}"#);
    }
    let header = |name: &str| {
        head.headers.get(name).map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default()
    };
    let line = format!("{} {}", head.method, head.uri.path_and_query().unwrap());
    seen.lock().unwrap().push(Seen::Request {
        line: line.clone(),
        version: head.version,
        agent: header("user-agent"),
        token: header("authorization"),
    });
    answer(&line)
}

fn json(text: &'static str) -> Response<Full<Bytes>> {
    Response::new(Full::new(Bytes::from_static(text.as_bytes())))
}

/// Three pages.
fn pages(line: &str) -> Response<Full<Bytes>> {
    json(match line {
        line if line.contains("pageToken=two") => r#"{"memberships":[{"name":"spaces/A/members/3"}]}"#,
        line if line.contains("pageToken=one") => r#"{"memberships":[],"nextPageToken":"two"}"#,
        _ => r#"{"memberships":[{"name":"spaces/A/members/1"}],"nextPageToken":"one"}"#,
    })
}

#[test]
fn http_2_through_a_proxy_on_one_connection() {
    let room = Room::new();
    let internet = Internet::new(&room, &["h2", "http/1.1"], pages);
    let run = internet.run(&room, &["members", "list", "A", "--json"]).expect(0);
    assert_eq!(run.out, "{\"name\":\"spaces/A/members/1\"}\n{\"name\":\"spaces/A/members/3\"}\n");
    assert_eq!(internet.tunnels(), ["oauth.test:443", "chat.test:443"], "one connection each");
    let mut requests = 0;
    for seen in internet.seen() {
        match seen {
            Seen::Tunnel { authorization, .. } => {
                // robert:pa55word
                assert_eq!(authorization.as_deref(), Some("Basic cm9iZXJ0OnBhNTV3b3Jk"));
            }
            Seen::Request { line, version, agent, token } => {
                requests += 1;
                assert!(line.starts_with("GET /v1/spaces/A/members?pageSize=1000"), "{line}");
                assert_eq!(version, Version::HTTP_2);
                assert_eq!(agent, concat!("tenure/", env!("CARGO_PKG_VERSION")));
                assert_eq!(token, "Bearer a-token");
            }
        }
    }
    assert_eq!(requests, 3);
}

#[test]
fn http_1_where_the_server_knows_no_other() {
    let room = Room::new();
    let internet = Internet::new(&room, &["http/1.1"], pages);
    internet.run(&room, &["members", "list", "A"]).expect(0);
    let of_one = |seen: &Seen| matches!(seen, Seen::Request { version: Version::HTTP_11, .. });
    assert_eq!(internet.seen().iter().filter(|seen| of_one(seen)).count(), 3);
}

#[test]
fn a_certificate_that_nobody_vouches_for() {
    let room = Room::new();
    let internet = Internet::new(&room, &["h2"], pages);
    room.write(
        "roots.pem",
        rcgen::generate_simple_self_signed(vec!["other.test".to_owned()]).unwrap().cert.pem(),
    );
    let run = internet.run(&room, &["doctor"]).expect(1);
    assert!(run.out.contains("chat.test cannot be reached"), "{}", run.out);
    assert!(internet.seen().iter().all(|seen| matches!(seen, Seen::Tunnel { .. })), "nothing was sent");
}

#[test]
fn nobody_is_followed_elsewhere() {
    let room = Room::new();
    let internet = Internet::new(&room, &["h2"], |_| {
        Response::builder()
            .status(302)
            .header("location", "https://elsewhere.test/v1/spaces/A/members/1")
            .body(Full::default())
            .unwrap()
    });
    let delete = ["members", "delete", "A", "1", "--request-timeout", "5s"];
    let run = internet.run(&room, &delete).expect(1);
    assert!(run.err.contains("something between here and Google answered"), "{}", run.err);
    assert!(!internet.tunnels().contains(&"elsewhere.test:443".to_owned()));
}

#[test]
fn an_answer_without_bounds_is_not_read_to_its_end() {
    let room = Room::new();
    let internet =
        Internet::new(&room, &["h2"], |_| Response::new(Full::new(Bytes::from(vec![b' '; 17 << 20]))));
    let run = internet.run(&room, &["members", "delete", "A", "1"]).expect(1);
    assert!(run.err.contains("the answer is larger than 16777216 bytes"), "{}", run.err);
    assert!(run.err.contains("it may have been applied"), "{}", run.err);
}

#[test]
fn the_proxys_password_is_nobodys_business() {
    let room = Room::new();
    let internet = Internet::new(&room, &["h2"], pages);
    let run = internet.run(&room, &["doctor"]).expect(0);
    let way = format!("chat.test through the proxy http://127.0.0.1:{}", internet.port);
    assert!(run.out.contains(&way), "{}", run.out);
    assert!(!run.said().contains("pa55word"), "{}", run.said());
}
