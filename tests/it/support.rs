//! Running the binary in a room of its own, and reading what it leaves behind.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use serde_json::Value;
use tenure::emulator::key::ServiceAccountKey;

/// Nothing here takes this long; a run that does hangs.
const PATIENCE: Duration = Duration::from_secs(100);

/// Ten years of a larger company: 574 memberships of 83 people in 12 spaces on 579 lines, with all that such a table has:
/// several stints, members of today, roles, fractions of seconds, offsets, lines written twice, columns of its own.
pub(crate) const SAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/input/memberships.csv");

/// The folder of the samples.
pub(crate) const SAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/samples");

/// Options that let a rehearsal go as fast as the machine.
pub(crate) const UNPACED: [&str; 4] = ["--writes-per-minute", "0", "--writes-per-minute-per-space", "0"];

/// An empty folder in which the binary runs.
pub(crate) struct Room {
    folder: tempfile::TempDir,
}

/// How a run ended.
pub(crate) struct Run {
    /// The exit code; `None` when a signal ended it.
    pub(crate) code: Option<i32>,
    /// Standard output.
    pub(crate) out: String,
    /// Standard error.
    pub(crate) err: String,
}

impl Run {
    /// The run itself, if it ended with this code.
    #[track_caller]
    pub(crate) fn expect(self, code: i32) -> Run {
        assert_eq!(self.code, Some(code), "stdout:\n{}\nstderr:\n{}", self.out, self.err);
        self
    }

    /// Everything that it said.
    pub(crate) fn said(&self) -> String {
        format!("{}{}", self.out, self.err)
    }

    /// The same on one line, however it was wrapped.
    pub(crate) fn words(&self) -> String {
        self.said().split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// The run itself, if it said all of this.
    #[track_caller]
    pub(crate) fn says(self, parts: &[&str]) -> Run {
        let words = self.words();
        for part in parts {
            assert!(
                words.contains(part),
                "it does not say {part:?}\nstdout:\n{}\nstderr:\n{}",
                self.out,
                self.err
            );
        }
        self
    }
}

impl Room {
    pub(crate) fn new() -> Room {
        Room { folder: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.file(name);
        fs::write(&path, content).unwrap();
        path
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.file(name)).unwrap()
    }

    /// Names of the files, sorted.
    pub(crate) fn files(&self) -> Vec<String> {
        let entries = fs::read_dir(self.path()).unwrap();
        let mut names: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    /// The binary in this room, with an environment of its own: nothing of the developer's reaches it.
    pub(crate) fn command<I: AsRef<str>>(&self, args: &[I]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tenure"));
        command
            .args(args.iter().map(AsRef::as_ref))
            .current_dir(self.path())
            .env_clear()
            .env("HOME", self.path())
            .env("TMPDIR", std::env::temp_dir())
            // Help is wrapped to it.
            .env("COLUMNS", "100")
            .stdin(Stdio::null());
        command
    }

    /// Runs it to its end.
    pub(crate) fn tenure<I: AsRef<str>>(&self, args: &[I]) -> Run {
        finish(assert_cmd::Command::from_std(self.command(args)))
    }

    /// The same with standard input.
    pub(crate) fn tenure_fed<I: AsRef<str>>(&self, args: &[I], input: impl Into<Vec<u8>>) -> Run {
        let mut command = assert_cmd::Command::from_std(self.command(args));
        command.write_stdin(input);
        finish(command)
    }

    /// The same with additions to its environment.
    pub(crate) fn tenure_env<I: AsRef<str>>(&self, args: &[I], env: &[(&str, &str)]) -> Run {
        let mut command = self.command(args);
        command.envs(env.iter().copied());
        finish(assert_cmd::Command::from_std(command))
    }

    /// Runs it through a shell, after so much of a script.
    pub(crate) fn tenure_after<I: AsRef<str>>(&self, script: &str, args: &[I]) -> Run {
        let tenure = self.command(args);
        let mut shell = Command::new("sh");
        shell
            .args(["-c", &format!("{script}\nexec \"$0\" \"$@\"")])
            .arg(tenure.get_program())
            .args(tenure.get_args());
        let env = tenure.get_envs().filter_map(|(name, value)| Some((name, value?)));
        shell.current_dir(self.path()).env_clear().envs(env).stdin(Stdio::null());
        finish(assert_cmd::Command::from_std(shell))
    }

    /// Starts it and lets it run.
    pub(crate) fn start<I: AsRef<str>>(&self, args: &[I]) -> Running {
        self.start_env(args, &[])
    }

    /// The same with additions to its environment.
    pub(crate) fn start_env<I: AsRef<str>>(&self, args: &[I], env: &[(&str, &str)]) -> Running {
        let mut command = self.command(args);
        command.envs(env.iter().copied()).stdout(Stdio::piped()).stderr(Stdio::piped());
        Running { child: Some(command.spawn().unwrap()) }
    }

    /// Starts it with standard input left open, and what was written to it first.
    pub(crate) fn start_fed<I: AsRef<str>>(&self, args: &[I], input: &str) -> (Running, ChildStdin) {
        let mut command = self.command(args);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut pipe = child.stdin.take().unwrap();
        pipe.write_all(input.as_bytes()).unwrap();
        (Running { child: Some(child) }, pipe)
    }

    /// Starts it on a terminal of 100 columns and 40 rows of this kind, with the terminal's keyboard. `None` where the machine
    /// has no script(1).
    pub(crate) fn on_terminal(&self, kind: Option<&str>, args: &[&str]) -> Option<(Running, ChildStdin)> {
        let tenure = self.command(args);
        let env = tenure.get_envs().filter_map(|(name, value)| Some((name, value?)));
        let line = format!("stty cols 100 rows 40; exec {} {}", env!("CARGO_BIN_EXE_tenure"), args.join(" "));
        let mut script = Command::new("script");
        script.args(["-q", "-e", "-c", &line, "/dev/null"]).current_dir(self.path());
        script.env_clear().envs(env).envs(kind.map(|kind| ("TERM", kind)));
        script.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = script.spawn().ok()?;
        // Open until it is dropped: at its end script(1) would type Ctrl-D.
        let keyboard = child.stdin.take()?;
        Some((Running { child: Some(child) }, keyboard))
    }

    /// `status --json`, whose figures always add up.
    #[track_caller]
    pub(crate) fn status(&self, journal: &str) -> Value {
        let run = self.tenure(&["status", "--json", journal]).expect(0);
        let status: Value = serde_json::from_str(&run.out).unwrap();
        let rows = &status["rows"];
        let states = ["done", "rejected", "pending", "in_flight", "open"];
        let sum: u64 = states.iter().map(|state| rows[*state].as_u64().unwrap()).sum();
        assert_eq!(rows["total"], sum, "{status}");
        let requests = &status["requests"];
        let answered: u64 =
            ["ok", "throttled", "failed"].iter().map(|kind| requests[*kind].as_u64().unwrap()).sum();
        assert!(answered <= requests["sent"].as_u64().unwrap(), "{status}");
        status
    }

    /// The same without what a run changes that finds nothing to do: when the last one was.
    #[track_caller]
    pub(crate) fn standing(&self, journal: &str) -> Value {
        let mut status = self.status(journal);
        assert!(!status["last_run"].take().is_null(), "{status}");
        status
    }

    /// What Chat holds, as its log has it.
    pub(crate) fn held(&self, store: &str) -> Vec<Held> {
        held(&self.file(store))
    }
}

fn finish(mut command: assert_cmd::Command) -> Run {
    let output = command.timeout(PATIENCE).output().unwrap();
    Run {
        code: output.status.code(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

/// A run under way. Dropping it kills it.
pub(crate) struct Running {
    child: Option<Child>,
}

impl Running {
    fn child(&mut self) -> &mut Child {
        self.child.as_mut().unwrap()
    }

    /// The first line that it prints.
    pub(crate) fn first_line(&mut self) -> String {
        let out = self.child().stdout.as_mut().unwrap();
        let (mut line, mut byte) = (Vec::new(), [0]);
        // Byte by byte: what comes after it is for others.
        while out.read(&mut byte).unwrap() == 1 && byte != *b"\n" {
            line.push(byte[0]);
        }
        String::from_utf8(line).unwrap()
    }

    /// The first line on standard error that begins like this.
    pub(crate) fn first_error_line(&mut self, begin: &str) -> String {
        let err = self.child().stderr.as_mut().unwrap();
        let (mut line, mut byte) = (Vec::new(), [0]);
        while err.read(&mut byte).unwrap() == 1 {
            if byte != *b"\n" {
                line.push(byte[0]);
            } else if line.starts_with(begin.as_bytes()) {
                break;
            } else {
                line.clear();
            }
        }
        String::from_utf8(line).unwrap()
    }

    /// Its process id.
    pub(crate) fn id(&self) -> u32 {
        self.child.as_ref().unwrap().id()
    }

    /// Sends a signal: `INT`, `TERM`.
    pub(crate) fn signal(&mut self, name: &str) {
        let id = self.id().to_string();
        assert!(Command::new("kill").args([&format!("-{name}"), &id]).status().unwrap().success());
    }

    /// Ends it as kill -9 does, if it still runs. Says whether it did.
    pub(crate) fn kill(mut self) -> bool {
        let ran = self.is_running();
        let _ = self.child().kill();
        let _ = self.child().wait();
        ran
    }

    pub(crate) fn is_running(&mut self) -> bool {
        self.child().try_wait().unwrap().is_none()
    }

    /// Gives it so much time, and says whether it has ended by then.
    pub(crate) fn ends_within(&mut self, patience: Duration) -> bool {
        let begin = Instant::now();
        while self.is_running() && begin.elapsed() < patience {
            std::thread::sleep(Duration::from_millis(2));
        }
        !self.is_running()
    }

    /// Waits for its end. Its outputs are small enough for a pipe.
    pub(crate) fn wait(mut self) -> Run {
        let begin = Instant::now();
        while self.is_running() {
            assert!(begin.elapsed() < PATIENCE, "it does not end");
            std::thread::sleep(Duration::from_millis(5));
        }
        let mut child = self.child.take().unwrap();
        let (mut out, mut err) = (String::new(), String::new());
        child.stdout.take().unwrap().read_to_string(&mut out).unwrap();
        child.stderr.take().unwrap().read_to_string(&mut err).unwrap();
        Run { code: child.wait().unwrap().code(), out, err }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Waits until something is the case.
#[track_caller]
pub(crate) fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let begin = Instant::now();
    while !holds() {
        assert!(begin.elapsed() < PATIENCE, "it never came to this: {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// A stand-alone emulator with `key.json` and `chat.jsonl` in its room. Dropping it kills it.
pub(crate) struct Emulator {
    running: Running,
    /// `http://127.0.0.1:PORT/`.
    pub(crate) endpoint: String,
}

/// Where a stand-alone emulator keeps what it holds.
pub(crate) const STORE: &str = "chat.jsonl";

impl Emulator {
    /// Starts one on a free port.
    pub(crate) fn start(room: &Room, options: &[&str]) -> Emulator {
        Emulator::start_on(room, 0, options)
    }

    /// Starts one on this port.
    pub(crate) fn start_on(room: &Room, port: u16, options: &[&str]) -> Emulator {
        let port = port.to_string();
        Emulator::launch(room, &[&["--port", &port, "--any-space"], options].concat())
    }

    /// Starts one that has no spaces but those in its store.
    pub(crate) fn start_without_spaces(room: &Room, options: &[&str]) -> Emulator {
        Emulator::launch(room, options)
    }

    /// The same room's emulator again, with other options.
    pub(crate) fn restart(self, room: &Room, options: &[&str]) -> Emulator {
        let port = self.port();
        self.kill();
        Emulator::start_on(room, port, options)
    }

    fn launch(room: &Room, options: &[&str]) -> Emulator {
        if !room.file("key.json").exists() {
            room.write("key.json", a_key());
            fs::set_permissions(room.file("key.json"), fs::Permissions::from_mode(0o600)).unwrap();
        }
        let mut args = vec!["emulator", "--write-key", "key.json", "--state", STORE];
        args.extend(options);
        let mut running = room.start(&args);
        let line = running.first_line();
        let Some(endpoint) = line.strip_prefix("listening on ") else {
            let mut story = String::new();
            running.child().stderr.take().unwrap().read_to_string(&mut story).unwrap();
            panic!("the emulator says {line:?}, {story:?}");
        };
        Emulator { endpoint: endpoint.to_owned(), running }
    }

    pub(crate) fn port(&self) -> u16 {
        self.endpoint.trim_end_matches('/').rsplit(':').next().unwrap().parse().unwrap()
    }

    /// Ends it as kill -9 does.
    pub(crate) fn kill(self) {
        assert!(self.running.kill(), "the emulator has ended by itself");
    }

    /// What `import` needs to find it.
    pub(crate) fn connection(&self) -> Vec<String> {
        ["--endpoint", &self.endpoint, "--credentials", "key.json", "--impersonate", "admin@example.com"]
            .map(str::to_owned)
            .to_vec()
    }
}

/// Arguments from pieces.
pub(crate) fn args(pieces: &[&[&str]], more: &[String]) -> Vec<String> {
    pieces.iter().flat_map(|piece| piece.iter().map(|arg| (*arg).to_owned())).chain(more.to_vec()).collect()
}

/// A historical membership: space, member (address where there is one), begin and end in microseconds.
pub(crate) type Held = (String, String, i64, i64);

/// A service account's key: making one takes some tenths of a second, so the tests share it.
pub(crate) fn a_key() -> &'static str {
    static KEY: OnceLock<String> = OnceLock::new();
    KEY.get_or_init(another_key)
}

/// A key of its own.
pub(crate) fn another_key() -> String {
    ServiceAccountKey::generate().unwrap().to_json("http://127.0.0.1/token")
}

/// What Chat holds, sorted. A line without its end was never answered for, and is none.
pub(crate) fn held(store: &Path) -> Vec<Held> {
    let text = fs::read_to_string(store).unwrap_or_default();
    let mut held = Vec::new();
    for line in text.split_inclusive('\n').filter(|line| line.ends_with('\n')) {
        let change: Value = serde_json::from_str(line).unwrap();
        if change.get("space").is_some() {
            continue;
        }
        let record = change.get("membership").unwrap_or_else(|| panic!("an import does not do this: {line}"));
        let text = |key: &str| record[key].as_str().unwrap().to_owned();
        let name = text("name");
        let (space, _) = name.split_once("/members/").unwrap();
        let member = record.get("address").map_or_else(|| text("member"), |_| text("address"));
        held.push((space.to_owned(), member, micros(&text("createTime")), micros(&text("deleteTime"))));
    }
    held.sort();
    held
}

/// What a CSV file in the contract's own spelling asks for: each membership that has ended, once, sorted.
pub(crate) fn asked_for(csv: &Path) -> Vec<Held> {
    let mut reader = csv::Reader::from_path(csv).unwrap();
    let mut asked = Vec::new();
    for row in reader.deserialize::<BTreeMap<String, String>>() {
        let row = row.unwrap();
        if row["deleteTime"].is_empty() {
            continue;
        }
        let member = row["member"].strip_prefix("users/").unwrap_or(&row["member"]).to_lowercase();
        asked.push((row["space"].clone(), member, micros(&row["createTime"]), micros(&row["deleteTime"])));
    }
    asked.sort();
    asked.dedup();
    asked
}

fn micros(time: &str) -> i64 {
    time.parse::<jiff::Timestamp>().unwrap().as_microsecond()
}

/// A CSV of so many people who were in one of `spaces` spaces for a day each.
pub(crate) fn people(count: usize, spaces: usize) -> String {
    let mut text = "space,member,createTime,deleteTime\n".to_owned();
    for number in 0..count {
        let (space, day) = (number % spaces, 1 + number % 28);
        text += &format!(
            "spaces/AAQA{space},person{number}@example.com,2020-01-{day:02}T00:{:02}:00Z,2021-01-{day:02}T00:00:00Z\n",
            number / 28 % 60
        );
    }
    text
}
