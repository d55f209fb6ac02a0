//! The whole command line as one Markdown page, made from its definition: `docs/cli.md`, which a test holds against it.

use std::fmt::Write as _;

use clap::builder::StyledStr;
use clap::{Arg, Command};

use super::command;
use super::naming::{Name, variable, walk};
use super::parts::{Part, parts};
use super::typed::typed;

const PREFACE: &str = "\
# Command line

Made by `tenure reference` from the program's own definition. Every option can be typed, set in the environment, or \
written in `tenure.toml`: [configuration.md](configuration.md). What a command's end means to a script: \
[exit-codes.md](exit-codes.md).
";

/// The page.
pub fn reference() -> String {
    let mut program = command().disable_help_subcommand(true);
    program.build();
    let mut text = PREFACE.to_owned();
    text += "\n## Commands\n\n| command | |\n|---|---|\n";
    walk(&program, &mut |path, command| {
        if !path.is_empty() && !is_hidden(&program, path) {
            let name = path.join(" ");
            let anchor = path.join("-");
            let _ = writeln!(text, "| [`{name}`](#tenure-{anchor}) | {} |", cell(&told(command.get_about())));
        }
    });
    text += "\nEvery command takes these, too:\n";
    let everywhere = program.get_arguments().filter(|arg| arg.is_global_set() && arg.get_id() != "help");
    table(&mut text, everywhere, |arg| arg.get_long().map(variable));
    walk(&program, &mut |path, command| {
        if let Some(first) = path.first().filter(|_| !is_hidden(&program, path)) {
            section(&mut text, first, path, command);
        }
    });
    text
}

fn is_hidden(program: &Command, path: &[&str]) -> bool {
    let mut command = program;
    path.iter().any(|name| {
        let Some(sub) = command.find_subcommand(name) else { return false };
        command = sub;
        sub.is_hide_set()
    })
}

fn section(text: &mut String, first: &str, path: &[&str], command: &Command) {
    let usage = command.clone().render_usage().to_string();
    let usage = usage.trim_start_matches("Usage: ");
    let about = told(command.get_about());
    let _ = writeln!(text, "\n## tenure {}\n\n{about}.\n\n```text\n{usage}\n```", path.join(" "));
    let mut headings: Vec<Option<&str>> = Vec::new();
    for arg in command.get_arguments().filter(|arg| is_listed(arg)) {
        if !headings.contains(&arg.get_help_heading()) {
            headings.push(arg.get_help_heading());
        }
    }
    for heading in headings {
        let _ = writeln!(text, "\n{}:", heading.unwrap_or("Arguments"));
        let args = command.get_arguments().filter(|arg| is_listed(arg) && arg.get_help_heading() == heading);
        table(text, args, |arg| Name::of(first, arg).map(|name| name.variable()));
    }
    for part in parts(&told(command.get_after_long_help())) {
        match part {
            Part::Verbatim(_, lines) => {
                let lines: Vec<&str> =
                    lines.lines().map(|line| line.strip_prefix("  ").unwrap_or(line)).collect();
                let _ = writeln!(text, "\n```sh\n{}\n```", lines.join("\n"));
            }
            Part::Paragraph(paragraph) => {
                let _ = writeln!(text, "\n{paragraph}");
            }
        }
    }
}

/// Whether it is an argument of the command itself, and told of.
pub(super) fn is_listed(arg: &Arg) -> bool {
    !arg.is_global_set() && !matches!(arg.get_id().as_str(), "help" | "version") && !arg.is_hide_set()
}

fn table<'a>(
    text: &mut String,
    args: impl Iterator<Item = &'a Arg>,
    variable: impl Fn(&Arg) -> Option<String>,
) {
    text.push_str("\n| | | variable |\n|---|---|---|\n");
    for arg in args {
        let variable = variable(arg).map(|variable| format!("`{variable}`")).unwrap_or_default();
        let _ = writeln!(text, "| `{}` | {} | {variable} |", typed(arg), cell(&meaning(arg)));
    }
}

fn meaning(arg: &Arg) -> String {
    let mut meaning = told(arg.get_help());
    if !arg.get_action().takes_values() {
        return meaning;
    }
    let values = arg.get_possible_values();
    let values: Vec<&str> =
        values.iter().filter(|value| !value.is_hide_set()).map(|value| value.get_name()).collect();
    if !values.is_empty() {
        let _ = write!(meaning, " ({})", values.join(", "));
    }
    if let [default, ..] = arg.get_default_values() {
        let _ = write!(meaning, " [default: {}]", default.to_string_lossy());
    }
    meaning
}

fn told(text: Option<&StyledStr>) -> String {
    text.map(ToString::to_string).unwrap_or_default()
}

fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('<', "\\<").replace('\n', " ")
}
