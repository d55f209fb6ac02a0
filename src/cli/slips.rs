//! What the parser cannot know of a slip.

use std::ffi::OsString;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, Command};

use super::naming::walk;
use crate::input::{Format, nearest};

/// So many commands are named; more would not be read.
const NAMED_MAX: usize = 3;

/// The same error about what was typed, with what was most likely meant.
pub fn explained(error: clap::Error, program: &Command, typed: &[OsString]) -> clap::Error {
    let words: Vec<&str> = typed.iter().skip(1).filter_map(|word| word.to_str()).collect();
    match error.kind() {
        ErrorKind::UnknownArgument => unknown_option(error, program, &words),
        ErrorKind::InvalidSubcommand => nearly_a_command(error, program, &words),
        ErrorKind::InvalidValue => value_that_is_a_switch(error, program, &words),
        ErrorKind::MissingRequiredArgument => again_without_input(error, &words),
        _ => error,
    }
}

/// The command that these words lead to, as far as they do.
fn command_of<'a>(program: &'a Command, words: &[&str]) -> &'a Command {
    words.iter().fold(program, |command, word| {
        command.get_subcommands().find(|below| below.get_name() == *word).unwrap_or(command)
    })
}

/// The same error with this tip, instead of the parser's own, which can be an option that is spelt alike, and a usage with
/// that.
fn with_tip(mut error: clap::Error, tip: String) -> clap::Error {
    if error.remove(ContextKind::SuggestedArg).is_some() {
        error.remove(ContextKind::Usage);
    }
    error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![tip.into()]));
    error
}

/// What the parser says of an error, where it is text.
fn told_of(error: &clap::Error, kind: ContextKind) -> Option<String> {
    match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.clone()),
        _ => None,
    }
}

/// Of a misspelt command the nearest ones: the parser's own are by how they begin and end, and has none for `help`.
fn nearly_a_command(mut error: clap::Error, program: &Command, words: &[&str]) -> clap::Error {
    let Some(slip) = told_of(&error, ContextKind::InvalidSubcommand) else { return error };
    let before = words.iter().position(|word| *word == slip).unwrap_or(words.len());
    let above = command_of(program, &words[..before]);
    let commands = above.get_subcommands().filter(|command| !command.is_hide_set());
    let near: Vec<String> = nearest(&slip, commands.map(Command::get_name)).map(str::to_owned).collect();
    if !near.is_empty() {
        error.insert(ContextKind::SuggestedSubcommand, ContextValue::Strings(near));
    }
    error
}

/// Of what looks like an option and is none of this command: what it may be instead.
fn unknown_option(error: clap::Error, program: &Command, words: &[&str]) -> clap::Error {
    let Some(typed) = told_of(&error, ContextKind::InvalidArg) else { return error };
    let Some(option) = typed.strip_prefix("--") else { return below_zero(error, &typed, words) };
    let takes_it = |arg: &&Arg| arg.get_possible_values().iter().any(|value| value.matches(option, false));
    let command = command_of(program, words);
    let reads = command.get_positionals().any(|arg| arg.get_id() == "inputs");
    match command.get_arguments().find(takes_it).and_then(Arg::get_long) {
        Some(long) => match file_behind(&typed, words).filter(|_| reads) {
            Some(file) => with_tip(error, format!("the file is named alone, without {typed}: {file}")),
            None => with_tip(error, format!("a similar argument exists: '--{long} {option}'")),
        },
        None => of_another_command(error, program, option),
    }
}

/// The file behind an option, if its name tells the format by itself.
fn file_behind<'a>(option: &str, words: &[&'a str]) -> Option<&'a str> {
    let at = words.iter().position(|word| word.split('=').next() == Some(option))?;
    let file = words[at].split_once('=').map(|(_, file)| file).or_else(|| words.get(at + 1).copied())?;
    Format::of_name(file).map(|_| file)
}

/// Of a number below zero, which reads like an option, behind the option that it was meant for.
fn below_zero(error: clap::Error, typed: &str, words: &[&str]) -> clap::Error {
    let is_behind_an_option = |pair: &&[&str]| {
        pair[0].starts_with("--") && pair[1].starts_with(typed) && pair[1].parse::<f64>().is_ok()
    };
    match words.windows(2).find(is_behind_an_option) {
        Some(pair) => with_tip(error, format!("'{}' takes no number below 0, such as {}", pair[0], pair[1])),
        None => error,
    }
}

/// Of a value that is a switch of the same command, how that is typed.
fn value_that_is_a_switch(error: clap::Error, program: &Command, words: &[&str]) -> clap::Error {
    let Some(value) = told_of(&error, ContextKind::InvalidValue) else { return error };
    let is_it = |arg: &Arg| arg.get_long() == Some(&value) && !arg.get_action().takes_values();
    if value.is_empty() || !command_of(program, words).get_arguments().any(is_it) {
        return error;
    }
    with_tip(error, format!("'--{value}' is a switch of its own"))
}

/// Of rows to be tried again where the input is missing: the journal has them.
fn again_without_input(error: clap::Error, words: &[&str]) -> clap::Error {
    let retry = "--retry-rejected";
    let Some(at) = words.iter().position(|word| word.split('=').next() == Some(retry)) else { return error };
    let kind = words.get(at + 1).filter(|next| words[at] == retry && !next.starts_with('-'));
    let again = kind.map_or(words[at].to_owned(), |kind| format!("{retry} {kind}"));
    with_tip(error, format!("what was refused stands in the journal: `tenure resume JOURNAL {again}`"))
}

/// Of an option that other commands have, which ones these are.
fn of_another_command(error: clap::Error, program: &Command, option: &str) -> clap::Error {
    let mut commands = Vec::new();
    walk(program, &mut |path, command| {
        if command.get_arguments().any(|arg| arg.get_long() == Some(option)) {
            commands.push(format!("`tenure {}`", path.join(" ")));
        }
    });
    if commands.is_empty() {
        return error;
    }
    let more = if commands.len() > NAMED_MAX { " and others" } else { "" };
    commands.truncate(NAMED_MAX);
    with_tip(error, format!("--{option} is an option of {}{more}, not of this command", commands.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::super::command;
    use super::*;

    fn told(line: &str) -> String {
        let program = command();
        let typed: Vec<OsString> = line.split(' ').map(OsString::from).collect();
        let error = program.clone().try_get_matches_from(&typed).unwrap_err();
        explained(error, &program, &typed).to_string()
    }

    #[test]
    fn a_misspelt_command() {
        for (line, meant) in [
            ("tenure imprt rows.csv", "a similar subcommand exists: 'import'"),
            ("tenure help impotr", "a similar subcommand exists: 'import'"),
            ("tenure spaces crate", "a similar subcommand exists: 'create'"),
            ("tenure help spaces lsit", "a similar subcommand exists: 'list'"),
        ] {
            assert!(told(line).contains(&format!("tip: {meant}\n")), "{line}: {}", told(line));
        }
        assert!(!told("tenure help frobnicate").contains("similar"));
    }

    #[test]
    fn an_option_of_other_commands() {
        let tip = "tip: --probe is an option of `tenure doctor`, not of this command\n";
        assert!(told("tenure check rows.csv --probe").contains(tip));
        assert!(told("tenure check rows.csv --give-up-after 3").contains("`tenure import`"));
        assert!(told("tenure import rows.csv --emulater").contains("similar argument exists: '--emulator'"));
    }

    #[test]
    fn what_was_meant_by_a_word_in_the_wrong_place() {
        for (line, tip) in [
            ("tenure check rows.csv --format github", "'--github' is a switch of its own"),
            ("tenure rejects j.db --csv", "a similar argument exists: '--format csv'"),
            ("tenure check --csv rows.csv", "the file is named alone, without --csv: rows.csv"),
            ("tenure import --csv=rows.csv.gz", "the file is named alone, without --csv: rows.csv.gz"),
            ("tenure check --jsonl=rows.jsonl", "the file is named alone, without --jsonl: rows.jsonl"),
            ("tenure check rows.txt --jsonl", "a similar argument exists: '--format jsonl'"),
            ("tenure rejects j.db --jsonl=rows.jsonl", "a similar argument exists: '--format jsonl'"),
            ("tenure check --csv rows.txt", "a similar argument exists: '--format csv'"),
            ("tenure import --retry-rejected", "`tenure resume JOURNAL --retry-rejected`"),
            (
                "tenure import --retry-rejected NOT_FOUND --emulator",
                "`tenure resume JOURNAL --retry-rejected NOT_FOUND`",
            ),
            (
                "tenure import rows.csv --writes-per-minute -12",
                "'--writes-per-minute' takes no number below 0, such as -12",
            ),
        ] {
            let told = told(line);
            let tips: Vec<&str> = told.lines().filter_map(|line| line.trim().strip_prefix("tip: ")).collect();
            assert!(tips.len() == 1 && tips[0].ends_with(tip), "{line}: {told}");
        }
        assert!(!told("tenure check rows.csv --format xml").contains("switch"));
        assert!(!told("tenure import").contains("resume"));
    }
}
