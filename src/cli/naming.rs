//! What an option is called where it is not typed. One rule names them all: under a heading that several commands
//! share, an option means the same wherever it occurs, and is called `TENURE_OPTION` in the environment and `option` in
//! tenure.toml. Any other option belongs to its command: `TENURE_COMMAND_OPTION`, and `option` under `[command.COMMAND]`.

use std::fmt;

use clap::{Arg, Command};

/// Headings whose options mean the same in every command.
const SHARED: [&str; 7] = ["Input", "History", "Journal", "Safety", "Connection", "Pace", "Progress"];

/// The option's own name would make it a variable that means something else already.
const OTHERWISE: [(&str, &str); 1] = [("log", "TENURE_LOG_FILE")];

/// How the environment's names begin.
pub const PREFIX: &str = "TENURE_";

/// What an option is called in the environment and in the file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name {
    /// The command that it belongs to; none where several share it.
    pub command: Option<String>,
    /// The option, without dashes before it.
    pub option: String,
}

impl Name {
    /// The name of an option of a command, which is the first word after `tenure`. Positional arguments have none, nor do
    /// the options that say where the file is, as they cannot stand in it.
    pub fn of(command: &str, arg: &Arg) -> Option<Name> {
        let option = arg.get_long().filter(|_| !arg.is_global_set())?.to_owned();
        let is_shared = arg.get_help_heading().is_some_and(|heading| SHARED.contains(&heading));
        Some(Name { command: (!is_shared).then(|| command.to_owned()), option })
    }

    /// Its environment variable.
    pub fn variable(&self) -> String {
        let otherwise = OTHERWISE.iter().find(|(option, _)| self.command.is_none() && self.option == *option);
        match otherwise {
            Some((_, variable)) => (*variable).to_owned(),
            None => variable(&self.to_string()),
        }
    }
}

/// As people call it: `option`, or `command option`.
impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.command {
            Some(command) => write!(f, "{command} {}", self.option),
            None => f.write_str(&self.option),
        }
    }
}

/// The environment variable of an option that the whole program has.
pub fn variable(option: &str) -> String {
    format!("{PREFIX}{}", option.replace(['-', ' '], "_").to_uppercase())
}

/// Visits every command and what it is called below the program, from above to below and in the order of the help.
pub fn walk<'a>(command: &'a Command, visit: &mut dyn FnMut(&[&'a str], &'a Command)) {
    fn below<'a>(
        command: &'a Command,
        path: &mut Vec<&'a str>,
        visit: &mut dyn FnMut(&[&'a str], &'a Command),
    ) {
        visit(path, command);
        for sub in command.get_subcommands() {
            path.push(sub.get_name());
            below(sub, path, visit);
            path.pop();
        }
    }
    below(command, &mut Vec::new(), visit);
}

/// Every option that can be set without being typed, once for each command that has it.
pub fn options(command: &Command) -> Vec<(Name, &Arg)> {
    let mut options = Vec::new();
    walk(command, &mut |path, command| {
        let Some(first) = path.first() else { return };
        options.extend(command.get_arguments().filter_map(|arg| Some((Name::of(first, arg)?, arg))));
    });
    options
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::{Cli, command};
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn every_option_has_a_heading() {
        let command = Cli::command();
        walk(&command, &mut |path, command| {
            let named = |arg: &&Arg| arg.get_long().is_some() && arg.get_id() != "help";
            for arg in command.get_arguments().filter(named) {
                let heading = arg.get_help_heading();
                assert!(heading.is_some(), "tenure {}: --{} has no heading", path.join(" "), arg.get_id());
            }
        });
    }

    /// An option that two commands share under one name has to mean the same in both.
    #[test]
    fn every_name_means_one_thing() {
        let command = Cli::command();
        let mut kinds: BTreeMap<String, (String, String)> = BTreeMap::new();
        for (name, arg) in options(&command) {
            let kind = format!(
                "{:?} {:?} {:?} {:?}",
                arg.get_action(),
                arg.get_value_parser().type_id(),
                arg.get_value_delimiter(),
                arg.get_possible_values()
            );
            let (told, before) =
                kinds.entry(name.variable()).or_insert_with(|| (name.to_string(), kind.clone()));
            assert_eq!((&*told, &*before), (&name.to_string(), &kind), "{}", name.variable());
        }
        for reserved in ["TENURE_LOG", "TENURE_SCOPE", "TENURE_CONFIG", "TENURE_NO_CONFIG"] {
            assert!(!kinds.contains_key(reserved), "{reserved} has a meaning already");
        }
        for kept in [
            "TENURE_CREDENTIALS",
            "TENURE_IMPERSONATE",
            "TENURE_SIGN_WITH",
            "TENURE_TOKEN_COMMAND",
            "TENURE_CLIENT_SECRETS",
            "TENURE_EMULATOR_PORT",
        ] {
            assert!(kinds.contains_key(kept), "{kept} is promised");
        }
    }

    #[test]
    fn the_long_help_of_every_option_names_its_variable() {
        let command = command();
        for (name, arg) in options(&command) {
            let help = arg.get_long_help().map(ToString::to_string).unwrap_or_default();
            assert!(help.contains(&format!("[env: {}]", name.variable())), "--{}: {help:?}", arg.get_id());
        }
    }
}
