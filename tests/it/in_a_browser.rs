//! The page of `tenure report` in a real browser: Chromium without a screen, led through its driver (W3C WebDriver).
//! Ignored unless asked for, since not every machine has them: `cargo test --test it in_a_browser -- --ignored`. With
//! `TENURE_SCREENSHOTS=FOLDER` it leaves pictures to look at.

use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::support::{Room, UNPACED, args};

/// The driver, and a window of the browser. Dropping it closes both.
struct Browser {
    driver: Child,
    port: u16,
    session: String,
}

impl Browser {
    /// Opens a window of this width, light or dark.
    fn open(width: u32, dark: bool) -> Browser {
        let driver = Command::new("chromedriver").arg("--port=0").stdout(Stdio::piped()).spawn();
        let mut driver = driver.unwrap_or_else(|error| {
            panic!("there is no chromedriver on this machine ({error}): install Chromium and its driver (Debian: apt-get install chromium chromium-driver)")
        });
        let lines = BufReader::new(driver.stdout.take().unwrap()).lines();
        let port = lines
            .map(Result::unwrap)
            .find_map(|line| line.split_once("successfully on port ")?.1.trim_end_matches('.').parse().ok())
            .expect("the driver tells its port");
        let mut browser = Browser { driver, port, session: String::new() };
        let mut options = vec![
            "--headless=new".to_owned(),
            "--no-sandbox".to_owned(),
            "--disable-dev-shm-usage".to_owned(),
            "--hide-scrollbars".to_owned(),
            "--force-device-scale-factor=1".to_owned(),
            format!("--window-size={width},1000"),
        ];
        if dark {
            options.push("--force-dark-mode".to_owned());
            options.push("--blink-settings=preferredColorScheme=0".to_owned());
        }
        let wanted = json!({ "capabilities": { "alwaysMatch": {
            "browserName": "chrome",
            "goog:chromeOptions": { "args": options },
            "goog:loggingPrefs": { "browser": "ALL", "performance": "ALL" },
        }}});
        let session = browser.ask("POST", "", &wanted);
        browser.session = format!("/{}", session["sessionId"].as_str().unwrap());
        // A window is never narrower than its frame, a device's screen is.
        let metrics =
            json!({ "width": width, "height": 1000, "deviceScaleFactor": 1, "mobile": width < 500 });
        browser.devtools("Emulation.setDeviceMetricsOverride", metrics);
        let scheme = if dark { "dark" } else { "light" };
        let media = json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] });
        browser.devtools("Emulation.setEmulatedMedia", media);
        browser
    }

    /// Asks the driver for something.
    #[track_caller]
    fn ask(&self, method: &str, path: &str, body: &Value) -> Value {
        let (head, text) = self.exchange(method, path, &body.to_string()).unwrap();
        assert!(head.starts_with("HTTP/1.1 200"), "{method} {path}: {head}{text}");
        serde_json::from_str::<Value>(&text).unwrap()["value"].take()
    }

    fn exchange(&self, method: &str, path: &str, body: &str) -> std::io::Result<(String, String)> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port))?;
        stream.set_read_timeout(Some(Duration::from_secs(60)))?;
        write!(
            stream,
            "{method} /session{}{path} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\n\r\n{body}",
            self.session,
            self.port,
            body.len()
        )?;
        // The driver keeps the connection, so the answer is as long as it says.
        let mut answer = BufReader::new(stream);
        let (mut head, mut length) = (String::new(), 0);
        while !head.ends_with("\r\n\r\n") {
            let from = head.len();
            if answer.read_line(&mut head)? == 0 {
                return Err(std::io::ErrorKind::UnexpectedEof.into());
            }
            if let Some(value) = head[from..].to_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
        }
        let mut text = vec![0; length];
        answer.read_exact(&mut text)?;
        Ok((head, String::from_utf8(text).unwrap()))
    }

    fn devtools(&self, command: &str, parameters: Value) -> Value {
        self.ask("POST", "/goog/cdp/execute", &json!({ "cmd": command, "params": parameters }))
    }

    fn visit(&self, url: &str) {
        self.ask("POST", "/url", &json!({ "url": url }));
    }

    /// What a piece of JavaScript returns. It comes from the driver, so the page's policy does not concern it.
    #[track_caller]
    fn eval(&self, script: &str) -> Value {
        self.ask("POST", "/execute/sync", &json!({ "script": script, "args": [] }))
    }

    /// What was logged since the last look.
    fn log(&self, kind: &str) -> Vec<Value> {
        self.ask("POST", "/se/log", &json!({ "type": kind })).as_array().unwrap().clone()
    }

    /// Every address that the page has asked for.
    fn requests(&self) -> Vec<String> {
        let messages = self.log("performance").into_iter().map(|entry| {
            serde_json::from_str::<Value>(entry["message"].as_str().unwrap()).unwrap()["message"].take()
        });
        messages
            .filter(|message| message["method"] == "Network.requestWillBeSent")
            .map(|message| message["params"]["request"]["url"].as_str().unwrap().to_owned())
            .collect()
    }

    fn picture(&self, name: &str) {
        let Some(folder) = std::env::var_os("TENURE_SCREENSHOTS").map(PathBuf::from) else { return };
        let height = self.eval("return document.documentElement.scrollHeight").as_u64().unwrap().min(12_000);
        let width = self.eval("return document.documentElement.clientWidth").as_u64().unwrap();
        let clip = json!({ "x": 0, "y": 0, "width": width, "height": height, "scale": 1 });
        let wanted = json!({ "captureBeyondViewport": true, "clip": clip });
        let shot = self.devtools("Page.captureScreenshot", wanted);
        let bytes = STANDARD.decode(shot["data"].as_str().unwrap()).unwrap();
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join(format!("{name}.png")), bytes).unwrap();
    }

    /// The page on paper.
    fn print(&self, name: &str) -> Vec<u8> {
        let page = self.ask("POST", "/print", &json!({ "background": true }));
        let bytes = STANDARD.decode(page.as_str().unwrap()).unwrap();
        if let Some(folder) = std::env::var_os("TENURE_SCREENSHOTS").map(PathBuf::from) {
            fs::create_dir_all(&folder).unwrap();
            fs::write(folder.join(format!("{name}.pdf")), &bytes).unwrap();
        }
        bytes
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Without it the browser would stay.
        if !self.session.is_empty() {
            let _ = self.exchange("DELETE", "", "");
        }
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}

/// A page of an import into twelve spaces of different size and with hostile names among its rows, throttled for a while.
fn a_page(room: &Room) -> String {
    let mut rows = "space,member,createTime,deleteTime,legacyChannel\n".to_owned();
    for number in 0..900 {
        // A few spaces are far larger than the others.
        let (space, year) = (if number < 300 { number % 12 } else { number % 36 % 5 }, 2016 + number % 8);
        let month = 1 + number % 12;
        let _ = writeln!(
            rows,
            "spaces/AAQA{space}team,person{number}@example.com,{year}-{month:02}-01T08:00:00Z,{}-{month:02}-20T17:00:00Z,#quay-{space}",
            year + number % 3
        );
    }
    rows += "spaces/AAQA3team,anna@example.invalid,,2020-01-01T00:00:00Z,\n";
    rows += "spaces/AAQA3team,<script>alert(1)</script>,2020-01-01T00:00:00Z,,\n";
    rows += "spaces/AAQA4team,olga@example.com,2020-01-01T00:00:00Z,,\n";
    room.write("rows.csv", rows);
    let import = ["import", "rows.csv", "--journal", "j.db", "--skip-invalid", "--emulator"];
    room.tenure(&args(&[&import, &UNPACED], &[])).expect(3);
    spread(room);
    room.tenure(&["report", "j.db", "-o", "page.html"]).expect(0);
    format!("file://{}", room.file("page.html").display())
}

/// A rehearsal of a second becomes an import of an hour and a half that was throttled for a while, so that there is
/// something to draw.
fn spread(room: &Room) {
    let journal = rusqlite::Connection::open(room.file("j.db")).unwrap();
    journal
        .execute_batch(
            "UPDATE journal SET target = 'https://chat.googleapis.com/';
             UPDATE runs SET settings = json_set(settings, '$.writes_per_minute', 300, '$.impersonate', 'admin@example.com');
             CREATE TEMP TABLE began AS SELECT run, min(begun_at) AS at FROM stretches GROUP BY run;
             WITH RECURSIVE minutes (minute) AS (SELECT 0 UNION ALL SELECT minute + 1 FROM minutes WHERE minute < 89)
             REPLACE INTO stretches (run, begun_at, length, sent, ok, throttled, done)
             SELECT run, at + minute * 60000000, 60000000, 300, 290,
                    iif(minute BETWEEN 30 AND 45, 60 - abs(38 - minute) * 5, 0),
                    iif(minute BETWEEN 30 AND 45, 180, 285) + minute * 7 % 11
               FROM began, minutes;
             UPDATE runs SET ended_at = started_at + 90 * 60000000, throttled = (SELECT sum(throttled) FROM stretches);",
        )
        .unwrap();
}

#[test]
#[ignore = "needs Chromium and its driver"]
fn the_page_loads_and_its_table_sorts_and_searches() {
    let room = Room::new();
    let url = a_page(&room);
    let browser = Browser::open(1280, false);
    browser.visit(&url);
    browser.picture("desk-light");
    // Nothing was blocked, nothing failed, and nobody was asked for anything else.
    assert_eq!(browser.log("browser"), Vec::<Value>::new());
    assert_eq!(browser.requests(), [url.as_str()]);
    assert_eq!(
        browser.eval("return document.scripts.length + ' ' + document.querySelectorAll('[onload]').length"),
        "1 0"
    );
    // The style and the script are those that the policy lets in.
    assert_eq!(browser.eval("return getComputedStyle(document.querySelector('h1')).fontWeight"), "600");
    let first = "return [...document.querySelectorAll('.searched tbody tr')].filter(line => !line.hidden).map(line => line.cells[0].textContent)";
    let before = browser.eval(first);
    assert_eq!(before.as_array().unwrap().len(), 12);

    let press = |name: &str| {
        browser.eval(&format!(
            "for (const b of document.querySelectorAll('.searched th button')) if (b.textContent === '{name}') b.click()"
        ));
    };
    let column = |place: usize| -> Vec<String> {
        let cells = browser.eval(&format!(
            "return [...document.querySelectorAll('.searched tbody tr')].map(line => line.cells[{place}].textContent)"
        ));
        cells.as_array().unwrap().iter().map(|cell| cell.as_str().unwrap().to_owned()).collect()
    };
    let numbers =
        || column(1).iter().map(|text| text.replace(',', "").parse::<u64>().unwrap()).collect::<Vec<_>>();
    press("Rows");
    assert!(numbers().is_sorted_by(|a, b| a >= b), "the largest first: {:?}", numbers());
    press("Rows");
    assert!(numbers().is_sorted(), "{:?}", numbers());
    press("Space");
    // As people count: 2 before 10.
    let names: Vec<String> = (0..12).map(|space| format!("#quay-{space} AAQA{space}team")).collect();
    assert_eq!(column(0), names);
    assert_eq!(browser.eval("return document.querySelectorAll('th[aria-sort]').length"), 1);

    let search = |text: &str| {
        browser.eval(&format!(
            "const input = document.querySelector('.find input'); input.value = '{text}'; input.dispatchEvent(new Event('input'));"
        ));
        browser.eval(first).as_array().unwrap().len()
    };
    assert_eq!((search("aaqa1"), search("#quay-1")), (3, 3), "1, 10 and 11, by the one name and the other");
    assert_eq!(browser.eval("return document.querySelector('.find output').textContent"), "3 of 12");
    assert_eq!((search("nothing like it"), search("")), (0, 12));
    assert_eq!(browser.log("browser"), Vec::<Value>::new());
    assert_eq!(browser.requests(), Vec::<String>::new());
}

#[test]
#[ignore = "needs Chromium and its driver"]
fn the_page_fits_a_phone_the_dark_and_paper() {
    let room = Room::new();
    let url = a_page(&room);
    for (name, width, dark) in
        [("desk-dark", 1280, true), ("phone-light", 390, false), ("phone-dark", 390, true)]
    {
        let browser = Browser::open(width, dark);
        browser.visit(&url);
        browser.picture(name);
        let wide = browser
            .eval("return document.documentElement.scrollWidth - document.documentElement.clientWidth");
        assert_eq!(wide, 0, "{name}: the page itself does not move sideways");
        let paper = browser.eval("return getComputedStyle(document.body).backgroundColor");
        assert_eq!(paper == "rgb(22, 25, 28)", dark, "{name}: {paper}");
        if !dark {
            let printed = browser.print("paper");
            assert!(printed.starts_with(b"%PDF"));
        }
        assert_eq!(browser.log("browser"), Vec::<Value>::new());
    }
}
