//! A server that answers as it was told to, for what the emulator never says.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// It listens until the process ends; one answer a request, in their order, then none.
pub(crate) struct Script {
    /// `http://127.0.0.1:PORT/`.
    pub(crate) endpoint: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Script {
    /// Starts one with these answers: a status and a body each.
    pub(crate) fn start(answers: &[(u16, &str)]) -> Script {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let endpoint = format!("http://{}/", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let answers: Vec<(u16, String)> =
            answers.iter().map(|(status, body)| (*status, (*body).to_owned())).collect();
        let heard = Arc::clone(&asked);
        std::thread::spawn(move || {
            for (status, body) in answers {
                let Ok((stream, _)) = listener.accept() else { return };
                let request = answer(&stream, status, &body);
                heard.lock().unwrap().push(request);
            }
        });
        Script { endpoint, asked }
    }

    /// What it was asked so far: method, path and body of each request.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }

    /// What a command needs to find it.
    pub(crate) fn connection(&self) -> Vec<String> {
        ["--endpoint", &self.endpoint, "--token-command", "echo token"].map(str::to_owned).to_vec()
    }
}

fn answer(mut stream: &TcpStream, status: u16, body: &str) -> String {
    let mut reader = BufReader::new(stream);
    let mut first = String::new();
    reader.read_line(&mut first).unwrap();
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        if name.eq_ignore_ascii_case("content-length") {
            length = value.trim().parse().unwrap();
        }
    }
    let mut content = vec![0; length];
    reader.read_exact(&mut content).unwrap();
    let head = format!("HTTP/1.1 {status} -\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
    stream.write_all((head + body).as_bytes()).unwrap();
    let (request, _) = first.rsplit_once(' ').unwrap();
    format!("{request} {}", String::from_utf8(content).unwrap()).trim_end().to_owned()
}
