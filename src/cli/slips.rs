//! What the parser cannot know of a slip.

use clap::Command;
use clap::error::{ContextKind, ContextValue, ErrorKind};

use super::naming::walk;

/// So many commands are named; more would not be read.
const NAMED_MAX: usize = 3;

/// The same error; of an option that other commands have, it says which.
pub fn explained(mut error: clap::Error, program: &Command) -> clap::Error {
    if error.kind() != ErrorKind::UnknownArgument {
        return error;
    }
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

    #[test]
    fn an_option_of_other_commands() {
        let told = |line: &str| {
            let program = command();
            let error = program.clone().try_get_matches_from(line.split(' ')).unwrap_err();
            explained(error, &program).to_string()
        };
        let tip = "tip: --probe is an option of `tenure doctor`, not of this command\n";
        assert!(told("tenure check rows.csv --probe").contains(tip));
        assert!(told("tenure check rows.csv --give-up-after 3").contains("`tenure import`"));
        assert!(told("tenure import rows.csv --emulater").contains("similar argument exists: '--emulator'"));
    }
}
