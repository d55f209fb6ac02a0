//! Commands that stand in a document, run as they stand there, and what it says that the screen shows.
//!
//! A block ```` ```sh ```` holds commands (```` ```sh exit 4 ```` those that end with 4), ```` ```screen ```` behind it what
//! the last of them shows on a terminal of 80 columns without bars. ```` ```screen 9 3 ```` leaves lines out: behind the
//! first nine, before the last three.

use std::io::Read as _;
use std::ops::Range;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::support::{Emulator, Room, Run};

/// Where the documents' Chat API listens.
const ADDRESS: &str = "127.0.0.1:8090";
/// Where whoever reads it has the clone.
pub(crate) const CLONE: &str = "/home/maria/tenure";

/// A line to type.
pub(crate) struct Typed {
    pub(crate) line: String,
    /// What it ends with, by the head of its block; where that says nothing, success.
    pub(crate) code: i32,
    /// What is shown of it.
    pub(crate) screen: Option<Screen>,
}

/// A block that shows the terminal.
pub(crate) struct Screen {
    /// Where its text lies in the document.
    pub(crate) place: Range<usize>,
    /// How many lines of the beginning and of the end it has, if not all.
    ends: Option<(usize, usize)>,
}

impl Screen {
    /// What the block has of a screen.
    pub(crate) fn of(&self, shown: &str) -> String {
        let lines: Vec<&str> = shown.trim_end().lines().map(str::trim_end).collect();
        match self.ends {
            Some((first, last)) if first + last < lines.len() => {
                let (begin, end) = (&lines[..first], &lines[lines.len() - last..]);
                [begin, &["…"], end].concat().join("\n") + "\n"
            }
            _ => lines.join("\n") + "\n",
        }
    }
}

/// A document's commands in their order, but for those of other terminals.
pub(crate) fn commands(document: &str) -> Vec<Typed> {
    let mut commands: Vec<Typed> = Vec::new();
    let mut at = 0;
    let mut block = None;
    for line in document.split_inclusive('\n') {
        let begin = at;
        at += line.len();
        match (block, line.trim_end()) {
            (Some(_), "```") => block = None,
            (Some(info), line) => {
                if let Some(code) = exit_code(info) {
                    commands.push(Typed { line: line.to_owned(), code, screen: None });
                } else if let Some(counts) = info.strip_prefix("screen") {
                    let counts: Vec<usize> =
                        counts.split_whitespace().map(|count| count.parse().unwrap()).collect();
                    let ends = counts.first().map(|first| (*first, counts.get(1).copied().unwrap_or(0)));
                    let last = commands.last_mut().expect("a screen of nothing");
                    let begin = last.screen.as_ref().map_or(begin, |screen| screen.place.start);
                    last.screen = Some(Screen { place: begin..at, ends });
                }
            }
            (None, line) => block = line.strip_prefix("```"),
        }
    }
    assert!(!commands.is_empty(), "the document has no commands");
    commands
}

/// What the commands of a block end with; `None` where it holds no commands to run.
fn exit_code(info: &str) -> Option<i32> {
    match info.strip_prefix("sh exit ") {
        Some(code) => Some(code.parse().unwrap()),
        None => (info == "sh").then_some(0),
    }
}

/// What a shell is to do for one of them: it knows `tenure`, and what the document has exported by then.
fn script(emulator: &Emulator, document: &str, command: &str) -> String {
    let tenure = env!("CARGO_BIN_EXE_tenure");
    let address = format!("127.0.0.1:{}", emulator.port());
    let before = &document[..document.find(&format!("\n{command}\n")).expect("a line of the document")];
    let exports: Vec<&str> = before.lines().filter(|line| line.starts_with("export ")).collect();
    let exports = exports.join("\n").replace(ADDRESS, &address);
    format!("tenure() {{ exec {tenure} \"$@\"; }}\n{exports}\n{command}")
}

/// A program in the room, which finds nothing else there.
fn within(room: &Room, program: &str, args: &[&str]) -> Command {
    let mut command = Command::new(program);
    command
        .args(args)
        .current_dir(room.path())
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .env("HOME", room.path())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// A shell for one of them.
pub(crate) fn shell(room: &Room, emulator: &Emulator, document: &str, command: &str) -> Command {
    within(room, "sh", &["-c", &script(emulator, document, command)])
}

/// The same where the pace is no part of what the document says.
pub(crate) fn unpaced_shell(room: &Room, emulator: &Emulator, document: &str, command: &str) -> Command {
    let mut shell = self::shell(room, emulator, document, command);
    shell.env("TENURE_WRITES_PER_MINUTE", "0").env("TENURE_WRITES_PER_MINUTE_PER_SPACE", "0");
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

/// Runs one of them on a terminal: how it ends, and what that shows, with the document's address and folder. `None` where
/// the machine has no script(1).
pub(crate) fn run_on_terminal(
    room: &Room,
    emulator: &Emulator,
    document: &str,
    command: &str,
) -> Option<(i32, String)> {
    let typed = format!("stty cols 80 rows 40\n{}", script(emulator, document, command));
    let mut terminal = within(room, "script", &["-q", "-e", "-c", &typed, "/dev/null"])
        .env("TENURE_PROGRESS", "plain")
        .env("NO_COLOR", "1")
        // Kept open: at its end script(1) would type Ctrl-D.
        .stdin(Stdio::piped())
        .spawn()
        .ok()?;
    let keyboard = terminal.stdin.take();
    let mut shown = String::new();
    terminal.stdout.take().unwrap().read_to_string(&mut shown).unwrap();
    let code = terminal.wait().unwrap().code().unwrap();
    drop(keyboard);
    let shown = shown
        .replace("\r\n", "\n")
        .replace(&format!("127.0.0.1:{}", emulator.port()), ADDRESS)
        .replace(env!("CARGO_MANIFEST_DIR"), CLONE)
        .replace(room.path().to_str().unwrap(), CLONE);
    Some((code, shown))
}

/// Every document of the checkout, by what it is called there.
fn documents() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folders = ["", "docs", "fuzz", "samples", "tests/mutants"].map(|folder| root.join(folder));
    let files =
        folders.iter().flat_map(|folder| folder.read_dir().unwrap()).map(|entry| entry.unwrap().path());
    let documents = files.filter(|file| file.extension().is_some_and(|extension| extension == "md"));
    documents
        .map(|file| {
            let text = std::fs::read_to_string(&file).unwrap();
            (file.strip_prefix(root).unwrap().display().to_string(), text)
        })
        .collect()
}

/// The lines that a document has for a shell, those for other terminals too.
fn lines_for_a_shell(document: &str) -> impl Iterator<Item = &str> {
    let mut block = None;
    document.lines().filter(move |line| {
        block = match (block, line.strip_prefix("```")) {
            (Some(_), Some(_)) => None,
            (None, Some(info)) => Some(info),
            (within, None) => within,
        };
        block.is_some_and(|info: &str| info.starts_with("sh")) && !line.starts_with("```")
    })
}

/// Whether a shell that knows comments would see one on this line.
fn has_a_comment(line: &str) -> bool {
    let (mut quote, mut before) = (None, ' ');
    line.chars().any(|char| {
        quote = match quote {
            Some(open) if open == char => None,
            None if matches!(char, '\'' | '"') => Some(char),
            quote => quote,
        };
        let begins_a_word = before.is_whitespace() || ";|&(".contains(before);
        before = char;
        quote.is_none() && char == '#' && begins_a_word
    })
}

/// An interactive zsh takes what stands behind `#` for more arguments.
#[test]
fn no_command_has_a_comment_beside_it() {
    assert!(has_a_comment("tenure check rows.csv # what it does") && has_a_comment("# what it does"));
    assert!(!has_a_comment("tenure members list spaces/A --filter 'role # x' \"a #\" a#b"));
    let documents = documents();
    let lines = |text| lines_for_a_shell(text).count();
    assert!(documents.iter().map(|(_, text)| lines(text)).sum::<usize>() > 100, "where are they?");
    let commented: Vec<String> = documents
        .iter()
        .flat_map(|(name, text)| lines_for_a_shell(text).map(move |line| (name, line)))
        .filter(|(_, line)| has_a_comment(line))
        .map(|(name, line)| format!("{name}: {line}"))
        .collect();
    assert!(commented.is_empty(), "it breaks where somebody pastes it:\n{}", commented.join("\n"));
}
