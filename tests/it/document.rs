//! Commands that stand in a document, run as they stand there.

use std::process::{Command, Stdio};

use crate::support::{Room, Run};

/// Where the documents' Chat API listens.
const ENDPOINT: &str = "http://127.0.0.1:8090/";

/// A line to type.
pub(crate) struct Typed {
    pub(crate) line: String,
    /// What it ends with, by a comment behind it; without one, success.
    pub(crate) code: i32,
}

/// A document's commands in their order, but for those of other terminals.
pub(crate) fn commands(document: &str) -> Vec<Typed> {
    let mut commands = Vec::new();
    let mut inside = false;
    for line in document.lines() {
        match line {
            "```sh" => inside = true,
            "```" => inside = false,
            _ if inside => {
                let code =
                    line.split_once("# exit code ").map_or(0, |(_, code)| code.trim().parse().unwrap());
                commands.push(Typed { line: line.to_owned(), code });
            }
            _ => {}
        }
    }
    assert!(!commands.is_empty(), "the document has no commands");
    commands
}

/// A shell for one of them, which knows `tenure` and what the document has set by then.
pub(crate) fn shell(room: &Room, endpoint: &str, document: &str, command: &str) -> Command {
    let tenure = env!("CARGO_BIN_EXE_tenure");
    let chat = document.lines().find(|line| line.starts_with("CHAT=")).unwrap().replace(ENDPOINT, endpoint);
    let mut shell = Command::new("sh");
    shell
        .args(["-c", &format!("tenure() {{ exec {tenure} \"$@\"; }}\n{chat}\n{command}")])
        .current_dir(room.path())
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .env("HOME", room.path())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    shell
}

/// Runs it to its end.
pub(crate) fn run(mut shell: Command) -> Run {
    let output = shell.output().unwrap();
    Run {
        code: output.status.code(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}
