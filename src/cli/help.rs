//! How help is asked for, and how the end of the long one fits a terminal.

use std::ffi::OsString;
use std::ops::RangeInclusive;

use clap::error::{ContextKind, ContextValue};
use clap::{Arg, ArgAction, Command};

use super::parts::{Part, parts};
use crate::wording::{fitted, width};

/// How far the second line of an example that is broken is indented, as in the examples themselves.
const INDENT: usize = 10;
/// What breaks a line of a shell.
const BREAK: &str = " \\";

/// The flag of every command: the parser's own has two lengths of help, which nobody expects of `-h` and `--help`.
pub(super) fn flag() -> Arg {
    let flag = Arg::new("help").short('h').long("help").global(true).help_heading(None);
    flag.action(ArgAction::HelpShort).help("Print this").long_help("Print the options in short")
}

/// What was typed without the flag, where that was typed behind `help`: the parser takes it for a command's name there.
pub fn without_flag(error: &clap::Error, typed: &[OsString]) -> Option<Vec<OsString>> {
    let is_flag = |word: &str| matches!(word, "-h" | "--help");
    match error.get(ContextKind::InvalidSubcommand) {
        Some(ContextValue::String(name)) if is_flag(name) => {
            Some(typed.iter().filter(|word| !word.to_str().is_some_and(is_flag)).cloned().collect())
        }
        _ => None,
    }
}

/// Under the short help of a command: where the long one is.
pub(super) fn more(path: &str) -> String {
    format!("`tenure help {path}` says more, with examples.")
}

/// How the parser ends what it says of a slip, up to what is to be typed.
const PARSER_ENDS: &str = "For more information, try '";

/// What the parser says of a slip, which ends with where more is said, as the short help does. `typed` leads to the command.
pub fn ended(said: &str, program: &Command, typed: &[OsString]) -> String {
    let Some((story, _)) = said.rsplit_once(PARSER_ENDS) else { return said.to_owned() };
    let words = typed.iter().skip(1).map_while(|word| word.to_str());
    let (mut path, mut command) = (String::new(), program);
    for word in words {
        let Some(below) = command.find_subcommand(word) else { break };
        path += &format!(" {}", below.get_name());
        command = below;
    }
    match path.trim_start() {
        "" | "help" => format!("{story}`tenure help` lists the commands.\n"),
        path => format!("{story}{}\n", more(path)),
    }
}

/// Help is nowhere wider than lines are read with ease, nor narrower than the longest words of
/// its examples.
const COLUMNS: RangeInclusive<usize> = 48..=100;

/// The same command line, with help of so many columns, as far as they are good for it. The parser would break examples between any two words;
/// what is copied from them has to run.
pub fn for_columns(command: Command, columns: usize) -> Command {
    let columns = columns.clamp(*COLUMNS.start(), *COLUMNS.end());
    let help = command.get_after_long_help().map(|help| laid_out(&help.to_string(), columns));
    let command = match help {
        Some(help) => command.after_long_help(help),
        None => command,
    };
    command.term_width(columns).mut_subcommands(|command| for_columns(command, columns))
}

fn laid_out(help: &str, columns: usize) -> String {
    let pieces = parts(help).into_iter().map(|part| match part {
        Part::Verbatim(title, lines) => format!("{title}:\n{}", lines_of(lines, columns)),
        // The parser breaks these where they should be.
        Part::Paragraph(paragraph) => paragraph.to_owned(),
    });
    pieces.collect::<Vec<_>>().join("\n\n")
}

fn lines_of(lines: &str, columns: usize) -> String {
    let mut shown: Vec<String> = Vec::new();
    let mut lines = lines.lines();
    while let Some(line) = lines.next() {
        if !line.trim_start().starts_with("tenure ") {
            shown.push(fitted(line, columns));
            continue;
        }
        let mut typed = vec![line];
        while typed.last().is_some_and(|line| line.ends_with(BREAK)) {
            typed.extend(lines.next());
        }
        if typed.iter().all(|line| width(line) <= columns) {
            shown.extend(typed.into_iter().map(str::to_owned));
        } else {
            shown.push(broken(&typed, columns));
        }
    }
    shown.join("\n")
}

/// A command that was typed on these lines on narrower ones, each of which says that it goes on.
fn broken(typed: &[&str], columns: usize) -> String {
    let typed: Vec<&str> = typed.iter().map(|line| line.trim_end_matches('\\').trim()).collect();
    let room = columns.saturating_sub(width(BREAK));
    let mut shown = " ".to_owned();
    let mut taken = width(&shown);
    for piece in pieces(&typed.join(" "), room.saturating_sub(INDENT)) {
        if taken + 1 + width(&piece) > room {
            shown += &format!("{BREAK}\n{}", " ".repeat(INDENT - 1));
            taken = INDENT - 1;
        }
        shown += &format!(" {piece}");
        taken += 1 + width(&piece);
    }
    shown
}

/// What stays together of a command: what is quoted, and an option with its value where both have room.
fn pieces(typed: &str, room: usize) -> Vec<String> {
    let mut pieces: Vec<String> = Vec::new();
    let mut quoted = false;
    for word in typed.split(' ') {
        let quotes = word.matches('\'').count() % 2 == 1;
        match pieces.last_mut() {
            Some(piece) if quoted || (takes(piece, word) && width(piece) + 1 + width(word) <= room) => {
                piece.push(' ');
                piece.push_str(word);
            }
            _ => pieces.push(word.to_owned()),
        }
        quoted ^= quotes;
    }
    pieces
}

/// Whether a word reads as the value of what stands before it.
fn takes(piece: &str, word: &str) -> bool {
    let is_an_option = piece.starts_with('-') && !piece.contains(' ');
    (is_an_option && !word.starts_with('-')) || matches!(piece, ">" | "|")
}

#[cfg(test)]
mod tests {
    use super::super::{command, walk};
    use super::*;

    /// The commands among such lines, each on one line.
    fn commands(help: &str) -> Vec<String> {
        let joined: Vec<String> = help
            .replace("\\\n", " ")
            .lines()
            .filter(|line| line.starts_with("  tenure "))
            .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
            .collect();
        joined
    }

    #[test]
    fn what_is_said_of_a_slip_ends_with_where_more_is_said() {
        let program = command();
        for (line, end) in [
            ("tenure check --jsno rows.csv", "\n\n`tenure help check` says more, with examples.\n"),
            ("tenure spaces create --x", "\n\n`tenure help spaces create` says more, with examples.\n"),
            ("tenure chekc", "\n\n`tenure help` lists the commands.\n"),
            ("tenure help chekc", "\n\n`tenure help` lists the commands.\n"),
        ] {
            let typed: Vec<OsString> = line.split(' ').map(OsString::from).collect();
            let error = program.clone().try_get_matches_from(&typed).unwrap_err();
            for said in [error.render().to_string(), error.render().ansi().to_string()] {
                let said = ended(&said, &program, &typed);
                assert!(said.ends_with(end), "{line}: {said}");
            }
        }
    }

    #[test]
    fn an_example_goes_on_behind_a_backslash() {
        let line = "  tenure import memberships.csv --emulator --journal rehearsal.db";
        assert_eq!(
            lines_of(line, 60),
            "  tenure import memberships.csv --emulator \\\n          --journal rehearsal.db"
        );
        assert_eq!(lines_of(line, 66), line);
        let line = "  tenure members list spaces/AAAA --filter 'role = \"ROLE_MANAGER\"'";
        assert_eq!(
            lines_of(line, 44),
            "  tenure members list spaces/AAAA \\\n          --filter 'role = \"ROLE_MANAGER\"'"
        );
    }

    #[test]
    fn every_example_is_the_same_command_at_every_width() {
        let program = command();
        for columns in [0, 60, 80] {
            let mut narrow = for_columns(command(), columns);
            narrow.build();
            walk(&program, &mut |path, wide| {
                let wide = wide.get_after_long_help().map(ToString::to_string).unwrap_or_default();
                let mut narrow = &mut narrow;
                for name in path {
                    narrow = narrow.find_subcommand_mut(name).unwrap();
                }
                let shown = narrow.render_long_help().to_string();
                assert_eq!(commands(&shown), commands(&wide), "{columns} columns:\n{shown}");
            });
        }
    }
}
