//! Options that nobody typed: what the environment and `tenure.toml` say of them goes to the parser as if it were their
//! default, so that a command sees no difference. What is typed comes before the environment, and that before the file;
//! what a journal remembers, and what a default is, is settled afterwards, in `settings`.

mod environment;
mod file;
mod fit;
mod layers;
mod report;
#[cfg(test)]
mod tests;

use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};

use clap::error::ErrorKind;
use clap::{ArgMatches, Command, CommandFactory as _, FromArgMatches as _};

use crate::cli::{self, Cli, ConfigFileArgs, Name, ProgressMode};
pub use environment::Environment;
pub(crate) use fit::switch;
pub use report::{Remembered, Report};

/// What the file is called where it is looked for.
pub const FILE: &str = "tenure.toml";

/// Where a value comes from that nobody typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// This environment variable.
    Variable(String),
    /// A line of the file.
    File {
        /// As it is named on the command line.
        path: PathBuf,
        /// The first is 1.
        line: usize,
    },
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Variable(variable) => f.write_str(variable),
            Origin::File { path, line } => write!(f, "{}:{line}", path.display()),
        }
    }
}

/// A value that nobody typed, found fit for its option.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Given {
    /// What it is for.
    pub name: Name,
    /// As the command line would have them; of a switch `true` or `false`.
    pub values: Vec<String>,
    /// Where it stands.
    pub origin: Origin,
}

/// Why there is nothing to run.
#[derive(Debug)]
pub enum Refusal {
    /// What is typed cannot be parsed, or asks for help.
    Typed(clap::Error),
    /// The environment or the file is wrong: all that is, each on a line of its own.
    Given(Vec<String>),
}

/// Where settings were looked for, and all that was found.
#[derive(Debug, Default)]
pub struct Found {
    /// The file, if there is one.
    pub file: Option<PathBuf>,
    /// Of the environment first, then of the file.
    pub given: Vec<Given>,
    /// Options that the command gets from the file.
    pub of_file: Vec<Name>,
    /// How the command shows its progress, if it does.
    pub progress: Option<ProgressMode>,
}

/// The command line with everything that is set elsewhere; help is laid out for so many columns.
///
/// # Errors
/// When help is asked for, or something is wrong with what is typed or set.
pub fn parse(typed: &[OsString], environment: &Environment, columns: usize) -> Result<(Cli, Found), Refusal> {
    let parsed = Cli::command().try_get_matches_from(typed);
    if let Ok(matches) = &parsed
        && environment.is_empty()
        && has_no_file(matches)
    {
        // As nearly always; so a short command takes no longer than it must.
        let cli = Cli::from_arg_matches(matches).map_err(Refusal::Typed)?;
        return Ok((cli, Found { progress: progress(matches), ..Found::default() }));
    }
    if let Some(typed) = parsed.as_ref().err().and_then(|error| cli::without_flag(error, typed)) {
        return parse(&typed, environment, columns);
    }
    let program = cli::command();
    let matches = match parsed {
        Ok(matches) => matches,
        // Help is asked for: only the whole definition has all of it.
        Err(error) if is_help(&error) => {
            let program = cli::for_columns(program, columns);
            return Err(Refusal::Typed(program.try_get_matches_from(typed).err().unwrap_or(error)));
        }
        // What is missing may be set elsewhere.
        Err(error) if error.kind() == ErrorKind::MissingRequiredArgument => {
            lenient(program.clone()).try_get_matches_from(typed).map_err(|_| Refusal::Typed(error))?
        }
        Err(error) => return Err(Refusal::Typed(cli::explained(error, &program, typed))),
    };
    let (path, leaf, below) = leaf(&program, &matches);
    let takes_none = leaf.get_arguments().all(|arg| arg.get_long().is_none());
    let mut found = if takes_none {
        Found::default()
    } else {
        find(&program, below, environment).map_err(Refusal::Given)?
    };
    let chosen = match path.first() {
        Some(first) => layers::choose(first, leaf, below, &found.given).map_err(Refusal::Given)?,
        None => Vec::new(),
    };
    found.of_file =
        chosen.iter().filter(|chosen| chosen.is_of_file).map(|chosen| chosen.name.clone()).collect();
    let mut program =
        if chosen.is_empty() { program } else { layers::with_defaults(program, &path, &chosen) };
    let cli = program.try_get_matches_from_mut(typed).and_then(|matches| {
        found.progress = progress(&matches);
        Cli::from_arg_matches(&matches)
    });
    match cli {
        Ok(mut cli) => {
            if let Some(connection) = cli.command.connection_mut() {
                connection.credentials_origin = chosen
                    .iter()
                    .find(|chosen| chosen.name.option == "credentials")
                    .and_then(|chosen| found.given.iter().find(|given| given.name == chosen.name))
                    .map(|given| given.origin.to_string());
            }
            Ok((cli, found))
        }
        Err(error) => Err(Refusal::Typed(cli::explained(error, &program, typed))),
    }
}

/// Whether the answer is what the definition says of itself.
fn is_help(error: &clap::Error) -> bool {
    !error.use_stderr() || error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
}

/// What the parser has found for the command itself.
fn innermost(matches: &ArgMatches) -> &ArgMatches {
    let mut below = matches;
    while let Some((_, matches)) = below.subcommand() {
        below = matches;
    }
    below
}

/// How the command shows its progress, if it does.
fn progress(matches: &ArgMatches) -> Option<ProgressMode> {
    innermost(matches).try_get_one("progress").ok().flatten().copied()
}

/// Whether there is no file that could say anything.
fn has_no_file(matches: &ArgMatches) -> bool {
    let below = innermost(matches);
    matches!(file::read(&typed_place(below), journal(below, &[]).as_deref()), Ok(None))
}

/// What is typed about where the file is.
fn typed_place(typed: &ArgMatches) -> ConfigFileArgs {
    ConfigFileArgs {
        config: typed.get_one::<PathBuf>("config").cloned(),
        no_config: typed.get_flag("no_config"),
    }
}

/// Everything that is set, whatever the command does with it.
fn find(program: &Command, typed: &ArgMatches, environment: &Environment) -> Result<Found, Vec<String>> {
    let known = cli::options(program);
    let (mut given, mut problems) = match environment.given(&known) {
        Ok(given) => (given, Vec::new()),
        Err(problems) => (Vec::new(), problems),
    };
    let mut place = typed_place(typed);
    environment.complete(&mut place).unwrap_or_else(|problem| problems.push(problem));
    let journal = journal(typed, &given);
    let read = match file::read(&place, journal.as_deref()) {
        Ok(read) => read,
        Err(problem) => {
            problems.push(problem);
            None
        }
    };
    let mut file = None;
    if let Some((path, text)) = read {
        match file::parse(&path, &text, &known) {
            Ok(of_file) => given.extend(of_file),
            Err(of_file) => problems.extend(of_file),
        }
        file = Some(path);
    }
    if problems.is_empty() { Ok(Found { file, given, ..Found::default() }) } else { Err(problems) }
}

/// The journal that a command is about, as far as it is told: beside it lies the file.
fn journal(typed: &ArgMatches, given: &[Given]) -> Option<PathBuf> {
    let told = typed.try_get_one::<PathBuf>("journal").ok().flatten().cloned();
    let set = || {
        let name = Name { command: None, option: "journal".to_owned() };
        given.iter().find(|given| given.name == name)?.values.first().map(PathBuf::from)
    };
    told.or_else(set)
}

/// The same command line, of which nothing has to be there.
fn lenient(command: Command) -> Command {
    command.mut_args(|arg| arg.required(false)).mut_subcommands(lenient)
}

/// The command that was typed: the words to it, its definition, and what was typed after it.
fn leaf<'a>(program: &'a Command, matches: &'a ArgMatches) -> (Vec<String>, &'a Command, &'a ArgMatches) {
    let (mut path, mut command, mut below) = (Vec::new(), program, matches);
    while let Some((name, matches)) = below.subcommand() {
        let Some(sub) = command.find_subcommand(name) else { break };
        path.push(name.to_owned());
        (command, below) = (sub, matches);
    }
    (path, command, below)
}

/// How a file is called in messages and on the screen: without the dot that leads to the current folder.
fn shown(path: &Path) -> PathBuf {
    path.strip_prefix(".").unwrap_or(path).to_owned()
}
