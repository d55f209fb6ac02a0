//! What the parser cannot know of a slip.

use std::ffi::OsString;

use clap::Command;
use clap::error::{ContextKind, ContextValue, ErrorKind};

use super::naming::walk;
use crate::input::nearest;

/// So many commands are named; more would not be read.
const NAMED_MAX: usize = 3;

/// The same error about what was typed, with what was most likely meant.
pub fn explained(error: clap::Error, program: &Command, typed: &[OsString]) -> clap::Error {
    match error.kind() {
        ErrorKind::UnknownArgument => of_another_command(error, program),
        ErrorKind::InvalidSubcommand => nearly_a_command(error, program, typed),
        _ => error,
    }
}

/// Of a misspelt command the nearest ones: the parser's own are by how they begin and end, and has none for `help`.
fn nearly_a_command(mut error: clap::Error, program: &Command, typed: &[OsString]) -> clap::Error {
    let Some(ContextValue::String(slip)) = error.get(ContextKind::InvalidSubcommand) else { return error };
    let words = typed.iter().skip(1).filter_map(|word| word.to_str());
    let above = words.take_while(|word| *word != slip.as_str()).fold(program, |command, word| {
        command.get_subcommands().find(|below| below.get_name() == word).unwrap_or(command)
    });
    let commands = above.get_subcommands().filter(|command| !command.is_hide_set());
    let near: Vec<String> = nearest(slip, commands.map(Command::get_name)).map(str::to_owned).collect();
    if !near.is_empty() {
        error.insert(ContextKind::SuggestedSubcommand, ContextValue::Strings(near));
    }
    error
}

/// Of an option that other commands have, which ones these are.
fn of_another_command(mut error: clap::Error, program: &Command) -> clap::Error {
    let Some(ContextValue::String(typed)) = error.get(ContextKind::InvalidArg) else { return error };
    let Some(option) = typed.strip_prefix("--") else { return error };
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
    let tip = format!("{typed} is an option of {}{more}, not of this command", commands.join(", "));
    error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![tip.into()]));
    error
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
}
