//! A browser, as far as signing in needs one.

use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::TcpStream;

use reqwest::Url;

/// Goes to a page and wherever that leads; the last page's status and text.
pub(crate) fn visit(url: &str) -> (u16, String) {
    let mut url = Url::parse(url).unwrap();
    loop {
        let (status, head, text) = get(&url);
        let location = head.lines().find_map(|line| line.strip_prefix("location: "));
        match location {
            Some(location) if status == 302 => url = url.join(location).unwrap(),
            _ => return (status, text),
        }
    }
}

/// What a URL's query says.
pub(crate) fn query(url: &str) -> HashMap<String, String> {
    Url::parse(url).unwrap().query_pairs().into_owned().collect()
}

/// Status, head and body of one page.
fn get(url: &Url) -> (u16, String, String) {
    let (host, port) = (url.host_str().unwrap(), url.port().unwrap());
    let mut stream = TcpStream::connect((host, port)).unwrap();
    let target = format!("{}?{}", url.path(), url.query().unwrap_or_default());
    write!(stream, "GET {target} HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, text) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, head.to_owned(), text.to_owned())
}
