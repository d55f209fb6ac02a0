//! The command line as it is used: as defined, the long help of each option says what its variable is, and
//! the short help of each command where its long one is.

use clap::{Arg, Command, CommandFactory as _};

use super::naming::{Name, variable};
use super::{Cli, help};

/// The definition that everything is parsed by and printed from.
pub fn command() -> Command {
    let program = Cli::command().mut_args(|arg| {
        let name = arg.get_long().filter(|long| *long != "help").map(variable);
        with_variable(arg, name)
    });
    program.mut_subcommands(|command| {
        let first = command.get_name().to_owned();
        dressed(command, &first, &first)
    })
}

fn dressed(command: Command, first: &str, path: &str) -> Command {
    command
        .after_help(help::more(path))
        .mut_args(|arg| {
            let name = Name::of(first, &arg).map(|name| name.variable());
            with_variable(arg, name)
        })
        .mut_subcommands(|command| {
            let path = format!("{path} {}", command.get_name());
            dressed(command, first, &path)
        })
}

fn with_variable(arg: Arg, variable: Option<String>) -> Arg {
    let Some(variable) = variable else { return arg };
    let help = arg.get_long_help().or(arg.get_help()).map(ToString::to_string).unwrap_or_default();
    arg.long_help(format!("{help} [env: {variable}]"))
}

#[cfg(test)]
mod tests {
    use super::super::naming::walk;
    use super::*;

    /// What stands in the examples of a help text, each on one line.
    fn examples(help: &str) -> Vec<String> {
        let joined = help.replace("\\\n", " ");
        joined.lines().filter(|line| line.starts_with("  tenure ")).map(str::to_owned).collect()
    }

    /// Words as a shell makes them of such a line.
    fn words(line: &str) -> Vec<String> {
        let mut words = vec![String::new()];
        let mut quoted = false;
        for c in line.trim().chars() {
            match c {
                '\'' => quoted = !quoted,
                ' ' if !quoted => words.push(String::new()),
                c => words.last_mut().unwrap().push(c),
            }
        }
        words.retain(|word| !word.is_empty());
        let end = words.iter().position(|word| word == ">" || word == "|").unwrap_or(words.len());
        words.truncate(end);
        words
    }

    #[test]
    fn the_definition_is_sound() {
        command().debug_assert();
    }

    #[test]
    fn every_command_has_examples_that_can_be_typed() {
        let program = command();
        walk(&program, &mut |path, command| {
            let path = path.join(" ");
            let help = command.get_after_long_help().map(ToString::to_string).unwrap_or_default();
            assert!(help.starts_with("Examples:\n"), "tenure {path}: its long help has no examples");
            let examples = examples(&help);
            let its_own = format!("  tenure {path}");
            assert!(examples.iter().any(|line| line.starts_with(&its_own)), "{its_own}: {examples:?}");
            for line in &examples {
                let parsed = super::command().try_get_matches_from(words(line));
                assert!(parsed.is_ok(), "{line}\n{}", parsed.unwrap_err());
            }
            for line in help.lines().filter(|line| line.starts_with("  ")) {
                assert!(line.len() <= 100 && (line.len() <= 80 || !line.contains("tenure")), "{line}");
            }
        });
    }

    #[test]
    fn the_short_help_is_short() {
        let mut program = command();
        program.build();
        walk(&program, &mut |path, command| {
            let lines = |text: clap::builder::StyledStr| text.to_string().lines().count();
            let (short, long) =
                (lines(command.clone().render_help()), lines(command.clone().render_long_help()));
            assert!(path.contains(&"help") || short < long, "tenure {}: {short}, {long}", path.join(" "));
        });
    }
}
