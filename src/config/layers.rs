//! Of what is set for a command, what it gets: the environment before the file, and nothing that excludes what comes
//! before it.

use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, Command};

use super::{Given, Origin, fit};
use crate::cli::Name;

/// A value for an option of the command that was typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Chosen {
    /// The option.
    pub(super) name: Name,
    /// Whether the file says so.
    pub(super) is_of_file: bool,
    /// What the parser calls it.
    id: String,
    /// As the command line would have them.
    values: Vec<String>,
}

/// What the environment has of the options that exclude one another: whoever says how tokens are made has said most.
const STRONGEST: [&str; 3] = ["token-command", "sign-with", "credentials"];

/// What the command gets. `first` is the first word of its name.
///
/// # Errors
/// When the file says two things that exclude each other.
pub(super) fn choose(
    first: &str,
    command: &Command,
    typed: &ArgMatches,
    given: &[Given],
) -> Result<Vec<Chosen>, Vec<String>> {
    let is_typed = |arg: &Arg| typed.value_source(arg.get_id().as_str()) == Some(ValueSource::CommandLine);
    let mut present: Vec<(&Arg, Option<&Given>)> =
        command.get_arguments().filter(|arg| is_typed(arg)).map(|arg| (arg, None)).collect();
    let mut candidates: Vec<(&Arg, &Given)> = Vec::new();
    for arg in command.get_arguments().filter(|arg| !is_typed(arg)) {
        let Some(name) = Name::of(first, arg) else { continue };
        // The environment comes first.
        candidates.extend(given.iter().find(|given| given.name == name).map(|given| (arg, given)));
    }
    candidates.sort_by_key(|(_, given)| {
        let strength = STRONGEST.iter().position(|option| given.name.option == *option);
        (is_of_file(given), strength.unwrap_or(STRONGEST.len()))
    });
    let (mut chosen, mut problems) = (Vec::new(), Vec::new());
    for (arg, given) in candidates {
        let is_off = fit::is_switch(arg) && given.values.iter().all(|value| value == "false");
        if !is_off {
            if let Some((other, stronger)) = present.iter().find(|(other, _)| exclude(command, arg, other)) {
                if let Some(stronger) = stronger.filter(|stronger| is_of_file(stronger) && is_of_file(given))
                {
                    problems.push(format!(
                        "{}: {} and {} ({}) exclude each other: take one out",
                        given.origin, given.name, stronger.name, stronger.origin
                    ));
                }
                log::debug!("{} is left aside for --{}", given.origin, other.get_id());
                continue;
            }
            present.push((arg, Some(given)));
        }
        chosen.push(Chosen {
            name: given.name.clone(),
            is_of_file: is_of_file(given),
            id: arg.get_id().to_string(),
            values: given.values.clone(),
        });
    }
    if problems.is_empty() { Ok(chosen) } else { Err(problems) }
}

fn is_of_file(given: &Given) -> bool {
    matches!(given.origin, Origin::File { .. })
}

fn exclude(command: &Command, one: &Arg, other: &Arg) -> bool {
    let named = |arg, other: &Arg| {
        command.get_arg_conflicts_with(arg).iter().any(|named| named.get_id() == other.get_id())
    };
    named(one, other) || named(other, one)
}

/// The command line of which the one command takes these values where nothing is typed.
pub(super) fn with_defaults(program: Command, path: &[String], chosen: &[Chosen]) -> Command {
    match path.split_first() {
        Some((first, rest)) => program.mut_subcommand(first, |command| with_defaults(command, rest, chosen)),
        None => chosen.iter().fold(program, |command, chosen| {
            command.mut_arg(&chosen.id, |arg| arg.required(false).default_values(chosen.values.clone()))
        }),
    }
}
